"""`dolphin-logger show`: one record in full, as text, as JSON or as the exact bytes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Literal

import click

from dolphin_logger.cli.homes import home_to_read
from dolphin_logger.cli.label import describe
from dolphin_logger.cli.output import SCHEMA_VERSION, neutralise, neutralise_json, paint, say
from dolphin_logger.cli.render import render, render_provider
from dolphin_logger.errors import RecordError
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import read_labels
from dolphin_logger.journal.reader import (
    SHORTEST_ID,
    StoredRecord,
    body,
    find,
    line_bytes,
    newest,
    raw_bytes,
)
from dolphin_logger.label import Label


@click.command(
    help="Show one record in full: ID or the last 8 characters of it; the newest without ID."
)
@click.argument("record_id", metavar="[ID]", required=False)
@click.option(
    "--json", "json_", is_flag=True, help="Print the record's fields as they lie on the disk."
)
@click.option(
    "--raw", type=click.Choice(["request", "response"]), help="Write the exact bytes of a body."
)
@click.option(
    "--provider", is_flag=True, help="Show a translated call as its provider asked and answered."
)
def show(
    *,
    record_id: str | None,
    json_: bool,
    raw: Literal["request", "response"] | None,
    provider: bool,
) -> None:
    """Print one record."""
    if sum((json_, raw is not None, provider)) > 1:
        raise click.UsageError("--json, --raw and --provider exclude each other")
    home = home_to_read()
    record = _newest(home) if record_id is None else find(home, record_id)
    if raw:
        _write_bytes(raw_bytes(record, raw))
    elif json_:
        say(_as_json(record, read_labels(home).in_force(record.id)))
    else:
        for label in read_labels(home).in_force(record.id):
            say(f"{paint('label', bold=True)} {label.id[-SHORTEST_ID:]}  {describe(label)}")
        for line in _provider_lines(record) if provider else _lines(record):
            say(line)


def _lines(record: StoredRecord) -> Iterator[str]:
    return render(record, request=body(record, "request"), response=body(record, "response"))


def _provider_lines(record: StoredRecord) -> Iterator[str]:
    if not record.fields.get("translation"):
        raise RecordError(
            f"record {record.id} was not translated: its provider got and sent what `show` shows"
        )
    request, response = body(record, "provider_request"), body(record, "provider_response")
    return render_provider(record, request=request, response=response)


def _newest(home: Home) -> StoredRecord:
    for item in newest(home, count=1):
        if isinstance(item, StoredRecord):
            return item
    raise RecordError(f"no records in {home.logs} yet: start `dolphin-logger` and send a request")


def _write_bytes(data: bytes) -> None:
    if sys.stdout.isatty():
        say(neutralise(data.decode("utf-8", "backslashreplace"), keep_newlines=True))
    else:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()


def _as_json(record: StoredRecord, labels: list[Label]) -> str:
    """Splice the line in as it is: key order, big integers and escapes survive."""
    if "time_approximate" in record.fields:
        line = json.dumps(record.fields)
    else:
        line = line_bytes(record).decode("utf-8", "replace")
    place = {"schema_version": SCHEMA_VERSION, "file": str(record.file), "offset": record.offset}
    place["labels"] = [label.to_json() for label in labels]
    return neutralise_json(f'{json.dumps(place)[:-1]}, "record": {line}}}')
