"""What does it cost to record? This proxy beside nginx, the original and LiteLLM, in one run on one machine.

    python benchmarks/proxy_bench.py [--quick] [--with-original] [--with-litellm] [--rounds N] [--json FILE]

Each proxy runs alone on one core; load generator and fake provider share the other. Knows nothing about how a proxy is
set up (contenders.py) or how figures are shown (report.py). Invariant: every answer that counts was checked by the load
generator, and every process that was started is ended, also on Ctrl-C.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NoReturn

import contenders
from contenders import BUILD, Contender, Place
from processes import (
    NotReadyError,
    cpu_seconds,
    cpu_seconds_of_run,
    machine,
    memory_kb,
    running,
    wait_until_healthy,
)
from report import report

LOAD = BUILD / "load"
START_LIMIT_S = 120
QUIET = 0.9  # the share of its core that `direct` gets when nobody else uses it
Measure = dict[str, Any]


@dataclass(frozen=True)
class Lengths:
    """How long each measure takes, in seconds."""

    warm: float = 1
    unary: float = 10
    latency: float = 5
    burst: float = 8
    paced: float = 10
    ramp: float = 2


QUICK = Lengths(warm=0.5, unary=2, latency=1, burst=2, paced=3, ramp=1)


@dataclass
class Bench:
    """The cores, the provider under way, and what was found so far."""

    proxy_core: int
    load_core: int
    lengths: Lengths
    folder: Path
    provider_port: int = 0
    provider_pid: int = 0
    notes: list[str] = field(default_factory=list)
    found: dict[str, Measure] = field(default_factory=dict)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def compile_load() -> None:
    """Compile load.c when it is newer than the program."""
    source = Path(__file__).with_name("load.c")
    BUILD.mkdir(exist_ok=True)
    if not LOAD.exists() or LOAD.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(
            ["cc", "-O2", "-Wall", "-o", str(LOAD), str(source)], check=True, timeout=120
        )


@contextlib.contextmanager
def provider(bench: Bench) -> Iterator[None]:
    """The fake provider, on the load core."""
    port = free_port()
    command = [str(LOAD), "provider", "--port", str(port)]
    log = bench.folder / "provider.log"
    with running(
        command, core=bench.load_core, log=log, environment={}, folder=bench.folder
    ) as process:
        wait_until_healthy(process, port=port, path="/health", limit_s=10)
        bench.provider_port, bench.provider_pid = port, process.pid
        yield


@contextlib.contextmanager
def started(bench: Bench, contender: Contender) -> Iterator[tuple[int, int]]:
    """A fresh process of the contender: (port, pid), pid 0 for direct. Its start-up time goes to the results."""
    if contender.prepare is None:
        yield bench.provider_port, 0
        return
    folder = bench.folder / contender.name
    folder.mkdir(exist_ok=True)
    place = Place(folder, free_port(), bench.provider_port)
    start = contender.prepare(place)
    environment = contender.environment(place, start)
    log = folder / "output.log"
    before = time.monotonic()
    with running(
        start.command, core=bench.proxy_core, log=log, environment=environment, folder=folder
    ) as process:
        wait_until_healthy(process, port=place.port, path=contender.health, limit_s=START_LIMIT_S)
        bench.found[contender.name].setdefault("starts_s", []).append(time.monotonic() - before)
        yield place.port, process.pid


def load(
    bench: Bench, contender: Contender, port: int, pid: int, mode: str, **options: float
) -> Measure:
    """One run of the load generator, with the CPU of both sides and the most memory that the proxy took meanwhile."""
    words = [
        word
        for name, given in options.items()
        for word in (f"--{name.replace('_', '-')}", f"{given:g}")
    ]
    limit = time.monotonic() + options["duration"] + options.get("ramp", 0) + 60
    cpu_before, provider_before = cpu_seconds(pid) if pid else 0, cpu_seconds(bench.provider_pid)
    idle = peak = memory_kb(pid) if pid else 0
    began = time.monotonic()
    client = subprocess.Popen(
        [
            "taskset",
            "-c",
            str(bench.load_core),
            str(LOAD),
            "client",
            mode,
            "--port",
            str(port),
            *words,
        ],
        stdout=subprocess.PIPE,
    )
    try:
        while client.poll() is None:
            if time.monotonic() > limit:
                raise NotReadyError(f"the load generator did not end: {mode} {words}")
            with contextlib.suppress(subprocess.TimeoutExpired):
                client.wait(1)
            peak = max(peak, memory_kb(pid)) if pid else 0
        assert client.stdout is not None
        measure: Measure = json.loads(client.stdout.read())
    finally:
        if client.poll() is None:
            client.kill()
            client.wait(10)
    seconds = time.monotonic() - began
    if mode == "paced" and measure["answered"]:
        measure["late_p99_us"] = measure["total_us"]["p99"] - options["duration"] * 1e6
    measure["load_busy"] = (
        measure["cpu_s"] + cpu_seconds(bench.provider_pid) - provider_before
    ) / seconds
    if pid:
        used = cpu_seconds(pid) - cpu_before
        measure["proxy_busy"] = used / seconds
        measure["cpu_us_per_chunk"] = used / measure["chunks"] * 1e6 if measure["chunks"] else None
        measure["rate_at_full_core"] = measure["rate"] / max(used / seconds, 0.001)
        measure["idle_kb"] = idle
        measure["kb_per_stream"] = (
            (peak - idle) / measure["open_peak"] if measure["open_peak"] else None
        )
    count(bench, contender, mode, measure)
    return measure


def count(bench: Bench, contender: Contender, mode: str, measure: Measure) -> None:
    """Add to the totals that the recording is compared with; an error is always worth a note."""
    found = bench.found[contender.name]
    found["answered"] = found.get("answered", 0) + measure["answered"]
    found["errors"] = found.get("errors", 0) + measure["errors"]
    if measure["errors"]:
        bench.notes.append(
            f"{contender.name}, {mode}: {measure['errors']} errors, the first: {measure['first_error']}"
        )


def lengths_for(bench: Bench, contender: Contender) -> Lengths:
    if not contender.slow:
        return bench.lengths
    full = bench.lengths
    return replace(
        full,
        unary=full.unary / 2,
        latency=full.latency / 2,
        burst=full.burst / 2,
        paced=full.paced / 2,
    )


def warm_up(bench: Bench, contender: Contender, port: int, pid: int) -> None:
    """Imports, connection pools and first pages are paid before anything is measured."""
    seconds = lengths_for(bench, contender).warm
    load(bench, contender, port, pid, "unary", connections=4, duration=seconds)
    load(bench, contender, port, pid, "burst", connections=2, duration=seconds, chunks=20)


def measure_rates(bench: Bench, contender: Contender) -> dict[str, Measure]:
    """Unary at 32 connections and at one, and bursts, on one fresh process."""
    lengths = lengths_for(bench, contender)
    with started(bench, contender) as (port, pid):
        warm_up(bench, contender, port, pid)
        return {
            "unary": load(
                bench, contender, port, pid, "unary", connections=32, duration=lengths.unary
            ),
            "latency": load(
                bench, contender, port, pid, "unary", connections=1, duration=lengths.latency
            ),
            "burst": load(
                bench,
                contender,
                port,
                pid,
                "burst",
                connections=16,
                duration=lengths.burst,
                chunks=100,
            ),
        }


def measure_paced(bench: Bench, contender: Contender, *, streams: int, per_second: int) -> Measure:
    """Many slow streams at once, on a fresh process, so that memory is theirs and not left over."""
    lengths = lengths_for(bench, contender)
    with started(bench, contender) as (port, pid):
        warm_up(bench, contender, port, pid)
        return load(
            bench,
            contender,
            port,
            pid,
            "paced",
            connections=streams,
            gap_us=1_000_000 // per_second,
            duration=lengths.paced,
            ramp=lengths.ramp,
        )


def middle(rounds: list[Measure], *path: str) -> Measure:
    """The round whose value at `path` is the median; whole, so that its figures belong together."""

    def key(measure: Measure) -> float:
        found: Any = measure
        for name in path:
            found = found[name]
        return float(found)

    return sorted(rounds, key=key)[(len(rounds) - 1) // 2]


@contextlib.contextmanager
def noted(bench: Bench, contender: Contender) -> Iterator[None]:
    """A contender that fails costs its own figures and a note, not those of the others."""
    try:
        yield
    except NotReadyError as error:
        log = bench.folder / contender.name / "output.log"
        last = log.read_text(errors="replace").strip().splitlines()[-1:] if log.exists() else []
        bench.notes.append(" · ".join([f"{contender.name} FAILED: {error}", *last]))
        say(bench.notes[-1])


def compare(bench: Bench, chosen: list[Contender], rounds: int) -> None:
    """All measures, each one over all contenders before the next, so that noise meets all of them."""
    several: dict[str, list[dict[str, Measure]]] = {c.name: [] for c in chosen}
    for number in range(rounds):
        for contender in chosen:
            say(f"rates, round {number + 1} of {rounds}: {contender.name}")
            with noted(bench, contender):
                several[contender.name].append(measure_rates(bench, contender))
    for contender in chosen:
        runs = several[contender.name]
        if not runs:
            continue
        for name, path in (
            ("unary", ("rate",)),
            ("latency", ("total_us", "p50")),
            ("burst", ("rate",)),
        ):
            bench.found[contender.name][name] = middle([run[name] for run in runs], *path)
    for place, (name, per_second) in enumerate((("paced_50", 50), ("paced_10", 10))):
        for contender in chosen:
            streams, asked = contender.paced[place], contenders.DIRECT.paced[place]
            say(f"{streams} streams of {per_second} chunks/s: {contender.name}")
            if streams != asked:
                bench.notes.append(
                    f"{contender.name}: {streams} streams instead of {asked} at {per_second} chunks/s, and half as long"
                )
            with noted(bench, contender):
                bench.found[contender.name][name] = measure_paced(
                    bench, contender, streams=streams, per_second=per_second
                )


def finish(bench: Bench, chosen: list[Contender]) -> None:
    """What follows from the measures: added latency, start-up, records kept."""
    busy = bench.found["direct"].get("unary", {}).get("load_busy", 0)
    if busy < QUIET:
        bench.notes.append(
            f"other processes used the load core: direct had {busy:.0%} of it; do not quote this run"
        )
    for contender in chosen:
        found = bench.found[contender.name]
        if contender.prepare and "latency" in found:
            for share in ("p50", "p99"):
                direct = bench.found["direct"]["latency"]["total_us"][share]
                found["latency"][f"added_{share}_us"] = found["latency"]["total_us"][share] - direct
        if "starts_s" in found:
            found["start_s"] = statistics.median(found["starts_s"])
        if contender.logs:
            found["recorded"] = count_records(
                bench, contender, bench.folder / contender.name / contender.logs
            )


def count_records(bench: Bench, contender: Contender, logs: Path) -> int:
    """Whole lines of JSON in the recordings; others are noted."""
    whole = broken = 0
    for segment in sorted(logs.glob("*.jsonl")):
        with segment.open("rb") as lines:
            for line in lines:
                try:
                    json.loads(line)
                    whole += line.endswith(b"\n")
                except ValueError:
                    broken += 1
    if broken:
        bench.notes.append(f"{contender.name}: {broken} recorded lines are not JSON")
    return whole


def measure_help(bench: Bench) -> None:
    """The CPU of `--help`: least of ten, because noise only adds."""
    command, environment = (
        contenders.own_command("--help"),
        dict(os.environ) | contenders.own_environment(),
    )
    with noted(bench, contenders.OWN):
        times = [
            cpu_seconds_of_run(command, core=bench.proxy_core, environment=environment)
            for _ in range(10)
        ]
        bench.found[contenders.OWN.name]["help_cpu_s"] = min(times)


def say(text: str) -> None:
    print(f"· {text}", file=sys.stderr, flush=True)


def choose(bench: Bench, options: argparse.Namespace) -> list[Contender]:
    """The contenders that were asked for and can run; the others get a note with the reason."""
    asked = [contenders.DIRECT, contenders.NGINX_PROXY, contenders.OWN]
    asked += [contenders.PROPOSED] if options.with_proposed else []
    asked += [contenders.ORIGINAL_PROXY] if options.with_original else []
    asked += [contenders.LITELLM_PROXY] if options.with_litellm else []
    chosen = []
    for contender in asked:
        reason = contender.missing()
        if reason is None:
            chosen.append(contender)
            bench.found[contender.name] = {}
        else:
            bench.notes.append(f"{contender.name} skipped: {reason}")
            say(bench.notes[-1])
    return chosen


def parse(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--quick", action="store_true", help="short runs: shows that it works, not how fast it is"
    )
    parser.add_argument(
        "--with-original",
        action="store_true",
        help=f"also {contenders.ORIGINAL}, installed on demand",
    )
    parser.add_argument(
        "--with-proposed",
        action="store_true",
        help="also uvicorn and pyreqwest, relaying only, installed on demand",
    )
    parser.add_argument(
        "--with-litellm",
        action="store_true",
        help=f"also {contenders.LITELLM}, installed on demand",
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=1,
        help="rounds of unary, latency and burst; the median counts",
    )
    parser.add_argument("--proxy-core", type=int, default=1)
    parser.add_argument("--load-core", type=int, default=0)
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write all results there")
    return parser.parse_args(arguments)


def stop_on_signal(number: int, _frame: object) -> NoReturn:
    raise SystemExit(
        128 + number
    )  # the same way out as Ctrl-C: every `with` block ends its process


def main(arguments: list[str] | None = None) -> int:
    options = parse(arguments)
    if not shutil.which("taskset") or not {
        options.proxy_core,
        options.load_core,
    } <= os.sched_getaffinity(0):
        print(
            "needs taskset (util-linux) and both cores; see --proxy-core and --load-core",
            file=sys.stderr,
        )
        return 2
    signal.signal(signal.SIGTERM, stop_on_signal)
    compile_load()
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    os.sched_setaffinity(0, {options.load_core})
    with tempfile.TemporaryDirectory(prefix="dolphin-bench-") as folder:
        bench = Bench(
            options.proxy_core,
            options.load_core,
            QUICK if options.quick else Lengths(),
            Path(folder),
        )
        chosen = choose(bench, options)
        with provider(bench):
            compare(bench, chosen, max(1, options.rounds))
        finish(bench, chosen)
        if contenders.OWN in chosen:
            measure_help(bench)
    results = {
        "machine": machine(),
        "versions": contenders.versions(chosen),
        "quick": options.quick,
        "rounds": options.rounds,
        "contenders": bench.found,
        "notes": list(dict.fromkeys(bench.notes)),
    }
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")
    print(json.dumps(results["machine"] | results["versions"]))
    print(report(results))
    return 1 if any("FAILED" in note for note in bench.notes) else 0


if __name__ == "__main__":
    sys.exit(main())
