"""Signatures of thoughts: sent back by the client, remembered by us, or known to be unknown."""

from __future__ import annotations

from typing import Any

import pytest
from gemini_answers import (
    CHAT_TO_GEMINI,
    EVERY_RECORDING,
    HELLO,
    INLINE,
    PIXEL,
    asked,
    assistant,
    call,
    contents,
    end,
    message,
    result,
    said,
    translated,
)
from translators import NEEDS_SAMPLES, whole

SENTINEL = "skip_thought_signature_validator"
SIGNATURE = "c2ln"


def test_newer_models_are_told_that_a_signature_is_unknown():
    """The first call of each answer in the current turn gets Google's word for it; others none."""
    messages = [
        HELLO,
        assistant(asked("old")),
        result("1", "old"),
        {"role": "user", "content": "go on"},
        assistant(asked("a"), asked("b"), content="Now"),
        result("1", "a"),
        result("2", "b"),
        assistant(asked("c")),
        result("3", "c"),
    ]
    marked = translated(*messages, model="gemini-3-pro-preview")
    assert marked.changed == ["messages[].tool_calls[] (signature unknown)"]
    signatures = [
        [part.get("thoughtSignature") for part in content["parts"] if "functionCall" in part]
        for content in marked.body["contents"]
        if content["role"] == "model"
    ]
    assert signatures == [[None], [SENTINEL, None], [SENTINEL]]
    assert SENTINEL not in str(contents(*messages, model="gemini-2.5-flash"))
    assert SENTINEL in str(translated(*messages, model="gemini-flash-latest").body)


def test_a_signature_that_the_client_kept_goes_back():
    """It stands where Google's compatible endpoint puts it: on calls, images and whole messages."""
    google = {"extra_content": {"google": {"thought_signature": SIGNATURE}}}
    url = f"data:image/png;base64,{PIXEL}"
    image = {"type": "image_url", "image_url": {"url": url}, "index": 0, **google}
    found = contents(
        HELLO,
        assistant(asked("a", **google), asked("b")),
        result("1", "a"),
        result("2", "b"),
        {"role": "assistant", "content": "Done", "images": [image], **google},
        model="gemini-3-pro",
    )
    first, second = found[1]["parts"]
    assert first["thoughtSignature"] == SIGNATURE
    assert "thoughtSignature" not in second
    assert found[3]["parts"] == [
        {"text": "Done"},
        {"text": "", "thoughtSignature": SIGNATURE},
        {**INLINE, "thoughtSignature": SIGNATURE},
    ]


# --- the way back of a whole answer

THOUGHT = {"text": "hm", "thought": True}
SEARCH = {"toolCall": {"toolType": "GOOGLE_SEARCH_WEB", "id": "s"}, "thoughtSignature": "czE="}
ANSWERS: dict[str, list[dict[str, Any]]] = {
    "one call": [call(args={"a": 1}, id="x", signature=SIGNATURE)],
    "parallel calls": [
        call(args={"a": 1}, signature=SIGNATURE),
        call("g", args={}),
        call(args={"b": 2}),
    ],
    "text between": [
        THOUGHT,
        {"text": "First", "thoughtSignature": "czA="},
        call(args={}, signature=SIGNATURE),
        {"text": "then é"},
        call("g", args={}),
        {"text": "", "thoughtSignature": "cz0="},
    ],
    "own parts": [
        SEARCH,
        {"executableCode": {"language": "PYTHON", "code": "1"}},
        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
        {"text": "It is 1."},
        {**INLINE, "thoughtSignature": "aQ=="},
        call(args={}, signature=SIGNATURE),
    ],
    "nothing to lose": [{"text": "Look"}, call(args={"a": 1})],
}


def back(sent: dict[str, Any], kept: dict[str, Any]) -> list[dict[str, Any]]:
    """Send an assistant's message in a next request; give its parts there."""
    results = [result("ok", asked["id"]) for asked in sent["tool_calls"]]
    request = translated(HELLO, sent, *results, recall=kept.get)
    assert [content["role"] for content in request.body["contents"]] == ["user", "model", "user"]
    parts: list[dict[str, Any]] = request.body["contents"][1]["parts"]
    return parts


