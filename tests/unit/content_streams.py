"""Chat completions for clients of the Gemini API: one way to translate them, and the oracles."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any

from chat_streams import DONE, chunk, event
from google.genai import types
from openai.types import chat
from openai.types.chat.completion_create_params import CompletionCreateParamsStreaming
from pydantic import TypeAdapter
from translators import each, read_as, run, samples

from dolphin_logger.dialects._api import Answer
from dolphin_logger.proxy.translate import (
    TRANSLATIONS,
    StreamTranslator,
    Translated,
    TranslateOptions,
)

GEMINI_TO_CHAT = TRANSLATIONS["gemini", "openai.chat"]
THINKING = {"generationConfig": {"thinkingConfig": {"includeThoughts": True}}}
USAGE = {"prompt_tokens": 5, "completion_tokens": 9, "total_tokens": 14}
EVERY_RECORDING = each(samples("openai_chat/*.sse"))

_MESSAGES: dict[str, Any] = {
    "system": chat.ChatCompletionSystemMessageParam,
    "user": chat.ChatCompletionUserMessageParam,
    "assistant": chat.ChatCompletionAssistantMessageParam,
    "tool": chat.ChatCompletionToolMessageParam,
}
_PARTS: dict[str, Any] = {
    "text": chat.ChatCompletionContentPartTextParam,
    "image_url": chat.ChatCompletionContentPartImageParam,
    "input_audio": chat.ChatCompletionContentPartInputAudioParam,
    "file": chat.chat_completion_content_part_param.File,
}
_adapter = functools.cache(TypeAdapter)


# --- requests


def user(*parts: Any) -> dict[str, Any]:
    """Write a content of the user; text stands for a part of it."""
    return {"role": "user", "parts": [_part(part) for part in parts]}


def model(*parts: Any) -> dict[str, Any]:
    """Write a content of the model."""
    return {"role": "model", "parts": [_part(part) for part in parts]}


def _part(part: Any) -> Any:
    return {"text": part} if isinstance(part, str) else part


def calls(name: str, args: Any = None, **fields: Any) -> dict[str, Any]:
    """Write a part that calls a function."""
    return {"functionCall": {"name": name, "args": {} if args is None else args, **fields}}


def result(name: str, response: Any, **fields: Any) -> dict[str, Any]:
    """Write a part that answers a call."""
    return {"functionResponse": {"name": name, "response": response, **fields}}


def request(
    *contents: Any, name: str = "local", options: TranslateOptions | None = None, **fields: Any
) -> Translated:
    """Translate a request; OpenAI's types accept the result, and know all of its keys."""
    body = {"contents": list(contents) or [user("hi")], **fields}
    translated = GEMINI_TO_CHAT.request(body, model=name, options=options or TranslateOptions())
    assert_chat_request(translated.body)
    return translated


def messages(*contents: Any, **fields: Any) -> list[dict[str, Any]]:
    """Translate contents; give the messages."""
    found: list[dict[str, Any]] = request(*contents, **fields).body["messages"]
    return found


def assert_chat_request(body: Mapping[str, Any]) -> None:
    """Hold a request against OpenAI's types."""
    _adapter(CompletionCreateParamsStreaming).validate_python(body)
    assert body.keys() <= CompletionCreateParamsStreaming.__annotations__.keys() | {
        *chat.completion_create_params.CompletionCreateParamsBase.__annotations__
    }
    for message in body[
        "messages"
    ]:  # one by one: a list is checked when it is read, which is never
        _assert_type(message, _MESSAGES[message["role"]])
        content = message["content"]
        for part in content if isinstance(content, list) else ():
            _assert_type(part, _PARTS[part["type"]])
        for call in message.get("tool_calls", ()):
            _assert_type(call, chat.ChatCompletionMessageFunctionToolCallParam)
    for tool in body.get("tools", ()):
        _assert_type(tool, chat.ChatCompletionFunctionToolParam)


def _assert_type(value: Mapping[str, Any], type_: Any) -> None:
    _adapter(type_).validate_python(value)
    assert value.keys() <= type_.__annotations__.keys()


# --- answers


def translate(
    chunks: Iterable[bytes], *, request: dict[str, Any] | None = None
) -> tuple[list[bytes], StreamTranslator]:
    """Translate a stream; return the client's events and the translator."""
    return run(GEMINI_TO_CHAT, chunks, request)


def stream(*deltas: Any, reason: str | None = "stop", usage: Any = USAGE, **choice: Any) -> bytes:
    """Write a provider's whole stream."""
    said = [chunk(delta, choice=choice) for delta in deltas]
    last = chunk({}, choice={"finish_reason": reason})
    counts = event({"id": "c1", "model": "m", "choices": [], "usage": usage})
    return b"".join((*said, last, *((counts,) if usage else ()), DONE))


def payloads(events: Iterable[bytes]) -> list[dict[str, Any]]:
    """Read the client's events; Google's SDK reads them, too."""
    found = []
    for written in events:
        assert written.startswith(b"data: ")
        assert written.endswith(b"\r\n\r\n")
        found.append(json.loads(written[6:]))
        types.GenerateContentResponse.model_validate(found[-1])
    return found


def read(events: Iterable[bytes]) -> Answer:
    """Re-assemble the client's stream as the record does."""
    return read_as("gemini", events)


def answered(*deltas: Any, asked: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    """Translate a stream of these deltas; give the answer that it re-assembles to."""
    events, translator = translate([stream(*deltas, **fields)], request=asked)
    assert translator.finished
    payloads(events)
    answer = read(events)
    assert (answer.exact, answer.terminated, answer.error) == (True, True, None)
    assert answer.response is not None
    return answer.response


def candidate(*deltas: Any, **fields: Any) -> dict[str, Any]:
    """Translate; give the only candidate."""
    (found,) = answered(*deltas, **fields)["candidates"]
    return found


def parts(*deltas: Any, **fields: Any) -> list[dict[str, Any]]:
    """Translate; give the parts of the only candidate."""
    found: list[dict[str, Any]] = candidate(*deltas, **fields)["content"]["parts"]
    return found
