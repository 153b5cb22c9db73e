"""Streams of `openai.chat`: the envelope, errors, ends, and what parsers lose."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from chat_streams import DONE, chunk, decode, event

from dolphin_logger.dialects._api import Answer
from dolphin_logger.dialects.openai_chat import OpenAIChat


def test_stream_gives_the_plain_answer():
    """A streamed answer has the shape of one that was not streamed."""
    answer = decode(
        chunk(
            {"role": "assistant", "content": "", "refusal": None},
            usage=None,
            system_fingerprint=None,
        ),
        chunk({"content": "Hel"}, usage=None, obfuscation="abc"),
        chunk({"content": "lo \u2028"}, usage=None, obfuscation="d"),
        chunk({}, choice={"finish_reason": "stop"}, usage=None, system_fingerprint="fp"),
        event(
            {
                "id": "c1",
                "object": "chat.completion.chunk",
                "created": 7,
                "model": "m",
                "choices": [],
                "usage": {"prompt_tokens": 1},
            }
        ),
        DONE,
    )
    assert answer == Answer(
        response={
            "id": "c1",
            "object": "chat.completion",
            "created": 7,
            "model": "m",
            "choices": [
                {
                    "index": 0,
                    "message": {"role": "assistant", "content": "Hello \u2028", "refusal": None},
                    "finish_reason": "stop",
                }
            ],
            "usage": {"prompt_tokens": 1},
            "system_fingerprint": "fp",
        },
        exact=True,
        error=None,
        terminated=True,
    )


def test_nothing_is_no_answer():
    """Without any event there is no response, and nothing is missing."""
    nothing = Answer(None, exact=True, error=None, terminated=False)
    assert decode(b"") == decode(b": ping\n\n") == nothing
    assert decode(DONE) == Answer(None, exact=True, error=None, terminated=True)


def test_usage_is_the_last_that_is_not_null():
    """A null after the usage does not erase it; of two the last counts."""
    usage = [{"usage": {"prompt_tokens": n}} for n in (1, 2)]
    answer = decode(
        chunk({"content": "a"}, **usage[0]), chunk({}, **usage[1]), chunk({}, usage=None), DONE
    )
    assert answer.exact
    assert answer.response["usage"] == {"prompt_tokens": 2}


def test_first_and_last_values():
    """Id, time and model come from the first chunk that has them; tier, print and reason from the last."""
    answer = decode(
        event(
            {
                "id": "",
                "created": 0,
                "model": "",
                "object": "",
                "choices": [],
                "prompt_filter_results": [{"prompt_index": 0}],
            }
        ),
        chunk(
            {"content": "a"},
            choice={"finish_reason": "length"},
            service_tier="auto",
            system_fingerprint="1",
        ),
        chunk(
            {},
            id="c2",
            created=8,
            choice={"finish_reason": None},
            service_tier="flex",
            system_fingerprint=None,
            moderation={"a": 1},
        ),
        DONE,
    )
    response = answer.response
    assert answer.exact
    assert (response["id"], response["created"], response["model"]) == ("c1", 7, "m")
    assert (response["service_tier"], response["system_fingerprint"], response["moderation"]) == (
        "flex",
        "1",
        {"a": 1},
    )
    assert response["prompt_filter_results"] == [{"prompt_index": 0}]
    assert response["choices"][0]["finish_reason"] == "length"


def test_another_model_or_finish_reason_keeps_raw():
    """Where two events contradict each other, one value stays and the answer is not exact."""
    assert not decode(chunk({}), chunk({}, model="n")).exact
    first, last = (chunk({}, choice={"finish_reason": reason}) for reason in ("tool_calls", "stop"))
    answer = decode(first, last)
    assert not answer.exact
    assert answer.response["choices"][0]["finish_reason"] == "stop"


def test_extras_of_providers_are_kept():
    """What Groq, OpenRouter and Azure add is in the answer."""
    answer = decode(
        chunk({"content": "a"}, x_groq={"id": "r", "seed": 1}, provider="P"),
        chunk({}, choice={"native_finish_reason": "completed"}, provider="P"),
        chunk(
            {},
            choice={"content_filter_results": {"hate": {"filtered": False}}},
            x_groq={"id": "r", "usage": {"prompt_tokens": 3}},
        ),
        DONE,
    )
    assert answer.exact
    assert answer.response["x_groq"] == {"id": "r", "seed": 1, "usage": {"prompt_tokens": 3}}
    assert answer.response["provider"] == "P"
    assert answer.response["choices"][0]["native_finish_reason"] == "completed"
    assert answer.response["choices"][0]["content_filter_results"] == {"hate": {"filtered": False}}


@pytest.mark.parametrize(
    ("stream", "place", "value"),
    [
        (chunk({}, novelty=1) + chunk({}, novelty=2), ("novelty",), 2),
        (chunk({}, choice={"novelty": [1]}), ("choices", 0, "novelty"), [1]),
        (chunk({"novel": "a"}) + chunk({"novel": "b"}), ("choices", 0, "message", "novel"), "ab"),
        (chunk({"novel": "a"}) * 3, ("choices", 0, "message", "novel"), "a"),
        (
            chunk({"novel": {"a": {"b": 1}}}) + chunk({"novel": {"a": {"c": 2}}}),
            ("choices", 0, "message", "novel"),
            {"a": {"b": 1, "c": 2}},
        ),
        (chunk({"novel": [1]}) + chunk({"novel": [2]}), ("choices", 0, "message", "novel"), [1, 2]),
        (chunk({"novel": 5}), ("choices", 0, "message", "novel"), 5),
        (
            chunk({"tool_calls": [{"index": 0, "novel": "x"}]}),
            ("choices", 0, "message", "tool_calls", 0, "novel"),
            "x",
        ),
        (
            chunk({"tool_calls": [{"index": 0, "function": {"novel": 1}}]}),
            ("choices", 0, "message", "tool_calls", 0, "function", "novel"),
            1,
        ),
        (
            chunk({"function_call": {"novel": 1}}),
            ("choices", 0, "message", "function_call", "novel"),
            1,
        ),
        (chunk({"audio": {"novel": 1}}), ("choices", 0, "message", "audio", "novel"), 1),
        (chunk({}, choice={"logprobs": {"novel": [1]}}), ("choices", 0, "logprobs", "novel"), [1]),
    ],
)
def test_unknown_keys_are_kept_and_keep_raw(stream, place, value):
    """A key without a rule is in the answer, at any level, and the answer is not exact."""
    answer = decode(chunk({"content": "a"}), stream, DONE)
    found: Any = answer.response
    for key in place:
        found = found[key]
    assert found == value
    assert not answer.exact


def test_plain_answer_as_an_event():
    """A server that sends the whole message in one event is understood, and raw is kept."""
    whole = {
        "id": "c",
        "object": "chat.completion",
        "choices": [
            {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
        ],
    }
    answer = decode(event(whole), DONE)
    assert answer.response == {**whole, "object": "chat.completion"}
    assert not answer.exact


def test_long_integers_survive():
    """Integers beyond 64 bits are kept exactly, in an event like the last one too."""
    numbers = [10**30 + n for n in range(2)]
    answer = decode(
        chunk({"content": "a"}),
        *(chunk({}, seed=number, usage={"n": number}) for number in numbers),
        DONE,
    )
    assert answer.response["seed"] == answer.response["usage"]["n"] == numbers[-1]
    assert decode(chunk({}, usage={"n": 2**64 - 1}), DONE).response["usage"]["n"] == 2**64 - 1


@pytest.mark.parametrize("number", [b"NaN", b"-Infinity", b"1e999"])
def test_not_a_number_keeps_raw(number):
    """NaN is not JSON: it becomes null, and the answer is not exact."""
    answer = decode(chunk({"content": "a"}, usage={"cost": 111}).replace(b"111", number), DONE)
    assert answer.response["usage"] == {"cost": None}
    assert answer.response["choices"][0]["message"]["content"] == "a"
    assert not answer.exact


def test_bad_text_is_read_as_well_as_it_can_be():
    """Bad UTF-8 and raw control characters do not hide the rest, and raw is kept."""
    for bad in (b"\xff", b"\x01"):
        answer = decode(chunk({"content": "a"}), chunk({"content": "bXc"}).replace(b"X", bad), DONE)
        text = answer.response["choices"][0]["message"]["content"]
        assert (text[:2], text[-1], answer.exact) == ("ab", "c", False)


def test_error_event_instead_of_an_answer():
    """An error alone is the answer: its message is told, its object kept."""
    error = {"message": "no", "type": "t", "code": 1}
    assert decode(event({"error": error})) == Answer(
        {"error": error}, exact=True, error="no", terminated=False
    )


def test_error_event_after_a_part_of_the_answer():
    """Groq's `event: error` stands beside what came before it; the answer has not finished."""
    decoder = OpenAIChat().decoder("text/event-stream", asked=True)
    decoder.feed(chunk({"content": "a"}) + b"event: error\n" + event({"error": {"message": "no"}}))
    answer = decoder.answer()
    assert (answer.error, answer.exact, decoder.finished) == ("no", True, False)
    assert answer.response["error"] == {"message": "no"}
    assert answer.response["choices"][0]["message"]["content"] == "a"


