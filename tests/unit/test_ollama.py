"""`ollama.chat`, `.generate` and `.embed`: lines, errors and ends, in streams written by hand."""

from __future__ import annotations

import json
from typing import Any

import ollama
import pytest

from dolphin_logger.dialects._api import Answer
from dolphin_logger.dialects.ollama import OllamaChat, OllamaEmbed, OllamaGenerate
from dolphin_logger.messages import Usage

HEAD = {"model": "llama3", "created_at": "2026-11-22T10:00:00Z"}
LAST = {"model": "llama3:8b", "created_at": "2026-11-22T10:00:09Z"}
END = {"done": True, "done_reason": "stop", "prompt_eval_count": 11, "eval_count": 3}


def line(**fields: object) -> bytes:
    """Write one line, compact as Go does it."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"


def chat(done: bool = False, **message: object) -> bytes:
    """Write one line of a chat."""
    head = {**LAST, **END} if done else {**HEAD, "done": False}
    return line(message={"role": "assistant", "content": "", **message}, **head)


def generate(done: bool = False, **fields: object) -> bytes:
    """Write one line of a completion."""
    head = {**LAST, **END} if done else {**HEAD, "done": False}
    return line(**{"response": "", **fields}, **head)


def decode(*lines: bytes) -> Answer:
    """Decode a stream whole, and byte by byte, to the same answer."""
    stream = b"".join(lines)
    answers = []
    for size in (len(stream) or 1, 1):
        decoder = OllamaChat().decoder("application/x-ndjson", asked=True)
        assert decoder
        for place in range(0, len(stream), size):
            decoder.feed(stream[place : place + size])
        answers.append(decoder.answer())
    assert answers[0] == answers[1]
    return answers[0]


def test_chat_gives_the_plain_answer():
    """Texts and thoughts are joined, everything else is the last line's."""
    answer = decode(
        chat(thinking="Let "),
        chat(thinking="me"),
        chat(content="Hel"),
        chat(content="lo \u2028\u0085"),
        chat(done=True),
    )
    message = {"role": "assistant", "content": "Hello \u2028\u0085", "thinking": "Let me"}
    response = {"message": message, **LAST, **END}
    assert answer == Answer(response, exact=True, error=None, terminated=True)
    assert ollama.ChatResponse(**answer.response).message.thinking == "Let me"


def test_generate_gives_the_plain_answer():
    """The same, with the text beside the counts; the token ids are the last line's."""
    answer = decode(
        generate(thinking="hm"),
        generate(response="Hel"),
        generate(response="lo"),
        generate(response="!"),
        generate(done=True, context=[1, 2]),
    )
    response = {"response": "Hello!", "context": [1, 2], **LAST, **END, "thinking": "hm"}
    assert answer == Answer(response, exact=True, error=None, terminated=True)
    assert ollama.GenerateResponse(**answer.response).response == "Hello!"


@pytest.mark.parametrize("make", [chat, generate])
def test_one_line_is_the_answer_itself(make):
    """What came in one piece is not changed, nor is the order of its keys."""
    whole = make(done=True)
    assert json.dumps(decode(whole).response, separators=(",", ":")).encode() + b"\n" == whole


def test_tool_calls_and_log_probabilities_are_gathered():
    """Calls come whole, spread over lines; log-probabilities with each line."""
    calls = [{"function": {"index": n, "name": "f", "arguments": {"b": 1, "a": n}}} for n in (0, 1)]
    answer = decode(
        chat(content="a", tool_calls=calls[:1]),
        chat(tool_calls=calls[1:]),
        line(**HEAD, message={"role": "assistant", "content": "b"}, done=False, logprobs=[1]),
        line(**HEAD, message={"role": "assistant", "content": "c"}, done=False, logprobs=[2, 3]),
        chat(done=True, tool_calls=None),
    )
    assert answer.exact
    assert answer.response["message"] == {
        "role": "assistant",
        "content": "abc",
        "tool_calls": calls,
    }
    assert answer.response["logprobs"] == [1, 2, 3]


def test_nothing_is_no_answer():
    """Empty lines are nothing."""
    nothing = Answer(None, exact=True, error=None, terminated=False)
    assert decode(b"") == decode(b"\n\r\n\n") == nothing


def test_cut_stream_keeps_every_piece():
    """Without the last line there is no end; half a line is left to the raw bytes."""
    whole = decode(chat(content="par"), chat(content="tial"))
    assert (whole.exact, whole.terminated, whole.response["done"]) == (True, False, False)
    assert whole.response["message"]["content"] == "partial"
    half = decode(chat(content="par"), chat(content="tial")[:-5])
    assert (half.exact, half.response["message"]["content"]) == (False, "par")


