"""Which configured model a request means.

It knows names, entries and remembered ids, not HTTP. Exact names win; an entry that ends in `*` takes
what begins like it, the longest first; of two with one name, which only entries made in memory have, the
one whose provider speaks the request's language. A request without a model goes by an id that one of our answers
carried, or to the only entry that can be meant. Invariant: a key is never chosen by guess.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from dolphin_logger.config import Config, ModelEntry
from dolphin_logger.errors import RequestError

Speaks = Callable[[ModelEntry], bool]

_SHOWN_NAMES = 20
_REMEMBERED = 20_000
_ID = re.compile(r"(?:resp|file|batch|conv|msgbatch|vs|upload|cmpl|chatcmpl)[_-][A-Za-z0-9_-]+")


class Memory:
    """Which entry created an id; bounded, the oldest goes first. Survives a reload."""

    def __init__(self) -> None:
        self._entries: OrderedDict[str, str] = OrderedDict()

    def keep(self, answer: bytes, *, entry: str) -> None:
        """Take the first id out of an answer's beginning."""
        found = _ID.search(answer[:2048].decode("latin-1"))
        if found is not None:
            self._entries[found[0]] = entry
            if len(self._entries) > _REMEMBERED:
                self._entries.popitem(last=False)

    def entry_of(self, text: str) -> str | None:
        """Return the entry of the first known id in a path or body."""
        for found in _ID.finditer(text):
            entry = self._entries.get(found[0])
            if entry is not None:
                return entry
        return None


class Routes:
    """The models of one configuration, by name."""

    def __init__(self, config: Config) -> None:
        self._exact = {
            entry.model: entry for entry in config.models if not entry.model.endswith("*")
        }
        self._wildcards = sorted(
            (entry for entry in config.models if entry.model.endswith("*")),
            key=lambda entry: -len(entry.model),
        )
        self._rivals: dict[str, list[ModelEntry]] = {}
        for wildcard in self._wildcards:
            self._rivals.setdefault(wildcard.model, []).append(wildcard)
        self._all = config.models
        self._skipped = {skipped.model: skipped.reason for skipped in config.skipped}

    def find(self, name: str, speaks: Speaks | None = None) -> ModelEntry | None:
        """Return the entry that a model name means; `speaks` tells rivals of one name apart."""
        entry = self._exact.get(name)
        if entry is not None:
            return entry
        for wildcard in self._wildcards:
            if name.startswith(wildcard.model[:-1]):
                rivals = self._rivals[wildcard.model]
                if speaks is None or len(rivals) == 1:
                    return wildcard
                return next((rival for rival in rivals if speaks(rival)), wildcard)
        return None

    def by_name(self, name: Any, speaks: Speaks | None = None) -> ModelEntry:
        """Return the entry that a request's `model` means.

        Raises:
            RequestError: 400 without a usable name, 404 for one that is not configured.
        """
        if name is None:
            message = "you must provide a model parameter" + self._known()
            raise RequestError(message, status=400, kind="no_model", param="model")
        if not isinstance(name, str) or not name:
            message = f"`model` must be a non-empty string, not {_shorten(name)}"
            raise RequestError(message, status=400, kind="no_model", param="model")
        entry = self.find(name, speaks)
        if entry is None:
            raise self._unknown(name)
        return entry

    def by_prefix(self, name: str) -> ModelEntry:
        """Return the entry that `/p/<name>/` names: as it is written in the configuration.

        Raises:
            RequestError: 404.
        """
        for entry in self._all:
            if entry.model == name:
                return entry
        raise self._unknown(name)

    def only_one(self, speaks: Speaks) -> ModelEntry:
        """Return the only entry that can be meant by a request without a model.

        Raises:
            RequestError: 400 when there is none, or more than one.
        """
        candidates = [entry for entry in self._all if speaks(entry)]
        if len(candidates) == 1:
            return candidates[0]
        count = "no configured model" if not candidates else "more than one configured model"
        message = (
            f"this request names no model, and {count} can be meant: send it to"
            f" /p/<model>/… with a model of config.json{self._known()}"
        )
        raise RequestError(message, status=400, kind="no_model", param="model")

    def _unknown(self, name: str) -> RequestError:
        message = f"The model `{name[:200]}` does not exist in config.json"
        if name in self._skipped:
            message = f"The model `{name[:200]}` cannot be used: {self._skipped[name]}"
        elif near := get_close_matches(name[:200], self._exact, n=1):
            message += f"; did you mean `{near[0]}`?"
        return RequestError(
            message + self._known(),
            status=404,
            kind="unknown_model",
            param="model",
            code="model_not_found",
        )

    def _known(self) -> str:
        names = [*self._exact, *(entry.model for entry in self._wildcards)]
        if not names:
            return ". No model is configured"
        more = f" and {len(names) - _SHOWN_NAMES} more" if len(names) > _SHOWN_NAMES else ""
        return f". Configured: {', '.join(names[:_SHOWN_NAMES])}{more}"


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."