def test_error_beside_choices():
    """OpenRouter's error comes beside a choice that ends with `error`."""
    answer = decode(
        chunk({"content": "a"}),
        chunk(
            {"content": ""},
            choice={"finish_reason": "error"},
            error={"code": 502, "message": "gone"},
        ),
    )
    assert answer.error == "gone"
    assert answer.exact
    assert answer.response["choices"][0]["finish_reason"] == "error"


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        (event({"error": "text"}), "text"),
        (event({"error": {"code": 5}}), '{"code": 5}'),
        (b"event: error\n" + event({"message": "bare"}), "bare"),
        (b"event: error\ndata: not json\n\n", "not json"),
        (chunk({}, x_groq={"error": "over"}), "over"),
        (chunk({}, choice={"error": {"message": "one choice"}}), "one choice"),
        (chunk({}, error=None), None),
    ],
)
def test_errors_in_all_spellings(stream, error):
    """Wherever the error stands, its message is told and the response not empty."""
    answer = decode(stream)
    assert answer.error == error
    assert answer.response


@pytest.mark.parametrize("end", [DONE, b"data:[DONE]\n\n", b"data:  [DONE] \r\n\r\n"])
def test_finished_with_the_last_event(end):
    """`[DONE]` finishes, with or without spaces, and not before its blank line."""
    decoder = OpenAIChat().decoder("text/event-stream", asked=True)
    decoder.feed(chunk({"content": "a"}) + end[:-1])
    assert not decoder.finished or end.endswith(b"\r\n\r\n")
    decoder.feed(end[-1:])
    assert decoder.finished
    assert OpenAIChat().may_finish(end)
    assert not OpenAIChat().may_finish(chunk({"content": "a"}))


