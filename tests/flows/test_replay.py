"""`dolphin-logger replay`: another model is asked what a record asked, through a real proxy."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dolphin_logger.conversation import stitch
from dolphin_logger.index.reading import read
from dolphin_logger.index.recent import Recent
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import StoredRecord, read_home
from tests.support.provider import FakeProvider, Received, Wire, answer, chat_stream, stream
from tests.support.proxy import Proxy, wait_for
from tests.support.wiring import Computer, every_language

CHAT = {"provider": "openai", "apiKey": "sk-of-the-entry"}
HI = [{"role": "user", "content": "hi"}]


@pytest.fixture
def computer(tmp_path: Path) -> Iterator[Computer]:
    """A home whose models `a` and `b` are a fake provider's, and `claude` and `gemini` too."""
    with FakeProvider(every_language) as provider:
        made = Computer(tmp_path, provider)
        made.provider = provider  # type: ignore[attr-defined]
        origin = provider.base.removesuffix("/v1")
        others = {"claude": ("anthropic", origin), "gemini": ("google", f"{origin}/v1beta")}
        made.configure(
            *(CHAT | {"model": name, "apiBase": provider.base} for name in "ab"),
            *(
                {"provider": vendor, "model": name, "apiBase": base, "apiKey": "k"}
                for name, (vendor, base) in others.items()
            ),
            {"provider": "openai", "model": "passed", "apiKey": "PASSTHROUGH"},
        )
        yield made
        wait_for(lambda: not made.proxies(), what="the end of every proxy")


@pytest.fixture
def proxy(computer: Computer) -> Iterator[Proxy]:
    """A proxy that runs on that home."""
    config = json.loads((computer.home / "config.json").read_text())
    with Proxy(computer.home, config) as running:
        yield running
        assert running.stop() == 0


def ask(proxy: Proxy, path: str, body: Any, **headers: str) -> str:
    """Ask once; give the record's id."""
    sent = {"content-type": "application/json", **headers}
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    made = proxy.request("POST", path, data, sent).header("x-dolphin-id")
    assert made is not None
    return made


def relations(computer: Computer) -> list[tuple[str, str | None, str]]:
    """Stitch all records: each one's relation, parent and conversation."""
    items = [item for item in read_home(Home(computer.home)) if isinstance(item, StoredRecord)]
    recent = Recent()
    placed = stitch(read(item, recent).turn for item in items)
    return [(place.relation.value, place.parent, place.conversation) for place in placed]


def test_a_branch_of_the_conversation(computer: Computer, proxy: Proxy) -> None:
    """The same bytes but for the model, the same session, a tag; the answer is shown with its id."""
    body = b'{ "temperature": 1.0, "model":"a","messages":[{"role":"user","content":"h\\u0069"}], "n":12345678901234567890123 }'
    first = ask(
        proxy, "/c/one/v1/chat/completions", body, **{"x-session-id": "s", "user-agent": "mine/1"}
    )
    computer.provider.requests.clear()
    done = computer.run("replay", first[-8:], "--model", "b")
    assert done.returncode == 0, done.stderr
    assert "hello" in done.stdout
    original, new = computer.records()
    assert f"recorded as {new['id']}" in done.stderr
    (received,) = [request for request in computer.provider.requests if request.method == "POST"]
    assert received.body == body.replace(b'"model":"a"', b'"model":"b"')
    assert received.target == "/v1/chat/completions"
    assert new["client"] == original["client"] | {"tags": {"run": "one", "replay": first}}
    assert relations(computer)[1] == ("regenerate", first, first)


def test_a_chat_without_a_session_becomes_a_branch_too(computer: Computer, proxy: Proxy) -> None:
    """The tag alone is enough: neither the model nor the time has to be the same."""
    first = ask(proxy, "/v1/chat/completions", {"model": "a", "messages": HI})
    assert computer.run("replay", first, "--model", "b").returncode == 0
    assert relations(computer) == [("start", None, first), ("regenerate", first, first)]
    new = computer.records()[-1]["id"]
    shown = computer.run("show", first[-8:]).stdout
    assert f'> replayed (b): 1 turn: show {new[-8:]}  "hello"' in shown


