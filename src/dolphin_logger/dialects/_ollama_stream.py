"""A stream of Ollama's lines, re-assembled as Ollama's own server does it for `stream: false`.

Texts are joined, tool calls and log-probabilities gathered, everything else is the last line's. It
knows chat and generate lines alike, because they differ in one key. Lines end with LF alone: other
separators of Unicode may stand inside JSON strings.
Invariant: never raises on provider input; what it cannot place makes the answer inexact.

Source: `writeChatResponse` and `GenerateHandler` in ollama/ollama, server/routes.go.
"""

from __future__ import annotations

from typing import Any, Final

import orjson

from dolphin_logger.dialects._api import Answer
from dolphin_logger.dialects._growth import Text, is_empty, keep_last, settle
from dolphin_logger.dialects._reading import error_text, read
from dolphin_logger.sse import DEFAULT_LIMIT

# Keys of which the last line's value is the answer's, as Ollama's server has it.
_LAST: Final = frozenset(
    (
        *("model", "created_at", "done", "done_reason", "context", "remote_model", "remote_host"),
        *("total_duration", "load_duration", "prompt_eval_count", "prompt_eval_duration"),
        *("eval_count", "eval_duration", "completed", "total", "image"),
    )
)
_TEXTS: Final = ("content", "response", "thinking")
_LISTS: Final = ("tool_calls", "logprobs")
_LINE: Final = _LAST | {"message", "response", "thinking", "logprobs", "error"}
# A line that only lengthens a text has no other keys, and those of its message.
_USUAL: Final = frozenset(("model", "created_at", "response", "thinking", "done"))
_USUAL_CHAT: Final = frozenset(("model", "created_at", "message", "done"))
_USUAL_MESSAGE: Final = frozenset(("role", "content", "thinking"))


class LineDecoder:
    """Implements `StreamDecoder` for `ollama.chat` and `ollama.generate`."""

    def __init__(self) -> None:
        self.finished = False
        self._line = bytearray()  # a line that has not ended
        self._lost = False  # the line that has not ended is beyond the limit
        self._last: dict[str, Any] | None = None
        self._message: dict[str, Any] | None = None
        self._grown: dict[str, Any] = {}  # beside the message
        self._grown_message: dict[str, Any] = {}
        self._extras: dict[str, Any] = {}
        self._extras_message: dict[str, Any] = {}
        self._failure: dict[str, Any] | None = None
        self._exact = True

    def feed(self, chunk: bytes) -> None:
        """Take the next bytes of the body."""
        *lines, rest = chunk.split(b"\n")
        for line in lines:
            self._end_line(line)
        if rest:
            self._keep(rest)

    def answer(self) -> Answer:
        """Say what has been received."""
        if self._line or self._lost:
            self._end_line(b"")
        response = self._build()
        error = None
        if self._failure is not None:
            error = error_text(self._failure["error"])
        return Answer(response=response, exact=self._exact, error=error, terminated=self.finished)

    def _keep(self, part: bytes) -> None:
        if len(self._line) + len(part) > DEFAULT_LIMIT:
            self._lost = True
            self._line.clear()
        if not self._lost:
            self._line += part

    def _end_line(self, line: bytes) -> None:
        if self._line or self._lost:
            self._keep(line)
            line = bytes(self._line)
            self._line.clear()
        if self._lost:
            self._lost = False
            self._exact = False
        elif line.strip():
            self._take(line)

    def _take(self, line: bytes) -> None:
        try:
            value = orjson.loads(line)
        except orjson.JSONDecodeError:
            value = None
        if value.__class__ is not dict or not self._take_usual(value):
            self._take_unusual(line)

    def _take_usual(self, value: dict[str, Any]) -> bool:
        """Take a line that only lengthens texts; otherwise change nothing and say False."""
        if self.finished or value.get("done") is not False:
            return False
        if value.get("model").__class__ is not str or value.get("created_at").__class__ is not str:
            return False
        message = value.get("message")
        if message is None and value.keys() <= _USUAL:
            texts, grown = value, self._grown
        elif message.__class__ is dict and value.keys() == _USUAL_CHAT and _is_usual(message):
            texts, grown = message, self._grown_message
        else:
            return False
        pieces = [(key, texts[key]) for key in _TEXTS if key in texts]
        for key, piece in pieces:
            if piece.__class__ is not str or key not in grown:
                return False
        for key, piece in pieces:
            grown[key].append(piece)
        self._last = value
        self._message = message
        return True

    def _take_unusual(self, line: bytes) -> None:
        value, exact = read(line)
        self._exact &= exact
        if not isinstance(value, dict):
            self._exact = False
            return
        if self.finished:
            self._exact = False
            return
        if not is_empty(value.get("error")):
            self._exact &= self._failure is None
            self._failure = self._failure or value
            return
        message = value.get("message")
        if isinstance(message, dict):
            self._grow(message, grown=self._grown_message, extras=self._extras_message)
            self._message = message
        else:
            self._exact &= message is None
        self._grow(value, grown=self._grown, extras=self._extras)
        self._last = value
        self.finished = value.get("done") is True

    def _grow(
        self, value: dict[str, Any], *, grown: dict[str, Any], extras: dict[str, Any]
    ) -> None:
        """Let texts and lists grow; keep what the last line may not say again."""
        in_message = grown is self._grown_message
        for key, part in value.items():
            if key in _TEXTS and isinstance(part, str):
                grown.setdefault(key, Text()).append(part)
            elif key in _LISTS and isinstance(part, list):
                grown.setdefault(key, []).extend(part)
            elif key in _TEXTS or key in _LISTS:
                self._exact &= part is None
            elif key not in (("role",) if in_message else _LINE):
                self._exact &= keep_last(extras, key, part)

    def _build(self) -> dict[str, Any] | None:
        """Put the answer together; an error without any line before it stays an error alone."""
        if self._last is None:
            return self._failure
        response = {**self._last, **self._extras, **_say_something(self._grown, ("response",))}
        if self._message is not None:
            grown = _say_something(self._grown_message, ("content",))
            response["message"] = {**self._message, **self._extras_message, **grown}
        if self._failure is not None:
            response |= self._failure
        return response


def _is_usual(message: dict[str, Any]) -> bool:
    return message.keys() <= _USUAL_MESSAGE and message.get("role").__class__ is str


def _say_something(grown: dict[str, Any], always: tuple[str, ...]) -> dict[str, Any]:
    """Settle what has grown, without what stayed empty: Ollama leaves that out of plain answers."""
    settled = {key: settle(value) for key, value in grown.items()}
    return {key: value for key, value in settled.items() if value or key in always}
