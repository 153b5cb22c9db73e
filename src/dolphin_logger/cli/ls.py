"""`dolphin-logger ls`: the latest conversations, or records, one line each."""

from __future__ import annotations

from typing import Any

import click

from dolphin_logger.cli.asking import asking, lag
from dolphin_logger.cli.homes import home_to_read
from dolphin_logger.cli.output import for_person, note, say_json, say_table, shorten
from dolphin_logger.cli.search import written_count, written_time
from dolphin_logger.cli.summary import COLUMNS, PREVIEW, as_json, row
from dolphin_logger.index.conversations import Conversation, list_conversations
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import SHORTEST_ID, StoredRecord, newest

_SCHEMA_VERSION = 2  # 1 listed records, as `--records` does
_OF_CONVERSATIONS = (
    "id",
    "last",
    "turns",
    "models",
    "in",
    "out",
    "cost",
    "rating",
    "tags",
    "title",
)


@click.command(help="List conversations, the latest first; QUERY as in `search`.")
@click.argument("query", nargs=-1)
@click.option(
    "-n", "count", default=20, show_default=True, type=click.IntRange(min=1), help="How many."
)
@click.option("--records", is_flag=True, help="List records instead, each request on its own.")
@click.option("--cursor", help="Go on behind a page, with the cursor that it gave.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def ls(
    *, query: tuple[str, ...], count: int, records: bool, cursor: str | None, json_: bool
) -> None:
    """Print the latest conversations or records."""
    home = home_to_read()
    if not records:
        _list_conversations(home, " ".join(query), count=count, cursor=cursor, json_=json_)
        return
    if query or cursor:
        raise click.UsageError("--records takes neither a query nor a cursor: see `search`")
    _list_records(home, count=count, json_=json_)


def _list_conversations(
    home: Home, query: str, *, count: int, cursor: str | None, json_: bool
) -> None:
    with asking(home) as (connection, left):
        listing = list_conversations(connection, query, limit=count, cursor=cursor)
    if json_:
        found = {"number": listing.count.number, "exact": listing.count.exact}
        facts: dict[str, Any] = {"schema_version": _SCHEMA_VERSION}
        facts["conversations"] = [_as_json(one) for one in listing.conversations]
        facts |= {"count": found, "cursor": listing.cursor, "partial": listing.partial}
        say_json(facts | {"behind": lag(left)})
        return
    if not listing.conversations:
        note(f"no conversations in {home.logs} " + ("like that" if query else "yet"))
    say_table(_OF_CONVERSATIONS, [_row(one) for one in listing.conversations])
    if listing.partial:
        note("the time was up, or a word is nearly everywhere: there may be more than this")
    if listing.cursor:
        note(f"{written_count(listing.count)} in all; the next: --cursor {listing.cursor}")


def written_cost(micro_dollars: int | None) -> str:
    """Write an estimate in dollars; unknown is empty."""
    return "" if micro_dollars is None else f"${micro_dollars / 1e6:,.4f}"


def _row(one: Conversation) -> list[str]:
    title = shorten(one.title, limit=PREVIEW) if for_person() else one.title
    return [
        one.id[-SHORTEST_ID:],
        written_time(one.last),
        str(one.turns),
        ", ".join(one.models),
        "" if one.input_tokens is None else str(one.input_tokens),
        "" if one.output_tokens is None else str(one.output_tokens),
        written_cost(one.cost),
        "" if one.rating is None else str(one.rating),
        ", ".join(one.tags),
        title,
    ]


def _as_json(one: Conversation) -> dict[str, Any]:
    return {
        "id": one.id,
        "title": one.title,
        "session": one.session,
        "first": one.first,
        "last": one.last,
        "turns": one.turns,
        "input_tokens": one.input_tokens,
        "output_tokens": one.output_tokens,
        "cost_micro_dollars": one.cost,
        "unpriced": one.unpriced,
        "models": list(one.models),
        "clients": list(one.clients),
        "rating": one.rating,
        "verdict": one.verdict,
        "tags": list(one.tags),
    }


def _list_records(home: Home, *, count: int, json_: bool) -> None:
    items = newest(home, count=count)
    records = [item for item in items if isinstance(item, StoredRecord)]
    for item in items:
        if not isinstance(item, StoredRecord):
            note(f"bad line at {item.file}:{item.offset}: {item.reason}")
    if json_:
        say_json({"records": [as_json(record) for record in records]})
        return
    if not records:
        note(f"no records in {home.logs} yet")
    say_table(COLUMNS, [row(record) for record in records])
