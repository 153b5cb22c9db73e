"""The cast of the stitching benchmark: clients as they are known to behave, each with its truth.

One generator a client; it yields how many seconds pass until it goes on. What they do was taken from
recorded traffic and from their published code, not from what the stitcher looks for.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from stitching_world import (
    GO_ON,
    GREETINGS,
    REPLIES,
    Ask,
    Client,
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

FAILED = (Outcome.PROVIDER_ERROR, Outcome.PROVIDER_TRUNCATED, Outcome.TIMEOUT)


@dataclass
class Chat:
    """A client's own view of one chat: what was said, and which record said it last."""

    world: World
    kind: str
    name: str
    said: list[Said] = field(default_factory=list)
    last: str | None = None

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
            parent = _asked_before(world, chat, before)
            chat.said[-1] = Said("user", world.sentence())
            reply = answer(world, first=False)
            chat.last = send_chat(chat, reply, chat.truth("branch", parent), system=system)
            yield world.random.uniform(4, 90)
        chat.said.append(reply)


def _asked_before(world: World, chat: Chat, record: str) -> str:
    """Give the record whose answer the last question was put to."""
    truth = world.truth[record]
    while truth.relation in ("duplicate", "regenerate"):
        truth = world.truth[truth.parent or ""]
    return truth.parent or ""


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
            parent = _asked_before(world, chat, asked) or chat.last or ""
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


TOOLS = ["read_file", "write_file", "run_command", "search"]


def twin_agents(world: World, name: str) -> Iterator[float]:
    """One of several agents with the same instructions and tools at once, without ids."""
    chat = Chat(world, "agents in parallel", name, said=[Said("user", world.sentence(6, 16))])
    yield from _work(
        chat, system="You are an agent. Today is Monday.", rounds=world.random.randint(2, 8)
    )


def _work(chat: Chat, *, system: str, rounds: int, run: str | None = None) -> Iterator[float]:
    """Work with tools, then say so."""
    world = chat.world
    for turn in range(rounds):
        reply = working(world, TOOLS) if turn + 1 < rounds else answer(world, first=False)
        relation, parent = chat.next_relation(), chat.last
        if world.chance(0.08):
            failed = world.random.choice(FAILED)
            parent = send_chat(
                chat,
                None,
                chat.truth(relation),
                system=system,
                tools=TOOLS,
                outcome=failed,
                run=run,
            )
            relation = "duplicate"
            yield 2
        chat.last = send_chat(
            chat,
            reply,
            Truth(chat.kind, chat.name, relation, parent),
            system=system,
            tools=TOOLS,
            run=run,
        )
        chat.said.append(reply)
        if reply.calls:
            chat.said.append(results(world, reply))
        yield world.random.uniform(1, 20)


def orchestrator(world: World, name: str) -> Iterator[float]:
    """A framework whose agents start agents in the same process, without ids."""
    chat = Chat(world, "agents that start agents", name, said=[Said("user", world.sentence(6, 16))])
    tools = [*TOOLS, "delegate"]
    for turn in range(world.random.randint(2, 4)):
        tasks = [world.sentence(8, 20) for _ in range(world.random.randint(1, 3))]
        calls = [
            (world.name("call_"), "delegate", {"task": task, "role": "worker"}) for task in tasks
        ]
        reply = Said("assistant", world.sentence(), calls)
        chat.last = send_chat(
            chat, reply, chat.truth(chat.next_relation()), system="Lead.", tools=tools
        )
        yield 3
        for task in tasks:
            helper = Chat(world, chat.kind, name, said=[Said("user", task)])
            for step in range(world.random.randint(1, 3)):
                made = working(world, TOOLS) if step == 0 else answer(world, first=False)
                truth = helper.truth(
                    "continue" if helper.last else "subagent", helper.last or chat.last
                )
                helper.last = send_chat(helper, made, truth, system="Work.", tools=TOOLS)
                helper.said += [made, results(world, made)] if made.calls else [made]
                yield world.random.uniform(1, 5)
                if not made.calls:
                    break
        chat.said += [reply, results(world, reply)]
        yield 2 + turn
    send_chat(chat, answer(world, first=False), chat.truth("continue"), system="Lead.", tools=tools)


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


CODE_TOOLS = ["Agent", "Bash", "Edit", "Read", "Write"]


