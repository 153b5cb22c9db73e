"""The cleaner: pieces of conversations in, the same pieces without what must not leave.

One cleaner serves one process; pieces of a conversation come one after the other and share
pseudonyms. `learn` first shows it pieces whose users it shall know in the others. It does not know
rows' shapes, files or recipes.
Invariants: a piece's shape never changes; what `clean` gave was searched again and held nothing;
no finding, path or message holds a value that was found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Final, TypeVar

from dolphin_logger.curate.redaction.canaries import Canaries
from dolphin_logger.curate.redaction.pseudonyms import Pseudonyms
from dolphin_logger.curate.redaction.search import Spot, search, settle
from dolphin_logger.curate.redaction.views import views
from dolphin_logger.curate.redaction.walk import Place, rewrite, strings, write_place
from dolphin_logger.example import Json, Piece
from dolphin_logger.redactors import Redactor
from dolphin_logger.redactors.own import Own
from dolphin_logger.redactors.paths import Names, Paths

AnyPiece = TypeVar("AnyPiece", bound=Piece)

_ROUNDS: Final = 4  # a span that went may leave half of another one behind
_CACHED: Final = 32_000_000  # characters of texts whose spots are remembered
_LEAST_NUMBER: Final = 10**6
_LEAST_TOLD: Final = 5  # characters of a placeholder; paths with names are longer
_PLAIN_KEYS_WORDS: Final = """
content text value reasoning_content thinking prompt completion chosen rejected output input
instruction description body message data result response command arguments
"""
_PLAIN_KEYS: Final = frozenset(
    _PLAIN_KEYS_WORDS.split()
)  # names that say nothing of what they name


_FOR_NAMES: Final = ("known", "secrets", "own")  # redactors that search names of programs too


@dataclass(frozen=True, slots=True)
class Found:
    """A finding for the report: where and by which rule, never what.

    Attributes:
        path: of the value, with the names of data as they are after cleaning.
        start, end: in characters of the value as it was.
        identity: keyed; the same for the same value in all conversations.
    """

    record: str
    path: str
    start: int
    end: int
    rule: str
    kind: str
    identity: str


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A piece that may leave, and what was found in it."""

    piece: Any
    findings: list[Found]


class Cleaner:
    """Cleans and checks.

    Args:
        redactors: in any order; priorities decide between their findings.
        key: of the identities in the report.
        canaries: strings that end a build wherever they are met.
        own: strings of the user's that do not leave.
        names: of the machine's users and of the machine itself.
    """

    def __init__(
        self,
        redactors: Sequence[Redactor],
        *,
        key: bytes,
        canaries: Sequence[str] = (),
        own: Sequence[str] = (),
        names: Sequence[str] = (),
    ) -> None:
        self._redactors = [*redactors, *([Own(own)] if any(own) else [])]
        self._for_names = [one for one in self._redactors if one.name in _FOR_NAMES]
        self._key = key
        self.canaries = Canaries(canaries)
        self._always = frozenset(names)
        self._base: dict[tuple[str | None, str], list[Spot]] = {}
        self._cached = 0
        self._begin(None)

    def learn(self, piece: Piece) -> None:
        """Remember the users that a piece's paths name, for every piece of its conversation."""
        if piece.conversation != self._conversation:
            self._begin(piece.conversation)
        known = len(self._names)
        for value in _values(piece):
            for text in strings(value):
                if len(text) < _LEAST_TOLD:
                    continue
                if "home" in text or "Users" in text or "and Settings" in text:
                    self._names |= _users(text)
                if "_" in text and "<" in text:
                    self._pseudonyms.pass_over(text)
        if len(self._names) > known:
            self._extend()

    def clean(self, piece: AnyPiece, *, marked: Sequence[str] = ()) -> Cleaned:
        """Clean a piece; `marked` are texts that people marked in its conversation (`marks.py`).

        Raises:
            LeakError: a canary is in it.
        """
        self.learn(piece)
        if not self._marked.issuperset(marked):
            self._marked |= set(marked)
            self._extend()
        self.record = piece.id
        findings: list[Found] = []
        visitor = _Cleaning(self, findings, self._clean_names)
        changed: dict[str, Json] = {}
        for part in fields(piece):
            value = getattr(piece, part.name)
            if part.name in _PARTS:
                changed[part.name] = rewrite(_plain(value), visitor, place=(None, part.name))
        if isinstance(client := getattr(piece, "client", None), str):
            changed["client"] = visitor.named(client, (None, "client"))
        return Cleaned(_rebuilt(piece, changed), findings)

    def scan(self, row: Json) -> list[Found]:
        """Search a row again, as it would be written; what is found must keep it from leaving.

        Raises:
            LeakError: a canary is in it.
        """
        findings: list[Found] = []
        rewrite(row, _Scanning(self, findings, self._clean_names))
        return findings

    def _begin(self, conversation: str | None) -> None:
        self._conversation = conversation
        self.record = conversation or ""
        self._pseudonyms = Pseudonyms(self._key)
        self._names: set[str] = set(self._always)
        self._marked: set[str] = set()
        self._extend()

    def _extend(self) -> None:
        """Search also for what this conversation made known; what was cleaned before is cleaned anew."""
        self._more: list[Redactor] = []
        if self._names:
            self._more.append(Names(self._names))
        if self._marked:
            self._more.append(Own(self._marked, kind="MARKED", rule="marked"))
        self._clean_names: set[str] = set()
        self._held: dict[tuple[str | None, str], list[Spot]] = {}
        self._done: dict[tuple[str | None, str], tuple[str, list[Spot]]] = {}

    def spots(self, text: str, key: str | None) -> list[Spot]:
        """Give what must go from a text; `key` is the name of the value."""
        if key in _PLAIN_KEYS:
            key = None
        held = self._held.get((key, text))
        if held is None:
            base = self._base_spots(text, key)
            more = search(text, self._more, key=key) if self._more else []
            held = self._held[key, text] = settle(text, [*base, *more]) if base or more else []
        return held

    def _base_spots(self, text: str, key: str | None) -> list[Spot]:
        """Give what the redactors find; remembered across conversations, which share instructions and tools."""
        base = self._base.get((key, text))
        if base is None:
            if self._cached > _CACHED:
                self._base.clear()
                self._cached = 0
            base = self._base[key, text] = search(text, self._redactors, key=key)
            self._cached += len(text)
        return base

    def clean_text(self, text: str, key: str | None) -> tuple[str, list[Spot]]:
        """Give a text without its spots, and the spots; those of later rounds with their own offsets."""
        if key in _PLAIN_KEYS:
            key = None
        done = self._done.get((key, text))
        if done is None:
            new, every = text, list[Spot]()
            for _ in range(_ROUNDS):
                spots = self.spots(new, key)
                if not spots:
                    break
                every += spots
                new = self._replaced(new, spots)
            done = self._done[key, text] = new, every
        return done

    def _replaced(self, text: str, spots: Iterable[Spot]) -> str:
        pieces, place = [], 0
        for spot in spots:
            pieces.append(text[place : spot.start])
            if spot.hidden is None:
                pieces.append(self._pseudonyms.placeholder(spot.kind, spot.value))
            else:
                pieces.append(spot.hidden.encode(self.clean_text(spot.hidden.text, None)[0]))
            place = spot.end
        return "".join([*pieces, text[place:]])

    def name_spots(self, text: str) -> list[Spot]:
        """Give what must go from the name of a program or a model: secrets, and what people marked.

        It may look like a path, an address or a person and is none.
        """
        marked = [one for one in self._more if one.name == Own.name]
        return settle(text, search(text, [*self._for_names, *marked]))

    def clean_name(self, text: str, spots: list[Spot]) -> str:
        """Give a name without its spots."""
        return self._replaced(text, spots)

    def report(self, spots: Iterable[Spot], place: Place) -> list[Found]:
        """Say where something was found, and by which rule."""
        path = write_place(place)
        return [
            Found(
                self.record, path, spot.start, spot.end, spot.rule, spot.kind,
                self._pseudonyms.identity(spot.kind, spot.value),
            )
            for spot in spots
        ]  # fmt: skip


