"""What is recorded and what is not, and the configuration that decides it.

Suppression, pause and sampling leave nothing on disk; configuration changes without a restart; the
original's files, configuration and answers keep their shape.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.http import chat, exchange, post
from tests.support.pair import Pair
from tests.support.provider import FakeProvider, answer, chat_answer, chat_stream, stream
from tests.support.proxy import Answer, Proxy, one_model, wait_for

Start = Callable[..., Proxy]
JSON_TYPE = "content-type: application/json"
SECRET_WORD = "XYZZY-must-not-be-kept"
TASK = f"### Task:\nGenerate a title. {SECRET_WORD}"
HEALTHY = "Server is healthy, configuration loaded."
UNHEALTHY = "Server is running, but configuration might have issues (e.g., no models loaded)."


def user(content: Any, *before: dict[str, Any]) -> dict[str, Any]:
    """Write the messages of a request, the last one by the user."""
    return {"messages": [*before, {"role": "user", "content": content}]}


def everything_in(home: Path) -> bytes:
    """Give all bytes of the folders that hold what was said, names included."""
    found = b""
    for folder in ("logs", "blobs", "spool"):
        for path in sorted((home / folder).rglob("*")):
            found += str(path).encode() + (path.read_bytes() if path.is_file() else b"")
    return found


def ask(proxy: Proxy, *fields: str, **body: Any) -> int:
    """Ask for a completion; return the status."""
    return exchange(proxy, post(chat(**body), JSON_TYPE, *fields)).status


# --- suppression

SUPPRESSED: dict[str, tuple[list[str], dict[str, Any]]] = {
    "task": ([], user(TASK)),
    "task-after-a-system-message": ([], user(TASK, {"role": "system", "content": "You are kind"})),
    "task-in-the-first-text-part": (
        [],
        user(
            [{"type": "image_url", "image_url": {"url": "data:,"}}, {"type": "text", "text": TASK}]
        ),
    ),
    "task-streamed": ([], user(TASK) | {"stream": True}),
    "task-with-an-unknown-model": ([], user(TASK) | {"model": SECRET_WORD}),
    "large-task": ([], user(TASK + "x" * 9_000_000)),
    "x-no-log": (["X-No-Log: true"], user(SECRET_WORD)),
    "x-no-log-in-capitals": (["x-no-log: TRUE"], user(SECRET_WORD)),
    "x-no-log-with-an-unknown-model": (["x-no-log: true"], user("hi") | {"model": SECRET_WORD}),
}


@pytest.mark.parametrize("name", SUPPRESSED)
def test_suppressed_request_is_answered_and_leaves_nothing(pair: Pair, name: str):
    """The answer comes as ever; of the request and its answer nothing is on disk; it is counted."""
    fields, body = SUPPRESSED[name]
    before = pair.proxy.health()
    text = f"{SECRET_WORD} {'y' * 9_000_000 if name == 'large-task' else ''}"
    streamed = body.get("stream", False)
    pair.provider.script = stream(chat_stream(text)) if streamed else answer(chat_answer(text))
    assert ask(pair.proxy, *fields, **body) == (404 if "unknown" in name else 200)
    after = pair.proxy.health()
    assert after["suppressed"] == before["suppressed"] + 1
    assert after["records"] == before["records"]
    assert SECRET_WORD.encode() not in everything_in(pair.proxy.home)
    assert not list((pair.proxy.home / "blobs").glob("*"))
    if pair.provider.requests:
        assert pair.provider.requests[0].header("x-no-log") is None
    pair.check_good()


RECORDED: dict[str, tuple[list[str], dict[str, Any]]] = {
    "task-not-at-the-start": ([], user("please: ### Task:")),
    "task-in-the-second-user-message": ([], user("### Task:", {"role": "user", "content": "hi"})),
    "task-in-the-second-text-part": (
        [],
        user([{"type": "text", "text": "hi"}, {"type": "text", "text": "### Task:"}]),
    ),
    "task-by-the-system": ([], user("hi", {"role": "system", "content": "### Task:"})),
    "task-in-lower-case": ([], user("### task:")),
    "x-no-log-false": (["x-no-log: false"], user("hi")),
}


@pytest.mark.parametrize("name", RECORDED)
def test_what_only_looks_like_a_task_is_recorded(pair: Pair, name: str):
    """The preset takes the first user message's beginning, nothing else."""
    fields, body = RECORDED[name]
    assert ask(pair.proxy, *fields, **body) == 200
    assert pair.record()["request"]["messages"] == body["messages"]


