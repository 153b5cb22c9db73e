"""The results of tools: one content for the calls of one answer, in the order of the calls.

It knows results in both languages, and not the history around them. Invariant: an object goes out as
it is, anything else stands in one, because Gemini takes nothing but objects.

Source: https://ai.google.dev/api/caching#FunctionResponse.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dolphin_logger.proxy.translate.losses import Losses
from dolphin_logger.proxy.translate.openai_to_gemini.content import translate_user_content
from dolphin_logger.proxy.translate.openai_to_gemini.skeleton import Call
from dolphin_logger.proxy.translate.parts import Part


class Step:
    """The calls of one answer, and the content that takes their results.

    Attributes:
        calls: the `functionCall` of each, by its id.
        content: empty as long as there is no result.
    """

    def __init__(self, calls: Sequence[Call]) -> None:
        self.calls: dict[str, dict[str, Any]] = {
            call.id: call.part["functionCall"] for call in calls
        }
        self.content: dict[str, Any] = {"role": "user", "parts": []}
        self._order = list(self.calls)
        self._results: list[tuple[int, Part]] = []

    def add(self, call_id: str, part: Part) -> None:
        """Take the result of a call."""
        self._results.append((self._order.index(call_id), part))
        self._results.sort(key=lambda result: result[0])
        self.content["parts"] = [part for _, part in self._results]


def translate_result(
    message: Mapping[str, Any], call: Mapping[str, Any], *, place: str, losses: Losses
) -> Part:
    """Translate the message that answers a `functionCall`."""
    content = message.get("content")
    parts = [{"text": content}] if isinstance(content, str) else []
    if not isinstance(content, str | None):
        parts = translate_user_content(content, place=place, losses=losses)
    texts = [part["text"] for part in parts if "text" in part]
    media = [part for part in parts if "text" not in part]
    result = "" if not texts else texts[0] if len(texts) == 1 else texts
    key = "error" if message.get("is_error") is True else "result"
    response = _read_object(result) if isinstance(result, str) else None
    body = {"name": call["name"], "response": {key: result} if response is None else response}
    if "id" in call:
        body["id"] = call["id"]
    if media:
        body["parts"] = media
    return {"functionResponse": body}


def _read_object(text: str) -> dict[str, Any] | None:
    """Read a JSON object; None when it is none, or would not come out as it went in."""
    if not text.lstrip().startswith("{"):
        return None
    try:
        value = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
