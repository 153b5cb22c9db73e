"""One choice of a streamed chat completion: its deltas become one message.

It knows every spelling in which providers stream text, reasoning, refusals, parts, calls, audio and
annotations; not what the whole answer looks like.
Invariant: a key is never dropped. What has no rule here is merged as well as it can be, and `exact`
turns False, so that the raw bytes are kept beside it.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, Final

from dolphin_logger.dialects._growth import (
    Entries,
    Growing,
    Label,
    Text,
    UnknownText,
    has_begun,
    is_empty,
    is_exact,
    keep_last,
    settle,
)
from dolphin_logger.dialects._openai_calls import Body, ToolCalls

_TEXTS: Final = frozenset(("content", "refusal", "reasoning", "reasoning_content", "thinking"))
_LABELS: Final = frozenset(("role", "channel"))
# Lists whose entries grow, with the keys that come in pieces; Groq sends whole tools again.
_ENTRIES: Final = {
    "reasoning_details": frozenset(("text", "summary", "signature", "data")),
    "thinking_blocks": frozenset(("thinking", "text", "signature", "data")),
    "executed_tools": frozenset[str](),
    "images": frozenset[str](),
}
_LAST: Final = frozenset(("extra_content", "provider_specific_fields"))
_CHOICE_KEYS: Final = frozenset(
    (
        "finish_reason",
        "native_finish_reason",
        "content_filter_results",
        "stop_reason",
        "matched_stop",
        "error",
        "seed",
    )
)
_LOGPROBS: Final = frozenset(
    ("content", "refusal", "tokens", "token_logprobs", "top_logprobs", "text_offset")
)
_PARTS: Final = ("text", "thinking")  # no set: a type may be anything, a list too
_BASE64_RUN: Final = re.compile("[^=]+=*")


class Choice:
    """Everything received for one `index`.

    Attributes:
        frame: the last event's choice without its delta, if taking it once more would change nothing.
    """

    __slots__ = ("_calls", "_exact", "_fields", "_function_call", "_growing", "_message", "frame")

    def __init__(self) -> None:
        self.frame: dict[str, Any] | None = None
        self._exact = True
        self._fields: dict[str, Any] = {}
        self._message: dict[str, Any] = {}
        self._growing: dict[str, Growing] = {}
        self._calls = ToolCalls()
        self._function_call: Body | None = None

    def take_text(self, delta: dict[str, Any]) -> bool:
        """Take a delta that only lengthens known texts; otherwise change nothing and say False."""
        growing = self._growing
        for key, value in delta.items():
            if value.__class__ is str:
                if key not in growing:
                    return False
            elif value not in (None, []) or key not in self._message:
                return False
        for key, value in delta.items():
            if value.__class__ is str:
                growing[key].append(value)
        return True

    def merge(self, choice: dict[str, Any]) -> None:
        """Take one event's choice: its delta and what stands beside it."""
        delta = choice.get("delta")
        if delta is None and "message" in choice:  # a plain answer, sent as the only event
            delta = choice["message"]
        if isinstance(delta, dict):
            self._merge_delta(delta)
        elif delta is not None:
            self._exact = False
        frame = {key: value for key, value in choice.items() if key != "delta"}
        for key, value in frame.items():
            if key not in {"index", "message"}:
                self._merge_field(key, value)
        if "message" in frame:
            self._exact = False
        self.frame = (
            None if any(isinstance(value, list | dict) for value in frame.values()) else frame
        )

    def error(self) -> Any:
        """Say what the provider reported as this choice's error, if it did."""
        return self._fields.get("error")

    def is_terminated(self) -> bool:
        """Say whether a finish reason has come."""
        return not is_empty(self._fields.get("finish_reason"))

    def result(self) -> dict[str, Any]:
        """Build the choice as a plain answer carries it, without `index`."""
        fields = {"finish_reason": None, **self._fields}
        return {"message": self._build_message(), **settle(fields)}

    def is_exact(self) -> bool:
        """Say whether everything had a rule and nothing contradicted itself."""
        body = self._function_call
        return (
            self._exact
            and self._calls.is_exact()
            and (body is None or body.exact)
            and all(is_exact(value) for value in self._message.values())
        )

    def _build_message(self) -> dict[str, Any]:
        message: dict[str, Any] = {"role": "assistant", "content": None}
        for key, value in self._message.items():
            if key == "audio" and isinstance(value, dict):
                message[key] = self._settle_audio(value)
            elif value is self._calls:
                message[key] = self._calls.result()
            elif isinstance(value, Body):
                message[key] = value.result()
            else:
                message[key] = settle(value)
        message["role"] = message["role"] or "assistant"
        beside = ("tool_calls", "function_call", "refusal", "audio")
        if message["content"] == "" and any(message.get(key) for key in beside):
            message["content"] = None
        return message

    def _settle_audio(self, audio: dict[str, Any]) -> dict[str, Any]:
        """Join base64 pieces; each may have been encoded, and padded, on its own."""
        result: dict[str, Any] = settle(audio)
        data = result.get("data")
        if isinstance(data, str) and "=" in data.rstrip("="):
            try:
                runs = [base64.b64decode(run, validate=True) for run in _BASE64_RUN.findall(data)]
                result["data"] = base64.b64encode(b"".join(runs)).decode()
            except (binascii.Error, ValueError):
                self._exact = False
        return result

    def _merge_field(self, key: str, value: Any) -> None:
        if key == "logprobs" and isinstance(value, dict):
            self._merge_logprobs(value)
        elif (
            key == "token_ids"
            and isinstance(value, list)
            and isinstance(self._fields.get(key), list)
        ):
            self._fields[key] += value
        elif not keep_last(self._fields, key, value) or (
            value is not None and key not in _CHOICE_KEYS and key != "token_ids"
        ):
            self._exact = False

    def _merge_logprobs(self, value: dict[str, Any]) -> None:
        logprobs = self._fields.get("logprobs")
        if not isinstance(logprobs, dict):
            self._exact &= logprobs is None
            logprobs = self._fields["logprobs"] = {}
        for key, part in value.items():
            current = logprobs.get(key)
            if isinstance(current, list) and isinstance(part, list):
                current += part
            else:
                self._exact &= keep_last(logprobs, key, part)
            self._exact &= key in _LOGPROBS

    def _merge_delta(self, delta: dict[str, Any]) -> None:
        for key, value in delta.items():
            if key == "tool_calls" and isinstance(value, list | None):
                if value:
                    self._message[key] = self._calls
                    self._calls.merge(value)
            elif value is None:
                self._message.setdefault(key, None)
            elif isinstance(value, str):
                self._merge_string(key, value)
            elif isinstance(value, list):
                self._merge_list(key, value)
            elif key == "function_call" and isinstance(value, dict):
                self._function_call = self._function_call or Body(text_key="arguments")
                self._message[key] = self._function_call
                self._function_call.merge(value)
            elif key == "audio" and isinstance(value, dict):
                self._merge_audio(value)
            else:
                self._exact &= keep_last(self._message, key, value) and key in _LAST

    def _merge_string(self, key: str, value: str) -> None:
        growing = self._growing.get(key)
        if growing is None:
            growing = self._begin_string(key)
        if growing is not None:
            growing.append(value)
        else:
            self._exact &= value == ""

    def _begin_string(self, key: str) -> Growing | None:
        """Make the place where a key's strings go; None when something else is there already."""
        current = self._message.get(key)
        fresh: Text | Label
        if key == "content" and isinstance(current, list):  # strings after parts
            fresh = Text()
            current.append({"type": "text", "text": fresh})
        elif current is not None:
            return None
        else:
            fresh = Text() if key in _TEXTS else Label() if key in _LABELS else UnknownText()
            self._message[key] = fresh
            self._exact &= not isinstance(fresh, UnknownText)
        self._growing[key] = fresh
        return fresh

    def _merge_list(self, key: str, value: list[Any]) -> None:
        current = self._message.get(key)
        if key == "content":
            self._merge_parts(self._begin_parts(current), value)
        elif key == "annotations":
            if isinstance(current, list) and not isinstance(current, Text):
                current += value
            else:
                self._exact &= keep_last(self._message, key, value)
        else:
            if is_empty(current):
                current = self._message[key] = Entries(texts=_ENTRIES.get(key, frozenset()))
            if isinstance(current, Entries):
                current.merge(value)
            else:
                self._exact &= not value
            self._exact &= key in _ENTRIES

    def _begin_parts(self, current: Any) -> list[Any]:
        """Turn text into a list of parts; the next string then begins a part of its own."""
        self._growing.pop("content", None)
        if isinstance(current, list) and not isinstance(current, Text):
            return current
        parts: list[Any] = [{"type": "text", "text": current}] if has_begun(current) else []
        self._message["content"] = parts
        return parts

    def _merge_parts(self, parts: list[Any], values: list[Any]) -> None:
        """Lengthen the last part where a new one carries it on (Mistral), else add it."""
        for value in values:
            if not isinstance(value, dict) or value.get("type") not in _PARTS:
                parts.append(value)
                self._exact &= isinstance(value, dict)
                continue
            if (
                not parts
                or not isinstance(parts[-1], dict)
                or parts[-1].get("type") != value["type"]
            ):
                parts.append({})
            self._merge_part(parts[-1], value)

    def _merge_part(self, part: dict[str, Any], value: dict[str, Any]) -> None:
        for key, piece in value.items():
            current = part.get(key)
            if key in _PARTS and isinstance(piece, str) and isinstance(current, Text | None):
                part[key] = Text() if current is None else current
                part[key].append(piece)
            elif key == "thinking" and isinstance(piece, list) and not isinstance(current, Text):
                if not isinstance(current, list):
                    current = part[key] = []
                self._merge_parts(current, piece)
            else:
                self._exact &= keep_last(part, key, piece)

    def _merge_audio(self, value: dict[str, Any]) -> None:
        audio = self._message.get("audio")
        if not isinstance(audio, dict):
            self._exact &= audio is None
            audio = self._message["audio"] = {}
        for key, part in value.items():
            if key in {"data", "transcript"} and isinstance(part, str):
                if not isinstance(audio.get(key), Text):
                    audio[key] = Text()
                audio[key].append(part)
            else:
                self._exact &= keep_last(audio, key, part) and key in {"id", "expires_at"}
