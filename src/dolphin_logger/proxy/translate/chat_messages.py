"""The messages of a chat completion request, in the order that its servers demand.

One system prompt at the front, results of tools right after their calls, beside the calls what was kept
of them. It knows the language and what servers make of it, and no client's language: it says what it
had to move, and the caller names it. Invariant: nothing is invented. A history that the provider
refuses goes out as it is, because its refusal is the right answer.

Source: https://platform.openai.com/docs/api-reference/chat/create (messages).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from dolphin_logger.proxy.translate._api import TranslateOptions
from dolphin_logger.proxy.translate.chat_models import ModelTraits
from dolphin_logger.proxy.translate.chat_seals import seal
from dolphin_logger.proxy.translate.parts import Part

Message = dict[str, Any]

_BETWEEN: Final = "\n\n"  # texts that stand side by side
_THOUGHTS: Final = "reasoning_content"  # in `drop`: of servers that refuse thoughts in a history


class ChatMessages:
    """Takes messages one by one; `found` are the provider's."""

    def __init__(self, *, options: TranslateOptions, traits: ModelTraits) -> None:
        self.found: list[Message] = []
        self._options = options
        self._takes_thoughts = traits.takes_thoughts and _THOUGHTS not in options.drop
        self._prompt: Message | None = None
        self._callers: dict[str, Message] = {}  # by the id of a call: the last message with it

    def add_system(self, text: str) -> bool:
        """Take a system prompt; say whether it has moved from the middle to the front.

        Templates of many models take one at the beginning only.
        """
        if not text:
            return False
        in_the_middle = any(message is not self._prompt for message in self.found)
        if in_the_middle and self._options.system_in_place:
            self.found.append({"role": "system", "content": text})
            return False
        if self._prompt is None:
            self._prompt = {"role": "system", "content": text}
            self.found.insert(0, self._prompt)
        else:
            self._prompt["content"] = join_texts((self._prompt["content"], text))
        return in_the_middle

    def add_user(self, parts: list[Part]) -> None:
        """Take what a user says: one string where it is all text; there are servers that read no parts."""
        said: str | list[Part] = [part for part in parts if part.get("text") != ""]
        if all(part["type"] == "text" for part in parts):
            said = join_texts(part["text"] for part in parts)
        self.found.append({"role": "user", "content": said})

    def add_result(self, call_id: str, text: str) -> bool:
        """Take the result of a tool; say whether it has moved, from behind what followed its call."""
        place = len(self.found)
        caller = self._callers.get(call_id)
        if caller is not None:
            place = next(n for n, message in enumerate(self.found) if message is caller) + 1
            while place < len(self.found) and self.found[place]["role"] == "tool":
                place += 1
        moved = place < len(self.found)
        self.found.insert(place, {"role": "tool", "tool_call_id": call_id, "content": text})
        return moved

    def add_answer(self, message: Message, *, thought: str) -> bool:
        """Take what the model said and called; say whether its thought stays behind.

        A thought goes back with the calls that it led to: nothing else is read again, and there are
        servers that refuse it anywhere else.
        """
        calls = message.get("tool_calls", ())
        self.found.append(message)
        self._callers |= {call["id"]: message for call in calls}
        if calls:
            seal(
                message,
                thought=thought,
                recall=self._options.recall,
                takes_thoughts=self._takes_thoughts,
            )
        return bool(thought) and not (calls and self._takes_thoughts)


def join_texts(texts: Iterable[str]) -> str:
    """Join texts that stand side by side."""
    return _BETWEEN.join(text for text in texts if text)


def write_call(call_id: str, *, name: str, arguments: str) -> dict[str, Any]:
    """Write a call; its arguments are a JSON text."""
    function = {"name": name, "arguments": arguments}
    return {"id": call_id, "type": "function", "function": function}
