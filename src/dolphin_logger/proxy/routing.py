"""Which configured model a request means.

It knows names and entries, not HTTP. Exact names win; an entry that ends in `*` takes what begins
like it, the longest first. Invariant: a key is never chosen by guess.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from dolphin_logger.config import Config, ModelEntry
from dolphin_logger.errors import RequestError

_SHOWN_NAMES = 20


class Routes:
    """The models of one configuration, by name."""

    def __init__(self, config: Config) -> None:
        self._exact = {
            entry.model: entry for entry in config.models if not entry.model.endswith("*")
        }
        wildcards = [entry for entry in config.models if entry.model.endswith("*")]
        self._wildcards = sorted(wildcards, key=lambda entry: -len(entry.model))
        self._skipped = {skipped.model: skipped.reason for skipped in config.skipped}

    def find(self, name: str) -> ModelEntry | None:
        """Return the entry that a model name means."""
        entry = self._exact.get(name)
        if entry is not None:
            return entry
        for wildcard in self._wildcards:
            if name.startswith(wildcard.model[:-1]):
                return wildcard
        return None

    def choose(self, request: dict[str, Any]) -> ModelEntry:
        """Return the entry that a request body means.

        Raises:
            RequestError: 400 without a usable `model`, 404 for one that is not configured.
        """
        name = request.get("model")
        if name is None:
            raise RequestError(
                "you must provide a model parameter" + self._known(),
                status=400,
                kind="no_model",
                param="model",
            )
        if not isinstance(name, str) or not name:
            raise RequestError(
                f"`model` must be a non-empty string, not {_shorten(name)}",
                status=400,
                kind="no_model",
                param="model",
            )
        entry = self.find(name)
        if entry is None:
            raise self._unknown(name)
        return entry

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
