# ruff: noqa: PLC0415 - each engine is imported by its own job alone: imports are part of the time
"""One job in several engines: whole conversations out of a log of requests that repeat their history.

    python benchmarks/engine_jobs.py ENGINE LOGS OUTPUT       prints one line of JSON

Job: parse every line, hash each history message by message, take out exact repetitions (same history
and answer), keep what is nobody's beginning, write id, tip, model, messages and tools as Parquet with
zstd, ordered by id. `simple` is this project's parts doing that and nothing else; `full` is what a
build runs: every wire language, the stitcher with all its relations, and examples in words.
Python functions of Polars and Daft call the same `canonical`, `chain` and `row` as this project's, which
hashes only what is new in a history; DuckDB does all in SQL.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from array import array
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from hashlib import blake2b
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson

COLUMNS = ("id", "tip", "model", "messages", "tools")
WORKERS = 2
PART_BYTES = 32 << 20
WORTH_IT = 256 << 20  # bytes; of less, two processes take longer to start than one to read
ROWS = 500  # of a row group


def canonical(message: dict[str, Any]) -> bytes:
    """What a message says, whatever form its content has."""
    content = message.get("content") or ""
    if not isinstance(content, str):
        content = "".join([part.get("text", "") for part in content])
    calls = message.get("tool_calls")
    if not calls:
        return f"{message['role']}\0{content}".encode()
    told = "".join([call["function"]["name"] + call["function"]["arguments"] for call in calls])
    return f"{message['role']}\0{content}\0{told}".encode()


def chain(record: dict[str, Any]) -> tuple[bytes, list[bytes]]:
    """The hash of history and answer, and those of its beginnings that end with an answer."""
    request = record["request"]
    now = blake2b(request["model"].encode(), digest_size=16).digest()
    beginnings = []
    for message in request["messages"]:
        now = blake2b(now + canonical(message), digest_size=16).digest()
        if message["role"] == "assistant":
            beginnings.append(now)
    answer = record["response"]["choices"][0]["message"]
    return blake2b(now + canonical(answer), digest_size=16).digest(), beginnings


def row(record: dict[str, Any]) -> tuple[str, str, str]:
    """Model, messages with the answer, and tools, the last two as JSON."""
    request = record["request"]
    messages = [*request["messages"], record["response"]["choices"][0]["message"]]
    return (
        request["model"],
        orjson.dumps(messages).decode(),
        orjson.dumps(request.get("tools", [])).decode(),
    )


# --- this project, the same job ---------------------------------------------------------------


class Histories:
    """The latest histories with their hashes: only what is new in one is hashed (as `index/recent.py` does)."""

    def __init__(self) -> None:
        self.known: dict[tuple[str, str], tuple[list[Any], list[bytes]]] = {}

    def chain(self, record: dict[str, Any]) -> tuple[bytes, list[bytes]]:
        """As `chain`, but of the beginnings only those that were not given before."""
        request = record["request"]
        messages = request["messages"]
        first = messages[1] if messages[0]["role"] == "system" else messages[0]
        content = first["content"]
        key = (request["model"], content if isinstance(content, str) else content[0]["text"])
        before, hashes = self.known.pop(key, ([], []))
        same = 0
        for one, other in zip(before, messages, strict=False):
            if one != other:
                break
            same += 1
        hashes = hashes[:same]
        now = hashes[-1] if same else blake2b(request["model"].encode(), digest_size=16).digest()
        beginnings = []
        for message in messages[same:]:
            now = blake2b(now + canonical(message), digest_size=16).digest()
            hashes.append(now)
            if message["role"] == "assistant":
                beginnings.append(now)
        self.known[key] = messages, hashes
        if len(self.known) > 64:
            del self.known[next(iter(self.known))]
        answer = record["response"]["choices"][0]["message"]
        return blake2b(now + canonical(answer), digest_size=16).digest(), beginnings


def scan_part(part: tuple[str, int, int]) -> tuple[list[str], bytes, array[int], bytes]:
    """Ids, tips, places and beginnings of a part; each beginning once."""
    path, start, end = part
    ids, tips, places = [], [], array("Q")
    histories = Histories()
    beginnings: set[bytes] = set()
    with Path(path).open("rb") as file:
        file.seek(start)
        while start < end:
            line = file.readline()
            record = orjson.loads(line)
            tip, begun = histories.chain(record)
            ids.append(record["id"])
            tips.append(tip)
            places.append(start)
            beginnings.update(begun)
            start += len(line)
    return ids, b"".join(tips), places, b"".join(beginnings)


def read_rows(wanted: list[tuple[str, int]]) -> list[tuple[str, str, str]]:
    """Rows of records by file and place."""
    found = []
    for path, place in wanted:
        with Path(path).open("rb") as file:
            file.seek(place)
            found.append(row(orjson.loads(file.readline())))
    return found


def parts_of(files: list[Path]) -> Iterator[tuple[str, int, int]]:
    for path in files:
        size, start = path.stat().st_size, 0
        with path.open("rb") as file:
            while start < size:
                file.seek(min(size, start + PART_BYTES) - 1)
                file.readline()
                yield str(path), start, file.tell()
                start = file.tell()


def run_simple(files: list[Path], output: Path) -> dict[str, Any]:
    parts = list(parts_of(files))
    if sum(end - start for _, start, end in parts) < WORTH_IT:
        return make_rows(parts, map(scan_part, parts), map, output)
    with ProcessPoolExecutor(WORKERS, mp_context=get_context("spawn")) as pool:
        scanned = pool.map(scan_part, parts)
        import pyarrow.parquet  # noqa: F401 - while the workers read

        return make_rows(parts, scanned, pool.map, output)


def make_rows(
    parts: list[tuple[str, int, int]],
    scanned: Iterable[tuple[list[str], bytes, array[int], bytes]],
    spread: Callable[..., Iterable[Any]],
    output: Path,
) -> dict[str, Any]:
    first: dict[bytes, tuple[str, str, int]] = {}
    beginnings: set[bytes] = set()
    requests = 0
    for (path, _, _), (ids, tips, places, begun) in zip(parts, scanned, strict=True):
        requests += len(ids)
        for at, (name, place) in enumerate(zip(ids, places, strict=True)):
            tip = tips[16 * at : 16 * at + 16]
            known = first.get(tip)
            if known is None or name < known[0]:
                first[tip] = name, path, place
        beginnings.update(begun[at : at + 16] for at in range(0, len(begun), 16))
    kept = sorted((*told, tip) for tip, told in first.items() if tip not in beginnings)
    groups = [kept[at : at + ROWS] for at in range(0, len(kept), ROWS)]
    read = spread(read_rows, [[(path, place) for _, path, place, _ in group] for group in groups])
    write_parquet(
        output,
        (
            [(told[0], told[3].hex(), *one) for told, one in zip(group, rows, strict=True)]
            for group, rows in zip(groups, read, strict=True)
        ),
    )
    return {"requests": requests}


def write_parquet(output: Path, groups: Iterable[list[tuple[str, ...]]]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([(name, pa.string()) for name in COLUMNS])
    file = output / "rows.parquet"
    with pq.ParquetWriter(file, schema, compression="zstd", use_dictionary=["model"]) as writer:
        for group in groups:
            columns = [list(column) for column in zip(*group, strict=True)]
            writer.write_table(pa.table(columns, schema=schema))


# --- this project, all of it --------------------------------------------------------------------


def run_full(files: list[Path], output: Path) -> dict[str, Any]:
    import tempfile

    from dolphin_logger.curate.gather import gather
    from dolphin_logger.curate.survey import survey
    from dolphin_logger.curate.workers import spread
    from dolphin_logger.journal.home import Home

    home = Home(files[0].parent.parent)
    begun = time.perf_counter()
    found = survey(home, workers=WORKERS, advance=lambda _: None)
    surveyed = time.perf_counter()
    held = peak_kb()
    tips: dict[bytes, str] = {}
    messages = 0
    for one in found:
        messages += one.messages + 1
        if one.is_leaf:
            tips.setdefault(one.tip, one.id)
    with tempfile.TemporaryDirectory(dir=output) as spool:
        buckets = gather(
            home,
            found,
            list(tips.values()),
            spool=Path(spool),
            buckets=16,
            workers=WORKERS,
            advance=lambda _: None,
        )
        gathered = time.perf_counter()
        made = spread(bucket_rows, buckets, workers=WORKERS, done=lambda _: None)
        write_parquet(output, ([line for rows in made for line in rows],))
    return {
        "requests": len(found),
        "messages": messages,
        "survey_s": round(surveyed - begun, 2),
        "gather_s": round(gathered - surveyed, 2),
        "parent_mb": round(held / 1024),
    }


def peak_kb() -> int:
    """The most that this process held so far, in KiB (Linux)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def bucket_rows(path: Path) -> list[tuple[str, ...]]:
    from dolphin_logger.curate.gather import read_bucket
    from dolphin_logger.curate.material import Material
    from dolphin_logger.example import Unit
    from dolphin_logger.label import Labels

    rows = []
    for gathered in read_bucket(path):
        material = Material(gathered, Labels())
        for one in material.records:
            example = material.example(one.id, unit=Unit.LEAF)
            told = (example.messages, example.tools)
            texts = [orjson.dumps(value).decode() for value in told]
            rows.append((one.id, one.tip.hex(), one.model or "", *texts))
    return rows


