"""Lines that set variables: real shells read them back as they were."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from dolphin_logger.errors import DolphinError
from dolphin_logger.setup.shells import SHELLS, guess_shell, write_lines

PROGRAMS = ("sh", "dash", "bash", "zsh", "fish")
VALUES = [
    "http://127.0.0.1:5001/v1",
    "a b",
    "it's",
    '"quoted"',
    "$(touch owned) `touch owned` $HOME",
    "back\\slash\\",
    "line\nbreak",
    "a;b&c|d>e",
    "%PATH% !x!",
    "",
    "ünï",
    "\u2019typographic\u2018",
]


@pytest.mark.parametrize("value", VALUES)
@pytest.mark.parametrize("program", [name for name in PROGRAMS if shutil.which(name)])
def test_shells_read_it_back(program: str, value: str, tmp_path: Path) -> None:
    """The value arrives as it was, and nothing of it is run; by every shell that is installed."""
    shell = "bash" if program in ("sh", "dash") else program
    script = "\n".join([*write_lines({"X": value}, shell), 'printf %s "$X"'])
    assert _run([program, "-c", script], tmp_path) == value
    assert list(tmp_path.iterdir()) == []


def test_fish_knows_two_escapes() -> None:
    """In its single quotes a backslash and a quote are escaped, and nothing else is special."""
    assert write_lines({"X": "a'b\\c $d"}, "fish") == ["set -gx X 'a\\'b\\\\c $d'"]


@pytest.mark.parametrize("value", [value for value in VALUES if "\n" not in value])
def test_dotenv_is_what_a_shell_would_read(value: str, tmp_path: Path) -> None:
    """Sourced by sh, a line of the dotenv kind gives the value."""
    (line,) = write_lines({"X": value}, "dotenv")
    assert _run(["sh", "-c", f'{line}\nprintf %s "$X"'], tmp_path) == value


def test_powershell_and_cmd() -> None:
    """Quotes are doubled, the typographic ones as well; cmd refuses what it would expand."""
    assert write_lines({"X": "it's \u2019x"}, "powershell") == ["$env:X = 'it''s \u2019\u2019x'"]
    assert write_lines({"X": "http://h/v1"}, "cmd") == ['set "X=http://h/v1"']
    for value in ("%PATH%", 'a"b', "a&b", "a\nb", "!x!"):
        with pytest.raises(DolphinError, match="powershell"):
            write_lines({"X": value}, "cmd")


@pytest.mark.parametrize(
    ("path", "shell"),
    [("/usr/bin/fish", "fish"), ("/bin/zsh", "zsh"), ("/bin/bash", "bash"), ("", "bash")],
)
def test_the_shell_is_guessed(path: str, shell: str) -> None:
    """By $SHELL, else bash."""
    assert guess_shell({"SHELL": path}) == shell
    assert shell in SHELLS


def _run(command: Sequence[str], folder: Path) -> str:
    done = subprocess.run(command, capture_output=True, check=True, cwd=folder, timeout=20)
    assert done.stderr == b""
    return done.stdout.decode()
