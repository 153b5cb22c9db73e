"""Providers that answer in another form than they were asked for, in every pair of languages.

They send JSON to a request for a stream, a stream under the wrong media type, an error under a good
status, or nothing. The client gets the same answer as otherwise, or an error with the provider's words.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.languages import MESSAGE, message_events
from tests.support.pair import Pair
from tests.support.provider import FakeProvider, Received, Script, Wire
from tests.support.proxy import Answer, Proxy

KEY = "sk-of-the-provider"
ENTRIES = {
    "openai.chat": {"provider": "openai", "apiBase": "{}/v1", "dialect": "openai.chat"},
    "anthropic.messages": {"provider": "anthropic", "apiBase": "{}"},
    "gemini": {"provider": "google", "apiBase": "{}/v1beta", "dialect": "gemini"},
}
CLIENTS = ("openai.chat", "anthropic.messages", "openai.responses", "gemini")
PAIRS = [(client, spoken) for client in CLIENTS for spoken in ENTRIES if client != spoken]
ENDS = {
    "openai.chat": b"[DONE]",
    "anthropic.messages": b"message_stop",
    "openai.responses": b"response.completed",
    "gemini": b'"finishReason":"STOP"',
}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "lamp", "arguments": '{"on":false}'},
}
COMPLETION: dict[str, Any] = {
    "id": "c1",
    "object": "chat.completion",
    "created": 7,
    "model": "real",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Good night, wörld", "tool_calls": [CALL]},
            "finish_reason": "tool_calls",
        }
    ],
    "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12},
}
CONTENT: dict[str, Any] = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [
                    {"text": "Good night, wörld"},
                    {"functionCall": {"name": "lamp", "args": {"on": False}}},
                ],
            },
            "finishReason": "STOP",
        }
    ],
    "responseId": "r1",
    "modelVersion": "real",
    "usageMetadata": {"promptTokenCount": 5, "candidatesTokenCount": 7, "totalTokenCount": 12},
}
WHOLE = {"openai.chat": COMPLETION, "anthropic.messages": MESSAGE, "gemini": CONTENT}
ERRORS = {
    "openai.chat": {"error": {"message": "out of cheese", "type": "server_error", "code": None}},
    "anthropic.messages": {
        "type": "error",
        "error": {"type": "overloaded_error", "message": "out of cheese"},
    },
    "gemini": {"error": {"code": 503, "message": "out of cheese", "status": "UNAVAILABLE"}},
}


@pytest.fixture(scope="module")
def running_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Run one provider of three languages and a proxy, which no key may leave."""
    with FakeProvider() as provider:
        origin = provider.base.removesuffix("/v1")
        models = [
            {**entry, "apiBase": entry["apiBase"].format(origin), "model": spoken, "apiKey": KEY}
            for spoken, entry in ENTRIES.items()
        ]
        brief = {"timeouts": {"firstByte": 0.6, "idle": 0.6}}
        models += [model | brief | {"model": f"brief-{model['model']}"} for model in models]
        with Proxy(tmp_path_factory.mktemp("home"), {"models": models}) as proxy:
            yield Pair(provider, proxy)
            assert "Traceback" not in proxy.output(), proxy.output()
            assert KEY not in proxy.output()


def says(body: Any, media_type: str | None) -> Script:
    """Answer with 200 and this body."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def script(request: Received, wire: Wire) -> None:
        await wire.head(200, [("content-type", media_type)] if media_type else [])
        if data:
            await wire.chunk(data)
        await wire.end()

    return script


def ask(pair: Pair, client: str, model: str, *, stream: bool) -> Answer:
    """Ask in a client's language."""
    said = [{"role": "user", "content": "hi"}]
    verb = "streamGenerateContent?alt=sse" if stream else "generateContent"
    path, body = {
        "openai.chat": ("/v1/chat/completions", {"messages": said}),
        "anthropic.messages": ("/v1/messages", {"messages": said, "max_tokens": 99}),
        "openai.responses": ("/v1/responses", {"input": "hi"}),
        "gemini": (f"/v1beta/models/{model}:{verb}", {"contents": {"parts": {"text": "hi"}}}),
    }[client]
    if client != "gemini":
        body |= {"model": model, "stream": stream}
    headers = {"content-type": "application/json"}
    return pair.proxy.request("POST", path, json.dumps(body).encode(), headers)


