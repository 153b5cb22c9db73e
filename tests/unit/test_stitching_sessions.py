"""Sessions of real clients, as their kept traffic shows them, are stitched as they were played."""

from __future__ import annotations

import pytest
from tests.support.sessions import SESSIONS, known_of, turns_of

from dolphin_logger.conversation import stitch


@pytest.mark.parametrize("client", SESSIONS)
def test_a_real_session_is_one_conversation(client: str) -> None:
    """Main line, sub-agents, retries and titles of a session: one conversation, each in its place."""
    placements = list(stitch(turns_of(client)))
    known = known_of(client)
    assert {one.conversation for one in placements} == {f"{client}-00"}
    found = {one.record: (str(one.relation), one.parent) for one in placements}
    assert found == {record: (one.relation, one.parent) for record, one in known.items()}


def test_sessions_do_not_mix() -> None:
    """Different clients at once, with the same task, are as many conversations."""
    clients = [client for client in SESSIONS if client != "codex-listed"]  # its ids are Codex's
    turns = [turn for client in clients for turn in turns_of(client)]
    placements = list(stitch(turns))
    found = {one.record.rpartition("-")[0]: one.conversation for one in placements}
    assert found == {client: f"{client}-00" for client in clients}
