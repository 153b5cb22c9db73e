"""Secrets that we know: found exactly, in every form in which a text may carry them.

They come as a list from whoever makes a build (`known_secrets` collects it from configuration and
environment); the redactor knows nothing else of either. All forms of all secrets are looked for in one
pass. Invariant: no finding, version or error says a value.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final
from urllib.parse import quote

from dolphin_logger.config import Config
from dolphin_logger.redactors._api import Finding
from dolphin_logger.redactors._linear import Characters, Pattern, Screen, encode

PRIORITY: Final = 100
SHORTEST: Final = 8  # characters of a known secret; shorter ones would blot out words
_HEADERS: Final = frozenset(
    {"user-agent", "accept", "content-type", "http-referer", "referer", "x-title"}
)
_SECRET_NAME: Final = re.compile(
    r"(?i)(?:^|_)(?:.*key|.*token|.*secret|pass(?:wd|word|phrase)?|.*password|.*credentials?|pwd|pat|auth)"
    r"(?:_\w{1,12}|[0-9]{1,2})?$"
)
_PUBLIC_NAME: Final = re.compile(
    r"(?i)public|(?:^|_)(?:path|file|dir|name|id|url|uri|host|type|count|limit|algorithm|ttl|socket|sock|method)$"
    r"|^(?:PWD|OLDPWD)$|keyboard|keymap|monkey"
)
_PLAIN_VALUE: Final = re.compile(
    r"[a-z]+|[0-9]{1,9}|[~./].*|[A-Za-z]:\\.*|ENV:.*|PASSTHROUGH|(?i:true|false|none|null|changeme|password|disabled|enabled)"
)


class Known:
    """Finds the given values, plain and encoded."""

    name = "known"
    version = "1"  # of the forms; which values are known is nobody's business

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._values = tuple(sorted({value for value in values if len(value) >= SHORTEST}))

    @cached_property
    def _forms(self) -> tuple[Screen, Pattern] | None:
        forms = {form for value in self._values for form in forms_of(value)}
        if not forms:
            return None
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        expression = "|".join(_literal(form) for form in longest_first)
        return Screen([expression]), Pattern(expression)

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        """Find each known secret, in whatever form, to its whole length."""
        if self._forms is None or len(text) < SHORTEST:
            return
        screen, pattern = self._forms
        data = encode(text)
        if screen.hits(data):
            characters = Characters(text, data)
            for begin, finish in pattern.spans(data):
                start, end = characters.span(begin, finish)
                yield Finding(start, end, "SECRET", "known-secret", PRIORITY)


def forms_of(value: str) -> Iterator[bytes]:
    """Write a value in each form: plain, base64 (3 alignments), percent, JSON, hex, and some twice."""
    data = encode(value)
    yield data
    yield from _base64(data)
    yield data.hex().encode()
    yield data.hex().upper().encode()
    percent = {quote(data, safe=safe) for safe in ("", "/", "-_.~!*'()/:@,;+$&=?")}
    for once in percent:
        yield once.encode()
        yield re.sub(r"%[0-9A-F]{2}", lambda code: code[0].lower(), once).encode()
        yield quote(once, safe="").encode()
    for is_ascii in (True, False):
        escaped = data
        for _ in range(3):
            escaped = _escape(escaped, is_ascii=is_ascii)
            yield escaped
            yield escaped.replace(b"/", b"\\/")


def known_secrets(config: Config, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Collect what must never leave: keys, tokens and secret headers, and secret-looking variables.

    `config` has resolved `ENV:` already. Words, numbers and paths are no secrets, whatever their name.
    """
    found = [secret.reveal() for secret in config.secrets()]
    found = [value for value in found if value not in _plain_headers(config)]
    found += [value for name, value in environ.items() if _looks_secret(name)]
    bare = (re.sub(r"^(?i:bearer|basic|token)\s+", "", value.strip()) for value in found)
    return tuple(
        sorted({one for one in bare if len(one) >= SHORTEST and not _PLAIN_VALUE.fullmatch(one)})
    )


def _plain_headers(config: Config) -> set[str]:
    return {
        value.reveal()
        for entry in config.models
        for name, value in entry.headers
        if name.lower() in _HEADERS
    }


def _looks_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None and _PUBLIC_NAME.search(name) is None


def _base64(data: bytes) -> Iterator[bytes]:
    """Give what every base64 text that holds the bytes has in it, however they are aligned."""
    for lead in range(3):
        coded = base64.b64encode(bytes(lead) + data)
        # characters that depend on neighbours say nothing of the value: they are left off
        begin = (0, 2, 3)[lead]
        kept = coded.rstrip(b"=")
        if (lead + len(data)) % 3:
            kept = kept[:-1]
        yield kept[begin:]
        yield kept[begin:].translate(bytes.maketrans(b"+/", b"-_"))
    yield base64.b64encode(data)
    yield base64.urlsafe_b64encode(data)


def _escape(data: bytes, *, is_ascii: bool) -> bytes:
    text = data.decode("utf-8", "surrogatepass")
    return encode(json.dumps(text, ensure_ascii=is_ascii)[1:-1])


def _literal(data: bytes) -> str:
    return "".join(f"\\x{byte:02x}" for byte in data)
