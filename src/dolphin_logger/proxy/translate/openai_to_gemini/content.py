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

Part = dict[str, Any]
_Given = Mapping[str, Any]
_Translate = Callable[[_Given, str, Losses], Part]

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
    content: Any, kinds: Mapping[str, _Translate], *, place: str, losses: Losses
) -> list[Part]:
    where = f"{place}.content"
    if isinstance(content, str):
        return [{"text": content}] if content else []
    if not isinstance(content, list):
        raise refusal(f"{where} must be a string or an array of parts", param=where)
    parts = []
    for number, given in enumerate(content):
        at = f"{where}[{number}]"
        kind = given.get("type") if isinstance(given, dict) else None
        if kind is None and kinds is _USER and isinstance(given, dict) and given.keys() & _NATIVE:
            parts.append(dict(given))  # Gemini's own form
            continue
        translate = kinds.get(kind) if isinstance(kind, str) else None
        if translate is None:
            known = ", ".join(kinds)
            raise refusal(
                f"{at}: a part of type {kind!r} cannot be sent to Gemini here; possible: {known}",
                param=at,
            )
        part = translate(given, at, losses)
        if part.get("text") != "":  # Gemini refuses a text without characters
            parts.append(part)
    return parts


def _note_others(
    given: _Given, known: tuple[str, ...], losses: Losses, *, inside: str = ""
) -> None:
    for key, value in given.items():
        if key not in known and key not in ("type", "index") and value is not None:
            losses.drop(f"messages[].content[].{inside}{key}")


def _string(given: _Given, key: str, at: str) -> str:
    value = given.get(key)
    if not isinstance(value, str):
        raise refusal(f"{at}.{key} must be a string", param=f"{at}.{key}")
    return value


def _text(given: _Given, at: str, losses: Losses) -> Part:
    _note_others(given, ("text",), losses)
    return {"text": _string(given, "text", at)}


def _refusal(given: _Given, at: str, losses: Losses) -> Part:
    _note_others(given, ("refusal",), losses)
    return {"text": _string(given, "refusal", at)}


def _image_url(given: _Given, at: str, losses: Losses) -> Part:
    return _from_url_object(given, "image_url", at, losses)


def _video_url(given: _Given, at: str, losses: Losses) -> Part:
    return _from_url_object(given, "video_url", at, losses)


def _from_url_object(given: _Given, key: str, at: str, losses: Losses) -> Part:
    _note_others(given, (key, "extra_content"), losses)
    value, at = given.get(key), f"{at}.{key}"
    if isinstance(value, str):
        return _from_url(value, at)
    if not isinstance(value, dict):
        raise refusal(f"{at} must be an object with a url", param=at)
    known = ("url", "detail") if value.get("detail") == "auto" else ("url",)
    _note_others(value, known, losses, inside=f"{key}.")
    return _from_url(_string(value, "url", at), f"{at}.url")


def _input_audio(given: _Given, at: str, losses: Losses) -> Part:
    _note_others(given, ("input_audio",), losses)
    audio, at = given.get("input_audio"), f"{at}.input_audio"
    if not isinstance(audio, dict):
        raise refusal(f"{at} must be an object with data and format", param=at)
    _note_others(audio, ("data", "format"), losses, inside="input_audio.")
    kind = _string(audio, "format", at).lower()
    if not _FORMAT.fullmatch(kind):
        raise refusal(f"{at}.format: {kind!r} is no format of sound", param=f"{at}.format")
    return _inline(f"audio/{kind}", _string(audio, "data", at))


def _file(given: _Given, at: str, losses: Losses) -> Part:
    _note_others(given, ("file",), losses)
    file, at = given.get("file"), f"{at}.file"
    if not isinstance(file, dict):
        raise refusal(f"{at} must be an object", param=at)
    _note_others(file, ("file_data", "file_id"), losses, inside="file.")
    if file.get("file_data") is not None:
        return _from_url(_string(file, "file_data", at), f"{at}.file_data")
    file_id = _string(file, "file_id", at)
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
