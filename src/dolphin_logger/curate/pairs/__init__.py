"""Preference pairs that nobody had to click: which of two answers was the better one.

    asking     who was asked the same, and who went on from it     wording    what says the same, and what less
    answers    the answers to one question                         said       a record's question and answers in words
    traffic    pairs that the traffic itself tells of              labelled   pairs that a person told of
    find       all of them, in order

It knows one conversation at a time, in words; no files, no recipe, no rows.
Invariant: a pair needs proof: that both answers were whole, given to the same words, and that one of
them was taken once both were there. What only looks like a choice gives none.
"""

from __future__ import annotations

from dolphin_logger.curate.pairs.find import find_pairs

__all__ = ["find_pairs"]
