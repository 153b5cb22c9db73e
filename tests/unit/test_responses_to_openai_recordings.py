"""Recorded chat completions as Responses, and answers that come back in the next request."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from responses_from_chat import (
    RESPONSES_TO_CHAT,
    ask,
    assert_accepted,
    calling,
    chunk,
    completion,
    events_of,
    function_result,
    payloads,
    response_of,
    translate,
)
from translators import NEEDS_SAMPLES, cut, each, samples, whole

THOUGHTS = ("reasoning_content", "reasoning", "thinking")


def texts(output: list[dict[str, Any]], kind: str) -> str:
    """Join the texts of all items of a kind."""
    return "".join(
        part["text"]
        for item in output
        if item["type"] == kind
        for part in item["content"]
        if "text" in part
    )


def native_texts(message: dict[str, Any]) -> tuple[str, str]:
    """Give what a chat message says and what it thinks."""
    content = message.get("content") or ""
    if isinstance(content, str):
        thought = next((message[key] for key in THOUGHTS if message.get(key)), "")
        return content, thought
    inner = [part for entry in content for part in entry.get("thinking", ())]
    return (
        "".join(part.get("text", "") for part in content),
        "".join(part["text"] for part in inner),
    )


@NEEDS_SAMPLES
@each(samples("openai_chat/*.sse"))
def test_recorded_streams_say_the_same(recording: Path) -> None:
    """Text, thoughts, calls and the reason are those that the provider's own language says."""
    stream = recording.read_bytes()
    out, translator = translate([stream])
    assert_accepted(out)
    last = payloads(out)[-1]["response"]
    choice = whole("openai.chat", stream)["choices"][0]
    message = choice["message"]
    if translator.failed:
        assert last["error"]["message"] == translator.error
    else:
        cut_off = choice["finish_reason"] == "length"
        assert last["status"] == ("incomplete" if cut_off else "completed")
    text, thought = native_texts(message)
    assert texts(last["output"], "message") == text
    assert texts(last["output"], "reasoning") == thought
    found = [item for item in last["output"] if item["type"] == "function_call"]
    assert [(item["call_id"], item["name"], item["arguments"]) for item in found] == [
        (call["id"], call["function"]["name"], call["function"]["arguments"] or "{}")
        for call in message.get("tool_calls") or ()
    ]


@NEEDS_SAMPLES
@each(samples("openai_chat/*.sse"))
def test_recorded_streams_do_not_depend_on_the_split(recording: Path) -> None:
    """Random chunks give the same bytes; ids that servers leave out are made up and differ."""
    stream = recording.read_bytes()
    if b'"id":""' in stream:
        return
    whole = b"".join(translate([stream])[0])
    assert b"".join(translate(cut(stream, seed=1))[0]) == whole


@NEEDS_SAMPLES
@each(samples("openai_chat/*.sse"))
def test_recorded_answers_come_back(recording: Path) -> None:
    """Sent back, an answer is the provider's own message again; thoughts come back beside calls."""
    stream = recording.read_bytes()
    out, translator = translate([stream])
    if not translator.finished:
        return
    native = whole("openai.chat", stream)
    message = native["choices"][0]["message"]
    kept = RESPONSES_TO_CHAT.kept(native)
    items = payloads(out)[-1]["response"]["output"]
    sent = ask({"input": items}, recall=kept.get).body["messages"]
    assert sent, items
    text, thought = native_texts(message)
    assert "".join(native_texts(back)[0] for back in sent) == text
    calls = [call for back in sent for call in back.get("tool_calls", ())]
    assert calls == [
        {
            "id": call["id"],
            "type": "function",
            "function": {
                "name": call["function"]["name"],
                "arguments": call["function"]["arguments"] or "{}",
            },
        }
        for call in message.get("tool_calls") or ()
    ]
    assert "".join(native_texts(back)[1] for back in sent) == (thought if calls else "")


def back_again(message: dict[str, Any], items: list[dict[str, Any]]) -> dict[str, Any]:
    """Send items of an answer back, with what was kept of the provider's message."""
    native = {"choices": [{"index": 0, "message": message}]}
    kept = json.loads(json.dumps(RESPONSES_TO_CHAT.kept(native)))
    results = [function_result(item["call_id"]) for item in items if "call_id" in item]
    sent: dict[str, Any] = ask({"input": [*items, *results]}, recall=kept.get).body["messages"][0]
    return sent


def test_signatures_of_calls_are_put_back() -> None:
    """Google's signatures stand in the calls, and only a vault can bring them back."""
    signed = {"extra_content": {"google": {"thought_signature": "c2ln"}}}
    stream = completion(*calling(("a", "f", "{}"), ("b", "g", "{}")), reason="tool_calls")
    message = whole("openai.chat", stream)["choices"][0]["message"]
    message["tool_calls"][0] |= signed
    sent = back_again(message, response_of(stream)["output"])
    assert sent["tool_calls"] == message["tool_calls"]


