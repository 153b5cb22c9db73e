"""The text of a custom tool inside the arguments of a function."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dolphin_logger.proxy.translate.responses_to_openai.wrapped_input import (
    InputUnwrapper,
    wrap_input,
)


def unwrap(*pieces: str) -> str:
    """Take the text out of arguments that come in these pieces."""
    unwrapper = InputUnwrapper()
    return "".join(unwrapper.feed(piece) for piece in pieces) + unwrapper.finish()


@given(text=st.text(), sizes=st.lists(st.integers(1, 9), min_size=1), escaped=st.booleans())
def test_a_text_survives_any_split(text: str, sizes: list[int], escaped: bool) -> None:
    """Any text comes out as it went in, wherever its arguments are cut, also inside an escape."""
    arguments = json.dumps({"input": text}, ensure_ascii=escaped)
    pieces, place = [], 0
    while place < len(arguments):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(arguments[place : place + size])
        place += size
    assert unwrap(*pieces) == text


def test_a_text_is_told_as_it_comes() -> None:
    """Nothing is held back but an escape that is not complete."""
    unwrapper = InputUnwrapper()
    pieces = ['{"inp', 'ut": "', "a", "b\\", "nc\\u00", "e4d", "\\ud83d", "\\ude00", '"', "}"]
    assert [unwrapper.feed(piece) for piece in pieces] == [
        *("", "", "a", "b", "\nc", "äd", "", "😀", "", ""),
    ]
    assert unwrapper.finish() == ""


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ('{"input": ""}', ""),
        (' {\n "input" : "x"\n}\n', "x"),
        ('{"input": "x", "why": "y"}', "x"),
        ('{"why": "y", "input": "x"}', "x"),
        ("*** Begin Patch\n{}", "*** Begin Patch\n{}"),
        ('{"patch": "x"}', '{"patch": "x"}'),
        ('{"input": 5}', '{"input": 5}'),
        ('{"input": "cut o', "cut o"),
        ('{"input": "cut \\', "cut "),
        ('{"input": "cut \\u12', "cut "),
        ('{"input": "half \\ud83d', "half \ud83d"),
        ('{"input": "half \\ud83d then"}', "half \ud83d then"),
        ('{"input": "half \\ud83d\\n"}', "half \ud83d\n"),
        ('{"input": "no \\q, no \\uzzzz"}', "no \\q, no \\uzzzz"),
        ('{"input', '{"input'),
        ("[1]", "[1]"),
        ("  ", "  "),
        ("", ""),
    ],
)
def test_any_other_form_is_the_text_itself(arguments: str, text: str) -> None:
    """What is no object with the one string is what the model wrote; nothing of it is lost."""
    assert unwrap(arguments) == text
    assert unwrap(*arguments) == text


def test_what_goes_out_comes_back() -> None:
    """A text is wrapped as readable JSON."""
    assert wrap_input('ä"\n') == '{"input": "ä\\"\\n"}'
    assert unwrap(wrap_input('ä"\n')) == 'ä"\n'