@pytest.mark.parametrize("parts", ANSWERS.values(), ids=ANSWERS.keys())
def test_an_answer_comes_back_as_it_was(parts: list[dict[str, Any]]):
    """Whatever the client drops, the provider gets its own parts again, each with its signature."""
    stream = b"".join(said(part) for part in parts) + end()
    told = message(stream)
    kept = CHAT_TO_GEMINI.kept(whole("gemini", stream))
    bare = {
        "role": "assistant",
        "content": told.get("content") or None,
        "tool_calls": [
            {key: asked[key] for key in ("id", "type", "function")} for asked in told["tool_calls"]
        ],
    }
    found = back(bare, kept)
    if not any("thoughtSignature" in part for part in parts):
        assert kept == {}
        assert found[1].pop("thoughtSignature") == SENTINEL
    assert found == parts
    assert not kept or back(told, kept) == parts


def test_what_gemini_refuses_does_not_come_back():
    """A call without a name, and the empty text that ends a stream, are left out of the memory."""
    parts = [call(args={}, signature=SIGNATURE), {"functionCall": {"args": {}}}, {"text": ""}]
    stream = said(*parts) + end()
    told, kept = message(stream), CHAT_TO_GEMINI.kept(whole("gemini", stream))
    assert back(told, kept) == parts[:1]


@NEEDS_SAMPLES
@EVERY_RECORDING
def test_recordings_come_back_as_they_were(recording: Any):
    """Every recorded answer with calls, of which a client keeps text and calls alone."""
    stream = recording.read_bytes()
    native, told = whole("gemini", stream), message(stream)
    kept = CHAT_TO_GEMINI.kept(native)
    parts = native["candidates"][0]["content"]["parts"]
    assert bool(kept) == any("functionCall" in part for part in parts)
    if kept:
        calls = [{key: c[key] for key in ("id", "type", "function")} for c in told["tool_calls"]]
        bare = {"role": "assistant", "content": told["content"] or None, "tool_calls": calls}
        assert back(bare, kept) == [part for part in parts if part != {"text": ""}]


def test_a_client_that_keeps_signatures_needs_no_memory():
    """Calls with what stands beside them are enough."""
    parts = ANSWERS["parallel calls"]
    assert back(message(said(*parts) + end()), {}) == parts


def test_changed_answers_keep_the_signatures_of_their_calls():
    """Other text, or a call less, and the order is the client's; a signature stays on its call."""
    stream = said(*ANSWERS["text between"]) + end()
    told, kept = message(stream), CHAT_TO_GEMINI.kept(whole("gemini", stream))
    first, second = (
        {key: c[key] for key in ("id", "type", "function")} for c in told["tool_calls"]
    )
    changed = {"role": "assistant", "content": "Else", "tool_calls": [first, second]}
    assert back(changed, kept) == [
        {"text": "Else"},
        call(args={}, signature=SIGNATURE),
        call("g", args={}),
    ]
    fewer = {"role": "assistant", "content": told["content"], "tool_calls": [first]}
    assert back(fewer, kept) == [
        {"text": told["content"]},
        call(args={}, signature=SIGNATURE),
    ]


def test_what_a_client_says_of_a_signature_counts():
    """It may know better than we do."""
    stream = said(*ANSWERS["one call"]) + end()
    told, kept = message(stream), CHAT_TO_GEMINI.kept(whole("gemini", stream))
    told["tool_calls"][0]["extra_content"]["google"]["thought_signature"] = "bmV3"
    assert back(told, kept)[0]["thoughtSignature"] == "bmV3"


def test_nothing_is_kept_for_an_id_that_others_could_have():
    """Without an id of its own, and of its answer, a call cannot be told from another."""
    native = {"candidates": [{"content": {"parts": [call(args={}, signature=SIGNATURE)]}}]}
    assert CHAT_TO_GEMINI.kept(native) == {}


@pytest.mark.parametrize(
    "native",
    [{}, {"candidates": None}, {"candidates": [None, {}, {"content": {"parts": [1, {}]}}]}],
)
def test_nothing_is_kept_of_what_is_no_answer(native: dict[str, Any]):
    """Hostile values are nothing to remember."""
    assert CHAT_TO_GEMINI.kept(native) == {}


@pytest.mark.parametrize(
    "memory",
    [
        *("x", [1], {}, [["call"]], [["call", "c1", None]], [["call", ["c1"], {}]]),
        *([["text", 0, {}]], [["text", True, {}, 0], ["call", "c1", {}]]),
    ],
)
def test_a_memory_that_is_no_skeleton_counts_for_nothing(memory: Any):
    """A damaged file never breaks a request."""
    plain = contents(HELLO, assistant(asked()), result())
    assert contents(HELLO, assistant(asked()), result(), recall=lambda _: memory) == plain