def test_last_line_without_its_end_counts():
    """A line whose LF never came is read at the end of the body; CRLF is read as LF."""
    assert decode(chat(content="a"), chat(done=True)[:-1]).terminated
    lines = (chat(content="a"), chat(done=True))
    assert decode(*(part[:-1] + b"\r\n" for part in lines)) == decode(*lines)


@pytest.mark.parametrize("error", ["gone", {"message": "gone"}])
def test_error_line_stands_beside_what_came(error):
    """An error is no end; alone, it is the answer."""
    answer = decode(chat(content="a"), chat(content="b"), line(error=error))
    assert (answer.error, answer.exact, answer.terminated) == ("gone", True, False)
    assert answer.response["message"]["content"] == "ab"
    assert answer.response["error"] == error
    assert decode(line(error=error)).response == {"error": error}
    two = decode(line(error=error), line(error="more"))
    assert (two.error, two.exact) == ("gone", False)


def test_first_line_may_be_the_last():
    """A model that was only loaded answers with one line."""
    answer = decode(line(**HEAD, response="", done=True, done_reason="load"))
    assert (answer.exact, answer.terminated) == (True, True)


@pytest.mark.parametrize(
    "odd",
    [
        b"not json\n",
        b"[1]\n",
        b"null\n",
        b'{"half": \n',
        b'{"model": "m", "created_at": "t", "message": "text", "done": false}\n',
        b'{"model": "m", "created_at": "t", "message": {"content": 1}, "done": false}\n',
        b'{"model": "m", "created_at": "t", "response": [], "done": false}\n',
        b'{"model": "m", "created_at": "t", "message": {"tool_calls": "x"}, "done": false}\n',
        b'{"model": "m", "created_at": "t", "message": {"content": "", "novelty": 2}, "done": false}\n',
        b'{"model": "m", "created_at": "t", "novelty": 2, "done": false}\n',
        b'{"model": "m", "created_at": "t", "total": NaN, "done": false}\n',
        b'{"model":'
        + b"[" * 400
        + b"]" * 400
        + b',"created_at":"t","message":{"role":"assistant","content":"x"},"done":false}\n',
        b'{"x":' + b"[" * 400 + b"]" * 400 + b"}\n",
    ],
)
def test_what_has_no_rule_keeps_raw_and_loses_no_text(odd):
    """Broken lines, foreign types and contradictions raise nothing, and turn `exact` off."""
    known = line(
        **HEAD, message={"role": "assistant", "content": "", "novelty": 1}, novelty=1, done=False
    )
    assert decode(known, chat(content="a"), chat(done=True)).exact
    answer = decode(known, chat(content="a"), odd, chat(content="b"), chat(done=True))
    assert not answer.exact
    assert answer.response["message"]["content"] == "ab"
    assert {1, 2} >= {answer.response["novelty"], answer.response["message"]["novelty"]}


def test_a_line_that_mixes_both_shapes_loses_nothing():
    """A text beside a message is kept too."""
    for thinking in ("x", "y"):
        mixed = line(**HEAD, message={"role": "r", "content": "a"}, response=thinking, done=False)
        answer = decode(mixed, mixed, mixed)
        assert answer.response["response"] == thinking * 3
        assert answer.response["message"]["content"] == "aaa"


def test_odd_lines_among_usual_ones_of_generate():
    """What is not exactly one more piece takes no short cut, and loses no text around it."""
    for odd in ({"novelty": 2}, {"response": ["x"]}):
        known = line(**HEAD, response="a", novelty=1, done=False)
        answer = decode(known, generate(response="b"), generate(**odd), generate(response="c"))
        assert (answer.exact, answer.response["response"]) == (False, "abc")


def test_texts_that_stayed_empty():
    """Ollama's plain answer has a content in any case, and no empty thinking."""
    answer = decode(chat(thinking=""), chat(thinking=""), chat(done=True))
    assert answer.response["message"] == {"role": "assistant", "content": ""}


def test_last_line_that_looks_like_any_other():
    """A last line without reason and counts is the last."""
    usual = {**HEAD, "message": {"role": "assistant", "content": "a"}}
    answer = decode(line(**usual, done=False), line(**usual, done=False), line(**usual, done=True))
    assert (answer.exact, answer.terminated) == (True, True)
    assert answer.response["message"]["content"] == "aaa"


def test_keys_that_the_last_line_does_not_repeat_are_kept():
    """The last line's value counts, and a key of an earlier one is not dropped."""
    answer = decode(
        line(**HEAD, message={"content": "a", "images": ["i"]}, extra=[1], done=False),
        chat(done=True),
    )
    assert answer.exact
    assert answer.response["extra"] == [1]
    assert answer.response["message"]["images"] == ["i"]


