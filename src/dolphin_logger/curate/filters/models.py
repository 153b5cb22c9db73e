"""Models: conversations in which another model answered too.

Selection looks at the model of one record; this looks at every model of the conversation, which is
what teaching by one model's answers needs. It knows names. Invariant: a conversation of which no
model is known is refused when only some are wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import ClassVar

from dolphin_logger.example import Example


@dataclass(frozen=True, slots=True)
class Settings:
    """`only`: names of models, * for any end; each model of a conversation is one of them. Empty: any."""

    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Models:
    """Refuses conversations with answers of other models."""

    settings: Settings
    name: ClassVar[str] = "models"

    def reason(self, example: Example) -> str | None:
        """Name a model that is none of those wanted."""
        wanted = ", ".join(self.settings.only)
        models = [str(model) for model in example.metadata.get("models") or ()]
        if not models:
            return f"the model is not known, wanted {wanted}"
        for model in models:
            if not any(fnmatchcase(model, pattern) for pattern in self.settings.only):
                return f"the model {model!r} answered too, wanted {wanted}"
        return None


def make(settings: Settings) -> Models | None:
    """Make the filter; None when every model is welcome."""
    return Models(settings) if settings.only else None
