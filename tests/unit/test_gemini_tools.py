"""Tools, their choice, and Gemini's own keys in a chat completion request."""

from __future__ import annotations

from typing import Any

import pytest
from gemini_answers import FUNCTION, HELLO, SCHEMA, USER, carried, dropped, refused, translated

DECLARED = {"name": "f", "parametersJsonSchema": {"type": "object"}}


def test_tools():
    """Functions are declared in one entry, with their schema as it is; Gemini's own tools pass."""
    described = {"name": "g", "description": "does g", "parameters": SCHEMA, "strict": False}
    bare = {"name": "h", "parameters": {}}
    tools = [
        FUNCTION,
        {"googleSearch": {}},
        {"type": "function", "function": described},
        {"type": "function", "function": bare},
    ]
    assert carried(tools=tools)["tools"] == [
        {
            "functionDeclarations": [
                DECLARED,
                {"name": "g", "description": "does g", "parametersJsonSchema": SCHEMA},
                {"name": "h"},
            ]
        },
        {"googleSearch": {}},
    ]


def test_what_tools_lose():
    """Strictness and marks of caches are named."""
    function = {**FUNCTION["function"], "strict": True, "x": 1}
    tool = {"type": "function", "function": function, "cache_control": {"type": "ephemeral"}}
    assert dropped(tools=[tool]) == [
        "tools[].cache_control",
        "tools[].function.strict",
        "tools[].function.x",
    ]


@pytest.mark.parametrize(
    "tool",
    [
        *({}, "f", None, {"type": "function"}, {"type": "custom", "custom": {"name": "x"}}),
        {"type": "function", "function": {"name": "f", "parameters": []}},
    ],
)
def test_tools_that_cannot_be_offered_are_refused(tool: Any):
    """The model would behave differently without them."""
    assert str(refused(tools=[tool]).param).startswith("tools[0]")


@pytest.mark.parametrize(
    ("choice", "config"),
    [
        ("auto", {"mode": "AUTO"}),
        ("none", {"mode": "NONE"}),
        ("required", {"mode": "ANY"}),
        (
            {"type": "function", "function": {"name": "f"}},
            {"mode": "ANY", "allowedFunctionNames": ["f"]},
        ),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [FUNCTION]}},
            {"mode": "ANY", "allowedFunctionNames": ["f"]},
        ),
        (
            {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": [FUNCTION]}},
            {"mode": "VALIDATED", "allowedFunctionNames": ["f"]},
        ),
    ],
)
def test_choices_of_tools(choice: Any, config: dict[str, Any]):
    """All of OpenAI's choices have their words."""
    body = carried(tools=[FUNCTION], tool_choice=choice)
    assert body["toolConfig"] == {"functionCallingConfig": config}


@pytest.mark.parametrize(
    "choice", ["any", {"type": "custom"}, {"name": "f"}, {"type": "allowed_tools"}, 1]
)
def test_choices_that_cannot_be_said_are_refused(choice: Any):
    """What is not understood is not guessed."""
    assert refused(tools=[FUNCTION], tool_choice=choice).param.startswith("tool_choice")


def test_a_choice_without_tools():
    """Without tools it says nothing, or cannot be kept."""
    assert carried(tool_choice="auto") == carried(tool_choice="none") == {"contents": [USER]}
    assert dropped(tool_choice="required") == ["tool_choice"]


def test_older_functions():
    """They become tools, and are called as such."""
    result = translated(functions=[FUNCTION["function"]], function_call={"name": "f"})
    assert result.body["tools"] == [{"functionDeclarations": [DECLARED]}]
    assert result.body["toolConfig"]["functionCallingConfig"] == {
        "mode": "ANY",
        "allowedFunctionNames": ["f"],
    }
    assert result.changed == ["functions (called as tools)"]


# --- Gemini's own keys


@pytest.mark.parametrize("place", ["extra_body", "google", "top"])
def test_own_keys_pass(place: str):
    """They are taken where Google's endpoint and OpenAI's SDK put them, in both spellings."""
    settings = [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]
    keys: dict[str, Any] = {
        "safety_settings": settings,
        "cachedContent": "cachedContents/1",
        "thinking_config": {"thinking_budget": 0},
        "top_k": 5,
        "generationConfig": {"media_resolution": "MEDIA_RESOLUTION_LOW"},
    }
    wrapped = {"extra_body": {"extra_body": {"google": keys}}, "google": {"google": keys}}
    assert carried(**wrapped.get(place, keys)) == {
        "contents": [USER],
        "safetySettings": settings,
        "cachedContent": "cachedContents/1",
        "generationConfig": {
            "thinkingConfig": {"thinking_budget": 0},
            "topK": 5,
            "mediaResolution": "MEDIA_RESOLUTION_LOW",
        },
    }


def test_own_keys_win():
    """Beside one of OpenAI with the same meaning they count, and that one is named."""
    own = {
        "thinking_config": {"thinking_level": "LOW"},
        "response_schema": {"type": "STRING"},
        "max_output_tokens": 3,
        "temperature": 0.5,
        "tool_config": {"function_calling_config": {"mode": "AUTO"}},
    }
    result = translated(
        extra_body={"google": {**own, "toolConfig": {"functionCallingConfig": {"mode": "AUTO"}}}},
        reasoning_effort="high",
        response_format={"type": "json_object"},
        max_tokens=9,
        temperature=1,
        tools=[FUNCTION],
        tool_choice="required",
    )
    assert sorted(result.dropped) == [
        "max_tokens",
        "reasoning_effort",
        "response_format",
        "temperature",
        "tool_choice",
    ]
    assert result.body["generationConfig"] == {
        "thinkingConfig": {"thinking_level": "LOW"},
        "responseSchema": {"type": "STRING"},
        "maxOutputTokens": 3,
        "temperature": 0.5,
    }
    assert result.body["toolConfig"] == {"functionCallingConfig": {"mode": "AUTO"}}


def test_own_settings_of_tools_stand_beside_a_choice():
    """They are one object at Gemini, and both count."""
    body = carried(
        tools=[FUNCTION],
        tool_choice="auto",
        toolConfig={"includeServerSideToolInvocations": True},
        google={"tools": [{"codeExecution": {}}]},
    )
    assert body["toolConfig"] == {
        "functionCallingConfig": {"mode": "AUTO"},
        "includeServerSideToolInvocations": True,
    }
    assert body["tools"] == [{"functionDeclarations": [DECLARED]}, {"codeExecution": {}}]


def test_own_system_instruction_stands_first():
    """The prompts of the messages follow it."""
    messages = [{"role": "system", "content": "b"}, HELLO]
    for own in ("a", {"parts": [{"text": "a"}]}):
        assert carried(*messages, system_instruction=own)["systemInstruction"] == {
            "parts": [{"text": "a"}, {"text": "b"}]
        }
    assert refused(*messages, systemInstruction=7).param == "systemInstruction"


def test_own_keys_that_gemini_does_not_have_are_named():
    """Nothing inside is lost in silence either; how many answers is OpenAI's to say."""
    google = {"no_such": 1, "nothing": None, "generation_config": {"candidateCount": 2}}
    assert dropped(extra_body={"google": google}) == [
        "extra_body.google.no_such",
        "extra_body.google.generation_config.candidateCount",
    ]
