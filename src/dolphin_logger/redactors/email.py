"""Addresses of people's mail.

It looks around each `@`. No address: decorators, `git@host:path`, `package@1.2.3`, mail that nobody
reads (`noreply@`) and the names that are reserved for examples (RFC 2606). Invariant: one step per
`@` over at most a name and a domain, so linear time.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from dolphin_logger.redactors._api import Finding

_LOCAL: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.!#$%&*+-/=?^_`{|}~"
_LONGEST_LOCAL: Final = 64  # RFC 5321 §4.5.3.1
_LONG_ENDS: Final = (
    "info|name|mobi|aero|asia|coop|jobs|museum|travel|arpa|email|mail|tech|online|site|store|shop|cloud|blog|world"
    "|life|live|today|news|media|digital|agency|company|solutions|services|systems|software|engineering|consulting"
    "|group|network|studio|design|academy|education|university|school|health|clinic|legal|finance|capital|ventures"
    "|partners|international|global|space|website|host|codes|team|work|works|zone|center|london|berlin|paris|tokyo"
    "|amsterdam|moscow|wien|swiss|scot|wales|bayern|hamburg|koeln|google|apple|amazon"
)
_DOMAIN: Final = re.compile(
    rf"(?:[^\W_](?:[^\W_]|-){{0,62}}\.){{1,8}}(?:[^\W\d_]{{2,3}}|{_LONG_ENDS}|xn--[a-z0-9-]{{2,59}})(?![^\W_]|\()",
    re.IGNORECASE,
)  # `x@w.shape` multiplies matrices: longer ends are those that people have, not all of IANA's
_NO_ENDS_WORDS: Final = """
.js .ts .py .json .html .css .png .svg .jpg .gz .service .target .socket .timer
.example .test .invalid .localhost .local .example.com .example.org .example.net .example.edu
"""
_NO_ENDS: Final = tuple(_NO_ENDS_WORDS.split())
_NOBODY: Final = re.compile(
    r"(?:(?:no|donot|do-not|do\.not)[-._]?reply|noreply|mailer-daemon|postmaster|git|hg|svn)"
    r"(?:[-+._][\w.+-]*)?",
    re.IGNORECASE,
)
_NOBODY_DOMAINS: Final = ("users.noreply.github.com", "noreply.gitlab.com", "noreply.github.com")


class Email:
    """Finds addresses of mail."""

    name = "email"
    version = "1"

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        """Find addresses, in order; the value's name does not matter."""
        del key
        at = text.find("@")
        while at != -1:
            if (span := _address(text, at)) is not None:
                yield Finding(*span, kind="EMAIL", rule="email", priority=20)
            at = text.find("@", at + 1)


def _address(text: str, at: int) -> tuple[int, int] | None:
    window = text[max(0, at - _LONGEST_LOCAL) : at]
    name = window[len(window.rstrip(_LOCAL)) :].lstrip(".-/=#$%&*!?^`{|}~+")
    domain = _DOMAIN.match(text, at + 1)
    if not name or domain is None or name.endswith(".") or ".." in name:
        return None
    for cut in ("=", "?", "&", "/", "|", "`", "{", "}"):  # `mail=ann@…`, `mailto?to=ann@…`
        name = name.rpartition(cut)[2]
    host = domain.group().lower()
    if (
        not name
        or f".{host}".endswith(_NO_ENDS)
        or _NOBODY.fullmatch(name)
        or host in _NOBODY_DOMAINS
    ):
        return None
    if name.isdigit() and len(name) < 3:
        return None
    return at - len(name), domain.end()
