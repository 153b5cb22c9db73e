"""demo: a model built into this program, so that everything can be tried without key or network.

    reading   what was asked, read from a request that may be anything
    topics    what it can talk about (data)
    talk      a text answer and its reasoning
    tools     which tools to call, with which arguments
    shapes    a JSON value that fits a JSON Schema
    answer    the choices of one answer: text or calls, limits, token counts
    wire      the answer as OpenAI writes it, in one piece or as a stream

It opens no connection and reads no file. Invariant: whatever the request holds, the answer is
well-formed, and the same conversation gets the same words. Loaded with its first request.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from dolphin_logger.providers._api import LocalAnswer


@dataclass(slots=True)
class Demo:
    """The built-in model."""

    name: str = "demo"
    dialects: frozenset[str] = frozenset({"openai.chat"})

    def respond(self, request: dict[str, Any], dialect: str) -> LocalAnswer:
        """Answer one request of the given dialect, streamed if it asks for that.

        A request without messages, or in another dialect, is answered with 400.
        """
        # imported with the first request: nobody who only lists providers needs it
        from dolphin_logger.providers.demo import answer, wire  # noqa: PLC0415

        messages = request.get("messages")
        if dialect not in self.dialects:
            return _refuse(f"the demo model does not speak {dialect}", param=None)
        if not isinstance(messages, list) or not messages:
            return _refuse("'messages' must be a non-empty array", param="messages")
        made = answer.make(request)
        if request.get("stream") is True:
            return _answer(200, b"text/event-stream; charset=utf-8", wire.events(made))
        return _answer(200, b"application/json", [wire.body(made)])


def _refuse(message: str, *, param: str | None) -> LocalAnswer:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": None}
    body = json.dumps({"error": error}).encode()
    return _answer(400, b"application/json", [body])


def _answer(status: int, kind: bytes, chunks: Iterable[bytes]) -> LocalAnswer:
    identity = b"demo-" + os.urandom(12).hex().encode()
    headers = ((b"content-type", kind), (b"x-request-id", identity))
    return LocalAnswer(status, headers, _pace(chunks))


async def _pace(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    """Yield the chunks as a busy model would: a few every hundredth of a second."""
    import asyncio  # noqa: PLC0415  # not needed to know that this provider exists

    for number, chunk in enumerate(chunks):
        if number:
            await asyncio.sleep(0.005 + (number * 7 % 11) / 1000)
        yield chunk


DEMO = Demo()
