"""Versions: older records in the shape of today's, one converter per step.

Version 0 is what the original program wrote: `{"request": ..., "response": ...}`, where the
response is the bare text of the answer or the whole object. It knows shapes, not files.
Invariant: the same line of the same file always gets the same id; what was never written is
unknown (None), and a time that is a guess says so.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from dolphin_logger.errors import RecordError
from dolphin_logger.exchange import Client, Outcome
from dolphin_logger.journal.format import VERSION, format_time
from dolphin_logger.messages import Usage

_ORIGINAL = uuid.UUID("5f0d6a0e-0c1f-5c57-9d0b-6d8a3c1f7e42")  # our namespace for ids of version 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a line lies: its file's name, the offset in bytes and the file's time (ns)."""

    name: str
    offset: int
    modified_ns: int


def upgrade(fields: dict[str, Any], *, place: Place) -> dict[str, Any]:
    """Bring the fields of a decoded line to the current version.

    Raises:
        RecordError: the line is JSON but no record of any version.
    """
    for step in _STEPS[fields.get("v", 0) :]:
        fields = step(fields, place)
    return fields


def original_id(place: Place) -> str:
    """Name a line of the original program: uuid5 (RFC 9562) of file name and offset."""
    return str(uuid.uuid5(_ORIGINAL, f"{place.name}:{place.offset}"))


def _from_original(fields: dict[str, Any], place: Place) -> dict[str, Any]:
    if "request" not in fields:
        raise RecordError(
            "not a record: neither a version nor the original's keys request, response"
        )
    request = fields["request"]
    asked = request if isinstance(request, dict) else {}
    model = asked.get("model") if isinstance(asked.get("model"), str) else None
    return {
        "v": 1,
        "id": original_id(place),
        "seq": None,
        "time": format_time(place.modified_ns),
        "time_approximate": True,
        "request": request,
        "response": _as_completion(fields.get("response"), model),
        "dialect": "openai.chat",
        "path": "/v1/chat/completions",
        "stream": asked.get("stream") is True,
        "model": model,
        "provider": None,
        "provider_model": None,
        "provider_request_id": None,
        "status": None,
        "outcome": Outcome.COMPLETED.value,
        "error": None,
        "attempts": [],
        "usage": asdict(Usage()),
        "timing": {"first_byte_ms": None, "total_ms": None},
        "client": asdict(Client()),
        "headers": {"request": {}, "response": {}},
        "policy": {"record": "full", "publishable": None},
        "principal": None,
    }


def _as_completion(response: Any, model: str | None) -> Any:
    """Put bare text where a chat completion has it; leave everything else as it was written."""
    if not isinstance(response, str):
        return response
    message = {"role": "assistant", "content": response}
    return {
        "object": "chat.completion",
        "model": model,
        "choices": [{"index": 0, "message": message, "finish_reason": None}],
    }


_STEPS: tuple[Callable[[dict[str, Any], Place], dict[str, Any]], ...] = (_from_original,)
if len(_STEPS) != VERSION:
    raise AssertionError("journal/versions.py needs one converter for each version before VERSION")