# --- the others -----------------------------------------------------------------------------------


def run_polars(files: list[Path], output: Path) -> dict[str, Any]:
    import polars as pl

    hashed = pl.Struct({"id": pl.String, "tip": pl.Binary, "begun": pl.List(pl.Binary)})
    made = pl.Struct({"model": pl.String, "messages": pl.String, "tools": pl.String})

    def hash_lines(lines: pl.Series) -> pl.Series:
        found = []
        for line in lines:
            record = orjson.loads(line)
            tip, begun = chain(record)
            found.append({"id": record["id"], "tip": tip, "begun": begun})
        return pl.Series(found, dtype=hashed)

    def make_rows(lines: pl.Series) -> pl.Series:
        names = ("model", "messages", "tools")
        found = [dict(zip(names, row(orjson.loads(line)), strict=True)) for line in lines]
        return pl.Series(found, dtype=made)

    lines = pl.scan_lines(files, name="line")
    told = lines.with_columns(
        pl.col("line").map_batches(hash_lines, return_dtype=hashed, is_elementwise=True).alias("h")
    )
    told = told.unnest("h").collect()
    begun = told.lazy().select(pl.col("begun").explode().alias("tip")).drop_nulls().unique()
    leaves = told.lazy().select("id", "tip", "line").sort("id").unique("tip", keep="first")
    leaves = leaves.join(begun, on="tip", how="anti").sort("id")
    rows = leaves.with_columns(
        pl.col("line").map_batches(make_rows, return_dtype=made, is_elementwise=True).alias("r")
    )
    rows = rows.unnest("r").with_columns(pl.col("tip").bin.encode("hex"))
    rows.select(COLUMNS).sink_parquet(output / "rows.parquet", compression="zstd")
    return {"requests": told.height}


