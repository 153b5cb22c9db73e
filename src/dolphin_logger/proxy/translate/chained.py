"""Two translations, one behind the other: a client's language to chat completions, and those to a provider's.

It knows no language. Invariant: what either of them drops or changes is named, and both keep what the
language in the middle, or the client's, cannot carry.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dolphin_logger.errors import RequestError
from dolphin_logger.proxy.translate._api import (
    StreamTranslator,
    Translated,
    TranslateOptions,
    Translation,
)
from dolphin_logger.proxy.translate.losses import refusal

_OF_CHAT = " (of the chat completion)"  # whose paths these are
_OUTER = "chat:"  # marks what the first of two keeps; a tool-call id of both is the same


class Chained:
    """Implements `Translation`; `outer` speaks with the client, `inner` with the provider."""

    def __init__(self, outer: Translation, inner: Translation) -> None:
        self._outer = outer
        self._inner = inner

    def request(self, body: dict[str, Any], *, model: str, options: TranslateOptions) -> Translated:
        """Translate twice; the paths of the second are those of a chat completion."""

        def recall(call_id: str) -> Any:
            return options.recall(_OUTER + call_id)

        first = self._outer.request(body, model=model, options=replace(options, recall=recall))
        chosen = replace(options, drop=frozenset())  # they are keys of the client's request
        try:
            second = self._inner.request(first.body, model=model, options=chosen)
        except RequestError as error:
            raise refusal(f"{error}{_OF_CHAT}", param=error.param or "") from error
        return Translated(
            second.body,
            [*first.dropped, *_of_chat(second.dropped)],
            [*first.changed, *_of_chat(second.changed)],
        )

    def stream(self, request: dict[str, Any], *, created: int) -> StreamTranslator:
        """Start to translate the provider's stream twice."""
        middle = {"stream": True, "stream_options": {"include_usage": True}}
        return _ChainedStream(
            self._outer.stream(request, created=created),
            self._inner.stream(middle, created=created),
        )

    def answer(
        self, native: dict[str, Any], *, created: int, request: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Translate a complete answer twice."""
        middle = self._inner.answer(native, created=created)
        return self._outer.answer(middle, created=created, request=request)

    def kept(self, native: dict[str, Any]) -> dict[str, Any]:
        """Keep what either of them keeps."""
        kept = self._inner.kept(native)
        if not kept:
            return kept
        outer = self._outer.kept(self._inner.answer(native, created=0))
        return kept | {_OUTER + call_id: value for call_id, value in outer.items()}

    def error(self, status: int, body: bytes) -> bytes:
        """Translate an error answer twice."""
        return self._outer.error(status, self._inner.error(status, body))


class _ChainedStream:
    """Feeds what the inner translator writes to the outer one."""

    def __init__(self, outer: StreamTranslator, inner: StreamTranslator) -> None:
        self._outer = outer
        self._inner = inner

    @property
    def finished(self) -> bool:
        """The client has its terminal event."""
        return self._outer.finished

    @property
    def failed(self) -> bool:
        """The client has been told of an error."""
        return self._outer.failed

    @property
    def error(self) -> str | None:
        """The message of that error."""
        return self._outer.error

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the provider's bytes; return the client's events."""
        return self._pass(self._inner.feed(chunk))

    def finish(self) -> list[bytes]:
        """Take the end of the body; a stream that the inner one has not finished is not finished."""
        out = self._pass(self._inner.finish())
        return out + self._outer.finish() if self._inner.finished else out

    def _pass(self, events: list[bytes]) -> list[bytes]:
        return self._outer.feed(b"".join(events)) if events else []


def _of_chat(paths: list[str]) -> list[str]:
    return [path + _OF_CHAT for path in paths]
