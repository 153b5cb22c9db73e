"""Parts: what each part of a message is called, and the text that it holds.

It knows the words (`messages.py`) and no markup; Markdown and HTML are made of it. Invariant: bytes
are never in it, only their kind and size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from dolphin_logger.cli.blocks import bytes_note, pretty, seal_note, url_note
from dolphin_logger.messages import (
    File,
    Image,
    Message,
    Other,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)

Kind = Literal["text", "refusal", "reasoning", "call", "result", "error", "other"]
_NAMES: Final = {"call": "tool call", "result": "tool result", "error": "tool error"}


@dataclass(frozen=True, slots=True)
class Piece:
    """A part ready to be set: its kind, what it is called besides, its text, and whether that is JSON."""

    kind: Kind
    name: str
    text: str
    is_json: bool = False

    @property
    def title(self) -> str:
        """What stands above it."""
        kind = _NAMES.get(self.kind, self.kind)
        return f"{kind} {self.name}".strip() if self.kind != "other" else self.name


def pieces_of(message: Message, calls: Mapping[str, ToolCall]) -> Iterator[Piece]:
    """Give the parts of a message in order."""
    for part in message.parts:
        yield _piece(part, calls)


def _piece(part: Part, calls: Mapping[str, ToolCall]) -> Piece:
    match part:
        case Text():
            return Piece("text", "", part.text)
        case Refusal():
            return Piece("refusal", "", part.text)
        case Reasoning():
            seal = "" if part.signature is None else seal_note(part.signature)
            return Piece("reasoning", seal, part.text)
        case ToolCall():
            written = isinstance(part.arguments, str)
            text = part.arguments if isinstance(part.arguments, str) else pretty(part.arguments)
            return Piece("call", part.name, text, is_json=not written)
        case ToolResult():
            call = calls.get(part.call_id or "")
            name = part.name or (call.name if call else "")
            inner = [_piece(one, calls) for one in part.parts]
            text = "\n".join(one.text or f"[{one.title}]" for one in inner)
            return Piece("error" if part.is_error else "result", name, text)
        case Image() | File():
            return _attachment(part)
        case Other():
            text = part.value if isinstance(part.value, str) else pretty(part.value)
            return Piece("other", part.kind, text, is_json=not isinstance(part.value, str))


def _attachment(part: Image | File) -> Piece:
    named = part.name if isinstance(part, File) else None
    size = part.rest.get("bytes")
    said = [
        "image" if isinstance(part, Image) else "file",
        named,
        url_note(part.url) if part.url else None,
        bytes_note(part.data, part.media_type) if part.data else part.media_type,
        f"{size:,} bytes" if isinstance(size, int) else None,
    ]
    text = part.text if isinstance(part, File) and part.text else ""
    return Piece("other", " ".join(word for word in said if word), text)
