"""Contamination: examples that hold what a model is to be tested on.

The files of tests that a recipe names are read once; every run of so many words in any text of them
is kept as one hash, and a text of fewer words as a whole, from eight on. An example with such a run
is refused. It knows no benchmark by name, and fetches nothing.
Invariants: 14 to 28 bytes a run, whatever the texts are, and no more runs than fit in the limit; the
hashes can be handed to other processes as they are.
"""

from __future__ import annotations

import csv
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from itertools import chain
from pathlib import Path
from typing import Any, ClassVar, Final

import orjson

from dolphin_logger.curate.said import text_of, words_of
from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Example

_PRIME: Final = (1 << 61) - 1
_BASE: Final = 0x1F3D5B79A2C4E68 % _PRIME
_FIRST_SLOTS: Final = 1 << 12
_MOST_RUNS: Final = 50_000_000  # 1.4 GB at worst
_ROWS: Final = 1024  # of Parquet at a time
_FEWEST_WORDS: Final = 8  # fewer in a row are in many texts
_LEAST: Final = 3
_LONGEST_FIELD: Final = (1 << 31) - 1  # of CSV, whose reader stops at 128 KiB else


@dataclass(frozen=True, slots=True)
class Settings:
    """`files` of tests; `words` in a row that count as the same; `most`: share of an example's runs.

    `most` 0 refuses an example with any run of a test.
    """

    files: tuple[str, ...] = ()
    words: int = 13
    most: float = 0.0


class Contamination:
    """Refuses examples that hold runs of words of the tests."""

    name: ClassVar[str] = "contamination"

    def __init__(self, settings: Settings) -> None:
        """Read the files.

        Raises:
            DatasetError: one cannot be read, has no text that is long enough, or they are too large.
        """
        self._words = settings.words
        self._most = settings.most
        self._files = [Path(name).name for name in settings.files]
        self._runs = _Runs()
        self._lengths: set[int] = set()
        for number, name in enumerate(settings.files):
            self._read(Path(name), number)

    def reason(self, example: Example) -> str | None:
        """Name the file, and the share of the example's runs that are in it."""
        total = 0
        found: Counter[int] = Counter()
        for words in map(words_of, _said(example)):
            total += max(min(1, len(words)), len(words) - self._words + 1)
            runs = chain.from_iterable(runs_of(words, length) for length in self._lengths)
            found.update(number for run in runs if (number := self._runs.find(run)) is not None)
        if not found or found.total() <= self._most * total:
            return None
        number, count = min(found.items(), key=lambda item: (-item[1], item[0]))
        return (
            f"{count:,} of {total:,} runs of {self._words} words ({count / total:.1%}) are in"
            f" {self._files[number]}, at most {self._most:.1%}"
        )

    def _read(self, path: Path, number: int) -> None:
        is_useful = False
        for text in texts_in(path):
            words = words_of(text)
            length = min(self._words, len(words))
            if length < min(self._words, _FEWEST_WORDS):
                continue
            is_useful = True
            self._lengths.add(length)
            for run in runs_of(words, length):
                self._runs.add(run, number)
        if not is_useful:
            raise DatasetError(
                f"contamination.files: {path} has no text of {_FEWEST_WORDS} words or more; is it"
                " a file of tests?"
            )


def make(settings: Settings) -> Contamination | None:
    """Make the filter; None without files.

    Raises:
        DatasetError: a setting is out of range, or a file cannot be used.
    """
    if not settings.files:
        return None
    if settings.words < _LEAST:
        raise DatasetError(
            f"contamination.words {settings.words}: fewer than {_LEAST} words are in every text"
        )
    if not 0 <= settings.most < 1:
        raise DatasetError(f"contamination.most {settings.most}: expected a share from 0, below 1")
    return Contamination(settings)


def _said(example: Example) -> Iterator[str]:
    """Give what people and the model wrote and the model thought."""
    for chat in example.messages:
        if chat.get("role") in ("user", "assistant"):
            yield text_of(chat)
            yield chat.get("reasoning_content") or ""


def runs_of(words: list[str], length: int) -> Iterator[int]:
    """Hash each run of words (Rabin and Karp's rolling hash); nothing for a text that is shorter."""
    first = pow(_BASE, length, _PRIME)
    hashes = [_hash(word) for word in words]
    rolled = 0
    for at, one in enumerate(hashes):
        rolled = (rolled * _BASE + one) % _PRIME
        if at >= length:
            rolled = (rolled - hashes[at - length] * first) % _PRIME
        if at >= length - 1:
            yield rolled


