"""OpenAI's own client of Responses, with a model whose provider speaks chat completions only.

What the client makes of the answers, and what the provider gets when they are sent back, is written
out here by hand.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI

from tests.support.provider import DONE, FakeProvider, Received, Wire, chat_chunk
from tests.support.proxy import Proxy

PATCH = "*** Begin Patch\n+ä\n*** End Patch"
CUSTOM = {"type": "custom", "name": "patch", "description": "Edits files."}
SPACE = {
    "type": "namespace",
    "name": "lamps",
    "description": "Lamps.",
    "tools": [{"type": "function", "name": "set", "parameters": {"type": "object"}}],
}
TOOLS: Any = [CUSTOM, SPACE, {"type": "web_search"}]


class LocalModel:
    """A server of chat completions that answers turn by turn with these streams."""

    def __init__(self) -> None:
        self.turns: list[bytes] = []
        self.asked: list[dict[str, Any]] = []

    async def script(self, request: Received, wire: Wire) -> None:
        """Answer one request."""
        assert request.target == "/v1/chat/completions"
        self.asked.append(request.json())
        await wire.head(200, [("content-type", "text/event-stream")])
        turn = self.turns.pop(0)
        for place in range(0, len(turn), 50):
            await wire.chunk(turn[place : place + 50])
            await asyncio.sleep(0)
        await wire.end()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalModel, Proxy]]:
    """Run a model and a proxy in front of it."""
    model = LocalModel()
    with FakeProvider(model.script) as provider:
        entry = {"model": "m", "provider": "openai", "apiBase": provider.base, "apiKey": "sk-x"}
        config = {"models": [{**entry, "dialect": "openai.chat"}]}
        with Proxy(tmp_path_factory.mktemp("home"), config) as proxy:
            yield model, proxy


@pytest.fixture
def model(served: tuple[LocalModel, Proxy]) -> LocalModel:
    """Forget what was before this test."""
    served[0].turns, served[0].asked = [], []
    return served[0]


@pytest.fixture
def client(served: tuple[LocalModel, Proxy]) -> Iterator[OpenAI]:
    """Open OpenAI's client, which retries nothing."""
    with OpenAI(base_url=served[1].base, api_key="key-of-the-caller", max_retries=0) as client:
        yield client


def said(*deltas: dict[str, Any], finish: str = "stop") -> bytes:
    """Write a whole stream."""
    return b"".join(chat_chunk(delta) for delta in deltas) + chat_chunk({}, finish=finish) + DONE


def call(index: int, call_id: str, name: str, arguments: str) -> dict[str, Any]:
    """Write a call that comes at once."""
    function = {"name": name, "arguments": arguments}
    return {
        "tool_calls": [{"index": index, "id": call_id, "type": "function", "function": function}]
    }


CALLS = said(
    {"reasoning_content": "Hm."},
    {"content": "Now."},
    call(0, "call_1", "patch", json.dumps({"input": PATCH})),
    call(1, "call_2", "lamps__set", '{"on":true}'),
    finish="tool_calls",
)


@pytest.mark.parametrize("streamed", [True, False])
def test_calls_are_made_and_their_results_come_back(
    model: LocalModel, client: OpenAI, *, streamed: bool
) -> None:
    """The client sees its own tools called; the model gets its own words, calls and ids again."""
    model.turns = [CALLS, said({"content": "Done."})]
    asked: list[Any] = [{"role": "user", "content": "Go"}]
    if streamed:
        with client.responses.stream(model="m", input=asked, tools=TOOLS) as stream:
            answer: Any = stream.get_final_response()
    else:
        answer = client.responses.create(model="m", input=asked, tools=TOOLS)
    thought, message, patch, lamp = answer.output
    assert thought.content[0].text == "Hm."
    assert message.content[0].text == answer.output_text == "Now."
    assert (patch.type, patch.name, patch.input) == ("custom_tool_call", "patch", PATCH)
    assert (lamp.name, lamp.namespace, lamp.arguments) == ("set", "lamps", '{"on":true}')
    assert [tool.type for tool in answer.tools] == ["custom", "namespace", "web_search"]

    asked += [item.model_dump(exclude_unset=True) for item in answer.output]
    asked += [
        {"type": "custom_tool_call_output", "call_id": patch.call_id, "output": "patched"},
        {"type": "function_call_output", "call_id": lamp.call_id, "output": "lit"},
    ]
    last = client.responses.create(model="m", input=asked, tools=TOOLS)
    assert last.output_text == "Done."
    again = model.asked[1]["messages"]
    assert [message["role"] for message in again] == ["user", "assistant", "tool", "tool"]
    assert (again[1]["content"], again[1]["reasoning_content"]) == ("Now.", "Hm.")
    assert [(c["id"], c["function"]["name"]) for c in again[1]["tool_calls"]] == [
        ("call_1", "patch"),
        ("call_2", "lamps__set"),
    ]
    assert json.loads(again[1]["tool_calls"][0]["function"]["arguments"]) == {"input": PATCH}
    assert [message["content"] for message in again[2:]] == ["patched", "lit"]


def test_what_needs_a_memory_is_refused_before_the_provider_is_asked(
    model: LocalModel, client: OpenAI
) -> None:
    """A response that is stored nowhere cannot be continued, and the client is told the cure."""
    with pytest.raises(openai.BadRequestError, match="send the whole input") as caught:
        client.responses.create(model="m", input="hi", previous_response_id="resp_1")
    assert caught.value.param == "previous_response_id"
    assert model.asked == []


def test_a_stream_that_breaks_off_does_not_look_complete(model: LocalModel, client: OpenAI) -> None:
    """Without the end of its provider an answer has none: an agent asks again."""
    end = CALLS.index(b"data:", CALLS.index(b"call_1"))
    model.turns = [CALLS[:end]]
    seen: list[str] = []

    def read_all() -> None:
        with client.responses.stream(model="m", input="hi") as stream:
            seen.extend(event.type for event in stream)

    with pytest.raises(openai.APIError, match="broke off"):
        read_all()
    assert "response.output_text.delta" in seen
    assert "response.completed" not in seen
