"""What MongoDB's Kingfisher finds, for whoever has its program (`pip install kingfisher-bin`).

It runs as a process, offline and without validation, and only for texts in which something was drawn by
chance, as a start costs about a second. It says values; each of their places is a finding here.
Invariant: when it cannot look, nobody takes that for "nothing found".
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from dolphin_logger.errors import DatasetError
from dolphin_logger.redactors._api import Finding
from dolphin_logger.redactors._linear import encode
from dolphin_logger.redactors._looks import is_random

PRIORITY: Final = 40
_WORD: Final = re.compile(r"[A-Za-z0-9+/_.=-]{12,}")
_PATIENCE: Final = 120  # seconds; its first start compiles all rules
_FOUND: Final = frozenset({0, 200, 205})  # exit codes: nothing, findings, validated findings
_ARGUMENTS: Final = (
    "scan", "-", "--no-validate", "--no-update-check", "--quiet", "--jobs", "1", "--format", "jsonl"
)  # fmt: skip


class Kingfisher:
    """Finds what the rules of Kingfisher find, at the confidence that is its default."""

    name = "kingfisher"

    def __init__(self) -> None:
        beside = Path(sys.executable).with_name("kingfisher")
        program = shutil.which("kingfisher") or (str(beside) if beside.is_file() else None)
        if program is None:
            raise DatasetError(
                "redactor 'kingfisher': its program is not on the PATH; `pip install kingfisher-bin`, or"
                " leave it out of the recipe's redactors"
            )
        self._program = program
        said = self._run("--version", given=b"").decode(errors="replace").split()
        self.version = f"1+{said[-1] if said else 'unknown'}"

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        """Find every place of every value that it reports.

        Raises:
            DatasetError: the program fails.
        """
        if not any(is_random(word[0]) for word in _WORD.finditer(text)):
            return
        for line in self._run(*_ARGUMENTS, given=encode(text)).splitlines():
            reported = json.loads(line)
            if "finding" in reported:
                yield from _places(reported["finding"]["snippet"], text, reported["rule"]["id"])

    def _run(self, *arguments: str, given: bytes) -> bytes:
        try:
            done = subprocess.run(  # noqa: S603  # the person's own scanner, named in the recipe
                [self._program, *arguments],
                input=given,
                capture_output=True,
                timeout=_PATIENCE,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as fault:
            raise DatasetError(f"redactor 'kingfisher': {self._program} fails: {fault}") from fault
        if done.returncode not in _FOUND:
            said = done.stderr.decode(errors="replace").strip()[-200:]
            raise DatasetError(
                f"redactor 'kingfisher': {self._program} ends with {done.returncode}: {said}"
            )
        return done.stdout


def _places(value: str, text: str, rule: str) -> Iterator[Finding]:
    at = text.find(value) if value else -1
    while at >= 0:
        yield Finding(at, at + len(value), "SECRET", rule, PRIORITY)
        at = text.find(value, at + len(value))
