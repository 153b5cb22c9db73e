"""Bad input, one table: what each request is answered, and that it harms nothing.

Never 5xx. On the model's path every refusal is recorded with what was sent, and after each a good
request still works.
"""

from __future__ import annotations

import base64
import gzip
import json
import socket
import threading
import zlib
from dataclasses import dataclass, field
from typing import Any

import brotli
import pytest
import zstandard

from tests.support.http import CHAT, RawClient, chat, exchange, post
from tests.support.pair import Pair

JSON_TYPE = "content-type: application/json"
KEPT = 64 * 1024
MESSAGES = '"messages":[{"role":"user","content":"hi"}]'


@dataclass
class Bad:
    """A request, its answer's status, words of its message, its kind, and more header fields."""

    body: bytes
    status: int
    message: str
    kind: str
    fields: list[str] = field(default_factory=lambda: [JSON_TYPE])
    param: str | None = None


def nested(depth: int) -> bytes:
    """Write a body nested this deep."""
    return b'{"model":"m","messages":' + b"[" * depth + b"]" * depth + b"}"


def coded(name: str) -> list[str]:
    """Write the fields of a compressed body."""
    return [JSON_TYPE, f"content-encoding: {name}"]


ZEROS = b'{"model":"m","x":"' + b"0" * (65 * 1024 * 1024) + b'"}'
FORM = (
    b"--b\r\ncontent-disposition: form-data; name=model\r\n\r\nm\r\n"
    b"--b\r\ncontent-disposition: form-data; name=file; filename=a.wav\r\n\r\n\x00\xff\r\n--b--\r\n"
)

