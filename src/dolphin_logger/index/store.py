"""The store: one record after the other into the tables, each with all that follows from it.

It knows rows and one reading at a time; transactions, files and order are its caller's business.
Invariant: a record is in the index once, and with it its messages, nodes, place and counts.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Any, Final

import orjson

from dolphin_logger.conversation import Placement, Relation, Stitcher, Turn
from dolphin_logger.exchange import Outcome
from dolphin_logger.index.contents import content_of, facets_of
from dolphin_logger.index.facts import (
    APPROXIMATE,
    DAY,
    IMPORTED,
    REPLAY,
    Days,
    join_numbers,
    refresh_conversations,
    split_numbers,
)
from dolphin_logger.index.ids import number_of, pack
from dolphin_logger.index.memory import Memory
from dolphin_logger.index.messages import Messages, Origin, path_of
from dolphin_logger.index.names import Names, clean
from dolphin_logger.index.prices import cost_of
from dolphin_logger.index.reading import Reading, read
from dolphin_logger.index.recent import Recent
from dolphin_logger.journal.reader import StoredRecord
from dolphin_logger.messages import Usage

_LONGEST_TITLE: Final = 200
_SETTING: Final = 0  # the root of tools and instructions
_REPEATS: Final = (Relation.DUPLICATE, Relation.REGENERATE)
_TOKENS: Final = (
    "input_tokens",
    "output_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
)


class Store:
    """Puts records into the tables. For the writer; made anew after a transaction that failed."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection
        self.names = Names(connection)
        self.messages = Messages(connection, self.names)
        self._memory = Memory(connection)
        self._stitcher = Stitcher(self._memory)
        self.days = Days(connection)
        self._recent = Recent()
        self._touched: dict[int, set[int]] = {}
        self._settings: dict[tuple[bytes, bytes], tuple[int, list[int]]] = {}
        newest = connection.execute("SELECT max(id) FROM record").fetchone()[0]
        self._next = (newest or 0) + 1

    def add(self, record: StoredRecord, *, segment: int) -> bool:
        """Put in one record; False when it is there already."""
        uuid = pack(record.id)
        select = "SELECT 1 FROM record WHERE uuid=?"
        if self.connection.execute(select, (uuid,)).fetchone():
            return False
        reading = read(record, self._recent)
        number = self._next
        self._next += 1
        place = self._place(reading, number)
        conversation = None if place is None else self._conversation(place, reading)
        row = self._facts(record, reading)
        names = [row[kind] for kind in ("model", "provider_model", "client", "provider", "outcome")]
        origin = Origin(number, reading.turn.time // DAY, tuple(n for n in names if n is not None))
        parent = None if place is None or place.parent is None else self._number_of(place.parent)
        row |= {
            "id": number,
            "uuid": uuid,
            "segment": segment,
            "conversation": conversation,
            "parent": parent,
            "relation": None if place is None else place.relation.value,
            "stitch": self._memory.facts_of(record.id),
            **self._histories(reading, origin, place, conversation),
        }
        columns, holes = ", ".join(row), ", ".join("?" * len(row))
        insert = f"INSERT INTO record({columns}) VALUES({holes})"
        self.connection.execute(insert, tuple(row.values()))
        self.days.count(row, failed=_is_failed(record), sign=1)
        return True

    def flush(self) -> None:
        """Write what is held back; part of every transaction."""
        self._memory.flush()
        self.messages.flush()
        self.days.flush()
        for conversation, names in self._touched.items():
            select = "SELECT names FROM conversation WHERE id=?"
            row = self.connection.execute(select, (conversation,)).fetchone()
            if row is not None:
                joined = join_numbers(names | split_numbers(row[0]))
                update = "UPDATE conversation SET names=? WHERE id=?"
                self.connection.execute(update, (joined, conversation))
        refresh_conversations(self.connection, self._touched)
        self._touched.clear()

    def _place(self, reading: Reading, number: int) -> Placement | None:
        """Stitch a record; what has neither question nor answer (embeddings, images) is no turn."""
        turn = reading.turn
        self._memory.begin(turn.id, number)
        return self._stitcher.add(turn) if turn.messages or turn.answers else None

    def _conversation(self, place: Placement, reading: Reading) -> int:
        uuid = pack(place.conversation)
        select = "SELECT id FROM conversation WHERE uuid=?"
        row = self.connection.execute(select, (uuid,)).fetchone()
        aside = reading.turn.counting or place.relation is Relation.SIDE
        title = "" if aside else clean(reading.first_user_text()[:_LONGEST_TITLE])
        if row is None:
            insert = "INSERT INTO conversation(uuid, session, title, names) VALUES(?, ?, ?, '')"
            values = (uuid, reading.turn.session and clean(reading.turn.session), title)
            number = self.connection.execute(insert, values).lastrowid
            assert number is not None
        else:
            number = row[0]
            if title:
                update = "UPDATE conversation SET title=? WHERE id=? AND title=''"
                self.connection.execute(update, (title, number))
        for old in place.merged:
            self._merge(pack(old), number)
        self._touched.setdefault(number, set())
        return number

    def _merge(self, old: bytes, new: int) -> None:
        select = "SELECT id, names FROM conversation WHERE uuid=?"
        row = self.connection.execute(select, (old,)).fetchone()
        if row is None:
            return
        names = self._touched.pop(row[0], set())
        update = "UPDATE record SET conversation=? WHERE conversation=?"
        self.connection.execute(update, (new, row[0]))
        self.connection.execute("DELETE FROM conversation WHERE id=?", (row[0],))
        self._touched.setdefault(new, set()).update(names | split_numbers(row[1]))

    def _number_of(self, record: str) -> int | None:
        known = self._memory.number(record)
        if known is not None:
            return known
        select = "SELECT id FROM record WHERE uuid=?"
        row = self.connection.execute(select, (pack(record),)).fetchone()
        return None if row is None else int(row[0])

    def _facts(self, record: StoredRecord, reading: Reading) -> dict[str, Any]:
        fields = record.fields
        usage = _usage(fields)
        model, provider_model = _text(fields.get("model")), _text(fields.get("provider_model"))
        provider = _text(fields.get("provider"))
        imported = bool(fields.get("imported"))
        cost = None
        if not imported:
            sold = provider_model or model
            cost = cost_of(usage, provider=provider, model=sold, time=reading.turn.time)
        flags = APPROXIMATE * bool(fields.get("time_approximate")) + IMPORTED * imported
        flags += REPLAY * (reading.turn.replays is not None)
        client = fields.get("client")
        counts = (None,) * 5 if imported else _counts(usage)
        keys = ("input", "output", "cache_read", "cache_write", "reasoning")
        return {
            "offset": record.offset,
            "length": record.length,
            "time": reading.turn.time,
            "model": self.names.number("model", model or provider_model),
            "provider_model": self.names.number("model", provider_model),
            "client": self.names.number("client", _text(client.get("name")) if client else None),
            "provider": self.names.number("provider", provider),
            "outcome": self.names.number("outcome", str(fields.get("outcome"))),
            "status": _count(fields.get("status")),
            **dict(zip(keys, counts, strict=True)),
            "cost": cost,
            "total_ms": (fields.get("timing") or {}).get("total_ms"),
            "flags": flags,
        }

    def _histories(
        self, reading: Reading, origin: Origin, place: Placement | None, conversation: int | None
    ) -> dict[str, Any]:
        """Keep what was said, and give the nodes of setting, history and answers."""
        setting, in_setting = self._setting(reading, origin)
        turn = reading.turn
        root = self._root(turn)
        keys = [number_of(digest) for digest in turn.messages]
        path = path_of(root, keys)
        known = self.messages.known_depth(path)
        parents = [root, *path]
        shared: list[int] = []
        for depth, message in enumerate(reading.last_messages(len(keys) - known), known):
            content = content_of(message)
            shared += self._keep(keys[depth], content, origin, conversation)
            self._append(path[depth], parents[depth], keys[depth])
        answers = []
        for digest, message in zip(turn.answers, reading.answers(), strict=False):
            key, parent = number_of(digest), parents[turn.base]
            node = path_of(parent, [key])[0]
            shared += self._keep(key, content_of(message), origin, conversation)
            self._append(node, parent, key)
            answers.append(node)
        if place is not None and place.relation not in _REPEATS:
            begins = place.relation is Relation.START
            if begins or known == len(keys):
                shared += [n for key in keys if (n := self.messages.number(key)) is not None]
            shared += in_setting if begins else []
        self.messages.share(shared, origin.record)
        history = path[-1] if path else None
        return {"setting": setting, "history": history, "answers": orjson.dumps(answers).decode()}

    def _root(self, turn: Turn) -> int:
        """Give the node that a history hangs on: its thread's, or the answer that it says nothing of."""
        before = self._stitcher.before(turn)
        if before is None:
            return number_of(turn.thread)
        select = "SELECT answers, history FROM record WHERE uuid=?"
        row = self.connection.execute(select, (pack(before.record),)).fetchone()
        answers = [] if row is None else orjson.loads(row[0])
        return int(answers[0] if answers else (row and row[1]) or number_of(turn.thread))

    def _keep(
        self, key: int, content: Mapping[str, Any], origin: Origin, conversation: int | None
    ) -> list[int]:
        """Keep a message; give its number if it was known, to be noted as seen here too."""
        number, is_new = self.messages.put(key, content, origin)
        if conversation is not None:
            facets = [facet for facet in facets_of(content) if facet[0] != "role"]
            self._touched[conversation].update(self.names.numbers(facets))
        return [] if is_new else [number]

    def _append(self, node: int, parent: int, key: int) -> None:
        number = self.messages.number(key)
        assert number is not None
        self.messages.append(node, parent, number)

    def _setting(self, reading: Reading, origin: Origin) -> tuple[int | None, list[int]]:
        """Keep tools and instructions, which hardly change from turn to turn."""
        memory = (reading.turn.system, reading.turn.tools)
        if memory == (b"", b""):
            return None, []
        if memory not in self._settings:
            if len(self._settings) > 1000:
                self._settings.clear()
            node, numbers = _SETTING, []
            for digest, content in reading.setting():
                key = number_of(digest)
                number, _ = self.messages.put(key, content, origin)
                parent, node = node, path_of(node, [key])[0]
                self.messages.append(node, parent, number)
                numbers.append(number)
            self._settings[memory] = node, numbers
        return self._settings[memory]


def _is_failed(record: StoredRecord) -> bool:
    status = _count(record.fields.get("status"))
    return record.fields.get("outcome") != Outcome.COMPLETED or (status or 0) >= 400


def _usage(fields: Mapping[str, Any]) -> Usage:
    usage = fields.get("usage") or {}
    return Usage(*[_count(usage.get(name)) for name in _TOKENS])


def _counts(usage: Usage) -> Iterable[int | None]:
    return [getattr(usage, name) for name in _TOKENS]


def _count(value: Any) -> int | None:
    return value if type(value) is int and 0 <= value < 1 << 53 else None


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
