"""What coding agents write: calls side by side, sub-agents, branches, compactions, and answers that grow."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from tests.support import session_files as sessions
from tests.support.imported import text
from tests.support.session_files import (
    claude_answer,
    claude_line,
    claude_words,
    codex_item,
    codex_meta,
    codex_said,
    codex_tokens,
    jsonl,
)

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.importers import IMPORTERS
from dolphin_logger.importers._api import Content, Item, Turn, Unknown, Waiting
from dolphin_logger.messages import ToolCall, ToolResult


def read(
    source: str, entries: list[Any], *, idle: float = 1e6, path: str = "s.jsonl"
) -> list[Item]:
    """Decode lines."""
    return list(IMPORTERS[source].read(Content(jsonl(entries), PurePath(path), 1, idle)))


def turns(source: str, entries: list[Any], **more: Any) -> list[Turn]:
    """Decode lines that hold nothing strange."""
    found = read(source, entries, **more)
    assert [item for item in found if isinstance(item, Unknown)] == []
    return [item for item in found if isinstance(item, Turn)]


def asked(turn: Turn) -> list[Any]:
    """Give the new messages of a turn: a text, or the call that a part answers."""
    messages = DIALECTS[turn.dialect].read_request(turn.request).messages
    parts = [(message, part) for message in messages for part in message.parts]
    return [p.call_id if isinstance(p, ToolResult) else text(m) for m, p in parts]


def said(turn: Turn) -> list[Any]:
    """Give the parts of an answer: a text, or the id of a call."""
    (choice,) = DIALECTS[turn.dialect].read_response(turn.response or {}).choices
    return [part.id if isinstance(part, ToolCall) else part.text for part in choice.message.parts]


def test_claude_code_joins_the_lines_of_an_answer() -> None:
    """The lines of one message are one answer, and its calls' results follow in order, none missing."""
    first, second = turns("claude-code", sessions.claude_code())
    assert (asked(first), said(first)) == (["Read the notes."], ["I read both.", "call1", "call2"])
    assert (asked(second), said(second)) == (["call1", "call2"], ["Teal, seven."])
    assert (first.after, second.after) == (None, "msg_a")
    assert first.provider_request_id == "req_a"
    assert first.client.session == sessions.SESSION


def test_claude_code_takes_results_between_the_calls() -> None:
    """A result that is written before its neighbour's call splits no answer."""
    lines = sessions.claude_code()
    lines[5], lines[6] = lines[6], lines[5]
    assert [said(turn) for turn in turns("claude-code", lines)] == [
        ["I read both.", "call1", "call2"],
        ["Teal, seven."],
    ]


def test_claude_code_waits_for_the_rest_of_an_answer() -> None:
    """An answer without its end waits, until nobody has written for long; one with it, for seconds."""
    lines = sessions.claude_code()
    lines[-1]["message"]["stop_reason"] = None
    assert [type(item) for item in read("claude-code", lines, idle=60)] == [Turn, Waiting]
    assert [type(item) for item in read("claude-code", lines, idle=700)] == [Turn, Turn]
    whole = sessions.claude_code()
    assert [type(item) for item in read("claude-code", whole, idle=1)] == [Turn, Waiting]
    assert [type(item) for item in read("claude-code", whole, idle=60)] == [Turn, Turn]


def test_claude_code_knows_an_answer_by_what_follows() -> None:
    """An answer that another one follows is whole, whatever it says of its end."""
    lines = sessions.claude_code()
    for number in (3, 4, 5):
        lines[number]["message"]["stop_reason"] = None
    assert [type(item) for item in read("claude-code", lines, idle=0)] == [Turn, Waiting]


def test_claude_code_asks_with_what_was_there() -> None:
    """A result that came after the next answer was no part of its question, read early or late."""
    lines = sessions.claude_code()
    late = [*lines[:7], lines[8] | {"parentUuid": "u6"}, lines[7]]
    second = turns("claude-code", late)[1]
    assert asked(second) == ["call1"]
    assert turns("claude-code", late[:-1])[1] == second


def test_claude_code_keeps_branches() -> None:
    """A question that was edited leaves two branches, each with its own answer after the same turn."""
    lines = sessions.claude_code()
    other = {"type": "text", "text": "Blue."}
    lines += [
        claude_line(9, 8, "user", claude_words("Sure?")),
        claude_line(10, 9, "assistant", claude_answer("msg_c", {"type": "text", "text": "Yes."})),
        claude_line(11, 8, "user", claude_words("Are you sure?")),
        claude_line(12, 11, "assistant", claude_answer("msg_d", other)),
    ]
    found = turns("claude-code", lines)[2:]
    assert [(asked(turn), said(turn), turn.after) for turn in found] == [
        (["Sure?"], ["Yes."], "msg_b"),
        (["Are you sure?"], ["Blue."], "msg_b"),
    ]


def test_claude_code_begins_anew_behind_a_compaction() -> None:
    """Behind a compaction the history is the summary."""
    boundary = claude_line(9, None, "system", None, subtype="compact_boundary")
    lines = [
        *sessions.claude_code(),
        boundary,
        claude_line(10, 9, "user", claude_words("So far: teal."), isCompactSummary=True),
        claude_line(11, 10, "assistant", claude_answer("msg_e", {"type": "text", "text": "On."})),
    ]
    last = turns("claude-code", lines)[-1]
    assert (asked(last), said(last), last.after) == (["So far: teal."], ["On."], None)


