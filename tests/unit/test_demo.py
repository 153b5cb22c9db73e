"""The demo model: plausible, deterministic, and in OpenAI's shapes whatever is asked."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from dolphin_logger.providers.demo import DEMO
from dolphin_logger.providers.demo.answer import count_tokens
from dolphin_logger.providers.demo.shapes import Filler

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city",
        "parameters": {
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]},
                "days": {"type": "integer", "minimum": 1, "maximum": 7},
            },
            "required": ["city", "unit"],
        },
    },
}
TIME = {
    "type": "function",
    "function": {
        "name": "get_time",
        "description": "The time somewhere",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
    },
}
BOTH = "What's the weather in Paris and London?"


def chat(*turns: str) -> list[dict[str, Any]]:
    """Make a conversation whose turns alternate."""
    roles = ("user", "assistant")
    return [{"role": roles[at % 2], "content": text} for at, text in enumerate(turns)]


def ask(question: str, **more: Any) -> dict[str, Any]:
    """Make a request of one question."""
    return {"model": "demo", "messages": chat(question), **more}


async def collect(request: dict[str, Any]) -> list[bytes]:
    """Collect what is sent."""
    return [chunk async for chunk in DEMO.respond(request, "openai.chat").chunks]


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take the pauses out of the stream."""
    real = asyncio.sleep

    async def sleep(delay: float) -> None:
        await real(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)


def whole(request: dict[str, Any]) -> ChatCompletion:
    """Get the answer in one piece."""
    (body,) = asyncio.run(collect(request))
    return ChatCompletion.model_validate_json(body)


def text(request: dict[str, Any]) -> str:
    """Get the text of the answer."""
    return whole(request).choices[0].message.content or ""


def streamed(request: dict[str, Any]) -> list[ChatCompletionChunk]:
    """Get the chunks of the streamed answer."""
    events = b"".join(asyncio.run(collect({**request, "stream": True}))).split(b"\n\n")
    assert events[-2:] == [b"data: [DONE]", b""]
    return [ChatCompletionChunk.model_validate_json(event[6:]) for event in events[:-2]]


def assembled(request: dict[str, Any]) -> Any:
    """Get what the SDK accumulates from the stream."""
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    for chunk in streamed(request):
        state.handle_chunk(chunk)
    return state.current_completion_snapshot


