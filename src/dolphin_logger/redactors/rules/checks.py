"""Closer looks at what an expression found: some values that have the form of a secret are none.

Each takes the value and says whether it is one. They know values, not texts.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from dolphin_logger.redactors._looks import is_mixed, is_random, is_stand_in, is_uuid

_COMMON: Final = re.compile(
    r"(?i)(?:my)?(?:secret)?pass(?:word|wd)?|pwd?|secret|token|user(?:name)?|root|admin|test|guest|postgres"
    r"|mysql|changeme|letmein|none|null|true|false|string|required|optional|undefined|incorrect|correct"
    r"|wrong|invalid|missing|empty|hashed|stored|encrypted"
)
_REFERENCE: Final = re.compile(r"[$%{<\[(*].*|.*[(\[{]|[A-Za-z_]+(?:\.[A-Za-z_]+)+|[0-9]{1,5}|@.*")
_COOKIE: Final = re.compile(r"[A-Za-z0-9_.$-]+=([^;\s]+)")


def is_password(value: str) -> bool:
    """Whether it can be a password: not one that stands for one, and no variable."""
    plain = value.strip("\"'`,;)")
    if len(plain) < 3 or _COMMON.fullmatch(plain) or _REFERENCE.fullmatch(plain):
        return False
    return len(set(plain)) >= 3 and (len(plain) < 5 or not is_stand_in(plain))


def is_basic(value: str) -> bool:
    """Whether it decodes to a name and a password, as `Basic` has it (RFC 7617)."""
    try:
        decoded = base64.b64decode(value + "=" * (-len(value) % 4), validate=True)
    except (ValueError, binascii.Error):
        return False
    if b":" in decoded:
        return decoded.isascii() and not decoded.startswith((b"user:pass", b"username:password"))
    return is_random(value)


def has_session(value: str) -> bool:
    """Whether one of the cookies was drawn by chance."""
    return any(
        len(cookie) >= 16 and is_random(cookie) and not is_stand_in(cookie)
        for cookie in _COOKIE.findall(value[:4000])
    )


def is_session(value: str) -> bool:
    """Whether it was drawn by chance and is no UUID: programs number their sessions so."""
    return is_random(value) and not is_uuid(value)


CHECKS: Final[Mapping[str, Callable[[str], bool]]] = MappingProxyType(
    {
        "password": is_password,
        "basic": is_basic,
        "cookie": has_session,
        "session": is_session,
        "random": is_random,
        "mixed": is_mixed,
    }
)
