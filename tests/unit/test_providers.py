"""Providers: where a request goes and with which credentials."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from dolphin_logger import providers
from dolphin_logger.config import ModelEntry, Secret
from dolphin_logger.dialects import DIALECTS
from dolphin_logger.errors import ConfigError, RequestError
from dolphin_logger.providers import PROVIDERS, LocalProvider, Provider, find, known
from dolphin_logger.providers._api import AuthoringProvider, Target
from dolphin_logger.proxy.destination import Destination

CHAT = "openai.chat"
FULL = {
    "openai.chat": "/v1/chat/completions",
    "openai.responses": "/v1/responses",
    "anthropic.messages": "/v1/messages",
    "gemini": "/v1beta/models/m:generateContent",
    "ollama.chat": "/api/chat",
}
PRESETS = {
    "openrouter": "https://openrouter.ai/api/v1",
    "groq": "https://api.groq.com/openai/v1",
    "deepseek": "https://api.deepseek.com/v1",
    "mistral": "https://api.mistral.ai/v1",
    "xai": "https://api.x.ai/v1",
    "together": "https://api.together.xyz/v1",
    "azure": None,
    "vllm": "http://localhost:8000/v1",
    "llamacpp": "http://localhost:8080/v1",
    "lmstudio": "http://localhost:1234/v1",
}
GOOGLE = "https://generativelanguage.googleapis.com"


def target(
    provider: str, dialect: str = CHAT, *, path: str | None = None, **entry: object
) -> Target:
    """Ask a provider where an entry's requests go."""
    found = find(provider)
    assert isinstance(found, Provider)
    made = ModelEntry(provider, "m", **entry)  # type: ignore[arg-type]
    return found.target(made, dialect, path=path or FULL[dialect])


def test_every_provider_keeps_the_promise() -> None:
    """Each entry of the list is a provider under its own name, and speaks languages that there are."""
    assert list(PROVIDERS) == ["openai", "anthropic", "google", "ollama", "demo", *PRESETS]
    for name, provider in PROVIDERS.items():
        assert isinstance(provider, Provider | LocalProvider)
        assert provider.name == name
        assert provider.dialects <= set(DIALECTS)
    assert isinstance(PROVIDERS["anthropic"], AuthoringProvider)


@pytest.mark.parametrize(
    ("provider", "dialect", "base", "url"),
    [
        ("openai", CHAT, None, "https://api.openai.com/v1/chat/completions"),
        ("openai", CHAT, "https://x.example/private", "https://x.example/private/chat/completions"),
        ("openai", "openai.responses", None, "https://api.openai.com/v1/responses"),
        ("openai", CHAT, f"{GOOGLE}/v1beta/", f"{GOOGLE}/v1beta/chat/completions"),
        ("openrouter", "anthropic.messages", None, "https://openrouter.ai/api/v1/messages"),
        (
            "azure",
            CHAT,
            "https://x.example/openai/v1/",
            "https://x.example/openai/v1/chat/completions",
        ),
        ("ollama", CHAT, None, "http://localhost:11434/v1/chat/completions"),
        ("ollama", CHAT, "http://box:1/v1/", "http://box:1/v1/chat/completions"),
        ("ollama", "ollama.chat", None, "http://localhost:11434/api/chat"),
        ("ollama", "ollama.chat", "http://box:1", "http://box:1/api/chat"),
        ("ollama", "anthropic.messages", "http://box:1/v1/", "http://box:1/v1/messages"),
        ("google", CHAT, None, f"{GOOGLE}/v1beta/openai/chat/completions"),
        ("google", "gemini", None, f"{GOOGLE}/v1beta/models/m:generateContent"),
        (
            "google",
            "gemini",
            f"{GOOGLE}/v1beta/openai/",
            f"{GOOGLE}/v1beta/models/m:generateContent",
        ),
        ("google", "gemini", f"{GOOGLE}/v1", f"{GOOGLE}/v1beta/models/m:generateContent"),
        ("google", "gemini", f"{GOOGLE}/x", f"{GOOGLE}/x/v1beta/models/m:generateContent"),
        ("anthropic", "anthropic.messages", None, "https://api.anthropic.com/v1/messages"),
        (
            "anthropic",
            "anthropic.messages",
            "https://x.example/v1/",
            "https://x.example/v1/messages",
        ),
        (
            "anthropic",
            "anthropic.messages",
            "https://x.example/a",
            "https://x.example/a/v1/messages",
        ),
    ],
)
def test_address_is_base_and_path(provider: str, dialect: str, base: str | None, url: str) -> None:
    """With or without a final slash or a version, the address is apiBase and the vendor's path."""
    assert target(provider, dialect, api_base=base).url == url


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if name != "demo"])
@pytest.mark.parametrize(
    "path", ["/v1.evil.example/x", "/v1@evil.example/x", "/v1:80@evil.example/", "/v1evil"]
)
def test_no_path_changes_the_host(provider: str, path: str) -> None:
    """A path that begins like the version and goes on otherwise stays a path."""
    made = target(provider, "opaque", path=path, api_base="https://good.example")
    assert urlsplit(made.url).netloc == "good.example"
    assert urlsplit(made.url).path == path


