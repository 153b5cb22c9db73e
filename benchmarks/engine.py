"""What does it cost to make conversations of a log? Beside Polars, DuckDB and Daft doing the same job.

    python benchmarks/engine.py --size 100                     a log of 100 MB, in the temporary folder
    python benchmarks/engine.py --size 1000 --others PYTHON    polars, duckdb and daft are in that Python

The log is in the project's own format: agents and chats that send their whole history with every turn,
about 15 kB a request; content as texts and as parts, tools, calls, answers asked for again, and requests
that came twice. Every engine runs in a process of its own; time is the whole process, start and imports
included, memory the most that its tree of processes held at once (PSS, every 20 ms).
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import resource
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
from processes import machine, memory_kb

from dolphin_logger.exchange import Client, Exchange, new_id
from dolphin_logger.journal.format import encode
from dolphin_logger.journal.home import Home, open_private_file
from dolphin_logger.messages import Usage

JOBS = Path(__file__).with_name("engine_jobs.py")
START = 1_795_361_046 * 10**9
SEGMENTS = 8
ENGINES = ["simple", "polars", "daft", "duckdb", "full"]
SIDE_BY_SIDE = 12  # conversations
TURNS = (1, 2, 3, 4, 6, 8, 10, 12, 16, 20)
SYSTEM = "You are a careful programmer. Read before you write, and say why. " * 20


class Clock:
    """A moment for each request, and texts cut from the standard library."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        random.seed(seed)  # of the ids
        paths = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
        self.pool = "\n".join(path.read_text("utf-8", "ignore") for path in paths)
        self.now = START

    def text(self, least: int, most: int) -> str:
        start = self.random.randrange(len(self.pool) - most)
        return self.pool[start : start + self.random.randint(least, most)]

    def tools(self) -> list[Any]:
        names = ["read_file", "write_file", "run", "search"][: self.random.randint(1, 4)]
        schema = {"type": "object", "properties": {"path": {"type": "string"}}}
        about = self.text(300, 500)
        return [
            {
                "type": "function",
                "function": {"name": name, "description": about, "parameters": schema},
            }
            for name in names
        ]


def conversation(clock: Clock) -> Iterator[bytes]:
    """The lines of one conversation; now and then an answer is asked for again, or a request comes twice."""
    chance = clock.random
    tools = clock.tools() if chance.random() < 0.7 else None
    history: list[Any] = [{"role": "system", "content": SYSTEM}] if tools else []
    history.append(asked(clock))
    model = chance.choice(["gpt-4.1", "claude"])
    session = f"{chance.getrandbits(64):x}" if tools else None
    for number in range(chance.choice(TURNS)):
        answer: dict[str, Any] = {"role": "assistant", "content": clock.text(100, 700)}
        if tools:
            call = {"name": "run", "arguments": json.dumps({"command": clock.text(20, 60)})}
            answer["tool_calls"] = [{"id": f"c{number}", "type": "function", "function": call}]
        request: dict[str, Any] = {"model": model, "messages": history}
        if tools:
            request["tools"] = tools
        yield line(clock, request, answer, session)
        if chance.random() < 0.05:
            yield line(clock, request, answer, session)
        if chance.random() < 0.05:
            again = {"role": "assistant", "content": clock.text(100, 700)}
            yield line(clock, request, again, session)
        history = [*history, answer]
        if tools:
            text = clock.text(500, 3500)
            history.append({"role": "tool", "tool_call_id": f"c{number}", "content": text})
        else:
            history.append(asked(clock))


def asked(clock: Clock) -> dict[str, Any]:
    text = clock.text(200, 1500)
    if clock.random.random() < 0.5:
        return {"role": "user", "content": text}
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def line(clock: Clock, request: Any, answer: Any, session: str | None) -> bytes:
    clock.now += 15 * 60 * 10**9 // SIDE_BY_SIDE
    exchange = Exchange(
        id=new_id(clock.now),
        time_ns=clock.now,
        dialect="openai.chat",
        path="/v1/chat/completions",
        model=request["model"],
        provider="openai",
        status=200,
        client=Client(name="agent", session=session),
        usage=Usage(1000, 100),
        request=json.dumps(request).encode(),
        response=json.dumps(
            {"choices": [{"index": 0, "message": answer, "finish_reason": "stop"}]}
        ).encode(),
        total_ms=5.0,
    )
    return encode(exchange, seq=0)


