"""Indexed homes for tests: sessions of agents as records, and all rows of an index without its own numbers."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from dolphin_logger.exchange import Client, Exchange, new_id
from dolphin_logger.index.contents import Codec
from dolphin_logger.index.freshness import catch_up
from dolphin_logger.index.ids import unpack
from dolphin_logger.index.schema import index_path, open_to_read
from dolphin_logger.journal.format import encode
from dolphin_logger.journal.home import Home
from dolphin_logger.messages import Usage
from tests.support.homes import NOW


def turn(
    number: int, messages: list[dict[str, Any]], answer: dict[str, Any], **fields: Any
) -> tuple[str, bytes]:
    """Encode one record of chat completions; give its id and its line."""
    moment = NOW + number * 10**9
    exchange = Exchange(
        id=fields.pop("id", new_id(moment)),
        time_ns=moment,
        dialect="openai.chat",
        path="/v1/chat/completions",
        model=fields.pop("model", "claude"),
        provider="anthropic",
        provider_model="claude-3-7-sonnet-latest",
        status=200,
        client=Client(name=fields.pop("client", "agent"), session=fields.pop("session", None)),
        usage=fields.pop("usage", Usage(1000, 100)),
        request=json.dumps({"messages": messages}).encode(),
        response=json.dumps({"choices": [{"index": 0, "message": answer}]}).encode(),
        total_ms=5.0,
        **fields,
    )
    return exchange.id, encode(exchange, seq=number)


def session(
    name: str, *, turns: int, start: int = 0, word: str = ""
) -> Iterator[tuple[str, bytes]]:
    """Give the records of an agent that sends its whole history with every turn."""
    history: list[dict[str, Any]] = [
        {"role": "system", "content": "You are an agent."},
        {"role": "user", "content": f"Do the task {name} {word}."},
    ]
    for number in range(turns):
        call = {"name": "Bash", "arguments": json.dumps({"command": f"run {name} {number}"})}
        answer = {
            "role": "assistant",
            "content": f"Step {number} of {name}.",
            "tool_calls": [{"id": f"c{number}", "type": "function", "function": call}],
        }
        yield turn(start + number, history, answer, session=name)
        result = {"role": "tool", "tool_call_id": f"c{number}", "content": f"output {name}{number}"}
        history = [*history, answer, result]


@contextlib.contextmanager
def opened(home: Home) -> Iterator[sqlite3.Connection]:
    """Catch up as far as there is anything, and open the index."""
    while catch_up(home, seconds=60).behind_bytes:
        pass
    with contextlib.closing(open_to_read(index_path(home))) as connection:
        yield connection


def rows(home: Home) -> dict[str, Any]:
    """Give everything that an index says, in words that do not depend on the order of its making."""
    with contextlib.closing(open_to_read(index_path(home))) as connection:
        return {
            "records": sorted(_records(connection), key=str),
            "conversations": sorted(_conversations(connection), key=str),
            "days": sorted(_days(connection), key=str),
            "messages": sorted(_messages(connection).values(), key=str),
            "words": _words(connection),
            "segments": sorted(
                connection.execute("SELECT name, max(read, seen), bad, unfinished FROM segment")
            ),
            "marks": sorted(connection.execute("SELECT * FROM marked")),
        }


def _messages(connection: sqlite3.Connection) -> dict[int, Any]:
    codec = Codec(dict(connection.execute("SELECT id, bytes FROM dictionary ORDER BY rowid")))
    found = connection.execute("SELECT id, body FROM message").fetchall()
    return {number: codec.unpack(body) for number, body in found}


def _records(connection: sqlite3.Connection) -> Iterator[Any]:
    messages = _messages(connection)
    select = """SELECT r.uuid, s.name, r.offset, r.length, r.time, c.uuid, p.uuid, r.relation, r.setting, r.history,
      r.answers, m.value, r.status, r.input, r.output, r.cost, r.flags FROM record r
      JOIN segment s ON s.id = r.segment LEFT JOIN conversation c ON c.id = r.conversation
      LEFT JOIN record p ON p.id = r.parent LEFT JOIN name m ON m.id = r.model"""
    for row in connection.execute(select).fetchall():
        paths = [_path(connection, messages, node) for node in (*row[8:10], *json.loads(row[10]))]
        yield [unpack(row[0]), *row[1:5], row[5], row[6], row[7], paths, *row[11:]]


def _path(connection: sqlite3.Connection, messages: dict[int, Any], node: int | None) -> list[Any]:
    path = []
    while row := connection.execute(
        "SELECT parent, message FROM node WHERE id=?", (node,)
    ).fetchone():
        node, message = row
        path.append(messages[message])
    return path[::-1]


def _conversations(connection: sqlite3.Connection) -> Iterator[Any]:
    select = """SELECT uuid, session, title, first, last, turns, input, output, cost, unpriced, rating, verdict, tags, names
      FROM conversation"""
    for *facts, names in connection.execute(select).fetchall():
        yield [*facts, _named(connection, names)]


def _days(connection: sqlite3.Connection) -> Iterator[Any]:
    for day, *rest in connection.execute("SELECT * FROM rollup_day").fetchall():
        yield [day, _named(connection, ",".join(map(str, rest[:4]))), *rest[4:]]


def _named(connection: sqlite3.Connection, numbers: str) -> list[Any]:
    found = [int(number) for number in numbers.split(",") if number]
    select = "SELECT kind, value FROM name WHERE id=?"
    return sorted(str(connection.execute(select, (number,)).fetchone()) for number in found)


def _words(connection: sqlite3.Connection) -> list[Any]:
    """Give each word of the full-text index with the number of its messages; names by what they are."""
    connection.execute(
        "PRAGMA query_only=0"
    )  # for the temporary table alone; the file stays read-only
    connection.execute("CREATE VIRTUAL TABLE temp.words USING fts5vocab('main', 'fts', 'col')")
    found = []
    for word, column, documents, count in connection.execute("SELECT * FROM temp.words"):
        name = str(_named(connection, word[1:])) if column == "names" else word
        found.append((name, column, documents, count))
    return sorted(found)
