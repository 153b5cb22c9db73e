"""Coding agents of the terminal, as data. What is written here was tried with `tried_with`.

Sources: each client's own documentation, named beside it.
"""

from __future__ import annotations

from dolphin_logger.setup import codex
from dolphin_logger.setup._api import Client, Existing, Place

_ANTHROPIC = {"anthropic": ("ANTHROPIC_BASE_URL",)}
_CLAUDE_SETTINGS = Place("CLAUDE_CONFIG_DIR", "~/.claude", ("settings.json",))
_CLAUDE_MODELS = {
    "ANTHROPIC_MODEL": "{model}",
    "ANTHROPIC_SMALL_FAST_MODEL": "{model}",
    "ANTHROPIC_DEFAULT_OPUS_MODEL": "{model}",
    "ANTHROPIC_DEFAULT_SONNET_MODEL": "{model}",
    "ANTHROPIC_DEFAULT_HAIKU_MODEL": "{model}",
    "CLAUDE_CODE_SUBAGENT_MODEL": "{model}",
}

# https://code.claude.com/docs/en/llm-gateway and /settings
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
    # another host switches the search for MCP tools off unless it is asked for
    variables={"ANTHROPIC_BASE_URL": "{origin}", "ENABLE_TOOL_SEARCH": "true"},
    removed=("CLAUDECODE", "CLAUDE_CODE_ENTRYPOINT"),
    arguments=("--settings", {"env": {}}),  # gets the variables: settings.json would win over them
    yields_to=("--settings",),
    model_variables=_CLAUDE_MODELS,
    dummy="ANTHROPIC_AUTH_TOKEN",
    key_variables=("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN"),
    upstreams=_ANTHROPIC,
    existing=(Existing(_CLAUDE_SETTINGS, "json", ("env",)),),
    bypassed_by=("CLAUDE_CODE_USE_BEDROCK", "CLAUDE_CODE_USE_VERTEX", "CLAUDE_CODE_USE_FOUNDRY"),
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
    tried_with="0.171.0",
)

AGENTS = (CLAUDE_CODE, CODEX)
