"""A streamed message, as the chunks of a streamed chat completion, event by event.

It knows the events of both streams; nothing is held back but the seal of a thought (it may be sent
twice, and a client would double it) and citations (they go out at once).
Invariant: `[DONE]` follows `message_stop` and nothing else; the client's accumulator accepts it.

Sources: https://platform.claude.com/docs/en/build-with-claude/streaming,
https://platform.openai.com/docs/api-reference/chat-streaming.
"""

from __future__ import annotations

from typing import Any

from dolphin_logger.proxy.translate.chat_answer import Annotations
from dolphin_logger.proxy.translate.chat_chunks import PING, ChunkWriter
from dolphin_logger.proxy.translate.event_stream import EventStream
from dolphin_logger.proxy.translate.json_text import write_json
from dolphin_logger.proxy.translate.openai_to_anthropic.faults import error_object
from dolphin_logger.proxy.translate.openai_to_anthropic.open_block import (
    Delta,
    OpenBlock,
    begin_block,
)
from dolphin_logger.proxy.translate.openai_to_anthropic.words import (
    add_citations,
    finish_reason,
    refusal_text,
    translate_usage,
)


class MessageStream(EventStream):
    """Reads the events of one message, writes chunks."""

    def __init__(self, request: dict[str, Any], *, created: int) -> None:
        super().__init__()
        self._chunks = ChunkWriter(request, created=created)
        self._open: dict[int, OpenBlock] = {}  # by the provider's index
        self._thoughts = 0
        self._calls = 0
        self._characters = 0
        self._annotations = Annotations()
        self._usage: dict[str, Any] = {}
        self._ended = False  # a stop reason was given

    def take(self, value: dict[str, Any], out: list[bytes]) -> None:
        """Take one event."""
        kind = value.get("type")
        if kind == "content_block_delta":
            self._take_delta(value, out)
        elif kind == "ping":
            out.append(PING)
        elif kind == "error" or (kind is None and "error" in value):
            self.fail(value, out)
        elif kind == "message_start":
            self._start(value.get("message"), out)
        elif kind == "message" and not self._chunks.begun:
            self._take_whole(value, out)
        elif self._chunks.begun:  # before the message has begun there is nothing to add to
            self._take_structure(kind, value, out)

    def report(self, upstream: Any, *, otherwise: str) -> tuple[str, bytes]:
        """Write OpenAI's error as an event."""
        fault = error_object(upstream, kind="api_error", otherwise=otherwise)
        return fault["error"]["message"], b"data: " + write_json(fault) + b"\n\n"

    def _take_structure(self, kind: Any, value: dict[str, Any], out: list[bytes]) -> None:
        """Take the events of which there are few; kinds that are newer than this file add nothing."""
        if kind == "content_block_start":
            self._start_block(value, out)
        elif kind == "content_block_stop":
            self._stop_block(value.get("index"), out)
        elif kind == "message_delta":
            self._take_message_delta(value, out)
        elif kind == "message_stop":
            out += self._chunks.end(translate_usage(self._usage))
            self.finished = True

    def _start(self, message: Any, out: list[bytes]) -> None:
        if self._chunks.begun or not isinstance(message, dict):
            return
        out.append(self._chunks.begin(id=message.get("id"), model=message.get("model")))
        self._merge_usage(message.get("usage"))

    def _take_whole(self, message: dict[str, Any], out: list[bytes]) -> None:
        """Take a message that was not streamed, as the events that it would have been."""
        self._start(message, out)
        blocks = message.get("content")
        for index, block in enumerate(blocks if isinstance(blocks, list) else ()):
            self._start_block({"index": index, "content_block": block}, out)
            self._stop_block(index, out)
        self._take_message_delta({"delta": message}, out)
        self._take_structure("message_stop", {}, out)

    def _say(self, delta: Delta | None, out: list[bytes]) -> None:
        if delta is not None:
            out.append(self._chunks.delta(delta))

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
            add_citations(self._annotations, block.citations, start=start, end=self._characters)

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
        out.append(self._chunks.finish(reason))

    def _merge_usage(self, usage: Any) -> None:
        """Take counts: they are totals so far, and what is not there stays as it was."""
        if isinstance(usage, dict):
            self._usage |= {key: value for key, value in usage.items() if value is not None}
