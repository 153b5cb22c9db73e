"""The stitching benchmark's clients for people, and programs that ask: each with its truth.

One generator a client; it yields how many seconds pass until it goes on. They behave as recorded
traffic and published code show their models to; the rules were written by the same hands.
"""

from __future__ import annotations

from collections.abc import Iterator

from stitching_chat import FAILED, Chat, answer, asked_before, send_chat
from stitching_world import (
    GO_ON,
    Ask,
    Said,
    Truth,
    World,
    responses_answer,
    responses_body,
)


def plain_chat(world: World, name: str) -> Iterator[float]:
    """A script over an SDK: no ids at all; at times a failure and a retry, or a changed question."""
    chat = Chat(world, "plain chat", name)
    system = world.random.choice([None, "You are a helpful assistant."])
    for _ in range(world.random.randint(1, 6)):
        chat.question()
        relation, parent = chat.next_relation(), chat.last
        if world.chance(0.15):
            half = answer(world, first=False) if world.chance(0.5) else None
            failed = world.random.choice(FAILED)
            parent = send_chat(chat, half, chat.truth(relation), system=system, outcome=failed)
            relation = "duplicate"
            yield world.random.uniform(1, 20)
        reply = answer(world, first=not chat.last, think=world.chance(0.3))
        chat.last = send_chat(chat, reply, Truth(chat.kind, name, relation, parent), system=system)
        before = chat.last
        yield world.random.uniform(4, 90)
        if world.chance(0.15):
            reply = answer(world, first=False)
            chat.last = send_chat(chat, reply, chat.truth("regenerate"), system=system)
            yield world.random.uniform(4, 90)
        if len(chat.said) > 2 and world.chance(0.15):
            parent = asked_before(world, chat, before)
            chat.said[-1] = Said("user", world.sentence())
            reply = answer(world, first=False)
            chat.last = send_chat(chat, reply, chat.truth("branch", parent), system=system)
            yield world.random.uniform(4, 90)
        chat.said.append(reply)


def thinking_in_text(world: World, name: str) -> Iterator[float]:
    """A local model writes its thoughts into its text; the client cuts them out."""
    chat = Chat(world, "thoughts in text", name)
    for _ in range(world.random.randint(2, 5)):
        chat.question()
        reply = answer(world, first=False)
        thought = Said("assistant", f"<think>\n{world.prose()}\n</think>\n\n{reply.text}")
        chat.last = send_chat(chat, thought, chat.truth(chat.next_relation()), model="deepseek-r1")
        chat.said.append(reply)
        yield world.random.uniform(5, 60)


def open_webui(world: World, name: str, *, ids: bool = True) -> Iterator[float]:
    """Open WebUI: side tasks after an answer; regenerations and edits of both sides' messages."""
    chat = Chat(world, "Open WebUI" if ids else "Open WebUI without ids", name)
    session = world.name("chat-")
    system = world.random.choice([None, world.sentence()])

    def headers() -> dict[str, str]:
        named = {"x-openwebui-chat-id": session, "x-openwebui-message-id": world.name()}
        return {"user-agent": "Python/3.12 aiohttp/3.11"} | (named if ids else {})

    turns = world.random.randint(1, 5)
    for turn in range(turns):
        chat.question()
        reply = answer(world, first=not chat.last)
        chat.last = asked = send_chat(
            chat, reply, chat.truth(chat.next_relation()), system=system, headers=headers()
        )
        yield world.random.uniform(2, 5)
        if turn == 0 or world.chance(0.5):
            quoted = "\n".join(
                f"{one.role.upper()}: {one.text.strip()}" for one in [*chat.said[-4:], reply]
            )
            for task in ("Generate a concise, 3-5 word title", "Generate 1-3 broad tags")[
                : 2 - turn % 2
            ]:
                text = f"### Task:\n{task} for the chat.\n### Chat History:\n<chat_history>\n{quoted}\n</chat_history>"
                aside = [Said("user", text)]
                truth = chat.truth("side")
                send_chat(
                    chat, Said("assistant", '{"title": "x"}'), truth, said=aside, headers=headers()
                )
                yield world.random.uniform(1, 3)
        yield world.random.uniform(5, 200)
        if world.chance(0.2):
            reply = answer(world, first=False)
            chat.last = send_chat(
                chat, reply, chat.truth("regenerate"), system=system, headers=headers()
            )
            yield world.random.uniform(5, 100)
        if world.chance(0.15) and (ids or len(chat.said) > 2):
            parent = asked_before(world, chat, asked) or chat.last or ""
            chat.said[-1] = Said("user", world.sentence())
            reply = answer(world, first=False)
            chat.last = send_chat(
                chat, reply, chat.truth("branch", parent), system=system, headers=headers()
            )
            yield world.random.uniform(5, 100)
        chat.said.append(reply)
        if world.chance(0.15) and turn + 1 < turns:
            yield from _go_on_edited(chat, system, headers())


