"""The output of a streamed response: its items, `output_index` by `output_index`.

It knows which event lengthens which text of which item, and that a later event may bring the same
part, or the whole item, once more and complete. It does not know the response around them.
Invariant: a piece that came is in the result until something complete replaces it; where the two
contradict each other the complete one stays, and `exact` turns False.

Source: https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.dialects._growth import Text, is_empty, settle
from dolphin_logger.dialects._responses_item import Item, Place, find_text

# Another one each time it is sent, and no contradiction: the state of the work, reasoning that is
# encrypted anew, ids that gateways make up.
_CHANGING: Final = frozenset(("id", "status", "encrypted_content"))
# OpenAI sends these once, and not again with what is complete, though a plain answer has them.
_NOT_REPEATED: Final = frozenset(("logprobs", "annotations"))
_ROUNDED: Final = 1e-6  # how exactly it repeats a log-probability
_PREVIEW: Final = ("background", "output_format", "quality", "size")
_STREAMS: Final = frozenset(("stdout", "stderr"))


class Output:
    """All output items of one response.

    Attributes:
        resumed: the stream began in the middle: texts may be the ends of longer ones.
    """

    def __init__(self) -> None:
        self.resumed = False
        self._exact = True
        self._guessed = False
        self._items: dict[int, Item] = {}
        self._by_id: dict[str, int] = {}

    def __bool__(self) -> bool:
        return bool(self._items)

    # --- events

    def begin(self, event: dict[str, Any]) -> None:
        """Take `output_item.added`; one without an item says nothing."""
        fields = event.get("item")
        if not isinstance(fields, dict):
            self._exact &= fields is None
            return
        index = self._index_of(event, fields=fields)
        if index in self._items:  # begun twice: what has grown since stays
            self._exact = False
        else:
            self._set(index, Item(fields))

    def complete(self, event: dict[str, Any]) -> None:
        """Take `output_item.done`: the whole item replaces what has grown."""
        fields = event.get("item")
        if not isinstance(fields, dict):
            self._exact = False
            return
        index = self._index_of(event, fields=fields)
        item = self._items.get(index)
        if item is not None:
            self._exact &= item.exact
            fields = self._choose(fields, grown=item.received())
        self._set(index, Item(fields, done=True))

    def take_part(self, event: dict[str, Any], *, place: Place) -> None:
        """Take a part, empty or complete: it replaces what has grown."""
        item, part = self._find_open(event, kind=place.item), event.get("part")
        if not isinstance(part, dict) or place.within is None:
            self._exact = False
            return
        parts, position = item.parts_at(place.within), self._position(event, place.counter)
        parts[position] = self._choose(part, grown=settle(parts.get(position)))

    def lengthen(self, event: dict[str, Any], *, place: Place) -> Text | None:
        """Take one more piece of a text; return the text, None when there is none."""
        delta, holder = event.get("delta"), self._holder(event, place=place)
        text = find_text(holder, place.key)
        if text is None or not isinstance(delta, str):
            self._exact = False
            return None
        text.append(delta)
        self._take_logprobs(holder, event.get("logprobs"))
        return text

    def complete_text(self, event: dict[str, Any], *, place: Place) -> None:
        """Take a whole text: it replaces what has grown."""
        whole, holder = event.get(place.key), self._holder(event, place=place)
        if not isinstance(whole, str):
            self._exact = False
            return
        holder[place.key] = self._choose(whole, grown=settle(holder.get(place.key)))
        if is_empty(holder.get("logprobs")):
            self._take_logprobs(holder, event.get("logprobs"))

    def annotate(self, event: dict[str, Any]) -> None:
        """Take one annotation of a text."""
        item = self._find_open(event, kind="message")
        position = self._position(event, "content_index")
        part = item.part_at("content", position, kind="output_text")
        notes = part.get("annotations")
        if not isinstance(notes, list):
            self._exact &= notes is None
            notes = part["annotations"] = []
        number, note = event.get("annotation_index"), event.get("annotation")
        if type(number) is int and 0 <= number < len(notes):
            self._exact &= bool(notes[number] == note)
            notes[number] = note
        else:
            item.guessed |= number != len(notes)
            notes.append(note)

    def note_status(self, event: dict[str, Any], *, kind: str, status: str) -> None:
        """Take the state of the work on an item, where items of this kind have one."""
        item = self._find(event, kind=kind)
        if "status" in item.fields and not item.done:
            item.fields["status"] = status

    def take_preview(self, event: dict[str, Any]) -> None:
        """Take a partial image: of several the last one counts, and none once there is a result."""
        item = self._find_open(event, kind="image_generation_call")
        item.preview = {key: event[key] for key in _PREVIEW if key in event}
        item.preview["result"] = event.get("partial_image_b64")
        item.guessed = True

    def take_command(self, event: dict[str, Any], *, key: str) -> None:
        """Take a shell command: `delta` lengthens it, `command` is all of it."""
        commands = self._find_open(event, kind="shell_call").commands()
        position, value = self._position(event, "command_index"), event.get(key)
        current = commands.get(position)
        if not isinstance(value, str):
            self._exact = False
        elif key == "command":
            commands[position] = self._choose(value, grown=settle(current))
        else:
            if not isinstance(current, Text):
                self._exact &= isinstance(current, str | None)
                current = commands[position] = Text((current,) if isinstance(current, str) else ())
            current.append(value)

    def lengthen_output(self, event: dict[str, Any]) -> None:
        """Take more of what a shell command wrote."""
        item, delta = self._find_open(event, kind="shell_call_output"), event.get("delta")
        part = item.parts_at("output").setdefault(self._position(event, "command_index"), {})
        if not isinstance(delta, dict) or not isinstance(part, dict):
            self._exact = False
            return
        for key, value in delta.items():
            text = find_text(part, key) if isinstance(value, str) else None
            if text is not None and isinstance(value, str):
                text.append(value)
            self._exact &= key in _STREAMS and (value is None or text is not None)

    def complete_output(self, event: dict[str, Any]) -> None:
        """Take all that a shell command wrote."""
        item, whole = self._find_open(event, kind="shell_call_output"), event.get("output")
        parts, position = item.parts_at("output"), self._position(event, "command_index")
        if not isinstance(whole, list):
            self._exact = False
            return
        current = settle(parts.get(position))
        grown = current if isinstance(current, list) else [] if current is None else [current]
        parts[position] = self._choose(whole, grown=grown)

    # --- the end

    def results(self, *, known: list[Any]) -> list[Any]:
        """List the items in order; what only an earlier snapshot of the response knew stays."""
        items = dict(enumerate(known))
        items |= {index: item.result() for index, item in self._items.items()}
        return [item for _, item in sorted(items.items())]

    def is_guessed(self) -> bool:
        """Say whether the results rest on a guess."""
        return self._guessed or any(item.is_guessed() for item in self._items.values())

    def is_exact(self) -> bool:
        """Say whether nothing contradicted itself."""
        return self._exact and all(item.exact for item in self._items.values())

    def complete_all(self, output: list[Any]) -> list[Any]:
        """Take the output of the terminal event: it is the answer, as far as it says something."""
        kinds = [entry.get("type") if isinstance(entry, dict) else None for entry in output]
        named = {
            name: number
            for number, entry in enumerate(output)
            if isinstance(entry, dict) and isinstance(name := entry.get("id"), str)
        }
        answer = [*output]
        for index, item in self._items.items():
            number = named.get(item.id or "", index)
            if 0 <= number < len(output) and kinds[number] == item.fields.get("type"):
                answer[number] = self._choose(answer[number], grown=item.received())
            else:
                self._exact = False
        return answer

    # --- finding

    def _set(self, index: int, item: Item) -> None:
        self._items[index] = item
        if item.id:
            self._by_id[item.id] = index

    def _index_of(self, event: dict[str, Any], *, fields: dict[str, Any]) -> int:
        """Choose the index of an item; gateways that number all items alike keep them apart by id."""
        index, name = event.get("output_index"), fields.get("id")
        if isinstance(name, str) and name in self._by_id:
            return self._by_id[name]
        free: int = max(self._items, default=-1) + 1
        if type(index) is not int:
            self._guessed = True
            return free
        item = self._items.get(index)
        if item is None or (not item.done and item.fields.get("type") == fields.get("type")):
            return index
        self._exact = False
        return free

    def _find(self, event: dict[str, Any], *, kind: str) -> Item:
        """Find the item of an event; begin one whose beginning was not sent."""
        index, name = event.get("output_index"), event.get("item_id")
        item = self._items.get(index) if type(index) is int else None
        if isinstance(name, str) and name in self._by_id and (item is None or item.id != name):
            item = self._items[self._by_id[name]]
        if item is not None:
            self._guessed |= type(index) is not int
            return item
        fields: dict[str, Any] = {"id": name, "type": kind}
        if kind == "message":
            fields["role"] = "assistant"
        if kind != "reasoning":
            fields["status"] = "in_progress"
        item = Item(fields)
        item.guessed = True
        self._set(self._index_of(event, fields=fields), item)
        return item

    def _find_open(self, event: dict[str, Any], *, kind: str) -> Item:
        """Find the item that an event lengthens; one that was complete is contradicted."""
        item = self._find(event, kind=kind)
        self._exact &= not item.done
        return item

    def _holder(self, event: dict[str, Any], *, place: Place) -> dict[str, Any]:
        item = self._find_open(event, kind=place.item)
        if place.within is None:
            return item.fields
        return item.part_at(place.within, self._position(event, place.counter), kind=place.part)

    def _position(self, event: dict[str, Any], key: str) -> int:
        position = event.get(key)
        if type(position) is int:
            return position
        self._guessed = True
        return 0

    def _take_logprobs(self, holder: dict[str, Any], logprobs: Any) -> None:
        if is_empty(logprobs):
            return
        current = holder.get("logprobs")
        if current is None:
            current = holder["logprobs"] = []
        if isinstance(logprobs, list) and isinstance(current, list):
            current += logprobs
        else:
            self._exact = False

    def _choose(self, whole: Any, *, grown: Any, key: str = "") -> Any:
        """Choose what came whole, completed by what has grown where it says nothing."""
        if is_empty(grown) or whole == grown or (key in _CHANGING and not is_empty(whole)):
            return whole
        if is_empty(whole):
            if key == "status":
                return whole
            self._exact &= key in _CHANGING or key in _NOT_REPEATED
            return grown
        if isinstance(whole, dict) and isinstance(grown, dict):
            chosen = {
                name: self._choose(whole.get(name), grown=part, key=name)
                for name, part in grown.items()
            }
            return whole | {
                name: part for name, part in chosen.items() if name in whole or part is not None
            }
        if isinstance(whole, list) and isinstance(grown, list):
            self._exact &= len(grown) <= len(whole)
            # of a stream that began in the middle only the last entries have come
            start = max(len(whole) - len(grown), 0) if self.resumed else 0
            parts = [*whole]
            for place, (one, other) in enumerate(zip(whole[start:], grown, strict=False), start):
                parts[place] = self._choose(one, grown=other)
            return parts
        if isinstance(whole, float) and isinstance(grown, float):
            self._exact &= key == "logprob" and abs(whole - grown) <= _ROUNDED
        else:
            is_end = self.resumed and isinstance(whole, str) and isinstance(grown, str)
            self._exact &= is_end and grown in whole
        return whole
