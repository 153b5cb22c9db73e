"""The parts of a message: text, images, documents.

It knows the shapes of parts in both languages, and not which message they are in. URLs are passed on
and never fetched. Invariant: a part becomes exactly one block, or the request is refused.

Source: https://platform.claude.com/docs/en/api/messages (content blocks).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from dolphin_logger.proxy.translate.data_url import is_data_url, read_data_url
from dolphin_logger.proxy.translate.losses import Losses, refusal
from dolphin_logger.proxy.translate.parts import (
    Given,
    Part,
    drop_others,
    find_way,
    read_fields,
    read_parts,
    read_string,
    text_part,
)

_Translate = Callable[[Given, str, Losses], Part]

_KEPT: Final = "cache_control"
_SAME_IMAGE: Final = {"image/jpg": "image/jpeg"}


def translate_user_content(content: Any, *, place: str, losses: Losses) -> list[Part]:
    """Translate what a user or a tool says: text, images and documents."""
    return _translate(content, _USER, place=place, losses=losses)


def translate_system_content(content: Any, *, place: str, losses: Losses) -> list[Part]:
    """Translate a system prompt: text."""
    return _translate(content, _SYSTEM, place=place, losses=losses)


def translate_assistant_content(content: Any, *, place: str, losses: Losses) -> list[Part]:
    """Translate what the model said: text and refusals."""
    return _translate(content, _ASSISTANT, place=place, losses=losses)


def drop_blank_text(blocks: list[Part], *, losses: Losses) -> list[Part]:
    """Leave out text that the provider refuses to read, unless there is nothing else."""
    kept = [block for block in blocks if block["type"] != "text" or block["text"].strip()]
    if not kept:
        return blocks
    if any(block["type"] == "text" and block["text"].isspace() for block in blocks):
        losses.drop("messages[].content (white space)")
    return kept


def _translate(
    content: Any, ways: Mapping[str, _Translate], *, place: str, losses: Losses
) -> list[Part]:
    blocks = []
    for part, kind, at in read_parts(content, at=f"{place}.content"):
        block = find_way(ways, kind, at=at, to="Anthropic")(part, at, losses)
        if part.get(_KEPT) is not None:
            block[_KEPT] = part[_KEPT]
        blocks.append(block)
    return blocks


def _drop_others(part: Given, known: tuple[str, ...], losses: Losses, *, inside: str = "") -> None:
    drop_others(part, (*known, _KEPT), losses=losses, inside=f"messages[].content[].{inside}")


def _text(part: Given, at: str, losses: Losses) -> Part:
    _drop_others(part, ("text",), losses)
    return text_part(read_string(part, "text", at=at))


def _refusal(part: Given, at: str, losses: Losses) -> Part:
    _drop_others(part, ("refusal",), losses)
    return text_part(read_string(part, "refusal", at=at))


def _native(part: Given, at: str, losses: Losses) -> Part:
    """Pass on a part that is Anthropic's already."""
    return dict(part)


def _image_url(part: Given, at: str, losses: Losses) -> Part:
    _drop_others(part, ("image_url",), losses)
    image = part.get("image_url")
    at = f"{at}.image_url"
    if isinstance(image, str):
        return _from_url(image, at, kind="image")
    if not isinstance(image, dict):
        raise refusal(f"{at} must be an object with a url", param=at)
    known = ("url", "detail") if image.get("detail") == "auto" else ("url",)
    _drop_others(image, known, losses, inside="image_url.")
    return _from_url(read_string(image, "url", at=at), f"{at}.url", kind="image")


def _file(part: Given, at: str, losses: Losses) -> Part:
    _drop_others(part, ("file",), losses)
    file, at = read_fields(part, "file", at=at), f"{at}.file"
    _drop_others(file, ("file_data", "file_id", "filename"), losses, inside="file.")
    if file.get("file_data") is not None:
        block = _from_url(read_string(file, "file_data", at=at), f"{at}.file_data", kind="document")
    else:
        file_id = read_string(file, "file_id", at=at)
        if not file_id.startswith("file_"):
            raise refusal(
                f"{at}.file_id: {file_id!r} is not a file at Anthropic; send its content as file_data",
                param=f"{at}.file_id",
            )
        block = {"type": "document", "source": {"type": "file", "file_id": file_id}}
    if file.get("filename") is not None:
        if block["type"] == "document":
            block["title"] = file["filename"]
        else:
            losses.drop("messages[].content[].file.filename")
    return block


def _from_url(url: str, at: str, *, kind: str) -> Part:
    """Build an image or a document from a `data:` or http(s) URL."""
    scheme = url[:8].lower()
    if scheme.startswith(("http://", "https://")):
        return {"type": kind, "source": {"type": "url", "url": url}}
    if not is_data_url(url):
        raise refusal(f"{at} must be a data: or http(s) URL", param=at)
    data = read_data_url(url, at=at)
    media_type = _SAME_IMAGE.get(data.media_type, data.media_type)
    if media_type.startswith("image/"):
        return _with_base64("image", media_type, data.base64)
    if media_type == "application/pdf":
        return _with_base64("document", media_type, data.base64)
    if media_type.startswith("text/"):
        source = {"type": "text", "media_type": "text/plain", "data": data.text(at=at)}
        return {"type": "document", "source": source}
    raise refusal(
        f"{at}: {media_type!r} cannot be sent to Anthropic; possible: images, application/pdf, text",
        param=at,
    )


def _with_base64(kind: str, media_type: str, data: str) -> Part:
    return {"type": kind, "source": {"type": "base64", "media_type": media_type, "data": data}}


_SYSTEM: Final[Mapping[str, _Translate]] = {"text": _text}
_USER: Final[Mapping[str, _Translate]] = {
    "text": _text,
    "image_url": _image_url,
    "file": _file,
    "image": _native,
    "document": _native,
    "search_result": _native,
}
_ASSISTANT: Final[Mapping[str, _Translate]] = {"text": _text, "refusal": _refusal}
