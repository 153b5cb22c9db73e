"""Chats in the form of OpenAI's chat files, and its rules for them.

Arguments of calls are JSON strings, pictures are `image_url` parts, thoughts have no field and are left
out. It does not know which file a chat becomes a part of. Invariant: what OpenAI's validation refuses
is refused here, with a reason; ids that a wire language does not have are numbered.

Source: https://platform.openai.com/docs/api-reference/fine-tuning/chat-input,
https://developers.openai.com/api/docs/guides/vision-fine-tuning and the cookbook's check of chat files.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from dolphin_logger.example import Chat
from dolphin_logger.exporters._api import UnfitError

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_ADDRESSES: Final = ("https://", "http://", *(f"data:image/{k};" for k in ("png", "jpeg", "webp")))
_MOST_PICTURES: Final = 10  # of one example
_MOST_TOOLS: Final = 128


def formed(chats: Sequence[Chat]) -> list[Chat]:
    """Write chats as messages of OpenAI.

    Raises:
        UnfitError: its rules forbid one of them.
    """
    made = [_message(chat) for chat in _with_ids(chats)]
    parts = [
        part
        for chat in made
        for part in (chat["content"] if isinstance(chat["content"], list) else ())
    ]
    if sum(part["type"] == "image_url" for part in parts) > _MOST_PICTURES:
        raise UnfitError(f"has more than {_MOST_PICTURES} pictures")
    return made


def formed_tools(tools: Sequence[Any]) -> dict[str, list[Any]]:
    """Write the key `tools`, which may not be an empty list.

    Raises:
        UnfitError: there are more than allowed, or one has a name that is not allowed.
    """
    if len(tools) > _MOST_TOOLS:
        raise UnfitError(f"has more than {_MOST_TOOLS} tools")
    for tool in tools:
        _check_name(tool["function"]["name"])
    return {"tools": list(tools)} if tools else {}


def _with_ids(chats: Sequence[Chat]) -> list[Chat]:
    """Number calls without an id, and give results those of the calls that they answer.

    Raises:
        UnfitError: a result answers no call before it, or a call has no result but is not the last.
    """
    done: list[Chat] = []
    waiting: list[str] = []
    count = 0
    for chat in chats:
        if chat["role"] == "tool":
            answered = chat.get("tool_call_id") or (waiting[0] if waiting else "")
            if answered not in waiting:
                raise UnfitError("has a result without its call")
            waiting.remove(answered)
            done.append({**chat, "tool_call_id": answered})
            continue
        if waiting:
            raise UnfitError("has a call without its result")
        calls = []
        for call in chat.get("tool_calls", ()):
            count += 1
            calls.append({**call, "id": call.get("id") or f"call_{count}"})
        waiting = [call["id"] for call in calls]
        done.append({**chat, "tool_calls": calls} if calls else chat)
    return done


def _message(chat: Chat) -> Chat:
    role = chat["role"]
    made: Chat = {"role": role, "content": _content(chat["content"], role=role)}
    if role == "tool":
        made["tool_call_id"] = chat["tool_call_id"]
    elif _NAME.fullmatch(str(chat.get("name", ""))):
        made["name"] = chat["name"]
    if "tool_calls" in chat:
        made["tool_calls"] = [_call(call) for call in chat["tool_calls"]]
    elif role == "assistant" and not chat["content"]:
        raise UnfitError("has an empty answer")
    return made


def _call(call: dict[str, Any]) -> dict[str, Any]:
    function = call["function"]
    _check_name(function["name"])
    arguments = json.dumps(function["arguments"], ensure_ascii=False)
    named = {"name": function["name"], "arguments": arguments}
    return {"id": call["id"], "type": "function", "function": named}


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UnfitError("has a tool whose name OpenAI does not allow")


def _content(content: Any, *, role: str) -> Any:
    if isinstance(content, str):
        return content
    return [_part(part, role=role) for part in content]


def _part(part: dict[str, Any], *, role: str) -> dict[str, Any]:
    if part["type"] == "text":
        return part
    if role != "user":
        raise UnfitError("has a picture that is not the user's")
    address = part["image"]
    if not address.startswith(_ADDRESSES):
        raise UnfitError('has a picture that OpenAI cannot load (try images = "embedded")')
    return {"type": "image_url", "image_url": {"url": address}}
