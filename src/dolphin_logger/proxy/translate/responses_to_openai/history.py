"""The input of a request: its items, as messages in the order that the provider demands.

What one answer consists of (thoughts, text, calls) becomes one assistant message. It knows items, and
neither the other keys of a request nor what the provider's messages look like. Invariant: nothing is
invented, and what has moved or changed is named.

Source: https://platform.openai.com/docs/guides/migrate-to-responses (items and messages).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from dolphin_logger.proxy.translate._api import TranslateOptions
from dolphin_logger.proxy.translate.chat_messages import (
    ChatMessages,
    Message,
    join_texts,
    write_call,
)
from dolphin_logger.proxy.translate.chat_models import ModelTraits
from dolphin_logger.proxy.translate.json_text import write_arguments
from dolphin_logger.proxy.translate.losses import Losses, refusal
from dolphin_logger.proxy.translate.parts import Part, text_part
from dolphin_logger.proxy.translate.responses_to_openai.content import is_text, translate_parts
from dolphin_logger.proxy.translate.responses_to_openai.pending import PendingAnswer
from dolphin_logger.proxy.translate.responses_to_openai.thoughts import is_foreign, read_thought
from dolphin_logger.proxy.translate.responses_to_openai.tools import (
    CUSTOM,
    FUNCTION,
    SEARCH,
    Tool,
    Tools,
)
from dolphin_logger.proxy.translate.responses_to_openai.wrapped_input import wrap_input

Item = Mapping[str, Any]

_SAYS_NOTHING: Final = frozenset(("type", "id", "status", "created_by"))
_MESSAGE: Final = frozenset(("role", "content"))
_CALL: Final = frozenset(("call_id", "name", "namespace", "arguments", "input", "execution"))
_RESULT: Final = frozenset(("call_id", "output", "tools", "execution", "name", "namespace"))
_ROLES: Final = ("user", "assistant", "system", "developer")
# Tools that ran at OpenAI, with their results: nothing in a chat completion stands for them.
_RAN_ELSEWHERE: Final = frozenset(
    (
        *("web_search_call", "file_search_call", "code_interpreter_call", "image_generation_call"),
        *("mcp_list_tools", "mcp_call"),
    )
)


class History:
    """Takes the items one by one."""

    def __init__(
        self, losses: Losses, *, tools: Tools, options: TranslateOptions, traits: ModelTraits
    ) -> None:
        self._losses = losses
        self._tools = tools
        self._chat = ChatMessages(options=options, traits=traits)
        self._answer = PendingAnswer()
        self._images: list[Part] = []  # of results, which can be text only

    @property
    def messages(self) -> list[Message]:
        """The provider's messages."""
        return self._chat.found

    def add_system(self, text: str) -> None:
        """Take a system prompt."""
        self._end_answer()
        self._flush_images()
        if self._chat.add_system(text):
            self._losses.change("input[].role (system, from the middle to the front)")

    def add(self, item: Any, *, number: int) -> None:
        """Take the next item."""
        at = f"input[{number}]"
        if not isinstance(item, dict):
            raise refusal(f"{at} must be an object", param=at)
        kind = item.get("type") or ("message" if "role" in item else None)
        if not isinstance(kind, str | None):
            raise refusal(f"{at}.type must be a string", param=f"{at}.type")
        add = None if kind is None else _ITEMS.get(kind)
        if add is not None:
            add(self, item, at)
        elif kind in _RAN_ELSEWHERE:
            self._losses.drop(f"input[] ({kind})")
        elif kind == "item_reference" or (kind is None and "id" in item):
            raise refusal(
                f"{at}: nothing is stored here, so an item cannot be named by its id;"
                " send the whole input",
                param=at,
            )
        else:
            known = ", ".join((*_ITEMS, *sorted(_RAN_ELSEWHERE)))
            raise refusal(
                f"{at}: an item of type {kind!r} cannot be sent to this provider; possible: {known}",
                param=at,
            )

    def finish(self) -> None:
        """Take the end of the input."""
        self._end_answer()
        self._flush_images()

    # --- messages

    def _add_message(self, item: Item, at: str) -> None:
        role = item.get("role")
        if role not in _ROLES:
            raise refusal(
                f"{at}.role: {role!r} is unknown; known: {', '.join(_ROLES)}", param=f"{at}.role"
            )
        self._note_others(item, _MESSAGE)
        parts = translate_parts(item.get("content"), at=f"{at}.content", losses=self._losses)
        if role == "assistant":
            self._add_said(parts)
            return
        if role == "user":
            self._end_answer()
            self._flush_images()
            self._chat.add_user(parts)
        elif all(is_text(part) for part in parts):
            self.add_system(join_texts(part["text"] for part in parts))
        else:
            message = f"{at}.content: a system prompt can only be text for this provider"
            raise refusal(message, param=f"{at}.content")

    def _add_agent_message(self, item: Item, at: str) -> None:
        """Take what one of a client's agents sent to another: to the one that reads it, a user's word."""
        self._note_others(item, frozenset(("content", "author", "recipient")))
        self._losses.change("input[] (agent_message, as a user's)")
        self._add_message({"role": "user", "content": item.get("content")}, at)

    def _add_said(self, parts: list[Part]) -> None:
        """Take text of the model; it begins a new message, unless calls before it wait for results."""
        if self._answer.said and not self._answer.calls:
            self._end_answer()
        self._answer.say(parts)

    def _add_reasoning(self, item: Item, at: str) -> None:
        del at
        self._note_others(item, frozenset(("content", "summary", "encrypted_content")))
        if self._answer.said and not self._answer.calls:
            self._end_answer()
        if is_foreign(item.get("encrypted_content")):
            self._losses.drop("input[].encrypted_content")
        self._answer.thought += read_thought(item)

    def _end_answer(self) -> None:
        """Write the assistant message that is complete now."""
        answer, self._answer = self._answer, PendingAnswer()
        message = answer.write()
        if message is None:
            stays_behind = bool(answer.thought)
        else:
            self._flush_images()
            stays_behind = self._chat.add_answer(message, thought=answer.thought)
        if stays_behind:
            self._losses.drop("input[] (reasoning)")

    # --- calls and their results

    def _add_function_call(self, item: Item, at: str) -> None:
        arguments = item.get("arguments")
        self._add_call(item, at, kind=FUNCTION, arguments=write_arguments(arguments or ""))

    def _add_custom_call(self, item: Item, at: str) -> None:
        text = item.get("input")
        if not isinstance(text, str):
            raise refusal(f"{at}.input must be a string", param=f"{at}.input")
        self._losses.change("input[].input (as arguments of a function)")
        self._add_call(item, at, kind=CUSTOM, arguments=wrap_input(text))

    def _add_search_call(self, item: Item, at: str) -> None:
        if self._is_server_search(item):
            return
        arguments = write_arguments(item.get("arguments") or {})
        self._add_call({**item, "name": SEARCH}, at, kind=SEARCH, arguments=arguments)

    def _add_call(self, item: Item, at: str, *, kind: str, arguments: str) -> None:
        self._note_others(item, _CALL)
        name, namespace = _string(item, "name", at), item.get("namespace")
        tool = Tool(kind, name, namespace if isinstance(namespace, str) else None)
        call_id = _string(item, "call_id", at)
        call = write_call(call_id, name=self._tools.name(tool), arguments=arguments)
        self._answer.calls.append(call)

    def _add_result(self, item: Item, at: str) -> None:
        parts = translate_parts(item.get("output"), at=f"{at}.output", losses=self._losses)
        self._insert_result(item, at, parts=parts)

    def _add_search_result(self, item: Item, at: str) -> None:
        if self._is_server_search(item):
            return
        self._losses.change("input[].tools (as text)")
        text = write_arguments(item.get("tools") or [])
        self._insert_result(item, at, parts=[text_part(text)])

    def _is_server_search(self, item: Item) -> bool:
        if item.get("execution") == "client":
            return False
        self._losses.drop(f"input[] ({item['type']})")
        return True

    def _insert_result(self, item: Item, at: str, *, parts: list[Part]) -> None:
        """Put a result where the provider looks for it: right after the calls."""
        self._note_others(item, _RESULT)
        call_id = _string(item, "call_id", at)
        self._end_answer()
        texts = [part for part in parts if is_text(part)]
        images = [part for part in parts if not is_text(part)]
        if images:
            self._losses.change("input[].output (images and files follow as a user's)")
            self._images += images
        if self._chat.add_result(call_id, join_texts(part["text"] for part in texts)):
            self._losses.change("input[] (results right after their calls)")

    def _flush_images(self) -> None:
        """Let the images of results follow them, for results can only be text."""
        if self._images:
            self._chat.add_user(self._images)
            self._images = []

    def _add_tools(self, item: Item, at: str) -> None:
        """Take tools that came up later; they are offered from the beginning."""
        del at
        self._note_others(item, frozenset(("role", "tools")))

    def _note_others(self, item: Item, known: frozenset[str]) -> None:
        for key, value in item.items():
            if key not in known and key not in _SAYS_NOTHING and value not in (None, [], {}):
                self._losses.drop(f"input[].{key}")


def _string(item: Item, key: str, at: str) -> str:
    value = item.get(key)
    if not isinstance(value, str) or not value:
        raise refusal(f"{at}.{key} must be a string", param=f"{at}.{key}")
    return value


_ITEMS: Final[Mapping[str, Callable[[History, Item, str], None]]] = MappingProxyType(
    {
        "message": History._add_message,
        "agent_message": History._add_agent_message,
        "reasoning": History._add_reasoning,
        "function_call": History._add_function_call,
        "function_call_output": History._add_result,
        "custom_tool_call": History._add_custom_call,
        "custom_tool_call_output": History._add_result,
        "tool_search_call": History._add_search_call,
        "tool_search_output": History._add_search_result,
        "additional_tools": History._add_tools,
    }
)
