"""Clients of chat completions whose model is Claude: translated there and back, and both recorded.

The client is OpenAI's official one, the provider a fake that speaks the Messages API. What the client
gets is written out here by hand, so that a translation that is wrong both ways does not look right.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from tests.support import languages as said
from tests.support.http import CHAT
from tests.support.pair import Pair
from tests.support.provider import Received, answer

USER = [{"role": "user", "content": "hi"}]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TOOL = {
    "type": "function",
    "function": {"name": "lamp", "parameters": {"type": "object", "properties": {}}},
}
LIMITS = [
    ("request-id", "req_anthropic_1"),
    ("anthropic-ratelimit-requests-remaining", "41"),
    ("set-cookie", "a=b"),
]
CALL = {
    "id": "toolu_1",
    "type": "function",
    "function": {"name": "lamp", "arguments": '{"on": false, "room": "a"}'},
}
THOUGHT, TEXT, _ = said.MESSAGE["content"]
USAGE = {
    "input_tokens": 17,
    "output_tokens": 20,
    "cache_read_tokens": 4,
    "cache_write_tokens": 3,
    "reasoning_tokens": None,
}


@pytest.fixture(scope="module")
def running_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Run one provider for every language, and a proxy with one model for each."""
    with said.running(tmp_path_factory.mktemp("home")) as pair:
        yield pair


@pytest.fixture
def client(pair: Pair) -> Iterator[OpenAI]:
    """Open OpenAI's client, which retries nothing."""
    pair.provider.script = ANSWER
    with OpenAI(base_url=pair.proxy.base, api_key="key-of-the-caller", max_retries=0) as client:
        yield client


ANSWER = said.pieces_of(said.message_events(), headers=[*said.EVENT_STREAM, *LIMITS])


def check_message(message: Any) -> None:
    """The client has every part of the answer."""
    assert message.content == TEXT["text"]
    assert message.reasoning_content == THOUGHT["thinking"]
    (thought,) = message.thinking_blocks
    assert {key: thought[key] for key in THOUGHT} == THOUGHT
    (call,) = message.tool_calls
    assert (call.id, call.function.name) == ("toolu_1", "lamp")
    assert json.loads(call.function.arguments) == {"on": False, "room": "a"}


