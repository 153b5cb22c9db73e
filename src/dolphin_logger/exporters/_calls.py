"""Calls of tools and their results, made to find each other in a session.

Some languages give calls no ids (Ollama, older Gemini), and results only a name or an id. Shapes of
sessions refer by id and show the name. It knows steps of a session and no shape. Invariant: ids that were
recorded stay; one that is made comes from its record and place, so it is the same in every build.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from dolphin_logger.example import Chat, Json, Step
from dolphin_logger.exporters._content import calls_of


@dataclass(slots=True)
class _Calls:
    """What was called so far: names by id, and by step those that wait for a result."""

    names: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, list[str]] = field(default_factory=dict)


def identify_calls(steps: list[Step]) -> list[Step]:
    """Give steps in which every call has an id, and every result the id and the name of its call."""
    calls = _Calls()
    return [_identify(step, calls) for step in steps]


def _identify(step: Step, calls: _Calls) -> Step:
    waiting = list(calls.waiting.get(step.parent or "", ()))
    chats = [*step.messages, *step.answers]
    named = [
        _name(chat, f"{step.id}-{place}", calls=calls, waiting=waiting)
        for place, chat in enumerate(chats)
    ]
    calls.waiting[step.id] = waiting
    count = len(step.messages)
    return replace(step, messages=named[:count], answers=named[count:])


def _name(chat: Chat, place: str, *, calls: _Calls, waiting: list[str]) -> Chat:
    if chat["role"] == "tool":
        return _name_result(chat, calls, waiting)
    if not calls_of(chat):
        return chat
    named = []
    for number, call in enumerate(calls_of(chat)):
        own = {"type": "function", "id": f"{place}-{number}", **call}
        calls.names[own["id"]] = own["function"]["name"]
        waiting.append(own["id"])
        named.append(own)
    return {**chat, "tool_calls": named}


def _name_result(chat: Chat, calls: _Calls, waiting: list[str]) -> Chat:
    found: Json = chat.get("tool_call_id")
    if found is None:
        name = chat.get("name")
        fitting = [one for one in waiting if name is None or calls.names[one] == name]
        found = fitting[0] if fitting else None
    if found in waiting:
        waiting.remove(found)
    known = chat.get("name") or calls.names.get(found)
    named = {**chat}
    if found is not None:
        named["tool_call_id"] = found
    if known is not None:
        named["name"] = known
    return named
