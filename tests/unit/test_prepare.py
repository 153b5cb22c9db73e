"""Pieces made ready: pictures as files of the dataset, nothing sealed, nothing that cannot be stored."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import replace
from typing import Any

import orjson
import pytest
from tests.support.pieces import (
    DATA_URL,
    EXAMPLES,
    EXCHANGES,
    PAIRS,
    PNG,
    SEAL,
    SESSIONS,
    example,
)

from dolphin_logger.example import Example, Exchanged, Pair, Session
from dolphin_logger.exporters import Options, UnfitError, prepare
from dolphin_logger.messages import Image, Text

BYTES = base64.b64decode(PNG)
PATH = f"images/{hashlib.sha256(BYTES).hexdigest()}.png"


def picture(address: str) -> Example:
    """Make an example with one picture."""
    return example(("user", [Text("a"), Image(url=address)]), ("assistant", [Text("b")]))


def shown(piece: Any) -> Any:
    """Give the address of the picture."""
    return piece.messages[0]["content"][1]["image"]


def test_a_picture_becomes_a_file_that_the_row_refers_to() -> None:
    """By default a data: picture lies under its hash, once; an address on the web stays."""
    ready, files = prepare(EXAMPLES["pictures"], Options())
    assert isinstance(ready, Example)
    assert files == {PATH: BYTES}
    assert [part.get("image") for part in ready.messages[0]["content"]] == [
        None,
        PATH,
        "https://x.test/a.png",
    ]
    assert shown(EXAMPLES["pictures"]) == DATA_URL


def test_embedded_pictures_stay() -> None:
    """With `embedded` nothing moves."""
    assert prepare(EXAMPLES["pictures"], Options(images="embedded")) == (EXAMPLES["pictures"], {})


def test_dropped_pictures_leave_the_words() -> None:
    """With `drop` the words beside a picture are a string again, and no address is left."""
    ready, files = prepare(EXAMPLES["pictures"], Options(images="drop"))
    assert isinstance(ready, Example)
    assert ready.messages[0] == {"role": "user", "content": "What is this?"}
    assert files == {}


@pytest.mark.parametrize(
    ("address", "ends", "data"),
    [
        ("data:image/svg+xml,%3Csvg%2F%3E", ".svg", b"<svg/>"),
        ("data:image/svg+xml;charset=utf-8,<svg/>", ".svg", b"<svg/>"),
        ("DATA:image/JPEG;BASE64,AAEC", ".jpg", b"\x00\x01\x02"),
        (f"data:image/gif;base64,{PNG}", ".png", BYTES),
        (f"data:;base64,{PNG[:40]}\n{PNG[40:]}", ".png", BYTES),
        ("data:image/../../x;base64,AAEC", ".bin", b"\x00\x01\x02"),
        ("data:,x", ".bin", b"x"),
    ],
)
def test_a_file_is_named_by_what_it_is(address: str, ends: str, data: bytes) -> None:
    """Its bytes decide the ending, then the type that was said, which is never part of a path."""
    ready, files = prepare(picture(address), Options())
    path = f"images/{hashlib.sha256(data).hexdigest()}{ends}"
    assert files == {path: data}
    assert shown(ready) == path


@pytest.mark.parametrize(
    "address", ["data:image/png;base64,%%", "data:image/png;base64,", "data:image/png", "file:///x"]
)
def test_what_is_no_picture_stays_as_it_is(address: str) -> None:
    """Data that cannot be decoded, or is empty, and other addresses are not touched."""
    ready, files = prepare(picture(address), Options())
    assert (shown(ready), files) == (address, {})


def test_pictures_of_pairs_and_sessions_are_lifted_everywhere() -> None:
    """In prompt and both answers, in what was asked and answered, and in results of tools."""
    chats = EXAMPLES["pictures"].messages[:1]
    piece = replace(PAIRS["plain"], prompt=chats, chosen=chats, rejected=chats)
    ready, files = prepare(piece, Options())
    assert isinstance(ready, Pair)
    assert files == {PATH: BYTES}
    for said in (ready.prompt, ready.chosen, ready.rejected):
        assert said[0]["content"][1]["image"] == PATH
    for odd in ("a picture that a tool gave", "a picture that the model made"):
        held, files = prepare(SESSIONS[odd], Options())
        assert files == {PATH: BYTES}
        assert PNG not in repr(held)


def test_recorded_bodies_keep_their_pictures_unless_they_are_dropped() -> None:
    """An exchange stays as it was recorded; `drop` empties data: addresses and base64, and no other text."""
    kept, files = prepare(EXCHANGES["pictures"], Options())
    assert (kept, files) == (EXCHANGES["pictures"], {})
    bare, _ = prepare(EXCHANGES["pictures"], Options(images="drop"))
    assert isinstance(bare, Exchanged)
    assert bare.request == {"a": {"url": ""}, "source": {"data": ""}, "t": "/9j/ is a path"}


def test_seals_are_taken_off_what_was_recorded() -> None:
    """Bodies of exchanges, and the client's own lines, lose what only a provider can read."""
    for piece in (EXCHANGES["seals"], SESSIONS["a file of the client's own"]):
        assert SEAL in repr(piece)
        assert SEAL not in repr(prepare(piece, Options())[0])


