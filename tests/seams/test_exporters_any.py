"""Whatever was said, in whatever order: every exporter writes plain JSON in its columns, or says why not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.pieces import PNG, pair, session, step

from dolphin_logger.example import Example, Exchanged, Piece, Unit, chats_of, tool_of
from dolphin_logger.exporters import EXPORTERS, Options, Row, UnfitError, prepare
from dolphin_logger.messages import (
    File,
    Image,
    Message,
    Other,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolDefinition,
    ToolResult,
)

SEAL = "the seal of a provider"
TEXT = st.text(st.characters(), max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
IDS = st.none() | st.sampled_from(("1", "2", ""))
CONTENT = st.one_of(
    TEXT.map(Text),
    TEXT.map(Refusal),
    st.builds(Reasoning, TEXT, st.just(SEAL)),
    st.builds(
        Image,
        url=st.none() | st.sampled_from(("https://x.test/a", "data:image/png;base64,AA", "x")),
        data=st.none() | st.sampled_from((PNG, "%")),
        media_type=st.none() | TEXT,
    ),
    st.builds(File, name=st.none() | TEXT, text=st.none() | TEXT),
    st.builds(Other, TEXT, JSON),
)
PARTS = st.one_of(
    CONTENT,
    st.builds(
        ToolCall,
        st.sampled_from(("run", "", "a b")),
        st.dictionaries(TEXT, JSON, max_size=2) | TEXT,
        IDS,
        st.sampled_from(("function", "custom", "server")),
        st.just({"thoughtSignature": SEAL}),
    ),
    st.builds(
        ToolResult, IDS, st.lists(CONTENT, max_size=2).map(tuple), st.booleans(), st.none() | TEXT
    ),
)
ROLES = st.sampled_from(("system", "developer", "user", "assistant", "tool", "", "critic"))
SAID = st.lists(
    st.builds(Message, ROLES, st.lists(PARTS, max_size=4).map(tuple), st.none() | TEXT), max_size=5
)
ANSWER = st.lists(
    st.builds(Message, st.just("assistant"), st.lists(PARTS, max_size=4).map(tuple)), max_size=2
)
TOOLS = st.lists(
    st.builds(
        ToolDefinition,
        TEXT,
        st.none() | TEXT,
        st.none() | st.dictionaries(TEXT, JSON, max_size=2),
        st.sampled_from(({}, {"type": "custom"})),
    ).map(tool_of),
    max_size=2,
)
OPTIONS = st.builds(
    Options, st.sampled_from(("reference", "embedded", "drop")), st.booleans(), st.none()
)


def pieces_of(
    asked: list[Message], answer: list[Message], tools: list[Any], body: Any
) -> dict[Unit, Piece]:
    """Make a piece of each unit."""
    history, answers = chats_of(asked), chats_of(answer)
    facts = {"rating": 4, "tags": ["x"]}
    example = Example("r2", "c", history + answers, len(history), tools, facts)
    steps = [
        step("r1", history, answers, tools=tools),
        step("r2", answers, history, parent="r1", relation="branch", agent="other"),
    ]
    return {
        Unit.LEAF: example,
        Unit.TURN: example,
        Unit.PAIR: pair(history, answers, chats_of([Message("assistant", (Text("No."),))])),
        Unit.SESSION: session(*steps, native=[body]),
        Unit.EXCHANGE: Exchanged("r", "c", body, body),
    }


@pytest.mark.parametrize("name", EXPORTERS)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(asked=SAID, answer=ANSWER, tools=TOOLS, body=JSON, options=OPTIONS)
def test_anything_is_rows_or_a_reason(
    name: str, asked: list[Message], answer: list[Message], tools: Any, body: Any, options: Options
) -> None:
    """No words break an exporter: it gives JSON in its columns without seals, or the reason why not."""
    exporter = EXPORTERS[name]
    question, words = Message("user", (Text("q"),)), Message("assistant", (Text("a"),))
    piece = pieces_of([question, *asked], [*answer, words], tools, body)[exporter.unit]
    rows: list[Row] = []
    reason = ""
    try:
        rows = list(exporter.rows(prepare(piece, options)[0], options))
    except UnfitError as unfit:
        reason = str(unfit)
    assert rows or reason
    text = json.dumps(rows, ensure_ascii=False, allow_nan=False)
    assert json.loads(text.encode()) == rows
    assert SEAL not in text
    for row in rows:
        assert not exporter.columns or list(row) == [column.name for column in exporter.columns]
