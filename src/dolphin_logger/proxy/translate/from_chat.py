"""A provider's chat completion, told piece by piece to whoever writes the client's language.

It knows what servers make of the language: calls without index or id, two calls with one index, names
that come again, parts instead of text, a whole completion as the only event. It does not know the
client's language. Invariants: a call is opened once, before its arguments, and positions are dense;
the end is told after `[DONE]`, or at the end of the body when a finish reason came.

Source: https://platform.openai.com/docs/api-reference/chat-streaming.
"""

from __future__ import annotations

from typing import Any, Final, Protocol, runtime_checkable
from uuid import uuid4

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.errors import ProviderError
from dolphin_logger.proxy.translate.chat_seals import THOUGHTS
from dolphin_logger.proxy.translate.event_stream import EventStream
from dolphin_logger.proxy.translate.json_text import write_arguments, write_json

_ONLY: Final = "only"  # stands for the index of a call that has none


class ChatListener(Protocol):
    """Writes the client's stream; each method appends whole events to `out`."""

    def begin(self, completion: dict[str, Any], out: list[bytes]) -> None:
        """Take the first chunk: `id`, `model`, `created`; each may be missing."""
        ...

    def text(self, piece: str, out: list[bytes]) -> None:
        """Take a piece of the answer; never empty."""
        ...

    def reasoning(self, piece: str, out: list[bytes]) -> None:
        """Take a piece of a thought; never empty."""
        ...

    def refusal(self, piece: str, out: list[bytes]) -> None:
        """Take a piece of a refusal; never empty."""
        ...

    def call(self, position: int, *, id: str, name: str, out: list[bytes]) -> None:  # noqa: A002
        """Open the next tool call: 0, 1, …; an earlier one may still get arguments."""
        ...

    def arguments(self, position: int, piece: str, out: list[bytes]) -> None:
        """Take a piece of a call's arguments; never empty."""
        ...

    def annotations(self, found: list[Any], out: list[bytes]) -> None:
        """Take citations of the text so far."""
        ...

    def end(self, reason: str | None, usage: dict[str, Any] | None, out: list[bytes]) -> None:
        """Take the finish reason and the token counts as the provider gave them, and end."""
        ...

    def report(self, upstream: Any, *, otherwise: str) -> tuple[str, bytes]:
        """Return the message of a provider's fault, and the client's event for it."""
        ...


@runtime_checkable
class LogProbabilityListener(Protocol):
    """What a listener has besides, whose language can carry log-probabilities."""

    def log_probabilities(self, found: dict[str, Any]) -> None:
        """Take those of the text that comes next: `content`, `refusal`."""
        ...


class _Call:
    """One tool call; it is opened when its name is known."""

    __slots__ = ("id", "name", "position", "waiting")

    def __init__(self) -> None:
        self.id: str | None = None
        self.name = ""
        self.position: int | None = None
        self.waiting = ""


