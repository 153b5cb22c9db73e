"""Messages requests for chat completions, key by key: what is carried, changed, dropped, refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from messages_on_chat import HELLO, MESSAGES_ON_CHAT, TOOL, refused, translated
from translators import NEEDS_SAMPLES, each, samples

from dolphin_logger.errors import RequestError
from dolphin_logger.proxy.translate import TranslateOptions

FUNCTION = {
    "type": "function",
    "function": {"name": "f", "description": "does f", "parameters": {"type": "object"}},
}
WEB = {"type": "web_search_20250305", "name": "web_search"}
ASKS_STREAM = {"stream": True, "stream_options": {"include_usage": True}}
CLOSED = {
    "type": "object",
    "properties": {"a": {"type": "string"}},
    "required": ["a"],
    "additionalProperties": False,
}

# --- the whole


def test_smallest_request():
    """A model, the messages, a stream with its counts: nothing else is invented."""
    result = translated()
    assert result.body == {"model": "qwen3", "messages": [HELLO], **ASKS_STREAM}
    assert (result.dropped, result.changed) == ([], [])


def test_null_is_the_same_as_leaving_a_key_out():
    """SDKs send null for what was not given."""
    keys = ("system", "tools", "tool_choice", "thinking", "metadata", "stop_sequences", "speed")
    assert translated(**dict.fromkeys(keys)) == translated()


def test_always_streams_upstream():
    """The provider is asked for a stream and its counts, whatever the client wants."""
    for asked in (True, False):
        body = translated(stream=asked, stream_options={"include_usage": False}).body
        assert body == translated().body


def test_a_request_of_claude_code():
    """All that it sends beside its messages: what cannot be said is listed, its billing note, too."""
    note = "x-anthropic-billing-header: cc_version=2.1.197.d0a; cc_entrypoint=cli; cch=1;"
    cached = {"cache_control": {"type": "ephemeral"}}
    result = translated(
        {"role": "user", "content": [{"type": "text", "text": "do", **cached}]},
        {"role": "system", "content": "Available agents"},
        model="gpt-5.1",
        system=[
            {"type": "text", "text": note},
            {"type": "text", "text": "You are", **cached},
            {"type": "text", "text": "an agent"},
        ],
        tools=[TOOL, {**TOOL, "name": "g", "defer_loading": True}, WEB],
        metadata={"user_id": '{"device_id":"1"}'},
        max_tokens=64000,
        thinking={"type": "adaptive"},
        context_management={"edits": []},
        output_config={"effort": "high"},
        stream=True,
    )
    function = {**FUNCTION["function"], "name": "g"}
    assert result.body == {
        "model": "gpt-5.1",
        "max_completion_tokens": 64000,
        "messages": [
            {"role": "system", "content": "You are\n\nan agent\n\nAvailable agents"},
            {"role": "user", "content": "do"},
        ],
        "tools": [FUNCTION, {"type": "function", "function": function}],
        "reasoning_effort": "high",
        **ASKS_STREAM,
    }
    assert result.dropped == [
        "system[] (x-anthropic-billing-header)",
        "system[].cache_control",
        "messages[].content[].cache_control",
        "tools[] (web_search_20250305)",
        "metadata.user_id",
        "context_management",
    ]
    assert result.changed == [
        "messages[].role (system, from the middle to the front)",
        "tools[].defer_loading (sent at once)",
    ]


def test_what_no_provider_knows_is_dropped_and_listed():
    """Also what is newer than this program; values that say nothing are not listed."""
    quiet = translated(service_tier="auto", speed="standard", metadata={}, n=1)
    assert quiet == translated()
    keys = ("top_k", "container", "fallbacks", "inference_geo", "cache_control", "weather")
    result = translated(**dict.fromkeys(keys, "x"), service_tier="standard_only")
    assert result.body == translated().body
    assert result.dropped == [*keys, "service_tier"]


def test_keys_of_chat_completions_pass():
    """So that a client may use what the provider has beyond the client's language."""
    keys = {"seed": 1, "temperature": 0.5, "top_p": 0.9, "verbosity": "low", "logit_bias": {}}
    result = translated(**keys)
    assert result.body == {**translated().body, **keys}
    assert result.dropped == []


