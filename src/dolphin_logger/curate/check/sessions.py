"""Sessions: rules of trace files, Pi's session format with a harness and the Hub's simple one.

Sources: badlogic/pi-mono, packages/coding-agent/docs/session-format.md, version 3;
huggingface.co/docs/hub/{agent-traces,session-traces-format}. A client's own files are its own: of
`native` traces nothing is asked but that lines are objects.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from dolphin_logger.curate.check.chats import listed

Line = dict[str, Any]
Fault = tuple[int, str]  # which line, from 0, and what is wrong

_ENTRIES: Final = {
    *("message", "model_change", "thinking_level_change", "compaction", "branch_summary"),
    *("custom", "custom_message", "label", "session_info"),
}
_ROLES: Final = ("user", "assistant", "toolResult")
_BLOCKS: Final[Mapping[str, Mapping[str, type]]] = {
    "text": {"text": str},
    "thinking": {"thinking": str},
    "toolCall": {"id": str, "name": str, "arguments": dict},
    "image": {},
}


def faults(lines: Sequence[Any], *, flavour: str) -> Iterator[Fault]:
    """Say what keeps the lines of a file from being a session of a flavour: pi, sts or native."""
    odd = [at for at, line in enumerate(lines) if not isinstance(line, dict)]
    yield from ((at, "no object") for at in odd)
    if odd or flavour == "native":
        return
    if not lines or lines[0].get("type") != "session":
        yield 0, "a session begins with a line of the type session"
        return
    yield from ((0, f"no {name}") for name in ("id", "harness") if not _is_text(lines[0].get(name)))
    yield from _faults_of_sts(lines) if flavour == "sts" else _faults_of_pi(lines)


def _faults_of_pi(lines: Sequence[Line]) -> Iterator[Fault]:
    if lines[0].get("version") != 3:
        yield 0, "not version 3"
    seen: set[Any] = {None}
    for at, line in enumerate(lines):
        if not _is_time(line.get("timestamp")):
            yield at, "timestamp is no time of ISO 8601"
        if at == 0:
            continue
        if line.get("type") not in _ENTRIES:
            yield at, "an entry of an unknown type"
        if not _is_text(line.get("id")) or line["id"] in seen:
            yield at, "an entry needs an id of its own"
        if line.get("parentId") not in seen:
            yield at, "parentId names no entry above"
        seen.add(line.get("id"))
        if line.get("type") == "message":
            yield from ((at, wrong) for wrong in _faults_of_message(line.get("message")))
    if not any(line.get("type") == "message" for line in lines):
        yield 0, "no message"


def _faults_of_message(message: Any) -> Iterator[str]:
    if not isinstance(message, dict) or not isinstance(message.get("role"), str):
        yield "a message without a role"
        return
    if message["role"] not in _ROLES:
        yield f"a message of a role that is none of {', '.join(_ROLES)}"
    content = message.get("content")
    if not isinstance(content, list) and not (message["role"] == "user" and _is_text(content)):
        yield "content is no list of blocks"
    if message["role"] == "toolResult" and not isinstance(message.get("toolCallId"), str):
        yield "a result without the id of its call"
    for block in listed(content):
        kinds = _BLOCKS.get(str(block.get("type"))) if isinstance(block, dict) else None
        if kinds is None:
            yield "a block of an unknown type"
        elif not all(isinstance(block.get(name), kind) for name, kind in kinds.items()):
            yield f"a block of the type {block['type']} without {', '.join(kinds)}"


def _faults_of_sts(lines: Sequence[Line]) -> Iterator[Fault]:
    for at, line in enumerate(lines[1:], 1):
        message = line.get("message")
        if line.get("type") != "message" or not isinstance(message, dict):
            yield at, "no line of the type message"
        elif not isinstance(message.get("role"), str) or not isinstance(
            message.get("content"), str
        ):
            yield at, "a message without role and content"
        else:
            calls = [one.get("function") for one in listed(message.get("toolCalls"))]
            if not all(isinstance(one, dict) and _is_text(one.get("name")) for one in calls):
                yield at, "a call without a name"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _is_time(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(datetime.fromisoformat(value))
    except ValueError:
        return False
