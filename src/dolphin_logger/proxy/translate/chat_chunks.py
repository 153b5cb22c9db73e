"""The chunks of a streamed chat completion, as OpenAI's own accumulator accepts them.

It knows their envelope, not what is said in them. Invariant: every chunk has the same id, time and
model; usage goes out only if it was asked for.

Source: https://platform.openai.com/docs/api-reference/chat-streaming.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dolphin_logger.proxy.translate.json_text import write_json

DONE: Final = b"data: [DONE]\n\n"
PING: Final = b": ping\n\n"  # keeps a client that waits for bytes from giving up


class ChunkWriter:
    """Writes the chunks of the answer to one request; `created` in Unix seconds."""

    def __init__(self, request: Mapping[str, Any], *, created: int) -> None:
        options = request.get("stream_options")
        self.wants_usage = isinstance(options, dict) and options.get("include_usage") is True
        self.begun = False
        self._created = created
        self._head = b""  # of every chunk, up to its choices
        self._delta_head = b""
        self._tail = b',"usage":null}\n\n' if self.wants_usage else b"}\n\n"
        self._delta_tail = b',"logprobs":null,"finish_reason":null}]' + self._tail

    def begin(self, *, id: Any, model: Any) -> bytes:  # noqa: A002 - the name that the language uses
        """Write the first chunk: who answers."""
        fields = {
            "id": id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": model,
        }
        self.begun = True
        self._head = b"data: " + write_json(fields)[:-1] + b',"choices":['
        self._delta_head = self._head + b'{"index":0,"delta":'
        return self.delta({"role": "assistant", "content": ""})

    def delta(self, delta: Mapping[str, Any]) -> bytes:
        """Write a piece of the message."""
        return self._delta_head + write_json(delta) + self._delta_tail

    def choice(
        self,
        delta: Mapping[str, Any],
        *,
        index: int,
        logprobs: Any = None,
        reason: str | None = None,
    ) -> bytes:
        """Write a piece of any of several messages, and what stands beside it."""
        choice = {"index": index, "delta": delta, "logprobs": logprobs, "finish_reason": reason}
        return self._head + write_json(choice) + b"]" + self._tail

    def finish(self, reason: str) -> bytes:
        """Write why the message ends."""
        return self.choice({}, index=0, reason=reason)

    def end(self, usage: Mapping[str, Any] | None) -> list[bytes]:
        """Write the token counts, if they were asked for and are known, and the end."""
        if usage is None or not self.wants_usage:
            return [DONE]
        return [self._head + b'],"usage":' + write_json(usage) + b"}\n\n", DONE]