def write_log(home: Home, size: int) -> tuple[int, int]:
    """Write a log of so many bytes; give its requests and bytes."""
    home.prepare()
    clock = Clock(7)
    running = [conversation(clock) for _ in range(SIDE_BY_SIDE)]
    requests = written = 0
    for number in range(SEGMENTS):
        path = home.logs / f"2026-11-22_00000000-0000-4000-8000-{number:012d}.jsonl"
        with os.fdopen(open_private_file(path), "wb") as file:
            while written < size * (number + 1) // SEGMENTS:
                at = clock.random.randrange(SIDE_BY_SIDE)
                made = next(running[at], None)
                if made is None:
                    running[at] = conversation(clock)
                    continue
                file.write(made)
                written += len(made)
                requests += 1
    return requests, written


def run(engine: str, python: str, home: Home) -> dict[str, Any]:
    """Run one engine; give what it says, its time and its memory."""
    environment = os.environ | {"DAFT_ANALYTICS_ENABLED": "0", "DO_NOT_TRACK": "1"}
    with tempfile.TemporaryDirectory() as output:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        begun = time.perf_counter()
        process = subprocess.Popen(
            [python, str(JOBS), engine, str(home.logs), output],
            stdout=subprocess.PIPE,
            env=environment | {"DAFT_PROGRESS_BAR": "0"},
        )
        most = 0
        while process.poll() is None:
            with contextlib.suppress(OSError):
                most = max(most, memory_kb(process.pid))
            time.sleep(0.02)
        wall = time.perf_counter() - begun
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        assert process.stdout is not None
        said = process.stdout.read().decode().strip().splitlines()
        if process.returncode:
            raise SystemExit(f"{engine} failed")
        return {
            **json.loads(said[-1]),
            "wall_s": round(wall, 2),
            "cpu_s": round(cpu, 2),
            "memory_mb": round(most / 1024),
            "rows": rows_of(Path(output)),
        }


def rows_of(output: Path) -> int:
    return sum(pq.read_metadata(path).num_rows for path in output.glob("*.parquet"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=100, help="MB of the log")
    parser.add_argument("--rounds", type=int, default=3, help="the fastest of each counts")
    parser.add_argument(
        "--others",
        default=sys.executable,
        help="a Python with orjson, pyarrow and the other engines",
    )
    parser.add_argument("--engines", nargs="+", default=ENGINES)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder) / "home")
        requests, size = write_log(home, arguments.size * 10**6)
        print(json.dumps(machine()))
        print(f"{size / 1e6:.1f} MB, {requests} requests, {size / requests / 1e3:.1f} kB each")
        found: dict[str, dict[str, Any]] = {}
        for _ in range(arguments.rounds):
            for engine in arguments.engines:
                python = sys.executable if engine == "full" else arguments.others
                told = run(engine, python, home)
                print(engine, json.dumps(told), file=sys.stderr, flush=True)
                if engine not in found or told["wall_s"] < found[engine]["wall_s"]:
                    found[engine] = told
        report(found)


def report(found: dict[str, dict[str, Any]]) -> None:
    own = found[next(iter(found))]["wall_s"]
    print("| engine | wall, s | ratio | CPU, s | memory, MB | rows |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for engine, told in found.items():
        ratio = told["wall_s"] / own
        print(
            f"| {engine} | {told['wall_s']:.2f} | {ratio:.2f} | {told['cpu_s']:.2f}"
            f" | {told['memory_mb']} | {told['rows']:,} |"
        )
    if "full" in found:
        print(json.dumps(found["full"]))
    counts = {told["rows"] for engine, told in found.items() if engine != "full"}
    if len(counts) > 1:
        print(f"NOT THE SAME ROWS: {counts}")


if __name__ == "__main__":
    main()
