"""The word Label: what a person or a rule says of a record, or of one message of it.

Pure: it knows neither files nor clocks. Labels are added and never changed; what holds now is what
`Labels` makes of all of them.
Invariants: the order in which labels arrive does not matter, only (time, file, offset) does; an
`undo` takes back exactly the label that it names, also when that is itself an `undo`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dolphin_logger.errors import LabelError

KINDS = ("rating", "tag", "note", "edit", "keep", "drop", "prefer", "redact", "undo")
_LONGEST_TAG = 64


@dataclass(frozen=True, slots=True)
class Label:
    """One label as it lies in its file.

    Attributes:
        id: its own id, for `undo`.
        time: UTC, RFC 3339 with microseconds.
        by: who said so: `user`, `rule:<name>`, a name in team mode.
        record: id of the record that it is about.
        message: index of a message in the list that the client sent, its answer next; None is all.
        value: what `check` demands of the kind.
        place: its file's name and the offset there, which decide between equal times.
    """

    id: str
    time: str
    by: str
    record: str
    kind: str
    value: Any = None
    message: int | None = None
    place: tuple[str, int] = ("", 0)

    def to_json(self) -> dict[str, Any]:
        """Write the fields of its line."""
        target: dict[str, Any] = {"record": self.record}
        if self.message is not None:
            target["message"] = self.message
        fields = {"id": self.id, "time": self.time, "by": self.by, "target": target}
        return {**fields, "kind": self.kind, "value": self.value}


@dataclass(frozen=True, slots=True)
class Marks:
    """What holds of one target now; None and empty mean that nobody has said anything."""

    rating: int | None = None
    verdict: str | None = None  # keep or drop, whichever was said last
    tags: tuple[str, ...] = ()
    note: str | None = None
    edit: Mapping[str, Any] | None = None
    preferred_over: tuple[str, ...] = ()
    redactions: tuple[Mapping[str, Any], ...] = ()


def read_label(fields: Mapping[str, Any], *, place: tuple[str, int]) -> Label:
    """Turn the fields of a line into a label.

    Raises:
        LabelError: they are not those of a label.
    """
    target = fields.get("target")
    if not isinstance(target, dict):
        raise LabelError("not a label: it has no target")
    texts = [fields.get("id"), fields.get("time"), fields.get("by"), target.get("record")]
    if not all(isinstance(text, str) and text for text in texts):
        raise LabelError("not a label: id, time, by or target.record is no text")
    kind, value, message = fields.get("kind"), fields.get("value"), target.get("message")
    check(kind, value, message=message)
    label_id, time, by, record = map(str, texts)
    return Label(label_id, time, by, record, str(kind), value, message, place)


def check(kind: object, value: Any, *, message: object) -> None:
    """Say whether a kind, its value and its message fit together.

    rating: 1 to 5. tag: {"add": [...], "remove": [...]}, either may be missing. note: text, an empty
    one ends it. edit, of a message: {"text": ...} or {"parts": [...]}. keep, drop: null.
    prefer: {"over": id}. redact: {"text": ...}, or of a message {"start": ..., "end": ...} in
    characters. undo: the id of a label.

    Raises:
        LabelError: they do not.
    """
    if kind not in KINDS:
        raise LabelError(f"unknown kind of label {kind!r}; known: {', '.join(KINDS)}")
    if message is not None and not _is_count(message):
        raise LabelError(f"message {message!r}: expected its index, 0 or more")
    _CHECKS[str(kind)](value, message)


class Labels:
    """The labels of a home, and what holds now."""

    def __init__(self) -> None:
        self._of: dict[str, list[Label]] = defaultdict(list)

    def add(self, label: Label) -> None:
        """Take a label; labels may come in any order."""
        self._of[label.record].append(label)

    def records(self) -> Iterator[str]:
        """Give the ids of the records of which something holds."""
        return (record for record in list(self._of) if self.in_force(record))

    def find(self, suffix: str) -> list[Label]:
        """Give the labels whose id ends so."""
        every = (label for labels in self._of.values() for label in labels)
        return [label for label in every if label.id.endswith(suffix)]

    def in_force(self, record: str) -> list[Label]:
        """Give the labels of a record that are not taken back, oldest first, without the undos."""
        void: set[str] = set()
        kept: list[Label] = []
        ordered = sorted(self._of.get(record, ()), key=lambda label: (label.time, *label.place))
        undos = [label for label in ordered if label.kind == "undo"]
        for undo in reversed(undos):
            if undo.id not in void:
                void.add(undo.value)
        kept = [label for label in ordered if label.kind != "undo" and label.id not in void]
        return list({label.id: label for label in kept}.values())

    def marks(self, record: str, *, message: int | None = None) -> Marks:
        """Give what holds of a record as a whole, or of one message of it."""
        last: dict[str, Any] = {}
        tags: dict[str, None] = {}
        over: dict[str, None] = {}
        redactions: list[Mapping[str, Any]] = []
        for label in self.in_force(record):
            if label.message != message:
                continue
            if label.kind == "tag":
                for tag in label.value.get("remove", ()):
                    tags.pop(tag, None)
                tags |= dict.fromkeys(label.value.get("add", ()))
            elif label.kind == "prefer":
                over[label.value["over"]] = None
            elif label.kind == "redact":
                redactions.append(label.value)
            elif label.kind in ("keep", "drop"):
                last["verdict"] = label.kind
            else:
                last[label.kind] = label.value or None
        return Marks(
            **last, tags=tuple(tags), preferred_over=tuple(over), redactions=tuple(redactions)
        )


def _check_rating(value: Any, _message: object) -> None:
    if type(value) is not int or not 1 <= value <= 5:
        raise LabelError(f"rating {value!r}: expected a whole number from 1 (bad) to 5 (good)")


def _check_tags(value: Any, _message: object) -> None:
    if not isinstance(value, dict) or not value or set(value) - {"add", "remove"}:
        raise LabelError(f"tags {value!r}: expected some to add or to remove")
    for tags in value.values():
        for tag in tags if isinstance(tags, list) else [None]:
            if not _is_tag(tag):
                cure = f"1 to {_LONGEST_TAG} characters, no spaces, not beginning with + or -"
                raise LabelError(f"tag {tag!r}: expected {cure}")


def _is_tag(tag: object) -> bool:
    if not isinstance(tag, str) or not 1 <= len(tag) <= _LONGEST_TAG:
        return False
    return tag.isprintable() and not any(map(str.isspace, tag)) and tag[0] not in "+-"


def _check_note(value: Any, _message: object) -> None:
    if not isinstance(value, str):
        raise LabelError(f"note {value!r}: expected text")


def _check_edit(value: Any, message: object) -> None:
    if message is None:
        raise LabelError("an edit needs the index of the message that it changes")
    if not isinstance(value, dict) or len(value) != 1:
        raise LabelError("an edit is either a text or a list of parts")
    if not isinstance(value.get("text"), str) and not isinstance(value.get("parts"), list):
        raise LabelError("an edit is either a text or a list of parts")


def _check_nothing(value: Any, _message: object) -> None:
    if value is not None:
        raise LabelError(f"keep and drop have no value, got {value!r}")


def _check_prefer(value: Any, _message: object) -> None:
    over = value.get("over") if isinstance(value, dict) else None
    if not isinstance(over, str) or not over or set(value) != {"over"}:
        raise LabelError("prefer needs the id of the record that is less good")


def _check_redact(value: Any, message: object) -> None:
    keys = set(value) if isinstance(value, dict) else set()
    if keys == {"text"} and isinstance(value["text"], str) and value["text"]:
        return
    if keys != {"start", "end"} or not _is_count(value["start"]) or not _is_count(value["end"]):
        raise LabelError("redact needs a text, or start and end in characters of one message")
    if message is None:
        raise LabelError("redact with start and end needs the index of the message")
    if value["start"] >= value["end"]:
        raise LabelError(
            f"redact from {value['start']} to {value['end']}: there is nothing between"
        )


def _check_undo(value: Any, _message: object) -> None:
    if not isinstance(value, str) or not value:
        raise LabelError("undo needs the id of a label")


def _is_count(value: object) -> bool:
    return type(value) is int and value >= 0


_CHECKS = {
    "rating": _check_rating,
    "tag": _check_tags,
    "note": _check_note,
    "edit": _check_edit,
    "keep": _check_nothing,
    "drop": _check_nothing,
    "prefer": _check_prefer,
    "redact": _check_redact,
    "undo": _check_undo,
}
