"""How a provider is reached: Azure's fields, own certificates, an HTTPS proxy, the caller's own key."""

from __future__ import annotations

import base64
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
import trustme

from tests.support.provider import FakeProvider, answer, chat_answer
from tests.support.proxy import Proxy
from tests.support.tunnel import ConnectProxy

Start = Callable[..., Proxy]
JSON = {"content-type": "application/json"}
NAME = "api.example.test"


def everything_in(proxy: Proxy) -> bytes:
    """Read all that the proxy wrote, but its configuration."""
    paths = (
        path for path in proxy.home.rglob("*") if path.is_file() and path.name != "config.json"
    )
    return b"".join(path.read_bytes() for path in paths)


def entry(base: str, **more: Any) -> dict[str, Any]:
    """Write one model, `m`."""
    return {"provider": "openai", "model": "m", "apiBase": base, **more}


def test_azure(provider: FakeProvider, start_proxy: Start):
    """The key in `api-key`, the deployment in the address, the version in the query: ours, not the client's."""
    provider.script = answer(chat_answer())
    origin = provider.base.removesuffix("/v1")
    azure = entry(
        origin + "/openai/deployments/my-gpt",
        provider="azure",
        apiKey="azure-key-1234567",
        query={"api-version": "2026-01-01-preview"},
        headers={"x-ms-region": "north"},
    )
    proxy = start_proxy({"models": [azure]})
    body = orjson.dumps({"model": "m", "messages": []})
    fields = {**JSON, "api-key": "theirs", "authorization": "Bearer theirs", "x-ms-region": "south"}
    path = "/v1/chat/completions?api-version=1999&b=%20c"
    assert proxy.request("POST", path, body, fields).status == 200
    (request,) = provider.requests
    assert request.target == (
        "/openai/deployments/my-gpt/chat/completions?api-version=2026-01-01-preview&b=%20c"
    )
    assert [value for name, value in request.headers if name == "api-key"] == ["azure-key-1234567"]
    assert [value for name, value in request.headers if name == "x-ms-region"] == ["north"]
    assert request.header("authorization") is None
    proxy.record()
    assert b"azure-key-1234567" not in everything_in(proxy)


# --- TLS


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that no system trusts."""
    return trustme.CA()


@pytest.fixture
def secure(authority: trustme.CA) -> Iterator[FakeProvider]:
    """A provider under two names, with a certificate of that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(NAME, "127.0.0.1").configure_cert(context)
    with FakeProvider(answer(chat_answer()), tls=context) as provider:
        yield provider


@pytest.fixture
def ca_file(authority: trustme.CA, tmp_path: Path) -> str:
    """That authority's certificate."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(path)
    return str(path)


def test_a_model_has_its_own_authority(secure: FakeProvider, start_proxy: Start, ca_file: str):
    """With `caFile` the provider is trusted, for that model alone; without it TLS fails, and says so."""
    trusting = entry(secure.base, caFile=ca_file)
    proxy = start_proxy({"models": [trusting, entry(secure.base) | {"model": "plain"}]})
    for _ in range(2):  # the second one finds the trusting connection idle
        assert proxy.chat().status == 200
        failed = proxy.chat(model="plain")
        assert failed.status == 502
        assert failed.header("x-dolphin-error") == "tls"
        assert "certificate" in failed.json()["error"]["message"]
    assert len(secure.requests) == 2
    assert [record["outcome"] for record in proxy.records(4)] == ["completed", "provider_error"] * 2


def test_the_systems_authorities_are_those_of_the_environment(
    secure: FakeProvider, start_proxy: Start, ca_file: str
):
    """SSL_CERT_FILE is honoured."""
    proxy = start_proxy({"models": [entry(secure.base)]}, env={"SSL_CERT_FILE": ca_file})
    assert proxy.chat().status == 200


def test_another_name_in_the_certificate_is_refused(
    secure: FakeProvider, start_proxy: Start, ca_file: str
):
    """A trusted authority does not make one host another."""
    base = secure.base.replace("127.0.0.1", "localhost")
    failed = start_proxy({"models": [entry(base, caFile=ca_file)]}).chat()
    assert (failed.status, failed.header("x-dolphin-error")) == (502, "tls")
    assert not secure.requests


# --- an HTTPS proxy


@pytest.fixture
def tunnel(secure: FakeProvider) -> Iterator[ConnectProxy]:
    """An HTTP proxy that leads every name to the provider: no name needs DNS."""
    with ConnectProxy(secure.port) as running:
        yield running


USER, PASSWORD = "proxy-user", "proxy-pass%40word"
LOGIN = base64.b64encode(b"proxy-user:proxy-pass@word").decode()


@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "https_proxy", "ALL_PROXY"])
def test_a_provider_is_reached_through_a_proxy(
    secure: FakeProvider, tunnel: ConnectProxy, start_proxy: Start, ca_file: str, variable: str
):
    """CONNECT with the name, TLS with the provider itself, and the proxy's login nowhere else."""
    env = {variable: f"http://{USER}:{PASSWORD}@{tunnel.address}"}
    proxy = start_proxy({"models": [entry(f"https://{NAME}/v1", caFile=ca_file)]}, env=env)
    for _ in range(2):  # the second over the same tunnel
        assert proxy.chat().body == chat_answer()
    (head,) = tunnel.heads
    assert head.startswith(f"CONNECT {NAME}:443 HTTP/1.1\r\nhost: {NAME}:443\r\n")
    assert f"proxy-authorization: Basic {LOGIN}\r\n" in head
    assert [request.header("host") for request in secure.requests] == [NAME] * 2
    assert all(LOGIN not in str(request.headers) for request in secure.requests)
    proxy.records(2)
    for canary in (b"proxy-pass", LOGIN.encode()):
        assert canary not in everything_in(proxy)
        assert canary.decode() not in proxy.output()


