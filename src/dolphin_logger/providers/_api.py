"""The promise of a provider: who answers, where, and how to authenticate.

A provider turns a configured model and a path into a `Target` (an HTTP address and credentials),
answers by itself without a network (`demo`), or has requests that we author sent by its vendor's own
client (`anthropic`). It does not know clients, connections or the journal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from dolphin_logger.config import ModelEntry

Fields = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: an absolute http(s) URL and the headers that carry credentials.

    `secrets` never enter a record, a log line or an error. `defaults` are added where the client
    sends no field of that name.
    """

    url: str
    secrets: Fields = ()
    headers: Fields = ()
    defaults: Fields = ()


@dataclass(slots=True)
class LocalAnswer:
    """An answer made in this process: status, headers and the body's chunks."""

    status: int
    headers: Fields
    chunks: AsyncIterator[bytes]


@runtime_checkable
class Provider(Protocol):
    """Who answers over HTTP.

    Attributes:
        name: the value of `provider` in config.json.
        default_base: `apiBase` when the configuration gives none; None if it must be given.
        dialects: names of the wire languages that it speaks.
    """

    name: str
    default_base: str | None
    dialects: frozenset[str]

    def target(self, entry: ModelEntry, dialect: str, *, path: str) -> Target:
        """Say where requests in `dialect` for this model go.

        Args:
            entry: the configured model.
            dialect: one of `dialects`.
            path: the vendor API's path in its full form, e.g. `/v1/chat/completions`.

        Raises:
            ConfigError: the entry lacks what is needed, or holds what cannot be sent.
        """
        ...


@runtime_checkable
class LocalProvider(Protocol):
    """Who answers in this process, without any network."""

    name: str
    dialects: frozenset[str]

    def respond(self, request: dict[str, Any], dialect: str) -> LocalAnswer:
        """Answer one request of the given dialect, streamed if it asks for that."""
        ...


Send = Callable[[Target, bytes], Awaitable[LocalAnswer]]


@runtime_checkable
class AuthoringProvider(Protocol):
    """A provider whose vendor's own client sends the requests that we author (translations)."""

    async def author(self, target: Target, body: dict[str, Any], *, send: Send) -> LocalAnswer:
        """Send a request body through the vendor's client; `send` is its transport.

        Raises:
            ProviderError: from `send`, unchanged.
        """
        ...
