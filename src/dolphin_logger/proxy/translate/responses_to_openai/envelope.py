"""The frame of a streamed response: numbered events, and the response object that some of them carry.

It knows what a response repeats of its request, and no output items. Invariants: ids follow from the
time and the provider's id and stay the same; numbers of events have no gaps; a token count is the
provider's, but for the details, where the language has no word for unknown and demands a number.

Source: https://platform.openai.com/docs/api-reference/responses/object.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.proxy.translate.json_text import write_json

_DEFAULTS: Final[dict[str, Any]] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "temperature": None,
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": None,
    "top_p": None,
    "truncation": "disabled",
}
_REASONING: Final = {"effort": None, "summary": None}
_TEXT: Final = {"format": {"type": "text"}}


class Envelope:
    """Writes the events of the answer to one request; `created` in Unix seconds."""

    def __init__(self, request: Mapping[str, Any], *, created: int) -> None:
        self.begun = False
        self._request = request
        self._created = created
        self._stem = ""
        self._fields: dict[str, Any] = {}
        self._number = 0

    def begin(self, completion: Mapping[str, Any]) -> list[bytes]:
        """Write the first events: who answers, and to what."""
        self.begun = True
        given = completion.get("id")
        name = given if isinstance(given, str) and given else uuid4().hex
        # with the time, because some servers count to a thousand only
        source = f"{self._created}:{name}".encode("utf-8", "surrogatepass")
        self._stem = hashlib.sha256(source).hexdigest()[:48]
        self._fields = self._repeat_request(completion)
        response = self.response("in_progress", output=[])
        return [
            self.write("response.created", {"response": response}),
            self.write("response.in_progress", {"response": response}),
        ]

    def item_id(self, prefix: str, *, position: int) -> str:
        """Make the id of an output item."""
        return f"{prefix}_{self._stem}{position:02x}"

    def write(self, kind: str, fields: Mapping[str, Any]) -> bytes:
        """Write the next event."""
        event = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return b"event: " + kind.encode() + b"\ndata: " + write_json(event) + b"\n\n"

    def response(self, status: str, *, output: list[Any], **fields: Any) -> dict[str, Any]:
        """Build the response object; `fields` are those that only its end knows."""
        return {**self._fields, "status": status, "output": output, **fields}

    def _repeat_request(self, completion: Mapping[str, Any]) -> dict[str, Any]:
        asked, model, tier = self._request, completion.get("model"), completion.get("service_tier")
        repeated = {
            key: default if asked.get(key) is None else asked[key]
            for key, default in _DEFAULTS.items()
        }
        return {
            "id": f"resp_{self._stem}",
            "object": "response",
            "created_at": self._created,
            **({"user": asked["user"]} if isinstance(asked.get("user"), str) else {}),
            "status": None,
            "background": False,
            "completed_at": None,
            "error": None,
            "incomplete_details": None,
            "model": model if isinstance(model, str) else asked.get("model") or "",
            "output": [],
            "previous_response_id": None,
            "reasoning": _REASONING | _object(asked.get("reasoning")),
            "service_tier": tier if isinstance(tier, str) and tier else None,
            "store": False,
            "text": _TEXT | _object(asked.get("text")),
            "usage": None,
            **repeated,
        }


def translate_usage(usage: Any) -> dict[str, Any] | None:
    """Translate token counts; None when one of the two is unknown."""
    if not isinstance(usage, dict):
        return None
    counted, total = DIALECTS["openai.chat"].usage({"usage": usage}), usage.get("total_tokens")
    prompt, completion = counted.input_tokens, counted.output_tokens
    if prompt is None or completion is None:
        return None
    return {
        "input_tokens": prompt,
        "input_tokens_details": {
            "cached_tokens": counted.cache_read_tokens or 0,
            "cache_write_tokens": counted.cache_write_tokens or 0,
        },
        "output_tokens": completion,
        "output_tokens_details": {"reasoning_tokens": counted.reasoning_tokens or 0},
        "total_tokens": total if type(total) is int else prompt + completion,
    }


def _object(value: Any) -> dict[str, Any]:
    """Give what an object says, without its nulls."""
    if not isinstance(value, dict):
        return {}
    return {key: part for key, part in value.items() if part is not None}
