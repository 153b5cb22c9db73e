"""Processes of a benchmark: started on one core, observed through /proc, always ended.

Knows nothing about proxies or figures. Invariant: every process started here is ended by its id when its `with` block
is left, also on an exception or Ctrl-C, and every wait has a limit.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import platform
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


class NotReadyError(Exception):
    """A process ended, or did not answer its health address in time."""


@contextlib.contextmanager
def running(
    command: Sequence[str], *, core: int, log: Path, environment: Mapping[str, str], folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` pinned to `core`, its output in `log`; end it and its children at the end of the block."""
    with log.open("ab") as output:
        process = subprocess.Popen(
            ["taskset", "-c", str(core), *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
            cwd=folder,
        )
    try:
        yield process
    finally:
        end(process)


def end(process: subprocess.Popen[bytes], *, patience_s: float = 15) -> None:
    """Ask the process to stop; after `patience_s` kill it and what is left of its children, each by its id."""
    tree = tree_of(process.pid)
    process.terminate()
    try:
        process.wait(patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(patience_s)
    for pid in tree:
        if (
            pid != process.pid and parent_of(pid) == 1
        ):  # an orphan of ours; a number used anew has another parent
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 9)


def tree_of(root: int) -> list[int]:
    """The ids of a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (parent := parent_of(int(entry.name))) is not None:
            children.setdefault(parent, []).append(int(entry.name))
    found = [root]
    for pid in found:  # grows while it is walked
        found.extend(children.get(pid, ()))
    return found


def stat_fields(pid: int) -> list[str] | None:
    """/proc/PID/stat from the third field on (proc(5)); None when the process is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def parent_of(pid: int) -> int | None:
    fields = stat_fields(pid)
    return int(fields[1]) if fields else None


def cpu_seconds(root: int) -> float:
    """User and system time of a process tree so far."""
    total = 0
    for pid in tree_of(root):
        if fields := stat_fields(pid):
            total += int(fields[11]) + int(fields[12])
    return total / TICKS_PER_SECOND


def memory_kb(root: int) -> int:
    """Proportional set size (PSS) of a process tree in KiB; shared pages count once. Kernel buffers are not in it."""
    total = 0
    for pid in tree_of(root):
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            continue
        total += sum(
            int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")
        )
    return total


def wait_until_healthy(
    process: subprocess.Popen[bytes], *, port: int, path: str, limit_s: float
) -> None:
    """Return when GET `path` answers 200; raise NotReadyError when the process ends or `limit_s` passes."""
    deadline = time.monotonic() + limit_s
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise NotReadyError(f"ended with status {process.returncode} before it answered {path}")
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", path)
            if connection.getresponse().status == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(0.005)
    raise NotReadyError(f"no 200 from {path} within {limit_s:.0f} s")


def cpu_seconds_of_run(
    command: Sequence[str], *, core: int, environment: Mapping[str, str]
) -> float:
    """User and system time that one run of `command` takes; raise NotReadyError when it fails."""
    process = subprocess.Popen(
        ["taskset", "-c", str(core), *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=dict(environment),
    )
    try:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    finally:
        if process.returncode is None:
            process.kill()
            process.wait(10)
    if process.returncode:
        raise NotReadyError(f"{' '.join(command)} ended with status {process.returncode}")
    return used.ru_utime + used.ru_stime


def machine() -> dict[str, str | int]:
    """What the reader needs to judge the digits; no names, no paths."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if "model name" in line
    ]
    return {
        "processor": models[0] if models else platform.machine(),
        "cores": os.cpu_count() or 0,
        "kernel": platform.release(),
        "python": platform.python_version(),
        "date": time.strftime("%Y-%m-%d"),
    }
