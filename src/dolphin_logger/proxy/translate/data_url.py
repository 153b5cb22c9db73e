"""`data:` URLs: where clients of several languages put the bytes of images and documents.

It knows RFC 2397 and no language. Invariant: the content comes out as base64, as it was sent or
encoded by us; it is never decoded without need.
"""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

from dolphin_logger.proxy.translate.losses import refusal


class DataUrl(NamedTuple):
    """The content of a `data:` URL; `charset` is that of a text."""

    media_type: str
    charset: str
    base64: str

    def text(self, *, at: str) -> str:
        """Decode a text.

        Raises:
            RequestError: 400, this is no text in its charset.
        """
        try:
            return base64.b64decode(self.base64).decode(self.charset)
        except (binascii.Error, UnicodeDecodeError, LookupError, ValueError) as error:
            message = f"{at} holds no text in {self.charset}: {error}"
            raise refusal(message, param=at) from error


def is_data_url(url: str) -> bool:
    """Say whether a URL carries its content."""
    return url[:5].lower() == "data:"


def read_data_url(url: str, *, at: str) -> DataUrl:
    """Read `data:[type][;name=value]*[;base64],content`.

    Raises:
        RequestError: 400, it has no content; `at` is its place in the request.
    """
    head, comma, content = url[5:].partition(",")
    if not comma:
        raise refusal(f"{at} is a data: URL without a comma", param=at)
    media_type, *parameters = (field.strip() for field in head.split(";"))
    names = dict(field.lower().partition("=")[::2] for field in parameters)
    if "base64" not in names:
        content = base64.b64encode(unquote_to_bytes(content)).decode()
    return DataUrl(media_type.lower() or "text/plain", names.get("charset") or "utf-8", content)
