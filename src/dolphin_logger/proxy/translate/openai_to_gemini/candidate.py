"""One candidate while its parts arrive, as deltas of a chat completion's choice.

It knows parts, and no chunk around the deltas. A call whose arguments Gemini streams by JSON paths
goes out in two pieces, because a path cannot be written before the whole is known.
Invariants: ids, names and signatures are said once, because accumulators join strings that come again;
a call that was cut has arguments that no client can take for whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dolphin_logger.dialects._gemini_call import StreamedCall
from dolphin_logger.proxy.translate.json_text import write_arguments
from dolphin_logger.proxy.translate.openai_to_gemini.grounding import cite
from dolphin_logger.proxy.translate.openai_to_gemini.words import (
    call_id_of,
    finish_reason,
    is_call,
    is_fault,
    write_signature,
)

Delta = dict[str, Any]


class OpenCandidate:
    """Takes the candidate at one `index`.

    Attributes:
        reason: why it ended, in Gemini's word; None as long as it has not.
    """

    def __init__(self, *, response_id: Any, index: int) -> None:
        self.reason: str | None = None
        self._response_id = response_id
        self._index = index
        self._texts: list[str] = []
        self._signature: Any = None
        self._calls = 0
        self._images = 0
        self._streamed: StreamedCall | None = None
        self._grounding: dict[str, Any] = {}
        self._message: Any = None

    @property
    def is_void(self) -> bool:
        """Whether it ended by a fault, and has said nothing."""
        said = bool(self._texts or self._calls or self._images)
        return self.reason is not None and is_fault(self.reason) and not said

    @property
    def fault(self) -> str:
        """What went wrong, in Gemini's words or by its reason."""
        if isinstance(self._message, str) and self._message:
            return self._message
        return f"Gemini ended without an answer: {self.reason}"

    def take(self, candidate: Mapping[str, Any], deltas: list[Delta]) -> None:
        """Take one chunk of it; append what it says."""
        content = candidate.get("content")
        parts = content.get("parts") if isinstance(content, dict) else None
        for part in parts if isinstance(parts, list) else ():
            if isinstance(part, dict):
                self._take_part(part, deltas)
        reason = candidate.get("finishReason")
        if isinstance(reason, str) and reason:
            self.reason = reason
            self._message = candidate.get("finishMessage")
        grounding = candidate.get("groundingMetadata")
        if isinstance(grounding, dict):
            self._grounding |= {key: value for key, value in grounding.items() if value}

    def end(self, deltas: list[Delta]) -> str:
        """Say what is known only at the end; return the finish reason."""
        self._close_call(deltas)
        sources = cite(self._grounding, text="".join(self._texts))
        if sources:
            deltas.append({"annotations": sources})
        signed = write_signature(self._signature)
        if signed:
            deltas.append(signed)
        assert self.reason is not None
        reason = finish_reason(self.reason, has_calls=self._calls > 0)
        if reason == "content_filter" and isinstance(self._message, str) and self._message:
            deltas.append({"refusal": self._message})
        return reason

    # --- parts

    def _take_part(self, part: dict[str, Any], deltas: list[Delta]) -> None:
        text = part.get("text")
        if isinstance(text, str):
            if part.get("thought"):
                if text:
                    deltas.append({"reasoning_content": text})
                return
            if text:
                self._texts.append(text)
                deltas.append({"content": text})
            self._signature = part.get("thoughtSignature", self._signature)
        elif "functionCall" in part:
            self._take_call(part, deltas)
        elif "inlineData" in part and not part.get("thought"):
            self._take_image(part, deltas)

    def _take_image(self, part: dict[str, Any], deltas: list[Delta]) -> None:
        blob = part["inlineData"]
        media_type = blob.get("mimeType") if isinstance(blob, dict) else None
        if not isinstance(media_type, str) or not media_type.startswith("image/"):
            return
        image = {
            "index": self._images,
            "type": "image_url",
            "image_url": {"url": f"data:{media_type};base64,{blob.get('data')}"},
            **write_signature(part.get("thoughtSignature")),
        }
        self._images += 1
        deltas.append({"images": [image]})

    # --- calls

    def _take_call(self, part: dict[str, Any], deltas: list[Delta]) -> None:
        if self._streamed is not None:
            if self._streamed.continues(part):
                self._streamed.merge(part)
                if not self._streamed.open:
                    self._close_call(deltas)
                return
            self._close_call(deltas)
        body = part["functionCall"]
        if not is_call(body):
            return  # it ends a call that had ended
        id_ = call_id_of(
            body, response_id=self._response_id, candidate=self._index, position=self._calls
        )
        call = {"index": self._calls, "id": id_, "type": "function"}
        self._calls += 1
        if StreamedCall.begins(part):
            self._streamed = StreamedCall(part)
            deltas.append({"tool_calls": [{**call, "function": _function(body, "")}]})
            return
        call["function"] = _function(body, write_arguments(body.get("args") or {}))
        deltas.append({"tool_calls": [call | write_signature(part.get("thoughtSignature"))]})

    def _close_call(self, deltas: list[Delta]) -> None:
        """Say the arguments of the call that was streamed."""
        streamed, self._streamed = self._streamed, None
        if streamed is None:
            return
        part = streamed.result()
        body = part["functionCall"]
        arguments = write_arguments(body["args"])
        if body.get("willContinue"):
            arguments = arguments[:-1]
        call: Delta = {"index": self._calls - 1, "function": {"arguments": arguments}}
        deltas.append({"tool_calls": [call | write_signature(part.get("thoughtSignature"))]})


def _function(body: Mapping[str, Any], arguments: str) -> Delta:
    return {"name": body["name"], "arguments": arguments}
