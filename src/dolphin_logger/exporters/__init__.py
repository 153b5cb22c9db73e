"""The shapes of datasets: the visible list of exporters, and how others join it.

To add one: copy the smallest sibling, satisfy `_api.py`, add a line to `_BUILT_IN`. Outside the
tree: the same object under the entry-point group `dolphin_logger.exporters`; it is imported only
when a recipe names it.
"""

from __future__ import annotations

from dolphin_logger.exporters._api import Column, Exporter, Options, Row, UnfitError

__all__ = ["Column", "Exporter", "Options", "Row", "UnfitError"]
