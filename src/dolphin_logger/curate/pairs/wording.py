"""Wording: when two messages of a model say the same, and when one is only less of the other.

Clients change what they send back: white space, quotes, thoughts, calls, and what was too long. None of
that is a person's doing. It knows single messages, not where they stand.
Invariant: in doubt two wordings are the same, or nobody's edit: what is no proof makes no pair.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections import Counter
from typing import Final

from dolphin_logger.conversation import canonical
from dolphin_logger.conversation.canonical import MODEL, spoken
from dolphin_logger.messages import Message, Reasoning, Refusal, Text, ToolCall

_THOUGHTS: Final = re.compile(
    r"<(think|thinking|thought|reasoning|analysis)>.*?</\1>"
    r'|<details type="reasoning".*?</details>',
    re.DOTALL | re.IGNORECASE,
)
# templates that open the thought themselves leave only its end in the text
_UNOPENED: Final = re.compile(r"\A.*</(?:think|thinking)>", re.DOTALL)
_SINGLE: Final = "\u2018\u2019\u201a"
_DOUBLE: Final = "\u201c\u201d\u201e\u00ab\u00bb"
_DASHES: Final = "\u2010\u2011\u2012\u2013\u2014\u2212"
_UNSEEN: Final = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
_ALIKE: Final = str.maketrans(
    _SINGLE + _DOUBLE + _DASHES,
    "'" * len(_SINGLE) + '"' * len(_DOUBLE) + "-" * len(_DASHES),
    _UNSEEN,
)
_MARKS: Final = re.compile(r"(?:^|(?<=\s))[-*\u2022](?=\s)|[*_`#~]")  # of Markdown
_SPACE: Final = re.compile(r"\s+")
_GAP: Final = re.compile(r"(?:\.{3,}|\[[^\[\]]*\]|\([^()]*\)|<[^<>]*>)+")
_SENTENCE_END: Final = re.compile(r"[.!?\u3002\uff01\uff1f][\"')\]]*\Z")
_SPEAKER: Final = re.compile(r"[A-Za-z]{1,24}:")
_WORD: Final = re.compile(r"\w+")
# what clients write anew into instructions with every call: days and times
_MOMENT: Final = re.compile(
    r"\b\d+(?:[-/.:T]\d+)+(?:Z\b|[+-]\d\d:?\d\d)?(?:\s*[ap]m\b)?"
    r"|\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b"
    r"|\b(?:\d{1,2}(?:st|nd|rd|th)?\s+)?(?:january|february|march|april|may|june|july|august"
    r"|september|october|november|december)\b(?:\s+\d{1,2}(?:st|nd|rd|th)?\b)?(?:,?\s+\d{4}\b)?",
    re.IGNORECASE,
)


def plain(message: Message) -> str:
    """Give the text of a message without what clients change of their own accord; no white space, no Markdown."""
    text = _thoughtless(html.unescape(_text(message)))
    text = unicodedata.normalize("NFKC", text).translate(_ALIKE)
    return _SPACE.sub("", _MARKS.sub("", text))


def calls_of(message: Message) -> bytes:
    """Give the calls of a message in a form that says whether they are the same."""
    calls = tuple([part for part in message.parts if isinstance(part, ToolCall)])
    return canonical(Message(MODEL, calls))


def is_made_short(came_back: str, served: str) -> bool:
    """Say whether a plain text is what a client leaves of another one that was too long.

    A person takes off whole sentences at the end; programs cut anywhere, put a word into the gap, or
    cut where the model began to speak for somebody else.
    """
    if served.startswith(came_back):
        return not _SENTENCE_END.search(came_back) or bool(_SPEAKER.match(served, len(came_back)))
    return any(
        served.startswith(came_back[: gap.start()])
        and served.endswith(came_back[gap.end() :])
        and len(came_back) - len(gap.group()) < len(served)
        for gap in _GAP.finditer(came_back)
    )


def likeness(one: Message, other: Message) -> float:
    """Give the share of the shorter text's pairs of words (one word alone) that the longer one has too."""
    words = [_WORD.findall(_text(message).casefold()) for message in (one, other)]
    size = min(2, *map(len, words))
    pairs = [Counter(zip(*(each[at:] for at in range(size)), strict=False)) for each in words]
    shorter = min(pairs[0].total(), pairs[1].total())
    return (pairs[0] & pairs[1]).total() / shorter if shorter else 0.0


def without_thoughts(message: Message) -> Message:
    """Give a message as clients send it back: no reasoning, no white space around it."""
    others = [part for part in message.parts if not isinstance(part, Text | Refusal | Reasoning)]
    text = _thoughtless(spoken(message)).strip()
    return Message(message.role, (*([Text(text)] if text else ()), *others))


def lasting(instructions: str) -> str:
    """Give instructions without the moments in them."""
    return _SPACE.sub(" ", _MOMENT.sub("", instructions)).strip()


def _thoughtless(text: str) -> str:
    return _UNOPENED.sub("", _THOUGHTS.sub("", text))


def _text(message: Message) -> str:
    return "".join(part.text for part in message.parts if isinstance(part, Text | Refusal))
