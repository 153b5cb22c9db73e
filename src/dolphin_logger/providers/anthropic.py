"""anthropic: Claude over the Messages API.

Requests that arrive as Messages go through byte for byte. Requests that we author (translations) are
sent by the official SDK, imported when the first one comes, over a transport that is handed in.
Source: https://platform.claude.com/docs/en/api/messages
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from dolphin_logger.config import ModelEntry
from dolphin_logger.providers._api import LocalAnswer, Send, Target
from dolphin_logger.providers._target import base_of, build_target

VERSION = "2023-06-01"  # the newest one under which `temperature` and its like are accepted


@dataclass(slots=True)
class Anthropic:
    """Claude; `apiBase` is an origin with or without `/v1`."""

    name: str = "anthropic"
    default_base: str | None = "https://api.anthropic.com"
    dialects: frozenset[str] = frozenset(("anthropic.messages", "opaque"))

    def target(self, entry: ModelEntry, dialect: str, *, path: str) -> Target:
        """Say where requests in `dialect` for this model go."""
        del dialect
        base = base_of(entry, name=self.name, default=self.default_base).removesuffix("/v1")
        defaults = {"anthropic-version": VERSION}
        return build_target(entry, url=base + path, key_field="x-api-key", defaults=defaults)

    async def author(self, target: Target, body: dict[str, Any], *, send: Send) -> LocalAnswer:
        """Send a Messages request through the official SDK and give back the raw answer."""
        import asyncio  # noqa: PLC0415 - not needed to know that this provider exists

        sdk = await asyncio.to_thread(_load_sdk)
        answer: LocalAnswer = await sdk.create(target, body, send=send)
        return answer


def _load_sdk() -> ModuleType:
    """Import the SDK, which takes seconds, beside the event loop."""
    return importlib.import_module("dolphin_logger.providers._anthropic_sdk")


ANTHROPIC = Anthropic()
