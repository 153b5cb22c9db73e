"""Claude (the app): the export that its settings send, `conversations.json` in a zip or by itself.

Messages are blocks like those of the Messages API; newer exports name each message's parent, older
ones are a list. No model is named. Files are there by name, or by the text taken out of them.
Invariant: each branch is kept.

Nothing official describes the file; read from exports of 2024 to 2026.
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
from dolphin_logger.importers._shapes import answer_blocks
from dolphin_logger.importers._walk import Node, answers_in_order, back_to_answer

_KEY = re.compile(rb'"chat_messages"\s*:\s*\[')
_BLOCKS = frozenset({"text", "thinking", "tool_use", "tool_result", "voice_note", "token_budget"})
_KEPT = {
    "text": ("type", "text"),
    "voice_note": ("type", "text"),
    "thinking": ("type", "thinking", "signature"),
    "tool_use": ("type", "id", "name", "input"),
    "tool_result": ("type", "tool_use_id", "content", "is_error"),
}
_NO_PARENT = "00000000-0000-4000-8000-000000000000"  # how the app names the root


class ClaudeExport:
    """Reads `conversations.json`."""

    name = "claude"
    automatic = False

    def find(self, user: Path, env: Mapping[str, str]) -> Iterator[Path]:
        """Name nothing: an export lies where its reader put it."""
        yield from ()

    def claims(self, head: bytes, name: str) -> bool:
        """Tell an export by the name of its messages."""
        return head.lstrip()[:1] in b"[{" and _KEY.search(head) is not None

    def read(self, content: Content) -> Iterator[Item]:
        """Decode an export."""
        for conversation in elements(content.data):
            if isinstance(conversation, Unknown):
                yield conversation
            elif isinstance(conversation.get("chat_messages"), list):
                yield from _read_conversation(conversation)
            else:
                yield Unknown("no conversation")


def _read_conversation(conversation: Mapping[str, Any]) -> Iterator[Item]:
    session = text_of(conversation, "uuid") or ""
    nodes: dict[str, Node] = {}
    last: str | None = None
    for number, message in enumerate(map(as_object, conversation["chat_messages"])):
        name = text_of(message, "uuid") or str(number)
        sender = message.get("sender")
        if sender not in ("human", "assistant"):
            yield Unknown(f"sender {kind_of(sender)}")
        for block in map(as_object, as_list(message.get("content"))):
            if (kind := kind_of(block.get("type"))) not in _BLOCKS:
                yield Unknown(f"block {kind}")
        parent = text_of(message, "parent_message_uuid") or last
        answer = name if sender == "assistant" else None
        nodes[name] = Node(None if parent == _NO_PARENT else parent, answer, message)
        last = name
    for name in answers_in_order(nodes):
        yield _turn(session, nodes, name, conversation)


def _turn(
    session: str, nodes: Mapping[str, Node], name: str, conversation: Mapping[str, Any]
) -> Turn:
    path, after = back_to_answer(nodes, nodes[name].parent)
    message = nodes[name].message
    model = text_of(conversation, "model")
    return Turn(
        session=session,
        line=name,
        after=after,
        dialect="anthropic.messages",
        request={
            "model": model,
            "messages": [{"role": "user", "content": _blocks(nodes[one].message)} for one in path],
        },
        response=answer_blocks(_blocks(message), model=model, stop=text_of(message, "stop_reason")),
        time_ns=moment(message.get("created_at")) or moment(conversation.get("created_at")),
        model=model,
        client=Client("claude", session or None),
    )


def _blocks(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give a message's blocks as the API has them, and the text of what was attached before them."""
    blocks = []
    for attached in map(as_object, as_list(message.get("attachments"))):
        text = text_of(attached, "extracted_content")
        if text:
            source = {"type": "text", "media_type": "text/plain", "data": text}
            title = text_of(attached, "file_name")
            blocks.append({"type": "document", "source": source, "title": title})
    for block in map(as_object, as_list(message.get("content"))):
        kept = _KEPT.get(str(block.get("type")))
        if kept is not None:
            blocks.append({key: block[key] for key in kept if key in block})
    if not blocks and (text := text_of(message, "text")):
        blocks.append({"type": "text", "text": text})
    for block in blocks:
        if block["type"] == "voice_note":
            block["type"] = "text"
    return blocks
