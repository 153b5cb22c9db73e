"""`gemini`: both stream formats, every kind of part and every rule, in streams written by hand."""

from __future__ import annotations

import json

import pytest
from gemini_streams import ARRAY, EVENTS, array, call, chunk, decode, events, parts

from dolphin_logger.dialects._api import Answer
from dolphin_logger.dialects.gemini import Gemini
from dolphin_logger.messages import Usage


def test_stream_gives_the_plain_answer():
    """Both formats give what `generateContent` answers: texts joined, the rest as it was last."""
    stream = (
        {**chunk({"text": "Hel"}), "usageMetadata": {"promptTokenCount": 55}, "modelVersion": "m"},
        {
            **chunk({"text": "lo \u2028"}, index=0, finishReason="STOP"),
            "usageMetadata": {"promptTokenCount": 165, "candidatesTokenCount": 2},
            "modelVersion": "m",
            "responseId": "r",
        },
    )
    content = {"parts": [{"text": "Hello \u2028"}], "role": "model"}
    response = {
        "candidates": [{"content": content, "finishReason": "STOP", "index": 0}],
        "usageMetadata": {"promptTokenCount": 165, "candidatesTokenCount": 2},
        "modelVersion": "m",
        "responseId": "r",
    }
    answer = Answer(response, exact=True, error=None, terminated=True)
    assert decode(events(*stream)) == answer
    assert decode(array(*stream), media_type=ARRAY) == answer


@pytest.mark.parametrize(
    "whole",
    [
        {**chunk({"text": "a"}, {"text": "t", "thought": True}), "modelVersion": "m"},
        chunk({"text": "", "thoughtSignature": "s"}, finishReason="STOP", avgLogprobs=-0.5),
        chunk(call(name="f", args={"a": [1]}, id="c"), tokenCount=4, safetyRatings=[{"a": 1}]),
        {"candidates": [{"finishReason": "SAFETY", "content": {}}]},
        {"candidates": [{"content": {"role": "model"}, "index": 1}, {"content": {}, "index": 2}]},
        {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 3}},
        chunk({"text": "a"}, citationMetadata={"citations": [{"u": 1}, {"u": 1}], "x": 1}),
        chunk({"text": "a"}, logprobsResult={"chosenCandidates": [{"token": "a"}]}),
        {"novelty": {"a": [1]}, "createTime": "t"},
    ],
)
def test_one_chunk_is_the_answer_itself(whole):
    """What came in one piece is not changed."""
    assert decode(events(whole)).response == whole
    assert list(decode(events(whole)).response) == list(whole)
    assert decode(events(whole)).exact


def test_nothing_is_no_answer():
    """Without an object there is no response."""
    nothing = Answer(None, exact=True, error=None, terminated=False)
    assert decode(b"") == decode(b": comment\r\n\r\n") == nothing
    assert decode(b"[\r\n]", media_type=ARRAY) == nothing


def test_candidates_grow_apart():
    """Chunks belong to candidates by index; one without an index is the first."""
    answer = decode(
        events(
            {
                "candidates": [
                    {"index": 1, "content": {"parts": [{"text": "x"}]}},
                    {"content": {"parts": [{"text": "a"}]}},
                ]
            },
            chunk({"text": ""}),
            chunk({"text": "y"}, index=1, finishReason="STOP"),
            chunk({"text": "b"}, index=0),
        )
    )
    texts = [found["content"]["parts"] for found in answer.response["candidates"]]
    assert texts == [[{"text": "ab"}], [{"text": "xy"}]]
    assert answer.exact
    assert not answer.terminated
    unnumbered = {
        "candidates": chunk({"text": "a"})["candidates"] + chunk({"text": "b"})["candidates"]
    }
    assert len(decode(events(unnumbered, unnumbered)).response["candidates"]) == 2


def test_usage_is_the_last_that_says_anything():
    """Counts change while a stream runs: the last ones count, also where they are smaller."""
    counts = [
        {"promptTokenCount": 9, "thoughtsTokenCount": 5},
        {"promptTokenCount": 8, "thoughtsTokenCount": 4},
    ]
    answer = decode(events(*({"usageMetadata": count} for count in (*counts, {}))))
    assert (answer.exact, answer.response["usageMetadata"]) == (True, counts[1])
    answer = decode(
        events(*({"usageMetadata": count} for count in (counts[0], {"promptTokenCount": 8})))
    )
    assert (answer.exact, answer.response["usageMetadata"]) == (False, {"promptTokenCount": 8})


