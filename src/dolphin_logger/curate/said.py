"""Said: what people and models said to each other in a piece, as texts and as words.

The instructions, the definitions of tools and their results are not part of it: a system prompt of
30 kB would make everything alike. It knows chat form and nothing of filters or hashes.
Invariant: the same messages give the same words on every machine and in every process.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import orjson

from dolphin_logger.example import Chat, Example

ANSWER: Final = "answer"  # the messages that end an example
ALL: Final = "all"  # every message of the model's
SCOPES: Final = (ANSWER, ALL)
APOSTROPHES: Final = str.maketrans("\u2018\u2019\u02bc", "'''")  # to the plain one

# written without spaces between words: each character counts as one
_DENSE: Final = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff"  # Thai, Lao, Burmese, Khmer
    "\u3005\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Kana, Han
)
_WORD: Final = re.compile(rf"[{_DENSE}]|[^\W{_DENSE}]+")
_FENCE: Final = re.compile(r"^[ \t]*(```|~~~).*?(?:^[ \t]*\1[^\n]*$|\Z)", re.DOTALL | re.MULTILINE)


def text_of(chat: Chat) -> str:
    """Give the text of a message; its parts joined by line ends, pictures left out."""
    content = chat.get("content")
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    texts = [part.get("text") for part in parts if isinstance(part, dict)]
    return "\n".join(text for text in texts if isinstance(text, str))


def calls_of(chat: Chat) -> Sequence[Chat]:
    """Give the calls of tools in a message."""
    return chat.get("tool_calls") or ()


def turns_of(messages: Iterable[Chat]) -> list[Chat]:
    """Give the messages of the model."""
    return [chat for chat in messages if chat.get("role") == "assistant"]


def answers_of(example: Example, *, scope: str) -> list[Chat]:
    """Give the model's messages: those that end the example (`answer`), or every one (`all`)."""
    return turns_of(example.messages[example.completion if scope == ANSWER else 0 :])


def texts_of(messages: Iterable[Chat]) -> Iterator[str]:
    """Give what people and the model wrote, calls of tools with it, message by message."""
    for chat in messages:
        if chat.get("role") in ("user", "assistant"):
            yield text_of(chat)
            for call in calls_of(chat):
                function = call.get("function") or {}
                arguments = function.get("arguments")
                written = orjson.dumps(arguments, option=orjson.OPT_SORT_KEYS).decode()
                yield f"{function.get('name')} {written}"


def words_of(text: str) -> list[str]:
    """Take a text apart into words without case; in scripts without spaces each character is one."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return _WORD.findall(text.casefold())


def without_code(text: str) -> str:
    """Leave out fenced blocks of code."""
    return _FENCE.sub("\n", text)
