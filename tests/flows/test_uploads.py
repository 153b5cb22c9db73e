"""Bodies that are no JSON: forms with files, passed on as they come and recorded by reference."""

from __future__ import annotations

import base64
import hashlib
import os
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.support import process
from tests.support.bodies import ANSWER, Reader, Streaming
from tests.support.http import RawClient
from tests.support.pair import REAL_NAME, Pair
from tests.support.provider import Received, Wire, answer
from tests.support.proxy import Proxy, one_model, wait_for

SPEECH = "/v1/audio/transcriptions"
BOUNDARY = "b0undary"
FORM = f"content-type: multipart/form-data; boundary={BOUNDARY}"
FILE = bytes(range(256)) * 40 + b"\r\n--b0undarx\r\nno end\r\n"


def part(name: str, value: bytes, *, more: str = "") -> bytes:
    """Write one part of a form."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'
    return head.encode() + value + b"\r\n"


def file_part(data: bytes = FILE, *, name: str = "file") -> bytes:
    """Write a part with a file."""
    return part(name, data, more='; filename="a; name=model.mp3"\r\nContent-Type: audio/mpeg')


END = f"--{BOUNDARY}--\r\n".encode()


def head(length: int | None, *fields: str, path: str = SPEECH) -> bytes:
    """Write a request head; without a length it announces chunks."""
    framing = "transfer-encoding: chunked" if length is None else f"content-length: {length}"
    lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1:{port}", framing, FORM, *fields]
    return "\r\n".join([*lines, "", ""]).encode()


def chunk(data: bytes) -> bytes:
    """Frame one chunk."""
    return b"%x\r\n%s\r\n" % (len(data), data)


@pytest.fixture
def streaming(tmp_path: Any) -> Any:
    """A provider that reads as its script says, and a proxy in front of it."""
    with Streaming() as provider:
        config = one_model(provider.base, entry={"providerModel": REAL_NAME})
        config["models"].append(config["models"][0] | {"model": "other"})
        with Proxy(tmp_path / "home", config) as proxy:
            yield Pair(provider, proxy)
            assert "Traceback" not in proxy.output(), proxy.output()


# --- what arrives, and what is recorded


@pytest.mark.parametrize("framing", ["length", "chunks", "single bytes"])
@pytest.mark.parametrize("order", ["before", "after"])
def test_an_upload_arrives_byte_for_byte(streaming: Pair, framing: str, order: str):
    """All but the model's value, whose place may be before or behind the file."""
    parts = [part("model", b"m"), part("language", b"en"), file_part()]
    if order == "after":
        parts.reverse()
    body = b"".join(parts) + END
    reader = streaming.provider.script = Reader()
    with RawClient(streaming.proxy) as client:
        if framing == "length":
            client.send(head(len(body)) + body)
        else:
            step = 1 if framing == "single bytes" else 1000
            pieces = [body[n : n + step] for n in range(0, len(body), step)]
            client.send(head(None) + b"".join(map(chunk, pieces)) + b"0\r\n\r\n")
        got = client.read_answer()
    assert (got.status, got.body) == (200, ANSWER)
    assert bytes(reader.body) == body.replace(
        b'"model"\r\n\r\nm\r', b'"model"\r\n\r\n%s\r' % REAL_NAME.encode()
    )
    (request,) = streaming.provider.requests
    assert request.header("content-type") == f"multipart/form-data; boundary={BOUNDARY}"
    assert request.header("authorization") == "Bearer sk-test-key"
    record = streaming.record()
    assert record["request"]["blob"]["type"] == "multipart/form-data"
    assert record["request"]["blob"]["bytes"] == len(body)
    assert streaming.blob(record["request"]) == body
    assert record["response"] == {"text": "hello"}
    assert (record["model"], record["provider_model"]) == ("m", REAL_NAME)
    assert (record["dialect"], record["outcome"]) == ("openai.audio", "completed")


@pytest.mark.parametrize(
    ("path", "dialect"),
    [
        ("/v1/audio/translations", "openai.audio"),
        ("/v1/images/edits", "openai.images"),
        ("/images/variations", "openai.images"),
        ("/p/m/v1/files", "openai.files"),
        ("/p/m/v1/anything/else", "opaque"),
    ],
)
def test_every_surface_with_files(pair: Pair, path: str, dialect: str):
    """Images, files and unknown paths take forms too."""
    body = part("model", b"m") + file_part(name="image") + END
    with RawClient(pair.proxy) as client:
        client.send(head(len(body), path=path) + body)
        assert client.read_answer().status == 200
    assert pair.provider.requests[0].body == body
    record = pair.record()
    assert (record["dialect"], record["outcome"]) == (dialect, "completed")
    assert pair.blob(record["request"]) == body


