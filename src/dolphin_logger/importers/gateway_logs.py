"""Logs of other gateways, JSONL of whole calls: LiteLLM's standard payload, Helicone's export.

Each line holds a request with its whole history, so no turn follows another. The wire language is
told by the shape of the bodies. They know no records of ours.
Invariant: what stands in a body is taken over as it is.

Source: https://docs.litellm.ai/docs/proxy/logging_spec; Helicone `examples/export/typescript`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dolphin_logger.exchange import Client, Outcome
from dolphin_logger.importers._api import Content, Item, Turn, Unknown
from dolphin_logger.importers._elements import elements
from dolphin_logger.importers._fields import (
    as_list,
    as_object,
    as_text,
    moment,
    parse,
    read_lines,
    text_of,
)
from dolphin_logger.importers._shapes import completion


@dataclass(slots=True)
class GatewayLogs:
    """Reads logs that a gateway wrote, one call per line or in one array."""

    name: str
    keys: frozenset[str]
    turn: Callable[[dict[str, Any], str], Turn | None]
    automatic: bool = False

    def find(self, user: Path, env: Mapping[str, str]) -> Iterator[Path]:
        """Name nothing: a gateway writes where its operator told it to."""
        yield from ()

    def claims(self, head: bytes, name: str) -> bool:
        """Tell a log by the keys of its first call."""
        return head.lstrip()[:1] in b"[{" and all(
            b'"%s"' % key.encode() in head for key in self.keys
        )

    def read(self, content: Content) -> Iterator[Item]:
        """Decode one file."""
        for number, call in enumerate(_calls(content)):
            if isinstance(call, Unknown):
                yield call
                continue
            yield self.turn(call, str(number)) or Unknown("no call")


def _calls(content: Content) -> Iterator[dict[str, Any] | Unknown]:
    if content.data[:64].lstrip()[:1] == b"[":
        yield from elements(content.data)
        return
    for line in read_lines(content):
        yield line if isinstance(line, Unknown) else line.fields


def _litellm(call: dict[str, Any], number: str) -> Turn | None:
    messages = call.get("messages")
    model = text_of(call, "model")
    if isinstance(messages, str):
        messages = [{"role": "user", "content": messages}]
    if not isinstance(messages, list):
        return None
    given = as_object(call.get("model_parameters"))
    request = {"model": model, **given, "messages": messages}
    answer = call.get("response")
    if isinstance(answer, str):
        answer = completion({"role": "assistant", "content": answer}, model=model)
    session = text_of(call, "session_id", "trace_id") or ""
    failed = call.get("status") == "failure"
    return Turn(
        session=session,
        line=text_of(call, "id", "litellm_call_id") or number,
        after=None,
        dialect=_dialect(request, as_object(answer)),
        request=request,
        response=as_object(answer) or None,
        time_ns=moment(call.get("startTime")),
        model=model,
        client=Client("litellm", session or None),
        outcome=Outcome.PROVIDER_ERROR if failed else Outcome.COMPLETED,
    )


def _helicone(call: dict[str, Any], number: str) -> Turn | None:
    request = _body(call.get("request_body"))
    if not request:
        return None
    answer = _body(call.get("response_body"))
    properties = as_object(call.get("request_properties")) or as_object(call.get("properties"))
    session = text_of(properties, "Helicone-Session-Id") or ""
    status = call.get("response_status")
    failed = isinstance(status, int) and status >= 400
    return Turn(
        session=session,
        line=text_of(call, "request_id", "response_id") or number,
        after=None,
        dialect=_dialect(request, answer),
        request=request,
        response=answer or None,
        time_ns=moment(call.get("request_created_at")),
        model=text_of(call, "request_model", "model_override") or text_of(request, "model"),
        client=Client("helicone", session or None),
        outcome=Outcome.PROVIDER_ERROR if failed else Outcome.COMPLETED,
    )


def _body(value: Any) -> dict[str, Any]:
    """Give a body; some exports hold it as a text."""
    text = as_text(value)
    return as_object(value if text is None else parse(text.encode("utf-8", "surrogatepass")))


def _dialect(request: Mapping[str, Any], answer: Mapping[str, Any]) -> str:
    """Tell a wire language by the shape of its bodies."""
    if "contents" in request or "candidates" in answer:
        return "gemini"
    if "input" in request or answer.get("object") == "response":
        return "openai.responses"
    if answer.get("type") == "message" or "system" in request:
        return "anthropic.messages"
    for message in map(as_object, as_list(request.get("messages"))):
        kinds = {as_object(part).get("type") for part in as_list(message.get("content"))}
        if kinds & {"tool_use", "tool_result"}:
            return "anthropic.messages"
    return "openai.chat"


LITELLM = GatewayLogs("litellm", frozenset({"messages", "response", "call_type"}), _litellm)
HELICONE = GatewayLogs("helicone", frozenset({"request_body", "response_body"}), _helicone)
