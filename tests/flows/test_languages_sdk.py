"""The official clients of the other wire languages: with the proxy as without it.

Each journey is made straight to the provider and through the proxy, synchronously and with asyncio.
What the client returns is equal; the provider sees its own path, key and model name; and the record
holds the answer as if it had not been streamed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import anthropic
import openai
import pytest
from google import genai

from tests.support import languages as said
from tests.support.clients import ask, ask_async, client_of, client_of_async, plain
from tests.support.pair import Pair
from tests.support.provider import Received, Script, answer

CALLERS_KEY = "key-of-the-caller"
USER = [{"role": "user", "content": "hi"}]
JSON_TYPE = [("content-type", "application/json")]


@pytest.fixture(scope="module")
def running_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Run one provider for every language, and a proxy with one model for each."""
    with said.running(tmp_path_factory.mktemp("home")) as pair:
        yield pair


# --- journeys


def perform(journey: Journey, base: str, key: str, model: str, *, is_async: bool) -> Any:
    """Make one journey to one place."""
    how, vendor = (journey.ask, model, journey.how, journey.final), journey.vendor

    async def run() -> Any:
        async with client_of_async(vendor, base, key) as client:
            return await ask_async(client, *how)

    if is_async:
        return asyncio.run(run())
    with client_of(vendor, base, key) as client:
        return ask(client, *how)


@dataclass
class Journey:
    """What a client does, what the provider sends, and what the record must say."""

    vendor: str
    dialect: str
    target: str
    script: Script
    ask: Callable[[Any, str], Any]
    response: Any
    usage: dict[str, int] = field(default_factory=dict)
    how: str = "call"
    final: str = ""
    stream: bool = False


def whole(value: Any) -> Script:
    """Answer plainly, with the white space and escapes of no particular writer."""
    return answer(json.dumps(value, indent=1, ensure_ascii=False).encode(), headers=JSON_TYPE)


def events_of(pieces: list[bytes], media_type: str = "text/event-stream") -> Script:
    """Answer with a stream."""
    return said.pieces_of(pieces, headers=[("content-type", media_type)])


MESSAGE_USAGE = {
    "input_tokens": 17,
    "output_tokens": 20,
    "cache_read_tokens": 4,
    "cache_write_tokens": 3,
}
RESPONSE_USAGE = {
    "input_tokens": 8,
    "output_tokens": 5,
    "cache_read_tokens": 2,
    "reasoning_tokens": 1,
}
CONTENT_USAGE = {"input_tokens": 6, "output_tokens": 6, "reasoning_tokens": 2}
OLLAMA_USAGE = {"input_tokens": 7, "output_tokens": 3}
COUNTED = {"input_tokens": 14}
GEMINI = "/v1/models/gemini-real-1:"


def message(client: Any, model: str, **more: Any) -> Any:
    """Ask for a message."""
    return client.messages.create(model=model, max_tokens=99, messages=USER, **more)


