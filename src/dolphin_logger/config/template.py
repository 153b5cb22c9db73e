"""The configuration that the first start creates: the built-in model, and examples to copy.

Invariant: an existing file is never touched, a reader never sees half a file, and nobody but its
owner can read it, whatever the umask.
"""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path
from typing import Any

from dolphin_logger.config.schema import json_schema
from dolphin_logger.errors import ConfigError

SCHEMA_NAME = "config.schema.json"
TEMPLATE: dict[str, Any] = {
    "$schema": f"./{SCHEMA_NAME}",
    "_help": "Keys that begin with _ or // are comments. Copy an example into models and set its "
    "key, or better ENV:NAME to take the key from an environment variable.",
    "models": [{"provider": "demo", "model": "demo", "publishable": False}],
    "_examples": {
        "openai": {
            "provider": "openai",
            "providerModel": "gpt-4.1",
            "model": "gpt4.1",
            "apiKey": "ENV:OPENAI_API_KEY",
        },
        "anthropic": {
            "provider": "anthropic",
            "providerModel": "claude-3-7-sonnet-latest",
            "model": "claude",
            "apiKey": "ENV:ANTHROPIC_API_KEY",
        },
        "google": {
            "provider": "google",
            "providerModel": "gemini-2.5-pro",
            "model": "gemini",
            "apiKey": "ENV:GEMINI_API_KEY",
        },
        "ollama": {"provider": "ollama", "providerModel": "dolphin3", "model": "dolphin"},
        "openrouter": {
            "provider": "openai",
            "model": "openrouter/*",
            "_model": "every name that begins so; without providerModel it goes out as sent",
            "apiBase": "https://openrouter.ai/api/v1",
            "apiKey": "ENV:OPENROUTER_API_KEY",
        },
        "any OpenAI-compatible server": {
            "provider": "openai",
            "providerModel": "my-model",
            "model": "local",
            "apiBase": "http://localhost:8000/v1",
            "apiKey": "ENV:MY_SERVER_KEY",
        },
    },
}


def create_template(path: Path) -> bool:
    """Create config.json and its schema beside it; False when there already is one.

    Raises:
        ConfigError: the folder or the file cannot be written.
    """
    try:
        if not path.parent.is_dir():
            path.parent.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileExistsError):
                path.parent.mkdir(mode=0o700)
            path.parent.chmod(0o700)
        created = _write_new(path, TEMPLATE)
        if created:
            _write_new(path.with_name(SCHEMA_NAME), json_schema(()))
    except OSError as fault:
        raise ConfigError(f"{path}: cannot be created: {fault.strerror}") from None
    return created


def _write_new(path: Path, value: dict[str, Any]) -> bool:
    """Write a file that appears whole or not at all, and only if there was none."""
    content = (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()
    draft = path.with_name(f".{path.name}.{os.urandom(6).hex()}")
    number = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(number, "wb") as file:
            if hasattr(os, "fchmod"):
                os.fchmod(number, 0o600)
            file.write(content)
        return _publish(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def _publish(draft: Path, path: Path) -> bool:
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    except OSError:
        # a file system without hard links: the check and the move are then two steps
        if path.exists():
            return False
        draft.replace(path)
    return True
