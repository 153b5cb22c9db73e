"""Byte identity: what goes out is what came in, but for the model's name, framing and credentials.

Both sides speak bytes here: a client that shows its chunks, a provider whose script is its wire.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
import threading
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import brotli
import orjson
import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dolphin_logger.errors import RequestError
from dolphin_logger.proxy.body import check_model_once, parse_object, replace_model
from tests.support.http import CHAT, RawClient, chat, exchange, post
from tests.support.pair import REAL_NAME, Pair
from tests.support.provider import (
    DONE,
    FakeProvider,
    Received,
    Script,
    Wire,
    answer,
    chat_answer,
    chat_chunk,
    chat_stream,
    stream,
)
from tests.support.proxy import Proxy, one_model

NEW = json.dumps(REAL_NAME).encode()
JSON_TYPE = "content-type: application/json"
MESSAGES = b'"messages":[{"role":"user","content":"hi"}]'

# --- requests: each body once as sent; ALIAS marks the one value that changes

BODIES = {
    "odd-spacing": b' {\n\t"model" \r\n:\t ALIAS ,\r\n\r\n  ' + MESSAGES + b" }\n\n",
    "model-last": b"{" + MESSAGES + b',"stream":false,"model":ALIAS}',
    "key-order": b'{"zeta":1,"alpha":2,"model":ALIAS,"beta":3,' + MESSAGES + b"}",
    "duplicate-nested-keys": b'{"model":ALIAS,' + MESSAGES + b',"metadata":{"a":1,"a":2,"a":1}}',
    "duplicate-other-keys": b'{"model":ALIAS,"user":"a","user":"b",' + MESSAGES + b"}",
    "escapes": b'{"model":ALIAS,"messages":[{"role":"user","content":"\\u00e9\\/\\t\\"\\\\ \\ud83d\\ude00"}]}',
    "numbers": b'{"model":ALIAS,"seed":123456789012345678901234567890,"temperature":1.0e-0,"x":-0.0,'
    + MESSAGES
    + b"}",
    "unicode": '{"model":ALIAS,"messages":[{"role":"user","content":"日本語 \u2028 \u0085 🐬"}]}'.encode(),
    "nested-model-first": b'{"tools":[{"type":"function","function":{"name":"f","parameters":{"model":"alias"}}}],'
    b'"messages":[{"role":"user","content":"the \\"model\\":\\"alias\\"","model":"alias"}],"model":ALIAS}',
    "model-as-a-value": b'{"user":"model","model":ALIAS,"stop":["model","}"],' + MESSAGES + b"}",
    "model-spelt-otherwise": b'{"mod\\u0065l":ALIAS,' + MESSAGES + b"}",
    "nested-model-spelt-otherwise": b'{"metadata":{"mod\\u0065l":"alias"},"model":ALIAS,' + MESSAGES + b"}",
    "brackets-in-strings": b'{"stop":["}","]","{\\"model\\":"],"model":ALIAS,' + MESSAGES + b"}",
    "lone-surrogate": b'{"model":ALIAS,"messages":[{"role":"user","content":"a\\ud83d"}]}',
}  # fmt: skip


@pytest.mark.parametrize("name", BODIES)
def test_body_goes_out_as_received_but_for_the_model(pair: Pair, name: str):
    """Every byte of the request reaches the provider, but those of the top-level model's value."""
    sent = BODIES[name].replace(b"ALIAS", b'"alias"')
    assert exchange(pair.proxy, post(sent, JSON_TYPE)).status == 200
    (received,) = pair.provider.requests
    assert received.body == BODIES[name].replace(b"ALIAS", NEW)
    record = pair.record()
    assert record["request"] == json.loads(sent)
    assert (record["model"], record["provider_model"]) == ("alias", REAL_NAME)


@pytest.mark.parametrize("name", BODIES)
def test_body_goes_out_untouched_when_the_name_is_the_same(pair: Pair, name: str):
    """A model of the same name at the provider: not one byte differs, and the record's text neither."""
    sent = BODIES[name].replace(b"ALIAS", b'"m"')
    assert exchange(pair.proxy, post(sent, JSON_TYPE)).status == 200
    (received,) = pair.provider.requests
    assert received.body == sent
    pair.record()
    line = pair.proxy.segments()[-1].read_bytes().splitlines()[-1]
    assert sent.replace(b"\r", b" ").replace(b"\n", b" ") in line