TABLE = {
    "not-json": Bad(b"hello", 400, "could not parse the JSON body", "bad_json"),
    "cut-json": Bad(b'{"model":"m","messages":[', 400, "could not parse the JSON body", "bad_json"),
    "two-values": Bad(chat() + chat(), 400, "could not parse the JSON body", "bad_json"),
    "single-quotes": Bad(b"{'model':'m'}", 400, "could not parse the JSON body", "bad_json"),
    "nan": Bad(b'{"model":"m","temperature":NaN}', 400, "could not parse the JSON body", "bad_json"),
    "infinity": Bad(b'{"model":"m","x":-Infinity}', 400, "could not parse the JSON body", "bad_json"),
    "raw-control-character": Bad(b'{"model":"m","x":"a\nb"}', 400, "could not parse the JSON body", "bad_json"),
    "list": Bad(b'[{"model":"m"}]', 400, "must be a JSON object; it is an array", "bad_json"),
    "string": Bad(b'"model"', 400, "must be a JSON object; it is a string", "bad_json"),
    "number": Bad(b"7", 400, "must be a JSON object; it is a number", "bad_json"),
    "null": Bad(b"null", 400, "must be a JSON object; it is null", "bad_json"),
    "empty": Bad(b"", 400, "the request body is empty", "bad_json"),
    "blank": Bad(b" \r\n", 400, "the request body is empty", "bad_json"),
    "bad-utf-8": Bad(b'{"model":"m","x":"\xff\xfe"}', 400, "not UTF-8: byte 18 is 0xff", "bad_json"),
    "utf-16": Bad('{"model":"m"}'.encode("utf-16"), 400, "not UTF-8", "bad_json"),
    "surrogate-bytes": Bad(b'{"model":"m","x":"\xed\xa0\xbd"}', 400, "not UTF-8", "bad_json"),
    "byte-order-mark": Bad(b"\xef\xbb\xbf" + chat(), 400, "could not parse the JSON body", "bad_json"),
    "nul-bytes": Bad(b"\x00" * 100, 400, "could not parse the JSON body", "bad_json"),
    "deep": Bad(nested(100_000), 400, "nested too deeply", "bad_json"),
    "deep-unclosed": Bad(b"[" * 1_000_000, 400, "nested too deeply", "bad_json"),
    "no-model": Bad(b'{"messages":[]}', 400, "must provide a model", "no_model", param="model"),
    "model-null": Bad(b'{"model":null}', 400, "must provide a model", "no_model", param="model"),
    "model-number": Bad(b'{"model":7}', 400, "must be a non-empty string, not 7", "no_model", param="model"),
    "model-list": Bad(b'{"model":["m"]}', 400, "must be a non-empty string", "no_model", param="model"),
    "model-empty": Bad(b'{"model":""}', 400, "must be a non-empty string, not ''", "no_model", param="model"),
    "model-unknown": Bad(chat(model="aliass"), 404, "did you mean `alias`", "unknown_model", param="model"),
    "model-strange": Bad(chat(model="../../etc\n\x1b[31m"), 404, "does not exist", "unknown_model", param="model"),
    "model-lone-surrogate": Bad(b'{"model":"\\ud800"}', 404, "does not exist", "unknown_model", param="model"),
    "model-long": Bad(chat(model="x" * 200_000), 404, "does not exist", "unknown_model", param="model"),
    "model-twice": Bad(b'{"model":"m","model":"alias"}', 400, "more than once", "bad_json", param="model"),
    "model-twice-alike": Bad(b'{"model":"m","model":"m"}', 400, "more than once", "bad_json", param="model"),
    "model-twice-spelt": Bad(b'{"model":"m","mod\\u0065l":"m"}', 400, "more than once", "bad_json", param="model"),
    "model-then-number": Bad(b'{"model":1,"model":"m"}', 400, "more than once", "bad_json", param="model"),
    "text": Bad(chat(), 415, "Content-Type is text/plain", "bad_type", ["content-type: text/plain"]),
    "form": Bad(b"model=m", 415, "x-www-form-urlencoded", "bad_type", ["content-type: application/x-www-form-urlencoded"]),
    "multipart": Bad(FORM, 415, "multipart/form-data", "bad_type", ["Content-Type: Multipart/Form-Data; boundary=b"]),
    "coding-unknown": Bad(chat(), 415, "Content-Encoding 'snappy' is not understood", "bad_encoding", coded("snappy")),
    "coding-many": Bad(gzip.compress(chat()), 415, "is not understood", "bad_encoding", coded("gzip, br")),
    "gzip-corrupt": Bad(b"\x1f\x8bnot gzip", 400, "the gzip request body is corrupt", "bad_encoding", coded("gzip")),
    "gzip-cut": Bad(gzip.compress(chat())[:-9], 400, "the gzip request body is corrupt", "bad_encoding", coded("gzip")),
    "gzip-flipped": Bad(gzip.compress(chat())[:-8] + b"\0" * 8, 400, "is corrupt", "bad_encoding", coded("gzip")),
    "gzip-with-more": Bad(gzip.compress(chat()) + b"more", 400, "is corrupt", "bad_encoding", coded("gzip")),
    "gzip-empty": Bad(b"", 400, "is corrupt", "bad_encoding", coded("gzip")),
    "deflate-corrupt": Bad(b"nonsense", 400, "is corrupt", "bad_encoding", coded("deflate")),
    "br-corrupt": Bad(b"\xff" * 40, 400, "the br request body is corrupt", "bad_encoding", coded("br")),
    "br-cut": Bad(brotli.compress(chat())[:-4], 400, "is corrupt", "bad_encoding", coded("br")),
    "zstd-corrupt": Bad(b"not zstd", 400, "the zstd request body is corrupt", "bad_encoding", coded("zstd")),
    "zstd-cut": Bad(zstandard.compress(chat())[:-4], 400, "is corrupt", "bad_encoding", coded("zstd")),
    "gzip-of-nonsense": Bad(gzip.compress(b"hello"), 400, "could not parse", "bad_json", coded("gzip")),
    "gzip-bomb": Bad(gzip.compress(ZEROS, 9), 413, "decompresses to more than", "too_large", coded("gzip")),
    "deflate-bomb": Bad(zlib.compress(ZEROS, 9), 413, "decompresses to more than", "too_large", coded("deflate")),
    "br-bomb": Bad(brotli.compress(ZEROS, quality=5), 413, "decompresses to more than", "too_large", coded("br")),
    "zstd-bomb": Bad(zstandard.compress(ZEROS), 413, "decompresses to more than", "too_large", coded("zstd")),
}  # fmt: skip


def check_error(
    got: Any, *, status: int, message: str, kind: str | None, param: str | None = None
) -> None:
    """The answer is one error in OpenAI's shape."""
    assert got.status == status
    assert "application/json" in got.all("content-type")
    error = json.loads(got.body)["error"]
    assert message in error["message"]
    assert len(error["message"]) < 1000
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    if kind is not None:
        assert got.all("x-dolphin-error") == [kind]
        assert got.all("x-should-retry") == ["false"]