def test_reason_message_and_ratings_are_the_last():
    """An empty one erases nothing."""
    answer = decode(
        events(
            chunk(finishReason="STOP", safetyRatings=[{"p": "LOW"}], tokenCount=1),
            chunk(finishReason="MAX_TOKENS", safetyRatings=[{"p": "HIGH"}], finishMessage="m"),
            chunk(finishReason="", safetyRatings=None, continuationToken="t"),
        )
    )
    (candidate,) = answer.response["candidates"]
    assert answer.exact
    assert candidate["finishReason"] == "MAX_TOKENS"
    assert candidate["safetyRatings"] == [{"p": "HIGH"}]
    assert (candidate["finishMessage"], candidate["continuationToken"]) == ("m", "t")


def test_citations_and_log_probabilities_are_extended():
    """New citations join, those sent again do not; tokens join even when they are alike."""
    tokens = {"chosenCandidates": [{"token": "a"}], "topCandidates": [{"candidates": []}]}
    answer = decode(
        events(
            chunk(citationMetadata={"citationSources": [{"uri": "a"}]}, logprobsResult=tokens),
            chunk(citationMetadata={"citationSources": [{"uri": "a"}, {"uri": "b"}]}),
            chunk(logprobsResult=tokens),
        )
    )
    (candidate,) = answer.response["candidates"]
    assert answer.exact
    assert candidate["citationMetadata"] == {"citationSources": [{"uri": "a"}, {"uri": "b"}]}
    assert candidate["logprobsResult"]["chosenCandidates"] == [{"token": "a"}] * 2
    assert len(candidate["logprobsResult"]["topCandidates"]) == 2


def test_grounding_is_the_last_and_contradictions_keep_raw():
    """An empty one erases nothing, new keys join, another value replaces and is reported."""
    first, last = {"webSearchQueries": ["q"]}, {"groundingChunks": [1]}
    joined = decode(events(*(chunk(groundingMetadata=found) for found in (first, {}, last))))
    assert joined.exact
    assert joined.response["candidates"][0]["groundingMetadata"] == {**first, **last}
    other = {"webSearchQueries": ["r"]}
    answer = decode(events(*(chunk(groundingMetadata=found) for found in (first, other))))
    assert not answer.exact
    assert answer.response["candidates"][0]["groundingMetadata"] == other


@pytest.mark.parametrize("key", ["modelVersion", "responseId", "novelty"])
def test_contradictions_keep_raw(key):
    """Of two different values the last stays, and the answer is not exact."""
    assert decode(events({key: "a"}, {key: "a"}, {key: ""})).exact
    answer = decode(events({key: "a"}, {key: "b"}))
    assert (answer.exact, answer.response) == (False, {key: "b"})


def test_end_is_every_reason_or_a_refused_prompt():
    """There is no terminal event: candidates finish one by one, and a refused prompt has none."""
    both = [chunk(index=0, finishReason="STOP"), chunk(index=1)]
    assert not decode(events(*both)).terminated
    assert decode(events(*both, chunk(index=1, finishReason="STOP"))).terminated
    assert decode(events({"promptFeedback": {"blockReason": "SAFETY"}})).terminated
    assert not decode(events({"promptFeedback": {"safetyRatings": []}})).terminated
    assert not decode(events({"usageMetadata": {}})).terminated


@pytest.mark.parametrize(
    "odd",
    [
        b"data: {\n\n",
        b"data: 1\n\n",
        b"data: []\n\n",
        b"a line\n",
        b'{"half": ',
        b'{"text": "a piece of a broken event"}',
        events({"candidates": [None]}),
        events({"candidates": [{"index": "0", "content": {"parts": [{"text": "b"}]}}]}),
        events(chunk("text")),
        events({"candidates": [{"content": {"parts": {"text": "b"}}}]}),
        events({"candidates": [{"content": {"role": "tool"}}]}),
        b'data: {"novelty": NaN}\n\n',
    ],
)
def test_what_has_no_rule_keeps_raw_and_loses_no_text(odd):
    """Broken lines, foreign types and contradictions raise nothing, and turn `exact` off."""
    answer = decode(events(chunk({"text": "a"})) + odd)
    assert not answer.exact
    assert answer.response["candidates"][0]["content"]["parts"][0]["text"].startswith("a")


def test_integers_beyond_64_bits_and_depth():
    """Big integers survive; what nests too deep to be written again is left to the raw bytes."""
    number = 123456789012345678901234567890
    assert parts(chunk(call(name="f", args={"n": number})))[0]["functionCall"]["args"] == {
        "n": number
    }
    deep = b'data: {"x":' + b"[" * 400 + b"]" * 400 + b"}\n\n"
    assert decode(deep) == Answer(None, exact=False, error=None, terminated=False)


