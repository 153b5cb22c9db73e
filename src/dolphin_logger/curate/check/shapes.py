"""Shapes: the rules of each trainer's loader, row by row, by the name of the export.

They are written down from what the vendors publish; nothing of theirs is installed or imported, TRL's
own functions excepted where they are here. A rule says what is wrong, or nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from dolphin_logger.curate.check.dataset import Dataset
from dolphin_logger.curate.check.report import Result

Row = dict[str, Any]
Rule = Callable[[Row], Iterator[str]]

_ROLES: Final = ("system", "user", "assistant", "tool")
_GOES_ON: Final = ("user", "tool", "assistant")  # roles from which a completion may go on
_OPENAI_ROLES: Final = ("system", "developer", "user", "assistant", "tool")
_OPENAI_KEYS: Final = {"role", "content", "name", "tool_calls", "tool_call_id", "weight"}
_ODD: Final = ("human", "observation")
_EVEN: Final = ("gpt", "function_call")


def check_shapes(dataset: Dataset, result: Result) -> None:
    """Hold every row against the rules of its shape."""
    count = 0
    for export in dataset.exports:
        rule = RULES.get(export.name)
        if rule is None or export.is_file_each:
            continue
        for place, row in dataset.rows(export):
            count += 1
            for wrong in rule(row):
                result.fail(f"{place}: {wrong}")
    result.said = f"{count:,} rows against the rules of TRL, OpenAI, LLaMA-Factory and Axolotl"


def check_sets_of_keys(dataset: Dataset, result: Result) -> None:
    """Ask TRL itself whether it knows every row as a conversation, and in which of its types."""
    try:
        from trl.data_utils import is_conversational  # noqa: PLC0415  # an extra
    except ImportError:
        from dolphin_logger.curate.check.templates import CURE  # noqa: PLC0415

        result.fail(f"the package trl is missing: {CURE}")
        return
    count = 0
    for export in dataset.exports:
        wanted = _TYPES.get(export.name)
        if wanted is None:
            continue
        for place, row in dataset.rows(export):
            count += 1
            known = {key for key in row if key in _TRL_KEYS}
            if known != wanted:
                result.fail(f"{place}: TRL wants {sorted(wanted)}, the row has {sorted(known)}")
            elif not is_conversational(row):
                result.fail(f"{place}: TRL does not know it as a conversation")
    result.said = f"{count:,} rows"


_TRL_KEYS: Final = {"messages", "prompt", "completion", "chosen", "rejected", "label"}
_TYPES: Final[Mapping[str, set[str]]] = {
    "messages": {"messages"},
    "turns": {"prompt", "completion"},
    "preference": {"prompt", "chosen", "rejected"},
    "kto": {"prompt", "completion", "label"},
}


def _thread(messages: Any, *, name: str) -> Iterator[str]:
    """Hold messages in chat form against what chat templates expect."""
    if not isinstance(messages, list) or not messages:
        yield f"{name} is no list of messages"
        return
    called: set[str] = set()
    for at, message in enumerate(messages):
        where = f"{name}[{at}]"
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            yield f"{where} has no role of {_ROLES}"
            continue
        if not isinstance(message.get("content"), str | list):
            yield f"{where}.content is neither text nor parts"
        for call in message.get("tool_calls") or ():
            function = call.get("function") if isinstance(call, dict) else None
            if not isinstance(function, dict) or not isinstance(function.get("name"), str):
                yield f"{where} has a call without a name"
            elif not isinstance(function.get("arguments"), dict):
                yield f"{where}: arguments of {function['name']} are no object"
            if isinstance(call, dict) and isinstance(call.get("id"), str):
                called.add(call["id"])
        answers = message.get("tool_call_id")
        if message["role"] == "tool" and name == "messages" and isinstance(answers, str):
            if answers not in called:
                yield f"{where} answers a call that nobody made"
        if any("signature" in key for key in message):
            yield f"{where} carries a provider's signature"


def _messages(row: Row) -> Iterator[str]:
    yield from _thread(row.get("messages"), name="messages")
    yield from _tools(row.get("tools"))
    if not any(_is_role(one, "assistant") for one in row.get("messages") or ()):
        yield "no message of the model"


def _turns(row: Row) -> Iterator[str]:
    yield from _thread(row.get("prompt"), name="prompt")
    yield from _thread(row.get("completion"), name="completion")
    yield from _tools(row.get("tools"))
    yield from _begins(row, "completion")


def _preference(row: Row) -> Iterator[str]:
    for name in ("prompt", "chosen", "rejected"):
        yield from _thread(row.get(name), name=name)
    yield from _tools(row.get("tools"))
    yield from _begins(row, "chosen")
    yield from _begins(row, "rejected")
    if row.get("chosen") == row.get("rejected"):
        yield "chosen and rejected are the same"


def _kto(row: Row) -> Iterator[str]:
    yield from _turns(row)
    if not isinstance(row.get("label"), bool):
        yield "label is neither true nor false"


def _begins(row: Row, name: str) -> Iterator[str]:
    prompt, answer = row.get("prompt") or [], row.get(name) or []
    if prompt and not any(_is_role(prompt[-1], role) for role in _GOES_ON):
        yield f"the prompt ends with a message from which no {name} can go on"
    if answer and not _is_role(answer[0], "assistant"):
        yield f"{name} does not begin with the model"


def _tools(tools: Any) -> Iterator[str]:
    if tools is not None and not isinstance(tools, list):
        yield "tools is no list"
        return
    for tool in tools or ():
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            yield "a tool has no function with a name"


def _openai(row: Row) -> Iterator[str]:
    """Source: platform.openai.com, fine-tuning, chat format; the cookbook's data preparation."""
    messages = row.get("messages")
    if set(row) - {"messages", "tools", "parallel_tool_calls"}:
        yield f"keys that OpenAI does not know: {sorted(set(row) - {'messages', 'tools'})}"
    yield from _openai_thread(messages, name="messages")
    if not any(_is_role(one, "assistant") for one in messages or ()):
        yield "no message of the assistant"