@pytest.mark.parametrize("name", TABLE)
def test_bad_body_is_refused_and_recorded(pair: Pair, name: str):
    """Status and message of the table; the record says `refused` and holds what was sent."""
    bad = TABLE[name]
    got = exchange(pair.proxy, post(bad.body, *bad.fields))
    check_error(got, status=bad.status, message=bad.message, kind=bad.kind, param=bad.param)
    record = pair.record()
    assert (record["outcome"], record["status"]) == ("refused", bad.status)
    assert (record["error"]["kind"], record["error"]["at"]) == (bad.kind, "client")
    assert record["error"]["message"] == json.loads(got.body)["error"]["message"]
    assert got.all("x-dolphin-id") == [record["id"]]
    assert (record["response"], record["attempts"]) == (None, [])
    check_kept(record, bad)
    assert not pair.provider.requests
    pair.check_good()


def check_kept(record: dict[str, Any], bad: Bad) -> None:
    """JSON objects are the record's request; anything else is kept as bytes, up to 64 KiB."""
    sent = (
        gzip.decompress(bad.body)
        if bad.kind == "bad_json" and "gzip" in bad.fields[-1]
        else bad.body
    )
    if not sent:
        assert record["request"] is None
    elif record["request"] is not None:
        assert json.dumps(record["request"]) == json.dumps(json.loads(sent))
    else:
        assert base64.b64decode(record["raw"]["request"]) == sent[:KEPT]
        if bad.kind in ("no_model", "unknown_model"):
            assert len(sent) > KEPT


# --- what looks bad and is not

