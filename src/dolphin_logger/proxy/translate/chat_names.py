"""Names of functions, in the characters and the length that chat completions allow, and back.

Other languages allow more: Anthropic's 128 characters, Google's dots and colons. It keeps no memory.
Invariants: a name that is allowed stays as it is; another gets a mark that follows from it, so that the
next request finds the same one, and no two names become one.

Source: https://platform.openai.com/docs/api-reference/chat/create (tools[].function.name).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable
from typing import Final

LONGEST: Final = 64
_ALLOWED: Final = re.compile(rf"[a-zA-Z0-9_-]{{1,{LONGEST}}}")
_NOT_ALLOWED: Final = re.compile(r"[^a-zA-Z0-9_-]")


def fit_name(name: str) -> str:
    """Write a client's name for the provider; a name without characters is left to its refusal."""
    return name if not name or _ALLOWED.fullmatch(name) else mark_name(name, of=name)


def mark_name(name: str, *, of: str) -> str:
    """Make a name short and its own, by a mark that follows from `of`."""
    digest = hashlib.sha256(of.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{allowed_characters(name)[: LONGEST - 9]}_{digest}"


def allowed_characters(name: str) -> str:
    """Write an underscore in the place of what is not allowed."""
    return _NOT_ALLOWED.sub("_", name)


def names_back(names: Iterable[object]) -> dict[str, str]:
    """Give the client's names by the provider's, of those that differ."""
    found = {fit_name(name): name for name in names if isinstance(name, str)}
    return {fitted: name for fitted, name in found.items() if fitted != name}