def test_option_drops_keys():
    """The configuration names what a model's provider refuses."""
    result = translated(max_tokens=9, temperature=1, options=TranslateOptions(drop={"max_tokens"}))
    assert result.body == {**translated().body, "temperature": 1}
    assert result.dropped == ["max_tokens"]


def test_user_only_by_option():
    """It may name a person or a device."""
    metadata = {"user_id": "u1"}
    assert translated(metadata=metadata).dropped == ["metadata.user_id"]
    sent = translated(metadata=metadata, options=TranslateOptions(forward_user=True))
    assert (sent.body["user"], sent.dropped) == ("u1", [])


@pytest.mark.parametrize(
    ("keys", "param"),
    [
        ({"n": 2}, "n"),
        ({"max_tokens": "9"}, "max_tokens"),
        ({"messages": "hi"}, "messages"),
        ({"tools": {}}, "tools"),
        ({"tools": ["f"]}, "tools[0]"),
        ({"tools": [{"name": "f"}]}, "tools[0]"),
        ({"tools": [WEB]}, "tools"),
        ({"mcp_servers": [{"type": "url"}]}, "mcp_servers"),
        ({"tools": [TOOL], "tool_choice": "auto"}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "tool"}}, "tool_choice.name"),
        (
            {"tools": [TOOL, WEB], "tool_choice": {"type": "tool", "name": "web_search"}},
            "tool_choice",
        ),
        ({"output_config": {"format": {"type": "grammar"}}}, "output_config.format"),
        ({"output_format": {"type": "json_schema"}}, "output_format"),
    ],
)
def test_refused(keys, param):
    """What cannot be read, or would change the answer beyond recognition, names its place."""
    assert refused(**keys).param == param


# --- limits and thinking


@pytest.mark.parametrize(
    ("model", "key"),
    [
        ("o1", "max_completion_tokens"),
        ("o3-mini", "max_completion_tokens"),
        ("o4-mini-2025-04-16", "max_completion_tokens"),
        ("gpt-5", "max_completion_tokens"),
        ("gpt-5-chat-latest", "max_completion_tokens"),
        ("openai/gpt-5.6-terra", "max_completion_tokens"),
        ("gpt-4o", "max_tokens"),
        ("gpt-oss:20b", "max_tokens"),
        ("openai/gpt-oss-120b", "max_tokens"),
        ("olmo-2", "max_tokens"),
        ("gemini-3-pro", "max_tokens"),
        ("llama3.2", "max_tokens"),
    ],
)
def test_limit_has_the_name_that_the_model_knows(model, key):
    """OpenAI's own thinking models refuse max_tokens, other servers know nothing else."""
    body = translated(max_tokens=5, model=model).body
    assert {name: body[name] for name in body if name.startswith("max_")} == {key: 5}


def effort(model: str, *, thinking: Any = None, wish: Any = None, **keys: Any) -> Any:
    """Translate a wish to think; give the effort, what is dropped, what is changed."""
    config = {} if wish is None else {"effort": wish}
    result = translated(model=model, thinking=thinking, output_config=config, **keys)
    return result.body.get("reasoning_effort"), result.dropped, result.changed


