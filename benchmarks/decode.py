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


STREAMS = {"openai.chat": chat_streams}


def microseconds(work: Callable[[], object], *, events: int, rounds: int = 7) -> float:
    best = float("inf")
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        best = min(best, time.perf_counter() - start)
    return best / events * 1e6


def decode(dialect: str, chunks: list[bytes]) -> None:
    decoder = DIALECTS[dialect].decoder("text/event-stream", asked=True)
    for chunk in chunks:
        decoder.feed(chunk)
    answer = decoder.answer()
    if not (decoder.finished and answer.exact):
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
            payloads = [chunk[6:-2] for chunk in chunks[:-1]]
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
