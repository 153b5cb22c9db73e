"""The clients that people use: what they get through the proxy is what they get without it.

Each journey is made twice, straight to the provider and through the proxy; then the record is held
against what was asked and answered.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import openai
import orjson
import pytest
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

from tests.support.pair import REAL_NAME, Pair
from tests.support.provider import (
    DONE,
    Received,
    Script,
    Wire,
    answer,
    chat_answer,
    chat_chunk,
    chat_stream,
    stream,
)

HEADERS = [
    ("x-request-id", "req_provider_1"),
    ("x-ratelimit-remaining-requests", "41"),
    ("x-ratelimit-reset-tokens", "6ms"),
    ("openai-processing-ms", "12"),
]
JSON_HEADERS = [("content-type", "application/json"), *HEADERS]
USER = [{"role": "user", "content": "hi"}]
PIXEL = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": name,
            "strict": True,
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
                "additionalProperties": False,
            },
        },
    }
    for name in ("weather", "time")
]


class City(BaseModel):
    """What the structured answers hold."""

    name: str
    people: int


def choice(
    message: dict[str, Any], *, index: int = 0, finish: str = "stop", **more: Any
) -> dict[str, Any]:
    """Write one choice of a plain answer."""
    return {
        "index": index,
        "message": {"role": "assistant", **message},
        "finish_reason": finish,
        **more,
    }


def plain(*choices: dict[str, Any]) -> bytes:
    """Write a plain answer with these choices."""
    whole = json.loads(chat_answer())
    return json.dumps(whole | {"choices": choices}, indent=1).encode()


def call(number: int, id_: str | None, name: str | None, arguments: str) -> dict[str, Any]:
    """Write a piece of a streamed tool call."""
    function = {"arguments": arguments} if name is None else {"name": name, "arguments": arguments}
    return {"index": number, "function": function} | (
        {"id": id_, "type": "function"} if id_ else {}
    )


def whole_call(id_: str, name: str, arguments: str) -> dict[str, Any]:
    """Write one complete tool call."""
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


TOOL_EVENTS = [
    chat_chunk({"role": "assistant", "content": None}),
    chat_chunk({"tool_calls": [call(0, "call_a", "weather", "")]}),
    chat_chunk({"tool_calls": [call(1, "call_b", "time", "")]}),
    chat_chunk({"tool_calls": [call(0, None, None, '{"city": ')]}),
    chat_chunk({"tool_calls": [call(1, None, None, '{"ci')]}),
    chat_chunk({"tool_calls": [call(0, None, None, '"Ulm"}'), call(1, None, None, 'ty": "Rom"}')]}),
    chat_chunk({}, finish="tool_calls"),
    DONE,
]
TOOL_CALLS = [
    whole_call("call_a", "weather", '{"city": "Ulm"}'),
    whole_call("call_b", "time", '{"city": "Rom"}'),
]
LOGPROBS = {
    "content": [
        {"token": "hé", "logprob": -0.25, "bytes": [104, 195, 169], "top_logprobs": []},
        {"token": "y", "logprob": -1.5, "bytes": [121], "top_logprobs": [{"token": "z", "logprob": -2.0, "bytes": [122]}]},
    ],
    "refusal": None,
}  # fmt: skip


def logprob_events() -> list[bytes]:
    """Write a stream whose deltas have log-probabilities."""
    events = [chat_chunk({"role": "assistant", "content": ""})]
    for entry in LOGPROBS["content"] or []:
        event = json.loads(chat_chunk({"content": entry["token"]})[6:])
        event["choices"][0]["logprobs"] = {"content": [entry], "refusal": None}
        events.append(b"data: %s\n\n" % orjson.dumps(event))
    return [*events, chat_chunk({}, finish="stop"), DONE]


def usage_event() -> bytes:
    """Write the event that ends a stream with its token counts."""
    usage = {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}
    event = json.loads(chat_chunk({})[6:]) | {"choices": [], "usage": usage}
    return b"data: %s\n\n" % orjson.dumps(event)


@dataclass
class Journey:
    """What a client does, what the provider sends, and the message(s) that the record must hold."""

    how: str
    script: Script
    messages: list[dict[str, Any]]
    arguments: dict[str, Any] = field(default_factory=dict)


JOURNEYS = {
    "plain": Journey("create", answer(chat_answer(), headers=JSON_HEADERS), [{"content": "hello"}]),
    "streamed": Journey(
        "stream", stream(chat_stream("hel", "lo ", "wörld"), headers=HEADERS), [{"content": "hello wörld"}]
    ),
    "helper": Journey(
        "helper", stream(chat_stream("hel", "lo"), headers=HEADERS), [{"content": "hello"}]
    ),
    "usage": Journey(
        "stream",
        stream([*chat_stream("hello")[:-1], usage_event(), DONE], headers=HEADERS),
        [{"content": "hello"}],
        {"stream_options": {"include_usage": True}},
    ),
    "tools": Journey(
        "create",
        answer(
            plain(choice({"content": None, "tool_calls": TOOL_CALLS}, finish="tool_calls")),
            headers=JSON_HEADERS,
        ),
        [{"content": None, "tool_calls": TOOL_CALLS}],
        {"tools": TOOLS, "parallel_tool_calls": True},
    ),
    "tools-streamed": Journey(
        "stream",
        stream(TOOL_EVENTS, headers=HEADERS),
        [{"content": None, "tool_calls": TOOL_CALLS}],
        {"tools": TOOLS},
    ),
    "tools-helper": Journey(
        "helper",  # which wants one call finished before the next begins
        stream(
            [
                TOOL_EVENTS[0],
                *(
                    chat_chunk({"tool_calls": [call(n, id_, name, arguments)]})
                    for n, (id_, name, city) in enumerate((("call_a", "weather", "Ulm"), ("call_b", "time", "Rom")))
                    for id_, name, arguments in ((id_, name, ""), (None, None, '{"city": '), (None, None, f'"{city}"}}'))
                ),
                *TOOL_EVENTS[-2:],
            ],
            headers=HEADERS,
        ),
        [{"content": None, "tool_calls": TOOL_CALLS}],
        {"tools": TOOLS, "tool_choice": "auto"},
    ),
    "n": Journey(
        "create",
        answer(plain(*(choice({"content": f"c{n}"}, index=n) for n in range(3))), headers=JSON_HEADERS),
        [{"content": f"c{n}"} for n in range(3)],
        {"n": 3},
    ),
    "n-streamed": Journey(
        "stream",
        stream(
            [
                *(chat_chunk({"role": "assistant", "content": ""}, index=n) for n in (0, 1, 2)),
                *(chat_chunk({"content": f"{word}{n}"}, index=n) for word in "ab" for n in (2, 0, 1)),
                *(chat_chunk({}, finish="stop", index=n) for n in (1, 2, 0)),
                DONE,
            ],
            headers=HEADERS,
        ),
        [{"content": f"a{n}b{n}"} for n in range(3)],
        {"n": 3},
    ),
    "structured": Journey(
        "parse",
        answer(plain(choice({"content": '{"name":"Ulm","people":126000}'})), headers=JSON_HEADERS),
        [{"content": '{"name":"Ulm","people":126000}'}],
        {"response_format": City},
    ),
    "structured-helper": Journey(
        "helper",
        stream(chat_stream('{"name":"Ul', 'm","people":', "126000}"), headers=HEADERS),
        [{"content": '{"name":"Ulm","people":126000}'}],
        {"response_format": City},
    ),
    "image": Journey(
        "create",
        answer(chat_answer("one pixel"), headers=JSON_HEADERS),
        [{"content": "one pixel"}],
        {
            "messages": [
                {
                    "role": "user",
                    "content": [
                        {"type": "text", "text": "what is it?"},
                        {"type": "image_url", "image_url": {"url": PIXEL, "detail": "low"}},
                    ],
                }
            ]
        },
    ),
    "logprobs": Journey(
        "create",
        answer(plain(choice({"content": "héy"}, logprobs=LOGPROBS)), headers=JSON_HEADERS),
        [{"content": "héy"}],
        {"logprobs": True, "top_logprobs": 1},
    ),
    "logprobs-streamed": Journey(
        "stream",
        stream(logprob_events(), headers=HEADERS),
        [{"content": "héy"}],
        {"logprobs": True, "top_logprobs": 1},
    ),
}  # fmt: skip


def dump(value: Any) -> Any:
    """Turn what the SDK returns into plain values, the request id included."""
    if isinstance(value, BaseModel):
        dumped = {key: dump(getattr(value, key)) for key in value.model_fields_set}
        return dumped | {
            "_request_id": getattr(value, "_request_id", None),
            "_class": type(value).__name__,
        }
    if isinstance(value, list | tuple):
        return [dump(inner) for inner in value]
    return value


def run(base: str, journey: Journey, *, model: str = "m") -> list[Any]:
    """Make the journey with the synchronous SDK."""
    arguments = {"model": model, "messages": USER, **journey.arguments}
    with OpenAI(base_url=base, api_key="dummy", max_retries=0) as client:
        completions: Any = client.chat.completions
        if journey.how == "stream":
            with completions.create(stream=True, **arguments) as events:
                return [dump(event) for event in events]
        if journey.how == "helper":
            with completions.stream(**arguments) as events:
                return [*(dump(event) for event in events), dump(events.get_final_completion())]
        return [dump(getattr(completions, journey.how)(**arguments))]


async def run_async(base: str, journey: Journey) -> list[Any]:
    """Make the journey with the asynchronous SDK."""
    arguments = {"model": "m", "messages": USER, **journey.arguments}
    async with AsyncOpenAI(base_url=base, api_key="dummy", max_retries=0) as client:
        completions: Any = client.chat.completions
        if journey.how == "stream":
            async with await completions.create(stream=True, **arguments) as events:
                return [dump(event) async for event in events]
        if journey.how == "helper":
            async with completions.stream(**arguments) as events:
                return [dump(event) async for event in events] + [
                    dump(await events.get_final_completion())
                ]
        return [dump(await getattr(completions, journey.how)(**arguments))]


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("kind", ["sync", "async"])
@pytest.mark.parametrize("name", JOURNEYS)
def test_sdk_gets_what_the_provider_sent_and_the_record_holds_it(pair: Pair, name: str, kind: str):
    """The SDK returns the same objects with and without the proxy; the record is complete."""
    journey = JOURNEYS[name]
    pair.provider.script = journey.script
    if kind == "sync":
        direct, through = run(pair.provider.base, journey), run(pair.proxy.base, journey)
    else:
        direct = asyncio.run(run_async(pair.provider.base, journey))
        through = asyncio.run(run_async(pair.proxy.base, journey))
    assert through == direct

    straight, relayed = pair.provider.requests
    assert relayed.body == straight.body
    record = pair.record()
    assert record["request"] == straight.json()
    for expected, recorded in zip(journey.messages, record["response"]["choices"], strict=True):
        message = {key: value for key, value in recorded["message"].items() if value is not None}
        wanted = {key: value for key, value in expected.items() if value is not None}
        assert message == {"role": "assistant", **wanted}
    if name.startswith("logprobs"):
        assert record["response"]["choices"][0]["logprobs"] == LOGPROBS
    streamed = journey.how in ("stream", "helper")
    assert record["stream"] is streamed
    assert record["response"]["object"] == "chat.completion"
    assert (record["status"], record["outcome"], record["error"]) == (200, "completed", None)
    assert (record["model"], record["provider"], record["provider_model"]) == ("m", "openai", "m")
    assert record["provider_request_id"] == "req_provider_1"
    assert record["client"]["name"] == ("OpenAI/Python" if kind == "sync" else "AsyncOpenAI/Python")
    assert record["headers"]["response"]["x-ratelimit-remaining-requests"] == "41"
    assert [attempt["status"] for attempt in record["attempts"]] == [200]
    counted = {"usage": (5, 2)}.get(name, (None, None) if streamed else (3, 1))
    assert (record["usage"]["input_tokens"], record["usage"]["output_tokens"]) == counted
    assert 0 <= record["timing"]["first_byte_ms"] <= record["timing"]["total_ms"]
    assert "raw" not in record


def test_another_name_at_the_provider_changes_nothing_else(pair: Pair):
    """With a providerModel, only the model's name differs upstream, and the answer not at all."""
    journey = JOURNEYS["tools-streamed"]
    pair.provider.script = journey.script
    direct = run(pair.provider.base, journey, model="alias")
    assert run(pair.proxy.base, journey, model="alias") == direct
    straight, relayed = pair.provider.requests
    assert relayed.json() == straight.json() | {"model": REAL_NAME}
    record = pair.record()
    assert record["request"] == straight.json()
    assert (record["model"], record["provider_model"]) == ("alias", REAL_NAME)