def _go_on_edited(
    chat: Chat, system: str | None, headers: dict[str, str] | None
) -> Iterator[float]:
    """The user rewrites the last answer, and goes on from it."""
    world = chat.world
    old = chat.said[-1]
    chat.said[-1] = Said("assistant", f"{world.sentence()} {old.text.strip()}")
    chat.question()
    reply = answer(world, first=False)
    chat.last = send_chat(chat, reply, chat.truth("edit"), system=system, headers=headers)
    chat.said.append(reply)
    yield world.random.uniform(5, 100)


def editing_chat(world: World, name: str) -> Iterator[float]:
    """A client for stories, without ids: swipes, and answers that the user rewrites."""
    chat = Chat(world, "edited answers", name)
    system = world.sentence()
    for _ in range(world.random.randint(2, 6)):
        chat.question()
        reply = answer(world, first=False)
        chat.last = send_chat(chat, reply, chat.truth(chat.next_relation()), system=system)
        yield world.random.uniform(5, 60)
        for _ in range(world.random.choice([0, 0, 1, 3])):
            reply = answer(world, first=False)
            chat.last = send_chat(chat, reply, chat.truth("regenerate"), system=system)
            yield world.random.uniform(5, 60)
        chat.said.append(reply)
        if world.chance(0.3):
            yield from _go_on_edited(chat, system, None)


def best_of(world: World, name: str) -> Iterator[float]:
    """A sampler: one prompt several times at once, each answer a sibling; none is continued."""
    chat = Chat(world, "best of n", name)
    chat.said.append(Said("user", world.sentence(8, 20)))
    for _ in range(world.random.randint(2, 8)):
        reply = answer(world, first=False)
        relation = "regenerate" if chat.last else "start"
        chat.last = send_chat(chat, reply, chat.truth(relation))
        yield 0.05


def truncating(world: World, name: str) -> Iterator[float]:
    """A client that sends the last few messages only."""
    chat = Chat(world, "truncating", name)
    window = world.random.choice([3, 5, 7])
    system = world.sentence()
    for turn in range(world.random.randint(4, 10)):
        chat.question()
        reply = answer(world, first=False)
        relation = chat.next_relation() if len(chat.said) <= window else "compaction"
        sent = chat.said[-window:]
        chat.last = send_chat(chat, reply, chat.truth(relation), system=system, said=sent)
        chat.said.append(reply)
        yield world.random.uniform(4, 60) + turn


def few_shot(world: World, name: str) -> Iterator[float]:
    """A program that puts the same examples before every question: each is a conversation of its own."""
    shots = [
        Said("user", "river"),
        Said("assistant", "water"),
        Said("user", "stone"),
        Said("assistant", "rock"),
    ]
    for number in range(world.random.randint(3, 8)):
        chat = Chat(
            world,
            "few shots",
            f"{name}-{number}",
            said=[*shots, Said("user", world.sentence(1, 3))],
        )
        send_chat(
            chat,
            Said("assistant", world.random.choice(["water", "rock", "tree"])),
            chat.truth("start"),
        )
        yield world.random.uniform(1, 900)


def every_hour(world: World, name: str) -> Iterator[float]:
    """A job that asks the same again and again, hours apart, and goes on once."""
    for number in range(world.random.randint(2, 5)):
        chat = Chat(
            world, "every hour", f"{name}-{number}", said=[Said("user", f"Report for {name}.")]
        )
        reply = answer(world, first=False)
        chat.last = send_chat(chat, reply, chat.truth("start"))
        yield 5
        chat.said += [reply, Said("user", "Now in one sentence.")]
        send_chat(chat, answer(world, first=False), chat.truth("continue"))
        yield 3600


def cached_app(world: World, name: str) -> Iterator[float]:
    """A program that names one cache for all its chats."""
    for number in range(world.random.randint(2, 4)):
        chat = Chat(world, "one cache key", f"{name}-{number}")
        for _ in range(world.random.randint(1, 3)):
            chat.said.append(Said("user", world.sentence()))
            reply = answer(world, first=False)
            key = {"prompt_cache_key": "app-v1"}
            chat.last = send_chat(chat, reply, chat.truth(chat.next_relation()), more=key)
            chat.said.append(reply)
            yield world.random.uniform(3, 30)


def remembered(world: World, name: str) -> Iterator[float]:
    """A client of Responses that sends only what is new: the provider remembers the rest."""
    chat = Chat(world, "remembered by the provider", name)
    previous: str | None = None
    for _ in range(world.random.randint(2, 5)):
        said = [Said("user", world.sentence() if previous is None else world.random.choice(GO_ON))]
        body = responses_body(said, developer="", context="", tools=[], model="gpt-5.5")
        if previous:
            body["previous_response_id"] = previous
        own = world.name("resp_")
        served = responses_answer(answer(world, first=False), own)
        headers = {"user-agent": "OpenAI/Python 3.1.0"}
        truth = chat.truth(chat.next_relation())
        chat.last = world.ask(Ask("openai.responses", body, headers, truth, served))
        previous = own
        yield world.random.uniform(2, 40)


