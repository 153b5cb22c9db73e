"""Rows on disk as a dataset has them, and as `datasets` reads them back, offline, in its own process.

It knows the types of columns and no exporter. `datasets` reads its settings when it is imported, so it
is not imported here.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dolphin_logger.exporters import Column

_LOAD = """
import json, sys
from datasets import load_dataset
for path in sys.argv[2:]:
    kind = "parquet" if path.endswith(".parquet") else "json"
    loaded = load_dataset(kind, data_files=path, split="train", cache_dir=sys.argv[1])
    print(json.dumps([loaded.column_names, list(loaded)]))
"""


def write_lines(path: Path, rows: Sequence[dict[str, Any]]) -> Path:
    """Write rows as JSONL."""
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return path


def write_parquet(path: Path, rows: Sequence[dict[str, Any]], columns: Sequence[Column]) -> Path:
    """Write rows as Parquet, JSON in Arrow's extension type."""
    import pyarrow as pa
    from pyarrow import parquet

    plain = {"string": pa.string(), "bool": pa.bool_(), "list<string>": pa.list_(pa.string())}
    types = plain | {"json": pa.json_(), "list<json>": pa.list_(pa.json_())}
    written = {
        "json": json.dumps,
        "list<json>": lambda value: [json.dumps(inner) for inner in value],
    }
    arrays = []
    for column in columns:
        store = written.get(column.type, lambda value: value)
        storage = {"json": pa.string(), "list<json>": pa.list_(pa.string())}.get(column.type)
        values = pa.array([store(row[column.name]) for row in rows], storage or types[column.type])
        arrays.append(values.cast(types[column.type]) if storage else values)
    table = pa.Table.from_arrays(arrays, [column.name for column in columns])
    parquet.write_table(table, path, compression="zstd", use_content_defined_chunking=True)
    return path


def load(cache: Path, *paths: Path) -> list[tuple[list[str], list[dict[str, Any]]]]:
    """Read files, or all that a pattern finds, with `datasets`: the columns and the rows of each."""
    offline = {"HF_HUB_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "HF_HOME": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", _LOAD, str(cache), *map(str, paths)],
        env=os.environ | offline,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [(names, rows) for names, rows in map(json.loads, done.stdout.splitlines())]
