"""Secrets that vendors' formats and common shapes give away: the redactor over the rule pack.

One automaton of all rules says which of them can be in a text, almost always none; only those then say
where. It does not know names of values: `generic` does. Invariant: linear time, whatever the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, cached_property
from hashlib import blake2b

from dolphin_logger.redactors._api import Finding
from dolphin_logger.redactors._linear import Characters, Pattern, Screen, encode
from dolphin_logger.redactors._looks import is_media, is_stand_in
from dolphin_logger.redactors.rules import Rule, rules
from dolphin_logger.redactors.rules.checks import CHECKS

PRIORITY = 80
_SHORTEST = 12  # characters of a text that can hold any of them
_OWN_CHECK = frozenset({"password", "cookie", "basic"})


class Secrets:
    """Finds what the rule pack describes."""

    name = "secrets"

    @cached_property
    def version(self) -> str:
        """Give the digest of all rules."""
        said = repr([(rule.id, rule.kind, rule.expression, rule.check) for rule in rules()])
        return f"1-{blake2b(said.encode(), digest_size=6).hexdigest()}"

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        """Find vendors' keys, private keys, tokens and passwords in URLs, headers and commands."""
        if len(text) < _SHORTEST or is_media(text):
            return
        data = encode(text)
        hits = _screen().hits(data)
        if hits:
            characters = Characters(text, data)
            for number in hits:
                yield from _located(rules()[number], text, data, characters)


def _located(rule: Rule, text: str, data: bytes, characters: Characters) -> Iterator[Finding]:
    check = CHECKS[rule.check] if rule.check else None
    for begin, finish in _pattern(rule.expression).spans(data):
        start, end = characters.span(begin, finish)
        value = text[start:end]
        if rule.check not in _OWN_CHECK and is_stand_in(value):
            continue
        if check is None or check(value):
            yield Finding(start, end, rule.kind, rule.id, PRIORITY)


@cache
def _screen() -> Screen:
    return Screen(rule.screen for rule in rules())


@cache
def _pattern(expression: str) -> Pattern:
    return Pattern(expression)