def check_record(record: dict[str, Any], received: Received, *, stream: bool) -> None:
    """The record has both sides of the translation."""
    assert (record["dialect"], record["path"], record["stream"]) == ("openai.chat", CHAT, stream)
    assert (record["model"], record["provider"]) == ("claude", "anthropic")
    assert record["provider_model"] == "claude-real-1"
    assert (record["status"], record["outcome"], record["error"]) == (200, "completed", None)
    assert record["provider_request"] == received.json()
    assert record["provider_response"] == said.MESSAGE
    assert record["usage"] == USAGE
    assert record["provider_request_id"] == "req_anthropic_1"
    assert record["response"]["object"] == "chat.completion"
    choice = record["response"]["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] == TEXT["text"]
    (call,) = choice["message"]["tool_calls"]
    assert json.loads(call["function"]["arguments"]) == {"on": False, "room": "a"}
    assert "key-of-the-caller" not in json.dumps(record)


# --- good answers


@pytest.mark.parametrize("model", ["claude", "claude-v1"])
def test_request_is_sent_by_the_official_sdk(pair: Pair, client: OpenAI, model: str):
    """Whether `apiBase` ends in /v1 or not: one path, our key, the old version, the SDK's name."""
    client.chat.completions.create(model=model, messages=USER, temperature=0.5)
    (request,) = pair.provider.requests
    assert (request.method, request.target) == ("POST", "/v1/messages")
    assert (request.header("user-agent") or "").startswith("AsyncAnthropic/Python")
    assert request.header("anthropic-version") == "2023-06-01"
    assert request.header("x-api-key") == "sk-anthropic"
    assert request.header("authorization") is None
    assert request.header("host") == f"127.0.0.1:{pair.provider.port}"
    names = [name.lower() for name, _ in request.headers]
    assert len(names) == len(set(names))
    assert request.json() == {
        "model": "claude-real-1",
        "messages": USER,
        "max_tokens": 8192,
        "temperature": 0.5,
        "stream": True,
    }


def test_plain_answer_is_aggregated(pair: Pair, client: OpenAI):
    """A client that asked for no stream gets one whole answer, and limits by the names it knows."""
    raw = client.chat.completions.with_raw_response.create(model="claude", messages=USER)
    assert raw.headers["x-request-id"] == "req_anthropic_1"
    assert raw.headers["x-ratelimit-remaining-requests"] == "41"
    assert "set-cookie" not in raw.headers
    got = raw.parse()
    check_message(got.choices[0].message)
    assert (got.id, got.model, got.object) == ("msg_1", "claude-real-1", "chat.completion")
    assert got.choices[0].finish_reason == "tool_calls"
    assert (got.usage.prompt_tokens, got.usage.completion_tokens) == (17, 20)
    assert got.usage.prompt_tokens_details.cached_tokens == 4
    record = pair.record()
    check_record(record, pair.provider.requests[0], stream=False)
    assert record["response"] == json.loads(raw.content)
    assert record["translation"] == {"to": "anthropic.messages", "dropped": [], "changed": []}


def test_stream_is_the_same_answer(pair: Pair, client: OpenAI):
    """Chunks have one id and model, end with a reason and the counts that were asked for."""
    options = {"include_usage": True}
    with client.chat.completions.create(
        model="claude", messages=USER, stream=True, stream_options=options
    ) as events:
        chunks = list(events)
    assert {(chunk.id, chunk.model) for chunk in chunks} == {("msg_1", "claude-real-1")}
    *deltas, counts = chunks
    said_ = [chunk.choices[0].delta for chunk in deltas]
    assert "".join(delta.content or "" for delta in said_) == TEXT["text"]
    assert deltas[-1].choices[0].finish_reason == "tool_calls"
    assert (counts.choices, counts.usage.total_tokens) == ([], 37)
    streamed = pair.record()
    check_record(streamed, pair.provider.requests[0], stream=True)
    client.chat.completions.create(model="claude", messages=USER)
    plain = pair.record()["response"]
    assert plain["choices"][0]["message"].pop("refusal") is None  # which no chunk needs to say
    assert streamed["response"] | {"created": 0} == plain | {"created": 0}


def test_helper_accumulates_the_stream(pair: Pair, client: OpenAI):
    """`.stream()` accepts every chunk, and its final completion has every part."""
    with client.chat.completions.stream(model="claude", messages=USER, tools=[TOOL]) as events:
        kinds = {event.type for event in events}
        final = events.get_final_completion()
    assert {"content.delta", "content.done", "tool_calls.function.arguments.done"} <= kinds
    check_message(final.choices[0].message)
    check_record(pair.record(), pair.provider.requests[0], stream=True)


def test_asynchronous_clients_at_once(pair: Pair):
    """Ten streams at a time are ten whole answers and ten records."""
    pair.provider.script = ANSWER

    async def ask(client: AsyncOpenAI, number: int) -> str:
        text = [{"role": "user", "content": str(number)}]
        async with client.chat.completions.stream(model="claude", messages=text) as events:
            final = await events.get_final_completion()
        return final.choices[0].message.content

    async def ask_all() -> list[str]:
        async with AsyncOpenAI(base_url=pair.proxy.base, api_key="k", max_retries=0) as client:
            return await asyncio.gather(*(ask(client, number) for number in range(10)))

    assert asyncio.run(ask_all()) == [TEXT["text"]] * 10
    numbers = {record["request"]["messages"][0]["content"] for record in pair.records(10)}
    assert numbers == {str(number) for number in range(10)}


def test_second_turn_carries_thoughts_calls_and_results(pair: Pair, client: OpenAI):
    """What the client sends back of an answer is what the provider said, signature and all."""
    first = client.chat.completions.create(model="claude", messages=USER, tools=[TOOL])
    said_ = first.choices[0].message.model_dump(exclude_none=True)
    result = {"role": "tool", "tool_call_id": "toolu_1", "content": "it is dark"}
    more = {"role": "user", "content": "thanks"}
    client.chat.completions.create(
        model="claude", messages=[*USER, said_, result, more], tools=[TOOL]
    )
    body = pair.provider.requests[1].json()
    assert body["messages"][1] == {"role": "assistant", "content": said.MESSAGE["content"]}
    assert body["messages"][2]["role"] == "user"
    results, thanks = body["messages"][2]["content"]
    assert (results["type"], results["tool_use_id"]) == ("tool_result", "toolu_1")
    assert thanks == {"type": "text", "text": "thanks"}
    assert body["tools"][0]["name"] == "lamp"
    _, record = pair.records(2)
    assert record["provider_request"] == body
    assert record["translation"]["dropped"] == []


def test_images_and_what_is_lost_is_named(pair: Pair, client: OpenAI):
    """Images go in the provider's form; an option without a counterpart is named in the record."""
    parts = [
        {"type": "text", "text": "what is it?"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
        {"type": "image_url", "image_url": {"url": "https://images.invalid/a.png"}},
    ]
    client.chat.completions.create(
        model="claude", messages=[{"role": "user", "content": parts}], seed=7, temperature=1.5
    )
    body = pair.provider.requests[0].json()
    assert [block.get("source") for block in body["messages"][0]["content"][1:]] == [
        {"type": "base64", "media_type": "image/png", "data": PIXEL},
        {"type": "url", "url": "https://images.invalid/a.png"},
    ]
    assert (body["temperature"], "seed" in body) == (1.0, False)
    translation = pair.record()["translation"]
    assert translation["dropped"] == ["seed"]
    assert [path.partition(" ")[0] for path in translation["changed"]] == ["temperature"]


# --- refusals and errors


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"n": 2}, "n"),
        ({"tools": [{"type": "custom", "custom": {"name": "x"}}]}, "tools"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}]}]}, "messages"),
        ({"messages": [{"role": "nobody", "content": ""}]}, "messages"),
    ],
)  # fmt: skip
def test_what_cannot_be_said_is_refused_by_its_key(
    pair: Pair, client: OpenAI, options: dict[str, Any], param: str
):
    """400 that names the key, no request to the provider, and a record."""
    with pytest.raises(openai.BadRequestError) as caught:
        client.chat.completions.create(**({"model": "claude", "messages": USER} | options))
    assert (caught.value.param or "").startswith(param)
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert caught.value.response.headers["x-dolphin-error"] == "untranslatable"
    assert not pair.provider.requests
    record = pair.record()
    assert (record["outcome"], record["status"]) == ("refused", 400)


