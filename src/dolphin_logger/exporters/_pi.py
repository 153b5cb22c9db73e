"""A session in the lines of Pi's session format, version 3.

A header, then entries: `message`, `model_change`, `compaction`, and `custom` ones for what Pi has no word
for. The last entry names the session's facts and hangs on the end of the main conversation, so that a
reader who takes the last entry for the current place is there. A picture by address stands as `url`: Pi
knows only `data`. Sub-agents come behind the main conversation, from the answer that called for them: a
reader who does not know branches reads whole conversations one after the other.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Final

from dolphin_logger.conversation.placement import Relation
from dolphin_logger.example import Json, Session, Step
from dolphin_logger.exporters._api import Options, Row, UnfitError
from dolphin_logger.exporters._content import calls_of, parts_of, shown, text_of
from dolphin_logger.exporters._tree import Node, ends_of, plant

HARNESS: Final = "dolphin-logger"
"""What the header names when nobody knows the client."""

# the name of a custom entry, and the key that its text or list stands under
_SYSTEM: Final = ("teich-system-prompt", "systemPrompt")
_TOOLS: Final = ("teich-available-tools", "tools")
_STOPS: Final = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "completed": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_output_tokens": "length",
    "tool_calls": "toolUse",
    "tool_use": "toolUse",
    "function_call": "toolUse",
}
_BROKEN: Final = {
    "client_disconnected": "aborted",
    "shutdown": "aborted",
    "crashed": "aborted",
    "provider_error": "error",
    "provider_truncated": "error",
    "timeout": "error",
}


@dataclass(slots=True)
class _Context:
    """What the lines have said so far, so that only changes are said."""

    model: tuple[str | None, str | None] = (None, None)
    tools: Json = None


def milliseconds_of(time: str) -> int:
    """Give an RFC 3339 time in milliseconds since 1970."""
    return round(datetime.fromisoformat(time).timestamp() * 1000)


def pi_rows(session: Session, options: Options) -> Iterator[Row]:
    """Write a session; its `native` lines are not looked at.

    Raises:
        UnfitError: nothing was said in it, or somebody speaks whom the format cannot name.
    """
    nodes = plant(session)
    main = [node for node in nodes if node.thread is None]
    if not main:
        raise UnfitError("nothing is said in it")
    yield _header(session)
    context = _Context()
    moved: dict[str, str] = {}
    threads = list(dict.fromkeys(node.thread for node in nodes if node.thread is not None))
    agents = (node for thread in threads for node in nodes if node.thread == thread)
    for node in chain(main, agents):
        yield from _entries(node, options, context=context, moved=moved)
    end = ends_of(nodes, None)[0]
    facts = {"client": session.client, "metadata": session.metadata}
    yield _entry("custom", f"{session.id}-facts", moved[end.id], session.steps[-1].time) | {
        "customType": HARNESS,
        "data": facts,
    }


def _header(session: Session) -> Row:
    first = session.steps[0]
    return {
        "type": "session",
        "version": 3,
        "id": session.id,
        "timestamp": first.time,
        "cwd": session.metadata.get("cwd") or "",
        "harness": session.client or HARNESS,
    }


def _entry(kind: str, name: str, parent: str | None, time: str) -> Row:
    return {"type": kind, "id": name, "parentId": parent, "timestamp": time}


def _entries(
    node: Node, options: Options, *, context: _Context, moved: dict[str, str]
) -> Iterator[Row]:
    """Write a node and what has to be said before it; `moved` tells where a node's followers hang."""
    parent = moved.get(node.parent or "")
    for entry in chain(_marks(node, parent), _changes(node, context)):
        entry["parentId"] = parent
        parent = entry["id"]
        yield entry
    if node.chat["role"] == "system":
        said = {"customType": _SYSTEM[0], "data": {_SYSTEM[1]: text_of(node.chat)}}
        yield _entry("custom", node.id, parent, node.step.time) | said
    else:
        message = {"message": _message(node, options)}
        yield _entry("message", node.id, parent, node.step.time) | message
    moved[node.id] = node.id


