"""What is not recorded, decided before anything of it reaches a disk.

It compiles the rules of one configuration, presets included, and judges requests by them. It knows
no files. Invariant: a rule applies when everything that it names holds.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import translate

from dolphin_logger.config import Config, SuppressRule
from dolphin_logger.proxy.request import Headers


@dataclass(frozen=True, slots=True)
class Call:
    """What rules look at: the request's names, its first user text and its header fields."""

    model: str
    path: str
    client: str
    text: str
    headers: Headers


_Check = Callable[[Call], bool]


class Suppression:
    """The rules of one configuration."""

    def __init__(self, config: Config) -> None:
        self._rules = [_compile(rule) for rule in config.suppress]
        self._sample = config.sample

    def applies(self, call: Call) -> bool:
        """Say whether a rule or sampling keeps a call out of the record."""
        for checks in self._rules:
            for check in checks:
                if not check(call):
                    break
            else:
                return True
        return self._sample < 1.0 and random.random() >= self._sample  # noqa: S311 - sampling, not security


def _compile(rule: SuppressRule) -> list[_Check]:
    checks: list[_Check] = []
    if rule.prefix is not None:
        prefix = rule.prefix
        checks.append(lambda call: call.text.startswith(prefix))
    if rule.header is not None:
        checks.append(_has_header(rule.header))
    if rule.model is not None:
        matches_model = re.compile(translate(rule.model)).match
        checks.append(lambda call: matches_model(call.model) is not None)
    if rule.path is not None:
        matches_path = re.compile(translate(rule.path)).match
        checks.append(lambda call: matches_path(call.path) is not None)
    if rule.client is not None:
        matches_client = re.compile(translate(rule.client)).match
        checks.append(lambda call: matches_client(call.client) is not None)
    if rule.pattern is not None:
        search = re.compile(rule.pattern).search
        checks.append(lambda call: search(call.text) is not None)
    return checks


def _has_header(header: str) -> _Check:
    """Compare a field's value without regard to case."""
    name, _, value = header.partition(":")
    wanted_name = name.strip().lower().encode("latin-1", "replace")
    wanted = value.strip().lower().encode("latin-1", "replace")

    def check(call: Call) -> bool:
        for name, value in call.headers:
            if name == wanted_name and value.strip().lower() == wanted:
                return True
        return False

    return check
