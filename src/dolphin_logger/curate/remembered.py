"""Remembered: what stitching keeps of every record, in columns (the `Nodes` of the package conversation).

Hashes are kept by their first 8 bytes, records by their numbers. It knows how to keep, not what is
remembered. Invariants: what was put is found at once; about 400 bytes a record, whatever it holds.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from typing import Final

from dolphin_logger.conversation import LATEST, Placed, Placement, Relation
from dolphin_logger.curate.columns import Ids, Names, Table, key_of

RELATIONS: Final = tuple(Relation)
NOBODY: Final = (1 << 32) - 1  # in the place of a record's number
_COMPLETE, _SUMMARY = 1, 2
_LONGEST: Final = (1 << 32) - 1  # microseconds that a turn may have lasted: more than an hour
_TEXT, _LIST = 1 << 30, 1 << 31  # a mark's value that is no record; several values
_TEXT_BYTES: Final = 17  # a hash and a sign
_LINES: Final = 3
_LINE_BYTES: Final = 8
_TIP_BYTES: Final = 16
_SYSTEM_BYTES: Final = 8
_MOST_HELD: Final = 4096  # records whose facts are at hand as an object


class Remembered:
    """A store of what stitching remembers, with the place of each record.

    Every record is taken with `begin` before it is placed; one that is never placed stands alone.
    """

    def __init__(self) -> None:
        self.ids = Ids()
        self.names: Names[str | bytes | None] = Names()
        self.conversations = array("I")
        self.parents = array("I")
        self.relations = array("B")
        self.tips = bytearray()
        self.depths = array("I")
        self._flags = array("B")
        self._times = array("q")
        self._lasted = array("I")
        self._writers = array("I")
        self._seqs = array("q")
        self._sessions = array("I")
        self._models = array("I")
        self._tools = array("I")
        self._systems = bytearray()
        self._said = bytearray()
        self._counts = array("B")  # of lines; lengths of tip and system
        self._marks = Table()
        self._lists: list[array[int]] = []
        self._texts = bytearray()
        self._aliases: dict[int, int] = {}
        self._held: dict[str, Placed] = {}

    def begin(self, record: str) -> int:
        """Take a record that is not there yet; give its number."""
        number = self.ids.add(record)
        self.conversations.append(number)
        self.parents.append(NOBODY)
        self.relations.append(RELATIONS.index(Relation.START))
        self.tips += bytes(_TIP_BYTES)
        self._systems += bytes(_SYSTEM_BYTES)
        self._said += bytes(_LINES * _LINE_BYTES)
        self._counts.extend((0, 0, 0))
        for column in (self.depths, self._flags, self._times, self._lasted, self._writers):
            column.append(0)
        for column in (self._seqs, self._sessions, self._models, self._tools):
            column.append(0)
        return number

    def conversation(self, number: int) -> int:
        """Give the number of the first record of a record's conversation, as it is known now."""
        found = self.conversations[number]
        while (new := self._aliases.get(found)) is not None:
            found = new
        self.conversations[number] = found
        return found

    def tip(self, number: int) -> bytes:
        """Give the hash of a record's history with its answer; empty for one that says nothing."""
        start = number * _TIP_BYTES
        return bytes(self.tips[start : start + self._counts[3 * number + 1]])

    def find(self, mark: bytes) -> Sequence[str]:
        """Give the values of a mark, the one put last at the end."""
        found = self._marks.get(key_of(mark))
        if found is None:
            return ()
        if found & _LIST:
            return [self._value(one) for one in self._lists[found ^ _LIST]]
        return (self._value(found),)

    def put(self, mark: bytes, value: str) -> None:
        """Put a value last under a mark."""
        key = key_of(mark)
        found = self._marks.get(key)
        if found is None:
            self._marks[key] = self._short(value, ())
            return
        if found & _LIST:
            values = self._lists[found ^ _LIST]
            short = self._short(value, values)
            if short in values:
                values.remove(short)
            values.append(short)
            del values[:-LATEST]
            return
        short = self._short(value, (found,))
        if short != found:
            self._marks[key] = _LIST | len(self._lists)
            self._lists.append(array("I", (found, short)))

    def placed(self, record: str) -> Placed | None:
        """Give what is remembered of a record."""
        held = self._held.get(record)
        if held is None:
            number = self.ids.number(record)
            if number is None or not self._flags[number] & ~(_COMPLETE | _SUMMARY):
                return None
            held = self._read(record, number)
            self._hold(held)
        return held

    def keep(self, placed: Placed) -> None:
        """Remember a record that has begun."""
        number = self.ids.number(placed.record)
        assert number is not None
        parent = placed.placement.parent
        conversation = self.ids.number(placed.placement.conversation)
        above = None if parent is None else self.ids.number(parent)
        self.conversations[number] = number if conversation is None else conversation
        self.parents[number] = NOBODY if above is None else above
        self.relations[number] = RELATIONS.index(placed.placement.relation)
        self._flags[number] = placed.complete * _COMPLETE + placed.summary * _SUMMARY + 4
        self._times[number] = placed.time
        self._lasted[number] = min(max(0, placed.ended - placed.time), _LONGEST)
        self._writers[number] = self.names.number(placed.writer)
        self._seqs[number] = placed.seq
        self._sessions[number] = self.names.number(placed.session)
        self._models[number] = self.names.number(placed.model)
        self._tools[number] = self.names.number(placed.tools)
        self.depths[number] = placed.depth
        said = placed.said[:_LINES]
        _write(self.tips, number * _TIP_BYTES, placed.tip)
        _write(self._systems, number * _SYSTEM_BYTES, placed.system)
        _write(self._said, number * _LINES * _LINE_BYTES, b"".join(said))
        lengths = (len(said), len(placed.tip), len(placed.system))
        self._counts[3 * number : 3 * number + 3] = array("B", lengths)
        self._hold(placed)

    def alias(self, conversation: str) -> str | None:
        """Give the id that took the place of this one."""
        number = self.ids.number(conversation)
        new = None if number is None else self._aliases.get(number)
        return None if new is None else self.ids[new]

    def rename(self, conversation: str, new: str) -> None:
        """Let another id take the place of this one."""
        old, now = self.ids.number(conversation), self.ids.number(new)
        assert old is not None
        assert now is not None
        self._aliases[old] = now

    def forget(self) -> None:
        """Let go of what only placing needs: all records are placed."""
        self._marks = Table()
        self._lists.clear()
        self._texts.clear()
        self._held.clear()

    def _hold(self, placed: Placed) -> None:
        if len(self._held) >= _MOST_HELD:
            for oldest in list(self._held)[: _MOST_HELD // 2]:
                del self._held[oldest]
        self._held[placed.record] = placed

    def _read(self, record: str, number: int) -> Placed:
        parent = self.parents[number]
        lines, tip, system = self._counts[3 * number : 3 * number + 3]
        start = number * _LINES * _LINE_BYTES
        said = [bytes(self._said[at : at + 8]) for at in range(start, start + 8 * lines, 8)]
        flags, time = self._flags[number], self._times[number]
        at = number * _SYSTEM_BYTES
        return Placed(
            placement=Placement(
                record,
                self.ids[self.conversations[number]],
                None if parent == NOBODY else self.ids[parent],
                RELATIONS[self.relations[number]],
            ),
            time=time,
            ended=time + self._lasted[number],
            writer=str(self.names[self._writers[number]]),
            seq=self._seqs[number],
            session=_text(self.names[self._sessions[number]]),
            tip=bytes(self.tips[number * _TIP_BYTES : number * _TIP_BYTES + tip]),
            depth=self.depths[number],
            said=tuple(said),
            model=str(self.names[self._models[number]]),
            system=bytes(self._systems[at : at + system]),
            tools=_bytes(self.names[self._tools[number]]),
            complete=bool(flags & _COMPLETE),
            summary=bool(flags & _SUMMARY),
        )

    def _short(self, value: str, known: Iterable[int]) -> int:
        """Give the number of a record; of a text the one that it has among some, else a new one."""
        number = self.ids.number(value)
        if number is not None:
            return number
        for one in known:
            if one & _TEXT and self._value(one) == value:
                return one
        self._texts += bytes.fromhex(value[:-1]).rjust(_TEXT_BYTES - 1, b"\x00")
        self._texts += value[-1].encode()
        return _TEXT | (len(self._texts) // _TEXT_BYTES - 1)

    def _value(self, short: int) -> str:
        if not short & _TEXT:
            return self.ids[short]
        start = (short ^ _TEXT) * _TEXT_BYTES
        *node, sign = self._texts[start : start + _TEXT_BYTES]
        return f"{bytes(node).hex() if any(node) else ''}{chr(sign)}"


def _write(column: bytearray, start: int, value: bytes) -> None:
    column[start : start + len(value)] = value


def _text(name: str | bytes | None) -> str | None:
    return name if isinstance(name, str) else None


def _bytes(name: str | bytes | None) -> bytes:
    return name if isinstance(name, bytes) else b""
