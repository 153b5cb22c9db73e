"""Judging: what a recipe's judge costs, shown before anything is sent, and the proxy that is asked.

Invariant: nothing is paid for unless somebody said so, at the terminal or with `--yes`.
"""

from __future__ import annotations

import click

from dolphin_logger.cli.output import for_person, note
from dolphin_logger.cli.running import running_proxies
from dolphin_logger.config import Config
from dolphin_logger.curate.build import Judging
from dolphin_logger.curate.judge import Estimate, Proxy
from dolphin_logger.errors import DatasetError
from dolphin_logger.journal.home import Home


def judging_with(model: str, *, home: Home, config: Config, yes: bool) -> Judging | None:
    """Give the way to a judge; None where none is wanted.

    Raises:
        DatasetError: the configuration has no such model, or no proxy is running.
    """
    if not model:
        return None
    entry = next((one for one in config.models if one.model == model), None)
    if entry is None:
        known = ", ".join(sorted({one.model for one in config.models})) or "none"
        raise DatasetError(f"judge.model: {model!r} is not in config.json; known: {known}")
    running = next((one for one in running_proxies(home) if one.health), None)
    if running is None:
        raise DatasetError("judge.model: it is asked through a proxy; start one: dolphin-logger")
    token = config.token.reveal() if config.token else ""

    def agree(estimate: Estimate) -> bool:
        note(_price(model, estimate))
        if yes or not for_person():
            if not yes:
                note("say --yes to have them rated")
            return yes
        return click.confirm("have them rated?", err=True)

    return Judging(Proxy(running.url, token), entry.provider, entry.provider_model, agree)


def _price(model: str, estimate: Estimate) -> str:
    dollars = estimate.micro_dollars
    price = "at a price that is not known" if dollars is None else f"about ${dollars / 1e6:,.2f}"
    return (
        f"{model} is to rate {estimate.requests:,} conversations ({estimate.cached:,} are rated already):"
        f" about {estimate.tokens:,} tokens, {price}; they go to its provider as they were recorded"
    )