@dataclass
class ClaudeCode:
    """Claude Code's session: one main thread, helpers with ids, reminders that move."""

    chat: Chat
    session: str
    agents: bool = True

    def headers(self, agent: str | None, parent: str | None) -> dict[str, str]:
        named = {
            "user-agent": "claude-cli/2.1.197 (external, cli)",
            "x-claude-code-session-id": self.session,
        }
        if agent and self.agents:
            named["x-claude-code-agent-id"] = agent
        if parent and self.agents:
            named["x-claude-code-parent-agent-id"] = parent
        return named

    def send(
        self,
        said: list[Said],
        reply: Said | None,
        truth: Truth,
        *,
        agent: str | None = None,
        parent: str | None = None,
        tools: list[str] | None = None,
        model: str = "claude-opus-4-8",
        outcome: Outcome = Outcome.COMPLETED,
        stream: bool = True,
        path: str | None = None,
    ) -> str:
        world = self.chat.world
        said = copy.deepcopy(said)
        questions = [one for one in said if one.role == "user"]
        if questions:
            questions[0].more = [
                f"<system-reminder>\nToday is {world.sentence()}\n</system-reminder>\n"
            ]
        if world.chance(0.3) and said[-1].role != "assistant":
            said[-1].text += f"\n<system-reminder>\n{world.sentence()}\n</system-reminder>"
        names = CODE_TOOLS if tools is None else tools
        system = ["You are Claude Code.", world.sentence()]
        body = messages_body(said, system=system, tools=names, model=model, stream=stream)
        served = None if reply is None else messages_answer(reply, world.name("msg_"))
        if path:
            served = {"input_tokens": 17}
        headers = self.headers(agent, parent)
        return world.ask(
            Ask("anthropic.messages", body, headers, truth, served, outcome=outcome, path=path)
        )


def claude_code(world: World, name: str, *, agents: bool = True) -> Iterator[float]:
    """Claude Code: a title, counting, helpers in parallel, a retry without stream, compaction, resuming."""
    chat = Chat(world, "Claude Code" if agents else "Claude Code without agent ids", name)
    code = ClaudeCode(chat, world.name(), agents)
    chat.said.append(Said("user", world.sentence(6, 20)))
    last_answer: Said | None = None
    for turn in range(world.random.randint(3, 12)):
        if world.chance(0.1):
            truth = chat.truth("side") if chat.last else Truth(chat.kind, name, "side", None)
            code.send(chat.said, None, truth, path="/v1/messages/count_tokens")
            yield 0.3
        relation, parent = chat.next_relation(), chat.last
        if chat.said[0].role == "assistant":
            break
        if getattr(chat, "pending", None):
            relation = chat.pending  # type: ignore[attr-defined]
            chat.pending = None  # type: ignore[attr-defined]
        if world.chance(0.1):
            half = Said("assistant", world.sentence()) if world.chance(0.5) else None
            failed = Outcome.PROVIDER_TRUNCATED if half else Outcome.PROVIDER_ERROR
            parent = code.send(
                chat.said, half, Truth(chat.kind, name, relation, parent), outcome=failed
            )
            relation = "duplicate"
            yield world.random.uniform(1, 8)
        reply = (
            working(world, CODE_TOOLS[1:])
            if world.chance(0.75)
            else answer(world, first=False, think=True)
        )
        helpers: list[tuple[str, str]] = []
        if world.chance(0.2):
            helpers = [
                (world.name("a"), world.sentence(8, 30)) for _ in range(world.random.randint(1, 3))
            ]
            reply.calls += [
                (world.name("toolu_"), "Agent", {"prompt": task, "description": "help"})
                for _, task in helpers
            ]
        chat.last = code.send(
            chat.said,
            reply,
            Truth(chat.kind, name, relation, parent),
            stream=relation != "duplicate",
        )
        last_answer = reply
        if turn == 0:
            title = [Said("user", chat.said[0].text)]
            code.send(
                title,
                Said("assistant", "A title"),
                chat.truth("side"),
                tools=[],
                model="claude-haiku-4-5",
            )
        yield world.random.uniform(1, 10)
        yield from _helpers(code, helpers, chat.last)
        chat.said.append(reply)
        chat.said.append(results(world, reply) if reply.calls else Said("user", world.sentence()))
        if len(chat.said) > 7 and world.chance(0.3):
            yield from _compact(code)
        if world.chance(0.06):
            code.session = world.name()  # resumed later
            yield 4000
        elif len(chat.said) > 6 and world.chance(0.1):
            _clear_results(chat)
    if world.chance(0.2) and last_answer is not None:
        yield 1


