"""The shapes of datasets: the visible list of exporters, and how others join it.

To add one: copy the smallest sibling, satisfy `_api.py`, add a line to `_BUILT_IN`. Outside the
tree: the same object under the entry-point group `dolphin_logger.exporters`; it is imported only
when a recipe names it.
"""

from __future__ import annotations

from dolphin_logger.exporters._api import Column, Exporter, Options, Row, UnfitError
from dolphin_logger.exporters.alpaca import Alpaca
from dolphin_logger.exporters.atif import Atif
from dolphin_logger.exporters.chatml import ChatML
from dolphin_logger.exporters.sharegpt import ShareGPT
from dolphin_logger.exporters.traces import Traces

__all__ = ["Column", "Exporter", "Options", "Row", "UnfitError"]

_BUILT_IN: tuple[Exporter, ...] = (
    ShareGPT(),
    Alpaca(),
    ChatML(),
    Traces(),
    Atif(),
)
