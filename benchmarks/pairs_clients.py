"""The pairs benchmark's clients: what people prefer, and what only looks as if they did.

One generator a client, as in `stitching_chats.py`. Where a person (or a judge in a program) takes one
answer and leaves another, the client says so with `prefer`; all that is not said so is no pair. The
rules were written by the same hands.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stitching_chat import Chat, answer, results, send_chat, working
from stitching_world import (
    SECOND,
    Ask,
    Said,
    Truth,
    World,
    chat_answer,
    chat_body,
    gemini_answer,
    gemini_body,
    messages_answer,
    messages_body,
    responses_answer,
    responses_body,
)

from dolphin_logger.exchange import Outcome

SDK = {"user-agent": "OpenAI/Python 3.1.0"}
CODE = "def area(width, height):\n    return width {} height\n\nPrint it with `area(2, 3)`."


@dataclass(frozen=True)
class Preferred:
    """What somebody took, and what they left: records, choices; of an edit also the text that came back."""

    signal: str
    chosen: str
    rejected: str
    places: tuple[int, int] = (0, 0)
    text: str = ""


class Taste:
    """What was preferred in one world."""

    def __init__(self) -> None:
        self.pairs: dict[Preferred, str] = {}

    def prefer(self, kind: str, signal: str, chosen: str, rejected: str, **more: Any) -> None:
        self.pairs[Preferred(signal, chosen, rejected, **more)] = kind


TASTES: dict[int, Taste] = {}


def taste_of(world: World) -> Taste:
    """Give the taste of a world's people."""
    return TASTES.setdefault(id(world), Taste())


def say(chat: Chat, relation: str, reply: Said, parent: str | None = None, **more: Any) -> str:
    """Ask what a chat has come to; the record is the chat's last."""
    chat.last = send_chat(chat, reply, chat.truth(relation, parent), **more)
    return chat.last


def go_on(chat: Chat, reply: Said, record: str, **more: Any) -> Iterator[float]:
    """Take an answer, and ask something more."""
    chat.said += [reply, Said("user", chat.world.sentence())]
    say(chat, "continue", answer(chat.world, first=False), record, **more)
    yield chat.world.random.uniform(5, 50)


def begun(world: World, kind: str, name: str, **more: Any) -> tuple[Chat, Said]:
    """Begin a chat of some turns, a second each; give it and its last answer, which is not in it yet."""
    chat, reply = Chat(world, kind, name), None
    for _ in range(world.random.randint(1, 3)):
        chat.said += [reply] if reply else []
        chat.said.append(Said("user", world.sentence(5, 14)))
        reply = answer(world, first=False)
        say(chat, chat.next_relation(), reply, **more)
        world.now += SECOND
    assert reply
    return chat, reply


def swiping(world: World, name: str) -> Iterator[float]:
    """A person who asks several times, and goes on from any of the answers."""
    chat, reply = begun(world, "goes back to an answer", name)
    given = [(chat.last or "", reply)]
    yield 20
    for _ in range(world.random.randint(1, 4)):
        reply = answer(world, first=False)
        given.append((say(chat, "regenerate", reply), reply))
        yield world.random.uniform(5, 60)
    record, reply = world.random.choice(given)
    for other, _ in given:
        if other != record:
            taste_of(world).prefer(chat.kind, "regenerate", record, other)
    yield from go_on(chat, reply, record)


def gave_up(world: World, name: str) -> Iterator[float]:
    """A person who went on, went back, asked again, and went on from there."""
    chat, reply = begun(world, "went on, and back", name)
    first, history = chat.last or "", list(chat.said)
    yield 20
    yield from go_on(chat, reply, first)
    chat.said = history
    other = answer(world, first=False)
    second = say(chat, "regenerate", other, first)
    yield 30
    if world.chance(0.7):
        taste_of(world).prefer(chat.kind, "regenerate", second, first)
        yield from go_on(chat, other, second)