# --- errors

ERRORS = {
    401: (openai.AuthenticationError, {"message": "Incorrect API key: sk-...x", "code": "invalid_api_key"}),
    429: (openai.RateLimitError, {"message": "Slow down", "code": "rate_limit_exceeded", "extra": [1, None]}),
    500: (openai.InternalServerError, {"message": "The server had an error", "code": None}),
}  # fmt: skip
ERROR_HEADERS = [*JSON_HEADERS, ("retry-after", "7"), ("retry-after-ms", "7000")]


def error_of(client: OpenAI, **more: Any) -> openai.APIStatusError:
    """Ask once and return the error of the SDK."""
    with client, pytest.raises(openai.APIStatusError) as caught:
        client.chat.completions.create(model="m", messages=USER, **more)
    return caught.value


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
@pytest.mark.parametrize("status", ERRORS)
def test_provider_error_is_the_sdks_exception_with_the_original_body(
    pair: Pair, status: int, streamed: bool
):
    """Status, body, retry-after, rate limits and request id reach the SDK; the error is recorded."""
    wanted, error = ERRORS[status]
    body = json.dumps(
        {"error": error | {"type": "provider_says", "param": None}}, indent=2
    ).encode()
    pair.provider.script = answer(body, status=status, headers=ERROR_HEADERS)
    bases = (pair.provider.base, pair.proxy.base)
    direct, through = (
        error_of(OpenAI(base_url=base, api_key="dummy", max_retries=0), stream=streamed)
        for base in bases
    )
    assert type(through) is type(direct) is wanted
    assert (str(through), through.body, through.code) == (str(direct), direct.body, direct.code)
    assert through.response.content == body
    assert through.request_id == "req_provider_1"
    for name, value in ERROR_HEADERS:
        assert through.response.headers[name] == value
    record = pair.record()
    assert record["response"] == json.loads(body)
    assert (record["status"], record["outcome"]) == (status, "provider_error")
    assert (record["error"]["kind"], record["error"]["at"]) == ("http", "provider")
    assert record["headers"]["response"]["retry-after"] == "7"


