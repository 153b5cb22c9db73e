"""The parts of a message: text, images, sound, documents.

It knows the shapes of parts in both languages, and not which message they are in. URLs are passed on
and never fetched. Invariant: a part becomes exactly one part, or the request is refused.

Source: https://ai.google.dev/api/caching#Part.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

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
)

_Translate = Callable[[Given, str, Losses], Part]

_SAME_TYPE: Final = {"image/jpg": "image/jpeg"}
_BY_ENDING: Final = {
    "png": "image/png",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "webp": "image/webp",
    "heic": "image/heic",
    "heif": "image/heif",
    "pdf": "application/pdf",
    "mp3": "audio/mp3",
    "wav": "audio/wav",
    "mp4": "video/mp4",
}
_SCHEMES: Final = ("http://", "https://", "gs://")
_FILES: Final = "https://generativelanguage.googleapis.com/v1beta/"
_FORMAT: Final = re.compile(r"[a-z0-9]+")
_NATIVE: Final = frozenset(("text", "inlineData", "inline_data", "fileData", "file_data"))


def translate_user_content(content: Any, *, place: str, losses: Losses) -> list[Part]:
    """Translate what a user or a tool says: text, images, sound, documents."""
    return _translate(content, _USER, place=place, losses=losses)


def translate_system_content(content: Any, *, place: str, losses: Losses) -> list[Part]:
    """Translate a system prompt: text."""
    return _translate(content, _SYSTEM, place=place, losses=losses)


def translate_assistant_content(content: Any, *, place: str, losses: Losses) -> list[Part]:
    """Translate what the model said: text and refusals."""
    return _translate(content, _ASSISTANT, place=place, losses=losses)


def translate_image(image: Any, *, at: str, losses: Losses) -> Part:
    """Translate one image of an answer that the client sends back."""
    if not isinstance(image, dict):
        raise refusal(f"{at} must be an object with an image_url", param=at)
    return _image_url(image, at, losses)


def _translate(
    content: Any, ways: Mapping[str, _Translate], *, place: str, losses: Losses
) -> list[Part]:
    parts = []
    for given, kind, at in read_parts(content, at=f"{place}.content"):
        if kind is None and ways is _USER and given.keys() & _NATIVE:
            part = dict(given)  # Gemini's own form
        else:
            part = find_way(ways, kind, at=at, to="Gemini")(given, at, losses)
        if part.get("text") != "":  # Gemini refuses a text without characters
            parts.append(part)
    return parts


def _drop_others(given: Given, known: tuple[str, ...], losses: Losses, *, inside: str = "") -> None:
    drop_others(given, (*known, "index"), losses=losses, inside=f"messages[].content[].{inside}")


def _text(given: Given, at: str, losses: Losses) -> Part:
    _drop_others(given, ("text",), losses)
    return {"text": read_string(given, "text", at=at)}


def _refusal(given: Given, at: str, losses: Losses) -> Part:
    _drop_others(given, ("refusal",), losses)
    return {"text": read_string(given, "refusal", at=at)}


def _image_url(given: Given, at: str, losses: Losses) -> Part:
    return _from_url_object(given, "image_url", at, losses)


def _video_url(given: Given, at: str, losses: Losses) -> Part:
    return _from_url_object(given, "video_url", at, losses)


def _from_url_object(given: Given, key: str, at: str, losses: Losses) -> Part:
    _drop_others(given, (key, "extra_content"), losses)
    value, at = given.get(key), f"{at}.{key}"
    if isinstance(value, str):
        return _from_url(value, at)
    if not isinstance(value, dict):
        raise refusal(f"{at} must be an object with a url", param=at)
    known = ("url", "detail") if value.get("detail") == "auto" else ("url",)
    _drop_others(value, known, losses, inside=f"{key}.")
    return _from_url(read_string(value, "url", at=at), f"{at}.url")


def _input_audio(given: Given, at: str, losses: Losses) -> Part:
    _drop_others(given, ("input_audio",), losses)
    audio, at = read_fields(given, "input_audio", at=at), f"{at}.input_audio"
    _drop_others(audio, ("data", "format"), losses, inside="input_audio.")
    kind = read_string(audio, "format", at=at).lower()
    if not _FORMAT.fullmatch(kind):
        raise refusal(f"{at}.format: {kind!r} is no format of sound", param=f"{at}.format")
    return _inline(f"audio/{kind}", read_string(audio, "data", at=at))


def _file(given: Given, at: str, losses: Losses) -> Part:
    _drop_others(given, ("file",), losses)
    file, at = read_fields(given, "file", at=at), f"{at}.file"
    _drop_others(file, ("file_data", "file_id"), losses, inside="file.")
    if file.get("file_data") is not None:
        return _from_url(read_string(file, "file_data", at=at), f"{at}.file_data")
    file_id = read_string(file, "file_id", at=at)
    uri = f"{_FILES}{file_id}" if file_id.startswith("files/") else file_id
    if not uri.startswith(("https://", "gs://")):
        raise refusal(
            f"{at}.file_id: {file_id!r} is not a file at Google; send its content as file_data",
            param=f"{at}.file_id",
        )
    return {"fileData": {"fileUri": uri}}


def _from_url(url: str, at: str) -> Part:
    """Build a part from a `data:` URL, or from one that Google shall fetch."""
    if is_data_url(url):
        data = read_data_url(url, at=at)
        return _inline(_SAME_TYPE.get(data.media_type, data.media_type), data.base64)
    if not url[:8].lower().startswith(_SCHEMES):
        raise refusal(f"{at} must be a data:, http(s) or gs URL", param=at)
    file = {"fileUri": url}
    media_type = _BY_ENDING.get(_path_of(url, at).lower().rpartition(".")[2])
    if media_type is not None:
        file = {"mimeType": media_type, **file}
    return {"fileData": file}


def _path_of(url: str, at: str) -> str:
    try:
        return urlsplit(url).path
    except ValueError as error:
        raise refusal(f"{at} is no URL: {error}", param=at) from error


def _inline(media_type: str, data: str) -> Part:
    return {"inlineData": {"mimeType": media_type, "data": data}}


_SYSTEM: Final[Mapping[str, _Translate]] = {"text": _text}
_USER: Final[Mapping[str, _Translate]] = {
    "text": _text,
    "image_url": _image_url,
    "input_audio": _input_audio,
    "file": _file,
    "video_url": _video_url,
}
_ASSISTANT: Final[Mapping[str, _Translate]] = {"text": _text, "refusal": _refusal}
