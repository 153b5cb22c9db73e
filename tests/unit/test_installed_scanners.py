"""Scanners that a person has installed join as redactors, when a recipe names them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from tests.support.templates import expand

from dolphin_logger.errors import DatasetError
from dolphin_logger.redactors import REDACTORS, find

TOKEN = expand("ghp_{w:36}")


def test_detect_secrets_finds_every_place_of_a_value() -> None:
    """What its plugins name is found where it stands, in the second line too."""
    pytest.importorskip("detect_secrets")
    text = f'\u00e9\npassword = "hunter2abc" # hunter2abc\n{"x" * 5000}\nkey = "{expand("AKIA{t:16}")}"\n'
    found = {text[one.start : one.end] for one in find("detect-secrets").find(text)}
    assert {"hunter2abc", expand("AKIA{t:16}")} <= found
    starts = [one.start for one in find("detect-secrets").find(text) if text[one.start] == "h"]
    assert len(starts) >= 2


def test_a_scanner_is_not_loaded_unasked() -> None:
    """No installed scanner is among the redactors that run by themselves."""
    assert not {"detect-secrets", "kingfisher"} & set(REDACTORS)


@pytest.fixture
def scanner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of that name, in front of the PATH, that reports one value of what it reads."""
    reported = {"rule": {"id": "some.rule"}, "finding": {"snippet": TOKEN}}
    program = tmp_path / "kingfisher"
    program.write_text(
        f"#!{sys.executable}\n"
        "import sys\n"
        "if '--version' in sys.argv: print('kingfisher 9.9'); sys.exit()\n"
        "assert '--no-validate' in sys.argv and '-' in sys.argv\n"
        "said = sys.stdin.read()\n"
        "if 'break' in said: sys.stderr.write('no rules'); sys.exit(3)\n"
        f"print({json.dumps(json.dumps(reported))}); print('{{}}'); sys.exit(200)\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    return program


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a script")
def test_kingfisher_is_asked_about_texts_with_something_random(scanner: Path) -> None:
    """Each place of a reported value is a finding; its version is part of ours; words need no start."""
    redactor = find("kingfisher")
    assert redactor.version == "1+9.9"
    text = f"\u00e9 {TOKEN} and {TOKEN}"
    found = [(text[one.start : one.end], one.rule) for one in redactor.find(text)]
    assert found == [(TOKEN, "some.rule")] * 2
    assert list(redactor.find("break this, as nobody looks")) == []


@pytest.mark.skipif(sys.platform == "win32", reason="the program is a script")
def test_a_scanner_that_fails_is_no_scanner_that_found_nothing(scanner: Path) -> None:
    """Its exit code and last words are in the error."""
    with pytest.raises(DatasetError, match="ends with 3: no rules"):
        list(find("kingfisher").find(f"break {TOKEN}"))


def test_a_missing_scanner_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Named in a recipe and not installed, it stops the build with the cure."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(DatasetError, match="pip install kingfisher-bin"):
        find("kingfisher")
