"""Limits: a count that is to lie between two others, 0 being no limit.

It knows numbers and how they are written. Invariant: what is refused is told with value and limit.
"""

from __future__ import annotations

from dolphin_logger.errors import DatasetError


def outside(count: int, *, least: int, most: int, noun: str) -> str | None:
    """Say that a count is too small or too large; None when it is neither."""
    if count < least:
        return f"{count:,} {noun}, at least {least:,}"
    if most and count > most:
        return f"{count:,} {noun}, at most {most:,}"
    return None


def check_limits(name: str, *, least: int, most: int) -> None:
    """Refuse limits that nothing can keep.

    Raises:
        DatasetError: one is negative, or the least is more than the most.
    """
    if least < 0 or most < 0:
        raise DatasetError(f"filters.{name}: {min(least, most)} is negative; 0 means no limit")
    if most and least > most:
        raise DatasetError(
            f"filters.{name}: nothing is at least {least:,} and at most {most:,}; turn them round"
        )


def check_share(name: str, key: str, share: float) -> None:
    """Refuse a share that is none.

    Raises:
        DatasetError: it is not between 0 and 1.
    """
    if not 0 <= share <= 1:
        raise DatasetError(f"filters.{name}: {key} {share}: expected a share from 0 to 1")


def check_word(name: str, key: str, word: str, *, known: tuple[str, ...]) -> None:
    """Refuse a word that is not known.

    Raises:
        DatasetError: it is not one of them.
    """
    if word not in known:
        raise DatasetError(f"filters.{name}: unknown {key} {word!r}; known: {', '.join(known)}")
