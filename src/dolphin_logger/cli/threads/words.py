"""Words: what is said about a thread, the same in a terminal, in Markdown and in HTML.

Plain text without markup; what comes from records is not neutralised yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from dolphin_logger.conversation.canonical import spoken
from dolphin_logger.conversation.line import Entry
from dolphin_logger.conversation.thread import Fold, Step, Thread
from dolphin_logger.journal.reader import SHORTEST_ID
from dolphin_logger.messages import Message

FOLDS: Final = {
    "branch": "goes on otherwise",
    "regenerate": "another answer",
    "edit": "the answer before it was edited",
    "retry": "a try that was made again",
    "replay": "replayed",
    "subagent": "sub-agent",
    "side": "the client's own requests",
    "start": "begins anew in the same session",
}


def facts_of(thread: Thread) -> dict[str, str]:
    """Say what is known of the whole; what is unknown is left out."""
    usage = thread.usage
    counts = {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "cache read": usage.cache_read_tokens,
        "cache write": usage.cache_write_tokens,
        "reasoning": usage.reasoning_tokens,
    }
    failed = f", {count(thread.failed, 'try', 'tries')} failed" if thread.failed else ""
    sides = f", {count(thread.sides, 'request')} of the client's own" if thread.sides else ""
    facts = {
        "conversation": thread.id,
        "from": f"{short(thread.head)}, after {count(thread.before, 'turn')}: show {short(thread.id)}"
        if thread.before
        else "",
        "client": ", ".join(thread.clients),
        "session": thread.session or "",
        "models": ", ".join(thread.models),
        "turns": f"{thread.turns:,}{failed}{sides}",
        "tokens": ", ".join(f"{name} {n:,}" for name, n in counts.items() if n is not None),
        "cost": "" if thread.cost is None else f"${thread.cost / 1e6:,.4f} (estimate)",
        "time": _span(thread),
    }
    return {name: text for name, text in facts.items() if text}


def turn_facts(step: Step) -> str:
    """Say in one line which turn it is."""
    entry = step.entry
    tokens = (entry.usage.input_tokens, entry.usage.output_tokens)
    counted = " → ".join("?" if number is None else f"{number:,}" for number in tokens)
    parts = [
        f"turn {step.number}",
        local_time(entry.time),
        entry.model or "",
        f"{counted} tokens" if tokens != (None, None) else "",
        "" if entry.total_ms is None else f"{entry.total_ms / 1000:,.1f} s",
        short(entry.record),
    ]
    return " · ".join(part for part in parts if part)


def failure_of(entry: Entry) -> str:
    """Say how a turn failed; empty for one that did not."""
    if entry.is_complete:
        return ""
    status = "" if entry.status is None else f", status {entry.status}"
    outcome = entry.outcome if entry.outcome != "completed" else "no answer"
    return f"failed: {outcome}{status}: show {short(entry.record)} --record"


def compaction_of(step: Step) -> str:
    """Say that the client sent another history than the one above; empty where it did not."""
    if not (step.is_compaction or step.repeated or step.rewritten):
        return ""
    size = sum(len(spoken(message)) for message in step.rewritten)
    said = [
        f"{count(step.repeated, 'message')} sent again" if step.repeated else "",
        f"{count(len(step.rewritten), 'message')} ({size:,} characters) in place of others"
        if step.rewritten
        else "",
    ]
    what = ", ".join(part for part in said if part) or "a shorter history"
    return f"compacted: {what}: show {short(step.entry.record)} --record"


def setting_of(step: Step) -> str:
    """Say what the model is told beside the conversation; empty where nothing changed."""
    if step.setting is None:
        return ""
    size = sum(len(spoken(message)) for message in step.setting.instructions)
    told = f"instructions ({size:,} characters)" if step.setting.instructions else ""
    offered = f"{count(len(step.setting.tools), 'tool')} offered" if step.setting.tools else ""
    return ", ".join(part for part in (told, offered) if part) or "no instructions, no tools"


def fold_line(fold: Fold) -> str:
    """Sum up what is folded away, without its text."""
    failed = f", {fold.failed:,} failed" if fold.failed else ""
    models = f" ({', '.join(fold.models)})" if fold.models else ""
    noun = "request" if fold.kind == "side" else "turn"
    return (
        f"{FOLDS[fold.kind]}{models}: {count(fold.turns, noun)}{failed}: show {short(fold.record)}"
    )


def messages_of(step: Step) -> Iterable[Message]:
    """Give every message of a turn, shown or folded."""
    return (*step.rewritten, *step.messages, *step.answers)


def choice_name(step: Step, number: int) -> str:
    """Name one of several answers; empty where there is one."""
    return f"choice {number}" if len(step.answers) > 1 else ""


def short(identity: str) -> str:
    """Give the short form of an id."""
    return identity[-SHORTEST_ID:]


def count(number: int, noun: str, plural: str | None = None) -> str:
    """Write a number of things."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def local_time(microseconds: int) -> str:
    """Write a time as it was here, to the second; empty for one that is none."""
    try:
        return f"{datetime.fromtimestamp(microseconds / 1e6).astimezone():%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return ""


def _span(thread: Thread) -> str:
    first, last = local_time(thread.first), local_time(thread.last)
    span = first if first == last else f"{first} to {last}"
    return f"{span}, {thread.busy_ms / 1000:,.1f} s of answering" if thread.busy_ms else span
