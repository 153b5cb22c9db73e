"""A streamed message, re-assembled into the answer that a plain request would have got.

It knows the events (`message_start` to `message_stop`, `ping`, `error`); what a delta does to a
block is the business of `_anthropic_block`. Most events only lengthen one text: they are recognised
by their shape alone.
Invariant: never raises on provider input; what it cannot place makes the answer inexact.

Source: https://platform.claude.com/docs/en/build-with-claude/streaming and the SDK's accumulator.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

import orjson

from dolphin_logger.dialects._anthropic_block import Block
from dolphin_logger.dialects._api import Answer
from dolphin_logger.dialects._growth import is_empty, keep_last
from dolphin_logger.dialects._reading import error_text, read
from dolphin_logger.sse import Event, EventSplitter

# What `message_delta` replaces when it is there and not null.
_REPLACED: Final = frozenset(("container", "stop_details"))
_REPLACED_BESIDE: Final = ("context_management", "input_transformations")
_STOP: Final = frozenset(("stop_reason", "stop_sequence"))
# What a message is when its beginning is missing.
_BARE: Final[Mapping[str, Any]] = MappingProxyType({"type": "message", "role": "assistant"})


class MessageDecoder:
    """Implements `StreamDecoder` for `anthropic.messages`."""

    def __init__(self) -> None:
        self.finished = False
        self._splitter = EventSplitter()
        self._message: dict[str, Any] | None = None
        self._blocks: list[Block] = []
        self._indexed: dict[int, Block] = {}  # every block under its latest index
        self._open: dict[int, Block] = {}  # those that have not stopped
        self._extras: dict[str, Any] = {}  # errors, and keys that have no rule
        self._exact = True
        self._error: str | None = None

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        for event in self._splitter.feed(chunk):
            self._take(event)

    def answer(self) -> Answer:
        """Say what has been received."""
        if not self.finished:  # behind the end there may be half an event: it says nothing
            for event in self._splitter.finish():
                self._take(event)
        response = self._build()
        reason = response.get("stop_reason") if response else None
        return Answer(
            response=response,
            exact=self._exact and all(block.exact for block in self._blocks),
            error=self._error,
            terminated=self.finished or not is_empty(reason),
        )

    def _take(self, event: Event) -> None:
        try:
            value = orjson.loads(event.data)
        except orjson.JSONDecodeError:
            value = None
        if value.__class__ is not dict or not self._take_piece(value):
            self._take_unusual(event)

    def _take_piece(self, value: dict[str, Any]) -> bool:
        """Take an event that says nothing but one more piece of text; otherwise say False."""
        if self.finished or len(value) != 3 or value.get("type") != "content_block_delta":
            return False
        index, delta = value.get("index"), value.get("delta")
        if index.__class__ is not int or delta.__class__ is not dict or len(delta) != 2:
            return False
        block = self._open.get(index)
        kind = delta.get("type")
        if block is None or kind.__class__ is not str or kind not in block.pieces:
            return False
        key, pieces = block.pieces[kind]
        piece = delta.get(key)
        if piece.__class__ is not str:
            return False
        pieces.append(piece)
        return True

    def _take_unusual(self, event: Event) -> None:
        data = event.data
        if not data or data.strip() == b"[DONE]":  # imitators end with OpenAI's mark
            self._exact &= not event.oversize
            return
        reading = read(data)
        self._exact &= reading.exact
        value = reading.value
        if not isinstance(value, dict):
            self._exact = False
            if event.event == "error":
                self._take_error({"error": {"message": data.decode("utf-8", "replace")}})
            return
        kind = value.get("type", event.event)
        if event.event == "error" or kind == "error" or (kind == "message" and "error" in value):
            self._take_error(value)
        elif kind == "ping":
            self._keep_extras(value, known=("type",))
        elif self.finished:
            self._exact = False
        else:
            self._take_named(kind, value)

    def _take_named(self, kind: object, event: dict[str, Any]) -> None:
        if kind == "message_start":
            self._start_message(event)
        elif kind == "content_block_start":
            self._start_block(event)
        elif kind == "content_block_delta":
            self._grow_block(event)
        elif kind == "content_block_stop":
            self._stop_block(event)
        elif kind == "message_delta":
            self._change_message(event)
        elif kind == "message_stop":
            self._keep_extras(event, known=("type",))
            self.finished = True
        else:
            self._exact = False  # the raw bytes keep what a later API may send

    def _start_message(self, event: dict[str, Any]) -> None:
        message = event.get("message")
        self._keep_extras(event, known=("type", "message"))
        if not isinstance(message, dict) or self._message is not None:
            self._exact = False
            for key, value in (message if isinstance(message, dict) else {}).items():
                if key != "content":
                    keep_last(self._extras, key, value)
            return
        self._message = message
        content = message.get("content")
        if not is_empty(content):
            for block in content if isinstance(content, list) else [content]:
                self._begin(block, index=len(self._blocks))

    def _start_block(self, event: dict[str, Any]) -> None:
        self._keep_extras(event, known=("type", "index", "content_block"))
        index = event.get("index")
        position = len(self._blocks)
        self._exact &= self._message is not None and index == position
        self._begin(event.get("content_block"), index=index if type(index) is int else position)

    def _begin(self, start: Any, *, index: int) -> None:
        if not isinstance(start, dict):
            self._exact = False
            start = {} if start is None else {"type": "text", "text": start}
        block = Block(start)
        self._blocks.append(block)
        self._indexed[index] = self._open[index] = block
        to = start.get("to")
        if start.get("type") == "fallback" and isinstance(to, dict) and self._message is not None:
            self._message["model"] = to.get("model", self._message.get("model"))

    def _grow_block(self, event: dict[str, Any]) -> None:
        self._keep_extras(event, known=("type", "index", "delta"))
        delta, index = event.get("delta"), event.get("index")
        if not isinstance(delta, dict):
            self._exact = False
            return
        block = self._open.get(index) if type(index) is int else None
        if block is None:
            self._exact = False
            block = self._find(index)
        if block is None:
            block = Block.guess(delta)
            self._blocks.append(block)
            if type(index) is int:
                self._indexed[index] = block
        block.merge(delta)

    def _find(self, index: object) -> Block | None:
        """Find the block of a delta that comes after its stop, or without an index."""
        if type(index) is int:
            return self._indexed.get(index)
        return self._blocks[-1] if self._blocks else None

    def _stop_block(self, event: dict[str, Any]) -> None:
        self._keep_extras(event, known=("type", "index"))
        index = event.get("index")
        stopped = self._open.pop(index, None) if type(index) is int else None
        self._exact &= stopped is not None

    def _change_message(self, event: dict[str, Any]) -> None:
        self._exact &= self._message is not None
        message = self._message = dict(_BARE) if self._message is None else self._message
        delta, usage = event.get("delta"), event.get("usage")
        self._exact &= isinstance(delta, dict | None) and isinstance(usage, dict | None)
        for key, value in (delta if isinstance(delta, dict) else {}).items():
            if key not in _REPLACED:
                self._exact &= keep_last(message, key, value) and key in _STOP
            elif value is not None or key not in message:
                message[key] = value
        for key in _REPLACED_BESIDE:
            if event.get(key) is not None:
                message[key] = event[key]
        self._keep_extras(event, known=("type", "delta", "usage", *_REPLACED_BESIDE))
        if isinstance(usage, dict):
            self._count(usage)

    def _count(self, usage: dict[str, Any]) -> None:
        """Take cumulative counts: they overwrite, and what is absent keeps its value."""
        assert self._message is not None
        known = self._message.get("usage")
        if not isinstance(known, dict):
            self._message["usage"] = known = {}
        for key, value in usage.items():
            if value is not None or key not in known:
                known[key] = value

    def _take_error(self, event: dict[str, Any]) -> None:
        error = event.get("error", event)
        self._exact &= keep_last(self._extras, "error", error)
        if "error" in event:
            for key, value in event.items():
                if key not in ("type", "error"):
                    self._exact &= keep_last(self._extras, key, value)
        if self._error is None:
            self._error = error_text(error)

    def _keep_extras(self, event: dict[str, Any], *, known: tuple[str, ...]) -> None:
        """Keep what an event says beside what it is known to say."""
        for key, value in event.items():
            if key not in known:
                keep_last(self._extras, key, value)
                self._exact = False

    def _build(self) -> dict[str, Any] | None:
        """Put the answer together; an error without any message stays an error alone."""
        if self._message is None and not self._blocks:
            if self._error is None:
                return self._extras or None
            return {"type": "error", **self._extras}
        message = {**(_BARE if self._message is None else self._message), **self._extras}
        message["content"] = [block.result() for block in self._blocks]
        return message
