"""Canary keys in every slot, through every way an exchange can end: found nowhere but where they belong.

What belongs where: a configured credential goes to its own provider, exactly as configured; a key of
the client's goes nowhere. The client always gets the provider's own bytes, so a provider that echoes
the key it was sent shows it to the client that asked; the record of such an error has it blotted out.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.support.provider import (
    FakeProvider,
    Received,
    Wire,
    chat_answer,
    chat_chunk,
    chat_stream,
)
from tests.support.proxy import Proxy, wait_for

_CANARY = re.compile(rb"canary-[a-z]+-[0-9a-f]{12}")


def _canary(slot: str) -> str:
    return f"canary-{slot}-{os.urandom(6).hex()}"


KEY, ENV_KEY, HEADER, ENV_HEADER, QUERY, TOKEN = map(
    _canary, ("key", "envkey", "header", "envheader", "query", "token")
)
CLIENT_FIELDS = {
    name: prefix + _canary("client")
    for name, prefix in (
        ("authorization", "Bearer "),
        ("x-api-key", ""),
        ("api-key", ""),
        ("x-goog-api-key", ""),
        ("cookie", "session="),
        ("proxy-authorization", "Basic "),
    )
}
CLIENT_ORG_KEY = _canary(
    "clientorg"
)  # a field of no known meaning: dropped only where the entry sets its own
CLIENT_QUERY = _canary("clientquery")


def _config(base: str) -> dict[str, Any]:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        closed = unused.getsockname()[1]
    full = {
        "provider": "openai",
        "apiBase": base,
        "apiKey": KEY,
        "headers": {"X-Org-Key": HEADER, "X-Env-Key": "ENV:CANARY_HEADER"},
        "query": {"sig": QUERY},
        "timeouts": {"firstByte": 0.5, "idle": 0.5, "connect": 2},
    }
    return {
        "token": TOKEN,
        "recordRaw": "always",
        "models": [
            {**full, "model": "full"},
            {"provider": "openai", "model": "env", "apiBase": base, "apiKey": "ENV:CANARY_KEY"},
            {**full, "model": "closed", "apiBase": f"http://127.0.0.1:{closed}/v1"},
            {**full, "model": "nowhere", "apiBase": "http://no-such-host.invalid/v1"},
            {**full, "model": "tls", "apiBase": base.replace("http:", "https:")},
        ],
    }


async def _script(request: Received, wire: Wire) -> None:
    """Answer as the request's `user` says; errors echo every credential that came."""
    how = request.json().get("user")
    echo = orjson.dumps(
        {"error": {"message": f"bad key: {request.headers} {request.target}", "code": "bad"}}
    )
    events = [("content-type", "text/event-stream")]
    if how == "stream":
        await wire.head(200, events)
        for event in chat_stream("a", "b"):
            await wire.chunk(event)
        await wire.end()
    elif how == "event":
        await wire.head(200, events)
        await wire.chunk(
            chat_chunk({"content": "half"}) + b"data: " + echo + b"\n\ndata: [DONE]\n\n"
        )
        await wire.end()
    elif how in ("401", "500"):
        await wire.head(int(how), [("content-type", "application/json")], length=len(echo))
        await wire.chunk(echo)
    elif how == "silent":
        await wire.until_client_leaves()
    elif how in ("cut", "stall"):
        await wire.head(200, events)
        await wire.chunk(chat_chunk({"content": "half"}))
        if how == "cut":
            wire.close()
        await wire.until_client_leaves()
    elif how == "redirect":
        await wire.head(302, [("location", request.target)], length=0)
    elif how == "nonsense":
        await wire.raw(b"NONSENSE " + str(request.headers).encode() + b"\r\n\r\n")
        wire.close()
    else:
        body = chat_answer()
        await wire.head(
            200, [("content-type", "application/json"), ("set-cookie", "a=b")], length=len(body)
        )
        await wire.chunk(body)