def test_the_tunnel_does_not_replace_trust(
    secure: FakeProvider, tunnel: ConnectProxy, start_proxy: Start, ca_file: str
):
    """A proxy cannot pose as the provider: authority and name of the certificate are still judged."""
    models = [
        entry(f"https://{NAME}/v1"),
        entry("https://other.example.test/v1", caFile=ca_file) | {"model": "other"},
    ]
    proxy = start_proxy({"models": models}, env={"HTTPS_PROXY": f"http://{tunnel.address}"})
    for model in ("m", "other"):
        failed = proxy.chat(model=model)
        assert (failed.status, failed.header("x-dolphin-error")) == (502, "tls")
    assert len(tunnel.heads) == 2
    assert not secure.requests


@pytest.mark.parametrize(
    ("refusal", "words"),
    [
        ("407 Proxy Authentication Required", "refused: HTTP/1.1 407 Proxy Auth"),
        ("502 Bad Gateway", "refused: HTTP/1.1 502"),
    ],
)
def test_a_proxys_refusal_is_a_502_that_names_it(
    secure: FakeProvider, tunnel: ConnectProxy, start_proxy: Start, refusal: str, words: str
):
    """The message names proxy and reason, and not the login."""
    tunnel.refusal = refusal
    env = {"HTTPS_PROXY": f"http://{USER}:{PASSWORD}@{tunnel.address}"}
    proxy = start_proxy({"models": [entry(f"https://{NAME}/v1")]}, env=env)
    failed = proxy.chat()
    assert (failed.status, failed.header("x-dolphin-error")) == (502, "connect")
    message = failed.json()["error"]["message"]
    assert tunnel.address in message
    assert words in message
    assert proxy.record()["error"]["message"] == message
    assert b"proxy-pass" not in failed.body + everything_in(proxy)
    assert not secure.requests


def test_an_absent_proxy_is_a_502(start_proxy: Start):
    """A proxy that does not listen is named too, so that nobody looks for the fault at the provider."""
    env = {"HTTPS_PROXY": f"http://{USER}:{PASSWORD}@127.0.0.1:1"}
    failed = start_proxy({"models": [entry(f"https://{NAME}/v1")]}, env=env).chat()
    assert failed.status == 502
    assert "127.0.0.1:1 of HTTPS_PROXY" in failed.json()["error"]["message"]
    assert b"proxy-pass" not in failed.body


@pytest.mark.parametrize("env", [{}, {"NO_PROXY": f"other.test,{NAME}"}, {"no_proxy": "*"}])
def test_loopback_and_listed_names_go_past_the_proxy(
    secure: FakeProvider,
    tunnel: ConnectProxy,
    start_proxy: Start,
    ca_file: str,
    env: dict[str, str],
):
    """Loopback never goes through a proxy; a name in NO_PROXY neither (here it has no address at all)."""
    models = [
        entry(secure.base, caFile=ca_file),
        entry(f"https://{NAME}/v1", caFile=ca_file, timeouts={"connect": 3}) | {"model": "named"},
    ]
    proxy = start_proxy({"models": models}, env={"HTTPS_PROXY": f"http://{tunnel.address}", **env})
    assert proxy.chat().status == 200
    assert not tunnel.heads
    named = proxy.chat(model="named")
    if env:
        assert named.status in (502, 504)
        assert not tunnel.heads
    else:
        assert (named.status, len(tunnel.heads)) == (200, 1)


