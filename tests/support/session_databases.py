"""Databases in which other programs keep sessions: the tables that matter, words of our own."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path


def opencode(folder: Path) -> bytes:
    """A session with a call, and a sub-agent's, in the tables of 1.18."""
    tables = """
    CREATE TABLE session (id text PRIMARY KEY, parent_id text, title text);
    CREATE TABLE message (id text PRIMARY KEY, session_id text, time_created integer, data text);
    CREATE TABLE part (id text PRIMARY KEY, message_id text, session_id text, data text);
    """
    done = {"time": {"created": 1_700_000_000_000, "completed": 1_700_000_001_000}}
    answered = {"role": "assistant", "modelID": "m", "finish": "stop", **done}
    state = {"status": "completed", "input": {"path": "a"}, "output": "teal"}
    messages = [
        ("m1", "s1", {"role": "user"}, [{"type": "text", "text": "Read the notes."}]),
        (
            "m2",
            "s1",
            answered,
            [
                {"type": "step-start"},
                {"type": "text", "text": "I read."},
                {"type": "tool", "tool": "read", "callID": "c1", "state": state},
            ],
        ),
        ("m3", "s1", answered, [{"type": "text", "text": "Teal."}]),
        ("m4", "s2", {"role": "user"}, [{"type": "text", "text": "Count."}]),
        ("m5", "s2", answered, [{"type": "text", "text": "Four."}]),
    ]
    with _Database(folder / "opencode.db", tables) as database:
        database.executemany(
            "INSERT INTO session VALUES (?, ?, ?)", [("s1", None, "t"), ("s2", "s1", "t")]
        )
        for order, (name, session, info, parts) in enumerate(messages):
            row = (name, session, order, json.dumps(info))
            database.execute("INSERT INTO message VALUES (?, ?, ?, ?)", row)
            for number, part in enumerate(parts):
                row = (f"{name}p{number}", name, session, json.dumps(part))
                database.execute("INSERT INTO part VALUES (?, ?, ?, ?)", row)
    return (folder / "opencode.db").read_bytes()


def llm(folder: Path) -> bytes:
    """A conversation of the old tables and a thread of the new ones."""
    tables = """
    CREATE TABLE _llm_migrations (name TEXT PRIMARY KEY);
    CREATE TABLE responses (id TEXT PRIMARY KEY, model TEXT, prompt TEXT, system TEXT, response TEXT,
        conversation_id TEXT, datetime_utc TEXT);
    CREATE TABLE messages (hash TEXT PRIMARY KEY, parent_hash TEXT, role TEXT);
    CREATE TABLE parts (id INTEGER PRIMARY KEY, message_hash TEXT, position INTEGER, type TEXT,
        text TEXT, payload TEXT);
    CREATE TABLE fragments (id INTEGER PRIMARY KEY, content TEXT);
    CREATE TABLE turns (id TEXT PRIMARY KEY, thread_id TEXT, parent_message_hash TEXT,
        tip_message_hash TEXT, model TEXT, datetime_utc TEXT);
    INSERT INTO responses VALUES ('r1', 'm', 'Which?', 'Be brief.', 'Teal.', 'k1', '2026-03-04T05:06:07');
    INSERT INTO responses VALUES ('r2', 'm', 'Sure?', 'Be brief.', 'Sure.', 'k1', '2026-03-04T05:06:08');
    INSERT INTO fragments VALUES (7, 'the colour is teal');
    INSERT INTO messages VALUES ('h1', NULL, 'user'), ('h2', 'h1', 'assistant'), ('h3', 'h2', 'user'),
        ('h4', 'h3', 'assistant');
    INSERT INTO parts VALUES (1, 'h1', 0, 'text', NULL,
        '{"text_ref": [{"literal": "Given: "}, {"fragment": 7}]}');
    INSERT INTO parts VALUES (2, 'h2', 0, 'text', 'Noted.', NULL);
    INSERT INTO parts VALUES (3, 'h3', 0, 'text', 'Which?', NULL);
    INSERT INTO parts VALUES (4, 'h4', 0, 'text', 'It is teal.', NULL);
    INSERT INTO turns VALUES ('t1', 'k2', 'h1', 'h2', 'm', '2026-03-04T05:06:09+00:00');
    INSERT INTO turns VALUES ('t2', 'k2', 'h3', 'h4', 'm', '2026-03-04T05:06:10+00:00');
    """
    with _Database(folder / "logs.db", tables):
        pass
    return (folder / "logs.db").read_bytes()


class _Database:
    def __init__(self, path: Path, tables: str) -> None:
        self._database = sqlite3.connect(path)
        self._database.executescript(tables)

    def __enter__(self) -> sqlite3.Connection:
        return self._database

    def __exit__(self, *_: object) -> None:
        self._database.commit()
        self._database.close()
