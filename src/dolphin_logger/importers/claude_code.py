"""Claude Code: one JSONL file per session, and one per sub-agent beside it.

Lines are nodes of a tree (`uuid`, `parentUuid`). An answer is several lines of one `message.id`, a
block each; the results of parallel calls are siblings, each below the line of its call. After a
compaction the tree begins anew with the summary. It knows nothing of the reminders that Claude Code
adds on the wire: these are not in its files.
Invariant: memory grows with the number of lines, not with their length.

Nothing official describes the files; read from those of version 2.1.197.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dolphin_logger.exchange import Client
from dolphin_logger.importers._api import (
    QUIET_SECONDS,
    SETTLED_SECONDS,
    Buffer,
    Content,
    Item,
    Turn,
    Unknown,
    Waiting,
)
from dolphin_logger.importers._fields import (
    as_list,
    as_object,
    as_text,
    kind_of,
    line_at,
    moment,
    parse,
    read_lines,
    text_of,
)
from dolphin_logger.importers._walk import back_to_answer

_BOOKKEEPING = frozenset(
    {
        "agent-name",
        "ai-title",
        "attachment",
        "content-replacement",
        "custom-title",
        "file-history-snapshot",
        "last-prompt",
        "mode",
        "permission-mode",
        "pr-link",
        "progress",
        "queue-operation",
        "summary",
        "system",
        "tag",
        "worktree-state",
    }
)
_NOT_A_MODEL = "<synthetic>"  # Claude Code speaks itself: an error, an interruption


@dataclass(frozen=True, slots=True)
class _Line:
    """A node. `answer`: the message id, for the lines of answers; `results`: ids of calls answered."""

    parent: str | None
    offset: int
    answer: str | None = None
    said: bool = False
    results: tuple[str, ...] = ()


@dataclass(slots=True)
class _Answer:
    """One message of the model: its lines' offsets, and what came before its first line."""

    parent: str | None
    offsets: list[int] = field(default_factory=list)
    uuids: list[str] = field(default_factory=list)
    continued: bool = False


class ClaudeCode:
    """Reads `~/.claude/projects/**/*.jsonl`."""

    name = "claude-code"
    automatic = True

    def find(self, user: Path, env: Mapping[str, str]) -> Iterator[Path]:
        """Name the files of all projects."""
        root = Path(env.get("CLAUDE_CONFIG_DIR") or user / ".claude")
        yield from sorted((root / "projects").rglob("*.jsonl"))

    def claims(self, head: bytes, name: str) -> bool:
        """Tell a session by the names that its lines have for themselves."""
        return name.endswith(".jsonl") and any(
            "sessionId" in fields
            and (kind_of(fields.get("type")) in _BOOKKEEPING or "parentUuid" in fields)
            for fields in map(as_object, map(parse, head.splitlines()[:20]))
        )

    def read(self, content: Content) -> Iterator[Item]:
        """Decode one file."""
        session = _Session(content.data)
        yield from session.index(content)
        last = list(session.answers)
        for name, answer in session.answers.items():
            if not answer.continued and not _is_over(content, answer, is_last=name == last[-1]):
                yield Waiting()
                continue
            yield session.turn(name, answer)


def _is_over(content: Content, answer: _Answer, *, is_last: bool) -> bool:
    """Say whether no line of an answer that nothing follows yet can come any more."""
    if content.idle >= SETTLED_SECONDS:
        return True
    stopped = as_object(line_at(content.data, answer.offsets[-1]).get("message")).get("stop_reason")
    return stopped is not None and (content.idle >= QUIET_SECONDS or not is_last)


