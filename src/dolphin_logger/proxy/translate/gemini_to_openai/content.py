"""What a user or a function shows to the model: text, images, sound, documents.

It knows the shapes of parts in both languages, and not which content they are in. URLs are passed on
and never fetched. Invariant: a part becomes exactly one part, or the request is refused.

Source: https://ai.google.dev/api/caching#Part.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any, Final

from dolphin_logger.proxy.translate.gemini_to_openai.fields import (
    Fields,
    drop_rest,
    read_fields,
)
from dolphin_logger.proxy.translate.losses import Losses, refusal
from dolphin_logger.proxy.translate.parts import Part, text_part

MEDIA: Final = ("inlineData", "fileData")
_PLACE: Final = "contents[].parts[]"
_STANDARD: Final = str.maketrans("-_", "+/")  # Google's SDKs write the alphabet for addresses
_SOUNDS: Final = {"mpeg": "mp3", "mpga": "mp3", "x-wav": "wav", "wave": "wav", "vnd.wave": "wav"}
_POSSIBLE: Final = "possible: images, audio, application/pdf, text"
_UNNAMED: Final = "document.pdf"  # OpenAI refuses a file without a name


def read_text(value: Any, *, at: str) -> str:
    """Read the text of a part.

    Raises:
        RequestError: 400, this is no text.
    """
    if not isinstance(value, str):
        raise refusal(f"{at}.text must be a string", param=f"{at}.text")
    return value


def translate_media(kind: str, value: Any, *, at: str, losses: Losses) -> Part:
    """Translate `inlineData` or `fileData`."""
    at = f"{at}.{kind}"
    fields = read_fields(value, at=at)
    media_type = fields.pop("mimeType", None)
    if not isinstance(media_type, str):
        raise refusal(f"{at}.mimeType must say what this is", param=f"{at}.mimeType")
    media_type = media_type.partition(";")[0].strip().lower()
    translate = _translate_inline if kind == "inlineData" else _translate_file
    part = translate(fields, media_type, at, losses)
    drop_rest(fields, place=f"{_PLACE}.{kind}", losses=losses)
    return part


def _translate_file(fields: Fields, media_type: str, at: str, _: Losses) -> Part:
    address = fields.pop("fileUri", None)
    at = f"{at}.fileUri"
    if not isinstance(address, str) or not address.lower().startswith(("http://", "https://")):
        raise refusal(f"{at}: {address!r} must be an http(s) URL here", param=at)
    if not media_type.startswith("image/"):
        raise refusal(
            f"{at}: {media_type!r} can only be sent as inlineData here; images may be URLs",
            param=at,
        )
    return {"type": "image_url", "image_url": {"url": address}}


def _translate_inline(fields: Fields, media_type: str, at: str, losses: Losses) -> Part:
    data = fields.pop("data", None)
    if not isinstance(data, str):
        raise refusal(f"{at}.data must be base64", param=f"{at}.data")
    data = data.translate(_STANDARD)
    data += "=" * (-len(data) % 4)
    kind, _, subtype = media_type.partition("/")
    if kind == "image":
        address = f"data:{media_type};base64,{data}"
        return {"type": "image_url", "image_url": {"url": address}}
    if kind == "audio":
        sound = {"data": data, "format": _SOUNDS.get(subtype, subtype)}
        return {"type": "input_audio", "input_audio": sound}
    if media_type == "application/pdf":
        name = fields.pop("displayName", _UNNAMED)
        file = {"filename": name, "file_data": f"data:{media_type};base64,{data}"}
        return {"type": "file", "file": file}
    if kind == "text":
        losses.change(f"{_PLACE}.inlineData (text as text)")
        return text_part(_decode_text(data, at=f"{at}.data"))
    raise refusal(f"{at}: {media_type!r} cannot be sent to OpenAI; {_POSSIBLE}", param=at)


def _decode_text(data: str, *, at: str) -> str:
    try:
        return base64.b64decode(data, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise refusal(f"{at} holds no text in UTF-8: {error}", param=at) from error
