"""The scripted model's books held against the records: each exchange once and whole.

It reads segments by itself, so that a defect of the project's reader cannot hide one of its writer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients.stage import Stage
from tests.support.scripted.model import Said


@dataclass
class Pair:
    """What the model heard and said, and what was recorded of it."""

    said: Said
    record: dict[str, Any]
    line: bytes


def read_lines(home: Path) -> list[bytes]:
    """Read every line of every segment."""
    paths = sorted((home / "logs").glob("*.jsonl"))
    return [line for path in paths for line in path.read_bytes().split(b"\n") if line]


def compare(stage: Stage) -> list[Pair]:
    """Pair every request at the model with its one record, and hold whole against whole.

    The records must be those requests and no others, each with the outcome that the script gave it.
    """
    stage.proxy.records(len(stage.model.said))
    lines = read_lines(stage.proxy.home)
    by_id: dict[str | None, list[bytes]] = {}
    for line in lines:
        by_id.setdefault(json.loads(line)["provider_request_id"], []).append(line)
    pairs = []
    for said in stage.model.said:
        found = by_id.pop(said.request_id, [])
        assert len(found) == 1, f"{said.request_id} has {len(found)} records"
        pairs.append(Pair(said, json.loads(found[0]), found[0]))
    assert not by_id, f"recorded, but not asked of the model: {sorted(map(str, by_id))}"
    for pair in pairs:
        _check_outcome(pair)
    check_keys(stage)
    return pairs


def check_native(pairs: list[Pair]) -> None:
    """Hold bodies against each other where client and model speak the same language."""
    for pair in pairs:
        # a segment is one line per record: raw newlines, which JSON allows between tokens, are spaces
        assert pair.said.received.body.replace(b"\n", b" ") in pair.line, pair.said.request_id
        assert "provider_request" not in pair.record
        if pair.said.plain is not None:
            assert pair.record["response"] == pair.said.plain, pair.said.request_id


def check_translated(pairs: list[Pair]) -> None:
    """Hold the model's side of a translated exchange against what it heard and said."""
    for pair in pairs:
        assert pair.record["provider_request"] == pair.said.received.json(), pair.said.request_id
        if pair.said.plain is not None:
            assert pair.record["provider_response"] == pair.said.plain, pair.said.request_id
            assert pair.record["response"], pair.said.request_id


def check_retries(pairs: list[Pair]) -> int:
    """Hold each failed request against the one that was made again; count them.

    A client may make it again without a stream.
    """
    failed = 0
    for index, pair in enumerate(pairs):
        if pair.said.plain is not None:
            continue
        failed += 1
        again = next(
            later
            for later in pairs[index + 1 :]
            if (later.said.part, later.said.step) == (pair.said.part, pair.said.step)
        )
        assert again.record["outcome"] in ("completed", "provider_error", "provider_truncated")
        assert again.record["client"] == pair.record["client"]
        assert _asked(again.record) == _asked(pair.record)
    return failed


def check_keys(stage: Stage) -> None:
    """Look for the keys in every file below the proxy's home."""
    for path in stage.proxy.home.rglob("*"):
        if path.is_file():
            held = path.read_bytes()
            assert [key for key in stage.keys if key.encode() in held] == [], path


def _asked(record: dict[str, Any]) -> Any:
    """Give what a request asks for, however it is to be answered."""
    body = {key: value for key, value in record["request"].items() if key not in _OF_THE_TRY}
    return json.loads(json.dumps(body))


_OF_THE_TRY = {"stream", "stream_options", "client_metadata"}


def _check_outcome(pair: Pair) -> None:
    record, said = pair.record, pair.said
    if said.cut or said.left:
        expected = "client_disconnected" if said.left else "provider_truncated"
        assert record["outcome"] == expected, said.request_id
        assert said.begun
        assert said.begun in json.dumps(record["response"], ensure_ascii=False), said.request_id
    elif said.status != 200:
        assert (record["outcome"], record["status"]) == ("provider_error", said.status)
    else:
        assert (record["outcome"], record["status"]) == ("completed", 200), record["error"]
    if "provider_request" not in record:
        assert record["stream"] is said.asked.stream
