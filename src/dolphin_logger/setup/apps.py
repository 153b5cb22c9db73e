"""Programs with a window or a page of their own, as data.

Sources: each client's own documentation, named above it.
"""

from __future__ import annotations

from dolphin_logger.setup._api import Client, Edit, Place

# https://docs.openwebui.com/reference/env-configuration
OPEN_WEBUI = Client(
    name="open-webui",
    title="Open WebUI",
    kind="app",
    page="open-webui",
    dialect="openai.chat",
    vendors=("openai", "ollama"),
    programs=("open-webui",),
    install="python -m pip install open-webui",
    variables={
        "OPENAI_API_BASE_URL": "{v1}",
        "OPENAI_API_BASE_URLS": "{v1}",
        "OLLAMA_BASE_URL": "{origin}",
        "ENABLE_FORWARD_USER_INFO_HEADERS": "true",  # tells which chat a request belongs to
    },
    dummy="OPENAI_API_KEY",
    key_variables=("OPENAI_API_KEY", "OPENAI_API_KEYS"),
    upstreams={
        "openai": ("OPENAI_API_BASE_URL", "OPENAI_API_BASE_URLS"),
        "ollama": ("OLLAMA_BASE_URL",),
    },
    by_hand="Admin Panel → Settings → Connections → OpenAI API: set the URL to {v1}. What is set there"
    " wins over variables, which count at the first start only.",
)

# https://docs.continue.dev/reference
CONTINUE = Client(
    name="continue",
    title="Continue",
    kind="app",
    page="continue",
    dialect="openai.chat",
    vendors=(),
    edits=(
        Edit(
            Place("", "~/.continue", ("config.yaml",)),
            "yaml",
            beginning="name: Local Config\nversion: 1.0.0\nschema: v1\n",
            additions=(
                (
                    ("models",),
                    {
                        "name": "{model} (recorded)",
                        "provider": "openai",
                        "model": "{model}",
                        "apiBase": "{v1}",
                    },
                ),
            ),
        ),
    ),
    needs_model=True,
    after="Choose “{model} (recorded)” in Continue's list of models.",
)

# https://zed.dev/docs/ai/use-api-access
ZED = Client(
    name="zed",
    title="Zed",
    kind="app",
    page="zed",
    dialect="openai.chat",
    vendors=(),
    edits=(
        Edit(
            Place("", "~/.config/zed", ("settings.json",)),
            "json",
            {
                ("language_models", "openai_compatible", "dolphin"): {
                    "api_url": "{v1}",
                    "available_models": (
                        {
                            "name": "{model}",
                            "display_name": "{model} (recorded)",
                            "max_tokens": 128_000,
                        },
                    ),
                }
            },
        ),
    ),
    needs_model=True,
    after="Zed asks for a key of “dolphin” once (or takes DOLPHIN_API_KEY): any word will do unless the"
    " model passes your own key on. Then choose “{model} (recorded)” in the agent panel.",
)

# https://cursor.com/docs
CURSOR = Client(
    name="cursor",
    title="Cursor",
    kind="app",
    page="cursor",
    dialect="openai.chat",
    vendors=(),
    by_hand="Cursor cannot be led through a proxy on this computer: its own servers make the calls."
    " Its sessions lie in ~/.cursor/projects and can be imported instead, in a later version.",
)

APPS = (OPEN_WEBUI, CONTINUE, ZED, CURSOR)
