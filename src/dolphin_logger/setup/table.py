"""The table: every client that can be wired, by name."""

from __future__ import annotations

from difflib import get_close_matches

from dolphin_logger.errors import DolphinError
from dolphin_logger.setup._api import Client
from dolphin_logger.setup.agents import AGENTS
from dolphin_logger.setup.apps import APPS
from dolphin_logger.setup.sdks import ANY, SDKS

CLIENTS: tuple[Client, ...] = (*AGENTS, *APPS, *SDKS)
_BY_NAME = {name: client for client in CLIENTS for name in (client.name, *client.aliases)}


class UnknownClientError(DolphinError):
    """No client has that name; the message offers the nearest ones."""


def find_client(name: str) -> Client:
    """Find a client by its name or alias.

    Raises:
        UnknownClientError: there is none.
    """
    client = _BY_NAME.get(name.lower())
    if client is not None:
        return client
    near = get_close_matches(name.lower(), _BY_NAME, n=3, cutoff=0.5)
    hint = f"; did you mean {' or '.join(near)}?" if near else ""
    known = ", ".join(client.name for client in CLIENTS)
    raise UnknownClientError(f"unknown client {name!r}{hint} known: {known}")


def client_of_program(program: str) -> Client:
    """Find the client whose program has this file name; else the one that stands for any command."""
    stem = program.replace("\\", "/").rpartition("/")[2].lower()
    stem = stem.removesuffix(".exe").removesuffix(".cmd").removesuffix(".ps1")
    for client in CLIENTS:
        if any(stem == name for name in client.programs if "/" not in name):
            return client
    return ANY