class _Session:
    """One file: where its lines are, and how they hang together."""

    def __init__(self, data: Buffer) -> None:
        self._data = data
        self._nodes: dict[str, _Line] = {}
        self._below: dict[str, list[str]] = {}  # the lines with results, by the line of the call
        self.answers: dict[str, _Answer] = {}

    def index(self, content: Content) -> Iterator[Unknown]:
        """Go through the lines once; give those that nobody understands."""
        for line in read_lines(content):
            if isinstance(line, Unknown):
                yield line
                continue
            fields, offset = line.fields, line.offset
            kind = kind_of(fields.get("type"))
            uuid = text_of(fields, "uuid") or f"line {line.number}"
            if kind == "assistant":
                self._add_answer(fields, uuid, offset)
            elif kind == "user":
                self._add_words(fields, uuid, offset)
            elif kind in _BOOKKEEPING:
                self._nodes.setdefault(uuid, _Line(text_of(fields, "parentUuid"), offset))
            else:
                yield Unknown(f"type {kind}")
        for answer in self.answers.values():
            _, after = back_to_answer(self._nodes, answer.parent)
            if after is not None:
                self.answers[after].continued = True

    def _add_answer(self, fields: Mapping[str, Any], uuid: str, offset: int) -> None:
        message = as_object(fields.get("message"))
        parent = text_of(fields, "parentUuid")
        name = text_of(message, "id") or uuid
        if message.get("model") == _NOT_A_MODEL or fields.get("isApiErrorMessage") is True:
            self._nodes.setdefault(uuid, _Line(parent, offset))
        elif uuid not in self._nodes:
            self._nodes[uuid] = _Line(parent, offset, answer=name)
            answer = self.answers.setdefault(name, _Answer(parent))
            answer.offsets.append(offset)
            answer.uuids.append(uuid)

    def _add_words(self, fields: Mapping[str, Any], uuid: str, offset: int) -> None:
        if uuid in self._nodes:  # a session that was taken up again repeats its lines
            return
        parent = text_of(fields, "parentUuid")
        results = tuple(_results(as_object(fields.get("message")).get("content")))
        said = fields.get("isVisibleInTranscriptOnly") is not True
        self._nodes[uuid] = _Line(parent, offset, said=said, results=results)
        if results:
            call = text_of(fields, "sourceToolAssistantUUID") or self._nearest_answer(parent)
            if call is not None:
                self._below.setdefault(call, []).append(uuid)

    def _nearest_answer(self, start: str | None) -> str | None:
        between, answer = back_to_answer(self._nodes, start)
        if answer is None:
            return None
        return self._nodes[between[0]].parent if between else start

    def turn(self, name: str, answer: _Answer) -> Turn:
        """Put one answer together, with what was said since the one before it."""
        path, after = back_to_answer(self._nodes, answer.parent)
        asked = [uuid for uuid in path if self._nodes[uuid].said]
        if after is not None:
            asked = self._with_siblings(asked, after, before=answer.offsets[0])
        first = line_at(self._data, answer.offsets[0])
        message = _join([line_at(self._data, offset) for offset in answer.offsets])
        model = text_of(message, "model")
        messages = [self._message(uuid) for uuid in asked]
        session = text_of(first, "sessionId") or ""
        return Turn(
            session=session,
            line=name,
            after=after,
            dialect="anthropic.messages",
            request={"model": model, "messages": messages},
            response=message,
            time_ns=moment(first.get("timestamp")),
            model=model,
            client=Client("claude-code", session or None, text_of(first, "agentId")),
            provider_request_id=text_of(first, "requestId"),
        )

    def _with_siblings(self, asked: list[str], after: str, *, before: int) -> list[str]:
        """Add the results of the other calls of an answer: they lie beside the path."""
        have = {result for uuid in asked for result in self._nodes[uuid].results}
        for call in self.answers[after].uuids:
            for uuid in self._below.get(call, ()):
                node = self._nodes[uuid]
                if node.offset < before and not have.intersection(node.results):
                    have.update(node.results)
                    asked = [*asked, uuid]
        return sorted(asked, key=lambda uuid: self._nodes[uuid].offset)

    def _message(self, uuid: str) -> dict[str, Any]:
        message = as_object(line_at(self._data, self._nodes[uuid].offset).get("message"))
        return {"role": "user", "content": message.get("content")}


def _results(content: Any) -> Iterator[str]:
    for block in map(as_object, as_list(content)):
        if block.get("type") == "tool_result" and (call := as_text(block.get("tool_use_id"))):
            yield call


def _join(written: list[Mapping[str, Any]]) -> dict[str, Any]:
    """Join the lines of one message: their blocks in order, everything else as the last line has it."""
    messages = [as_object(fields.get("message")) for fields in written]
    blocks: list[Any] = []
    for message in messages:
        content = message.get("content")
        blocks += (
            [{"type": "text", "text": content}] if isinstance(content, str) else as_list(content)
        )
    return messages[0] | messages[-1] | {"content": blocks}
