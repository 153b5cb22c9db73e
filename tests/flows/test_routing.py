"""Which provider a request reaches: by name, by beginning, by prefix, by remembered id; or none."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest

from tests.support.http import RawClient, exchange, post
from tests.support.provider import FakeProvider, Received, Wire, answer, chat_answer
from tests.support.proxy import Proxy

JSON = {"content-type": "application/json"}
HI = {"messages": [{"role": "user", "content": "hi"}]}
FILE = b'{"id":"file-A1b2","object":"file","bytes":3}'
RESPONSE = {"id": "resp_77", "object": "response", "status": "completed", "output": []}


def models(one: str, two: str) -> dict[str, Any]:
    """Configure two providers of OpenAI's language and one of each other."""
    return {
        "models": [
            {"provider": "openai", "model": "gpt-*", "apiBase": one, "apiKey": "key-one"},
            {"provider": "openai", "model": "gpt-big-*", "apiBase": two, "apiKey": "key-two"},
            {"provider": "openai", "model": "gpt-big", "providerModel": "real", "apiBase": one},
            {"provider": "anthropic", "model": "claude-*", "apiBase": two, "apiKey": "key-claude"},
            {"provider": "google", "model": "gemini-*", "apiBase": two, "apiKey": "key-google"},
        ]
    }


class Two:
    """Two providers and one proxy in front of them."""

    def __init__(self, one: FakeProvider, two: FakeProvider, proxy: Proxy) -> None:
        self.one, self.two, self.proxy = one, two, proxy

    def post(self, path: str, body: Any = HI, **fields: str) -> int:
        return self.proxy.request("POST", path, orjson.dumps(body), {**JSON, **fields}).status

    def last_record(self) -> dict[str, Any]:
        return self.proxy.records(1)[-1]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    """Start them once."""
    home = tmp_path_factory.mktemp("home")
    with (
        FakeProvider() as one,
        FakeProvider() as two,
        Proxy(home, models(one.base, two.base)) as proxy,
    ):
        yield Two(one, two, proxy)
        assert "Traceback" not in proxy.output(), proxy.output()


@pytest.fixture
def two(running: Two) -> Two:
    """Nothing left of earlier tests."""
    for provider in (running.one, running.two):
        provider.requests.clear()
        provider.script = answer(chat_answer())
    return running


@pytest.mark.parametrize(
    ("name", "sent", "at", "key"),
    [
        ("gpt-5.5-mini", "gpt-5.5-mini", "one", "key-one"),
        ("gpt-big-2", "gpt-big-2", "two", "key-two"),
        ("gpt-big", "real", "one", None),
    ],
)
def test_the_longest_beginning_wins_and_the_name_goes_as_it_came(
    two: Two, name: str, sent: str, at: str, key: str | None
):
    """An entry that ends in a star passes the client's own name on, with its own key."""
    assert two.post("/v1/chat/completions", {"model": name, **HI}) == 200
    (request,) = getattr(two, at).requests
    assert request.body == orjson.dumps({"model": sent, **HI})
    assert request.header("authorization") == (key and f"Bearer {key}")
    record = two.last_record()
    assert (record["model"], record["provider_model"]) == (name, sent)
    assert len(two.one.requests + two.two.requests) == 1


def test_a_wildcard_in_a_path(two: Two):
    """A Gemini path names the model with its slashes; it goes on as it was named."""
    path = "/v1beta/models/gemini-3%2Fpro:generateContent"
    assert two.post(path, {"contents": []}) == 200
    (request,) = two.two.requests
    assert request.target == "/v1beta/models/gemini-3/pro:generateContent"
    assert two.last_record()["model"] == "gemini-3/pro"


@pytest.mark.parametrize("name", ["unknown", "gpt", "GPT-5", "*", "gpt-big\u0000"])
def test_no_key_is_chosen_by_guess(two: Two, name: str):
    """A name that no entry takes reaches nobody."""
    assert two.post("/v1/chat/completions", {"model": name, **HI}) == (
        404 if not name.endswith("\0") else 200
    )
    assert all(name.endswith("\0") for _ in two.one.requests)
    assert not two.two.requests


# --- requests without a model


def stream_of_response() -> list[bytes]:
    """Write RESPONSE as a stream."""
    created = {"type": "response.created", "sequence_number": 0}
    done = {"type": "response.completed", "sequence_number": 1}
    begun = RESPONSE | {"status": "in_progress"}
    return [
        b"event: response.created\ndata: %s\n\n" % orjson.dumps(created | {"response": begun}),
        b"event: response.completed\ndata: %s\n\n" % orjson.dumps(done | {"response": RESPONSE}),
    ]


