"""The parts of a message or of a tool's result: text, images, files, audio.

It knows the shapes of parts in both languages, and not which item they are in. URLs are passed on and
never fetched. Invariant: a part becomes exactly one part, or the request is refused.

Source: https://platform.openai.com/docs/api-reference/chat/create (content parts).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from dolphin_logger.proxy.translate.losses import Losses, refusal

Part = dict[str, Any]
_Translate = Callable[[Mapping[str, Any], str, Losses], Part]
_DETAILS: Final = ("low", "high")


def translate_parts(content: Any, *, at: str, losses: Losses) -> list[Part]:
    """Translate the content of a message, or what a tool gave back; `at` is its place.

    Raises:
        RequestError: 400, a part that chat completions have no words for.
    """
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    if not isinstance(content, list):
        raise refusal(f"{at} must be a string or an array of parts", param=at)
    parts = []
    for number, part in enumerate(content):
        place = f"{at}[{number}]"
        kind = part.get("type") if isinstance(part, dict) else None
        translate = _PARTS.get(kind) if isinstance(kind, str) else None
        if translate is None:
            raise refusal(
                f"{place}: a part of type {kind!r} cannot be sent to this provider;"
                f" possible: {', '.join(_PARTS)}",
                param=place,
            )
        parts.append(translate(part, place, losses))
    return parts


def is_text(part: Part) -> bool:
    """Say whether a part is text."""
    return bool(part["type"] == "text")


def as_content(parts: list[Part]) -> str | list[Part]:
    """Write parts as the content of a user's message: a string where one says the same."""
    if not parts:
        return ""
    if len(parts) == 1 and is_text(parts[0]):
        return join_texts(parts)
    return parts


def join_texts(parts: list[Part]) -> str:
    """Join texts where many servers take nothing but one string."""
    return "\n".join(part["text"] for part in parts)


def _note_others(part: Mapping[str, Any], known: tuple[str, ...], losses: Losses) -> None:
    for key, value in part.items():
        if key not in known and key != "type" and value not in (None, [], {}):
            losses.drop(f"input[].content[].{key}")


def _string(part: Mapping[str, Any], key: str, at: str) -> str:
    value = part.get(key)
    if not isinstance(value, str):
        raise refusal(f"{at}.{key} must be a string", param=f"{at}.{key}")
    return value


def _text(part: Mapping[str, Any], at: str, losses: Losses) -> Part:
    _note_others(part, ("text",), losses)
    return {"type": "text", "text": _string(part, "text", at)}


def _refusal(part: Mapping[str, Any], at: str, losses: Losses) -> Part:
    _note_others(part, ("refusal",), losses)
    return {"type": "refusal", "refusal": _string(part, "refusal", at)}


def _sealed(part: Mapping[str, Any], at: str, losses: Losses) -> Part:
    """Write what only OpenAI's models seal: another model's words are in it as that model wrote them."""
    _note_others(part, ("encrypted_content",), losses)
    return {"type": "text", "text": _string(part, "encrypted_content", at)}


def _image(part: Mapping[str, Any], at: str, losses: Losses) -> Part:
    _note_others(part, ("image_url", "detail", "file_id"), losses)
    if part.get("image_url") is None:
        raise refusal(
            f"{at}: an uploaded image is not known to this provider; send it as image_url,"
            " as a data: URL",
            param=f"{at}.file_id",
        )
    image = {"url": _string(part, "image_url", at)}
    detail = part.get("detail")
    if detail in _DETAILS:
        image["detail"] = detail
    elif detail not in (None, "auto"):
        losses.drop("input[].content[].detail")
    return {"type": "image_url", "image_url": image}


def _file(part: Mapping[str, Any], at: str, losses: Losses) -> Part:
    _note_others(part, ("file_data", "file_id", "filename", "file_url"), losses)
    known = ("file_data", "file_id", "filename")
    file = {key: part[key] for key in known if part.get(key) is not None}
    if "file_data" not in file and "file_id" not in file:
        raise refusal(
            f"{at}: a file cannot be sent to this provider by its URL; send its content as file_data",
            param=f"{at}.file_url",
        )
    return {"type": "file", "file": file}


def _audio(part: Mapping[str, Any], at: str, losses: Losses) -> Part:
    _note_others(part, ("input_audio",), losses)
    return {"type": "input_audio", "input_audio": part.get("input_audio")}


_PARTS: Final[Mapping[str, _Translate]] = {
    "input_text": _text,
    "output_text": _text,
    "text": _text,
    "refusal": _refusal,
    "encrypted_content": _sealed,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}
