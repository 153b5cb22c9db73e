"""Faults: what goes wrong, and how often, when a test says so."""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass, field


@dataclass
class Fault:
    """One thing that goes wrong.

    `where` is a pattern over `METHOD path?query`; `after` does the work first and then fails, as a gateway
    that times out does; `status` 0 drops the connection, and `hang` seconds pass before.
    """

    where: str
    status: int
    times: int = 1
    after: bool = False
    hang: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    skip: int = 0  # matching requests that go well before it begins


class Faults:
    """The faults that are still to come."""

    def __init__(self) -> None:
        self._waiting: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._waiting.append(fault)

    def take(self, request: str) -> Fault | None:
        """Give the fault that this request meets, once less for the next."""
        with self._lock:
            for fault in self._waiting:
                if not re.search(fault.where, request):
                    continue
                if fault.skip:
                    fault.skip -= 1
                    continue
                if fault.times:
                    fault.times -= 1
                    return fault
        return None
