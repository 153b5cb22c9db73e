"""Blocks: recorded values as indented lines.

It knows JSON and text, and no record. Only what no person reads (bytes of pictures, sounds and files,
seals, vectors, log-probabilities) is replaced by a note of its kind and size.
Invariants: text is neutralised, so that it can fake no control sequence; a text that stands deeper
than a heading or a mark of ours can fake neither; never raises, whatever was recorded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from dolphin_logger.cli.output import neutralise, paint

INDENT = "  "
_DATA_URL = re.compile(r"data:([^;,\s]*)(?:;[^,\s]*)?;base64,([A-Za-z0-9+/_=-]*)")
_BASE64 = re.compile(r"(?=.*[a-z])(?=.*[A-Z])(?=.*[0-9])[A-Za-z0-9+/_-]{256,}={0,2}")
_ONLY_BASE64 = re.compile(r"[A-Za-z0-9+/_-]*={0,2}")
_SEALS = {"thoughtSignature", "thought_signature", "encrypted_content"}
_LOG_PROBABILITIES = {"logprobs", "logprobsResult"}
_MARK = "· "
LINE = 96  # characters of JSON that are read at a glance
_SHORT = 64  # a seal of so many characters, or a list of so many numbers, may stand as it is


def heading(name: str) -> str:
    """Write the beginning of a section."""
    return paint(f"── {name} " + "─" * (60 - len(name)), "blue")


def block(text: str, *, depth: int) -> Iterator[str]:
    """Write a text, line by line."""
    for line in neutralise(text, keep_newlines=True).split("\n"):
        yield f"{INDENT * depth}{line}"


def pairs(fields: Mapping[str, Any], *, depth: int) -> Iterator[str]:
    """Write every key that holds something, marked, so that no text can be taken for it."""
    for key, value in fields.items():
        if value not in (None, [], {}):
            yield from _member(key, value, depth=depth, mark=_MARK)


def members(fields: Mapping[str, Any], *, depth: int) -> Iterator[str]:
    """Write every key of a recorded value: texts as they are, everything else as JSON."""
    for key, value in fields.items():
        yield from _member(key, value, depth=depth, mark="")


def _member(key: str, value: Any, *, depth: int, mark: str) -> Iterator[str]:
    if key in _LOG_PROBABILITIES and value:
        yield from block(
            f"{mark}log-probabilities of {_length(value)} tokens: see --json", depth=depth
        )
        return
    noted = _noted(value, key=key)
    text = noted if isinstance(noted, str) else pretty(noted)
    name = neutralise(key)
    if "\n" not in text:
        yield from block(f"{mark}{name}: {text}", depth=depth)
        return
    yield from block(f"{mark}{name}:", depth=depth)
    yield from block(text, depth=depth + 1)


def pretty(value: Any) -> str:
    """Write a value as JSON: on one line if it is short, else indented."""
    try:
        shown = _without_bytes(value)
        line = json.dumps(shown, ensure_ascii=False)
        return line if len(line) <= LINE else json.dumps(shown, indent=2, ensure_ascii=False)
    except RecursionError:
        return "nested too deeply to write here: see --raw"


def bytes_note(data: str, media_type: str | None) -> str:
    """Note the size of base64; what is none is written as it is."""
    if not _ONLY_BASE64.fullmatch(data):
        return data
    return f"[{media_type or 'base64'}, {_decoded_size(data):,} bytes]"


def url_note(url: str) -> str:
    """Write a URL; of one that holds its bytes, their kind and size."""
    found = _DATA_URL.fullmatch(url)
    return url if found is None else f"[{found[1] or 'data'}, {_decoded_size(found[2]):,} bytes]"


def seal_note(signature: str) -> str:
    """Note the size of a vendor's seal."""
    return f"[sealed, {len(signature):,} characters]"


def _without_bytes(value: Any, *, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: _without_bytes(item, key=name) for name, item in value.items()}
    if isinstance(value, list) and not _is_vector(value):
        return [_without_bytes(item) for item in value]
    return _noted(value, key=key)


def _noted(value: Any, *, key: str) -> Any:
    """Replace what is only bytes, or numbers, by a note; leave everything else."""
    if isinstance(value, list) and _is_vector(value):
        return f"[{len(value):,} numbers: see --json]"
    if not isinstance(value, str):
        return value
    if value.startswith("data:"):
        return url_note(value)
    if key in _SEALS and len(value) > _SHORT and _ONLY_BASE64.fullmatch(value):
        return seal_note(value)
    if _BASE64.fullmatch(value):
        return bytes_note(value, None)
    return value


def _is_vector(value: list[Any]) -> bool:
    return len(value) > _SHORT and all(isinstance(item, int | float) for item in value)


def _length(value: Any) -> int:
    """Count the tokens: the entries of the list, or of the longest list in it."""
    if isinstance(value, list):
        return len(value)
    lists = value.values() if isinstance(value, dict) else ()
    return max((len(item) for item in lists if isinstance(item, list)), default=0)


def _decoded_size(text: str) -> int:
    return len(text.rstrip("=")) * 3 // 4
