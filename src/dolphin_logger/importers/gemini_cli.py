"""Gemini CLI: one file per chat, JSONL since 0.60, before that one JSON object.

A line is a message, or `$set`, which changes the session: with `messages` in it, the history begins
anew. A message that comes again has grown: its calls were made meanwhile. Sub-agents have files of
their own, in a folder named by their parent's session.
Invariant: a turn is given once nothing can be added to it.

Source: gemini-cli `packages/core/src/services/chatRecordingService.ts`; read from files of 0.61.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from dolphin_logger.exchange import Client
from dolphin_logger.importers._api import SETTLED_SECONDS, Content, Item, Turn, Unknown, Waiting
from dolphin_logger.importers._fields import (
    Line,
    as_list,
    as_object,
    kind_of,
    moment,
    parse,
    read_lines,
    text_of,
)

_SCREEN = frozenset({"info", "error", "warning"})  # told to the user, not to the model


class GeminiCLI:
    """Reads `~/.gemini/tmp/*/chats/**`."""

    name = "gemini-cli"
    automatic = True

    def find(self, user: Path, env: Mapping[str, str]) -> Iterator[Path]:
        """Name the chats of all projects."""
        root = Path(env.get("GEMINI_CLI_HOME") or user) / ".gemini" / "tmp"
        for pattern in ("*/chats/**/*.jsonl", "*/chats/session-*.json"):
            yield from sorted(root.glob(pattern))

    def claims(self, head: bytes, name: str) -> bool:
        """Tell a chat by what its head is called."""
        begin = head[:4096]
        return b'"sessionId"' in begin and b'"projectHash"' in begin and begin.lstrip()[:1] == b"{"

    def read(self, content: Content) -> Iterator[Item]:
        """Decode one file."""
        whole = parse(content.data[:]) if content.path.suffix == ".json" else None
        chat = _Chat(content)
        for line in [Line(0, 0, whole)] if isinstance(whole, dict) else read_lines(content):
            if isinstance(line, Unknown):
                yield line
            else:
                yield from chat.take(line.fields)
        yield from chat.turns(is_end=True)


class _Chat:
    """The history as it stands, and which of its answers were given already."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._head: dict[str, Any] = {}
        self._messages: dict[str, dict[str, Any]] = {}  # the latest form of each, in order
        self._given: set[str] = set()

    def take(self, entry: dict[str, Any]) -> Iterator[Item]:
        """Take one line."""
        if "sessionId" in entry:
            self._head = self._head or entry
            yield from self._add(as_list(entry.get("messages")))
        elif "$set" in entry:
            changed = as_object(entry["$set"])
            if isinstance(changed.get("messages"), list):
                yield from self.turns(is_end=False)
                self._messages = {}
                yield from self._add(changed["messages"])
        elif "$rewindTo" in entry:
            yield from self.turns(is_end=False)
            self._rewind(text_of(entry, "$rewindTo"))
        elif "type" in entry:
            yield from self._add([entry])
        else:
            yield Unknown(f"keys {kind_of(' '.join(sorted(entry)[:3]))}")

    def _add(self, messages: Iterable[Any]) -> Iterator[Unknown]:
        for message in map(as_object, messages):
            kind = kind_of(message.get("type"))
            if kind in ("user", "gemini"):
                name = text_of(message, "id") or str(len(self._messages))
                self._messages[name] = message
            elif kind not in _SCREEN:
                yield Unknown(f"type {kind}")

    def _rewind(self, to: str | None) -> None:
        names = list(self._messages)
        if to in self._messages:
            for name in names[names.index(to) :]:
                del self._messages[name]

    def turns(self, *, is_end: bool) -> Iterator[Item]:
        """Give the answers of the history as it stands; the last one may still grow."""
        asked: list[dict[str, Any]] = []
        after: str | None = None
        history = list(self._messages.items())
        for (name, message), (_, behind) in zip(history, [*history[1:], ("", {})], strict=False):
            if message["type"] == "user":
                asked.append(message)
                continue
            if not behind and is_end and self._content.idle < SETTLED_SECONDS:
                yield Waiting()
            elif name not in self._given:
                self._given.add(name)
                yield self._turn(name, message, asked, after)
            asked, after = [], name
            if not _is_results(behind) and (results := _results(message)):
                asked = [{"content": results}]

    def _turn(
        self, name: str, message: dict[str, Any], asked: list[dict[str, Any]], after: str | None
    ) -> Turn:
        session = text_of(self._head, "sessionId") or ""
        parent = self._content.path.parent.name if self._head.get("kind") == "subagent" else None
        model = text_of(message, "model")
        contents = [{"role": "user", "parts": _parts(one.get("content"))} for one in asked]
        return Turn(
            session=session,
            line=name,
            after=after,
            dialect="gemini",
            request={"contents": contents},
            response={
                "candidates": [{"content": {"role": "model", "parts": _answer(message)}}],
                "modelVersion": model,
            },
            time_ns=moment(message.get("timestamp")),
            model=model,
            client=Client("gemini-cli", parent or session, session if parent else None, parent),
        )


def _parts(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"text": content}]
    return [{"text": part} if isinstance(part, str) else part for part in as_list(content)]


def _answer(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    parts: list[dict[str, Any]] = []
    for thought in map(as_object, as_list(message.get("thoughts"))):
        words = (text_of(thought, "subject"), text_of(thought, "description"))
        parts.append({"text": "\n".join(filter(None, words)), "thought": True})
    parts += [part for part in _parts(message.get("content")) if part != {"text": ""}]
    for call in map(as_object, as_list(message.get("toolCalls"))):
        called = {key: call[key] for key in ("id", "name", "args") if key in call}
        parts.append({"functionCall": called})
    return parts


def _results(message: Mapping[str, Any]) -> list[Any]:
    """Give the results that older files keep only with the calls."""
    calls = map(as_object, as_list(message.get("toolCalls")))
    return [part for call in calls for part in as_list(call.get("result"))]


def _is_results(message: Mapping[str, Any]) -> bool:
    parts = map(as_object, as_list(message.get("content")))
    return any("functionResponse" in part for part in parts)
