"""Coding agents of the terminal, as data. `tried_with` is the version with which a row was tried.

Sources: each client's own documentation, named above it.
"""

from __future__ import annotations

from dolphin_logger.setup import codex
from dolphin_logger.setup._api import Client, Edit, Existing, Place, Template
from dolphin_logger.setup.plan import VARIABLES

_CLAUDE_SETTINGS = Place("CLAUDE_CONFIG_DIR", "~/.claude", ("settings.json",))
_CLAUDE_VARIABLES: dict[str, Template] = {
    "ANTHROPIC_BASE_URL": "{origin}",
    "ENABLE_TOOL_SEARCH": "true",  # another host switches the search for MCP tools off
}
_CLAUDE_MODELS = (
    "ANTHROPIC_MODEL",
    "ANTHROPIC_SMALL_FAST_MODEL",
    "ANTHROPIC_DEFAULT_OPUS_MODEL",
    "ANTHROPIC_DEFAULT_SONNET_MODEL",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL",
    "CLAUDE_CODE_SUBAGENT_MODEL",
)
_CLAUDE_MODEL_PATHS: frozenset[tuple[str, ...]] = frozenset(
    ("env", name) for name in _CLAUDE_MODELS
)

# https://code.claude.com/docs/en/llm-gateway, /settings and /model-config
CLAUDE_CODE = Client(
    name="claude-code",
    aliases=("claude",),
    title="Claude Code",
    kind="agent",
    page="claude-code",
    dialect="anthropic.messages",
    vendors=("anthropic",),
    programs=("claude", "~/.claude/local/claude", "~/.local/bin/claude"),
    install="npm install -g @anthropic-ai/claude-code",
    variables=_CLAUDE_VARIABLES,
    removed=("CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT"),
    # settings.json would win over variables, but not over this
    arguments=("--settings", {"env": VARIABLES}),
    yields_to=("--settings",),
    model_variables=dict.fromkeys(_CLAUDE_MODELS, "{model}"),
    dummy="ANTHROPIC_AUTH_TOKEN",
    key_variables=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    upstreams={"anthropic": ("ANTHROPIC_BASE_URL",)},
    existing=(Existing(_CLAUDE_SETTINGS, "json", ("env",)),),
    bypassed_by=("CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY"),
    edits=(
        Edit(
            _CLAUDE_SETTINGS,
            "json",
            {**{("env", name): value for name, value in _CLAUDE_VARIABLES.items()}}
            | dict.fromkeys(_CLAUDE_MODEL_PATHS, "{model}"),
            with_model=_CLAUDE_MODEL_PATHS,
        ),
    ),
    after="Start `claude` as always.",
    tried_with="2.1.197",
)

# https://developers.openai.com/codex/config-reference
CODEX = Client(
    name="codex",
    title="Codex CLI",
    kind="agent",
    page="codex",
    dialect="openai.responses",
    vendors=("openai",),
    programs=("codex", "~/.local/bin/codex"),
    install="npm install -g @openai/codex",
    model_arguments=("-c", 'model="{model}"'),
    upstreams={"openai": ("OPENAI_BASE_URL",)},
    existing=(Existing(codex.CONFIG, "toml", ("openai_base_url",), "OPENAI_BASE_URL"),),
    adapt=codex.adapt,
    after="Start it as `codex --profile dolphin`; without the profile Codex is as before.",
    tried_with="0.171.0",
)

_GEMINI_AUTH = ("security", "auth", "selectedType")
_GEMINI_ENV = Place("", "~/.gemini", (".env",))
_GEMINI_SETTINGS = Place("", "~/.gemini", ("settings.json",))
_GEMINI_WAY = "gemini selectedType"

# https://geminicli.com/docs/reference/configuration
GEMINI_CLI = Client(
    name="gemini-cli",
    aliases=("gemini",),
    title="Gemini CLI",
    kind="agent",
    page="gemini-cli",
    dialect="gemini",
    vendors=("google",),
    programs=("gemini",),
    install="npm install -g @google/gemini-cli",
    variables={"GOOGLE_GEMINI_BASE_URL": "{origin}"},
    model_variables={"GEMINI_MODEL": "{model}"},
    dummy="GEMINI_API_KEY",
    key_variables=("GEMINI_API_KEY",),
    upstreams={"google": ("GOOGLE_GEMINI_BASE_URL",)},
    existing=(
        Existing(_GEMINI_ENV, "dotenv", ()),
        Existing(_GEMINI_SETTINGS, "json", _GEMINI_AUTH, _GEMINI_WAY),
    ),
    bypassed_by=(
        "GOOGLE_GENAI_USE_VERTEXAI",
        "GOOGLE_GENAI_USE_GCA",
        f"{_GEMINI_WAY}=oauth-personal",
        f"{_GEMINI_WAY}=vertex-ai",
    ),
    wishes={
        _GEMINI_WAY: "Gemini CLI has no way to authenticate chosen yet, which it needs without a"
        " terminal: `dolphin-logger connect gemini-cli` chooses the API key"
    },
    edits=(
        Edit(
            _GEMINI_ENV,
            "dotenv",
            {("GOOGLE_GEMINI_BASE_URL",): "{origin}", ("GEMINI_MODEL",): "{model}"},
            with_model=frozenset([("GEMINI_MODEL",)]),
        ),
        Edit(
            _GEMINI_SETTINGS,
            "json",
            {_GEMINI_AUTH: "gemini-api-key"},
            only_absent=frozenset([_GEMINI_AUTH]),
        ),
    ),
    after="Start `gemini` as always, with GEMINI_API_KEY set; a project's own .env wins over this one.",
    tried_with="0.61.0",
)

