"""ChatGPT: the export that its settings send, `conversations.json` in a zip or by itself.

A conversation is a tree of nodes (`mapping`). What a model thinks, searches and says are nodes of
their own; thoughts and the answer behind them are one turn. Pictures are named, not contained.
Invariant: each branch of a regenerated or edited message is kept.

Nothing official describes the file; read from exports of 2023 to 2026.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dolphin_logger.exchange import Client
from dolphin_logger.importers._api import Content, Item, Turn, Unknown
from dolphin_logger.importers._elements import elements
from dolphin_logger.importers._fields import as_list, as_object, kind_of, moment, text_of
from dolphin_logger.importers._shapes import completion, function_call
from dolphin_logger.importers._walk import Node, answers_in_order, back_to_answer

_KEYS = re.compile(rb'"mapping"\s*:\s*\{')
_THOUGHTS = frozenset({"thoughts", "reasoning_recap"})
_TEXTS = frozenset(
    {
        "text",
        "code",
        "execution_output",
        "multimodal_text",
        "tether_quote",
        "tether_browsing_display",
        "user_editable_context",
        "model_editable_context",
        "system_error",
        "computer_output",
        "sonic_webpage",
    }
)


class ChatGPT:
    """Reads `conversations.json`."""

    name = "chatgpt"
    automatic = False

    def find(self, user: Path, env: Mapping[str, str]) -> Iterator[Path]:
        """Name nothing: an export lies where its reader put it."""
        yield from ()

    def claims(self, head: bytes, name: str) -> bool:
        """Tell an export by the name of its trees."""
        return head.lstrip()[:1] in b"[{" and _KEYS.search(head) is not None

    def read(self, content: Content) -> Iterator[Item]:
        """Decode an export."""
        for conversation in elements(content.data):
            if isinstance(conversation, Unknown):
                yield conversation
            elif isinstance(conversation.get("mapping"), dict):
                yield from _read_conversation(conversation)
            else:
                yield Unknown("no conversation")


def _read_conversation(conversation: Mapping[str, Any]) -> Iterator[Item]:
    session = text_of(conversation, "conversation_id", "id") or ""
    nodes: dict[str, Node] = {}
    for name, value in conversation["mapping"].items():
        message = as_object(as_object(value).get("message"))
        kind = kind_of(as_object(message.get("content")).get("content_type"))
        speaks = as_object(message.get("author")).get("role") == "assistant"
        if message and kind not in _THOUGHTS and kind not in _TEXTS:
            yield Unknown(f"content {kind}")
        answer = name if speaks and kind not in _THOUGHTS else None
        nodes[name] = Node(text_of(as_object(value), "parent"), answer, message)
    for name in answers_in_order(nodes):
        yield _turn(session, nodes, name, conversation)


def _turn(
    session: str, nodes: Mapping[str, Node], name: str, conversation: Mapping[str, Any]
) -> Turn:
    node = nodes[name]
    path, after = back_to_answer(nodes, node.parent)
    thoughts = [text for one in path if (text := _thought(nodes[one].message))]
    asked = [words for one in path if (words := _said(nodes[one].message))]
    metadata = as_object(node.message.get("metadata"))
    model = text_of(metadata, "model_slug") or text_of(conversation, "default_model_slug")
    said: dict[str, Any] = {"role": "assistant", "content": _text(node.message)}
    if thoughts:
        said["reasoning_content"] = "\n\n".join(thoughts)
    recipient = text_of(node.message, "recipient")
    if recipient is not None and recipient != "all":
        said["content"] = None
        said["tool_calls"] = [function_call(name, recipient, _text(node.message))]
    finish = "tool_calls" if "tool_calls" in said else "stop"
    return Turn(
        session=session,
        line=name,
        after=after,
        dialect="openai.chat",
        request={"model": model, "messages": asked},
        response=completion(said, model=model, finish=finish),
        time_ns=moment(node.message.get("create_time")) or moment(conversation.get("create_time")),
        model=model,
        client=Client("chatgpt", session or None),
    )


def _thought(message: Mapping[str, Any]) -> str:
    content = as_object(message.get("content"))
    texts = [
        "\n".join(filter(None, (text_of(part, "summary"), text_of(part, "content"))))
        for part in map(as_object, as_list(content.get("thoughts")))
    ]
    return "\n\n".join(filter(None, texts))


def _said(message: Mapping[str, Any]) -> dict[str, Any] | None:
    """Put what somebody else than the model said into a message; hidden and empty ones are none."""
    role = text_of(as_object(message.get("author")), "role")
    kind = kind_of(as_object(message.get("content")).get("content_type"))
    text = _text(message)
    if role is None or kind in _THOUGHTS or not text:
        return None
    if role == "tool":
        return {
            "role": "tool",
            "name": text_of(as_object(message["author"]), "name"),
            "content": text,
        }
    return {"role": role, "content": text}


def _text(message: Mapping[str, Any]) -> str:
    """Join what a message says; what is no text is named by its place in the export."""
    content = as_object(message.get("content"))
    parts = []
    for part in as_list(content.get("parts")):
        if isinstance(part, str):
            parts.append(part)
        else:
            fields = as_object(part)
            pointer = text_of(fields, "asset_pointer")
            parts.append(text_of(fields, "text") or (f"[{pointer}]" if pointer else ""))
    own = text_of(content, "text", "result", "user_instructions", "model_set_context", "content")
    return "\n".join(filter(None, parts or [own or ""]))
