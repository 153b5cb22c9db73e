"""What two trainers want to be told of rows: LLaMA-Factory's `dataset_info.json`, an Axolotl stanza.

Sources: hiyouga/LLaMA-Factory, data/README.md and src/llamafactory/data/{parser,converter}.py (an entry
names one file; lists of entries are mixed); axolotl-ai-cloud/axolotl, docs/{config-reference,rlhf}.qmd,
docs/dataset-formats/, src/axolotl/prompt_strategies/. A shape that a trainer cannot read whole has no
entry for it: `messages` loses thoughts and words beside calls in LLaMA-Factory, `openai` has its arguments
quoted twice, pairs and ratings must be single messages there; Axolotl knows no ratings of message lists.
Invariant: the names of the files are the only thing that is not fixed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from dolphin_logger.example import Json

_LLAMA_FACTORY: Final[Mapping[str, Json]] = {
    "sharegpt": {
        "formatting": "sharegpt",
        "columns": {
            "messages": "conversations",
            "tools": "tools",
            "images": "images",
        },
    },
    "alpaca": {
        "formatting": "alpaca",
        "columns": {
            "prompt": "instruction",
            "query": "input",
            "response": "output",
            "system": "system",
            "history": "history",
        },
    },
    "chatml": {"columns": {"prompt": "text"}},
}
_AXOLOTL: Final[Mapping[str, Sequence[str]]] = {
    "messages": ("type: chat_template", "field_messages: messages", "field_tools: tools"),
    "openai": ("type: chat_template", "field_messages: messages", "field_tools: tools"),
    "preference": (
        "type: chat_template.default",
        "field_messages: prompt",
        "field_chosen: chosen",
        "field_rejected: rejected",
    ),
    "sharegpt": (
        "type: chat_template",
        "field_messages: conversations",
        "field_tools: no_such_column",
        "message_property_mappings: {role: from, content: value}",
        "roles: {system: [system], user: [human], assistant: [gpt, function_call], tool: [observation]}",
    ),
    "alpaca": ("type: alpaca_w_system.load_instruct",),
    "chatml": ("type: completion", "field: text"),
}
_REMARKS: Final[Mapping[str, Sequence[str]]] = {
    "preference": (
        "# Axolotl reads nothing but texts here, and of each answer the last message.",
        "rl: dpo",
    ),
    "sharegpt": (
        "# Calls of tools stay JSON in the text here; the export `messages` renders them.",
    ),
    "alpaca": ("# Axolotl reads no history: only the last question and answer of each row.",),
}
_HEAD: Final = "# For an Axolotl configuration; paths are relative to where axolotl runs."
_KEYS: Final = {"train": "datasets", "validation": "test_datasets"}


def stanzas_of(name: str, files: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Give the texts that belong beside the rows of an exporter, by the name of their file.

    Args:
        name: of the exporter; one that no trainer reads has nothing beside it.
        files: of rows, by split; where there are none, there is nothing to read.
    """
    if not any(files.values()):
        return {}
    beside = {}
    if name in _LLAMA_FACTORY:
        beside["dataset_info.json"] = _write_entries(name, files)
    if name in _AXOLOTL:
        beside["axolotl.yaml"] = _write_stanza(name, files)
    return beside


def _write_entries(name: str, files: Mapping[str, Sequence[str]]) -> str:
    """Write one entry for each file: a folder would be read whole, with what is not rows."""
    entries = {}
    for split, shards in files.items():
        for number, file in enumerate(shards):
            key = f"{name}_{split}" if len(shards) == 1 else f"{name}_{split}_{number:05d}"
            entries[key] = {"file_name": file, **_LLAMA_FACTORY[name]}
    return json.dumps(entries, indent=2) + "\n"


def _write_stanza(name: str, files: Mapping[str, Sequence[str]]) -> str:
    lines = [_HEAD, *_REMARKS.get(name, ())]
    for split, shards in files.items():
        if not shards:
            continue
        lines.append(f"{_KEYS.get(split, 'datasets')}:")
        for file in shards:
            kind = "parquet" if file.endswith(".parquet") else "json"
            settings = (f"ds_type: {kind}", "split: train", *_AXOLOTL[name])
            lines.append(f"  - path: {json.dumps(file)}")
            lines += [f"    {setting}" for setting in settings]
    return "\n".join(lines) + "\n"
