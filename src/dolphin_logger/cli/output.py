"""Output: how a command prints, for a person at a terminal, for a pipe, and for an AI agent.

Data goes to stdout, everything else to stderr. It knows nothing about records.
Invariant: what was recorded is hostile; no control character of it reaches a terminal, in any
mode (JSON carries them as escapes).
"""

from __future__ import annotations

import functools
import json
import os
import re
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from typing import IO, Any

import click

SCHEMA_VERSION = 1
_AGENTS = (  # the public list of variables that coding agents set in the commands they run
    "AI_AGENT",
    "AGENT",
    "CLAUDECODE",
    "CLAUDE_CODE",
    "CODEX_SANDBOX",
    "CODEX_CI",
    "CODEX_THREAD_ID",
    "GEMINI_CLI",
    "CLINE_ACTIVE",
    "CRUSH",
    "CURSOR_AGENT",
    "OPENCODE",
    "GOOSE_TERMINAL",
    "AMP_CURRENT_THREAD_ID",
    "COPILOT_CLI",
)
# C0 without tab and newline, DEL, C1, line and paragraph separators, zero-width and bidirectional
# controls (UAX #9), the byte order mark, tag characters, lone surrogates
_HOSTILE = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f\ud800-\udfff"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_IN_TEXT = re.compile(f"[{_HOSTILE}]")
_ON_LINE = re.compile(f"[{_HOSTILE}\t\n]")


def neutralise(text: str, *, keep_newlines: bool = False) -> str:
    r"""Write control characters as visible escapes (`\x1b`); newline and tab stay when asked for."""
    return (_IN_TEXT if keep_newlines else _ON_LINE).sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def neutralise_json(text: str) -> str:
    """Write control characters of a JSON text as its own escapes: another spelling, the same value."""
    return _IN_TEXT.sub(_escape_json, text)


def _escape_json(match: re.Match[str]) -> str:
    code = ord(match[0])
    if code < 0x10000:
        return f"\\u{code:04x}"
    high, low = divmod(code - 0x10000, 0x400)
    return f"\\u{0xD800 + high:04x}\\u{0xDC00 + low:04x}"


def agent_calls(environment: Mapping[str, str] = os.environ) -> bool:
    """Say whether an AI agent runs this command."""
    return any(environment.get(name, "") not in ("", "0", "false") for name in _AGENTS)


def for_person(stream: IO[Any] | None = None) -> bool:
    """Say whether a person reads the output: a terminal, and no agent at it."""
    return (stream or sys.stdout).isatty() and not agent_calls()


def in_colour() -> bool:
    """Say whether to colour: NO_COLOR forbids, FORCE_COLOR demands, else a person's terminal."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR", "") not in ("", "0"):
        return True
    return for_person() and os.environ.get("TERM") != "dumb"


def paint(text: str, colour: str | None = None, *, bold: bool = False) -> str:
    """Colour our own words, where colours are wanted."""
    return click.style(text, fg=colour, bold=bold) if in_colour() else text


def say(text: str = "") -> None:
    """Print a line of data."""
    click.echo(_encodable(text), color=in_colour())


def note(text: str) -> None:
    """Print a line about the work, on stderr."""
    click.echo(_encodable(neutralise(text, keep_newlines=True)), err=True)


def say_json(fields: Mapping[str, Any]) -> None:
    """Print one object on one line, with its schema version first."""
    click.echo(neutralise_json(json.dumps({"schema_version": SCHEMA_VERSION} | dict(fields))))


def say_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print aligned columns for a person, tab-separated ones with the same heading for a program."""
    cells = [[neutralise("" if cell is None else str(cell)) for cell in row] for row in rows]
    if not for_person():
        for line in [list(columns), *cells]:
            say("\t".join(line))
        return
    widths = [max(map(_width, column)) for column in zip(columns, *cells, strict=True)]
    say(paint(align(columns, widths=widths), bold=True))
    for line in cells:
        say(align(line, widths=widths))


def align(cells: Sequence[str], *, widths: Sequence[int]) -> str:
    """Pad cells to widths, two spaces apart."""
    padded = (
        cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True)
    )
    return "  ".join(padded).rstrip()


def shorten(text: str, *, limit: int) -> str:
    """Cut a text to one line of a number of characters."""
    line = " ".join(text[: limit * 4].split())
    return (
        line if len(line) <= limit and len(text) <= limit * 4 else line[: limit - 1].rstrip() + "…"
    )


@functools.lru_cache(maxsize=4096)
def _character_width(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _width(text: str) -> int:
    return len(text) if text.isascii() else sum(map(_character_width, text))


def _encodable(text: str) -> str:
    """Escape what the terminal's encoding does not have."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
