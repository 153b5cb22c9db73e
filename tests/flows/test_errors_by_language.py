"""What goes wrong, in the language of whoever asked: every cause on every surface.

A table of surfaces and a table of causes. Each pair is one request over a plain socket: status,
shape of the body, whether a retry is advised against, our own field, and the record.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import anthropic
import ollama
import openai
import pytest
from google.genai import errors as gemini_errors

from tests.support import languages as said
from tests.support.clients import ask, client_of
from tests.support.http import RawAnswer, exchange, post
from tests.support.pair import Pair
from tests.support.provider import Received, Wire, answer, chat_stream

USER = [{"role": "user", "content": "hi"}]
JSON = "content-type: application/json"
LINES = [("content-type", "application/x-ndjson")]
OPENAI_TYPES = {400: "invalid_request_error", 404: "invalid_request_error", 415: "invalid_request_error"}  # fmt: skip
ANTHROPIC_TYPES = OPENAI_TYPES | {404: "not_found_error", 504: "timeout_error"}
GEMINI_STATUSES = {404: "NOT_FOUND", 502: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}


@pytest.fixture(scope="module")
def running_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Run one provider for every language, and a proxy with models of every temper."""
    with said.running(tmp_path_factory.mktemp("home")) as pair:
        yield pair


# --- the surfaces


def openai_error(value: Any, status: int) -> str:
    """Check OpenAI's shape."""
    error = value.pop("error")
    assert value == {}
    assert set(error) == {"message", "type", "param", "code"}
    assert error["type"] == OPENAI_TYPES.get(status, "api_error")
    return error["message"]


def anthropic_error(value: Any, status: int) -> str:
    """Check Anthropic's shape."""
    assert value["type"] == "error"
    assert set(value["error"]) == {"type", "message"}
    assert value["error"]["type"] == ANTHROPIC_TYPES.get(status, "api_error")
    return value["error"]["message"]


def gemini_error(value: Any, status: int) -> str:
    """Check Google's shape."""
    error = value.pop("error")
    assert value == {}
    assert set(error) == {"code", "message", "status"}
    assert error["code"] == status
    assert error["status"] == GEMINI_STATUSES.get(status, "INVALID_ARGUMENT")
    return error["message"]


def ollama_error(value: Any, status: int) -> str:
    """Check Ollama's shape."""
    assert set(value) == {"error"}
    assert isinstance(value["error"], str)
    return value["error"]


@dataclass(frozen=True)
class Surface:
    """One wire language: where it asks, how its errors look, and a part of a stream."""

    name: str
    dialect: str
    model: str
    path: str
    body: dict[str, Any]
    read: Callable[[Any, int], str]
    begin: list[bytes]
    headers: list[tuple[str, str]]
    event: Callable[[bytes], Any]

    def ask(
        self, pair: Pair, *fields: str, model: str = "", body: bytes | None = None
    ) -> RawAnswer:
        """Ask for a stream; `model` is a configured name or nobody's."""
        name = model or self.model
        if body is None:
            body = json.dumps(self.body | ({} if "{" in self.path else {"model": name})).encode()
        path = self.path.replace("{model}", name)
        return exchange(pair.proxy, post(body, JSON, *fields, path=path))


def data_of(event: bytes) -> Any:
    """Read the data of one event."""
    lines = [line for line in event.split(b"\n") if line.startswith(b"data: ")]
    assert len(lines) == 1
    return json.loads(lines[0][6:])


def named_error(event: bytes) -> Any:
    """Read an event that is called `error`."""
    assert event.startswith(b"event: error\n")
    return data_of(event)


def responses_error(event: bytes) -> Any:
    """Read the Responses API's error event; the SDK raises its `error` object."""
    value = named_error(event)
    assert (value["type"], value["message"]) == ("error", value["error"]["message"])
    return {"error": value["error"]}


SURFACES = [
    Surface(
        "chat", "openai.chat", "gpt", "/v1/chat/completions", {"messages": USER, "stream": True},
        openai_error, chat_stream("so", "far")[:-2], said.EVENT_STREAM, data_of,
    ),
    Surface(
        "responses", "openai.responses", "gpt", "/v1/responses", {"input": "hi", "stream": True},
        openai_error, said.response_events()[:5], said.EVENT_STREAM, responses_error,
    ),
    Surface(
        "messages", "anthropic.messages", "claude", "/v1/messages",
        {"messages": USER, "max_tokens": 9, "stream": True},
        anthropic_error, said.message_events()[:6], said.EVENT_STREAM, named_error,
    ),
    Surface(
        "gemini", "gemini", "gemini", "/v1beta/models/{model}:streamGenerateContent?alt=sse",
        {"contents": [{"parts": [{"text": "hi"}]}]},
        gemini_error, said.content_events()[:2], said.EVENT_STREAM, json.loads,
    ),
    Surface(
        "ollama", "ollama.chat", "llama", "/api/chat", {"messages": USER},
        ollama_error, said.ollama_lines(said.CHAT)[:2], LINES, json.loads,
    ),
]  # fmt: skip
EVERY_SURFACE = pytest.mark.parametrize("surface", SURFACES, ids=lambda surface: surface.name)


