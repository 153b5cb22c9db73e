"""Google's own client with a model behind chat completions: every event is read, every call is made.

A real server stands where the proxy would and translates; what the client makes of the answers, and
what it sends back, is what counts.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from google import genai
from google.genai import errors, types
from pydantic import BaseModel

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.proxy.translate import TRANSLATIONS, TranslateOptions
from tests.support.clients import client_of
from tests.support.provider import DONE, FakeProvider, Received, Wire, chat_chunk

TRANSLATION = TRANSLATIONS["gemini", "openai.chat"]
EVENTS = [("content-type", "text/event-stream")]
JSON_TYPE = [("content-type", "application/json")]


@dataclass
class LocalModel:
    """Answers turn by turn with what a server of chat completions sends: a stream, or status and body."""

    turns: list[bytes | tuple[int, bytes]]
    asked: list[dict[str, Any]] = field(default_factory=list)

    async def script(self, request: Received, wire: Wire) -> None:
        """Answer one request in the client's language."""
        body = request.json()
        translated = TRANSLATION.request(body, model="local", options=TranslateOptions())
        turn = self.turns[len(self.asked)]
        self.asked.append(translated.body)
        if isinstance(turn, tuple):
            status, found = turn
            await self._send_whole(wire, TRANSLATION.error(status, found), status=status)
        elif ":stream" in request.target:
            stream = TRANSLATION.stream(body, created=0)
            await wire.head(200, EVENTS)
            for event in [*stream.feed(turn), *stream.finish()]:
                await wire.chunk(event)
                await asyncio.sleep(0)
            await wire.end()
        else:
            decoder = DIALECTS["openai.chat"].decoder("text/event-stream", asked=True)
            assert decoder is not None
            decoder.feed(turn)
            native = decoder.answer().response
            assert native is not None
            answer = TRANSLATION.answer(native, created=0)
            await self._send_whole(wire, json.dumps(answer).encode(), status=200)

    async def _send_whole(self, wire: Wire, body: bytes, *, status: int) -> None:
        await wire.head(status, JSON_TYPE, length=len(body))
        await wire.chunk(body)


@contextmanager
def asking(*turns: bytes | tuple[int, bytes]) -> Iterator[tuple[genai.Client, LocalModel]]:
    """Run a model with these turns, and a client of Google's that uses it."""
    model = LocalModel(list(turns))
    with FakeProvider(model.script) as server:
        base = f"http://127.0.0.1:{server.port}"
        with client_of("google", base, "key") as client:
            yield client, model


def piece(position: int, arguments: str, **named: str) -> dict[str, Any]:
    """Write a piece of a call: `id` and `name` come with its first."""
    function = {"arguments": arguments}
    if "name" in named:
        function["name"] = named["name"]
        return {"index": position, "id": named["id"], "type": "function", "function": function}
    return {"index": position, "function": function}


def said(*deltas: dict[str, Any], finish: str = "stop") -> bytes:
    """Write a whole stream."""
    return b"".join(chat_chunk(delta) for delta in deltas) + chat_chunk({}, finish=finish) + DONE


TWO_CALLS = said(
    {"role": "assistant", "reasoning_content": "hm"},
    {"content": "Let me "},
    {"content": "see."},
    {"tool_calls": [piece(0, "", id="call/1", name="weather")]},
    {"tool_calls": [piece(1, '{"place": "Ro', id="2", name="weather")]},
    {"tool_calls": [piece(0, '{"place": "Köln"}'), piece(1, 'me"}')]},
    finish="tool_calls",
)


def test_calls_are_made_and_their_results_come_back():
    """The client runs its functions by itself; the model gets its own words, calls and ids again."""
    places: list[str] = []

    def weather(place: str) -> str:
        """Tell the weather."""
        places.append(place)
        return f"rain in {place}"

    with asking(TWO_CALLS, said({"content": "It "}, {"content": "rains."})) as (client, model):
        config = types.GenerateContentConfig(tools=[weather])
        stream = client.models.generate_content_stream(model="m", contents="?", config=config)
        text = "".join(part.text or "" for event in stream for part in _parts(event))
    assert text == "Let me see.It rains."
    assert places == ["Köln", "Rome"]
    assert model.asked[0]["tools"][0]["function"]["parameters"]["properties"] == {
        "place": {"type": "string"}
    }
    _, assistant, *results = model.asked[1]["messages"]
    assert assistant["content"] == "Let me see."
    assert [
        (call["id"], json.loads(call["function"]["arguments"])) for call in assistant["tool_calls"]
    ] == [("call/1", {"place": "Köln"}), ("2", {"place": "Rome"})]
    assert results == [
        {"role": "tool", "tool_call_id": "call/1", "content": '{"result": "rain in Köln"}'},
        {"role": "tool", "tool_call_id": "2", "content": '{"result": "rain in Rome"}'},
    ]


def _parts(event: types.GenerateContentResponse) -> list[types.Part]:
    (candidate,) = event.candidates or ()
    assert candidate.content is not None
    return candidate.content.parts or []


