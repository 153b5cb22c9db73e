"""What real clients sent, replayed: relayed byte for byte, attributed, and translated for another model.

tests/traffic holds the requests of one run of each client, in which every text is ours; it is made by
tests/clients/keep_traffic.py. The answers come from a scripted model.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.provider import FakeProvider
from tests.support.proxy import Proxy
from tests.support.scripted.chat import Chat
from tests.support.scripted.gemini import Gemini
from tests.support.scripted.messages import Messages
from tests.support.scripted.model import Call, Say, ScriptedModel, Speech, Think, step
from tests.support.scripted.responses import Responses

TRAFFIC = Path(__file__).parents[1] / "traffic"
CLIENTS: dict[str, tuple[str, str, Speech, str]] = {  # provider, path of its base, speech, dialect
    "claude-code": ("anthropic", "", Messages(), "anthropic.messages"),
    "codex": ("openai", "/v1", Responses(), "openai.responses"),
    "codex-listed": ("openai", "/v1", Responses(), "openai.responses"),
    "gemini-cli": ("google", "/v1beta/openai", Gemini(), "gemini"),
    "opencode": ("openai", "/v1", Chat(), "openai.chat"),
}
ANSWER = step(Think("A file."), Say("I look at it, wörld."), Call("lookup", {"path": "a.txt"}))
RUN = "0123abcd"


def requests_of(client: str) -> list[dict[str, Any]]:
    """Read what a client sent, with its tools put back."""
    kept = json.loads((TRAFFIC / f"{client}.json").read_text())
    for request in kept["requests"]:
        body = request["body"]
        if "tools" in body:
            body["tools"] = kept["tools"][body["tools"]]
    return kept["requests"]


def written(request: dict[str, Any]) -> bytes:
    """Write a body as these clients do: without spaces, and letters as they are."""
    return json.dumps(request["body"], ensure_ascii=False, separators=(",", ":")).encode()


class Replay:
    """A proxy in front of a scripted model that gives every request the same answer."""

    def __init__(self, model: ScriptedModel, proxy: Proxy) -> None:
        self.model = model
        self.proxy = proxy

    def send(self, request: dict[str, Any]) -> tuple[int, bytes]:
        """Send one request as the client did, below the address of a run."""
        body = written(request)
        connection = http.client.HTTPConnection("127.0.0.1", self.proxy.port, timeout=20)
        try:
            connection.putrequest("POST", f"/c/{RUN}{request['path']}", skip_accept_encoding=True)
            for name, value in request["headers"]:
                connection.putheader(name, value)
            connection.putheader("content-length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


def replaying(home: Path, entry: dict[str, Any], path: str, speech: Speech) -> Iterator[Replay]:
    """Run model and proxy."""
    model = ScriptedModel(speech, {"": [ANSWER]})
    with FakeProvider(model) as provider:
        base = provider.base.removesuffix("/v1") + path
        config = {"models": [{"model": "*", "apiBase": base, "apiKey": "sk-replay"} | entry]}
        with Proxy(home, config) as proxy:
            yield Replay(model, proxy)
            assert "Traceback" not in proxy.output(), proxy.output()


@pytest.mark.parametrize("client", CLIENTS)
def test_what_a_client_sends_is_relayed_and_attributed(client: str, tmp_path: Path) -> None:
    """Body and fields reach the provider as sent, its bytes the client; each record says who asked."""
    provider, path, speech, dialect = CLIENTS[client]
    sent = requests_of(client)
    assert len(sent) > 5
    for replay in replaying(tmp_path, {"provider": provider}, path, speech):
        for index, request in enumerate(sent):
            status, answer = replay.send(request)
            assert status == 200
            received = replay.model.said[index].received
            assert answer == bytes(received.sent)
            assert received.body == written(request)
            there = [[name, value] for name, value in received.headers]
            assert [field for field in request["headers"] if field not in there] == []
        records = replay.proxy.records(len(sent))
        for request, said, record in zip(sent, replay.model.said, records, strict=True):
            assert record["dialect"] == dialect
            assert record["request"] == request["body"]
            assert record["response"] == said.plain
            expected = request["client"] | {"tags": {"run": RUN}}
            if client == "gemini-cli":
                expected["session"] = RUN
            assert record["client"] == expected


@pytest.mark.parametrize("client", [client for client in CLIENTS if client != "opencode"])
def test_what_a_client_sends_is_accepted_by_a_chat_model(client: str, tmp_path: Path) -> None:
    """Each request is understood, and the answer comes back in the client's language."""
    dialect = CLIENTS[client][3]
    sent = requests_of(client)
    entry = {"provider": "openai", "providerModel": "local-model", "dialect": "openai.chat"}
    for replay in replaying(tmp_path, entry, "/v1", Chat()):
        for request in sent:
            status, answer = replay.send(request)
            assert status == 200, answer[:500]
        records = replay.proxy.records(len(sent))
        for said, record in zip(replay.model.said, records, strict=True):
            assert record["dialect"] == dialect
            assert record["outcome"] == "completed"
            assert record["provider_request_id"] == said.request_id
            assert record["provider_response"] == said.plain
            assert said.asked.model == "local-model"
            assert read_answer(dialect, record["response"]) == (
                "I look at it, wörld.",
                ("lookup", {"path": "a.txt"}),
            )


def read_answer(dialect: str, response: dict[str, Any]) -> tuple[str, tuple[str, Any]]:
    """Read text and call out of an answer."""
    if dialect == "anthropic.messages":
        text = [block["text"] for block in response["content"] if block["type"] == "text"]
        calls = [block for block in response["content"] if block["type"] == "tool_use"]
        return "".join(text), (calls[0]["name"], calls[0]["input"])
    if dialect == "openai.responses":
        items = response["output"]
        parts = [part for item in items if item["type"] == "message" for part in item["content"]]
        calls = [item for item in items if item["type"] == "function_call"]
        arguments = json.loads(calls[0]["arguments"])
        return "".join(part["text"] for part in parts), (calls[0]["name"], arguments)
    parts = response["candidates"][0]["content"]["parts"]
    text = [part["text"] for part in parts if "text" in part and not part.get("thought")]
    calls = [part["functionCall"] for part in parts if "functionCall" in part]
    return "".join(text), (calls[0]["name"], calls[0]["args"])
