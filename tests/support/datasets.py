"""Datasets as they lie in a home once they are built, written by hand: for tests of what comes after."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dolphin_logger.curate.writers import open_shard
from dolphin_logger.exporters import EXPORTERS
from dolphin_logger.journal.home import Home


def conversation(number: int) -> str:
    """Give the id of a made-up conversation."""
    return f"019ab0c2-0000-7000-8000-{number:012d}"


def row(number: int, said: str = "hello") -> dict[str, Any]:
    """Make a row of the shape `messages`."""
    who = conversation(number)
    return {
        "messages": [
            {"role": "user", "content": f"question {number}"},
            {"role": "assistant", "content": said},
        ],
        "tools": [],
        "metadata": {
            "conversation": who,
            "record": who,
            "models": ["gpt-4.1"],
            "providers": ["openai"],
            "client": "test",
            "time": ["2026-11-20T10:00:00.000000Z", "2026-11-20T10:01:00.000000Z"],
        },
    }


def write_dataset(
    home: Home,
    name: str,
    exports: Mapping[str, Sequence[tuple[str, Any]]],
    *,
    form: str = "jsonl",
    publishable: bool = True,
    images: Mapping[str, bytes] | None = None,
    recipe: Mapping[str, Any] | None = None,
) -> Path:
    """Write a dataset of rows with their conversations; the rows of `traces` are lists of lines."""
    folder = home.datasets / name
    (folder / "local").mkdir(parents=True, exist_ok=True)
    origins, listed = [], []
    for export, rows in exports.items():
        parts: list[tuple[str, list[Any], list[str]]] = []
        if export == "traces":
            parts = [(f"train-{who}.jsonl", list(lines), [who]) for who, lines in rows]
        elif rows:
            only = [one for _, one in rows]
            ending = form if EXPORTERS[export].columns else "jsonl"
            parts = [(f"train-00000-of-00001.{ending}", only, [who for who, _ in rows])]
        files = []
        for file, found, whose in parts:
            path = folder / "data" / export / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            with open_shard(path, EXPORTERS[export].columns, form=path.suffix[1:]) as shard:
                for one in found:
                    shard.add(json.dumps(one).encode() + b"\n")
            data = path.read_bytes()
            inside = path.relative_to(folder).as_posix()
            digest = hashlib.sha256(data).hexdigest()
            files.append(
                {
                    "path": inside,
                    "split": "train",
                    "rows": len(found),
                    "bytes": len(data),
                    "sha256": digest,
                }
            )
            origins.append({"path": inside, "conversations": whose})
        names = [file["path"].rpartition("/")[2] for file in files]
        for beside, text in EXPORTERS[export].beside({"train": names}).items():
            (folder / "data" / export / beside).write_text(text)
        listed.append(
            {
                "name": export,
                "unit": str(EXPORTERS[export].unit),
                "is_file_each": EXPORTERS[export].is_file_each,
                "columns": [asdict(column) for column in EXPORTERS[export].columns],
                "files": files,
            }
        )
    for image, data in (images or {}).items():
        (folder / "images").mkdir(exist_ok=True)
        (folder / "images" / image).write_bytes(data)
    conversations = sorted({who for rows in exports.values() for who, _ in rows})
    manifest = {
        "v": 1,
        "name": name,
        "tool": {"name": "dolphin-logger", "version": "0"},
        "publishable": publishable,
        "recipe": dict(recipe or {}),
        "rules": {"secrets": "1"},
        "exports": listed,
        "counts": {"conversations": len(conversations), "rows": sum(map(len, exports.values()))},
        "findings": {"email": 2},
        "models": ["gpt-4.1"],
        "clients": ["test"],
        "providers": ["openai"],
        "first": "2026-11-20T10:00:00.000000Z",
        "last": "2026-11-20T10:01:00.000000Z",
        "conversations": conversations,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest))
    lines = "".join(json.dumps(one) + "\n" for one in origins)
    (folder / "local" / "origins.jsonl").write_text(lines)
    return folder