def test_sdk_that_retries_makes_one_exchange_per_try(pair: Pair):
    """The proxy retries nothing by itself: each try of the SDK is one request and one record."""
    tries = iter([429, 503])

    async def script(request: Received, wire: Wire) -> None:
        status = next(tries, 200)
        headers = [("retry-after-ms", "1"), ("content-type", "application/json")]
        body = chat_answer() if status == 200 else b'{"error":{"message":"not now"}}'
        await answer(body, status=status, headers=headers)(request, wire)

    pair.provider.script = script
    with OpenAI(base_url=pair.proxy.base, api_key="dummy", max_retries=2) as client:
        got = client.chat.completions.create(model="m", messages=USER)
    assert got.choices[0].message.content == "hello"
    assert [record["status"] for record in pair.records(3)] == [429, 503, 200]
    assert len(pair.provider.requests) == 3


def test_unknown_model_is_not_found_and_not_retried(pair: Pair):
    """The SDK raises NotFoundError with the nearest name, after one request."""
    client = OpenAI(base_url=pair.proxy.base, api_key="dummy", max_retries=2)
    with client, pytest.raises(openai.NotFoundError, match="did you mean `alias`") as caught:
        client.chat.completions.create(model="alais", messages=USER)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert pair.record()["outcome"] == "refused"
    assert not pair.provider.requests


