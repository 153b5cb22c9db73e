"""The table of docs/reference/surfaces.md: each cell against the code, and by a real call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from dolphin_logger.config import ModelEntry
from dolphin_logger.dialects import DIALECTS
from dolphin_logger.errors import RequestError
from dolphin_logger.providers import PROVIDERS
from dolphin_logger.proxy.destination import Destination
from dolphin_logger.proxy.surfaces import find, take_apart
from tests.support.languages import content_events, message_events
from tests.support.provider import DONE, FakeProvider, Received, Wire, chat_stream
from tests.support.proxy import Proxy

PAGE = (Path(__file__).parents[2] / "docs/reference/surfaces.md").read_text()
CELL = ("raw", "translated", "itself", "refused")
PRESETS = {  # column, to the providers that it stands for
    "presets": ["groq", "deepseek", "mistral", "xai", "together", "azure"],
    "presets with Messages": ["openrouter", "vllm", "llamacpp", "lmstudio"],
}
HI = [{"role": "user", "content": "hi"}]
CALLS: dict[str, tuple[str, dict[str, object]]] = {
    "openai.chat": ("/v1/chat/completions", {"messages": HI}),
    "openai.responses": ("/v1/responses", {"input": "hi"}),
    "openai.completions": ("/v1/completions", {"prompt": "hi"}),
    "openai.embeddings": ("/v1/embeddings", {"input": "hi"}),
    "openai.audio": ("/v1/audio/speech", {"input": "hi", "voice": "alloy"}),
    "openai.images": ("/v1/images/generations", {"prompt": "hi"}),
    "openai.files": ("/p/{}/v1/files", {}),
    "anthropic.messages": ("/v1/messages", {"messages": HI, "max_tokens": 1}),
    "gemini": (
        "/v1beta/models/{}:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    ),
    "ollama.chat": ("/api/chat", {"messages": HI, "stream": False}),
    "ollama.generate": ("/api/generate", {"prompt": "hi", "stream": False}),
    "ollama.embed": ("/api/embed", {"input": "hi"}),
    "opaque": ("/p/{}/v1/other", {"a": 1}),
}

OURS = ("dolphin-logger/", "AsyncAnthropic/")
AUTHORED = {  # where translated requests go, and what is answered there
    "/chat/completions": [*chat_stream("hi"), DONE],
    "/v1/messages": message_events(),
    ":streamGenerateContent": content_events(),
}


def read_table() -> dict[tuple[str, str], str]:
    """Read the table: (surface, provider) to the cell's word."""
    rows = [line.strip("|").split("|") for line in PAGE.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in row] for row in rows]
    start = next(n for n, row in enumerate(cells) if row[:2] == ["surface", "openai"])
    header = cells[start]
    table = {}
    for row in cells[start + 2 :]:
        if len(row) != len(header):
            break
        for column, cell in zip(header[1:], row[1:], strict=True):
            for provider in PRESETS.get(column, [column]):
                table[row[0].strip("`"), provider] = cell
    return table


TABLE = read_table()


def test_the_table_is_whole() -> None:
    """Every surface, every provider, and only the words that are explained."""
    assert {surface for surface, _ in TABLE} == set(DIALECTS) == set(CALLS)
    assert {provider for _, provider in TABLE} == set(PROVIDERS)
    assert len(TABLE) == len(DIALECTS) * len(PROVIDERS)
    assert set(TABLE.values()) == set(CELL)
    for word in CELL:
        assert f"- **{word}**: " in PAGE


@pytest.mark.parametrize(("surface", "provider"), TABLE)
def test_the_code_agrees(surface: str, provider: str) -> None:
    """What the code would do with such a request is what the cell says."""
    entry = ModelEntry(provider, "m", api_base="http://127.0.0.1:1/v1")
    if TABLE[surface, provider] == "refused":
        with pytest.raises(RequestError, match=f"does not speak {surface}; it speaks ") as caught:
            Destination(entry, PROVIDERS[provider], dialect=surface, path="/v1/x")
        assert caught.value.status == 404
        return
    path = CALLS[surface][0].format("m")
    made = Destination(entry, PROVIDERS[provider], dialect=surface, path=path)
    word = "translated" if made.translation else "itself" if made.local else "raw"
    assert TABLE[surface, provider] == word


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeProvider, Proxy]]:
    """One model of each provider, all at one address."""

    async def script(request: Received, wire: Wire) -> None:
        place = next((place for place in AUTHORED if place in request.target), None)
        if place is not None and (request.header("user-agent") or "").startswith(OURS):
            await wire.head(200, [("content-type", "text/event-stream")])
            for event in AUTHORED[place]:
                await wire.chunk(event)
            await wire.end()
        else:
            await wire.head(200, [("content-type", "application/json")], length=2)
            await wire.chunk(b"{}")

    with FakeProvider(script) as provider:
        models = [
            {"provider": name, "model": name, "providerModel": "real", "apiBase": provider.base}
            for name in PROVIDERS
        ]
        with Proxy(tmp_path_factory.mktemp("home"), {"models": models}) as proxy:
            yield provider, proxy
            assert "Traceback" not in proxy.output(), proxy.output()


@pytest.mark.parametrize(("surface", "provider"), TABLE)
def test_a_call_agrees(running: tuple[FakeProvider, Proxy], surface: str, provider: str) -> None:
    """A request does what the cell says: as it is, translated, answered here, or 404 with the reason."""
    upstream, proxy = running
    upstream.requests.clear()
    path, body = CALLS[surface]
    named = body if "{}" in path else {"model": provider, **body}
    sent = orjson.dumps(named)
    got = proxy.request("POST", path.format(provider), sent, {"content-type": "application/json"})
    word = TABLE[surface, provider]
    if word == "refused":
        assert (got.status, got.header("x-dolphin-error")) == (404, "unknown_model")
        assert f"does not speak {surface}; it speaks ".encode() in got.body
        assert got.header("x-should-retry") == "false"
    else:
        assert got.status == 200, got.body
    asked = word == "raw" or (word == "translated" and provider != "demo")
    assert len(upstream.requests) == asked
    for request in upstream.requests:
        if word == "raw":
            assert request.body == sent.replace(
                b'"model":"%s"' % provider.encode(), b'"model":"real"'
            )
        else:
            assert sum(place in request.target for place in AUTHORED) == 1
            named = request.json().get("model", request.target)
            assert "real" in named


PATHS = re.findall(r"^\| `([a-z.]+)` \| (`(?:POST|GET).*)\|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("surface", "listed"), PATHS)
def test_the_listed_paths_belong_to_their_surface(surface: str, listed: str) -> None:
    """Every path of the second table is found, under the surface of its row."""
    method, found = "POST", 0
    for item in re.findall(r"`([^`]+)`", listed):
        words = item.split(" ")
        method = words[0] if words[0].isupper() else method
        if words[-1].startswith("/"):
            path = words[-1].replace("{id}", "x").replace("{model}:{action}", "m:generateContent")
            meant = find(method, take_apart(path))
            assert meant is not None
            assert meant.dialect == surface
            found += 1
    assert found


def test_every_surface_has_its_paths() -> None:
    """The second table has a row for each surface but the opaque one, whose paths are the others."""
    assert {surface for surface, _ in PATHS} == set(DIALECTS) - {"opaque"}
