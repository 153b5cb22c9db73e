"""Marks by which clients' own requests are known: titles, suggestions, and histories made short.

A table of words that published clients put in front of them. It is only asked where neither ids nor
history say what a request is; a client that is not in it is judged by its tools and its history.
"""

from __future__ import annotations

import re
from typing import Final

_ASIDES: Final = (
    "### Task:",  # Open WebUI: titles, tags, follow-ups, queries
    "[SUGGESTION MODE:",  # Claude Code: what the user may type next
    "Please write a 5-10 word title",  # Claude Code
    "Generate a title for this conversation",  # opencode
    "Analyze *only* the content and structure of your immediately preceding",  # Gemini CLI: whose turn
)
_SHORTENED: Final = (
    "This session is being continued from a previous conversation",  # Claude Code
    "Another language model started to solve this problem",  # Codex
)
# how a client asks for a summary with which it will go on
_SUMMARY: Final = re.compile(r"summar|compact|hand-?off", re.IGNORECASE)
# what these clients ask without tools and without a history, they ask for themselves
ALWAYS_WITH_TOOLS: Final = frozenset(["claude-code", "gemini-cli", "opencode"])


def is_aside(*texts: str) -> bool:
    """Say whether one of these is a client's request of its own, beside the conversation."""
    return any(text.startswith(_ASIDES) for text in texts)


def is_shortened(*texts: str) -> bool:
    """Say whether one of these stands for a history that a client has made short."""
    return any(text.startswith(_SHORTENED) for text in texts)


def asks_summary(*texts: str) -> bool:
    """Say whether one of these asks for a summary."""
    return any(_SUMMARY.search(text) for text in texts)
