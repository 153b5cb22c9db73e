"""One request as it came over the wire, and the words for header fields.

It knows no connection and no meaning. Invariant: field names are lower-case, values as sent.
"""

from __future__ import annotations

import time
from typing import Any

Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, bytes, Headers]  # status, body, header fields


class Request:
    """One request as received; header names are lower-case, values as sent."""

    __slots__ = (
        "body",
        "headers",
        "http10",
        "keep_alive",
        "method",
        "route",
        "started",
        "target",
        "time_ns",
        "too_large",
        "uploads",
    )

    def __init__(self) -> None:
        self.method = b""
        self.target = b""
        self.headers: Headers = []
        self.body = b""
        self.http10 = False
        self.keep_alive = True
        self.too_large = False
        self.uploads = False  # the service takes the body as it comes
        self.route: Any = None  # what the service has found out about the path
        self.time_ns = time.time_ns()
        self.started = time.monotonic()

    def header(self, name: bytes) -> bytes | None:
        """Return the first value of a field, named in lower case."""
        for key, value in self.headers:
            if key == name:
                return value
        return None
