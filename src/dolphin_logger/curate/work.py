"""Work: one bucket of conversations made into a part, in a process that shares nothing.

Words, pieces, filters, cleaning, rows, in this order, a conversation at a time; what a piece says is
hashed after cleaning, so that two that differ only in what was replaced are the same. It knows no
other bucket. Invariant: a part depends on its order and its task alone.
"""

from __future__ import annotations

from base64 import b64encode
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

from dolphin_logger.curate import judge
from dolphin_logger.curate.duplicates import exact_signature, signature
from dolphin_logger.curate.filters import Filter
from dolphin_logger.curate.gather import Gathered, read_bucket
from dolphin_logger.curate.judge import Estimate, Proxy
from dolphin_logger.curate.kit import exporters_of, filters_of, redactors_of
from dolphin_logger.curate.marked import marked_texts
from dolphin_logger.curate.material import Material
from dolphin_logger.curate.native import SessionFiles
from dolphin_logger.curate.part import Head, Portion, write_once, write_part
from dolphin_logger.curate.pieces import Offered, Pieces
from dolphin_logger.curate.recipe import NATIVE, Recipe
from dolphin_logger.curate.redaction import Cleaner
from dolphin_logger.curate.rows import encode_row
from dolphin_logger.curate.selection import Pick
from dolphin_logger.curate.survey import Surveyed
from dolphin_logger.example import Example, Exchanged, Pair, Piece, Session, Unit
from dolphin_logger.exporters import Exporter, Options, UnfitError, prepare
from dolphin_logger.journal.format import format_time
from dolphin_logger.journal.home import Home
from dolphin_logger.label import Labels

_HASH_BYTES: Final = 16
_UNREADABLE: Final = "a mark of `redact` names text that is not there"