@pytest.mark.parametrize(
    ("model", "sent"),
    [
        ("gpt-5", ["minimal", "low", "medium", "high", "high", "high"]),
        ("gpt-5.1", ["none", "low", "medium", "high", "high", "high"]),
        ("gpt-5.2", ["none", "low", "medium", "high", "xhigh", "xhigh"]),
        ("gpt-5.6", ["none", "low", "medium", "high", "xhigh", "max"]),
        ("o3", ["low", "low", "medium", "high", "high", "high"]),
        ("openai/gpt-oss-120b", ["low", "low", "medium", "high", "high", "high"]),
        ("models/gemini-2.5-flash", ["low", "low", "medium", "high", "high", "high"]),
        ("anthropic/claude-opus-4.8", ["none", "low", "medium", "high", "xhigh", "max"]),
    ],
)
def test_effort(model, sent):
    """Each wish is the nearest that the model can; another one than was wished is listed."""
    off = {"type": "disabled"}
    assert effort(model, thinking=off) == (sent[0], [], ["thinking"] * (sent[0] != "none"))
    for wish, expected in zip(("low", "medium", "high", "xhigh", "max"), sent[1:], strict=True):
        changed = ["output_config.effort"] * (wish != expected)
        assert effort(model, wish=wish) == (expected, [], changed)
        assert effort(model, wish=wish, thinking={"type": "adaptive"})[0] == expected
        assert effort(model, wish=wish, thinking=off)[0] == sent[0]


@pytest.mark.parametrize(
    ("budget", "expected"),
    [(1024, "low"), (2048, "low"), (2049, "medium"), (8192, "medium"), (31999, "high")],
)
def test_budget_is_an_effort(budget, expected):
    """An effort says it less exactly than a budget; a client's own effort wins."""
    thinking = {"type": "enabled", "budget_tokens": budget}
    assert effort("gpt-5", thinking=thinking) == (expected, [], ["thinking.budget_tokens"])
    both = effort("gpt-5", thinking=thinking, wish="low")
    assert both == ("low", ["thinking.budget_tokens"], [])


def test_thinking_that_is_left_to_the_model():
    """Without a wish nothing is sent, and nothing was lost but how it would be shown."""
    assert effort("gpt-5") == (None, [], [])
    adaptive = {"type": "adaptive", "display": "summarized"}
    assert effort("gpt-5", thinking=adaptive) == (None, ["thinking.display"], [])


@pytest.mark.parametrize("model", ["llama3.2", "qwen3", "gpt-4o", "gemini-2.0-flash", "gpt-5-chat"])
def test_models_that_may_refuse_an_effort_get_none(model):
    """Clients wish for an effort always; a server that refuses it would answer nothing."""
    assert effort(model, wish="high") == (None, ["output_config.effort"], [])
    assert effort(model, thinking={"type": "disabled"}) == (None, ["thinking"], [])


def test_effort_that_nobody_knows():
    """A later word for it is dropped, like any later key."""
    assert effort("gpt-5", wish="ultra") == (None, ["output_config.effort"], [])
    assert effort("gpt-5", thinking={"type": "between_tools"}) == (None, ["thinking.type"], [])
    strange = translated(model="gpt-5", thinking="adaptive", output_config=["effort"])
    assert strange.dropped == ["thinking", "output_config"]
    later = translated(model="gpt-5", output_config={"effort": "low", "task_budget": 7})
    assert later.dropped == ["output_config.task_budget"]


def test_openai_thinks_not_beside_tools():
    """Its newer models refuse to in chat completions, unless another vendor's server does better."""
    for model in ("gpt-5.2", "gpt-5.6-terra"):
        assert effort(model, wish="high", tools=[TOOL]) == ("none", [], ["output_config.effort"])
        assert effort(model, tools=[TOOL]) == ("none", [], ["tools (reasoning_effort: none)"])
        assert effort(model, thinking={"type": "disabled"}, tools=[TOOL]) == ("none", [], [])
    assert effort("gpt-5.1", wish="high", tools=[TOOL]) == ("high", [], [])
    assert effort("openai/gpt-5.6", wish="high", tools=[TOOL]) == ("high", [], [])


