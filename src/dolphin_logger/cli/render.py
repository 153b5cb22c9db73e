"""Render: one record in full, for a person to read.

It knows the shapes of chat messages, their parts and tool calls; whatever it does not know it
writes as JSON, so that nothing of the record is missing. Only bytes of pictures, sounds and files
are replaced by a note of their kind and size.
Invariants: recorded text is neutralised and indented, so that it can fake neither a control
sequence nor a heading; never raises, whatever was recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from dolphin_logger.cli.output import neutralise, paint
from dolphin_logger.cli.summary import local_time
from dolphin_logger.journal.reader import StoredRecord

_INDENT = "  "
_DATA_URL = re.compile(r"data:([^;,\s]*)(?:;[^,\s]*)?;base64,([A-Za-z0-9+/_=-]*)")
_BASE64 = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9+/_-]{256,}={0,2}")
_TEXT_PARTS = {"text", "input_text", "output_text", "summary_text", "reasoning_text"}
_REASONING = ("reasoning_content", "reasoning", "thinking")


def render(record: StoredRecord, *, request: Any, response: Any) -> Iterator[str]:
    """Write the lines of one record; the bodies are handed in, parsed as exactly as can be."""
    yield from _facts(record)
    yield from _request(request)
    yield from _answer(response)
    if record.fields.get("unparsed"):
        yield "a body is nested too deeply to be shown: see --raw"
    raw = record.fields.get("raw") or {}
    for which in ("request", "response"):
        if raw.get(which) is not None:
            yield f"raw {which} kept: {len(raw[which]) * 3 // 4:,} bytes, see --raw {which}"


def _facts(record: StoredRecord) -> Iterator[str]:
    fields = record.fields
    timing, client = fields["timing"], fields["client"]
    approximate = (
        " (time of the file: the original kept none)" if "time_approximate" in fields else ""
    )
    facts = {
        "id": record.id,
        "time": local_time(fields) + approximate,
        "model": fields["model"],
        "provider": _join(" ", fields["provider"], fields["provider_model"]),
        "request id": fields["provider_request_id"],
        "call": _join(
            " ", fields["dialect"], fields["path"], "streamed" if fields["stream"] else None
        ),
        "outcome": _join(
            ", ", fields["outcome"], fields["status"] and f"status {fields['status']}"
        ),
        "error": fields["error"] and _error(fields["error"]),
        "tokens": _join(
            ", ", *(f"{k[:-7]} {v:,}" for k, v in fields["usage"].items() if v is not None)
        ),
        "timing": _join(", ", *(f"{k[:-3]} {v:g} ms" for k, v in timing.items() if v is not None)),
        "client": _join(", ", *(f"{k} {_flat(v)}" for k, v in client.items() if v)),
        "principal": fields["principal"],
        "publishable": None
        if fields["policy"]["publishable"] is None
        else fields["policy"]["publishable"],
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


def _fact(name: str, value: str) -> str:
    return f"{paint(f'{name:<12}', bold=True)}{neutralise(value)}"


def _error(error: Mapping[str, Any]) -> str:
    status = "" if error.get("status") is None else f" (status {error['status']})"
    return f"{error.get('kind')} at {error.get('at')}{status}: {error.get('message')}"


def _attempt(attempt: Mapping[str, Any]) -> str:
    error = attempt.get("error")
    result = f"status {attempt.get('status')}" if error is None else str(error)
    return f"{attempt.get('provider')}: {result}, {attempt.get('ms'):g} ms"


def _request(request: Any) -> Iterator[str]:
    yield _heading("request")
    if not isinstance(request, dict):
        yield from _block("no JSON body" if request is None else _pretty(request))
        return
    rest = dict(request)
    tools = [*_taken_list(rest, "tools"), *_taken_list(rest, "functions")]
    messages = _taken_list(rest, "messages")
    if rest:
        yield from _block(_pretty(rest))
    if tools:
        yield paint(f"tools offered ({len(tools)})", "cyan")
        for tool in tools:
            yield from _tool(tool)
    for number, message in enumerate(messages, 1):
        yield from _message(f"[{number}]", message)


def _answer(response: Any) -> Iterator[str]:
    yield _heading("answer")
    choices = response.get("choices") if isinstance(response, dict) else None
    if not isinstance(choices, list) or not isinstance(response, dict):
        yield from _block("no JSON body" if response is None else _pretty(response))
        return
    for position, choice in enumerate(choices):
        if not isinstance(choice, dict):
            yield from _block(_pretty(choice))
            continue
        rest = dict(choice)
        yield from _message(f"choice {rest.pop('index', position)}", rest.pop("message", None))
        if isinstance(rest.get("logprobs"), dict):
            tokens = rest.pop("logprobs").get("content")
            count = len(tokens) if isinstance(tokens, list) else 0
            yield f"{_INDENT}log-probabilities of {count} tokens: see --json"
        yield from _pairs(rest)
    yield from _pairs({key: value for key, value in response.items() if key != "choices"})


def _message(label: str, message: Any) -> Iterator[str]:
    """One message: who speaks, then reasoning, text, refusal, calls, and every other key."""
    if not isinstance(message, dict):
        yield paint(label, "cyan")
        yield from _block(_pretty(message))
        return
    rest = dict(message)
    role = str(rest.pop("role", "?"))
    about = _join(
        " ", role, *(f"{k} {rest.pop(k)}" for k in ("name", "tool_call_id") if rest.get(k))
    )
    yield paint(f"{label} {neutralise(about)}", "cyan", bold=True)
    for key in _REASONING:
        if isinstance(rest.get(key), str):
            yield paint(f"{_INDENT}reasoning:", "magenta")
            yield from _block(rest.pop(key), depth=2)
    yield from _content(rest.pop("content", None))
    if isinstance(rest.get("refusal"), str):
        yield paint(f"{_INDENT}refusal:", "red")
        yield from _block(rest.pop("refusal"), depth=2)
    for call in _taken_list(rest, "tool_calls"):
        yield from _call(call)
    if isinstance(rest.get("function_call"), dict):
        yield from _call({"function": rest.pop("function_call")})
    yield from _pairs(rest)


def _content(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield from _block(content)
    elif isinstance(content, list):
        for part in content:
            yield from _part(part)
    elif content is not None:
        yield from _block(_pretty(content))


def _part(part: Any) -> Iterator[str]:
    if not isinstance(part, dict):
        yield from _block(part if isinstance(part, str) else _pretty(part))
        return
    kind = part.get("type", "text" if "text" in part else None)
    if kind in _TEXT_PARTS and isinstance(part.get("text"), str):
        yield from _block(part["text"])
        yield from _pairs(
            {key: value for key, value in part.items() if key not in {"type", "text"}}
        )
    elif kind == "tool_use":
        yield from _call(part)
    elif kind == "tool_result":
        yield paint(f"{_INDENT}tool result {neutralise(str(part.get('tool_use_id')))}:", "yellow")
        yield from _content(part.get("content"))
    else:
        yield paint(f"{_INDENT}[{neutralise(str(kind))}]", "yellow")
        yield from _block(
            _pretty({key: value for key, value in part.items() if key != "type"}), depth=2
        )


def _call(call: Any) -> Iterator[str]:
    """A tool call: function, custom, or a vendor's own; with its id and its arguments, unfolded."""
    if not isinstance(call, dict):
        yield from _block(_pretty(call))
        return
    rest = dict(call)
    kind = rest.pop("type", "function")
    inner = rest.pop(kind, None) if isinstance(kind, str) else None
    inner = dict(inner) if isinstance(inner, dict) else rest.pop("function", None) or {}
    called = {**rest, **inner} if isinstance(inner, dict) else rest
    name, identity = called.pop("name", "?"), called.pop("id", None)
    about = _join(" ", name, identity and f"id {identity}", kind if kind != "function" else None)
    yield paint(f"{_INDENT}tool call {neutralise(about)}", "yellow")
    for key in ("arguments", "input"):
        if key in called:
            yield from _block(_unfolded(called.pop(key)), depth=2)
    called.pop("index", None)
    yield from _pairs(called)


