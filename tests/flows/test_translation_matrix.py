"""Every client's language with every provider's: a task with two parallel tool calls, by official clients.

Each provider is a fake that speaks its vendor's language; it thinks, says a word and calls two tools,
and answers with a text once it has both results. What it gets the second time is checked in its own
language, so that a translation that is wrong both ways does not look right.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.clients import client_of
from tests.support.provider import FakeProvider, Received, Wire
from tests.support.proxy import Proxy

ENTRIES = {
    "openai.chat": {"provider": "openai", "apiBase": "{}/v1"},
    "anthropic.messages": {"provider": "anthropic", "apiBase": "{}"},
    "gemini": {"provider": "google", "apiBase": "{}/v1beta", "dialect": "gemini"},
}
QUESTION = "Which is warmer, Oslo or Rome?"
PLACES = ("Oslo", "Rome")
RESULTS = {"Oslo": '{"celsius": 4}', "Rome": '{"celsius": 19}'}
FINAL = "Rome is wärmer \u2028 indeed."
SCHEMA = {"type": "object", "properties": {"place": {"type": "string"}}, "required": ["place"]}
WORD = "Looking."


# --- providers: what they say, and what they were told


def sse(*values: Any, named: bool = False, end: bytes = b"\n\n") -> list[bytes]:
    """Write events; those of Anthropic are named by their type."""
    return [
        (f"event: {value['type']}\n".encode() if named else b"")
        + b"data: "
        + json.dumps(value, ensure_ascii=False).encode()
        + end
        for value in values
    ]


def chat_says(delta: dict[str, Any] | None, finish: str | None = None) -> dict[str, Any]:
    """Write one chunk."""
    head = {"id": "chatcmpl-9", "object": "chat.completion.chunk", "created": 7, "model": "real"}
    usage = {"prompt_tokens": 30, "completion_tokens": 12, "total_tokens": 42}
    if delta is None:
        return {**head, "choices": [], "usage": usage}
    return {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}


def chat_calls() -> list[bytes]:
    """Think, say a word, call twice; the arguments come in pieces, interleaved."""
    calls = [
        {"index": n, "id": f"call_{n}", "type": "function", "function": {"name": "weather"}}
        for n in range(2)
    ]
    pieces = [
        {"tool_calls": [{"index": n, "function": {"arguments": piece}}]}
        for n, place in enumerate(PLACES)
        for piece in ('{"pla', f'ce": "{place}"}}')
    ]
    return [
        *sse(
            chat_says({"role": "assistant", "content": "", "reasoning_content": "Hm."}),
            chat_says({"content": WORD}),
            *(chat_says({"tool_calls": [call]}) for call in calls),
            *(chat_says(piece) for piece in pieces),
            chat_says({}, "tool_calls"),
            chat_says(None),
        ),
        b"data: [DONE]\n\n",
    ]


def chat_text() -> list[bytes]:
    """Answer with the text."""
    said = sse(chat_says({"content": FINAL}), chat_says({}, "stop"), chat_says(None))
    return [*said, b"data: [DONE]\n\n"]


def chat_told(body: dict[str, Any]) -> dict[str, Any]:
    """Read a second request of chat completions."""
    calls = [call for message in body["messages"] for call in message.get("tool_calls") or ()]
    return {
        "calls": {call["id"]: json.loads(call["function"]["arguments"]) for call in calls},
        "results": {
            message["tool_call_id"]: message["content"]
            for message in body["messages"]
            if message["role"] == "tool"
        },
        "tools": [tool["function"]["name"] for tool in body["tools"]],
    }


def message_says(
    blocks: list[dict[str, Any]], deltas: list[list[dict[str, Any]]], stop: str
) -> Any:
    """Write the events of a message."""
    usage = {"input_tokens": 30, "output_tokens": 1}
    head = {"id": "msg_9", "type": "message", "role": "assistant", "model": "real", "content": []}
    yield {"type": "message_start", "message": {**head, "stop_reason": None, "usage": usage}}
    for index, (block, pieces) in enumerate(zip(blocks, deltas, strict=True)):
        yield {"type": "content_block_start", "index": index, "content_block": block}
        for piece in pieces:
            yield {"type": "content_block_delta", "index": index, "delta": piece}
        yield {"type": "content_block_stop", "index": index}
    yield {
        "type": "message_delta",
        "delta": {"stop_reason": stop, "stop_sequence": None},
        "usage": {"output_tokens": 12},
    }
    yield {"type": "message_stop"}


def message_calls() -> list[bytes]:
    """Think with a seal, say a word, call twice."""
    tools = [
        {"type": "tool_use", "id": f"toolu_{n}", "name": "weather", "input": {}} for n in range(2)
    ]
    blocks = [
        {"type": "thinking", "thinking": "", "signature": ""},
        {"type": "text", "text": ""},
        *tools,
    ]
    deltas = [
        [
            {"type": "thinking_delta", "thinking": "Hm."},
            {"type": "signature_delta", "signature": "c2VhbA=="},
        ],
        [{"type": "text_delta", "text": WORD}],
        *(
            [
                {"type": "input_json_delta", "partial_json": piece}
                for piece in ("", '{"pla', f'ce": "{place}"}}')
            ]
            for place in PLACES
        ),
    ]
    return sse(*message_says(blocks, deltas, "tool_use"), named=True)


def message_text() -> list[bytes]:
    """Answer with the text."""
    said = message_says(
        [{"type": "text", "text": ""}], [[{"type": "text_delta", "text": FINAL}]], "end_turn"
    )
    return sse(*said, named=True)


def message_told(body: dict[str, Any]) -> dict[str, Any]:
    """Read a second Messages request; the thought has to be back, sealed, in front."""
    (assistant,) = [m["content"] for m in body["messages"] if m["role"] == "assistant"]
    assert assistant[0] == {"type": "thinking", "thinking": "Hm.", "signature": "c2VhbA=="}
    assert [b["type"] for b in assistant] == ["thinking", "text", "tool_use", "tool_use"]
    results = [b for b in body["messages"][-1]["content"] if b["type"] == "tool_result"]
    return {
        "calls": {b["id"]: b["input"] for b in assistant if b["type"] == "tool_use"},
        "results": {b["tool_use_id"]: text_of(b["content"]) for b in results},
        "tools": [tool["name"] for tool in body["tools"]],
    }


def text_of(content: Any) -> str:
    """Give the text of a result, a text or parts."""
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def gemini_says(parts: list[dict[str, Any]], finish: str | None = None) -> dict[str, Any]:
    """Write one piece of Gemini's stream."""
    candidate = {"content": {"role": "model", "parts": parts}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    usage = {"promptTokenCount": 30, "candidatesTokenCount": 12, "totalTokenCount": 42}
    head = {"modelVersion": "real", "responseId": "r9"}
    return {"candidates": [candidate], "usageMetadata": usage, **head}


def gemini_calls() -> list[bytes]:
    """Think, say a word, call twice in one step; the first call carries the signature."""
    calls = [{"functionCall": {"name": "weather", "args": {"place": place}}} for place in PLACES]
    calls[0]["thoughtSignature"] = "c2VhbA=="
    return sse(
        gemini_says([{"text": "Hm.", "thought": True}]),
        gemini_says([{"text": WORD}]),
        gemini_says(calls),
        gemini_says([{"text": ""}], "STOP"),
        end=b"\r\n\r\n",
    )


def gemini_text() -> list[bytes]:
    """Answer with the text."""
    return sse(gemini_says([{"text": FINAL}], "STOP"), end=b"\r\n\r\n")


def gemini_told(body: dict[str, Any]) -> dict[str, Any]:
    """Read a second request; the signature has to be back on its call. Gemini's calls have no ids."""
    (model,) = [c["parts"] for c in body["contents"] if c["role"] == "model"]
    calls = [part for part in model if "functionCall" in part]
    assert [part.get("thoughtSignature") for part in calls] == ["c2VhbA==", None]
    results = [
        part["functionResponse"]["response"]
        for content in body["contents"]
        for part in content["parts"]
        if "functionResponse" in part
    ]
    return {
        "calls": {str(n): part["functionCall"]["args"] for n, part in enumerate(calls)},
        "results": {str(n): json.dumps(result) for n, result in enumerate(results)},
        "tools": [d["name"] for tool in body["tools"] for d in tool["functionDeclarations"]],
    }


SPEAK: dict[
    str, tuple[Callable[[], list[bytes]], Callable[[], list[bytes]], Callable[..., Any]]
] = {
    "/chat/completions": (chat_calls, chat_text, chat_told),
    "/v1/messages": (message_calls, message_text, message_told),
    ":streamGenerateContent": (gemini_calls, gemini_text, gemini_told),
}
HAS_RESULTS = (b'"role":"tool"', b'"tool_result"', b'"functionResponse"')


async def play(request: Received, wire: Wire) -> None:
    """Call the tools, or answer when their results are there."""
    (place,) = [place for place in SPEAK if place in request.target]
    calls, text, _ = SPEAK[place]
    done = any(mark in request.body for mark in HAS_RESULTS)
    await wire.head(200, [("content-type", "text/event-stream")])
    for event in text() if done else calls():
        await wire.chunk(event)
    await wire.end()


# --- clients: each does the task as its users would, and returns the final text


def chat_client(client: Any, model: str, *, stream: bool) -> str:
    """OpenAI's client, chat completions."""
    tools = [{"type": "function", "function": {"name": "weather", "parameters": SCHEMA}}]
    messages: list[Any] = [{"role": "user", "content": QUESTION}]
    while True:
        asked = {"model": model, "messages": messages, "tools": tools}
        if stream:
            with client.chat.completions.stream(**asked) as events:
                message = events.get_final_completion().choices[0].message
        else:
            message = client.chat.completions.create(**asked).choices[0].message
        if not message.tool_calls:
            return message.content
        assert message.content == WORD
        calls = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.function.name, "arguments": call.function.arguments},
            }
            for call in message.tool_calls
        ]
        messages.append({"role": "assistant", "content": message.content, "tool_calls": calls})
        for call in message.tool_calls:
            result = RESULTS[json.loads(call.function.arguments)["place"]]
            messages.append({"role": "tool", "tool_call_id": call.id, "content": result})


