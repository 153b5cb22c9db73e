"""A call while it grows, in the form that the client's tool has.

It knows the events of function calls, custom tool calls and tool searches, and how a provider that has
only functions writes all three. Invariant: a call gets `{}` for arguments only if it ended without any.

Source: https://platform.openai.com/docs/api-reference/responses-streaming.
"""

from __future__ import annotations

import json
from typing import Final

from dolphin_logger.proxy.translate.responses_to_openai.envelope import Envelope
from dolphin_logger.proxy.translate.responses_to_openai.items import Fields, OutputItem
from dolphin_logger.proxy.translate.responses_to_openai.tools import CUSTOM, SEARCH, Tool
from dolphin_logger.proxy.translate.responses_to_openai.wrapped_input import InputUnwrapper

_NO_ARGUMENTS: Final = "{}"


class FunctionCall(OutputItem):
    """A call of a function."""

    def __init__(self, tool: Tool, *, call_id: str, position: int, envelope: Envelope) -> None:
        fields: Fields = {
            "id": envelope.item_id("fc", position=position),
            "type": "function_call",
            "status": "in_progress",
            "call_id": call_id,
            **_name_fields(tool),
            "arguments": "",
        }
        super().__init__(fields, position=position, envelope=envelope)
        self._pieces: list[str] = []

    def say(self, piece: str, out: list[bytes]) -> None:
        """Take a piece of the arguments."""
        self._pieces.append(piece)
        fields = {**self._place, "delta": piece}
        out.append(self._events.write("response.function_call_arguments.delta", fields))

    def _end(self, out: list[bytes], *, cut_off: bool) -> None:
        if not self._pieces and not cut_off:
            self.say(_NO_ARGUMENTS, out)
        self._fields |= self._so_far()
        fields = {**self._place, "name": self._fields["name"], **self._so_far()}
        out.append(self._events.write("response.function_call_arguments.done", fields))

    def _so_far(self) -> Fields:
        return {"arguments": "".join(self._pieces)}


class CustomCall(OutputItem):
    """A call of a custom tool: its text comes wrapped into arguments."""

    def __init__(self, tool: Tool, *, call_id: str, position: int, envelope: Envelope) -> None:
        fields: Fields = {
            "id": envelope.item_id("ctc", position=position),
            "type": "custom_tool_call",
            "status": "in_progress",
            "call_id": call_id,
            **_name_fields(tool),
            "input": "",
        }
        super().__init__(fields, position=position, envelope=envelope)
        self._unwrapper = InputUnwrapper()
        self._pieces: list[str] = []

    def say(self, piece: str, out: list[bytes]) -> None:
        """Take a piece of the arguments."""
        self._tell(self._unwrapper.feed(piece), out)

    def _tell(self, text: str, out: list[bytes]) -> None:
        if text:
            self._pieces.append(text)
            fields = {**self._place, "delta": text}
            out.append(self._events.write("response.custom_tool_call_input.delta", fields))

    def _end(self, out: list[bytes], *, cut_off: bool) -> None:
        del cut_off
        self._tell(self._unwrapper.finish(), out)
        self._fields |= self._so_far()
        fields = {**self._place, "input": self._fields["input"]}
        out.append(self._events.write("response.custom_tool_call_input.done", fields))

    def _so_far(self) -> Fields:
        return {"input": "".join(self._pieces)}


class SearchCall(OutputItem):
    """A call of the client's own tool search; it has no deltas."""

    def __init__(self, tool: Tool, *, call_id: str, position: int, envelope: Envelope) -> None:
        del tool
        fields: Fields = {
            "id": envelope.item_id("tsc", position=position),
            "type": "tool_search_call",
            "status": "in_progress",
            "call_id": call_id,
            "execution": "client",
            "arguments": {},
        }
        super().__init__(fields, position=position, envelope=envelope)
        self._pieces: list[str] = []

    def say(self, piece: str, out: list[bytes]) -> None:
        """Take a piece of the arguments; they are told whole."""
        del out
        self._pieces.append(piece)

    def _end(self, out: list[bytes], *, cut_off: bool) -> None:
        del out, cut_off
        self._fields |= self._so_far()

    def _so_far(self) -> Fields:
        text = "".join(self._pieces)
        try:
            return {"arguments": json.loads(text or _NO_ARGUMENTS)}
        except (ValueError, RecursionError):
            return {"arguments": text}


Call = FunctionCall | CustomCall | SearchCall
_CALLS: Final[dict[str, type[FunctionCall | CustomCall | SearchCall]]] = {
    CUSTOM: CustomCall,
    SEARCH: SearchCall,
}


def begin_call(tool: Tool, *, call_id: str, position: int, envelope: Envelope) -> Call:
    """Open a call in the form that its tool has."""
    kind = _CALLS.get(tool.kind, FunctionCall)
    return kind(tool, call_id=call_id, position=position, envelope=envelope)


def _name_fields(tool: Tool) -> Fields:
    return {"name": tool.name} | ({"namespace": tool.namespace} if tool.namespace else {})
