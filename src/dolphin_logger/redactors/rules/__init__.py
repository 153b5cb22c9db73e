"""The rule pack: what secrets look like, as data, written from what vendors publish about their keys.

    models.toml    who serves models, and the tools around them
    code.toml      where code is kept, built, packed and released
    cloud.toml     machines, storage, databases, networks
    services.toml  messages, payments, observation, documents
    shapes.toml    secret by shape: private keys, JWT, URLs with passwords, headers, cookies

Each table is a rule: `regex` (RE2; group 1 is the secret, else all of it; `<b>` is where a token may
begin, `<q>` a quote, escaped or not), `names` (where the value says
too little: the names in front of it), `screen` (where the beginning says too little: what any text
with the secret has), `kind` (SECRET), `check` (a closer look, of `checks.py`), and
for the tests `find` and `skip`: templates of what it must find and must not, `{w:20}` standing for 20 letters or
digits drawn by chance, so that no file here holds a secret.
"""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Final

FILES: Final = ("models", "code", "cloud", "services", "shapes")
# a token stands alone, or behind `_`, or behind the escape of a character in a JSON string
BEFORE: Final = r"(?:\b|_|\\[abfnrtv])"
_QUOTE: Final = r"(?:\\{0,7}[\"'`])"
_GIVES: Final = r"[\w.-]{0,30}[\\\"'`\])]{0,8}\s{0,3}(?::=|=>|[:=,\s])\s{0,3}[\\\"'`]{0,8}"
_REPEAT: Final = re.compile(r"\{([0-9]+)(?:,[0-9]*)?\}")
_ENOUGH: Final = 8
_AFTER: Final = r"(?:[^A-Za-z0-9_/+-]|$)"


@dataclass(frozen=True, slots=True)
class Rule:
    """One kind of secret; `screen` tells whether a text may have it, `expression` where."""

    id: str
    kind: str
    expression: str
    screen: str
    check: str | None


@cache
def rules() -> tuple[Rule, ...]:
    """Read the whole pack."""
    folder = files(__name__)
    return tuple(
        _rule(name, table)
        for file in FILES
        for name, table in tomllib.loads((folder / f"{file}.toml").read_text("utf-8")).items()
    )


def _rule(name: str, table: dict[str, Any]) -> Rule:
    expression = _spell(table["regex"])
    if "names" in table:
        screen = f"(?i:{'|'.join(table['names'])})"
        expression = f"{screen}{_GIVES}({expression}){_AFTER}"
    elif "(" not in expression.replace("(?", "").replace(r"\(", ""):
        screen = _shorten(f"{BEFORE}{expression}")
        expression = f"{BEFORE}({expression})"
    else:
        screen = _shorten(expression)
    screen = _spell(table["screen"]) if "screen" in table else screen
    return Rule(
        id=name,
        kind=table.get("kind", "SECRET"),
        expression=expression,
        screen=screen,
        check=table.get("check"),
    )


def _spell(expression: str) -> str:
    return expression.replace("<b>", BEFORE).replace("<q>", _QUOTE)


def _shorten(expression: str) -> str:
    """Cut an expression behind its first eight repetitions: enough to say that a text may have it.

    The automaton of all rules stays small so. Only outside of groups, where what follows is a sequence.
    """
    for repeat in _REPEAT.finditer(expression):
        before = expression[: repeat.start()]
        opened = before.count("(") - before.count(r"\(")
        if int(repeat[1]) > _ENOUGH and opened == before.count(")") - before.count(r"\)"):
            return f"{before}{{{_ENOUGH}}}"
    return expression
