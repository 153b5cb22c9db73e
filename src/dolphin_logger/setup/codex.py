"""Codex: the arguments and the profile that lead it here depend on its login and on the provider that it is set to.

It reads `auth.json` and `config.toml` and never writes them; of the login it learns the kind, not
the token. Source: https://developers.openai.com/codex/config-reference
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dolphin_logger.setup._api import Circumstances, Client, Edit, Place, Template
from dolphin_logger.setup.reading import read_object

CONFIG = Place("CODEX_HOME", "~/.codex", ("config.toml",))
CHATGPT_BASE = "https://chatgpt.com/backend-api/codex"
_AUTH = Place("CODEX_HOME", "~/.codex", ("auth.json",))
_NAME = re.compile(r"[A-Za-z0-9_-]+")
_PROVIDER = "dolphin"
_PROFILE = Place("CODEX_HOME", "~/.codex", ("dolphin.config.toml",))


def adapt(client: Client, given: Circumstances) -> Client:
    """Choose the arguments and the profile: by the user's own provider and the login."""
    profile = Edit(
        _PROFILE, "toml", _profile(given), whole=True, with_model=frozenset([("model",)])
    )
    client = replace(client, edits=(profile,))
    chosen = own_provider(given.environ)
    if chosen is not None and not given.keyless:  # redirected: it knows where its credentials are
        name, _ = chosen
        here: dict[str, Template] = {"base_url": "{v1}", "supports_websockets": False}
        return replace(client, arguments=_set(f"model_providers.{name}", here))
    ours = _set(f"model_providers.{_PROVIDER}", _provider(given))
    return replace(client, arguments=("-c", f'model_provider="{_PROVIDER}"', *ours))


def _profile(given: Circumstances) -> dict[tuple[str, ...], Template]:
    table = ("model_providers", _PROVIDER)
    ours: dict[tuple[str, ...], Template] = {
        (*table, key): value for key, value in _provider(given).items()
    }
    return {("model",): "{model}", ("model_provider",): _PROVIDER, **ours}


def _provider(given: Circumstances) -> dict[str, Template]:
    return {
        "name": "OpenAI by dolphin-logger",
        "base_url": "{v1}",
        "wire_api": "responses",
        "supports_websockets": False,
        **authentication(given),
    }


def authentication(given: Circumstances) -> dict[str, Template]:
    """Say where Codex takes its credentials from: nowhere, its login, or the environment."""
    if given.keyless:
        return {}
    if given.environ.get("OPENAI_API_KEY") and not _AUTH.path(given.environ).exists():
        return {"env_key": "OPENAI_API_KEY"}
    return {"requires_openai_auth": True}


def own_provider(environ: Mapping[str, str]) -> tuple[str, str] | None:
    """Name the provider of the user's own that Codex is set to, and its address."""
    config = read_object(CONFIG.path(environ), "toml")
    name = config.get("model_provider")
    providers = config.get("model_providers")
    if not isinstance(name, str) or not isinstance(providers, dict) or not _NAME.fullmatch(name):
        return None
    base = providers[name].get("base_url") if isinstance(providers.get(name), dict) else None
    return (name, base) if isinstance(base, str) and base else None


def logged_in_by_chatgpt(environ: Mapping[str, str]) -> bool:
    """Whether Codex uses a ChatGPT login, whose requests go to another address than a key's."""
    login: dict[str, Any] = read_object(_AUTH.path(environ), "json")
    mode = login.get("auth_mode")
    if isinstance(mode, str):
        return mode == "chatgpt"
    return bool(login.get("tokens")) and not login.get("OPENAI_API_KEY")


def _set(table: str, settings: Mapping[str, Template]) -> tuple[Template, ...]:
    """Write settings as `-c table.key=value`; JSON strings and booleans are TOML's too."""
    return tuple(
        part
        for key, value in settings.items()
        for part in ("-c", f"{table}.{key}={json.dumps(value)}")
    )
