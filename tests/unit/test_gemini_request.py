"""Keys of a chat completion request in Gemini's words: carried, changed, dropped, refused."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from gemini_answers import (
    CHAT_TO_GEMINI,
    HELLO,
    SCHEMA,
    USER,
    assert_accepted,
    carried,
    config_of,
    dropped,
    refused,
    translated,
)
from hypothesis import given
from hypothesis import strategies as st
from translators import NEEDS_SAMPLES

from dolphin_logger.errors import RequestError
from dolphin_logger.proxy.translate import TranslateOptions

# --- the whole


def test_smallest_request():
    """The contents alone: model and stream stand in the path, and nothing is invented."""
    for stream in (None, False, True):
        assert carried(stream=stream) == {"contents": [USER]}


def test_null_is_the_same_as_leaving_a_key_out():
    """SDKs send null for what was not given."""
    nothing = carried(temperature=None, n=None, tools=None, tool_choice=None, stop=None, audio=None)
    assert nothing == {"contents": [USER]}


def test_messages_have_to_be_there():
    """Without an array of messages there is nothing to ask."""
    for messages in (None, "hi"):
        body = {"model": "m", "messages": messages}
        with pytest.raises(RequestError) as caught:
            CHAT_TO_GEMINI.request(body, model="m", options=TranslateOptions())
        assert caught.value.param == "messages"


def test_dropped_by_configuration():
    """Keys that a model's provider refuses are dropped before all else, and named."""
    options = TranslateOptions(drop=frozenset(("temperature", "seed", "model")))
    body = {"model": "m", "messages": [HELLO], "temperature": 1, "reasoning_effort": None}
    result = CHAT_TO_GEMINI.request(body, model="gemini-3-pro", options=options)
    assert (result.body, result.dropped) == ({"contents": [USER]}, ["temperature"])


# --- generationConfig


def test_sampling_and_limits():
    """Numbers go out as they came."""
    config = config_of(
        temperature=1.7,
        top_p=0.5,
        seed=7,
        presence_penalty=0.1,
        frequency_penalty=-0.2,
        max_completion_tokens=9,
        n=3,
    )
    assert config == {
        "maxOutputTokens": 9,
        "candidateCount": 3,
        "temperature": 1.7,
        "topP": 0.5,
        "seed": 7,
        "presencePenalty": 0.1,
        "frequencyPenalty": -0.2,
    }


def test_limit_in_its_older_name():
    """`max_tokens` counts when it is alone; a different one beside the newer is dropped."""
    assert config_of(max_tokens=5) == {"maxOutputTokens": 5}
    result = translated(max_tokens=5, max_completion_tokens=6)
    assert result.body["generationConfig"] == {"maxOutputTokens": 6}
    assert result.dropped == ["max_tokens"]


@pytest.mark.parametrize("key", ["temperature", "top_p", "seed", "max_tokens", "n"])
def test_numbers_have_to_be_numbers(key: str):
    """A value of another kind is at fault, and its key is named."""
    assert refused(**{key: "1"}).param == key
    assert refused(**{key: True}).param == key


def test_stops():
    """One or several, without empty ones; more than Gemini takes are refused."""
    assert config_of(stop="END") == {"stopSequences": ["END"]}
    assert config_of(stop=["a", "\n"]) == {"stopSequences": ["a", "\n"]}
    assert config_of(stop=[]) == {}
    assert dropped(stop=["", "b"]) == ["stop[] (empty)"]
    assert len(config_of(stop=list("abcde"))["stopSequences"]) == 5
    assert refused(stop=list("abcdef")).param == "stop"
    assert refused(stop=[1]).param == "stop"


def test_log_probabilities():
    """How many others are wanted counts only where they are wanted at all."""
    assert config_of(logprobs=True) == {"responseLogprobs": True}
    assert config_of(logprobs=True, top_logprobs=4) == {"responseLogprobs": True, "logprobs": 4}
    assert config_of(logprobs=False, top_logprobs=0) == {}
    assert dropped(top_logprobs=4) == ["top_logprobs"]


def test_formats():
    """JSON is a media type, a schema goes along as it is, text says nothing."""
    described = {"name": "x", "schema": SCHEMA, "strict": True}
    result = translated(response_format={"type": "json_schema", "json_schema": described})
    assert result.body["generationConfig"] == {
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
    }
    assert result.dropped == ["response_format.json_schema.name"]
    loose = {"schema": SCHEMA, "strict": False}
    result = translated(response_format={"type": "json_schema", "json_schema": loose})
    assert result.changed == ["response_format.json_schema.strict"]
    assert config_of(response_format={"type": "json_object"}) == {
        "responseMimeType": "application/json"
    }
    assert config_of(response_format={"type": "text"}) == {}


@pytest.mark.parametrize(
    "format_", [{"type": "grammar"}, {"type": "json_schema"}, {"type": ["x"]}, 7]
)
def test_formats_that_cannot_be_said_are_refused(format_: Any):
    """Nothing that shapes the answer is left out."""
    assert refused(response_format=format_).param == "response_format"


def test_modalities():
    """Text and images come back; sound does not."""
    assert config_of(modalities=["text"]) == {}
    assert config_of(modalities=["text", "image"]) == {"responseModalities": ["TEXT", "IMAGE"]}
    assert refused(modalities=["text", "audio"]).param == "modalities"
    assert refused(modalities=[]).param == "modalities"
    assert refused(audio={"voice": "x"}).param == "audio"


