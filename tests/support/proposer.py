"""Proposer: a program that brings a folder to a Hub, for tests that kill it on the way.

python -m tests.support.proposer ENDPOINT TOKEN NAME FOLDER MEMORY [PATIENCE]
"""

from __future__ import annotations

import sys
from pathlib import Path

from dolphin_logger.publish.changes import read_changes
from dolphin_logger.publish.hub import Hub, Pull
from dolphin_logger.publish.proposal import Confirmed, Proposal
from dolphin_logger.publish.sending import PATIENCE


def propose(
    endpoint: str,
    token: str,
    name: str,
    folder: Path,
    memory: Path,
    *,
    base: str | None = None,
    patience: float = PATIENCE,
    said: list[str] | None = None,
    sent: list[int] | None = None,
) -> Pull:
    """Bring a folder to the Hub."""
    hub = Hub(name, token=token, endpoint=endpoint)
    confirmed = Confirmed(
        read_changes(folder), base or hub.head(), "Add 1 conversation", "by a test"
    )
    advance = (lambda _: None) if sent is None else sent.append
    note = (lambda _: None) if said is None else said.append
    proposal = Proposal(
        hub, confirmed, memory=memory, advance=advance, note=note, patience=patience
    )
    return proposal.deliver()


if __name__ == "__main__":
    propose(*sys.argv[1:4], Path(sys.argv[4]), Path(sys.argv[5]))
