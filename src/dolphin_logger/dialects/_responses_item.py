"""One output item of a streamed response, while it grows.

It knows how parts, previews and shell commands lie in an item, and no events.
Invariant: a part keeps its position; nothing that came is dropped before something complete comes.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from dolphin_logger.dialects._growth import Text, is_empty, settle


class Place(NamedTuple):
    """Where a text grows.

    Attributes:
        item: the `type` of its item.
        key: the key of the text.
        within: the item's list of parts that holds it; None when the item itself does.
        counter: the key of the event that counts the parts.
        part: the `type` of the part.
    """

    item: str
    key: str
    within: str | None = None
    counter: str = ""
    part: str = ""


class Item:
    """One output item.

    Attributes:
        fields: what came whole, with texts that grow in their places.
        done: it came whole; nothing grows any more.
        exact: False when something had the wrong type.
        guessed: it rests on a guess (a beginning nobody sent, a preview), which matters only when
            nothing complete replaces it.
        preview: what stands in for the fields of an image that is not there yet.
    """

    __slots__ = ("_commands", "_parts", "done", "exact", "fields", "guessed", "preview")

    def __init__(self, fields: dict[str, Any], *, done: bool = False) -> None:
        self.fields = fields
        self.done = done
        self.exact = True
        self.guessed = False
        self.preview: dict[str, Any] = {}
        self._parts: dict[str, dict[int, Any]] = {}
        self._commands: dict[int, Any] | None = None

    @property
    def id(self) -> str | None:
        """The item's own id."""
        name = self.fields.get("id")
        return name if isinstance(name, str) else None

    def parts_at(self, key: str) -> dict[int, Any]:
        """Find the parts of a list that grows, or begin with those that are there already."""
        parts = self._parts.get(key)
        if parts is None:
            current = self.fields.get(key)
            self.exact &= is_empty(current) or isinstance(current, list)
            parts = dict(enumerate(current)) if isinstance(current, list) else {}
            self._parts[key] = parts
        return parts

    def part_at(self, key: str, position: int, *, kind: str) -> dict[str, Any]:
        """Find one part, or begin it."""
        parts = self.parts_at(key)
        part = parts.get(position)
        if not isinstance(part, dict):
            self.guessed = True
            self.exact &= part is None
            part = parts[position] = {"type": kind}
        return part

    def commands(self) -> dict[int, Any]:
        """Find the commands of a shell call; they stand in its `action`."""
        if self._commands is None:
            action = self.fields.get("action")
            known = action.get("commands") if isinstance(action, dict) else None
            self.exact &= is_empty(action) or isinstance(action, dict)
            self._commands = dict(enumerate(known)) if isinstance(known, list) else {}
        return self._commands

    def is_guessed(self) -> bool:
        """Say whether it rests on a guess, or lacks a part before one that it has."""
        grown = [*self._parts.values(), self._commands or {}]
        return self.guessed or any(sorted(parts) != list(range(len(parts))) for parts in grown)

    def received(self) -> dict[str, Any]:
        """Say what has been received, without previews."""
        fields: dict[str, Any] = settle(self.fields)
        for key, parts in self._parts.items():
            fields[key] = []
            for _, part in sorted(parts.items()):
                # what one shell command wrote may have come as several entries
                fields[key] += part if isinstance(part, list) else [settle(part)]
        if self._commands is not None:
            action = fields.get("action")
            commands = [settle(command) for _, command in sorted(self._commands.items())]
            fields["action"] = {
                **(action if isinstance(action, dict) else {}),
                "commands": commands,
            }
        return fields

    def result(self) -> dict[str, Any]:
        """Say what has been received, with a preview where the image itself is missing."""
        fields = self.received()
        return fields | {key: value for key, value in self.preview.items() if not fields.get(key)}


def find_text(holder: dict[str, Any], key: str) -> Text | None:
    """Find the text that grows at a key, or begin it; None when something else is there."""
    current = holder.get(key)
    if isinstance(current, Text):
        return current
    if current is not None and not isinstance(current, str):
        return None
    text = holder[key] = Text((current,) if current else ())
    return text
