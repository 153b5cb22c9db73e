"""Chats: rules of rows in chat form, as TRL and the chat templates of models expect them.

Written down from https://huggingface.co/docs/trl/dataset_formats and from what templates do with
messages; nothing of TRL is imported. A rule says what is wrong with a row, or nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

Row = dict[str, Any]

_ROLES: Final = ("system", "user", "assistant", "tool")
_GOES_ON: Final = ("user", "tool", "assistant")  # roles from which a completion may go on


def messages(row: Row) -> Iterator[str]:
    """Hold a whole conversation."""
    yield from _thread(row.get("messages"), name="messages")
    yield from tools(row.get("tools"))
    if not any(is_role(one, "assistant") for one in listed(row.get("messages"))):
        yield "no message of the model"


def vision(row: Row) -> Iterator[str]:
    """Hold a conversation with pictures: users' content in parts, a picture for each empty place."""
    yield from messages(row)
    places = 0
    for at, message in enumerate(listed(row.get("messages"))):
        content = message.get("content") if isinstance(message, dict) else None
        if is_role(message, "user") and not isinstance(content, list):
            yield f"messages[{at}].content is no list of parts: pictures would move to its front"
        seen = [part for part in listed(content) if is_picture(part)]
        places += len(seen)
        if seen and is_role(message, "tool"):
            yield f"messages[{at}]: TRL does not look for pictures in results of tools"
        if any(set(part) != {"type"} for part in seen):
            yield f"messages[{at}]: a picture that does not stand in the column images"
    images = row.get("images")
    if not isinstance(images, list) or not all(isinstance(one, str) for one in images):
        yield "images is no list of addresses"
    elif len(images) != places:
        yield f"{places} places for pictures, {len(images)} pictures"


def turns(row: Row) -> Iterator[str]:
    """Hold a prompt and what completes it."""
    yield from _thread(row.get("prompt"), name="prompt")
    yield from _thread(row.get("completion"), name="completion")
    yield from tools(row.get("tools"))
    yield from _begins(row, "completion")


def preference(row: Row) -> Iterator[str]:
    """Hold a prompt and two answers."""
    for name in ("prompt", "chosen", "rejected"):
        yield from _thread(row.get(name), name=name)
    yield from tools(row.get("tools"))
    yield from _begins(row, "chosen")
    yield from _begins(row, "rejected")
    if row.get("chosen") == row.get("rejected"):
        yield "chosen and rejected are the same"


def kto(row: Row) -> Iterator[str]:
    """Hold a prompt, what completes it, and whether it is good."""
    yield from turns(row)
    if not isinstance(row.get("label"), bool):
        yield "label is neither true nor false"


def tools(found: Any) -> Iterator[str]:
    """Hold definitions of tools."""
    if found is not None and not isinstance(found, list):
        yield "tools is no list"
        return
    for tool in found or ():
        function = tool.get("function") if isinstance(tool, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            yield "a tool has no function with a name"


def listed(value: Any) -> list[Any]:
    """Give a list; nothing for what is none."""
    return value if isinstance(value, list) else []


def is_role(message: Any, role: str) -> bool:
    """Say whether something is a message of a role."""
    return isinstance(message, dict) and message.get("role") == role


def is_picture(part: Any) -> bool:
    """Say whether something is a part with a picture."""
    return isinstance(part, dict) and part.get("type") == "image"


def _thread(found: Any, *, name: str) -> Iterator[str]:
    """Hold messages against what chat templates expect."""
    if not isinstance(found, list) or not found:
        yield f"{name} is no list of messages"
        return
    for at, message in enumerate(found):
        where = f"{name}[{at}]"
        if not isinstance(message, dict) or message.get("role") not in _ROLES:
            yield f"{where} has no role of {', '.join(_ROLES)}"
            continue
        if not isinstance(message.get("content"), str | list):
            yield f"{where}.content is neither text nor parts"
        for call in message.get("tool_calls") or ():
            function = call.get("function") if isinstance(call, dict) else None
            if not isinstance(function, dict) or not isinstance(function.get("name"), str):
                yield f"{where} has a call without a name"
            elif not isinstance(function.get("arguments"), dict):
                yield f"{where}: arguments of {function['name']} are no object"
        if any("signature" in key for key in message):
            yield f"{where} carries a provider's signature"


def _begins(row: Row, name: str) -> Iterator[str]:
    prompt, answer = listed(row.get("prompt")), listed(row.get(name))
    if prompt and not any(is_role(prompt[-1], role) for role in _GOES_ON):
        yield f"the prompt ends with a message from which no {name} can go on"
    if answer and not is_role(answer[0], "assistant"):
        yield f"{name} does not begin with the model"