def _helpers(code: ClaudeCode, helpers: list[tuple[str, str]], parent: str) -> Iterator[float]:
    """Let helpers work side by side, one turn each in turn."""
    chat, world = code.chat, code.chat.world
    working_on = {
        agent: Chat(world, chat.kind, chat.name, said=[Said("user", task)])
        for agent, task in helpers
    }
    for step in range(3):
        for agent, helper in working_on.items():
            reply = working(world, CODE_TOOLS[1:]) if step < 2 else answer(world, first=False)
            truth = helper.truth("continue" if helper.last else "subagent", helper.last or parent)
            helper.last = code.send(helper.said, reply, truth, agent=agent, tools=CODE_TOOLS[1:])
            helper.said += [reply, results(world, reply)] if reply.calls else [reply]
            yield world.random.uniform(0.1, 4)


def _compact(code: ClaudeCode) -> Iterator[float]:
    """Ask for a summary as the next turn, and begin anew with it; newer versions keep the last turns."""
    chat, world = code.chat, code.chat.world
    if chat.said[-1].role == "user":
        chat.said.pop()
        ask = [*chat.said, Said("user", "Your task is to create a detailed summary of it all.")]
    else:
        ask = [*chat.said, Said("user", "Your task is to create a detailed summary of it all.")]
    summary = Said(
        "assistant", f"<analysis>{world.prose()}</analysis>\n<summary>\n{world.prose()}\n</summary>"
    )
    chat.last = code.send(ask, summary, chat.truth("continue"))
    yield 6
    begun = summary.text.partition("<summary>\n")[2].partition("\n</summary>")[0]
    opening = Said(
        "user", f"This session is being continued from a previous conversation.\n{begun}\nGo on."
    )
    kept = [one for one in chat.said[-2:] if one.role == "assistant"] if world.chance(0.4) else []
    tail = chat.said[chat.said.index(kept[0]) :] if kept else []
    chat.said[:] = [opening, *tail]
    if chat.said[-1].role == "assistant":
        chat.said.append(Said("user", world.sentence()))
    chat.pending = "compaction"  # type: ignore[attr-defined]


def _clear_results(chat: Chat) -> None:
    """Clear old results of tools, as clients do that run out of room."""
    for one in chat.said[:-2]:
        if one.results:
            one.results = [
                (call, name, "[Old tool result content cleared]") for call, name, _ in one.results
            ]
            chat.pending = "compaction"  # type: ignore[attr-defined]


def codex(world: World, name: str) -> Iterator[float]:
    """Codex: threads with ids, facts of the machine in front, a helper, compaction that keeps questions."""
    chat = Chat(world, "Codex", name, said=[Said("user", world.sentence(6, 20))])
    session = world.name()
    pending: str | None = None

    def send(
        said: list[Said], reply: Said | None, truth: Truth, agent: str | None = None, **more: Any
    ) -> str:
        context = f"<environment_context>\n<cwd>/home/user</cwd>\n<date>{world.sentence()}</date>\n</environment_context>"
        body = responses_body(
            said, developer=world.sentence(), context=context, tools=TOOLS, model="gpt-5.5"
        )
        body["prompt_cache_key"] = agent or session
        headers = {
            "user-agent": "codex_exec/0.171.0",
            "originator": "codex_exec",
            "session-id": session,
        }
        headers["thread-id"] = agent or session
        if agent:
            headers["x-codex-parent-thread-id"] = session
        served = None if reply is None else responses_answer(reply, world.name("resp_"))
        return world.ask(Ask("openai.responses", body, headers, truth, served, **more))

    for _ in range(world.random.randint(3, 10)):
        relation, parent = pending or chat.next_relation(), chat.last
        pending = None
        if world.chance(0.1):
            parent = send(
                chat.said,
                None,
                Truth(chat.kind, name, relation, parent),
                outcome=Outcome.PROVIDER_ERROR,
            )
            relation = "duplicate"
            yield 3
        reply = (
            working(world, TOOLS) if world.chance(0.7) else answer(world, first=False, think=True)
        )
        task = world.sentence(8, 24) if world.chance(0.2) else ""
        if task:
            reply.calls.append((world.name("call_"), "spawn_agent", {"message": task}))
        chat.last = send(chat.said, reply, Truth(chat.kind, name, relation, parent))
        yield world.random.uniform(1, 9)
        if task:
            agent, helper = world.name(), Chat(world, chat.kind, name, said=[Said("user", task)])
            for step in range(2):
                made = working(world, TOOLS) if step == 0 else answer(world, first=False)
                truth = helper.truth(
                    "continue" if helper.last else "subagent", helper.last or chat.last
                )
                helper.last = send(helper.said, made, truth, agent)
                helper.said += [made, results(world, made)] if made.calls else [made]
                yield 2
        chat.said.append(reply)
        chat.said.append(results(world, reply) if reply.calls else Said("user", world.sentence()))
        if len(chat.said) > 8 and world.chance(0.3) and chat.said[-1].role == "user":
            question = chat.said.pop()
            summary = Said("assistant", world.prose() + "\n" + world.prose())
            ask = [*chat.said, Said("user", "Write a handoff summary for another model.")]
            chat.last = send(ask, summary, chat.truth("continue"))
            yield 4
            prefix = (
                "Another language model started to solve this problem and produced a summary.\n"
            )
            kept = [one for one in chat.said if one.role == "user"]
            chat.said = [*kept, Said("user", prefix + summary.text.strip()), question]
            pending = "compaction"


