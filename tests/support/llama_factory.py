"""LLaMA-Factory's rules, written down from its documentation and behaviour; nothing of it is installed.

`data/README.md` and the modules parser, converter and formatter of src/llamafactory/data decide: which
keys an entry may have, how rows become turns, and how the text of a turn is read. A row that it would
skip, or an entry that it would misread, is an AssertionError here.
"""

from __future__ import annotations

import json
import re
from typing import Any

KEYS = {"file_name", "formatting", "ranking", "split", "num_samples", "columns", "tags"}
COLUMNS = {
    *("prompt", "query", "response", "history", "messages", "system", "tools"),
    *("images", "videos", "audios", "chosen", "rejected", "kto_tag"),
}
ODD, EVEN = ("human", "observation"), ("gpt", "function_call")
THOUGHT = re.compile(r"<think>\n(.*?)\n</think>\n\n", re.DOTALL)
CALLS = re.compile(r"<tool_call>(.*?)</tool_call>", re.DOTALL)
RESULTS = "\n</tool_response>\n<tool_response>\n"

Read = dict[str, Any]


def read(entry: Read, row: Read) -> Read:
    """Read a row as the entry says: `system`, `tools`, `images`, and `turns` in neutral words."""
    assert set(entry) <= KEYS, entry
    assert "file_name" in entry
    columns = entry["columns"]
    assert set(columns) <= COLUMNS, columns
    assert set(columns.values()) <= set(row), "an entry names a column that is not there"
    if entry.get("formatting", "alpaca") == "alpaca":
        return _read_alpaca(columns, row)
    assert entry["formatting"] == "sharegpt"
    turns = row[columns["messages"]]
    system = row[columns["system"]] if "system" in columns else ""
    if turns and turns[0]["from"] == "system":
        system, turns = turns[0]["value"], turns[1:]
    for place, turn in enumerate(turns):
        assert set(turn) == {"from", "value"}
        assert isinstance(turn["value"], str)
        assert turn["from"] in (EVEN if place % 2 else ODD), f"{turn['from']} in place {place + 1}"
    assert len(turns) % 2 == 0, "an odd count of turns is skipped"
    images = row[columns["images"]]
    assert sum(turn["value"].count("<image>") for turn in turns) == len(images)
    return {
        "system": system,
        "tools": _tools(row[columns["tools"]]),
        "images": images,
        "turns": [_turn(turn["from"], turn["value"]) for turn in turns],
    }


def _read_alpaca(columns: Read, row: Read) -> Read:
    turns: list[Read] = []
    for question, said in row[columns["history"]] if "history" in columns else ():
        turns += [_turn("human", question), _turn("gpt", said)]
    asked = [row[columns[name]] for name in ("prompt", "query") if name in columns]
    turns.append(_turn("human", "\n".join(text for text in asked if text)))
    if "response" in columns:
        turns.append(_turn("gpt", row[columns["response"]]))
    system = row[columns["system"]] if "system" in columns else ""
    return {"system": system, "tools": [], "images": [], "turns": turns}


def _tools(text: str) -> list[Read]:
    tools: list[Read] = json.loads(text) if text else []
    for tool in tools:
        assert isinstance(tool["name"], str)
        assert isinstance(tool["parameters"]["properties"], dict)
    return tools


def _turn(kind: str, value: str) -> Read:
    if kind == "human":
        return {"role": "user", "text": value}
    if kind == "observation":
        return {"role": "tool", "results": value.split(RESULTS)}
    thought = THOUGHT.match(value)
    turn: Read = {"role": "assistant", "thought": thought.group(1) if thought else ""}
    rest = value.removeprefix(thought.group(0)) if thought else value
    if kind == "gpt":
        return {**turn, "text": rest, "calls": []}
    inside = CALLS.search(rest)
    said = json.loads(inside.group(1) if inside else rest)
    calls = said if isinstance(said, list) else [said]
    assert all(set(call) == {"name", "arguments"} for call in calls)
    text = rest.replace(inside.group(0), "").removesuffix("\n") if inside else ""
    return {**turn, "text": text, "calls": calls}
