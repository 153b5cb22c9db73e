"""Header fields between vendors: each gets its own namespace, nobody another's, none of ours.

The client of each row sends every field at once, as a badly behaved one could; what a provider may
see of it is the table here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from tests.support.provider import FakeProvider, answer
from tests.support.proxy import Proxy, wait_for

NAMESPACES = {
    "openai": ["openai-beta", "openai-anything", "x-codex-turn-metadata", "chatgpt-account-id"],
    "anthropic": [
        "anthropic-version",
        "anthropic-beta",
        "anthropic-workspace-id",
        "anthropic-dangerous-direct-browser-access",
        "x-claude-code-session-id",
    ],
    "google": ["x-goog-api-client", "x-goog-user-project"],
}
COMMON = [
    "user-agent",
    "accept",
    "x-stainless-lang",
    "x-app",
    "originator",
    "session-id",
    "idempotency-key",
    "x-client-request-id",
    "x-of-no-meaning",
]
NEVER = [
    "x-dolphin-session-id",
    "x-dolphin-tag-team",
    "x-dolphin-anything",
    "x-no-log",
    "cookie",
    "referer",
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-real-ip",
    "sec-fetch-mode",
    "proxy-authorization",
    "te",
    "authorization",
    "x-api-key",
    "api-key",
    "x-goog-api-key",
    "openai-organization",
    "openai-project",
]
CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
GEMINI = "/v1beta/models/{}:generateContent"
ROWS = [  # provider, path, whose namespace reaches it
    ("openai", CHAT, "openai"),
    ("openai", "/v1/responses", "openai"),
    ("openai", "/v1/embeddings", "openai"),
    ("openai", "/p/{}/v1/batches", "openai"),
    ("groq", CHAT, "openai"),
    ("azure", CHAT, "openai"),
    ("openrouter", MESSAGES, "anthropic"),
    ("anthropic", MESSAGES, "anthropic"),
    ("anthropic", "/v1/messages/count_tokens", "anthropic"),
    ("anthropic", "/p/{}/v1/messages/batches", "anthropic"),
    ("google", GEMINI, "google"),
    ("google", CHAT, "google"),
    ("google", "/p/{}/v1beta/cachedContents", "google"),
    ("ollama", "/api/chat", None),
    ("ollama", MESSAGES, "anthropic"),
]
KEY_FIELDS = {"anthropic": "x-api-key", "azure": "api-key"}
KEYS = {name: f"canary-{name}-{os.urandom(6).hex()}" for name, _, _ in ROWS}


def sent_value(name: str) -> str:
    """Give each field a value that tells where it came from."""
    return f"value-of-{name}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeProvider, Proxy]]:
    """One provider under every name, with a key of its own for each."""
    with FakeProvider(answer(b"{}")) as provider:
        models = [
            {"provider": name, "model": name, "apiBase": provider.base, "apiKey": key}
            for name, key in KEYS.items()
        ]
        with Proxy(tmp_path_factory.mktemp("home"), {"models": models}) as proxy:
            yield provider, proxy


def call(proxy: Proxy, provider_name: str, path: str, fields: list[tuple[str, str]]) -> int:
    """Make one call with exactly these fields, repeats kept."""
    body = orjson.dumps({"model": provider_name, "messages": [], "input": "x", "max_tokens": 1})
    if path == "/v1/responses":
        body = orjson.dumps({"model": provider_name, "input": "x"})
    lines = [f"POST {path.format(provider_name)}?beta=true&key=value-of-key HTTP/1.1"]
    lines += [f"host: 127.0.0.1:{proxy.port}", f"content-length: {len(body)}"]
    lines += ["content-type: application/json", "connection: close"]
    lines += [f"{name}: {value}" for name, value in fields]
    with proxy.connect() as sock:
        sock.sendall("\r\n".join([*lines, "", ""]).encode() + body)
        return int(sock.recv(65536).split(b" ")[1])


@pytest.mark.parametrize(("name", "path", "namespace"), ROWS)
def test_only_its_own_fields_reach_a_vendor(
    running: tuple[FakeProvider, Proxy], name: str, path: str, namespace: str | None
) -> None:
    """Every field of the table is sent; what arrives is the vendor's own, the common ones and our key."""
    provider, proxy = running
    provider.requests.clear()
    everything = [*COMMON, *NEVER, *(field for fields in NAMESPACES.values() for field in fields)]
    fields = [(field, sent_value(field)) for field in everything if field != "x-no-log"]
    assert call(proxy, name, path, fields) == 200
    (request,) = provider.requests
    arrived = {key: value for key, value in request.headers if value.startswith("value-of-")}
    expected = COMMON + (NAMESPACES[namespace] if namespace else [])
    assert sorted(arrived) == sorted(expected)
    assert all(value == sent_value(key) for key, value in arrived.items())
    assert request.target.endswith("?beta=true")
    found = [value for value in KEYS.values() if value in str(request.headers)]
    assert found == [KEYS[name]]
    key_field = "x-goog-api-key" if name == "google" and path != CHAT else "authorization"
    assert KEYS[name] in (request.header(KEY_FIELDS.get(name, key_field)) or "")