def test_nothing_after_the_last_line_is_part_of_the_answer():
    """What follows `done` is reported."""
    whole = decode(chat(content="a"), chat(done=True))
    after = decode(chat(content="a"), chat(done=True), chat(content="z"))
    assert (after.response, after.exact) == (whole.response, False)


def test_surrogates_cut_between_two_lines_are_one_character():
    """Escapes of half a character are joined with their other half; big integers survive."""
    halves = [chat(content="@").replace(b"@", half) for half in (b"\\ud83d", b"\\udc2c")]
    assert decode(*halves).response["message"]["content"] == "\N{DOLPHIN}"
    number = 123456789012345678901234567890
    assert (
        decode(line(**HEAD, total_duration=number, done=True)).response["total_duration"] == number
    )


def test_line_beyond_the_limit_keeps_raw():
    """It costs no memory, is reported, and the next one is read."""
    decoder = OllamaChat().decoder("application/x-ndjson", asked=True)
    assert decoder
    decoder.feed(chat(content="a"))
    for _ in range(17):
        decoder.feed(b" " * 1024 * 1024)
    decoder.feed(b"\n" + chat(content="b"))
    answer = decoder.answer()
    assert (answer.exact, answer.response["message"]["content"]) == (False, "ab")


@pytest.mark.parametrize(
    "last",
    [
        chat(done=True),
        generate(done=True, context=list(range(100))),
        line(**HEAD, response="", done=True, done_reason="load"),
        line(**HEAD, response="", done=True),
        json.dumps({**HEAD, "response": "", **END}).encode() + b"\r\n",
    ],
)
def test_the_last_line_is_announced_in_every_split(last):
    """However it is cut, `may_finish` says so where the decoder finishes; other lines are no alarm."""
    dialect = OllamaChat()
    for size in (1, 7, 40, len(last)):
        decoder = dialect.decoder("application/x-ndjson", asked=True)
        assert decoder
        window = b""
        for place in range(0, len(last), size):
            assert not decoder.finished
            window = window[-16:] + last[place : place + size]
            decoder.feed(last[place : place + size])
        assert decoder.finished
        assert dialect.may_finish(window)
    assert not dialect.may_finish(chat(content="hi"))
    assert dialect.may_finish(line(done=True, novelty=False))
    assert not dialect.may_finish(dialect.error_event("no", status=502, code=None))


def test_what_is_a_stream():
    """Streaming is the default; embeddings never are streamed; JSON is a plain answer."""
    for dialect in (OllamaChat(), OllamaGenerate()):
        assert all(dialect.asks_stream(body) for body in ({}, {"stream": True}, {"stream": None}))
        assert not dialect.asks_stream({"stream": False})
        assert dialect.decoder("application/json", asked=True) is None
        assert dialect.decoder("application/x-ndjson", asked=False) is not None
    assert not OllamaEmbed().asks_stream({})
    assert OllamaEmbed().decoder("application/x-ndjson", asked=True) is None
    assert not OllamaEmbed().may_finish(b'"done":true}\n')


@pytest.mark.parametrize("dialect", [OllamaChat(), OllamaGenerate(), OllamaEmbed()])
def test_usage(dialect):
    """Counts are beside the answer; what is missing or no count is unknown."""
    assert dialect.usage({**END}) == Usage(11, 3)
    assert dialect.usage({"prompt_eval_count": 4, "embeddings": [[0.1]]}) == Usage(4)
    assert dialect.usage({"prompt_eval_count": "4", "eval_count": -1}) == Usage()


@pytest.mark.parametrize(
    ("dialect", "request_", "expected"),
    [
        (
            OllamaChat(),
            {"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "hi"}]},
            "hi",
        ),
        (OllamaChat(), {"messages": [{"role": "user"}]}, None),
        (OllamaChat(), {"prompt": "hi"}, None),
        (OllamaGenerate(), {"prompt": "hi", "system": "s"}, "hi"),
        (OllamaGenerate(), {"prompt": ["hi"]}, None),
        (OllamaEmbed(), {"input": "hi"}, "hi"),
        (OllamaEmbed(), {"input": ["hi", "ho"]}, "hi"),
        (OllamaEmbed(), {"input": []}, None),
        (OllamaEmbed(), {"prompt": "hi"}, "hi"),
    ],
)
def test_first_user_text(dialect, request_: dict[str, Any], expected):
    """The user's words stand in `messages`, `prompt` or `input`."""
    assert dialect.first_user_text(request_) == expected


@pytest.mark.parametrize("status", [400, 404, 500, 502])
def test_errors_of_ours_have_ollamas_shape(status):
    """An error is a text, in a body as in a line."""
    dialect = OllamaChat()
    body = dialect.error_body("no", status=status, param="model", code="c")
    assert json.loads(body) == {"error": "no"}
    assert dialect.error_event("no", status=status, code="c") == body + b"\n"