def test_effort_in_the_providers_words_wins():
    """A client that speaks of it in both ways has said the provider's on purpose."""
    own = effort("gpt-5.6", wish="high", reasoning_effort="low", tools=[TOOL])
    assert own == ("low", ["output_config.effort"], [])


# --- tools


def test_tools():
    """A schema goes out as it is, with what the provider knows of a tool."""
    tool = {
        **TOOL,
        "type": "custom",
        "strict": True,
        "cache_control": {"type": "ephemeral"},
        "input_examples": [{}],
        "defer_loading": False,
    }
    result = translated(tools=[tool, {"name": "g", "input_schema": {}}])
    assert result.body["tools"] == [
        {"type": "function", "function": {**FUNCTION["function"], "strict": True}},
        {"type": "function", "function": {"name": "g", "parameters": {}}},
    ]
    assert result.dropped == ["tools[].cache_control", "tools[].input_examples"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "f"}, {"type": "function", "function": {"name": "f"}}),
    ],
)
def test_tool_choice(choice, expected):
    """Each choice, alone and with one call at a time."""
    body = translated(tools=[TOOL], tool_choice=choice).body
    assert (body["tool_choice"], "parallel_tool_calls" in body) == (expected, False)
    body = translated(tools=[TOOL], tool_choice={**choice, "disable_parallel_tool_use": True}).body
    assert body["tool_choice"] == expected
    assert body.get("parallel_tool_calls", True) is (expected == "none")


def test_choice_without_tools_says_nothing():
    """Providers refuse the key then; a demand for a call is theirs to refuse."""
    assert translated(tool_choice={"type": "auto"}) == translated()
    assert translated(tool_choice={"type": "any"}).body["tool_choice"] == "required"


# --- the answer


def test_stops():
    """They go out as they are; none says nothing."""
    assert translated(stop_sequences=["END", "\n"]).body["stop"] == ["END", "\n"]
    assert translated(stop_sequences=[]) == translated()


@pytest.mark.parametrize("key", ["output_config", "output_format"])
def test_format(key):
    """A schema that can be kept to the letter is; the name is the schema's title or none."""
    for schema, name in (
        ({**CLOSED, "title": "Dog"}, "Dog"),
        ({**CLOSED, "title": "A dog"}, "answer"),
    ):
        wanted = {"type": "json_schema", "schema": schema}
        result = translated(**{key: {"format": wanted} if key == "output_config" else wanted})
        assert result.body["response_format"] == {
            "type": "json_schema",
            "json_schema": {"name": name, "schema": schema, "strict": True},
        }
        assert (result.dropped, result.changed) == ([], [])


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"a": {}}, "required": ["a"]},
        {"type": "object", "properties": {"a": {}}, "additionalProperties": False},
        {"type": "array", "items": {"type": "object"}},
        {**CLOSED, "$defs": {"x": {"type": "object", "properties": {"b": {}}}}},
    ],
)
def test_format_that_cannot_be_promised(schema):
    """Providers refuse to promise a schema with optional or further keys; they still try."""
    result = translated(output_config={"format": {"type": "json_schema", "schema": schema}})
    assert result.body["response_format"]["json_schema"]["strict"] is False
    assert result.changed == ["output_config.format (not strict)"]


# --- recordings


@NEEDS_SAMPLES
@each(samples("anthropic_messages/*.request.json"))
def test_recorded_request(recording):
    """Every recorded request translates, or asks for nothing but tools that run at Anthropic."""
    body = json.loads(recording.read_bytes())
    kinds = [tool.get("type") for tool in body.get("tools", ())] + body.get("mcp_servers", [])
    if kinds and None not in kinds:
        with pytest.raises(RequestError, match="run at Anthropic"):
            MESSAGES_ON_CHAT.request(body, model="gpt-5.1", options=TranslateOptions())
    else:
        messages = body.pop("messages")
        result = translated(*messages, **{key: body[key] for key in body if key != "model"})
        assert sum(message["role"] == "user" for message in result.body["messages"]) >= 1
