"""Report: the figures of a run as tables, ratios and a verdict on each target.

Knows only the results (the JSON that the runner writes), so `python report.py FILE` prints an old run again.
Invariant: what was not measured is shown as such, never as zero and never as met.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Results = dict[str, Any]
ABSENT = "-"


def value(results: Results, contender: str, *path: str) -> float | None:
    """A number deep in the results, or None when it was not measured."""
    found: Any = results["contenders"].get(contender)
    for key in path:
        found = found.get(key) if isinstance(found, dict) else None
    return None if found is None else float(found)


def ratio(results: Results, contender: str, other: str, *path: str) -> float | None:
    mine, theirs = value(results, contender, *path), value(results, other, *path)
    return mine / theirs if mine is not None and theirs else None


def difference(results: Results, contender: str, other: str, *path: str) -> float | None:
    mine, theirs = value(results, contender, *path), value(results, other, *path)
    return mine - theirs if mine is not None and theirs is not None else None


# Each row: its label, where the number is, what to divide it by, digits behind the point.
ROWS: list[tuple[str, tuple[str, ...], float, int]] = [
    ("unary, 32 connections: requests/s", ("unary", "rate"), 1, 0),
    ("  proxy core busy, %", ("unary", "proxy_busy"), 0.01, 0),
    ("  load core busy, %", ("unary", "load_busy"), 0.01, 0),
    ("  requests per second of proxy CPU", ("unary", "rate_at_full_core"), 1, 0),
    ("unary, 1 connection: p50, ms", ("latency", "total_us", "p50"), 1e3, 3),
    ("  p99, ms", ("latency", "total_us", "p99"), 1e3, 3),
    ("  added over direct, p50, ms", ("latency", "added_p50_us"), 1e3, 3),
    ("  added over direct, p99, ms", ("latency", "added_p99_us"), 1e3, 3),
    ("burst, 16 connections: streams/s", ("burst", "rate"), 1, 0),
    ("  proxy core busy, %", ("burst", "proxy_busy"), 0.01, 0),
    ("  load core busy, %", ("burst", "load_busy"), 0.01, 0),
    ("  CPU per chunk, µs", ("burst", "cpu_us_per_chunk"), 1, 2),
    *(
        row
        for name, pace in (("paced_50", "50 chunks/s"), ("paced_10", "10 chunks/s"))
        for row in (
            (f"paced, {pace} each: streams", (name, "connections"), 1.0, 0),
            ("  open at once, at most", (name, "open_peak"), 1.0, 0),
            ("  first byte p50, ms", (name, "first_byte_us", "p50"), 1e3, 2),
            ("  first byte p99, ms", (name, "first_byte_us", "p99"), 1e3, 2),
            ("  total p50, s", (name, "total_us", "p50"), 1e6, 3),
            ("  total p99, s", (name, "total_us", "p99"), 1e6, 3),
            ("  total p99 beyond the provider's own, ms", (name, "late_p99_us"), 1e3, 1),
            ("  CPU per chunk, µs", (name, "cpu_us_per_chunk"), 1.0, 1),
            ("  proxy core busy, %", (name, "proxy_busy"), 0.01, 0),
            ("  load core busy, %", (name, "load_busy"), 0.01, 0),
            ("  memory per open stream, KB", (name, "kb_per_stream"), 1.0, 1),
        )
    ),
    ("start to first 200 of its health address, s", ("start_s",), 1, 2),
    ("memory before the streams, MB", ("paced_10", "idle_kb"), 1024, 0),
    ("--help: CPU, ms", ("help_cpu_s",), 1e-3, 0),
    ("answered over all runs", ("answered",), 1, 0),
    ("errors over all runs", ("errors",), 1, 0),
    ("recorded over all runs", ("recorded",), 1, 0),
]


@dataclass(frozen=True)
class Target:
    """What the issue asks for. `limit` is compared with `of(results)`; at least or at most, as `at_least` says."""

    name: str
    of: Callable[[Results], float | None]
    must: float
    goal: float | None = None
    at_least: bool = True
    unit: str = ""

    def verdict(self, measured: float | None, limit: float | None) -> str:
        if limit is None:
            return ""
        if measured is None:
            return f"{limit:g}{self.unit}: not measured"
        met = measured >= limit if self.at_least else measured <= limit
        return (
            f"{'≥' if self.at_least else '≤'} {limit:g}{self.unit}: {'met' if met else 'NOT MET'}"
        )


OWN = "dolphin-logger"


def scaled(measured: float | None, factor: float) -> float | None:
    return None if measured is None else measured * factor


TARGETS = [
    Target(
        "unary, times the original",
        lambda r: ratio(r, OWN, "original", "unary", "rate"),
        12,
        unit="x",
    ),
    Target(
        "unary, times LiteLLM", lambda r: ratio(r, OWN, "litellm", "unary", "rate"), 100, unit="x"
    ),
    Target(
        "unary, share of nginx",
        lambda r: scaled(ratio(r, OWN, "nginx", "unary", "rate"), 100),
        12,
        20,
        unit=" %",
    ),
    Target(
        "  by CPU per request",
        lambda r: scaled(ratio(r, OWN, "nginx", "unary", "rate_at_full_core"), 100),
        12,
        20,
        unit=" %",
    ),
    Target(
        "added at one connection, p50",
        lambda r: scaled(value(r, OWN, "latency", "added_p50_us"), 1e-3),
        0.8,
        0.4,
        at_least=False,
        unit=" ms",
    ),
    Target(
        "first byte p99 behind nginx, 50 chunks/s each",
        lambda r: scaled(difference(r, OWN, "nginx", "paced_50", "first_byte_us", "p99"), 1e-3),
        10,
        at_least=False,
        unit=" ms",
    ),
    Target(
        "memory per open stream",
        lambda r: worst(r, "kb_per_stream"),
        100,
        at_least=False,
        unit=" KB",
    ),
    Target(
        "--help, CPU",
        lambda r: scaled(value(r, OWN, "help_cpu_s"), 1e3),
        100,
        at_least=False,
        unit=" ms",
    ),
    Target(
        "load ceiling over this proxy, unary",
        lambda r: ratio(r, "direct", OWN, "unary", "rate"),
        2,
        unit="x",
    ),
    Target(
        "load ceiling over this proxy, burst",
        lambda r: ratio(r, "direct", OWN, "burst", "rate"),
        2,
        unit="x",
    ),
    Target(
        "load ceiling over nginx, unary",
        lambda r: ratio(r, "direct", "nginx", "unary", "rate"),
        2,
        unit="x",
    ),
    Target(
        "load ceiling over nginx, burst",
        lambda r: ratio(r, "direct", "nginx", "burst", "rate"),
        2,
        unit="x",
    ),
    Target("recorded / answered", lambda r: ratio_within(r, "recorded", "answered"), 1, unit=""),
    Target("errors", lambda r: value(r, OWN, "errors"), 0, at_least=False),
]


def worst(results: Results, name: str) -> float | None:
    """The larger of the two paced measures; None unless both were made."""
    both = [value(results, OWN, measure, name) for measure in ("paced_50", "paced_10")]
    known = [number for number in both if number is not None]
    return max(known) if len(known) == len(both) else None


def ratio_within(results: Results, part: str, whole: str) -> float | None:
    """1 when both are equal; less when records are missing or when there are too many of them."""
    a, b = value(results, OWN, part), value(results, OWN, whole)
    return min(a / b, b / a) if a and b else (0.0 if b and a == 0 else None)


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """A Markdown table, padded so that it also reads well in a terminal."""
    lines = [head, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    cells = [
        [line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]
        for line in lines
    ]
    rule = ["-" * widths[0], *("-" * (w - 1) + ":" for w in widths[1:])]
    return "\n".join("| " + " | ".join(line) + " |" for line in [cells[0], rule, *cells[1:]])


def show(measured: float | None, digits: int) -> str:
    return ABSENT if measured is None else f"{measured:,.{digits}f}"


def figures(results: Results) -> str:
    names = list(results["contenders"])
    rows = []
    for label, path, divisor, digits in ROWS:
        numbers = [value(results, name, *path) for name in names]
        if any(n is not None for n in numbers):
            rows.append([label, *(show(scaled(n, 1 / divisor), digits) for n in numbers)])
    return table(["", *names], rows)


def ratios(results: Results) -> str:
    rows = []
    for other in ("nginx", "proposed", "original", "litellm"):
        if other not in results["contenders"] or OWN not in results["contenders"]:
            continue
        unary, burst = (ratio(results, OWN, other, name, "rate") for name in ("unary", "burst"))
        latency = ratio(results, OWN, other, "latency", "total_us", "p50")
        cpu = ratio(results, OWN, other, "paced_10", "cpu_us_per_chunk")
        rows.append([other, show(unary, 3), show(burst, 3), show(latency, 3), show(cpu, 2)])
    head = [
        f"{OWN} over",
        "unary requests/s",
        "burst streams/s",
        "latency p50",
        "CPU per chunk, paced",
    ]
    return table(head, rows) if rows else f"No ratios: {OWN} or all others were not measured."


def targets(results: Results) -> str:
    rows = []
    for target in TARGETS:
        measured = target.of(results)
        shown = ABSENT if measured is None else f"{measured:.4g}{target.unit}"
        rows.append(
            [
                target.name,
                shown,
                target.verdict(measured, target.must),
                target.verdict(measured, target.goal),
            ]
        )
    return table(["target", "measured", "must", "goal"], rows)


def report(results: Results) -> str:
    notes = "\n".join(f"- {note}" for note in results["notes"])
    parts = [
        figures(results),
        ratios(results),
        targets(results),
        "Notes:\n" + notes if notes else "",
    ]
    return "\n\n".join(part for part in parts if part)


if __name__ == "__main__":
    print(report(json.loads(Path(sys.argv[1]).read_text())))