RULES = [
    {"model": "quiet*"},
    {"client": "cron*", "path": "/v1/*"},
    {"header": "x-team: secret"},
    {"pattern": r"(?i)\bpassword\b"},
    {"prefix": "[private]"},
]
BY_RULE: dict[str, tuple[bool, list[str], dict[str, Any]]] = {
    "model": (False, [], {"model": "quiet-one"}),
    "client": (False, ["user-agent: cron/2 (x)"], {}),
    "header": (False, ["X-Team: Secret"], {}),
    "pattern": (False, [], user("my PASSWORD is")),
    "prefix": (False, [], user("[private] hi")),
    "preset-still": (False, [], user("### Task: x")),
    "none": (True, ["x-team: other", "user-agent: curl/8"], user("passwords")),
}


def test_rules_of_the_configuration_extend_the_presets(provider: FakeProvider, start_proxy: Start):
    """Each rule of `suppress` keeps its requests out; presets hold; the rest is recorded."""
    config = one_model(provider.base, suppress=RULES)
    config["models"].append(config["models"][0] | {"model": "quiet-one"})
    proxy = start_proxy(config)
    provider.script = answer(chat_answer())
    suppressed = 0
    for name, (recorded, fields, body) in BY_RULE.items():
        before = len(proxy.records())
        assert ask(proxy, *fields, **body) == 200
        suppressed += not recorded
        assert len(proxy.records()) == before + recorded, name
        assert proxy.health()["suppressed"] == suppressed, name


def test_sample_zero_records_nothing(provider: FakeProvider, start_proxy: Start):
    """`sample: 0` forwards everything and writes nothing."""
    proxy = start_proxy(one_model(provider.base, sample=0))
    provider.script = answer(chat_answer(SECRET_WORD))
    for _ in range(5):
        assert ask(proxy, **user(SECRET_WORD)) == 200
    assert proxy.health()["suppressed"] == 5
    assert SECRET_WORD.encode() not in everything_in(proxy.home)


def test_pause_stops_recording_until_resume(pair: Pair):
    """While the switch is there nothing is kept; /health says so; afterwards all is as before."""
    switch = pair.proxy.home / "run" / "paused"
    pair.check_good()
    assert pair.proxy.health()["recording"] == "on"
    before = pair.proxy.health()["suppressed"]
    switch.touch()
    try:
        pair.provider.script = answer(chat_answer(SECRET_WORD))
        assert ask(pair.proxy, **user(SECRET_WORD)) == 200
        assert exchange(pair.proxy, post(SECRET_WORD.encode(), JSON_TYPE)).status == 400
        health = pair.proxy.health()
        assert (health["recording"], health["suppressed"]) == ("paused", before + 2)
        assert SECRET_WORD.encode() not in everything_in(pair.proxy.home)
    finally:
        switch.unlink()
    pair.check_good()
    assert pair.proxy.health()["recording"] == "on"


def test_the_commands_pause_and_resume_are_that_switch(pair: Pair):
    """`dolphin-logger pause` and `resume` reach the running proxy."""
    for command, state in (("pause", "paused"), ("resume", "on")):
        run_command(pair.proxy.home, command)
        assert pair.proxy.health()["recording"] == state


# --- the files

V0 = b'{"request": {"model": "gpt4.1", "messages": [{"role": "user", "content": "old"}]}, "response": "answer"}\n'


def test_files_of_the_original_are_left_as_they_are(
    provider: FakeProvider, start_proxy: Start, tmp_path: Path
):
    """The original's log of today is neither appended to nor rewritten, even with a torn tail."""
    home = tmp_path / "home"
    (home / "logs").mkdir(parents=True)
    old = {
        home / "logs" / "4f9d3a52-8f1c-4a7e-9a3b-2f1d0c9b8a77.jsonl": V0 * 2,
        home / "logs" / "0b8e1f6c-7c1d-4d3e-8e0a-5a9c4b3d2e1f.jsonl": V0 + V0[:40],
    }
    for path, data in old.items():
        path.write_bytes(data)
    provider.script = answer(chat_answer())
    proxy = start_proxy(one_model(provider.base), home=home)
    assert ask(proxy) == 200
    wait_for(lambda: len(proxy.segments()) == 3, what="a segment of our own")
    assert {path: path.read_bytes() for path in old} == old
    (ours,) = set(proxy.segments()) - set(old)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.jsonl", ours.name
    )
    assert json.loads(ours.read_bytes())["v"] == 1


