"""Gemini's streams as chunks of chat completions: errors, recordings, and any input in any split."""

from __future__ import annotations

import json
from typing import Any

from gemini_answers import EVERY_RECORDING, end, said, translate
from gemini_streams import chunk, events
from hypothesis import given
from hypothesis import strategies as st
from translated_streams import WITH_USAGE, openai_accumulates, payloads
from translators import NEEDS_SAMPLES, cut, one_by_one, whole


def test_an_error_in_an_event():
    """It is told in OpenAI's shape, and nothing follows."""
    error = {"code": 503, "message": "Overloaded.", "status": "UNAVAILABLE"}
    out, translator = translate([said({"text": "a"}), events({"error": error}), end()])
    assert (translator.failed, translator.error) == (True, "Overloaded.")
    assert payloads(out)[-1] == {
        "error": {
            "message": "Overloaded.",
            "type": "api_error",
            "param": None,
            "code": "unavailable",
            "upstream": {"error": error},
        }
    }


def test_an_error_in_bare_lines():
    """Gemini reports what goes wrong in the middle as lines of JSON without `data:`."""
    error = {"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}}
    bare = json.dumps(error, indent=2).encode()
    for stream in (said({"text": "a"}) + bare, said({"text": "a"}) + bare + b"\n\n"):
        for pieces in ([stream], one_by_one(stream)):
            out, translator = translate(pieces)
            assert (translator.failed, translator.error) == (True, "Slow down.")
            assert payloads(out)[-1]["error"]["code"] == "rate_limit_exceeded"
    _, translator = translate([said({"text": "a"}), b'{"a": 1}\n{nothing}\n', end()])
    assert translator.finished


def test_an_event_that_cannot_be_read():
    """A broken event is a fault, and named."""
    out, translator = translate([said({"text": "a"}), b"data: {oops\n\n", end()])
    assert translator.failed
    assert payloads(out)[-1]["error"]["code"] == "bad_upstream_response"


# --- any input


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_recordings_say_the_same(recording: Any):
    """OpenAI's SDK accumulates what Gemini said: text, thoughts, calls, the reason, in any split."""
    stream = recording.read_bytes()
    out, translator = translate([stream], request=WITH_USAGE)
    assert translator.finished
    for pieces in (one_by_one(stream), cut(stream, seed=1), cut(stream, seed=2)):
        assert translate(pieces, request=WITH_USAGE)[0] == out
    choice = openai_accumulates(out)["choices"][0]
    native = whole("gemini", stream)["candidates"][0]
    parts = native["content"]["parts"]
    texts = [part for part in parts if "text" in part]
    assert choice["message"]["content"] == "".join(
        part["text"] for part in texts if not part.get("thought")
    )
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    told = choice["message"]["tool_calls"] or []
    assert [
        (c["id"], c["function"]["name"], json.loads(c["function"]["arguments"])) for c in told
    ] == [(c["id"], c["name"], c["args"]) for c in calls]
    assert choice["finish_reason"] == ("tool_calls" if calls else "stop")
    assert {chunk_["id"] for chunk_ in payloads(out)} == {whole("gemini", stream)["responseId"]}


PART = st.one_of(
    st.fixed_dictionaries(
        {"text": st.text(max_size=5)},
        optional={"thought": st.booleans(), "thoughtSignature": st.sampled_from(["eA==", None, 7])},
    ),
    st.fixed_dictionaries(
        {
            "functionCall": st.fixed_dictionaries(
                {},
                optional={
                    "name": st.sampled_from(["f", "g", "", 7]),
                    "id": st.sampled_from(["x", "y", None]),
                    "args": st.dictionaries(st.text(max_size=2), st.integers(), max_size=2)
                    | st.none()
                    | st.lists(st.integers(), max_size=1),
                    "partialArgs": st.lists(
                        st.fixed_dictionaries(
                            {"jsonPath": st.sampled_from(["$.a", "$.b[0]", "$", 1])},
                            optional={"stringValue": st.text(max_size=2), "nullValue": st.none()},
                        ),
                        max_size=2,
                    ),
                    "willContinue": st.booleans(),
                },
            )
            | st.none()
        },
        optional={"thoughtSignature": st.just("eA==")},
    ),
    st.fixed_dictionaries({"inlineData": st.sampled_from([None, {"mimeType": "image/x"}, {}])}),
    st.none(),
)
EVENT = st.one_of(
    st.builds(
        lambda parts, fields: {**chunk(*parts), **fields},
        st.lists(PART, max_size=3),
        st.fixed_dictionaries(
            {},
            optional={
                "responseId": st.sampled_from(["r", None, 1]),
                "usageMetadata": st.sampled_from([{"promptTokenCount": 1}, None, []]),
                "promptFeedback": st.sampled_from([{"blockReason": "X"}, None]),
            },
        ),
    ),
    st.builds(
        lambda reason_, grounding: chunk(finishReason=reason_, groundingMetadata=grounding),
        st.sampled_from(["STOP", "OTHER", "", None, 3]),
        st.sampled_from(
            [
                None,
                {"groundingChunks": [{"web": {"uri": "u"}}], "groundingSupports": [{}, None]},
                {"groundingChunks": {}, "groundingSupports": [{"groundingChunkIndices": [0]}]},
            ]
        ),
    ),
    st.sampled_from(
        [{}, {"candidates": None}, {"candidates": [None, {"index": -1}]}, {"error": 1}]
    ),
)


@given(st.lists(EVENT, max_size=5), st.integers(0, 99))
def test_no_stream_breaks_the_translation(values: list[Any], seed: int):
    """Whatever a provider sends: the split does not matter, and OpenAI's SDK takes what comes out."""
    stream = events(*values)
    out, translator = translate([stream])
    assert translate(cut(stream, seed=seed))[0] == out
    assert not (translator.finished and translator.failed)
    assert (b"data: [DONE]\n\n" in out) == translator.finished
    told = [event for event in out if b'"error"' not in event]
    if payloads(told):
        openai_accumulates(told)