def test_claude_code_names_sub_agents() -> None:
    """A sub-agent's turns name the session and the agent, as the wire does."""
    lines = [
        claude_line(1, None, "user", claude_words("Count."), agentId="a7"),
        claude_line(
            2, 1, "assistant", claude_answer("msg_x", {"type": "text", "text": "4"}), agentId="a7"
        ),
    ]
    (turn,) = turns("claude-code", lines)
    assert (turn.client.session, turn.client.agent) == (sessions.SESSION, "a7")


def test_claude_code_speaking_itself_is_no_answer() -> None:
    """What Claude Code writes in the model's place (an error, an interruption) is neither asked nor answered."""
    error = claude_answer("x", {"type": "text", "text": "API Error"})
    lines = [
        claude_line(1, None, "user", claude_words("Hello.")),
        claude_line(2, 1, "assistant", error | {"model": "<synthetic>"}, isApiErrorMessage=True),
        claude_line(3, 2, "user", claude_words("Again.")),
        claude_line(4, 3, "assistant", claude_answer("m", {"type": "text", "text": "Hi."})),
    ]
    (turn,) = turns("claude-code", lines)
    assert asked(turn) == ["Hello.", "Again."]


def test_codex_names_responses_and_instructions() -> None:
    """The first turn holds the base instructions, and each answer the id that the wire has for it."""
    first, second = turns("codex", sessions.codex())
    assert asked(first) == ["Be brief.", "Read the notes."]
    assert said(first) == ["Hm.", "I read.", "c1"]
    assert (asked(second), said(second)) == (["c1"], ["Teal."])
    assert [turn.response and turn.response["id"] for turn in (first, second)] == [
        "resp_1",
        "resp_2",
    ]
    assert first.model == "gpt-test"


def test_codex_names_sub_agents() -> None:
    """A sub-agent's thread belongs to the session of its root."""
    lines = sessions.codex()
    lines[0] = codex_meta("thread-2", session_id="thread-1", parent_thread_id="thread-1")
    client = turns("codex", lines)[0].client
    assert (client.session, client.agent, client.parent) == ("thread-1", "thread-2", "thread-1")


def test_codex_rolls_back() -> None:
    """A rollback takes the last question away: the next one follows what was before it."""
    back = {"type": "event_msg", "payload": {"type": "thread_rolled_back", "num_turns": 1}}
    lines = [
        *sessions.codex(),
        codex_said(9, "user", "Wrong way."),
        codex_said(9, "assistant", "I see."),
        codex_tokens(9, "resp_3"),
        back,
        codex_said(10, "user", "This way."),
        codex_said(10, "assistant", "Good."),
        codex_tokens(10, "resp_4"),
    ]
    *_, second, wrong, right = turns("codex", lines)
    assert (asked(right), right.after) == (["This way."], second.line)
    assert wrong.after == second.line


def test_codex_begins_anew_behind_a_compaction() -> None:
    """Behind a compaction the history is what replaced it."""
    kept = codex_said(9, "user", "So far: teal.")["payload"]
    lines = [
        *sessions.codex(),
        {"type": "compacted", "payload": {"message": "", "replacement_history": [kept]}},
        codex_said(10, "assistant", "On."),
        codex_tokens(10, "resp_9"),
    ]
    last = turns("codex", lines)[-1]
    assert (asked(last), last.after) == (["Be brief.", "So far: teal."], None)


def test_codex_counts_items_of_the_future() -> None:
    """An item of an unknown type is counted, and kept in the history that it is a part of."""
    lines = sessions.codex()
    lines.insert(8, codex_item(6, "hologram", text="?"))
    found = read("codex", lines)
    assert Unknown("item hologram") in found
    second = [item for item in found if isinstance(item, Turn)][1]
    assert second.request["input"][0]["type"] == "hologram"


def test_gemini_cli_takes_the_latest_form_of_a_message() -> None:
    """A message that comes again with its calls is one answer, and its result follows once."""
    first, second = turns("gemini-cli", sessions.gemini())
    assert said(first) == ["I read.", "f1"]
    assert (asked(second), said(second), second.after) == (["f1"], ["Teal."], "g2")


def test_gemini_cli_reads_files_of_one_object() -> None:
    """Older files are one object, and keep results only with the calls."""
    lines = sessions.gemini()
    messages = [lines[2], lines[4], lines[6]]
    old = {**lines[0], "messages": messages}
    first, second = turns("gemini-cli", [old], path="session-1.json")
    assert (said(first), asked(second)) == (["I read.", "f1"], ["f1"])


def test_gemini_cli_names_sub_agents() -> None:
    """A sub-agent's file lies in a folder that is named by the session of its parent."""
    lines = sessions.gemini()
    lines[0] |= {"kind": "subagent", "sessionId": "sub"}
    client = turns("gemini-cli", lines, path="chats/chat-1/sub.jsonl")[0].client
    assert (client.session, client.agent, client.parent) == ("chat-1", "sub", "chat-1")


def test_pi_keeps_branches() -> None:
    """Two answers below one entry are two turns after the same one."""
    first, second, third = turns("pi", sessions.pi())
    assert said(first) == ["I read.", "t1"]
    assert (asked(second), second.after) == (asked(third), third.after) == (["t1"], "p2")
    assert (said(second), said(third)) == (["Teal."], ["It is teal."])
