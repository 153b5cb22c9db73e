"""ollama: models on this computer; no key is needed, one is sent if configured.

Source: https://docs.ollama.com/api/openai-compatibility
"""

from __future__ import annotations

from dolphin_logger.providers._openai_compatible import OpenAICompatible

OLLAMA = OpenAICompatible(name="ollama", default_base="http://localhost:11434/v1")
