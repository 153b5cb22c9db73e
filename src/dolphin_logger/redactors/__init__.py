"""What must not leave: the visible list of redactors, and how others join it.

To add one: copy the smallest sibling, satisfy `_api.py`, add a line to `_BUILT_IN`. Outside the
tree: the same object under the entry-point group `dolphin_logger.redactors`; it is imported only
when a recipe names it.
"""

from __future__ import annotations

from dolphin_logger.redactors._api import Finding, Redactor

__all__ = ["Finding", "Redactor"]
