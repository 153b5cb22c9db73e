"""Libraries, as data, and the union of their variables for a command of which nothing is known."""

from __future__ import annotations

from dolphin_logger.setup._api import Client

UPSTREAMS = {
    "openai": ("OPENAI_BASE_URL", "OPENAI_API_BASE"),
    "anthropic": ("ANTHROPIC_BASE_URL", "ANTHROPIC_API_URL", "ANTHROPIC_API_BASE"),
    "google": ("GOOGLE_GEMINI_BASE_URL", "GEMINI_API_BASE"),
    "ollama": ("OLLAMA_HOST", "OLLAMA_BASE_URL", "OLLAMA_API_BASE"),
}
UNION = {
    "OPENAI_BASE_URL": "{v1}",
    "OPENAI_API_BASE": "{v1}",
    "ANTHROPIC_BASE_URL": "{origin}",
    "GOOGLE_GEMINI_BASE_URL": "{origin}",
    "OLLAMA_HOST": "{origin}",
}

ANY = Client(
    name="any",
    title="the command",
    kind="sdk",
    page="sdks",
    dialect="openai.chat",
    vendors=("openai", "anthropic", "google", "ollama"),
    variables=UNION,
    upstreams=UPSTREAMS,
)

SDKS = (ANY,)
