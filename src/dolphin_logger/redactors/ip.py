"""Addresses on the public internet.

Only what `ipaddress` calls global: private, loopback and documentation networks say nothing of
anybody. Neither do public resolvers. Four numbers with dots are also versions and object
identifiers: what is called a version, or looks like one, stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import ip_address
from typing import Final

from dolphin_logger.redactors._api import Finding
from dolphin_logger.redactors._numbers import numbers

_QUAD: Final = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d]|\.\d)")
_SIX: Final = re.compile(r"[23][0-9A-Fa-f]{3}:[0-9A-Fa-f:]{3,35}")
_RESOLVERS_WORDS: Final = """
8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 9.9.9.9 149.112.112.112 208.67.222.222 208.67.220.220 4.2.2.1
4.2.2.2 64.6.64.6 77.88.8.8 94.140.14.14 76.76.2.0 114.114.114.114 223.5.5.5 119.29.29.29
2001:4860:4860::8888 2001:4860:4860::8844 2606:4700:4700::1111 2606:4700:4700::1001 2620:fe::fe
"""
_RESOLVERS: Final = frozenset(_RESOLVERS_WORDS.split())
_VERSION: Final = re.compile(
    r"(?:\bv|ver\.?|version|release|build|revision|oid|[=<>~^!]=|\^|~)[\s:=\"'()]*$|[A-Za-z0-9]/$|[A-Za-z0-9_]-?$",
    re.IGNORECASE,
)
_PLACE: Final = re.compile(
    r"(?:\bip|addr\w*|host\w*|server|from|peer|client|remote|ssh|ping|curl|nc|telnet|proxy|inet|gateway|subnet|connect\w*|to)\b"
    r"|://|@",
    re.IGNORECASE,
)
_SMALL: Final = (
    32  # parts of versions and sections are mostly smaller, those of addresses hardly all
)


class Ip:
    """Finds public addresses, IPv4 and IPv6."""

    name = "ip"
    version = "1"

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        """Find addresses, in order."""
        done = 0
        for start, end in numbers(text):
            is_six = ":" in text[start:end]
            if not is_six and text.count(".", start, end) < 3:
                continue
            window = (max(done, start - 3), min(len(text), end + 40))
            pattern = _SIX if is_six else _QUAD
            for match in pattern.finditer(text, *window):
                if match.start() >= end:
                    break
                done = match.end()
                if _is_somebodys(text, match, key=key):
                    yield Finding(*match.span(), kind="IP", rule="ip", priority=10)


def _is_somebodys(text: str, match: re.Match[str], *, key: str | None) -> bool:
    written = match.group()
    try:
        address = ip_address(written)
    except ValueError:
        return False
    if not address.is_global or address.is_multicast or str(address) in _RESOLVERS:
        return False
    before = text[max(0, match.start() - 24) : match.start()]
    if ":" in written:
        return not (before[-1:].isalnum() or text[match.end() : match.end() + 1].isalnum())
    after = text[match.end() : match.end() + 1]
    if (
        _VERSION.search(before)
        or after.isalpha()
        or after in {"-", "_"}
        or written.endswith(".0.0.0")
    ):
        return False
    if key is not None and "version" in key.lower():
        return False
    is_small = all(int(part) < _SMALL for part in written.split(".")[:3])
    return (
        not is_small
        or (key is not None and _PLACE.search(key) is not None)
        or bool(_PLACE.search(before))
    )