def quoting_chat(world: World, name: str) -> Iterator[float]:
    """A user who pastes an answer into a new chat: another conversation."""
    first = Chat(world, "pasted answers", f"{name}-0")
    for number in range(3):
        first.said.append(Said("user", world.sentence()))
        reply = answer(world, first=False)
        first.last = send_chat(first, reply, first.truth(first.next_relation()))
        first.said.append(reply)
        yield 20 + number
    pasted = f"What do you think of this?\n\n{first.said[-1].text}\n\nIs it right?"
    other = Chat(world, first.kind, f"{name}-1", said=[Said("user", pasted)])
    send_chat(other, answer(world, first=False), other.truth("start"))


def summarising(world: World, name: str) -> Iterator[float]:
    """A client without ids that keeps the last messages, and what went before as a summary."""
    chat = Chat(world, "summary and last messages", name)
    summary, system = "", "You are a friend."
    for turn in range(world.random.randint(3, 8)):
        chat.question()
        reply, relation = answer(world, first=False), chat.next_relation()
        sent = chat.said
        if len(chat.said) > 6:
            ask = Chat(
                world, chat.kind, f"{name}-{turn}", said=[Said("user", f"Sum up: {summary}")]
            )
            ask.said[0].text += "\n".join(one.text for one in chat.said[:4])
            made = Said("assistant", world.prose())
            send_chat(ask, made, ask.truth("start"))
            summary, relation = made.text, "compaction"
            del chat.said[: len(chat.said) - 3]
            yield 2
        chat.last = send_chat(
            chat, reply, chat.truth(relation), said=sent, system=f"{system} {summary}".strip()
        )
        chat.said.append(reply)
        yield world.random.uniform(4, 60)


def wandering(world: World, name: str) -> Iterator[float]:
    """A chat with a tree of messages, without ids: the user goes back to any answer and asks on."""
    chat = Chat(world, "tree of messages", name)
    leaves: list[tuple[list[Said], str]] = []
    asked: set[str] = set()
    for _ in range(world.random.randint(4, 10)):
        said, parent = world.random.choice(leaves) if leaves else ([], None)
        question = Said("user", world.sentence() if leaves or world.chance(0.5) else "hello there")
        reply = answer(world, first=False)
        relation = "start" if parent is None else "branch" if parent in asked else "continue"
        own = [*said, question]
        record = send_chat(chat, reply, Truth(chat.kind, name, relation, parent), said=own)
        asked.add(parent or "")
        leaves.append(([*own, reply], record))
        yield world.random.uniform(5, 2000)


def paused(world: World, name: str) -> Iterator[float]:
    """A chat without ids while recording is paused at times: some of its records are missing."""
    chat = Chat(world, "recording paused at times", name)
    system = world.sentence()
    for _ in range(world.random.randint(3, 9)):
        chat.question()
        reply = answer(world, first=False)
        if world.chance(0.25) and chat.said[1:]:
            yield 10  # this one is not recorded
        else:
            relation = "start" if not chat.last else "continue"
            chat.last = send_chat(chat, reply, chat.truth(relation), system=system)
        chat.said.append(reply)
        yield world.random.uniform(4, 60)


def impatient_library(world: World, name: str) -> Iterator[float]:
    """A library that asks again although the answer was on its way, and says so."""
    chat = Chat(world, "retries after an answer", name)
    named = {"user-agent": "OpenAI/Python 3.1.0", "x-stainless-retry-count": "0"}
    for _ in range(world.random.randint(1, 4)):
        chat.said.append(Said("user", world.sentence()))
        chat.last = send_chat(
            chat, answer(world, first=False), chat.truth(chat.next_relation()), headers=named
        )
        yield 60
        reply = answer(world, first=False)
        if world.chance(0.5):
            again = named | {"x-stainless-retry-count": "1"}
            chat.last = send_chat(chat, reply, chat.truth("duplicate"), headers=again)
            yield 5
        else:
            chat.last = send_chat(chat, reply, chat.truth("regenerate"), headers=named)
            yield 5
        chat.said.append(reply)


def open_webui_without_ids(world: World, name: str) -> Iterator[float]:
    """Open WebUI as it comes: it names nothing."""
    return open_webui(world, name, ids=False)


def scripted_runs(world: World, name: str) -> Iterator[float]:
    """The same program in two runs at once, word for word; each run is one conversation."""
    question, rounds = world.sentence(6, 16), world.random.randint(2, 4)
    kind = "the same program twice"
    chats = [Chat(world, kind, f"{name}-{n}", said=[Said("user", question)]) for n in range(2)]
    replies = [answer(world, first=False) for _ in range(rounds)]
    for reply in replies:
        for chat in chats:
            given = reply if world.chance(0.8) else answer(world, first=False)
            chat.last = send_chat(chat, given, chat.truth(chat.next_relation()), run=chat.name)
            chat.said += [given, Said("user", "go on")]
            yield world.random.uniform(0, 2)
