"""`dolphin-logger search`: messages that a query finds, the newest first."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from dolphin_logger.cli.asking import asking, lag
from dolphin_logger.cli.homes import home_to_read
from dolphin_logger.cli.output import for_person, neutralise, note, paint, say, say_json, say_table
from dolphin_logger.index.search import PAGE, Count, Hit, Page, count_facets, search
from dolphin_logger.index.snippets import Snippet
from dolphin_logger.journal.reader import SHORTEST_ID

_HELP = """Search what was said: words, "exact phrases", begin*, -without, one or other, (groups), and
model: client: provider: session: tool: role: rating: tag: has: outcome: before: after: cost: tokens:

\b
  dolphin-logger search 'broken pipe' tool:Bash -tag:skip
  dolphin-logger search 'model:claude* rating:>=4 after:2026-11'
"""
_COLUMNS = ("conversation", "record", "time", "role", "model", "text")


@click.command(name="search", help=_HELP)
@click.argument("query", nargs=-1, required=True)
@click.option(
    "-n", "limit", default=PAGE, show_default=True, type=click.IntRange(1, 1000), help="How many."
)
@click.option("--cursor", help="Go on behind a page, with the cursor that it gave.")
@click.option("--facets", is_flag=True, help="Count by model, client, tool, … instead.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def search_messages(
    *, query: tuple[str, ...], limit: int, cursor: str | None, facets: bool, json_: bool
) -> None:
    """Print a page of hits, or what a query finds by kind."""
    text = " ".join(query)
    if facets:
        _say_facets(text, json_=json_)
        return
    with asking(home_to_read()) as (connection, left):
        page = search(connection, text, limit=limit, cursor=cursor)
    if json_:
        found = {"hits": [_as_json(hit) for hit in page.hits], "count": _count_json(page.count)}
        say_json(found | {"cursor": page.cursor, "partial": page.partial, "behind": lag(left)})
        return
    if for_person():
        _say_for_person(page)
    else:
        say_table(_COLUMNS, [_row(hit) for hit in page.hits])
    _note_rest(page)


def _say_facets(query: str, *, json_: bool) -> None:
    with asking(home_to_read()) as (connection, left):
        facets = count_facets(connection, query)
    if json_:
        counts = {
            kind: [{"value": value, **_count_json(count)} for value, count in values]
            for kind, values in facets.items()
        }
        say_json({"facets": counts, "behind": lag(left)})
        return
    rows = [
        (kind, value, written_count(count))
        for kind, values in facets.items()
        for value, count in values
    ]
    say_table(("facet", "value", "messages"), rows)


def written_time(microseconds: int) -> str:
    """Write a time as it was here, to the second."""
    try:
        return f"{datetime.fromtimestamp(microseconds / 1e6).astimezone():%Y-%m-%d %H:%M:%S}"
    except (ValueError, OverflowError, OSError):
        return ""


def written_count(count: Count) -> str:
    """Write a count; one that was not finished with a plus."""
    return f"{count.number:,}{'' if count.exact else '+'}"


def _count_json(count: Count) -> dict[str, Any]:
    return {"number": count.number, "exact": count.exact}


def _as_json(hit: Hit) -> dict[str, Any]:
    return {
        "conversation": hit.conversation,
        "record": hit.record,
        "time": hit.time,
        "role": hit.role,
        "model": hit.model,
        "client": hit.client,
        "title": hit.title,
        "snippet": hit.snippet.text,
        "spans": [list(span) for span in hit.snippet.spans],
        "others": hit.others,
    }


def _row(hit: Hit) -> list[str]:
    conversation = (hit.conversation or "")[-SHORTEST_ID:]
    ids = [conversation, hit.record[-SHORTEST_ID:], written_time(hit.time)]
    return [*ids, hit.role, hit.model or "", hit.snippet.text]


def _say_for_person(page: Page) -> None:
    for hit in page.hits:
        conversation, record, time, role, model, _ = _row(hit)
        about = "  ".join(part for part in (time, role, model) if part)
        elsewhere = f"  in {hit.others} more" if hit.others else ""
        say(f"{paint(conversation or record, 'cyan', bold=True)}  {neutralise(about)}{elsewhere}")
        say(f"  {_painted(hit.snippet)}")


def _painted(snippet: Snippet) -> str:
    """Write a snippet with what was looked for in colour; hostile characters as escapes."""
    pieces = []
    end = 0
    for start, stop in snippet.spans:
        if start >= end:
            pieces += [neutralise(snippet.text[end:start])]
            pieces += [paint(neutralise(snippet.text[start:stop]), "yellow", bold=True)]
            end = stop
    return "".join([*pieces, neutralise(snippet.text[end:])])


def _note_rest(page: Page) -> None:
    if page.partial:
        note("the time was up: there may be more than this")
    found = written_count(page.count)
    if page.cursor:
        note(f"{found} found; the next: --cursor {page.cursor}")
    else:
        note(f"{found} found")
