"""Pieces of datasets, as a build hands them to exporters: ordinary ones, and odd ones.

They know the words of a dataset and no exporter. `PIECES` has every piece by a name that says what is
odd about it; each that is a conversation of its own starts with `plain`, which every shape can hold.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dolphin_logger.example import (
    Chat,
    Example,
    Exchanged,
    Pair,
    Piece,
    Session,
    Step,
    chats_of,
)
from dolphin_logger.messages import (
    Image,
    Message,
    Part,
    Reasoning,
    Text,
    ToolCall,
    ToolResult,
)

THOUGHT = "a thought that is nowhere else"
SEAL = "c2VhbGVkIGJ5IGl0cyBwcm92aWRlcg"
# one grey pixel
PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
DATA_URL = f"data:image/png;base64,{PNG}"
TOOL = {
    "type": "function",
    "function": {
        "name": "run",
        "description": "Runs a command.",
        "parameters": {"type": "object", "properties": {"command": {"type": "string"}}},
    },
}
METADATA = {
    "conversation": "c1",
    "record": "r2",
    "models": ["gpt-x"],
    "providers": ["openai"],
    "client": "codex",
    "time": ["2026-03-04T05:06:07.000000Z", "2026-03-04T05:07:07.000000Z"],
    "tokens": {"input_tokens": 12, "output_tokens": 3},
    "finish_reason": "stop",
    "rating": 5,
    "tags": ["good"],
    "source": None,
}


def chats(*said: tuple[str, list[Part]]) -> list[Chat]:
    """Write messages in chat form."""
    return chats_of([Message(role, tuple(parts)) for role, parts in said])


def example(*said: tuple[str, list[Part]], answer: int = 1, **fields: Any) -> Example:
    """Make an example of messages whose last ones are the answer."""
    messages = chats(*said)
    return Example(
        "r2",
        "c1",
        messages,
        max(len(messages) - answer, 0),
        **{"tools": [], "metadata": dict(METADATA), **fields},
    )


def pair(prompt: list[Chat], chosen: list[Chat], rejected: list[Chat], **fields: Any) -> Pair:
    """Make a pair."""
    metadata = METADATA | {"chosen_record": "r2", "rejected_record": "r1"}
    return Pair(
        "r2", "c1", prompt, chosen, rejected, "regenerate", **{"metadata": metadata, **fields}
    )


def session(*steps: Step, **fields: Any) -> Session:
    """Make a session."""
    return Session("c1", "c1", "codex", list(steps), **{"metadata": dict(METADATA), **fields})


def step(record: str, asked: list[Chat], answers: list[Chat], **fields: Any) -> Step:
    """Make a step."""
    known: dict[str, Any] = {
        "parent": None,
        "relation": "start",
        "time": "2026-03-04T05:06:07.000000Z",
        "outcome": "completed",
        "model": "gpt-x",
        "provider": "openai",
        "usage": {"input_tokens": 12, "output_tokens": 3},
    }
    return Step(record, messages=asked, answers=answers, **known | fields)


U, A = "user", "assistant"
HI: tuple[str, list[Part]] = (U, [Text("Why is the sky blue?")])
BLUE: tuple[str, list[Part]] = (A, [Reasoning(THOUGHT, SEAL), Text("Rayleigh scattering.")])
AGENT: list[tuple[str, list[Part]]] = [
    ("system", [Text("Be kind.")]),
    ("developer", [Text("Be short.")]),
    (U, [Text("List the files.")]),
    (
        A,
        [
            Reasoning(THOUGHT, SEAL),
            Text("I look."),
            ToolCall(
                "run", {"command": "ls", "n": 2**63 - 1, "deep": {"a": [1, None, True, 1.5]}}, "1"
            ),
            ToolCall("run", {}, "2"),
        ],
    ),
    (U, [ToolResult("1", (Text("a.txt"),)), ToolResult("2", ()), Text("Go on.")]),
    (A, [Text("There is a.txt.")]),
]
PICTURE: list[tuple[str, list[Part]]] = [
    (U, [Text("What is this?"), Image(url=DATA_URL), Image(url="https://x.test/a.png")]),
    (A, [Text("A pixel.")]),
    (U, [Text("Sure?")]),
    (A, [Text("Yes.")]),
]
HALF = "half \ud83d of one, \udc00, \x00, \u2028, 🐬"


def _deep(levels: int) -> Any:
    value: Any = "bottom"
    for _ in range(levels):
        value = {"a": value}
    return value


def _nested(levels: int) -> Example:
    return example(HI, (A, [ToolCall("run", _deep(levels), "1")]), tools=[TOOL])


EXAMPLES: dict[str, Example] = {
    "plain": example(HI, BLUE),
    "an agent": example(*AGENT, tools=[TOOL]),
    "pictures": example(*PICTURE),
    "a picture that a tool gave": example(
        HI,
        (A, [ToolCall("run", {}, "1")]),
        ("tool", [ToolResult("1", (Text("shot"), Image(data=PNG)))]),
        BLUE,
    ),
    "a picture that the model made": example(HI, (A, [Image(data=PNG)])),
    "eleven pictures": example((U, [Image(url=f"https://x.test/{n}") for n in range(11)]), BLUE),
    "a picture that is no picture": example((U, [Image(url="data:image/png;base64,%%")]), BLUE),
    "a search within the answer": example(
        HI,
        (
            A,
            [
                ToolCall("web_search", {"q": "x"}, "s", kind="server"),
                ToolResult("s", (Text("found"),)),
                Text("So."),
            ],
        ),
        answer=3,
    ),
    "calls without ids": example(
        HI,
        (A, [ToolCall("run", {"a": 1}), ToolCall("run", {"a": 2})]),
        ("tool", [ToolResult(None, (Text("1"),), name="run")]),
        ("tool", [ToolResult(None, (Text("2"),), name="run")]),
        BLUE,
        tools=[TOOL],
    ),
    "a result without its call": example(HI, ("tool", [ToolResult("9", (Text("x"),))]), BLUE),
    "a call without its result": example(HI, (A, [ToolCall("run", {}, "1")]), HI, BLUE),
    "ends with a call": example(HI, (A, [ToolCall("run", {"command": "ls"}, "1")]), tools=[TOOL]),
    "ends with a result": example(HI, (A, [ToolCall("s", {}, "1"), ToolResult("1", ())]), answer=2),
    "a custom tool": example(HI, (A, [ToolCall("patch", "*** Begin", "1", kind="custom")])),
    "a tool without a name": example(HI, (A, [ToolCall("", {}, "1")])),
    "a tool with a strange name": example(
        HI,
        (A, [ToolCall("../a b", {}, "1")]),
        tools=[{"type": "function", "function": {"name": "../a b"}}],
    ),
    "many tools": example(HI, BLUE, tools=[TOOL] * 129),
    "an answer to a beginning": example(HI, (A, [Text("It is")]), BLUE),
    "instructions last": example(HI, ("developer", [Text("Now!")]), BLUE),
    "instructions alone": example(("system", [Text("Speak.")]), BLUE),
    "a question alone": example(HI, answer=0),
    "an answer alone": example(BLUE),
    "nothing at all": example(answer=0, metadata={}),
    "empty words": example((U, []), (A, [])),
    "a thought alone": example(HI, (A, [Reasoning(THOUGHT, SEAL)])),
    "a role of its own": example(HI, ("critic", [Text("No.")]), BLUE),
    "a stranger answers": example(HI, ("critic", [Text("No.")])),
    "cut before the beginning": replace(example(HI, BLUE), completion=-1),
    "cut behind the end": replace(example(HI, BLUE), completion=9),
    "half characters": example(
        (U, [Text(HALF)]),
        (A, [ToolCall("run", {HALF: HALF}, HALF)]),
        tools=[{"type": "function", "function": {"name": "run", "description": HALF}}],
        metadata={"tags": [HALF], "rating": 1},
    ),
    "long words": example((U, [Text("a\n" * 300_000)]), BLUE),
    "deep arguments": _nested(200),
    "too deep arguments": _nested(300),
    "no number": example(HI, (A, [ToolCall("run", {"n": float("nan")}, "1")])),
    "a number of forty digits": example(HI, (A, [ToolCall("run", {"n": 10**40}, "1")])),
    "rated 3": example(HI, BLUE, metadata=METADATA | {"rating": 3}),
    "rated 1": example(HI, BLUE, metadata=METADATA | {"rating": 1}),
    "not rated": example(HI, BLUE, metadata=METADATA | {"rating": None}),
    "rated by a truth": example(HI, BLUE, metadata=METADATA | {"rating": True}),
}


def _pair_of(piece: Example) -> Pair:
    prompt, chosen = piece.messages[: piece.completion], piece.messages[piece.completion :]
    rejected = chats((A, [Reasoning("worse"), Text("Because.")]))
    return pair(prompt, chosen, rejected, tools=piece.tools, metadata=piece.metadata)


PAIRS: dict[str, Pair] = {
    **{name: _pair_of(piece) for name, piece in EXAMPLES.items()},
    "the same twice": pair(chats(HI), chats(BLUE), chats(BLUE)),
    "only the thoughts differ": pair(
        chats(HI), chats(BLUE), chats((A, [Text("Rayleigh scattering.")]))
    ),
    "no worse answer": pair(chats(HI), chats(BLUE), []),
}


def _session_of(piece: Example) -> Session:
    asked, answers = piece.messages[: piece.completion], piece.messages[piece.completion :]
    return session(step("r2", asked, answers, tools=piece.tools), metadata=piece.metadata)


SESSIONS: dict[str, Session] = {
    **{name: _session_of(piece) for name, piece in EXAMPLES.items()},
    "branches and another agent": session(
        step("r1", chats(HI), chats(BLUE)),
        step("r2", chats(HI), chats(BLUE), parent="r1", relation="continuation"),
        step("r3", [], chats(BLUE), parent="r1", relation="branch"),
        step("r4", chats(HI), chats(BLUE), parent="r2", relation="subagent", agent="explore"),
        step("r5", chats(HI), [], parent="r2", outcome="provider_error", model=None, usage={}),
    ),
    "no steps": session(metadata={}),
    "a file of the client's own": session(
        step("r1", chats(HI), chats(BLUE)),
        native=[
            {"type": "user", "message": {"content": HALF}},
            {
                "type": "assistant",
                "message": {"content": [{"type": "thinking", "thinking": "m", "signature": SEAL}]},
            },
        ],
    ),
}
_ASKED = {"model": "gpt-x", "messages": [{"role": "user", "content": "Hi"}]}
EXCHANGES: dict[str, Exchanged] = {
    "plain": Exchanged("r1", "c1", _ASKED, {"choices": [{"message": {"content": "Hi"}}]}),
    "seals": Exchanged(
        "r1",
        "c1",
        {"messages": [{"content": [{"type": "thinking", "thinking": "m", "signature": SEAL}]}]},
        {"output": [{"type": "reasoning", "encrypted_content": SEAL, "summary": []}]},
    ),
    "pictures": Exchanged(
        "r1", "c1", {"a": {"url": DATA_URL}, "source": {"data": PNG}, "t": "/9j/ is a path"}, {}
    ),
    "no answer": Exchanged("r1", "c1", _ASKED, None),
    "no question": Exchanged("r1", "c1", None, {}),
    "a list": Exchanged("r1", "c1", [1, -(2**63) + 1, HALF, {HALF: None}], "text"),
    "too deep": Exchanged("r1", "c1", _deep(300), {}),
    "no number": Exchanged("r1", "c1", {"n": [float("inf")]}, {}),
}
PIECES: dict[str, dict[str, Piece]] = {
    "leaf": {**EXAMPLES},
    "turn": {**EXAMPLES},
    "pair": {**PAIRS},
    "session": {**SESSIONS},
    "exchange": {**EXCHANGES},
}
