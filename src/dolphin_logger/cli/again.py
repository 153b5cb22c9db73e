"""Again: a recorded request as it is sent to another model.

Pure. It knows where each wire language says which model is meant and whether the answer streams, and
nothing about proxies. Invariant: but for these two places, and what contradicts them, every byte of
the body is the recorded one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson

from dolphin_logger.conversation.turn import REPLAY
from dolphin_logger.errors import RecordError
from dolphin_logger.journal.splice import value_span, without_values
from dolphin_logger.proxy import surfaces
from dolphin_logger.proxy.body import replace_references
from dolphin_logger.proxy.surfaces import Surface

_KEPT_THERE: Final = {  # keys by which a provider is asked to remember what was said
    "openai.responses": ("previous_response_id", "conversation"),
    "gemini": ("cachedContent", "cached_content"),
}
_SAY_STREAM: Final = (
    "openai.chat",
    "openai.responses",
    "openai.completions",
    "anthropic.messages",
    "ollama.chat",
    "ollama.generate",
)


@dataclass(frozen=True, slots=True)
class Again:
    """A request that is ready to be sent: path with query, header fields, body."""

    path: str
    headers: Mapping[str, bytes]
    body: bytes


def ask_again(fields: Mapping[str, Any], body: bytes, *, model: str, stream: bool | None) -> Again:
    """Write a record's request for another model; `stream` None leaves it as it was.

    Raises:
        RecordError: it has no JSON body, is no call of a model, or refers to what one provider keeps.
    """
    value = _parse(fields, body)
    path, _, query = str(fields.get("path") or "").partition("?")
    surface = surfaces.find("POST", surfaces.take_apart(path))
    if surface is None:
        raise RecordError(f"record {fields['id']} cannot be asked again: {path!r} asks no model")
    _check_whole(fields, value)
    if surface.model is None:
        body = _with_value(body, b"model", orjson.dumps(model))
    else:
        body = replace_references(body, old=surface.model, new=model)
        path = surface.path_for(model)
    if stream is not None and stream != bool(fields.get("stream")):
        path, query, body = _switch(fields, surface, path, query, body, stream=stream)
    return Again(path + (f"?{query}" if query else ""), _headers(fields), body)


def _parse(fields: Mapping[str, Any], body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise RecordError(f"record {fields['id']} has no JSON request that could be asked again")
    return value


def _check_whole(fields: Mapping[str, Any], value: Mapping[str, Any]) -> None:
    """Refuse what says only a part of what was said."""
    for key in _KEPT_THERE.get(str(fields["dialect"]), ()):
        if value.get(key):
            raise RecordError(
                f"record {fields['id']} refers by `{key}` to what its provider keeps, which no other"
                " model can see: replay a turn that carries its history"
            )


def _switch(
    fields: Mapping[str, Any], surface: Surface, path: str, query: str, body: bytes, *, stream: bool
) -> tuple[str, str, bytes]:
    """Ask for a stream, or for none."""
    if surface.asks_stream is not None:
        base, _, action = path.rpartition(":")
        if action.endswith("enerateContent"):
            parts = [part for part in query.split("&") if part and not part.startswith("alt=")]
            parts += ["alt=sse"] if stream else []
            action = "streamGenerateContent" if stream else "generateContent"
            return f"{base}:{action}", "&".join(parts), body
    elif fields["dialect"] in _SAY_STREAM:
        if not stream:
            body = without_values(body, b"stream_options")  # which OpenAI takes with a stream alone
        return path, query, _with_value(body, b"stream", b"true" if stream else b"false")
    raise RecordError(f"record {fields['id']}: answers of {path} cannot be streamed")


def _with_value(body: bytes, key: bytes, value: bytes) -> bytes:
    """Put a value in the place of a top-level key's, or the key in front."""
    span = value_span(body, key)
    if span is not None:
        return body[: span[0]] + value + body[span[1] :]
    start = body.index(b"{") + 1
    comma = b"" if body[start:].lstrip().startswith(b"}") else b","
    return b'%s"%s":%s%s%s' % (body[:start], key, value, comma, body[start:])


def _headers(fields: Mapping[str, Any]) -> dict[str, bytes]:
    """Say who asked, so that the answer is found where the first one is. No header is a recorded one."""
    client = fields["client"]
    tags = client.get("tags") or {}
    said = {
        "x-dolphin-client": client.get("name"),
        "x-dolphin-session-id": client.get("session"),
        "x-dolphin-agent": client.get("agent"),
        "x-dolphin-parent": client.get("parent"),
        "x-dolphin-tag-run": tags.get("run"),
        f"x-dolphin-tag-{REPLAY}": fields["id"],
    }
    headers = {"content-type": b"application/json"}
    return headers | {name: text.encode() for name, text in said.items() if text}
