"""opencode: an SQLite database of sessions, messages and parts; or what `opencode export` prints.

A message's parts are its blocks; a call and its result are one part. A session with a parent is a
sub-agent's. Turns are written in the shape of the Messages API, whichever provider answered.
Invariant: an answer is a turn once it is complete.

Source: opencode `packages/opencode/src/session/message-v2.ts`; read from version 1.18.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dolphin_logger.exchange import Client, Outcome
from dolphin_logger.importers._api import SETTLED_SECONDS, Content, Item, Turn, Unknown, Waiting
from dolphin_logger.importers._database import MAGIC, tables
from dolphin_logger.importers._fields import (
    as_list,
    as_object,
    as_text,
    kind_of,
    moment,
    parse,
    text_of,
)
from dolphin_logger.importers._shapes import answer_blocks, text_block

_BOOKKEEPING = frozenset(
    {"step-start", "step-finish", "snapshot", "patch", "agent", "retry", "compaction", "subtask"}
)
_STOPS = {"stop": "end_turn", "length": "max_tokens", "tool-calls": "tool_use"}

Message = tuple[dict[str, Any], list[dict[str, Any]]]  # what it is, and its parts


class Opencode:
    """Reads `~/.local/share/opencode/opencode.db` and exported sessions."""

    name = "opencode"
    automatic = True

    def find(self, user: Path, env: Mapping[str, str]) -> Iterator[Path]:
        """Name the database."""
        share = Path(env.get("XDG_DATA_HOME") or user / ".local" / "share")
        yield from sorted((share / "opencode").glob("opencode*.db"))

    def claims(self, head: bytes, name: str) -> bool:
        """Tell the database by its name, an export by its keys."""
        if head.startswith(MAGIC):
            return name.startswith("opencode")
        return head.lstrip()[:1] == b"{" and b'"info"' in head[:200] and b'"ses_' in head[:400]

    def read(self, content: Content) -> Iterator[Item]:
        """Decode a database or an export."""
        if content.data[:16] != MAGIC:
            yield from _read_export(content)
            return
        with tables(content) as database:
            parts: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
            for row in database.rows("part", order="id"):
                parts[str(row.get("message_id"))].append(_value(row))
            messages: defaultdict[str, list[Message]] = defaultdict(list)
            for row in database.rows("message", order="time_created, id"):
                name = str(row.get("id"))
                info = _value(row) | {"id": name}
                messages[str(row.get("session_id"))].append((info, parts[name]))
            sessions = {str(row.get("id")): row for row in database.rows("session", order="id")}
            for session, said in messages.items():
                parent = as_text(sessions.get(session, {}).get("parent_id"))
                yield from _turns(session, parent, said, idle=content.idle)
            if database.damaged:
                yield Unknown("damaged database")


def _value(row: Mapping[str, Any]) -> dict[str, Any]:
    data = row.get("data")
    return as_object(parse(data.encode("utf-8", "surrogatepass"))) if isinstance(data, str) else {}


def _read_export(content: Content) -> Iterator[Item]:
    exported = as_object(parse(content.data[:]))
    info = as_object(exported.get("info"))
    session = text_of(info, "id")
    if session is None:
        yield Unknown("no session")
        return
    said = [
        (
            as_object(message.get("info")),
            [as_object(part) for part in as_list(message.get("parts"))],
        )
        for message in map(as_object, as_list(exported.get("messages")))
    ]
    yield from _turns(session, text_of(info, "parentID"), said, idle=content.idle)


def _turns(session: str, parent: str | None, said: list[Message], *, idle: float) -> Iterator[Item]:
    asked: list[dict[str, Any]] = []
    after: str | None = None
    for number, (info, parts) in enumerate(said):
        unknown = [part for part in parts if not _is_known(part)]
        yield from (Unknown(f"part {kind_of(part.get('type'))}") for part in unknown)
        name = text_of(info, "id") or str(number)
        if info.get("role") == "user":
            asked.append({"role": "user", "content": _blocks(parts)})
            continue
        if info.get("role") != "assistant":
            yield Unknown(f"role {kind_of(info.get('role'))}")
            continue
        if not as_object(info.get("time")).get("completed") and idle < SETTLED_SECONDS:
            yield Waiting()
        else:
            yield _turn(session, parent, info, parts, name=name, asked=asked, after=after)
        results = [_result(part) for part in parts if part.get("type") == "tool"]
        asked = [{"role": "user", "content": results}] if results else []
        after = name


def _turn(
    session: str,
    parent: str | None,
    info: Mapping[str, Any],
    parts: list[dict[str, Any]],
    *,
    name: str,
    asked: list[dict[str, Any]],
    after: str | None,
) -> Turn:
    model = text_of(info, "modelID")
    stop = _STOPS.get(str(info.get("finish")))
    return Turn(
        session=session,
        line=name,
        after=after,
        dialect="anthropic.messages",
        request={"model": model, "messages": asked},
        response=answer_blocks(_blocks(parts), model=model, stop=stop),
        time_ns=moment(as_object(info.get("time")).get("created")),
        model=model,
        client=Client("opencode", session, None, parent),
        outcome=Outcome.PROVIDER_TRUNCATED if info.get("error") else Outcome.COMPLETED,
    )


def _is_known(part: Mapping[str, Any]) -> bool:
    return kind_of(part.get("type")) in {"text", "reasoning", "tool", "file"} | _BOOKKEEPING


def _blocks(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    for part in parts:
        kind = part.get("type")
        if kind == "text" and part.get("ignored") is not True:
            blocks.append(text_block(text_of(part, "text") or ""))
        elif kind == "reasoning":
            blocks.append({"type": "thinking", "thinking": text_of(part, "text") or ""})
        elif kind == "tool":
            called = {"id": part.get("callID"), "name": part.get("tool")}
            given = as_object(part.get("state")).get("input")
            blocks.append({"type": "tool_use", **called, "input": given})
        elif kind == "file":
            source = {"type": "url", "url": part.get("url")}
            is_image = (text_of(part, "mime") or "").startswith("image/")
            blocks.append({"type": "image" if is_image else "document", "source": source})
    return blocks


def _result(part: Mapping[str, Any]) -> dict[str, Any]:
    state = as_object(part.get("state"))
    failed = state.get("status") == "error"
    return {
        "type": "tool_result",
        "tool_use_id": part.get("callID"),
        "content": text_of(state, "error" if failed else "output") or "",
        "is_error": failed,
    }
