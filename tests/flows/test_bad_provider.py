"""Bad providers, one table: what the client sees of each, and what the record says.

502 or 504 where the fault is that the provider did not answer; its own status where it did; 500
never. A stream that broke off never ends like a whole one.
"""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import trustme

from tests.support.http import RawAnswer, chat, exchange, post
from tests.support.pair import Pair, two_models
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
from tests.support.proxy import Proxy

JSON_TYPE = "content-type: application/json"
EVENTS = [("content-type", "text/event-stream")]
HALF = chat_stream("half", " an", " answer")[:3]
SAID = "half an"


def ask(proxy: Proxy, model: str = "m", **more: Any) -> RawAnswer:
    """Ask for a completion, as bytes."""
    return exchange(proxy, post(chat(model=model, **more), JSON_TYPE))


# --- no answer at all

WITHOUT_ANSWER = {
    "refused": (502, "connect", "cannot connect to http://127.0.0.1:"),
    "unknown-host": (
        502,
        "connect",
        "host name of http://name.invalid:80 is unknown; check apiBase",
    ),
    "untrusted": (502, "tls", "TLS with https://127.0.0.1:"),
    "mute-tls": (504, "connect_timeout", "no connection to https://127.0.0.1:"),
    "silent": (504, "first_byte", "sent no answer within 0.5 s"),
}


@pytest.fixture(scope="module")
def bad_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """A proxy with one model for each way of not answering, and an impatient one."""
    authority = trustme.CA()
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with socket.socket() as unused, FakeProvider() as provider, FakeProvider(tls=tls) as untrusted:
        unused.bind(("127.0.0.1", 0))  # bound and not listening: refused
        refusing = f"http://127.0.0.1:{unused.getsockname()[1]}/v1"
        impatient = {"timeouts": {"firstByte": 0.5, "idle": 0.5}}
        addresses: dict[str, dict[str, Any]] = {
            "refused": {"apiBase": refusing},
            "unknown-host": {"apiBase": "http://name.invalid/v1"},
            "untrusted": {"apiBase": untrusted.base},
            "mute-tls": {
                "apiBase": provider.base.replace("http:", "https:"),  # which waits for a request
                "timeouts": {"connect": 0.5},
            },
            "silent": impatient,
            "slow": impatient,
        }
        config = two_models(provider.base)
        config["models"] += [
            config["models"][0] | {"model": name} | more for name, more in addresses.items()
        ]
        with Proxy(tmp_path_factory.mktemp("home"), config) as proxy:
            yield Pair(provider, proxy)
            assert "Traceback" not in proxy.output(), proxy.output()


@pytest.fixture
def pair(bad_pair: Pair) -> Pair:
    """In this file, the pair is that of bad providers."""
    bad_pair.begin()
    return bad_pair


async def silence(request: Received, wire: Wire) -> None:
    """Answer nothing until the other side leaves."""
    await wire.until_client_leaves()


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("model", WITHOUT_ANSWER)
def test_provider_that_does_not_answer_is_502_or_504(pair: Pair, model: str, streamed: bool):
    """The client gets an error in its language that names the cure; the record names the kind."""
    status, kind, message = WITHOUT_ANSWER[model]
    pair.provider.script = silence
    got = ask(pair.proxy, model, stream=streamed)
    assert got.status == status
    assert got.all("x-dolphin-error") == [kind]
    error = json.loads(got.body)["error"]
    assert message in error["message"]
    assert (error["type"], error["code"]) == ("api_error", kind)
    record = pair.record()
    assert record["outcome"] == ("timeout" if status == 504 else "provider_error")
    assert record["error"] == {
        "kind": kind,
        "at": "provider",
        "status": status,
        "message": error["message"],
    }
    assert record["status"] == status
    assert record["request"]["model"] == model
    assert record["response"] is None
    (attempt,) = record["attempts"]
    assert (attempt["provider"], attempt["status"]) == ("openai", None)
    assert message in attempt["error"]
    if model == "silent":
        assert pair.provider.requests[0].client_left.wait(10)
    pair.check_good()


# --- an answer that is none


def raw(data: bytes, *, reset: bool = False) -> Script:
    """Send these bytes and break the connection."""

    async def script(request: Received, wire: Wire) -> None:
        await wire.raw(data)
        if reset:
            wire.reset()
        else:
            wire.close()

    return script


