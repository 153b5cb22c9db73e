"""Files of variables (`NAME=value`), as text in and text out.

Every line that is not ours stays as it is. It knows neither files nor clients.
"""

from __future__ import annotations

import re

_LINE = re.compile(r"^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=(.*)$")


def read(text: str) -> dict[str, str]:
    """Read the variables; the last line of a name counts."""
    found = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if match:
            value = match[2].strip()
            if value[:1] in ("'", '"') and value[-1:] == value[:1] and len(value) > 1:
                value = value[1:-1]
            found[match[1]] = value
    return found
