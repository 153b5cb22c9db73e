"""What one language calls a thing and the other may not: names of tools, ids of calls, halves of characters."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from chat_streams import DONE, chunk
from hypothesis import given
from hypothesis import strategies as st
from translators import CREATED, run

from dolphin_logger.errors import RequestError
from dolphin_logger.proxy.translate import TRANSLATIONS, TranslateOptions
from dolphin_logger.proxy.translate.call_ids import encode_id
from dolphin_logger.proxy.translate.chat_names import fit_name, names_back
from dolphin_logger.proxy.translate.json_text import mend_text

ALLOWED = re.compile(r"[a-zA-Z0-9_-]{1,64}")
LONG = "mcp__a_server_with_a_long_name__" + "and_a_tool_" * 7
ODD = "server.tool:read"
CALLED = {"id": "c1", "type": "function"}


def asked(client: str, name: str) -> dict[str, Any]:
    """Ask in a client's language, with a tool that has been called before and has to be called now."""
    schema = {"type": "object", "properties": {}}
    if client == "anthropic.messages":
        use = {"type": "tool_use", "id": "c1", "name": name, "input": {}}
        done = {"type": "tool_result", "tool_use_id": "c1", "content": "r"}
        said = (("user", "x"), ("assistant", [use]), ("user", [done]))
        return {
            "messages": [{"role": role, "content": content} for role, content in said],
            "max_tokens": 9,
            "tools": [{"name": name, "input_schema": schema}],
            "tool_choice": {"type": "tool", "name": name},
        }
    if client == "openai.responses":
        call = {"type": "function_call", "call_id": "c1", "name": name, "arguments": "{}"}
        done = {"type": "function_call_output", "call_id": "c1", "output": "r"}
        return {
            "input": [{"role": "user", "content": "x"}, call, done],
            "tools": [{"type": "function", "name": name, "parameters": schema}],
            "tool_choice": {"type": "function", "name": name},
        }
    parts = (
        {"text": "x"},
        {"functionCall": {"name": name, "args": {}}},
        {"functionResponse": {"name": name, "response": {"output": "r"}}},
    )
    only = {"mode": "ANY", "allowedFunctionNames": [name]}
    return {
        "contents": [
            {"role": role, "parts": [part]}
            for role, part in zip(("user", "model", "user"), parts, strict=True)
        ],
        "tools": [{"functionDeclarations": [{"name": name, "parametersJsonSchema": schema}]}],
        "toolConfig": {"functionCallingConfig": only},
    }


@pytest.mark.parametrize("client", ["anthropic.messages", "openai.responses", "gemini"])
@pytest.mark.parametrize("name", [LONG, ODD, "f"])
def test_names_fit_the_provider_and_come_back(client: str, name: str) -> None:
    """The tool, its choice and its earlier call have one name there, and the client reads its own."""
    translation = TRANSLATIONS[client, "openai.chat"]
    request = asked(client, name)
    translated = translation.request(request, model="m", options=TranslateOptions())
    body = translated.body
    (tool,) = body["tools"]
    fitted = tool["function"]["name"]
    assert ALLOWED.fullmatch(fitted)
    assert (fitted == name) is (name == "f")
    assert bool(translated.changed) is (name != "f")
    assert body["tool_choice"]["function"]["name"] == fitted
    assert body["messages"][1]["tool_calls"][0]["function"]["name"] == fitted
    call = {"index": 0, **CALLED, "function": {"name": fitted, "arguments": "{}"}}
    stream = chunk({"tool_calls": [call]}) + chunk(choice={"finish_reason": "tool_calls"}) + DONE
    out, _ = run(translation, [stream], request)
    assert f'"name":"{name}"' in b"".join(out).decode()
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    native = {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    whole = translation.answer(native, created=CREATED, request=request)
    assert f'"name": "{name}"' in json.dumps(whole)


@given(st.text(min_size=1), st.text(min_size=1))
def test_any_name_fits(name: str, other: str) -> None:
    """Two names never become one, and each finds its way back."""
    fitted = fit_name(name)
    assert ALLOWED.fullmatch(fitted)
    assert names_back([name]).get(fitted, fitted) == name
    assert (fit_name(other) == fitted) is (other == name)


def test_ids_of_other_servers_go_to_anthropic() -> None:
    """A conversation that another model began has ids that Anthropic refuses: result and call agree."""
    call = {**CALLED, "id": "functions.f:0", "function": {"name": "f", "arguments": "{}"}}
    said = [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "functions.f:0", "content": "r"},
    ]
    options = TranslateOptions()
    body = (
        TRANSLATIONS["openai.chat", "anthropic.messages"]
        .request({"messages": said}, model="claude", options=options)
        .body
    )
    (use,), (result,) = (message["content"] for message in body["messages"])
    assert use["id"] == result["tool_use_id"] == encode_id("functions.f:0")
    assert re.fullmatch("[a-zA-Z0-9_-]+", use["id"])


def test_halves_of_characters_do_not_go_to_anthropic() -> None:
    """Programs that cut texts of UTF-16 leave them; no client of Anthropic's could send them."""
    said = [{"role": "user", "content": "a\ud83d b \U0001f42c"}]
    translated = TRANSLATIONS["openai.chat", "anthropic.messages"].request(
        {"messages": said}, model="claude", options=TranslateOptions()
    )
    assert translated.body["messages"][0]["content"] == "a\ufffd b \U0001f42c"
    assert translated.changed == ["messages (halves of characters, as U+FFFD)"]
    assert said[0]["content"] == "a\ud83d b \U0001f42c", "the client's request stays as it is"


@given(st.recursive(st.text() | st.integers(), lambda inner: st.lists(inner, max_size=3)))
def test_whole_texts_stay_as_they_are(value: Any) -> None:
    """Also beside numbers that are too large for most programs."""
    assert mend_text([value, 2**70]) == [value, 2**70]


@pytest.mark.parametrize(
    ("client", "body"),
    [
        ("openai.chat", {"messages": [], "temperature": float("inf")}),
        ("gemini", {"contents": [], "generationConfig": {"maxOutputTokens": float("inf")}}),
        ("gemini", {"contents": [], "generationConfig": {"temperature": float("inf")}}),
    ],
)
def test_numbers_without_an_end_are_refused(client: str, body: dict[str, Any]) -> None:
    """`1e999` is JSON, and nothing that can be said again."""
    translation = TRANSLATIONS[client, "anthropic.messages"]
    with pytest.raises(RequestError, match="number"):
        translation.request(body, model="m", options=TranslateOptions())


def test_refusals_of_the_second_step_say_whose_words_they_are() -> None:
    """Their paths are those of the language in the middle, which the client has never seen."""
    sound = {"inlineData": {"mimeType": "audio/wav", "data": "AAAA"}}
    with pytest.raises(RequestError, match=r"input_audio.*\(of the chat completion\)") as caught:
        TRANSLATIONS["gemini", "anthropic.messages"].request(
            {"contents": [{"parts": [sound]}]}, model="claude", options=TranslateOptions()
        )
    assert caught.value.status == 400