JOURNEYS = {
    "messages.create": Journey(
        "anthropic", "anthropic.messages", "/v1/messages", whole(said.MESSAGE), message,
        said.MESSAGE, MESSAGE_USAGE,
    ),
    "messages.create-stream": Journey(
        "anthropic", "anthropic.messages", "/v1/messages", events_of(said.message_events()),
        lambda client, model: message(client, model, stream=True),
        said.MESSAGE, MESSAGE_USAGE, how="each", stream=True,
    ),
    "messages.stream": Journey(
        "anthropic", "anthropic.messages", "/v1/messages", events_of(said.message_events()),
        lambda client, model: client.messages.stream(model=model, max_tokens=99, messages=USER),
        said.MESSAGE, MESSAGE_USAGE, how="helper", final="get_final_message", stream=True,
    ),
    "messages.count_tokens": Journey(
        "anthropic", "anthropic.messages", "/v1/messages/count_tokens", whole(COUNTED),
        lambda client, model: client.messages.count_tokens(model=model, messages=USER),
        COUNTED,  # a count is no consumption: no usage
    ),
    "generate_content": Journey(
        "google", "gemini", GEMINI + "generateContent", whole(said.CONTENT),
        lambda client, model: client.models.generate_content(model=model, contents="hi"),
        said.CONTENT, CONTENT_USAGE,
    ),
    "generate_content_stream": Journey(
        "google", "gemini", GEMINI + "streamGenerateContent?alt=sse",
        events_of(said.content_events()),
        lambda client, model: client.models.generate_content_stream(model=model, contents="hi"),
        said.CONTENT, CONTENT_USAGE, how="each", stream=True,
    ),
    "count_tokens": Journey(
        "google", "gemini", GEMINI + "countTokens", whole({"totalTokens": 3}),
        lambda client, model: client.models.count_tokens(model=model, contents="hi"),
        {"totalTokens": 3},
    ),
    "embed_content": Journey(
        "google", "gemini", GEMINI + "batchEmbedContents", whole(said.EMBEDDED),
        lambda client, model: client.models.embed_content(model=model, contents="hi"), said.EMBEDDED,
    ),
    "chat": Journey(
        "ollama", "ollama.chat", "/api/chat", whole(said.CHAT),
        lambda client, model: client.chat(model=model, messages=USER), said.CHAT, OLLAMA_USAGE,
    ),
    "chat-stream": Journey(
        "ollama", "ollama.chat", "/api/chat",
        events_of(said.ollama_lines(said.CHAT), "application/x-ndjson"),
        lambda client, model: client.chat(model=model, messages=USER, stream=True),
        said.CHAT, OLLAMA_USAGE, how="each", stream=True,
    ),
    "generate": Journey(
        "ollama", "ollama.generate", "/api/generate", whole(said.GENERATED),
        lambda client, model: client.generate(model=model, prompt="hi"),
        said.GENERATED, OLLAMA_USAGE,
    ),
    "generate-stream": Journey(
        "ollama", "ollama.generate", "/api/generate",
        events_of(said.ollama_lines(said.GENERATED), "application/x-ndjson"),
        lambda client, model: client.generate(model=model, prompt="hi", stream=True),
        said.GENERATED, OLLAMA_USAGE, how="each", stream=True,
    ),
    "embed": Journey(
        "ollama", "ollama.embed", "/api/embed", whole(said.OLLAMA_EMBEDDED),
        lambda client, model: client.embed(model=model, input="hi"),
        said.OLLAMA_EMBEDDED, {"input_tokens": 4},
    ),
    "show": Journey(
        "ollama", "opaque", "/api/show", whole(said.SHOWN),
        lambda client, model: client.show(model), said.SHOWN,
    ),
    "responses.create": Journey(
        "openai", "openai.responses", "/v1/responses", whole(said.RESPONSE),
        lambda client, model: client.responses.create(model=model, input="hi"),
        said.RESPONSE, RESPONSE_USAGE,
    ),
    "responses.create-stream": Journey(
        "openai", "openai.responses", "/v1/responses", events_of(said.response_events()),
        lambda client, model: client.responses.create(model=model, input="hi", stream=True),
        said.RESPONSE, RESPONSE_USAGE, how="each", stream=True,
    ),
    "responses.stream": Journey(
        "openai", "openai.responses", "/v1/responses", events_of(said.response_events()),
        lambda client, model: client.responses.stream(model=model, input="hi"),
        said.RESPONSE, RESPONSE_USAGE, how="helper", final="get_final_response", stream=True,
    ),
    "completions": Journey(
        "openai", "openai.completions", "/v1/completions", whole(said.COMPLETION),
        lambda client, model: client.completions.create(model=model, prompt="hi"),
        said.COMPLETION, {"input_tokens": 2, "output_tokens": 3},
    ),
    "completions-stream": Journey(
        "openai", "openai.completions", "/v1/completions", events_of(said.completion_events()),
        lambda client, model: client.completions.create(model=model, prompt="hi", stream=True),
        said.COMPLETION, {"input_tokens": 2, "output_tokens": 3}, how="each", stream=True,
    ),
    "embeddings": Journey(
        "openai", "openai.embeddings", "/v1/embeddings", whole(said.EMBEDDING),
        lambda client, model: client.embeddings.create(model=model, input="hi"),
        said.EMBEDDING, {"input_tokens": 2},
    ),
    "images": Journey(
        "openai", "openai.images", "/v1/images/generations", whole(said.IMAGES),
        lambda client, model: client.images.generate(model=model, prompt="hi"), said.IMAGES,
    ),
}  # fmt: skip


