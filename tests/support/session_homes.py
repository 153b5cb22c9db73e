"""Homes with sessions of every kind: of real clients, of those that other tools wrote, of made-up worlds."""

from __future__ import annotations

import sys
import uuid
from dataclasses import replace
from pathlib import Path

from dolphin_logger.exchange import Exchange
from dolphin_logger.journal.format import encode
from dolphin_logger.journal.home import Home
from tests.support.homes import write_segment
from tests.support.imported import bring
from tests.support.session_files import calm, samples, write
from tests.support.sessions import SESSIONS, exchanges_of

SEED = 81001  # of a world in which every signal of a better answer is given
_BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
_PROVIDERS = {"claude-code": "anthropic", "gemini-cli": "google"}


def record_clients(path: Path) -> None:
    """Write what real clients sent, and were answered, as records."""
    for place, client in enumerate(SESSIONS):
        exchanges = exchanges_of(client)
        for number, exchange in enumerate(exchanges):
            _make_own(exchange, client, place=place, number=number)
        lines = [encode(one, seq=number) for number, one in enumerate(exchanges, 1)]
        write_segment(Home(path), place, *lines)


def _make_own(exchange: Exchange, client: str, *, place: int, number: int) -> None:
    """Give a record an id that no other client's has, and a session: both runs of Codex kept the same one."""
    milliseconds = exchange.time_ns // 10**6
    exchange.id = str(uuid.UUID(int=milliseconds << 80 | 7 << 76 | 2 << 62 | place << 32 | number))
    who = exchange.client
    exchange.client = replace(
        who,
        session=f"{place}-{who.session}",
        parent=None if who.parent is None else f"{place}-{who.parent}",
    )
    exchange.provider = _PROVIDERS.get(client, "openai")
    exchange.status = 200
    exchange.total_ms = 500.0


def import_sessions(path: Path) -> None:
    """Import the session file of every tool."""
    folder = path.parent / "files"
    folder.mkdir()
    for sample in samples(folder):
        file = write(folder / "brought", sample)
        calm(file)
        bring(path, file)


def record_world(path: Path) -> None:
    """Write what the clients of the stitching and pairs benchmarks send in one world."""
    sys.path.insert(0, str(_BENCHMARKS))
    try:
        from pairs import play
    finally:
        sys.path.remove(str(_BENCHMARKS))
    play(SEED, Home(path))
