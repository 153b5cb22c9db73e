"""The messages of a request: who said what, in the order that the provider demands.

System prompts move to the front, results of tools into the user message right after their calls.
It does not know the other keys of a request. Invariant: nothing is invented. A history that the
provider refuses goes out as it is, because its refusal is the right answer.

Source: https://platform.claude.com/docs/en/agents-and-tools/tool-use/implement-tool-use (order).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dolphin_logger.proxy.translate._api import TranslateOptions
from dolphin_logger.proxy.translate.json_text import parse_arguments
from dolphin_logger.proxy.translate.losses import Losses, refusal
from dolphin_logger.proxy.translate.openai_to_anthropic.content import (
    Block,
    drop_blank_text,
    text_block,
    translate_assistant_content,
    translate_system_content,
    translate_user_content,
)
from dolphin_logger.proxy.translate.openai_to_anthropic.skeleton import (
    is_thought,
    is_whole,
    rebuild,
)

Message = Mapping[str, Any]

_KNOWN: Final = {
    "system": frozenset(("content",)),
    "developer": frozenset(("content",)),
    "user": frozenset(("content",)),
    "assistant": frozenset(
        (
            *("content", "refusal", "audio", "tool_calls", "function_call"),
            *("thinking_blocks", "reasoning_content"),
        )
    ),
    "tool": frozenset(("content", "tool_call_id", "is_error")),
    "function": frozenset(("content", "name")),
}
_CACHE: Final = "cache_control"


class History:
    """Takes the messages one by one; `system` and `messages` are the provider's."""

    def __init__(self, losses: Losses, *, options: TranslateOptions) -> None:
        self.system: list[Block] = []
        self.messages: list[dict[str, Any]] = []
        self._losses = losses
        self._in_place = options.system_in_place
        self._recall_call = options.recall
        self._calls: list[tuple[str, str]] = []  # name and id of calls in the older form
        self._merged: Block | None = None  # takes the text of system messages from the middle

    def add(self, message: Any, *, number: int) -> None:
        """Take the next message."""
        place = f"messages[{number}]"
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(role, str) or role not in _KNOWN:
            known = ", ".join(_KNOWN)
            raise refusal(f"{place}.role: {role!r} is unknown; known: {known}", param=place)
        for key, value in message.items():
            if value is not None and key not in _KNOWN[role] and key not in ("role", _CACHE):
                self._losses.drop(f"messages[].{key}")
        if role in ("system", "developer"):
            self._add_system(message, place=place)
        elif role == "user":
            self._add_user(message, place=place)
        elif role == "assistant":
            self._add_assistant(message, place=place, number=number)
        else:
            self._add_result(message, place=place)

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

    def _join_system(self, block: Block) -> None:
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
        block: Block = {
            "type": "tool_result",
            "tool_use_id": self._call_of(message, place=place),
            "content": content or "",
        }
        if isinstance(message.get("is_error"), bool):
            block["is_error"] = message["is_error"]
        self._insert_result(_with_cache([block], message)[0])

    def _insert_result(self, block: Block) -> None:
        """Put a result where the provider looks for it: before any text, right after the calls."""
        first = len(self.messages)
        while first and self.messages[first - 1]["role"] == "user":
            first -= 1
        if first == len(self.messages):
            self.messages.append({"role": "user", "content": [block]})
            return
        message = self.messages[first]
        if isinstance(message["content"], str):
            message["content"] = [text_block(message["content"])] if message["content"] else []
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
            return found
        name = message.get("name")
        for position, (called, found) in enumerate(self._calls):
            if called == name:
                del self._calls[position]
                return found
        at = f"{place}.name"
        raise refusal(f"{at}: no earlier message calls the function {name!r}", param=at)

    def _add_assistant(self, message: Message, *, place: str, number: int) -> None:
        thoughts = self._thinking(message)
        texts: list[Block] = []
        if message.get("content") is not None:
            texts = translate_assistant_content(
                message["content"], place=place, losses=self._losses
            )
        for text in (message.get("refusal"), self._transcript(message)):
            if isinstance(text, str) and text:
                texts.append(text_block(text))
        calls = self._tool_uses(message, place=place)
        blocks = self._recall(thoughts, texts, calls)
        if message.get("reasoning_content") and not any(is_thought(block) for block in blocks):
            self._losses.drop("messages[].reasoning_content")  # without its seal it is refused
        if message.get("function_call") is not None:
            blocks.append(self._older_call(message["function_call"], place=place, number=number))
        blocks = _with_cache(drop_blank_text(blocks, losses=self._losses), message)
        self.messages.append({"role": "assistant", "content": blocks or ""})

    def _tool_uses(self, message: Message, *, place: str) -> list[Block]:
        calls = message.get("tool_calls")
        if calls is not None and not isinstance(calls, list):
            raise refusal(f"{place}.tool_calls must be an array", param=f"{place}.tool_calls")
        return [
            _tool_use(call, f"{place}.tool_calls[{position}]", losses=self._losses)
            for position, call in enumerate(calls or ())
        ]

    def _recall(self, thoughts: list[Block], texts: list[Block], calls: list[Block]) -> list[Block]:
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

    def _thinking(self, message: Message) -> list[Block]:
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

    def _transcript(self, message: Message) -> Any:
        audio = message.get("audio")
        if audio is None:
            return None
        self._losses.drop("messages[].audio")
        return audio.get("transcript") if isinstance(audio, dict) else None

    def _older_call(self, call: Any, *, place: str, number: int) -> Block:
        at = f"{place}.function_call"
        if not isinstance(call, dict) or not isinstance(call.get("name"), str):
            raise refusal(f"{at} must be an object with a name", param=at)
        made_up = f"function_call_{number}"
        self._calls.append((call["name"], made_up))
        at = f"{at}.arguments"
        arguments = parse_arguments(call.get("arguments"), of=call["name"], at=at)
        return {"type": "tool_use", "id": made_up, "name": call["name"], "input": arguments}


def _is_sealed(entry: Mapping[str, Any]) -> bool:
    if entry.get("type") == "redacted_thinking":
        return bool(entry.get("data"))
    return entry.get("type") == "thinking" and bool(entry.get("signature"))


def _with_cache(blocks: list[Block], message: Message) -> list[Block]:
    """Let the mark of a whole message stand on its last block that may have one: no thought."""
    last = next((block for block in reversed(blocks) if not is_thought(block)), None)
    if last is not None and message.get(_CACHE) is not None:
        last.setdefault(_CACHE, message[_CACHE])
    return blocks


def _tool_use(call: Any, at: str, *, losses: Losses) -> Block:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        raise refusal(f"{at}: only calls of functions can be sent to Anthropic", param=at)
    name, found = function.get("name"), call.get("id")
    if not isinstance(name, str) or not isinstance(found, str):
        raise refusal(f"{at} must have an id and the name of a function", param=at)
    for key, value in call.items():
        if key not in ("id", "type", "function", "index") and value is not None:
            losses.drop(f"messages[].tool_calls[].{key}")
    at = f"{at}.function.arguments"
    arguments = parse_arguments(function.get("arguments"), of=found, at=at)
    return {"type": "tool_use", "id": found, "name": name, "input": arguments}
