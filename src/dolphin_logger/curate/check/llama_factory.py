"""LLaMA-Factory's rules, written down from its documentation and behaviour; nothing of it is installed.

`data/README.md` and the modules parser, converter and formatter of src/llamafactory/data decide: which
keys an entry may have, how rows become turns, and how the text of a turn is read. A row that it would
skip, or an entry that it would misread, is a `DatasetError`.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from dolphin_logger.errors import DatasetError

_KEYS: Final = {
    *("file_name", "formatting", "ranking", "split", "num_samples", "columns", "tags"),
}
_COLUMNS: Final = {
    *("prompt", "query", "response", "history", "messages", "system", "tools"),
    *("images", "videos", "audios", "chosen", "rejected", "kto_tag"),
}
_ODD, _EVEN = ("human", "observation"), ("gpt", "function_call")
_THOUGHT: Final = re.compile(r"<think>\n(.*?)\n</think>\n\n", re.DOTALL)
_CALLS: Final = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)
_RESULTS: Final = "\n</tool_response>\n<tool_response>\n"

Read = dict[str, Any]


def hold_entry(entry: Any) -> Read:
    """Hold an entry of `dataset_info.json`; give it.

    Raises:
        DatasetError: LLaMA-Factory does not know it as one.
    """
    columns: Any = entry.get("columns") if isinstance(entry, dict) else None
    _hold(isinstance(columns, dict), "an entry without columns")
    _hold(isinstance(entry.get("file_name"), str), "an entry without a file_name")
    _hold(set(entry) <= _KEYS, f"unknown keys {sorted(set(entry) - _KEYS)}")
    _hold(set(columns) <= _COLUMNS, f"unknown columns {sorted(set(columns) - _COLUMNS)}")
    _hold(entry.get("formatting", "alpaca") in ("alpaca", "sharegpt"), "an unknown formatting")
    return dict(entry)


def read(entry: Read, row: Read) -> Read:
    """Read a row as the entry says: `system`, `tools`, `images`, and `turns` in neutral words.

    Raises:
        DatasetError: it would skip the row, or read something else than was meant.
    """
    columns = hold_entry(entry)["columns"]
    lost = sorted(set(columns.values()) - set(row))
    _hold(not lost, f"the entry names columns that are not there: {lost}")
    if entry.get("formatting", "alpaca") == "alpaca":
        return _read_alpaca(columns, row)
    turns = row[columns["messages"]]
    _hold(isinstance(turns, list), f"{columns['messages']} is no list of turns")
    for turn in turns:
        _hold(isinstance(turn, dict) and set(turn) == {"from", "value"}, "a turn is from and value")
        _hold(isinstance(turn["value"], str), "a turn whose value is no text")
    system = row[columns["system"]] if "system" in columns else ""
    if turns and turns[0]["from"] == "system":
        system, turns = turns[0]["value"], turns[1:]
    for place, turn in enumerate(turns, 1):
        expected = _ODD if place % 2 else _EVEN
        _hold(turn["from"] in expected, f"turn {place} is {turn['from']}, not {'/'.join(expected)}")
    _hold(bool(turns) and len(turns) % 2 == 0, "it skips a row with an odd count of turns")
    images = row[columns["images"]] or []
    marks = sum(turn["value"].count("<image>") for turn in turns)
    _hold(marks == len(images), f"{marks} places for pictures, {len(images)} pictures")
    return {
        "system": system,
        "tools": _tools(row[columns["tools"]]),
        "images": images,
        "turns": [_turn(turn["from"], turn["value"]) for turn in turns],
    }


def _read_alpaca(columns: Read, row: Read) -> Read:
    turns: list[Read] = []
    for pair in (row[columns["history"]] or ()) if "history" in columns else ():
        _hold(isinstance(pair, list) and len(pair) == 2, "history holds something that is no pair")
        turns += [_turn("human", pair[0]), _turn("gpt", pair[1])]
    asked = [row[columns[name]] for name in ("prompt", "query") if name in columns]
    turns.append(_turn("human", "\n".join([text for text in asked if text])))
    if "response" in columns:
        turns.append(_turn("gpt", row[columns["response"]]))
    system = row[columns["system"]] if "system" in columns else ""
    return {"system": system, "tools": [], "images": [], "turns": turns}


def _tools(text: Any) -> list[Read]:
    tools = _parsed(text, "tools") if text else []
    _hold(isinstance(tools, list), "tools is no list")
    for tool in tools:
        parameters = tool.get("parameters") if isinstance(tool, dict) else None
        properties = parameters.get("properties") if isinstance(parameters, dict) else None
        named = isinstance(tool, dict) and isinstance(tool.get("name"), str)
        _hold(named and isinstance(properties, dict), "a tool without a name and properties")
    return list(tools)


def _turn(kind: str, value: Any) -> Read:
    _hold(isinstance(value, str), "a turn is no text")
    if kind == "human":
        return {"role": "user", "text": value}
    if kind == "observation":
        return {"role": "tool", "results": value.split(_RESULTS)}
    thought = _THOUGHT.match(value)
    turn: Read = {"role": "assistant", "thought": thought.group(1) if thought else ""}
    rest = value.removeprefix(thought.group(0)) if thought else value
    if kind == "gpt":
        return {**turn, "text": rest, "calls": []}
    inside = _CALLS.search(rest)
    said = _parsed(inside.group(1) if inside else rest, "a function_call")
    calls = said if isinstance(said, list) else [said]
    for call in calls:
        known = isinstance(call, dict) and set(call) == {"name", "arguments"}
        _hold(known and isinstance(call["arguments"], dict), "a call is not name and arguments")
    text = rest.replace(inside.group(0), "").removesuffix("\n") if inside else ""
    return {**turn, "text": text, "calls": calls}


def _parsed(text: Any, what: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, TypeError):
        raise DatasetError(f"{what} is no text of JSON") from None


def _hold(holds: bool, otherwise: str) -> None:
    if not holds:
        raise DatasetError(f"LLaMA-Factory: {otherwise}")
