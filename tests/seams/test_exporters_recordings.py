"""What providers really sent, as rows: nothing breaks, nothing is sealed, and the answer is all there.

The recordings are found through the variable WIRE_SAMPLES; without it these tests are skipped.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_dialects import NEEDS_SAMPLES, decode

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.example import Example, Exchanged, Piece, Unit, chats_of, tool_of
from dolphin_logger.exporters import EXPORTERS, Options, UnfitError, prepare
from dolphin_logger.messages import Message, Reasoning, Refusal, Text

LANGUAGES = ("openai.chat", "openai.responses", "anthropic.messages", "gemini")
ROOT = os.environ.get("WIRE_SAMPLES")
EVERY = [
    (name, path)
    for name in LANGUAGES
    for path in (sorted(Path(ROOT, name.replace(".", "_")).glob("*.sse")) if ROOT else ())
]
LONG_SEAL = 40  # characters; shorter ones may be in any text


def bodies_of(language: str, path: Path) -> tuple[Any, Any]:
    """Give the request of a recording, and its answer, decoded."""
    request = json.loads(path.with_suffix(".request.json").read_bytes())
    return request, decode(DIALECTS[language], [path.read_bytes()])[0].response


def example_of(request: Any, response: Any, *, language: str) -> tuple[Example, list[Message]]:
    """Make a turn of a request and its answer, and give the words of the answer."""
    dialect = DIALECTS[language]
    asked, answered = dialect.read_request(request), dialect.read_response(response or {})
    last = [choice.message for choice in answered.choices[:1]]
    history = chats_of(asked.messages)
    messages = [*history, *chats_of(last)]
    tools = [tool_of(tool) for tool in asked.tools]
    return Example("r", "c", messages, len(history), tools, {"rating": 5}), last


def seals_of(value: Any) -> Iterator[str]:
    """Give every long text under a name of a seal."""
    if isinstance(value, list):
        for inner in value:
            yield from seals_of(inner)
    elif isinstance(value, dict):
        for key, inner in value.items():
            if isinstance(inner, str) and len(inner) >= LONG_SEAL:
                if key in ("signature", "thoughtSignature", "thought_signature") or (
                    key.startswith("encrypted_")
                ):
                    yield inner
            else:
                yield from seals_of(inner)


@NEEDS_SAMPLES
@pytest.mark.parametrize(
    ("language", "path"), EVERY or [("", Path())], ids=lambda value: getattr(value, "stem", value)
)
def test_a_recorded_call_becomes_rows_without_seals(language: str, path: Path) -> None:
    """Every shape writes it or says why not; no seal is in any row, every word of the answer is in `turns`."""
    request, response = bodies_of(language, path)
    piece, answer = example_of(request, response, language=language)
    pieces: dict[Unit, Piece] = {
        Unit.TURN: piece,
        Unit.LEAF: piece,
        Unit.EXCHANGE: Exchanged("r", "c", request, response),
    }
    seals = set(seals_of([request, response]))
    for exporter in EXPORTERS.values():
        if exporter.unit not in pieces:
            continue
        ready, _ = prepare(pieces[exporter.unit], Options())
        try:
            text = json.dumps(list(exporter.rows(ready, Options())))
        except UnfitError:
            continue
        assert not [seal for seal in seals if json.dumps(seal)[1:-1] in text], exporter.name
    said = json.dumps(piece.messages[piece.completion :])
    for part in [part for message in answer for part in message.parts]:
        if isinstance(part, Text | Refusal | Reasoning):
            assert json.dumps(part.text)[1:-1] in said


@NEEDS_SAMPLES
def test_most_recorded_calls_have_a_place() -> None:
    """Recorded calls that answer a question are rows; only those without either are left out."""
    reasons: Counter[str] = Counter()
    for language, path in EVERY:
        piece, _ = example_of(*bodies_of(language, path), language=language)
        try:
            list(EXPORTERS["turns"].rows(prepare(piece, Options())[0], Options()))
            reasons["a row"] += 1
        except UnfitError as unfit:
            reasons[str(unfit)] += 1
    assert reasons["a row"] > 0.9 * len(EVERY), reasons
