"""Build: from the records of a home to the folder of a dataset.

    survey → selection → gather → [words → pieces → filters → cleaning → rows] → merge → manifest

What stands in brackets happens in processes of their own, a bucket of conversations at a time, and is
kept when the build is ended: the next run with the same records, labels, recipe and rules goes on.
Invariants: the same input gives the same bytes, whatever the number of processes and however often it
was interrupted; until it is whole there is no dataset; a leak leaves nothing.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from functools import partial
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final, TypeAlias

from dolphin_logger._version import __version__
from dolphin_logger.curate.gather import bucket_name, gather
from dolphin_logger.curate.judge import Estimate, Proxy
from dolphin_logger.curate.kit import exporters_of, filters_of, rules_of
from dolphin_logger.curate.manifest import NAME, VERSION, Manifest
from dolphin_logger.curate.merge import Merge, Tally
from dolphin_logger.curate.part import merge_parts
from dolphin_logger.curate.queried import conversations_found
from dolphin_logger.curate.recipe import Recipe, write_recipe
from dolphin_logger.curate.redaction import load_key
from dolphin_logger.curate.rows import encode_row
from dolphin_logger.curate.scan import parts_of
from dolphin_logger.curate.selection import Picks, select
from dolphin_logger.curate.site import Site
from dolphin_logger.curate.survey import Survey, Surveyed, survey
from dolphin_logger.curate.withdrawals import withdrawn_ids
from dolphin_logger.curate.work import Order, Private, Task, do, estimate
from dolphin_logger.curate.workers import spread
from dolphin_logger.curate.writers import check_form, write_json, write_text
from dolphin_logger.errors import DatasetError, LeakError
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import read_labels
from dolphin_logger.label import Labels

Progress: TypeAlias = Callable[..., AbstractContextManager[Callable[[int], object]]]
"""`progress(label, length=n)` gives, within it, a function that is told how many more are through."""
_CURES: Final = {
    "built-in model": "the built-in model's answers are taken with --include-demo",
    "imported": "imported sessions are taken with [selection] imported = true",
}
_MOST_BUCKETS: Final = 512
_FEW_BUCKETS: Final = 64
_WORTH_A_PROCESS: Final = 8 << 20  # bytes; less is read while another process starts
_BUCKET_BYTES: Final = 32 << 20


@dataclass(frozen=True, slots=True)
class Judging:
    """How the recipe's judge is asked: through which proxy, sold by whom under which name.

    `agree` is told what it would cost, and decides.
    """

    proxy: Proxy
    provider: str | None
    sold_as: str | None
    agree: Callable[[Estimate], bool]


def build(  # noqa: PLR0913 -- what a build is made of
    home: Home,
    recipe: Recipe,
    *,
    name: str,
    out: Path,
    workers: int | None,
    progress: Progress,
    private: Private,
    judging: Judging | None = None,
    fresh: bool = False,
) -> Manifest:
    """Build a dataset into the folder `out`, in the place of an older one.

    `workers`: processes; None: as many as are worth it here. `fresh` keeps nothing of an earlier run
    that was ended.

    Raises:
        DatasetError: the recipe cannot be followed, or nothing is left.
        LeakError: a canary was met; nothing is left of the build.
    """
    check_form(recipe.format)
    if recipe.judge.model and judging is None:
        raise DatasetError(f"judge.model: {recipe.judge.model} is asked through a running proxy")
    site = Site(out)
    made = _Building(home, recipe, site, workers=workers, progress=progress, judging=judging)
    with site.held():
        try:
            manifest = made.run(name=name, private=private, fresh=fresh)
        except LeakError:
            site.abandon()
            raise
        site.put_in_place()
    return Manifest(out, manifest)


class _Building:
    """One build, step by step."""

    def __init__(
        self,
        home: Home,
        recipe: Recipe,
        site: Site,
        *,
        workers: int | None,
        progress: Progress,
        judging: Judging | None,
    ) -> None:
        self._home, self._recipe, self._site = home, recipe, site
        self._progress = progress
        self._judging = judging if recipe.judge.model else None
        self._size = sum(part.size for part in parts_of(home))
        self._workers = workers or min(os.cpu_count() or 1, 1 + self._size // _WORTH_A_PROCESS)
        self._exporters = {one.name: one for one in exporters_of(recipe)}
        self._rules = rules_of(recipe)
        filters_of(recipe)  # what cannot be used is told before anything is read

    def run(self, *, name: str, private: Private, fresh: bool) -> dict[str, Any]:
        """Build, and give the fields of the manifest."""
        key = load_key(self._home.datasets / "key")
        every = self._survey()
        labels = read_labels(self._home)
        self._withdrawn = withdrawn_ids(self._home)
        proxy = self._judging.proxy if self._judging else None
        order = Order(self._recipe, key, private, self._home, self._site.images, proxy)
        state = _state(order, self._rules, every, labels, self._withdrawn)
        self._site.begin(state, fresh=fresh)
        merge = Merge(self._site.made, self._recipe, self._exporters, images=self._site.images)
        picks = self._select(every, labels, merge)
        parts = self._parts(every, picks, labels, order)
        merge.run(merge_parts(parts))
        tally = merge.close()
        return self._finish(name, tally, key)

    def _survey(self) -> Survey:
        with self._progress("reading records", length=self._size) as advance:
            return survey(self._home, workers=self._workers, advance=advance)

    def _select(self, every: Survey, labels: Labels, merge: Merge) -> Picks:
        wanted = self._recipe.selection

        def omit(one: Surveyed, reason: str) -> None:
            merge.reject(
                {
                    "conversation": one.conversation,
                    "piece": one.id,
                    "stage": "selection",
                    "reason": reason,
                }
            )

        found = conversations_found(self._home, wanted.query, every)
        withdrawn = self._withdrawn
        return select(every, labels, wanted, found=found, withdrawn=withdrawn, omit=omit)

    def _parts(self, every: Survey, picks: Picks, labels: Labels, order: Order) -> list[Path]:
        """Make the part of every bucket, and give them."""
        wanted = [record for records in picks.values() for record in records]
        size = sum(one.length for one in map(every.get, wanted) if one)
        count = max(1, min(len(picks), max(_FEW_BUCKETS, size // _BUCKET_BYTES), _MOST_BUCKETS))
        with self._progress("collecting conversations", length=size) as advance:
            buckets = gather(
                self._home, every, wanted,
                along=_edited(labels),
                spool=self._site.spool, buckets=count, workers=self._workers, advance=advance,
            )  # fmt: skip
        tasks = self._tasks(every, buckets, picks, labels, count=count)
        if self._judging is not None:
            self._agree(self._judging, tasks, order)
        with self._progress("cleaning and writing", length=len(tasks)) as advance:
            spread(
                partial(do, order=order), tasks, workers=self._workers, done=lambda _: advance(1)
            )
        return [task.part for task in tasks]

    def _agree(self, judging: Judging, tasks: list[Task], order: Order) -> None:
        """Let somebody decide whether the judge is worth its price.

        Raises:
            DatasetError: it is not.
        """
        work = partial(estimate, order=order, sold_as=(judging.provider, judging.sold_as))
        with self._progress("estimating", length=len(tasks)) as advance:
            found = spread(work, tasks, workers=self._workers, done=lambda _: advance(1))
        prices = [one.micro_dollars for one in found]
        total = Estimate(
            sum(one.requests for one in found),
            sum(one.cached for one in found),
            sum(one.tokens for one in found),
            None if None in prices else sum(price or 0 for price in prices),
        )
        if total.requests and not judging.agree(total):
            raise DatasetError("the judge was not asked, and nothing was built")

    def _tasks(
        self, every: Survey, buckets: list[Path], picks: Picks, labels: Labels, *, count: int
    ) -> list[Task]:
        """Give each bucket what holds of its conversations."""
        of: dict[str, Picks] = {}
        said: dict[str, Labels] = {}
        for conversation, records in picks.items():
            of.setdefault(bucket_name(conversation, buckets=count), {})[conversation] = records
        for record in sorted(labels.records()):
            one = every.get(record)
            if one is not None and one.conversation in picks:
                own = said.setdefault(bucket_name(one.conversation, buckets=count), Labels())
                for label in labels.in_force(record):
                    own.add(label)
        begin = len(bucket_name("", buckets=count))
        return [
            Task(
                bucket,
                self._site.parts / bucket.name,
                of.get(bucket.name[:begin], {}),
                said.get(bucket.name[:begin], Labels()),
            )
            for bucket in buckets
        ]

    def _finish(self, name: str, tally: Tally, key: bytes) -> dict[str, Any]:
        """Write what lies beside the rows.

        Raises:
            DatasetError: there are no rows.
        """
        if not tally.rows:
            self._site.abandon()
            raise DatasetError(_nothing(tally))
        made = self._site.made
        exports = []
        for export, exporter in self._exporters.items():
            written = tally.files[export]
            by_split: dict[str, list[str]] = {}
            for one in written:
                by_split.setdefault(one.split, []).append(Path(one.path).name)
            for file, text in exporter.beside(by_split).items():
                write_text(made / "data" / export / file, text)
            columns = [asdict(column) for column in exporter.columns]
            files = [asdict(one) for one in written]
            exports.append(
                {
                    "name": export,
                    "unit": str(exporter.unit),
                    "is_file_each": exporter.is_file_each,
                    "columns": columns,
                    "files": files,
                }
            )
        fields = {
            "v": VERSION,
            "name": name,
            "tool": {"name": "dolphin-logger", "version": __version__},
            "publishable": not self._recipe.selection.demo,
            "recipe": self._recipe.to_json(),
            "rules": self._rules,
            "exports": exports,
            "counts": {
                "conversations": len(tally.conversations),
                "records": len(tally.records),
                "rows": tally.rows,
                "rejected": dict(sorted(tally.rejected.items())),
            },
            "findings": dict(sorted(tally.findings.items())),
            "models": sorted(tally.models),
            "clients": sorted(tally.clients),
            "providers": sorted(tally.providers),
            "first": tally.first,
            "last": tally.last,
            "conversations": sorted(tally.conversations),
        }
        write_text(made / "recipe.toml", write_recipe(self._recipe))
        write_json(
            made / "local" / "report.json",
            {
                "counts": fields["counts"],
                "findings": fields["findings"],
                "key": blake2b(key, digest_size=4).hexdigest(),
            },
        )
        write_json(made / NAME, fields)
        return fields


def _edited(labels: Labels) -> list[str]:
    """Name the records with edits, which stand in the histories of others."""
    return [
        record
        for record in sorted(labels.records())
        if any(label.kind == "edit" for label in labels.in_force(record))
    ]


def _nothing(tally: Tally) -> str:
    """Say why there are no rows, with a cure where there is one."""
    if not tally.rejected:
        return "there are no records yet: start `dolphin-logger` and send a request"
    most = tally.rejected.most_common(3)
    reasons = ", ".join(f"{reason} ({count:,})" for reason, count in most)
    cures = [cure for reason, cure in _CURES.items() if tally.rejected[f"selection: {reason}"]]
    return "; ".join([f"nothing is left to write: {reasons}", *cures])


def _state(
    order: Order,
    rules: Mapping[str, str],
    every: Survey,
    labels: Labels,
    withdrawn: Collection[str],
) -> str:
    """Hash all that the parts depend on."""
    digest = blake2b(order.key, digest_size=32)

    def take(*said: Any) -> None:
        digest.update(encode_row(said))

    take(__version__, order.recipe.to_json(), rules, asdict(order.private), sorted(withdrawn))
    for path in order.recipe.contamination.files:
        take(blake2b(Path(path).read_bytes()).hexdigest())
    for one in every:
        take(
            one.id,
            one.segment,
            one.offset,
            one.length,
            one.conversation,
            one.parent,
            one.relation,
            one.is_leaf,
        )
    for record in sorted(labels.records()):
        take([label.to_json() for label in labels.in_force(record)])
    return digest.hexdigest()
