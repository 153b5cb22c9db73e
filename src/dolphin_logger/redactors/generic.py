"""Secrets that only their names give away: `password = "…"`, `API_KEY=…`, `--token …`, `"secret": "…"`.

A name that promises a secret and a value that looks like one (`_looks`): drawn by chance, or for
passwords thought of by a person. It knows code: references, calls, annotations, stand-ins, UUIDs and
digests are no secrets. Invariant: linear time; a value is judged by itself, never by its neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache
from typing import Final

from dolphin_logger.redactors._api import Finding
from dolphin_logger.redactors._linear import Characters, Pattern, Screen, encode
from dolphin_logger.redactors._looks import is_digest, is_mixed, is_random, is_stand_in, is_uuid
from dolphin_logger.redactors.rules.checks import is_password

PRIORITY: Final = 60
_SHORTEST: Final = 6  # characters of a value
_SHORTEST_RANDOM: Final = 10  # characters that tell whether they were drawn by chance
_SHORTEST_PAIR: Final = 10  # characters of a name and a value
_LONGEST: Final = 4096  # characters of a value; a longer one is a file
_NAME_LENGTH: Final = 48  # characters in front of a keyword that still belong to the name

_OFTEN: Final = 256  # bytes of a name with its value that may come again
_NOWHERE: Final = (-1, -1)
_SETS: Final = (b"=", b":")  # the settings of a file, no prose
_BEHIND: Final = b".:!?|&)}]"  # what ends a sentence or a group, not a value
_NAME_BEFORE: Final = re.compile(rb"[\w.-]+$")

_KEYWORDS: Final = (
    r"passwords?|passwd|passphrase|passcode|pwd|secrets?|tokens?|credentials?|creds|authorization|auth"
    r"|(?:api|access|private|secret|auth|client|app|application|account|storage|shared|master|signing"
    r"|signature|encryption|encrypt|crypt|service|webhook|deploy|license|licence|admin|root|ssh|hmac|jwt"
    r"|session|cookie|consumer|subscription|integration|ingest|write|function|host|seed|aes|data)[_. -]?keys?"
    r"|[_-]keys?|salt|pepper|pin_?code|(?:session|refresh|bearer)_?id|otp|mnemonic|cookie"
)
_QUOTE: Final = r"\\{0,7}[\"'`]"
_NAME: Final = (
    rf"(?i:({_KEYWORDS})([\w-]{{0,24}}))(?:{_QUOTE})?[\])]?"  # 1 keyword, 2 rest of the name
)
_QUOTED: Final = rf"[rbuf]{{0,2}}({_QUOTE})([^\"'`\\\r\n]{{6,}})"
_BARE: Final = r"([^\s\"'`,;<>\\)\]}][^\s\"'`,;<>\\]{5,})"
# 3: what gives the one to the other, also behind an annotation, or at the end of a tag
_JOINT: Final = r"([ \t]{0,3}(?::[ \t]?[A-Za-z_][\w.\[\]| ]{0,40}[ \t]?=|:=|=>|={1,3}|!=|:|,|>))"
# 4 quote, 5 quoted value, also in one of the next lines, where formatters put long ones; 6 bare value
_ASSIGNED: Final = rf"{_NAME}{_JOINT}(?:\s{{0,4}}{_QUOTED}|[ \t]{{0,4}}{_BARE})"
_FLAGGED: Final = rf"--?[\w-]{{0,48}}?{_NAME}([ \t]{{1,4}})(?:{_QUOTED}|{_BARE})"
# words right before the keyword with which it is something else
_OTHER_NAME: Final = re.compile(
    r"(?i)(?:^|[_.-])(?:public|max|min|num|total|prompt|completion|input|output|cached?|next|page|pagination"
    r"|continuation|sync|cursor|special|pad|eos|bos|unk|stop|start|end|first|last|unique|reasoning|design)[_.-]?$"
)
_KEY_OF: Final = re.compile(
    r"(?i)(?:^|[_.-])(?:public|primary|foreign|sort|partition|cache|idempotency|row|hash|dict|map|config|lookup"
    r"|index|group|object|item|json|field|node|tree|range|routing|event|message|react|dedupe?|registry|hot|short"
    r"|shortcut|arrow|function|translation|ref|test|query|param|column|table|state|slot|attr|entry|record|unique"
    r"|resource|feature|composite|natural|surrogate|candidate|host|i18n|trace|request|correlation)$"
)
_OTHER_REST: Final = re.compile(
    r"(?i)[_-]?(?:s?_?(?:counts?|used|usage|limits?|budgets?|length|len|ids?|names?|types?|fields?|paths?|files?"
    r"|urls?|uris?|policy|regex|pattern|labels?|hints?|prompts?|headers?|class|expir\w*|ttl|manager|providers?|store"
    r"|hashers?|format|error|version|algorithm|endpoints?|sources?|schemes?|encoding|required|enabled|changed|reset"
    r"|modified|at|time|date|index|rotation|scopes?|dir|ref|arn))$|[_-]?(?:iz|ise|ation|ed|or|er|ority)\w*"
)
_PERSONAL: Final = re.compile(r"(?i)passw|passphrase|passcode|pwd|^pass$")
_WEAK: Final = re.compile(
    r"(?i)^(?:auth|cookie|salt|(?:data|seed)[_. -]?keys?|(?!.*(?:api|secret|private|access|auth)).*[_-]keys?)$"
)
_SECRET_KEY: Final = re.compile(
    rf"(?i)(?:{_KEYWORDS})(?:[_-]?(?:\d{{1,2}}|value|prod|dev|test|live|old|new))?$"
)
_REFERENCE: Final = re.compile(
    r"(?s)[$%@&<{(\[*|].*"  # ${VAR}, $(cmd), {{template}}, <placeholder>, *args
    r"|(?:[A-Za-z_]\w*(?:\.|->|::|\?\.))+[A-Za-z_]\w*[;,]?"  # attribute access
    r"|[A-Za-z_][\w.:>?-]*[(\[{].*"  # a call, an index, an annotation
    r"|(?:https?|file|ftp|s3|gs|data|git)[:@].*|(?:~|\.{1,2})?/.*|[A-Za-z]:\\.*"
    r"|(?:process\.env|os\.environ|import\.meta|secrets\.|vars\.|env\.|ENV:|env:).*"
    r"|[\w.+-]+@[\w-]+\.[\w.-]+|[\w./-]+\.(?:py|js|ts|json|pem|key|txt|yaml|yml|toml|md|go|rs|c|h|sh|crt|cfg)"
    r"|[\w.-]+:[0-9]{1,5}|v?[0-9]+(?:[.:/-][0-9]+)*\w?|[\w-]+/[\w-]+(?:/[\w-]+)*|.*[()].*"
)
_WORDS: Final = re.compile(
    r"[A-Za-z]+(?:[ _./:,-]+[A-Za-z]+)*[.:!?]*|[A-Z_][A-Z0-9_]*|[a-z_]+[0-9]?(?:_[a-z0-9]+)*"
)
_NAMED_DIGEST: Final = re.compile(
    r"(?i)hash|digest|sha\d|md5|checksum|integrity|fingerprint|commit|revision|etag"
)


class Generic:
    """Finds values whose names say that they are secret."""

    name = "generic"
    version = "2"

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        """Find assigned values; the whole text when `key` is the name of a secret."""
        if len(text) < _SHORTEST:
            return
        if key is not None and _is_secret_name(key) and _is_given(text, key=key):
            yield Finding(0, len(text), "SECRET", "secret-by-key", PRIORITY)
            return
        if len(text) < _SHORTEST_PAIR:
            return
        data = encode(text)
        hits = _screen().hits(data)
        if hits:
            characters = Characters(text, data)
            for number in hits:
                for begin, finish in _patterns()[number].places(data):
                    if (span := _secret(number, data, begin, finish)) is not None:
                        start, end = characters.span(*span)
                        yield Finding(start, end, "SECRET", "secret-by-name", PRIORITY)


def _secret(number: int, data: bytes, begin: int, finish: int) -> tuple[int, int] | None:
    """Give the span of the value that is given there, when it is a secret."""
    before = _NAME_BEFORE.search(data, max(0, begin - _NAME_LENGTH), begin)
    judge = _judged if finish - begin <= _OFTEN else _judged.__wrapped__
    span = judge(number, before[0] if before else b"", data[begin:finish])
    return (begin + span[0], begin + span[1]) if span is not None else None


@lru_cache(maxsize=4096)
def _judged(number: int, before: bytes, given: bytes) -> tuple[int, int] | None:
    """Judge a name and its value by themselves; the same lines of settings come again and again."""
    match = _patterns()[number].match(given)
    keyword, rest, joint = (given[slice(*match.span(group))] for group in (1, 2, 3))
    start = _NAME_BEFORE.search(before + given[: match.start(1)])
    name = _name(start[0][-_NAME_LENGTH:] if start else b"", keyword, rest)
    begin, end = match.span(5)
    is_bare = (begin, end) == _NOWHERE
    if name is None or (is_bare and joint.strip() == b","):
        return None
    if is_bare:
        begin, end = match.span(6)
        end = begin + _length_of_bare(given[begin:end], is_set=joint.strip() in _SETS)
    value = given[begin:end].decode("utf-8", "surrogatepass")
    return (begin, end) if _is_secret(value, name=name) else None


@lru_cache(maxsize=4096)
def _name(start: bytes, keyword: bytes, rest: bytes) -> str | None:
    """Put a name together; None when with these words around the keyword it is no secret's."""
    before, known, behind = (part.decode("latin-1") for part in (start, keyword, rest))
    if _is_other(before, known) or _OTHER_REST.fullmatch(behind):
        return None
    return before + known + behind


