"""Requests of the Gemini API in the words of chat completions, but for their contents."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest
from content_streams import GEMINI_TO_CHAT, assert_chat_request, calls, request, user
from translators import NEEDS_SAMPLES, each, samples

from dolphin_logger.errors import RequestError
from dolphin_logger.proxy.translate import TranslateOptions

F = {"name": "f", "description": "d"}
ANY_OBJECT = {"type": "object", "properties": {}}


def configured(**config: Any) -> dict[str, Any]:
    """Translate a generationConfig; give the keys that it became."""
    body = request(generationConfig=config).body
    for key in ("model", "messages", "stream", "stream_options"):
        del body[key]
    return body


def declared(*functions: dict[str, Any]) -> list[dict[str, Any]]:
    """Translate declarations of functions."""
    tools = request(tools=[{"functionDeclarations": list(functions)}]).body["tools"]
    return [tool["function"] for tool in tools]


def refused(**fields: Any) -> RequestError:
    """Translate what cannot be translated."""
    with pytest.raises(RequestError) as caught:
        request(**fields)
    assert (caught.value.status, caught.value.kind) == (400, "untranslatable")
    return caught.value


# --- the body


def test_smallest_request():
    """A stream is asked for, with its counts; the model is the provider's; nothing else is added."""
    translated = request(user("hi"), model="models/gemini-x")
    assert translated.body == {
        "model": "local",
        "messages": [{"role": "user", "content": "hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert (translated.dropped, translated.changed) == ([], [])


def test_body_stays_as_it_is():
    """The client's request goes into the record, and is never touched."""
    body = {
        "contents": [user("a", "b"), {"role": "model", "parts": [calls("f")]}],
        "tools": [{"function_declarations": [{"name": "f", "parameters": {"type": "OBJECT"}}]}],
        "generationConfig": {"response_schema": {"type": "STRING", "nullable": True}},
    }
    before = deepcopy(body)
    GEMINI_TO_CHAT.request(body, model="m", options=TranslateOptions())
    assert body == before


def test_both_spellings():
    """Clients write camelCase and snake_case, also in one request; camelCase wins."""
    body = {
        "system_instruction": {"parts": {"text": "s"}},  # a single object stands for a list
        "generation_config": {
            "max_output_tokens": 7,
            "stop_sequences": ["x"],
            "response_mime_type": "application/json",
            "thinking_config": {"thinking_level": "low"},
        },
        "tools": {"function_declarations": [{"name": "f", "parameters_json_schema": {"a_b": 1}}]},
        "tool_config": {"function_calling_config": {"mode": "any"}},
        "safety_settings": [{"category": "x"}],
        "safetySettings": [],
    }
    translated = request(**body, name="gpt-oss:20b")
    assert translated.body == {
        "model": "gpt-oss:20b",
        "messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}],
        "tools": [{"type": "function", "function": {"name": "f", "parameters": {"a_b": 1}}}],
        "tool_choice": "required",
        "max_tokens": 7,
        "stop": ["x"],
        "response_format": {"type": "json_object"},
        "reasoning_effort": "low",
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    assert translated.dropped == []


def test_camel_case_wins_in_any_order():
    """One value goes out, and always the same one."""
    assert configured(topP=0.1, top_p=0.9) == configured(top_p=0.9, topP=0.1) == {"top_p": 0.1}


def test_what_is_dropped_is_named():
    """Keys that the language has no words for stand in the record, also unknown ones."""
    translated = request(
        safetySettings=[{"category": "x"}],
        labels={"team": "a"},
        fromTheFuture=1,
        generationConfig={
            "topK": 40,
            "mediaResolution": "HIGH",
            "speechConfig": {"voice": 1},
            "audioTimestamp": False,
            "logprobs": 2,
            "thinkingConfig": {"thinkingLevel": "DEEP"},
        },
    )
    assert translated.dropped == [
        "generationConfig.thinkingConfig.thinkingLevel",
        "generationConfig.topK",
        "generationConfig.mediaResolution",
        "generationConfig.speechConfig",
        "generationConfig.logprobs",
        "safetySettings",
        "labels",
        "fromTheFuture",
    ]


def test_cached_content_is_refused():
    """Without what is cached the model would answer another question."""
    assert refused(cachedContent="cachedContents/1").param == "cachedContent"


def test_keys_that_a_provider_refuses():
    """The option names keys of the body, and of generationConfig."""
    options = TranslateOptions(drop=frozenset(("tools", "generationConfig.thinkingConfig")))
    translated = request(
        options=options,
        tools=[{"functionDeclarations": [F]}],
        generationConfig={"thinkingConfig": {"thinkingLevel": "HIGH"}, "temperature": 0},
    )
    assert translated.dropped == ["generationConfig.thinkingConfig", "tools"]
    assert translated.body.keys().isdisjoint(("tools", "reasoning_effort"))
    assert translated.body["temperature"] == 0


# --- generationConfig


def test_numbers():
    """What both languages count in the same way."""
    config = {
        "temperature": 0.5,
        "topP": 0.9,
        "seed": 1,
        "presencePenalty": 0.1,
        "frequencyPenalty": 0.2,
        "candidateCount": 1,
        "maxOutputTokens": 99.0,
        "stopSequences": [],
    }
    assert configured(**config) == {
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 1,
        "presence_penalty": 0.1,
        "frequency_penalty": 0.2,
        "max_tokens": 99,
    }


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("gpt-5.5", "max_completion_tokens"),
        ("o3-mini", "max_completion_tokens"),
        ("gpt-4o", "max_tokens"),
        ("gpt-oss:20b", "max_tokens"),
        ("openai/gpt-5", "max_completion_tokens"),
        ("qwen3", "max_tokens"),
    ],
)
def test_word_for_the_limit(name, key):
    """OpenAI's newer models refuse the word that local servers alone understand."""
    body = request(name=name, generationConfig={"maxOutputTokens": 9}).body
    assert {k: v for k, v in body.items() if k.startswith("max_")} == {key: 9}


@pytest.mark.parametrize(
    ("thinking", "effort", "changed"),
    [
        ({}, None, False),
        ({"includeThoughts": True}, None, False),
        ({"thinkingLevel": "MINIMAL"}, "low", True),
        ({"thinkingLevel": "high"}, "high", False),
        ({"thinkingLevel": "XHIGH"}, "xhigh", False),
        ({"thinkingLevel": "THINKING_LEVEL_UNSPECIFIED"}, None, False),
        ({"thinkingBudget": -1}, None, False),
        ({"thinkingBudget": 0}, "none", False),
        ({"thinkingBudget": 512}, "low", True),
        ({"thinkingBudget": 2048}, "low", True),
        ({"thinkingBudget": 2049}, "medium", True),
        ({"thinkingBudget": 24576}, "high", True),
    ],
)
def test_effort(thinking, effort, changed):
    """A level is the nearest effort; a budget of tokens is one, roughly, and automatic says nothing."""
    translated = request(name="gpt-5.2", generationConfig={"thinkingConfig": thinking})
    assert translated.body.get("reasoning_effort") == effort
    assert bool(translated.changed) is changed
    assert translated.dropped == []


def test_models_that_may_refuse_an_effort_get_none():
    """Clients wish for an effort by themselves; a server that refuses it would answer nothing."""
    translated = request(generationConfig={"thinkingConfig": {"thinkingLevel": "HIGH"}})
    assert "reasoning_effort" not in translated.body
    assert translated.dropped == ["generationConfig.thinkingConfig.thinkingLevel"]


def test_openai_takes_no_effort_beside_tools():
    """Also the one that it would choose by itself."""
    tools = [{"functionDeclarations": [F]}]
    for config in ({}, {"thinkingConfig": {"thinkingLevel": "HIGH"}}):
        translated = request(name="gpt-5.6", tools=tools, generationConfig=config)
        assert translated.body["reasoning_effort"] == "none"
        assert len(translated.changed) == 1


def test_level_wins_over_budget():
    """Google refuses both; here the budget is dropped."""
    translated = request(
        name="gpt-oss:20b",
        generationConfig={"thinkingConfig": {"thinkingLevel": "LOW", "thinkingBudget": 9999}},
    )
    assert translated.body["reasoning_effort"] == "low"
    assert translated.dropped == ["generationConfig.thinkingConfig.thinkingBudget"]


def test_answers_in_json():
    """With a schema or without; Google's types are lowered in both keys for a schema."""
    kind = {"responseMimeType": "application/json"}
    schema = {"type": "OBJECT", "properties": {"TYPE": {"type": "STRING"}}}
    plain = {"type": "object", "properties": {"TYPE": {"type": "string"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "response", "schema": plain}}
    assert configured(**kind) == {"response_format": {"type": "json_object"}}
    assert configured(**kind, responseSchema=schema) == {"response_format": wanted}
    assert configured(**kind, responseJsonSchema=schema) == {"response_format": wanted}
    assert configured(responseMimeType="text/plain") == {}


def test_log_probabilities():
    """How many alternatives only counts beside the wish for any."""
    assert configured(responseLogprobs=True) == {"logprobs": True}
    assert configured(responseLogprobs=True, logprobs=3) == {"logprobs": True, "top_logprobs": 3}
    assert configured(responseLogprobs=False) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("candidateCount", 2),
        ("responseModalities", ["TEXT", "IMAGE"]),
        ("responseModalities", ["AUDIO"]),
        ("responseModalities", "TEXT"),
        ("responseMimeType", "text/x.enum"),
        ("responseFormat", [{"text": {}}]),
        ("responseSchema", "STRING"),
        ("temperature", "hot"),
        ("temperature", True),
        ("maxOutputTokens", 1.5),
        ("stopSequences", "x"),
    ],
)
def test_what_cannot_be_said_is_refused(name, value):
    """The message names the key."""
    error = refused(generationConfig={name: value})
    assert name in str(error)
    assert name in error.param


def test_text_is_the_only_kind_of_answer():
    """Saying so says nothing."""
    assert configured(responseModalities=["TEXT"]) == {}


# --- tools


def test_functions():
    """All entries together, in their order; a function without parameters takes an empty object."""
    tools = [
        {"functionDeclarations": [F]},
        {"functionDeclarations": [{"name": "g", "parametersJsonSchema": {"type": "object"}}]},
        {"googleSearch": {}, "codeExecution": {}},
        {"functionDeclarations": [{"name": "h", "response": {}, "behavior": "BLOCKING"}]},
    ]
    translated = request(tools=tools)
    assert [tool["function"] for tool in translated.body["tools"]] == [
        {**F, "parameters": ANY_OBJECT},
        {"name": "g", "parameters": {"type": "object"}},
        {"name": "h", "parameters": ANY_OBJECT},
    ]
    assert translated.dropped == [
        "tools[].googleSearch",
        "tools[].codeExecution",
        "tools[].functionDeclarations[].response",
        "tools[].functionDeclarations[].behavior",
    ]


def test_googles_own_tools_alone_leave_none():
    """An empty list of tools is refused by servers; a choice without tools, too."""
    config = {"functionCallingConfig": {"mode": "ANY"}}
    translated = request(tools=[{"urlContext": {}}], toolConfig=config)
    assert translated.body.keys().isdisjoint(("tools", "tool_choice"))
    assert translated.dropped == ["tools[].urlContext", "toolConfig.functionCallingConfig.mode"]


@pytest.mark.parametrize(
    ("calling", "names", "choice", "losses"),
    [
        ({}, "fg", None, ([], [])),
        ({"mode": "MODE_UNSPECIFIED"}, "fg", None, ([], [])),
        ({"mode": "AUTO"}, "fg", "auto", ([], [])),
        ({"mode": "none"}, "fg", "none", ([], [])),
        ({"mode": "ANY"}, "fg", "required", ([], [])),
        ({"mode": "ANY", "allowedFunctionNames": ["g"]}, "fg", "g", ([], [])),
        ({"mode": "ANY", "allowedFunctionNames": ["g", "f"]}, "fg", "required", ([], ["names"])),
        ({"mode": "VALIDATED"}, "fg", "auto", ([], ["mode"])),
        (
            {"mode": "VALIDATED", "allowedFunctionNames": ["g"]},
            "g",
            "auto",
            ([], ["names", "mode"]),
        ),
        ({"mode": "AUTO", "allowedFunctionNames": ["g"]}, "fg", "auto", (["names"], [])),
        ({"mode": "AUTO", "streamFunctionCallArguments": True}, "fg", "auto", (["stream"], [])),
        ({"mode": "AUTO", "streamFunctionCallArguments": False}, "fg", "auto", ([], [])),
    ],
)
def test_choice(calling, names, choice, losses):
    """Only the functions that may be called are offered, where the language has no choice of some."""
    place = "toolConfig.functionCallingConfig"
    words = {
        "names": f"{place}.allowedFunctionNames",
        "mode": f"{place}.mode (VALIDATED as AUTO)",
        "stream": f"{place}.streamFunctionCallArguments",
    }
    tools = [{"functionDeclarations": [{"name": "f"}, {"name": "g"}]}]
    translated = request(tools=tools, toolConfig={"functionCallingConfig": calling})
    assert "".join(tool["function"]["name"] for tool in translated.body["tools"]) == names
    wanted = {"type": "function", "function": {"name": "g"}} if choice == "g" else choice
    assert translated.body.get("tool_choice") == wanted
    dropped, changed = losses
    assert translated.dropped == [words[name] for name in dropped]
    limited = f"{words['names']} (the others are not offered)"
    assert translated.changed == [limited if name == "names" else words[name] for name in changed]


@pytest.mark.parametrize(
    "calling", [{"mode": "SOME"}, {"mode": 1}, {"mode": "ANY", "allowedFunctionNames": ["nobody"]}]
)
def test_choice_that_cannot_be_said(calling):
    """The message names the key."""
    error = refused(
        tools=[{"functionDeclarations": [F]}], toolConfig={"functionCallingConfig": calling}
    )
    assert error.param.startswith("toolConfig.functionCallingConfig.")


@pytest.mark.parametrize(
    "tools",
    [
        7,
        ["f"],
        [{"functionDeclarations": [{}]}],
        [{"functionDeclarations": [{**F, "parameters": 1}]}],
    ],
)
def test_tools_that_are_none(tools):
    """What is no tool is the client's fault."""
    assert refused(tools=tools).param.startswith("tools")


# --- recordings


@NEEDS_SAMPLES
@each(samples("gemini/*.request.json"))
def test_recorded_request(recording):
    """Every recorded request is translated, and says what it says."""
    body = json.loads(recording.read_bytes())
    translated = GEMINI_TO_CHAT.request(body, model="m", options=TranslateOptions())
    assert_chat_request(translated.body)
    written = json.dumps(translated.body)
    for content in body["contents"]:
        for part in content["parts"]:
            assert json.dumps(part.get("text", ""))[1:-1] in written
            for kind in ("functionCall", "functionResponse"):
                assert part.get(kind, {}).get("id", "") in written