@pytest.mark.parametrize(
    ("path", "body", "model"),
    [
        ("/v1/chat/completions", {"model": "a", "messages": HI}, "claude"),
        ("/v1/responses", {"model": "claude", "input": "hi"}, "claude"),
        ("/v1/messages", {"model": "claude", "max_tokens": 9, "messages": HI}, "b"),
        (
            "/v1beta/models/gemini:generateContent?x=1",
            {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
            "claude",
        ),
    ],
)
def test_any_language(
    computer: Computer, proxy: Proxy, path: str, body: dict[str, Any], model: str
) -> None:
    """A record of any language is asked at a model of any other, on its own path."""
    first = ask(proxy, path, body)
    done = computer.run("replay", first, "--model", model)
    assert (done.returncode, "hello" in done.stdout) == (0, True), done.stderr
    original, new = computer.records()
    assert (new["model"], new["dialect"]) == (model, original["dialect"])
    assert new["path"] == original["path"].replace("/gemini:", f"/{model}:")
    assert relations(computer)[1][:2] == ("regenerate", first)


def test_a_proxy_is_started_where_none_runs(computer: Computer) -> None:
    """It answers, records, and is gone afterwards."""
    config = json.loads((computer.home / "config.json").read_text())
    with Proxy(computer.home, config) as running:
        first = ask(running, "/v1/chat/completions", {"model": "a", "messages": HI})
        assert running.stop() == 0
    done = computer.run("replay", first, "--model", "b", "--json")
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    (new,) = [record for record in computer.records() if record["model"] == "b"]
    assert (shown["replayed"], shown["record"]) == (first, new["id"])
    assert shown["response"] == new["response"]
    assert computer.proxies() == []


@pytest.mark.parametrize("streams", [True, False])
def test_streamed_or_not(computer: Computer, proxy: Proxy, streams: bool) -> None:
    """The flag changes `stream` alone, and takes out what is meant for a stream."""
    options = {} if streams else {"stream": True, "stream_options": {"include_usage": True}}
    computer.provider.script = every_language if streams else stream(chat_stream("hel", "lo"))
    first = ask(proxy, "/v1/chat/completions", {"model": "a", "messages": HI, **options})
    computer.provider.script = stream(chat_stream("hel", "lo")) if streams else every_language
    done = computer.run("replay", first, "--model", "b", "--stream" if streams else "--no-stream")
    assert (done.returncode, "hello" in done.stdout) == (0, True), done.stderr
    new = computer.records()[-1]
    assert new["stream"] is streams
    assert new["request"].get("stream_options") is None
    assert new["request"]["stream"] is streams


def test_gemini_streams_by_its_path(computer: Computer, proxy: Proxy) -> None:
    """`--stream` asks for the other action, and for events."""
    first = ask(proxy, "/v1beta/models/gemini:generateContent", {"contents": "hi"})
    done = computer.run("replay", first, "--model", "gemini", "--stream", "--dry-run", "--json")
    plan = json.loads(done.stdout)
    assert plan["path"] == "/v1beta/models/gemini:streamGenerateContent?alt=sse"
    assert len(computer.records()) == 1


def test_a_large_body_is_sent_from_its_blob(computer: Computer, proxy: Proxy) -> None:
    """What lies beside the records is part of what is asked."""
    body = {"model": "a", "messages": [{"role": "user", "content": "x" * (9 << 20)}]}
    first = ask(proxy, "/v1/chat/completions", body)
    assert "blob" in computer.records()[0]["request"]
    computer.provider.requests.clear()
    assert computer.run("replay", first, "--model", "b").returncode == 0
    (received,) = [request for request in computer.provider.requests if request.method == "POST"]
    assert received.json() == body | {"model": "b"}


async def failing(request: Received, wire: Wire) -> None:
    """Answer as a provider without quota."""
    error = b'{"error": {"message": "no\\u001b[31m quota\\nleft", "type": "x"}}'
    await answer(error, status=429)(request, wire)


def test_an_error_of_the_provider(computer: Computer, proxy: Proxy) -> None:
    """One line says what it said; exit 5."""
    first = ask(proxy, "/v1/chat/completions", {"model": "a", "messages": HI})
    computer.provider.script = failing
    done = computer.run("replay", first, "--model", "b")
    new = computer.records()[-1]["id"]
    said = f"error: openai answered 429: no\\x1b[31m quota left (record {new})\n"
    assert (done.returncode, done.stdout, done.stderr) == (5, "", said)


def test_an_answer_that_breaks_off(computer: Computer, proxy: Proxy) -> None:
    """What came is shown, then what went wrong."""

    async def breaking(request: Received, wire: Wire) -> None:
        await wire.head(200, [("content-type", "text/event-stream")])
        for piece in chat_stream("begun")[:2]:
            await wire.chunk(piece)
        wire.reset()

    first = ask(proxy, "/v1/chat/completions", {"model": "a", "messages": HI})
    computer.provider.script = breaking
    done = computer.run("replay", first, "--model", "b", "--stream")
    assert (done.returncode, "begun" in done.stdout) == (5, True), done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: openai answered 200: ")


@pytest.mark.parametrize(
    ("path", "body", "model", "why"),
    [
        ("/v1/chat/completions", b"{no", "b", "has no JSON request"),
        ("/v1/files", None, "b", "has no JSON request"),
        (
            "/v1/responses",
            {"model": "claude", "input": "x", "previous_response_id": "resp_1"},
            "claude",
            "refers by `previous_response_id` to what its provider keeps",
        ),
        (
            "/v1/responses",
            {"model": "claude", "input": "x", "conversation": "conv_1"},
            "claude",
            "refers by `conversation`",
        ),
        (
            "/v1beta/models/gemini:generateContent",
            {"contents": "x", "cachedContent": "cachedContents/1"},
            "gemini",
            "refers by `cachedContent`",
        ),
        ("/v1/chat/completions", {"model": "a", "messages": HI}, "nobody", "does not exist"),
        ("/v1/chat/completions", {"model": "a", "messages": HI}, "passed", "no key is recorded"),
        ("/v1/embeddings", {"model": "a", "input": "x"}, "claude", "does not speak"),
    ],
)
def test_what_cannot_be_asked_again(
    computer: Computer, proxy: Proxy, path: str, body: Any, model: str, why: str
) -> None:
    """It is refused in one line, and nothing is sent."""
    if path == "/v1/files":
        headers = {"content-type": "multipart/form-data; boundary=x", "x-dolphin-client": "c"}
        form = b'--x\r\ncontent-disposition: form-data; name="a"\r\n\r\nb\r\n--x--\r\n'
        first = ask(proxy, f"/p/a{path}", form, **headers)
    else:
        first = ask(proxy, path, body)
    computer.provider.requests.clear()
    done = computer.run("replay", first, "--model", model)
    assert done.returncode == (3 if model == "passed" else 1), done.stderr
    assert why in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert [request for request in computer.provider.requests if request.method == "POST"] == []


def test_a_dry_run_sends_nothing(computer: Computer, proxy: Proxy) -> None:
    """It says the path, the header fields and who would be asked; no credential is among them."""
    first = ask(
        proxy,
        "/v1/chat/completions",
        {"model": "a", "messages": HI},
        authorization="Bearer sk-mine",
    )
    computer.provider.requests.clear()
    done = computer.run("replay", first, "--model", "b", "--dry-run")
    assert done.returncode == 0
    assert done.stdout.startswith("POST /v1/chat/completions of ")
    assert f"x-dolphin-tag-replay: {first}" in done.stdout
    assert "sk-" not in done.stdout + done.stderr
    assert "openai, b" in done.stderr
    assert (len(computer.records()), computer.provider.requests) == (1, [])


def test_paused_recording_is_said_before_anything_is_paid(computer: Computer, proxy: Proxy) -> None:
    """An answer that would not be recorded is not asked for."""
    first = ask(proxy, "/v1/chat/completions", {"model": "a", "messages": HI})
    computer.run("pause")
    computer.provider.requests.clear()
    done = computer.run("replay", first, "--model", "b")
    assert (done.returncode, "recording is paused" in done.stderr) == (1, True)
    assert computer.provider.requests == []
