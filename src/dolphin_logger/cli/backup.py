"""`dolphin-logger backup`: a home, running or not, into one file; and a home out of one."""

from __future__ import annotations

from pathlib import Path

import click

from dolphin_logger.cli.homes import own_home
from dolphin_logger.cli.output import neutralise, note, say, say_json
from dolphin_logger.cli.progress import progress
from dolphin_logger.journal.backup import Contents, restore_backup, size_of, write_backup
from dolphin_logger.journal.locks import upkeep

_PATIENCE = 600.0  # seconds


@click.command(help="Copy the home into FILE (a new one, .tar.zst), also while a proxy runs.")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--with-config", is_flag=True, help="Also config.json, which may hold keys.")
@click.option("--restore", is_flag=True, help="Put FILE into the home, which must be empty.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def backup(*, file: Path, with_config: bool, restore: bool, json_: bool) -> None:
    """Write or restore a backup."""
    home = own_home()
    if restore and with_config:
        raise click.UsageError("--restore takes what the file holds; leave --with-config out")
    if restore:
        home.prepare()
        length = file.stat().st_size if file.is_file() else 0
        with upkeep(home, patience=_PATIENCE), progress("restoring", length=length) as advance:
            contents = restore_backup(file, home, progress=advance)
    else:
        with (
            upkeep(home, patience=_PATIENCE),
            progress("copying", length=2 * size_of(home)) as advance,
        ):
            contents = write_backup(home, file, with_config=with_config, progress=advance)
    _say(contents, file=file, json_=json_)
    if not restore and not with_config:
        note("config.json is not in it, because it may hold keys; --with-config takes it along")


def _say(contents: Contents, *, file: Path, json_: bool) -> None:
    if json_:
        say_json({"file": str(file), "files": len(contents.files), "bytes": contents.bytes})
    else:
        size = file.stat().st_size
        say(
            f"{neutralise(str(file))}: {len(contents.files)} files, {contents.bytes:,} bytes in {size:,}, verified"
        )
