"""JSON with comments and final commas, as editors' settings have it."""

from __future__ import annotations

import json
from typing import Any


def parse(text: str) -> Any:
    """Parse."""
    return json.loads(text)
