"""Gemini's own API as Google speaks it: thoughts, signatures, parallel function calls.

Written from the vendor's documentation (ai.google.dev/api/generate-content); imports nothing of the
project.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tests.support.provider import Received
from tests.support.scripted.model import Asked, Part, Said, Say, Step, Think, as_json, in_pieces

USAGE = {
    "promptTokenCount": 52,
    "candidatesTokenCount": 16,
    "thoughtsTokenCount": 4,
    "totalTokenCount": 72,
}
_TARGET = re.compile(
    r"/v1(?:beta)?/models/([^:?]+):(generateContent|streamGenerateContent)(?:\?|$)"
)


class Gemini:
    """The speech of generativelanguage.googleapis.com."""

    def serves(self, received: Received) -> bool:
        return _TARGET.match(received.target) is not None

    def read(self, received: Received) -> Asked:
        body = received.json()
        texts: list[str] = []
        results: list[str] = []
        for content in body["contents"]:
            for part in content["parts"]:
                if "functionResponse" in part:
                    results.append(json.dumps(part["functionResponse"]["response"]))
                elif content.get("role") != "model":
                    texts.append(part.get("text", ""))
        groups = body.get("tools") or []
        tools = [tool["name"] for group in groups for tool in group.get("functionDeclarations", [])]
        found = _TARGET.match(received.target)
        assert found is not None
        stream = found[2] == "streamGenerateContent"
        return Asked("\n".join(texts), results, tools, stream, found[1])

    def plain(self, said: Said, step: Step) -> dict[str, Any]:
        parts = [_part(part, said.number, at) for at, part in enumerate(step.parts)]
        candidate = {
            "content": {"parts": parts, "role": "model"},
            "finishReason": "STOP",
            "index": 0,
        }
        return _frame(said) | {"candidates": [candidate], "usageMetadata": USAGE}

    def events(self, said: Said, step: Step) -> list[bytes]:
        (candidate,) = self.plain(said, step)["candidates"]
        pieces: list[dict[str, Any]] = []
        for part in candidate["content"]["parts"]:
            if "text" in part:
                pieces += [part | {"text": piece} for piece in in_pieces(part["text"])]
            else:
                pieces.append(part)
        chunks: list[dict[str, Any]] = [
            _frame(said)
            | {"candidates": [{"content": {"parts": [piece], "role": "model"}, "index": 0}]}
            | {"usageMetadata": USAGE}
            for piece in pieces
        ]
        chunks[-1]["candidates"][0]["finishReason"] = "STOP"
        return [b"data: %s\r\n\r\n" % as_json(chunk) for chunk in chunks]

    def error(self, status: int) -> dict[str, Any]:
        kind = {404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED"}.get(status, "UNAVAILABLE")
        return {"error": {"code": status, "message": f"scripted {status}", "status": kind}}

    def other(self, received: Received) -> dict[str, Any] | None:
        return {"totalTokens": 52} if ":countTokens" in received.target else None


def _frame(said: Said) -> dict[str, Any]:
    return {"modelVersion": said.asked.model, "responseId": f"r{said.number:04}"}


def _part(part: Part, number: int, at: int) -> dict[str, Any]:
    if isinstance(part, Think):
        return {"text": part.text, "thought": True}
    if isinstance(part, Say):
        return {"text": part.text}
    call = {"id": f"fc_{number:04}_{at}", "name": part.name, "args": part.arguments}
    return {"functionCall": call, "thoughtSignature": "c2lnbmF0dXJl"}
