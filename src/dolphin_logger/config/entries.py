"""One entry of `models`: who answers under which name, where and with which key.

Knows the keys of an entry, not the file around it nor the providers themselves.
Invariant: an entry with anything at fault yields None and at least one error; a missing environment
variable is only a warning. No message contains a key's or a header's value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from dolphin_logger.config.findings import Findings, name_type, offer, show
from dolphin_logger.config.locate import Path
from dolphin_logger.config.model import PASSTHROUGH, ModelEntry, Secret, Timeouts, Translate
from dolphin_logger.config.values import (
    UnfitError,
    is_comment,
    name_variable,
    read_base,
    read_boolean,
    read_certificates,
    read_choice,
    read_header_name,
    read_query,
    read_text,
    read_timeouts,
    read_translate,
    read_unseen,
    variable_of,
)

KEYS = frozenset(
    {
        "provider",
        "providerModel",
        "model",
        "apiBase",
        "apiKey",
        "headers",
        "query",
        "timeouts",
        "caFile",
        "dialect",
        "translate",
    }
    | {"publishable", "fallback", "price"}  # the last two are for later versions
)
TARGETS = ("openai.chat", "anthropic.messages", "gemini")  # languages that we translate into
_PLACEHOLDER = re.compile(
    r"(your[ _-].*|.*[ _-]here|<.*>|(sk-)?x{4,}|(sk-)?\.{3,}|change-?me)", re.IGNORECASE
)
_Value = TypeVar("_Value")


def is_reference(value: str) -> bool:
    """Whether a string names an environment variable: `ENV:NAME`."""
    return value.strip().startswith("ENV:")


def is_literal_key(value: object) -> bool:
    """Whether a value is a key itself: neither a reference, nor a placeholder, nor a word of ours."""
    return (
        isinstance(value, str)
        and bool(value.strip())
        and not is_reference(value)
        and value.strip() != PASSTHROUGH
        and not _PLACEHOLDER.fullmatch(value.strip())
    )


def read_entry(
    given: object,
    *,
    index: int,
    env: Mapping[str, str],
    known_providers: Collection[str],
    timeouts: Timeouts,
    findings: Findings,
) -> ModelEntry | None:
    """Read `models[index]`; None when anything in it cannot be used."""
    if not isinstance(given, dict):
        findings.error(("models", index), f"expected an object, got {name_type(given)}")
        return None
    reader = _Reader(given, ("models", index), env, findings)
    reader.warn_unknown()
    provider = reader.provider(known_providers)
    model = reader.value("model", read_text, required=True)
    key, variable = reader.key()
    entry = ModelEntry(
        provider=provider or "",
        model=model or "",
        provider_model=reader.value("providerModel", read_text),
        api_base=reader.value("apiBase", read_base),
        api_key=key,
        key_variable=variable,
        headers=reader.headers(),
        query=reader.value("query", read_query) or (),
        timeouts=reader.value("timeouts", lambda value: read_timeouts(value, base=timeouts))
        or timeouts,
        publishable=reader.value("publishable", read_boolean),
        ca_file=reader.value("caFile", read_certificates),
        dialect=reader.value("dialect", lambda value: read_choice(value, among=TARGETS)),
        translate=reader.value("translate", read_translate) or Translate(),
    )
    return None if reader.faulty else entry


@dataclass(slots=True)
class _Reader:
    """Reads the keys of one entry and remembers whether any was at fault."""

    given: dict[str, Any]
    path: Path
    env: Mapping[str, str]
    findings: Findings
    faulty: bool = False

    def error(self, message: str, *at: str | int) -> None:
        self.faulty = True
        self.findings.error((*self.path, *at), message)

    def warn_unknown(self) -> None:
        for key in self.given:
            if key not in KEYS and not is_comment(key):
                message = f"unknown key, ignored{offer(key, KEYS)}"
                self.findings.warn((*self.path, key), message)

    def value(
        self, key: str, read: Callable[[object], _Value], *, required: bool = False
    ) -> _Value | None:
        """Read one key; null is the same as absent."""
        if self.given.get(key) is None:
            if required:
                self.error(f"{key!r} is missing", key)
            return None
        try:
            return read(self.given[key])
        except UnfitError as fault:
            self.error(str(fault), key, *fault.at)
            return None

    def provider(self, known: Collection[str]) -> str | None:
        name = self.value("provider", read_text, required=True)
        if name is not None and name not in known:
            self.error(f"unknown provider {show(name)}{offer(name, known)}", "provider")
        return name

    def key(self) -> tuple[Secret | None, str | None]:
        """Read apiKey: the key, and the variable's name when it is a reference."""
        text = self.value("apiKey", read_unseen)
        if not text:
            return None, None
        if is_reference(text):
            return self.resolve(text, "apiKey"), variable_of(text)
        if _PLACEHOLDER.fullmatch(text):
            message = "looks like a placeholder; write the key, or ENV:NAME to take it from there"
            self.findings.warn((*self.path, "apiKey"), message)
        return Secret(text), None

    def headers(self) -> tuple[tuple[str, Secret], ...]:
        given = self.given.get("headers")
        if given is None:
            return ()
        if not isinstance(given, dict):
            self.error(f"expected an object of strings, got {name_type(given)}", "headers")
            return ()
        pairs = []
        for name, value in given.items():
            if is_comment(name):
                continue
            try:
                read_header_name(name)
                text = read_unseen(value)
            except UnfitError as fault:
                self.error(str(fault), "headers", name)
                continue
            secret = self.resolve(text, "headers", name) if is_reference(text) else Secret(text)
            if secret is not None:
                pairs.append((name, secret))
        return tuple(pairs)

    def resolve(self, reference: str, *at: str) -> Secret | None:
        """Take a secret from the environment; a variable that is not set is only a warning."""
        variable = variable_of(reference)
        try:
            text = read_unseen(self.env.get(variable, ""))
        except UnfitError as fault:
            self.error(f"{name_variable(variable)} {fault}", *at)
            return None
        if text:
            return Secret(text)
        what = "the key" if at == ("apiKey",) else "this header"
        model = show(self.given.get("model"))
        message = f"model {model}: {name_variable(variable)} is not set; {what} is missing"
        self.findings.warn((*self.path, *at), message)
        return None