EVERY_PAIR = pytest.mark.parametrize(("client", "spoken"), PAIRS)
STREAMED = pytest.mark.parametrize("stream", [True, False], ids=["streamed", "plain"])


@STREAMED
@EVERY_PAIR
@pytest.mark.parametrize("media_type", ["application/json", "text/event-stream", None])
def test_json_in_the_place_of_a_stream(
    pair: Pair, client: str, spoken: str, media_type: str | None, stream: bool
) -> None:
    """Whatever its media type: the client gets it in the form that it asked for."""
    pair.provider.script = says(WHOLE[spoken], media_type)
    got = ask(pair, client, spoken, stream=stream)
    assert got.status == 200
    assert "Good night, wörld" in got.body.decode()
    assert b"lamp" in got.body
    if stream:
        assert ENDS[client] in got.body
    record = pair.record()
    assert record["outcome"] == "completed"
    assert record["provider_response"] == WHOLE[spoken]


@STREAMED
@EVERY_PAIR
def test_stream_under_another_media_type(
    pair: Pair, client: str, spoken: str, stream: bool
) -> None:
    """A server that calls its events JSON is understood all the same."""
    events = {
        "openai.chat": b"data: " + json.dumps(COMPLETION).encode() + b"\n\ndata: [DONE]\n\n",
        "anthropic.messages": b"".join(message_events()),
        "gemini": b"data: " + json.dumps(CONTENT).encode() + b"\r\n\r\n",
    }
    pair.provider.script = says(b"\xef\xbb\xbf\n" + events[spoken], "application/json")
    got = ask(pair, client, spoken, stream=stream)
    assert (got.status, " night, wörld" in got.body.decode()) == (200, True)
    assert pair.record()["outcome"] == "completed"


@STREAMED
@EVERY_PAIR
def test_error_under_a_good_status(pair: Pair, client: str, spoken: str, stream: bool) -> None:
    """It is an error for the client, in the provider's words, and no answer without content."""
    pair.provider.script = says(ERRORS[spoken], "application/json")
    got = ask(pair, client, spoken, stream=stream)
    assert got.status in (500, 502, 503)
    assert "out of cheese" in json.dumps(got.json())
    record = pair.record()
    assert (record["outcome"], record["error"]["message"]) == ("provider_error", "out of cheese")


@STREAMED
@EVERY_PAIR
@pytest.mark.parametrize(
    ("body", "word"), [(b"", "broke off"), (b"<html>cheese</html>", "neither a stream nor")]
)
def test_nothing_and_a_page_are_errors(
    pair: Pair, client: str, spoken: str, body: bytes, word: str, stream: bool
) -> None:
    """As long as nothing has been said the client gets a status that it can act upon."""
    pair.provider.script = says(body, "text/event-stream")
    got = ask(pair, client, spoken, stream=stream)
    assert got.status == 502
    assert word in json.dumps(got.json())
    assert pair.record()["outcome"] in ("provider_error", "provider_truncated")


@STREAMED
@pytest.mark.parametrize("spoken", ["anthropic.messages", "gemini"])
def test_empty_lines_say_that_a_provider_is_alive(pair: Pair, spoken: str, stream: bool) -> None:
    """Servers send them while a request waits its turn; together they may outlast every deadline."""

    async def script(request: Received, wire: Wire) -> None:
        await wire.head(200, [("content-type", "application/json")])
        for _ in range(6):
            await wire.chunk(b"\n")
            await asyncio.sleep(0.2)
        await wire.chunk(json.dumps(WHOLE[spoken]).encode())
        await wire.end()

    pair.provider.script = script
    got = ask(pair, "openai.chat", f"brief-{spoken}", stream=stream)
    assert (got.status, "Good night, wörld" in got.body.decode()) == (200, True)
    assert pair.record()["outcome"] == "completed"


def test_no_key_is_in_the_home(pair: Pair) -> None:
    """Whatever came back, keys stand in the configuration alone."""
    for path in pair.proxy.home.rglob("*"):
        if path.is_file() and path.name != "config.json":
            assert KEY.encode() not in path.read_bytes(), path
