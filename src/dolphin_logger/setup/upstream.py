"""Upstream: where a client's requests went before, so that they go on to the same place.

It reads variables and the client's own files. Invariant: an address of ours is never taken for an
upstream, and a user's gateway stays in the chain: its credentials reach nobody else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from dolphin_logger.config.values import UnfitError, read_base
from dolphin_logger.errors import ConfigError
from dolphin_logger.setup import codex
from dolphin_logger.setup._api import Client

IsOurs = Callable[[str], bool]
_EVERYWHERE = ("0.0.0.0", "::", "")  # noqa: S104 - what servers listen on, which is no address to call
_OLLAMA_PORT = 11434
_NAMES = {"anthropic": "claude-", "google": "gemini-", "openai": "gpt-"}  # how their models begin


def find_upstreams(
    client: Client, surroundings: Mapping[str, str], *, is_ours: IsOurs
) -> dict[str, str | None]:
    """Give, for each vendor of a client, the address of the user's gateway; None: the vendor's own.

    Raises:
        ConfigError: a variable holds what is no address.
    """
    found: dict[str, str | None] = {}
    for vendor in client.vendors:
        found[vendor] = None
        for variable in client.upstreams.get(vendor, ()):
            base = _read(vendor, variable, surroundings.get(variable, ""))
            if base is not None and not is_ours(base):
                found[vendor] = base
                break
    if client.name == "codex":
        found["openai"] = _codex(found["openai"], surroundings, is_ours=is_ours)
    return found


def serves(listed: list[dict[str, object]], vendor: str) -> bool:
    """Whether a model list has a wildcard that takes all of a vendor's models there."""
    usual = _NAMES.get(vendor, "*")  # begins like no wildcard but the one that takes all
    return any(
        entry.get("provider") == vendor
        and str(entry.get("id")).endswith("*")
        and usual.startswith(str(entry.get("id"))[:-1])
        for entry in listed
    )


def example_entry(vendor: str) -> dict[str, str]:
    """Make the entry of config.json that passes a vendor's models on with the caller's own key."""
    return {"provider": vendor, "model": _NAMES.get(vendor, "") + "*", "apiKey": "PASSTHROUGH"}


def _codex(base: str | None, surroundings: Mapping[str, str], *, is_ours: IsOurs) -> str | None:
    chosen = codex.own_provider(surroundings)
    if chosen is not None and not is_ours(chosen[1]):
        return _read("openai", "base_url", chosen[1])
    return codex.CHATGPT_BASE if codex.logged_in_by_chatgpt(surroundings) else base


def _read(vendor: str, variable: str, text: str) -> str | None:
    text = text.strip()
    if not text:
        return None
    if vendor == "ollama":
        text = _complete(text)
    if vendor == "groq":  # whose variable holds an origin, and whose API lies below it
        text = text.rstrip("/") + "/openai/v1"
    try:
        return read_base(text)
    except UnfitError as fault:
        raise ConfigError(f"{variable}: {fault}; unset it, or set it to an address") from None


def _complete(text: str) -> str:
    """Complete what OLLAMA_HOST may say: a host, a port, or both, and where to listen."""
    parts = urlsplit(text if "://" in text else f"http://{text}")
    try:
        port = parts.port or _OLLAMA_PORT
    except ValueError:
        return text
    host = parts.hostname or ""
    host = "127.0.0.1" if host in _EVERYWHERE else host
    host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{host}:{port}{parts.path}"