def test_files_are_their_owners_alone(provider: FakeProvider, tmp_path: Path):
    """Folders 0700 and files 0600, whatever the umask."""
    provider.script = answer(chat_answer("z" * 9_000_000))
    before = os.umask(0)
    try:
        with Proxy(tmp_path / "home", one_model(provider.base)) as proxy:
            assert ask(proxy) == 200
            proxy.records(1)
            places = [proxy.home / name for name in ("logs", "blobs", "run")]
            assert {path.stat().st_mode & 0o777 for path in places} == {0o700}
            files = [path for place in places for path in place.iterdir()]
            assert len(files) == 3
            assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    finally:
        os.umask(before)


# --- pages


def test_model_list_has_exactly_the_originals_shape(pair: Pair):
    """`/v1/models`, with and without `/v1`, and each model by itself."""
    models = [
        {
            "id": name,
            "object": "model",
            "created": 1686935002,
            "owned_by": "openai",
            "provider": "openai",
            "provider_model": there,
        }
        for name, there in (("m", "m"), ("alias", "the-real/model:1"))
    ]
    for path in ("/v1/models", "/models", "/v1/models/", "/v1/models?limit=1"):
        got = pair.proxy.request("GET", path)
        assert (got.status, got.json()) == (200, {"object": "list", "data": models})
        assert got.header("content-type") == "application/json"
        assert got.header("access-control-allow-origin") is None
    got = pair.proxy.request("GET", "/v1/models/alias")
    assert (got.status, got.json()) == (200, models[1])
    missing = pair.proxy.request("GET", "/v1/models/nobody")
    assert (missing.status, missing.json()["error"]["code"]) == (404, "model_not_found")


def test_health_begins_with_the_originals_keys(pair: Pair):
    """200 with the original's words; then our counts."""
    got = pair.proxy.request("GET", "/health")
    assert got.status == 200
    assert list(got.json().items())[:2] == [("status", "ok"), ("message", HEALTHY)]
    assert got.json()["models"] == 2


NO_MODEL: dict[str, dict[str, Any]] = {
    "none": {"models": []},
    "missing": {},
    "unusable": {"models": [{"provider": "opnai", "model": "m", "apiKey": "k"}]},
}


@pytest.mark.parametrize("name", NO_MODEL)
def test_without_a_usable_model_health_is_500_and_requests_get_the_cure(
    start_proxy: Start, name: str
):
    """The server runs, says what is wrong, and refuses calls with 4xx."""
    proxy = start_proxy(NO_MODEL[name])
    got = proxy.request("GET", "/health")
    assert got.status == 500
    assert list(got.json().items())[:2] == [("status", "error"), ("message", UNHEALTHY)]
    assert proxy.request("GET", "/v1/models").json() == {"object": "list", "data": []}
    refused = proxy.chat()
    assert refused.status == 404
    if name == "unusable":
        assert "did you mean" in got.json()["skipped"][0]["reason"]
        assert "opnai" in refused.json()["error"]["message"]
    assert proxy.record()["outcome"] == "refused"


# --- the configuration

ORIGINAL = {
    "models": [
        {
            "provider": "openai",
            "providerModel": "gpt-4.1",
            "model": "gpt4.1",
            "apiBase": "https://api.openai.com/v1",
            "apiKey": "your_openai_api_key_here",
        },
        {
            "provider": "anthropic",
            "providerModel": "claude-3-7-sonnet-latest",
            "model": "claude",
            "apiKey": "your_anthropic_api_key_here",
        },
        {
            "provider": "openai",
            "providerModel": "claude-3-7-sonnet-latest",
            "model": "claude-hyprlab",
            "apiBase": "https://api.hyprlab.io/private",
            "apiKey": "your_anthropic_api_key_here",
        },
        {
            "provider": "openai",
            "providerModel": "gemini-2.5-pro-preview-05-06",
            "model": "gemini",
            "apiBase": "https://generativelanguage.googleapis.com/v1beta/",
            "apiKey": "your_google_api_key_here",
        },
        {"provider": "ollama", "providerModel": "codestral:22b-v0.1-q5_K_M", "model": "codestral"},
        {"provider": "ollama", "providerModel": "dolphin3-24b", "model": "dolphin"},
    ],
    "huggingface_repo": "cognitivecomputations/dolphin-logger",
}