def check_request(journey: Journey, straight: Received, relayed: Received) -> None:
    """The provider sees the same request as from the client itself, with our key."""
    assert (relayed.method, relayed.target) == (straight.method, straight.target)
    assert relayed.target == journey.target
    assert relayed.json() == straight.json()
    name, value = said.KEYS[journey.vendor]
    assert relayed.header(name) == value
    assert CALLERS_KEY not in str(relayed.headers)
    for name in ("user-agent", "anthropic-version", "x-goog-api-client", "content-type"):
        assert relayed.header(name) == straight.header(name)


def check_record(pair: Pair, journey: Journey, straight: Received) -> None:
    """The record holds the request with our name, and the answer as if it were plain."""
    record = pair.record()
    alias = said.ALIASES[journey.vendor]
    ours = json.dumps(straight.json()).replace(said.real_name(journey.vendor), alias)
    assert record["request"] == json.loads(ours)
    assert (record["dialect"], record["stream"]) == (journey.dialect, journey.stream)
    assert record["path"] == journey.target.replace(said.real_name(journey.vendor), alias)
    assert (record["model"], record["provider"]) == (alias, journey.vendor)
    assert record["provider_model"] == said.real_name(journey.vendor)
    assert record["response"] == journey.response
    assert record["usage"] == {key: journey.usage.get(key) for key in record["usage"]}
    assert (record["status"], record["outcome"], record["error"]) == (200, "completed", None)
    assert "raw" not in record
    assert "provider_request" not in record
    assert CALLERS_KEY not in json.dumps(record)


@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", JOURNEYS)
def test_client_gets_the_same_through_the_proxy(pair: Pair, name: str, is_async: bool):
    """Path, key and model name are the provider's, the result is the same, the record is whole."""
    journey = JOURNEYS[name]
    pair.provider.script = journey.script
    key = said.KEYS[journey.vendor][1].removeprefix("Bearer ")
    origin, ours = (place.base.removesuffix("/v1") for place in (pair.provider, pair.proxy))
    real, alias = said.real_name(journey.vendor), said.ALIASES[journey.vendor]
    direct = perform(journey, origin, key, real, is_async=is_async)
    through = perform(journey, ours, CALLERS_KEY, alias, is_async=is_async)
    assert through == direct
    straight, relayed = pair.provider.requests
    check_request(journey, straight, relayed)
    check_record(pair, journey, straight)


# --- what has no model in its body


def test_audio_goes_through_as_a_form_and_is_kept_by_reference(pair: Pair):
    """A transcription's form reaches the provider with its model name and every byte of the file."""
    pair.provider.script = whole({"text": "good night"})
    sound = bytes(range(256)) * 300
    with openai.OpenAI(base_url=pair.proxy.base, api_key=CALLERS_KEY, max_retries=0) as client:
        got = client.audio.transcriptions.create(model="gpt", file=("a.wav", sound))
    assert got.text == "good night"
    (request,) = pair.provider.requests
    assert request.target == "/v1/audio/transcriptions"
    assert request.header("authorization") == said.KEYS["openai"][1]
    record = pair.record()
    form = pair.blob(record["request"])
    assert sound in form
    assert request.body in (form, form.replace(b"\r\ngpt\r\n", b"\r\ngpt-real-1\r\n"))
    assert b"\r\ngpt-real-1\r\n" in request.body
    assert (record["dialect"], record["model"], record["provider_model"]) == (
        "openai.audio", "gpt", "gpt-real-1",
    )  # fmt: skip
    assert (record["response"], record["outcome"]) == ({"text": "good night"}, "completed")


FOLLOW_UPS: dict[str, tuple[str, str, Any, Callable[[Any], Any]]] = {
    "retrieve": (
        "GET", "/v1/responses/resp_1", said.RESPONSE,
        lambda client: client.responses.retrieve("resp_1"),
    ),
    "cancel": (
        "POST", "/v1/responses/resp_1/cancel", said.RESPONSE | {"status": "cancelled"},
        lambda client: client.responses.cancel("resp_1"),
    ),
    "delete": (
        "DELETE", "/v1/responses/resp_1", {"id": "resp_1", "object": "response", "deleted": True},
        lambda client: client.responses.delete("resp_1"),
    ),
    "input_items": (
        "GET", "/v1/responses/resp_1/input_items",
        {"object": "list", "data": [said.ITEM], "has_more": False, "first_id": "msg_1", "last_id": "msg_1"},
        lambda client: list(client.responses.input_items.list("resp_1")),
    ),
}  # fmt: skip


