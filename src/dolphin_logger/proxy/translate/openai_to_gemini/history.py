"""The messages of a request: who said what, in the order that the provider demands.

System prompts move to the front; the results of one answer's calls become one content right behind
it, in the order of the calls. It does not know the other keys of a request. Invariant: nothing is
invented but, where a newer model would refuse a call without one, Google's documented stand-in for a
signature. A history that the provider refuses goes out as it is.

Sources: https://ai.google.dev/gemini-api/docs/function-calling (order),
https://ai.google.dev/gemini-api/docs/thought-signatures.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dolphin_logger.proxy.translate._api import TranslateOptions
from dolphin_logger.proxy.translate.json_text import parse_arguments
from dolphin_logger.proxy.translate.losses import Losses, refusal
from dolphin_logger.proxy.translate.openai_to_gemini.content import (
    Part,
    translate_assistant_content,
    translate_image,
    translate_system_content,
    translate_user_content,
)
from dolphin_logger.proxy.translate.openai_to_gemini.results import Step, translate_result
from dolphin_logger.proxy.translate.openai_to_gemini.skeleton import Call, rebuild, sign
from dolphin_logger.proxy.translate.openai_to_gemini.words import is_minted, read_signature

Message = Mapping[str, Any]

_KNOWN: Final = {
    "system": frozenset(("content",)),
    "developer": frozenset(("content",)),
    "user": frozenset(("content",)),
    "assistant": frozenset(
        (
            *("content", "refusal", "audio", "images", "tool_calls", "function_call"),
            *("extra_content", "reasoning_content"),
        )
    ),
    "tool": frozenset(("content", "tool_call_id", "name", "is_error")),
    "function": frozenset(("content", "name")),
}
_NO_SIGNATURE: Final = "skip_thought_signature_validator"


class History:
    """Takes the messages one by one; `system` holds parts, `contents` are the provider's."""

    def __init__(self, losses: Losses, *, options: TranslateOptions) -> None:
        self.system: list[Part] = []
        self._contents: list[dict[str, Any]] = []
        self._losses = losses
        self._recall = options.recall
        self._steps: dict[str, Step] = {}  # by the id of a call: the last one with it
        self._turn = 0  # where the current turn begins

    def add(self, message: Any, *, number: int) -> None:
        """Take the next message."""
        place = f"messages[{number}]"
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(role, str) or role not in _KNOWN:
            known = ", ".join(_KNOWN)
            raise refusal(f"{place}.role: {role!r} is unknown; known: {known}", param=place)
        for key, value in message.items():
            if value is not None and key not in _KNOWN[role] and key != "role":
                self._losses.drop(f"messages[].{key}")
        if role in ("system", "developer"):
            self._add_system(message, place=place)
        elif role == "user":
            self._add_user(message, place=place)
        elif role == "assistant":
            self._add_assistant(message, place=place)
        else:
            self._add_result(message, place=place)

    def finish(self, *, signed: bool) -> list[dict[str, Any]]:
        """Give the contents; `signed` says that the model refuses calls without a signature."""
        if signed:
            for content in self._contents[self._turn :]:
                self._mark_unsigned(content)
        return [content for content in self._contents if content["parts"]]

    def _add_system(self, message: Message, *, place: str) -> None:
        parts = translate_system_content(message.get("content"), place=place, losses=self._losses)
        if self._contents:
            self._losses.change("messages[].role (system, from the middle to the front)")
        self.system += parts

    def _add_user(self, message: Message, *, place: str) -> None:
        parts = translate_user_content(message.get("content"), place=place, losses=self._losses)
        self._turn = len(self._contents)
        self._contents.append({"role": "user", "parts": parts or [{"text": ""}]})

    def _add_result(self, message: Message, *, place: str) -> None:
        key = "tool_call_id" if message["role"] == "tool" else "name"
        found = message.get(key)
        if not isinstance(found, str) or not found:
            raise refusal(f"{place}.{key} must name the call that this answers", param=place)
        step = self._steps.get(found if key == "tool_call_id" else _older_id(found))
        if step is None:
            raise refusal(
                f"{place}.{key}: no earlier message makes the call {found!r}",
                param=f"{place}.{key}",
            )
        if not step.content["parts"] and self._contents[-1] is not step.content:
            self._losses.change("messages[].tool_call_id (results right behind their calls)")
        call_id = found if key == "tool_call_id" else _older_id(found)
        step.add(
            call_id,
            translate_result(message, step.calls[call_id], place=place, losses=self._losses),
        )

    # --- what the model said

    def _add_assistant(self, message: Message, *, place: str) -> None:
        texts: list[Part] = []
        if message.get("content") is not None:
            texts = translate_assistant_content(
                message["content"], place=place, losses=self._losses
            )
        for text in (message.get("refusal"), self._transcript(message)):
            if isinstance(text, str) and text:
                texts.append({"text": text})
        calls = self._function_calls(message, place=place)
        rebuilt = rebuild("".join(text["text"] for text in texts), calls, recall=self._recall)
        if rebuilt is None:
            signature = read_signature(message)
            if signature is not None:
                texts.append({"text": "", "thoughtSignature": signature})
            images = self._images(message, place=place)
            rebuilt = [*texts, *images, *(sign(call, recall=self._recall) for call in calls)]
        if message.get("reasoning_content") and not any(part.get("thought") for part in rebuilt):
            self._losses.drop("messages[].reasoning_content")
        self._contents.append({"role": "model", "parts": rebuilt or [{"text": ""}]})
        if calls:
            self._open_step(calls)

    def _open_step(self, calls: list[Call]) -> None:
        """Keep the place for the results of these calls."""
        step = Step(calls)
        self._contents.append(step.content)
        self._steps.update(dict.fromkeys(step.calls, step))

    def _function_calls(self, message: Message, *, place: str) -> list[Call]:
        calls = message.get("tool_calls")
        if calls is not None and not isinstance(calls, list):
            raise refusal(f"{place}.tool_calls must be an array", param=f"{place}.tool_calls")
        found = [
            _function_call(call, f"{place}.tool_calls[{position}]", losses=self._losses)
            for position, call in enumerate(calls or ())
        ]
        older = message.get("function_call")
        if older is not None:
            found.append(_older_call(older, f"{place}.function_call"))
        return found

    def _images(self, message: Message, *, place: str) -> list[Part]:
        images = message.get("images")
        parts = []
        for position, image in enumerate(images if isinstance(images, list) else ()):
            at = f"{place}.images[{position}]"
            part = translate_image(image, at=at, losses=self._losses)
            signature = read_signature(image)
            parts.append(part if signature is None else {**part, "thoughtSignature": signature})
        return parts

    def _transcript(self, message: Message) -> Any:
        audio = message.get("audio")
        if audio is None:
            return None
        self._losses.drop("messages[].audio")
        return audio.get("transcript") if isinstance(audio, dict) else None

    def _mark_unsigned(self, content: dict[str, Any]) -> None:
        """Say of an answer's first call that its signature is not known, as Google wants it said."""
        for part in content["parts"]:
            if "functionCall" in part:
                if "thoughtSignature" not in part:
                    part["thoughtSignature"] = _NO_SIGNATURE
                    self._losses.change("messages[].tool_calls[] (signature unknown)")
                return