@pytest.fixture
def proxy(provider: FakeProvider, tmp_path: Path) -> Iterator[Proxy]:
    """A talkative proxy with a canary in every slot."""
    provider.script = _script
    env = {"CANARY_KEY": ENV_KEY, "CANARY_HEADER": ENV_HEADER, "PYTHONASYNCIODEBUG": "1"}
    running = Proxy(tmp_path / "home", _config(provider.base), env=env).start("--verbose")
    with running:
        yield running


def _ask(proxy: Proxy, model: str, how: str, **more: str) -> tuple[int, bytes]:
    """Ask with a canary in every slot of the client's; status 0 for an answer that broke off."""
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "user": how}
    body["stream"] = how in ("stream", "cut", "stall", "event")
    path = f"/v1/chat/completions?key={CLIENT_QUERY}&api_key={CLIENT_QUERY}"
    try:
        answer = proxy.request("POST", path, orjson.dumps(body), CLIENT_FIELDS | more)
    except (OSError, http.client.HTTPException):
        assert how in ("cut", "stall")
        return 0, b""
    return answer.status, answer.body


def _use_everything(proxy: Proxy) -> None:
    """Bring about every way an exchange can end."""
    for how in (
        "plain",
        "stream",
        "401",
        "500",
        "silent",
        "cut",
        "stall",
        "event",
        "redirect",
        "nonsense",
    ):
        _ask(proxy, "full", how)
    for model in ("env", "closed", "nowhere", "tls", "unknown"):
        _ask(proxy, model, "plain")
    _ask(proxy, "env", "401")
    proxy.request("POST", f"/v1/nothing?key={CLIENT_QUERY}", b"{}", CLIENT_FIELDS)
    bad_bodies: list[bytes] = [b"not JSON", b"[]", b"{}", b"\xff"]
    for bad in bad_bodies:
        proxy.request("POST", f"/v1/chat/completions?key={CLIENT_QUERY}", bad, CLIENT_FIELDS)
    for path in ("/health", "/v1/models", "/v1/models/full"):
        assert proxy.request("GET", f"{path}?key={CLIENT_QUERY}", headers=CLIENT_FIELDS).status in (
            200,
            404,
        )


def _found(text: bytes) -> set[bytes]:
    """Find canaries in bytes, also where they were written as base64 inside a record."""
    found = set(_CANARY.findall(text))
    for line in text.splitlines():
        try:
            raw = json.loads(line).get("raw") or {}
        except (ValueError, AttributeError):
            continue
        for value in raw.values():
            found |= set(_CANARY.findall(base64.b64decode(value or "")))
    return found


def _run(home: Path, *args: str) -> bytes:
    env = {
        **os.environ,
        "DOLPHIN_LOGGER_HOME": str(home),
        "CANARY_KEY": ENV_KEY,
        "CANARY_HEADER": ENV_HEADER,
    }
    done = subprocess.run(
        [sys.executable, "-m", "dolphin_logger", *args],
        env=env,
        capture_output=True,
        timeout=30,
        check=False,
    )
    assert b"Traceback" not in done.stderr, done.stderr
    return done.stdout + done.stderr


def test_canaries_are_found_nowhere(proxy: Proxy) -> None:
    """No key of the configuration or of a client is in the log, the blobs, the run files or any output."""
    _use_everything(proxy)
    records = proxy.records(20)
    assert {record["outcome"] for record in records} == {
        "completed",
        "provider_error",
        "provider_truncated",
        "timeout",
        "refused",
    }
    outputs = [
        _run(proxy.home, *args.split())
        for args in ("ls", "ls --json", "stats", "status", "config validate")
    ]
    shown = {(record["outcome"], record["status"]): record["id"] for record in records}
    outputs += [_run(proxy.home, "show", record_id) for record_id in shown.values()]
    outputs.append(_run(proxy.home, "show", "--json", records[0]["id"]))
    run_files = [path.read_bytes() for path in (proxy.home / "run").iterdir()]
    assert run_files
    (proxy.home / "config.json").write_text('{"models": [{"apiKey": "' + KEY + '" oops')
    assert proxy.process is not None
    proxy.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "the old configuration stays" in proxy.output())
    outputs.append(_run(proxy.home, "config", "validate"))
    assert proxy.stop() == 0
    outputs += run_files
    for path in proxy.home.rglob("*"):
        if path.is_file() and path.name != "config.json":
            outputs.append(path.read_bytes())
    assert len(b"".join(outputs)) > 10_000
    for output in outputs:
        assert not _found(output), output[:2000]


