"""Streamed chat completions as events of the Gemini API: recorded ones, and hostile ones."""

from __future__ import annotations

import json

from chat_streams import DONE, chunk
from content_streams import EVERY_RECORDING, THINKING, USAGE, payloads, read, translate
from hypothesis import given, settings
from hypothesis import strategies as st
from translators import NEEDS_SAMPLES, cut, one_by_one, samples

from dolphin_logger.dialects import DIALECTS

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 3) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
    ),
    max_leaves=4,
)
_DELTAS = st.dictionaries(
    st.sampled_from(("content", "refusal", "reasoning_content", "tool_calls", "annotations")),
    _JSON
    | st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "index": st.integers(0, 2) | _JSON,
                "id": st.sampled_from(("a", "b")),
                "function": st.fixed_dictionaries(
                    {},
                    optional={
                        "name": st.sampled_from("fg") | _JSON,
                        "arguments": st.sampled_from(("{", "}", '"a":1')) | _JSON,
                    },
                ),
                "url_citation": st.fixed_dictionaries({"url": _JSON}, optional={"title": _JSON}),
            },
        ),
        max_size=2,
    ),
    max_size=2,
)
_CHOICES = st.fixed_dictionaries(
    {},
    optional={
        "logprobs": _JSON | st.fixed_dictionaries({"content": st.lists(_JSON, max_size=2)}),
        "finish_reason": _JSON | st.sampled_from(("stop", "length")),
    },
)
_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "id": _JSON,
        "model": _JSON,
        "usage": _JSON
        | st.dictionaries(st.sampled_from((*USAGE, "completion_tokens_details")), _JSON),
    },
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(_DELTAS, _CHOICES, _FIELDS), max_size=5), st.booleans())
def test_no_event_raises(pieces, ends):
    """Whatever a provider sends, in any split Google's SDK can read what comes out."""
    body = b"".join(chunk(delta, choice=choice, **fields) for delta, choice, fields in pieces) + (
        DONE if ends else b""
    )
    events, translator = translate([body], request=THINKING)
    again, _ = translate(one_by_one(body), request=THINKING)
    without_ids = [b"call_" in written for written in events]
    assert len(again) == len(events)
    assert all(
        unsure or found == written
        for unsure, found, written in zip(without_ids, again, events, strict=True)
    )
    payloads(events[:-1] if translator.failed else events)
    assert read(events).exact


# --- recordings


@NEEDS_SAMPLES
def test_there_are_recordings():
    """The variable points at recordings."""
    assert len(samples("openai_chat/*.sse")) > 50


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_recording_in_any_split_gives_the_same_bytes(recording):
    """Whole, byte by byte and in random splits, the client gets the same bytes."""
    body = recording.read_bytes()
    whole, translator = translate([body], request=THINKING)
    assert translator.finished is not translator.failed
    assert translate(one_by_one(body), request=THINKING)[0] == whole
    for seed in range(5):
        assert translate(cut(body, seed=seed), request=THINKING)[0] == whole


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_recording_keeps_its_words(recording):
    """All text, thoughts, calls and counts of the first choice are what the record reads natively."""
    body = recording.read_bytes()
    native = DIALECTS["openai.chat"].decoder("text/event-stream", asked=True)
    native.feed(body)
    expected = native.answer()
    events, translator = translate([body], request=THINKING)
    answer = read(events)
    assert answer.exact
    assert (answer.error is None) is (expected.error is None)
    if translator.failed:
        events = events[:-1]
    choice = expected.response["choices"][0]
    message = choice["message"]
    content = message.get("content") or ""
    thoughts = message.get("reasoning_content") or message.get("reasoning") or ""
    if isinstance(content, list):  # Mistral's parts
        thoughts = "".join(inner["text"] for part in content for inner in part.get("thinking", ()))
        content = "".join(part.get("text", "") for part in content)
    said = [
        part for found in payloads(events) for part in found["candidates"][0]["content"]["parts"]
    ]
    assert "".join(p["text"] for p in said if "text" in p and "thought" not in p) == content
    assert "".join(p["text"] for p in said if "thought" in p) == thoughts
    if not translator.finished:
        return
    assert [p["functionCall"] for p in said if "functionCall" in p] == [
        {
            "id": call["id"],
            "name": call["function"]["name"],
            "args": json.loads(call["function"]["arguments"] or "{}"),
        }
        for call in message.get("tool_calls") or ()
    ]
    usage = DIALECTS["gemini"].usage(answer.response)
    assert usage.input_tokens == DIALECTS["openai.chat"].usage(expected.response).input_tokens
    assert (
        len({(found.get("responseId"), found.get("modelVersion")) for found in payloads(events)})
        == 1
    )