def test_chat_remembers_every_turn():
    """The client holds a turn to be valid, and sends it back; its pieces are one message."""
    with asking(said({"content": "o"}, {"content": "ne"}), said({"content": "two"})) as (
        client,
        model,
    ):
        chat = client.chats.create(model="m", config={"system_instruction": "count"})
        for question in ("1?", "2?"):
            last = list(chat.send_message_stream(question))[-1]
            assert last.candidates[0].finish_reason is types.FinishReason.STOP
        assert len(chat.get_history(curated=True)) == len(chat.get_history())
    assert model.asked[1]["messages"] == [
        {"role": "system", "content": "count"},
        {"role": "user", "content": "1?"},
        {"role": "assistant", "content": "one"},
        {"role": "user", "content": "2?"},
    ]


def test_thoughts_are_shown_to_those_who_ask():
    """And counted apart, whoever asks."""
    counts = {
        "prompt_tokens": 7,
        "completion_tokens": 5,
        "total_tokens": 12,
        "completion_tokens_details": {"reasoning_tokens": 3},
    }
    usage = b'data: {"id":"1","choices":[],"usage":%s}\n\n' % json.dumps(counts).encode()
    turn = said({"reasoning_content": "h"}, {"reasoning_content": "m"}, {"content": "a"})
    turn = turn.replace(DONE, usage + DONE)
    with asking(turn, turn) as (client, _):
        for shown, expected in ((True, [(True, "h"), (True, "m")]), (False, [])):
            events = list(
                client.models.generate_content_stream(
                    model="m",
                    contents="?",
                    config={"thinking_config": {"include_thoughts": shown}},
                )
            )
            found = [(part.thought, part.text) for event in events for part in _parts(event)]
            assert found == [*expected, (None, "a"), (None, "")]
            counted = events[-1].usage_metadata
            assert counted is not None
            assert (
                counted.prompt_token_count,
                counted.candidates_token_count,
                counted.thoughts_token_count,
                counted.total_token_count,
            ) == (7, 2, 3, 12)


class City(BaseModel):
    """What an answer in JSON is read into."""

    name: str
    rank: int | None = None


def test_answers_in_json_are_parsed():
    """The client writes its own kind of schema; the model gets one of JSON Schema."""
    config = types.GenerateContentConfig(
        response_mime_type="application/json",
        response_schema=City,
        temperature=0,
        max_output_tokens=99,
    )
    with asking(said({"content": '{"name": "Köln",'}, {"content": ' "rank": 4}'})) as (
        client,
        model,
    ):
        answer = client.models.generate_content(model="m", contents=["see", IMAGE], config=config)
    assert answer.parsed == City(name="Köln", rank=4)
    (asked,) = model.asked
    schema = asked["response_format"]["json_schema"]["schema"]
    assert schema["type"] == "object"
    assert schema["properties"]["name"]["type"] == "string"
    assert schema["properties"]["rank"]["type"] == ["integer", "null"]
    assert (asked["temperature"], asked["max_tokens"]) == (0, 99)
    (message,) = asked["messages"]
    assert message["content"][1] == {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64,+/8="},
    }


IMAGE = types.Part.from_bytes(data=b"\xfb\xff", mime_type="image/png")


@pytest.mark.parametrize(("status", "kind"), [(404, errors.ClientError), (503, errors.ServerError)])
def test_errors_are_raised(status, kind):
    """With status and message of the provider, streamed or not."""
    fault = json.dumps({"error": {"message": "gone", "type": "x"}}).encode()
    with asking((status, fault), (status, fault)) as (client, _):
        with pytest.raises(kind) as caught:
            client.models.generate_content(model="m", contents="?")
        with pytest.raises(kind) as streamed:
            list(client.models.generate_content_stream(model="m", contents="?"))
    for error in (caught.value, streamed.value):
        assert (error.code, error.message) == (status, "gone")
        assert error.details["error"]["upstream"] == json.loads(fault)


def test_error_in_the_middle_of_a_stream_is_raised():
    """What was said before it has been read."""
    fault = b'data: {"error": {"message": "out of memory", "code": 500}}\n\n'
    with asking(chat_chunk({"content": "Half"}) + fault) as (client, _):
        events = client.models.generate_content_stream(model="m", contents="?")
        assert next(events).text == "Half"
        with pytest.raises(errors.ServerError) as caught:
            next(events)
    assert (caught.value.code, caught.value.message) == (500, "out of memory")


def test_call_that_nobody_can_read_is_none():
    """The client learns in its own words that there was one; it runs nothing."""
    turn = said({"tool_calls": [piece(0, '{"place": ', id="1", name="weather")]})
    with asking(turn) as (client, _):
        (last,) = client.models.generate_content_stream(model="m", contents="?")
    (candidate,) = last.candidates
    assert candidate.finish_reason is types.FinishReason.MALFORMED_FUNCTION_CALL
    assert last.function_calls is None
