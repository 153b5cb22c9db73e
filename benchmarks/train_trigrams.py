"""Makes src/dolphin_logger/redactors/trigrams.bin: how surprising three letters in a row are in code and English.

    python benchmarks/train_trigrams.py

Reads every word (identifiers, docstrings, comments, the help topics) of the standard library of the
Python that runs it, tests left out. Each distinct word counts by the logarithm of how often it is seen.
Same Python version, same bytes.
"""

from __future__ import annotations

import math
import re
import sysconfig
from collections import Counter
from pathlib import Path

from dolphin_logger.redactors._looks import SYMBOLS, TRIGRAMS, fold

WORD = re.compile(rb"[A-Za-z_][A-Za-z0-9_.-]{1,39}")
SEEN_TWICE = 2
WEIGHTS = (0.80, 0.17, 0.03)  # of the trigram, the bigram, the single symbol


def words() -> Counter[bytes]:
    """Count the words of the standard library."""
    counts: Counter[bytes] = Counter()
    library = Path(sysconfig.get_path("stdlib"))
    for path in sorted(library.rglob("*.py")):
        parts = path.relative_to(library).parts
        if not {"test", "tests", "idlelib", "site-packages", "encodings"} & set(parts):
            counts.update(WORD.findall(path.read_bytes()))
    return counts


def table(counts: Counter[bytes]) -> bytes:
    """Give one byte for each three symbols: sixteenths of a bit of surprise at the third."""
    size = len(SYMBOLS)
    three: Counter[tuple[int, int, int]] = Counter()
    two: Counter[tuple[int, int]] = Counter()
    one: Counter[int] = Counter()
    for word, seen in counts.items():
        if seen < SEEN_TWICE:
            continue
        weight = 1 + math.log2(seen)
        symbols = [0, 0, *fold(word), 0]
        for index in range(2, len(symbols)):
            three[symbols[index - 2], symbols[index - 1], symbols[index]] += weight
            two[symbols[index - 1], symbols[index]] += weight
            one[symbols[index]] += weight
    pairs: Counter[tuple[int, int]] = Counter()
    singles: Counter[int] = Counter()
    for (first, second, _), weight in three.items():
        pairs[first, second] += weight
    for (first, _), weight in two.items():
        singles[first] += weight
    total = sum(one.values())
    made = bytearray()
    for first in range(size):
        for second in range(size):
            for third in range(size):
                share = (
                    WEIGHTS[0] * three[first, second, third] / (pairs[first, second] or 1)
                    + WEIGHTS[1] * two[second, third] / (singles[second] or 1)
                    + WEIGHTS[2] * (one[third] + 1) / (total + size)
                )
                made.append(min(255, round(-16 * math.log2(share))))
    return bytes(made)


if __name__ == "__main__":
    TRIGRAMS.write_bytes(table(words()))
    print(f"{TRIGRAMS.name}: {TRIGRAMS.stat().st_size} bytes")