class _Looking:
    """What cleaning and scanning do alike."""

    def __init__(self, cleaner: Cleaner, findings: list[Found], clean_names: set[str]) -> None:
        self._cleaner = cleaner
        self._findings = findings
        self._has_canaries = bool(cleaner.canaries)
        self.clean_names = clean_names

    def kept(self, text: str, place: Place) -> None:
        """Look for canaries alone."""
        if self._has_canaries:
            cleaner = self._cleaner
            cleaner.canaries.check(text, record=cleaner.record, place=write_place(place))

    def named(self, text: str, place: Place) -> str:
        """Look for secrets alone."""
        self.kept(text, place)
        spots = self._cleaner.name_spots(text)
        self._findings.extend(self._cleaner.report(spots, place))
        return self._cleaner.clean_name(text, spots) if spots else text

    def number(self, number: int, key: str | None, place: Place) -> int:
        """Look at a number as at a text; one that must not leave becomes 0, so that it stays a number."""
        if -_LEAST_NUMBER < number < _LEAST_NUMBER:
            return number
        spots = self._cleaner.spots(str(number), key)
        if spots:
            self._findings.extend(self._cleaner.report(spots, place))
            return 0
        return number


class _Cleaning(_Looking):
    def text(self, text: str, key: str | None, place: Place) -> str:
        if self._has_canaries:
            self.kept(text, place)
        new, spots = self._cleaner.clean_text(text, key)
        if spots:
            self._findings.extend(self._cleaner.report(spots, place))
        return new


class _Scanning(_Looking):
    def text(self, text: str, key: str | None, place: Place) -> str:
        if self._has_canaries:
            self.kept(text, place)
        spots = self._cleaner.spots(text, key)
        if spots:
            self._findings.extend(self._cleaner.report(spots, place))
        return text


_PARTS_WORDS: Final = """
messages tools metadata prompt chosen rejected steps native request response
"""
_PARTS: Final = frozenset(_PARTS_WORDS.split())


def _values(piece: Piece) -> Iterable[Json]:
    return [_plain(getattr(piece, part.name)) for part in fields(piece) if part.name in _PARTS]


def _plain(value: Any) -> Json:
    """Give steps as JSON values; the rest is one."""
    if isinstance(value, list) and value and hasattr(value[0], "answers"):
        return [{part.name: getattr(step, part.name) for part in fields(step)} for step in value]
    return value


def _rebuilt(piece: Piece, changed: dict[str, Json]) -> Piece:
    steps = getattr(piece, "steps", None)
    if steps:
        changed["steps"] = [
            replace(step, **new) for step, new in zip(steps, changed["steps"], strict=True)
        ]
    rebuild: Callable[..., Piece] = replace
    return rebuild(piece, **changed)


def _users(text: str) -> set[str]:
    """Find the names of users in the paths of a text, also in one that is quoted in another."""
    shown = [text, *(view.text for view in views(text))]
    return {said[finding.start : finding.end] for said in shown for finding in Paths().find(said)}