def _tool(tool: Any) -> Iterator[str]:
    inner = tool.get("function", tool) if isinstance(tool, dict) else None
    if not isinstance(inner, dict) or "name" not in inner:
        yield from _block(_pretty(tool))
        return
    rest = {key: value for key, value in inner.items() if key != "name"}
    yield paint(f"{_INDENT}{neutralise(str(inner['name']))}", "yellow")
    yield from _block(_pretty(rest), depth=2)


def _pairs(rest: Mapping[str, Any]) -> Iterator[str]:
    """Every other key that holds something, as JSON."""
    for key, value in rest.items():
        if value not in (None, [], {}):
            text = value if isinstance(value, str) else _pretty(value)
            yield from _block(f"{key}: {text}")


def _block(text: str, *, depth: int = 1) -> Iterator[str]:
    for line in neutralise(text, keep_newlines=True).split("\n"):
        yield f"{_INDENT * depth}{line}"


def _heading(name: str) -> str:
    return paint(f"── {name} " + "─" * (60 - len(name)), "blue")


def _unfolded(arguments: Any) -> str:
    """Write arguments as indented JSON; what is not JSON stays the text that it is."""
    if not isinstance(arguments, str):
        return _pretty(arguments)
    try:
        return _pretty(json.loads(arguments))
    except (ValueError, RecursionError):
        return arguments


def _pretty(value: Any) -> str:
    try:
        return json.dumps(_without_bytes(value), indent=2, ensure_ascii=False)
    except RecursionError:
        return "nested too deeply to write here: see --raw"


def _without_bytes(value: Any) -> Any:
    """Replace what is only bytes in text form by a note of its kind and size."""
    if isinstance(value, dict):
        return {key: _without_bytes(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_bytes(item) for item in value]
    if not isinstance(value, str):
        return value
    data = _DATA_URL.fullmatch(value)
    if data is not None:
        return f"[{data[1] or 'data'}, {_decoded_size(data[2]):,} bytes]"
    if _BASE64.fullmatch(value):
        return f"[base64, {_decoded_size(value):,} bytes]"
    return value


def _decoded_size(text: str) -> int:
    return len(text.rstrip("=")) * 3 // 4


def _taken_list(fields: dict[str, Any], key: str) -> list[Any]:
    """Take a list out of the fields; leave what is no list where it is."""
    return fields.pop(key) if isinstance(fields.get(key), list) else []


def _join(separator: str, *parts: object) -> str:
    return separator.join(str(part) for part in parts if part)


def _flat(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
