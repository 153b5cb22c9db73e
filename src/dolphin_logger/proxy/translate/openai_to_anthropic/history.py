"""The messages of a request: who said what, in the order that the provider demands.

System prompts move to the front, results of tools into the user message right after their calls.
It knows Anthropic's blocks, and not the other keys of a request. Invariant: nothing is invented. A history that the
provider refuses goes out as it is, because its refusal is the right answer.

Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use (order).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dolphin_logger.proxy.translate._api import TranslateOptions
from dolphin_logger.proxy.translate.call_ids import encode_id
from dolphin_logger.proxy.translate.chat_history import CalledFunction, ChatHistory, Message
from dolphin_logger.proxy.translate.losses import Losses, refusal
from dolphin_logger.proxy.translate.openai_to_anthropic.content import (
    drop_blank_text,
    translate_assistant_content,
    translate_system_content,
    translate_user_content,
)
from dolphin_logger.proxy.translate.openai_to_anthropic.skeleton import (
    is_thought,
    is_whole,
    rebuild,
)
from dolphin_logger.proxy.translate.parts import Part, text_part

_CACHE: Final = "cache_control"
_KNOWN: Final = {
    "system": frozenset(("content", _CACHE)),
    "developer": frozenset(("content", _CACHE)),
    "user": frozenset(("content", _CACHE)),
    "assistant": frozenset(
        (
            *("content", "refusal", "audio", "tool_calls", "function_call"),
            *("thinking_blocks", "reasoning_content", _CACHE),
        )
    ),
    "tool": frozenset(("content", "tool_call_id", "is_error", _CACHE)),
    "function": frozenset(("content", "name", _CACHE)),
}


class History(ChatHistory):
    """Takes the messages one by one; `system` and `messages` are the provider's."""

    known = _KNOWN
    provider = "Anthropic"

    def __init__(self, losses: Losses, *, options: TranslateOptions) -> None:
        super().__init__(losses)
        self.system: list[Part] = []
        self.messages: list[dict[str, Any]] = []
        self._in_place = options.system_in_place
        self._recall_call = options.recall
        self._calls: list[tuple[str, str]] = []  # name and id of calls in the older form
        self._merged: Part | None = None  # takes the text of system messages from the middle

    def _add_system(self, message: Message, *, place: str) -> None:
        content = message.get("content")
        blocks = translate_system_content(content, place=place, losses=self._losses)
        blocks = _with_cache(drop_blank_text(blocks, losses=self._losses), message)
        if not self.messages:
            self.system += blocks
        elif self._in_place and blocks:
            self.messages.append({"role": "system", "content": blocks})
        else:
            self._losses.change("messages[].role (system, from the middle to the front)")
            for block in blocks:
                self._join_system(block)

    def _join_system(self, block: Part) -> None:
        merged = self._merged
        if merged is not None and _CACHE not in block:
            merged["text"] += "\n" + block["text"]
        else:
            self.system.append(block)
            self._merged = None if _CACHE in block else block

    def _add_user(self, message: Message, *, place: str) -> None:
        content = message.get("content")
        if isinstance(content, str) and not self._ends_with_results() and _CACHE not in message:
            self.messages.append({"role": "user", "content": content})
            return
        blocks = translate_user_content(content, place=place, losses=self._losses)
        blocks = _with_cache(drop_blank_text(blocks, losses=self._losses), message)
        if self._ends_with_results():
            self.messages[-1]["content"] += blocks
        else:
            self.messages.append({"role": "user", "content": blocks})

    def _ends_with_results(self) -> bool:
        """Say whether the last message holds nothing but results of tools."""
        last = self.messages[-1] if self.messages else None
        return (
            last is not None
            and last["role"] == "user"
            and isinstance(last["content"], list)
            and bool(last["content"])
            and all(block["type"] == "tool_result" for block in last["content"])
        )

    def _add_result(self, message: Message, *, place: str) -> None:
        content = message.get("content")
        if not isinstance(content, str | None):
            content = drop_blank_text(
                translate_user_content(content, place=place, losses=self._losses),
                losses=self._losses,
            )
        block: Part = {
            "type": "tool_result",
            "tool_use_id": self._call_of(message, place=place),
            "content": content or "",
        }
        if isinstance(message.get("is_error"), bool):
            block["is_error"] = message["is_error"]
        self._insert_result(_with_cache([block], message)[0])

    def _insert_result(self, block: Part) -> None:
        """Put a result where the provider looks for it: before any text, right after the calls."""
        first = len(self.messages)
        while first and self.messages[first - 1]["role"] == "user":
            first -= 1
        if first == len(self.messages):
            self.messages.append({"role": "user", "content": [block]})
            return
        message = self.messages[first]
        if isinstance(message["content"], str):
            message["content"] = [text_part(message["content"])] if message["content"] else []
        blocks = message["content"]
        results = sum(known["type"] == "tool_result" for known in blocks)
        if results < len(blocks):
            self._losses.change("messages[].tool_call_id (results before text)")
        blocks.insert(results, block)

    def _call_of(self, message: Message, *, place: str) -> str:
        """Find the id of the call that a message answers."""
        if message["role"] == "tool":
            found = message.get("tool_call_id")
            if not isinstance(found, str) or not found:
                at = f"{place}.tool_call_id"
                raise refusal(f"{at} must name the call that this answers", param=at)
            return encode_id(found)
        name = message.get("name")
        for position, (called, found) in enumerate(self._calls):
            if called == name:
                del self._calls[position]
                return found
        at = f"{place}.name"
        raise refusal(f"{at}: no earlier message calls the function {name!r}", param=at)

    def _add_assistant(self, message: Message, *, place: str, number: int) -> None:
        thoughts = self._thinking(message)
        texts: list[Part] = []
        if message.get("content") is not None:
            texts = translate_assistant_content(
                message["content"], place=place, losses=self._losses
            )
        texts += [text_part(said) for said in self._read_beside(message)]
        calls = [_tool_use(call) for call in self._read_calls(message, place=place)]
        blocks = self._recall(thoughts, texts, calls)
        if message.get("reasoning_content") and not any(is_thought(block) for block in blocks):
            self._losses.drop("messages[].reasoning_content")  # without its seal it is refused
        if message.get("function_call") is not None:
            older = self._read_older_call(message, place=place, id_=f"function_call_{number}")
            self._calls.append((older.name, older.id))
            blocks.append(_tool_use(older))
        blocks = _with_cache(drop_blank_text(blocks, losses=self._losses), message)
        self.messages.append({"role": "assistant", "content": blocks or ""})

    def _recall(self, thoughts: list[Part], texts: list[Part], calls: list[Part]) -> list[Part]:
        """Put the blocks in the provider's own order, with all that it said around the calls."""
        plain = [*thoughts, *texts, *calls]
        joined = "".join(block["text"] for block in texts)
        rebuilt = rebuild(joined, calls, recall=self._recall_call)
        if rebuilt is None:
            return plain
        if not is_whole(rebuilt):
            return plain if thoughts else [*rebuilt, *plain]
        rebuilt = drop_blank_text(rebuilt, losses=self._losses)
        marks = [block for block in texts if _CACHE in block]
        if marks:
            self._losses.change("messages[].content[].cache_control (on the last block)")
            _with_cache(rebuilt, marks[-1])
        return rebuilt

    def _thinking(self, message: Message) -> list[Part]:
        """Give the model its thoughts back, verbatim; without a signature it would refuse them."""
        entries = message.get("thinking_blocks")
        if entries is None:
            return []
        blocks = []
        for entry in entries if isinstance(entries, list) else (None,):
            if isinstance(entry, dict) and _is_sealed(entry):
                blocks.append({key: value for key, value in entry.items() if key != "index"})
            else:
                self._losses.drop("messages[].thinking_blocks[]")
        return blocks


def _is_sealed(entry: Mapping[str, Any]) -> bool:
    if entry.get("type") == "redacted_thinking":
        return bool(entry.get("data"))
    return entry.get("type") == "thinking" and bool(entry.get("signature"))


def _with_cache(blocks: list[Part], message: Message) -> list[Part]:
    """Let the mark of a whole message stand on its last block that may have one: no thought."""
    last = next((block for block in reversed(blocks) if not is_thought(block)), None)
    if last is not None and message.get(_CACHE) is not None:
        last.setdefault(_CACHE, message[_CACHE])
    return blocks


def _tool_use(call: CalledFunction) -> Part:
    return {
        "type": "tool_use",
        "id": encode_id(call.id),
        "name": call.name,
        "input": call.arguments,
    }
