"""Contents: a message as the index keeps it: its parts in JSON, compressed; and the text in it.

    {"role", "name"?, "parts": [{"kind": "text"|"reasoning"|"refusal", "text"}
      | {"kind": "call", "name", "arguments", "id"?} | {"kind": "result", "parts", "name"?, "call"?, "error"?}
      | {"kind": "image"|"file", "type"?, "name"?, "url"?, "bytes"?, "text"?} | {"kind": "other", "type", "text"}]}

It knows messages, not tables. Bytes of pictures and files are not kept, only how many they were.
Invariant: what is searched of a message comes from this form alone, so it can be made again to be
taken out of the full-text index.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

import orjson
import zstandard

from dolphin_logger.messages import (
    Content,
    File,
    Image,
    Message,
    Other,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolDefinition,
    ToolResult,
)

_LEVEL: Final = 6
_LONGEST_URL: Final = 2000
_LONGEST_OTHER: Final = 20_000
_DICTIONARY_BYTES: Final = 112 * 1024
_TEXTS: Final = {Text: "text", Reasoning: "reasoning", Refusal: "refusal"}


def content_of(message: Message) -> dict[str, Any]:
    """Give a message in the form in which it is kept."""
    content: dict[str, Any] = {"role": message.role}
    if message.name:
        content["name"] = message.name
    content["parts"] = [_part(part) for part in message.parts]
    return content


def tools_of(tools: Iterable[ToolDefinition]) -> dict[str, Any]:
    """Give the tools that a request offers as one content, of role `tools`."""
    listed = [
        {"name": tool.name, "description": tool.description, "schema": tool.schema}
        for tool in tools
    ]
    return {"role": "tools", "parts": [{"kind": "tools", "tools": listed}]}


def message_of(content: Mapping[str, Any]) -> Message:
    """Give a content in words again; how many bytes were there stands in the rest of its part."""
    parts = tuple([_words(part) for part in content["parts"]])
    return Message(str(content["role"]), parts, content.get("name"))


def tools_from(content: Mapping[str, Any]) -> Iterator[ToolDefinition]:
    """Give the tools of a content again."""
    for part in content["parts"]:
        for tool in part.get("tools", ()):
            yield ToolDefinition(tool["name"], tool["description"], tool["schema"])


def texts_of(content: Mapping[str, Any]) -> Iterator[str]:
    """Give each text that a person could look for."""
    for part in content["parts"]:
        kind = part["kind"]
        if kind == "call":
            yield part["name"]
            yield from _strings(part["arguments"])
        elif kind == "result":
            yield from texts_of(part)
        elif part.get("text"):
            yield part["text"]
        elif part.get("name"):
            yield part["name"]


def facets_of(content: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Give what can be asked of a message by `role:`, `tool:` and `has:`, as kind and value."""
    found = {("role", str(content["role"]))}
    for part in content["parts"]:
        kind = part["kind"]
        if kind == "call":
            found |= {("has", "call"), ("tool", part["name"])}
        elif kind == "result":
            found.add(("has", "result"))
            if part.get("error"):
                found.add(("has", "error"))
            found |= {("has", inner["kind"]) for inner in part["parts"] if inner["kind"] != "text"}
        elif kind not in ("text", "tools"):
            found.add(("has", kind))
    return found


