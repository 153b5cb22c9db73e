"""The conversations of a home in words, made as a build makes them: survey, gather, material."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dolphin_logger.curate.gather import gather
from dolphin_logger.curate.material import Material
from dolphin_logger.curate.spool import read_bucket
from dolphin_logger.curate.survey import survey
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import read_labels


def materials(home: Home, spool: Path) -> Iterator[Material]:
    """Give every conversation of a home whole, with its labels."""
    surveyed, labels = survey(home, workers=1, advance=int), read_labels(home)
    wanted = [one.id for one in surveyed]
    for path in gather(home, surveyed, wanted, spool=spool, buckets=1, workers=1, advance=int):
        for gathered in read_bucket(path):
            yield Material(gathered, labels)
