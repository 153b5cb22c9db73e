"""One pass says what a text may hold; what it does not name is not there."""

from __future__ import annotations

import base64
import random
import re

import pytest

from dolphin_logger.redactors.glance import (
    BASE64,
    HEXADECIMAL,
    NUMBER,
    PERCENT,
    TEXT,
    glance,
)

SAID = base64.b64encode(b"GITHUB_TOKEN and so on").decode()
WRITTEN = {  # by hand, for Python's own expressions: one for each that a text may hold
    PERCENT: re.compile(r"%[0-9A-Fa-f]{2}"),
    HEXADECIMAL: re.compile(r"(?<![0-9A-Za-z_])(?:[0-9a-fA-F]{2}){16,}(?![0-9A-Za-z_])", re.ASCII),
    NUMBER: re.compile(r"[0-9](?:[ .()/\xa0\u2011\u2013-]{0,3}[0-9]){6}"),
}


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("", ()),
        ("The worker dies after 20 minutes, see app/worker.py line 12.", ()),
        (f"token: {SAID}", (BASE64, TEXT)),
        (f"/x{SAID[:16]}", (TEXT,)),
        ("commit " + "0f" * 20, (HEXADECIMAL,)),
        ("a%20b", (PERCENT,)),
        ("call 555\u2011010\u00a0999", (NUMBER,)),
        ("ping 127.0.0.1", (NUMBER,)),
        ("2001:db8::1", (NUMBER,)),
    ],
)
def test_it_names_what_a_text_may_hold(text: str, seen: tuple[int, ...]) -> None:
    """Plain text holds nothing; each of the others what was written into it."""
    assert glance(text) == seen


@pytest.mark.parametrize("hint", WRITTEN)
def test_what_it_does_not_name_is_not_there(hint: int) -> None:
    """Of 2,000 texts made of few letters, it names those in which Python's expression finds one."""
    rng = random.Random(hint)
    found = 0
    for _ in range(2_000):
        letters = rng.choice(
            [
                "0123456789 .-",
                "0123456789abcdefABCDEF" * 5 + " g",
                "%2aGz ",
                "0\u20111\u00a02\u2013x3",
                "\ud800%41 1",
            ]
        )
        text = "".join(rng.choice(letters) for _ in range(rng.choice([8, 40, 90])))
        is_there = WRITTEN[hint].search(text) is not None
        found += is_there
        if is_there:
            assert hint in glance(text), text
    assert found > 20


def test_text_in_base64_is_seen_wherever_it_begins() -> None:
    """Twelve bytes of ASCII and more, in both alphabets, within other letters of base64."""
    rng = random.Random(5)
    for _ in range(500):
        said = "".join(chr(rng.randrange(32, 127)) for _ in range(rng.randrange(12, 40))).encode()
        for written in (base64.b64encode(said), base64.urlsafe_b64encode(said)):
            assert TEXT in glance(f"\u4e2d/{written.decode()}_")
