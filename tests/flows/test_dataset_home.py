"""Datasets in their home: the demo's, those of removed records, and what is in the way of a build."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

from tests.support.built import command, make, recipe, rows
from tests.support.chats import Chats, assistant, user


def _run(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dolphin_logger", *arguments],
        env=os.environ | {"DOLPHIN_LOGGER_HOME": str(home)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def _home(folder: Path, *questions: str) -> tuple[Path, list[str]]:
    chats = Chats(folder)
    ids = [chats.ask(user(one), answer=assistant(f"about {one}")) for one in questions]
    chats.journal.close()
    return folder, ids


def test_the_demo_shows_the_whole_loop(tmp_path: Path) -> None:
    """It builds a dataset that may never be published; only who says so gets one of its own."""
    home = tmp_path / "home"
    done = _run(home, "demo", "--once", "--port", "0")
    assert done.returncode == 0, done.stderr
    (path,) = [line.strip() for line in done.stdout.splitlines() if line.endswith(".jsonl")]
    lines = [json.loads(line) for line in Path(path).read_bytes().splitlines()]
    assert len(lines) == 3
    assert any(chat.get("tool_calls") for row in lines for chat in row["messages"])
    done = command(home, "build")
    assert done.returncode == 1
    assert "--include-demo" in done.stderr
    done = command(home, "build", "--include-demo", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["publishable"] is False
    assert told["providers"] == ["demo"]


def test_rm_says_which_datasets_have_some_of_it(tmp_path: Path) -> None:
    """What is removed is in no later build, and not in the work of one that never ended."""
    home, ids = _home(tmp_path / "home", "cats", "dogs")
    make(home, recipe(), name="pets")
    left = home / "datasets" / ".other.building" / "spool"
    left.mkdir(parents=True)
    (left / "bucket").write_text("cats")
    done = _run(home, "rm", ids[0], "--yes")
    assert done.returncode == 0, done.stderr
    assert "the dataset pets has some of it" in done.stderr
    assert not left.exists()
    (row,) = rows(make(home, recipe(), name="pets"), "messages")
    assert "dogs" in str(row)
    done = _run(home, "rm", ids[1], "--yes")
    assert "the dataset pets has some of it" in done.stderr


def test_a_folder_of_somebody_elses_is_not_replaced(tmp_path: Path) -> None:
    """`--out` takes a new folder, or a dataset of before; nothing else is touched."""
    home, _ = _home(tmp_path / "home", "cats")
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    done = command(home, "build", "--out", str(out))
    assert done.returncode == 1
    assert "is not a dataset" in done.stderr
    assert (out / "thesis.txt").read_text() == "mine"
    (out / "thesis.txt").unlink()
    for _ in range(2):
        done = command(home, "build", "--out", str(out), "--json")
        assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["name"] == "out"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "out"]


def test_wrong_names_and_recipes_are_said_in_one_line(tmp_path: Path) -> None:
    """Each error names what was wrong and what would do; nothing is made."""
    home, _ = _home(tmp_path / "home", "cats")
    mine = tmp_path / "mine.toml"
    mine.write_text('exports = ["mesages"]\n')
    cases = {
        ("build", "sfd"): (1, "did you mean 'sft'?"),
        ("build", "--name", "../x"): (1, "cannot be the name of a dataset"),
        ("build", str(mine)): (1, "unknown export 'mesages'; known: messages"),
        ("build", "--format", "csv"): (2, "'csv'"),
        ("build", "--workers", "0"): (2, "--workers"),
    }
    for arguments, (code, message) in cases.items():
        done = command(home, *arguments)
        assert done.returncode == code, done.stderr
        assert message in done.stderr
        assert "Traceback" not in done.stderr
    assert not (home / "datasets").exists()
    explained = command(home, "build", "turns", "--explain")
    mine.write_text(explained.stdout)
    assert command(home, "build", str(mine)).returncode == 0
    assert (home / "datasets" / "mine" / "data" / "turns").is_dir()


def test_pictures_are_files_beside_the_rows(tmp_path: Path) -> None:
    """A picture that was data is one file, named by its sum, to which every row refers; or it is gone."""
    chats = Chats(tmp_path / "home")
    picture = base64.b64encode(b"\x89PNG\r\n\x1a\n" + bytes(64)).decode()
    shown = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{picture}"}}
    asked = {"role": "user", "content": [{"type": "text", "text": "What is it?"}, shown]}
    answer = assistant("A picture.")
    chats.ask(asked, answer=answer)
    chats.ask(asked, answer, user("Sure?"), answer=assistant("Yes."))
    chats.journal.close()
    manifest = make(tmp_path / "home", recipe(exports=["messages", "turns"]), workers=2)
    (image,) = (manifest.folder / "images").iterdir()
    assert image.stem == hashlib.sha256(image.read_bytes()).hexdigest()
    said = [row["messages"] for row in rows(manifest, "messages")]
    said += [row["prompt"] for row in rows(manifest, "turns")]
    assert len(said) == 3
    for chat in said:
        assert chat[0]["content"][1] == {"type": "image", "image": f"images/{image.name}"}
    gone = make(tmp_path / "home", recipe(images="drop"))
    assert not (gone.folder / "images").exists()
    assert b"image" not in (gone.folder / "data/messages/train-00000-of-00001.jsonl").read_bytes()