def test_model_named_with_escapes_in_its_value_is_found(pair: Pair):
    """A model's value may be spelt with escapes; what goes out is the configured name."""
    body = b'{"model":"ali\\u0061s",' + MESSAGES + b"}"
    assert exchange(pair.proxy, post(body, JSON_TYPE)).status == 200
    assert pair.provider.requests[0].body == b'{"model":' + NEW + b"," + MESSAGES + b"}"
    assert pair.record()["model"] == "alias"


# --- requests, by property: bodies written with any spacing and any spelling

SPACE = st.text(" \t\r\n", max_size=2)


@st.composite
def spelt(draw: st.DrawFn, text: str) -> str:
    """Write a JSON string; some of its characters as escapes."""
    parts = []
    for character in text:
        plain = json.dumps(character, ensure_ascii=draw(st.booleans()))[1:-1]
        escaped = "".join(f"\\u{unit:04x}" for unit in _utf16(character))
        parts.append(escaped if draw(st.integers(0, 5)) == 0 else plain)
    return '"' + "".join(parts) + '"'


def _utf16(character: str) -> list[int]:
    data = character.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[place : place + 2]) for place in range(0, len(data), 2)]


KEYS = st.sampled_from(["model", "messages", "tools", 'mo"del', "модель", "\\", "", "a"])
STRINGS = st.one_of(
    KEYS, st.text(max_size=6), st.sampled_from(['"model":', '{"model":"m"}', "\ud83d"])
)


@st.composite
def written(draw: st.DrawFn, depth: int = 2) -> str:
    """Write any JSON value."""
    kind = draw(st.integers(0, 3 if depth else 1))
    if kind == 0:
        return draw(spelt(draw(STRINGS)))
    if kind == 1:
        return draw(st.sampled_from(["null", "true", "-0.0", "1e400", "9" * 30, "0.10"]))
    space = draw(SPACE)
    if kind == 2:
        items = draw(st.lists(written(depth=depth - 1), max_size=3))
        return f"[{space}" + f",{space}".join(items) + "]"
    members = draw(st.lists(member(KEYS, depth=depth - 1), max_size=3))
    return f"{{{space}" + f"{space},".join(members) + "}"


@st.composite
def member(draw: st.DrawFn, keys: st.SearchStrategy[str], depth: int = 2) -> str:
    """Write one member of an object."""
    key = draw(spelt(draw(keys)))
    return f"{key}{draw(SPACE)}:{draw(SPACE)}{draw(written(depth=depth))}"


OTHER_MEMBERS = st.lists(member(KEYS.filter(lambda key: key != "model")), max_size=3)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[bytes, bytes, bytes]:
    """Write an object with one top-level model: what is before its value, the value, what follows."""
    key, value = draw(spelt("model")), draw(spelt(draw(st.text(min_size=1, max_size=5))))
    before, after = draw(OTHER_MEMBERS), draw(OTHER_MEMBERS)
    head = f"{draw(SPACE)}{{{draw(SPACE)}" + "".join(f"{item}," for item in before)
    head += f"{key}{draw(SPACE)}:{draw(SPACE)}"
    tail = draw(SPACE) + "".join(f",{item}" for item in after) + f"{draw(SPACE)}}}{draw(SPACE)}"
    return tuple(part.encode("utf-8", "strict") for part in (head, value, tail))  # type: ignore[return-value]


PROPERTY = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@PROPERTY
@given(st.data())
def test_only_the_models_value_is_ever_replaced(data: st.DataObject):
    """For any spacing and spelling: the bytes before and after the value stay, and it parses anew."""
    try:
        before, value, after = data.draw(bodies())
    except UnicodeEncodeError:  # a lone surrogate that was not escaped is not UTF-8
        return
    body = before + value + after
    assert parse_object(body)["model"] == json.loads(value)
    check_model_once(body)
    replaced = replace_model(body, name=REAL_NAME)
    assert replaced == before + NEW + after
    assert {**json.loads(body), "model": 0} == {**json.loads(replaced), "model": 0}