def both_ways(world: World, name: str) -> Iterator[float]:
    """A person who goes on from two answers: neither is worse."""
    chat, reply = begun(world, "both are gone on with", name)
    first, history = chat.last or "", list(chat.said)
    other = answer(world, first=False)
    yield 20
    second = say(chat, "regenerate", other)
    yield 30
    yield from go_on(chat, other, second)
    chat.said = list(history)
    yield from go_on(chat, reply, first)


def two_models(world: World, name: str) -> Iterator[float]:
    """Two models are asked at once, side by side; a person goes on with one of them."""
    chat, reply = begun(world, "two models", name, model="one")
    first = chat.last or ""
    yield 1
    other = answer(world, first=False)
    chat_truth = chat.truth("regenerate", first)
    if len(chat.said) == 1:  # another model's first question is another conversation
        chat_truth = Truth(chat.kind, f"{name}-other", "start", None)
        send_chat(chat, other, chat_truth, model="two")
        yield 20
        yield from go_on(chat, reply, first, model="one")
        return
    second = send_chat(chat, other, chat_truth, model="two")
    yield 20
    better = world.random.choice([(first, reply, second), (second, other, first)])
    taste_of(world).prefer(chat.kind, "regenerate", better[0], better[2])
    yield from go_on(chat, better[1], better[0])


def judged(world: World, name: str) -> Iterator[float]:
    """A program that samples several answers at once and goes on with the one its judge likes."""
    chat, reply = begun(world, "samples and a judge", name)
    given = [(chat.last or "", reply)]
    for _ in range(world.random.randint(1, 3)):
        yield 0.05
        reply = answer(world, first=False)
        given.append((say(chat, "regenerate", reply, given[0][0]), reply))
    yield 3
    record, reply = world.random.choice(given)
    for other, _ in given:
        if other != record:
            taste_of(world).prefer(chat.kind, "regenerate", record, other)
    yield from go_on(chat, reply, record)


def one_of_n(world: World, name: str) -> Iterator[float]:
    """A client that asks for several choices; one is gone on with, or none is."""
    chat = Chat(world, "one of n", name, said=[Said("user", world.sentence(6, 14))])
    gemini = world.chance(0.5)
    run = name if gemini else None
    for _ in range(world.random.randint(1, 3)):
        replies = [answer(world, first=False) for _ in range(world.random.randint(2, 4))]
        if world.chance(0.2):
            replies[1] = replies[0]
        truth = chat.truth(chat.next_relation())
        if gemini:
            body = gemini_body(chat.said, system="Be kind.", tools=[])
            body["generationConfig"] = {"candidateCount": len(replies), "temperature": 1.0}
            served = gemini_answer(replies[0], world.name())
            served["candidates"] = [gemini_answer(one, "")["candidates"][0] for one in replies]
            ask = Ask(
                "gemini", body, {"user-agent": "google-genai-sdk/3.0"}, truth, served, run=run
            )
        else:
            body = chat_body(chat.said, system=None, tools=[], model="gpt-x") | {"n": len(replies)}
            served = chat_answer(replies[0], world.name("chatcmpl-"))
            served["choices"] = [
                chat_answer(one, "")["choices"][0] | {"index": at} for at, one in enumerate(replies)
            ]
            ask = Ask("openai.chat", body, SDK, truth, served)
        chat.last = world.ask(ask)
        yield world.random.uniform(5, 50)
        if world.chance(0.25):
            return
        taken = world.random.randrange(len(replies))
        first = next(at for at, one in enumerate(replies) if one.text == replies[taken].text)
        for at, one in enumerate(replies):
            if one.text != replies[taken].text and replies.index(one) == at:
                places = (first, at)
                taste_of(world).prefer(chat.kind, "n_best", chat.last, chat.last, places=places)
        chat.said += [replies[taken], Said("user", world.sentence())]
    truth = chat.truth("continue")
    if gemini:
        body = gemini_body(chat.said, system="Be kind.", tools=[])
        reply = gemini_answer(answer(world, first=False), world.name())
        world.ask(
            Ask("gemini", body, {"user-agent": "google-genai-sdk/3.0"}, truth, reply, run=run)
        )
    else:
        send_chat(chat, answer(world, first=False), truth)


