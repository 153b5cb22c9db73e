"""Axolotl's rules of datasets, written down from its documentation and behaviour; it is not installed.

docs/config-reference and docs/dataset-formats decide: the keys that an item of `datasets` may have, how
a row becomes messages for the model's own chat template. What it would refuse is a `DatasetError`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from dolphin_logger.errors import DatasetError

_KEYS: Final = {
    *("path", "ds_type", "split", "type", "field", "roles", "message_property_mappings"),
    *("field_messages", "field_system", "field_tools", "field_chosen", "field_rejected"),
}
_LISTS: Final = ("datasets", "test_datasets")

Read = dict[str, Any]


def stanza(text: str) -> Read:
    """Read a configuration's part about data.

    Raises:
        DatasetError: it is none.
    """
    import yaml  # noqa: PLC0415  # comes with huggingface_hub; slow

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        found = None
    _hold(isinstance(found, dict), "no YAML of a configuration")
    _hold(set(found) <= {"rl", *_LISTS}, f"keys {sorted(found)}")
    for item in items(found):
        _hold(isinstance(item, dict) and isinstance(item.get("path"), str), "an item without path")
        _hold(set(item) <= _KEYS, f"unknown keys {sorted(set(item) - _KEYS)}")
        _hold(item.get("type") in _READERS, f"the unknown type {item.get('type')!r}")
        _hold(item.get("ds_type") in ("json", "parquet"), "an item that says no ds_type")
    return dict(found)


def items(found: Mapping[str, Any]) -> list[Read]:
    """Give the items of all lists."""
    return [item for name in _LISTS for item in found.get(name) or ()]


def read(item: Read, row: Read) -> None:
    """Read a row as its item says.

    Raises:
        DatasetError: Axolotl would refuse the row, or what it needs of it is not there.
    """
    _READERS[item["type"]](item, row)


def messages(item: Read, row: Read) -> list[Read]:
    """Read a row of `chat_template` as messages of a chat template.

    Raises:
        DatasetError: there is no such thread, or Axolotl does not know one of its roles.
    """
    names = item.get("message_property_mappings", {"role": "role", "content": "content"})
    roles = {theirs: ours for ours, all_of in item.get("roles", {}).items() for theirs in all_of}
    tools = row.get(item.get("field_tools", "tools"))
    _hold(tools is None or isinstance(tools, list), "tools is no list; an empty text is none")
    turns: Any = row.get(item.get("field_messages", "messages"))
    _hold(isinstance(turns, list) and bool(turns), "no list of messages where the item says")
    thread = []
    for turn in turns:
        known = isinstance(turn, dict) and turn.keys() >= set(names.values())
        _hold(known, f"a message without {', '.join(names.values())}")
        message = {ours: turn[theirs] for ours, theirs in names.items()}
        thread.append(message | {"role": roles.get(message["role"], message["role"])})
    system = item.get("field_system", "system")
    if system in row and thread[0]["role"] != "system":  # also where the column is empty
        thread.insert(0, {"role": "system", "content": row[system]})
    return thread


def _pair(item: Read, row: Read) -> None:
    for field in ("field_messages", "field_chosen", "field_rejected"):
        said = row.get(item.get(field, ""))
        _hold(isinstance(said, list) and bool(said), f"{item.get(field)} is no list of messages")


def _instruction(item: Read, row: Read) -> None:
    del item
    for name in ("instruction", "output"):
        _hold(isinstance(row.get(name), str), f"{name} is no text")


def _completion(item: Read, row: Read) -> None:
    said = row.get(item.get("field", "text"))
    _hold(isinstance(said, str) and bool(said), "no text to go on from")


def _hold(holds: bool, otherwise: str) -> None:
    if not holds:
        raise DatasetError(f"Axolotl: {otherwise}")


_READERS: Final[Mapping[str, Callable[[Read, Read], object]]] = {
    "chat_template": messages,
    "chat_template.default": _pair,
    "alpaca_w_system.load_instruct": _instruction,
    "completion": _completion,
}
