"""`dolphin-logger index`: how the index is doing, and how to make it anew."""

from __future__ import annotations

import contextlib
from typing import Any

import click

from dolphin_logger.cli.asking import lag
from dolphin_logger.cli.homes import home_to_read
from dolphin_logger.cli.output import neutralise, note, paint, say, say_json
from dolphin_logger.cli.progress import progress
from dolphin_logger.index.freshness import behind, rebuild
from dolphin_logger.index.pending import files_of
from dolphin_logger.index.schema import VERSION, index_path, open_to_read
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.sealed import text_size

_TABLES = ("record", "conversation", "message", "label", "segment")


@click.group(help="The index: what it holds; make it anew.")
def index() -> None:
    """Group the commands of the index."""


@index.command(name="status", help="Say what the index holds and how far behind it is.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def say_status(*, json_: bool) -> None:
    """Print what the index holds."""
    home = home_to_read()
    left = behind(home)
    facts: dict[str, Any] = {"path": str(index_path(home)), "version": VERSION, **_sizes(home)}
    facts["behind"] = lag(left)
    if json_:
        say_json(facts)
        return
    for name, value in facts.items():
        written = f"{value:,}" if isinstance(value, int) and name != "version" else str(value)
        if name == "behind":
            written = f"{left.behind_bytes:,} bytes in {left.behind_segments} segments"
        say(f"{paint(f'{name:<14}', bold=True)}{neutralise(written)}")


@index.command(
    name="rebuild", help="Make the index anew from the recordings; the old one answers until then."
)
def make_anew() -> None:
    """Rebuild, with a bar for whoever waits."""
    home = home_to_read()
    size = sum(map(text_size, files_of(home).values()))
    with progress("indexing", length=size) as advance:
        rebuild(home, progress=advance)
    sizes = _sizes(home)
    note(f"indexed {sizes['records']:,} records, {sizes['messages']:,} different messages")


def _sizes(home: Home) -> dict[str, int]:
    path = index_path(home)
    if not path.exists():
        return {"bytes": 0} | {f"{table}s": 0 for table in _TABLES}
    with contextlib.closing(open_to_read(path)) as connection:
        counts = {
            f"{table}s": connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]  # noqa: S608
            for table in _TABLES
        }
    return {"bytes": path.stat().st_size} | counts
