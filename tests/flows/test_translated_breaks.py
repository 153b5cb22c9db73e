"""Translated streams that do not go well, and real ones: errors, cuts, clients that leave.

Nothing that broke off may look complete to OpenAI's client; what came until then is in the record,
in both languages. The recordings are found through the variable WIRE_SAMPLES.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI, OpenAI

from dolphin_logger.dialects import DIALECTS
from tests.support import languages as said
from tests.support.http import RawClient, chat, exchange, post
from tests.support.pair import Pair
from tests.support.provider import Received, Script, Wire, answer
from tests.support.proxy import wait_for

USER = [{"role": "user", "content": "hi"}]
HALF = said.message_events()[:9]  # the thought, and the first half of the text
HALF_TEXT = said.MESSAGE["content"][1]["text"][:4]
ERROR = said.named(
    {"type": "error", "error": {"type": "overloaded_error", "message": 'Over"loaded'}}
)


@pytest.fixture(scope="module")
def running_pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    """Run both; a first answer lets the proxy import the vendor's client, which takes a while."""
    with said.running(tmp_path_factory.mktemp("home")) as pair:
        pair.provider.script = said.pieces_of(said.message_events(), headers=said.EVENT_STREAM)
        assert ask_raw(pair).complete
        yield pair


@pytest.fixture
def client(pair: Pair) -> Iterator[OpenAI]:
    """Open OpenAI's client, which retries nothing."""
    with OpenAI(base_url=pair.proxy.base, api_key="key-of-the-caller", max_retries=0) as client:
        yield client


def ask_raw(pair: Pair, *, stream: bool = True) -> Any:
    """Ask over a plain socket, to see how an answer ends."""
    body = chat(model="claude", stream=stream)
    return exchange(pair.proxy, post(body, "content-type: application/json"))


def check_half(record: dict[str, Any]) -> None:
    """The record holds what came, in both languages, and the provider's bytes."""
    (choice,) = record["response"]["choices"]
    assert choice["message"]["content"] == HALF_TEXT
    assert choice["finish_reason"] is None
    assert record["provider_response"]["content"][1]["text"] == HALF_TEXT
    assert base64.b64decode(record["raw"]["response"]).startswith(b"".join(HALF))
    assert record["provider_request"]["model"] == "claude-real-1"
    assert record["translation"]["to"] == "anthropic.messages"
    assert record["usage"]["input_tokens"] == 17


# --- errors and cuts in the middle


def test_error_event_is_an_error_and_no_end(pair: Pair, client: OpenAI):
    """Anthropic's error event becomes OpenAI's, message verbatim; no [DONE], no clean finish."""
    pair.provider.script = said.pieces_of([*HALF, ERROR], headers=said.EVENT_STREAM)
    with pytest.raises(openai.APIError) as caught:
        list(client.chat.completions.create(model="claude", messages=USER, stream=True))
    assert (caught.value.message, caught.value.code) == ('Over"loaded', "overloaded_error")
    check_error(pair.record())
    got = ask_raw(pair)
    assert b"[DONE]" not in got.body
    assert b'"finish_reason":"' not in got.body
    check_error(pair.record())


def check_error(record: dict[str, Any]) -> None:
    """The error is the provider's; what came before it is kept."""
    assert (record["outcome"], record["status"]) == ("provider_error", 200)
    assert (record["error"]["kind"], record["error"]["at"]) == ("stream_error", "provider")
    assert record["error"]["message"] == 'Over"loaded'
    check_half(record)


@pytest.mark.parametrize("how", ["close", "clean"])
def test_cut_stream_is_visibly_broken(pair: Pair, client: OpenAI, how: str):
    """However the provider breaks off: no [DONE], an error for the SDK, a broken connection."""

    async def script(request: Received, wire: Wire) -> None:
        await wire.head(200, said.EVENT_STREAM)
        for piece in HALF:
            await wire.chunk(piece)
        await wire.end() if how == "clean" else wire.close()

    pair.provider.script = script
    with pytest.raises((openai.APIError, openai.APIConnectionError), match="broke off"):
        list(client.chat.completions.create(model="claude", messages=USER, stream=True))
    check_truncated(pair.record())
    got = ask_raw(pair)
    assert not got.complete
    assert b"[DONE]" not in got.body
    assert b'"finish_reason":"' not in got.body
    check_truncated(pair.record())


