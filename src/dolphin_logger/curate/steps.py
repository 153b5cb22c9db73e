"""Steps: the calls of a session in the order of time, each with what was new before it.

It knows histories as messages and hashes, and how records hang on each other. Invariant: what a
step's parent showed already is not told again; where the parent is not here, all is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dolphin_logger.conversation import Relation
from dolphin_logger.conversation.canonical import INSTRUCTIONS
from dolphin_logger.curate.history import History
from dolphin_logger.curate.survey import Surveyed
from dolphin_logger.example import Chat, Step, chats_of, tool_of
from dolphin_logger.journal.format import format_time
from dolphin_logger.messages import Message

_NO_AGENTS: Final = frozenset(["open-webui"])  # what it sends there names a message


def steps_of(history: History, records: Sequence[Surveyed]) -> Iterator[Step]:
    """Give the steps of records, which are in the order of time.

    A step has tools where they are not those of its parent.
    """
    agents: dict[str, str | None] = {}
    for one in records:
        agents[one.id] = _agent(one, history, agents)
        asked, fields = history.asked(one.id), history.fields(one.id)
        tools = [tool_of(tool) for tool in asked.tools]
        if one.parent is not None and history.is_there(one.parent):
            above = [tool_of(tool) for tool in history.asked(one.parent).tools]
            tools = [] if tools == above else tools
        choices = history.answered(one.id).choices
        usage = fields.get("usage") or {}
        yield Step(
            id=one.id,
            parent=one.parent,
            relation=one.relation.value,
            time=format_time(one.time * 1000),
            outcome=one.outcome,
            model=one.model,
            provider=one.provider,
            messages=_without_known(chats_of(_new(one, history)), one, history),
            answers=chats_of(choice.message for choice in choices),
            tools=tools,
            agent=agents[one.id],
            finish_reason=one.finish_reason,
            usage={name: count for name, count in usage.items() if count is not None},
        )


def _new(one: Surveyed, history: History) -> Iterator[Message]:
    """Give the messages that are neither the parent's nor its answer."""
    known: set[bytes] = set()
    if one.parent is not None and history.is_there(one.parent):
        known.update(node for _, node in history.told(one.parent))
        known.update(history.answer_nodes(one.parent))
    for message, node in history.edited(one.id):
        if node not in known:
            yield message


def _without_known(chats: list[Chat], one: Surveyed, history: History) -> list[Chat]:
    """Leave out instructions that say what the parent's do: clients put notes in that are not told."""
    if one.parent is None or not history.is_there(one.parent):
        return chats
    above = (message for message, _ in history.edited(one.parent) if message.role in INSTRUCTIONS)
    known = chats_of(above)
    return [chat for chat in chats if chat["role"] != "system" or chat not in known]


def _agent(one: Surveyed, history: History, agents: dict[str, str | None]) -> str | None:
    """Name the thread of a sub-agent: as the client does, else after the record that began it."""
    if one.client not in _NO_AGENTS:
        named = (history.fields(one.id).get("client") or {}).get("agent")
        if named:
            return str(named)
    if one.relation is Relation.SUBAGENT:
        return one.id
    return agents.get(one.parent) if one.parent is not None else None
