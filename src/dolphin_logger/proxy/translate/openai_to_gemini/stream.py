"""A streamed answer, as the chunks of a streamed chat completion, event by event.

It knows the events of both streams; text, thoughts and calls leave with the event that brought them.
Gemini has no terminal event: its answer ends with the body, if every candidate gave a reason. What it
says last counts (reason, tokens), so the end is told at the end of the body.
Invariant: nothing but a reason to finish leads to `[DONE]`; the client's accumulator accepts it.

Sources: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent,
https://platform.openai.com/docs/api-reference/chat-streaming.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.dialects._gemini_splitter import LineKeepingSplitter, ObjectSplitter
from dolphin_logger.errors import ProviderError
from dolphin_logger.proxy.translate.chat_chunks import ChunkWriter
from dolphin_logger.proxy.translate.event_stream import EventStream
from dolphin_logger.proxy.translate.json_text import read_object, write_json
from dolphin_logger.proxy.translate.openai_to_gemini.candidate import Delta, OpenCandidate
from dolphin_logger.proxy.translate.openai_to_gemini.faults import error_object
from dolphin_logger.proxy.translate.openai_to_gemini.grounding import translate_logprobs
from dolphin_logger.proxy.translate.openai_to_gemini.words import translate_usage

_BAD_GATEWAY: Final = 502


class ContentStream(EventStream):
    """Reads the events of one answer, writes chunks."""

    def __init__(self, request: dict[str, Any], *, created: int) -> None:
        super().__init__()
        self._lines = self._splitter = LineKeepingSplitter()
        self._bare = ObjectSplitter()
        self._errors: list[bytes] = []  # in bare lines; taken at the end, whenever they came
        self._chunks = ChunkWriter(request, created=created)
        count = request.get("n")
        self._count = count if type(count) is int else 1
        self._created = created
        self._response_id: Any = None
        self._candidates: list[OpenCandidate] = []
        self._usage: dict[str, Any] = {}
        self._blocked: dict[str, Any] | None = None

    def feed(self, chunk: bytes) -> list[bytes]:
        """Take the next bytes of the body; return whole events for the client."""
        out = super().feed(chunk)
        for line in self._lines.take_lines():
            self._errors += self._bare.feed(line + b"\n")
        return out

    def take(self, value: dict[str, Any], out: list[bytes]) -> None:
        """Take one event."""
        if value.get("error") is not None:
            self.fail(value, out)
            return
        if not self._chunks.begun:
            self._begin(value, out)
        candidates = value.get("candidates")
        for position, candidate in enumerate(candidates if isinstance(candidates, list) else ()):
            if isinstance(candidate, dict):
                self._take_candidate(candidate, position, out)
        usage = value.get("usageMetadata")
        if isinstance(usage, dict):  # counts are totals so far; what is not there stays as it was
            self._usage |= {key: count for key, count in usage.items() if count is not None}
        feedback = value.get("promptFeedback")
        if isinstance(feedback, dict) and feedback.get("blockReason"):
            self._blocked = feedback

    def body_ended(self, out: list[bytes]) -> None:
        """Take the end of the body: of the answer, if Gemini said why it ends."""
        for line in self._lines.take_lines():
            self._errors += self._bare.feed(line + b"\n")
        for data in self._errors:
            value = read_object(data)
            if value is not None and value.get("error") is not None:
                self.fail(value, out)
                return
        if self._blocked is not None and not self._candidates:
            self._end_blocked(self._blocked, out)
        elif self._candidates and all(known.reason is not None for known in self._candidates):
            self._end(out)

    def report(self, upstream: Any, *, otherwise: str) -> tuple[str, bytes]:
        """Write OpenAI's error as an event."""
        fault = error_object(upstream, status=_BAD_GATEWAY, otherwise=otherwise)
        return fault["error"]["message"], b"data: " + write_json(fault) + b"\n\n"

    # ---

    def _begin(self, value: dict[str, Any], out: list[bytes]) -> None:
        given = value.get("responseId")
        self._response_id = given if isinstance(given, str) and given else f"gemini-{self._created}"
        out.append(self._chunks.begin(id=self._response_id, model=value.get("modelVersion")))

    def _take_candidate(self, candidate: dict[str, Any], position: int, out: list[bytes]) -> None:
        index = candidate.get("index")
        index = index if type(index) is int else position
        if not 0 <= index < self._count:
            return  # nobody asked for it
        while len(self._candidates) <= index:
            number = len(self._candidates)
            self._candidates.append(OpenCandidate(response_id=self._response_id, index=number))
            if number:  # the first one's role stands in the first chunk
                out.append(self._chunks.choice({"role": "assistant", "content": ""}, index=number))
        deltas: list[Delta] = []
        self._candidates[index].take(candidate, deltas)
        self._say(deltas, index, out)
        tokens = candidate.get("logprobsResult")
        entries = translate_logprobs(tokens) if isinstance(tokens, dict) else None
        if entries:
            beside = {"content": entries, "refusal": None}
            out.append(self._chunks.choice({}, index=index, logprobs=beside))

    def _say(self, deltas: list[Delta], index: int, out: list[bytes]) -> None:
        for delta in deltas:
            if index:
                out.append(self._chunks.choice(delta, index=index))
            else:
                out.append(self._chunks.delta(delta))

    def _end(self, out: list[bytes]) -> None:
        if all(candidate.is_void for candidate in self._candidates):
            first = self._candidates[0]
            error = {"status": first.reason, "message": first.fault}
            self.fail({"error": error}, out)
            return
        for index, candidate in enumerate(self._candidates):
            deltas: list[Delta] = []
            reason = candidate.end(deltas)
            self._say(deltas, index, out)
            out.append(self._chunks.choice({}, index=index, reason=reason))
        self._finish(out)

    def _end_blocked(self, feedback: dict[str, Any], out: list[bytes]) -> None:
        message = feedback.get("blockReasonMessage")
        if isinstance(message, str) and message:
            out.append(self._chunks.delta({"refusal": message}))
        out.append(self._chunks.finish("content_filter"))
        self._finish(out)

    def _finish(self, out: list[bytes]) -> None:
        out += self._chunks.end(translate_usage(self._usage))
        self.finished = True


def translate_answer(native: dict[str, Any], *, created: int) -> dict[str, Any]:
    """Translate a complete answer: what the client's own stream of it re-assembles to.

    Raises:
        ProviderError: 502, this is no answer, or one that ended by a fault and says nothing.
    """
    candidates = native.get("candidates")
    count = len(candidates) if isinstance(candidates, list) else 0
    request = {"n": count, "stream_options": {"include_usage": True}}
    stream = ContentStream(request, created=created)
    events: list[bytes] = []
    stream.take(native, events)
    events += stream.finish()
    if stream.failed:
        raise ProviderError(stream.error or "", status=_BAD_GATEWAY, kind="stream_error")
    decoder = DIALECTS["openai.chat"].decoder("text/event-stream", asked=True)
    assert decoder is not None
    for event in events:
        decoder.feed(event)
    answer = decoder.answer().response
    if not stream.finished or answer is None:
        fault = "the provider's answer is no answer of the Gemini API: it has no finish reason"
        raise ProviderError(fault, status=_BAD_GATEWAY, kind="protocol")
    for choice in answer["choices"]:
        message = choice["message"]
        message.setdefault("refusal", None)
        if not message.get("content") and message.get("tool_calls"):
            message["content"] = None
    if answer.get("usage") is None:
        answer.pop("usage", None)
    return answer