ERRORS: list[tuple[int, str, type[openai.APIStatusError], str, str | None]] = [
    (400, "invalid_request_error", openai.BadRequestError, "invalid_request_error", None),
    (401, "authentication_error", openai.AuthenticationError, "invalid_request_error", "invalid_api_key"),
    (404, "not_found_error", openai.NotFoundError, "invalid_request_error", "not_found"),
    (429, "rate_limit_error", openai.RateLimitError, "rate_limit_error", "rate_limit_exceeded"),
    (500, "api_error", openai.InternalServerError, "api_error", None),
    (529, "overloaded_error", openai.InternalServerError, "api_error", "overloaded_error"),
]  # fmt: skip


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize(("status", "kind", "wanted", "type_", "code"), ERRORS)
def test_provider_error_comes_back_in_openais_shape(
    pair: Pair, client: OpenAI, status: int, kind: str, wanted: type, type_: str, code: str, stream: bool
):  # fmt: skip
    """The same status, the message verbatim, the wait that was asked for, the original in the record."""
    message = f'no "way": {status} \u2028 ü'
    body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_1"}
    headers = [("content-type", "application/json"), ("retry-after", "7"), ("request-id", "req_1")]
    pair.provider.script = answer(json.dumps(body).encode(), status=status, headers=headers)
    with pytest.raises(wanted) as caught:
        client.chat.completions.create(model="claude", messages=USER, stream=stream)
    error = caught.value
    assert isinstance(error, openai.APIStatusError)
    assert error.status_code == status
    assert (error.body["message"], error.type, error.code) == (message, type_, code)
    assert error.body["upstream"] == body
    assert error.response.headers["retry-after"] == "7"
    assert error.request_id == "req_1"
    assert len(pair.provider.requests) == 1
    record = pair.record()
    assert (record["outcome"], record["status"]) == ("provider_error", status)
    assert (record["error"]["kind"], record["error"]["at"]) == ("http", "provider")
    assert record["provider_response"] == body
    assert record["response"]["error"]["message"] == message
    assert record["provider_request"]["model"] == "claude-real-1"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_nobody_there_is_502(pair: Pair, client: OpenAI, stream: bool):
    """A refused connection is an error of the provider's, in OpenAI's shape, and recorded."""
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="nobody-claude", messages=USER, stream=stream)
    assert (caught.value.status_code, caught.value.type) == (502, "api_error")
    record = pair.record()
    assert (record["outcome"], record["error"]["kind"]) == ("provider_error", "connect")
    assert record["provider_request"]["model"] == "claude-real-1"
    assert record["response"] is None


@pytest.mark.parametrize(
    "body", [b"", b"no", b"<html>no</html>", b'{"id": 1}', b"data: [DONE]\n\n"]
)
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_answer_that_is_no_message_is_an_error(
    pair: Pair, client: OpenAI, body: bytes, stream: bool
):
    """200 with something else is never a complete answer."""
    pair.provider.script = answer(body, headers=[("content-type", "text/event-stream")])
    with pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="claude", messages=USER, stream=stream))
    record = pair.record()
    assert record["outcome"] in ("provider_error", "provider_truncated")
    assert record["error"]["at"] == "provider"
