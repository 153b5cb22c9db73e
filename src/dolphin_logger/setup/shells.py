"""Shells: variables as the lines that set them, quoted for each.

Invariant: whatever is in a value, the shell reads it as that value and runs nothing of it.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping

from dolphin_logger.errors import DolphinError

SHELLS = ("bash", "zsh", "fish", "powershell", "cmd", "dotenv")
_POWERSHELL_QUOTE = re.compile("['\u2018-\u201b]")  # the typographic ones end a string as well
_UNSAFE_IN_CMD = re.compile(r'["%!\r\n^&|<>]')


def guess_shell(environ: Mapping[str, str]) -> str:
    """Guess the shell that the lines are for, by $SHELL."""
    name = environ.get("SHELL", "").rpartition("/")[2]
    if name == "fish":
        return "fish"
    return "zsh" if name == "zsh" else "bash"


def write_lines(variables: Mapping[str, str], shell: str) -> list[str]:
    """Write the lines.

    Raises:
        DolphinError: a value that this shell cannot be given.
    """
    return [_write(name, text, shell) for name, text in variables.items()]


def _write(name: str, text: str, shell: str) -> str:
    if shell == "fish":
        escaped = text.replace("\\", "\\\\").replace("'", "\\'")
        return f"set -gx {name} '{escaped}'"
    if shell == "powershell":
        return f"$env:{name} = '{_POWERSHELL_QUOTE.sub(_twice, text)}'"
    if shell == "cmd":
        if _UNSAFE_IN_CMD.search(text):
            raise DolphinError(f"{name}: cmd cannot be given {text!r}; use powershell")
        return f'set "{name}={text}"'
    if shell == "dotenv":
        if re.fullmatch(r"[A-Za-z0-9_./:@%+,-]*", text):
            return f"{name}={text}"
        return f"{name}='{text}'" if "'" not in text and "\n" not in text else _quoted(name, text)
    return f"export {name}={shlex.quote(text)}"


def _twice(quote: re.Match[str]) -> str:
    return quote[0] * 2


def _quoted(name: str, text: str) -> str:
    return f"{name}={json.dumps(text, ensure_ascii=False).replace('$', chr(92) + '$')}"
