"""Reviewing: a review as a person reads it before saying yes.

It prints and asks; what is shown comes from `publish.review`. Invariant: recorded text is neutralised.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from dolphin_logger.cli.output import neutralise, paint, say, shorten
from dolphin_logger.publish.review import Review
from dolphin_logger.publish.summary import most

_SHOWN = 300  # characters of a sampled message
_MOST_FILES = 12


def say_review(review: Review, *, source: str, is_new: bool) -> None:
    """Print a review."""
    seen = (
        "private" if review.private else paint("PUBLIC: anybody can read it", "yellow", bold=True)
    )
    made = ", will be created" if is_new else ""
    say(f"target      {review.repository} ({seen}{made}); from {source}")
    role = "may write to it" if review.may_write else "proposes as an outsider"
    say(f"as          {neutralise(review.user)}, who {role}")
    rows = ", ".join(f"{count:,} {name}" for name, count in review.new.items()) or "none"
    plural = "" if review.conversations == 1 else "s"
    say(f"new         {review.conversations:,} conversation{plural}; rows: {rows}")
    say(f"known       {review.known:,} rows are there or under way already")
    _say_counts("models", most(review.summary.models))
    if review.first and review.last:
        say(f"dates       {review.first[:10]} to {review.last[:10]}")
    _say_counts("replaced", list(review.findings))
    _say_counts("most in", [(name[-8:], count) for name, count in review.most_found])
    for name, found in (("taken back", review.dropped), ("cleaned", review.cleaned)):
        _say_counts(name, list(found.items()))
    if review.others:
        _say_counts("of others", list(review.others.items()))
        say(
            "            rows of other contributors hold something that today's rules would replace; tell them"
        )
    for path in review.unreadable[:_MOST_FILES]:
        say(f"unreadable  {neutralise(path)}: another contributor's, it holds no rows")
    for url in review.busy:
        say(
            f"later       files that {neutralise(url)} changes are looked at again once it is merged or closed"
        )
    _say_files(review)
    for name, row in review.sample:
        say()
        say(paint(f"sample of {name}", bold=True))
        for line in _told(row):
            say(f"  {line}")
    say()
    say(f"confirm     {review.digest}")


def _say_files(review: Review) -> None:
    total = sum(size for _, size in review.files)
    say(
        f"files       {len(review.files):,} to write, {total:,} bytes; {len(review.deletions)} to delete"
    )
    for path, size in review.files[:_MOST_FILES]:
        say(f"            {neutralise(path)}  {size:,}")
    if len(review.files) > _MOST_FILES:
        say(f"            … and {len(review.files) - _MOST_FILES:,} more: --json lists them")
    for path in review.deletions[:_MOST_FILES]:
        say(f"            delete {neutralise(path)}")


def _say_counts(name: str, counts: Sequence[tuple[str, int]]) -> None:
    if counts:
        told = ", ".join(f"{neutralise(one)} {count:,}" for one, count in counts[:_MOST_FILES])
        say(f"{name:<11} {told}")


def _told(row: Any) -> list[str]:
    """Show a row: who says what, each on a line."""
    lines = []
    for name, value in (row if isinstance(row, dict) else {}).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for message in value:
                who = message.get("role") or message.get("from") or name
                said = message.get("content") or message.get("value") or message.get("tool_calls")
                lines.append(_line(str(who), said))
        elif name not in ("tools", "metadata"):
            lines.append(_line(name, value))
    return lines


def _line(who: str, said: Any) -> str:
    text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
    return neutralise(f"{who}: {shorten(text, limit=_SHOWN)}")
