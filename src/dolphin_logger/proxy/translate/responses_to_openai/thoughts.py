"""What the model thought, as a reasoning item carries it.

A client that asks for `reasoning.encrypted_content` sends the thought back in it, because it does not
send the readable text. There is nothing to hide, so it is sealed in name only.
It knows reasoning items, no messages and no streams. Invariant: a seal that is not ours is never opened.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Final

SEALED: Final = "reasoning.encrypted_content"  # in a request's `include`

_OURS: Final = "dolphin-logger:1:"


def seal(thought: str) -> str:
    """Write a thought as `encrypted_content`."""
    return _OURS + base64.b64encode(thought.encode("utf-8", "surrogatepass")).decode()


def read_thought(item: Mapping[str, Any]) -> str:
    """Read a reasoning item of the history; empty when nobody here can."""
    return (
        _join(item.get("content"))
        or _unseal(item.get("encrypted_content"))
        or _join(item.get("summary"))
    )


def is_foreign(sealed: Any) -> bool:
    """Say whether `encrypted_content` is somebody else's."""
    return bool(sealed) and not (isinstance(sealed, str) and sealed.startswith(_OURS))


def _join(parts: Any) -> str:
    """Join the texts of parts; those without text say nothing."""
    texts = (
        part.get("text")
        for part in (parts if isinstance(parts, list) else ())
        if isinstance(part, dict)
    )
    return "".join(text for text in texts if isinstance(text, str))


def _unseal(sealed: Any) -> str:
    if not sealed or is_foreign(sealed):
        return ""
    try:
        encoded = sealed.removeprefix(_OURS)
        return base64.b64decode(encoded, validate=True).decode("utf-8", "surrogatepass")
    except (binascii.Error, UnicodeDecodeError):
        return ""
