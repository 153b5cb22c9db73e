"""The dialect `openai.completions`: streams of plain text, prompts, usage."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dolphin_logger.dialects._api import Answer
from dolphin_logger.dialects.openai_completions import OpenAICompletions
from dolphin_logger.messages import Usage

DONE = b"data: [DONE]\n\n"


def chunk(text: object = "", *, index: object = 0, choice: Any = None, **fields: object) -> bytes:
    """Write one event."""
    head = {"id": "cmpl-1", "object": "text_completion", "created": 7, "model": "m"}
    inner = {"text": text, "index": index, "logprobs": None, "finish_reason": None}
    return event({**head, "choices": [{**inner, **(choice or {})}], **fields})


def event(payload: object) -> bytes:
    """Write any event."""
    return b"data: " + json.dumps(payload).encode() + b"\n\n"


def decode(*events: bytes) -> Answer:
    """Decode a stream whole, and hold it against itself event by event."""
    whole, single = (OpenAICompletions().decoder("text/event-stream", asked=True) for _ in range(2))
    whole.feed(b"".join(events))
    for one in events:
        single.feed(one)
    answer = whole.answer()
    assert single.answer() == answer
    return answer


def test_stream_gives_the_plain_answer():
    """Text, log-probabilities and the reason come together per choice; usage from the last event."""
    probs = [
        {"tokens": [t], "token_logprobs": [-1.5], "top_logprobs": [{t: -1.5}], "text_offset": [n]}
        for n, t in enumerate("ab")
    ]
    answer = decode(
        chunk("a", choice={"logprobs": probs[0]}),
        chunk("x", index=1),
        chunk("b", choice={"logprobs": probs[1]}),
        chunk("y", index=1),
        chunk("z", index=1),
        chunk("", choice={"finish_reason": "stop"}),
        chunk("", index=1, choice={"finish_reason": "length", "stop_reason": 3}),
        event(
            {
                "id": "cmpl-1",
                "object": "text_completion",
                "created": 7,
                "model": "m",
                "choices": [],
                "usage": {"prompt_tokens": 2},
            }
        ),
        DONE,
    )
    assert answer == Answer(
        response={
            "id": "cmpl-1",
            "object": "text_completion",
            "created": 7,
            "model": "m",
            "choices": [
                {
                    "text": "ab",
                    "index": 0,
                    "finish_reason": "stop",
                    "logprobs": {
                        "tokens": ["a", "b"],
                        "token_logprobs": [-1.5, -1.5],
                        "top_logprobs": [{"a": -1.5}, {"b": -1.5}],
                        "text_offset": [0, 1],
                    },
                },
                {
                    "text": "xyz",
                    "index": 1,
                    "finish_reason": "length",
                    "logprobs": None,
                    "stop_reason": 3,
                },
            ],
            "usage": {"prompt_tokens": 2},
        },
        exact=True,
        error=None,
        terminated=True,
    )


def test_ends():
    """`[DONE]` finishes; a reason alone terminates; text alone does neither."""
    for stream, terminated, finished in (
        ([chunk("a")], False, False),
        ([chunk("a", choice={"finish_reason": "stop"})], True, False),
        ([chunk("a"), DONE], True, True),
    ):
        decoder = OpenAICompletions().decoder("text/event-stream", asked=True)
        decoder.feed(b"".join(stream))
        answer = decoder.answer()
        assert (answer.terminated, decoder.finished) == (terminated, finished)
        assert (answer.response["choices"][0]["text"], answer.exact) == ("a", True)


def test_text_that_only_the_slow_reader_reads():
    """Lone surrogates and long integers are read, in the middle of usual events too."""
    long = chunk("c", choice={"seed": 10**30})
    answer = decode(chunk("a"), chunk("\ud83d"), chunk("\ude00"), long, DONE)
    assert answer.response["choices"][0]["text"] == "a\U0001f600c"
    assert answer.response["choices"][0]["seed"] == 10**30
    assert answer.exact


def test_errors():
    """An error is told, alone or after text."""
    error = {"message": "no", "type": "t"}
    assert decode(event({"error": error})) == Answer(
        {"error": error}, exact=True, error="no", terminated=False
    )
    answer = decode(chunk("a"), event({"error": error}))
    assert (answer.error, answer.response["choices"][0]["text"]) == ("no", "a")


@pytest.mark.parametrize(
    "strange",
    [
        chunk("b", novelty=1),
        chunk("b", choice={"novelty": 1}),
        chunk("b", object="chat.completion.chunk"),
        chunk("b", choice={"delta": {"role": "assistant", "novel": "x"}}),
        chunk("b", choice={"delta": {"tool_calls": [{"index": 0, "id": "c"}]}}),
        event({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "id": "c"}]}}]}),
        chunk(5),
    ],
)
def test_what_is_unknown_keeps_raw(strange):
    """What has no rule, or belongs to chat completions, is kept, and the answer is not exact."""
    answer = decode(chunk("a"), strange, DONE)
    assert not answer.exact
    assert answer.response["choices"][0]["text"]


@pytest.mark.parametrize("choices", [None, 5, [None], [[]], [{}], [{"text": None}]])
def test_choices_of_any_type(choices):
    """Choices that are none raise nothing and hide nothing."""
    strange = event({"object": "text_completion", "choices": choices})
    assert decode(chunk("a"), strange, DONE).response["choices"][0]["text"] == "a"
    assert decode(strange, DONE).response["choices"] in (
        [],
        [{"index": 0, "text": "", "finish_reason": None}],
    )


@pytest.mark.parametrize(
    ("prompt", "text"),
    [("Once", "Once"), ("", ""), (["a", "b"], None), ([1, 2], None), (None, None)],
)
def test_first_user_text(prompt, text):
    """A prompt that is one text is the first user text."""
    assert OpenAICompletions().first_user_text({"prompt": prompt}) == text


def test_usage():
    """The counts have the names of chat completions."""
    usage = {"prompt_tokens": 2, "completion_tokens": 3}
    assert OpenAICompletions().usage({"usage": usage}) == Usage(2, 3)
