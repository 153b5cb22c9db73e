"""`dolphin-logger show`: a conversation as one thread, or one record in full or as exact bytes."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import click

from dolphin_logger.cli.homes import home_to_read
from dolphin_logger.cli.label import describe
from dolphin_logger.cli.output import (
    SCHEMA_VERSION,
    neutralise,
    neutralise_json,
    note,
    paint,
    say,
    say_json,
)
from dolphin_logger.cli.private import write_private
from dolphin_logger.cli.render import render, render_provider
from dolphin_logger.cli.targets import newest_record
from dolphin_logger.errors import IndexingError, RecordError
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import read_labels
from dolphin_logger.journal.reader import (
    SHORTEST_ID,
    StoredRecord,
    body,
    find,
    line_bytes,
    raw_bytes,
)
from dolphin_logger.label import Label

_HELP = """Show a conversation as one thread, or one record in full.

ID is that of a conversation or a record, or its last 8 characters; without it the newest record is shown.
Folded branches open with `show` and the id that stands there.
"""
_FORMS = ("--json", "--raw", "--provider", "--markdown", "--html")


@click.command(help=_HELP)
@click.argument("identity", metavar="[ID]", required=False)
@click.option(
    "--record", is_flag=True, help="Show the record alone, where a conversation begins with it."
)
@click.option(
    "--json", "json_", is_flag=True, help="Print the thread, or the record as it lies on the disk."
)
@click.option(
    "--raw", type=click.Choice(["request", "response"]), help="Write the exact bytes of a body."
)
@click.option(
    "--provider", is_flag=True, help="Show a translated call as its provider asked and answered."
)
@click.option("--markdown", is_flag=True, help="Write the thread as Markdown.")
@click.option(
    "--html", is_flag=True, help="Write the thread as one HTML file that needs nothing else."
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
    help="Write --markdown or --html into a file that only you can read.",
)  # fmt: skip
def show(
    *,
    identity: str | None,
    record: bool,
    json_: bool,
    raw: Literal["request", "response"] | None,
    provider: bool,
    markdown: bool,
    html: bool,
    output: Path | None,
) -> None:
    """Print one conversation or one record."""
    given = (json_, raw is not None, provider, markdown, html)
    _check(given, record=record, output=output)
    home = home_to_read()
    if markdown or html:
        _write_thread(home, identity, html=html, output=output)
        return
    alone = record or raw is not None or provider or identity is None
    if not alone and _show_thread(home, identity or "", json_=json_):
        return
    found = newest_record(home) if identity is None else find(home, identity)
    if raw:
        _write_bytes(raw_bytes(found, raw))
    elif json_:
        say(_as_json(found, read_labels(home).in_force(found.id)))
    else:
        _say_labels(home, found.id)
        for line in _provider_lines(found) if provider else _lines(found):
            say(line)


def _check(given: tuple[bool, ...], *, record: bool, output: Path | None) -> None:
    if sum(given) > 1:
        raise click.UsageError(f"{', '.join(_FORMS[:-1])} and {_FORMS[-1]} exclude each other")
    as_page = any(given[3:])
    if record and as_page:
        raise click.UsageError("--markdown and --html write threads: leave out --record")
    if output is not None and not as_page:
        raise click.UsageError("--output goes with --markdown or --html; redirect everything else")


def _show_thread(home: Home, identity: str, *, json_: bool) -> bool:
    """Print a thread, if the id means one; an index that cannot be asked knows none."""
    from dolphin_logger.cli.threads.finding import is_thread, telling, thread_named
    from dolphin_logger.cli.threads.structured import as_json
    from dolphin_logger.cli.threads.text import write_text

    try:
        with telling(home, identity) as told:
            if told is None:
                return False
            if not is_thread(told):
                if len(told.entries) > 1:
                    note(f"part of a conversation: dolphin-logger show {told.id[-SHORTEST_ID:]}")
                return False
            thread = thread_named(told)
            if json_:
                say_json(as_json(thread))
                return True
            _say_labels(home, thread.id)
            for line in write_text(thread):
                say(line)
    except IndexingError as error:
        note(f"only the record itself can be shown: {error}")
        return False
    return True


def _write_thread(home: Home, identity: str | None, *, html: bool, output: Path | None) -> None:
    """Write a conversation, or what begins with a record beside its line, as a document."""
    from dolphin_logger.cli.threads.finding import (
        no_thread,
        page_of,
        telling,
        thread_named,
    )
    from dolphin_logger.cli.threads.markdown import write_markdown

    name = newest_record(home).id if identity is None else identity
    with telling(home, name) as told:
        if told is None:
            raise no_thread(home, name)
        text = page_of(told) if html else "\n".join(write_markdown(thread_named(told))) + "\n"
    if output is None:
        for line in text.split("\n")[:-1]:
            say(line)
    else:
        write_private(output, text)
        note(f"written to {output}")


def _say_labels(home: Home, record: str) -> None:
    for label in read_labels(home).in_force(record):
        say(f"{paint('label', bold=True)} {label.id[-SHORTEST_ID:]}  {describe(label)}")


def _lines(record: StoredRecord) -> Iterator[str]:
    return render(record, request=body(record, "request"), response=body(record, "response"))


def _provider_lines(record: StoredRecord) -> Iterator[str]:
    if not record.fields.get("translation"):
        raise RecordError(
            f"record {record.id} was not translated: its provider got and sent what `show` shows"
        )
    request, response = body(record, "provider_request"), body(record, "provider_response")
    return render_provider(record, request=request, response=response)


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
