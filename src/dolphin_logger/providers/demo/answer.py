"""The choices of one answer: text or calls, within the request's limits, with token counts.

It decides what is said and how it ends, not how it is written on the wire.
Invariant: the counts belong to what is sent, and never exceed the request's limit for text.
"""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from os import urandom
from random import Random
from typing import Any

from dolphin_logger.providers.demo.reading import Asked, objects, read_asked, text_of, topic_of
from dolphin_logger.providers.demo.shapes import Filler
from dolphin_logger.providers.demo.talk import say, think
from dolphin_logger.providers.demo.tools import Call, choose_calls, find_subjects

_MOST_CHOICES = 16
_THINKS = re.compile(r"\b(think|reason|reasoning|step by step)\b", re.IGNORECASE)


@dataclass(slots=True)
class Choice:
    """One of `n` answers."""

    reasoning: str = ""
    content: str | None = None
    calls: list[Call] = field(default_factory=list)
    finish_reason: str = "stop"


@dataclass(slots=True)
class Made:
    """A whole answer; `usage_wanted` says that a stream ends with its token counts."""

    id: str
    created: int
    model: str
    seed: int
    choices: list[Choice]
    usage: dict[str, Any]
    usage_wanted: bool


def make(request: dict[str, Any]) -> Made:
    """Answer a request."""
    asked = read_asked(request)
    n = request.get("n")
    count = n if isinstance(n, int) and 1 <= n <= _MOST_CHOICES else 1
    choices = [_make_choice(request, asked, seed=asked.seed + index) for index in range(count)]
    model = request.get("model")
    options = request.get("stream_options")
    return Made(
        id="chatcmpl-demo-" + urandom(12).hex(),
        created=int(time.time()),
        model=model if isinstance(model, str) else "demo",
        seed=asked.seed,
        choices=choices,
        usage=_count_usage(request, choices),
        usage_wanted=isinstance(options, dict) and options.get("include_usage") is True,
    )


def _make_choice(request: dict[str, Any], asked: Asked, *, seed: int) -> Choice:
    random = Random(seed)  # noqa: S311  # words, not keys
    choice = Choice()
    effort = request.get("reasoning_effort")
    if effort not in (None, "none") or _THINKS.search(asked.question):
        choice.reasoning = think(asked, random=random)
    choice.calls = choose_calls(request, asked)
    if choice.calls:
        choice.finish_reason = "tool_calls"
        return choice
    shaped = _shape(request.get("response_format"), asked)
    choice.content = say(asked, random=random) if shaped is None else shaped
    _stop_at(choice, request.get("stop"))
    _limit(choice, request.get("max_completion_tokens", request.get("max_tokens")))
    return choice


def _shape(wanted: Any, asked: Asked) -> str | None:
    """Write JSON where `response_format` asks for it."""
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    subject = find_subjects(asked.question)[0]
    value: Any
    if kind == "json_schema":
        described = wanted.get("json_schema")
        schema = described.get("schema") if isinstance(described, dict) else None
        value = Filler(schema, subject, asked.question).fill(schema or {"type": "object"})
    elif kind == "json_object":
        topic = topic_of(asked.question)
        value = {"topic": topic, "answer": f"In short, about {subject}.", "confidence": 0.8}
    else:
        return None
    return json.dumps(value, ensure_ascii=False)


def _stop_at(choice: Choice, stop: Any) -> None:
    """Cut the text before the first of the stop sequences."""
    sequences = [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []
    text = choice.content or ""
    found = [text.find(part) for part in sequences if isinstance(part, str) and part]
    places = [place for place in found if place >= 0]
    if places:
        choice.content = text[: min(places)]


def _limit(choice: Choice, limit: Any) -> None:
    """Cut reasoning, then text, to a number of tokens."""
    if not isinstance(limit, int) or isinstance(limit, bool) or limit < 1:
        return
    words = limit * 3 // 4
    for name in ("reasoning", "content"):
        text = getattr(choice, name) or ""
        pieces = re.findall(r"\s*\S+\s*", text)
        if len(pieces) > words:
            setattr(choice, name, "".join(pieces[:words]).rstrip())
            choice.finish_reason = "length"
        words = max(0, words - len(pieces))


def count_tokens(text: str) -> int:
    """Estimate: four tokens for three words."""
    return -(-len(text.split()) * 4 // 3)


def _count_usage(request: dict[str, Any], choices: list[Choice]) -> dict[str, Any]:
    messages = objects(request.get("messages"))
    prompt = sum(count_tokens(text_of(message)) + 4 for message in messages)
    prompt += sum(12 for _ in objects(request.get("tools")))
    written = reasoning = 0
    for choice in choices:
        # one count for both, so that rounding twice cannot exceed a limit
        written += count_tokens(f"{choice.reasoning} {choice.content or ''}")
        written += sum(count_tokens(call.arguments) + 6 for call in choice.calls)
        reasoning += len(choice.reasoning.split()) * 4 // 3
    return {
        "prompt_tokens": prompt,
        "completion_tokens": written,
        "total_tokens": prompt + written,
        "prompt_tokens_details": {"cached_tokens": 0},
        "completion_tokens_details": {"reasoning_tokens": reasoning},
    }
