"""ShareGPT rows under LLaMA-Factory's rules: `conversations` of `{"from", "value"}`, by turns.

Sources: hiyouga/LLaMA-Factory, data/README.md and src/llamafactory/data/{converter,formatter}.py:
human and observation in odd places, gpt and function_call in even ones, `system` before them (a turn and
not the column that only LLaMA-Factory knows); `tools` as JSON text; a thought in `<think>`; a call as
JSON, alone or, beside words, in `<tool_call>`; results of several calls in one observation; `<image>`
where the next of `images` is. Words of a user right behind results, for which it has no turn, make it a
human's, the results in `<tool_response>` in front. It does not know files.
Invariant: LLaMA-Factory reads every row back to the words, calls and results that went in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from dolphin_logger.example import Chat, Example, Json, Piece, Unit
from dolphin_logger.exporters._api import Column, Options, Row, Together, UnfitError
from dolphin_logger.exporters._content import (
    calls_of,
    compact,
    function_of,
    join_texts,
    pictures_of,
    refuse_marks,
    shown,
    text_of,
    thought_of,
)
from dolphin_logger.exporters._rounds import Round, rounds_of

_PICTURE: Final = "<image>"
_CALL: Final = ("<tool_call>", "</tool_call>")
_RESULT: Final = ("<tool_response>", "</tool_response>")
_NEXT_RESULT: Final = f"\n{_RESULT[1]}\n{_RESULT[0]}\n"  # as its own converter joins them


class ShareGPT(Together):
    """One row for each conversation; see the module."""

    name = "sharegpt"
    unit = Unit.LEAF
    columns: Sequence[Column] = (
        Column("conversations", "list<json>"),
        Column("tools", "string"),
        Column("images", "list<string>"),
        Column("conversation", "string"),
        Column("record", "string"),
    )

    def rows(self, piece: Piece, options: Options) -> Iterator[Row]:
        """Write one conversation.

        Raises:
            UnfitError: it does not go by turns, a result has no call, or its words hold marks of the shape.
        """
        assert isinstance(piece, Example)
        system, rounds = rounds_of(shown(piece.messages, options))
        conversations: list[Json] = [{"from": "system", "value": system}] if system else []
        calls: list[Json] = []
        for each in rounds:
            conversations.append(_asked(each, calls))
            conversations.append(_answered(each.answered))
            calls = [call for message in each.answered for call in calls_of(message)]
        yield {
            "conversations": conversations,
            "tools": compact([_tool(tool) for tool in piece.tools]) if piece.tools else "",
            "images": [url for each in rounds for chat in each.asked for url in pictures_of(chat)],
            "conversation": piece.conversation,
            "record": piece.id,
        }


def _asked(each: Round, calls: list[Json]) -> Json:
    for message in each.asked:
        refuse_marks(text_of(message), marks=(_PICTURE,))
    said = [message for message in each.asked if message["role"] == "user"]
    text = join_texts(text_of(message, picture=_PICTURE) for message in said)
    results = [message for message in each.asked if message["role"] == "tool"]
    if not results:
        return {"from": "human", "value": text}
    given = [text_of(message, picture=_PICTURE) for message in _in_order(results, calls)]
    for one in (*given, text):
        refuse_marks(one, marks=_RESULT)
    joined = _NEXT_RESULT.join(given)
    if not text:
        return {"from": "observation", "value": joined}
    # one turn for both: what a person says must not seem to come from a tool
    return {"from": "human", "value": f"{_RESULT[0]}\n{joined}\n{_RESULT[1]}\n\n{text}"}


def _in_order(results: list[Chat], calls: list[Json]) -> list[Chat]:
    """Give results in the order of their calls: the shape has no ids to find them by."""
    if len(results) != len(calls):
        raise UnfitError("not one result for each tool call")
    wanted = [call.get("id") for call in calls]
    if None in wanted or any("tool_call_id" not in result for result in results):
        return results
    found = {result["tool_call_id"]: result for result in results}
    if set(found) != set(wanted):
        raise UnfitError("a tool's result without its call")
    return [found[name] for name in wanted]


def _answered(messages: list[Chat]) -> Json:
    if any(pictures_of(message) for message in messages):
        raise UnfitError("has pictures in an answer")
    thought = thought_of(messages)
    text = join_texts(text_of(message) for message in messages)
    refuse_marks(text, marks=(_PICTURE,))
    calls = [function_of(call) for message in messages for call in calls_of(message)]
    if not calls:
        return {"from": "gpt", "value": thought + text}
    said = compact(calls[0] if len(calls) == 1 else calls)
    refuse_marks(text + said, marks=(*_CALL, "<think>", "</think>", _PICTURE))
    if text:
        said = f"{text}\n{_CALL[0]}{said}{_CALL[1]}"
    return {"from": "function_call", "value": thought + said}


def _tool(tool: Json) -> Json:
    """Give a tool as its formatter reads it: it asks for `parameters.properties`, also of a tool without."""
    function = tool["function"]
    parameters = {"type": "object", "properties": {}, **(function.get("parameters") or {})}
    return {**function, "parameters": parameters}