class Codec:
    """Compresses contents with the help of a dictionary, once there is one."""

    def __init__(self, dictionaries: Mapping[int, bytes]) -> None:
        self._plain = zstandard.ZstdDecompressor()
        self._readers: dict[int, zstandard.ZstdDecompressor] = {}
        self._writer = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=False)
        for bytes_ in dictionaries.values():
            self.take(bytes_)

    def take(self, dictionary: bytes) -> int:
        """Use a dictionary from now on; give its id, which stands in each frame."""
        trained = zstandard.ZstdCompressionDict(dictionary)
        identity = trained.dict_id()
        self._readers[identity] = zstandard.ZstdDecompressor(dict_data=trained)
        self._writer = zstandard.ZstdCompressor(
            level=_LEVEL, dict_data=trained, write_checksum=False
        )
        return identity

    def pack(self, content: Mapping[str, Any]) -> bytes:
        """Compress a content."""
        return self._writer.compress(to_json(content))

    def unpack(self, body: bytes) -> dict[str, Any]:
        """Give a content back."""
        identity = zstandard.get_frame_parameters(body).dict_id
        content = from_json(self._readers.get(identity, self._plain).decompress(body))
        assert isinstance(content, dict)
        return content


def train(samples: list[bytes]) -> bytes | None:
    """Make a dictionary from contents in JSON; None when they have too little in common."""
    try:
        return zstandard.train_dictionary(_DICTIONARY_BYTES, [*samples]).as_bytes()
    except zstandard.ZstdError:
        return None


def to_json(value: Any) -> bytes:
    """Write JSON; lone surrogates, which orjson refuses, as escapes."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


def from_json(text: bytes) -> Any:
    """Read what `to_json` wrote."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def _part(part: Part) -> dict[str, Any]:
    if isinstance(part, Text | Reasoning | Refusal):
        return {"kind": _TEXTS[type(part)], "text": part.text}
    if isinstance(part, ToolCall):
        return {"kind": "call", "name": part.name, "arguments": part.arguments, "id": part.id}
    if isinstance(part, ToolResult):
        result: dict[str, Any] = {"kind": "result", "call": part.call_id, "name": part.name}
        if part.is_error:
            result["error"] = True
        return result | {"parts": [_part(inner) for inner in part.parts]}
    if isinstance(part, Image):
        return {"kind": "image", "type": part.media_type, **_where(part)}
    if isinstance(part, File):
        file = {"kind": "file", "type": part.media_type, "name": part.name, "text": part.text}
        return file | _where(part)
    return {"kind": "other", "type": part.kind, "text": _other_text(part)}


def _words(part: Mapping[str, Any]) -> Part:
    if part["kind"] == "call":
        return ToolCall(part["name"], part["arguments"], part.get("id"))
    if part["kind"] == "result":
        parts = [_inner(inner) for inner in part["parts"]]
        return ToolResult(part.get("call"), tuple(parts), bool(part.get("error")), part.get("name"))
    return _inner(part)


def _inner(part: Mapping[str, Any]) -> Content:
    kind, text = part["kind"], part.get("text")
    if kind == "reasoning":
        return Reasoning(text or "")
    if kind == "refusal":
        return Refusal(text or "")
    if kind == "text":
        return Text(text or "")
    if kind == "other":
        return Other(str(part["type"]), text or "")
    rest = {"bytes": part["bytes"]} if "bytes" in part else {}
    if kind == "image":
        return Image(part.get("url"), None, part.get("type"), rest)
    name, type_ = part.get("name"), part.get("type")
    return File(name, part.get("url"), None, text, type_, rest)


def _where(part: Image | File) -> dict[str, Any]:
    if part.url and not part.url.startswith("data:"):
        return {"url": part.url[:_LONGEST_URL]}
    if not (part.url or part.data) and type(part.rest.get("bytes")) is int:
        return {"bytes": part.rest["bytes"]}  # of a content that was put in words again
    size = len(part.data or (part.url or "").partition(",")[2])
    return {"bytes": size * 3 // 4}


def _other_text(part: Other) -> str:
    """Give the strings in a value; not its long ones, which are bytes in text form."""
    texts = (text for text in _strings(part.value) if len(text) <= _LONGEST_OTHER)
    return "\n".join(texts)


def _strings(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        found = waiting.pop()
        if isinstance(found, str):
            yield found
        elif isinstance(found, dict):
            waiting += reversed(found.values())
        elif isinstance(found, list):
            waiting += reversed(found)
