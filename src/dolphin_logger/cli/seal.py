"""`dolphin-logger seal`: compress closed segments; with --background all the upkeep of a home, quietly."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator

import click

from dolphin_logger import config as configuration
from dolphin_logger import providers
from dolphin_logger.cli.homes import own_home
from dolphin_logger.cli.output import note, say_json, say_table
from dolphin_logger.cli.progress import progress
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.locks import BusyError, upkeep
from dolphin_logger.journal.removal import erase
from dolphin_logger.journal.retention import expire
from dolphin_logger.journal.seal import AGE, Manifest, remove_parts, seal_segment, sealable
from dolphin_logger.journal.sealed import text_size

_PATIENCE = 5.0  # seconds
_COLUMNS = ("segment", "records", "bytes", "sealed bytes")
Row = tuple[str, int | None, int, int | None]
_log = logging.getLogger("dolphin_logger.upkeep")


@click.command(help="Compress closed segments that are a day old; everything still reads them.")
@click.option("--all", "all_", is_flag=True, help="Also those of today that no process writes.")
@click.option("--dry-run", is_flag=True, help="Only say what would be sealed.")
@click.option("--background", is_flag=True, hidden=True)
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def seal(*, all_: bool, dry_run: bool, background: bool, json_: bool) -> None:
    """Seal, and say what became of each segment."""
    home = own_home()
    if background:
        _tend(home)
        return
    age = 0.0 if all_ else AGE
    if dry_run:
        found = sealable(home, age=age)
        rows: list[Row] = [(path.name, None, text_size(path), None) for path in found]
    else:
        with upkeep(home, patience=_PATIENCE):
            rows = [
                (each.segment, each.records, each.bytes, each.sealed_bytes)
                for each in _seal(home, age=age)
            ]
    if json_:
        keys = ("segment", "records", "bytes", "sealed_bytes")
        say_json({"sealed": [dict(zip(keys, row, strict=True)) for row in rows]})
        return
    if not rows:
        note(
            "nothing to seal: segments are sealed a day after their last record, --all takes all closed ones"
        )
    say_table(_COLUMNS, rows)


def _seal(home: Home, *, age: float) -> Iterator[Manifest]:
    """Seal what can be; the caller holds the lock."""
    remove_parts(home)
    paths = sealable(home, age=age)
    with progress("sealing", length=sum(map(text_size, paths))) as advance:
        for path in paths:
            manifest = seal_segment(path, progress=advance)
            if manifest is not None:
                yield manifest


def _tend(home: Home) -> None:
    """Finish removals, seal, and let go what the configuration does not want kept; log each."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    config = configuration.load(home.config, env=os.environ, known_providers=providers.known())
    try:
        with upkeep(home, patience=0):
            erase(home, progress=lambda _: None)
            if config.seal:
                for each in _seal(home, age=AGE):
                    _log.info(
                        "sealed %s: %d to %d bytes", each.segment, each.bytes, each.sealed_bytes
                    )
            keep = config.retention
            if keep.days is not None or keep.bytes is not None:
                for gone in expire(home, days=keep.days, limit=keep.bytes):
                    _log.warning(
                        "retention removed %s: %d bytes, %d blobs",
                        gone.segment.name,
                        gone.bytes,
                        gone.blobs,
                    )
    except BusyError:
        return  # another proxy's upkeep of the same home, or a backup: the next hour will do