@lru_cache(maxsize=1 << 16)
def _hash(word: str) -> int:
    made = blake2b(word.encode(errors="surrogatepass"), digest_size=8).digest()
    return int.from_bytes(made, "little") % _PRIME


class _Runs:
    """A set of hashes, each with the number of the file where it was first, in two arrays.

    Open addressing: what a dict of Python's takes ten times the memory for.
    """

    def __init__(self) -> None:
        self._hashes = array("Q", bytes(8 * _FIRST_SLOTS))  # 0 is an empty slot
        self._numbers = array("H", bytes(2 * _FIRST_SLOTS))
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def find(self, run: int) -> int | None:
        """Give the number of the file that has a run."""
        at = self._slot(run + 1)
        return self._numbers[at] if self._hashes[at] else None

    def add(self, run: int, number: int) -> None:
        """Keep a run; the first file that has it stays its file.

        Raises:
            DatasetError: there are more than can be kept.
        """
        at = self._slot(run + 1)
        if self._hashes[at]:
            return
        if self._count >= _MOST_RUNS:
            raise DatasetError(
                f"contamination.files: more than {_MOST_RUNS:,} runs of words; name fewer files"
            )
        self._hashes[at] = run + 1
        self._numbers[at] = number
        self._count += 1
        if self._count * 10 > len(self._hashes) * 7:
            self._grow()

    def _slot(self, key: int) -> int:
        """Find the slot that has a key, or the one where it belongs."""
        hashes, mask = self._hashes, len(self._hashes) - 1
        at = key & mask
        while (there := hashes[at]) and there != key:
            at = (at + 1) & mask
        return at

    def _grow(self) -> None:
        hashes, numbers = self._hashes, self._numbers
        self._hashes = array("Q", bytes(2 * 8 * len(hashes)))
        self._numbers = array("H", bytes(2 * 2 * len(numbers)))
        for key, number in zip(hashes, numbers, strict=True):
            if key:
                at = self._slot(key)
                self._hashes[at] = key
                self._numbers[at] = number


def texts_in(path: Path) -> Iterator[str]:
    """Read the texts of a file of tests: every string of every row, whatever its key.

    `.jsonl`, `.ndjson`, `.json`, `.csv`, `.tsv`, `.parquet`; anything else is text, paragraphs apart.

    Raises:
        DatasetError: it cannot be read, or is not what its name says.
    """
    read = _READERS.get(path.suffix.lower(), _paragraphs)
    try:
        yield from read(path)
    except (OSError, UnicodeDecodeError, csv.Error) as fault:
        why = fault.strerror if isinstance(fault, OSError) and fault.strerror else fault
        raise DatasetError(f"contamination.files: {path} cannot be read: {why}") from None


def _json_lines(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            if line.strip():
                yield from _strings(_parse(line, path, f" line {number}"))


def _json(path: Path) -> Iterator[str]:
    return _strings(_parse(path.read_bytes(), path, ""))


def _parse(written: bytes, path: Path, place: str) -> Any:
    try:
        return orjson.loads(written)
    except orjson.JSONDecodeError as fault:
        raise DatasetError(f"contamination.files: {path}{place} is no JSON: {fault}") from None


def _table(path: Path) -> Iterator[str]:
    csv.field_size_limit(_LONGEST_FIELD)
    delimiter = "\t" if path.suffix.lower() == ".tsv" else ","
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from chain.from_iterable(csv.reader(file, delimiter=delimiter))


def _parquet(path: Path) -> Iterator[str]:
    try:
        import pyarrow  # noqa: PLC0415 -- an extra
        from pyarrow import parquet  # noqa: PLC0415 -- an extra
    except ImportError:
        raise DatasetError(
            f"contamination.files: {path} is Parquet, which pyarrow reads:"
            " pip install 'dolphin-logger[dataset]'"
        ) from None
    try:
        with parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=_ROWS):
                yield from _strings(batch.to_pylist())
    except pyarrow.ArrowInvalid as fault:
        raise DatasetError(f"contamination.files: {path} is no Parquet file: {fault}") from None


def _paragraphs(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig") as file:
        lines: list[str] = []
        for line in file:
            if line.strip():
                lines.append(line)
            elif lines:
                yield "".join(lines)
                lines = []
        yield "".join(lines)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        children: Iterable[Any] = value.values() if isinstance(value, dict) else value
        for child in children:
            yield from _strings(child)


_READERS: Final[dict[str, Callable[[Path], Iterator[str]]]] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json,
    ".csv": _table,
    ".tsv": _table,
    ".parquet": _parquet,
}