def test_oversize_event_keeps_raw():
    """An event beyond the splitter's limit is lost to the view and reported."""
    decoder = Gemini().decoder(EVENTS, asked=True)
    assert decoder
    decoder.feed(b"data: " + b" " * (17 * 1024 * 1024) + b"\n\n" + events(chunk({"text": "a"})))
    answer = decoder.answer()
    assert (answer.exact, answer.response) == (False, chunk({"text": "a"}))


def test_what_is_a_stream():
    """Events always are; JSON only where the path asked for a stream; the body never asks."""
    dialect = Gemini()
    assert dialect.decoder(ARRAY, asked=False) is None
    assert dialect.decoder("text/html", asked=True) is None
    assert dialect.decoder(EVENTS, asked=False) is not None
    assert dialect.asks_stream({"stream": True}) is False


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (
            {
                "usageMetadata": {
                    "promptTokenCount": 100,
                    "toolUsePromptTokenCount": 20,
                    "candidatesTokenCount": 3,
                    "thoughtsTokenCount": 4,
                    "cachedContentTokenCount": 50,
                }
            },
            Usage(120, 7, 50, None, 4),
        ),
        (
            {"usageMetadata": {"promptTokenCount": 6, "thoughtsTokenCount": 4}},
            Usage(6, 4, None, None, 4),
        ),
        ({"usageMetadata": {"promptTokenCount": 6, "candidatesTokenCount": 1}}, Usage(6, 1)),
        ({"usageMetadata": {"toolUsePromptTokenCount": 6}}, Usage()),
        ({"usageMetadata": {"promptTokenCount": "6", "candidatesTokenCount": -1}}, Usage()),
        ({"totalTokens": 14, "cachedContentTokenCount": 2}, Usage(14, None, 2)),
        ({"embedding": {"values": [0.1]}}, Usage()),
        ({"embedding": {"values": []}, "usageMetadata": {"promptTokenCount": 4}}, Usage(4)),
    ],
)
def test_usage_counts_tools_and_thoughts(response, expected):
    """What Gemini counts apart is input and output; countTokens and embedContent are read too."""
    assert Gemini().usage(response) == expected


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({"contents": "hi"}, "hi"),
        ({"contents": ["hi"]}, "hi"),
        ({"contents": {"parts": [{"text": "hi"}]}}, "hi"),
        ({"contents": [{"parts": [{"text": "hi"}]}]}, "hi"),
        ({"contents": [{"role": "", "parts": {"text": "hi"}}]}, "hi"),
        ({"contents": [{"role": None, "parts": {"text": "hi"}}]}, "hi"),
        (
            {
                "systemInstruction": {"parts": [{"text": "s"}]},
                "contents": [
                    {"role": "model", "parts": [{"text": "m"}]},
                    {"role": "user", "parts": [{"inlineData": {}}, {"text": "hi"}]},
                ],
            },
            "hi",
        ),
        (
            {
                "contents": [
                    {"role": "user", "parts": [{"fileData": {}}]},
                    {"parts": [{"text": "b"}]},
                ]
            },
            None,
        ),
        ({"contents": [{"role": "function", "parts": [{"text": "b"}]}]}, None),
        ({"contents": {}}, None),
        ({"content": {"parts": [{"text": "embed me"}]}}, "embed me"),
    ],
)
def test_first_user_text(request_, expected):
    """A content without a role is the user's; its first text part counts."""
    assert Gemini().first_user_text(request_) == expected


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "INVALID_ARGUMENT"),
        (401, "UNAUTHENTICATED"),
        (402, "RESOURCE_EXHAUSTED"),
        (403, "PERMISSION_DENIED"),
        (404, "NOT_FOUND"),
        (413, "INVALID_ARGUMENT"),
        (429, "RESOURCE_EXHAUSTED"),
        (500, "INTERNAL"),
        (502, "UNAVAILABLE"),
        (503, "UNAVAILABLE"),
        (504, "DEADLINE_EXCEEDED"),
    ],
)
def test_errors_of_ours_have_googles_shape(status, name):
    """Status decides the name; the event carries the same object."""
    dialect = Gemini()
    body = dialect.error_body("no", status=status, param="model", code="c")
    assert json.loads(body) == {"error": {"code": status, "message": "no", "status": name}}
    assert dialect.error_event("no", status=status, code="c") == body + b"\r\n\r\n"