def _function_call(call: Any, at: str, *, losses: Losses) -> Call:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        raise refusal(f"{at}: only calls of functions can be sent to Gemini", param=at)
    name, found = function.get("name"), call.get("id")
    if not isinstance(name, str) or not isinstance(found, str) or not found:
        raise refusal(f"{at} must have an id and the name of a function", param=at)
    for key, value in call.items():
        if key not in ("id", "type", "function", "index", "extra_content") and value is not None:
            losses.drop(f"messages[].tool_calls[].{key}")
    at = f"{at}.function.arguments"
    body = {"name": name, "args": parse_arguments(function.get("arguments"), of=found, at=at)}
    if not is_minted(found):
        body["id"] = found
    signature = read_signature(call)
    part: Part = {"functionCall": body}
    return Call(found, part if signature is None else {**part, "thoughtSignature": signature})


def _older_call(call: Any, at: str) -> Call:
    if not isinstance(call, dict) or not isinstance(call.get("name"), str):
        raise refusal(f"{at} must be an object with a name", param=at)
    name = call["name"]
    arguments = parse_arguments(call.get("arguments"), of=name, at=f"{at}.arguments")
    return Call(_older_id(name), {"functionCall": {"name": name, "args": arguments}})


def _older_id(name: str) -> str:
    """Make the id by which a result in the older form finds its call; Gemini does not see it."""
    return f"call_of_{name}_0"
