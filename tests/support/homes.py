"""Homes for tests: records of one size or another, in segments of one's own."""

from __future__ import annotations

import json
import os
from pathlib import Path

from dolphin_logger.exchange import Exchange, new_id
from dolphin_logger.journal.format import encode
from dolphin_logger.journal.home import Home, open_private_file

NOW = 1_795_361_046 * 10**9  # 2026-11-22
NAME = "2026-11-22_00000000-0000-4000-8000-{:012d}.jsonl"


def line(number: int, *, text: str = "", request: bytes | None = None) -> bytes:
    """Encode one record, made a number of seconds after NOW."""
    moment = NOW + number * 10**9
    asked = {"messages": [{"role": "user", "content": f"question {number} {text}"}]}
    exchange = Exchange(
        id=new_id(moment),
        time_ns=moment,
        dialect="openai.chat",
        path="/v1/chat/completions",
        model=f"m{number}",
        request=request or json.dumps(asked).encode(),
        response=b'{"choices":[]}',
        total_ms=5.0,
    )
    return encode(exchange, seq=number)


def write_segment(home: Home, number: int, *lines: bytes, age: float = 10 * 86400) -> Path:
    """Write a closed segment, last written some seconds ago (by its file time)."""
    home.prepare()
    path = home.logs / NAME.format(number)
    with os.fdopen(open_private_file(path), "wb") as file:
        file.write(b"".join(lines))
    moment = path.stat().st_mtime_ns - int(age * 10**9)
    os.utime(path, ns=(moment, moment))
    return path
