"""Framing of `gemini`: events, bare lines, arrays, and where each is cut."""

from __future__ import annotations

import json

import pytest
from gemini_streams import ARRAY, EVENTS, array, chunk, decode, events

from dolphin_logger.dialects._gemini_splitter import ObjectSplitter
from dolphin_logger.dialects.gemini import Gemini

ERROR = {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}


@pytest.mark.parametrize(
    "failed",
    [
        events(ERROR),
        json.dumps(ERROR).encode() + b"\n",
        json.dumps(ERROR, indent=2).encode(),
        json.dumps(ERROR, indent=2).replace("\n", "\r\n").encode() + b"\r\n\r\n",
        json.dumps([ERROR], indent=2).encode(),
        b"data: " + json.dumps([ERROR]).encode() + b"\n\n",
    ],
)
def test_error_among_events(failed):
    """An error is read as an event and as bare lines, and stands beside what came before it."""
    answer = decode(events(chunk({"text": "a"})) + failed)
    assert (answer.error, answer.terminated, answer.exact) == ("busy", False, True)
    assert answer.response == {**chunk({"text": "a"}), **ERROR}
    assert decode(failed).response == ERROR


def test_events_after_bare_lines_are_read():
    """An error in bare lines does not swallow what follows."""
    stream = json.dumps(ERROR, indent=2).encode() + b"\r\n\r\n" + events(chunk({"text": "a"}))
    assert decode(stream).response == {**ERROR, **chunk({"text": "a"})}


def test_error_in_an_array_and_alone():
    """In an array an error is an element; a body that is no array is read too."""
    answer = decode(array(chunk({"text": "a"}), ERROR), media_type=ARRAY)
    assert (answer.error, answer.response) == ("busy", {**chunk({"text": "a"}), **ERROR})
    assert decode(json.dumps(ERROR).encode(), media_type=ARRAY).response == ERROR


def test_array_is_cut_where_it_is_cut():
    """Whole objects of a cut array count; half of one is left to the raw bytes."""
    whole = array(chunk({"text": "a"}), chunk({"text": "b"}), close=False)
    assert decode(whole, media_type=ARRAY).response == chunk({"text": "ab"})
    answer = decode(whole[:-1], media_type=ARRAY)
    assert (answer.response, answer.exact) == (chunk({"text": "a"}), False)


def test_strings_of_an_array_may_hold_its_punctuation():
    """Braces, brackets, quotes and escapes within strings end nothing."""
    for text in ('a"}]\\{[\\" \u2028 \\\\', "}" * 9, "{" * 9, '"{'):
        answer = decode(array(chunk({"text": text}), chunk({"text": text})), media_type=ARRAY)
        assert (answer.exact, answer.response) == (True, chunk({"text": text * 2}))


@pytest.mark.parametrize("stream", [b"[{}x{}]", b"[{}]{}", b"[{}] x", b'["a", {}]', b"\xff[{}]"])
def test_what_is_no_array_keeps_raw(stream):
    """Something between the objects, or behind the end, is reported."""
    assert not decode(stream, media_type=ARRAY).exact


def test_array_closes():
    """`finished` is the array's end, which `may_finish` announces in every split; events have none."""
    dialect = Gemini()
    decoder = dialect.decoder(ARRAY, asked=True)
    assert decoder
    stream = array(chunk({"text": "[]"}), chunk({"text": "]"}))
    for place in range(len(stream)):
        assert not decoder.finished
        decoder.feed(stream[place : place + 1])
    assert decoder.finished
    assert dialect.may_finish(stream[-16:])
    assert not dialect.may_finish(stream[:-2])
    decoder = dialect.decoder(EVENTS, asked=True)
    assert decoder
    decoder.feed(events(chunk(finishReason="STOP")))
    assert not decoder.finished


def test_object_beyond_the_limit_is_lost_alone():
    """It costs no memory, is reported, and the next one is whole."""
    for size in (1000, 1):
        splitter = ObjectSplitter(limit=20)
        stream = b'[{"a":"' + b"x" * 50 + b'"},{"b":1}]'
        found = []
        for place in range(0, len(stream), size):
            found += splitter.feed(stream[place : place + size])
        assert (found, splitter.exact, splitter.closed) == ([b'{"b":1}'], False, True)