@pytest.mark.parametrize("streamed", [False, True])
def test_a_responses_id_leads_back_to_its_provider(two: Two, streamed: bool):
    """What follows a response goes where it was made: read, list, cancel without a body, delete."""

    async def stream(request: Received, wire: Wire) -> None:
        await wire.head(200, [("content-type", "text/event-stream")])
        for event in stream_of_response():
            await wire.chunk(event.replace(b"resp_77", b"resp_88"))
        await wire.end()

    number = "88" if streamed else "77"
    two.two.script = stream if streamed else answer(orjson.dumps(RESPONSE))
    asked = {"model": "gpt-big-1", "input": "hi", "stream": streamed}
    assert two.post("/v1/responses", asked) == 200
    two.two.script = answer(orjson.dumps(RESPONSE))
    two.two.requests.clear()
    path = f"/v1/responses/resp_{number}"
    calls = [("GET", ""), ("GET", "/input_items"), ("POST", "/cancel"), ("DELETE", "")]
    for method, rest in calls:
        assert two.proxy.request(method, path + rest).status == 200, (method, rest)
    sent = [(r.method, r.target, r.body, r.header("authorization")) for r in two.two.requests]
    assert sent == [(method, path + rest, b"", "Bearer key-two") for method, rest in calls]
    assert not two.one.requests
    refused = two.proxy.request("GET", f"/v1/responses/resp_{number}9")
    assert refused.status == 400


def test_a_files_id_leads_back_to_its_provider(two: Two):
    """A file that was sent through an entry's prefix is found again without it."""
    two.two.script = answer(FILE)
    form = b'--b\r\ncontent-disposition: form-data; name="purpose"\r\n\r\nbatch\r\n--b--\r\n'
    fields = {"content-type": "multipart/form-data; boundary=b"}
    made = two.proxy.request("POST", "/p/gpt-big-*/v1/files", form, fields)
    assert (made.status, made.body) == (200, FILE)
    two.two.script = answer(b"a,b", headers=[("content-type", "text/csv")])
    got = two.proxy.request("GET", "/v1/files/file-A1b2/content")
    assert (got.status, got.body) == (200, b"a,b")
    assert [r.target for r in two.two.requests] == ["/v1/files", "/v1/files/file-A1b2/content"]
    assert two.proxy.request("GET", "/v1/files/file-other").status == 400


def test_a_prefix_names_the_entry(two: Two):
    """Whatever the body says; a prefix that is no entry's is 404."""
    assert two.proxy.request("GET", "/p/gpt-big-*/v1/files").status == 200
    assert two.proxy.request("GET", "/c/run/p/gpt-*/files").status == 200
    assert [r.target for r in two.two.requests + two.one.requests] == ["/v1/files", "/v1/files"]
    assert two.last_record()["client"]["tags"] == {"run": "run"}
    assert two.proxy.request("GET", "/p/nobody/v1/files").status == 404
    assert two.post("/p/gpt-big/v1/chat/completions", {"model": "whatever", **HI}) == 200
    assert two.one.requests[-1].json()["model"] == "real"


def test_without_model_prefix_or_id_nobody_is_asked(two: Two):
    """Two entries could be meant: 400, which names the cure."""
    for method, path in (("GET", "/v1/files"), ("GET", "/v1/batches"), ("DELETE", "/v1/files/x")):
        got = two.proxy.request(method, path)
        assert got.status == 400
        assert "/p/<model>/" in got.json()["error"]["message"]
        assert got.header("x-should-retry") == "false"
    assert not two.one.requests + two.two.requests


def test_the_only_entry_of_a_language_is_meant(
    provider: FakeProvider, start_proxy: Callable[..., Proxy]
):
    """With one provider of OpenAI's, files need no more than the path."""
    config = models(provider.base, provider.base)
    config["models"] = [config["models"][0], {"provider": "demo", "model": "demo"}]
    assert start_proxy(config).request("GET", "/v1/files?limit=2").status == 200
    (request,) = provider.requests
    assert (request.target, request.header("authorization")) == (
        "/v1/files?limit=2",
        "Bearer key-one",
    )


# --- paths that we do not know

BINARY = bytes(range(256)) * 4


