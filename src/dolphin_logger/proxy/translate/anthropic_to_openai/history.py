"""The messages of a request: who said what, in the order that the provider demands.

It knows Anthropic's blocks, and neither the other keys of a request nor what the provider's messages
look like. Invariant: nothing is invented, and what has moved or changed is named.

Source: https://platform.openai.com/docs/api-reference/chat/create (messages).
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.proxy.translate._api import TranslateOptions
from dolphin_logger.proxy.translate.anthropic_to_openai.content import (
    drop_beside,
    read_text,
    translate_block,
)
from dolphin_logger.proxy.translate.call_ids import decode_id
from dolphin_logger.proxy.translate.chat_messages import ChatMessages, join_texts, write_call
from dolphin_logger.proxy.translate.chat_models import ModelTraits
from dolphin_logger.proxy.translate.chat_names import fit_name
from dolphin_logger.proxy.translate.json_text import write_arguments
from dolphin_logger.proxy.translate.losses import Losses, refusal
from dolphin_logger.proxy.translate.parts import Given, Part, drop_others, read_parts

_ROLES: Final = ("user", "assistant", "system")
# Claude Code's note to Anthropic's billing. It differs in each request, and would keep the provider
# from finding the rest of the prompt in its cache.
_NOTE: Final = "x-anthropic-billing-header:"
_MOVED: Final = "messages[].content[] (results before text)"
_DIRECT: Final = {"type": "direct"}  # a call that the model itself has made


class History:
    """Takes the messages one by one."""

    def __init__(self, losses: Losses, *, options: TranslateOptions, traits: ModelTraits) -> None:
        self._losses = losses
        self._chat = ChatMessages(options=options, traits=traits)

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The provider's messages."""
        return self._chat.found

    def add_system(self, content: Any) -> None:
        """Take the `system` of the request."""
        self._chat.add_system(self._read_system(content, "system", inside="system[]."))

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

    def _add_later_system(self, content: Any, at: str) -> None:
        if self._chat.add_system(self._read_system(content, at, inside="messages[].content[].")):
            self._losses.change("messages[].role (system, from the middle to the front)")

    def _read_system(self, content: Any, at: str, *, inside: str) -> str:
        texts = []
        for block, kind, place in read_parts(content, at=at):
            if kind != "text":
                raise refusal(f"{place}: a system prompt must be text, not {kind!r}", param=place)
            text = read_text(block, place, losses=self._losses, inside=inside)
            if text.startswith(_NOTE):
                text = text.partition("\n")[2]
                self._losses.drop(f"system[] ({_NOTE[:-1]})")
            texts.append(text)
        return join_texts(texts)

    # --- what the user says, and what tools say in the user's name

    def _add_user(self, content: Any, at: str) -> None:
        parts: list[Part] = []  # those of results come first, as their calls did
        spoken: list[Part] = []
        results = 0
        for block, kind, place in read_parts(content, at=at):
            if kind == "tool_result":
                results += 1
                if spoken:
                    self._losses.change(_MOVED)
                parts += self._add_result(block, place)
            else:
                spoken += translate_block(block, kind, place, losses=self._losses)
        if parts or spoken or not results:
            self._chat.add_user([*parts, *spoken])

    def _add_result(self, block: Given, at: str) -> list[Part]:
        """Take the result of a tool; return the parts that a tool cannot say here."""
        call = block.get("tool_use_id")
        if not isinstance(call, str) or not call:
            where = f"{at}.tool_use_id"
            raise refusal(f"{where} must name the call that this answers", param=where)
        drop_beside(block, ("tool_use_id", "content", "is_error"), losses=self._losses)
        if block.get("is_error"):
            self._losses.change("messages[].content[].is_error (the text alone tells)")
        texts, others = [], []
        content = block.get("content")
        for inner, kind, place in read_parts(
            [] if content is None else content, at=f"{at}.content"
        ):
            for part in translate_block(inner, kind, place, losses=self._losses):
                if part["type"] == "text":
                    texts.append(part["text"])
                else:
                    others.append(part)
        if others:
            self._losses.change("messages[].content[].content[] (files of results as the user's)")
        if self._chat.add_result(decode_id(call), join_texts(texts)):
            self._losses.change(_MOVED)
        return others

    # --- what the model said

    def _add_assistant(self, content: Any, at: str) -> None:
        texts: list[str] = []
        thoughts: list[str] = []
        calls: list[dict[str, Any]] = []
        for block, kind, place in read_parts(content, at=at):
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
        if self._chat.add_answer(message, thought="".join(thoughts)):
            self._losses.drop("messages[].content[] (thinking)")

    def _thought(self, block: Given) -> str:
        drop_beside(block, ("thinking",), losses=self._losses)  # the seal is Anthropic's
        thought = block.get("thinking")
        return thought if isinstance(thought, str) else ""

    def _call(self, block: Given, at: str) -> dict[str, Any]:
        call, name = block.get("id"), block.get("name")
        if not isinstance(call, str) or not isinstance(name, str):
            raise refusal(f"{at} must have an id and a name", param=at)
        known = ("id", "name", "input", *("caller",) * (block.get("caller") == _DIRECT))
        drop_beside(block, known, losses=self._losses)
        given = block.get("input")
        arguments = write_arguments({} if given is None else given)
        return write_call(decode_id(call), name=fit_name(name), arguments=arguments)