def check_truncated(record: dict[str, Any]) -> None:
    """The provider broke off, and the part that came is kept."""
    assert (record["outcome"], record["error"]["at"]) == ("provider_truncated", "provider")
    assert record["error"]["kind"] in ("truncated", "no_terminal_event")
    check_half(record)


@pytest.mark.parametrize("tail", [b"", ERROR], ids=["cut", "error"])
def test_half_an_answer_is_an_error_for_a_plain_client(pair: Pair, client: OpenAI, tail: bytes):
    """A client that asked for no stream gets 502, never half an answer; the record keeps the half."""
    script = said.pieces_of if tail else said.broken_after
    pair.provider.script = script([*HALF, tail], headers=said.EVENT_STREAM)
    with pytest.raises(openai.InternalServerError) as caught:
        client.chat.completions.create(model="claude", messages=USER)
    assert caught.value.status_code == 502
    assert ('Over"loaded' in str(caught.value.message)) == bool(tail)
    record = pair.record()
    wanted = ("provider_error", "stream_error") if tail else ("provider_truncated", "truncated")
    assert (record["outcome"], record["error"]["kind"]) == wanted
    assert record["response"] is None
    assert record["provider_response"]["content"][1]["text"] == HALF_TEXT


@pytest.mark.parametrize("begun", [False, True], ids=["before", "within"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "streamed"])
def test_silent_provider_times_out(pair: Pair, client: OpenAI, begun: bool, stream: bool):
    """No first byte, or none for too long: 504 where nothing was sent, else a visible break."""
    pair.provider.script = then_silent(HALF if begun else [])
    with pytest.raises(openai.APIError) as caught:
        list(client.chat.completions.create(model="impatient-claude", messages=USER, stream=stream))
    if not (begun and stream):
        assert isinstance(caught.value, openai.InternalServerError)
        assert caught.value.status_code == 504
    assert pair.provider.requests[0].client_left.wait(10)
    record = pair.record()
    assert (record["outcome"], record["error"]["kind"]) == (
        "timeout",
        "idle" if begun else "first_byte",
    )
    if begun and stream:
        check_half(record)


# --- clients that leave


def then_silent(pieces: list[bytes]) -> Script:
    """Begin to answer, and wait until the other side leaves."""

    async def script(request: Received, wire: Wire) -> None:
        if pieces:
            await wire.head(200, said.EVENT_STREAM)
        for piece in pieces:
            await wire.chunk(piece)
        await wire.until_client_leaves()

    return script


def check_left(pair: Pair) -> dict[str, Any]:
    """The provider's connection was closed, and the record says why."""
    assert pair.provider.requests[-1].client_left.wait(10)
    record = pair.record()
    assert record["outcome"] == "client_disconnected"
    assert (record["error"]["kind"], record["error"]["at"]) == ("disconnect", "client")
    assert record["provider_request"]["model"] == "claude-real-1"
    return record


def test_leaving_a_stream_closes_the_provider(pair: Pair, client: OpenAI):
    """`break` in the middle: the provider is let go at once, the half is recorded."""
    pair.provider.script = then_silent(HALF)
    with client.chat.completions.create(model="claude", messages=USER, stream=True) as events:
        for event in events:
            if event.choices[0].delta.content == HALF_TEXT:
                break
    check_half(check_left(pair))


def test_cancelled_task_closes_the_provider(pair: Pair):
    """A cancelled task is a client that left."""
    pair.provider.script = then_silent(HALF)

    async def cancel_in_the_middle() -> None:
        seen = asyncio.Event()

        async def read() -> None:
            async with AsyncOpenAI(base_url=pair.proxy.base, api_key="k", max_retries=0) as client:
                async for event in await client.chat.completions.create(
                    model="claude", messages=USER, stream=True
                ):
                    if event.choices[0].delta.content == HALF_TEXT:
                        seen.set()

        task = asyncio.create_task(read())
        await asyncio.wait_for(seen.wait(), 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel_in_the_middle())
    check_half(check_left(pair))