def _openai_thread(messages: Any, *, name: str) -> Iterator[str]:
    if not isinstance(messages, list) or not messages:
        yield f"{name} is no list of messages"
        return
    for at, message in enumerate(messages):
        where = f"{name}[{at}]"
        if not isinstance(message, dict):
            yield f"{where} is no object"
            continue
        if set(message) - _OPENAI_KEYS:
            yield f"{where} has unknown keys {sorted(set(message) - _OPENAI_KEYS)}"
        if message.get("role") not in _OPENAI_ROLES:
            yield f"{where} has an unknown role"
        content, calls = message.get("content"), message.get("tool_calls")
        if not content and not calls and not isinstance(content, str):
            yield f"{where} has neither content nor calls"
        if message.get("role") == "tool" and not isinstance(message.get("tool_call_id"), str):
            yield f"{where} has no tool_call_id"
        if message.get("weight") not in (None, 0, 1):
            yield f"{where}.weight is neither 0 nor 1"
        for call in calls or ():
            yield from _openai_call(call, where=where)


def _openai_call(call: Any, *, where: str) -> Iterator[str]:
    function = call.get("function") if isinstance(call, dict) else None
    arguments = function.get("arguments") if isinstance(function, dict) else None
    try:
        read = json.loads(arguments) if isinstance(arguments, str) else None
    except ValueError:
        read = None
    if not isinstance(read, dict):
        yield f"{where}: arguments are no text of a JSON object"
    if not isinstance(call, dict) or not isinstance(call.get("id"), str):
        yield f"{where}: a call without an id"


def _openai_dpo(row: Row) -> Iterator[str]:
    """Source: platform.openai.com, direct preference optimization."""
    if set(row) != {"input", "preferred_output", "non_preferred_output"}:
        yield f"keys are {sorted(row)}"
        return
    yield from _openai_thread(row["input"].get("messages"), name="input.messages")
    for name in ("preferred_output", "non_preferred_output"):
        yield from _openai_thread(row[name], name=name)
        if not all(_is_role(one, "assistant") for one in row[name]):
            yield f"{name} holds messages that are not the assistant's"


def _sharegpt(row: Row) -> Iterator[str]:
    """Source: the data documentation of LLaMA-Factory."""
    turns = row.get("conversations")
    if not isinstance(turns, list) or not turns:
        yield "conversations is no list of turns"
        return
    for at, turn in enumerate(turns):
        if not isinstance(turn, dict) or set(turn) != {"from", "value"}:
            yield f"conversations[{at}] is no turn of from and value"
        elif turn["from"] not in (_EVEN if at % 2 else _ODD):
            yield f"conversations[{at}]: {turn['from']} in an {'even' if at % 2 else 'odd'} place"
        elif not isinstance(turn["value"], str):
            yield f"conversations[{at}].value is no text"
        elif turn["from"] == "function_call":
            yield from _function_call(turn["value"], at)
    if len(turns) % 2:
        yield "the last turn is not the model's: LLaMA-Factory leaves it out"
    try:
        json.loads(row.get("tools") or "[]")
    except (ValueError, TypeError):
        yield "tools is no text of JSON"
    pictures = sum(
        str(turn.get("value")).count("<image>") for turn in turns if isinstance(turn, dict)
    )
    if len(row.get("images") or ()) != pictures:
        yield f"{pictures} places for pictures and {len(row.get('images') or ())} pictures"


def _function_call(value: str, at: int) -> Iterator[str]:
    text = value.rpartition("</think>")[2].strip()
    if "<tool_call>" in text:
        text = text.partition("<tool_call>")[2].partition("</tool_call>")[0]
    try:
        found = json.loads(text)
    except ValueError:
        yield f"conversations[{at}]: a function_call that is no JSON"
        return
    for call in found if isinstance(found, list) else [found]:
        if not isinstance(call, dict) or set(call) != {"name", "arguments"}:
            yield f"conversations[{at}]: a call is not name and arguments"


def _alpaca(row: Row) -> Iterator[str]:
    """Source: the data documentation of LLaMA-Factory and of Axolotl."""
    for name in ("instruction", "output"):
        if not isinstance(row.get(name), str) or not row[name]:
            yield f"{name} is empty"
    for at, one in enumerate(row.get("history") or ()):
        if not isinstance(one, list) or len(one) != 2:
            yield f"history[{at}] is no pair"


def _chatml(row: Row) -> Iterator[str]:
    text = row.get("text")
    if not isinstance(text, str) or not text.startswith("<|im_start|>"):
        yield "text does not begin with <|im_start|>"
    elif text.count("<|im_start|>") != text.count("<|im_end|>"):
        yield "a message is not closed"


def _log(row: Row) -> Iterator[str]:
    if set(row) != {"request", "response"}:
        yield f"keys are {sorted(row)}: the original wrote request and response"


def _is_role(message: Any, role: str) -> bool:
    return isinstance(message, dict) and message.get("role") == role


RULES: Final[Mapping[str, Rule]] = {
    "messages": _messages,
    "turns": _turns,
    "preference": _preference,
    "kto": _kto,
    "openai": _openai,
    "openai-dpo": _openai_dpo,
    "sharegpt": _sharegpt,
    "alpaca": _alpaca,
    "chatml": _chatml,
    "log": _log,
}