@PROPERTY
@given(st.data())
def test_a_second_top_level_model_is_always_found(data: st.DataObject):
    """However it is spelt and wherever it stands, a second model at the top is refused."""
    try:
        before, value, after = data.draw(bodies())
        again = data.draw(spelt("model")).encode() + b':"second",'
    except UnicodeEncodeError:
        return
    place = before.index(b"{") + 1
    body = before[:place] + again + before[place:] + value + after
    with pytest.raises(RequestError, match="more than once"):
        check_model_once(body)


# --- requests: header fields


def test_header_fields_go_on_but_framing_credentials_and_the_browsers(pair: Pair):
    """The client's own fields reach the provider, duplicates apart; what is ours to set does not."""
    fields = [
        "Authorization: Bearer client-secret",
        "X-Api-Key: client-secret",
        "Cookie: session=client-secret",
        "OpenAI-Beta: one",
        "OpenAI-Beta: two",
        "X-Custom: a  b",
        "X-Hop: gone",
        "Connection: x-hop",
        "Accept-Encoding: br",
        "X-Forwarded-For: 10.0.0.1",
        "Sec-Fetch-Mode: cors",
        "Content-Type: application/json; charset=utf-8",
        "User-Agent: tester/1.0 (x)",
        "Accept: text/event-stream",
    ]
    assert exchange(pair.proxy, post(chat(), *fields, close=False)).status == 200
    (received,) = pair.provider.requests
    assert received.headers == [
        ("host", f"127.0.0.1:{pair.provider.port}"),
        ("openai-beta", "one"),
        ("openai-beta", "two"),
        ("x-custom", "a  b"),
        ("content-type", "application/json; charset=utf-8"),
        ("user-agent", "tester/1.0 (x)"),
        ("accept", "text/event-stream"),
        ("authorization", "Bearer sk-test-key"),
        ("accept-encoding", "identity"),
        ("content-length", str(len(chat()))),
    ]
    record = pair.record()
    assert record["headers"]["request"]["openai-beta"] == "one, two"
    assert record["client"]["name"] == "tester"
    assert "client-secret" not in json.dumps(record)


# --- answers


def test_answer_keeps_status_bytes_and_fields(pair: Pair):
    """Status, body and fields come back as sent, duplicates apart; hop-by-hop ones and cookies do not."""
    body = b'{ "odd" : 1.0 ,\r\n "choices":[ ] }\n'
    fields = [
        ("Content-Type", "application/json; charset=utf-8"),
        ("X-Request-ID", "req_1"),
        ("Warning", "one"),
        ("Warning", "two"),
        ("X-RateLimit-Limit-Tokens", "7"),
        ("Retry-After", "3"),
        ("Set-Cookie", "a=1"),
        ("Connection", "keep-alive, x-hop"),
        ("X-Hop", "gone"),
        ("Keep-Alive", "timeout=5"),
        ("Proxy-Authenticate", "Basic"),
        ("Access-Control-Allow-Origin", "*"),
    ]
    pair.provider.script = answer(body, status=203, headers=fields)
    got = exchange(pair.proxy, post(chat(), JSON_TYPE))
    assert (got.status, got.body, got.complete) == (203, body, True)
    kept = [(name.lower(), value) for name, value in fields[:6]]
    ours = {"x-dolphin-id", "x-content-type-options", "content-length", "connection"}
    assert [field for field in got.headers if field[0] not in ours] == kept
    assert got.all("content-length") == [str(len(body))]
    record = pair.record()
    assert got.all("x-dolphin-id") == [record["id"]]
    assert (record["status"], record["response"]) == (203, json.loads(body))
    assert record["headers"]["response"]["x-ratelimit-limit-tokens"] == "7"
    assert "set-cookie" not in record["headers"]["response"]


class Gate:
    """A script that sends its pieces one at a time, each not before the test says so."""

    def __init__(self, pieces: list[bytes], *, length: int | None = None) -> None:
        self.pieces = pieces
        self._length = length
        self._go = threading.Semaphore(0)

    def next(self) -> None:
        self._go.release()

    async def __call__(self, request: Received, wire: Wire) -> None:
        kind = "application/json" if self._length else "text/event-stream"
        await wire.head(200, [("content-type", kind)], length=self._length)
        for piece in self.pieces:
            assert await asyncio.to_thread(self._go.acquire, timeout=20)
            await wire.chunk(piece)
        await wire.end()


