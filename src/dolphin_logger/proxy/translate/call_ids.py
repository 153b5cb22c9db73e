"""Ids of tool calls, in the characters that Anthropic's language allows, and back.

Servers of chat completions make ids such as `functions.read:0`; Anthropic's language takes letters,
digits, `_` and `-`. It keeps no memory. Invariant: `decode_id(encode_id(id)) == id` for every id, and an id
that is allowed already stays as it is.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Final

_ALLOWED: Final = re.compile(r"[a-zA-Z0-9_-]+")
_MARK: Final = "toolu_as_"  # what follows is the id in base64


def encode_id(native: str) -> str:
    """Write a provider's id for the client."""
    if _ALLOWED.fullmatch(native) and not native.startswith(_MARK):
        return native
    encoded = base64.urlsafe_b64encode(native.encode("utf-8", "surrogatepass"))
    return _MARK + encoded.decode().rstrip("=")


def decode_id(given: str) -> str:
    """Read a client's id; one that nobody encoded is the provider's own."""
    if not given.startswith(_MARK):
        return given
    encoded = given[len(_MARK) :]
    try:
        data = base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))
        native = data.decode("utf-8", "surrogatepass")
    except (binascii.Error, ValueError):
        return given
    return native if encode_id(native) == given else given
