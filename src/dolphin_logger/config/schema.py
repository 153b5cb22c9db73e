"""The JSON Schema of config.json (draft 2020-12), for editors and for `config schema`.

Describes what the readers accept without a warning; it does not know how they read it.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from dolphin_logger.config.entries import TARGETS

_COMMENTS = {"^(_|//)": True}
_TEXT = {"type": "string", "minLength": 1}
_SECONDS = {"type": "number", "exclusiveMinimum": 0, "maximum": 604800}


def _object(properties: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "patternProperties": _COMMENTS,
        "additionalProperties": False,
        **more,
    }


def json_schema(known_providers: Collection[str]) -> dict[str, Any]:
    """Describe config.json; with no provider given, any name of one is allowed."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "dolphin-logger configuration",
        **_object(_top_level(known_providers), required=["models"]),
    }


def _top_level(known_providers: Collection[str]) -> dict[str, Any]:
    strings = {"type": "array", "items": _TEXT}
    return {
        "$schema": {"type": "string"},
        "models": {"type": "array", "items": _entry(known_providers)},
        "host": {**_TEXT, "default": "127.0.0.1"},
        "port": {"type": "integer", "minimum": 0, "maximum": 65535, "default": 5001},
        "token": {"type": "string", "description": "What clients must send; ENV:NAME is better."},
        "allowedHosts": strings,
        "allowedOrigins": {"type": "array", "items": {"type": "string", "not": {"const": "*"}}},
        "timeouts": _timeouts(),
        "onClientDisconnect": {"enum": ["cancel", "drain"], "default": "cancel"},
        "onRecordFailure": {"enum": ["forward", "refuse"], "default": "forward"},
        "recordRaw": {"enum": ["whenNeeded", "always"], "default": "whenNeeded"},
        "suppress": {"type": "array", "items": _rule()},
        "sample": {"type": "number", "minimum": 0, "maximum": 1, "default": 1},
        "huggingface_repo": {"type": "string", "pattern": "^[^/ ]+/[^/ ]+$"},
        "uiPort": {"type": "integer", "minimum": 0, "maximum": 65535},
        "workers": {"type": "integer", "minimum": 1},
        "durability": {"enum": ["interval", "strict"]},
        "seal": {"type": "boolean", "default": True},
        "retention": _object(
            {
                "days": {"type": "number", "exclusiveMinimum": 0},
                "bytes": {"type": "integer", "exclusiveMinimum": 0},
            }
        ),
    }


def _entry(known_providers: Collection[str]) -> dict[str, Any]:
    provider = {"enum": sorted(known_providers)} if known_providers else _TEXT
    return _object(
        {
            "provider": {**provider, "description": "Who answers."},
            "model": {**_TEXT, "description": "The name that clients use; may end in *."},
            "providerModel": {**_TEXT, "description": "The name that goes out."},
            "apiBase": {"type": "string", "pattern": r"^https?://[^@?#\s]+$"},
            "apiKey": {"type": "string", "description": "The key, ENV:NAME or PASSTHROUGH."},
            "headers": {"type": "object", "additionalProperties": {"type": "string"}},
            "query": {"type": "object", "additionalProperties": {"type": "string"}},
            "timeouts": _timeouts(),
            "publishable": {"type": "boolean"},
            "caFile": {"type": "string"},
            "dialect": {"enum": list(TARGETS)},
            "translate": _object(
                {
                    "maxTokens": {"type": "integer", "minimum": 1, "default": 8192},
                    "forwardUser": {"type": "boolean", "default": False},
                    "systemInPlace": {"type": "boolean", "default": False},
                    "drop": {"type": "array", "items": _TEXT},
                }
            ),
            "fallback": True,
            "price": True,
        },
        required=["provider", "model"],
    )


def _timeouts() -> dict[str, Any]:
    defaults = {"connect": 10, "firstByte": 600, "idle": 300, "writeStall": 60}
    return _object({key: {**_SECONDS, "default": value} for key, value in defaults.items()})


def _rule() -> dict[str, Any]:
    names = ("model", "path", "client", "header", "pattern", "prefix")
    return _object(dict.fromkeys(names, _TEXT), minProperties=1)
