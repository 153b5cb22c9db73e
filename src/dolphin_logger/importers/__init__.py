"""Sessions that other programs wrote: the visible list of importers, and how others join it.

To add one: copy the smallest sibling, satisfy `_api.py`, add a line to `_BUILT_IN`. Outside the
tree: the same object under the entry-point group `dolphin_logger.importers`; it is imported only
when the command line names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from dolphin_logger.errors import SourceError
from dolphin_logger.importers._api import Importer
from dolphin_logger.importers.chatgpt import ChatGPT
from dolphin_logger.importers.claude_code import ClaudeCode
from dolphin_logger.importers.claude_export import ClaudeExport
from dolphin_logger.importers.codex import Codex
from dolphin_logger.importers.dolphin_logger import DolphinLogger
from dolphin_logger.importers.gateway_logs import HELICONE, LITELLM
from dolphin_logger.importers.gemini_cli import GeminiCLI
from dolphin_logger.importers.llm_logs import LlmLogs
from dolphin_logger.importers.open_webui import OpenWebUI
from dolphin_logger.importers.opencode import Opencode
from dolphin_logger.importers.pi import Pi
from dolphin_logger.plugins import load_plugin

GROUP: Final = "dolphin_logger.importers"

_BUILT_IN: Final[tuple[Importer, ...]] = (
    ClaudeCode(),
    Codex(),
    DolphinLogger(),
    ChatGPT(),
    ClaudeExport(),
    OpenWebUI(),
    GeminiCLI(),
    Opencode(),
    Pi(),
    LlmLogs(),
    LITELLM,
    HELICONE,
)
IMPORTERS: Final[Mapping[str, Importer]] = MappingProxyType(
    {importer.name: importer for importer in _BUILT_IN}
)


def find(name: str) -> Importer:
    """Find an importer by its name, importing its plugin if need be.

    Raises:
        SourceError: nobody has that name, or its plugin cannot be used.
    """
    if name in IMPORTERS:
        return IMPORTERS[name]
    found: Importer | None = load_plugin(
        GROUP, name, what="importer", promise=Importer, error=SourceError
    )
    if found is not None:
        return found
    raise SourceError(f"unknown source {name!r}; known: {', '.join(IMPORTERS)}")


def detect(head: bytes, name: str) -> Importer | None:
    """Choose the importer for a file by its first bytes."""
    for importer in _BUILT_IN:
        if importer.claims(head, name):
            return importer
    return None


__all__ = ["IMPORTERS", "Importer", "detect", "find"]
