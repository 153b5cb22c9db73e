"""One output item of a response while it grows: a thought, a message; calls are in `calls`.

Each kind knows its own events and no order among items. Invariants: the item that is done, and the one
in the terminal event, say what the deltas said; ids, names and call ids never change.

Source: https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from dolphin_logger.proxy.translate.responses_to_openai.envelope import Envelope
from dolphin_logger.proxy.translate.responses_to_openai.thoughts import seal

Fields = dict[str, Any]


class OutputItem(ABC):
    """One item; `open` and `close` are called once, in this order."""

    def __init__(self, fields: Fields, *, position: int, envelope: Envelope) -> None:
        self.is_open = True
        self._fields = fields
        self._events = envelope
        self._position = position
        self._place: Fields = {"item_id": fields["id"], "output_index": position}

    def open(self, out: list[bytes]) -> None:
        """Announce the item."""
        out.append(self._write_item("added"))

    def close(self, out: list[bytes], *, cut_off: bool = False) -> None:
        """Say that the item is done, or was cut off."""
        self.is_open = False
        self._end(out, cut_off=cut_off)
        if "status" in self._fields:
            self._fields["status"] = "incomplete" if cut_off else "completed"
        out.append(self._write_item("done"))

    def snapshot(self) -> Fields:
        """Give the item as it is now: one that is still open is incomplete."""
        fields = self._fields
        if not self.is_open:
            return fields
        status = {"status": "incomplete"} if "status" in fields else {}
        return {**fields, **self._so_far(), **status}

    @abstractmethod
    def _end(self, out: list[bytes], *, cut_off: bool) -> None:
        """Close what is open inside, and write it into the fields."""

    @abstractmethod
    def _so_far(self) -> Fields:
        """Give the fields that grow, as they are now."""

    def _write_item(self, verb: str) -> bytes:
        fields = {"output_index": self._position, "item": self._fields}
        return self._events.write(f"response.output_item.{verb}", fields)


class Thought(OutputItem):
    """A thought: as a summary for clients that ask for one, else as the text of the thought itself."""

    def __init__(
        self, *, position: int, envelope: Envelope, as_summary: bool, sealed: bool
    ) -> None:
        fields: Fields = {
            "id": envelope.item_id("rs", position=position),
            "type": "reasoning",
            "summary": [],
        }
        if not as_summary:
            fields["content"] = []
        if sealed:
            fields["encrypted_content"] = None
        super().__init__(fields, position=position, envelope=envelope)
        self._list = "summary" if as_summary else "content"
        self._kind = "summary_text" if as_summary else "reasoning_text"
        self._part = "reasoning_summary_part" if as_summary else "content_part"
        self._text = f"response.{'reasoning_summary_text' if as_summary else 'reasoning_text'}"
        self._place[f"{self._list}_index"] = 0
        self._pieces: list[str] = []

    def open(self, out: list[bytes]) -> None:
        """Announce the thought and its only part."""
        super().open(out)
        out.append(self._write_part("added", ""))

    def say(self, piece: str, out: list[bytes]) -> None:
        """Take a piece."""
        self._pieces.append(piece)
        out.append(self._events.write(f"{self._text}.delta", {**self._place, "delta": piece}))

    def _end(self, out: list[bytes], *, cut_off: bool) -> None:
        del cut_off
        text = "".join(self._pieces)
        out.append(self._events.write(f"{self._text}.done", {**self._place, "text": text}))
        out.append(self._write_part("done", text))
        self._fields |= self._so_far()

    def _so_far(self) -> Fields:
        text = "".join(self._pieces)
        fields: Fields = {self._list: [{"type": self._kind, "text": text}]}
        if "encrypted_content" in self._fields:
            fields["encrypted_content"] = seal(text)
        return fields

    def _write_part(self, verb: str, text: str) -> bytes:
        fields = {**self._place, "part": {"type": self._kind, "text": text}}
        return self._events.write(f"response.{self._part}.{verb}", fields)


class Message(OutputItem):
    """What the model says, and refuses."""

    def __init__(self, *, position: int, envelope: Envelope) -> None:
        fields: Fields = {
            "id": envelope.item_id("msg", position=position),
            "type": "message",
            "status": "in_progress",
            "role": "assistant",
            "content": [],
        }
        super().__init__(fields, position=position, envelope=envelope)
        self._done: list[Fields] = []
        self._part: Fields | None = None  # the open one
        self._pieces: list[str] = []
        self._delta: Fields = {}

    def say(self, piece: str, out: list[bytes]) -> None:
        """Take a piece of text."""
        self._open_part("text", out)
        self._pieces.append(piece)
        out.append(
            self._events.write("response.output_text.delta", {**self._delta, "delta": piece})
        )

    def refuse(self, piece: str, out: list[bytes]) -> None:
        """Take a piece of a refusal."""
        self._open_part("refusal", out)
        self._pieces.append(piece)
        out.append(self._events.write("response.refusal.delta", {**self._delta, "delta": piece}))

    def annotate(self, annotation: Fields, out: list[bytes]) -> None:
        """Take a citation of the text."""
        part = self._open_part("text", out)
        number = len(part["annotations"])
        part["annotations"].append(annotation)
        place = {**self._place, "content_index": len(self._done)}
        fields = {**place, "annotation_index": number, "annotation": annotation}
        out.append(self._events.write("response.output_text.annotation.added", fields))

    def _open_part(self, key: str, out: list[bytes]) -> Fields:
        """Give the open part with this text, or open it."""
        if self._part is not None and key in self._part:
            return self._part
        self._close_part(out)
        part: Fields = {"type": "refusal", "refusal": ""}
        self._delta = {**self._place, "content_index": len(self._done)}
        if key == "text":
            part = {"type": "output_text", "text": "", "annotations": [], "logprobs": []}
            self._delta["logprobs"] = []
        place = {**self._place, "content_index": len(self._done)}
        out.append(self._events.write("response.content_part.added", {**place, "part": part}))
        self._part = part
        return part

    def _close_part(self, out: list[bytes]) -> None:
        if self._part is None:
            return
        place = {**self._place, "content_index": len(self._done)}
        part = self._grown_part(self._part)
        if part["type"] == "refusal":
            whole = {**place, "refusal": part["refusal"]}
            out.append(self._events.write("response.refusal.done", whole))
        else:
            whole = {**place, "text": part["text"], "logprobs": []}
            out.append(self._events.write("response.output_text.done", whole))
        out.append(self._events.write("response.content_part.done", {**place, "part": part}))
        self._done.append(part)
        self._part = None
        self._pieces = []

    def _grown_part(self, part: Fields) -> Fields:
        key = "refusal" if part["type"] == "refusal" else "text"
        return {**part, key: "".join(self._pieces)}

    def _end(self, out: list[bytes], *, cut_off: bool) -> None:
        del cut_off
        self._close_part(out)
        self._fields["content"] = self._done

    def _so_far(self) -> Fields:
        growing = [] if self._part is None else [self._grown_part(self._part)]
        return {"content": [*self._done, *growing]}