def responses_client(client: Any, model: str, *, stream: bool) -> str:
    """OpenAI's client, Responses, without state at the provider."""
    tools = [{"type": "function", "name": "weather", "parameters": SCHEMA, "strict": False}]
    items: list[Any] = [{"role": "user", "content": QUESTION}]
    while True:
        asked = {"model": model, "input": items, "tools": tools, "store": False}
        if stream:
            with client.responses.stream(**asked) as events:
                response = events.get_final_response()
        else:
            response = client.responses.create(**asked)
        assert response.status == "completed"
        calls = [item for item in response.output if item.type == "function_call"]
        if not calls:
            return response.output_text
        assert response.output_text == WORD
        kept = [item for item in response.output if item.type != "reasoning"]
        items += [item.to_dict(exclude_unset=True) for item in kept]
        for item in items[-len(kept) :]:
            item.pop("parsed_arguments", None)
        for call in calls:
            result = RESULTS[json.loads(call.arguments)["place"]]
            items.append(
                {"type": "function_call_output", "call_id": call.call_id, "output": result}
            )


def messages_client(client: Any, model: str, *, stream: bool) -> str:
    """Anthropic's client."""
    tools = [{"name": "weather", "input_schema": SCHEMA}]
    messages: list[Any] = [{"role": "user", "content": QUESTION}]
    while True:
        asked = {"model": model, "messages": messages, "tools": tools, "max_tokens": 99}
        if stream:
            with client.messages.stream(**asked) as events:
                message = events.get_final_message()
        else:
            message = client.messages.create(**asked)
        assert message.usage.input_tokens == 30
        texts = "".join(block.text for block in message.content if block.type == "text")
        calls = [block for block in message.content if block.type == "tool_use"]
        assert message.stop_reason == ("tool_use" if calls else "end_turn")
        if not calls:
            return texts
        assert texts == WORD
        kept = [block.to_dict() for block in message.content if block.type != "thinking"]
        messages.append({"role": "assistant", "content": kept})
        results = [
            {"type": "tool_result", "tool_use_id": call.id, "content": RESULTS[call.input["place"]]}
            for call in calls
        ]
        messages.append({"role": "user", "content": results})


