"""One JSON file, as text and as value.

Knows JSON and files, not what the keys mean. It quotes a line of a broken file only after masking
every word that is not one of ours, and not at all when a key may stand there.
Invariant: whatever the bytes are, the result is a `Document` or an `UnreadableError`.
"""

from __future__ import annotations

import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dolphin_logger.config.findings import Problem
from dolphin_logger.errors import ConfigError

_SENSITIVE = re.compile(r"key|token|secret|auth|bearer|password|header|sk-", re.IGNORECASE)
_WORD = re.compile(r"[^\s\"'\u201c\u201d\u2018\u2019,:{}\[\]]+")
_HARMLESS = re.compile(
    r"\$schema|models?|provider(Model)?|apiBase|query|timeouts|host|port|suppress|sample"
    r"|openai|anthropic|google|ollama|demo|true|false|null|True|False|None|\d{1,5}"
)
_SMART_QUOTES = "\u201c\u201d\u201e\u2018\u2019\u00ab\u00bb"


class UnreadableError(ConfigError):
    """The file cannot be read at all; `problem` says why and where."""

    def __init__(self, path: Path, problem: Problem) -> None:
        super().__init__(problem.describe(str(path)))
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Document:
    """A configuration file that is a JSON object.

    Attributes:
        repeats: some object has a key twice (the last one counts).
        exposed: other users of this computer may read the file.
    """

    path: Path
    text: str
    value: dict[str, Any]
    repeats: bool
    exposed: bool


def read(path: Path) -> Document:
    """Read and parse the file; raises `UnreadableError`."""
    content, exposed = _read_bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        raise _unreadable(path, "is not UTF-8; save it with that encoding", line=line) from None
    repeats = False

    def build(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeats
        value = dict(pairs)
        repeats = repeats or len(value) < len(pairs)
        return value

    try:
        value = json.loads(text, object_pairs_hook=build)
    except json.JSONDecodeError as fault:
        raise _unreadable(path, _explain(fault), line=fault.lineno) from None
    except RecursionError:
        raise _unreadable(path, "is nested too deeply") from None
    except ValueError:
        raise _unreadable(path, "contains a number that is too long") from None
    if not isinstance(value, dict):
        raise _unreadable(path, 'must be a JSON object: { "models": [ … ] }', line=1)
    return Document(path, text, value, repeats, exposed)


def _read_bytes(path: Path) -> tuple[bytes, bool]:
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            if not stat.S_ISREG(mode):
                raise _unreadable(path, "is not a regular file")
            return file.read(), os.name == "posix" and bool(mode & 0o044)
    except FileNotFoundError:
        cure = "does not exist; `dolphin-logger init` creates it"
        raise _unreadable(path, cure) from None
    except OSError as fault:
        raise _unreadable(path, f"cannot be read: {fault.strerror}") from None


def _unreadable(path: Path, message: str, *, line: int | None = None) -> UnreadableError:
    return UnreadableError(path, Problem("", line, message, fatal=True))


def _explain(fault: json.JSONDecodeError) -> str:
    parts = [f"not valid JSON: {fault.msg} (column {fault.colno})", _hint(fault)]
    quoted = _quote(fault.doc.split("\n")[fault.lineno - 1])
    return "; ".join(part for part in (*parts, quoted) if part)


def _quote(line: str) -> str:
    """Quote a line with foreign words masked, or nothing when a key may stand in it."""
    if not line.strip() or _SENSITIVE.search(line):
        return ""
    masked = _WORD.sub(lambda word: word[0] if _HARMLESS.fullmatch(word[0]) else "…", line)
    return f"the line reads: {masked.strip()[:80]}"


def _hint(fault: json.JSONDecodeError) -> str:
    """Say what most probably happened, from the text around the fault."""
    before, after = fault.doc[: fault.pos].rstrip(), fault.doc[fault.pos :].lstrip()
    hint = ""
    if not fault.doc.strip():
        hint = "the file is empty; delete it and the next start creates a new one"
    elif re.match(r",\s*[}\]]", after) or (before.endswith(",") and after[:1] in {"}", "]"}):
        hint = "remove the comma before the closing bracket"
    elif after.startswith(("//", "/*", "#")):
        hint = 'JSON has no comments; use a key that begins with "_" or "//"'
    elif after[:1] and after[0] in _SMART_QUOTES:
        hint = 'replace the typographic quotes by "'
    elif after.startswith("'"):
        hint = 'strings are written in double quotes (")'
    elif re.match(r"(True|False|None)\b", after):
        hint = "JSON writes true, false and null"
    elif "delimiter" in fault.msg:
        hint = "a comma, colon or quote is missing before this place"
    elif "ontrol character" in fault.msg or "Unterminated" in fault.msg:
        hint = 'a string is not closed with " on its own line'
    elif "escape" in fault.msg:
        hint = r"write a backslash as \\"
    elif fault.msg.startswith("Extra data"):
        hint = "there is text after the closing bracket"
    elif not after:
        hint = "the file ends too early: a closing bracket is missing"
    return hint