def test_configuration_of_the_original_loads_unchanged(start_proxy: Start):
    """Every model of the original's README is listed, and its file is not touched."""
    proxy = start_proxy(ORIGINAL)
    listed = proxy.request("GET", "/v1/models").json()["data"]
    assert [(model["id"], model["provider_model"]) for model in listed] == [
        (entry["model"], entry["providerModel"]) for entry in ORIGINAL["models"]
    ]
    health = proxy.request("GET", "/health")
    assert (health.status, health.json()["skipped"]) == (200, [])
    assert json.loads((proxy.home / "config.json").read_text()) == ORIGINAL


@pytest.mark.parametrize("ending", ["", "/"])
def test_address_is_the_base_and_the_path_with_or_without_a_slash(
    provider: FakeProvider, start_proxy: Start, ending: str
):
    """`apiBase` + `/chat/completions`, whatever the base's path."""
    provider.script = answer(chat_answer())
    base = provider.base.removesuffix("/v1") + "/private/v1beta" + ending
    proxy = start_proxy(one_model(base))
    for path in ("/v1/chat/completions", "/chat/completions", "/v1/chat/completions/"):
        assert (
            proxy.request("POST", path, chat(), {"content-type": "application/json"}).status == 200
        )
    assert {request.target for request in provider.requests} == {"/private/v1beta/chat/completions"}


def test_key_from_the_environment_is_sent(provider: FakeProvider, start_proxy: Start):
    """`ENV:NAME` takes the variable's value, which is found nowhere on disk."""
    provider.script = answer(chat_answer())
    config = one_model(provider.base, entry={"apiKey": "ENV:MY_TEST_KEY"})
    proxy = start_proxy(config, env={"MY_TEST_KEY": "sk-from-the-environment"})
    assert ask(proxy, "authorization: Bearer dummy") == 200
    assert provider.requests[0].header("authorization") == "Bearer sk-from-the-environment"
    proxy.record()
    assert b"sk-from-the-environment" not in everything_in(proxy.home)
    assert "sk-from-the-environment" not in proxy.output()


def test_missing_variable_is_a_warning_and_no_key(provider: FakeProvider, start_proxy: Start):
    """Without the variable the server starts, warns, and sends no credential, not even the client's."""
    body = b'{"error":{"message":"You didn\'t provide an API key"}}'
    provider.script = answer(body, status=401)
    config = one_model(provider.base, entry={"apiKey": "ENV:NO_SUCH_TEST_KEY"})
    proxy = start_proxy(config)
    got = exchange(proxy, post(chat(), JSON_TYPE, "authorization: Bearer the-clients"))
    assert (got.status, got.body) == (401, body)
    assert provider.requests[0].header("authorization") is None
    assert "NO_SUCH_TEST_KEY" in proxy.output()


# --- reloading


def models_of(proxy: Proxy) -> list[str]:
    """Name the models that are served."""
    return [model["id"] for model in proxy.request("GET", "/v1/models").json()["data"]]


@pytest.mark.parametrize("how", ["watched", "SIGHUP"])
def test_changed_configuration_is_served_without_a_restart(
    provider: FakeProvider, start_proxy: Start, how: str
):
    """A model that joins the file is served soon after; on SIGHUP too."""
    provider.script = answer(chat_answer())
    proxy = start_proxy(one_model(provider.base))
    assert proxy.chat(model="new").status == 404
    config = one_model(provider.base, entry={"model": "new", "apiKey": "sk-new"})
    proxy.configure(config)
    if how == "SIGHUP":
        os.kill(proxy.pid, signal.SIGHUP)
    wait_for(lambda: models_of(proxy) == ["new"], what="the new model")
    assert proxy.chat(model="new").status == 200
    assert provider.requests[0].header("authorization") == "Bearer sk-new"
    assert proxy.chat(model="m").status == 404
    assert [record["status"] for record in proxy.records(3)] == [404, 200, 404]


