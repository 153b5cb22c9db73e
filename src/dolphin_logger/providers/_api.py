"""The promise of a provider: who answers, where, and how to authenticate.

A provider turns a configured model into a `Target` (an HTTP address and credentials), or answers
by itself without a network (`demo`). It does not know clients, connections or the journal.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from dolphin_logger.config import ModelEntry


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: an absolute http(s) URL and the headers that carry credentials.

    `secrets` never enter a record, a log line or an error.
    """

    url: str
    secrets: tuple[tuple[bytes, bytes], ...] = ()
    headers: tuple[tuple[bytes, bytes], ...] = ()


@dataclass(slots=True)
class LocalAnswer:
    """An answer made in this process: status, headers and the body's chunks."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    chunks: AsyncIterator[bytes]


@runtime_checkable
class Provider(Protocol):
    """Who answers over HTTP.

    Attributes:
        name: the value of `provider` in config.json.
        default_base: `apiBase` when the configuration gives none; None if it must be given.
        dialects: names of the wire languages that it speaks.
        refusal: why this provider cannot be used in this version; None when it can.
    """

    name: str
    default_base: str | None
    dialects: frozenset[str]
    refusal: str | None

    def target(self, entry: ModelEntry, dialect: str) -> Target:
        """Say where requests in `dialect` for this model go."""
        ...


@runtime_checkable
class LocalProvider(Protocol):
    """Who answers in this process, without any network."""

    name: str
    dialects: frozenset[str]

    def respond(self, request: dict[str, Any], dialect: str) -> LocalAnswer:
        """Answer one request of the given dialect, streamed if it asks for that."""
        ...