def _marks(node: Node, parent: str | None) -> Iterator[Row]:
    """Say how a step follows where a tree alone does not."""
    step = node.step
    if not node.is_first or parent is None:
        return
    if step.relation == Relation.COMPACTION:
        # nothing of what was before is kept: the history that follows is whole
        kept = {"summary": "", "firstKeptEntryId": node.id, "tokensBefore": 0}
        yield _entry("compaction", f"{node.id}-compaction", parent, step.time) | kept
    elif step.relation == Relation.SUBAGENT:
        data = {"relation": "subagent", "agent": step.agent, "parent": step.parent}
        mark = {"customType": HARNESS, "data": data}
        yield _entry("custom", f"{node.id}-subagent", parent, step.time) | mark


def _changes(node: Node, context: _Context) -> Iterator[Row]:
    step = node.step
    model = (step.provider, step.model)
    # readers take the last one for the session's: a sub-agent's model stands at its answers alone
    if node.thread is None and step.model is not None and model != context.model:
        context.model = model
        change = {"provider": step.provider or "", "modelId": step.model}
        yield _entry("model_change", f"{node.id}-model", None, step.time) | change
    if step.tools and step.tools != context.tools:
        context.tools = step.tools
        listed = {"customType": _TOOLS[0], "data": {_TOOLS[1]: step.tools}}
        yield _entry("custom", f"{node.id}-tools", None, step.time) | listed


def _message(node: Node, options: Options) -> Json:
    (chat,) = shown([node.chat], options)
    time = milliseconds_of(node.step.time)
    blocks = [_block(part) for part in parts_of(chat)]
    if chat["role"] == "tool":
        return {
            "role": "toolResult",
            "toolCallId": chat.get("tool_call_id") or "",
            "toolName": chat.get("name") or "",
            "content": blocks,
            "isError": bool(chat.get("is_error")),
            "timestamp": time,
        }
    if chat["role"] == "user":
        return {"role": "user", "content": blocks, "timestamp": time}
    if chat["role"] != "assistant":
        raise UnfitError(f"role {chat['role']!r}")
    if thought := chat.get("reasoning_content"):
        blocks.insert(0, {"type": "thinking", "thinking": thought})
    for call in calls_of(chat):
        function = call["function"]
        named = {"id": call["id"], "name": function["name"], "arguments": function["arguments"]}
        blocks.append({"type": "toolCall", **named})
    return {"role": "assistant", "content": blocks, **_facts(node), "timestamp": time}


def _block(part: Json) -> Json:
    if part["type"] != "image":
        return part
    address = part["image"]
    head, found, data = address.partition(";base64,")
    if found and head.startswith("data:"):
        return {"type": "image", "data": data, "mimeType": head.removeprefix("data:")}
    return {"type": "image", "url": address}


def _facts(node: Node) -> dict[str, Json]:
    """Say of an answer who gave it, how it ended and what it cost, once for each call of a model."""
    step = node.step
    if not node.is_answer:
        return {}
    facts: dict[str, Json] = {}
    if step.provider is not None:
        facts["provider"] = step.provider
    if step.model is not None:
        facts["model"] = step.model
    if node.is_counted and (usage := _usage(step)):
        facts["usage"] = usage
    if stop := _BROKEN.get(step.outcome) or _STOPS.get((step.finish_reason or "").lower()):
        # several languages have one word for both
        facts["stopReason"] = "toolUse" if stop == "stop" and calls_of(node.chat) else stop
    return facts


def _usage(step: Step) -> dict[str, int]:
    """Give tokens in Pi's words: `input` without those that were read from a cache or written to it."""
    known = {name: count for name, count in step.usage.items() if isinstance(count, int)}
    cached = {
        "cacheRead": known.get("cache_read_tokens"),
        "cacheWrite": known.get("cache_write_tokens"),
    }
    usage = {name: count for name, count in cached.items() if count is not None}
    if "input_tokens" in known:
        usage["input"] = known["input_tokens"] - sum(usage.values())
    if "output_tokens" in known:
        usage["output"] = known["output_tokens"]
    if "input_tokens" in known and "output_tokens" in known:
        usage["totalTokens"] = known["input_tokens"] + known["output_tokens"]
    return usage
