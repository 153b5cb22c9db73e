"""Gemini's answers for the tests of their translation, and both vendors' SDKs as oracles."""

from __future__ import annotations

import json
from collections.abc import Iterable
from copy import deepcopy
from typing import Any

import pytest
from gemini_streams import chunk, events
from google.genai import types
from translated_streams import openai_accumulates, payloads
from translators import each, run, samples

from dolphin_logger.errors import RequestError
from dolphin_logger.proxy.translate import (
    TRANSLATIONS,
    StreamTranslator,
    Translated,
    TranslateOptions,
)

CHAT_TO_GEMINI = TRANSLATIONS["openai.chat", "gemini"]
HELLO = {"role": "user", "content": "hi"}
USER = {"role": "user", "parts": [{"text": "hi"}]}
PIXEL = "iVBORw0KGgo="
INLINE = {"inlineData": {"mimeType": "image/png", "data": PIXEL}}
SCHEMA = {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {}}}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
WHO = {"responseId": "r1", "modelVersion": "gemini-x"}
_BODY = {
    "cachedContent",
    "contents",
    "continuationToken",
    "generationConfig",
    "labels",
    "safetySettings",
    "serviceTier",
    "systemInstruction",
    "toolConfig",
    "tools",
}


EVERY_RECORDING = each(samples("gemini/*.sse"))

# --- requests


def assert_accepted(body: dict[str, Any]) -> None:
    """Hold a body against the SDK's types, which forbid what they do not know."""
    assert body.keys() <= _BODY
    for content in body["contents"]:
        types.Content.model_validate(content)
        assert content["role"] in ("user", "model")
        assert content["parts"]
    if "systemInstruction" in body:
        types.Content.model_validate(body["systemInstruction"])
    for tool in body.get("tools", ()):
        types.Tool.model_validate(tool)
    if "toolConfig" in body:
        types.ToolConfig.model_validate(body["toolConfig"])
    if "generationConfig" in body:
        config = dict(body["generationConfig"])
        config.pop("imageConfig", None)  # the SDK puts it there without a type for it
        types.GenerationConfig.model_validate(config)
    json.dumps(body)


def translated(
    *messages: Any, model: str = "gemini-3-flash", recall: Any = None, **keys: Any
) -> Translated:
    """Translate a request; it stays as it is, and the SDK accepts the result."""
    body = {"model": "alias", "messages": list(messages) or [HELLO], **keys}
    before = deepcopy(body)
    options = TranslateOptions(recall=recall) if recall else TranslateOptions()
    result = CHAT_TO_GEMINI.request(body, model=model, options=options)
    assert body == before
    assert_accepted(result.body)
    return result


def carried(*messages: Any, **keys: Any) -> dict[str, Any]:
    """Translate a request that nothing may be lost of; give its body."""
    result = translated(*messages, **keys)
    assert (result.dropped, result.changed) == ([], [])
    return result.body


def config_of(**keys: Any) -> dict[str, Any]:
    """Translate keys that nothing may be lost of; give the `generationConfig`."""
    found: dict[str, Any] = carried(**keys).get("generationConfig", {})
    return found


def refused(*messages: Any, **keys: Any) -> RequestError:
    """Translate what has to be refused."""
    body = {"model": "alias", "messages": list(messages) or [HELLO], **keys}
    with pytest.raises(RequestError) as caught:
        CHAT_TO_GEMINI.request(body, model="gemini-3-flash", options=TranslateOptions())
    assert (caught.value.status, caught.value.kind) == (400, "untranslatable")
    return caught.value


def dropped(**keys: Any) -> list[str]:
    """Translate; give what was dropped, when nothing was changed."""
    result = translated(**keys)
    assert result.changed == []
    return result.dropped


def asked(call_id: str = "c1", name: str = "f", arguments: str = "{}", **extra: Any) -> Any:
    """Make a call as a client sends it back."""
    return {
        "id": call_id,
        "type": "function",
        "function": {"name": name, "arguments": arguments},
        **extra,
    }


def assistant(*calls: Any, content: Any = None, **keys: Any) -> dict[str, Any]:
    """Make an assistant's message with calls."""
    return {"role": "assistant", "content": content, "tool_calls": list(calls), **keys}


def result(content: Any = "ok", call_id: str = "c1", **keys: Any) -> dict[str, Any]:
    """Make a tool's message."""
    return {"role": "tool", "tool_call_id": call_id, "content": content, **keys}


def contents(*messages: Any, model: str = "gemini-2.5-pro", **keys: Any) -> list[dict[str, Any]]:
    """Translate a history that nothing may be lost of."""
    return list(carried(*messages, model=model, **keys)["contents"])


# --- answers


def said(*parts: Any, index: int | None = None, **fields: Any) -> bytes:
    """Write an event with these parts."""
    return events({**chunk(*parts, index=index, **fields), **WHO})


def end(*parts: Any, reason: str = "STOP", **fields: Any) -> bytes:
    """Write the last event."""
    return said(*parts, finishReason=reason, **fields)


def counted(**counts: Any) -> bytes:
    """Write an event with token counts alone."""
    return events({"usageMetadata": counts, **WHO})


def translate(
    chunks: Iterable[bytes], *, request: dict[str, Any] | None = None
) -> tuple[list[bytes], StreamTranslator]:
    """Translate a stream; return the client's events and the translator."""
    return run(CHAT_TO_GEMINI, chunks, request)


def deltas(*pieces: bytes) -> list[dict[str, Any]]:
    """Translate an answer that ends well; return the deltas between the role and the end."""
    out, translator = translate(pieces)
    assert translator.finished
    assert not translator.failed
    assert out[-1] == b"data: [DONE]\n\n"
    found = [payload["choices"][0]["delta"] for payload in payloads(out)]
    assert found[0] == {"role": "assistant", "content": ""}
    assert found[-1] == {}
    openai_accumulates(out)
    return found[1:-1]


def message(*pieces: bytes) -> dict[str, Any]:
    """Give the message that OpenAI's SDK accumulates from the translation, without what is empty."""
    out, translator = translate(pieces)
    assert translator.finished
    found = openai_accumulates(out)["choices"][0]["message"]
    return {key: value for key, value in found.items() if value is not None}


def reason(*pieces: bytes) -> str:
    """Give the finish reason of the translation."""
    out, translator = translate(pieces)
    assert translator.finished
    return str(openai_accumulates(out)["choices"][0]["finish_reason"])


def call(name: str = "f", **fields: Any) -> dict[str, Any]:
    """Make the part of a call."""
    signature = fields.pop("signature", None)
    part: dict[str, Any] = {"functionCall": {"name": name, **fields}}
    return part if signature is None else {**part, "thoughtSignature": signature}
