"""Redaction: what must not leave, found in parsed values and replaced.

    walk        which strings, under which name     views       other ways to read a text
    search      the findings of one text            pseudonyms  what takes their place
    canaries    what ends a build                   marks       what people marked
    cleaner     pieces in, clean pieces out; rows searched again

Nothing here knows a rule: those are redactors.
"""

from __future__ import annotations

from dolphin_logger.curate.redaction.cleaner import Cleaned, Cleaner, Found
from dolphin_logger.curate.redaction.marks import marked_text
from dolphin_logger.curate.redaction.pseudonyms import load_key

__all__ = ["Cleaned", "Cleaner", "Found", "load_key", "marked_text"]
