"""Axolotl's rules of datasets, written down from its documentation and behaviour; it is not installed.

docs/config-reference and docs/dataset-formats decide: the keys that an item of `datasets` may have, how
a row becomes messages for the model's own chat template. What it would refuse is an AssertionError here.
"""

from __future__ import annotations

from typing import Any

import yaml

KEYS = {
    *("path", "ds_type", "split", "type", "field", "roles", "message_property_mappings"),
    *("field_messages", "field_system", "field_tools", "field_chosen", "field_rejected"),
}
TYPES = {
    "chat_template",
    "chat_template.default",
    "alpaca_w_system.load_instruct",
    "completion",
}

Read = dict[str, Any]


def stanza(text: str) -> Read:
    """Read a configuration's part about data."""
    read = yaml.safe_load(text)
    assert isinstance(read, dict)
    assert set(read) <= {"rl", "datasets", "test_datasets"}
    for item in [*read.get("datasets", ()), *read.get("test_datasets", ())]:
        assert set(item) <= KEYS, item
        assert item["type"] in TYPES
        assert item["ds_type"] in ("json", "parquet")
    return read


def messages(item: Read, row: Read) -> list[Read]:
    """Read a row of `chat_template` as messages of a chat template."""
    assert item["type"] == "chat_template"
    names = item.get("message_property_mappings", {"role": "role", "content": "content"})
    roles = {theirs: ours for ours, all_of in item.get("roles", {}).items() for theirs in all_of}
    tools = row.get(item.get("field_tools", "tools"))
    assert tools is None or isinstance(tools, list), "an empty text is no list of tools"
    thread = [
        {ours: roles.get(turn[theirs], turn[theirs]) for ours, theirs in names.items()}
        for turn in row[item.get("field_messages", "messages")]
    ]
    system = item.get("field_system", "system")
    if system in row and thread[0]["role"] != "system":  # also where the column is empty
        thread.insert(0, {"role": "system", "content": row[system]})
    return thread