def test_sealed_thoughts_are_put_back_in_place_of_plain_ones() -> None:
    """Thoughts with signatures stand around calls again, and say what the plain one did."""
    stream = completion({"reasoning": "Hm"}, *calling(("a", "f", "{}")), reason="tool_calls")
    sealed = {
        "reasoning_details": [{"type": "reasoning.text", "text": "Hm", "signature": "c2ln"}],
        "thinking_blocks": [{"type": "thinking", "thinking": "Hm", "signature": "c2ln"}],
    }
    message = whole("openai.chat", stream)["choices"][0]["message"]
    items = response_of(stream)["output"]
    assert back_again(message, items)["reasoning"] == "Hm", "under the provider's own word"
    sent = back_again({**message, **sealed}, items)
    calls = message["tool_calls"]
    assert sent == {"role": "assistant", "content": None, "tool_calls": calls, **sealed}


def test_content_in_parts_is_put_back() -> None:
    """A message whose thoughts are parts of its content is the same again, if its text is."""
    parts = [
        {"type": "thinking", "thinking": [{"type": "text", "text": "Hm"}]},
        {"type": "text", "text": "Now"},
    ]
    stream = completion({"content": parts}, *calling(("a", "f", "{}")), reason="tool_calls")
    message = {**whole("openai.chat", stream)["choices"][0]["message"], "content": parts}
    items = response_of(stream)["output"]
    sent = back_again(message, items)
    assert sent["content"] == parts
    assert "reasoning_content" not in sent
    items[1]["content"][0]["text"] = "Changed"
    assert back_again(message, items)["content"] == "Changed"


def test_nothing_is_kept_where_nothing_is_lost() -> None:
    """Plain calls, answers without calls and broken answers leave nothing behind."""
    plain = whole("openai.chat", completion(*calling(("a", "f", "{}"))))
    said = {"choices": [{"message": {"content": "x", "reasoning_details": [{"a": 1}]}}]}
    for native in (plain, said, {}, {"choices": [None]}, {"choices": [{"message": 5}]}):
        assert RESPONSES_TO_CHAT.kept(native) == {}
    odd = {"choices": [{"message": {"tool_calls": [5, {"id": 5}], "reasoning_details": [1]}}]}
    assert RESPONSES_TO_CHAT.kept(odd) == {}


def test_a_vault_with_something_else_in_it_changes_nothing() -> None:
    """What is recalled may be from another time; it never breaks a request."""
    items = response_of(completion({"content": "x"}, *calling(("a", "f", "{}"))))["output"]
    for entry in (5, {}, {"message": 5, "word": 5}, {"message": {"content": [5]}}):
        sent = ask({"input": items}, recall={"a": entry}.get).body["messages"][0]
        assert (sent["content"], len(sent["tool_calls"])) == ("x", 1)


def test_thoughts_come_back_from_the_seal_alone() -> None:
    """A client that sends only `encrypted_content` back gives the model its thought again."""
    asked = {"include": ["reasoning.encrypted_content"]}
    stream = completion({"reasoning_content": "Hm ä"}, *calling(("a", "f", "{}")))
    thought, call = response_of(stream, request=asked)["output"]
    bare = {**thought, "content": None, "summary": []}
    (sent,) = ask({"input": [bare, call]}).body["messages"]
    assert sent["reasoning_content"] == "Hm ä"


def test_a_whole_conversation_with_a_custom_tool() -> None:
    """What the model called, in whatever form, it finds again in its own words."""
    asked = {"tools": [{"type": "custom", "name": "patch"}]}
    arguments = '{"input": "*** Begin\\nä\\"\\\\n"}'
    stream = completion(*calling(("c", "patch", arguments)), reason="tool_calls")
    (item,) = response_of(stream, request=asked)["output"]
    assert item["input"] == '*** Begin\nä"\\n'
    result = {"type": "custom_tool_call_output", "call_id": "c", "output": "done"}
    call, tool = ask({**asked, "input": [item, result]}).body["messages"]
    assert call["tool_calls"][0]["function"] == {"name": "patch", "arguments": arguments}
    assert tool == {"role": "tool", "tool_call_id": "c", "content": "done"}


def test_servers_without_any_id_get_one_per_stream() -> None:
    """An id that is missing or empty is made up, once."""
    stream = chunk({"content": "Hi"}, id="") + chunk(reason="stop", id=None)
    events = events_of(stream)
    assert len({event["response"]["id"] for event in events if "response" in event}) == 1
