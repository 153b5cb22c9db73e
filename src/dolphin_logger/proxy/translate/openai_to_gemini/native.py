"""Gemini's own keys in a chat completion request.

Google's compatible endpoint takes them as `extra_body.google`; OpenAI's SDK also puts the contents of
its `extra_body` argument at the top. It knows their names, in both spellings, and not what they mean.
Invariant: a key that Gemini does not know is named as dropped, one that OpenAI knows is OpenAI's.

Source: https://ai.google.dev/api/generate-content and https://ai.google.dev/gemini-api/docs/openai.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from dolphin_logger.proxy.translate.chat_request import ChatRequest

_BODY: Final = frozenset(
    (
        *("cachedContent", "continuationToken", "labels", "modelArmorConfig", "safetySettings"),
        *("serviceTier", "store", "systemInstruction", "toolConfig", "tools"),
    )
)
_CONFIG: Final = frozenset(
    (
        *("audioTimestamp", "audioTranscriptionConfig", "enableAffectiveDialog"),
        *("enableEnhancedCivicAnswers", "frequencyPenalty", "imageConfig", "logprobs"),
        *("maxOutputTokens", "mediaResolution", "modelSelectionConfig", "presencePenalty"),
        *("responseFormat", "responseJsonSchema", "responseLogprobs", "responseMimeType"),
        *("responseModalities", "responseSchema", "routingConfig", "seed", "speechConfig"),
        *("stopSequences", "temperature", "thinkingConfig", "topK", "topP", "translationConfig"),
    )
)
_OPENAIS: Final = frozenset(  # the same names at the top of a request are OpenAI's
    (
        *("frequency_penalty", "logprobs", "presence_penalty", "response_format", "seed"),
        *("service_tier", "store", "temperature", "tools", "top_p"),
    )
)
_GENERATION: Final = "generationConfig"
_UNDERSCORE: Final = re.compile(r"_([a-z])")


@dataclass(slots=True)
class NativeKeys:
    """What a client says in Gemini's words, spelled as Gemini does."""

    body: dict[str, Any] = field(default_factory=dict)
    config: dict[str, Any] = field(default_factory=dict)


def take_native(asked: ChatRequest) -> NativeKeys:
    """Take Gemini's keys out of a request; of one that stands twice, the one further out counts."""
    found = NativeKeys()
    extra = asked.left.get("extra_body")
    if isinstance(extra, dict):
        asked.take("extra_body")
        for key, value in extra.items():
            if key == "google" and isinstance(value, dict):
                _sort(value, found, asked, inside="extra_body.google.")
            elif value is not None:
                asked.losses.drop(f"extra_body.{key}")
    if isinstance(asked.left.get("google"), dict):
        _sort(asked.take("google"), found, asked, inside="google.")
    own = {
        key: asked.take(key)
        for key in list(asked.left)
        if key not in _OPENAIS and _camel(key) in _BODY | _CONFIG | {_GENERATION}
    }
    _sort(own, found, asked, inside="")
    return found


def _sort(keys: Mapping[str, Any], found: NativeKeys, asked: ChatRequest, *, inside: str) -> None:
    for key, value in keys.items():
        name = _camel(key)
        if value is None:
            continue
        if name in _BODY:
            found.body[name] = value
        elif name in _CONFIG:
            found.config[name] = value
        elif name == _GENERATION and isinstance(value, dict):
            _sort(value, found, asked, inside=f"{inside}{key}.")
        else:
            asked.losses.drop(f"{inside}{key}")


def _camel(key: str) -> str:
    return _UNDERSCORE.sub(lambda match: match[1].upper(), key)