_OPENCODE = Place("", "~/.config/opencode", ("opencode.json", "opencode.jsonc", "config.json"))
_OPENCODE_BASES: dict[str, Template] = {
    "anthropic": "{v1}",
    "openai": "{v1}",
    "google": "{origin}/v1beta",
}
_OPENCODE_OURS: dict[str, Template] = {
    "npm": "@ai-sdk/openai-compatible",
    "name": "dolphin-logger",
    "options": {"baseURL": "{v1}"},
    "models": {"{model}": {"name": "{model}"}},
}
_OPENCODE_MODEL: dict[tuple[str, ...], Template] = {
    ("provider", "dolphin"): _OPENCODE_OURS,
    ("model",): "dolphin/{model}",
    ("small_model",): "dolphin/{model}",
}

# https://opencode.ai/docs/config and /providers
OPENCODE = Client(
    name="opencode",
    title="opencode",
    kind="agent",
    page="opencode",
    dialect="openai.chat",
    vendors=("anthropic", "openai", "google"),
    programs=("opencode", "~/.opencode/bin/opencode"),
    install="npm install -g opencode-ai",
    variables={
        "OPENCODE_CONFIG_CONTENT": {
            "provider": {
                name: {"options": {"baseURL": base}} for name, base in _OPENCODE_BASES.items()
            }
        }
    },
    model_variables={
        "OPENCODE_CONFIG_CONTENT": {
            "provider": {"dolphin": _OPENCODE_OURS},
            "model": "dolphin/{model}",
            "small_model": "dolphin/{model}",
        }
    },
    upstreams={
        "anthropic": ("opencode anthropic baseURL", "ANTHROPIC_BASE_URL"),
        "openai": ("opencode openai baseURL", "OPENAI_BASE_URL"),
        "google": ("opencode google baseURL",),
    },
    existing=tuple(
        Existing(
            _OPENCODE, "json", ("provider", name, "options", "baseURL"), f"opencode {name} baseURL"
        )
        for name in _OPENCODE_BASES
    ),
    edits=(
        Edit(
            _OPENCODE,
            "json",
            {
                ("provider", name, "options", "baseURL"): base
                for name, base in _OPENCODE_BASES.items()
            }
            | _OPENCODE_MODEL,
            with_model=frozenset(_OPENCODE_MODEL),
        ),
    ),
    after="Start `opencode` as always.",
    tried_with="1.18.33",
)

_AIDER = Place("", "~", (".aider.conf.yml",))

# https://aider.chat/docs/config/options.html and /llms
AIDER = Client(
    name="aider",
    title="aider",
    kind="agent",
    page="aider",
    dialect="openai.chat",
    vendors=("openai", "anthropic", "ollama"),
    programs=("aider", "~/.local/bin/aider"),
    install="python -m pip install aider-install && aider-install",
    variables={
        "OPENAI_API_BASE": "{v1}",
        "AIDER_OPENAI_API_BASE": "{v1}",
        "ANTHROPIC_API_BASE": "{origin}",
        "ANTHROPIC_BASE_URL": "{origin}",
        "OLLAMA_API_BASE": "{origin}",
    },
    model_arguments=("--model", "openai/{model}", "--weak-model", "openai/{model}"),
    dummy="OPENAI_API_KEY",
    key_variables=("OPENAI_API_KEY",),
    upstreams={
        "openai": ("AIDER_OPENAI_API_BASE", "OPENAI_API_BASE", "OPENAI_BASE_URL"),
        "anthropic": ("ANTHROPIC_API_BASE", "ANTHROPIC_BASE_URL"),
        "ollama": ("OLLAMA_API_BASE",),
    },
    existing=(
        Existing(Place("", "~", (".env",)), "dotenv", ()),
        Existing(_AIDER, "yaml", ("openai-api-base",), "AIDER_OPENAI_API_BASE"),
    ),
    edits=(
        Edit(
            _AIDER,
            "yaml",
            {("openai-api-base",): "{v1}", ("model",): "openai/{model}"},
            additions=((("set-env",), "ANTHROPIC_API_BASE={origin}"),),
            with_model=frozenset([("model",)]),
        ),
    ),
    after="Start `aider` as always; a project's own .aider.conf.yml or .env wins over this one.",
    tried_with="0.86.2",
)

AGENTS = (CLAUDE_CODE, CODEX, GEMINI_CLI, OPENCODE, AIDER)
