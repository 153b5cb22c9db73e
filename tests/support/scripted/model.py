"""A model that follows a script: what it says next depends only on what the request holds.

It knows no wire language: a `Speech` reads a request into `Asked` and writes a `Reply` as bytes. It keeps its
own books, independent of the project: every request, which step of which part it was, what was said.
Invariant: the step is the number of tool results that came back, so a request made again gets the same step.
"""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from tests.support.provider import Received, Wire


@dataclass(frozen=True)
class Think:
    """A thought: text and what proves it."""

    text: str
    proof: str = "cHJvb2Y="


@dataclass(frozen=True)
class Say:
    """Text for the user."""

    text: str


@dataclass(frozen=True)
class Call:
    """A call of one of the client's tools.

    `arguments` may be computed from the results that have come back. `custom` ones take a text instead;
    some of Codex's live in a `namespace`.
    """

    name: str
    arguments: dict[str, Any] | Callable[[list[str]], dict[str, Any]] = field(default_factory=dict)
    custom: str | None = None
    namespace: str | None = None


Part = Think | Say | Call


@dataclass(frozen=True)
class Fault:
    """What goes wrong when a step is asked for the first times.

    `status` is answered instead of anything else; without it the stream is cut off in the long text with
    which such a step has to begin: clients make a request again as long as no part of its answer is whole.
    With `waits` it is not cut off there but says nothing more until the client has left.
    """

    status: int | None = None
    times: int = 1
    waits: bool = False


@dataclass(frozen=True)
class Step:
    """One answer, and what goes wrong before it can be given."""

    parts: tuple[Part, ...]
    fault: Fault | None = None

    def calls(self) -> list[Call]:
        return [part for part in self.parts if isinstance(part, Call)]


def step(*parts: Part, fault: Fault | None = None) -> Step:
    """Write one answer."""
    return Step(parts, fault)


@dataclass(frozen=True)
class Asked:
    """What a speech read out of a request.

    `text` is all that users said, `results` are the tools' answers in order, `tools` their names.
    """

    text: str
    results: list[str]
    tools: list[str]
    stream: bool
    model: str


@dataclass
class Said:
    """One request in the model's books.

    `cut`: the model broke off; `left`: the client did, in the middle of the answer.
    `part` is the marker of the script's part (empty: a side task); `plain` is the answer as it would be
    without streaming, None when it failed; `begun` text that a cut stream had said.
    """

    number: int
    received: Received
    part: str
    step: int
    asked: Asked
    plain: dict[str, Any] | None = None
    status: int = 200
    cut: bool = False
    left: bool = False
    begun: str = ""

    @property
    def request_id(self) -> str:
        return f"req_{self.number:04}"


class Speech(Protocol):
    """One wire language, as a provider speaks it."""

    def serves(self, received: Received) -> bool:
        """Say whether a request asks the model for words."""

    def read(self, received: Received) -> Asked:
        """Read a request."""

    def plain(self, said: Said, step: Step) -> dict[str, Any]:
        """Write an answer as one object."""

    def events(self, said: Said, step: Step) -> list[bytes]:
        """Write the same as a stream."""

    def error(self, status: int) -> dict[str, Any]:
        """Write an error."""

    def other(self, received: Received) -> dict[str, Any] | None:
        """Answer what is no request for words; None is 404."""


LONG = "Now I write down what I have found out, with the greatest of care, in one file."
_CUT_AFTER = 6  # events: in every language some of the text has come, and never all of `LONG`
SIDE_TASK = step(Say("A quiet title"))


class ScriptedModel:
    """Plays a script in one language; it is the script of a `FakeProvider`.

    `parts` maps a marker to steps: the first marker that the users' text contains names the part.
    """

    def __init__(self, speech: Speech, parts: dict[str, list[Step]]) -> None:
        self.speech = speech
        self.parts = parts
        self.said: list[Said] = []
        self.others: list[Received] = []
        self._asked: Counter[tuple[str, int]] = Counter()

    async def __call__(self, received: Received, wire: Wire) -> None:
        """Answer one request."""
        if not self.speech.serves(received):
            self.others.append(received)
            found = self.speech.other(received)
            await self._send(wire, found or self.speech.error(404), 200 if found else 404, "req_o")
            return
        said, now = self._choose(received)
        if now.fault and self._asked[said.part, said.step] <= now.fault.times:
            await self._fail(wire, said, now)
            return
        said.plain = self.speech.plain(said, now)
        if not said.asked.stream:
            await self._send(wire, said.plain, 200, said.request_id)
            return
        await wire.head(200, _fields("text/event-stream; charset=utf-8", said.request_id))
        for event in self.speech.events(said, now):
            await wire.chunk(event)
            await asyncio.sleep(0)
        await wire.end()

    def of(self, part: str) -> list[Said]:
        """Give the requests of one part."""
        return [said for said in self.said if said.part == part]

    def _choose(self, received: Received) -> tuple[Said, Step]:
        asked = self.speech.read(received)
        part = next((marker for marker in self.parts if marker in asked.text), "")
        steps = self.parts.get(part, [SIDE_TASK])
        number, answered = 0, len(asked.results)
        while number < len(steps) - 1 and answered >= len(steps[number].calls()):
            answered -= len(steps[number].calls())
            number += 1
        said = Said(len(self.said), received, part, number, asked)
        self.said.append(said)
        self._asked[part, number] += 1
        return said, _computed(steps[number], asked.results)

    async def _fail(self, wire: Wire, said: Said, now: Step) -> None:
        assert now.fault is not None
        if now.fault.status is not None:
            said.status = now.fault.status
            error = self.speech.error(said.status)
            await self._send(wire, error, said.status, said.request_id, ("retry-after", "1"))
            return
        said.cut, said.left = not now.fault.waits, now.fault.waits
        first = now.parts[0]
        assert isinstance(first, Say)
        said.begun = in_pieces(first.text)[0]
        await wire.head(200, _fields("text/event-stream; charset=utf-8", said.request_id))
        events = self.speech.events(said, now)
        for event in events[:_CUT_AFTER]:
            await wire.chunk(event)
        if said.left:
            await wire.until_client_leaves()
        wire.close()

    async def _send(
        self, wire: Wire, value: dict[str, Any], status: int, number: str, *more: tuple[str, str]
    ) -> None:
        body = as_json(value)
        await wire.head(status, [*_fields("application/json", number), *more], length=len(body))
        await wire.chunk(body)


def _computed(now: Step, results: list[str]) -> Step:
    parts = tuple(
        replace(part, arguments=part.arguments(results))
        if isinstance(part, Call) and callable(part.arguments)
        else part
        for part in now.parts
    )
    return replace(now, parts=parts)


def _fields(kind: str, number: str) -> list[tuple[str, str]]:
    return [("content-type", kind), ("request-id", number), ("x-request-id", number)]


def as_json(value: Any) -> bytes:
    """Write JSON as a provider does."""
    return json.dumps(value, ensure_ascii=False).encode()


def in_pieces(text: str, size: int = 12) -> list[str]:
    """Cut a text as a stream would."""
    return [text[start : start + size] for start in range(0, len(text), size)] or [""]
