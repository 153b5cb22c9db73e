"""The ways in which a text says something that does not stand in it letter by letter.

Escapes (of JSON, once or more often), percent signs of addresses, and base64. A view is what the
text says, with the way back to where it says so. Knows no redactors. Invariants: linear time;
every span of a view maps to the span of the text that says it, whole escapes included.
"""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import Any, Final
from urllib.parse import unquote

from dolphin_logger.redactors.glance import OF_TEXT, TEXT, glance

_ESCAPED: Final = re.compile(r"\\(?:[nrt\"'/]|u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2})")
_ESCAPE: Final = re.compile(
    r"\\(?:\\*(?:u[0-9A-Fa-f]{4}|x[0-9A-Fa-f]{2}|[nrtbf\"'/])|\\+)"
)  # any number of backslashes: each time that a text is quoted doubles them
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}
_PERCENT: Final = re.compile(r"%(?:25)*[0-9A-Fa-f]{2}(?:%(?:25)*[0-9A-Fa-f]{2})*")
_AGAIN: Final = re.compile(r"%(?:25)+(?=[0-9A-Fa-f]{2})")
_MEDIA: Final = re.compile(
    r";base64,(?:iVBORw0KGgo|/9j/|R0lGOD|UklGR|JVBERi|AAAA|SUQz|T2dnUw|UEsDB|H4sI|Qk[0-9A-Za-z]|d09GMg|R0lm)"
    r"[A-Za-z0-9+/=]*"
)
_LEAST_GROUPS: Final = 4
_FIRST: Final = 256  # characters that are decoded before it is known whether they are text
_STANDARD: Final = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_FOR_URLS: Final = re.compile(r"[A-Za-z0-9_-]*={0,2}")
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class View:
    """What a text says.

    `_starts`: where pieces begin in the view; `_places`: where they begin in the text; a piece whose
    lengths differ is an escape.
    """

    text: str
    _starts: list[int]
    _places: list[int]
    _escapes: list[bool]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Give the span of the text that says this span of the view."""
        first = bisect_right(self._starts, start) - 1
        last = bisect_right(self._starts, max(start, end - 1)) - 1
        begin = self._places[first]
        if not self._escapes[first]:
            begin += start - self._starts[first]
        if self._escapes[last]:
            return begin, self._places[last + 1]
        return begin, self._places[last] + end - self._starts[last]


@dataclass(frozen=True, slots=True)
class Hidden:
    """A text in base64: the span that holds it, and what it says."""

    start: int
    end: int
    text: str
    is_for_urls: bool
    is_padded: bool

    def encode(self, text: str) -> str:
        """Write another text in its place as this one was written."""
        raw = text.encode("utf-8", "surrogatepass")
        written = base64.urlsafe_b64encode(raw) if self.is_for_urls else base64.b64encode(raw)
        return written.decode() if self.is_padded else written.decode().rstrip("=")


def views(text: str) -> Iterator[View]:
    """Give every other way to read a text; most have none."""
    if "\\" in text and _ESCAPED.search(text):
        yield _view(text, _ESCAPE, _unescape)
    if "%" in text and _PERCENT.search(text):
        yield _view(text, _PERCENT, _unquote)


def without_media(text: str) -> View | None:
    """Read a text without the pictures in it; None when it has none."""
    if ";base64," not in text or not _MEDIA.search(text):
        return None
    return _view(text, _MEDIA, lambda _: ";base64,", stop=len(text))


def hidden(text: str) -> Iterator[Hidden]:
    """Find texts in base64, of twelve bytes and more."""
    if TEXT not in glance(text):
        return
    done = 0
    if not text.isascii():
        text = text.encode(
            "utf-8", "replace"
        ).decode()  # half of a surrogate pair, which JSON may hold
    # of bytes RE2 need not count the characters
    for match in _base64().finditer(text.encode() if text.isascii() else text):
        if match.start() >= done and (found := _decode(text, match.start())) is not None:
            done = found.end
            yield found


def is_media(text: str) -> bool:
    """Say whether a text is nothing but a picture, a sound or a document, in base64."""
    if text.startswith("data:"):
        match = _MEDIA.search(text, 0, 256)
        return match is not None and _MEDIA.fullmatch(text, match.start()) is not None
    return len(text) >= 256 and _MEDIA.fullmatch(f";base64,{text}") is not None


def _view(
    text: str, pattern: re.Pattern[str], decode: Callable[[str], str], *, stop: int = -1
) -> View:
    """Read the text up to `stop`, and after it the lines that match: others say what they say already."""
    pieces: list[str] = []
    places: list[int] = []
    escapes: list[bool] = []
    place = 0

    def add(piece: str, at: int, *, is_escape: bool) -> None:
        pieces.append(piece)
        places.append(at)
        escapes.append(is_escape)

    for match in pattern.finditer(text):
        start, end = match.span()
        if start > stop:
            add(text[place : stop + 1], place, is_escape=False)
            place = text.rfind("\n", 0, start) + 1
            stop = text.find("\n", end)
            stop = len(text) if stop == -1 else stop
        if start > place:
            add(text[place:start], place, is_escape=False)
        add(decode(match.group()), start, is_escape=True)
        place = end
    add(text[place : stop + 1], place, is_escape=False)
    starts = [0, *accumulate(map(len, pieces))]
    return View("".join(pieces), starts[:-1], places, escapes)


def _unescape(written: str) -> str:
    body = written.lstrip("\\")
    if not body:
        return "\\"
    if len(body) > 1:
        char = chr(int(body[1:], 16))
        return char if not "\ud800" <= char <= "\udfff" else "\ufffd"
    return _LETTERS.get(body, body)


def _unquote(written: str) -> str:
    return unquote(_AGAIN.sub("%", written), errors="replace")


def _decode(text: str, start: int) -> Hidden | None:
    """Decode from here as far as it is text; a run that is none is not read to its end."""
    size = _FIRST
    while True:
        run = _run(text, start, start + size)
        body = run.group().rstrip("=")
        body = body[: len(body) - (len(body) % 4 == 1)]
        padding = "=" * (-len(body) % 4)
        raw = binascii.a2b_base64((body + padding).replace("-", "+").replace("_", "/"))
        said = _text_of(raw)
        length = len(said.encode())
        if length < len(raw) - 3 or run.end() < start + size:
            break
        size *= 4
    is_for_urls = "-" in body or "_" in body or text[run.end() : run.end() + 1] == "."
    if length == len(raw):
        is_padded = run.group().endswith("=") or not (padding or is_for_urls)
        return Hidden(start, run.end(), said, is_for_urls, is_padded)
    whole = length // 3 * 3
    if whole < _LEAST_GROUPS * 3:
        return None
    return Hidden(
        start, start + whole // 3 * 4, raw[:whole].decode("utf-8", "ignore"), is_for_urls, True
    )


def _run(text: str, start: int, stop: int) -> re.Match[str]:
    standard = _STANDARD.match(text, start, stop)
    for_urls = _FOR_URLS.match(text, start, stop)
    assert standard is not None
    assert for_urls is not None
    return standard if standard.end() >= for_urls.end() else for_urls


def _text_of(raw: bytes) -> str:
    """Read bytes as far as they are text."""
    try:
        said = raw.decode()
    except UnicodeDecodeError as error:
        said = raw[: error.start].decode()
    control = _CONTROL.search(said)
    return said if control is None else said[: control.start()]


@cache
def _base64() -> Any:
    import re2  # type: ignore[import-untyped]  # noqa: PLC0415  # only a build needs it

    return re2.compile(f"(?:{OF_TEXT}){{{_LEAST_GROUPS}}}")