# --- the causes


@dataclass(frozen=True)
class Cause:
    """What is wrong, and what everybody is told."""

    ask: Callable[[Surface, Pair], RawAnswer]
    status: int
    kind: str
    words: str
    outcome: str


async def never(request: Received, wire: Wire) -> None:
    """Answer nothing."""
    await wire.until_client_leaves()


def ask_nobody(surface: Surface, pair: Pair) -> RawAnswer:
    """Ask a provider that is not there."""
    return surface.ask(pair, model=f"nobody-{surface.model}")


def ask_the_silent(surface: Surface, pair: Pair) -> RawAnswer:
    """Ask one that never answers."""
    pair.provider.script = never
    return surface.ask(pair, model=f"impatient-{surface.model}")


UNTRANSLATABLE = {  # to whom, and what their language cannot say
    "chat": ("claude", {"n": 2}),
    "responses": ("claude", {"previous_response_id": "resp_1"}),
    "messages": ("gpt", {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}),
    "gemini": ("gpt", {"generationConfig": {"candidateCount": 2}}),
}


def ask_the_impossible(surface: Surface, pair: Pair) -> RawAnswer:
    """Ask a provider for what its language cannot say."""
    model, asked = UNTRANSLATABLE[surface.name]
    named = {} if surface.name == "gemini" else {"model": model}
    return surface.ask(pair, model=model, body=json.dumps(surface.body | named | asked).encode())


CAUSES = {
    "unknown-model": Cause(
        lambda surface, pair: surface.ask(pair, model="mystery"),
        404, "unknown_model", "`mystery` does not exist", "refused",
    ),
    "no-json": Cause(
        lambda surface, pair: surface.ask(pair, body=b'{"model": "gpt",'),
        400, "bad_json", "JSON", "refused",
    ),
    "no-object": Cause(
        lambda surface, pair: surface.ask(pair, body=b"[1]"),
        400, "bad_json", "must be a JSON object", "refused",
    ),
    "no-utf8": Cause(
        lambda surface, pair: surface.ask(pair, body=b'{"model": "\xff"}'),
        400, "bad_json", "not UTF-8", "refused",
    ),
    "no-model": Cause(
        lambda surface, pair: surface.ask(pair, body=json.dumps(surface.body).encode()),
        400, "no_model", "model", "refused",
    ),
    "unknown-coding": Cause(
        lambda surface, pair: surface.ask(pair, "content-encoding: lzma"),
        415, "bad_encoding", "lzma", "refused",
    ),
    "corrupt-coding": Cause(
        lambda surface, pair: surface.ask(pair, "content-encoding: gzip"),
        400, "bad_encoding", "corrupt", "refused",
    ),
    "untranslatable": Cause(ask_the_impossible, 400, "untranslatable", "", "refused"),
    "stranger": Cause(
        lambda surface, pair: surface.ask(pair, model="claude"),
        404, "unknown_model", "does not speak", "refused",
    ),
    "nobody": Cause(ask_nobody, 502, "connect", "", "provider_error"),
    "silence": Cause(ask_the_silent, 504, "first_byte", "0.5 s", "timeout"),
}  # fmt: skip
IMPOSSIBLE = {  # a path names Gemini's model; nobody's language is foreign to all but Ollama's
    ("gemini", "no-model"),
    ("ollama", "untranslatable"),
    *((surface.name, "stranger") for surface in SURFACES if surface.name != "ollama"),
}


@pytest.mark.parametrize(
    ("surface", "name"),
    [
        pytest.param(surface, name, id=f"{surface.name}-{name}")
        for surface in SURFACES
        for name in CAUSES
        if (surface.name, name) not in IMPOSSIBLE
    ],
)
def test_every_cause_is_told_in_the_callers_language(pair: Pair, surface: Surface, name: str):
    """Status, shape, words, our own field, advice on retries, and exactly one record."""
    cause = CAUSES[name]
    got = cause.ask(surface, pair)
    assert got.complete
    assert got.status == cause.status
    assert got.all("content-type") == ["application/json"]
    assert got.all("x-dolphin-error") == [cause.kind]
    assert got.all("x-should-retry") == (["false"] if cause.status < 500 else [])
    message = surface.read(json.loads(got.body), cause.status)
    assert cause.words in message
    if cause.status < 500:
        assert not pair.provider.requests
    record = pair.record()
    assert got.all("x-dolphin-id") == [record["id"]]
    assert (record["dialect"], record["status"]) == (surface.dialect, cause.status)
    assert (record["outcome"], record["error"]["kind"]) == (cause.outcome, cause.kind)
    assert record["error"]["message"] == message