def gemini_client(client: Any, model: str, *, stream: bool) -> str:
    """Google's client; it gets the answer's own parts back, and no ids are made up."""
    declared = [{"name": "weather", "parameters_json_schema": SCHEMA}]
    config = {"tools": [{"function_declarations": declared}]}
    contents: list[Any] = [{"role": "user", "parts": [{"text": QUESTION}]}]
    while True:
        asked = {"model": model, "contents": contents, "config": config}
        answers = (
            list(client.models.generate_content_stream(**asked))
            if stream
            else [client.models.generate_content(**asked)]
        )
        parts = [
            part
            for answer in answers
            for part in (
                answer.candidates[0].content.parts if answer.candidates[0].content else None
            )
            or ()
        ]
        texts = "".join(part.text or "" for part in parts if not part.thought)
        calls = [part.function_call for part in parts if part.function_call]
        if not calls:
            return texts
        assert texts == WORD
        kept = [{"text": WORD}]
        for call in calls:
            named = {"id": call.id, "name": call.name, "args": call.args}
            kept.append(
                {"function_call": {key: value for key, value in named.items() if value is not None}}
            )
        contents.append({"role": "model", "parts": kept})
        answered = [
            {
                "id": call.id,
                "name": call.name,
                "response": json.loads(RESULTS[call.args["place"]]),
            }
            for call in calls
        ]
        contents.append(
            {"role": "user", "parts": [{"function_response": given} for given in answered]}
        )