def test_what_stands_in_a_file_is_no_field(streaming: Pair):
    """A file that quotes a form of the same fields keeps every byte, and names no model."""
    quoted = (
        part("model", b"other").replace(BOUNDARY.encode(), b"another")
        + b"content-disposition:" * 50
    )
    body = file_part(quoted) + part("model", b"m") + END
    reader = streaming.provider.script = Reader()
    with RawClient(streaming.proxy) as client:
        client.send(head(len(body)) + body)
        assert client.read_answer().status == 200
    assert quoted in bytes(reader.body)
    assert streaming.record()["model"] == "m"


def test_the_first_bytes_are_there_before_the_last_are_sent(streaming: Pair):
    """The body flows: nothing waits for its end."""
    reader = streaming.provider.script = Reader()
    first, rest = part("model", b"m") + file_part()[:-2], b"\r\n" + END
    with RawClient(streaming.proxy) as client:
        client.send(head(len(first) + len(rest)) + first)
        wait_for(
            lambda: len(reader.body) == len(first) - 1 + len(REAL_NAME), what="the first bytes"
        )
        client.send(rest)
        assert client.read_answer().body == ANSWER


def test_a_field_that_comes_too_late_is_refused_with_the_cure(streaming: Pair):
    """Behind a file of more than 1 MiB the model is not looked for; nothing goes to a provider."""
    body = file_part(os.urandom(3 << 20)) + part("model", b"m") + END
    with RawClient(streaming.proxy) as client:
        client.send(head(len(body)) + body)
        got = client.read_answer()
    assert got.status == 400
    assert b"before the file" in got.body
    assert not streaming.provider.requests
    record = streaming.record()
    assert (record["outcome"], record["error"]["kind"]) == ("refused", "no_model")


@pytest.mark.parametrize(
    ("model", "status"), [(b"unknown", 404), (None, 400), (b"", 400), (b"\xff", 404)]
)
def test_a_form_without_a_usable_model_is_refused(pair: Pair, model: bytes | None, status: int):
    """As a JSON body would be."""
    body = (b"" if model is None else part("model", model)) + file_part() + END
    with RawClient(pair.proxy) as client:
        client.send(head(len(body)) + body)
        assert client.read_answer().status == status
    assert not pair.provider.requests
    assert pair.record()["outcome"] == "refused"
    pair.check_good()


# --- size

LARGE = 300 * process.MIB


