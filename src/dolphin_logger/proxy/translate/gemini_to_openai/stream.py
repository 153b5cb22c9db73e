"""A streamed chat completion, as the events of Gemini's `streamGenerateContent?alt=sse`.

It knows the events of Gemini; reading is the business of `from_chat`. Text leaves as it comes. Calls
leave whole and at the end, because only the end says that their arguments are complete.
Invariants: all events have the same id and model; the last one, and no other, has a finish reason and
counts, as far as the provider gave them; arguments that are no JSON object are never sent as a call.

Source: https://ai.google.dev/api/generate-content#v1beta.GenerateContentResponse.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.errors import RequestError
from dolphin_logger.proxy.translate.gemini_to_openai.faults import status_of, write_error
from dolphin_logger.proxy.translate.gemini_to_openai.generation import includes_thoughts
from dolphin_logger.proxy.translate.gemini_to_openai.tools import client_names
from dolphin_logger.proxy.translate.gemini_to_openai.words import (
    finish_reason,
    translate_log_probabilities,
    translate_usage,
)
from dolphin_logger.proxy.translate.json_text import parse_arguments, write_json

_EVENT: Final = b'data: {"candidates":['
_END: Final = b"\r\n\r\n"
_MALFORMED: Final = "MALFORMED_FUNCTION_CALL"
_LINE_ENDS: Final = "\u2028".encode()[:2]  # how U+2028, U+2029 and some others begin


class _Call:
    """A call that grows."""

    __slots__ = ("arguments", "id", "name")

    def __init__(self, *, id: str, name: str) -> None:  # noqa: A002 - the name that both languages use
        self.id = id
        self.name = name
        self.arguments: list[str] = []

    def part(self) -> bytes:
        """Write the call.

        Raises:
            RequestError: its arguments are no JSON object.
        """
        value = parse_arguments("".join(self.arguments), of=self.name, at="functionCall.args")
        return write_json({"functionCall": {"id": self.id, "name": self.name, "args": value}})


class ContentEvents:
    """Implements `ChatListener` and `LogProbabilityListener`: writes events."""

    def __init__(self, request: dict[str, Any]) -> None:
        self._includes_thoughts = includes_thoughts(request)
        self._names = client_names(request)
        self._calls: list[_Call] = []
        self._refused = False
        self._pages: dict[str, dict[str, Any]] = {}  # cited ones, by address
        self._probabilities: dict[str, Any] | None = None  # of the text that comes next
        self._tail = b"}"  # of every event, behind its candidates

    def begin(self, completion: dict[str, Any], out: list[bytes]) -> None:
        """Take who answers; it stands in every event."""
        named = {"modelVersion": completion.get("model"), "responseId": completion.get("id")}
        fields = _texts(named)
        if fields:
            self._tail = b"," + write_json(fields)[1:]

    def text(self, piece: str, out: list[bytes]) -> None:
        """Write a piece of the answer."""
        self._say({"text": piece}, out)

    def reasoning(self, piece: str, out: list[bytes]) -> None:
        """Write a piece of a thought, for a client that asked for them."""
        if self._includes_thoughts:
            self._say({"text": piece, "thought": True}, out)

    def refusal(self, piece: str, out: list[bytes]) -> None:
        """Write a piece of a refusal as text; the finish reason will tell."""
        self._refused = True
        self._say({"text": piece}, out)

    def call(self, position: int, *, id: str, name: str, out: list[bytes]) -> None:  # noqa: A002
        """Open a call; it goes out at the end."""
        self._calls.append(_Call(id=id, name=self._names.get(name, name)))

    def arguments(self, position: int, piece: str, out: list[bytes]) -> None:
        """Take a piece of its arguments."""
        self._calls[position].arguments.append(piece)

    def annotations(self, found: list[Any], out: list[bytes]) -> None:
        """Take cited web pages; Google lists them once, at the end."""
        for annotation in found:
            cited = annotation.get("url_citation") if isinstance(annotation, dict) else None
            if isinstance(cited, dict) and isinstance(cited.get("url"), str):
                page = {"uri": cited["url"], "title": cited.get("title")}
                self._pages[cited["url"]] = _texts(page)

    def log_probabilities(self, found: dict[str, Any]) -> None:
        """Take those of the text that comes next."""
        self._probabilities = translate_log_probabilities(found)

    def end(self, reason: str | None, usage: dict[str, Any] | None, out: list[bytes]) -> None:
        """Write the calls, why the answer ends, and the counts."""
        parts, faults = self._write_calls()
        finish = finish_reason(reason)
        if self._refused and finish == "STOP":
            finish = "SAFETY"
        if faults and finish == "STOP":
            finish = _MALFORMED
        candidate: dict[str, Any] = {"finishReason": finish, "index": 0}
        if faults:
            candidate["finishMessage"] = "\n".join(faults)
        if self._pages:
            pages = [{"web": page} for page in self._pages.values()]
            candidate["groundingMetadata"] = {"groundingChunks": pages}
        if usage is not None:
            counts = translate_usage(usage)
            if counts:
                self._tail = b',"usageMetadata":' + write_json(counts) + self._tail
        self._write(parts or [b'{"text":""}'], candidate, out)

    def report(self, upstream: Any, *, otherwise: str) -> tuple[str, bytes]:
        """Write Google's error, bare as Google sends it: its SDK for JavaScript reads no other."""
        message, body = write_error(upstream, status=status_of(upstream), otherwise=otherwise)
        return message, body + _END

    def _say(self, part: dict[str, Any], out: list[bytes]) -> None:
        self._write([write_json(part)], {"index": 0}, out)

    def _write(self, parts: list[bytes], candidate: dict[str, Any], out: list[bytes]) -> None:
        if self._probabilities is not None:
            candidate["logprobsResult"], self._probabilities = self._probabilities, None
        content = b'{"content":{"parts":[' + b",".join(parts) + b'],"role":"model"},'
        event = _EVENT + content + write_json(candidate)[1:] + b"]" + self._tail + _END
        out.append(_escape_line_ends(event) if _LINE_ENDS in event else event)

    def _write_calls(self) -> tuple[list[bytes], list[str]]:
        """Write the calls, and what is wrong with those that cannot be written."""
        parts, faults = [], []
        for call in self._calls:
            try:
                parts.append(call.part())
            except (RequestError, RecursionError) as error:
                faults.append(f"{error}: {''.join(call.arguments)}")
        return parts, faults


def _escape_line_ends(event: bytes) -> bytes:
    """Escape what ends a line in JavaScript, where Google's SDK would not find the event's end."""
    return event.replace("\u2028".encode(), b"\\u2028").replace("\u2029".encode(), b"\\u2029")


def _texts(fields: dict[str, Any]) -> dict[str, str]:
    """Leave out what is no text, which Google's SDKs would refuse to read."""
    return {name: value for name, value in fields.items() if isinstance(value, str) and value}
