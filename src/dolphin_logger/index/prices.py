"""Prices: what a call would have cost by the provider's list, in millionths of a dollar.

An estimate: no discounts, no subscriptions. The prices are those of the package genai-prices, which
holds them for each time; nothing is fetched. Unknown is None, never 0.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from math import isclose
from typing import Final

from dolphin_logger.messages import Usage

_WITHOUT_PRICES: Final = frozenset(["ollama", "demo"])
_MICRO: Final = 1_000_000


def cost_of(usage: Usage, *, provider: str | None, model: str | None, time: int) -> int | None:
    """Estimate the cost of one call; `time` in UNIX microseconds.

    None when tokens, model or price are not known, and for models that run at home.
    """
    if model is None or provider in _WITHOUT_PRICES:
        return None
    if usage.input_tokens is None or usage.output_tokens is None:
        return None
    day = time // _MICRO // 86400
    place = _seller(provider, model, day)
    if place is None:
        return None
    rates = _rates(place, model, day)
    price = _price(usage, place, model, day) if rates is None else _by_rates(usage, rates)
    return None if price is None else round(price * _MICRO)


@lru_cache(maxsize=1024)
def _seller(provider: str | None, model: str, day: int) -> str | None:
    """Say who sells a model: the provider, else empty for whoever does; None when nobody does."""
    for place in (provider or "", ""):
        if _price(Usage(1, 1), place, model, day) is not None:
            return place
    return None


@lru_cache(maxsize=1024)
def _rates(place: str, model: str, day: int) -> tuple[float, ...] | None:
    """Give the prices of one token of each kind; None where they depend on how many there are.

    To ask for each call would cost as much as to index it.
    """
    few, many = 1_000, 1_000_000
    probes = [Usage(few, 0), Usage(many, 0), Usage(0, many), Usage(many, many)]
    probes += [Usage(many, 0, many, 0), Usage(many, 0, 0, many)]
    prices = [_price(probe, place, model, day) for probe in probes]
    known = [float(price) for price in prices if price is not None]
    if len(known) < len(probes):
        return None
    small, asked, answered, both, read, written = known
    is_flat = isclose(small * 1000, asked) and isclose(asked + answered, both)
    return (asked / many, answered / many, read / many, written / many) if is_flat else None


def _by_rates(usage: Usage, rates: tuple[float, ...]) -> float | None:
    asked, answered, read, written = rates
    cached, stored = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    fresh = (usage.input_tokens or 0) - cached - stored
    if fresh < 0:
        return None
    return fresh * asked + (usage.output_tokens or 0) * answered + cached * read + stored * written


def _price(usage: Usage, place: str, model: str, day: int) -> Decimal | None:
    from genai_prices import Usage as Counts  # noqa: PLC0415 -- a third of a second to import
    from genai_prices import calc_price  # noqa: PLC0415

    counts = Counts(
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_write_tokens=usage.cache_write_tokens,
    )
    moment = datetime.fromtimestamp(day * 86400, UTC)
    try:
        return calc_price(
            counts, model, provider_id=place or None, genai_request_timestamp=moment
        ).total_price
    except (ValueError, LookupError):  # nobody sells it, or counts that contradict each other
        return None
