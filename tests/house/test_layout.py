"""The house keeps its own rules: layers, sizes, words at the top of each file, and who may print."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "dolphin_logger"
FILES = sorted(SOURCE.rglob("*.py"))
TESTS = sorted(path for path in (ROOT / "tests").rglob("test_*.py"))
FORBIDDEN_NAMES = {"core", "common", "utils", "util", "helpers", "helper", "manager", "misc"}
FORBIDDEN_CLASS = re.compile(r"(Manager|Handler|Processor|Utils?|Data|Info)$")


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), filename=str(path))


def test_the_layers_are_kept() -> None:
    """Every import contract of pyproject.toml holds, and every folder has its place in the layers."""
    command = Path(sys.executable).with_name("lint-imports")
    found = str(command) if command.exists() else shutil.which("lint-imports")
    assert found is not None, "import-linter is part of the extra `dev`"
    done = subprocess.run(
        [found, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_a_file_is_short_and_says_what_it_is(path: Path) -> None:
    """A source file has a docstring and at most 500 lines."""
    assert len(path.read_text().splitlines()) <= 500
    assert ast.get_docstring(_tree(path))


@pytest.mark.parametrize("path", [path for path in FILES if "cli" not in path.parts], ids=_name)
def test_only_the_command_line_prints(path: Path) -> None:
    """No print and no write to stdout outside cli/ (`--version` answers before anything is imported)."""
    calls = [node for node in ast.walk(_tree(path)) if isinstance(node, ast.Call)]
    printed = [
        ast.unparse(call)
        for call in calls
        if ast.unparse(call.func) in ("print", "sys.stdout.write")
    ]
    assert len(printed) == (1 if path.name == "__main__.py" else 0), printed


def test_no_room_without_a_name_of_its_own() -> None:
    """No file, folder or class is named by a word that says nothing."""
    stems = {
        part.strip("_").lower()
        for path in FILES
        for part in path.relative_to(SOURCE).with_suffix("").parts
    }
    assert not stems & FORBIDDEN_NAMES
    classes = [
        node.name
        for path in FILES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ClassDef)
    ]
    assert len(classes) > 20
    assert not [name for name in classes if FORBIDDEN_CLASS.search(name)]


@pytest.mark.parametrize("path", TESTS, ids=_name)
def test_a_test_says_what_it_shows(path: Path) -> None:
    """Every test file has a docstring, and every test one sentence of behaviour."""
    tree = _tree(path)
    assert ast.get_docstring(tree)
    tests = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    ]
    assert [test.name for test in tests if not (ast.get_docstring(test) or "").strip()] == []


def test_no_test_expects_to_fail() -> None:
    """A defect is a failing test, not an expected one."""
    marks = re.compile(r"pytest\.(mark\.)?x" + "fail")
    assert [_name(path) for path in TESTS if marks.search(path.read_text())] == []