@pytest.mark.parametrize("first", ["plain", "streamed"])
@pytest.mark.parametrize("name", FOLLOW_UPS)
def test_follow_up_goes_to_whoever_made_the_response(pair: Pair, name: str, first: str):
    """What is asked about a response by its id goes to its provider, with that key, and is recorded."""
    method, target, body, follow_up = FOLLOW_UPS[name]
    streamed = first == "streamed"
    pair.provider.script = JOURNEYS["responses.create" + "-stream" * streamed].script
    with openai.OpenAI(base_url=pair.proxy.base, api_key=CALLERS_KEY, max_retries=0) as client:
        made = client.responses.create(model="gpt", input="hi", stream=streamed)
        if streamed:
            list(made)
        pair.provider.script = whole(body)
        through = plain(follow_up(client))
    request = pair.provider.requests[-1]
    assert (request.method, request.target) == (method, target)
    assert request.header("authorization") == said.KEYS["openai"][1]
    with openai.OpenAI(base_url=pair.provider.base, api_key="x", max_retries=0) as client:
        assert through == plain(follow_up(client))
    straight = pair.provider.requests[-1]
    assert (straight.target, straight.body) == (target, request.body)
    _, record = pair.records(2)
    assert (record["dialect"], record["path"]) == ("openai.responses", target)
    assert (record["provider"], record["response"]) == ("openai", body)
    assert (record["outcome"], record["stream"]) == ("completed", False)


# --- model lists, which are ours


def test_every_client_lists_the_configured_models(pair: Pair):
    """Each vendor's `list` reads config.json in its own shape; the provider hears nothing."""
    ours = pair.proxy.base.removesuffix("/v1")
    names = list(said.ALIASES.values())
    with client_of("anthropic", ours, "k") as client:
        assert [model.id for model in client.models.list()][:4] == names
        assert client.models.retrieve("claude").display_name == "claude"
        with pytest.raises(anthropic.NotFoundError):
            client.models.retrieve("nobody")
    with client_of("google", ours, "k") as client:
        listed = [model.name for model in client.models.list()]
        assert listed[:4] == [f"models/{name}" for name in names]
        assert client.models.get(model="gemini").display_name == "gemini"
    with client_of("ollama", ours, "k") as client:
        assert [model.model for model in client.list().models][:4] == names
    assert not pair.provider.requests


def test_every_asynchronous_client_lists_the_configured_models(pair: Pair):
    """The same with asyncio."""
    ours = pair.proxy.base.removesuffix("/v1")

    async def read() -> list[list[str]]:
        async with (
            client_of_async("anthropic", ours, "k") as claude,
            client_of_async("google", ours, "k") as gemini,
            client_of_async("ollama", ours, "k") as llama,
        ):
            return [
                [model.id async for model in claude.models.list()],
                [model.model for model in (await llama.list()).models],
                [model.name async for model in await gemini.models.list()],
            ]

    plainly, tagged, prefixed = asyncio.run(read())
    assert plainly == tagged
    assert plainly[:4] == list(said.ALIASES.values())
    assert prefixed == [f"models/{name}" for name in plainly]


@pytest.mark.parametrize("version", ["v1", "v1beta"])
def test_gemini_is_served_under_both_versions(pair: Pair, version: str):
    """Whichever version a client writes into its paths, the provider gets that one."""
    pair.provider.script = whole(said.CONTENT)
    options = {"base_url": pair.proxy.base.removesuffix("/v1"), "api_version": version}
    with closing(genai.Client(api_key="k", http_options=options)) as client:
        got = client.models.generate_content(model="gemini", contents="hi")
        assert got.text == "Good night, wörld"
        assert [model.name for model in client.models.list()][2] == "models/gemini"
    (request,) = pair.provider.requests
    assert request.target == f"/{version}/models/gemini-real-1:generateContent"
    assert pair.record()["dialect"] == "gemini"