def calls(request: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Get the names and arguments of the calls."""
    made = whole(request).choices[0].message.tool_calls or []
    return [
        (c.function.name, json.loads(c.function.arguments)) for c in made if c.type == "function"
    ]


REQUESTS = {
    "text": ask("Can you explain recursion in Python?"),
    "reasoning": ask("How do I plan a weekend?", reasoning_effort="high"),
    "one call": ask("What's the weather in Oslo?", tools=[WEATHER]),
    "parallel": ask(BOTH, tools=[WEATHER, TIME]),
    "choices": ask("Tell me about dolphins", n=3, stream_options={"include_usage": True}),
    "calls in choices": ask(BOTH, tools=[WEATHER], n=2, reasoning_effort="low"),
    "cut": ask("Why is the sky blue?", max_tokens=10),
    "json": ask("Tell me about Rome", response_format={"type": "json_object"}),
}


@pytest.mark.parametrize("name", REQUESTS)
def test_stream_and_body_say_the_same(name: str) -> None:
    """What OpenAI's accumulator makes of the stream equals the answer in one piece."""
    request = REQUESTS[name]
    made, body = assembled(request), whole(request)
    assert len(made.choices) == len(body.choices) == request.get("n", 1)
    for left, right in zip(made.choices, body.choices, strict=True):
        assert left.finish_reason == right.finish_reason
        assert (left.message.content or "") == (right.message.content or "")
        thought = [getattr(side.message, "reasoning_content", None) for side in (left, right)]
        assert thought[0] == thought[1]
        tools = [[c.to_dict() for c in side.message.tool_calls or []] for side in (left, right)]
        for call in tools[0]:
            call.pop("index", None)
            call.get("function", {}).pop("parsed_arguments", None)
        assert tools[0] == tools[1]


@pytest.mark.parametrize("name", REQUESTS)
def test_stream_has_the_shape_of_the_api(name: str) -> None:
    """One id, time and model; roles, call ids and names once; each choice ends with a reason."""
    request = REQUESTS[name]
    chunks = streamed(request)
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1
    assert chunks[0].model == request["model"]
    for index in range(request.get("n", 1)):
        mine = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
        assert [bool(choice.delta.role) for choice in mine] == [True] + [False] * (len(mine) - 1)
        assert [choice.finish_reason is None for choice in mine] == [True] * (len(mine) - 1) + [
            False
        ]
        named = [c for choice in mine for c in choice.delta.tool_calls or [] if c.id]
        assert [c.index for c in named] == list(range(len(named)))
        assert len({c.id for c in named}) == len(named)


def test_usage_comes_last_when_asked_for() -> None:
    """Only include_usage adds the counts, in a last chunk without choices."""
    chunks = streamed(REQUESTS["choices"])
    assert [chunk.usage is None for chunk in chunks] == [True] * (len(chunks) - 1) + [False]
    assert chunks[-1].choices == []
    assert all(chunk.usage is None and chunk.choices for chunk in streamed(REQUESTS["text"]))
    usage = whole(REQUESTS["text"]).usage
    assert usage
    assert usage.completion_tokens == count_tokens(text(REQUESTS["text"]))
    assert usage.total_tokens == usage.prompt_tokens + usage.completion_tokens


def test_same_conversation_same_words() -> None:
    """The answer depends on the conversation alone; ids differ from request to request."""
    first, second = whole(REQUESTS["text"]), whole(REQUESTS["text"])
    assert first.choices == second.choices
    assert first.id != second.id
    assert len({c.message.content for c in whole(ask("Tell me about tea", n=8)).choices}) > 1


def test_answers_refer_to_what_was_said() -> None:
    """The topic of this turn, and in later turns that of the one before, are taken up."""
    assert "recursion in Python" in text(REQUESTS["text"])
    assert "planning a weekend in Rome" in text(ask("How do I plan a weekend in Rome?"))
    later = {"messages": chat("Can you explain recursion in Python?", "…", "And what about bread?")}
    assert "recursion in Python" in text(later)
    assert "bread" in text(later)
    assert "51" in text(ask("What is 17 * 3?"))


def test_notes_of_a_program_are_not_what_was_said() -> None:
    """Coding agents put reminders around a person's words, which are no reason to call a tool."""
    note = "<system-reminder>\nThe current weather tool may be relevant.\n</system-reminder>\n\n"
    message = whole(ask(note + "say hi", tools=[WEATHER])).choices[0].message
    assert message.tool_calls is None
    assert message.content.startswith(("Hi", "Hello"))
    assert whole(ask(note, tools=[WEATHER])).choices[0].message.tool_calls, "there is nothing else"


def test_a_long_description_is_no_reason_for_a_call() -> None:
    """Tools of coding agents are described on whole pages, in which any word stands somewhere."""
    page = "When the user asks about their garden, look there first. " * 20
    tool = {"type": "function", "function": {"name": "Skill", "description": page}}
    for question in ("say hi", "What grows in a garden?"):
        assert whole(ask(question, tools=[tool])).choices[0].message.tool_calls is None
    asked = ask("The user asks: look in the garden there", tools=[tool])
    assert whole(asked).choices[0].message.tool_calls


def test_braces_of_the_user_are_only_text() -> None:
    """Format fields in a message are repeated, not filled in."""
    assert "{subject}" in text(ask("What is {subject} {0.__class__}?"))


@pytest.mark.parametrize(
    ("request_", "thinks"),
    [
        (ask("Hi there", reasoning_effort="low"), True),
        (ask("Please think about gravity"), True),
        (ask("Hi there", reasoning_effort="none"), False),
        (ask("Hi there"), False),
    ],
)
def test_reasoning_is_shown_on_request(request_: dict[str, Any], thinks: bool) -> None:
    """Reasoning comes with reasoning_effort, or when the text asks to think; before the text."""
    order = [
        "thought" if "reasoning_content" in choice.delta.to_dict() else "text"
        for chunk in streamed(request_)
        for choice in chunk.choices
        if choice.delta.content or "reasoning_content" in choice.delta.to_dict()
    ]
    assert ("thought" in order) == thinks
    assert order == sorted(order, reverse=True)


def test_two_things_make_parallel_calls_with_interleaved_deltas() -> None:
    """Two cities give two calls whose arguments arrive in turns."""
    assert calls(REQUESTS["parallel"]) == [
        ("get_weather", {"city": "Paris", "unit": "celsius"}),
        ("get_weather", {"city": "London", "unit": "celsius"}),
    ]
    order = [
        call.index
        for chunk in streamed(REQUESTS["parallel"])
        for call in chunk.choices[0].delta.tool_calls or []
    ]
    assert order[:6] == [0, 1, 0, 1, 0, 1]
    assert whole(REQUESTS["parallel"]).choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        (
            {"question": "weather in paris and oslo please"},
            [("get_weather", "paris"), ("get_weather", "oslo")],
        ),
        ({"parallel_tool_calls": False}, [("get_weather", "Paris")]),
        (
            {"question": "The weather in Rome and the time in Tokyo"},
            [("get_weather", "Rome"), ("get_time", "Tokyo")],
        ),
        ({"tool_choice": "none"}, []),
        ({"question": "Tell me a joke"}, []),
        (
            {
                "question": "Is it late in Cairo?",
                "tool_choice": {"type": "function", "function": {"name": "get_time"}},
            },
            [("get_time", "Cairo")],
        ),
        ({"question": "Hmm, Cairo", "tool_choice": "required"}, [("get_weather", "Cairo")]),
    ],
)
def test_tools_are_chosen_by_question_and_demand(
    more: dict[str, Any], expected: list[tuple[str, str]]
) -> None:
    """Words of the question, tool_choice and parallel_tool_calls decide what is called."""
    question = more.pop("question", BOTH)
    made = calls(ask(question, tools=[WEATHER, TIME], **more))
    assert [(name, next(iter(arguments.values()))) for name, arguments in made] == expected