@dataclass(frozen=True, slots=True, repr=False)
class Private:
    """What this machine knows and must not leave: keys and tokens; names of its users and of itself."""

    secrets: tuple[str, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Order:
    """What every process is told of a build; nothing of it is written to the disk."""

    recipe: Recipe
    key: bytes
    private: Private
    home: Home
    images: Path
    proxy: Proxy | None = None


@dataclass(frozen=True, slots=True)
class Task:
    """One bucket: where it lies, where its part goes, and what holds of its conversations."""

    bucket: Path
    part: Path
    picks: Mapping[str, Mapping[str, Pick]]
    labels: Labels


def do(task: Task, *, order: Order) -> None:
    """Make the part of a bucket, unless it is there."""
    if not task.part.exists():
        bench = _bench(order)
        bench.have_judged(task)
        write_part(task.part, bench.portions(task))


def estimate(task: Task, *, order: Order, sold_as: tuple[str | None, str | None]) -> Estimate:
    """Say what the judge would cost for a bucket; `sold_as`: the provider and its name of the model."""
    if task.part.exists():
        return Estimate(0, 0, 0, 0)
    return _bench(order).estimate(task, sold_as=sold_as)


@lru_cache(maxsize=1)
def _bench(order: Order) -> _Bench:
    return _Bench(order)


class _Meeting:
    """A filter that lets everything through and remembers it."""

    name = "meeting"

    def __init__(self) -> None:
        self.examples: list[Example] = []

    def reason(self, example: Example) -> str | None:
        self.examples.append(example)
        return None


class _Bench:
    """What one process needs for all its tasks."""

    def __init__(self, order: Order) -> None:
        recipe = order.recipe
        self._order, self._recipe = order, recipe
        self._exporters = exporters_of(recipe)
        self._cheap = filters_of(recipe)
        self._judge = None
        if order.proxy is not None:
            self._judge = judge.make(recipe.judge, home=order.home, proxy=order.proxy)
        self._options = Options(recipe.images, recipe.reasoning, recipe.flavour or None)
        self._files = SessionFiles(order.home) if recipe.flavour == NATIVE else None
        self._cleaner = Cleaner(
            redactors_of(recipe, secrets=order.private.secrets),
            key=order.key,
            canaries=recipe.redaction.canaries,
            own=recipe.redaction.own,
            names=order.private.names,
        )

    def have_judged(self, task: Task) -> None:
        """Have all ratings of a bucket made, several at once; each is asked for when it is needed."""
        if self._judge is not None:
            deque(self._judge.judge(self._examples(task)), maxlen=0)

    def estimate(self, task: Task, *, sold_as: tuple[str | None, str | None]) -> Estimate:
        """Say what those would cost."""
        assert self._judge is not None
        provider, model = sold_as
        return self._judge.estimate(self._examples(task), provider=provider, sold_as=model)

    def _examples(self, task: Task) -> Iterator[Example]:
        """Give the examples that the judge will be asked about."""
        for gathered in read_bucket(task.bucket):
            picks = task.picks.get(gathered.conversation)
            if picks:
                material = Material(gathered, task.labels, files=self._files)
                met = _Meeting()
                deque(self._pieces(material, task.labels, picks, filters=[*self._cheap, met]), 0)
                yield from met.examples

    def _pieces(
        self,
        material: Material,
        labels: Labels,
        picks: Mapping[str, Pick],
        *,
        filters: Sequence[Filter],
    ) -> Pieces:
        return Pieces(
            material,
            labels,
            records=[one.id for one in material.records if one.id in picks],
            picks=picks,
            exporters=self._exporters,
            filters=filters,
            signals=self._recipe.pairs.signals,
        )

    def portions(self, task: Task) -> Iterator[Portion]:
        """Give the pieces of a bucket, conversations in sorted order."""
        for gathered in read_bucket(task.bucket):
            picks = task.picks.get(gathered.conversation)
            if picks:
                yield from self._conversation(gathered, task.labels, picks)

    def _conversation(
        self, gathered: Gathered, labels: Labels, picks: Mapping[str, Pick]
    ) -> Iterator[Portion]:
        material = Material(gathered, labels, files=self._files)
        filters = [*self._cheap, *([self._judge] if self._judge else [])]
        pieces = self._pieces(material, labels, picks, filters=filters)
        session = material.session()
        marked = marked_texts(gathered, labels)
        begins = _hash(_first_words(session) or gathered.conversation).hex()
        self._cleaner.learn(session)
        for offered in pieces:
            told = replace(offered, reason=_UNREADABLE) if marked is None else offered
            portion = self._portion(told, begins=begins, marked=marked or ())
            _describe(portion.head, offered.piece, gathered.around)
            yield portion

    def _portion(self, offered: Offered, *, begins: str, marked: Sequence[str] = ()) -> Portion:
        piece = offered.piece
        head = Head(
            piece.conversation, piece.id, str(offered.unit), reason=offered.reason, begins=begins
        )
        if offered.reason is not None:
            return Portion(head, {})
        try:
            piece, files = prepare(piece, self._options)
        except UnfitError as error:
            head.reason = str(error)
            return Portion(head, {})
        self._keep(files, head)
        cleaned = self._cleaner.clean(piece, marked=marked)
        head.said = b64encode(self._signature(cleaned.piece, offered.unit)).decode()
        head.findings = [asdict(found) for found in cleaned.findings]
        rows: dict[str, list[bytes]] = {}
        for exporter in offered.exporters:
            lines = self._rows(exporter, cleaned.piece, head)
            if lines:
                rows[exporter.name] = lines
        head.exports = [(name, len(lines)) for name, lines in rows.items()]
        return Portion(head, rows)

    def _signature(self, piece: Piece, unit: Unit) -> bytes:
        """Sign what a piece says, without ids and facts."""
        if isinstance(piece, Example | Pair):
            if self._recipe.duplicates.near:
                return signature(piece, unit=unit)
            return exact_signature(piece)
        if isinstance(piece, Exchanged):
            return _hash([piece.request, piece.response])
        return _hash([[step.messages, step.answers, step.tools] for step in piece.steps])

    def _keep(self, files: Mapping[str, bytes], head: Head) -> None:
        """Write the pictures of a piece, each once."""
        for path, content in files.items():
            head.images.append(Path(path).name)
            write_once(self._order.images / Path(path).name, content)

    def _rows(self, exporter: Exporter, piece: Piece, head: Head) -> list[bytes]:
        """Write a piece in one shape; none when it does not fit, or something was still found."""
        lines = []
        try:
            for row in exporter.rows(piece, self._options):
                if found := self._cleaner.scan(row):
                    head.unfit[exporter.name] = f"second scan found {found[0].rule}"
                    return []
                lines.append(encode_row(row))
        except UnfitError as error:
            head.unfit[exporter.name] = str(error)
            return []
        return lines


def _first_words(session: Session) -> str:
    """Give what a person said first: conversations that begin alike are in one split."""
    for step in session.steps:
        for chat in step.messages:
            if chat.get("role") == "user" and (text := _text(chat)):
                return text
    return ""


def _text(chat: Mapping[str, Any]) -> str:
    content = chat.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text") or "") for part in parts if isinstance(part, dict))


def _hash(said: Any) -> bytes:
    return blake2b(encode_row(said), digest_size=_HASH_BYTES).digest()


def _describe(head: Head, piece: Piece, around: Iterable[Surveyed]) -> None:
    """Note what the piece is made of."""
    facts = piece.metadata
    own = {piece.id, facts.get("chosen_record"), facts.get("rejected_record")}
    if isinstance(piece, Session):
        own = {step.id for step in piece.steps}
    records = [one for one in around if one.id in own]
    head.models = _names(one.model for one in records) + _names(facts.get("models") or ())
    head.providers = _names(one.provider for one in records) + _names(facts.get("providers") or ())
    head.clients = _names(one.client for one in records)
    head.times = [format_time(one.time * 1000) for one in records]


def _names(values: Iterable[Any]) -> list[str]:
    return [one for one in values if isinstance(one, str) and one]
