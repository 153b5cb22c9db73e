"""The oracle: holds the client's and the provider's own books against the log on disk.

It reads segments by itself (lines, CRC, JSON), so that a defect of the project's reader and a defect
of its writer cannot hide each other. Every exchange is found by the marker in its request.
"""

from __future__ import annotations

import json
import re
import zlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.provider import Received
from tests.support.traffic import STREAMED, Call

_SEAL = re.compile(rb'^(.*),"crc":"([0-9a-f]{8})"\}$', re.DOTALL)
_NAME = re.compile(r"\d{4}-\d\d-\d\d_[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\.jsonl")


@dataclass
class Verdict:
    """What was found; `problems` is empty when every promise was kept."""

    problems: list[str] = field(default_factory=list)
    records: dict[str, dict[str, Any]] = field(default_factory=dict)
    acknowledged: int = 0
    torn: int = 0

    def __str__(self) -> str:
        shown = "\n  ".join(self.problems[:20])
        return f"{len(self.problems)} problems, {len(self.records)} records, {self.torn} torn:\n  {shown}"


def judge(home: Path, calls: Iterable[Call], received: Iterable[Received]) -> Verdict:
    """Compare client, provider and log."""
    verdict = Verdict()
    asked = {call.marker: call for call in calls}
    answered = {request.json()["metadata"]["marker"]: request for request in received}
    _read_log(home, verdict)
    for marker, record in verdict.records.items():
        if marker not in asked:
            verdict.problems.append(f"{marker}: recorded, but no client asked for it")
        elif record["outcome"] in ("completed", "provider_error"):
            _compare_answer(verdict, record, asked[marker], answered.get(marker))
    for marker, call in asked.items():
        if not call.acknowledged:
            continue
        verdict.acknowledged += 1
        request = answered.get(marker)
        if request is not None and bytes(call.body) != bytes(request.sent):
            verdict.problems.append(f"{marker}: the client did not get what the provider sent")
        if marker not in verdict.records:
            verdict.problems.append(f"{marker}: acknowledged to the client, but not in the log")
        elif call.headers.get("x-dolphin-id") != verdict.records[marker]["id"]:
            verdict.problems.append(f"{marker}: the record has another id than the answer")
    return verdict


def read_lines(home: Path) -> tuple[list[tuple[Path, dict[str, Any]]], list[str], int]:
    """Read every segment: records with their file, problems, and how many tails are torn."""
    records: list[tuple[Path, dict[str, Any]]] = []
    problems: list[str] = []
    torn = 0
    for path in sorted((home / "logs").iterdir()):
        if not _NAME.fullmatch(path.name):
            problems.append(f"{path.name}: not the name of a segment")
        *lines, tail = path.read_bytes().split(b"\n")
        torn += bool(tail)
        last = 0
        for number, line in enumerate(lines, 1):
            seal = _SEAL.match(line)
            if seal is None or int(seal[2], 16) != zlib.crc32(seal[1]):
                problems.append(f"{path.name}:{number}: damaged: {line[:80]!r}")
                continue
            try:
                record = json.loads(line)
            except ValueError as error:
                problems.append(f"{path.name}:{number}: not JSON: {error}")
                continue
            if record["seq"] <= last:
                problems.append(f"{path.name}:{number}: seq {record['seq']} after {last}")
            last = record["seq"]
            records.append((path, record))
    return records, problems, torn


def said(body: bytes) -> str:
    """Join the text of a streamed answer, the plain way."""
    text = ""
    for line in body.split(b"\n"):
        if line.startswith(b"data: {"):
            for choice in json.loads(line[6:]).get("choices", []):
                text += choice["delta"].get("content") or ""
    return text


def _read_log(home: Path, verdict: Verdict) -> None:
    found, problems, verdict.torn = read_lines(home)
    verdict.problems += problems
    markers = Counter(_marker(record) for _, record in found)
    ids = Counter(record["id"] for _, record in found)
    verdict.problems += [
        f"{marker}: {count} records" for marker, count in markers.items() if count > 1
    ]
    verdict.problems += [f"id {id_}: {count} records" for id_, count in ids.items() if count > 1]
    verdict.records = {_marker(record): record for _, record in found}


def _marker(record: dict[str, Any]) -> str:
    return str(((record["request"] or {}).get("metadata") or {}).get("marker"))


def _compare_answer(
    verdict: Verdict, record: dict[str, Any], call: Call, request: Received | None
) -> None:
    """The recorded answer must say what the provider sent, however it was framed."""
    if call.kind == "unknown":
        verdict.problems.append(
            f"{call.marker}: {record['outcome']}, although it was to be refused"
        )
        return
    if request is None:
        verdict.problems.append(
            f"{call.marker}: {record['outcome']}, but the provider never saw it"
        )
        return
    sent, response = bytes(request.sent), record["response"]
    if record["stream"] != (call.kind in STREAMED):
        verdict.problems.append(f"{call.marker}: recorded with stream {record['stream']}")
    if call.kind in STREAMED:
        same = response is not None and response["choices"][0]["message"]["content"] == said(sent)
    else:
        same = response == json.loads(sent)
    if not same:
        verdict.problems.append(f"{call.marker}: the record does not hold the provider's answer")