def test_half_characters_are_replaced_and_pairs_of_halves_are_whole() -> None:
    """In texts and keys at any depth; what comes out is what UTF-8 and orjson can write."""
    ready, _ = prepare(EXAMPLES["half characters"], Options())
    assert isinstance(ready, Example)
    whole = "half \ufffd of one, \ufffd, \x00, \u2028, 🐬"
    assert ready.messages[0]["content"] == whole
    assert ready.messages[1]["tool_calls"][0]["function"]["arguments"] == {whole: whole}
    assert ready.metadata["tags"] == [whole]
    assert orjson.dumps(ready.messages).decode()
    split = json.loads('"\\ud83d"') + json.loads('"\\udc2c"')
    piece = example(("user", [Text(split)]), ("assistant", [Text("x")]))
    joined, _ = prepare(piece, Options())
    assert isinstance(joined, Example)
    assert joined.messages[0]["content"] == "🐬"


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        ("no number", "JSON has no word for"),
        ("a number of forty digits", "cannot read"),
        ("too deep arguments", "too deep"),
    ],
)
def test_what_cannot_be_stored_has_a_reason(odd: str, reason: str) -> None:
    """Numbers that are none, numbers that readers refuse and endless nesting leave the piece out."""
    for piece in (EXAMPLES[odd], PAIRS[odd], SESSIONS[odd]):
        with pytest.raises(UnfitError, match=reason):
            prepare(piece, Options())


@pytest.mark.parametrize("number", [2**63 - 1, -(2**63 - 1), 1.5e300, 0, True])
def test_numbers_that_readers_take_stay(number: float) -> None:
    """The longest whole numbers, floats and truths are as they were."""
    piece = Exchanged("r", "c", {"n": number}, {})
    assert prepare(piece, Options())[0] == piece


def test_the_deepest_piece_is_written_by_orjson() -> None:
    """What is let through is not too deep for the fastest writer, wherever it lies in a row."""
    value: Any = 1
    for _ in range(240):
        value = [value]
    ready, _ = prepare(Exchanged("r", "c", value, {}), Options())
    assert isinstance(ready, Exchanged)
    assert orjson.dumps({"row": {"input": [{"request": ready.request}]}})
    with pytest.raises(UnfitError):
        prepare(Exchanged("r", "c", [value], {}), Options())


def test_a_session_keeps_its_steps() -> None:
    """Everything but pictures and seals of a session comes out as it went in."""
    piece = SESSIONS["branches and another agent"]
    ready, files = prepare(piece, Options())
    assert isinstance(ready, Session)
    assert (ready, files) == (piece, {})


def test_an_exchange_does_not_tell_who_asked() -> None:
    """Ids of an account, a machine or a person go; what else stands there, and in tools, stays."""
    told = {"messages": [{"user": "u"}], "metadata": {"topic": "t"}}
    asker = {"user": "jo", "safety_identifier": "s", "client_metadata": {"installation_id": "i"}}
    request = told | asker | {"metadata": {"topic": "t", "user_id": '{"device_id": "d"}'}}
    ready, _ = prepare(Exchanged("r", "c", request, {"user": "kept"}), Options())
    assert isinstance(ready, Exchanged)
    assert (ready.request, ready.response) == (told, {"user": "kept"})
