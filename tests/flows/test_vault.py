"""Signatures that a client drops come back to the provider: at once, after a restart, from another worker.

The client is OpenAI's official one and sends back only what its language has: text and calls.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from tests.support import languages as said
from tests.support.provider import FakeProvider
from tests.support.proxy import Proxy

USER = {"role": "user", "content": "lights?"}
TOOLS = [{"type": "function", "function": {"name": "lamp", "parameters": {"type": "object"}}}]
RESULT = {"role": "tool", "tool_call_id": "toolu_1", "content": "off"}


@pytest.fixture
def start(tmp_path: Path, provider: FakeProvider, start_proxy: Callable[..., Proxy]) -> Any:
    """Start a proxy on one and the same home; its provider speaks the Messages API."""
    provider.script = said.pieces_of(said.message_events(), headers=said.EVENT_STREAM)
    config = said.every_language(provider.base.removesuffix("/v1"))
    return lambda **settings: start_proxy(config | settings, home=tmp_path / "home")


def ask(proxy: Proxy, messages: list[Any], *, stream: bool, **headers: str) -> dict[str, Any]:
    """Ask; return the answer as a client that knows only its language keeps it."""
    with OpenAI(base_url=proxy.base, api_key="x", max_retries=0) as client:
        asked = {"model": "claude", "messages": messages, "tools": TOOLS, "extra_headers": headers}
        if stream:
            with client.chat.completions.stream(**asked) as events:
                message = events.get_final_completion().choices[0].message
        else:
            message = client.chat.completions.create(**asked).choices[0].message
    calls = [
        {
            "id": call.id,
            "type": "function",
            "function": {"name": call.function.name, "arguments": call.function.arguments},
        }
        for call in message.tool_calls
    ]
    return {"role": "assistant", "content": message.content, "tool_calls": calls}


def went_out(provider: FakeProvider) -> list[dict[str, Any]]:
    """Give the assistant's blocks of the last request that the provider got."""
    messages = provider.requests[-1].json()["messages"]
    (blocks,) = [message["content"] for message in messages if message["role"] == "assistant"]
    return blocks


@pytest.mark.parametrize("stream", [False, True])
def test_thoughts_come_back(start: Any, provider: FakeProvider, stream: bool):
    """The whole answer goes out again as the provider gave it, and nothing is listed as lost."""
    proxy = start()
    answer = ask(proxy, [USER], stream=stream)
    assert "reasoning_content" not in answer
    ask(proxy, [USER, answer, RESULT], stream=stream)
    assert went_out(provider) == said.MESSAGE["content"]
    assert proxy.records(2)[1]["translation"]["dropped"] == []


def test_after_a_restart(start: Any, provider: FakeProvider):
    """The vault lies on disk before the client has the end of its answer: kill -9 loses nothing."""
    proxy = start()
    answer = ask(proxy, [USER], stream=True)
    proxy.kill()
    ask(start(), [USER, answer, RESULT], stream=False)
    assert went_out(provider) == said.MESSAGE["content"]


def test_another_worker(start: Any, provider: FakeProvider):
    """Two proxies on one home: one answers, the other is asked next."""
    one, two = start(), start()
    answer = ask(one, [USER], stream=True)
    ask(two, [USER, answer, RESULT], stream=False)
    assert went_out(provider) == said.MESSAGE["content"]


def test_what_is_not_recorded_touches_no_disk(start: Any, provider: FakeProvider):
    """It is remembered by this process, and by nobody else."""
    proxy = start()
    hidden = {"x-no-log": "true"}
    answer = ask(proxy, [USER], stream=True, **hidden)
    ask(proxy, [USER, answer, RESULT], stream=False, **hidden)
    assert went_out(provider) == said.MESSAGE["content"]
    assert not list((proxy.home / "cache").rglob("*.jsonl"))
    proxy.kill()
    ask(start(), [USER, answer, RESULT], stream=False)
    assert [block["type"] for block in went_out(provider)] == ["text", "tool_use"]


def test_another_providers_calls_are_not_mixed_up(start: Any, provider: FakeProvider):
    """The same id at another host means another call."""
    proxy = start()
    answer = ask(proxy, [USER], stream=False)
    origin = provider.base.removesuffix("/v1").replace("127.0.0.1", "localhost")
    proxy.kill()
    config = said.every_language(origin)
    proxy.configure(config)
    ask(proxy.start(), [USER, answer, RESULT], stream=False)
    assert [block["type"] for block in went_out(provider)] == ["text", "tool_use"]