@pytest.mark.parametrize("model", ["m", "alias"])
def test_the_first_byte_is_out_before_the_provider_sends_its_last(pair: Pair, model: str):
    """Each chunk arrives, with its boundaries, before the provider is allowed to send the next."""
    pieces = [*chat_stream("one", "two")[:3], b": comment\n\n", b'data: {"half":', b"1}\n\n", DONE]
    gate = pair.provider.script = Gate(pieces)
    with RawClient(pair.proxy) as client:
        client.send(post(chat(model=model, stream=True), JSON_TYPE))
        assert client.read_head()[0] == 200  # the head alone, before any piece
        for piece in pieces:
            gate.next()
            assert client.read_chunk() == piece
        assert client.read_chunk() == b""
    assert pair.record()["outcome"] == "completed"


def test_the_first_byte_of_a_plain_answer_is_not_held_back_either(pair: Pair):
    """An answer with a length is passed on piece by piece too."""
    body = chat_answer("x" * 1000)
    gate = pair.provider.script = Gate([body[:10], body[10:]], length=len(body))
    with RawClient(pair.proxy) as client:
        client.send(post(chat(), JSON_TYPE))
        gate.next()
        status, _ = client.read_head()
        first = client.read_exactly(10)
        assert (status, first) == (200, body[:10])
        gate.next()
        assert client.read_rest() == body[10:]
    assert pair.record()["response"] == json.loads(body)


def test_a_compressed_stream_is_not_held_back_either(pair: Pair):
    """Content-coded streams are passed on as they come, too."""
    packer = zlib.compressobj(wbits=31)
    pieces = [
        packer.compress(event) + packer.flush(zlib.Z_SYNC_FLUSH) for event in chat_stream("hi")
    ]
    pieces.append(packer.flush())
    gate = Gate(pieces)

    async def script(request: Received, wire: Wire) -> None:
        plain_head = wire.head

        async def head(status: int, headers: Any = (), *, length: int | None = None) -> None:
            await plain_head(status, [*headers, ("content-encoding", "gzip")], length=length)

        wire.head = head  # type: ignore[method-assign]
        await gate(request, wire)

    pair.provider.script = script
    with RawClient(pair.proxy) as client:
        client.send(post(chat(stream=True), JSON_TYPE))
        client.read_head()
        for piece in pieces:
            gate.next()
            assert client.read_chunk() == piece
    assert pair.record()["response"]["choices"][0]["message"]["content"] == "hi"


def test_chunks_that_arrive_together_stay_apart(pair: Pair):
    """Many chunks in one packet keep their boundaries."""
    events = chat_stream(*"abcdefgh")

    async def script(request: Received, wire: Wire) -> None:
        framed = b"".join(b"%x\r\n%s\r\n" % (len(event), event) for event in events)
        head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        await wire.raw(head + framed + b"0\r\n\r\n")

    pair.provider.script = script
    got = exchange(pair.proxy, post(chat(stream=True), JSON_TYPE))
    assert (got.chunks, got.complete) == (events, True)
    pair.record()


CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.ZstdCompressor().compress,
}


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("coding", CODINGS)
def test_compressed_answer_is_relayed_as_it_is_and_recorded_decoded(
    pair: Pair, coding: str, streamed: bool
):
    """A provider that compresses although asked not to: its bytes to the client, their meaning to the record."""
    plain = b"".join(chat_stream("grüß", " dich")) if streamed else chat_answer("grüß dich")
    packed = CODINGS[coding](plain)
    kind = "text/event-stream" if streamed else "application/json"
    fields = [("content-type", kind), ("content-encoding", coding)]
    pair.provider.script = answer(packed, headers=fields)
    got = exchange(pair.proxy, post(chat(stream=streamed), JSON_TYPE))
    assert (got.status, got.body, got.all("content-encoding")) == (200, packed, [coding])
    assert pair.provider.requests[0].header("accept-encoding") == "identity"
    record = pair.record()
    assert record["outcome"] == "completed"
    assert record["response"]["choices"][0]["message"]["content"] == "grüß dich"


