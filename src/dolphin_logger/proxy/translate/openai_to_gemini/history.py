"""The messages of a request: who said what, in the order that the provider demands.

System prompts move to the front; the results of one answer's calls become one content right behind
it, in the order of the calls. It knows Gemini's parts, and not the other keys of a request. Invariant: nothing is
invented but, where a newer model would refuse a call without one, Google's documented stand-in for a
signature. A history that the provider refuses goes out as it is.

Sources: https://ai.google.dev/gemini-api/docs/function-calling (order),
https://ai.google.dev/gemini-api/docs/thought-signatures.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.proxy.translate._api import TranslateOptions
from dolphin_logger.proxy.translate.chat_history import CalledFunction, ChatHistory, Message
from dolphin_logger.proxy.translate.losses import Losses, refusal
from dolphin_logger.proxy.translate.openai_to_gemini.content import (
    translate_assistant_content,
    translate_image,
    translate_system_content,
    translate_user_content,
)
from dolphin_logger.proxy.translate.openai_to_gemini.results import Step, translate_result
from dolphin_logger.proxy.translate.openai_to_gemini.skeleton import Call, rebuild, sign
from dolphin_logger.proxy.translate.openai_to_gemini.words import is_minted, read_signature
from dolphin_logger.proxy.translate.parts import Part

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


class History(ChatHistory):
    """Takes the messages one by one; `system` holds parts, `contents` are the provider's."""

    known = _KNOWN
    provider = "Gemini"

    def __init__(self, losses: Losses, *, options: TranslateOptions) -> None:
        super().__init__(losses)
        self.system: list[Part] = []
        self._contents: list[dict[str, Any]] = []
        self._recall = options.recall
        self._steps: dict[str, Step] = {}  # by the id of a call: the last one with it
        self._turn = 0  # where the current turn begins

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

    def _add_assistant(self, message: Message, *, place: str, number: int) -> None:
        del number  # an older call is known by its name
        texts: list[Part] = []
        if message.get("content") is not None:
            texts = translate_assistant_content(
                message["content"], place=place, losses=self._losses
            )
        texts += [{"text": said} for said in self._read_beside(message)]
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
        found = [
            _function_call(call)
            for call in self._read_calls(message, place=place, also=("extra_content",))
        ]
        if message.get("function_call") is not None:
            older = self._read_older_call(message, place=place, id_="")
            body = {"name": older.name, "args": older.arguments}
            found.append(Call(_older_id(older.name), {"functionCall": body}))
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

    def _mark_unsigned(self, content: dict[str, Any]) -> None:
        """Say of an answer's first call that its signature is not known, as Google wants it said."""
        for part in content["parts"]:
            if "functionCall" in part:
                if "thoughtSignature" not in part:
                    part["thoughtSignature"] = _NO_SIGNATURE
                    self._losses.change("messages[].tool_calls[] (signature unknown)")
                return


def _function_call(call: CalledFunction) -> Call:
    body: dict[str, Any] = {"name": call.name, "args": call.arguments}
    if not is_minted(call.id):
        body["id"] = call.id
    signature = read_signature(call.entry)
    part: Part = {"functionCall": body}
    return Call(call.id, part if signature is None else {**part, "thoughtSignature": signature})


def _older_id(name: str) -> str:
    """Make the id by which a result in the older form finds its call; Gemini does not see it."""
    return f"call_of_{name}_0"
