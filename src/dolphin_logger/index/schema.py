"""The schema of the index, and how its file is opened.

    cache/index.v1.sqlite      this version's index; another version has another name
    cache/index.lock           held by the one process that writes

It knows tables, not where their rows come from. A message, with its text, is there once however often
it was sent; a node is a message behind others, so that a history is one number.
Invariant: readers cannot write, and never wait for a writer.
"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Final

from dolphin_logger.errors import IndexingError
from dolphin_logger.journal.home import Home, make_private_folder

VERSION: Final = 1
_TABLES: Final = """
CREATE TABLE meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE segment(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, read INTEGER NOT NULL, seen INTEGER NOT NULL DEFAULT 0,
  bad INTEGER NOT NULL DEFAULT 0, unfinished INTEGER NOT NULL DEFAULT 0);
CREATE TABLE ledger(file TEXT PRIMARY KEY, read INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE name(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL, UNIQUE(kind, value));
CREATE TABLE dictionary(id INTEGER PRIMARY KEY, bytes BLOB NOT NULL);
CREATE TABLE message(
  id INTEGER PRIMARY KEY, key INTEGER NOT NULL, role INTEGER NOT NULL, record INTEGER NOT NULL,
  body BLOB NOT NULL);
CREATE UNIQUE INDEX message_key ON message(key);
CREATE INDEX message_record ON message(record);
CREATE TABLE also(message INTEGER, record INTEGER, PRIMARY KEY(message, record)) WITHOUT ROWID;
CREATE INDEX also_record ON also(record);
CREATE TABLE node(id INTEGER PRIMARY KEY, parent INTEGER NOT NULL, message INTEGER NOT NULL);
CREATE TABLE record(
  id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, segment INTEGER NOT NULL, offset INTEGER NOT NULL,
  length INTEGER NOT NULL, time INTEGER NOT NULL, conversation INTEGER, parent INTEGER, relation TEXT,
  setting INTEGER, history INTEGER, answers TEXT NOT NULL,
  model INTEGER, provider_model INTEGER, client INTEGER, provider INTEGER, outcome INTEGER, status INTEGER,
  input INTEGER, output INTEGER, cache_read INTEGER, cache_write INTEGER, reasoning INTEGER,
  cost INTEGER, total_ms REAL, flags INTEGER NOT NULL, stitch BLOB);
CREATE INDEX record_conversation ON record(conversation);
CREATE INDEX record_tail ON record(substr(uuid, -4));
CREATE TABLE conversation(
  id INTEGER PRIMARY KEY, uuid BLOB NOT NULL UNIQUE, session TEXT, title TEXT, first INTEGER, last INTEGER,
  turns INTEGER, input INTEGER, output INTEGER, cost INTEGER, unpriced INTEGER, names TEXT,
  rating INTEGER, verdict TEXT, tags TEXT);
CREATE INDEX conversation_last ON conversation(last, id);
CREATE TABLE alias(old BLOB PRIMARY KEY, new BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE mark(key INTEGER PRIMARY KEY, found NOT NULL);
CREATE TABLE label(
  id TEXT PRIMARY KEY, record BLOB NOT NULL, file TEXT NOT NULL, offset INTEGER NOT NULL,
  line TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX label_record ON label(record);
CREATE TABLE marked(
  record BLOB PRIMARY KEY, rating INTEGER, verdict TEXT, tags TEXT, note TEXT) WITHOUT ROWID;
CREATE TABLE rollup_day(
  day INTEGER, client INTEGER, model INTEGER, provider INTEGER, outcome INTEGER,
  requests INTEGER, errors INTEGER, cost INTEGER, unpriced INTEGER,
  input INTEGER, output INTEGER, cache_read INTEGER, cache_write INTEGER, reasoning INTEGER,
  input_unknown INTEGER, output_unknown INTEGER, cache_read_unknown INTEGER,
  cache_write_unknown INTEGER, reasoning_unknown INTEGER,
  PRIMARY KEY(day, client, model, provider, outcome)) WITHOUT ROWID;
CREATE TABLE span(day INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL);
CREATE VIRTUAL TABLE fts USING fts5(
  text, names, content='', columnsize=0, tokenize='unicode61 remove_diacritics 2');
"""
# columnsize=0: nothing is ranked, newest is first; the sizes would cost as much as the node table
_CACHE_KIB: Final = 64_000
_MAP_BYTES: Final = 1 << 30
_HASH_BYTES: Final = 16 << 20  # of postings that are gathered before they are written


def index_path(home: Home) -> Path:
    """Say where the index of this version lies."""
    return home.cache / f"index.v{VERSION}.sqlite"


def lock_path(home: Home) -> Path:
    """Say where the lock of its writer lies."""
    return home.cache / "index.lock"


def open_to_write(path: Path) -> sqlite3.Connection:
    """Open an index, and make it when there is none. The caller holds the lock.

    Raises:
        IndexingError: it cannot be opened, or is no index.
    """
    make_private_folder(path.parent)
    try:
        if not path.exists():
            path.touch(mode=0o600)
        connection = sqlite3.connect(path, isolation_level=None, timeout=5.0)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute(
            "PRAGMA secure_delete=ON"
        )  # what was removed for ever leaves no copy here
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        if not connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
            _create(connection)
    except (sqlite3.Error, OSError) as error:
        raise _translated(error, path) from error
    return connection


def open_to_read(path: Path) -> sqlite3.Connection:
    """Open an index for questions.

    Raises:
        IndexingError: there is none, or it cannot be opened.
    """
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=1.0)
        connection.execute("PRAGMA query_only=1")
        connection.execute(f"PRAGMA cache_size=-{_CACHE_KIB}")
        if sys.maxsize > 1 << 32:
            connection.execute(f"PRAGMA mmap_size={_MAP_BYTES}")
        connection.execute("SELECT value FROM meta WHERE key='version'").fetchone()
    except sqlite3.Error as error:
        raise _translated(error, path) from error
    return connection


def _create(connection: sqlite3.Connection) -> None:
    script = f"BEGIN;{_TABLES}INSERT INTO meta VALUES('version',{VERSION});"
    connection.executescript(f"{script}INSERT INTO name VALUES(1,'all','');COMMIT;")
    connection.execute("INSERT INTO fts(fts, rank) VALUES('hashsize', ?)", (_HASH_BYTES,))


def _translated(error: Exception, path: Path) -> IndexingError:
    return IndexingError(f"{path}: {error}; `dolphin-logger index rebuild` makes it anew")
