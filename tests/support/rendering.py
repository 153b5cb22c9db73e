"""Rows as TRL's trainers render them, with the chat templates of its own wheel and without a model."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any


@cache
def tokenizer(template: str) -> Any:
    """Make a tokenizer that has a template, and no words."""
    import trl.data_utils
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    folder = Path(trl.data_utils.__file__).parent / "chat_templates"
    words = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    made = PreTrainedTokenizerFast(tokenizer_object=words, bos_token="<s>", eos_token="</s>")
    made.chat_template = (folder / f"{template}.jinja").read_text()
    return made


def render(row: dict[str, Any], template: str) -> dict[str, Any]:
    """Render a row: its `text`, or its `prompt` and `completion`, `chosen` and `rejected`."""
    from trl.data_utils import apply_chat_template

    return dict(apply_chat_template(row, tokenizer(template), tools=row["tools"]))