def test_x_no_log_stays_here(running: tuple[FakeProvider, Proxy]) -> None:
    """It suppresses the record and is no provider's business."""
    provider, proxy = running
    provider.requests.clear()
    before = proxy.health()["suppressed"]
    assert (
        call(proxy, "anthropic", MESSAGES, [("X-No-Log", "true"), ("X-Dolphin-Tags", "a")]) == 200
    )
    assert not {"x-no-log", "x-dolphin-tags"} & {key for key, _ in provider.requests[0].headers}
    assert proxy.health()["suppressed"] == before + 1


@pytest.mark.parametrize(
    ("name", "path"), [(name, path) for name, path, own in ROWS if own == "anthropic"]
)
def test_anthropics_fields_are_untouched(
    running: tuple[FakeProvider, Proxy], name: str, path: str
) -> None:
    """The client's version, and every repeat of its betas in order and spelling."""
    provider, proxy = running
    provider.requests.clear()
    sent = [
        ("anthropic-beta", "one-2025-01-01,two"),
        ("anthropic-version", "2026-10-21"),
        ("anthropic-beta", "three , four;x=1"),
        ("anthropic-beta", "one-2025-01-01,two"),
    ]
    assert call(proxy, name, path, [(key.title(), value) for key, value in sent]) == 200
    arrived = [f for f in provider.requests[0].headers if f[0].lower().startswith("anthropic-")]
    assert arrived == sent


def test_without_a_version_ours_is_sent_to_anthropic_alone(
    running: tuple[FakeProvider, Proxy],
) -> None:
    """2023-06-01, where the client says nothing; no other provider gets one."""
    provider, proxy = running
    for name, path, _ in ROWS:
        provider.requests.clear()
        assert call(proxy, name, path, []) == 200
        expected = "2023-06-01" if name == "anthropic" else None
        assert provider.requests[0].header("anthropic-version") == expected


def test_what_connection_names_goes_no_further(running: tuple[FakeProvider, Proxy]) -> None:
    """A field that the client declares hop-by-hop is not passed on, on any surface."""
    provider, proxy = running
    for name, path, _ in ROWS:
        provider.requests.clear()
        fields = [("connection", "x-of-no-meaning"), ("x-of-no-meaning", "1")]
        assert call(proxy, name, path, fields) == 200
        assert provider.requests[0].header("x-of-no-meaning") is None


def test_nothing_of_all_this_is_recorded(running: tuple[FakeProvider, Proxy]) -> None:
    """No key of ours and no credential of the client's is on the disk or in the output."""
    _, proxy = running
    wait_for(lambda: proxy.health()["active"] == 0)
    credentials = ["authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie", "key"]
    canaries = [*KEYS.values(), *map(sent_value, credentials)]
    data: Any = proxy.output().encode()
    for path in proxy.home.rglob("*"):
        if path.is_file() and path.name != "config.json":
            data += path.read_bytes()
    assert b'"path":"/v1/messages?beta=true"' in data
    for canary in canaries:
        assert canary.encode() not in data, canary