@pytest.mark.parametrize(("provider", "base"), PRESETS.items())
def test_presets_know_their_address(provider: str, base: str | None) -> None:
    """A preset is an address; Azure has none of its own and says what is missing."""
    assert PROVIDERS[provider].default_base == base  # type: ignore[union-attr]
    if base is None:
        with pytest.raises(ConfigError, match=r"'m'.*needs an apiBase"):
            target(provider)
    else:
        assert target(provider).url == base + "/chat/completions"
    assert target(provider, api_base="http://own:1").url == "http://own:1/chat/completions"


@pytest.mark.parametrize(
    ("provider", "dialect", "field"),
    [
        ("openai", CHAT, (b"authorization", b"Bearer k")),
        ("openai", "openai.responses", (b"authorization", b"Bearer k")),
        ("groq", CHAT, (b"authorization", b"Bearer k")),
        ("openrouter", "anthropic.messages", (b"authorization", b"Bearer k")),
        ("ollama", CHAT, (b"authorization", b"Bearer k")),
        ("ollama", "ollama.chat", (b"authorization", b"Bearer k")),
        ("google", CHAT, (b"authorization", b"Bearer k")),
        ("google", "gemini", (b"x-goog-api-key", b"k")),
        ("anthropic", "anthropic.messages", (b"x-api-key", b"k")),
        ("azure", CHAT, (b"api-key", b"k")),
    ],
)
def test_key_is_sent_in_the_vendors_form(
    provider: str, dialect: str, field: tuple[bytes, bytes]
) -> None:
    """A key is one of the secrets, in one field; without a key, or with PASSTHROUGH, there is none."""
    base = "https://x.example/v1"
    assert target(provider, dialect, api_base=base, api_key=Secret("k")).secrets == (field,)
    assert target(provider, dialect, api_base=base).secrets == ()
    assert target(provider, dialect, api_base=base, api_key=Secret("PASSTHROUGH")).secrets == ()


def test_anthropic_has_a_version_to_fall_back_on() -> None:
    """2023-06-01 is a default, to be sent only where the client sends none; others have no default."""
    made = target("anthropic", "anthropic.messages", api_key=Secret("k"))
    assert made.defaults == ((b"anthropic-version", b"2023-06-01"),)
    assert target("openai").defaults == target("google", "gemini").defaults == ()


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
    assert made.secrets == ((b"authorization", b"Other o"), (b"api-key", b"z"))


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


@pytest.mark.parametrize(
    ("provider", "dialect"),
    [
        ("openai", "ollama.chat"),
        ("anthropic", "openai.embeddings"),
        ("google", "openai.completions"),
        ("demo", "openai.embeddings"),
    ],
)
def test_other_dialects_are_refused(provider: str, dialect: str) -> None:
    """A wire language that is neither spoken nor translated is refused, and what is spoken is named."""
    found = find(provider)
    assert dialect not in found.dialects
    with pytest.raises(RequestError, match=f"does not speak {dialect}; it speaks") as caught:
        Destination(ModelEntry(provider, "m"), found, dialect=dialect, path="/v1/x")
    assert caught.value.status == 404
    assert all(name in str(caught.value) for name in found.dialects)


@pytest.mark.parametrize(
    ("dialect", "path"),
    [
        ("anthropic.messages", "/v1/messages/count_tokens"),
        ("openai.responses", "/v1/responses/compact"),
        ("gemini", "/v1beta/models/{model}:countTokens"),
    ],
)
def test_only_questions_are_translated(dialect: str, path: str) -> None:
    """Counting and the like has no counterpart in another language: the client counts by itself."""
    entry = ModelEntry("openai", "m", dialect="openai.chat")
    with pytest.raises(RequestError, match=r"has no counterpart in openai\.chat") as caught:
        Destination(entry, find("openai"), dialect=dialect, path=path)
    assert caught.value.status == 404


def test_entry_chooses_the_language() -> None:
    """`dialect` wins over what the provider speaks too, where there is a translation, and only there."""
    google = find("google")
    native = ModelEntry("google", "m", dialect="gemini")
    chat = Destination(native, google, dialect="openai.chat", path="/v1/chat/completions")
    assert (chat.dialect, chat.translation is not None) == ("gemini", True)
    raw = Destination(native, google, dialect="openai.embeddings", path="/v1/embeddings")
    assert (raw.dialect, raw.translation) == ("openai.embeddings", None)
    plain = ModelEntry("google", "m")
    chat = Destination(plain, google, dialect="openai.chat", path="/v1/chat/completions")
    assert (chat.dialect, chat.translation) == ("openai.chat", None)


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

    def entry_points(*, group: str, name: str = "mine") -> Points:
        del group
        return Points([SimpleNamespace(load=load, value="x:Mine")] if name == "mine" else [])

    monkeypatch.setattr(importlib.metadata, "entry_points", entry_points)
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
    with pytest.raises(ConfigError, match="known: anthropic, azure, deepseek, demo"):
        find("nobody")


def test_the_list_imports_nothing_heavy() -> None:
    """Knowing the providers costs neither asyncio nor the demo's words."""
    code = f"import sys, {providers.__name__}; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"asyncio", "ssl", "importlib.metadata", "random"} & set(loaded)
    assert "dolphin_logger.providers.demo.topics" not in loaded