class FromChat(EventStream):
    """Reads one streamed chat completion; the first choice of several is told."""

    def __init__(self, listener: ChatListener) -> None:
        super().__init__()
        self._listener = listener
        self._begun = False
        self._calls: dict[Any, _Call] = {}  # by the provider's index: the last one opened there
        self._opened = 0
        self._reasoning_key: str | None = None
        self._reason: str | None = None
        self._usage: dict[str, Any] | None = None

    # --- EventStream

    def take(self, value: dict[str, Any], out: list[bytes]) -> None:
        """Take one chunk."""
        if value.get("error") is not None:
            self.fail(value, out)
            return
        choices = value.get("choices")
        if not self._begun and (choices or value.get("id")):
            self._begun = True
            self._listener.begin(value, out)
        usage = value.get("usage")
        if usage is None and isinstance(value.get("x_groq"), dict):
            usage = value["x_groq"].get("usage")
        if isinstance(usage, dict):
            self._usage = usage
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict) and choice.get("index", 0) in (0, None):
                self._take_choice(choice, out)

    def take_end(self, out: list[bytes]) -> None:
        """Take `[DONE]`."""
        if not self._begun:
            return  # an end of nothing is no answer
        for call in self._calls.values():
            self._open(call, out)
        self._listener.end(self._reason, self._usage, out)
        self.finished = True

    def body_ended(self, out: list[bytes]) -> None:
        """Take the end of a body without `[DONE]`, which servers leave out: the reason tells."""
        if self._reason is not None:
            self.take_end(out)

    def report(self, upstream: Any, *, otherwise: str) -> tuple[str, bytes]:
        """Report in the client's language."""
        return self._listener.report(upstream, otherwise=otherwise)

    # ---

    def _take_choice(self, choice: dict[str, Any], out: list[bytes]) -> None:
        found = choice.get("logprobs")
        if isinstance(found, dict) and isinstance(self._listener, LogProbabilityListener):
            self._listener.log_probabilities(found)
        delta = choice.get("delta")
        if delta is None:
            delta = choice.get("message")  # a whole completion
        if isinstance(delta, dict):
            self._take_delta(delta, out)
        reason = choice.get("finish_reason")
        if isinstance(reason, str) and reason:
            self._reason = reason
        if choice.get("error") is not None:  # OpenRouter's place for what went wrong
            self.fail(choice, out)

    def _take_delta(self, delta: dict[str, Any], out: list[bytes]) -> None:
        self._take_reasoning(delta, out)
        content = delta.get("content")
        if content.__class__ is str:
            if content:
                self._listener.text(content, out)
        elif isinstance(content, list):
            self._take_parts(content, out)
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            self._listener.refusal(refusal, out)
        annotations = delta.get("annotations")
        if isinstance(annotations, list) and annotations:
            self._listener.annotations(annotations, out)
        calls = delta.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            if isinstance(call, dict):
                self._take_call(call, out)
        older = delta.get("function_call")
        if isinstance(older, dict):
            self._take_call({"function": older}, out)

    def _take_reasoning(self, delta: dict[str, Any], out: list[bytes]) -> None:
        """Take a piece of a thought under one name: servers that send two repeat it."""
        for key in THOUGHTS if self._reasoning_key is None else (self._reasoning_key,):
            piece = delta.get(key)
            if isinstance(piece, str) and piece:
                self._reasoning_key = key
                self._listener.reasoning(piece, out)
                return

    def _take_parts(self, parts: list[Any], out: list[bytes]) -> None:
        """Take content as parts, as Mistral streams it."""
        for part in parts:
            if not isinstance(part, dict):
                continue
            inner = part.get("thinking")
            if isinstance(inner, list):
                text = "".join(str(p.get("text", "")) for p in inner if isinstance(p, dict))
                if text:
                    self._listener.reasoning(text, out)
            elif isinstance(part.get("text"), str) and part["text"]:
                self._listener.text(part["text"], out)

    def _take_call(self, value: dict[str, Any], out: list[bytes]) -> None:
        function = value.get("function")
        body = function if isinstance(function, dict) else value.get("custom")
        body = body if isinstance(body, dict) else {}
        call = self._call_of(value, body, out)
        if isinstance(body.get("name"), str) and not call.name:
            call.name = body["name"]
        piece = body.get("arguments", body.get("input"))
        if piece is not None:
            call.waiting += write_arguments(piece)
        if call.name:
            self._open(call, out)

    def _call_of(self, value: dict[str, Any], body: dict[str, Any], out: list[bytes]) -> _Call:
        """Find the call that a delta belongs to: a new id, or a name without one, begins a new one."""
        index = value.get("index")
        index = index if type(index) is int else _ONLY
        given = value.get("id")
        given = given if isinstance(given, str) and given else None
        call = self._calls.get(index)
        begins = call is None or (given is not None and call.id is not None and given != call.id)
        if not begins and index == _ONLY and given is None and body.get("name"):
            begins = bool(call is not None and call.name)
        if begins:
            if call is not None:
                self._open(call, out)
            call = self._calls[index] = _Call()
        assert call is not None
        call.id = call.id or given
        return call

    def _open(self, call: _Call, out: list[bytes]) -> None:
        """Tell of a call once, then of the arguments that have come."""
        if call.position is None:
            call.position, self._opened = self._opened, self._opened + 1
            call.id = call.id or f"call_{uuid4().hex[:24]}"
            self._listener.call(call.position, id=call.id, name=call.name, out=out)
        if call.waiting:
            waiting, call.waiting = call.waiting, ""
            self._listener.arguments(call.position, waiting, out)


def whole_answer(native: dict[str, Any], listener: ChatListener, *, dialect: str) -> dict[str, Any]:
    """Translate a complete chat completion: what the client's own stream re-assembles to.

    Raises:
        ProviderError: 502, this is no chat completion.
    """
    if not isinstance(native.get("choices"), list) or not native["choices"]:
        fault = "the provider's answer is no chat completion: it has no choices"
        raise ProviderError(fault, status=502, kind="protocol")
    stream = FromChat(listener)
    events = stream.feed(b"data: " + write_json(native) + b"\n\ndata: [DONE]\n\n")
    decoder = DIALECTS[dialect].decoder("text/event-stream", asked=True)
    assert decoder is not None
    for event in events:
        decoder.feed(event)
    answer = decoder.answer()
    if stream.failed or answer.response is None:
        message = stream.error or "the provider's answer cannot be read"
        raise ProviderError(message, status=502, kind="stream_error")
    return answer.response