@pytest.mark.parametrize(
    ("model", "effort", "thinking", "exact"),
    [
        ("gemini-2.5-flash", "none", {"thinkingBudget": 0}, True),
        ("gemini-2.5-flash", "minimal", {"thinkingBudget": 1024}, False),
        ("gemini-2.5-pro", "low", {"thinkingBudget": 1024}, True),
        ("gemini-2.5-pro", "medium", {"thinkingBudget": 8192}, True),
        ("gemini-2.5-pro", "high", {"thinkingBudget": 24576}, True),
        ("gemini-2.5-pro", "max", {"thinkingBudget": 24576}, False),
        ("gemini-3-flash-preview", "none", {"thinkingLevel": "MINIMAL"}, False),
        ("gemini-3-flash-preview", "minimal", {"thinkingLevel": "MINIMAL"}, True),
        ("gemini-3.1-pro-preview", "minimal", {"thinkingLevel": "LOW"}, False),
        ("gemini-3.8-flash", "minimal", {"thinkingLevel": "LOW"}, False),
        ("gemini-3.8-flash", "low", {"thinkingLevel": "LOW"}, True),
        ("models/gemini-3.8-flash", "medium", {"thinkingLevel": "MEDIUM"}, True),
        ("gemini-3.8-flash", "high", {"thinkingLevel": "HIGH"}, True),
        ("gemini-3.8-flash", "xhigh", {"thinkingLevel": "HIGH"}, False),
        ("gemini-4-x", "xhigh", {"thinkingLevel": "XHIGH"}, True),
        ("gemini-flash-latest", "max", {"thinkingLevel": "XHIGH"}, False),
    ],
)
def test_effort(model: str, effort: str, thinking: dict[str, Any], exact: bool):
    """Older models get a budget, newer ones a level; thoughts are asked for unless there are none."""
    result = translated(model=model, reasoning_effort=effort)
    shown = {} if effort == "none" else {"includeThoughts": True}
    assert result.body["generationConfig"] == {"thinkingConfig": {**thinking, **shown}}
    assert result.changed == ([] if exact else ["reasoning_effort"])


def test_effort_of_models_that_do_not_think():
    """It cannot be said; an unknown effort is refused."""
    assert translated(model="gemini-2.0-flash", reasoning_effort="low").dropped == [
        "reasoning_effort"
    ]
    assert refused(reasoning_effort="much").param == "reasoning_effort"


# --- the rest


def test_service_tier():
    """The tiers that both know; others are named."""
    for ours, theirs in (("default", "standard"), ("flex", "flex"), ("priority", "priority")):
        assert carried(service_tier=ours)["serviceTier"] == theirs
    assert carried(service_tier="auto") == {"contents": [USER]}
    assert dropped(service_tier="scale") == ["service_tier"]


def test_what_gemini_has_no_words_for_is_dropped_by_name():
    """Every key that is left out stands in the record."""
    keys = {
        "user": "u",
        "safety_identifier": "s",
        "logit_bias": {"1": 2},
        "metadata": {"a": "b"},
        "store": True,
        "verbosity": "low",
        "prediction": {"type": "content", "content": "x"},
        "parallel_tool_calls": False,
        "prompt_cache_key": "k",
        "no_such_key": 1,
        "extra_body": {"other": 1},
    }
    expected = {*keys, "extra_body.other"} - {"extra_body"}
    assert sorted(dropped(**keys)) == sorted(expected)
    assert dropped(stream_options={"include_usage": True, "include_obfuscation": True}) == [
        "stream_options.include_obfuscation"
    ]


def test_values_that_say_nothing_are_not_listed():
    """They are what Gemini does anyway."""
    carried(n=1, logit_bias={}, metadata={}, store=False, parallel_tool_calls=True)


def test_web_search_is_asked_for_by_its_own_name():
    """The refusal names the cure."""
    error = refused(web_search_options={})
    assert error.param == "web_search_options"
    assert "googleSearch" in str(error)


# --- anything


@NEEDS_SAMPLES
def test_every_recorded_request_is_translated():
    """What real clients of chat completions sent is accepted by the types of Google's SDK."""
    translated_ones, kinds = 0, set()
    for path in sorted(Path(os.environ["WIRE_SAMPLES"], "openai_chat").glob("*.request.json")):
        body = json.loads(path.read_text())
        try:
            result = CHAT_TO_GEMINI.request(
                body, model="gemini-3-flash", options=TranslateOptions()
            )
        except RequestError as error:
            kinds.add(str(error).partition("]: ")[2].partition(" cannot")[0])
            continue
        translated_ones += 1
        assert_accepted(result.body)
        assert set(result.dropped) <= {
            *("tools[].function.strict", "reasoning", "thinking", "models", "provider"),
            *("transforms", "messages[].reasoning", "messages[].reasoning_content"),
            *("messages[].reasoning_details", "messages[].name", "messages[].annotations"),
        }
    assert translated_ones > 50
    assert all(kind.startswith("a tool of type 'openrouter:") for kind in kinds)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "role", "content", "text", "function", "name", "google"])
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
KEYS = [
    *("tools", "tool_choice", "functions", "function_call", "stop", "n", "response_format"),
    *("modalities", "extra_body", "google", "generationConfig", "system_instruction"),
    *("toolConfig", "reasoning_effort", "service_tier", "stream_options", "logprobs"),
]


@given(st.lists(ANYTHING, max_size=3), st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=4))
def test_no_request_breaks_the_translation(messages: list[Any], keys: dict[str, Any]):
    """Whatever a client sends is translated or refused with 400."""
    body = {"model": "m", "messages": messages, **keys}
    with contextlib.suppress(RequestError):
        CHAT_TO_GEMINI.request(body, model="gemini-3-pro", options=TranslateOptions())
