"""llm: its `logs.db`, an SQLite database of prompts and responses.

Since 0.32 messages are a tree, stored once each, and a turn names the message it ends with; before,
a response was a row with its prompt, and a conversation the rows in order. Both lie in one file.
Invariant: a turn that was migrated or not is given once: the two have different ids.

Source: simonw/llm `llm/migrations.py`, `llm/logs.py`; read from version 0.36.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dolphin_logger.exchange import Client
from dolphin_logger.importers._api import Content, Item, Turn, Unknown
from dolphin_logger.importers._database import MAGIC, Row, Tables, tables
from dolphin_logger.importers._fields import (
    as_list,
    as_object,
    as_text,
    json_text,
    kind_of,
    moment,
    parse,
    text_of,
)
from dolphin_logger.importers._shapes import completion, function_call
from dolphin_logger.importers._walk import Node, back_to_answer

_PARTS = frozenset({"text", "reasoning", "tool_call", "tool_result", "attachment"})


class LlmLogs:
    """Reads `logs.db`."""

    name = "llm"
    automatic = True

    def find(self, user: Path, env: Mapping[str, str]) -> Iterator[Path]:
        """Name the database, where each system keeps it."""
        own = env.get("LLM_USER_PATH")
        folders = (
            [Path(own)]
            if own
            else [
                Path(env.get("XDG_CONFIG_HOME") or user / ".config") / "io.datasette.llm",
                user / "Library" / "Application Support" / "io.datasette.llm",
            ]
        )
        yield from (path for folder in folders if (path := folder / "logs.db").is_file())

    def claims(self, head: bytes, name: str) -> bool:
        """Tell the database by its name, or by a table of its own that its first pages name."""
        return head.startswith(MAGIC) and (name == "logs.db" or b"_llm_migrations" in head)

    def read(self, content: Content) -> Iterator[Item]:
        """Decode the database."""
        with tables(content) as database:
            yield from _read_responses(database)
            yield from _read_turns(database)
            if database.damaged:
                yield Unknown("damaged database")


def _read_turns(database: Tables) -> Iterator[Item]:
    fragments = {
        row.get("id"): as_text(row.get("content")) or "" for row in database.rows("fragments")
    }
    attached = {row.get("id"): row for row in database.rows("attachments")}
    parts: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in database.rows("parts", order="message_hash, position"):
        if (kind := kind_of(row.get("type"))) not in _PARTS:
            yield Unknown(f"part {kind}")
        parts[str(row.get("message_hash"))].append(_part(row, fragments, attached))
    messages = {str(row.get("hash")): row for row in database.rows("messages")}
    ends: dict[tuple[str, str], str] = {}  # the turn that ended with a message, by its thread
    for row in database.rows("turns", order="id"):
        thread, tip, line = (str(row.get(key)) for key in ("thread_id", "tip_message_hash", "id"))
        nodes = _Nodes(messages, ends, thread)
        path, after = back_to_answer(nodes, as_text(row.get("parent_message_hash")))
        asked = [said for one in path for said in _messages(_role(messages[one]), parts[one])]
        answered = _messages("assistant", parts[tip]) or [{"role": "assistant", "content": ""}]
        yield _turn(row, thread, line, after, asked, answered[0])
        ends[thread, tip] = line


class _Nodes(dict[str, Node]):
    """The tree as one thread sees it: an answer is what a turn of this thread ended with."""

    def __init__(
        self, messages: Mapping[str, Row], ends: Mapping[tuple[str, str], str], thread: str
    ) -> None:
        super().__init__()
        self._messages, self._ends, self._thread = messages, ends, thread

    def __contains__(self, name: object) -> bool:
        return name in self._messages

    def __missing__(self, name: str) -> Node:
        parent = as_text(self._messages[name].get("parent_hash"))
        return Node(parent, self._ends.get((self._thread, name)))


def _read_responses(database: Tables) -> Iterator[Item]:
    calls, results = _by_response(database, "tool_calls"), _by_response(database, "tool_results")
    latest: dict[str, str] = {}
    for row in database.rows("responses"):
        line = str(row.get("id"))
        session = as_text(row.get("conversation_id")) or line
        after = latest.get(session)
        asked: list[dict[str, Any]] = []
        if after is None and (system := as_text(row.get("system"))):
            asked.append({"role": "system", "content": system})
        for result in results[line]:
            output = as_text(result.get("output")) or ""
            asked.append(
                {"role": "tool", "tool_call_id": result.get("tool_call_id"), "content": output}
            )
        if (prompt := as_text(row.get("prompt"))) or not asked:
            asked.append({"role": "user", "content": prompt or ""})
        said: dict[str, Any] = {"role": "assistant", "content": row.get("response")}
        if thought := as_text(row.get("reasoning")):
            said["reasoning_content"] = thought
        if calls[line]:
            said["tool_calls"] = [
                function_call(
                    as_text(call.get("tool_call_id")),
                    str(call.get("name")),
                    as_text(call.get("arguments")) or "{}",
                )
                for call in calls[line]
            ]
        yield _turn(row, session, line, after, asked, said)
        latest[session] = line


def _by_response(database: Tables, table: str) -> defaultdict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in database.rows(table):
        found[str(row.get("response_id"))].append(row)
    return found


def _turn(
    row: Row,
    session: str,
    line: str,
    after: str | None,
    asked: list[dict[str, Any]],
    said: dict[str, Any],
) -> Turn:
    model = as_text(row.get("resolved_model")) or as_text(row.get("model"))
    options = as_text(row.get("options_json"))
    given = as_object(parse(options.encode("utf-8", "replace"))) if options else {}
    return Turn(
        session=session,
        line=line,
        after=after,
        dialect="openai.chat",
        request=given | {"model": model, "messages": asked},
        response=completion(said, model=model),
        time_ns=moment(row.get("datetime_utc")),
        model=model,
        client=Client("llm", session),
    )


def _role(message: Row) -> str:
    return as_text(message.get("role")) or "user"


def _part(row: Row, fragments: Mapping[Any, str], attached: Mapping[Any, Row]) -> dict[str, Any]:
    """Put a stored part together: its text may lie in fragments, its picture among the attachments."""
    payload = as_text(row.get("payload"))
    part = as_object(parse(payload.encode("utf-8", "replace"))) if payload else {}
    part["type"] = row.get("type")
    if row.get("text") is not None:
        part["text"] = row["text"]
    pieces = [as_object(piece) for piece in as_list(part.get("text_ref"))]
    if pieces:
        texts = (text_of(piece, "literal") or fragments.get(_key(piece)) or "" for piece in pieces)
        part["text"] = "".join(texts)
    if part["type"] == "attachment":
        name = as_object(part.get("attachment")).get("id") or part.get("attachment_id")
        part["attachment"] = attached.get(name if isinstance(name, str) else None, {})
    return part


def _key(piece: Mapping[str, Any]) -> int | None:
    key = piece.get("fragment")
    return key if isinstance(key, int) else None


def _messages(role: str, parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Write the parts of one message as chat messages: each result is one of its own."""
    said: list[dict[str, Any]] = []
    content: list[dict[str, Any]] = []
    message: dict[str, Any] = {"role": role}
    for part in parts:
        kind = part["type"]
        if kind == "text":
            content.append({"type": "text", "text": text_of(part, "text") or ""})
        elif kind == "reasoning":
            message["reasoning_content"] = text_of(part, "text") or ""
        elif kind == "tool_call":
            arguments = json_text(part.get("arguments")).decode()
            call = function_call(
                text_of(part, "tool_call_id"), text_of(part, "name") or "", arguments
            )
            message.setdefault("tool_calls", []).append(call)
        elif kind == "tool_result":
            output = text_of(part, "output") or ""
            said.append(
                {"role": "tool", "tool_call_id": part.get("tool_call_id"), "content": output}
            )
        elif kind == "attachment":
            content.append(_attachment(as_object(part.get("attachment"))))
    if content or len(message) > 1:
        texts = [one["text"] for one in content if one["type"] == "text"]
        plain = len(texts) == len(content)
        message["content"] = ("".join(texts) or None) if plain else content
        said.append(message)
    return said


def _attachment(row: Mapping[str, Any]) -> dict[str, Any]:
    media, data = as_text(row.get("type")) or "application/octet-stream", row.get("content")
    url = as_text(row.get("url"))
    if url is None and isinstance(data, bytes):
        url = f"data:{media};base64,{base64.b64encode(data).decode()}"
    if url is None:
        return {"type": "text", "text": f"[{as_text(row.get('path')) or media}]"}
    return {"type": "image_url", "image_url": {"url": url}}