def gemini_cli(world: World, name: str) -> Iterator[float]:
    """Gemini CLI under `run`: no session, and helpers that only their task tells."""
    chat = Chat(world, "Gemini CLI", name)
    run = world.name()[:8]
    chat.said.append(Said("user", world.sentence(6, 20), more=[f"This is the Gemini CLI. {name}"]))

    def send(said: list[Said], reply: Said | None, truth: Truth, system: str, **more: Any) -> str:
        body = gemini_body(said, system=system, tools=TOOLS)
        served = None if reply is None else gemini_answer(reply, world.name())
        headers = {"user-agent": "GeminiCLI-tui/0.61.0/gemini-3.1-pro (Linux; x86_64)"}
        return world.ask(Ask("gemini", body, headers, truth, served, run=run, **more))

    for _ in range(world.random.randint(2, 8)):
        relation, parent = chat.next_relation(), chat.last
        if world.chance(0.1):
            parent = send(
                chat.said,
                None,
                Truth(chat.kind, name, relation, parent),
                "Main.",
                outcome=Outcome.TIMEOUT,
            )
            relation = "duplicate"
            yield 3
        reply = (
            working(world, TOOLS) if world.chance(0.7) else answer(world, first=False, think=True)
        )
        task = world.sentence(8, 24) if world.chance(0.2) else ""
        if task:
            reply.calls.append(
                (world.name("fc_"), "invoke_agent", {"agent_name": "generalist", "prompt": task})
            )
        chat.last = send(chat.said, reply, Truth(chat.kind, name, relation, parent), "Main.")
        yield world.random.uniform(1, 9)
        if task:
            helper = Chat(world, chat.kind, name, said=[Said("user", task)])
            for step in range(2):
                made = working(world, TOOLS) if step == 0 else answer(world, first=False)
                truth = helper.truth(
                    "continue" if helper.last else "subagent", helper.last or chat.last
                )
                helper.last = send(helper.said, made, truth, "Helper.")
                helper.said += [made, results(world, made)] if made.calls else [made]
                yield 2
        chat.said.append(reply)
        chat.said.append(results(world, reply) if reply.calls else Said("user", world.sentence()))


