"""Chat completions and the older completions, in words; Ollama's messages too, which are alike.

It knows every key under which a provider puts reasoning, and the two ways to write it twice: as one
text and as blocks with signatures. It does not know streams, usage or errors.
Invariants: never raises, whatever stands in a request or an answer; nothing is left out but what
says the same again.

Source: https://platform.openai.com/docs/api-reference/chat.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from dolphin_logger.dialects._fields import take_list, take_object, take_text
from dolphin_logger.dialects._read_parts import (
    put_back,
    read_arguments,
    read_content,
    read_parts,
    read_thought,
)
from dolphin_logger.dialects._read_tools import take_tools
from dolphin_logger.messages import (
    Answered,
    Asked,
    Choice,
    File,
    Image,
    Message,
    Other,
    Part,
    Reasoning,
    Refusal,
    Text,
    ToolCall,
    ToolResult,
)

_REASONING: Final = ("reasoning_content", "reasoning", "thinking")
_RESULTS: Final = ("tool", "function")


def read_chat_request(request: Mapping[str, Any]) -> Asked:
    """Read messages and tools, and the functions that were there before tools."""
    rest = dict(request)
    messages = tuple([read_message(message) for message in take_list(rest, "messages") or ()])
    return Asked(messages, take_tools(rest, "tools", "functions"), rest)


def read_chat_response(response: Mapping[str, Any]) -> Answered:
    """Read every choice."""
    rest = dict(response)
    return Answered(
        tuple([_read_choice(choice) for choice in take_list(rest, "choices") or ()]), rest
    )


def read_completions_request(request: Mapping[str, Any]) -> Asked:
    """Read a prompt that is one text as the user's; several are no conversation."""
    rest = dict(request)
    prompt = take_text(rest, "prompt")
    return Asked(() if prompt is None else (Message("user", (Text(prompt),)),), (), rest)


def read_message(message: Any) -> Message:
    """Read one message of a request or an answer."""
    if not isinstance(message, dict):
        return Message("", (Other("", message),))
    rest = dict(message)
    role = take_text(rest, "role") or ""
    name = take_text(rest, "name")
    if role in _RESULTS:
        name = name or take_text(rest, "tool_name")
        content = read_content(rest.pop("content", None))
        result = ToolResult(take_text(rest, "tool_call_id"), content, name=name)
        return Message(role, (result,), rest=rest)
    parts: list[Part] = [*_take_reasoning(rest), *read_parts(rest.pop("content", None))]
    refusal = take_text(rest, "refusal")
    if refusal:
        parts.append(Refusal(refusal))
    parts += _take_media(rest)
    parts += [_read_call(call) for call in take_list(rest, "tool_calls") or ()]
    called = take_object(rest, "function_call")
    if called is not None:
        parts.append(_read_call(called))
    return Message(role, tuple(parts), name, rest)


def _read_choice(choice: Any) -> Choice:
    if not isinstance(choice, dict):
        return Choice(Message("", (Other("", choice),)))
    rest = dict(choice)
    text = take_text(rest, "text")
    if text is not None:  # the older completions
        message = Message("assistant", (Text(text),))
    else:
        message = read_message(rest.pop("message", None) or {"role": "assistant"})
    return Choice(message, take_text(rest, "finish_reason"), rest)


def _take_reasoning(rest: dict[str, Any]) -> list[Reasoning]:
    """Take the thoughts; a text that says the same again as the blocks beside it is no other thought."""
    blocks = _take_thoughts(rest, "thinking_blocks") or _take_thoughts(rest, "reasoning_details")
    said = {"".join([block.text for block in blocks]), ""}
    texts = []
    for key in _REASONING:
        text = take_text(rest, key)
        if text is not None and text not in said:
            said.add(text)
            texts.append(Reasoning(text))
    return [*texts, *blocks]


def _take_thoughts(rest: dict[str, Any], key: str) -> list[Reasoning]:
    """Take a list of thoughts; leave it when anything else is in it."""
    entries = rest.get(key)
    if not isinstance(entries, list):
        return []
    thoughts = [read_thought(dict(entry)) for entry in entries if isinstance(entry, dict)]
    known = [thought for thought in thoughts if thought is not None]
    if len(known) < len(entries):
        return []
    del rest[key]
    return known


def _take_media(rest: dict[str, Any]) -> list[Part]:
    """Take Ollama's images, and the sound of an answer with its transcript."""
    parts: list[Part] = []
    images = rest.get("images")
    if isinstance(images, list) and all(isinstance(image, str) for image in images):
        parts += [Image(data=image) for image in images]
        del rest["images"]
    audio = rest.get("audio")
    if isinstance(audio, dict) and isinstance(audio.get("data"), str):
        sound = dict(rest.pop("audio"))
        data, transcript = take_text(sound, "data"), take_text(sound, "transcript")
        parts.append(File(data=data, text=transcript, media_type="audio", rest=sound))
    return parts


def _read_call(call: Any) -> Part:
    """Read a call: of a function, of a custom tool, or of a vendor's own type."""
    if not isinstance(call, dict):
        return Other("tool_call", call)
    rest = dict(call)
    kind = take_text(rest, "type") or "function"
    key = kind if isinstance(rest.get(kind), dict) else "function"
    inner = take_object(rest, key)
    fields = rest if inner is None else inner
    text = take_text(fields, "arguments")
    arguments: dict[str, Any] | str | None
    if text is not None:
        arguments = read_arguments(text)
    else:
        arguments = take_object(fields, "arguments", "input")
        arguments = take_text(fields, "input") if arguments is None else arguments
    made = ToolCall(
        name=take_text(fields, "name") or "",
        arguments="" if arguments is None else arguments,
        id=take_text(rest, "id"),
        kind=kind,
        rest=rest,
    )
    put_back(rest, key, inner or {})
    return made
