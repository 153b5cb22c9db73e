"""Pieces: what one conversation gives for each unit, and which shapes each piece is for.

It knows what was picked, and pairs and filters by their promises; it cleans and writes nothing.
Invariants: pieces come in the order of units, then of time; a record that was not picked is in no
piece, but for the history of one that was.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from dolphin_logger.curate.filters import Filter
from dolphin_logger.curate.material import Material
from dolphin_logger.curate.pairs import find_pairs
from dolphin_logger.curate.selection import Pick
from dolphin_logger.example import Example, Pair, Piece, Session, Unit
from dolphin_logger.exporters import Exporter
from dolphin_logger.label import Labels

_WITH_VERDICT: Final = "kto"  # the shape of answers with a verdict each, also of bad ones


@dataclass(frozen=True, slots=True)
class Offered:
    """A piece for some shapes, or the reason why it is for none."""

    unit: Unit
    piece: Piece
    exporters: Sequence[Exporter]
    reason: str | None = None


class Pieces:
    """Makes the pieces of one conversation."""

    def __init__(
        self,
        material: Material,
        labels: Labels,
        *,
        records: Sequence[str],
        picks: Mapping[str, Pick],
        exporters: Sequence[Exporter],
        filters: Sequence[Filter],
        signals: Collection[str],
    ) -> None:
        self._material, self._labels, self._records = material, labels, records
        self._picks, self._filters, self._signals = picks, filters, signals
        self._of = {unit: [one for one in exporters if one.unit is unit] for unit in Unit}
        self._reasons: dict[tuple[str, Unit], str | None] = {}

    def __iter__(self) -> Iterator[Offered]:
        records = self._records
        for record in records:
            if self._of[Unit.LEAF] and self._picks[record].is_leaf:
                yield self._example(record, Unit.LEAF, self._of[Unit.LEAF])
        for record in records:
            exporters = [one for one in self._of[Unit.TURN] if self._is_for(record, one)]
            if exporters:
                yield self._example(record, Unit.TURN, exporters)
        if self._of[Unit.PAIR]:
            yield from self._pairs()
        if self._of[Unit.SESSION]:
            yield from self._session(records)
        for record in records:
            if self._of[Unit.EXCHANGE] and self._picks[record].is_turn:
                exchanged = self._material.exchanged(record)
                reason = self._reason(self._made(record, Unit.TURN), Unit.TURN)
                yield Offered(Unit.EXCHANGE, exchanged, self._of[Unit.EXCHANGE], reason)

    def _is_for(self, record: str, exporter: Exporter) -> bool:
        """Say whether a shape of turns takes this one: a verdict on a whole conversation is its end's."""
        pick = self._picks[record]
        if exporter.name != _WITH_VERDICT:
            return pick.is_turn
        is_rated = pick.rating is not None and (pick.is_own or pick.ends)
        return is_rated and (pick.is_turn or pick.is_low)

    def _example(self, record: str, unit: Unit, exporters: Sequence[Exporter]) -> Offered:
        example = self._made(record, unit)
        return Offered(unit, example, exporters, self._reason(example, unit))

    def _made(self, record: str, unit: Unit) -> Example:
        example, pick = self._material.example(record, unit=unit), self._picks[record]
        said = {"rating": pick.rating, "tags": list(pick.tags)}
        return replace(example, metadata=example.metadata | said)

    def _reason(self, example: Example, unit: Unit) -> str | None:
        key = (example.id, unit)
        if key not in self._reasons:
            self._reasons[key] = _refusal(self._filters, example)
        return self._reasons[key]

    def _pairs(self) -> Iterator[Offered]:
        for pair in find_pairs(self._material, self._labels):
            chosen = self._picks.get(str(pair.metadata.get("chosen_record")))
            rejected = self._picks.get(str(pair.metadata.get("rejected_record")))
            if pair.signal not in self._signals or not chosen or not chosen.is_turn or not rejected:
                continue
            reason = _refusal(self._filters, _as_example(pair))
            yield Offered(Unit.PAIR, pair, self._of[Unit.PAIR], reason)

    def _session(self, records: Sequence[str]) -> Iterator[Offered]:
        """Give the session, if one of its ends is good enough."""
        if not any(self._picks[record].is_turn for record in records):
            return
        session = self._without_others(self._material.session())
        ends = [record for record in records if self._picks[record].is_leaf]
        reasons = [self._reason(self._made(end, Unit.LEAF), Unit.LEAF) for end in ends]
        reason = None if None in reasons else (reasons[0] if reasons else "no whole answer")
        yield Offered(Unit.SESSION, session, self._of[Unit.SESSION], reason)

    def _without_others(self, session: Session) -> Session:
        """Leave out what may not be in it; then the client's own file, which has it, goes too."""
        kept = [step for step in session.steps if step.id in self._picks]
        native = session.native if len(kept) == len(session.steps) else []
        return replace(session, steps=kept, native=native)


def _refusal(filters: Sequence[Filter], example: Example) -> str | None:
    for one in filters:
        reason = one.reason(example)
        if reason is not None:
            return f"{one.name}: {reason}"
    return None


def _as_example(pair: Pair) -> Example:
    messages = [*pair.prompt, *pair.chosen]
    return Example(
        pair.id, pair.conversation, messages, len(pair.prompt), pair.tools, pair.metadata
    )