@pytest.mark.parametrize("coding", ["gzip", "x-unknown"])
def test_answer_whose_coding_cannot_be_undone_is_relayed_and_kept(pair: Pair, coding: str):
    """A corrupt or unknown coding is the client's to judge; the record keeps what can be kept."""
    body = b"\x00\x01 not " + coding.encode()
    pair.provider.script = answer(
        body, headers=[("content-type", "application/json"), ("content-encoding", coding)]
    )
    got = exchange(pair.proxy, post(chat(), JSON_TYPE))
    assert (got.status, got.body) == (200, body)
    record = pair.record()
    assert (record["status"], record["response"]) == (200, None)


async def until_closed(request: Received, wire: Wire) -> None:
    """Answer without any framing: the end of the connection is the end of the body."""
    await wire.raw(
        b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n" + chat_answer("to the end")
    )
    wire.close()


async def old_server(request: Received, wire: Wire) -> None:
    """Answer as an HTTP/1.0 server does."""
    await wire.raw(
        b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + chat_answer("to the end")
    )
    wire.close()


@pytest.mark.parametrize("script", [until_closed, old_server])
def test_answer_delimited_by_the_close_is_complete(pair: Pair, script: Script):
    """A provider without framing ends its answer by closing; the client gets a proper end."""
    pair.provider.script = script
    got = exchange(pair.proxy, post(chat(), JSON_TYPE))
    assert (got.status, got.body, got.complete) == (200, chat_answer("to the end"), True)
    assert pair.record()["outcome"] == "completed"


# --- clients of other habits


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_http_1_0_client_gets_no_chunks(pair: Pair, streamed: bool):
    """An HTTP/1.0 client gets the bytes without chunked framing, ended by the close."""
    pieces = chat_stream("old", " client")
    pair.provider.script = stream(pieces) if streamed else answer(chat_answer())
    got = exchange(pair.proxy, post(chat(stream=streamed), JSON_TYPE, version="1.0", close=False))
    assert got.all("transfer-encoding") == []
    assert got.body == (b"".join(pieces) if streamed else chat_answer())
    assert pair.record()["outcome"] == "completed"


def test_http_1_0_client_sees_that_a_stream_broke(pair: Pair):
    """Where the close is the end of the body, a broken answer ends with a reset instead."""

    async def script(request: Received, wire: Wire) -> None:
        await wire.head(200, [("content-type", "text/event-stream")])
        await wire.chunk(chat_chunk({"content": "half"}))
        wire.close()

    pair.provider.script = script
    with RawClient(pair.proxy) as client:
        client.send(post(chat(stream=True), JSON_TYPE, version="1.0", close=False))
        with pytest.raises(ConnectionResetError):
            client.read_rest()
    assert pair.record()["outcome"] == "provider_truncated"


def test_expect_100_continue_is_answered_before_the_body(pair: Pair):
    """A client that waits for `100 Continue` gets it, then its answer."""
    body = chat()
    head, _, _ = post(body, JSON_TYPE, "expect: 100-continue").partition(b"\r\n\r\n")
    with RawClient(pair.proxy) as client:
        client.send(head + b"\r\n\r\n")
        assert client.read_head() == (100, [])
        client.send(body)
        assert client.read_answer().body == chat_answer()
    assert pair.provider.requests[0].header("expect") is None
    assert pair.record()["outcome"] == "completed"


def test_expect_100_continue_never_breaks_into_an_answer(pair: Pair):
    """A second request that waits for `100 Continue` gets it after the first answer, not inside it."""
    gate = pair.provider.script = Gate(chat_stream("first"))
    second = chat(user="second")
    head, _, _ = post(second, JSON_TYPE, "expect: 100-continue").partition(b"\r\n\r\n")
    with RawClient(pair.proxy) as client:
        client.send(post(chat(stream=True), JSON_TYPE, close=False))
        gate.next()
        client.read_head()
        chunks = [client.read_chunk()]
        client.send(head + b"\r\n\r\n")
        for _ in gate.pieces[1:]:
            gate.next()
        while chunk := client.read_chunk():
            chunks.append(chunk)
        assert chunks == gate.pieces
        pair.provider.script = answer(chat_answer("second"))
        assert client.read_head() == (100, [])
        client.send(second)
        assert client.read_answer().body == chat_answer("second")
    assert [record["stream"] for record in pair.records(2)] == [True, False]


