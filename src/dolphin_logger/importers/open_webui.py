"""Open WebUI: chats as its settings export them, one JSON array of chats, or one chat.

A chat is a tree (`history.messages`): an answer that was asked for again, an edited question and the
answers of several models at once are siblings. Ratings are in the messages, as the user gave them.
Invariant: each branch is kept.

Source: open-webui `src/lib/utils/index.ts` (createMessagesList) and its exports of version 0.6 to 0.12.
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
from dolphin_logger.importers._shapes import completion
from dolphin_logger.importers._walk import Node, answers_in_order, back_to_answer

_KEYS = re.compile(rb'"history"\s*:\s*\{|"childrenIds"\s*:\s*\[')
_ROLES = frozenset({"user", "assistant", "system"})
_REASONING = re.compile(
    r'<details[^>]*type="reasoning"[^>]*>\s*(?:<summary>.*?</summary>)?(.*?)</details>\s*',
    re.DOTALL,
)


class OpenWebUI:
    """Reads exported chats."""

    name = "open-webui"
    automatic = False

    def find(self, user: Path, env: Mapping[str, str]) -> Iterator[Path]:
        """Name nothing: an export lies where its reader put it."""
        yield from ()

    def claims(self, head: bytes, name: str) -> bool:
        """Tell an export by the names of its trees."""
        return head.lstrip()[:1] in b"[{" and b'"chat"' in head and _KEYS.search(head) is not None

    def read(self, content: Content) -> Iterator[Item]:
        """Decode an export."""
        for entry in elements(content.data):
            if isinstance(entry, Unknown):
                yield entry
                continue
            chat = as_object(entry.get("chat")) or entry
            if not isinstance(as_object(chat.get("history")).get("messages"), dict):
                yield Unknown("no chat")
                continue
            session = text_of(entry, "id") or text_of(chat, "id") or ""
            yield from _read_chat(chat, session)


def _read_chat(chat: Mapping[str, Any], session: str) -> Iterator[Item]:
    nodes: dict[str, Node] = {}
    for name, value in chat["history"]["messages"].items():
        message = as_object(value)
        role = kind_of(message.get("role"))
        if role not in _ROLES:
            yield Unknown(f"role {role}")
        answered = role == "assistant" and message.get("done") is not False
        nodes[name] = Node(text_of(message, "parentId"), name if answered else None, message)
    for name in answers_in_order(nodes):
        yield _turn(session, nodes, name, chat)


def _turn(session: str, nodes: Mapping[str, Node], name: str, chat: Mapping[str, Any]) -> Turn:
    message = nodes[name].message
    path, after = back_to_answer(nodes, nodes[name].parent)
    messages = [_said(nodes[one].message) for one in path]
    system = text_of(as_object(chat.get("params")), "system") or text_of(chat, "system")
    if after is None and system:
        messages.insert(0, {"role": "system", "content": system})
    model = text_of(message, "model")
    text = text_of(message, "content") or ""
    said: dict[str, Any] = {"role": "assistant", "content": _REASONING.sub("", text)}
    thoughts = [thought.strip() for thought in _REASONING.findall(text)]
    if thoughts:
        said["reasoning_content"] = "\n\n".join(thoughts)
    tags = {}
    rating = as_object(message.get("annotation")).get("rating")
    if isinstance(rating, int):
        tags["rating"] = str(rating)
    return Turn(
        session=session,
        line=name,
        after=after,
        dialect="openai.chat",
        request={"model": model, "messages": messages},
        response=completion(said, model=model, finish="stop"),
        time_ns=moment(message.get("timestamp")),
        model=model,
        client=Client("open-webui", session or None, tags=tags),
    )


def _said(message: Mapping[str, Any]) -> dict[str, Any]:
    """Write a message as Open WebUI sends it: with pictures, a list of parts."""
    text = text_of(message, "content") or ""
    pictures = [
        {"type": "image_url", "image_url": {"url": url}}
        for file in map(as_object, as_list(message.get("files")))
        if file.get("type") == "image" and (url := text_of(file, "url"))
    ]
    role = text_of(message, "role") or "user"
    if not pictures:
        return {"role": role, "content": text}
    return {"role": role, "content": [{"type": "text", "text": text}, *pictures]}
