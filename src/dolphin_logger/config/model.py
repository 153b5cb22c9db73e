"""What the rest of the program sees of the configuration. Pure values, frozen.

It does not know where they come from: neither JSON, nor files, nor the environment.
Invariant: a key is a `Secret` from the moment it is read; only `reveal` gives it back.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn, Self

PASSTHROUGH = "PASSTHROUGH"


class Secret:
    """A value that must not be seen: a key, a token, a header's value.

    Every text form is `***`. It cannot be pickled, and no JSON encoder knows it.
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Give the value itself, for the one place that sends or compares it."""
        return self._value

    def __repr__(self) -> str:
        return "***"

    def __str__(self) -> str:
        return "***"

    def __format__(self, _spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return self._value == other._value if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, _memo: object) -> Self:
        return self

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        raise TypeError("a Secret cannot be pickled")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Deadlines in seconds; there is none on the total."""

    connect: float = 10.0
    first_byte: float = 600.0
    idle: float = 300.0
    write_stall: float = 60.0


@dataclass(frozen=True, slots=True)
class Translate:
    """How requests are translated for one entry, where its provider speaks another language.

    Attributes:
        max_tokens: limit of an answer when the client names none, for languages that require one.
        forward_user: send the name of the client's user on, which may name a person.
        system_in_place: leave later system messages where they stand, for models that take them there.
        drop: keys of the client's request that the provider refuses.
    """

    max_tokens: int | None = None
    forward_user: bool = False
    system_in_place: bool = False
    drop: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One usable entry of `models`.

    Attributes:
        model: the name that clients use; a final `*` matches every name that begins so.
        provider_model: the name that goes out; None sends the client's own.
        key_variable: the NAME of `"apiKey": "ENV:NAME"`, also when that variable is not set.
        timeouts: the entry's own, filled up from the top-level ones.
        ca_file: certificates to trust for this entry's host, instead of the system's.
        publishable: None leaves the decision to whoever publishes.
        dialect: the wire language to speak to the provider, where there is a choice; None is the
            client's own if the provider speaks it.
    """

    provider: str
    model: str
    provider_model: str | None = None
    api_base: str | None = None
    api_key: Secret | None = None
    key_variable: str | None = None
    headers: tuple[tuple[str, Secret], ...] = ()
    query: tuple[tuple[str, str], ...] = ()
    timeouts: Timeouts = Timeouts()
    publishable: bool | None = None
    ca_file: str | None = None
    dialect: str | None = None
    translate: Translate = Translate()

    @property
    def passthrough(self) -> bool:
        """Whether the caller's own credentials go to this entry's host."""
        return self.api_key is not None and self.api_key.reveal() == PASSTHROUGH


@dataclass(frozen=True, slots=True)
class Skipped:
    """An entry of `models` that cannot be used; `model` is empty when even that is missing."""

    index: int
    model: str
    reason: str


@dataclass(frozen=True, slots=True)
class SuppressRule:
    """What is not recorded: a request for which every given condition holds.

    `model`, `path` and `client` are globs; `header` is `name: value`; `pattern` is a regular
    expression searched in, and `prefix` a literal start of, the first user message.
    """

    model: str | None = None
    path: str | None = None
    client: str | None = None
    header: str | None = None
    pattern: str | None = None
    prefix: str | None = None


@dataclass(frozen=True, slots=True)
class Retention:
    """When closed segments go: after some days, and above some bytes on the disk; None is never."""

    days: float | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Config:
    """The whole configuration; every field but `path` has its default here."""

    path: Path
    models: tuple[ModelEntry, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    warnings: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 5001
    token: Secret | None = None
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    timeouts: Timeouts = Timeouts()
    on_client_disconnect: Literal["cancel", "drain"] = "cancel"
    on_record_failure: Literal["forward", "refuse"] = "forward"
    record_raw: Literal["whenNeeded", "always"] = "whenNeeded"
    suppress: tuple[SuppressRule, ...] = ()
    sample: float = 1.0
    huggingface_repo: str | None = None
    seal: bool = True
    retention: Retention = Retention()

    def secrets(self) -> tuple[Secret, ...]:
        """Every secret of the configuration once, so that others can look for them."""
        found = [self.token] if self.token else []
        for entry in self.models:
            if entry.api_key is not None and not entry.passthrough:
                found.append(entry.api_key)
            found.extend(value for _, value in entry.headers)
        return tuple(dict.fromkeys(found))