# --- clients that leave


def words_then_silence(*words: str) -> Script:
    """Stream these words and then nothing until the other side leaves."""

    async def script(request: Received, wire: Wire) -> None:
        await wire.head(200, [("content-type", "text/event-stream")])
        for event in chat_stream(*words)[:-2]:
            await wire.chunk(event)
        await wire.until_client_leaves()

    return script


async def silence(request: Received, wire: Wire) -> None:
    """Answer nothing until the other side leaves."""
    await wire.until_client_leaves()


def check_left(pair: Pair, text: str | None) -> None:
    """The provider's connection was closed, and the record has what came until then."""
    assert pair.provider.requests[-1].client_left.wait(10)
    record = pair.record()
    assert record["outcome"] == "client_disconnected"
    assert (record["error"]["kind"], record["error"]["at"]) == ("disconnect", "client")
    assert record["request"]["messages"] == USER
    if text is None:
        assert record["response"] is None
        return
    (partial,) = record["response"]["choices"]
    assert partial["message"]["content"] == text
    assert partial["finish_reason"] is None
    assert record["raw"]["response"]


@pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
def test_sdk_timeout_before_the_answer_is_recorded_as_disconnect(pair: Pair, streamed: bool):
    """An SDK that gives up waiting leaves a record, and the provider is not kept busy."""
    pair.provider.script = silence
    client = OpenAI(base_url=pair.proxy.base, api_key="dummy", max_retries=0, timeout=0.3)
    with client, pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(model="m", messages=USER, stream=streamed)
    check_left(pair, None)