def test_pipelined_requests_are_answered_in_order(pair: Pair):
    """Requests sent at once are answered one after the other, each complete."""

    async def echo(request: Received, wire: Wire) -> None:
        await answer(chat_answer(request.json()["user"]))(request, wire)

    pair.provider.script = echo
    requests = [post(chat(user=f"u{n}"), JSON_TYPE, close=n == 4) for n in range(5)]
    with RawClient(pair.proxy) as client:
        client.send(b"".join(requests).replace(b"{port}", str(pair.proxy.port).encode()))
        for n in range(5):
            assert client.read_answer().body == chat_answer(f"u{n}")
        assert client.at_end()
    assert [record["request"]["user"] for record in pair.records(5)] == [f"u{n}" for n in range(5)]


def test_many_requests_behind_one_that_waits_are_all_answered(pair: Pair):
    """A thousand requests may queue behind a slow one; none is lost and nothing breaks."""
    gate = pair.provider.script = Gate([chat_answer()], length=len(chat_answer()))
    ask = b"GET /v1/models HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\n\r\n"
    with RawClient(pair.proxy) as client:
        data = post(chat(), JSON_TYPE, close=False) + ask * 1000
        client.send(data.replace(b"{port}", str(pair.proxy.port).encode()))
        gate.next()
        assert client.read_answer().body == chat_answer()
        for _ in range(1000):
            assert client.read_answer().status == 200
    pair.record()


def test_head_is_answered_without_a_body(pair: Pair):
    """HEAD of a page gets the GET's head; of the model path, what GET gets. Nothing is recorded."""
    for path, status in (("/health", 200), ("/v1/models", 200), (CHAT, 405), ("/nowhere", 404)):
        request = f"HEAD {path} HTTP/1.1\r\nhost: 127.0.0.1:{pair.proxy.port}\r\nconnection: close\r\n\r\n"
        with RawClient(pair.proxy) as client:
            client.send(request.encode())
            got = client.read_answer(head=True)
            assert (got.status, client.at_end()) == (status, True)
            assert int(got.all("content-length")[0]) > 0
    pair.check_good()  # and its record is the only one


# --- connections to the provider


def test_connection_to_the_provider_is_used_again(pair: Pair):
    """Requests one after the other share one connection to the provider."""
    pair.check_good()
    before = pair.provider.connections
    for _ in range(5):
        pair.check_good()
    pair.provider.script = stream(chat_stream("hi"))
    assert exchange(pair.proxy, post(chat(stream=True), JSON_TYPE)).complete
    pair.record()
    pair.check_good()
    assert pair.provider.connections == before


def test_connection_that_the_provider_closed_is_not_used_again(pair: Pair):
    """A provider that closes after its answer: the next request gets a new connection, once."""

    async def answer_and_close(request: Received, wire: Wire) -> None:
        await answer(chat_answer())(request, wire)
        wire.close()

    pair.provider.script = answer_and_close
    for count in range(1, 6):
        assert exchange(pair.proxy, post(chat(), JSON_TYPE)).body == chat_answer()
        assert pair.record()["outcome"] == "completed"
        assert len(pair.provider.requests) == count


@pytest.mark.parametrize("how", ["close", "reset"])
def test_no_request_is_sent_twice(pair: Pair, how: str):
    """A kept connection that breaks under a request: the provider saw it once, the client gets 502."""
    pair.check_good()
    pair.begin()

    async def read_and_break(request: Received, wire: Wire) -> None:
        getattr(wire, how)()

    before = pair.provider.connections
    pair.provider.script = read_and_break
    got = exchange(pair.proxy, post(chat(), JSON_TYPE))
    assert (got.status, got.all("x-dolphin-error")) == (502, ["connection_lost"])
    assert [request.method for request in pair.provider.requests] == ["POST"]
    assert pair.provider.connections == before
    record = pair.record()
    assert (record["outcome"], record["error"]["kind"]) == ("provider_error", "connection_lost")
    assert len(record["attempts"]) == 1
    pair.check_good()


# --- large bodies

