"""Exchange: one HTTP request and its answer, with an outcome and timings.

It carries bodies as JSON *text* (bytes, spliced into the record as they are), not as objects: no
JSON parser round-trips real traffic. It knows neither HTTP nor files.
Invariant: when the relay hands an exchange to the journal, `outcome` is final.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from dolphin_logger.messages import Usage


def new_id(time_ns: int) -> str:
    """Make a UUIDv7 (RFC 9562, section 5.7) for a moment in UNIX nanoseconds."""
    milliseconds = time_ns // 1_000_000 & 0xFFFF_FFFF_FFFF
    noise = f"{random.getrandbits(80):020x}"
    variant = "89ab"[int(noise[3], 16) & 3]
    head = f"{milliseconds:012x}"
    return f"{head[:8]}-{head[8:]}-7{noise[:3]}-{variant}{noise[4:7]}-{noise[8:]}"


class Outcome(StrEnum):
    """How an exchange ended."""

    COMPLETED = "completed"
    CLIENT_DISCONNECTED = "client_disconnected"
    PROVIDER_ERROR = "provider_error"
    PROVIDER_TRUNCATED = "provider_truncated"
    TIMEOUT = "timeout"
    REFUSED = "refused"
    SHUTDOWN = "shutdown"
    CRASHED = "crashed"


@dataclass(slots=True)
class Failure:
    """What went wrong and on whose side; `at` is client, proxy or provider."""

    kind: str
    at: str
    status: int | None
    message: str


@dataclass(slots=True)
class Attempt:
    """One try to reach a provider; `ms` counts from its start to its headers or failure."""

    provider: str
    status: int | None
    error: str | None
    ms: float


@dataclass(slots=True)
class Client:
    """Who asked, as far as the request tells; all of it untrusted."""

    name: str | None = None
    session: str | None = None
    agent: str | None = None
    parent: str | None = None
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Exchange:
    """One request and its answer.

    `request`, `response`: one JSON text each (bytes as received; for a stream, re-assembled), or
    None when there is none or it is not JSON. `raw_request`, `raw_response`: content-decoded bytes,
    kept when the parsed view is not the whole truth. `provider_request`, `provider_response` and
    `translation` are there only when the provider's dialect differs from the client's. `imported`
    says where a turn was found that another program wrote down. Times: `time_ns` is UNIX nanoseconds,
    the `_ms` fields are milliseconds since the request's first byte.
    """

    id: str
    time_ns: int
    dialect: str
    path: str
    stream: bool = False
    model: str | None = None
    provider: str | None = None
    provider_model: str | None = None
    provider_request_id: str | None = None
    status: int | None = None
    outcome: Outcome = Outcome.COMPLETED
    error: Failure | None = None
    attempts: list[Attempt] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    first_byte_ms: float | None = None
    total_ms: float | None = None
    client: Client = field(default_factory=Client)
    request_headers: dict[str, str] = field(default_factory=dict)
    response_headers: dict[str, str] = field(default_factory=dict)
    publishable: bool | None = None
    principal: str | None = None
    request: bytes | None = None
    response: bytes | None = None
    provider_request: bytes | None = None
    provider_response: bytes | None = None
    translation: dict[str, Any] | None = None
    raw_request: bytes | None = None
    raw_response: bytes | None = None
    imported: dict[str, Any] | None = None

    def policy(self) -> dict[str, Any]:
        """What may happen to this record later."""
        return {"record": "full", "publishable": self.publishable}
