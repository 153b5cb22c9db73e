"""The parts of a message or of a tool's result: text, images, files, audio.

It knows the shapes of parts in both languages, and not which item they are in. URLs are passed on and
never fetched. Invariant: a part becomes exactly one part, or the request is refused.

Source: https://platform.openai.com/docs/api-reference/chat/create (content parts).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from dolphin_logger.proxy.translate.losses import Losses, refusal
from dolphin_logger.proxy.translate.parts import (
    Given,
    Part,
    drop_others,
    find_way,
    read_parts,
    read_string,
    text_part,
)

_Translate = Callable[[Given, str, Losses], Part]
_DETAILS: Final = ("low", "high")


def translate_parts(content: Any, *, at: str, losses: Losses) -> list[Part]:
    """Translate the content of a message, or what a tool gave back; `at` is its place.

    Raises:
        RequestError: 400, a part that chat completions have no words for.
    """
    return [
        find_way(_PARTS, kind, at=place, to="this provider")(part, place, losses)
        for part, kind, place in read_parts(content, at=at)
    ]


def is_text(part: Part) -> bool:
    """Say whether a part is text."""
    return bool(part["type"] == "text")


def _drop_others(part: Given, known: tuple[str, ...], losses: Losses) -> None:
    drop_others(part, known, losses=losses, inside="input[].content[].")


def _text(part: Given, at: str, losses: Losses) -> Part:
    _drop_others(part, ("text",), losses)
    return text_part(read_string(part, "text", at=at))


def _refusal(part: Given, at: str, losses: Losses) -> Part:
    _drop_others(part, ("refusal",), losses)
    return {"type": "refusal", "refusal": read_string(part, "refusal", at=at)}


def _sealed(part: Given, at: str, losses: Losses) -> Part:
    """Write what only OpenAI's models seal: another model's words are in it as that model wrote them."""
    _drop_others(part, ("encrypted_content",), losses)
    return text_part(read_string(part, "encrypted_content", at=at))


def _image(part: Given, at: str, losses: Losses) -> Part:
    _drop_others(part, ("image_url", "detail", "file_id"), losses)
    if part.get("image_url") is None:
        raise refusal(
            f"{at}: an uploaded image is not known to this provider; send it as image_url,"
            " as a data: URL",
            param=f"{at}.file_id",
        )
    image = {"url": read_string(part, "image_url", at=at)}
    detail = part.get("detail")
    if detail in _DETAILS:
        image["detail"] = detail
    elif detail not in (None, "auto"):
        losses.drop("input[].content[].detail")
    return {"type": "image_url", "image_url": image}


def _file(part: Given, at: str, losses: Losses) -> Part:
    _drop_others(part, ("file_data", "file_id", "filename", "file_url"), losses)
    known = ("file_data", "file_id", "filename")
    file = {key: part[key] for key in known if part.get(key) is not None}
    if "file_data" not in file and "file_id" not in file:
        raise refusal(
            f"{at}: a file cannot be sent to this provider by its URL; send its content as file_data",
            param=f"{at}.file_url",
        )
    return {"type": "file", "file": file}


def _audio(part: Given, at: str, losses: Losses) -> Part:
    _drop_others(part, ("input_audio",), losses)
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
