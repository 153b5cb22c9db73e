"""A session in the lines of the Hub's simple trace format: one conversation, no branches.

Source: huggingface.co/docs/hub/session-traces-format. `datasets` with teich loses thoughts and calls of
this format, so Pi's is the default. Invariant: a session with more than one line of conversation is not
bent into one; a request that failed without a word and was asked again is none.
"""

from __future__ import annotations

from collections.abc import Iterator

from dolphin_logger.example import Json, Session
from dolphin_logger.exporters._api import Options, Row, UnfitError
from dolphin_logger.exporters._content import calls_of, compact, pictures_of, shown, text_of
from dolphin_logger.exporters._pi import HARNESS, milliseconds_of
from dolphin_logger.exporters._tree import Node, ends_of, path_to, plant


def sts_rows(session: Session, options: Options) -> Iterator[Row]:
    """Write a session.

    Raises:
        UnfitError: nothing is said in it; it has branches, sub-agents, a compaction or pictures.
    """
    path = _only_path(plant(session))
    yield {"type": "session", "harness": session.client or HARNESS, "id": session.id}
    for node in path:
        yield {"type": "message", "message": _message(node, options)}


def _only_path(nodes: list[Node]) -> list[Node]:
    if any(node.thread is not None for node in nodes):
        raise UnfitError("has sub-agents")
    if any(node.step.relation == "compaction" for node in nodes):
        raise UnfitError("has a compaction")
    ends = ends_of(nodes, None)
    if not ends:
        raise UnfitError("nothing is said in it")
    if len(ends) > 1:
        raise UnfitError("has branches")
    return path_to(ends[0], nodes)


def _message(node: Node, options: Options) -> Json:
    (chat,) = shown([node.chat], options)
    if pictures_of(chat):
        raise UnfitError("has pictures")
    message = {
        "role": chat["role"],
        "content": text_of(chat),
        "timestamp": milliseconds_of(node.step.time),
    }
    if thought := chat.get("reasoning_content"):
        message["reasoningContent"] = thought
    if calls := calls_of(chat):
        message["toolCalls"] = [_call(call) for call in calls]
    if "tool_call_id" in chat:
        message["toolCallId"] = chat["tool_call_id"]
    if node.is_answer and node.step.model is not None:
        message["model"] = node.step.model
    return message


def _call(call: Json) -> Json:
    function = call["function"]
    named = {"name": function["name"], "arguments": compact(function["arguments"])}
    return {"id": call["id"], "function": named}
