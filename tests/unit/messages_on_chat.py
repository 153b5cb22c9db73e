"""Messages on chat completions: a client's requests, provider's streams, Anthropic's SDK as oracle."""

from __future__ import annotations

import json
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import httpx2
import pytest
from anthropic.lib.streaming._beta_messages import accumulate_event as accumulate_beta
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import RawMessageStreamEvent
from openai.types.chat import (
    ChatCompletionContentPartParam,
    ChatCompletionMessageParam,
    ChatCompletionToolUnionParam,
)
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from pydantic import TypeAdapter
from translators import run

from dolphin_logger.errors import RequestError
from dolphin_logger.proxy.translate import (
    TRANSLATIONS,
    StreamTranslator,
    Translated,
    TranslateOptions,
)

MESSAGES_ON_CHAT = TRANSLATIONS["anthropic.messages", "openai.chat"]
HELLO = {"role": "user", "content": "hi"}
TOOL = {"name": "f", "description": "does f", "input_schema": {"type": "object"}}
USE = {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}}
RESULT = {"type": "tool_result", "tool_use_id": "call_1", "content": "4"}
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}

_EVENT = TypeAdapter[Any](RawMessageStreamEvent)
_REQUEST = TypeAdapter[Any](CompletionCreateParamsStreaming)
_MESSAGE = TypeAdapter[Any](ChatCompletionMessageParam)
_PART = TypeAdapter[Any](ChatCompletionContentPartParam)
_TOOL = TypeAdapter[Any](ChatCompletionToolUnionParam)


# --- requests


def assert_accepted(body: dict[str, Any]) -> None:
    """Hold a translated request against OpenAI's types, piece by piece (they validate lazily)."""
    _REQUEST.validate_json(json.dumps(body))
    for message in body["messages"]:
        _MESSAGE.validate_python(message)
        if isinstance(message["content"], list):
            assert message["role"] == "user"
            for part in message["content"]:
                _PART.validate_python(part)
    for tool in body.get("tools", ()):
        _TOOL.validate_python(tool)
    assert body["stream"] is True
    assert body["stream_options"] == {"include_usage": True}


def translated(
    *messages: Any, model: str = "qwen3", options: TranslateOptions | None = None, **keys: Any
) -> Translated:
    """Translate a request; it stays as it is, and OpenAI's types accept the result."""
    body = {"model": "alias", "messages": list(messages) or [HELLO], **keys}
    before = deepcopy(body)
    result = MESSAGES_ON_CHAT.request(body, model=model, options=options or TranslateOptions())
    assert body == before
    assert_accepted(result.body)
    return result


def messages_of(*messages: Any, **keys: Any) -> list[dict[str, Any]]:
    """Translate a history that nothing may be lost of."""
    result = translated(*messages, **keys)
    assert (result.dropped, result.changed) == ([], [])
    return list(result.body["messages"])


def refused(*messages: Any, **keys: Any) -> RequestError:
    """Translate what has to be refused."""
    body = {"model": "alias", "messages": list(messages) or [HELLO], **keys}
    with pytest.raises(RequestError) as caught:
        MESSAGES_ON_CHAT.request(body, model="qwen3", options=TranslateOptions())
    assert (caught.value.status, caught.value.kind) == (400, "untranslatable")
    return caught.value


# --- streams


def translate(chunks: Iterable[bytes]) -> tuple[list[bytes], StreamTranslator]:
    """Translate a stream; return the client's events and the translator."""
    return run(MESSAGES_ON_CHAT, chunks)


def payloads(events: Iterable[bytes]) -> list[dict[str, Any]]:
    """Read the client's events; each has its name beside its type, and is one of Anthropic's."""
    found = []
    for event in events:
        name, data, *rest = event.split(b"\n")
        assert rest == [b"", b""]
        value = json.loads(data.removeprefix(b"data: "))
        assert name == b"event: " + value["type"].encode()
        if value["type"] != "error":
            _EVENT.validate_python(value)
        found.append(value)
    return found


def follow(events: Iterable[bytes]) -> list[dict[str, Any]]:
    """Hold events against the order that clients rely on, to wherever they go; return them."""
    found = payloads(events)
    kinds = [value["type"] for value in found]
    assert kinds[:1] in ([], ["message_start"], ["error"])
    assert kinds.count("message_start") <= 1
    open_, blocks = False, 0
    for place, value in enumerate(found):
        kind = value["type"]
        if kind == "content_block_start":
            assert (open_, value["index"]) == (False, blocks)
            open_ = True
        elif kind == "content_block_delta":
            assert (open_, value["index"]) == (True, blocks)
        elif kind == "content_block_stop":
            assert (open_, value["index"]) == (True, blocks)
            open_, blocks = False, blocks + 1
        elif kind == "message_delta":
            assert (open_, kinds[place:]) == (False, ["message_delta", "message_stop"])
        elif kind == "error":
            assert place == len(found) - 1
    return found


def accumulated(events: Iterable[bytes]) -> dict[str, Any]:
    """Give what Anthropic's SDK makes of a client's stream: both of its accumulators agree."""
    plain: Any = None
    beta: Any = None
    pieces: tuple[dict[int, bytes], dict[int, bytes]] = ({}, {})
    for value in follow(events):
        plain = accumulate_event(event=deepcopy(value), current_snapshot=plain, json_bufs=pieces[0])
        beta = accumulate_beta(
            event=deepcopy(value),
            current_snapshot=beta,
            json_bufs=pieces[1],
            request_headers=httpx2.Headers(),
        )
    message: dict[str, Any] = plain.to_dict(mode="json")
    assert beta.to_dict(mode="json") == message
    return message


def said(*chunks: bytes) -> dict[str, Any]:
    """Translate a stream that ends as it should; give the accumulated message."""
    events, translator = translate(chunks)
    assert (translator.finished, translator.failed, translator.error) == (True, False, None)
    return accumulated(events)
