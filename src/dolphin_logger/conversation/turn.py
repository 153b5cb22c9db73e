"""Turn: what stitching needs of one record. Hashes and facts, no texts.

It is read from a record's fields and its bodies in words, and from nothing else; it knows no other
turn. Invariant: the same record gives the same turn, and equal messages give equal hashes whatever
language they came in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import Any, Final

from dolphin_logger.conversation.asides import (
    ALWAYS_WITH_TOOLS,
    asks_summary,
    is_aside,
    is_shortened,
)
from dolphin_logger.conversation.canonical import (
    HASH_BYTES,
    INSTRUCTIONS,
    MODEL,
    canonical,
    conversed,
    digest,
    hash_message,
    spoken,
    strings,
)
from dolphin_logger.messages import Answered, Asked, Message, Other, Text, ToolCall

REPLAY: Final = "replay"  # the tag that names the record which is asked again
_SHORTEST_TASK: Final = 12  # characters; a shorter argument of a call is no task for a sub-agent
_SHORTEST_LINE: Final = 4
_MOST_LINES: Final = 512
_MOST_TASKS: Final = 64
_LINES_OF_ANSWER: Final = 3
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_COUNTS: Final = ("/count_tokens", ":countTokens", "/input_tokens")
_SPEAKER: Final = re.compile(r"(?:user|assistant|human|ai)\s*:\s*", re.IGNORECASE)
# what Claude Code takes off a summary before it goes on with it
_AROUND: Final = re.compile(r"<analysis>.*?</analysis>|</?summary>", re.DOTALL)
_AGENT_IS_MESSAGE: Final = frozenset(["open-webui"])  # what it sends there names no agent
_KEY_IS_SESSION: Final = frozenset(["codex"])  # elsewhere `prompt_cache_key` is one for many


@dataclass(frozen=True, slots=True)
class Turn:
    """One model call.

    Attributes:
        time, ended: the request's start and its answer's end in UNIX microseconds.
        writer, seq: the segment and the place in it.
        owner: who asks, as far as ids of sessions may be compared.
        session, agent, parent: as sent; no session where what was sent names more than one.
        thread: hash of owner, session and agent: within it a history is compared.
        previous: id of the answer whose history the provider is to remember.
        answer: the answer's own id.
        replays: id of the record whose request is asked again, of another model perhaps.
        messages: one hash a message of the history, instructions left out; `models` tells which of
            them are the model's.
        answers: hashes of the choices, each as it would come back; `base` messages come before them.
        tasks: hashes of the texts that the answer's calls carry as arguments.
        firsts: hashes of the texts that came before the model's first; `lines`: of their lines, where the history
            may be one that was made short.
        said: hashes of the answer's longest lines.
        tools, system: hashes of the tools' names and of the instructions; empty without any.
        complete: whether a whole answer was given.
        retry, counting, aside, shortened, summary: the client says that it asks again; asks for no
            answer, but how long the history is; asks for itself; has made the history short; asks for
            a summary.
    """

    id: str
    time: int
    ended: int
    writer: str
    seq: int
    owner: bytes
    session: str | None
    agent: str | None
    parent: str | None
    thread: bytes
    previous: str | None
    answer: str | None
    replays: str | None
    model: str
    messages: tuple[bytes, ...]
    models: tuple[bool, ...]
    answers: tuple[bytes, ...]
    base: int
    tasks: tuple[bytes, ...]
    firsts: tuple[bytes, ...]
    lines: frozenset[bytes]
    said: tuple[bytes, ...]
    tools: bytes
    system: bytes
    complete: bool
    retry: bool
    counting: bool
    aside: bool
    shortened: bool
    summary: bool

    @property
    def order(self) -> tuple[int, str, int]:
        """Where the turn stands among all others."""
        return self.time, self.writer, self.seq


def read_turn(
    fields: Mapping[str, Any],
    asked: Asked,
    answered: Answered,
    *,
    writer: str,
    hashed: Callable[[Message], bytes] = hash_message,
) -> Turn:
    """Read a record: its fields, its bodies in words, and the name of the segment it lies in.

    `hashed` may remember the hashes of messages that it has seen.
    """
    who: Mapping[str, Any] = fields.get("client") or {}
    name = who.get("name")
    session = who.get("session")
    agent = None if name in _AGENT_IS_MESSAGE else who.get("agent")
    shared = session is not None and _is_shared(session, name, who, asked)
    owner = hash_of("owner", fields.get("principal"), name)
    history = [(hashed(message), message) for message in conversed(asked.messages)]
    history = [(digest_, message) for digest_, message in history if digest_]
    first, leading, last = _frame([message for _, message in history])
    models = tuple([message.role == MODEL for _, message in history])
    shortened = is_shortened(*first) or _has_compaction(history)
    answers, base = _read_answers(history, answered)
    said = [choice.message for choice in answered.choices]
    time = _moment(fields.get("time"))
    path = str(fields.get("path") or "").partition("?")[0]
    return Turn(
        id=str(fields["id"]),
        time=time,
        ended=time + int(1000 * ((fields.get("timing") or {}).get("total_ms") or 0)),
        writer=writer,
        seq=int(fields.get("seq") or 0),
        owner=owner,
        session=None if shared else session,
        agent=agent,
        parent=who.get("parent"),
        thread=(
            thread_of(owner, session, agent)
            if session is not None and not shared
            else hash_of("lane", owner, session, agent, (who.get("tags") or {}).get("run"))
        ),
        previous=_text(asked.rest.get("previous_response_id")),
        answer=_text(answered.rest.get("id")),
        replays=_text((who.get("tags") or {}).get(REPLAY)),
        model=str(fields.get("model") or ""),
        messages=tuple([digest_ for digest_, _ in history]),
        models=models,
        answers=answers,
        base=base,
        tasks=_read_tasks(said),
        firsts=tuple({digest(_bytes(text)): None for text in first if text}),
        lines=frozenset(_lines_of(first, most=_MOST_LINES) if shortened or not any(models) else ()),
        said=tuple(_longest_lines(said)),
        tools=hash_of("tools", *sorted(tool.name for tool in asked.tools)) if asked.tools else b"",
        system=_read_system(asked.messages),
        complete=fields.get("outcome") == "completed" and bool(answered.choices),
        retry=_counts_retries(fields),
        counting=path.endswith(_COUNTS),
        aside=is_aside(*leading, *last)
        or (name in ALWAYS_WITH_TOOLS and not asked.tools and not any(models)),
        shortened=shortened,
        summary=asks_summary(*last),
    )


def hash_of(kind: str, *parts: str | bytes | None) -> bytes:
    """Hash a tuple of words; None is not the same as an empty one."""
    words = [kind.encode()]
    for part in parts:
        data = part if isinstance(part, bytes) else b"" if part is None else _bytes(part)
        words.append(b"%d:" % (-1 if part is None else len(data)))
        words.append(data)
    return blake2b(b"".join(words), digest_size=HASH_BYTES).digest()


def thread_of(owner: bytes, session: str, agent: str | None) -> bytes:
    """Name the thread of an agent in a session; None is the main one."""
    return hash_of("thread", owner, session, agent)


def _is_shared(session: str, name: Any, who: Mapping[str, Any], asked: Asked) -> bool:
    """Say whether a session's name stands for many conversations: a key for caches, a program's run."""
    if session == (who.get("tags") or {}).get("run"):
        return True
    return session == asked.rest.get("prompt_cache_key") and name not in _KEY_IS_SESSION


def _frame(messages: Sequence[Message]) -> tuple[list[str], list[str], list[str]]:
    """Give the texts before the model's first, the first of them by message, and the last message's."""
    leading = []
    for message in messages:
        if message.role == MODEL:
            break
        leading.append(message)
    whole = [spoken(message) for message in leading]
    parts = [text.strip() for message in leading for text in _texts(message)]
    last = [spoken(messages[-1])] if messages and messages[-1].role != MODEL else []
    return [*whole, *parts], whole[:1], last


def _texts(message: Message) -> Iterator[str]:
    """Give the texts of a message's parts; also of such as agents write to each other."""
    for part in message.parts:
        if isinstance(part, Text):
            yield part.text
        elif isinstance(part, Other):
            yield from strings(part.value)