def test_the_provider_gets_the_configured_credentials_and_no_other(
    provider: FakeProvider, proxy: Proxy
) -> None:
    """What goes out is exactly what the entry says: key, headers, query; nothing that the client sent."""
    _ask(proxy, "full", "plain", **{"x-org-key": CLIENT_ORG_KEY})
    _ask(proxy, "env", "plain")
    full, env = provider.requests
    names = [name.lower() for name, _ in full.headers]
    assert full.target == f"/v1/chat/completions?sig={QUERY}"
    assert full.header("authorization") == f"Bearer {KEY}"
    assert full.header("x-org-key") == HEADER
    assert full.header("x-env-key") == ENV_HEADER
    assert len(names) == len(set(names))
    assert env.target == "/v1/chat/completions"
    assert env.header("authorization") == f"Bearer {ENV_KEY}"
    assert _found(str(full.headers).encode()) == {
        value.encode() for value in (KEY, HEADER, ENV_HEADER)
    }
    assert _found(str(env.headers).encode()) == {ENV_KEY.encode()}
    assert "cookie" not in names
    assert "proxy-authorization" not in names


def test_an_echoed_key_reaches_the_client_but_not_the_record(
    provider: FakeProvider, proxy: Proxy
) -> None:
    """A provider's error that echoes the key is the client's, byte for byte; the record has `***` in its place."""
    status, body = _ask(proxy, "full", "401")
    assert status == 401
    assert body == bytes(provider.requests[0].sent)
    assert KEY.encode() in body
    record = proxy.record()
    assert record["status"] == 401
    assert record["response"]["error"]["code"] == "bad"
    assert "Bearer ***" in record["response"]["error"]["message"]


@pytest.mark.parametrize(
    "text",
    [
        '{"token": ["%s"], "models": []}',
        '{"models": [{"provider": "openai", "model": "m", "apiKey": ["%s"]}]}',
        '{"models": [{"provider": "openai", "model": "m", "apiKey": "%s\\n"}]}',
        '{"models": [{"provider": "openai", "model": "m", "headers": "%s"}]}',
        '{"models": [{"provider": "openai", "model": "m", "headers": {"x": "%s\\r\\n"}}]}',
        '{"models": [{"provider": "openai", "model": "m", "query": {"key": ["%s"]}}]}',
        '{"models": [{"provider": "openai", "model": "m", "apiBase": "http://u:%s@host/"}]}',
        '{"models": [{"provider": "openai", "model": "m", "apiBase": "http://host/?key=%s"}]}',
        '{"models": [{"provider": "opnai", "model": "m", "apiKey": "%s"}]}',
        '{"models": [{"provider": "openai", "model": "m", "apiKey": "%s",,}]}',
        '{"models": [{"provider": "openai", "model": "m", "apiKey": "%s}]}',
    ],
)
def test_a_broken_configuration_shows_no_key(tmp_path: Path, text: str) -> None:
    """However config.json is broken around a key, neither `config validate` nor the start shows it."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "config.json").write_text(text.replace("%s", KEY))
    assert not _found(_run(home, "config", "validate"))
    output = tmp_path / "output"
    with output.open("wb") as file:
        started = subprocess.Popen(
            [sys.executable, "-m", "dolphin_logger", "serve", "--port", "0", "--verbose"],
            env={**os.environ, "DOLPHIN_LOGGER_HOME": str(home)},
            stdout=file,
            stderr=file,
        )
    wait_for(lambda: started.poll() is not None or b"Ctrl-C stops" in output.read_bytes())
    started.terminate()
    started.wait(20)
    assert output.read_bytes()
    assert not _found(output.read_bytes())
