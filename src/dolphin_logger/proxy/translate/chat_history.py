"""The messages of a client's chat completion request, read one by one.

It knows who may speak and how a call is written, in its current and its older form, and no provider's
language. Invariant: each message gets to the one who knows its role, or the request is refused; keys
that nobody takes are named as dropped.

Source: https://platform.openai.com/docs/api-reference/chat/create (messages).
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from dolphin_logger.proxy.translate.json_text import parse_arguments
from dolphin_logger.proxy.translate.losses import Losses, refusal

Message = Mapping[str, Any]
_CALL = ("id", "type", "function", "index")


class CalledFunction(NamedTuple):
    """A call that the client sends back; `entry` is what it stood in."""

    id: str
    name: str
    arguments: dict[str, Any]
    entry: Mapping[str, Any]


class ChatHistory(ABC):
    """Takes the messages one by one; `known` are the keys that are read, by role."""

    known: Mapping[str, frozenset[str]]
    provider: str

    def __init__(self, losses: Losses) -> None:
        self._losses = losses

    def add(self, message: Any, *, number: int) -> None:
        """Take the next message."""
        place = f"messages[{number}]"
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(role, str) or role not in self.known:
            known = ", ".join(self.known)
            raise refusal(f"{place}.role: {role!r} is unknown; known: {known}", param=place)
        for key, value in message.items():
            if value is not None and key not in self.known[role] and key != "role":
                self._losses.drop(f"messages[].{key}")
        if role in ("system", "developer"):
            self._add_system(message, place=place)
        elif role == "user":
            self._add_user(message, place=place)
        elif role == "assistant":
            self._add_assistant(message, place=place, number=number)
        else:
            self._add_result(message, place=place)

    @abstractmethod
    def _add_system(self, message: Message, *, place: str) -> None:
        """Take a system prompt."""

    @abstractmethod
    def _add_user(self, message: Message, *, place: str) -> None:
        """Take what the user says."""

    @abstractmethod
    def _add_assistant(self, message: Message, *, place: str, number: int) -> None:
        """Take what the model said."""

    @abstractmethod
    def _add_result(self, message: Message, *, place: str) -> None:
        """Take the result of a call."""

    def _read_beside(self, message: Message) -> Iterator[str]:
        """Give what the model said beside its content: a refusal, the transcript of its voice."""
        audio = message.get("audio")
        if audio is not None:
            self._losses.drop("messages[].audio")
        for said in (
            message.get("refusal"),
            audio.get("transcript") if isinstance(audio, dict) else None,
        ):
            if isinstance(said, str) and said:
                yield said

    def _read_calls(
        self, message: Message, *, place: str, also: tuple[str, ...] = ()
    ) -> Iterator[CalledFunction]:
        """Read the calls; `also` are keys that a provider's client puts beside them."""
        calls = message.get("tool_calls")
        if calls is not None and not isinstance(calls, list):
            raise refusal(f"{place}.tool_calls must be an array", param=f"{place}.tool_calls")
        for position, call in enumerate(calls or ()):
            at = f"{place}.tool_calls[{position}]"
            function = call.get("function") if isinstance(call, dict) else None
            if not isinstance(function, dict):
                raise refusal(
                    f"{at}: only calls of functions can be sent to {self.provider}", param=at
                )
            name, found = function.get("name"), call.get("id")
            if not isinstance(name, str) or not isinstance(found, str) or not found:
                raise refusal(f"{at} must have an id and the name of a function", param=at)
            for key, value in call.items():
                if key not in (*_CALL, *also) and value is not None:
                    self._losses.drop(f"messages[].tool_calls[].{key}")
            at = f"{at}.function.arguments"
            arguments = parse_arguments(function.get("arguments"), of=found, at=at)
            yield CalledFunction(found, name, arguments, call)

    def _read_older_call(self, message: Message, *, place: str, id_: str) -> CalledFunction:
        """Read a `function_call`, which has no id of its own."""
        at, call = f"{place}.function_call", message["function_call"]
        if not isinstance(call, dict) or not isinstance(call.get("name"), str):
            raise refusal(f"{at} must be an object with a name", param=at)
        arguments = parse_arguments(call.get("arguments"), of=call["name"], at=f"{at}.arguments")
        return CalledFunction(id_, call["name"], arguments, call)