def in_anthropic(world: World, name: str) -> Iterator[float]:
    """A chat over Messages with thoughts: regenerations, and answers that a person rewrites."""
    chat = Chat(world, "over Messages", name, said=[Said("user", world.sentence(6, 14))])

    def ask(relation: str, reply: Said) -> str:
        body = messages_body(chat.said, system=["Be kind."], tools=[], model="claude-x")
        served = messages_answer(reply, world.name("msg_"))
        agent = {"user-agent": "Anthropic/Python 1.0"}
        chat.last = world.ask(Ask("anthropic.messages", body, agent, chat.truth(relation), served))
        return chat.last

    relation = "start"
    for _ in range(world.random.randint(2, 4)):
        reply = answer(world, first=False, think=True)
        record = ask(relation, reply)
        yield 20
        old = None
        if world.chance(0.4):
            old, reply = record, answer(world, first=False, think=True)
            record = ask("regenerate", reply)
            yield 20
        relation = "continue"
        if world.chance(0.3):
            relation, new = "edit", changed(world, reply)
            taste_of(world).prefer(chat.kind, "edit", record, record, text=new)
            reply = Said("assistant", new)
        elif old:
            taste_of(world).prefer(chat.kind, "regenerate", record, old)
        chat.said += [reply, Said("user", world.sentence())]
    ask(relation, answer(world, first=False))


def in_responses(world: World, name: str) -> Iterator[float]:
    """A chat over Responses whose provider remembers: it is asked again behind the same answer."""
    chat = Chat(world, "over Responses", name)
    previous, parent = None, None
    pending: list[str] = []
    for _ in range(world.random.randint(2, 5)):
        said = [Said("user", world.sentence(6, 14))]
        given = []
        for number in range(world.random.choice([1, 2, 3]) if previous else 1):
            body = responses_body(said, developer="", context="", tools=[], model="gpt-5.5")
            if previous:
                body["previous_response_id"] = previous
            own = world.name("resp_")
            served = responses_answer(answer(world, first=False), own)
            relation = "regenerate" if number else "continue" if parent else "start"
            truth = Truth(chat.kind, name, relation, given[-1][0] if number else parent)
            given.append((world.ask(Ask("openai.responses", body, SDK, truth, served)), own))
            yield world.random.uniform(5, 30)
        for other in pending:
            taste_of(world).prefer(chat.kind, "regenerate", parent, other)
        parent, previous = world.random.choice(given)
        pending = [record for record, _ in given if record != parent]