@pytest.mark.parametrize(
    ("method", "path", "body", "media_type", "target"),
    [
        ("GET", "/p/gpt-*/v1/batches?limit=1", b"", None, "/v1/batches?limit=1"),
        ("POST", "/p/gpt-*/v1/batches", b'{"a": [1,  2.50]}', "application/json", "/v1/batches"),
        (
            "POST",
            "/v1/rerank",
            b'{"model": "gpt-x",  "query":"q"}',
            "application/json",
            "/v1/rerank",
        ),
        ("DELETE", "/p/gpt-*/v1/vector_stores/vs_9", b"", None, "/v1/vector_stores/vs_9"),
        ("POST", "/p/gpt-*/blobs/1", BINARY, "application/octet-stream", "/v1/blobs/1"),
        ("PUT", "/p/gpt-*/v1/parts/1", BINARY, "application/octet-stream", "/v1/parts/1"),
        ("GET", "/p/gpt-*/v1/models", b"", None, "/v1/models"),
        ("GET", "/p/gpt-*/v1x/y", b"", None, "/v1/v1x/y"),
    ],
)
def test_other_paths_pass_as_they_are(
    two: Two, method: str, path: str, body: bytes, media_type: str | None, target: str
):
    """Method, path, query and body arrive as sent, the answer comes back as sent, the record is opaque."""
    two.one.script = answer(BINARY, headers=[("content-type", "application/x-thing")])
    before = len(two.proxy.records())
    fields = {"content-type": media_type} if media_type else {}
    got = two.proxy.request(method, path, body or None, fields)
    assert (got.status, got.body) == (200, BINARY)
    assert got.header("content-type") == "application/x-thing"
    (request,) = two.one.requests
    assert (request.method, request.target, request.body) == (method, target, body)
    assert request.header("authorization") == "Bearer key-one"
    record = two.proxy.records(before + 1)[-1]
    assert (record["dialect"], record["outcome"]) == ("opaque", "completed")
    assert record["provider"] == "openai"
    if media_type == "application/json":
        assert record["request"] == json.loads(body)
    assert record["raw"]["response"]


def test_paths_that_lead_elsewhere_reach_nobody(two: Two):
    """No level up, and no other host: 404, and no provider hears of it."""
    for path in ("/v1/../admin", "/p/gpt-*/v1/%2e%2e/admin", "/p/gpt-*//evil.example/x"):
        assert (
            exchange(two.proxy, post(b"{}", "content-type: application/json", path=path)).status
            == 404
        )
    assert not two.one.requests + two.two.requests


def test_head_is_no_call(two: Two):
    """A HEAD for an unknown path is answered at once: its answer would have no body to wait for."""
    got = two.proxy.request("HEAD", "/p/gpt-*/v1/batches")
    assert got.status == 405
    assert not two.one.requests


# --- pages


def test_probes_are_answered(two: Two):
    """`HEAD /` and `GET /` say that somebody is here; neither is recorded."""
    before = len(two.proxy.records())
    assert (two.proxy.request("HEAD", "/").status, two.proxy.request("HEAD", "/").body) == (
        200,
        b"",
    )
    assert two.proxy.request("GET", "/").json()["status"] == "ok"
    assert two.proxy.request("HEAD", "/c/run/v1/models").status == 200
    assert len(two.proxy.records()) == before


@pytest.mark.parametrize("path", ["/models", "/v1/models", "/v1/v1/models", "/c/run/v1/models"])
def test_the_list_of_models_in_four_languages(two: Two, path: str):
    """Each vendor's client gets its own shape, a plain caller the original's."""
    names = [entry["model"] for entry in models("", "")["models"]]

    def ask(path: str, **fields: str) -> Any:
        return two.proxy.request("GET", path, headers=fields).json()

    plain = ask(path)
    assert plain["object"] == "list"
    assert [model["id"] for model in plain["data"]] == names
    assert set(plain["data"][0]) == {
        "id", "object", "created", "owned_by", "provider", "provider_model",
    }  # fmt: skip
    anthropic = ask(path, **{"anthropic-version": "2023-06-01"})
    assert [model["id"] for model in anthropic["data"]] == names
    assert {model["type"] for model in anthropic["data"]} == {"model"}
    assert (anthropic["first_id"], anthropic["last_id"]) == (names[0], names[-1])
    for gemini in (
        ask(path, **{"x-goog-api-key": "k"}),
        ask(path + "?key=k"),
        ask(path, **{"x-goog-api-client": "google-genai-sdk/3.4.0"}),
        ask("/v1beta/models"),
    ):
        assert [model["name"] for model in gemini["models"]] == [f"models/{name}" for name in names]
    ollama = ask("/api/tags")
    assert [model["model"] for model in ollama["models"]] == names
    assert ask("/v1/models/gpt-big")["id"] == "gpt-big"
    assert two.proxy.request("GET", "/v1/models/none").status == 404
    assert not two.one.requests + two.two.requests


@pytest.mark.parametrize("path", ["/v1/responses", "/responses", "/c/run/v1/responses"])
def test_a_websocket_is_told_to_upgrade_to_nothing(two: Two, path: str):
    """426 at once, so that Codex falls back, and the next connection serves."""
    head = (
        f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{{port}}\r\nconnection: Upgrade\r\n"
        "upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAA\r\n"
        "openai-beta: responses_websockets=2026-02-06\r\n\r\n"
    )
    with RawClient(two.proxy) as client:
        client.send(head.encode())
        got = client.read_answer()
    assert got.status == 426
    assert "WebSocket" in json.loads(got.body)["error"]["message"]
    assert two.post("/v1/chat/completions", {"model": "gpt-1", **HI}) == 200
