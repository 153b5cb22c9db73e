"""The promise of a translation: one pair of wire languages, without I/O.

It turns a client's request into a provider's, and a provider's answer into a client's, event by event.
It does not know connections, headers, keys, configuration or records. Nothing here waits; a request
is at fault (`RequestError`) or is translated, and a provider's stream is never completed by us.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

DEFAULT_MAX_TOKENS: Final = 8192


def _recall_nothing(call_id: str) -> Any:
    """Stand in for a vault where there is none."""
    del call_id


@dataclass(frozen=True, slots=True)
class TranslateOptions:
    """What the configuration of a model decides.

    Attributes:
        max_tokens: limit of an answer when the client names none; some languages require one.
        forward_user: send the client's `user` or `safety_identifier` on, which may name a person.
        system_in_place: leave a later system message where it stands, for models that take it there.
        drop: paths of the client's request that this model's provider refuses; `reasoning_content` stands
            for thoughts in a history.
        recall: gives what `Translation.kept` said of a tool call, by its id; None when unknown.
    """

    max_tokens: int = DEFAULT_MAX_TOKENS
    forward_user: bool = False
    system_in_place: bool = False
    drop: frozenset[str] = frozenset()
    recall: Callable[[str], Any] = _recall_nothing


@dataclass(slots=True)
class Translated:
    """A request in the provider's language, and what it does not say any more.

    Paths are keys of the client's request, `messages[].name` for any message; where only a part of a
    value is meant, words in parentheses say which.

    Attributes:
        body: the provider's request; it always asks for a stream. It may share values with the client's.
        dropped: what was left out.
        changed: what went out with another meaning, such as a temperature cut to the limit.
    """

    body: dict[str, Any]
    dropped: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)


class StreamTranslator(Protocol):
    """Turns one provider's stream into the client's, from its bytes in any split.

    Never raises on provider input.
    """

    @property
    def finished(self) -> bool:
        """True with the terminal event. False at the end means that the provider broke off."""
        ...

    @property
    def failed(self) -> bool:
        """True when the provider reported an error or sent what cannot be read.

        The client was told so by the last event, and nothing follows it.
        """
        ...

    @property
    def error(self) -> str | None:
        """The message of that error."""
        ...

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes of the body; return whole events for the client."""
        ...

    def finish(self) -> list[bytes]:
        """Take the end of the body; return what was complete, and make nothing up."""
        ...


class Translation(Protocol):
    """One pair of languages."""

    def request(self, body: dict[str, Any], *, model: str, options: TranslateOptions) -> Translated:
        """Translate a client's request; `model` is the provider's name. `body` stays as it is.

        Raises:
            RequestError: 400 with `param`: it asks for what the provider's language cannot say.
        """
        ...

    def stream(self, request: dict[str, Any], *, created: int) -> StreamTranslator:
        """Start to translate the streamed answer to a client's request; `created` in Unix seconds."""
        ...

    def answer(
        self, native: dict[str, Any], *, created: int, request: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Translate a provider's complete answer into the one that a client without a stream gets.

        The client's `request` decides where its language repeats it, or has two forms for one thing.

        Raises:
            ProviderError: 502, it is no answer of the provider's language.
        """
        ...

    def kept(self, native: dict[str, Any]) -> dict[str, Any]:
        """Say what of a provider's complete answer the client's language cannot carry.

        By tool-call id, as JSON values: thoughts with their signatures. When a client sends one of these
        calls back, `request` asks for it and puts it in its place, verbatim. Empty without tool calls.
        Never raises.
        """
        ...

    def error(self, status: int, body: bytes) -> bytes:
        """Translate the body of a provider's error answer; its message stays verbatim."""
        ...