def test_custom_tools_get_free_text() -> None:
    """A custom tool is called with text, and its stream adds up to the same."""
    request = ask(
        'Run the query "select 1"', tools=[{"type": "custom", "custom": {"name": "query"}}]
    )
    (call,) = whole(request).choices[0].message.tool_calls or []
    assert call.type == "custom"
    assert (call.custom.name, call.custom.input) == ("query", "select 1")
    events = b"".join(asyncio.run(collect({**request, "stream": True}))).split(b"\n\n")[:-2]
    deltas = [json.loads(event[6:])["choices"][0]["delta"] for event in events]
    parts = [part["custom"] for delta in deltas for part in delta.get("tool_calls", [])]
    assert "".join(part["input"] for part in parts) == "select 1"


def test_tool_results_are_used() -> None:
    """After the tools have answered, the text repeats what they said and calls no more."""
    made = whole(REQUESTS["parallel"]).choices[0].message
    messages = [
        *REQUESTS["parallel"]["messages"],
        made.to_dict(),
        *(
            {"role": "tool", "tool_call_id": call.id, "content": content}
            for call, content in zip(
                made.tool_calls or [], ['{"degrees": 18}', "rain"], strict=True
            )
        ),
    ]
    answer = whole({"messages": messages, "tools": [WEATHER]}).choices[0]
    assert answer.finish_reason == "stop"
    assert "degrees: 18" in str(answer.message.content)
    assert "rain" in str(answer.message.content)


