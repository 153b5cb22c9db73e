"""What stands in a message in chat form, read in the ways that shapes of datasets need it.

It knows the chat form of `example.py` and no shape; marks that belong to a shape are its own.
Invariant: what is given is never changed; a message that an option changes is a new one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Final

from dolphin_logger.example import Chat, Json
from dolphin_logger.exporters._api import Options, UnfitError

THOUGHT: Final = ("<think>\n", "\n</think>\n\n")
"""What stands around a thought in a text: Qwen's and DeepSeek's templates, LLaMA-Factory's `thought_words`."""

_BETWEEN: Final = "\n\n"  # what stands between two texts that become one


def shown(messages: Iterable[Chat], options: Options) -> list[Chat]:
    """Give messages without what the options leave out: reasoning, pictures."""
    return [_shown(message, options) for message in messages]


def told_by_users(messages: Iterable[Chat]) -> list[Chat]:
    """Give messages whose instructions stand in front alone; later ones are a user's words.

    Agents remind their model between its turns. Templates refuse instructions there, or leave them out
    without a word, and no prompt may end with them; a user's message is what clients themselves write
    where a provider takes them at the beginning only. They join a user's message right before them.
    """
    told: list[Chat] = []
    is_begun = False
    for message in messages:
        is_begun = is_begun or message["role"] != "system"
        if message["role"] != "system" or not is_begun:
            told.append(message)
        elif not message["content"]:
            continue
        elif told[-1]["role"] == "user":
            told[-1] = {**told[-1], "content": _joined(told[-1], message)}
        else:
            told.append({**message, "role": "user"})
    return told


def parts_of(message: Chat) -> list[Json]:
    """Give the parts of a message, also where its content is a string; none when it is empty."""
    content = message.get("content")
    if isinstance(content, list):
        return content
    return [{"type": "text", "text": content}] if content else []


def text_of(message: Chat, *, picture: str = "") -> str:
    """Give the words of a message, with a mark where a picture is."""
    texts = (part["text"] if part["type"] == "text" else picture for part in parts_of(message))
    return "".join(texts)


def pictures_of(message: Chat) -> list[str]:
    """Give the addresses of the pictures of a message, in order."""
    return [part["image"] for part in parts_of(message) if part["type"] == "image"]


def calls_of(message: Chat) -> list[Json]:
    """Give the calls of a message, as they are."""
    return message.get("tool_calls") or []


def join_texts(texts: Iterable[str]) -> str:
    """Join texts of one side, those that say nothing left out."""
    return _BETWEEN.join(text for text in texts if text)


def thought_of(messages: Sequence[Chat]) -> str:
    """Give the thoughts of messages as a text with marks around it; empty when there are none."""
    thought = join_texts(message.get("reasoning_content") or "" for message in messages)
    if not thought:
        return ""
    refuse_marks(thought, marks=("<think>", "</think>"))
    return f"{THOUGHT[0]}{thought}{THOUGHT[1]}"


def compact(value: Json) -> str:
    """Write a JSON value as trainers print it: other alphabets as they are, keys in their order."""
    return json.dumps(value, ensure_ascii=False)


def function_of(call: Json) -> Json:
    """Give the name and the arguments of a call, and nothing else."""
    function = call["function"]
    return {"name": function["name"], "arguments": function["arguments"]}


def refuse_marks(text: str, *, marks: Iterable[str]) -> None:
    """Hold that a text does not hold what a trainer would take for a mark of the shape.

    Raises:
        UnfitError: it does; nobody could tell the two apart afterwards.
    """
    for mark in marks:
        if mark in text:
            raise UnfitError(f"its words hold {mark}")


def _joined(message: Chat, following: Chat) -> str | list[Json]:
    first, second = message["content"], following["content"]
    if isinstance(first, str) and isinstance(second, str):
        return join_texts((first, second))
    return [*parts_of(message), *parts_of(following)]


def _shown(message: Chat, options: Options) -> Chat:
    kept = dict(message)
    if not options.reasoning:
        kept.pop("reasoning_content", None)
    if options.images == "drop" and pictures_of(message):
        kept["content"] = text_of(message)
    return kept
