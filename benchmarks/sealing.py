"""What does a session cost on the disk, once it is sealed?

Agent-like sessions: every turn sends the whole history again, and each tool result is a piece of a real source
file of Python's standard library. Written by this program's writer, sealed by its sealer, read back.
Unique messages: the text of each message once, in order, one JSON line each, compressed by zstd at level 3.

    python benchmarks/sealing.py [--turns 10 100 500]
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import sysconfig
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import zstandard

from dolphin_logger.exchange import Exchange, new_id
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import StoredRecord, find, newest, read_home, segments
from dolphin_logger.journal.seal import seal_segment
from dolphin_logger.journal.writer import Journal

PIECE = (500, 5500)  # characters of a tool result, from and to
SYSTEM = "You are a careful programmer. Read before you write, and say why. " * 60


def sources() -> list[str]:
    """Read the standard library's own files."""
    folder = Path(sysconfig.get_paths()["stdlib"])
    return [path.read_text(errors="replace") for path in sorted(folder.glob("*.py"))]


def turns(
    count: int, *, texts: list[str], chance: random.Random
) -> Iterator[tuple[list[Any], dict[str, Any]]]:
    """Give the history that each turn sends, and its answer."""
    history: list[Any] = [{"role": "system", "content": SYSTEM}]
    history.append({"role": "user", "content": "Find out why the tests fail, and repair it."})
    for number in range(count):
        text = chance.choice(texts)
        length = chance.randint(*PIECE)
        start = chance.randint(0, max(0, len(text) - length))
        piece = text[start : start + length]
        call = {
            "id": f"call_{uuid.UUID(int=chance.getrandbits(128)).hex[:24]}",
            "type": "function",
            "function": {
                "name": "read_file",
                "arguments": json.dumps({"path": f"src/{number}.py", "offset": start}),
            },
        }
        words = " ".join(chance.choice(texts)[start : start + 200].split())
        answer = {
            "role": "assistant",
            "content": f"I look at file {number}. {words}",
            "tool_calls": [call],
        }
        yield list(history), answer
        history.append(answer)
        history.append({"role": "tool", "tool_call_id": call["id"], "content": piece})


def write_session(
    home: Home, count: int, *, texts: list[str], chance: random.Random
) -> tuple[int, bytes]:
    """Write the records of a session; return the bytes of their lines and the unique messages."""
    journal = Journal(home)
    last: list[Any] = []
    for history, answer in turns(count, texts=texts, chance=chance):
        moment = time.time_ns()
        journal.append(
            Exchange(
                id=new_id(moment),
                time_ns=moment,
                dialect="openai.chat",
                path="/v1/chat/completions",
                model="claude",
                provider="openai",
                provider_model="claude-3-7-sonnet-latest",
                provider_request_id=f"req_{chance.getrandbits(96):024x}",
                status=200,
                first_byte_ms=chance.uniform(300, 900),
                total_ms=chance.uniform(1000, 9000),
                request_headers={"user-agent": "OpenAI/Python 2.1.0"},
                request=json.dumps(
                    {"model": "claude", "messages": history, "stream": True}
                ).encode(),
                response=json.dumps(
                    {
                        "id": f"chatcmpl-{chance.getrandbits(96):024x}",
                        "object": "chat.completion",
                        "choices": [{"index": 0, "message": answer, "finish_reason": "tool_calls"}],
                    }
                ).encode(),
            )
        )
        last = [*history, answer]
    journal.close()
    raw = sum(path.stat().st_size for path in segments(home))
    return raw, b"\n".join(json.dumps(message).encode() for message in last)


def timed(work: Callable[[], Any]) -> float:
    """Measure seconds."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def on_disk(home: Home) -> int:
    """Add up the bytes of logs/, manifests included."""
    return sum(path.stat().st_size for path in home.logs.iterdir())


def measure(count: int, *, texts: list[str], chance: random.Random) -> dict[str, Any]:
    """Write, seal and read one session."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        home.prepare()
        raw, unique = write_session(home, count, texts=texts, chance=chance)
        plain_read = timed(lambda: sum(1 for _ in read_home(home)))
        plain = zstandard.ZstdCompressor(level=3)
        without_window = sum(len(plain.compress(path.read_bytes())) for path in segments(home))
        files = len(segments(home))
        sealing = timed(
            lambda: [seal_segment(path, progress=lambda _: None) for path in segments(home)]
        )
        (last,) = newest(home, count=1)
        assert isinstance(last, StoredRecord)
        return {
            "turns": count,
            "raw lines": raw,
            "segments": files,
            "zstd-3, each segment": without_window,
            "sealed, with manifests": on_disk(home),
            "zstd-3 of unique messages": len(plain.compress(unique)),
            "unique text": len(unique),
            "seal, MB/s": raw / sealing / 1e6,
            "read all sealed, s": timed(lambda: sum(1 for _ in read_home(home))),
            "read all plain, s": plain_read,
            "newest of sealed, s": timed(lambda: newest(home, count=1)),
            "one by id, s": timed(lambda: find(home, last.id)),
        }


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--turns", type=int, nargs="+", default=[10, 100, 500])
    texts = sources()
    rows = [
        measure(count, texts=texts, chance=random.Random(7))
        for count in arguments.parse_args().turns
    ]
    for row in rows:
        row["sealed over unique"] = row["sealed, with manifests"] / row["zstd-3 of unique messages"]
        row["sealed over raw, %"] = 100 * row["sealed, with manifests"] / row["raw lines"]
        row["bytes per KB of unique text"] = (
            row["sealed, with manifests"] / row["unique text"] * 1000
        )
    for name in rows[0]:
        cells = [
            f"{row[name]:,.2f}" if isinstance(row[name], float) else f"{row[name]:,}"
            for row in rows
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print(
        f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:,.0f} MB",
        os.uname().release,
    )


if __name__ == "__main__":
    main()
