"""google: Gemini at its OpenAI-compatible endpoint.

Source: https://ai.google.dev/gemini-api/docs/openai
"""

from __future__ import annotations

from dolphin_logger.providers._openai_compatible import OpenAICompatible

GOOGLE = OpenAICompatible(
    name="google", default_base="https://generativelanguage.googleapis.com/v1beta/openai"
)
