"""A streamed message, as the chunks of a streamed chat completion, event by event.

It knows the events of both streams; nothing is held back but the seal of a thought (it may be sent
twice, and a client would double it) and citations (they go out at once).
Invariants: the output does not depend on the split of the input; every chunk has the same id, time
and model; `[DONE]` follows `message_stop` and nothing else; the client's accumulator accepts it.

Sources: https://platform.claude.com/docs/en/build-with-claude/streaming,
https://platform.openai.com/docs/api-reference/chat-streaming.
"""

from __future__ import annotations

import json
from typing import Any, Final

import orjson

from dolphin_logger.proxy.translate.openai_to_anthropic.faults import error_object
from dolphin_logger.proxy.translate.openai_to_anthropic.open_block import (
    Delta,
    OpenBlock,
    begin_block,
)
from dolphin_logger.proxy.translate.openai_to_anthropic.words import (
    Annotations,
    finish_reason,
    refusal_text,
    translate_usage,
    write_json,
)
from dolphin_logger.sse import Event, EventSplitter

_DONE: Final = b"data: [DONE]\n\n"
_THE_END: Final = b"[DONE]"  # which gateways add, and Anthropic does not
_PING: Final = b": ping\n\n"


class ChunkStream:
    """Implements `StreamTranslator`; `wants_usage` says that the client asked for token counts."""

    def __init__(self, *, created: int, wants_usage: bool) -> None:
        self.finished = False
        self.failed = False
        self.error: str | None = None
        self._created = created
        self._wants_usage = wants_usage
        self._splitter = EventSplitter()
        self._head = b""  # of every chunk, up to its choices; empty before `message_start`
        self._delta_head = b""
        self._tail = b',"usage":null}\n\n' if wants_usage else b"}\n\n"
        self._delta_tail = b',"logprobs":null,"finish_reason":null}]' + self._tail
        self._open: dict[int, OpenBlock] = {}  # by the provider's index
        self._thoughts = 0
        self._calls = 0
        self._characters = 0
        self._annotations = Annotations()
        self._usage: dict[str, Any] = {}
        self._ended = False  # a stop reason was given

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes of the body; return whole events for the client."""
        return self._translate(self._splitter.feed(chunk))

    def finish(self) -> list[bytes]:
        """Take the end of the body; return what its last event says."""
        return self._translate(self._splitter.finish())

    def _translate(self, events: list[Event]) -> list[bytes]:
        out: list[bytes] = []
        for event in events:
            if self.finished or self.failed:
                break
            try:
                self._take(event, out)
            except RecursionError:  # JSON that can be read but is too deep to be written
                self._fail_unreadable(event, out)
        return out

    def _take(self, event: Event, out: list[bytes]) -> None:
        value = _read(event)
        if value is None:
            if event.oversize or event.data.strip() != _THE_END:
                self._fail_unreadable(event, out)
            return
        kind = value.get("type")
        if kind == "content_block_delta":
            self._take_delta(value, out)
        elif kind == "ping":
            out.append(_PING)
        elif kind == "error" or (kind is None and "error" in value):
            self._fail(value, out, otherwise="the provider reported an error without a message")
        elif kind == "message_start":
            self._start(value.get("message"), out)
        elif self._head:  # before the message has begun there is nothing to add to
            self._take_structure(kind, value, out)

    def _take_structure(self, kind: Any, value: dict[str, Any], out: list[bytes]) -> None:
        """Take the events of which there are few; kinds that are newer than this file add nothing."""
        if kind == "content_block_start":
            self._start_block(value, out)
        elif kind == "content_block_stop":
            self._stop_block(value.get("index"), out)
        elif kind == "message_delta":
            self._take_message_delta(value, out)
        elif kind == "message_stop":
            self._stop(out)

    def _start(self, message: Any, out: list[bytes]) -> None:
        if self._head or not isinstance(message, dict):
            return
        fields = {
            "id": message.get("id"),
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": message.get("model"),
        }
        self._head = b"data: " + write_json(fields)[:-1] + b',"choices":['
        self._delta_head = self._head + b'{"index":0,"delta":'
        self._merge_usage(message.get("usage"))
        self._say({"role": "assistant", "content": ""}, out)

    def _say(self, delta: Delta | None, out: list[bytes]) -> None:
        if delta is not None:
            out.append(self._delta_head + write_json(delta) + self._delta_tail)

    # --- blocks

    def _start_block(self, value: dict[str, Any], out: list[bytes]) -> None:
        index = value.get("index")
        self._stop_block(index, out)
        content = value.get("content_block")
        kind = content.get("type") if isinstance(content, dict) else None
        position = 0
        if kind in ("thinking", "redacted_thinking"):
            position, self._thoughts = self._thoughts, self._thoughts + 1
        elif kind == "tool_use":
            position, self._calls = self._calls, self._calls + 1
        block = begin_block(content, kind=kind, position=position)
        if isinstance(index, int):
            self._open[index] = block
        self._say(block.start(), out)

    def _take_delta(self, value: dict[str, Any], out: list[bytes]) -> None:
        index, delta = value.get("index"), value.get("delta")
        block = self._open.get(index) if isinstance(index, int) else None
        if block is not None and isinstance(delta, dict):
            self._say(block.take(delta), out)

    def _stop_block(self, index: Any, out: list[bytes]) -> None:
        """Let an open block say its last; each is stopped once."""
        block = self._open.pop(index, None) if isinstance(index, int) else None
        if block is not None:
            self._say(block.stop(), out)
            start, self._characters = self._characters, self._characters + block.characters
            self._annotations.add(block.citations, start=start, end=self._characters)

    # --- the end

    def _take_message_delta(self, value: dict[str, Any], out: list[bytes]) -> None:
        self._merge_usage(value.get("usage"))
        delta = value.get("delta")
        if not isinstance(delta, dict) or self._ended:
            return
        reason = finish_reason(delta.get("stop_reason"))
        if reason is None:
            return
        self._ended = True
        for index in list(self._open):
            self._stop_block(index, out)
        if self._annotations:
            self._say({"annotations": self._annotations}, out)
        refusal = refusal_text(delta.get("stop_details"))
        if refusal is not None:
            self._say({"refusal": refusal}, out)
        choice = {"index": 0, "delta": {}, "logprobs": None, "finish_reason": reason}
        out.append(self._head + write_json(choice) + b"]" + self._tail)

    def _merge_usage(self, usage: Any) -> None:
        """Take counts: they are totals so far, and what is not there stays as it was."""
        if isinstance(usage, dict):
            self._usage |= {key: value for key, value in usage.items() if value is not None}

    def _stop(self, out: list[bytes]) -> None:
        usage = translate_usage(self._usage) if self._wants_usage else None
        if usage is not None:
            out.append(self._head + b'],"usage":' + write_json(usage) + b"}\n\n")
        out.append(_DONE)
        self.finished = True

    # --- faults

    def _fail(self, upstream: Any, out: list[bytes], *, otherwise: str) -> None:
        fault = error_object(upstream, kind="api_error", otherwise=otherwise)
        self.failed = True
        self.error = fault["error"]["message"]
        out.append(b"data: " + write_json(fault) + b"\n\n")

    def _fail_unreadable(self, event: Event, out: list[bytes]) -> None:
        what = "an event that is too large" if event.oversize else "an event that is no JSON object"
        error = {"type": "bad_upstream_response", "message": f"the provider sent {what}"}
        self._fail({"type": "error", "error": error}, out, otherwise="")


def _read(event: Event) -> dict[str, Any] | None:
    """Read an event; None when it is no JSON object."""
    try:
        value = orjson.loads(event.data)
    except orjson.JSONDecodeError:  # a lone surrogate, or no JSON
        try:
            value = json.loads(event.data.decode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None