@pytest.mark.parametrize("limit", [1, 2, 7, 40])
def test_limits_are_kept(limit: int) -> None:
    """max_tokens cuts reasoning and text, says length, and the counts stay below it."""
    made = whole(ask("Think: why is the sky blue?", max_completion_tokens=limit))
    assert made.choices[0].finish_reason == "length"
    assert made.usage
    assert made.usage.completion_tokens <= limit


def test_stop_sequences_end_the_text() -> None:
    """The text ends before the first stop sequence."""
    full = text(ask("Tell me about tea"))
    word = full.split()[5]
    assert text(ask("Tell me about tea", stop=["nowhere", word])) == full[: full.index(word)]


def test_json_schema_is_followed() -> None:
    """response_format gives JSON of the asked shape, recursion included."""
    schema = {
        "type": "object",
        "properties": {
            "name": {"type": "string"},
            "age": {"type": "integer", "minimum": 0},
            "colour": {"enum": ["red", "blue"]},
            "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}, "minItems": 2},
            "parent": {"anyOf": [{"$ref": "#"}, {"type": "null"}]},
        },
        "required": ["name", "age", "colour", "tags", "parent"],
        "$defs": {"tag": {"type": "string", "maxLength": 3}},
    }
    wanted = {"type": "json_schema", "json_schema": {"name": "person", "schema": schema}}
    value = json.loads(text(ask("Anna Smith is 31 and likes blue", response_format=wanted)))
    assert (value["name"], value["age"], value["colour"]) == ("Anna Smith", 31, "blue")
    assert len(value["tags"]) == 2
    assert all(len(tag) <= 3 for tag in value["tags"])
    while value is not None:
        assert set(value) == set(schema["required"])
        value = value["parent"]
    assert isinstance(json.loads(text(REQUESTS["json"])), dict)


def test_bad_requests_are_refused_in_the_dialect() -> None:
    """No messages, or another dialect, is a 400 with an error object."""
    for request, dialect in (({}, "openai.chat"), (ask("Hi"), "gemini")):
        answer = DEMO.respond(request, dialect)
        assert answer.status == 400
        assert dict(answer.headers)[b"x-request-id"].startswith(b"demo-")

        async def read(chunks: Any) -> bytes:
            return b"".join([chunk async for chunk in chunks])

        assert json.loads(asyncio.run(read(answer.chunks)))["error"]["message"]


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=12),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["role", "content", "type", "text", "function", "name", "properties"])
            | st.sampled_from(
                ["anyOf", "allOf", "$ref", "enum", "required", "items", "tool_calls"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
REQUEST_KEYS = [
    "model",
    "n",
    "stop",
    "stream_options",
    "tools",
    "tool_choice",
    "response_format",
    "max_tokens",
    "reasoning_effort",
]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(JUNK | st.fixed_dictionaries({"role": st.just("user"), "content": JUNK}), min_size=1),
    st.dictionaries(st.sampled_from(REQUEST_KEYS), JUNK),
    JUNK,
)
def test_any_request_gets_a_well_formed_answer(
    messages: list[Any], more: dict[str, Any], schema: Any
) -> None:
    """Whatever the request holds, both forms of the answer are valid."""
    tools = [{"type": "function", "function": {"name": "find", "parameters": schema}}]
    request = {"tools": tools, "tool_choice": "required", **more, "messages": messages}
    whole(request)
    assert streamed(request)


@given(JUNK, st.text(max_size=20))
def test_any_schema_is_filled(schema: Any, question: str) -> None:
    """Filling ends with a JSON value on any schema."""
    json.dumps(Filler(schema, "it", question).fill(schema))


def test_schema_with_an_empty_part_is_no_riddle() -> None:
    """An empty part of `allOf` adds nothing."""
    tool = {"type": "function", "function": {"name": "find", "parameters": {"allOf": [{}]}}}
    asyncio.run(collect(ask("Find it.", tools=[tool], tool_choice="required")))
