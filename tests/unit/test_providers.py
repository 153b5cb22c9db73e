"""Providers: where a request goes and with which credentials."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from types import SimpleNamespace

import pytest

from dolphin_logger import providers
from dolphin_logger.config import ModelEntry, Secret
from dolphin_logger.errors import ConfigError
from dolphin_logger.providers import PROVIDERS, LocalProvider, Provider, find, known
from dolphin_logger.providers._api import Target

CHAT = "openai.chat"


def target(provider: str, **entry: object) -> Target:
    """Ask a provider where an entry's requests go."""
    found = find(provider)
    assert isinstance(found, Provider)
    return found.target(ModelEntry(provider, "m", **entry), CHAT)  # type: ignore[arg-type]


def test_every_provider_keeps_the_promise() -> None:
    """Each entry of the list is a provider under its own name."""
    assert list(PROVIDERS) == ["openai", "anthropic", "google", "ollama", "demo"]
    for name, provider in PROVIDERS.items():
        assert isinstance(provider, Provider | LocalProvider)
        assert provider.name == name


@pytest.mark.parametrize(
    ("provider", "base", "url"),
    [
        ("openai", None, "https://api.openai.com/v1/chat/completions"),
        (
            "openai",
            "https://api.hyprlab.io/private",
            "https://api.hyprlab.io/private/chat/completions",
        ),
        (
            "openai",
            "https://generativelanguage.googleapis.com/v1beta/",
            "https://generativelanguage.googleapis.com/v1beta/chat/completions",
        ),
        ("ollama", None, "http://localhost:11434/v1/chat/completions"),
        ("ollama", "http://box:1/v1/", "http://box:1/v1/chat/completions"),
        (
            "google",
            None,
            "https://generativelanguage.googleapis.com/v1beta/openai/chat/completions",
        ),
    ],
)
def test_address_is_base_and_path(provider: str, base: str | None, url: str) -> None:
    """With or without a final slash, the address is apiBase + /chat/completions."""
    assert target(provider, api_base=base).url == url


@pytest.mark.parametrize("provider", ["openai", "ollama", "google"])
def test_key_is_sent_as_bearer_when_there_is_one(provider: str) -> None:
    """A key becomes Authorization: Bearer among the secrets; without one nothing is sent."""
    assert target(provider).secrets == ()
    assert target(provider, api_key=Secret("k")).secrets == ((b"authorization", b"Bearer k"),)


def test_passthrough_sends_no_key_of_ours() -> None:
    """With PASSTHROUGH the word itself never goes out."""
    assert target("openai", api_key=Secret("PASSTHROUGH")).secrets == ()


def test_entry_adds_query_and_headers() -> None:
    """The entry's query is appended and escaped; its headers replace credentials of that name."""
    made = target(
        "openai",
        api_base="https://x.example/v1",
        api_key=Secret("k"),
        query=(("api-version", "2026-01-01"), ("a b", "&")),
        headers=(("Authorization", Secret("Other o")), ("api-key", Secret("z"))),
    )
    assert made.url == "https://x.example/v1/chat/completions?api-version=2026-01-01&a+b=%26"
    assert made.secrets == ((b"Authorization", b"Other o"), (b"api-key", b"z"))


@pytest.mark.parametrize(
    ("name", "value"), [("x-a", "v\r\nx: canary"), ("x-a\n", "canary"), ("", "canary"), ("x", "é")]
)
def test_no_header_can_end_its_line(name: str, value: str) -> None:
    """A name or value with a line break is refused, and not shown."""
    with pytest.raises(ConfigError) as caught:
        target("openai", headers=((name, Secret(value)),))
    assert "canary" not in str(caught.value)
    with pytest.raises(ConfigError):
        target("openai", api_key=Secret("k\r\nx: canary"))


def test_anthropic_says_when_it_comes() -> None:
    """The anthropic provider refuses, with the cure."""
    provider = PROVIDERS["anthropic"]
    assert isinstance(provider, Provider)
    assert "next one" in str(provider.refusal)
    with pytest.raises(ConfigError, match="OpenAI-compatible"):
        target("anthropic")


def test_other_dialects_are_refused() -> None:
    """A wire language that the provider does not speak is a configuration error."""
    provider = PROVIDERS["openai"]
    assert isinstance(provider, Provider)
    with pytest.raises(ConfigError, match="does not speak"):
        provider.target(ModelEntry("openai", "m"), "anthropic.messages")


def plug_in(monkeypatch: pytest.MonkeyPatch, loaded: object) -> list[str]:
    """Install a plugin named mine; the result lists its imports."""
    imported: list[str] = []

    def load() -> object:
        imported.append("x")
        if isinstance(loaded, Exception):
            raise loaded
        return loaded

    class Points(list[object]):
        names = frozenset({"mine"})

        def select(self, *, name: str) -> list[object]:
            return [SimpleNamespace(load=load, value="x:Mine")] if name == "mine" else []

    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: Points())
    return imported


def test_plugin_is_imported_only_when_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin's name is known without importing it; finding it does."""
    imported = plug_in(monkeypatch, type(PROVIDERS["openai"])(name="mine", default_base=None))
    assert "mine" in known()
    assert set(known()) == {*PROVIDERS, "mine"}
    assert "other" not in known()
    find("openai")
    assert imported == []
    assert find("mine").name == "mine"
    assert imported == ["x"]


@pytest.mark.parametrize("loaded", [ImportError("broken"), object(), PROVIDERS["openai"]])
def test_bad_plugin_is_a_configuration_error(
    monkeypatch: pytest.MonkeyPatch, loaded: object
) -> None:
    """A plugin that fails, or is no provider of that name, is named."""
    plug_in(monkeypatch, loaded)
    with pytest.raises(ConfigError, match="'mine'"):
        find("mine")


def test_unknown_provider_lists_the_known_ones() -> None:
    """Nobody of that name: the error lists who there is."""
    with pytest.raises(ConfigError, match="known: anthropic, demo"):
        find("nobody")


def test_the_list_imports_nothing_heavy() -> None:
    """Knowing the providers costs neither asyncio nor the demo's words."""
    code = f"import sys, {providers.__name__}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"asyncio", "ssl", "importlib.metadata", "random"} & set(loaded)
    assert "dolphin_logger.providers.demo.topics" not in loaded
