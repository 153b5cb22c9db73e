"""The promise of redactors, kept by each: spans inside the text, always the same, never slow, never raising."""

from __future__ import annotations

import gc
import importlib.metadata
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dolphin_logger.errors import DatasetError
from dolphin_logger.redactors import REDACTORS, Finding, Known, Redactor, find

BUILT_IN: dict[str, Redactor] = {
    **REDACTORS,
    "known": Known(["kept-from-everyone", "a/b+c d\u00e9=?"]),
}
KEYS = (None, "password", "api_key", "content", "")
HOSTILE: dict[str, Callable[[int], str]] = {
    "one letter": lambda size: "a" * size,
    "digits": lambda size: "1234567890" * (size // 10),
    "hexadecimal": lambda size: "0123456789abcdef" * (size // 16),
    "names without values": lambda size: "password = " * (size // 11),
    "names of names": lambda size: "token:password:" * (size // 15),
    "half a private key": lambda size: ("-----BEGIN PRIVATE" + " KEY-----\n") * (size // 28),
    "half a token": lambda size: "eyJaaaaaaaaaaaa." * (size // 16),
    "half an address": lambda size: "http://user:" * (size // 12),
    "at signs": lambda size: "a@" * (size // 2),
    "percent": lambda size: "%25" * (size // 3),
    "quotes": lambda size: "\"'" * (size // 2),
    "backslashes": lambda size: "\\" * size,
    "cookies": lambda size: "cookie: a=" * (size // 10),
    "lines": lambda size: "a:1:b:c:d\n" * (size // 10),
    "commands": lambda size: "mysql -u a -p " * (size // 14),
    "base64 of base64": lambda size: "YVlXRnpaR1po" * (size // 12),
    "spaces": lambda size: " " * size,
    "other scripts": lambda size: "\u4e2d\U0001f600" * (size // 2),
    "lone surrogates": lambda size: "\ud800password=\udfff" * (size // 11),
    "phone numbers": lambda size: "+1 (555) 010-" * (size // 13),
    "dots": lambda size: "1.2.3." * (size // 6),
    "colons": lambda size: "::ffff:" * (size // 7),
}


@pytest.fixture(params=sorted(BUILT_IN))
def redactor(request: pytest.FixtureRequest) -> Redactor:
    """Each built-in redactor."""
    return BUILT_IN[request.param]


def check_spans(findings: list[Finding], text: str) -> None:
    """Hold what every finding promises."""
    for one in findings:
        assert 0 <= one.start < one.end <= len(text)
        assert one.kind
        assert one.kind.upper() == one.kind
        assert one.rule


def test_it_keeps_the_promise(redactor: Redactor) -> None:
    """A redactor is what `_api` asks for, listed by its own name, with a version that stays."""
    assert isinstance(redactor, Redactor)
    assert isinstance(redactor.version, str)
    assert redactor.version
    assert redactor.version == redactor.version
    if redactor.name != "known":
        assert find(redactor.name) is redactor


def test_an_empty_text_has_nothing(redactor: Redactor) -> None:
    """There is nothing to find in nothing, whatever it is called."""
    for key in KEYS:
        assert list(redactor.find("", key=key)) == []


@given(text=st.text(alphabet=st.characters(), max_size=300), key=st.sampled_from(KEYS))
def test_any_text_will_do(text: str, key: str | None) -> None:
    """Any characters, lone surrogates and control characters too, give spans inside the text."""
    for redactor in BUILT_IN.values():
        check_spans(list(redactor.find(text, key=key)), text)


PIECES = (
    "password", " = ", ": ", '"', "'", "\\", "\n", "=", "%2B", "://", "@", "user", ":", "Bearer ", "eyJ", ".", "--",
    "sk-", "ghp_", "\u00e9", "\U0001f600", "\ud83d", "AbC123xYz987QwErTy456UiOp", "0f" * 20, "cookie", ",", "(", ")",
    "+49 30 901820", "me@example.org", "4111 1111 1111 1111", "/home/me/x", "10.0.0.1", "8.8.4.4", " ",
)  # fmt: skip


@given(pieces=st.lists(st.sampled_from(PIECES), max_size=30), key=st.sampled_from(KEYS))
def test_pieces_of_secrets_will_do(pieces: list[str], key: str | None) -> None:
    """However pieces of secrets are put together: spans inside the text, and the same ones again."""
    text = "".join(pieces)
    for redactor in BUILT_IN.values():
        findings = list(redactor.find(text, key=key))
        check_spans(findings, text)
        assert findings == list(redactor.find(text, key=key))


def seconds(redactor: Redactor, text: str) -> float:
    """Measure the least of three runs, in seconds of this process."""
    best = float("inf")
    for _ in range(3):
        gc.disable()
        began = time.process_time()
        for _one in redactor.find(text):
            pass
        best = min(best, time.process_time() - began)
        gc.enable()
    return best


@pytest.mark.parametrize("name", HOSTILE)
def test_time_grows_with_the_text(redactor: Redactor, name: str) -> None:
    """Eight times the hostile text takes far less than the 64 times that squares would take."""
    small, large = HOSTILE[name](1 << 17), HOSTILE[name](1 << 20)
    check_spans(list(redactor.find(small)), small)
    assert seconds(redactor, large) < 28 * seconds(redactor, small) + 0.05


def test_an_unknown_name_is_told_the_known_ones() -> None:
    """The error names what there is."""
    with pytest.raises(DatasetError, match="unknown redactor 'secretz'; known: secrets, generic"):
        find("secretz")


class Stranger:
    """A redactor from outside the tree."""

    name = "stranger"
    version = "1"

    def find(self, text: str, *, key: str | None = None) -> Iterator[Finding]:
        yield from ()


def broken() -> Any:
    """Fail as a stranger's module may."""
    raise RuntimeError("no")


@pytest.mark.parametrize(
    ("loaded", "said"), [(Stranger, None), (object, "does not keep the promise"), (broken, "fails")]
)
def test_others_join_by_an_entry_point(
    monkeypatch: pytest.MonkeyPatch, loaded: Any, said: str | None
) -> None:
    """A plugin is found by its name; one that cannot be used is refused with its place."""

    class Point:
        value = "somebody:Stranger"

        def load(self) -> Any:
            return loaded() if loaded is broken else loaded

    monkeypatch.setattr(importlib.metadata, "entry_points", lambda **_: [Point()])
    if said is None:
        assert find("stranger").name == "stranger"
    else:
        with pytest.raises(DatasetError, match=said):
            find("stranger")
