"""Proposal: confirmed changes become one draft pull request, whatever happens on the way.

Each step looks first whether it was done already: a process may be killed anywhere, an answer may be
lost, a gateway may time out behind work that was done. What is remembered lies in one small file.
Invariants: for one hash there is one pull request; success means that its tree holds exactly the
confirmed files, read back from the Hub.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from dolphin_logger.errors import HubError
from dolphin_logger.journal.home import make_private_folder, open_private_file
from dolphin_logger.publish.changes import Changes, missing
from dolphin_logger.publish.hub import Hub, Pull
from dolphin_logger.publish.sending import PATIENCE, Advance, RefusedError, Sending

_TRIES: Final = 5
_LONGEST_WAIT: Final = (
    300.0  # seconds that a limit of the Hub is waited for; then the person decides
)
SIGN: Final = "(dolphin-logger)"  # ends the title of every pull request that this program opens
_MARK: Final = 12  # hexadecimal digits of the hash in the title


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered between two runs; `pull` is the number of the pull request.

    `is_done`: the pull request was seen to hold everything.
    """

    name: str
    digest: str
    base: str
    pull: int | None = None
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a person said yes to: these files, over this commit of the main branch."""

    changes: Changes
    base: str
    title: str
    description: str


class Proposal:
    """One publication on its way."""

    def __init__(
        self,
        hub: Hub,
        confirmed: Confirmed,
        *,
        memory: Path,
        advance: Advance,
        note: Callable[[str], object],
        patience: float = PATIENCE,
    ) -> None:
        self._hub = hub
        self._confirmed = confirmed
        self._memory = memory
        self._advance = advance
        self._note = note
        self._sending = Sending(hub, patience)
        self._mark = confirmed.changes.digest.removeprefix("sha256:")[:_MARK]

    def deliver(self) -> Pull:
        """Bring it to the Hub, or on from where it stopped; give the pull request.

        Raises:
            HubError: not now; running again goes on.
        """
        state = self._recall()
        pull = self._known_pull(state) or self._adopted() or self._opened()
        state = replace(state, pull=pull.number)
        self._remember(state)
        if pull.status != "merged":
            self._fill(pull)
            self._verify(pull)
        self._remember(replace(state, is_done=True))
        return pull

    def _known_pull(self, state: State) -> Pull | None:
        """Give the pull request that an earlier run opened, unless it was closed since."""
        if state.pull is None:
            return None
        pull = self._hub.pull(state.pull)
        return None if pull.status == "closed" else pull

    def _adopted(self) -> Pull | None:
        """Find one that was opened by a run that could not remember it."""
        user = self._hub.user()
        found = self._hub.pulls(containing=f"[{self._mark}]")
        ours = (pull for pull in found if pull.author == user and pull.status != "closed")
        return next(ours, None)

    def _opened(self) -> Pull:
        """Open it, looking after each failure whether it is there all the same."""
        if self._hub.head() != self._confirmed.base:
            raise HubError(
                f"{self._hub.name} changed since the review: run `dolphin-logger upload` again",
                status=409,
            )
        title = f"{self._confirmed.title} [{self._mark}] {SIGN}"
        for wait in self._waits():
            try:
                return self._hub.open_pull(title, self._confirmed.description)
            except HubError as error:
                if error.status is not None and error.status < 500:
                    raise
                fault = error
            self._note(f"{fault}; looking again in {wait:.0f} seconds")
            time.sleep(wait)
            found = self._adopted()
            if found is not None:
                return found
        raise fault

    def _fill(self, pull: Pull) -> None:
        """Commit what is not there yet; in halves when the Hub says that it is too much at once."""
        left = missing(self._confirmed.changes, self._hub.tree(pull.ref))
        if not left:
            return
        parts = [left]
        waits = iter(self._waits())
        while parts:
            part = missing(parts[0], self._hub.tree(pull.ref))
            if not part:
                parts.pop(0)
                continue
            try:
                self._sending.commit(
                    part,
                    revision=pull.ref,
                    parent=self._hub.head(pull.ref),
                    message=self._confirmed.title,
                    advance=self._advance,
                )
            except RefusedError as refusal:
                if refusal.status == 413 and len(part.additions) + len(part.deletions) > 1:
                    parts[:1] = _halves(part)
                    continue
                self._wait_or_raise(refusal, waits)

    def _wait_or_raise(self, refusal: RefusedError, waits: Iterator[float]) -> None:
        status = refusal.status
        if status == 409:
            raise refusal  # a lost answer was seen above, as a part that is there; this is somebody else
        if status is not None and status < 500 and status != 429:
            raise refusal
        wait = next(waits, None)
        if wait is None:
            raise refusal
        wait = refusal.wait if refusal.wait is not None else wait
        if wait > _LONGEST_WAIT:
            raise refusal
        self._note(f"{refusal}; trying again in {wait:.0f} seconds")
        time.sleep(wait)

    def _verify(self, pull: Pull) -> None:
        """Read back what the pull request holds, and compare it with what was confirmed."""
        changes, after = self._confirmed.changes, self._hub.tree(pull.ref)
        before = self._hub.tree(self._hub.base_of(pull))
        ours = {one.path for one in changes.additions} | set(changes.deletions)
        odd = [path for path in before.keys() | after.keys() if before.get(path) != after.get(path)]
        strange = sorted(set(odd) - ours)
        left = missing(changes, after)
        if left or strange:
            named = strange or [*(one.path for one in left.additions), *left.deletions]
            raise HubError(
                f"{pull.url} does not hold exactly what was confirmed ({', '.join(named[:3])}); "
                "close it and run `dolphin-logger upload` again"
            )

    def _recall(self) -> State:
        fresh = State(self._hub.name, self._confirmed.changes.digest, self._confirmed.base)
        known = recall(self._memory)
        return known if known and known.digest == fresh.digest else fresh

    def _remember(self, state: State) -> None:
        make_private_folder(self._memory.parent)
        new = self._memory.with_suffix(f".{os.getpid()}.part")
        new.unlink(missing_ok=True)
        with open(open_private_file(new), "w", encoding="utf-8") as file:  # noqa: PTH123  # a descriptor
            json.dump(asdict(state), file)
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._memory)

    def _waits(self) -> list[float]:
        return [float(2**n) for n in range(_TRIES)]


def recall(memory: Path) -> State | None:
    """Read what an earlier run remembered, if one did."""
    try:
        return State(**json.loads(memory.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def waiting(hub: Hub, *, memory: Path) -> list[Pull]:
    """List the pull requests of this program, anybody's, that nobody has merged or closed yet.

    One of ours that is still being filled is not among them.
    """
    state = recall(memory)
    filling = state.pull if state is not None and not state.is_done else None
    found = hub.pulls(containing=f"] {SIGN}")
    return [pull for pull in found if pull.status in ("draft", "open") and pull.number != filling]


def _halves(changes: Changes) -> list[Changes]:
    """Part changes in two."""
    if len(changes.additions) < 2:
        return [Changes(changes.additions), Changes((), changes.deletions)]
    middle = len(changes.additions) // 2
    return [
        Changes(changes.additions[:middle]),
        Changes(changes.additions[middle:], changes.deletions),
    ]
