"""What does it cost to decode one streamed event?

Feeds a synthetic stream to each dialect's decoder, as it arrives from a network (one event per
chunk) and in bursts, and prints microseconds per event beside `json.loads` of the same events and,
where the SDK is installed, its own accumulator. Prints figures, asserts none.

    PYTHONPATH=src python benchmarks/decode.py
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable

from dolphin_logger.dialects import DIALECTS

EVENTS = 4_000


def chat_event(delta: dict, **fields: object) -> bytes:
    chunk = {
        "id": "chatcmpl-B0Fq1oRkfPZyJ6wJ8gQwQ3Yh2nKpL",
        "object": "chat.completion.chunk",
        "created": 1754296393,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_34a54ae93c",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}],
        "usage": None,
        **fields,
    }
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def chat_streams() -> dict[str, list[bytes]]:
    call = {
        "index": 0,
        "id": "call_1",
        "type": "function",
        "function": {"name": "f", "arguments": ""},
    }
    first = [chat_event({"role": "assistant", "content": ""})]
    last = [b"data: [DONE]\n\n"]
    text = [
        chat_event({"content": f" word{n % 97}"}, obfuscation="x" * (n % 9)) for n in range(EVENTS)
    ]
    tools = [
        chat_event({"tool_calls": [{"index": 0, "function": {"arguments": f'"{n % 97}",'}}]})
        for n in range(EVENTS)
    ]
    both = [
        chat_event(
            {
                "role": "assistant",
                "content": "",
                "reasoning": f" w{n % 97}",
                "reasoning_details": [],
            }
        )
        for n in range(EVENTS)
    ]
    ids = [chat_event({"content": f" word{n % 97}"}, id=f"chatcmpl-{n}") for n in range(EVENTS)]
    return {
        "text": first + text + last,
        "tool arguments": [*first, chat_event({"tool_calls": [call]}), *tools, *last],
        "role and reasoning each time": first + both + last,
        "a new id each time": first + ids + last,
    }


def completion_streams() -> dict[str, list[bytes]]:
    def chunk(text: str) -> bytes:
        choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": None}
        head = {"id": "cmpl-B0Fq1oRkfPZyJ6wJ8gQwQ3Yh2nKpL", "object": "text_completion"}
        payload = {**head, "created": 1754296393, "model": "davinci-002", "choices": [choice]}
        return b"data: " + json.dumps(payload, separators=(",", ":")).encode() + b"\n\n"

    return {"text": [*(chunk(f" word{n % 97}") for n in range(EVENTS)), b"data: [DONE]\n\n"]}


def response_event(number: int, kind: str, **fields: object) -> bytes:
    payload = {"type": f"response.{kind}", "sequence_number": number, **fields}
    data = json.dumps(payload, separators=(",", ":")).encode()
    return f"event: response.{kind}\n".encode() + b"data: " + data + b"\n\n"


def response_stream(kind: str, item: dict, holder: dict, key: str, **fields: object) -> list[bytes]:
    name = "68c3509b2ee0819eba32735182d275ad0f2d670b80edc507"
    head = {"id": f"resp_{name}", "object": "response", "model": "gpt-5-2026-08-07"}
    about = {"item_id": f"i_{name}", "output_index": 0, **fields}
    item = {"id": f"i_{name}", **item}
    words = [f" word{n % 97}" for n in range(EVENTS)]
    deltas = [
        response_event(n, f"{kind}.delta", **about, delta=word, obfuscation="x" * (n % 9))
        for n, word in enumerate(words, start=2)
    ]
    whole = {"status": "completed", "output": [{**item, **_filled(holder, key, "".join(words))}]}
    return [
        response_event(0, "created", response={**head, "status": "in_progress", "output": []}),
        response_event(1, "output_item.added", output_index=0, item={**item, **holder}),
        *deltas,
        response_event(EVENTS + 2, "completed", response={**head, **whole}),
    ]


def _filled(holder: dict, key: str, text: str) -> dict:
    """Put the text where an empty one is."""
    return {
        name: text
        if name == key
        else [_filled(part, key, text) for part in value]
        if isinstance(value, list)
        else value
        for name, value in holder.items()
    }


def response_streams() -> dict[str, list[bytes]]:
    message = {"content": [{"type": "output_text", "text": "", "annotations": []}]}
    call = {"type": "function_call", "name": "f", "call_id": "c", "status": "in_progress"}
    text = {"type": "message", "role": "assistant", "status": "in_progress"}
    kind = "function_call_arguments"
    return {
        "text": response_stream("output_text", text, message, "text", content_index=0, logprobs=[]),
        "tool arguments": response_stream(kind, call, {"arguments": ""}, "arguments"),
    }


def message_event(kind: str, **fields: object) -> bytes:
    data = json.dumps({"type": kind, **fields}, separators=(",", ":")).encode()
    return f"event: {kind}\n".encode() + b"data: " + data[:-1] + b"         }\n\n"


def message_stream(block: dict, delta: str, key: str, piece: str) -> list[bytes]:
    usage = {"input_tokens": 12, "cache_read_input_tokens": 0, "output_tokens": 1}
    head = {"id": "msg_01XFDUDYJgAACzvnptvVoYEL", "type": "message", "role": "assistant"}
    deltas = [{"type": delta, key: piece.replace("@", str(n % 97))} for n in range(EVENTS)]
    deltas[-1][key] += "]}" if key == "partial_json" else ""
    return [
        message_event("message_start", message={**head, "content": [], "usage": usage}),
        message_event("content_block_start", index=0, content_block=block),
        *(message_event("content_block_delta", index=0, delta=part) for part in deltas),
        message_event("content_block_stop", index=0),
        message_event("message_delta", delta={"stop_reason": "end_turn"}, usage=usage),
        message_event("message_stop"),
    ]


def message_streams() -> dict[str, list[bytes]]:
    tool = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    tool_input = message_stream(tool, "input_json_delta", "partial_json", ',"@"')
    opened = {"type": "input_json_delta", "partial_json": '{"a":[0'}
    tool_input.insert(2, message_event("content_block_delta", index=0, delta=opened))
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    return {
        "text": message_stream({"type": "text", "text": ""}, "text_delta", "text", " word@"),
        "thinking": message_stream(thinking, "thinking_delta", "thinking", " word@"),
        "tool arguments": tool_input,
    }


def gemini_chunk(number: int, part: dict, **fields: object) -> dict:
    usage = {"promptTokenCount": 12, "candidatesTokenCount": number, "totalTokenCount": 12 + number}
    details = {"promptTokensDetails": [{"modality": "TEXT", "tokenCount": 12}]}
    content = {"parts": [part], "role": "model"}
    return {
        "candidates": [{"content": content, "index": 0, **fields}],
        "usageMetadata": {**usage, **details, "thoughtsTokenCount": 69},
        "modelVersion": "gemini-3-flash-preview",
        "responseId": "hVP6afiZEuitz7IPypuAsQY",
    }


def gemini_streams() -> dict[str, list[bytes]]:
    chunks = [gemini_chunk(n, {"text": f" word{n % 97}"}) for n in range(EVENTS)]
    path = {"jsonPath": "$.text", "willContinue": True}
    call = {"functionCall": {"name": "f", "id": "c", "willContinue": True}}
    pieces = [{**path, "stringValue": f" word{n % 97}"} for n in range(EVENTS)]
    calls = [{"functionCall": {"partialArgs": [piece], "willContinue": True}} for piece in pieces]
    parts = [call, *calls, {"functionCall": {}}]
    end = gemini_chunk(EVENTS, {"text": ""}, finishReason="STOP")
    streams = {"text": chunks, "tool arguments": [gemini_chunk(1, part) for part in parts]}
    return {
        name: [b"data: " + json.dumps(part).encode() + b"\r\n\r\n" for part in (*stream, end)]
        for name, stream in streams.items()
    }


def ollama_streams() -> dict[str, list[bytes]]:
    head = {"model": "llama3.2:3b", "created_at": "2026-11-22T10:00:00.123456789Z"}
    words = [f" word{n % 97}" for n in range(EVENTS)]
    lines: list[dict] = [{"message": {"role": "assistant", "content": word}} for word in words]
    payloads = [{**head, **line, "done": False} for line in lines]
    end = {**head, "message": {"role": "assistant", "content": ""}, "done": True, "eval_count": 9}
    return {
        "text": [
            json.dumps(part, separators=(",", ":")).encode() + b"\n" for part in (*payloads, end)
        ]
    }


STREAMS = {
    "openai.chat": chat_streams,
    "openai.completions": completion_streams,
    "openai.responses": response_streams,
    "anthropic.messages": message_streams,
    "gemini": gemini_streams,
    "ollama.chat": ollama_streams,
}
MEDIA_TYPES = {"ollama.chat": "application/x-ndjson"}


def microseconds(work: Callable[[], object], *, events: int, rounds: int = 7) -> float:
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best / events * 1e6


def decode(dialect: str, chunks: list[bytes]) -> None:
    media_type = MEDIA_TYPES.get(dialect, "text/event-stream")
    decoder = DIALECTS[dialect].decoder(media_type, asked=True)
    for chunk in chunks:
        decoder.feed(chunk)
    answer = decoder.answer()
    if not (answer.terminated and answer.exact):
        raise SystemExit(f"{dialect}: the stream was not understood, so the figure means nothing")


def accumulate_with_sdk(payloads: list[bytes]) -> Callable[[], object] | None:
    try:
        from openai.lib.streaming.chat import ChatCompletionStreamState  # noqa: PLC0415
        from openai.types.chat import ChatCompletionChunk  # noqa: PLC0415
    except ImportError:
        return None

    def work() -> None:
        state = ChatCompletionStreamState()
        for payload in payloads:
            list(state.handle_chunk(ChatCompletionChunk.construct(**json.loads(payload))))

    return work


def main() -> None:
    for dialect, streams in STREAMS.items():
        for name, chunks in streams().items():
            payloads = [chunk[chunk.index(b"{") :] for chunk in chunks[:-1]]
            plain = microseconds(lambda: [json.loads(p) for p in payloads], events=len(payloads))  # noqa: B023
            single = microseconds(lambda: decode(dialect, chunks), events=len(chunks))  # noqa: B023
            burst = [b"".join(chunks)]
            joined = microseconds(lambda: decode(dialect, burst), events=len(chunks))  # noqa: B023
            print(f"{dialect}, {name}: json.loads {plain:.2f} us/event")
            print(
                f"    decoder, event by event  {single:6.2f} us/event  {single / plain:6.2f} x json.loads"
            )
            print(
                f"    decoder, in one chunk    {joined:6.2f} us/event  {joined / plain:6.2f} x json.loads"
            )
            sdk = accumulate_with_sdk(payloads[:300]) if dialect == "openai.chat" else None
            if sdk is not None:
                cost = microseconds(sdk, events=300, rounds=2)
                print(
                    f"    openai SDK, accumulator  {cost:6.2f} us/event  {cost / plain:6.2f} x json.loads"
                )


if __name__ == "__main__":
    main()
