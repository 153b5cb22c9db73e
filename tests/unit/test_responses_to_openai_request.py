"""Keys of a Responses request, for providers of chat completions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from responses_from_chat import RESPONSES_TO_CHAT, ask
from translators import NEEDS_SAMPLES, each, samples

from dolphin_logger.errors import RequestError
from dolphin_logger.proxy.translate import TranslateOptions

FRAME = {
    "model": "local",
    "messages": [{"role": "user", "content": "Hi"}],
    "stream": True,
    "stream_options": {"include_usage": True},
}
TOOL = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def body_of(extra: dict[str, Any], *, model: str = "local") -> dict[str, Any]:
    """Give what a request with these keys adds to the provider's."""
    asked = {"model": "m", "input": "Hi", **extra}
    body = RESPONSES_TO_CHAT.request(asked, model=model, options=TranslateOptions()).body
    return {key: value for key, value in body.items() if FRAME.get(key) != value and key != "model"}


def test_the_smallest_request_asks_for_a_stream_with_usage() -> None:
    """A text becomes a user's message; the provider always streams and says what it cost."""
    translated = ask()
    assert translated.body == FRAME
    assert (translated.dropped, translated.changed) == ([], [])


def test_what_the_client_says_about_streams_is_no_loss() -> None:
    """`stream` is the client's own affair; stream options that ask for something are named."""
    assert ask({"stream": False, "stream_options": {"include_obfuscation": False}}).body == FRAME
    options = {"include_obfuscation": True}
    assert ask({"stream_options": options}).dropped == ["stream_options.include_obfuscation"]


@pytest.mark.parametrize(
    ("extra", "added"),
    [
        ({"max_output_tokens": 50}, {"max_tokens": 50}),
        ({"temperature": 0.2, "top_p": 0.9}, {"temperature": 0.2, "top_p": 0.9}),
        ({"reasoning": {"effort": "xhigh"}}, {"reasoning_effort": "xhigh"}),
        ({"reasoning": {"effort": "none", "summary": None}}, {"reasoning_effort": "none"}),
        ({"text": {"format": {"type": "text"}}}, {}),
        (
            {"text": {"format": {"type": "json_object"}}},
            {"response_format": {"type": "json_object"}},
        ),
        (
            {
                "text": {
                    "format": {
                        "type": "json_schema",
                        "name": "n",
                        "schema": SCHEMA,
                        "strict": True,
                        "description": None,
                    }
                }
            },
            {
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "n", "schema": SCHEMA, "strict": True},
                }
            },
        ),
        ({"service_tier": "priority"}, {"service_tier": "priority"}),
        ({"service_tier": "auto", "store": False, "truncation": "disabled"}, {}),
        ({"background": False, "metadata": {}, "top_logprobs": 0}, {}),
        ({"include": ["reasoning.encrypted_content"]}, {}),
        (
            {"include": ["message.output_text.logprobs"], "top_logprobs": 2},
            {"logprobs": True, "top_logprobs": 2},
        ),
        ({"seed": 1, "stop": ["x"], "top_k": 3}, {"seed": 1, "stop": ["x"], "top_k": 3}),
    ],
)
def test_what_chat_completions_can_say_is_said(
    extra: dict[str, Any], added: dict[str, Any]
) -> None:
    """Keys with the same meaning are carried, and what says nothing is not listed."""
    translated = ask(extra)
    assert body_of(extra) == added
    assert (translated.dropped, translated.changed) == ([], [])


@pytest.mark.parametrize(
    "model", ["gpt-5.5", "openai/gpt-6.2-sol", "o3-mini", "gpt-10", "azure:o4"]
)
def test_models_of_openai_take_its_newer_keys(model: str) -> None:
    """Only OpenAI's own models know these keys; strict servers refuse them."""
    extra = {
        "max_output_tokens": 50,
        "text": {"verbosity": "low"},
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
    }
    assert body_of(extra, model=model) == {
        "max_completion_tokens": 50,
        "verbosity": "low",
        "prompt_cache_key": "k",
        "prompt_cache_retention": "24h",
    }


@pytest.mark.parametrize("model", ["gpt-oss:20b", "gpt-4o", "qwen3-coder", "proto3", "llama-o1"])
def test_other_models_do_not_get_them(model: str) -> None:
    """Elsewhere the limit has its older name, and the others are dropped."""
    extra = {"max_output_tokens": 50, "text": {"verbosity": "low"}, "prompt_cache_key": "k"}
    assert body_of(extra, model=model) == {"max_tokens": 50}
    assert ask(extra).dropped == ["text.verbosity", "prompt_cache_key"]


@pytest.mark.parametrize(
    ("extra", "dropped"),
    [
        ({"store": True}, ["store"]),
        ({"metadata": {"a": "b"}}, ["metadata"]),
        ({"truncation": "auto"}, ["truncation"]),
        ({"top_logprobs": 3}, ["top_logprobs"]),
        ({"max_tool_calls": 3}, ["max_tool_calls"]),
        ({"include": ["file_search_call.results"]}, ["include[] (file_search_call.results)"]),
        ({"client_metadata": {"a": "b"}}, ["client_metadata"]),
        ({"context_management": [{}]}, ["context_management"]),
        ({"reasoning": {"context": "auto"}}, ["reasoning.context"]),
        ({"user": "u", "safety_identifier": "s"}, ["user", "safety_identifier"]),
        ({"from_the_future": 1}, ["from_the_future"]),
        ({"from_the_future": None}, []),
    ],
)
def test_what_cannot_be_said_is_named(extra: dict[str, Any], dropped: list[str]) -> None:
    """What chat completions have no words for is left out and listed."""
    translated = ask(extra)
    assert translated.body == FRAME
    assert translated.dropped == dropped


