"""Render: one record in full, for a person to read.

It knows the fields of a record; its dialect turns the bodies into words, and `transcript` words into
lines. A body that is no conversation is written as JSON, and so is everything that has no word.
Invariants: nothing of the record is missing; never raises, whatever was recorded.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dolphin_logger.cli.blocks import LINE, block, heading, pairs, pretty
from dolphin_logger.cli.output import neutralise, paint
from dolphin_logger.cli.summary import dialect_named, local_time
from dolphin_logger.cli.transcript import calls_by_id, join, write_message, write_tool
from dolphin_logger.dialects._api import Dialect
from dolphin_logger.journal.reader import StoredRecord


def render(record: StoredRecord, *, request: Any, response: Any) -> Iterator[str]:
    """Write the lines of one record; the bodies are handed in, parsed as exactly as can be."""
    yield from _facts(record)
    yield from _bodies(dialect_named(record.fields["dialect"]), request, response)
    if record.fields.get("unparsed"):
        yield "a body is nested too deeply to be shown: see --raw"
    raw = record.fields.get("raw") or {}
    for which in ("request", "response"):
        if raw.get(which) is not None:
            yield f"raw {which} kept: {len(raw[which]) * 3 // 4:,} bytes, see --raw {which}"


def render_provider(record: StoredRecord, *, request: Any, response: Any) -> Iterator[str]:
    """Write what a translated call looked like on the provider's side."""
    yield from _facts(record)
    yield from _bodies(dialect_named(record.fields["translation"]["to"]), request, response)


def render_answer(record: StoredRecord, *, request: Any, response: Any) -> Iterator[str]:
    """Write an answer alone; what it repeats of its request is spared."""
    yield from _said(dialect_named(record.fields["dialect"]), request, response)


def _facts(record: StoredRecord) -> Iterator[str]:
    fields = record.fields
    timing = fields["timing"]
    approximate = (
        " (time of the file: the original kept none)" if "time_approximate" in fields else ""
    )
    facts = {
        "id": record.id,
        "time": local_time(fields) + approximate,
        "model": fields["model"],
        "provider": join(" ", fields["provider"], fields["provider_model"]),
        "request id": fields["provider_request_id"],
        "call": join(
            " ", fields["dialect"], fields["path"], "streamed" if fields["stream"] else None
        ),
        "outcome": join(", ", fields["outcome"], fields["status"] and f"status {fields['status']}"),
        "error": fields["error"] and _error(fields["error"]),
        "tokens": join(
            ", ", *(f"{k[:-7]} {v:,}" for k, v in fields["usage"].items() if v is not None)
        ),
        "timing": join(", ", *(f"{k[:-3]} {v:g} ms" for k, v in timing.items() if v is not None)),
        **_client(fields["client"]),
        **_origin(fields.get("imported") or {}),
        "principal": fields["principal"],
        "publishable": fields["policy"]["publishable"],
        "lies at": f"{record.file}:{record.offset}",
    }
    for name, value in facts.items():
        if value is not None and value != "":
            yield _fact(name, str(value))
    for number, attempt in enumerate(fields["attempts"], 1):
        yield _fact(f"attempt {number}", _attempt(attempt))
    for side, headers in fields["headers"].items():
        for name, value in headers.items():
            yield _fact(side, f"{name}: {value}")
    yield from _translation(fields.get("translation") or {})


def _client(client: Mapping[str, Any]) -> dict[str, str]:
    """Say who asked; a sub-agent with the agent that started it."""
    parent = client.get("parent")
    tags = (f"{name} {_flat(value)}" for name, value in (client.get("tags") or {}).items())
    return {
        "client": join(
            ", ", client.get("name"), client.get("session") and f"session {client['session']}"
        ),
        "agent": join(" ", client.get("agent"), parent and f"(sub-agent of {parent})"),
        "tags": join(", ", *tags),
    }


def _translation(translation: Mapping[str, Any]) -> Iterator[str]:
    """Say into what the call was translated, and what did not come through."""
    if not translation:
        return
    yield _fact("translated", f"to {translation.get('to')}: --provider shows that side")
    for name in ("dropped", "changed"):
        for path in translation.get(name) or ():
            yield _fact(name, _flat(path))


def _origin(imported: Mapping[str, Any]) -> dict[str, Any]:
    """Say where an imported turn comes from; its request holds only what is new since `continues`."""
    return {
        "source": join(" ", imported.get("source"), imported.get("file")),
        "continues": imported.get("after"),
    }


def _fact(name: str, value: str) -> str:
    return f"{paint(f'{name:<12}', bold=True)}{neutralise(value)}"


def _error(error: Mapping[str, Any]) -> str:
    status = "" if error.get("status") is None else f" (status {error['status']})"
    return f"{error.get('kind')} at {error.get('at')}{status}: {error.get('message')}"


def _attempt(attempt: Mapping[str, Any]) -> str:
    error = attempt.get("error")
    result = f"status {attempt.get('status')}" if error is None else str(error)
    return f"{attempt.get('provider')}: {result}, {attempt.get('ms'):g} ms"


def _bodies(dialect: Dialect, request: Any, response: Any) -> Iterator[str]:
    """Write a request and its answer, whose calls the other may name."""
    yield heading("request")
    if isinstance(request, dict):
        yield from _request(dialect, request)
    else:
        yield from _plain(request)
    yield heading("answer")
    yield from _said(dialect, request, response)


def _said(dialect: Dialect, request: Any, response: Any) -> Iterator[str]:
    if isinstance(response, dict):
        yield from _answer(dialect, response, asked=request if isinstance(request, dict) else {})
    else:
        yield from _plain(response)


def _plain(body: Any) -> Iterator[str]:
    yield from block("no JSON body" if body is None else pretty(body), depth=1)


def _request(dialect: Dialect, request: dict[str, Any]) -> Iterator[str]:
    asked = dialect.read_request(request)
    if asked.rest:
        yield from block(pretty(asked.rest), depth=1)
    if asked.tools:
        yield paint(f"tools offered ({len(asked.tools)})", "cyan")
        for tool in asked.tools:
            yield from write_tool(tool)
    calls = calls_by_id(asked.messages)
    for number, message in enumerate(asked.messages, 1):
        yield from write_message(f"[{number}]", message, calls=calls)


def _answer(dialect: Dialect, response: dict[str, Any], *, asked: dict[str, Any]) -> Iterator[str]:
    answered = dialect.read_response(response)
    if not answered.choices:
        yield from block(pretty(response), depth=1)
        return
    calls = calls_by_id(choice.message for choice in answered.choices)
    for position, choice in enumerate(answered.choices):
        rest = dict(choice.rest)
        label = f"choice {neutralise(_flat(rest.pop('index', position)))}"
        yield from write_message(label, choice.message, calls=calls)
        yield from pairs({"finish_reason": choice.finish_reason, **rest}, depth=1)
    rest = {key: _unless_asked(key, value, asked) for key, value in answered.rest.items()}
    if rest:
        yield paint("besides", "cyan")
        yield from pairs(rest, depth=1)


def _unless_asked(key: str, value: Any, asked: Mapping[str, Any]) -> Any:
    """Spare what an answer repeats of its request at length, and say so."""
    try:
        repeated = value == asked.get(key) and len(_flat(value)) > LINE
        return "as in the request" if repeated else value
    except RecursionError:
        return value


def _flat(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
