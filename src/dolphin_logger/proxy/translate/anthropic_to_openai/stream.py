"""A streamed chat completion, as the events of a streamed message, piece by piece.

It knows when a block begins and ends; the events themselves are written by `events`. Pieces leave at
once, but for blocks that are told while another is open: a client can follow only one, so they wait.
Invariants: indices are dense, a block is closed before the next opens, no piece comes after its close.

Source: https://platform.claude.com/docs/en/build-with-claude/streaming.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from dolphin_logger.proxy.translate.anthropic_to_openai.events import (
    MESSAGE_STOP,
    delta_head,
    write_delta,
    write_event,
    write_message_start,
)
from dolphin_logger.proxy.translate.anthropic_to_openai.faults import error_object
from dolphin_logger.proxy.translate.anthropic_to_openai.words import stop_reason, translate_usage
from dolphin_logger.proxy.translate.call_ids import encode_id
from dolphin_logger.proxy.translate.chat_names import names_back
from dolphin_logger.proxy.translate.json_text import read_object

_DELTAS: Final = {
    "text": (b"text_delta", b"text"),
    "thinking": (b"thinking_delta", b"thinking"),
    "tool_use": (b"input_json_delta", b"partial_json"),
}


class _Block:
    """One block of the answer; `head` is empty until it is open."""

    __slots__ = ("content", "head", "kind", "pieces", "said")

    def __init__(self, kind: str, content: dict[str, Any]) -> None:
        self.kind = kind
        self.content = content
        self.head = b""
        self.pieces: list[str] = []
        self.said = 0  # pieces that have left

    def may_close(self) -> bool:
        """Say whether nothing can follow: text goes on in a new block, arguments have an end."""
        if self.kind != "tool_use":
            return True
        text = "".join(self.pieces).rstrip()
        return text.endswith("}") and read_object(text.encode("utf-8", "surrogatepass")) is not None


class MessageWriter:
    """Implements `ChatListener`."""

    def __init__(self, request: Mapping[str, Any]) -> None:
        tools = request.get("tools")
        offered = (
            (tool for tool in tools if isinstance(tool, dict)) if isinstance(tools, list) else ()
        )
        self._names = names_back(tool.get("name") for tool in offered)
        self._blocks: list[_Block] = []  # the first is open, the others wait
        self._opened = 0
        self._calls: list[_Block] = []
        self._refused = False

    # --- ChatListener

    def begin(self, completion: dict[str, Any], out: list[bytes]) -> None:
        """Write who answers; clients tell messages apart by their id."""
        found, model = completion.get("id"), completion.get("model")
        known = translate_usage(_object(completion.get("usage")))
        usage = {"input_tokens": known.get("input_tokens", 0), "output_tokens": 0}
        out.append(
            write_message_start(
                id=found if isinstance(found, str) and found else f"msg_{uuid4().hex[:24]}",
                model=model if isinstance(model, str) else "",
                usage=usage,
            )
        )

    def text(self, piece: str, out: list[bytes]) -> None:
        """Write a piece of the answer."""
        self._say("text", piece, out)

    def reasoning(self, piece: str, out: list[bytes]) -> None:
        """Write a piece of a thought."""
        self._say("thinking", piece, out)

    def refusal(self, piece: str, out: list[bytes]) -> None:
        """Write a piece of a refusal: text, and the reason why the message stops."""
        self._refused = True
        self._say("text", piece, out)

    def call(self, position: int, *, id: str, name: str, out: list[bytes]) -> None:  # noqa: A002
        """Open the next tool call."""
        del position  # they come in order
        name = self._names.get(name, name)
        content = {"type": "tool_use", "id": encode_id(id), "name": name, "input": {}}
        self._calls.append(self._begin("tool_use", content, out))

    def arguments(self, position: int, piece: str, out: list[bytes]) -> None:
        """Write a piece of a call's arguments; after their end there is nothing but white space."""
        call = self._calls[position]
        call.pieces.append(piece)
        if self._blocks and call is self._blocks[0]:
            self._flush(call, out)
            self._advance(out)

    def annotations(self, found: list[Any], out: list[bytes]) -> None:
        """Leave citations to the record: the client's have seals that only Anthropic can give."""

    def end(self, reason: str | None, usage: dict[str, Any] | None, out: list[bytes]) -> None:
        """Write the rest of all blocks, why the message stops, and the counts."""
        while self._blocks:
            self._close(out)
        stop = stop_reason(reason, calls=len(self._calls), refused=self._refused)
        delta = {"stop_reason": stop, "stop_sequence": None}
        counts = {"output_tokens": 0, **translate_usage(usage)}
        out.append(write_event("message_delta", delta=delta, usage=counts))
        out.append(MESSAGE_STOP)

    def report(self, upstream: Any, *, otherwise: str) -> tuple[str, bytes]:
        """Write Anthropic's error as an event."""
        fault = error_object(upstream, status=None, otherwise=otherwise)
        return fault["error"]["message"], write_event("error", error=fault["error"])

    # --- blocks

    def _say(self, kind: str, piece: str, out: list[bytes]) -> None:
        """Lengthen the last block if it is of this kind, else begin one."""
        block = self._blocks[-1] if self._blocks else None
        if block is None or block.kind != kind:
            content = {"type": kind, kind: ""}
            if kind == "thinking":
                content["signature"] = ""  # nobody has sealed it
            block = self._begin(kind, content, out)
        if block.head:
            out.append(write_delta(block.head, piece))
        else:
            block.pieces.append(piece)

    def _begin(self, kind: str, content: dict[str, Any], out: list[bytes]) -> _Block:
        block = _Block(kind, content)
        self._blocks.append(block)
        if len(self._blocks) == 1:
            self._open(block, out)
        else:
            self._advance(out)
        return block

    def _advance(self, out: list[bytes]) -> None:
        """Close what can be closed while others wait."""
        while len(self._blocks) > 1 and self._blocks[0].may_close():
            self._close(out)

    def _close(self, out: list[bytes]) -> None:
        """Close the open block, and open the one that waits next."""
        del self._blocks[0]
        out.append(write_event("content_block_stop", index=self._opened - 1))
        if self._blocks:
            self._open(self._blocks[0], out)

    def _open(self, block: _Block, out: list[bytes]) -> None:
        index, self._opened = self._opened, self._opened + 1
        kind, key = _DELTAS[block.kind]
        block.head = delta_head(index, kind=kind, key=key)
        out.append(write_event("content_block_start", index=index, content_block=block.content))
        self._flush(block, out)

    def _flush(self, block: _Block, out: list[bytes]) -> None:
        """Write the pieces that have not left."""
        out += [write_delta(block.head, piece) for piece in block.pieces[block.said :]]
        block.said = len(block.pieces)


def _object(value: Any) -> dict[str, Any] | None:
    return value if isinstance(value, dict) else None