def _length_of_bare(value: bytes, *, is_set: bool) -> int:
    """Give how much of a value without quotes is its own: marks of the sentence around it are not.

    Behind a digit, in `NAME=value` and `name: value`, one is: `DB_PASSWORD=blue_sky42?`.
    """
    stripped = value.rstrip(_BEHIND)
    if is_set and value[len(stripped) :] in {b"!", b"?"} and stripped[-1:].isdigit():
        return len(value)
    return len(stripped)


@lru_cache(maxsize=4096)
def _is_secret_name(key: str) -> bool:
    found = _SECRET_KEY.search(key)
    return (
        found is not None
        and not _is_other(key[: found.start()], found[0])
        and not _NAMED_DIGEST.search(key)
    )


def _is_other(start: str, keyword: str) -> bool:
    """Whether the name that begins so and has this keyword is no secret's: `max_tokens`, `sort_key`."""
    if keyword[0] in "_-":
        return _KEY_OF.search(start) is not None
    return _OTHER_NAME.search(start) is not None


def _is_given(value: str, *, key: str) -> bool:
    """Whether the value of a key of that name is a secret."""
    if len(value) > _LONGEST or any(character.isspace() for character in value):
        return False
    if _PERSONAL.search(key):
        return is_password(value) and not _REFERENCE.fullmatch(value)
    return _is_secret(value, name=key)


def _is_secret(value: str, *, name: str) -> bool:
    if not _SHORTEST <= len(value) <= _LONGEST or value.split() != [value]:
        return False
    is_personal = _PERSONAL.search(name) is not None
    if len(value) < _SHORTEST_RANDOM and not (is_personal and is_mixed(value)):
        return False
    if _REFERENCE.fullmatch(value) or is_stand_in(value) or is_uuid(value):
        return False
    if _NAMED_DIGEST.search(name) or (is_digest(value) and _WEAK.search(name)):
        return False
    if is_personal and is_mixed(value) and not _WORDS.fullmatch(value):
        return True
    return len(value) >= _SHORTEST_RANDOM and is_random(value)


@cache
def _screen() -> Screen:
    return Screen((_ASSIGNED, _FLAGGED))


@cache
def _patterns() -> tuple[Pattern, ...]:
    return Pattern(_ASSIGNED), Pattern(_FLAGGED)
