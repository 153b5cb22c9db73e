"""Who answers: the visible list of providers, and how others join it.

To add one: copy the smallest sibling, satisfy `_api.py`, add a line to `_BUILT_IN`. Outside the
tree: the same object under the entry-point group `dolphin_logger.providers`; it is imported only
when the configuration names it, because this process holds API keys.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING

from dolphin_logger.errors import ConfigError
from dolphin_logger.plugins import load_plugin
from dolphin_logger.providers._api import LocalProvider, Provider
from dolphin_logger.providers.anthropic import ANTHROPIC
from dolphin_logger.providers.demo import DEMO
from dolphin_logger.providers.google import GOOGLE
from dolphin_logger.providers.ollama import OLLAMA
from dolphin_logger.providers.openai import OPENAI, PRESETS

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

GROUP = "dolphin_logger.providers"

_BUILT_IN: tuple[Provider | LocalProvider, ...] = (
    OPENAI,
    ANTHROPIC,
    GOOGLE,
    OLLAMA,
    DEMO,
    *PRESETS,
)
PROVIDERS: Mapping[str, Provider | LocalProvider] = {entry.name: entry for entry in _BUILT_IN}


def find(name: str) -> Provider | LocalProvider:
    """Find a provider by the name that the configuration uses, importing its plugin if need be.

    Raises:
        ConfigError: nobody has that name, or its plugin cannot be used.
    """
    if name in PROVIDERS:
        return PROVIDERS[name]
    found: Provider | LocalProvider | None = load_plugin(
        GROUP, name, what="provider", promise=Provider | LocalProvider, error=ConfigError
    )
    if found is not None:
        return found
    raise ConfigError(f"unknown provider {name!r}; known: {', '.join(sorted(known()))}")


def known() -> Collection[str]:
    """Give the names that `find` accepts; plugins are listed, not imported."""
    return _Known()


class _Known(Collection[str]):
    """Asks for plugins only when a name is not built in: looking for them costs milliseconds."""

    def __contains__(self, name: object) -> bool:
        return name in PROVIDERS or name in _plugins().names

    def __iter__(self) -> Iterator[str]:
        return iter(sorted({*PROVIDERS, *_plugins().names}))

    def __len__(self) -> int:
        return len(list(iter(self)))


def _plugins() -> EntryPoints:
    from importlib.metadata import entry_points  # noqa: PLC0415  # slow, and rarely needed

    return entry_points(group=GROUP)


__all__ = ["PROVIDERS", "LocalProvider", "Provider", "find", "known"]
