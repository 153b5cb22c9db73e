"""The stitching benchmark's agents: clients that work with tools and start other agents.

One generator a client, as in `stitching_chats.py`.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from stitching_chat import FAILED, Chat, answer, results, send_chat, working
from stitching_world import (
    Ask,
    Said,
    Truth,
    World,
    gemini_answer,
    gemini_body,
    messages_answer,
    messages_body,
    responses_answer,
    responses_body,
)

from dolphin_logger.exchange import Outcome

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
    for turn in range(world.random.randint(3, 12)):
        if world.chance(0.1):
            truth = chat.truth("side") if chat.last else Truth(chat.kind, name, "side", None)
            code.send(chat.said, None, truth, path="/v1/messages/count_tokens")
            yield 0.3
        relation, parent = chat.next_relation(), chat.last
        if chat.pending:
            relation, chat.pending = chat.pending, None
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
    chat.pending = "compaction"


def _clear_results(chat: Chat) -> None:
    """Clear old results of tools, as clients do that run out of room."""
    for one in chat.said[:-2]:
        if one.results:
            one.results = [
                (call, name, "[Old tool result content cleared]") for call, name, _ in one.results
            ]
            chat.pending = "compaction"


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


def claude_code_without_agents(world: World, name: str) -> Iterator[float]:
    """Claude Code of last year: its helpers are known by their tasks only."""
    return claude_code(world, name, agents=False)
