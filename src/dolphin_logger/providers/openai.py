"""openai: OpenAI itself, and every server that speaks its API at a given `apiBase`."""

from __future__ import annotations

from dolphin_logger.providers._openai_compatible import OpenAICompatible

OPENAI = OpenAICompatible(name="openai", default_base="https://api.openai.com/v1")