def test_a_summary_gets_the_thoughts_themselves() -> None:
    """Nobody sums up here: the client gets thoughts where it looks for a summary, and this is listed."""
    translated = ask({"reasoning": {"summary": "auto"}})
    assert translated.body == FRAME
    assert translated.changed == ["reasoning.summary (thoughts as they come)"]


def test_who_asks_is_sent_on_only_by_option() -> None:
    """`user` and `safety_identifier` may name a person."""
    body = ask({"user": "u", "safety_identifier": "s"}, forward_user=True).body
    assert (body["user"], body["safety_identifier"]) == ("u", "s")


def test_keys_that_the_provider_refuses_are_dropped_first() -> None:
    """The option names keys of the client's request."""
    translated = ask({"reasoning": {"effort": "low"}}, drop=frozenset(("reasoning", "absent")))
    assert translated.body == FRAME
    assert translated.dropped == ["reasoning"]


@pytest.mark.parametrize(
    ("extra", "param", "cure"),
    [
        ({"previous_response_id": "resp_1"}, "previous_response_id", "send the whole input"),
        ({"conversation": {"id": "c"}}, "conversation", "send the whole input"),
        ({"prompt": {"id": "p"}}, "prompt", "instructions or input"),
        ({"background": True}, "background", "leave background out"),
        ({"input": {"role": "user"}}, "input", "an array of items"),
        ({"input": None}, "input", "an array of items"),
        ({"instructions": [{"role": "user"}]}, "instructions", "string"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format", "json_schema"),
        ({"text": "short"}, "text", "object"),
        ({"reasoning": "high"}, "reasoning", "object"),
        ({"tools": {}}, "tools", "array"),
    ],
)
def test_what_would_change_the_answer_is_refused(
    extra: dict[str, Any], param: str, cure: str
) -> None:
    """What needs a memory, or has another shape, is refused with its place and the cure."""
    with pytest.raises(RequestError) as caught:
        ask(extra)
    assert (caught.value.status, caught.value.param) == (400, param)
    assert cure in str(caught.value)


def test_instructions_stand_first() -> None:
    """Instructions are the system prompt; system messages right after them join it."""
    translated = ask(
        {
            "instructions": "Be brief.",
            "input": [
                {"role": "developer", "content": [{"type": "input_text", "text": "One."}]},
                {"role": "user", "content": "Hi"},
            ],
        }
    )
    assert translated.body["messages"] == [
        {"role": "system", "content": "Be brief.\n\nOne."},
        {"role": "user", "content": "Hi"},
    ]
    assert translated.changed == []


def test_a_client_that_offers_no_tools_says_nothing_about_them() -> None:
    """Choices without tools are refused by providers, so those that say nothing stay away."""
    extra = {"tool_choice": "auto", "parallel_tool_calls": True}
    assert body_of(extra) == {}
    assert ask({"parallel_tool_calls": False}).dropped == ["parallel_tool_calls"]
    assert body_of({"tools": [TOOL], "parallel_tool_calls": False})["parallel_tool_calls"] is False


_WORDS = st.sampled_from(
    [
        *("message", "reasoning", "function_call", "function_call_output", "custom_tool_call"),
        *("tool_search_call", "tool_search_output", "additional_tools", "web_search_call"),
        *("function", "custom", "namespace", "tool_search", "client", "allowed_tools", "auto"),
        *("input_text", "input_image", "input_file", "user", "assistant", "developer", "x"),
    ]
)
_KEYS = st.sampled_from(
    [
        *(
            "type",
            "role",
            "content",
            "call_id",
            "name",
            "namespace",
            "arguments",
            "input",
            "output",
        ),
        *("tools", "execution", "summary", "encrypted_content", "text", "image_url", "format"),
        *("definition", "mode", "id"),
    ]
)
_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.one_of(_WORDS, st.none(), st.booleans(), st.integers()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=6),
    max_leaves=12,
)


@given(
    items=st.lists(st.dictionaries(_KEYS, _VALUES, max_size=6), max_size=3),
    tools=st.lists(st.dictionaries(_KEYS, _VALUES, max_size=6), max_size=2),
    choice=_VALUES,
    recalled=_VALUES,
)
def test_whatever_a_client_sends_is_translated_or_refused(
    items: list[Any], tools: list[Any], choice: Any, recalled: Any
) -> None:
    """A client at fault is told so; nothing else is raised, and its answer can be translated."""
    asked = {"input": items, "tools": tools, "tool_choice": choice}
    options = TranslateOptions(recall=lambda call_id: recalled)
    try:
        RESPONSES_TO_CHAT.request(asked, model="local", options=options)
    except RequestError:
        return
    RESPONSES_TO_CHAT.stream(asked, created=1)


# what the table in docs/reference names as refused
REFUSED = ("background", "conversation", "previous_response_id")


@NEEDS_SAMPLES
@each(samples("openai_responses/*.request.json"))
def test_recorded_requests_are_translated_or_refused_as_documented(recording: Path) -> None:
    """Every request that a client really sent goes through, or needs a memory."""
    body = json.loads(recording.read_text())
    refused = [key for key in REFUSED if body.get(key)]
    if refused:
        with pytest.raises(RequestError) as caught:
            ask(body)
        assert caught.value.param in refused
        return
    translated = ask(body)
    assert translated.body["messages"]
    assert all(message["role"] != "developer" for message in translated.body["messages"])
