"""The messages of a request: who said what, in the order that the provider demands.

System prompts move to the front, results of tools into messages of their own right after their calls.
It does not know the other keys of a request. Invariant: nothing is invented. A history that the
provider refuses goes out as it is, because its refusal is the right answer.

Source: https://platform.openai.com/docs/api-reference/chat/create (messages).
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.proxy.translate._api import TranslateOptions
from dolphin_logger.proxy.translate.anthropic_to_openai.call_ids import decode_id
from dolphin_logger.proxy.translate.anthropic_to_openai.content import (
    Block,
    Part,
    drop_others,
    join_texts,
    read_blocks,
    read_text,
    simplify,
    translate_block,
)
from dolphin_logger.proxy.translate.anthropic_to_openai.seals import seal
from dolphin_logger.proxy.translate.json_text import write_arguments
from dolphin_logger.proxy.translate.losses import Losses, refusal

_ROLES: Final = ("user", "assistant", "system")
# Claude Code's note to Anthropic's billing. It differs in each request, and would keep the provider
# from finding the rest of the prompt in its cache.
_NOTE: Final = "x-anthropic-billing-header:"
_MOVED: Final = "messages[].content[] (results before text)"
_DIRECT: Final = {"type": "direct"}  # a call that the model itself has made


class History:
    """Takes the messages one by one."""

    def __init__(self, losses: Losses, *, options: TranslateOptions, takes_thoughts: bool) -> None:
        self._losses = losses
        self._in_place = options.system_in_place
        self._recall = options.recall
        self._takes_thoughts = takes_thoughts
        self._system: list[str] = []
        self._messages: list[dict[str, Any]] = []

    def add_system(self, content: Any) -> None:
        """Take the `system` of the request."""
        self._system += self._read_system(content, "system", inside="system[].")

    def add(self, message: Any, *, number: int) -> None:
        """Take the next message."""
        place = f"messages[{number}]"
        role = message.get("role") if isinstance(message, dict) else None
        if role not in _ROLES:
            known = ", ".join(_ROLES)
            raise refusal(f"{place}.role: {role!r} is unknown; known: {known}", param=place)
        drop_others(message, ("role", "content"), losses=self._losses, inside="messages[].")
        content, at = message.get("content"), f"{place}.content"
        if role == "user":
            self._add_user(content, at)
        elif role == "assistant":
            self._add_assistant(content, at)
        else:
            self._add_later_system(content, at)

    def result(self) -> list[dict[str, Any]]:
        """Give the provider's messages."""
        prompt = join_texts(self._system)
        system = [{"role": "system", "content": prompt}] if prompt else []
        return [*system, *self._messages]

    def _add_later_system(self, content: Any, at: str) -> None:
        texts = self._read_system(content, at, inside="messages[].content[].")
        if self._in_place and self._messages:
            self._messages.append({"role": "system", "content": join_texts(texts)})
            return
        if self._messages:  # templates of many models take a system prompt at the beginning only
            self._losses.change("messages[].role (system, from the middle to the front)")
        self._system += texts

    def _read_system(self, content: Any, at: str, *, inside: str) -> list[str]:
        texts = []
        for block, kind, place in read_blocks(content, at):
            if kind != "text":
                raise refusal(f"{place}: a system prompt must be text, not {kind!r}", param=place)
            text = read_text(block, place, losses=self._losses, inside=inside)
            if text.startswith(_NOTE):
                text = text.partition("\n")[2]
                self._losses.drop(f"system[] ({_NOTE[:-1]})")
            texts.append(text)
        return texts

    # --- what the user says, and what tools say in the user's name

    def _add_user(self, content: Any, at: str) -> None:
        if isinstance(content, str):
            self._messages.append({"role": "user", "content": content})
            return
        parts: list[Part] = []  # those of results come first, as their calls did
        spoken: list[Part] = []
        results = 0
        for block, kind, place in read_blocks(content, at):
            if kind == "tool_result":
                results += 1
                if spoken:
                    self._losses.change(_MOVED)
                parts += self._add_result(block, place)
            else:
                spoken += translate_block(block, kind, place, losses=self._losses)
        if parts or spoken or not results:
            self._messages.append({"role": "user", "content": simplify([*parts, *spoken])})

    def _add_result(self, block: Block, at: str) -> list[Part]:
        """Take the result of a tool; return the parts that a tool cannot say here."""
        call = block.get("tool_use_id")
        if not isinstance(call, str) or not call:
            where = f"{at}.tool_use_id"
            raise refusal(f"{where} must name the call that this answers", param=where)
        drop_others(block, ("tool_use_id", "content", "is_error"), losses=self._losses)
        if block.get("is_error"):
            self._losses.change("messages[].content[].is_error (the text alone tells)")
        texts, others = [], []
        content = block.get("content")
        for inner, kind, place in read_blocks([] if content is None else content, f"{at}.content"):
            for part in translate_block(inner, kind, place, losses=self._losses):
                if part["type"] == "text":
                    texts.append(part["text"])
                else:
                    others.append(part)
        if others:
            self._losses.change("messages[].content[].content[] (files of results as the user's)")
        self._insert_result(
            {"role": "tool", "tool_call_id": decode_id(call), "content": join_texts(texts)}
        )
        return others

    def _insert_result(self, result: dict[str, Any]) -> None:
        """Put a result where the provider looks for it: right after the calls and other results."""
        place = len(self._messages)
        while place and self._messages[place - 1]["role"] in ("user", "system"):
            place -= 1
        if place == 0:  # it answers nothing, as the provider will say
            place = len(self._messages)
        if place < len(self._messages):
            self._losses.change(_MOVED)
        self._messages.insert(place, result)

    # --- what the model said

    def _add_assistant(self, content: Any, at: str) -> None:
        texts: list[str] = []
        thoughts: list[str] = []
        calls: list[dict[str, Any]] = []
        for block, kind, place in read_blocks(content, at):
            if kind == "text":
                texts.append(read_text(block, place, losses=self._losses))
                if calls:
                    self._losses.change("messages[].content[] (text before calls)")
            elif kind == "thinking":
                thoughts.append(self._thought(block))
            elif kind == "tool_use":
                calls.append(self._call(block, place))
            else:  # what Anthropic did by itself: nobody else can read it
                self._losses.drop(f"messages[].content[] ({kind})")
        text = "".join(texts)
        message: dict[str, Any] = {"role": "assistant", "content": text or (None if calls else "")}
        if calls:
            message["tool_calls"] = calls
        self._think(message, "".join(thoughts))
        self._messages.append(message)

    def _thought(self, block: Block) -> str:
        drop_others(block, ("thinking",), losses=self._losses)  # the seal is Anthropic's
        thought = block.get("thinking")
        return thought if isinstance(thought, str) else ""

    def _think(self, message: dict[str, Any], thought: str) -> None:
        """Let the model have the thoughts that led to its calls; others it is not asked to read again."""
        if thought and not (self._takes_thoughts and "tool_calls" in message):
            self._losses.drop("messages[].content[] (thinking)")
            thought = ""
        if "tool_calls" in message:
            seal(message, thought=thought, recall=self._recall)

    def _call(self, block: Block, at: str) -> dict[str, Any]:
        call, name = block.get("id"), block.get("name")
        if not isinstance(call, str) or not isinstance(name, str):
            raise refusal(f"{at} must have an id and a name", param=at)
        known = ("id", "name", "input", *("caller",) * (block.get("caller") == _DIRECT))
        drop_others(block, known, losses=self._losses)
        given = block.get("input")
        function = {"name": name, "arguments": write_arguments({} if given is None else given)}
        return {"id": decode_id(call), "type": "function", "function": function}
