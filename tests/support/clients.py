"""The official clients of four vendors, and one way to use them all."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import anthropic
import ollama
import openai
from google import genai

Ask = Callable[[Any, str], Any]


def _make(vendor: str, base: str, key: str, *, is_async: bool) -> Any:
    if vendor == "openai":
        make = openai.AsyncOpenAI if is_async else openai.OpenAI
        return make(base_url=base + "/v1", api_key=key, max_retries=0)
    if vendor == "anthropic":
        make = anthropic.AsyncAnthropic if is_async else anthropic.Anthropic
        return make(base_url=base, api_key=key, max_retries=0)
    if vendor == "google":
        client = genai.Client(api_key=key, http_options={"base_url": base})
        return client.aio if is_async else client
    make = ollama.AsyncClient if is_async else ollama.Client
    return make(host=base, headers={"authorization": f"Bearer {key}"})


@contextmanager
def client_of(vendor: str, base: str, key: str) -> Iterator[Any]:
    """Open an official client that never retries; `base` is an origin."""
    client = _make(vendor, base, key, is_async=False)
    try:
        yield client
    finally:
        client.close()


@asynccontextmanager
async def client_of_async(vendor: str, base: str, key: str) -> AsyncIterator[Any]:
    """Open the asynchronous one."""
    client = _make(vendor, base, key, is_async=True)
    try:
        yield client
    finally:
        await (client.aclose() if hasattr(client, "aclose") else client.close())


def plain(value: Any) -> Any:
    """Write what a client returned as plain values, without the header fields of its answer."""
    if hasattr(value, "model_dump"):
        if hasattr(value, "sdk_http_response"):
            value = value.model_copy(update={"sdk_http_response": None})
        return value.model_dump(mode="json", warnings=False)
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def ask(client: Any, call: Ask, model: str, how: str, final: str = "") -> Any:
    """Make a call and read what it returns to its end.

    `how` is `call`, `each` for what is iterated over, `helper` for a context that is iterated over
    and has the method `final`.
    """
    result = call(client, model)
    if how == "each":
        return plain(list(result))
    if how == "helper":
        with result as events:
            seen = plain(list(events))
            return seen, plain(getattr(events, final)())
    return plain(result)


async def ask_async(client: Any, call: Ask, model: str, how: str, final: str = "") -> Any:
    """Do the same with an asynchronous client."""
    result = call(client, model)
    if inspect.isawaitable(result):
        result = await result
    if how == "each":
        return plain([event async for event in result])
    if how == "helper":
        async with result as events:
            seen = plain([event async for event in events])
            return seen, plain(await getattr(events, final)())
    return plain(result)