def run_daft(files: list[Path], output: Path) -> dict[str, Any]:
    import daft
    from daft import DataType as Type
    from daft import col

    hashed = Type.struct(
        {"id": Type.string(), "tip": Type.binary(), "begun": Type.list(Type.binary())}
    )
    made = Type.struct({"model": Type.string(), "messages": Type.string(), "tools": Type.string()})

    @daft.func.batch(return_dtype=hashed, unnest=True)
    def hash_lines(lines: daft.Series) -> list[dict[str, Any]]:
        found = []
        for line in lines.to_pylist():
            record = orjson.loads(line)
            tip, begun = chain(record)
            found.append({"id": record["id"], "tip": tip, "begun": begun})
        return found

    @daft.func.batch(return_dtype=made, unnest=True)
    def make_rows(lines: daft.Series) -> list[dict[str, Any]]:
        names = ("model", "messages", "tools")
        return [
            dict(zip(names, row(orjson.loads(line)), strict=True)) for line in lines.to_pylist()
        ]

    lines = daft.read_text([str(path) for path in files])
    name = lines.column_names[0]
    told = lines.select(col(name), hash_lines(col(name))).collect()
    begun = told.select(col("begun").explode().alias("tip")).where(col("tip").not_null()).distinct()
    firsts = told.groupby("tip").agg(col("id").min())
    leaves = firsts.join(begun, on="tip", how="anti")
    leaves = leaves.join(told.select("id", name), on="id").sort("id")
    rows = leaves.select("id", col("tip"), make_rows(col(name)))
    rows.write_parquet(str(output), compression="zstd")
    return {"requests": told.count_rows()}