@EVERY_SURFACE
@pytest.mark.parametrize("status", [400, 401, 429, 503, 529])
def test_providers_own_error_stays_as_it_is(pair: Pair, surface: Surface, status: int):
    """The same status, bytes and type, its wait and ids; nothing of ours is claimed."""
    body = b'{"error" :{"message":"said by the provider", "detail":1.0}}\n'
    headers = [
        ("content-type", "application/json; charset=UTF-8"),
        ("retry-after", "3"),
        ("x-should-retry", "true"),
        ("request-id", "req_7"),
    ]
    pair.provider.script = answer(body, status=status, headers=headers)
    got = surface.ask(pair)
    assert (got.status, got.body) == (status, body)
    for name, value in headers:
        assert got.all(name) == [value]
    assert got.all("x-dolphin-error") == []
    record = pair.record()
    assert record["response"] == json.loads(body)
    assert (record["outcome"], record["status"]) == ("provider_error", status)
    assert (record["error"]["kind"], record["error"]["at"]) == ("http", "provider")
    assert record["provider_request_id"] == "req_7"


@EVERY_SURFACE
def test_break_between_events_adds_an_error_and_breaks(pair: Pair, surface: Surface):
    """What came is passed on, an error event of the language follows, and the end is no end."""
    pair.provider.script = said.broken_after(surface.begin, headers=surface.headers)
    got = surface.ask(pair)
    sent = b"".join(surface.begin)
    assert not got.complete
    assert (got.status, got.body[: len(sent)]) == (200, sent)
    message = surface.read(surface.event(got.body[len(sent) :]), 502)
    record = pair.record()
    assert (record["outcome"], record["error"]["kind"]) == ("provider_truncated", "truncated")
    assert record["error"]["message"] == message
    assert record["response"] is not None
    assert record["raw"]["response"]


@EVERY_SURFACE
def test_break_within_an_event_only_breaks(pair: Pair, surface: Surface):
    """Into the middle of an event nothing is written: the client gets the provider's bytes alone."""
    sent = b"".join(surface.begin)[:-9]
    pair.provider.script = said.broken_after([sent], headers=surface.headers)
    got = surface.ask(pair)
    assert not got.complete
    assert (got.status, got.body) == (200, sent)
    assert pair.record()["outcome"] == "provider_truncated"


def test_break_of_lines_that_nobody_understands_only_breaks(pair: Pair):
    """Lines of a path that is passed through get no event of another language behind them."""
    sent = b'{"status":"pulling manifest"}\n'
    pair.provider.script = said.broken_after([sent], headers=LINES)
    got = exchange(pair.proxy, post(b'{"model":"llama"}', JSON, path="/api/pull"))
    assert not got.complete
    assert (got.status, got.body) == (200, sent)
    assert pair.record()["outcome"] == "provider_truncated"


# --- what the official clients make of it

CALLS: dict[str, tuple[str, Callable[[Any, str], Any]]] = {
    "chat": ("openai", lambda c, m: c.chat.completions.create(model=m, messages=USER, stream=True)),
    "responses": ("openai", lambda c, m: c.responses.create(model=m, input="hi", stream=True)),
    "messages": (
        "anthropic",
        lambda c, m: c.messages.create(model=m, messages=USER, max_tokens=9, stream=True),
    ),
    "gemini": ("google", lambda c, m: c.models.generate_content_stream(model=m, contents="hi")),
    "ollama": ("ollama", lambda c, m: c.chat(model=m, messages=USER, stream=True)),
}
RAISED: dict[str, dict[str, Any]] = {
    "openai": {
        "mystery": openai.NotFoundError,
        "nobody": openai.InternalServerError,
        "impatient": openai.InternalServerError,
        "broken": openai.APIError,
    },
    "anthropic": {
        "mystery": anthropic.NotFoundError,
        "nobody": anthropic.InternalServerError,
        "impatient": anthropic.DeadlineExceededError,
        "broken": anthropic.APIStatusError,
    },
    "google": {
        "mystery": gemini_errors.ClientError,
        "nobody": gemini_errors.ServerError,
        "impatient": gemini_errors.ServerError,
        "broken": gemini_errors.ServerError,
    },
    "ollama": dict.fromkeys(("mystery", "nobody", "impatient", "broken"), ollama.ResponseError),
}


@EVERY_SURFACE
@pytest.mark.parametrize("temper", ["mystery", "nobody", "impatient", "broken"])
def test_official_client_raises_its_own_error(pair: Pair, surface: Surface, temper: str):
    """Each SDK understands what we say: its own class, our words."""
    vendor, call = CALLS[surface.name]
    pair.provider.script = never
    model = f"{temper}-{surface.model}"
    if temper == "broken":
        pair.provider.script = said.broken_after(surface.begin, headers=surface.headers)
        model = surface.model
    with (
        client_of(vendor, pair.proxy.base.removesuffix("/v1"), "k") as client,
        pytest.raises(RAISED[vendor][temper]) as caught,
    ):
        ask(client, call, model, "each")
    assert type(caught.value) is RAISED[vendor][temper]
    assert pair.record()["error"]["message"] in str(caught.value)