def test_done_within_a_text_is_no_end():
    """Only an event of its own finishes the answer."""
    decoder = OpenAIChat().decoder("text/event-stream", asked=True)
    decoder.feed(chunk({"content": "data: [DONE]"}))
    assert not decoder.finished


def test_end_without_done():
    """A stream that only ends is whole as far as it goes, and not finished."""
    decoder = OpenAIChat().decoder("text/event-stream", asked=True)
    decoder.feed(chunk({"content": "a"}) + chunk({"content": "b"}).rstrip())
    answer = decoder.answer()
    assert (
        answer.response["choices"][0]["message"]["content"],
        answer.exact,
        decoder.finished,
    ) == ("ab", True, False)


def test_terminated_by_the_last_event_or_by_a_finish_reason():
    """A stream is terminated by `[DONE]` or by any finish reason, and by nothing else."""
    text, stop = chunk({"content": "a"}), chunk({}, choice={"finish_reason": "stop"})
    for stream, terminated in (
        ([text], False),
        ([], False),
        ([event({"error": {"message": "no"}})], False),
        ([text, stop], True),
        ([stop, text], True),
        ([text, DONE], True),
        ([text, DONE.rstrip()], True),
    ):
        assert decode(*stream).terminated is terminated


def test_data_after_done_keeps_raw():
    """What follows `[DONE]` is not part of the answer; a second `[DONE]` says nothing."""
    first = chunk({"content": "a"})
    assert decode(first, DONE, DONE, b": ping\n\n").exact
    answer = decode(first, chunk({"content": "b"}), DONE, chunk({"content": "b"}))
    assert (answer.response["choices"][0]["message"]["content"], answer.exact) == ("ab", False)


def test_comments_and_empty_events_say_nothing():
    """Keep-alives between events change nothing."""
    events = (chunk({"content": "a"}), chunk({"content": "b"}), DONE)
    assert decode(*events) == decode(b": PROCESSING\n\ndata:\n\n".join(events))


@pytest.mark.parametrize(
    "data",
    [b"{", b"nothing", b"[]", b"1", b'"x"', b"null", b"true", b"[" * 500 + b"]" * 500, b"1" * 5000],
)
def test_events_that_are_no_object_keep_raw(data):
    """What is no JSON object is skipped, the rest stays, and the answer is not exact."""
    answer = decode(
        chunk({"content": "a"}), b"data: " + data + b"\n\n", chunk({"content": "b"}), DONE
    )
    assert answer.response["choices"][0]["message"]["content"] == "ab"
    assert not answer.exact


def test_nesting_that_could_not_be_written_again_keeps_raw():
    """An event nested deeper than encoders take is skipped; brackets within a text are no nesting."""
    for depth, exact in ((150, True), (300, False)):
        deep = chunk({"content": "b"}, usage="X").replace(b'"X"', b"[" * depth + b"]" * depth)
        answer = decode(chunk({"content": "a"}), deep, chunk({"content": "[{" * 300}), DONE)
        orjson.dumps(answer.response)
        text = answer.response["choices"][0]["message"]["content"]
        assert text == ("ab" if exact else "a") + "[{" * 300
        assert answer.exact is exact


def test_oversize_event_keeps_raw(monkeypatch):
    """An event that the splitter gave up makes the answer inexact."""
    decoder = OpenAIChat().decoder("text/event-stream", asked=True)
    decoder._splitter._limit = 300
    decoder.feed(
        chunk({"content": "a"}) + chunk({"content": "b" * 300}) + chunk({"content": "c"}) + DONE
    )
    answer = decoder.answer()
    assert (answer.response["choices"][0]["message"]["content"], answer.exact) == ("ac", False)


def test_choices_that_are_null():
    """`choices: null` is no choices."""
    answer = decode(event({"id": "c", "choices": None}), chunk({"content": "a"}), DONE)
    assert answer.exact
    assert answer.response["choices"][0]["message"]["content"] == "a"
