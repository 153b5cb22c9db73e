"""Curated homes for tests: records in any wire language, and what the survey and the material make of them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from dolphin_logger.curate.gather import Gathered, gather, read_bucket
from dolphin_logger.curate.material import Material
from dolphin_logger.curate.survey import Survey, survey
from dolphin_logger.exchange import Client, Exchange, Outcome, new_id
from dolphin_logger.journal.format import encode
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import read_labels
from tests.support.homes import NOW


def record(
    number: int,
    request: dict[str, Any],
    response: dict[str, Any] | None,
    *,
    dialect: str = "openai.chat",
    **fields: Any,
) -> tuple[str, bytes]:
    """Encode one record, made a number of minutes after NOW; give its id and its line."""
    moment = NOW + number * 60 * 10**9
    who = {key: fields.pop(key) for key in ("session", "agent", "parent", "tags") if key in fields}
    exchange = Exchange(
        id=fields.pop("id", new_id(moment)),
        time_ns=moment,
        dialect=dialect,
        path=fields.pop("path", "/"),
        model=fields.pop("model", "a"),
        provider="openai",
        status=200 if response else 500,
        outcome=Outcome.COMPLETED if response else Outcome.PROVIDER_ERROR,
        client=Client(name=fields.pop("client", "a-client"), **who),
        request=json.dumps(request).encode(),
        response=json.dumps(response).encode() if response else None,
        total_ms=5.0,
        **fields,
    )
    return exchange.id, encode(exchange, seq=number)


def surveyed(home: Home, *, workers: int = 1) -> Survey:
    """Survey a home; all of its bytes are told of."""
    return survey(home, workers=workers, advance=lambda _: None)


def gathered(home: Home, found: Survey, wanted: Iterable[str], **more: Any) -> list[Gathered]:
    """Gather records; give the conversations of all buckets."""
    given = {"spool": home.path / "spool", "buckets": 4, "workers": 1, "advance": lambda _: None}
    return [
        one for path in gather(home, found, wanted, **given | more) for one in read_bucket(path)
    ]


def material(home: Home, record_id: str, *, wanted: Iterable[str] | None = None) -> Material:
    """Give the conversation of a record in words; all of its records, or those that are wanted."""
    found = surveyed(home)
    names = [one.id for one in found.conversation(record_id)] if wanted is None else wanted
    (only,) = gathered(home, found, names)
    return Material(only, read_labels(home))


def leaves(found: Survey) -> list[str]:
    """Give the ids of the leaves."""
    return [one.id for one in found if one.is_leaf]
