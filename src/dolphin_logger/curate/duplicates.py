"""Duplicates: examples that say what another one says, word for word or nearly.

A signature is made where the example is (in a worker), of what people and the model wrote and never
of instructions or results of tools. What is a duplicate is decided later, from signatures alone, in
the order in which they come: the first stays. MinHash and its index are rensa's.
Invariants: the same examples in the same order give the same decisions; nobody repeats what was
itself left out; two turns of one conversation are near each other only where they stand at the same place.
"""

from __future__ import annotations

from hashlib import blake2b
from itertools import chain
from typing import Any, Final, TypeAlias

import orjson

from dolphin_logger.curate.said import texts_of, turns_of, words_of
from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Chat, Example, Pair, Unit

_Sketch: TypeAlias = Any  # rensa's RMinHash, which has no types
EXACT: Final = 1.0
_EXACT_BYTES: Final = 16
_PERMUTATIONS: Final = 128
_SEED: Final = 1
_SHINGLE: Final = 3  # words
_MISSED: Final = 0.01  # of pairs that are as near as the threshold, by the index
_MOST_SHINGLES: Final = 1 << 20


def exact_signature(piece: Example | Pair) -> bytes:
    """Hash what was said, for finding copies; 16 bytes."""
    texts = list(texts_of(_messages(piece)))
    roles = [chat.get("role") for chat in _messages(piece)]
    ends = [len(piece.chosen), len(piece.rejected)] if isinstance(piece, Pair) else []
    said = orjson.dumps([texts, [role for role in roles if role != "system"], ends])
    return blake2b(said, digest_size=_EXACT_BYTES).digest()


def signature(piece: Example | Pair, *, unit: Unit = Unit.LEAF) -> bytes:
    """Hash what was said, for finding copies and what is near to one; about 620 bytes.

    Of `Unit.TURN` the place in the conversation is part of every hash: else each turn would be near
    the one before it, whose history it repeats.

    Raises:
        DatasetError: rensa is not installed.
    """
    messages = _messages(piece)
    place = f"{len(turns_of(messages))} " if unit is Unit.TURN else ""
    words = [word for text in texts_of(messages) for word in words_of(text)][:_MOST_SHINGLES]
    starts = range(max(1, len(words) - _SHINGLE + 1))
    sketch = _sketch()
    sketch.update([place + " ".join(words[at : at + _SHINGLE]) for at in starts])
    state: bytes = sketch.__getstate__()
    return exact_signature(piece) + state


class Duplicates:
    """What was there already. About 4 kB for each example that stays; 200 bytes without near ones."""

    def __init__(self, threshold: float = EXACT) -> None:
        """Make an empty one.

        `threshold`: the share of three-word runs in common, of all that either has, from which two
        examples are the same; 1 finds exact copies alone.

        Raises:
            DatasetError: the threshold is no share, or near ones are wanted without rensa.
        """
        if not 0 < threshold <= EXACT:
            raise DatasetError(
                f"duplicates: threshold {threshold}: expected a share above 0, at most 1 (exact copies)"
            )
        self._threshold = threshold
        self._exact: dict[bytes, int] = {}
        self._ids: list[str] = []
        self._sketches: list[bytes] = []
        self._index: Any = None
        if threshold < EXACT:
            _sketch()
            from rensa import RMinHashLSH  # type: ignore[import-untyped]  # noqa: PLC0415 -- an extra

            self._index = RMinHashLSH(threshold, _PERMUTATIONS, bands_for(threshold))

    def seen(self, identity: str, signature: bytes) -> str | None:
        """Give the id of the example that this one repeats; without one it is new and remembered.

        Raises:
            DatasetError: the signature was made by another version of rensa, or has no near part.
        """
        found = self._exact.get(signature[:_EXACT_BYTES])
        if found is None and self._index is not None:
            sketch = _read(signature[_EXACT_BYTES:], of=identity)
            found = self._nearest(sketch)
            if found is None:
                self._index.insert(len(self._ids), sketch)
                self._sketches.append(signature[_EXACT_BYTES:])
        if found is not None:
            return self._ids[found]
        self._exact[signature[:_EXACT_BYTES]] = len(self._ids)
        self._ids.append(identity)
        return None

    def _nearest(self, sketch: _Sketch) -> int | None:
        """Give the first of those that are near enough."""
        candidates: list[int] = sorted(self._index.query(sketch))
        for at in candidates:
            other = _read(self._sketches[at], of=self._ids[at])
            if sketch.jaccard(other) >= self._threshold:
                return at
        return None


def bands_for(threshold: float) -> int:
    """Choose the number of bands: the fewest that miss at most 1 % of pairs at the threshold."""
    for bands in (4, 8, 16, 32, 64):
        if (1 - threshold ** (_PERMUTATIONS // bands)) ** bands <= _MISSED:
            return bands
    return _PERMUTATIONS


def _messages(piece: Example | Pair) -> list[Chat]:
    if isinstance(piece, Example):
        return piece.messages
    return list(chain(piece.prompt, piece.chosen, piece.rejected))


def _sketch() -> _Sketch:
    try:
        from rensa import RMinHash  # noqa: PLC0415 -- an extra
    except ImportError:
        raise DatasetError(
            "duplicates: near ones are found with rensa, which is not installed:"
            " pip install 'dolphin-logger[dataset]', or look for exact copies only"
        ) from None
    return RMinHash(_PERMUTATIONS, _SEED)


def _read(state: bytes, *, of: str) -> _Sketch:
    sketch = _sketch()
    try:
        sketch.__setstate__(state)
    except ValueError as fault:
        raise DatasetError(
            f"duplicates: the signature of {of} cannot be read ({fault}); it is of another version of"
            " rensa, or of exact copies only: build the dataset that it is of again"
        ) from None
    return sketch
