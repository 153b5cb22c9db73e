"""One chat as a client of the stitching benchmark sees it, and what models say in it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from stitching_world import (
    GO_ON,
    GREETINGS,
    REPLIES,
    Ask,
    Said,
    Truth,
    World,
    chat_answer,
    chat_body,
)

from dolphin_logger.exchange import Outcome

FAILED = (Outcome.PROVIDER_ERROR, Outcome.PROVIDER_TRUNCATED, Outcome.TIMEOUT)


@dataclass
class Chat:
    """A client's own view of one chat: what was said, and which record said it last."""

    world: World
    kind: str
    name: str
    said: list[Said] = field(default_factory=list)
    last: str | None = None
    pending: str | None = None  # the relation of the next turn, where it is not to go on as usual

    def truth(self, relation: str, parent: str | None = None) -> Truth:
        return Truth(self.kind, self.name, relation, parent or self.last)

    def question(self) -> None:
        world = self.world
        if not self.said:
            text = world.random.choice(GREETINGS) if world.chance(0.4) else world.sentence()
        else:
            text = world.random.choice(GO_ON) if world.chance(0.2) else world.sentence()
        self.said.append(Said("user", text))

    def next_relation(self) -> str:
        return "continue" if self.last else "start"


def answer(world: World, *, first: bool, think: bool = False) -> Said:
    """Let a model say something."""
    text = world.random.choice(REPLIES) if first and world.chance(0.5) else world.prose()
    return Said("assistant", text, think=world.sentence() if think else "")


def working(world: World, tools: list[str], *, count: int | None = None) -> Said:
    """Let a model call tools."""
    calls = []
    for _ in range(count or world.random.randint(1, 3)):
        arguments = {"path": f"src/{world.random.choice(GO_ON[:3])}.py", "limit": 20.0}
        if world.chance(0.5):
            arguments = {"command": world.sentence(2, 6), "timeout": world.random.randint(1, 9)}
        calls.append((world.name("call_"), world.random.choice(tools), arguments))
    text = world.sentence() if world.chance(0.6) else ""
    return Said("assistant", text, calls, think=world.sentence() if world.chance(0.5) else "")


def results(world: World, made: Said) -> Said:
    """Let the client run what was called."""
    texts = ["ok", "", world.prose(), world.sentence()]
    done = [(call, name, world.random.choice(texts)) for call, name, _ in made.calls]
    return Said("tool", results=done)


def send_chat(
    chat: Chat,
    reply: Said | None,
    truth: Truth,
    *,
    system: str | None = None,
    tools: list[str] | None = None,
    headers: dict[str, str] | None = None,
    said: list[Said] | None = None,
    outcome: Outcome = Outcome.COMPLETED,
    model: str = "gpt-x",
    more: dict[str, Any] | None = None,
    run: str | None = None,
) -> str:
    world = chat.world
    body = chat_body(
        chat.said if said is None else said, system=system, tools=tools or [], model=model
    )
    served = None if reply is None else chat_answer(reply, world.name("chatcmpl-"))
    agent = headers or {"user-agent": "OpenAI/Python 3.1.0", "x-stainless-lang": "python"}
    return world.ask(
        Ask("openai.chat", body | (more or {}), agent, truth, served, outcome=outcome, run=run)
    )


def asked_before(world: World, chat: Chat, record: str) -> str:
    """Give the record whose answer the last question was put to."""
    truth = world.truth[record]
    while truth.relation in ("duplicate", "regenerate"):
        truth = world.truth[truth.parent or ""]
    return truth.parent or ""