def opencode(world: World, name: str) -> Iterator[float]:
    """opencode: a title before everything else, and helpers with sessions of their own."""
    chat = Chat(world, "opencode", name, said=[Said("user", world.sentence(6, 20))])
    session = world.name("ses_")

    def headers(own: str, parent: str | None = None) -> dict[str, str]:
        named = {"user-agent": "opencode/1.18.33 ai-sdk/provider-utils/4.0.23", "x-session-id": own}
        return named | ({"x-parent-session-id": parent} if parent else {})

    title = [Said("user", chat.said[0].text, more=["Generate a title for this conversation:\n"])]
    truth = Truth(chat.kind, name, "side", None)
    send_chat(
        chat,
        Said("assistant", "A title"),
        truth,
        said=title,
        system="Titles.",
        headers=headers(session),
    )
    yield 0.01
    for _ in range(world.random.randint(2, 7)):
        reply = working(world, TOOLS) if world.chance(0.7) else answer(world, first=False)
        task = world.sentence(8, 24) if world.chance(0.25) else ""
        if task:
            reply.calls.append(
                (world.name("call_"), "task", {"prompt": task, "subagent_type": "general"})
            )
        chat.last = send_chat(
            chat,
            reply,
            chat.truth(chat.next_relation()),
            system="Code.",
            tools=TOOLS,
            headers=headers(session),
        )
        yield world.random.uniform(1, 9)
        if task:
            own, helper = (
                world.name("ses_"),
                Chat(world, chat.kind, name, said=[Said("user", task)]),
            )
            for step in range(2):
                made = working(world, TOOLS) if step == 0 else answer(world, first=False)
                truth = helper.truth(
                    "continue" if helper.last else "subagent", helper.last or chat.last
                )
                helper.last = send_chat(
                    helper, made, truth, system="Code.", tools=TOOLS, headers=headers(own, session)
                )
                helper.said += [made, results(world, made)] if made.calls else [made]
                yield 2
        chat.said.append(reply)
        chat.said.append(results(world, reply) if reply.calls else Said("user", world.sentence()))


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


def same_task_twice(world: World, name: str) -> Iterator[float]:
    """Two agents with the same task at the same time, without ids: each its own conversation."""
    task, kind = world.sentence(6, 16), "the same task at once"
    system = "You are an agent. Today is Monday."
    works = [
        _work(Chat(world, kind, f"{name}-{n}", said=[Said("user", task)]), system=system, rounds=3)
        for n in range(2)
    ]
    for work in works:
        next(work)
        yield 0.1
    yield 1
    while works:
        work = world.random.choice(works)
        pause = next(work, None)
        if pause is None:
            works.remove(work)
        else:
            yield pause / 2


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


def changing_agent(world: World, name: str) -> Iterator[float]:
    """An agent without ids whose instructions, model and tools change on the way; some answers break off."""
    chat = Chat(world, "changing agent", name, said=[Said("user", world.sentence(6, 16))])
    tools = list(TOOLS)
    for turn in range(world.random.randint(3, 8)):
        if world.chance(0.3):
            tools.append(f"tool_{turn}")
        reply = working(world, TOOLS) if world.chance(0.6) else answer(world, first=False)
        model = world.random.choice(["gpt-x", "gpt-x-mini"])
        cut = not reply.calls and world.chance(0.4)
        chat.last = send_chat(
            chat, reply, chat.truth(chat.next_relation()), system=world.sentence(), tools=tools,
            model=model, outcome=Outcome.CLIENT_DISCONNECTED if cut else Outcome.COMPLETED,
        )  # fmt: skip
        if cut:  # the client keeps what it had shown, which is not all that had come
            reply = Said("assistant", reply.text[: len(reply.text) // 2])
        chat.said += [
            reply,
            results(world, reply) if reply.calls else Said("user", world.sentence()),
        ]
        yield world.random.uniform(2, 30)


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
    seen = 0
    for _ in range(world.random.randint(3, 9)):
        chat.question()
        reply = answer(world, first=False)
        if world.chance(0.25) and chat.said[1:]:
            yield 10  # this one is not recorded
        else:
            relation = "start" if not chat.last else "continue"
            chat.last = send_chat(chat, reply, chat.truth(relation), system=system)
            seen += 1
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


def claude_code_without_agents(world: World, name: str) -> Iterator[float]:
    """Claude Code of last year: its helpers are known by their tasks only."""
    return claude_code(world, name, agents=False)


CAST: tuple[Client, ...] = (
    plain_chat,
    plain_chat,
    plain_chat,
    thinking_in_text,
    open_webui,
    open_webui,
    open_webui_without_ids,
    editing_chat,
    best_of,
    truncating,
    few_shot,
    every_hour,
    cached_app,
    twin_agents,
    twin_agents,
    orchestrator,
    scripted_runs,
    claude_code,
    claude_code,
    claude_code_without_agents,
    codex,
    codex,
    gemini_cli,
    opencode,
    remembered,
    same_task_twice,
    quoting_chat,
    changing_agent,
    summarising,
    wandering,
    paused,
    impatient_library,
)