# --- the caller's own key

TOKEN = "our-own-token-123"
CALLER = {
    "bearer": ({"authorization": "Bearer caller-key-1"}, ""),
    "x-api-key": ({"x-api-key": "caller-key-1"}, ""),
    "goog": ({"x-goog-api-key": "caller-key-1"}, ""),
    "query": ({}, "?a=b&key=caller-key-1"),
}
SURFACES = {
    "openai": ("/v1/chat/completions", {"model": "openai", "messages": []}, ("bearer",)),
    "anthropic": ("/v1/messages", {"model": "anthropic", "messages": []}, ("bearer", "x-api-key")),
    "google": ("/v1beta/models/google:generateContent", {"contents": []}, ("goog", "query")),
}


@pytest.mark.parametrize(
    ("provider_name", "way"), [(name, way) for name, row in SURFACES.items() for way in row[2]]
)
def test_the_callers_key_reaches_the_configured_host_only(
    start_proxy: Start, provider_name: str, way: str
):
    """With PASSTHROUGH it goes in the field it came in (`?key=` in Google's); to other models never; nowhere else."""
    with FakeProvider(answer(b"{}")) as chosen, FakeProvider(answer(b"{}")) as other:
        entries = [
            entry(chosen.base, apiKey="PASSTHROUGH") | {"provider": name, "model": name}
            for name in SURFACES
        ]
        entries += [
            entry(other.base) | {"provider": name, "model": f"{name}-own"} for name in SURFACES
        ]
        proxy = start_proxy({"models": entries, "token": TOKEN})
        path, body, _ = SURFACES[provider_name]
        fields, query = CALLER[way]
        fields = {**JSON, **fields, "cookie": f"a={TOKEN}", "proxy-authorization": TOKEN}
        if "authorization" not in fields:
            fields["authorization"] = f"Bearer {TOKEN}"
        assert proxy.request("POST", path + query, orjson.dumps(body), fields).status == 200
        own_path = path.replace(f"/{provider_name}:", f"/{provider_name}-own:")
        own_body = orjson.dumps(
            body | ({"model": f"{provider_name}-own"} if "model" in body else {})
        )
        assert proxy.request("POST", own_path + query, own_body, fields).status == 200
        (passed,), (kept,) = chosen.requests, other.requests
        name, value = next(iter(fields.items())) if query else next(iter(CALLER[way][0].items()))
        name, value = next(iter(CALLER[way][0].items()), ("x-goog-api-key", "caller-key-1"))
        assert passed.target.endswith("?a=b") == bool(query)
        assert [v for n, v in passed.headers if n == name] == [value]
        assert "caller-key-1" not in f"{kept.target} {kept.headers}"
        assert TOKEN not in f"{passed.target} {passed.headers} {kept.target} {kept.headers}"
        proxy.records(2)
        assert b"caller-key-1" not in everything_in(proxy)
        assert TOKEN.encode() not in everything_in(proxy)


def test_the_callers_key_reaches_the_provider_of_a_translation(
    provider: FakeProvider, start_proxy: Start
):
    """Also where we write the request ourselves: the key alone, and our token never."""
    provider.script = answer(b'{"type":"error","error":{"type":"x","message":"no"}}', status=401)
    claude = entry(provider.base, apiKey="PASSTHROUGH") | {"provider": "anthropic"}
    proxy = start_proxy({"models": [claude], "token": TOKEN})
    body = orjson.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]})
    fields = {**JSON, "authorization": "Bearer caller-key-1", "openai-organization": "org"}
    assert proxy.request("POST", "/v1/chat/completions", body, fields).status == 401
    fields["authorization"] = f"Bearer {TOKEN}"
    assert proxy.request("POST", "/v1/chat/completions", body, fields).status == 401
    passed, kept = provider.requests
    assert passed.header("authorization") == "Bearer caller-key-1"
    assert passed.header("openai-organization") is None
    assert kept.header("authorization") is None
    proxy.records(2)
    assert b"caller-key-1" not in everything_in(proxy)