MEGABYTE = 1024 * 1024


@pytest.mark.parametrize("model", ["m", "alias"])
def test_large_request_goes_out_whole_and_lies_in_a_blob(pair: Pair, model: str):
    """A body of 10 MB reaches the provider as it is, and the record names a blob of the same bytes."""
    picture = {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64," + "iVBO" * (10 * MEGABYTE // 4)},
    }
    text = {"type": "text", "text": "sch\u00f6n"}
    value = {"messages": [{"role": "user", "content": [text, picture]}], "model": model}
    body = json.dumps(value).encode()
    assert exchange(pair.proxy, post(body, JSON_TYPE)).body == chat_answer()
    expected = body if model == "m" else body.replace(b'"alias"', NEW)
    assert (
        hashlib.sha256(pair.provider.requests[0].body).digest() == hashlib.sha256(expected).digest()
    )
    record = pair.record()
    assert record["request"]["blob"]["bytes"] == len(body)
    assert record["request"]["blob"]["type"] == "application/json"
    assert pair.blob(record["request"]) == body
    assert (record["model"], record["outcome"]) == (model, "completed")


def test_large_answer_comes_back_whole_and_lies_in_a_blob(pair: Pair):
    """An answer of more than 8 MiB is relayed as it is, and the record names a blob of the same bytes."""
    body = chat_answer("y" * (9 * MEGABYTE))
    pair.provider.script = answer(body)
    got = exchange(pair.proxy, post(chat(), JSON_TYPE))
    assert got.body == body
    record = pair.record()
    assert record["outcome"] == "completed"
    assert record["response"]["blob"]["sha256"] == hashlib.sha256(body).hexdigest()
    assert pair.blob(record["response"]) == body


def test_large_stream_comes_back_whole_and_lies_in_a_blob(pair: Pair):
    """A stream of more than 8 MiB is relayed event by event, and kept as it came."""
    events = chat_stream(*(["z" * 100_000] * 95))
    pair.provider.script = stream(events)
    got = exchange(pair.proxy, post(chat(stream=True), JSON_TYPE))
    assert (got.body, got.complete) == (b"".join(events), True)
    record = pair.record()
    assert record["outcome"] == "completed"
    assert record["response"]["blob"]["type"] == "text/event-stream"
    assert pair.blob(record["response"]) == b"".join(events)


def test_answer_between_memory_and_blob_is_in_the_line(pair: Pair):
    """An answer of some megabytes is in the record itself, and leaves no file behind."""
    body = chat_answer("w" * (3 * MEGABYTE))
    pair.provider.script = answer(body)
    assert exchange(pair.proxy, post(chat(), JSON_TYPE)).body == body
    assert pair.record()["response"] == orjson.loads(body)
    assert not list((pair.proxy.home / "blobs").glob(".*.part"))


def test_callers_own_key_goes_to_a_model_that_says_so(tmp_path: Path):
    """`PASSTHROUGH` hands on what the client sent, and nothing of it is recorded."""
    with FakeProvider(answer(chat_answer())) as provider:
        config = one_model(provider.base, entry={"apiKey": "PASSTHROUGH"})
        with Proxy(tmp_path / "home", config) as proxy:
            got = exchange(proxy, post(chat(), JSON_TYPE, "authorization: Bearer the-callers-own"))
            assert got.status == 200
            assert provider.requests[0].header("authorization") == "Bearer the-callers-own"
            assert "the-callers-own" not in json.dumps(proxy.record())


def test_the_proxys_own_token_is_never_passed_through(tmp_path: Path):
    """With `PASSTHROUGH`, our token stays here, and the caller's key in the other slot goes on."""
    with FakeProvider(answer(chat_answer())) as provider:
        config = one_model(
            provider.base, entry={"apiKey": "PASSTHROUGH"}, token="token-of-the-proxy"
        )
        with Proxy(tmp_path / "home", config) as proxy:
            fields = ["authorization: Bearer token-of-the-proxy", "x-api-key: the-callers-own"]
            assert exchange(proxy, post(chat(), JSON_TYPE, *fields)).status == 200
            assert provider.requests[0].header("x-api-key") == "the-callers-own"
            assert "token-of-the-proxy" not in str(provider.requests[0].headers)
