"""Parts that name their `type`, in words: OpenAI's content parts and Anthropic's content blocks.

The types of both vendors do not collide, and gateways mix them, so one table reads them all.
Invariants: a part that is not as its type promises becomes Other, whole; what a word has no field
for stays in its `rest`. What is inside a result is read without results, so nothing recurses.

Source: https://platform.openai.com/docs/api-reference and https://platform.claude.com/docs/en/api.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from dolphin_logger.dialects._fields import take_object, take_text
from dolphin_logger.dialects._reading import read
from dolphin_logger.messages import (
    Content,
    File,
    Image,
    Other,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)

_PartReader: TypeAlias = Callable[[dict[str, Any]], Content | None]


def read_parts(content: Any) -> tuple[Part, ...]:
    """Read what a message says: a text, or a list of parts, calls and results among them."""
    if isinstance(content, list):
        return tuple([_read_block(part) for part in content])
    return read_content(content)


def read_content(content: Any) -> tuple[Content, ...]:
    """Read what a result says: a text, one part, or a list of them."""
    if isinstance(content, str):
        return (Text(content),) if content else ()
    if isinstance(content, list):
        return tuple([read_part(part) for part in content])
    return () if content is None else (read_part(content),)


def read_part(part: Any) -> Content:
    """Read one part that is neither a call nor a result."""
    if isinstance(part, str):
        return Text(part)
    if not isinstance(part, dict):
        return Other("", part)
    rest = dict(part)
    kind = take_text(rest, "type") or ("text" if "text" in rest else "")
    reader = _READERS.get(kind)
    read_as = reader(rest) if reader else None
    return Other(kind, part) if read_as is None else read_as


def read_arguments(text: str) -> dict[str, Any] | str:
    """Read the arguments of a call: an object, or the text that they are when they are none."""
    reading = read(text.encode("utf-8", "surrogatepass"))
    return reading.value if reading.exact and isinstance(reading.value, dict) else text


def put_back(rest: dict[str, Any], key: str, inner: dict[str, Any]) -> None:
    """Keep what nobody read of an object that was taken."""
    if inner:
        rest[key] = inner


def _read_block(part: Any) -> Part:
    kind = part.get("type") if isinstance(part, dict) else None
    if isinstance(kind, str):
        if kind.endswith("tool_use"):
            return _read_call(dict(part), is_server=kind != "tool_use")
        if kind.endswith("tool_result"):
            return _read_result(dict(part))
    return read_part(part)


def _read_call(rest: dict[str, Any], *, is_server: bool) -> ToolCall:
    del rest["type"]
    arguments = take_text(rest, "partial_json", "input")
    if arguments is None:
        given: dict[str, Any] | str | None = take_object(rest, "input")
    else:
        given = arguments
        if rest.get("input") == {}:  # it stands in for what could not be parsed
            del rest["input"]
    return ToolCall(
        name=take_text(rest, "name") or "",
        arguments="" if given is None else given,
        id=take_text(rest, "id"),
        kind="server" if is_server else "function",
        rest=rest,
    )


def _read_result(rest: dict[str, Any]) -> ToolResult:
    if rest["type"] == "tool_result":
        del rest["type"]
    parts = read_content(rest.pop("content", None))
    failed = rest.pop("is_error", False) if isinstance(rest.get("is_error"), bool) else False
    failed = failed or any(
        isinstance(part, Other) and part.kind.endswith("_error") for part in parts
    )
    return ToolResult(take_text(rest, "tool_use_id"), parts, is_error=failed, rest=rest)


def _read_text(rest: dict[str, Any]) -> Text | None:
    text = take_text(rest, "text", "logs")
    return None if text is None else Text(text, rest)


def _read_refusal(rest: dict[str, Any]) -> Refusal | None:
    text = take_text(rest, "refusal")
    return None if text is None else Refusal(text, rest)


def read_thought(rest: dict[str, Any]) -> Reasoning | None:
    """Read a thought, open or sealed, of any gateway's making; None when there is none."""
    text = take_text(rest, "thinking", "text", "summary")
    signature = take_text(rest, "signature", "data")
    pieces = rest.get("thinking")
    if text is None and isinstance(pieces, list):  # Mistral has a list of text parts here
        texts = [part.get("text") if isinstance(part, dict) else None for part in pieces]
        known = [piece for piece in texts if isinstance(piece, str)]
        if len(known) == len(texts):
            del rest["thinking"]
            text = "".join(known)
    return None if text is None and signature is None else Reasoning(text or "", signature, rest)


def _read_image_url(rest: dict[str, Any]) -> Image | None:
    url = take_text(rest, "image_url")
    inner = None if url else take_object(rest, "image_url")
    if inner is not None:
        url = take_text(inner, "url")
        put_back(rest, "image_url", inner)
    return Image(url=url, rest=rest) if url or "file_id" in rest else None


def _read_image(rest: dict[str, Any]) -> Image | None:
    source = take_object(rest, "source")
    if source is None:
        url = take_text(rest, "url")
        return None if url is None else Image(url=url, rest=rest)
    image = Image(
        take_text(source, "url"),
        take_text(source, "data"),
        take_text(source, "media_type"),
        rest=rest,
    )
    _put_back_source(rest, source)
    return image


def _read_document(rest: dict[str, Any]) -> File | None:
    source = take_object(rest, "source")
    if source is None:
        return None
    data = take_text(source, "data")
    is_text = source.get("type") == "text"
    document = File(
        name=take_text(rest, "title"),
        url=take_text(source, "url"),
        data=None if is_text else data,
        text=data if is_text else None,
        media_type=take_text(source, "media_type"),
        rest=rest,
    )
    _put_back_source(rest, source)
    return document


def _put_back_source(rest: dict[str, Any], source: dict[str, Any]) -> None:
    if source.get("type") in ("base64", "url", "text"):
        del source["type"]
    put_back(rest, "source", source)


def _read_file(rest: dict[str, Any]) -> File:
    inner = take_object(rest, "file")
    fields = rest if inner is None else inner
    data = take_text(fields, "file_data")
    is_url = data is not None and data.startswith("data:")
    file = File(
        name=take_text(fields, "filename"),
        url=data if is_url else take_text(fields, "file_url"),
        data=None if is_url else data,
        rest=rest,
    )
    put_back(rest, "file", inner or {})
    return file


def _read_sound(rest: dict[str, Any]) -> File | None:
    sound = take_object(rest, "input_audio")
    if sound is None:
        return None
    form = take_text(sound, "format")
    data = take_text(sound, "data")
    put_back(rest, "input_audio", sound)
    return File(data=data, media_type=form and f"audio/{form}", rest=rest)


_READERS: Final[Mapping[str, _PartReader]] = MappingProxyType(
    {
        "text": _read_text,
        "input_text": _read_text,
        "output_text": _read_text,
        "logs": _read_text,
        "refusal": _read_refusal,
        "thinking": read_thought,
        "redacted_thinking": read_thought,
        "image_url": _read_image_url,
        "input_image": _read_image_url,
        "image": _read_image,
        "document": _read_document,
        "file": _read_file,
        "input_file": _read_file,
        "input_audio": _read_sound,
    }
)