def changed(world: World, reply: Said) -> str:
    """Let a person rewrite a part of an answer: more in front, a word, a sentence, its first words."""
    words = reply.text.strip().split(" ")
    way = world.random.randrange(5)
    if way == 0:
        return f"{world.sentence()} {reply.text.strip()}"
    if way == 1:
        words[world.random.randrange(len(words))] = "quite different"
        return " ".join(words)
    if way == 2:
        return " ".join(words[max(1, len(words) // 4) :])
    if way == 3:
        half = len(words) // 2
        return " ".join([*words[:half], world.sentence(), *words[half:]])
    return f"{reply.text.strip()} {world.sentence()}"


def rewriting_person(world: World, name: str) -> Iterator[float]:
    """A person who rewrites answers: the last one, one swipe of several, an older one, code, all of it."""
    chat, reply = begun(world, "answers rewritten by hand", name)
    record = chat.last or ""
    yield 20
    way = world.random.randrange(4)
    if way == 0:  # an earlier swipe
        say(chat, "regenerate", answer(world, first=False))
        yield 20
        new = changed(world, reply)
    elif way == 1 and len(chat.said) > 1:  # all of it
        new = world.prose().strip()
    elif way == 2:  # a sign of code, and then again
        chat.said.append(Said("user", world.sentence()))
        chat.said.insert(-1, reply)
        reply = Said("assistant", CODE.format("+"))
        record = say(chat, "continue", reply)
        yield 20
        new = CODE.format("*2/")
    else:
        new = changed(world, reply)
    taste_of(world).prefer(chat.kind, "edit", record, record, text=new)
    chat.said += [Said("assistant", new), Said("user", world.sentence())]
    say(chat, "edit", answer(world, first=False), record)
    yield 20


def trimming_person(world: World, name: str) -> Iterator[float]:
    """A person who takes off the last sentences of an answer; one in ten stops within a sentence."""
    chat, reply = begun(world, "takes off the end", name)
    record, sentences = chat.last or "", reply.text.strip().split(". ")
    if len(sentences) < 2 or world.chance(0.6):
        return
    new = ". ".join(sentences[:-1]) + "."
    if world.chance(0.1):
        new = new[:-3]
    taste_of(world).prefer(chat.kind, "edit", record, record, text=new)
    chat.said += [Said("assistant", new), Said("user", world.sentence())]
    yield 20
    say(chat, "edit", answer(world, first=False), record)


def older_answer(world: World, name: str) -> Iterator[float]:
    """A person who rewrites an answer far back, in a client that names its chats."""
    session = {"user-agent": "Python/3.12 aiohttp/3.11", "x-openwebui-chat-id": world.name("chat-")}
    chat = Chat(world, "an older answer rewritten", name)
    given = []
    for _ in range(world.random.randint(3, 5)):
        chat.said.append(Said("user", world.sentence(5, 12)))
        reply = answer(world, first=False)
        say(chat, chat.next_relation(), reply, headers=session)
        given.append((chat.last or "", reply, len(chat.said)))
        chat.said.append(reply)
        yield 20
    record, reply, place = world.random.choice(given[:-1])
    new = changed(world, reply)
    taste_of(world).prefer(chat.kind, "edit", record, record, text=new)
    chat.said[place] = Said("assistant", new)
    chat.said.append(Said("user", world.sentence()))
    say(chat, "edit", answer(world, first=False), record, headers=session)


# what only looks like a preference


def tidying_client(world: World, name: str) -> Iterator[float]:
    """A client that writes answers its own way: white space, quotes, Markdown, thoughts, HTML."""
    kind = world.random.randrange(6)
    chat = Chat(world, "tidies what it sends back", name)
    for _ in range(world.random.randint(2, 5)):
        chat.said.append(Said("user", world.sentence(5, 12)))
        text = f'He said: "{world.sentence()}" - it\'s <fine> & well...\n\n\n- **{world.sentence()}**\n- {world.prose()}'
        reply = Said("assistant", text)
        if kind == 3:
            reply.text = f"{world.sentence()}</think>\n{text}"
        if kind == 4:
            reply.text = f"Let me see. <think>{world.sentence()}</think>\n{text}"
        say(chat, chat.pending or chat.next_relation(), reply)
        chat.pending = "edit"
        chat.said.append(Said("assistant", _TIDY[kind](reply.text)))
        yield 20
        if world.chance(0.3):  # what comes back tidied was taken all the same
            old = chat.last or ""
            chat.said.pop()
            say(chat, "regenerate", reply := Said("assistant", f"{text}{world.sentence()}"))
            taste_of(world).prefer(chat.kind, "regenerate", chat.last or "", old)
            chat.said.append(Said("assistant", _TIDY[kind](reply.text)))
            yield 20
    chat.said.append(Said("user", "thanks"))
    say(chat, "edit", answer(world, first=False))


_TIDY = [
    lambda text: " ".join(text.split()),
    lambda text: text.replace('"', "\u201c").replace("'", "\u2019").replace("...", "\u2026"),
    lambda text: text.replace("**", "__").replace("\n- ", "\n* "),
    lambda text: text.rpartition("</think>")[2].replace("\n\n\n", "\n\n"),
    lambda text: re.sub("<think>.*</think>", "", text),
    lambda text: text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"),
]


def cutting_client(world: World, name: str) -> Iterator[float]:
    """A client that cuts long answers of its history, at the end or in the middle, or takes them out."""
    chat = Chat(world, "cuts its history", name)
    way = world.random.randrange(4)
    for _ in range(world.random.randint(3, 6)):
        chat.said.append(Said("user", world.sentence(5, 12)))
        reply = answer(world, first=False)
        say(chat, chat.next_relation() if not chat.pending else "edit", reply)
        text, size = reply.text.strip(), len(reply.text) // 3
        chat.pending = "edit"
        cut = [
            text[:size],
            f"{text[:size]}...",
            f"{text[:size]}\n...[truncated {size} characters]...\n{text[-size:]}",
            "[assistant message omitted]",
        ][way]
        chat.said.append(Said("assistant", cut))
        yield 20


def masking_client(world: World, name: str) -> Iterator[float]:
    """A client that rewrites every answer by rule before it keeps it."""
    chat = Chat(world, "rewrites every answer", name)
    for turn in range(world.random.randint(4, 6)):
        chat.said.append(Said("user", world.sentence(5, 12)))
        reply = answer(world, first=False)
        say(chat, "edit" if turn else "start", reply)
        mask = f"[Reviewed by policy {turn}.] {reply.text.strip()}".replace(" stone", " [thing]")
        chat.said.append(Said("assistant", mask))
        yield 20


def mending_client(world: World, name: str) -> Iterator[float]:
    """An agent whose client mends calls: arguments made whole, calls dropped, texts put in."""
    chat = Chat(world, "mends calls", name, said=[Said("user", world.sentence(6, 16))])
    for turn in range(world.random.randint(2, 5)):
        reply = working(world, ["read_file", "run_command"])
        say(chat, "edit" if turn else "start", reply, tools=["read_file", "run_command"])
        back = Said("assistant", reply.text, [(i, n, {**a, "cwd": "."}) for i, n, a in reply.calls])
        if world.chance(0.3):
            back.text = f"{reply.text} (calling a tool)".strip()
        chat.said += [back, results(world, back)]
        yield 5
    say(chat, "edit", answer(world, first=False), tools=["read_file", "run_command"])


def joining_client(world: World, name: str) -> Iterator[float]:
    """A client that has an answer continued, and keeps the two as one."""
    chat, reply = begun(world, "puts two answers together", name)
    record = chat.last or ""
    yield 10
    more = answer(world, first=False)
    history = [*chat.said, reply, Said("user", "Continue exactly where you stopped.")]
    send_chat(chat, more, chat.truth("continue", record), said=history)
    yield 10
    chat.said += [Said("assistant", reply.text + more.text), Said("user", world.sentence())]
    say(chat, "edit", answer(world, first=False), record)


def exact(world: World, name: str) -> Iterator[float]:
    """A program at temperature 0 that asks again by chance, and goes on."""
    chat, _ = begun(world, "temperature 0", name, more={"temperature": 0})
    yield 20
    reply = answer(world, first=False)
    record = say(chat, "regenerate", reply, more={"temperature": 0})
    yield 5
    yield from go_on(chat, reply, record, more={"temperature": 0})


def other_task(world: World, name: str) -> Iterator[float]:
    """A person who changes the instructions, and asks again: another task; days and times are none."""
    what = "Answer as {}. It is {}, 2026-09-{} {}:{}."

    def system(role: str) -> str:
        hour, minute = world.random.randint(10, 23), world.random.randint(10, 59)
        day = world.random.choice(["Monday", "Tuesday"])
        return what.format(role, day, world.random.randint(10, 28), hour, minute)

    chat = Chat(world, "changed instructions", name, said=[Said("user", world.sentence(5, 12))])
    reply = answer(world, first=False)
    say(chat, "start", reply, system=system("a pirate"))
    yield 20
    chat.said += [reply, Said("user", world.sentence())]
    first = say(chat, "continue", answer(world, first=False), system=system("a pirate"))
    yield 20
    role = world.random.choice(["a pirate", "a lawyer"])
    reply = answer(world, first=False)
    record = say(chat, "regenerate", reply, system=system(role))
    yield 20
    if role == "a pirate":
        taste_of(world).prefer(chat.kind, "regenerate", record, first)
    yield from go_on(chat, reply, record, system=system(role))


def failing(world: World, name: str) -> Iterator[float]:
    """Answers that failed, were stopped, or asked for again by a library: nobody rejected them."""
    chat, reply = begun(world, "failed and stopped", name)
    chat.said += [reply, Said("user", world.sentence())]
    yield 10
    ways = [Outcome.PROVIDER_ERROR, Outcome.CLIENT_DISCONNECTED, Outcome.PROVIDER_TRUNCATED, None]
    way = world.random.choice(ways)
    more: dict[str, Any] = {"headers": SDK | {"x-stainless-retry-count": "1"}} if not way else {}
    parent = chat.last
    first = send_chat(
        chat, answer(world, first=False), chat.truth("continue"), outcome=way or Outcome.COMPLETED
    )
    yield 5
    reply = answer(world, first=False)
    record = say(chat, "duplicate", reply, first, **more)
    yield 10
    assert parent
    if world.chance(0.5):  # asked again by a person: of the two whole answers one was taken
        other = answer(world, first=False)
        again = say(chat, "regenerate", other, record)
        taste_of(world).prefer(chat.kind, "regenerate", again, record)
        reply, record = other, again
        yield 20
    yield from go_on(chat, reply, record)


def replayed(world: World, name: str) -> Iterator[float]:
    """Our own replays, of another model: nobody saw them in the chat."""
    chat, reply = begun(world, "replays", name)
    record = chat.last or ""
    yield 20
    body = chat_body(chat.said, system=None, tools=[], model="another")
    served = chat_answer(answer(world, first=False), world.name("chatcmpl-"))
    truth = chat.truth("regenerate", record)
    world.ask(Ask("openai.chat", body, SDK, truth, served, tags={"replay": record}))
    yield 20
    yield from go_on(chat, reply, record)


def trying_out(world: World, name: str) -> Iterator[float]:
    """The demo model: what it says is nobody's."""
    chat, _ = begun(world, "demo", name)
    body = chat_body(chat.said, system=None, tools=[], model="demo")
    given = []
    for number in range(2):
        said = answer(world, first=False)
        served = chat_answer(said, world.name("demo-"))
        truth = chat.truth("regenerate")
        chat.last = world.ask(Ask("openai.chat", body, SDK, truth, served, provider="demo"))
        given.append((chat.last, said))
        yield 20 + number
    yield from go_on(chat, given[1][1], given[1][0], model="demo")


def examples(world: World, name: str) -> Iterator[float]:
    """A program that puts an answer of its own in front, to a question that was asked before."""
    chat = Chat(world, "examples of its own", name, said=[Said("user", world.sentence(4, 9))])
    question = chat.said[0].text
    say(chat, "start", answer(world, first=False))
    yield 30
    shots = [Said("user", question), Said("assistant", "zzz yyy"), Said("user", world.sentence())]
    send_chat(
        chat, answer(world, first=False), Truth(chat.kind, f"{name}-2", "start", None), said=shots
    )


def titles(world: World, name: str) -> Iterator[float]:
    """A client's own requests, asked twice."""
    chat, reply = begun(world, "side tasks twice", name)
    yield 5
    aside = [
        Said("user", f"### Task:\nGenerate a title.\n<chat_history>\n{reply.text}\n</chat_history>")
    ]
    for relation in ("side", "regenerate"):
        send_chat(chat, Said("assistant", world.sentence()), chat.truth(relation), said=aside)
        yield 5
    yield from go_on(chat, reply, chat.last or "")


PEOPLE = (
    swiping, swiping, gave_up, two_models, judged, one_of_n, one_of_n, in_anthropic, in_anthropic,
    in_responses, in_responses, rewriting_person, rewriting_person, trimming_person, older_answer,
)  # fmt: skip
LOOKALIKES = (
    both_ways, tidying_client, tidying_client, cutting_client, cutting_client, masking_client,
    mending_client, joining_client, exact, other_task, failing, failing, replayed, trying_out,
    examples, titles,
)  # fmt: skip
