"""Secrets that vendors' formats and common shapes give away: the redactor over the rule pack.

A few automata say which rules can have something in a text, almost always none; only those then say
where. It does not know names of values: `generic` does. Invariant: linear time, whatever the text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import blake2b

from dolphin_logger.redactors._api import Finding
from dolphin_logger.redactors._linear import Characters, Pattern, Screen, encode
from dolphin_logger.redactors._looks import is_media, is_stand_in
from dolphin_logger.redactors.rules import BEFORE, Rule, rules
from dolphin_logger.redactors.rules.checks import CHECKS

PRIORITY = 80
_SHORTEST = 12  # characters of a text that can hold any of them
_OWN_CHECK = frozenset({"password", "cookie", "basic"})


@dataclass(frozen=True, slots=True)
class _Group:
    """Rules that are looked for together: `glance` says whether one hits, `screen` which, by their order."""

    glance: Screen
    screen: Screen
    numbers: tuple[int, ...]


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
        hits = _hits(data)
        if hits:
            characters = Characters(text, data)
            for number in hits:
                yield from _located(rules()[number], text, data, characters)


def _hits(data: bytes) -> list[int]:
    """Give the numbers of the rules that can have something there, in order."""
    return sorted(
        group.numbers[hit]
        for group in _groups()
        if group.glance.hits(data)
        for hit in group.screen.hits(data)
    )


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
def _groups() -> tuple[_Group, ...]:
    """Put rules together that begin alike: the states of those that do not would multiply."""
    groups: dict[str, list[int]] = {}
    for number, rule in enumerate(rules()):
        begins = next((begin for begin in (BEFORE, "(?i:") if rule.screen.startswith(begin)), "")
        groups.setdefault(begins, []).append(number)
    return tuple(_group(begins, tuple(numbers)) for begins, numbers in groups.items())


def _group(begins: str, numbers: tuple[int, ...]) -> _Group:
    screens = [rules()[number].screen for number in numbers]
    if begins == BEFORE:
        # said once: what all of them begin with is not tried for each
        any_of = f"{BEFORE}(?:{'|'.join(sorted(one.removeprefix(BEFORE) for one in screens))})"
    else:
        any_of = "|".join(screens)
    return _Group(Screen([any_of]), Screen(screens), numbers)


@cache
def _pattern(expression: str) -> Pattern:
    return Pattern(expression)
