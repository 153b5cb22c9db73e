"""Canaries: found however they are written, and never told."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from dolphin_logger.curate.redaction import Cleaner
from dolphin_logger.errors import DatasetError, LeakError
from dolphin_logger.example import Example

CANARY = "Kanari-Ü/4711"


def base64_at(shift: int, *, for_urls: bool) -> str:
    """Write it in base64 as it stands some bytes into a text."""
    encode = base64.urlsafe_b64encode if for_urls else base64.b64encode
    return encode(("x" * shift + CANARY + " and more").encode()).decode()


WRITTEN = {
    "plain": CANARY,
    "capitals": CANARY.upper(),
    "small": CANARY.lower(),
    "escaped": json.dumps(CANARY),
    "escaped twice": json.dumps(json.dumps(CANARY)),
    "percent": quote(CANARY, safe=""),
    "percent, path": quote(CANARY),
    "hexadecimal": CANARY.encode().hex(),
    **{f"base64 after {n}": base64_at(n, for_urls=False) for n in range(3)},
    **{f"base64url after {n}": base64_at(n, for_urls=True) for n in range(3)},
}


def cleaner() -> Cleaner:
    """Make a cleaner."""
    return Cleaner([], key=b"k" * 32, canaries=[CANARY])


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("place", ["content", "id", "image", "name", "held"])
def test_a_canary_ends_the_build_and_is_not_told(form: str, place: str) -> None:
    """In texts, ids, pictures, names and JSON in strings; the message names record and place."""
    text = WRITTEN[form]
    chat = {
        "content": {"role": "user", "content": f"so: {text}."},
        "id": {"role": "tool", "tool_call_id": text, "content": ""},
        "image": {"content": "data:image/png;base64,iVBORw0KGgo" + "A" * 300 + "," + text},
        "name": {"role": "user", "x": {f"a {text}": 1}},
        "held": {"role": "tool", "content": json.dumps({"a": [text]})},
    }[place]
    with pytest.raises(LeakError, match=r"record r7: messages\[0\]") as caught:
        cleaner().clean(Example("r7", "c", [chat], 0))
    assert not {
        part
        for part in (CANARY.casefold(), text.casefold())
        if part in str(caught.value).casefold()
    }


def test_a_canary_in_a_row_is_found_by_the_second_scan() -> None:
    """Whatever an exporter makes of it."""
    with pytest.raises(LeakError, match="text"):
        cleaner().scan({"text": f"<s>{CANARY}</s>"})


def test_what_is_no_canary_passes() -> None:
    """A piece without one is cleaned as ever."""
    chat = {"role": "user", "content": "Kanari 4711"}
    assert cleaner().clean(Example("r", "c", [chat], 0)).piece.messages == [chat]


def test_a_short_canary_is_refused_and_not_told() -> None:
    """It would stand in texts by chance."""
    with pytest.raises(DatasetError, match="longer") as caught:
        Cleaner([], key=b"k" * 32, canaries=["abcdefg"])
    assert "abcdefg" not in str(caught.value)