@pytest.mark.parametrize("pieces", [[], HALF], ids=["before", "within"])
def test_leaving_a_plain_request_closes_the_provider(pair: Pair, pieces: list[bytes]):
    """A client that asked for no stream and left: the same, wherever the answer was."""
    pair.provider.script = then_silent(pieces)
    with RawClient(pair.proxy) as raw:
        raw.send(post(chat(model="claude"), "content-type: application/json"))
        wait_until_asked(pair)
        raw.reset()
    record = check_left(pair)
    assert record["response"] is None
    if pieces:
        assert record["provider_response"]["content"][1]["text"] == HALF_TEXT


def wait_until_asked(pair: Pair) -> None:
    """Wait until the provider has the request."""
    wait_for(lambda: pair.provider.requests, what="the request")


# --- real streams


def recordings() -> list[Any]:
    """Find the recorded streams; none without the variable."""
    root = os.environ.get("WIRE_SAMPLES")
    found = sorted(Path(root, "anthropic_messages").glob("*.sse")) if root else []
    skip = pytest.mark.skip(reason="WIRE_SAMPLES is not set")
    return [pytest.param(path, id=path.stem) for path in found] or [pytest.param(None, marks=skip)]


@pytest.mark.parametrize("recording", recordings())
def test_helper_accepts_every_recording(pair: Pair, client: OpenAI, recording: Path):
    """OpenAI's helper reads each real answer to its end, and has its text, calls and counts."""
    data = recording.read_bytes()
    coded = data.startswith(b"\x1f\x8b")  # some were sent compressed
    headers = said.EVENT_STREAM + [("content-encoding", "gzip")] * coded
    data_read = zlib.decompressobj(31).decompress(data) if coded else data
    pieces = [data[place : place + 97] for place in range(0, len(data), 97)]
    pair.provider.script = said.pieces_of(pieces, headers=headers)
    options = {"include_usage": True}
    with client.chat.completions.stream(
        model="claude", messages=USER, stream_options=options
    ) as events:
        list(events)
        got = events.get_final_completion()
    decoder = DIALECTS["anthropic.messages"].decoder("text/event-stream", asked=True)
    assert decoder is not None
    decoder.feed(data_read)
    native = json.loads(json.dumps(decoder.answer().response))
    blocks = native["content"]
    said_ = got.choices[0].message
    assert (said_.content or "") == "".join(b["text"] for b in blocks if b["type"] == "text")
    assert [(call.id, call.function.name, json.loads(call.function.arguments)) for call in said_.tool_calls or []] == [
        (b["id"], b["name"], b["input"]) for b in blocks if b["type"] == "tool_use"
    ]  # fmt: skip
    thoughts = [b for b in blocks if b["type"] in ("thinking", "redacted_thinking")]
    found = [
        {key: value for key, value in b.items() if key != "index"}
        for b in getattr(said_, "thinking_blocks", [])
    ]
    assert found == thoughts
    assert got.usage is not None
    assert got.usage.completion_tokens == native["usage"]["output_tokens"]
    record = pair.record()
    assert (record["outcome"], record["error"]) == ("completed", None)
    assert record["provider_response"] == native
    assert (record["response"]["choices"][0]["message"]["content"] or "") == said_.content
    assert record["response"]["choices"][0]["finish_reason"] == got.choices[0].finish_reason


@pytest.mark.parametrize("recording", recordings())
def test_plain_answer_of_every_recording_says_the_same(pair: Pair, recording: Path):
    """Aggregated for a plain client, each real answer is what the stream's record holds."""
    data = recording.read_bytes()
    headers = said.EVENT_STREAM + [("content-encoding", "gzip")] * data.startswith(b"\x1f\x8b")
    pair.provider.script = answer(data, headers=headers)
    plain = json.loads(ask_raw(pair, stream=False).body)
    ask_raw(pair, stream=True)
    first, second = pair.records(2)
    assert first["response"] == plain
    assert first["provider_response"] == second["provider_response"]
    for both in (plain, second["response"]):
        both.pop("created")
        both.pop("usage", None)  # which the stream was not asked for
        message = both["choices"][0]["message"]
        assert message.pop("refusal", None) is None
    assert second["response"] == plain
    assert first["usage"] == second["usage"]
