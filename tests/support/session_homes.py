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

CAST = (
    *("claude_code", "codex", "gemini_cli", "opencode", "orchestrator"),
    *("plain_chat", "open_webui", "editing_chat", "thinking_in_text", "summarising", "truncating"),
    *("swiping", "two_models", "rewriting_person", "in_anthropic", "in_responses"),
)
SEED = 7
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
    is_session = client == "opencode"  # what its sub-agents name; others name an agent
    parent = f"{place}-{who.parent}" if is_session and who.parent else who.parent
    exchange.client = replace(who, session=f"{place}-{who.session}", parent=parent)
    if client == "gemini-cli":
        exchange.model = exchange.path.rpartition("/")[2].partition(":")[0]
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
    """Write what some of the benchmarks' clients send in one world, of every kind that there is."""
    sys.path.insert(0, str(_BENCHMARKS))
    try:
        import pairs_clients
        import stitching_agents
        import stitching_chats
        from stitching_world import World
    finally:
        sys.path.remove(str(_BENCHMARKS))
    cast = [
        getattr(module, name)
        for module in (stitching_agents, stitching_chats, pairs_clients)
        for name in CAST
        if getattr(getattr(module, name, None), "__module__", "") == module.__name__
    ]
    assert len(cast) == len(CAST)
    world = World(SEED)
    pairs_clients.TASTES[id(world)] = pairs_clients.Taste()
    world.run([one(world, one.__name__) for one in cast], within=3600)
    home = Home(path)
    home.logs.mkdir(parents=True)
    world.write(home.logs)
