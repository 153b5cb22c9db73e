"""The shapes of datasets: the visible list of exporters, and how others join it.

To add one: copy the smallest sibling, satisfy `_api.py`, add a line to `_BUILT_IN`. Outside the
tree: the same object under the entry-point group `dolphin_logger.exporters`; it is imported only
when a recipe names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dolphin_logger.errors import DatasetError
from dolphin_logger.exporters._api import Column, Exporter, Options, Row, UnfitError
from dolphin_logger.exporters._prepare import prepare
from dolphin_logger.exporters.alpaca import Alpaca
from dolphin_logger.exporters.atif import Atif
from dolphin_logger.exporters.chatml import ChatML
from dolphin_logger.exporters.kto import Kto
from dolphin_logger.exporters.log import Log
from dolphin_logger.exporters.messages import Messages
from dolphin_logger.exporters.openai import OpenAI
from dolphin_logger.exporters.openai_dpo import OpenAIDPO
from dolphin_logger.exporters.preference import Preference
from dolphin_logger.exporters.sharegpt import ShareGPT
from dolphin_logger.exporters.traces import Traces
from dolphin_logger.exporters.turns import Turns
from dolphin_logger.exporters.vision import Vision
from dolphin_logger.plugins import load_plugin

GROUP: Final = "dolphin_logger.exporters"

_BUILT_IN: Final[tuple[Exporter, ...]] = (
    Messages(),
    Turns(),
    Preference(),
    Kto(),
    OpenAI(),
    OpenAIDPO(),
    Log(),
    Vision(),
    ShareGPT(),
    Alpaca(),
    ChatML(),
    Traces(),
    Atif(),
)
EXPORTERS: Final[Mapping[str, Exporter]] = MappingProxyType(
    {exporter.name: exporter for exporter in _BUILT_IN}
)


def find(name: str) -> Exporter:
    """Find an exporter by its name, importing its plugin if need be.

    Raises:
        DatasetError: nobody has that name, or its plugin cannot be used.
    """
    if name in EXPORTERS:
        return EXPORTERS[name]
    found: Exporter | None = load_plugin(
        GROUP, name, what="exporter", promise=Exporter, error=DatasetError
    )
    if found is not None:
        return found
    raise DatasetError(f"unknown export {name!r}; known: {', '.join(EXPORTERS)}")


__all__ = [
    "EXPORTERS",
    "Column",
    "Exporter",
    "Options",
    "Row",
    "UnfitError",
    "find",
    "prepare",
]
