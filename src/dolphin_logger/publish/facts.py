"""Facts: what a card tells of all contributions together.

It knows contributions, no repository and no text. Invariant: the order of the contributions does not matter.
"""

from __future__ import annotations

from collections.abc import Sequence

from dolphin_logger.publish.card import Facts, Shape
from dolphin_logger.publish.contributions import Contribution
from dolphin_logger.publish.summary import Summary


def shapes_of(contributions: Sequence[Contribution]) -> tuple[Shape, ...]:
    """Give one shape by name, with the splits of all."""
    found: dict[str, Shape] = {}
    for one in contributions:
        for shape in one.shapes:
            known = found.get(shape.name, shape)
            splits = tuple(sorted({*known.splits, *shape.splits}))
            found[shape.name] = Shape(
                known.name, known.unit, splits, known.suffix, known.columns, known.is_file_each
            )
    return tuple(sorted(found.values(), key=lambda shape: (shape.is_file_each, shape.name)))


def facts_of(
    contributions: Sequence[Contribution],
    *,
    repository: str,
    license_: str,
    languages: tuple[str, ...],
) -> Facts:
    """Add up all contributions to a repository."""
    total = Summary()
    rules: dict[str, str] = {}
    for one in contributions:
        total.add(one.summary)
        rules |= one.rules
    total.conversations = len(set().union(*(one.conversations for one in contributions)))
    firsts = [one.first for one in contributions if one.first]
    lasts = [one.last for one in contributions if one.last]
    return Facts(
        repository=repository,
        license=license_,
        summary=total,
        shapes=shapes_of(contributions),
        first=min(firsts, default=None),
        last=max(lasts, default=None),
        languages=languages,
        rules=rules,
        contributors=len({one.contributor for one in contributions}),
    )
