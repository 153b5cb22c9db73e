"""Pi: one JSONL file per session, a tree of entries (`id`, `parentId`); the oldest are plain lists.

Going back in a session makes a branch; behind a compaction the history begins anew with its summary
(the entries that Pi keeps beside it are not repeated). Turns are written in the shape of the Messages
API, which has a word for each of Pi's blocks.
Invariant: each branch is kept.

Source: pi-mono `packages/coding-agent/docs/session.md` (versions 1 to 3).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dolphin_logger.exchange import Client, Outcome
from dolphin_logger.importers._api import Content, Item, Turn, Unknown
from dolphin_logger.importers._fields import (
    as_list,
    as_object,
    kind_of,
    moment,
    parse,
    read_lines,
    text_of,
)
from dolphin_logger.importers._shapes import answer_blocks, text_block
from dolphin_logger.importers._walk import Node, answers_in_order, back_to_answer

_BOOKKEEPING = frozenset(
    {
        "context_edit",
        "context_transform",
        "custom",
        "ephemeral",
        "label",
        "model_change",
        "session_info",
        "thinking_level_change",
        "usage",
    }
)
_SUMMARIES = frozenset({"compaction", "branch_summary"})
_STOPS = {"stop": "end_turn", "length": "max_tokens", "toolUse": "tool_use"}


class Pi:
    """Reads `~/.pi/agent/sessions/**/*.jsonl`."""

    name = "pi"
    automatic = True

    def find(self, user: Path, env: Mapping[str, str]) -> Iterator[Path]:
        """Name the sessions of all projects."""
        agent = Path(env.get("PI_CODING_AGENT_DIR") or user / ".pi" / "agent")
        yield from sorted((agent / "sessions").rglob("*.jsonl"))

    def claims(self, head: bytes, name: str) -> bool:
        """Tell a session by its first line."""
        first = as_object(parse(head.split(b"\n", 1)[0]))
        return first.get("type") == "session" and "id" in first and "timestamp" in first

    def read(self, content: Content) -> Iterator[Item]:
        """Decode one file."""
        head: dict[str, Any] = {}
        nodes: dict[str, Node] = {}
        last: str | None = None
        for line in read_lines(content):
            if isinstance(line, Unknown):
                yield line
                continue
            entry = line.fields
            kind = kind_of(entry.get("type"))
            if kind == "session":
                head = head or entry
                continue
            if kind not in {"message", "custom_message"} | _BOOKKEEPING | _SUMMARIES:
                yield Unknown(f"type {kind}")
            name = text_of(entry, "id") or f"line {line.number}"
            parent = text_of(entry, "parentId") if "parentId" in entry else last
            if kind == "compaction":
                parent = None  # the history begins anew with the summary
            role = as_object(entry.get("message")).get("role")
            nodes[name] = Node(parent, name if role == "assistant" else None, entry)
            last = name
        for name in answers_in_order(nodes):
            yield _turn(text_of(head, "id") or "", nodes, name)


def _turn(session: str, nodes: Mapping[str, Node], name: str) -> Turn:
    entry = nodes[name].message
    message = as_object(entry.get("message"))
    path, after = back_to_answer(nodes, nodes[name].parent)
    asked = [said for one in path if (said := _said(nodes[one].message)) is not None]
    model = text_of(message, "model")
    failed = message.get("stopReason") in ("error", "aborted")
    stop = _STOPS.get(str(message.get("stopReason")))
    return Turn(
        session=session,
        line=name,
        after=after,
        dialect="anthropic.messages",
        request={"model": model, "messages": asked},
        response=answer_blocks(_blocks(message.get("content")), model=model, stop=stop),
        time_ns=moment(entry.get("timestamp")) or moment(message.get("timestamp")),
        model=model,
        client=Client("pi", session or None),
        outcome=Outcome.PROVIDER_TRUNCATED if failed else Outcome.COMPLETED,
    )


def _said(entry: Mapping[str, Any]) -> dict[str, Any] | None:
    """Write an entry as a message of the user; what the model does not see is none."""
    message = as_object(entry.get("message"))
    role = message.get("role")
    if kind_of(entry.get("type")) in _SUMMARIES:
        return {"role": "user", "content": text_of(entry, "summary") or ""}
    if entry.get("type") == "custom_message":
        return {"role": "user", "content": _blocks(entry.get("content"))}
    if role == "toolResult":
        result = {
            "type": "tool_result",
            "tool_use_id": text_of(message, "toolCallId"),
            "content": _blocks(message.get("content")),
            "is_error": message.get("isError") is True,
        }
        return {"role": "user", "content": [result]}
    if role == "bashExecution":
        ran = (text_of(message, "command"), text_of(message, "output"))
        return {"role": "user", "content": "\n".join(filter(None, ran))}
    if role in ("user", "custom", "hookMessage"):
        return {"role": "user", "content": _blocks(message.get("content"))}
    return None


def _blocks(content: Any) -> list[dict[str, Any]]:
    """Write Pi's blocks as the Messages API has them; an unknown one stays as it is."""
    if isinstance(content, str):
        return [text_block(content)]
    return [_block(block) for block in map(as_object, as_list(content))]


def _block(block: dict[str, Any]) -> dict[str, Any]:
    kind = block.get("type")
    if kind == "thinking":
        thought = {"type": "thinking", "thinking": block.get("thinking")}
        signature = text_of(block, "thinkingSignature")
        return thought | ({"signature": signature} if signature else {})
    if kind == "toolCall":
        called = {"id": block.get("id"), "name": block.get("name")}
        return {"type": "tool_use", **called, "input": block.get("arguments")}
    if kind == "image":
        media = {"media_type": block.get("mimeType"), "data": block.get("data")}
        return {"type": "image", "source": {"type": "base64", **media}}
    return block