def test_sdk_timeout_inside_a_stream_keeps_what_came(pair: Pair):
    """An SDK that times out between two events leaves a partial answer in the record."""
    pair.provider.script = words_then_silence("so", " far")
    client = OpenAI(base_url=pair.proxy.base, api_key="dummy", max_retries=0, timeout=0.3)
    with client, pytest.raises(openai.APITimeoutError):
        list(client.chat.completions.create(model="m", messages=USER, stream=True))
    check_left(pair, "so far")


def test_async_timeout_is_recorded_as_disconnect(pair: Pair):
    """The asynchronous SDK's timeout leaves the same record."""
    pair.provider.script = silence

    async def ask() -> None:
        async with AsyncOpenAI(
            base_url=pair.proxy.base, api_key="dummy", max_retries=0, timeout=0.3
        ) as client:
            await client.chat.completions.create(model="m", messages=USER)

    with pytest.raises(openai.APITimeoutError):
        asyncio.run(ask())
    check_left(pair, None)


def test_breaking_out_of_a_stream_closes_the_provider_and_keeps_the_part(pair: Pair):
    """`break` after some events: the provider's connection closes, the part is in the record."""
    pair.provider.script = words_then_silence("one", " two")
    client = OpenAI(base_url=pair.proxy.base, api_key="dummy", max_retries=0)
    with client, client.chat.completions.create(model="m", messages=USER, stream=True) as events:
        for event in events:
            if event.choices[0].delta.content == " two":
                break
    check_left(pair, "one two")


def test_leaving_the_helper_closes_the_provider_and_keeps_the_part(pair: Pair):
    """The `.stream()` helper's context, left early, has the same effect."""
    pair.provider.script = words_then_silence("one", " two")
    client = OpenAI(base_url=pair.proxy.base, api_key="dummy", max_retries=0)
    with client, client.chat.completions.stream(model="m", messages=USER) as events:
        for event in events:
            if event.type == "content.delta" and event.snapshot == "one two":
                break
    check_left(pair, "one two")


def test_cancelling_an_async_task_closes_the_provider_and_keeps_the_part(pair: Pair):
    """A cancelled task is a client that left."""
    pair.provider.script = words_then_silence("one", " two")

    async def read(seen: asyncio.Event) -> None:
        async with AsyncOpenAI(base_url=pair.proxy.base, api_key="dummy", max_retries=0) as client:
            async for event in await client.chat.completions.create(
                model="m", messages=USER, stream=True
            ):
                if event.choices[0].delta.content == " two":
                    seen.set()

    async def cancel_in_the_middle() -> None:
        seen = asyncio.Event()
        task = asyncio.create_task(read(seen))
        await asyncio.wait_for(seen.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_in_the_middle())
    check_left(pair, "one two")


def test_stream_that_breaks_off_is_an_error_for_the_sdk(pair: Pair):
    """A provider that is cut off never looks like a complete answer."""

    async def script(request: Received, wire: Wire) -> None:
        await wire.head(200, [("content-type", "text/event-stream")])
        await wire.chunk(b"".join(chat_stream("half")[:-2]))
        wire.close()

    pair.provider.script = script
    client = OpenAI(base_url=pair.proxy.base, api_key="dummy", max_retries=0)
    with client, pytest.raises(openai.APIError, match="broke off"):
        list(client.chat.completions.create(model="m", messages=USER, stream=True))
    record = pair.record()
    assert record["outcome"] == "provider_truncated"
    assert record["response"]["choices"][0]["message"]["content"] == "half"


# --- the model list


def test_sdk_lists_and_retrieves_the_configured_models(pair: Pair):
    """`models.list()` and `models.retrieve()` answer from config.json, without the provider."""
    with OpenAI(base_url=pair.proxy.base, api_key="dummy", max_retries=0) as client:
        assert [model.id for model in client.models.list()] == ["m", "alias"]
        found = client.models.retrieve("alias")
        assert (found.id, found.created, found.owned_by) == ("alias", 1686935002, "openai")
        with pytest.raises(openai.NotFoundError):
            client.models.retrieve("nobody")
    assert not pair.provider.requests


