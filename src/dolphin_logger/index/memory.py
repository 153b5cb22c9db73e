"""Memory: what stitching remembers, kept in the index (the `Nodes` of the package conversation).

Hashes are kept by their first 8 bytes, records by their numbers. It knows how to keep, not what is
remembered. Invariant: what was put is found at once; `flush` writes it, within the caller's transaction.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Sequence

import orjson

from dolphin_logger.conversation import LATEST, Placed, Placement, Relation
from dolphin_logger.index.absence import Absence
from dolphin_logger.index.ids import number_of, pack, unpack

_HEAD = struct.Struct("<16sIqIBBBB")
_COMPLETE, _SUMMARY = 1, 2
_LONGEST = (1 << 32) - 1  # microseconds that a turn may have lasted: more than an hour
_MOST_HELD = 100_000  # marks and records that are held in memory between two writes


class Memory:
    """A store of what stitching remembers."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._marks: dict[int, list[int | str]] = {}
        self._changed: set[int] = set()
        self._placed: dict[str, Placed | None] = {}
        self._numbers: dict[str, int] = {}
        self._records: dict[int, str] = {}
        row = connection.execute("SELECT 1 FROM mark LIMIT 1").fetchone()
        self._absent = Absence(from_nothing=row is None)

    def begin(self, record: str, number: int) -> None:
        """Take note of the number that a record will have."""
        self._numbers[record] = number
        self._records[number] = record

    def number(self, record: str) -> int | None:
        """Give the number of a record, if it is at hand."""
        return self._numbers.get(record)

    def find(self, mark: bytes) -> Sequence[str]:
        """Give the values of a mark, the one put last at the end."""
        values = self._load(number_of(mark))
        return [value if isinstance(value, str) else self._name(value) for value in values]

    def put(self, mark: bytes, value: str) -> None:
        """Put a value last under a mark."""
        key = number_of(mark)
        short: int | str = self._numbers.get(value, value)
        values = self._load(key)
        if values and values[-1] == short:
            return
        self._marks[key] = [*[one for one in values if one != short][1 - LATEST :], short]
        self._changed.add(key)
        self._absent.add(key)

    def placed(self, record: str) -> Placed | None:
        """Give what is remembered of a record."""
        if record not in self._placed:
            self._placed[record] = self._read_placed(record)
        return self._placed[record]

    def keep(self, placed: Placed) -> None:
        """Remember a record, until `facts_of` is asked for it."""
        self._placed[placed.record] = placed

    def alias(self, conversation: str) -> str | None:
        """Give the id that took the place of this one."""
        select = "SELECT new FROM alias WHERE old=?"
        row = self._connection.execute(select, (pack(conversation),)).fetchone()
        return None if row is None else unpack(row[0])

    def rename(self, conversation: str, new: str) -> None:
        """Let another id take the place of this one."""
        pair = (pack(conversation), pack(new))
        self._connection.execute("INSERT OR REPLACE INTO alias VALUES(?, ?)", pair)

    def facts_of(self, record: str) -> bytes | None:
        """Give what has to be written into the row of a record."""
        placed = self._placed.get(record)
        return None if placed is None else _pack(placed)

    def flush(self) -> None:
        """Write the marks that changed."""
        rows = [(key, _short(self._marks[key])) for key in sorted(self._changed)]
        self._connection.executemany("INSERT OR REPLACE INTO mark VALUES(?, ?)", rows)
        self._changed.clear()
        if len(self._marks) > _MOST_HELD:
            self._marks.clear()
        if len(self._placed) > _MOST_HELD:
            self._placed.clear()
            self._numbers.clear()
            self._records.clear()

    def _load(self, key: int) -> list[int | str]:
        values = self._marks.get(key)
        if values is None and self._absent.is_sure(key):
            return []
        if values is None:
            row = self._connection.execute("SELECT found FROM mark WHERE key=?", (key,)).fetchone()
            found = b"[]" if row is None else row[0]
            values = [found] if isinstance(found, int) else orjson.loads(found)
            self._marks[key] = values
        return values

    def _name(self, number: int) -> str:
        known = self._records.get(number)
        if known is None:
            select = "SELECT uuid FROM record WHERE id=?"
            row = self._connection.execute(select, (number,)).fetchone()
            known = "" if row is None else unpack(row[0])
            if known:
                self.begin(known, number)
        return known

    def _read_placed(self, record: str) -> Placed | None:
        select = """
          SELECT r.stitch, r.time, s.name, r.relation, c.uuid, p.uuid, m.value, r.id FROM record r
          JOIN conversation c ON c.id = r.conversation JOIN segment s ON s.id = r.segment
          LEFT JOIN record p ON p.id = r.parent LEFT JOIN name m ON m.id = r.model WHERE r.uuid=?"""
        row = self._connection.execute(select, (pack(record),)).fetchone()
        if row is None:
            return None
        facts, time, writer, relation, conversation, parent, model, number = row
        self.begin(record, number)
        parent_id = None if parent is None else unpack(parent)
        placement = Placement(record, unpack(conversation), parent_id, Relation(relation))
        return _unpack(facts, placement, time=time, writer=writer, model=model or "")


def _short(values: list[int | str]) -> int | bytes:
    if len(values) == 1 and isinstance(values[0], int):
        return values[0]
    return orjson.dumps(values)


def _pack(placed: Placed) -> bytes:
    session = b"" if placed.session is None else placed.session.encode("utf-8", "replace")
    said = b"".join(placed.said)
    lengths = (len(placed.said), len(placed.system), len(placed.tools))
    lasted = min(max(0, placed.ended - placed.time), _LONGEST)
    flags = placed.complete * _COMPLETE + placed.summary * _SUMMARY
    head = _HEAD.pack(placed.tip, placed.depth, placed.seq, lasted, flags, *lengths)
    return head + said + placed.system + placed.tools + session


def _unpack(facts: bytes, placement: Placement, *, time: int, writer: str, model: str) -> Placed:
    tip, depth, seq, lasted, flags, count, *lengths = _HEAD.unpack_from(facts)
    at = _HEAD.size
    said = [facts[at + 8 * i : at + 8 * i + 8] for i in range(count)]
    at += 8 * count
    system = facts[at : at + lengths[0]]
    at += lengths[0]
    tools = facts[at : at + lengths[1]]
    session = facts[at + lengths[1] :].decode()
    return Placed(
        placement=placement,
        time=time,
        ended=time + lasted,
        writer=writer,
        seq=seq,
        session=session or None,
        tip=tip.rstrip(b"\x00") if not tip.strip(b"\x00") else tip,
        depth=depth,
        said=tuple(said),
        model=model,
        system=system,
        tools=tools,
        complete=bool(flags & _COMPLETE),
        summary=bool(flags & _SUMMARY),
    )
