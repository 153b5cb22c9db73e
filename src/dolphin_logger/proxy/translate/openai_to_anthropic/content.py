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

Block = dict[str, Any]
Part = Mapping[str, Any]
_Translate = Callable[[Part, str, Losses], Block]

_KEPT: Final = "cache_control"
_SAME_IMAGE: Final = {"image/jpg": "image/jpeg"}


def translate_user_content(content: Any, *, place: str, losses: Losses) -> list[Block]:
    """Translate what a user or a tool says: text, images and documents."""
    return _translate(content, _USER, place=place, losses=losses)


def translate_system_content(content: Any, *, place: str, losses: Losses) -> list[Block]:
    """Translate a system prompt: text."""
    return _translate(content, _SYSTEM, place=place, losses=losses)


def translate_assistant_content(content: Any, *, place: str, losses: Losses) -> list[Block]:
    """Translate what the model said: text and refusals."""
    return _translate(content, _ASSISTANT, place=place, losses=losses)


def text_block(text: str) -> Block:
    """Build a block of text."""
    return {"type": "text", "text": text}


def drop_blank_text(blocks: list[Block], *, losses: Losses) -> list[Block]:
    """Leave out text that the provider refuses to read, unless there is nothing else."""
    kept = [block for block in blocks if block["type"] != "text" or block["text"].strip()]
    if not kept:
        return blocks
    if any(block["type"] == "text" and block["text"].isspace() for block in blocks):
        losses.drop("messages[].content (white space)")
    return kept


def _translate(
    content: Any, parts: Mapping[str, _Translate], *, place: str, losses: Losses
) -> list[Block]:
    where = f"{place}.content"
    if isinstance(content, str):
        return [text_block(content)] if content else []
    if not isinstance(content, list):
        raise refusal(f"{where} must be a string or an array of parts", param=where)
    blocks = []
    for number, part in enumerate(content):
        at = f"{where}[{number}]"
        kind = part.get("type") if isinstance(part, dict) else None
        translate = parts.get(kind) if isinstance(kind, str) else None
        if translate is None:
            known = ", ".join(parts)
            raise refusal(
                f"{at}: a part of type {kind!r} cannot be sent to Anthropic here; possible: {known}",
                param=at,
            )
        block = translate(part, at, losses)
        if part.get(_KEPT) is not None:
            block[_KEPT] = part[_KEPT]
        blocks.append(block)
    return blocks


def _note_others(part: Part, known: tuple[str, ...], losses: Losses, *, inside: str = "") -> None:
    for key, value in part.items():
        if key not in known and key not in ("type", _KEPT) and value is not None:
            losses.drop(f"messages[].content[].{inside}{key}")


def _string(part: Part, key: str, at: str) -> str:
    value = part.get(key)
    if not isinstance(value, str):
        raise refusal(f"{at}.{key} must be a string", param=f"{at}.{key}")
    return value


def _text(part: Part, at: str, losses: Losses) -> Block:
    _note_others(part, ("text",), losses)
    return text_block(_string(part, "text", at))


def _refusal(part: Part, at: str, losses: Losses) -> Block:
    _note_others(part, ("refusal",), losses)
    return text_block(_string(part, "refusal", at))


def _native(part: Part, at: str, losses: Losses) -> Block:
    """Pass on a part that is Anthropic's already."""
    return dict(part)


def _image_url(part: Part, at: str, losses: Losses) -> Block:
    _note_others(part, ("image_url",), losses)
    image = part.get("image_url")
    at = f"{at}.image_url"
    if isinstance(image, str):
        return _from_url(image, at, kind="image")
    if not isinstance(image, dict):
        raise refusal(f"{at} must be an object with a url", param=at)
    known = ("url", "detail") if image.get("detail") == "auto" else ("url",)
    _note_others(image, known, losses, inside="image_url.")
    return _from_url(_string(image, "url", at), f"{at}.url", kind="image")


def _file(part: Part, at: str, losses: Losses) -> Block:
    _note_others(part, ("file",), losses)
    file, at = part.get("file"), f"{at}.file"
    if not isinstance(file, dict):
        raise refusal(f"{at} must be an object", param=at)
    _note_others(file, ("file_data", "file_id", "filename"), losses, inside="file.")
    if file.get("file_data") is not None:
        block = _from_url(_string(file, "file_data", at), f"{at}.file_data", kind="document")
    else:
        file_id = _string(file, "file_id", at)
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


def _from_url(url: str, at: str, *, kind: str) -> Block:
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


def _with_base64(kind: str, media_type: str, data: str) -> Block:
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