SQL = """
COPY (
  WITH lines AS (
    SELECT id, request, response->'$.choices[0].message' AS answer FROM read_json(
      $files, format='newline_delimited', maximum_object_size=1073741824,
      columns={'id': 'VARCHAR', 'request': 'JSON', 'response': 'JSON'})),
  told AS (
    SELECT id, request, list_append(
      from_json(request->'messages', '["JSON"]'), answer) AS messages FROM lines),
  hashed AS (
    SELECT *, [m->>'role' FOR m IN messages] AS roles, list_transform(messages, lambda m: md5(concat(
      m->>'role', chr(1),
      CASE json_type(m->'content') WHEN 'ARRAY' THEN array_to_string(m->>'$.content[*].text', '')
        ELSE m->>'content' END, chr(1),
      array_to_string(m->>'$.tool_calls[*].function.name', ''),
      array_to_string(m->>'$.tool_calls[*].function.arguments', '')))) AS hashes FROM told),
  chained AS (
    SELECT *, list_transform(range(1, len(hashes) + 1), lambda i: md5(concat(
      request->>'model', array_to_string(hashes[1:i], '')))) AS nodes FROM hashed),
  begun AS (
    SELECT DISTINCT unnest([node FOR node, i IN nodes[1:len(nodes)-1] IF roles[i] = 'assistant']) AS tip
    FROM chained),
  firsts AS (
    SELECT nodes[len(nodes)] AS tip, arg_min(struct_pack(id, request, messages), id) AS first
    FROM chained GROUP BY 1)
  SELECT first.id AS id, tip, first.request->>'model' AS model, to_json(first.messages)::VARCHAR AS messages,
    (first.request->'tools')::VARCHAR AS tools
  FROM firsts ANTI JOIN begun USING (tip) ORDER BY 1
) TO $output (FORMAT parquet, COMPRESSION zstd)
"""


def run_duckdb(files: list[Path], output: Path) -> dict[str, Any]:
    import duckdb

    names = "[" + ", ".join(f"'{path}'" for path in files) + "]"
    sql = SQL.replace("$files", names).replace("$output", f"'{output / 'rows.parquet'}'")
    connection = duckdb.connect()
    connection.execute("SET preserve_insertion_order=false")
    connection.execute(sql)
    return {"requests": None}


ENGINES = {
    "simple": run_simple,
    "full": run_full,
    "polars": run_polars,
    "daft": run_daft,
    "duckdb": run_duckdb,
}


def main() -> None:
    engine, logs, output = sys.argv[1:]
    files = sorted(Path(logs).glob("*.jsonl"))
    begun = time.perf_counter()
    facts = ENGINES[engine](files, Path(output))
    print(json.dumps({**facts, "seconds": round(time.perf_counter() - begun, 3)}))


if __name__ == "__main__":
    main()
