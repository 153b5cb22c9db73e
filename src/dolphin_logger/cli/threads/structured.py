"""Structured: a thread as JSON.

The form of messages is the one in which the index keeps them. Invariant: keys do not vanish; what is
unknown is null.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from dolphin_logger.conversation.thread import Fold, Setting, Step, Thread
from dolphin_logger.index.contents import content_of, tools_of
from dolphin_logger.messages import Message

SCHEMA_VERSION = 2  # 1 is a record


def as_json(thread: Thread) -> dict[str, Any]:
    """Write a thread."""
    return {
        "schema_version": SCHEMA_VERSION,
        "conversation": thread.id,
        "head": thread.head,
        "before": thread.before,
        "session": thread.session,
        "clients": list(thread.clients),
        "models": list(thread.models),
        "records": thread.records,
        "turns": thread.turns,
        "failed": thread.failed,
        "sides": thread.sides,
        "usage": asdict(thread.usage),
        "cost_micro_dollars": thread.cost,
        "first": thread.first,
        "last": thread.last,
        "busy_ms": thread.busy_ms,
        "early": _folds(thread.early),
        "steps": [_step(step) for step in thread.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    entry = step.entry
    return {
        "number": step.number,
        "record": entry.record,
        "relation": entry.relation.value,
        "time": entry.time,
        "model": entry.model,
        "provider": entry.provider,
        "client": entry.client,
        "outcome": entry.outcome,
        "status": entry.status,
        "complete": entry.is_complete,
        "replay": entry.is_replay,
        "usage": asdict(entry.usage),
        "cost_micro_dollars": entry.cost,
        "total_ms": entry.total_ms,
        "setting": None if step.setting is None else _setting(step.setting),
        "repeated": step.repeated,
        "rewritten": _messages(step.rewritten),
        "messages": _messages(step.messages),
        "answers": _messages(step.answers),
        "folds": _folds(step.folds),
    }


def _setting(setting: Setting) -> dict[str, Any]:
    return {
        "instructions": _messages(setting.instructions),
        "tools": tools_of(setting.tools)["parts"][0]["tools"],
    }


def _messages(messages: Iterable[Message]) -> list[dict[str, Any]]:
    return [content_of(message) for message in messages]


def _folds(folds: Iterable[Fold]) -> list[dict[str, Any]]:
    return [asdict(fold) | {"models": list(fold.models)} for fold in folds]
