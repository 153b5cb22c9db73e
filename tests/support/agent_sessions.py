"""Pieces of datasets as builds make them: conversations and sessions of an agent, small and whole."""

from __future__ import annotations

from typing import Any

from dolphin_logger.example import Chat, Example, Json, Session, Step

LIST_TOOL: Json = {
    "type": "function",
    "function": {
        "name": "list_files",
        "description": "Lists a folder.",
        "parameters": {
            "type": "object",
            "properties": {"path": {"type": "string"}, "depth": {"type": "integer"}},
            "required": ["path"],
        },
    },
}
TIME_TOOL: Json = {"type": "function", "function": {"name": "now"}}


def system(text: str) -> Chat:
    """Make instructions."""
    return {"role": "system", "content": text}


def user(*content: str | Json) -> Chat:
    """Make a user's message: a text, or texts and pictures."""
    if len(content) == 1 and isinstance(content[0], str):
        return {"role": "user", "content": content[0]}
    parts = [{"type": "text", "text": one} if isinstance(one, str) else one for one in content]
    return {"role": "user", "content": parts}


def picture(address: str) -> Json:
    """Make a part that is a picture."""
    return {"type": "image", "image": address}


def call(name: str, arguments: Json, *, call_id: str | None = None) -> Json:
    """Make a call of a tool."""
    function = {"name": name, "arguments": arguments}
    return {"type": "function", **({"id": call_id} if call_id else {}), "function": function}


def answer(text: str, *calls: Json, thought: str | None = None) -> Chat:
    """Make a model's message."""
    chat: Chat = {"role": "assistant", "content": text}
    if thought is not None:
        chat["reasoning_content"] = thought
    if calls:
        chat["tool_calls"] = list(calls)
    return chat


def result(text: str, *, call_id: str | None = None, name: str | None = None) -> Chat:
    """Make what a tool gave."""
    chat: Chat = {"role": "tool", "content": text}
    if call_id is not None:
        chat["tool_call_id"] = call_id
    if name is not None:
        chat["name"] = name
    return chat


def example(*messages: Chat, tools: list[Json] | None = None) -> Example:
    """Make an example of these messages."""
    return Example(
        id="rec-9",
        conversation="conv-1",
        messages=list(messages),
        completion=len(messages) - 1,
        tools=tools or [],
        metadata={"models": ["m-1"]},
    )


def chat_example() -> Example:
    """Two rounds of nothing but words, with a thought in each answer."""
    return example(
        system("Be brief."),
        user("Where is Rhodos?"),
        answer("In the Aegean.", thought="An island; Greek."),
        user("And Malta?"),
        answer("South of Sicily.", thought="Not Greek."),
    )


def tool_example() -> Example:
    """Two calls at once whose results come back in the other order, then a call beside words."""
    return example(
        system("You may use tools."),
        user("What is in /srv, and what time is it?"),
        answer(
            "",
            call("list_files", {"path": "/srv", "depth": 2}, call_id="c1"),
            call("now", {}, call_id="c2"),
            thought="Two things to look up.",
        ),
        result("12:30", call_id="c2"),
        result("a.txt\nü.txt", call_id="c1"),
        answer("Let me look closer.", call("list_files", {"path": "/srv/ü"}, call_id="c3")),
        result("empty", call_id="c3"),
        answer("Two files; it is half past twelve.", thought="Done."),
        tools=[LIST_TOOL, TIME_TOOL],
    )


def step(
    record: str,
    messages: list[Chat],
    answers: list[Chat],
    *,
    parent: str | None = None,
    relation: str = "continue",
    **more: Any,
) -> Step:
    """Make a step; its time follows from the number in its name."""
    number = int(record.rpartition("-")[2])
    facts: dict[str, Any] = {
        "time": f"2026-11-22T15:24:{number:02d}.500000Z",
        "outcome": "completed",
        "model": "m-1",
        "provider": "anthropic",
        "tools": [LIST_TOOL],
        "usage": {"input_tokens": 100, "output_tokens": 10, "cache_read_tokens": 60},
        "finish_reason": "end_turn",
    }
    return Step(
        id=record,
        parent=parent,
        relation="start" if parent is None else relation,
        messages=messages,
        answers=answers,
        **{**facts, **more},
    )


def session(*steps: Step, native: list[Json] | None = None) -> Session:
    """Make a session of these steps, named after the first."""
    return Session(
        id=steps[0].id,
        conversation=steps[0].id,
        client="claude-code",
        steps=list(steps),
        native=native or [],
        metadata={"rating": 5},
    )


def plain_session() -> Session:
    """One line of conversation with a thought, a call with an object for arguments, and its result."""
    return session(
        step(
            "rec-1",
            [system("Be a coder."), user("What is in /srv?")],
            [
                answer(
                    "Looking.",
                    call("list_files", {"path": "/srv", "depth": 2, "all": None}, call_id="c1"),
                    thought="I should list it.",
                )
            ],
            finish_reason="tool_use",
        ),
        step(
            "rec-2",
            [result("a.txt\nb.txt", call_id="c1")],
            [answer("Two files.", thought="Count them.")],
            parent="rec-1",
        ),
    )


def branched_session() -> Session:
    """A regenerated answer, and the conversation that goes on from the second one."""
    return session(
        step("rec-1", [user("Name a fruit.")], [answer("Apple.")]),
        step("rec-2", [], [answer("Pear.")], parent="rec-1", relation="regenerate"),
        step("rec-3", [user("Another.")], [answer("Plum.")], parent="rec-2"),
    )


def agent_session() -> Session:
    """A sub-agent called for by a tool, its own two steps, and the main thread that goes on."""
    task = call("task", {"prompt": "Count the files.", "kind": "counter"}, call_id="t1")
    return session(
        step("rec-1", [user("How many files?")], [answer("", task)]),
        step(
            "rec-2",
            [user("Count the files.")],
            [answer("", call("list_files", {"path": "."}, call_id="s1"), thought="List first.")],
            parent="rec-1",
            relation="subagent",
            agent="counter",
            model="m-small",
        ),
        step(
            "rec-3",
            [result("a\nb", call_id="s1")],
            [answer("2")],
            parent="rec-2",
            agent="counter",
            model="m-small",
        ),
        step("rec-4", [result("2", call_id="t1")], [answer("There are two.")], parent="rec-1"),
    )


def compacted_session() -> Session:
    """A history that came back with a summary in the place of its beginning."""
    return session(
        step("rec-1", [user("Start.")], [answer("Started.")]),
        step("rec-2", [user("Go on.")], [answer("Went on.")], parent="rec-1"),
        step(
            "rec-3",
            [user("Summary: started."), user("Go on."), answer("Went on."), user("Finish.")],
            [answer("Finished.")],
            parent="rec-2",
            relation="compaction",
        ),
    )


def nameless_session() -> Session:
    """Calls without ids, as Ollama makes them, and results that name only the tool."""
    calls = (call("list_files", {"path": "a"}), call("now", {}))
    return session(
        step("rec-1", [user("Look twice.")], [answer("", *calls)]),
        step(
            "rec-2",
            [result("12:30", name="now"), result("empty", name="list_files")],
            [answer("Nothing at half past twelve.")],
            parent="rec-1",
        ),
    )