ACCEPTED = {
    "lone-surrogate": b'{"model":"m","messages":[{"role":"user","content":"a\\ud83d b\\udc00"}]}',
    "duplicate-keys": b'{"model":"m","user":"a","user":"b",' + MESSAGES.encode() + b"}",
    "huge-number": b'{"model":"m","seed":1' + b"0" * 400 + b"," + MESSAGES.encode() + b"}",
    "huge-exponent": b'{"model":"m","seed":1e999,' + MESSAGES.encode() + b"}",
    "nested-300": nested(300),
    "no-messages": b'{"model":"m"}',
    "messages-of-no-type": b'{"model":"m","messages":[[],7,{"role":"user","content":{"a":[]}}]}',
    "unknown-keys": b'{"model":"m","":{"":[]},"stream":"yes"}',
    "empty-key-and-nul": b'{"model":"m","\\u0000":"\\u0000"}',
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_unusual_json_goes_on_and_is_recorded_readable(pair: Pair, name: str):
    """What the grammar allows is the provider's to judge: forwarded untouched, recorded as it was."""
    body = ACCEPTED[name]
    got = exchange(pair.proxy, post(body, JSON_TYPE))
    assert got.status == 200
    assert pair.provider.requests[0].body == body
    record = pair.record()
    assert record["outcome"] == "completed"
    assert json.dumps(record["request"]) == json.dumps(json.loads(body))
    assert body in pair.proxy.segments()[-1].read_bytes()
    pair.check_good()


CONTENT_TYPES = [
    JSON_TYPE,
    "content-type: application/json; charset=utf-8",
    "content-type: APPLICATION/JSON",
    "x-none: 1",
]


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
def test_json_by_any_of_its_names_is_accepted(pair: Pair, content_type: str):
    """application/json in any spelling, or no Content-Type at all."""
    assert exchange(pair.proxy, post(chat(), content_type)).status == 200
    pair.record()


GOOD_CODINGS = {
    "gzip": gzip.compress,
    "x-gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": brotli.compress,
    "zstd": zstandard.compress,
    "GZIP": gzip.compress,
    "identity": bytes,
}


@pytest.mark.parametrize("coding", GOOD_CODINGS)
def test_compressed_request_goes_on_decoded(pair: Pair, coding: str):
    """A compressed body reaches the provider, and the record, as the JSON it holds."""
    body = chat(user="é" * 5000)
    assert exchange(pair.proxy, post(GOOD_CODINGS[coding](body), *coded(coding))).status == 200
    (received,) = pair.provider.requests
    assert received.body == body
    assert received.header("content-encoding") is None
    record = pair.record()
    assert record["request"] == json.loads(body)
    assert record["headers"]["request"]["content-encoding"] == coding


@pytest.mark.parametrize("coding", ["gzip", "zstd"])
def test_coding_of_several_members_goes_on_whole(pair: Pair, coding: str):
    """Both allow several members one after the other (RFC 1952, section 2.2; RFC 8878, section 3)."""
    body = chat(user="x" * 100)
    packed = GOOD_CODINGS[coding](body[:50]) + GOOD_CODINGS[coding](body[50:])
    assert exchange(pair.proxy, post(packed, *coded(coding))).status == 200
    assert pair.provider.requests[0].body == body
    pair.record()


# --- too large

HUNDRED_MEGABYTES = 100 * 1024 * 1024


def test_100_megabytes_announced_are_refused_before_they_are_read(pair: Pair):
    """A Content-Length over the limit is answered at once."""
    head = f"POST {CHAT} HTTP/1.1\r\nhost: 127.0.0.1:{pair.proxy.port}\r\n{JSON_TYPE}\r\n"
    with RawClient(pair.proxy) as client:
        client.send(f"{head}content-length: {HUNDRED_MEGABYTES}\r\n\r\n{{".encode())
        got = client.read_answer()
        check_error(got, status=413, message="larger than 64 MiB", kind="too_large")
        assert client.at_end()
    record = pair.record()
    assert (record["outcome"], record["request"]) == ("refused", None)
    pair.check_good()


def test_100_megabytes_announced_to_one_who_expects_are_never_sent(pair: Pair):
    """With `Expect: 100-continue` the refusal comes instead of the `100`."""
    head = f"POST {CHAT} HTTP/1.1\r\nhost: 127.0.0.1:{pair.proxy.port}\r\nexpect: 100-continue\r\n"
    with RawClient(pair.proxy) as client:
        client.send(f"{head}content-length: {HUNDRED_MEGABYTES}\r\n\r\n".encode())
        assert client.read_answer().status == 413
    pair.record()


def test_100_megabytes_in_chunks_are_refused_at_the_limit(pair: Pair):
    """Without a length, the refusal comes once the limit is passed; 64 KiB of the body are kept."""
    piece = b"a" * 1024 * 1024
    framed = b"%x\r\n%s\r\n" % (len(piece), piece)
    head = f"POST {CHAT} HTTP/1.1\r\nhost: 127.0.0.1:{pair.proxy.port}\r\n{JSON_TYPE}\r\n"
    with RawClient(pair.proxy) as client:

        def push() -> None:
            with_sent = 0
            try:
                while with_sent < 100:
                    client.send(framed)
                    with_sent += 1
            except OSError:
                pass  # the proxy stopped reading: its right

        client.send(f"{head}transfer-encoding: chunked\r\n\r\n".encode())
        pusher = threading.Thread(target=push)
        pusher.start()
        got = client.read_answer()
        pusher.join(30)
    check_error(got, status=413, message="larger than 64 MiB", kind="too_large")
    record = pair.record()
    assert record["outcome"] == "refused"
    assert base64.b64decode(record["raw"]["request"]) == piece[:KEPT]
    pair.check_good()


# --- not the model's path: counted, not recorded


def refused(pair: Pair) -> int:
    """Count the guard's refusals so far."""
    return int(pair.proxy.health()["refused"])


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_on_the_models_path_are_405(pair: Pair, method: str):
    """Only POST asks for a completion; `Allow` says so, and nothing is recorded."""
    got = exchange(
        pair.proxy, f"{method} {CHAT} HTTP/1.1\r\nhost: 127.0.0.1:{{port}}\r\n\r\n".encode()
    )
    assert (got.status, got.all("allow")) == (405, ["POST"])
    assert method in json.loads(got.body)["error"]["message"]
    pair.check_good()


@pytest.mark.parametrize("path", ["/", "/health", "/v1/models", "/v1/models/m"])
def test_other_methods_on_pages_are_405(pair: Pair, path: str):
    """The pages are read only."""
    got = exchange(pair.proxy, post(b"{}", JSON_TYPE, path=path))
    assert (got.status, got.all("allow")) == (405, ["GET, HEAD"])
    pair.check_good()


PATHS = [
    "/v1",
    "/completion",
    "/chat",
    "/chat/completions/x",
    "/V1/chat/completions",
    "/%2e%2e/etc/passwd",
    "/v1/%2e%2e/admin",
    "//x",
    "/é",
]


@pytest.mark.parametrize("path", PATHS)
def test_unknown_path_is_404_and_names_what_is_served(pair: Pair, path: str):
    """Another path is not found, whatever is sent to it."""
    got = exchange(pair.proxy, post(chat(), JSON_TYPE, path=path))
    assert got.status in (400, 404) if not path.isascii() else got.status == 404
    error = json.loads(got.body)["error"]
    if got.status == 404:
        assert "/v1/chat/completions" in error["message"]
    assert not pair.provider.requests
    pair.check_good()


def test_large_body_to_another_path_is_413(pair: Pair):
    """Nothing but model calls may be large."""
    got = exchange(pair.proxy, post(b"x" * 100_000, JSON_TYPE, path="/nowhere"))
    assert got.status == 413
    pair.check_good()


# --- header fields, and what is not HTTP

HOST = b"Host: 127.0.0.1:{port}\r\n"


def head_of(*lines: bytes) -> bytes:
    """Write the head of a model call with these lines."""
    return (
        b"POST /v1/chat/completions HTTP/1.1\r\n"
        + HOST
        + b"".join(line + b"\r\n" for line in lines)
        + b"\r\n"
    )


BAD_HEADS = {
    "giant-field": (head_of(b"x-giant: " + b"g" * 100_000), 431, "header fields"),
    "giant-field-of-a-megabyte": (head_of(b"x-giant: " + b"g" * 1_000_000), 431, "header fields"),
    "giant-target": (b"GET /" + b"g" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 431, "header fields"),
    "too-many-fields": (head_of(*(b"x-%d: 1" % n for n in range(150))), 431, "more than 100 header fields"),
    "no-http": (b"hello\r\n\r\n", 400, "not a well-formed HTTP/1.1 request"),
    "tls": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100, 400, "not a well-formed"),
    "http-2-preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400, "not a well-formed"),
    "http-3.0": (b"GET /health HTTP/3.0\r\n" + HOST + b"\r\n", 400, "not a well-formed"),
    "bad-method": (b"G=T /health HTTP/1.1\r\n" + HOST + b"\r\n", 400, "not a well-formed"),
    "bad-length": (head_of(b"content-length: 1x"), 400, "not a well-formed"),
    "negative-length": (head_of(b"content-length: -1"), 400, "not a well-formed"),
    "two-lengths": (head_of(b"content-length: 1", b"content-length: 2"), 400, "not a well-formed"),
    "length-and-chunked": (head_of(b"content-length: 5", b"transfer-encoding: chunked"), 400, "not a well-formed"),
    "unknown-transfer-coding": (head_of(b"transfer-encoding: gzip"), 400, "not a well-formed"),
    "chunked-twice-over": (head_of(b"transfer-encoding: chunked, gzip"), 400, "not a well-formed"),
    "bad-chunk": (head_of(b"transfer-encoding: chunked") + b"zz\r\n", 400, "not a well-formed"),
    "space-before-colon": (head_of(b"x-a : 1"), 400, "not a well-formed"),
    "nul-in-field": (head_of(b"x-a: a\x00b"), 400, "not a well-formed"),
    "folded-field": (head_of(b"x-a: a", b" b: c", b"content-length: 0"), 400, "not a well-formed"),
    "websocket": (head_of(b"connection: upgrade", b"upgrade: websocket"), 426, "WebSocket is not served"),
    "connect": (b"CONNECT example.org:443 HTTP/1.1\r\n" + HOST + b"\r\n", 405, "method CONNECT is not served"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_HEADS)
def test_bad_http_is_refused_and_the_connection_closed(pair: Pair, name: str):
    """Each ends in one 4xx answer in OpenAI's shape and a close; other clients notice nothing."""
    data, status, message = BAD_HEADS[name]
    with RawClient(pair.proxy) as client:
        client.send(data)
        got = client.read_answer()
        assert got.status == status, got.body
        assert message in json.loads(got.body)["error"]["message"]
        assert client.at_end()
    assert not pair.provider.requests
    pair.check_good()


def test_head_that_comes_in_pieces_is_read(pair: Pair):
    """A request may come byte by byte."""
    with RawClient(pair.proxy) as client:
        client._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        data = post(chat(), JSON_TYPE).replace(b"{port}", str(pair.proxy.port).encode())
        for place in range(len(data)):
            client._socket.send(data[place : place + 1])
        assert client.read_answer().status == 200
    pair.record()


def test_refusals_on_the_models_path_are_not_counted_as_the_guards(pair: Pair):
    """What is recorded is not counted again; unknown paths are."""
    before = refused(pair)
    exchange(pair.proxy, post(b"hello", JSON_TYPE))
    pair.record()
    assert refused(pair) == before
    exchange(pair.proxy, post(b"hello", JSON_TYPE, path="/nowhere"))
    assert refused(pair) == before + 1