# --- curl, as the original's README documents it


def curl(*arguments: str) -> bytes:
    """Run curl and return what it prints."""
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not installed")
    env = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return subprocess.run(
        [program, "-sS", "-N", *arguments], check=True, capture_output=True, env=env
    ).stdout


def ask_with_curl(pair: Pair, body: str, *more: str) -> bytes:
    """Ask for a completion with curl."""
    url = f"http://localhost:{pair.proxy.port}/v1/chat/completions"
    return curl(url, "-H", "Content-Type: application/json", *more, "-d", body)


def test_curl_streams_with_a_dummy_token(pair: Pair):
    """The README's streamed request prints the provider's bytes; the token goes nowhere."""
    events = chat_stream("Hello", " from", " Claude!")
    pair.provider.script = stream(events)
    body = '{\n  "model": "alias",\n  "messages": [{"role": "user", "content": "Hello from Claude!"}],\n  "stream": true\n}'
    token = "Authorization: Bearer any-valid-or-dummy-token"
    assert ask_with_curl(pair, body, "-H", token) == b"".join(events)
    (request,) = pair.provider.requests
    assert request.header("authorization") == "Bearer sk-test-key"
    assert request.body == body.replace('"alias"', f'"{REAL_NAME}"').encode()
    record = pair.record()
    assert record["request"] == json.loads(body)
    assert record["response"]["choices"][0]["message"]["content"] == "Hello from Claude!"
    assert "any-valid-or-dummy-token" not in json.dumps(record)


def test_curl_without_streaming_and_without_a_token(pair: Pair):
    """The README's plain request needs no token at all."""
    body = '{"model": "m", "messages": [{"role": "user", "content": "Hello from Dolphin!"}], "stream": false}'
    assert ask_with_curl(pair, body) == chat_answer()
    assert pair.record()["response"] == json.loads(chat_answer())


def test_curl_reads_models_and_health(pair: Pair):
    """The README's other two commands."""
    url = f"http://localhost:{pair.proxy.port}"
    listed = json.loads(curl(f"{url}/v1/models"))
    assert [model["provider_model"] for model in listed["data"]] == ["m", REAL_NAME]
    health = json.loads(curl(f"{url}/health"))
    assert (health["status"], health["message"]) == (
        "ok",
        "Server is healthy, configuration loaded.",
    )


# --- LangChain


def chain(base: str, **more: Any) -> Any:
    """Make a LangChain model at this address."""
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(base_url=base, api_key="dummy", model="m", max_retries=0, **more)


def without_run(message: Any) -> dict[str, Any]:
    """Drop what LangChain makes up anew in every run."""
    return {key: value for key, value in message.model_dump().items() if key != "id"}


LANGCHAIN: dict[str, tuple[Script, Callable[[Any], list[Any]], list[dict[str, Any]]]] = {
    "invoke": (
        JOURNEYS["plain"].script,
        lambda model: [model.invoke("hi")],
        [{"content": "hello"}],
    ),
    "stream": (
        JOURNEYS["usage"].script,
        lambda model: list(model.stream("hi")),
        [{"content": "hello"}],
    ),
    "bind_tools": (
        JOURNEYS["tools"].script,
        lambda model: [model.bind_tools(TOOLS).invoke("hi")],
        [{"tool_calls": TOOL_CALLS}],
    ),
    "bind_tools-streamed": (
        JOURNEYS["tools-streamed"].script,
        lambda model: list(model.bind_tools(TOOLS).stream("hi")),
        [{"tool_calls": TOOL_CALLS}],
    ),
}


@pytest.mark.parametrize("name", LANGCHAIN)
def test_langchain_gets_what_the_provider_sent(pair: Pair, name: str):
    """ChatOpenAI returns the same messages with and without the proxy, and is recorded."""
    pair.provider.script, ask, expected = LANGCHAIN[name]
    direct, through = (
        [without_run(message) for message in ask(chain(base))]
        for base in (pair.provider.base, pair.proxy.base)
    )
    assert through == direct
    straight, relayed = pair.provider.requests
    assert relayed.json() == straight.json()
    record = pair.record()
    assert record["request"] == straight.json()
    recorded = record["response"]["choices"][0]["message"]
    assert {key: recorded[key] for key in expected[0]} == expected[0]
