"""Codex: one JSONL file ("rollout") per thread; the items of the Responses API, in order.

What the model wrote ends where something else begins, or where the file notes the tokens of a
response. A compaction replaces the history; a rollback takes user's messages away again.
Invariant: a turn depends only on the lines before its end.

Source: codex-rs `protocol/src/protocol.rs` (RolloutLine); read from files of version 0.171.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dolphin_logger.exchange import Client
from dolphin_logger.importers._api import SETTLED_SECONDS, Content, Item, Turn, Unknown, Waiting
from dolphin_logger.importers._fields import (
    as_list,
    as_object,
    kind_of,
    moment,
    parse,
    read_lines,
    text_of,
)

_ANSWERS = frozenset(
    {
        "reasoning",
        "function_call",
        "custom_tool_call",
        "local_shell_call",
        "web_search_call",
        "tool_search_call",
        "image_generation_call",
        "mcp_tool_call",
    }
)
_ASKED = frozenset(
    {
        "additional_tools",
        "message",
        "agent_message",
        "function_call_output",
        "custom_tool_call_output",
        "local_shell_call_output",
        "tool_search_output",
        "mcp_tool_call_output",
        "compaction",
        "compaction_summary",
    }
)
_BOOKKEEPING = frozenset({"world_state", "inter_agent_communication_metadata", "ghost_snapshot"})


class Codex:
    """Reads `~/.codex/sessions/**/rollout-*.jsonl` and the archived ones."""

    name = "codex"
    automatic = True

    def find(self, user: Path, env: Mapping[str, str]) -> Iterator[Path]:
        """Name the files of all days."""
        root = Path(env.get("CODEX_HOME") or user / ".codex")
        for folder in ("sessions", "archived_sessions"):
            yield from sorted((root / folder).rglob("rollout-*.jsonl"))

    def claims(self, head: bytes, name: str) -> bool:
        """Tell a rollout by its first line: what the session is, with a payload or (2025) without."""
        first = as_object(parse(head.split(b"\n", 1)[0])) or _first_of_long(head)
        if first.get("type") == "session_meta":
            return isinstance(first.get("payload"), dict)
        return name.startswith("rollout-") and {"id", "timestamp", "instructions"} <= first.keys()

    def read(self, content: Content) -> Iterator[Item]:
        """Decode one file."""
        thread = _Thread()
        for line in read_lines(content):
            if isinstance(line, Unknown):
                yield line
            else:
                yield from thread.take(line.fields, line.number)
        if thread.answer:
            if content.idle >= SETTLED_SECONDS:
                yield from thread.end_answer()
            else:
                yield Waiting()


def _first_of_long(head: bytes) -> dict[str, Any]:
    """A first line holds the base instructions, and may be longer than what is seen of the file."""
    if b"\n" not in head and b'"type":"session_meta"' in head[:300].replace(b" ", b""):
        return {"type": "session_meta", "payload": {}}
    return {}


@dataclass(slots=True)
class _Thread:
    """What has been read of one rollout.

    `points` remembers, for each message of the user, which turn it followed.
    """

    meta: dict[str, Any] = field(default_factory=dict)
    model: str | None = None
    asked: list[Any] = field(default_factory=list)
    answer: list[Any] = field(default_factory=list)
    line: str = ""
    time_ns: int | None = None
    after: str | None = None
    points: list[str | None] = field(default_factory=list)

    def take(self, fields: Mapping[str, Any], number: int) -> Iterator[Item]:
        """Take one line; give the turn that it ends."""
        kind, payload = kind_of(fields.get("type")), as_object(fields.get("payload"))
        if "payload" not in fields:  # before the envelope came, an item was a line
            kind, payload = (
                ("response_item", dict(fields))
                if "type" in fields
                else ("session_meta", dict(fields))
            )
        if kind == "response_item":
            yield from self._take_item(payload, number, moment(fields.get("timestamp")))
        elif kind == "token_usage_record":
            yield from self.end_answer(text_of(payload, "response_id"))
        elif kind == "event_msg":
            yield from self._take_event(payload)
        elif kind == "session_meta":
            self.meta = self.meta or payload  # a fork repeats its origin's, further down
        elif kind == "turn_context":
            self.model = text_of(payload, "model") or self.model
        elif kind == "compacted":
            yield from self.end_answer()
            self._compact(payload)
        elif kind not in _BOOKKEEPING:
            yield Unknown(f"type {kind}")

    def _take_item(self, item: dict[str, Any], number: int, time_ns: int | None) -> Iterator[Item]:
        kind, role = kind_of(item.get("type")), item.get("role")
        if kind in _ANSWERS or (kind == "message" and role == "assistant"):
            if not self.answer:
                self.line, self.time_ns = str(number), time_ns
            self.answer.append(item)
            return
        if kind in _BOOKKEEPING:
            return
        yield from self.end_answer()
        self.asked.append(item)
        if kind == "message" and role == "user":
            self.points.append(self.after)
        if kind not in _ASKED:
            yield Unknown(f"item {kind}")

    def _take_event(self, event: Mapping[str, Any]) -> Iterator[Item]:
        """Of what is told to the screen only two things matter: the end of a response, and a rollback."""
        kind = event.get("type")
        if kind == "token_count":
            yield from self.end_answer()
        elif kind == "thread_rolled_back":
            yield from self.end_answer()
            count = event.get("num_turns")
            back = count if isinstance(count, int) and count > 0 else 0
            for _ in range(min(back, len(self.points))):
                self.after = self.points.pop()
            self.asked = []

    def _compact(self, payload: Mapping[str, Any]) -> None:
        """Begin the history anew with what the compaction left of it."""
        self.asked = list(as_list(payload.get("replacement_history")))
        summary = text_of(payload, "message")
        if not self.asked and summary:
            text = [{"type": "input_text", "text": summary}]
            self.asked = [{"type": "message", "role": "user", "content": text}]
        self.after, self.points = None, []

    def end_answer(self, response_id: str | None = None) -> Iterator[Turn]:
        """Give the turn whose answer is complete."""
        if not self.answer:
            return
        request: dict[str, Any] = {"model": self.model, "input": self.asked}
        instructions = self._instructions()
        if self.after is None and instructions is not None:
            request = {"model": self.model, "instructions": instructions, "input": self.asked}
        response = {"object": "response", "model": self.model, "output": self.answer}
        yield Turn(
            session=text_of(self.meta, "id") or "",
            line=self.line,
            after=self.after,
            dialect="openai.responses",
            request=request,
            response=({"id": response_id} if response_id else {}) | response,
            time_ns=self.time_ns,
            model=self.model,
            client=self._client(),
        )
        self.asked, self.answer, self.after = [], [], self.line

    def _instructions(self) -> str | None:
        base = as_object(self.meta.get("base_instructions"))
        return text_of(base, "text") or text_of(self.meta, "instructions")

    def _client(self) -> Client:
        """Name session and thread as Codex sends them: a sub-agent has its root's session."""
        thread = text_of(self.meta, "id")
        session = text_of(self.meta, "session_id") or thread
        agent = thread if thread != session else None
        return Client("codex", session, agent, text_of(self.meta, "parent_thread_id"))