def test_broken_new_configuration_keeps_the_old_one_and_says_so(
    provider: FakeProvider, start_proxy: Start
):
    """A broken file changes nothing but /health; once repaired, the note goes."""
    provider.script = answer(chat_answer())
    proxy = start_proxy(one_model(provider.base))
    (proxy.home / "config.json").write_text('{"models": [')
    wait_for(lambda: proxy.health()["config_error"], what="the error")
    health = proxy.request("GET", "/health")
    assert (health.status, health.json()["status"]) == (200, "ok")
    assert "config.json" in health.json()["config_error"]
    assert proxy.chat().status == 200
    assert "the old configuration stays" in proxy.output()
    proxy.configure(one_model(provider.base, suppress=[{"model": "m"}]))
    wait_for(lambda: proxy.health()["config_error"] is None, what="the repair")
    assert proxy.chat().status == 200
    assert len(proxy.records(1)) == 1


def test_exchange_under_way_ends_by_the_configuration_it_began_with(
    provider: FakeProvider, start_proxy: Start
):
    """A reload in the middle of a stream neither breaks it nor changes its record."""
    import asyncio
    import threading

    go = threading.Event()

    async def script(request: Any, wire: Any) -> None:
        await wire.head(200, [("content-type", "text/event-stream")])
        await wire.chunk(chat_stream("x")[0])
        assert await asyncio.to_thread(go.wait, 20)
        for event in chat_stream("under way")[1:]:
            await wire.chunk(event)
        await wire.end()

    provider.script = script
    proxy = start_proxy(one_model(provider.base))
    answers: list[Answer] = []
    asking = threading.Thread(target=lambda: answers.append(proxy.chat(stream=True)))
    asking.start()
    wait_for(lambda: provider.requests)
    proxy.configure(one_model(provider.base, entry={"model": "new"}, sample=0))
    wait_for(lambda: models_of(proxy) == ["new"])
    go.set()
    asking.join(20)
    assert answers[0].body.endswith(b"data: [DONE]\n\n")
    record = proxy.record()
    assert (record["model"], record["outcome"]) == ("m", "completed")
    assert record["response"]["choices"][0]["message"]["content"] == "under way"


# --- the port


def run_command(home: Path, *arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    variables = {**os.environ, "DOLPHIN_LOGGER_HOME": str(home), **env}
    command = [sys.executable, "-m", "dolphin_logger", *arguments]
    return subprocess.run(
        command, env=variables, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize("how", ["option", "PORT", "DOLPHIN_LOGGER_PORT", "file"])
def test_port_that_is_taken_is_one_clear_line(pair: Pair, tmp_path: Path, how: str):
    """However the port was chosen: a message with the port and the cure, and an exit code."""
    port = str(pair.proxy.port)
    home = tmp_path / "second"
    home.mkdir()
    config = {"models": []} | ({"port": pair.proxy.port} if how == "file" else {})
    (home / "config.json").write_text(json.dumps(config))
    arguments = ["--port", port] if how == "option" else []
    env = {how: port} if how.endswith("PORT") else {}
    done = run_command(home, "serve", *arguments, **env)
    assert done.returncode == 1
    message = done.stderr.strip().splitlines()[-1]
    assert f"port {port} on 127.0.0.1 is taken" in message
    assert "--port" in message
    assert "Traceback" not in done.stderr
    pair.check_good()


def test_unreadable_configuration_stops_the_start(tmp_path: Path):
    """A file that is not JSON: exit 3, with the place in the file."""
    (tmp_path / "config.json").write_text('{\n  "models": [\n}')
    done = run_command(tmp_path, "serve", "--port", "0")
    assert done.returncode == 3
    assert "config.json" in done.stderr
    assert "3" in done.stderr
    assert "Traceback" not in done.stderr


def test_address_for_others_needs_a_token(tmp_path: Path):
    """Listening beyond this machine without a token is refused at the start."""
    (tmp_path / "config.json").write_text('{"models": []}')
    done = run_command(tmp_path, "serve", "--port", "0", "--host", "0.0.0.0")
    assert done.returncode == 3
    assert "token" in done.stderr
