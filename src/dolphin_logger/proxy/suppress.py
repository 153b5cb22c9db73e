"""What is not recorded, decided before anything of it reaches a disk.

It knows rules, not files. The preset is the original's: requests whose first user message starts
with `### Task:`, the side tasks of Open WebUI. A request says so itself with `x-no-log: true`.
"""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase

from dolphin_logger.config import Config, SuppressRule
from dolphin_logger.proxy.connection import Request

_TASK_PREFIX = "### Task:"
_TRUE = (b"1", b"true", b"yes", b"on")


class Suppression:
    """The rules of one configuration."""

    def __init__(self, config: Config) -> None:
        self._rules: Sequence[SuppressRule] = config.suppress
        self._sample = config.sample
        self._patterns = {
            rule.pattern: re.compile(rule.pattern) for rule in config.suppress if rule.pattern
        }

    def declined(self, request: Request) -> bool:
        """Say whether the request itself asks not to be recorded."""
        value = request.header(b"x-no-log")
        return value is not None and value.strip().lower() in _TRUE

    def applies(
        self,
        request: Request,
        *,
        first_user_text: str | None,
        model: str | None,
        path: str,
        client: str | None,
    ) -> bool:
        """Say whether a rule, the preset or sampling keeps a request out of the record."""
        text = first_user_text or ""
        if text.startswith(_TASK_PREFIX) or self.declined(request):
            return True
        if any(
            self._matches(
                rule, request, text=text, model=model or "", path=path, client=client or ""
            )
            for rule in self._rules
        ):
            return True
        return self._sample < 1.0 and random.random() >= self._sample  # noqa: S311 - sampling, not security

    def _matches(
        self, rule: SuppressRule, request: Request, *, text: str, model: str, path: str, client: str
    ) -> bool:
        """All conditions that a rule names must hold."""
        if rule.model is not None and not fnmatchcase(model, rule.model):
            return False
        if rule.path is not None and not fnmatchcase(path, rule.path):
            return False
        if rule.client is not None and not fnmatchcase(client, rule.client):
            return False
        if rule.prefix is not None and not text.startswith(rule.prefix):
            return False
        if rule.pattern is not None and not self._patterns[rule.pattern].search(text):
            return False
        return rule.header is None or _has_header(request, rule.header)


def _has_header(request: Request, header: str) -> bool:
    name, _, value = header.partition(":")
    wanted = value.strip().lower().encode("latin-1", "replace")
    found = request.header(name.strip().lower().encode("latin-1", "replace"))
    return found is not None and found.strip().lower() == wanted