CLIENTS: dict[str, tuple[str, Callable[..., str]]] = {
    "openai.chat": ("openai", chat_client),
    "openai.responses": ("openai", responses_client),
    "anthropic.messages": ("anthropic", messages_client),
    "gemini": ("google", gemini_client),
}
PAIRS = [(client, provider) for client in CLIENTS for provider in ENTRIES if client != provider]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeProvider, Proxy]]:
    """One provider that speaks all languages, and a model for each."""
    with FakeProvider(play) as provider:
        origin = provider.base.removesuffix("/v1")
        models = [
            {
                **entry,
                "model": dialect,
                "providerModel": "real",
                "apiBase": entry["apiBase"].format(origin),
                "apiKey": "sk-of-the-configuration",
            }
            for dialect, entry in ENTRIES.items()
        ]
        # Responses would go out raw: this server knows chat completions only
        models[0]["dialect"] = "openai.chat"
        with Proxy(tmp_path_factory.mktemp("home"), {"models": models}) as proxy:
            yield provider, proxy
            assert "Traceback" not in proxy.output(), proxy.output()


@pytest.mark.parametrize("stream", [True, False], ids=["stream", "plain"])
@pytest.mark.parametrize(("client", "provider"), PAIRS, ids=lambda name: name)
def test_task_with_tools(
    running: tuple[FakeProvider, Proxy], client: str, provider: str, stream: bool
) -> None:
    """The task is done; the provider got its own calls, ids and thoughts back; both sides are recorded."""
    upstream, proxy = running
    upstream.requests.clear()
    before = len(proxy.records())
    vendor, work = CLIENTS[client]
    with client_of(vendor, proxy.base.removesuffix("/v1"), "key-of-the-caller") as sdk:
        assert work(sdk, provider, stream=stream) == FINAL
    first, second = upstream.requests
    (place,) = [place for place in SPEAK if place in second.target]
    told = SPEAK[place][2](second.json())
    assert list(told["calls"].values()) == [{"place": place} for place in PLACES]
    assert list(told["results"]) == list(told["calls"])
    assert [json.loads(text) for text in told["results"].values()] == [
        json.loads(RESULTS[place]) for place in PLACES
    ]
    assert told["tools"] == ["weather"]
    assert b"key-of-the-caller" not in first.body + second.body
    records = proxy.records(before + 2)[before:]
    for record, received in zip(records, upstream.requests, strict=True):
        assert (record["dialect"], record["outcome"], record["stream"]) == (
            client,
            "completed",
            stream,
        )
        assert record["translation"]["to"] == provider
        assert record["provider_request"] == received.json()
        assert record["usage"]["input_tokens"] == 30
        assert record["usage"]["output_tokens"] == 12
        assert record["provider_response"] is not None
        assert "raw" not in record
