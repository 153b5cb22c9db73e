"""What the kernel says about a running process (Linux: /proc)."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path

MIB = 1024 * 1024


def descriptors(pid: int) -> int:
    """Count the open files and sockets."""
    return len(os.listdir(f"/proc/{pid}/fd"))  # noqa: PTH208 - counted, not walked


def resident(pid: int) -> int:
    """Return the resident memory in bytes."""
    return _status(pid, "VmRSS")


def peak(pid: int) -> int:
    """Return the highest resident memory since `forget_peak`, in bytes."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Let the peak start again at what is resident now."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def wait_until_still(value: Callable[[], int], *, seconds: float = 20.0) -> int:
    """Wait until a number has not changed in 20 looks in a row; return it."""
    end = time.monotonic() + seconds
    last, same = value(), 0
    while same < 20:
        assert time.monotonic() < end, f"still changing after {seconds} s: {last}"
        time.sleep(0.02)
        now = value()
        last, same = now, same + 1 if now == last else 0
    return last


def _status(pid: int, key: str) -> int:
    found = re.search(rf"{key}:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024