HTML = b"<!DOCTYPE html><html><body>Sign in to the hotel's network</body></html>"
PAGE = [("content-type", "text/html; charset=utf-8")]
UNUSABLE: dict[str, tuple[Script, str, str]] = {
    "closes": (raw(b""), "connection_lost", "closed the connection before it answered"),
    "resets": (raw(b"", reset=True), "connection_lost", "closed the connection before it answered"),
    "cut-head": (raw(b"HTTP/1.1 200 OK\r\ncontent-ty"), "connection_lost", "before it answered"),
    "garbage": (raw(b"\x00\x01garbage\r\n\r\n"), "protocol", "not well-formed HTTP/1.1"),
    "ssh": (raw(b"SSH-2.0-OpenSSH_9.6\r\n"), "protocol", "not well-formed HTTP/1.1"),
    "http-0.9": (raw(chat_answer()), "protocol", "not well-formed HTTP/1.1"),
    "bad-length": (raw(b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n"), "protocol", "not well-formed"),
    "two-lengths": (
        raw(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab"),
        "protocol",
        "not well-formed",
    ),
    "switches": (raw(b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n"), "protocol", ""),
    "endless-head": (raw(b"HTTP/1.1 200 OK\r\n" + b"x-a: %s\r\n" % (b"a" * 1000) * 400), "protocol", "larger than"),
    "web-page": (answer(HTML, headers=PAGE), "not_json", "a web page instead of JSON; is apiBase the API's address"),
    "redirect": (answer(b"", status=307, headers=[("location", "/v2/")]), "redirect", "redirect (307), which is never"),
    "redirect-away": (
        answer(b"moved", status=302, headers=[("location", "http://name.invalid/steal")]),
        "redirect",
        "redirect (302), which is never followed; correct apiBase",
    ),
}  # fmt: skip


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("name", UNUSABLE)
def test_answer_that_no_client_can_use_is_502(pair: Pair, name: str, streamed: bool):
    """What is no HTTP, a web page or a redirect: 502 with the cure, one attempt, one request."""
    pair.provider.script, kind, message = UNUSABLE[name]
    got = ask(pair.proxy, stream=streamed)
    assert (got.status, got.complete) == (502, True)
    assert got.all("x-dolphin-error") == [kind]
    assert got.all("location") == []
    error = json.loads(got.body)["error"]
    assert message in error["message"]
    assert error["type"] == "api_error"
    record = pair.record()
    assert (record["outcome"], record["status"]) == ("provider_error", 502)
    assert (record["error"]["kind"], record["error"]["at"]) == (kind, "provider")
    assert len(record["attempts"]) == 1
    assert len(pair.provider.requests) == 1
    pair.check_good()


# --- an error of the provider's own

RELAYED: dict[str, tuple[int, bytes, list[tuple[str, str]]]] = {
    "401": (401, b'{"error":{"message":"Incorrect API key provided"}}', []),
    "429": (429, b'{"error":{"message":"Rate limit reached"}}', [("retry-after", "20"), ("x-ratelimit-reset-tokens", "1s")]),
    "500": (500, b'{"error":{"message":"The server had an error"}}', []),
    "500-empty": (500, b"", []),
    "500-page": (500, HTML, PAGE),
    "503": (503, b"upstream connect error", [("content-type", "text/plain"), ("retry-after", "1")]),
    "529": (529, b'{"error":"overloaded"}', []),
    "404-page": (404, HTML, PAGE),
}  # fmt: skip


@pytest.mark.parametrize("name", RELAYED)
def test_error_of_the_provider_comes_back_as_it_is(pair: Pair, name: str):
    """Status, body and fields are the provider's; the record holds them, as JSON or as bytes."""
    status, body, fields = RELAYED[name]
    headers = [*fields, ("x-request-id", "req_9")]
    if not any(field[0] == "content-type" for field in fields):
        headers.append(("content-type", "application/json"))
    pair.provider.script = answer(body, status=status, headers=headers)
    got = ask(pair.proxy, stream=True)
    assert (got.status, got.body, got.complete) == (status, body, True)
    for header, value in headers:
        assert got.all(header) == [value]
    assert got.all("x-dolphin-error") == []
    record = pair.record()
    assert (record["status"], record["outcome"]) == (status, "provider_error")
    assert (record["error"]["kind"], record["error"]["status"]) == ("http", status)
    assert [attempt["status"] for attempt in record["attempts"]] == [status]
    assert record["provider_request_id"] == "req_9"
    if body.startswith(b"{"):
        assert record["response"] == json.loads(body)
    elif body:
        assert base64.b64decode(record["raw"]["response"]) == body
    pair.check_good()


# --- an answer that breaks off


@dataclass
class Broken:
    """How an answer breaks: the script, what the client got until then, and what is recorded."""

    script: Script
    body: bytes
    kind: str = "truncated"
    outcome: str = "provider_truncated"
    said: str | None = None
    model: str = "m"
    event: bool = False
    fields: dict[str, Any] = field(default_factory=dict)


def breaking(pieces: list[bytes], how: str, *, length: int | None = None) -> Script:
    """Send pieces of an answer, then `close`, `reset` or stay silent."""

    async def script(request: Received, wire: Wire) -> None:
        await wire.head(
            200, EVENTS if length is None else [("content-type", "application/json")], length=length
        )
        for piece in pieces:
            await wire.chunk(piece)
        if how == "silence":
            await wire.until_client_leaves()
            return
        if how == "reset":  # not before the other side has read: a reset discards what it has not
            await asyncio.sleep(0.1)
        getattr(wire, how)()

    return script


async def bad_framing(request: Received, wire: Wire) -> None:
    """Break the chunked framing in the middle."""
    await wire.head(200, EVENTS)
    await wire.chunk(b"".join(HALF))
    await wire.raw(b"this is no chunk size\r\n")
    await wire.until_client_leaves()


HALF_BYTES = b"".join(HALF)
BROKEN = {
    "body-cut": Broken(breaking([chat_answer()[:50]], "close", length=len(chat_answer())), chat_answer()[:50]),
    "body-reset": Broken(breaking([chat_answer()[:50]], "reset", length=len(chat_answer())), chat_answer()[:50]),
    "stream-cut": Broken(breaking(HALF, "close"), HALF_BYTES, said=SAID, event=True),
    "stream-reset": Broken(breaking(HALF, "reset"), HALF_BYTES, said=SAID, event=True),
    "event-cut": Broken(breaking([*HALF, b'data: {"cho'], "close"), HALF_BYTES + b'data: {"cho', said=SAID),
    "stream-idle": Broken(breaking(HALF, "silence"), HALF_BYTES, "idle", "timeout", SAID, "slow", event=True),
    "event-idle": Broken(breaking([*HALF, b"data"], "silence"), HALF_BYTES + b"data", "idle", "timeout", SAID, "slow"),
    "body-idle": Broken(
        breaking([chat_answer()[:50]], "silence", length=len(chat_answer())),
        chat_answer()[:50], "idle", "timeout", model="slow",
    ),
    "bad-framing": Broken(bad_framing, HALF_BYTES, "protocol", "provider_error", said=SAID, event=True),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_answer_that_breaks_off_is_visibly_broken_and_kept_as_far_as_it_came(pair: Pair, name: str):
    """The client's answer breaks too, after an error event if it fits; the record has text and bytes."""
    broken = BROKEN[name]
    pair.provider.script = broken.script
    got = ask(pair.proxy, broken.model, stream="body" not in name)
    assert (got.status, got.complete) == (200, False)
    if not name.startswith("body"):
        assert got.body.startswith(broken.body)
        rest = got.body[len(broken.body) :]
        assert b"[DONE]" not in got.body
        assert b'"finish_reason":"' not in got.body
        if broken.event:
            error = json.loads(rest.removeprefix(b"data: "))["error"]
            assert (error["type"], error["code"]) == ("api_error", broken.kind)
        else:
            assert rest == b""
    record = pair.record()
    assert (record["status"], record["outcome"]) == (200, broken.outcome)
    assert (record["error"]["kind"], record["error"]["at"]) == (broken.kind, "provider")
    assert [attempt["status"] for attempt in record["attempts"]] == [200]
    assert base64.b64decode(record["raw"]["response"]) == broken.body
    if broken.said is None:
        assert record["response"] is None
    else:
        (choice,) = record["response"]["choices"]
        assert (choice["message"]["content"], choice["finish_reason"]) == (broken.said, None)
    if "idle" in name:
        assert pair.provider.requests[0].client_left.wait(10)
    pair.check_good()


# --- odd, and good enough


async def length_and_chunked(request: Received, wire: Wire) -> None:
    """Send both framings: chunked counts (RFC 9112, section 6.3), and the length is wrong."""
    body = chat_answer("framed twice")
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n"
    await wire.raw(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body))


def test_answer_with_length_and_chunks_is_framed_anew_or_refused(pair: Pair):
    """A provider that sends both framings: whole with our framing, or 502; never both fields."""
    pair.provider.script = length_and_chunked
    got = ask(pair.proxy)
    assert not (got.all("content-length") and got.all("transfer-encoding"))
    assert (got.status, got.complete) in {(200, True), (502, True)}
    if got.status == 200:
        assert got.body == chat_answer("framed twice")
    record = pair.record()
    assert record["status"] == got.status
    pair.check_good()


def test_provider_that_sends_a_large_head_is_relayed(pair: Pair):
    """100 KB of header fields are no fault."""
    fields = [
        ("content-type", "application/json"),
        *((f"x-pad-{n}", "p" * 1000) for n in range(100)),
    ]
    pair.provider.script = answer(chat_answer(), headers=fields)
    got = ask(pair.proxy)
    assert (got.status, got.body) == (200, chat_answer())
    assert got.all("x-pad-99") == ["p" * 1000]
    pair.record()


def test_interim_answers_are_dropped_and_the_real_one_comes(pair: Pair):
    """1xx answers before the real one are between the provider and us."""

    async def script(request: Received, wire: Wire) -> None:
        await wire.raw(b"HTTP/1.1 100 Continue\r\n\r\n")
        await wire.raw(b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\nx-early: 1\r\n\r\n")
        await answer(chat_answer("at last"))(request, wire)

    pair.provider.script = script
    got = ask(pair.proxy)
    assert (got.status, got.body) == (200, chat_answer("at last"))
    assert got.all("x-early") == []
    assert [attempt["status"] for attempt in pair.record()["attempts"]] == [200]


AFTERWARDS = {
    "answer": b"HTTP/1.1 200 OK\r\ncontent-length: 6\r\n\r\npoison",
    "half-a-head": b"HTTP/1.1 200 OK\r\nconten",
    "garbage": b"poison",
    "line-ends": b"\r\n\r\n",
    "switch": b"HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: h2c\r\n\r\n",
}


@pytest.mark.parametrize("framed", ["length", "chunked"])
@pytest.mark.parametrize("name", AFTERWARDS)
def test_bytes_behind_an_answer_reach_neither_it_nor_the_next(pair: Pair, name: str, framed: str):
    """A provider that says more than it announced: that answer is whole, the next one too."""
    body = chat_answer("first")
    framing = (
        b"content-length: %d" % len(body) if framed == "length" else b"transfer-encoding: chunked"
    )
    whole = body if framed == "length" else b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n%s\r\n\r\n" % framing

    async def script(request: Received, wire: Wire) -> None:
        await wire.raw(head + whole + AFTERWARDS[name])

    pair.provider.script = script
    got = ask(pair.proxy)
    assert (got.status, got.body, got.complete) == (200, body, True)
    record = pair.record()
    assert (record["outcome"], record["response"]) == ("completed", json.loads(body))
    for _ in range(2):
        pair.check_good()


def test_204_and_304_have_no_body(pair: Pair):
    """Answers that have no body by their status are complete without one."""
    for status in (204, 304):

        async def script(request: Received, wire: Wire, status: int = status) -> None:
            await wire.raw(b"HTTP/1.1 %d No\r\nx-a: b\r\n\r\n" % status)

        pair.provider.script = script
        got = ask(pair.proxy)
        assert (got.status, got.body, got.all("x-a")) == (status, b"", ["b"])
        assert pair.record()["status"] == status
    pair.check_good()


# --- streams that are whole, or not, by their content


def test_error_event_in_a_stream_is_relayed_and_recorded_as_an_error(pair: Pair):
    """A stream that ends in an error event reaches the client as sent and is no success."""
    event = b'data: {"error":{"message":"The model is overloaded","type":"server_error","code":503}}\n\n'
    pieces = [*HALF, event, DONE]
    pair.provider.script = stream(pieces)
    got = ask(pair.proxy, stream=True)
    assert (got.body, got.complete) == (b"".join(pieces), True)
    record = pair.record()
    assert record["outcome"] == "provider_error"
    assert (record["error"]["kind"], record["error"]["message"]) == (
        "stream_error",
        "The model is overloaded",
    )
    assert record["response"]["choices"][0]["message"]["content"] == SAID


def test_stream_without_done_but_with_a_finish_reason_is_complete(pair: Pair):
    """Some providers never send `[DONE]`; a finish reason is an end too, and nothing is added."""
    pieces = chat_stream("half", " an")[:-1]
    pair.provider.script = stream(pieces)
    got = ask(pair.proxy, stream=True)
    assert (got.body, got.complete) == (b"".join(pieces), True)
    record = pair.record()
    assert (record["outcome"], record["error"]) == ("completed", None)
    assert record["response"]["choices"][0]["finish_reason"] == "stop"


def test_stream_without_any_end_is_truncated_although_its_framing_is_whole(pair: Pair):
    """Neither `[DONE]` nor a finish reason: relayed as it is, recorded as truncated with its bytes."""
    pair.provider.script = stream(HALF)
    got = ask(pair.proxy, stream=True)
    assert got.body == HALF_BYTES
    record = pair.record()
    assert (record["outcome"], record["error"]["kind"]) == (
        "provider_truncated",
        "no_terminal_event",
    )
    assert record["response"]["choices"][0]["message"]["content"] == SAID
    assert base64.b64decode(record["raw"]["response"]) == HALF_BYTES


def test_empty_stream_is_truncated(pair: Pair):
    """A stream without a single event is no answer."""
    pair.provider.script = stream([])
    got = ask(pair.proxy, stream=True)
    assert (got.status, got.body) == (200, b"")
    record = pair.record()
    assert (record["outcome"], record["response"]) == ("provider_truncated", None)


ODD_EVENTS = {
    "unknown-json": b'data: {"object":"x.new","surprise":[1]}\n\n',
    "not-json": b"data: {broken\n\n",
    "nan": b'data: {"choices":[{"index":0,"delta":{"content":"x","p":NaN}}]}\n\n',
    "bad-utf-8": b'data: {"choices":[{"index":0,"delta":{"content":"\xff"}}]}\n\n',
    "named-event": b'event: strange\ndata: {"a":1}\n\n',
}


@pytest.mark.parametrize("name", ODD_EVENTS)
def test_unknown_event_is_relayed_and_its_bytes_are_kept(pair: Pair, name: str):
    """An event that the decoder cannot place does not stop the stream; the record keeps the raw bytes."""
    pieces = [*HALF, ODD_EVENTS[name], chat_chunk({}, finish="stop"), DONE]
    pair.provider.script = stream(pieces)
    got = ask(pair.proxy, stream=True)
    assert (got.body, got.complete) == (b"".join(pieces), True)
    record = pair.record()
    assert record["outcome"] == "completed"
    assert record["response"]["choices"][0]["message"]["content"].startswith(SAID)
    assert base64.b64decode(record["raw"]["response"]) == b"".join(pieces)


def test_comments_and_keep_alives_are_relayed_and_harm_nothing(pair: Pair):
    """Comments are not events: relayed, and no reason to keep raw bytes."""
    pieces = [b": keep-alive\n\n", *HALF, b":\n\n", chat_chunk({}, finish="stop"), DONE]
    pair.provider.script = stream(pieces)
    assert ask(pair.proxy, stream=True).body == b"".join(pieces)
    record = pair.record()
    assert (record["outcome"], "raw" in record) == ("completed", False)


def test_json_answer_to_a_stream_request_is_relayed_and_recorded(pair: Pair):
    """A provider that does not stream although asked: its JSON goes through and is the response."""
    pair.provider.script = answer(chat_answer("not streamed"))
    got = ask(pair.proxy, stream=True)
    assert (got.status, got.body) == (200, chat_answer("not streamed"))
    record = pair.record()
    assert (record["stream"], record["outcome"]) == (True, "completed")
    assert record["response"] == json.loads(chat_answer("not streamed"))


@pytest.mark.parametrize("body", [b"not json", b"", b'{"a":NaN}', b'{"cut":', b"\xff"])
def test_answer_that_is_not_json_is_relayed_and_kept_as_bytes(pair: Pair, body: bytes):
    """A 200 that says JSON and is none: the client judges; the record keeps the bytes."""
    pair.provider.script = answer(body)
    got = ask(pair.proxy)
    assert (got.status, got.body, got.complete) == (200, body, True)
    record = pair.record()
    assert record["response"] is None
    if body:
        assert base64.b64decode(record["raw"]["response"]) == body
    pair.check_good()