def test_a_large_upload_costs_no_memory_and_waits_for_its_provider(streaming: Pair):
    """300 MiB: while the provider does not read the client is held, and memory grows by at most 16 MiB."""
    reader = streaming.provider.script = Reader()
    reader.may_read.clear()
    first = part("model", b"m") + file_part(b"")[:-2]
    length = len(first) + LARGE + 2 + len(END)
    pid = streaming.proxy.pid
    streaming.proxy.health()
    before = process.resident(pid)
    process.forget_peak(pid)
    digest = hashlib.sha256(first)
    with streaming.proxy.connect() as client:
        port = str(streaming.proxy.port).encode()
        client.settimeout(60)
        client.sendall(head(length).replace(b"{port}", port) + first)
        sent = 0
        block = os.urandom(1 << 16)
        client.settimeout(1)
        try:
            while sent < LARGE:
                sent += client.send(block)
        except TimeoutError:
            pass
        assert sent < 64 * process.MIB, "nobody reads, and still the proxy takes more"
        reader.may_read.set()
        client.settimeout(60)
        client.sendall(block[sent % len(block) :])
        done = -(-sent // len(block)) + (1 if sent % len(block) == 0 else 0)
        for _ in range(LARGE // len(block) - done):
            client.sendall(block)
        client.sendall(b"\r\n" + END)
        assert client.recv(65536).startswith(b"HTTP/1.1 200")
    growth = (process.peak(pid) - before) / process.MIB  # measured: 0.6
    assert growth <= 16, f"{growth:.1f} MiB"
    assert reader.size == length - 1 + len(REAL_NAME)
    for _ in range(LARGE // len(block)):
        digest.update(block)
    digest.update(b"\r\n" + END)
    record = streaming.record()
    assert record["request"]["blob"]["bytes"] == length
    assert record["request"]["blob"]["sha256"] == digest.hexdigest()


@pytest.mark.parametrize("length", [2 * 1024**3 + 1, 10**15])
def test_more_than_two_gibibytes_is_refused_at_the_head(pair: Pair, length: int):
    """413 before a byte of the body is read, with the limit that holds here."""
    with RawClient(pair.proxy) as client:
        client.send(head(length))
        got = client.read_answer()
    assert got.status == 413
    assert b"2048 MiB" in got.body
    assert not pair.provider.requests
    assert pair.record()["outcome"] == "refused"
    pair.check_good()


# --- ends before the end


@pytest.mark.parametrize("status", [401, 413])
def test_a_provider_that_answers_early_is_heard(streaming: Pair, status: int):
    """The client gets that answer; the half-used connection serves nobody else."""
    streaming.provider.script = Reader(status=status, read=100)
    first = part("model", b"m") + file_part()[:-2]
    with RawClient(streaming.proxy) as client:
        client.send(head(len(first) + 5_000_000) + first)
        got = client.read_answer()
        assert (got.status, got.body) == (status, ANSWER)
        client.send(b"x" * 100_000)  # what was on its way
    record = streaming.record()
    assert (record["status"], record["outcome"]) == (status, "provider_error")
    assert record["request"]["blob"]["bytes"] >= len(first)
    connections = streaming.provider.connections
    good = streaming.provider.script = Reader()
    body = part("model", b"m") + END
    with RawClient(streaming.proxy) as client:
        client.send(head(len(body)) + body)
        assert client.read_answer().status == 200
    assert bytes(good.body) == body.replace(b"\r\nm\r", b"\r\n%s\r" % REAL_NAME.encode())
    assert streaming.provider.connections == connections + 1


@pytest.mark.parametrize("how", ["close", "reset", "bad chunk"])
def test_a_client_that_breaks_off_is_recorded(streaming: Pair, how: str):
    """The provider's connection ends too, and the record has what came."""
    reader = streaming.provider.script = Reader()
    first = part("model", b"m") + file_part()
    with RawClient(streaming.proxy) as client:
        client.send(head(None) + chunk(first))
        wait_for(lambda: reader.size, what="the first bytes")
        if how == "bad chunk":
            client.send(b"zz\r\n")
            assert client.at_end()
        elif how == "reset":
            client.reset()
    record = streaming.record()
    assert (record["outcome"], record["error"]["kind"]) == ("client_disconnected", "disconnect")
    assert streaming.blob(record["request"]) == first
    wait_for(streaming.provider.requests[0].finished.is_set, what="the provider's end")
    assert not reader.ended.is_set()
    assert streaming.proxy.health()["active"] == 0


def test_a_provider_that_refuses_is_a_502(start_proxy: Callable[..., Proxy]):
    """The client hears it although its body is not complete; the record has what came."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = unused.getsockname()[1]
    proxy = start_proxy(one_model(f"http://127.0.0.1:{closed}/v1"))
    first = part("model", b"m") + file_part()[:-2]
    with RawClient(proxy) as client:
        client.send(head(len(first) + 5_000_000) + first)
        got = client.read_answer()
    assert got.status == 502
    record = proxy.record()
    assert (record["outcome"], record["error"]["kind"]) == ("provider_error", "connect")
    assert record["request"]["blob"]["bytes"] == len(first)


def test_a_provider_that_breaks_off_is_a_502(streaming: Pair):
    """A reset in the middle of the upload is told, not waited out."""

    async def reset(request: Received, wire: Wire) -> None:
        wire.reset()

    streaming.provider.script = reset
    first = part("model", b"m") + file_part()[:-2]
    with RawClient(streaming.proxy) as client:
        client.send(head(len(first) + 5_000_000) + first)
        assert client.read_answer().status == 502
    assert streaming.record()["error"]["kind"] == "connection_lost"


# --- what is not recorded


def test_a_suppressed_upload_leaves_nothing_on_the_disk(streaming: Pair):
    """No blob, no part of one, no record: not even while it is under way."""
    reader = streaming.provider.script = Reader()
    first = part("model", b"m") + file_part(b"canary-upload" * 1000)
    with RawClient(streaming.proxy) as client:
        client.send(head(len(first) + len(END), "x-no-log: true") + first)
        wait_for(lambda: reader.size > len(first) - 10, what="the first part")
        assert not list(streaming.proxy.home.rglob("blobs/*"))
        client.send(END)
        assert client.read_answer().status == 200
    assert streaming.proxy.health()["suppressed"] == 1
    for path in streaming.proxy.home.rglob("*"):
        assert not path.is_file() or b"canary-upload" not in path.read_bytes(), path


# --- answers that are no JSON


@pytest.mark.parametrize("size", [3000, 9 * process.MIB], ids=["small", "large"])
def test_a_binary_answer_comes_byte_for_byte(pair: Pair, size: int):
    """Speech is relayed as it is, and recorded: as raw bytes, or above 8 MiB as a blob."""
    sound = os.urandom(1000) * (size // 1000)
    pair.provider.script = answer(sound, headers=[("content-type", "audio/mpeg")])
    body = b'{"model":"m","input":"hi","voice":"alloy"}'
    got = pair.proxy.request("POST", "/v1/audio/speech", body, {"content-type": "application/json"})
    assert (got.status, got.header("content-type")) == (200, "audio/mpeg")
    assert got.body == sound
    record = pair.record()
    assert record["request"]["voice"] == "alloy"
    assert record["outcome"] == "completed"
    if size > 8 * process.MIB:
        assert record["response"]["blob"]["type"] == "audio/mpeg"
        assert pair.blob(record["response"]) == sound
    else:
        assert record["response"] is None
        assert base64.b64decode(record["raw"]["response"]) == sound
