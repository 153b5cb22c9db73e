"""Planted facts, in every encoding, at every position, also split over the deltas of real streams, are gone."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path

import pytest
from tests.support.plants import ENCODINGS, KINDS, Kind, encode, is_left, plant
from tests.support.scenes import POSITIONS, said, session, shape, values
from tests.support.streams import STREAMS, answered, decoded, deltas, spread

from dolphin_logger.curate.redaction import Cleaner
from dolphin_logger.example import Example
from dolphin_logger.redactors import REDACTORS

PERSONAL = {"person", "place"}
COVERED = [
    kind for kind in KINDS if kind.family in PERSONAL or kind.name.startswith(("card", "iban"))
]
ROOT = os.environ.get("WIRE_SAMPLES")


def cleaner() -> Cleaner:
    """Make a cleaner."""
    return Cleaner(list(REDACTORS.values()), key=b"k" * 32)


@pytest.mark.parametrize("kind", COVERED, ids=lambda kind: kind.name)
def test_planted_facts_are_gone_in_every_encoding_at_every_position(kind: Kind) -> None:
    """Nothing of the value is left in any form, the shape is as it was, and the second scan is silent."""
    made = cleaner()
    for number, encoding in enumerate(ENCODINGS):
        # a quarter for each kind; all kinds together meet every position in every encoding
        for position in POSITIONS[(number + COVERED.index(kind)) % 4 :: 4]:
            rng = random.Random(f"test {kind.name} {encoding} {position}")
            planted = plant(kind, rng)
            piece = session(rng, position=position, text=encode(planted, encoding, rng))
            assert is_left(planted.value, "\n".join(said(piece))), "the plant is not there"
            clean = made.clean(piece).piece
            assert not is_left(planted.value, "\n".join(said(clean))), (encoding, position)
            assert [shape(part) for part in values(clean)] == [
                shape(part) for part in values(piece)
            ]
            assert made.scan({"row": values(clean)}) == []


@pytest.mark.parametrize("stream", STREAMS)
def test_facts_split_over_the_deltas_of_a_stream_are_gone(stream: str) -> None:
    """What the decoder joins is what is cleaned."""
    made = cleaner()
    for kind in COVERED:
        rng = random.Random(f"{stream} {kind.name}")
        planted = plant(kind, rng)
        chats = answered(stream, f"Here:\n{planted.text}\nDone.", rng)
        assert is_left(planted.value, "\n".join(said(Example("r", "c", chats, 0)))), (
            "the plant is not there"
        )
        clean = made.clean(Example("r", f"{stream}{kind.name}", chats, 0)).piece
        assert not is_left(planted.value, "\n".join(said(clean))), kind.name


def recordings() -> list[Path]:
    """Give recorded streams that say something in many deltas."""
    folder = Path(ROOT or "nowhere") / "openai_chat"
    return [path for path in sorted(folder.glob("*.sse")) if deltas(path.read_bytes()) >= 8][:5]


@pytest.mark.parametrize(
    "path",
    recordings() or [pytest.param(None, marks=pytest.mark.skip(reason="WIRE_SAMPLES is not set"))],
    ids=lambda path: path.stem if path else "none",
)
def test_facts_spread_over_a_recorded_stream_are_gone(path: Path) -> None:
    """The frames are a provider's own, the words in them are ours."""
    made = cleaner()
    recorded = path.read_bytes()
    for kind in COVERED:
        rng = random.Random(kind.name)
        planted = plant(kind, rng)
        streamed = spread(recorded, planted.text)
        assert json.dumps(planted.value)[1:-1].encode() not in streamed, "it is not split"
        chats = decoded("openai.chat", streamed, rng)
        assert planted.text in chats[0]["content"]
        clean = made.clean(Example("r", kind.name, chats, 0)).piece
        assert not is_left(planted.value, "\n".join(said(clean))), kind.name


def test_the_same_piece_gives_the_same_bytes() -> None:
    """Whatever was cleaned before."""
    first, second = cleaner(), cleaner()
    pieces = [
        session(
            random.Random(n),
            position=POSITIONS[n % len(POSITIONS)],
            text=plant(kind, random.Random(n)).text,
        )
        for n, kind in enumerate(COVERED)
    ]
    for piece in reversed(pieces):
        second.clean(piece)
    assert [repr(first.clean(piece)) for piece in pieces] == [
        repr(second.clean(piece)) for piece in pieces
    ]
