"""Plots: bar charts as SVG, written by hand, the same bytes for the same counts.

Light and dark backgrounds are both readable; the numbers stand beside the bars, and a card has them as
a table too. It knows labels and numbers, not what they count. Invariant: labels are escaped.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final
from unicodedata import east_asian_width

_WIDTH: Final = 640
_ROW: Final = 22
_LABEL: Final = 200
_BAR: Final = 360
_LONGEST: Final = 24  # characters of a label; those of East Asia are twice as wide
_INK: Final = "#6e7781"
_FILL: Final = "#2f81c7"


def bars(title: str, counts: Sequence[tuple[str, int]]) -> str:
    """Draw one bar for each label, in the order given."""
    highest = max((number for _, number in counts), default=0) or 1
    height = 40 + _ROW * len(counts)
    lines = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}" '
            f'viewBox="0 0 {_WIDTH} {height}" role="img" font-family="sans-serif" font-size="13">'
        ),
        f"<title>{escape(title)}</title>",
        f'<text x="4" y="20" font-weight="bold" fill="{_INK}">{escape(title)}</text>',
    ]
    for at, (label, number) in enumerate(counts):
        middle = 36 + _ROW * at + 12
        length = max(2 if number else 0, round(_BAR * number / highest))
        shown = _cut(label)
        lines += [
            f'<text x="{_LABEL - 8}" y="{middle + 4}" text-anchor="end" fill="{_INK}">{escape(shown)}</text>',
            f'<rect x="{_LABEL}" y="{middle - 8}" width="{length}" height="16" rx="2" fill="{_FILL}"/>',
            f'<text x="{_LABEL + length + 6}" y="{middle + 4}" fill="{_INK}">{number:,}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


def _cut(label: str) -> str:
    """Cut a label to what fits left of the bars."""
    left = _LONGEST
    for at, character in enumerate(label):
        left -= 2 if east_asian_width(character) in "WF" else 1
        if left < 0:
            return label[: max(at - 1, 0)] + "…"
    return label
