"""Chat completions as messages, whatever they look like: splits, strange input, clients, recordings."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import anthropic
from chat_streams import DONE, chunk, entry, event
from hypothesis import given
from hypothesis import strategies as st
from messages_on_chat import accumulated, follow, translate
from translators import NEEDS_SAMPLES, cut, each, one_by_one, samples, whole

from dolphin_logger.proxy.translate.call_ids import decode_id

STOP = chunk(choice={"finish_reason": "stop"})
COUNTS = {
    "prompt_tokens": 125,
    "completion_tokens": 9,
    "prompt_tokens_details": {"cached_tokens": 100},
}
USAGE = event({"id": "c1", "choices": [], "usage": COUNTS})


def call(*entries: dict[str, Any]) -> bytes:
    """Write a delta of tool calls."""
    return chunk({"tool_calls": list(entries)})


# --- any split, any input


def test_output_does_not_depend_on_the_split():
    """Not even when characters are cut in two."""
    stream = (
        b": OPENROUTER PROCESSING\n\n"
        + chunk({"reasoning": "h\u00e4\u2028"})
        + chunk({"content": "\U0001f42c"})
        + call(entry(0, "a", "f", '{"x"'), entry(1, "b", "g", "{}"))
        + call(entry(0, None, None, ": 1}"))
        + STOP
        + USAGE
        + DONE
    )
    whole = b"".join(translate([stream])[0])
    assert b"".join(translate(one_by_one(stream))[0]) == whole
    for seed in range(20):
        assert b"".join(translate(cut(stream, seed=seed))[0]) == whole


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(("text", "id", "name", "type", "function")), inner, max_size=3
        )
    ),
    max_leaves=6,
)
PIECES = st.sampled_from(("", "a", '{"x": ', "1}", "{}", "\ud800"))
CALLS = st.fixed_dictionaries(
    {"function": st.fixed_dictionaries({"arguments": PIECES}, optional={"name": PIECES | VALUES})},
    optional={"index": st.integers(0, 2) | VALUES, "id": st.sampled_from(("a", "b")) | VALUES},
)
DELTAS = st.fixed_dictionaries(
    {},
    optional={
        "content": PIECES | VALUES,
        "reasoning": PIECES | VALUES,
        "refusal": PIECES | VALUES,
        "tool_calls": st.lists(CALLS, max_size=3) | VALUES,
        "annotations": VALUES,
    },
)


@given(st.lists(DELTAS | VALUES, max_size=8), VALUES, VALUES)
def test_any_provider_input_keeps_the_order(deltas, reason, counts):
    """Whatever a provider sends: nothing raises, and clients can follow the blocks."""
    stream = [chunk(delta) for delta in deltas]
    end = chunk(choice={"finish_reason": reason}, usage=counts)
    out, translator = translate([*stream, end, DONE])
    kinds = [value["type"] for value in follow(out)]
    assert translator.finished is (kinds[-1] == "message_stop")


# --- the vendor's client


def test_the_sdk_streams_it():
    """Anthropic's own client follows the events over a real connection."""
    stream = [chunk({"reasoning": "hm"}), chunk({"content": "a"})]
    stream += [call(entry(0, "call_1", "f", '{"x": 1}')), STOP, USAGE, DONE]
    body = b"".join(translate(stream)[0])

    class Server(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        with (
            anthropic.Anthropic(api_key="k", base_url=base, max_retries=0) as client,
            client.messages.stream(
                model="m", max_tokens=9, messages=[{"role": "user", "content": "hi"}]
            ) as messages,
        ):
            kinds = [event.type for event in messages]
            message = messages.get_final_message()
    assert [block.type for block in message.content] == ["thinking", "text", "tool_use"]
    assert message.content[2].input == {"x": 1}
    assert message.usage.cache_read_input_tokens == 100
    assert {"thinking", "text", "input_json", "message_stop"} <= set(kinds)


# --- recordings


def joined(parts: Any, kind: str) -> str:
    """Join the text of a native content, or of the thoughts in it."""
    if not isinstance(parts, list):
        return (parts or "") if kind == "text" else ""
    return "".join(joined(part[kind], "text") for part in parts if part.get("type") == kind)


@NEEDS_SAMPLES
@each(samples("openai_chat/*.sse"))
def test_recording(recording):
    """Every recording says the same in both languages, and the client's accumulators take it."""
    stream = recording.read_bytes()
    out, translator = translate([stream])
    native = whole("openai.chat", stream)
    assert native is not None
    if translator.failed:
        assert "error" in json.dumps(native)
        follow(out)
        return
    message = accumulated(out)
    choice = native["choices"][0]
    found: dict[str, list[Any]] = {"text": [], "thinking": [], "tool_use": []}
    for block in message["content"]:
        found[block["type"]].append(block)
    own = choice["message"]
    assert "".join(block["text"] for block in found["text"]) == joined(own["content"], "text")
    thought = own.get("reasoning_content") or own.get("reasoning")
    thought = thought or joined(own["content"], "thinking")
    assert "".join(block["thinking"] for block in found["thinking"]) == thought
    assert [
        (decode_id(block["id"]), block["name"], block["input"]) for block in found["tool_use"]
    ] == [
        (one["id"], one["function"]["name"], json.loads(one["function"]["arguments"] or "{}"))
        for one in own.get("tool_calls") or ()
    ]
    stops = {"stop": "end_turn", "length": "max_tokens", None: None}
    expected = "tool_use" if found["tool_use"] else stops[choice["finish_reason"]]
    assert message["stop_reason"] == expected
    assert message["model"] == native["model"]
    assert message["id"] == native["id"] or (native["id"] == "" and message["id"])
    counts = native.get("usage") or {}
    if "completion_tokens" in counts:
        assert message["usage"]["output_tokens"] == counts["completion_tokens"]
        cached = message["usage"].get("cache_read_input_tokens") or 0
        assert message["usage"]["input_tokens"] + cached == counts["prompt_tokens"]
