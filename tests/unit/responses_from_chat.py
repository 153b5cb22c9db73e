"""Chat completions streamed for the unit tests, and OpenAI's own models of Responses as oracles."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, cast

from openai import omit
from openai._models import construct_type_unchecked
from openai.lib.streaming.responses._responses import ResponseStreamState
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter
from translators import read_as, run

from dolphin_logger.proxy.translate import (
    TRANSLATIONS,
    StreamTranslator,
    Translated,
    TranslateOptions,
)
from dolphin_logger.proxy.translate.responses_to_openai import ResponsesToOpenAI

RESPONSES_TO_CHAT = cast("ResponsesToOpenAI", TRANSLATIONS["openai.responses", "openai.chat"])
USAGE = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
_REQUESTS: TypeAdapter[Any] = TypeAdapter(CompletionCreateParamsStreaming)
_EVENTS: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)


# --- requests


def ask(body: Mapping[str, Any] | None = None, **options: Any) -> Translated:
    """Translate a request; the provider's must be one that OpenAI's SDK would send."""
    asked = {"model": "m", "input": "Hi", **(body or {})}
    before = json.dumps(asked)
    translated = RESPONSES_TO_CHAT.request(
        asked, model="local", options=TranslateOptions(**options)
    )
    assert json.dumps(asked) == before, "the client's request has changed"
    _REQUESTS.validate_python(translated.body)
    return translated


def messages(*items: Mapping[str, Any], **options: Any) -> list[dict[str, Any]]:
    """Translate items; return the provider's messages."""
    found: list[dict[str, Any]] = ask({"input": list(items)}, **options).body["messages"]
    return found


def user(text: str) -> dict[str, Any]:
    """Write what a user says."""
    return {"role": "user", "content": text}


def function_call(call_id: str, name: str = "f", arguments: str = "{}") -> dict[str, Any]:
    """Write a call as the client sends it back."""
    fields = {"call_id": call_id, "name": name, "arguments": arguments}
    return {"type": "function_call", "id": f"fc_{call_id}", "status": "completed", **fields}


def function_result(call_id: str, output: Any = "ok") -> dict[str, Any]:
    """Write the result of a call."""
    return {"type": "function_call_output", "call_id": call_id, "output": output}


# --- streams


def sse(value: Any) -> bytes:
    """Write one event of the provider."""
    return b"data: " + json.dumps(value).encode() + b"\n\n"


def chunk(delta: dict[str, Any] | None = None, **fields: Any) -> bytes:
    """Write one chunk; `reason` ends the choice, other fields stand beside the choices."""
    reason = fields.pop("reason", None)
    choice = {"index": 0, "delta": delta or {}, "finish_reason": reason}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 5, "model": "local-1"}
    return sse({**head, "choices": [choice], **fields})


def completion(*deltas: dict[str, Any], reason: str | None = "stop") -> bytes:
    """Write a whole streamed completion."""
    said = b"".join(chunk(delta) for delta in deltas)
    usage = chunk(reason=None, choices=[], usage=USAGE)
    first = chunk({"role": "assistant", "content": ""})
    return first + said + chunk(reason=reason) + usage + b"data: [DONE]\n\n"


def calling(*calls: tuple[str, str, str], size: int = 3) -> list[dict[str, Any]]:
    """Write deltas of calls (id, name, arguments), their arguments in pieces."""
    deltas: list[dict[str, Any]] = []
    for index, (call_id, name, arguments) in enumerate(calls):
        function = {"name": name, "arguments": ""}
        call = {"index": index, "id": call_id, "type": "function", "function": function}
        deltas.append({"tool_calls": [call]})
        for place in range(0, len(arguments), size):
            piece = {"arguments": arguments[place : place + size]}
            deltas.append({"tool_calls": [{"index": index, "function": piece}]})
    return deltas


def translate(
    chunks: Iterable[bytes], *, request: dict[str, Any] | None = None
) -> tuple[list[bytes], StreamTranslator]:
    """Translate a stream; return the client's events and the translator."""
    return run(RESPONSES_TO_CHAT, chunks, request)


def events_of(stream: bytes, *, request: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Translate a stream that ends well; return its events after every oracle has accepted them."""
    out, translator = translate([stream], request=request)
    assert translator.finished
    assert not translator.failed
    assert_accepted(out)
    return payloads(out)


def response_of(stream: bytes, *, request: dict[str, Any] | None = None) -> dict[str, Any]:
    """Translate a stream; return the response that its last event carries."""
    response: dict[str, Any] = events_of(stream, request=request)[-1]["response"]
    return response


def payloads(out: Iterable[bytes]) -> list[dict[str, Any]]:
    """Read the client's events, each named as its type says."""
    found = []
    for event in b"".join(out).split(b"\n\n")[:-1]:
        name, data = event.split(b"\n")
        value = json.loads(data.removeprefix(b"data: "))
        assert name == b"event: " + value["type"].encode()
        found.append(value)
    return found


def assert_accepted(out: Iterable[bytes]) -> None:
    """Let the SDK's models, its accumulator and our own decoder accept a client's stream."""
    out = list(out)
    values = payloads(out)
    assert [value["sequence_number"] for value in values] == list(range(len(values)))
    state: Any = ResponseStreamState(input_tools=omit, text_format=omit)
    for value in values:
        _validate(value)
        event: Any = construct_type_unchecked(value=value, type_=cast("Any", ResponseStreamEvent))
        state.handle_event(event)
    last = values[-1]["response"]
    Response.model_validate(_with_known_code(last))
    answer = read_as("openai.responses", out)
    assert answer.exact
    assert answer.terminated
    assert answer.response == last


def _validate(value: dict[str, Any]) -> None:
    if value["type"] == "response.function_call_arguments.done":
        value = {"name": "its model wants a name that OpenAI does not send", **value}
    elif value["type"] == "response.failed":
        value = {**value, "response": _with_known_code(value["response"])}
    _EVENTS.validate_python(value)


def _with_known_code(response: dict[str, Any]) -> dict[str, Any]:
    """Leave out the provider's own code: the model lists some, OpenAI itself sends others."""
    error = response["error"]
    return response if error is None else {**response, "error": {**error, "code": "server_error"}}