def _read_answers(
    history: Sequence[tuple[bytes, Message]], answered: Answered
) -> tuple[tuple[bytes, ...], int]:
    """Hash each choice as it will come back: behind what the history made the model begin with."""
    begun = history[-1][1].parts if history and history[-1][1].role == MODEL else ()
    forms = [
        canonical(Message(MODEL, (*begun, *choice.message.parts))) for choice in answered.choices
    ]
    base = len(history) - 1 if begun else len(history)
    return tuple([digest(form) for form in forms if form]), base


def _read_tasks(said: Iterable[Message]) -> tuple[bytes, ...]:
    calls = [part for message in said for part in message.parts if isinstance(part, ToolCall)]
    texts = [text.strip() for call in calls for text in strings(call.arguments)]
    told = {digest(_bytes(text)): None for text in texts if len(text) >= _SHORTEST_TASK}
    return tuple(told)[:_MOST_TASKS]


def _lines_of(texts: Iterable[str], *, most: int) -> list[bytes]:
    """Hash lines, their lengths in front; who says a line is no part of it."""
    lines: list[bytes] = []
    for text in texts:
        for line in text.splitlines():
            told = _SPEAKER.sub("", line.strip(), count=1)
            if len(told) >= _SHORTEST_LINE:
                lines.append(bytes([min(len(told), 255)]) + digest(_bytes(told))[:7])
                if len(lines) == most:
                    return lines
    return lines


def _longest_lines(said: Sequence[Message]) -> list[bytes]:
    texts = [_AROUND.sub("", spoken(message)) for message in said[:1]]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    longest = sorted(dict.fromkeys(lines), key=len, reverse=True)[:_LINES_OF_ANSWER]
    return _lines_of(longest, most=_LINES_OF_ANSWER)


def _read_system(messages: Iterable[Message]) -> bytes:
    texts = [spoken(message) for message in messages if message.role in INSTRUCTIONS]
    return hash_of("system", *texts)[:8] if any(texts) else b""


def _has_compaction(history: Sequence[tuple[bytes, Message]]) -> bool:
    parts = [part for _, message in history for part in message.parts if type(part) is Other]
    return any(part.kind == "compaction" for part in parts)


def _counts_retries(fields: Mapping[str, Any]) -> bool:
    """Read the count of tries that the vendors' own libraries send."""
    headers = (fields.get("headers") or {}).get("request") or {}
    return str(headers.get("x-stainless-retry-count") or "0") != "0"


def _moment(time: Any) -> int:
    """Read RFC 3339 as UNIX microseconds; 0 when it is none."""
    try:
        moment = datetime.fromisoformat(str(time))
    except ValueError:
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
