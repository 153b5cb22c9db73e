"""`show` as a person reads it, for records of every wire language; and what recorded text cannot do."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from conversations import CONVERSATIONS

from dolphin_logger import cli
from dolphin_logger.cli import output
from dolphin_logger.dialects import DIALECTS
from dolphin_logger.exchange import Client, Exchange, new_id
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.writer import Journal

NOW = 1_795_361_046 * 10**9
FOLDERS = {
    "openai_chat": "openai.chat",
    "openai_responses": "openai.responses",
    "anthropic_messages": "anthropic.messages",
    "gemini": "gemini",
}
ROOT = os.environ.get("WIRE_SAMPLES")
ANSWERS: dict[str, dict[str, Any]] = {
    "openai.chat": {"choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "In Rome.", "reasoning": "Easy."}}]},
    "openai.responses": {
        "status": "completed",
        "output": [
            {"type": "reasoning", "summary": [{"type": "summary_text", "text": "Easy."}], "encrypted_content": "gAAA" * 100},
            {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "In Rome."}]},
        ],
    },
    "anthropic.messages": {
        "role": "assistant", "stop_reason": "end_turn",
        "content": [{"type": "thinking", "thinking": "Easy.", "signature": "EqQB" * 100}, {"type": "text", "text": "In Rome."}],
    },
    "gemini": {"candidates": [{"content": {"role": "model", "parts": [{"text": "Easy.", "thought": True}, {"text": "In Rome."}]}, "finishReason": "STOP"}]},
    "ollama.chat": {"message": {"role": "assistant", "thinking": "Easy.", "content": "In Rome."}, "done_reason": "stop", "done": True},
}  # fmt: skip


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """The journal of a home of its own, read by no agent and in no colour."""
    for name in (*output._AGENTS, "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOLPHIN_LOGGER_HOME", str(tmp_path))
    home = Home(tmp_path)
    home.prepare()
    return Journal(home)


def run(*arguments: str) -> Result:
    """Run a command."""
    return CliRunner().invoke(cli.main, list(arguments))


def show(
    journal: Journal, dialect: str, request: object, response: object, **fields: object
) -> str:
    """Record an exchange, and show it."""
    exchange = Exchange(
        id=new_id(NOW), time_ns=NOW, dialect=dialect, path="/", status=200,
        request=json.dumps(request).encode(), response=json.dumps(response).encode(), **fields,  # type: ignore[arg-type]
    )  # fmt: skip
    journal.append(exchange)
    result = run("show", exchange.id)
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize("dialect", CONVERSATIONS)
def test_a_conversation_reads_the_same_in_every_language(journal: Journal, dialect: str) -> None:
    """Who speaks, thoughts, parallel calls, each result under its call, in order; nothing as bare JSON."""
    text = show(journal, dialect, CONVERSATIONS[dialect], ANSWERS[dialect])
    lines = [
        *("tools offered (1)", "  weather", "    Tells it"),
        *("[1] system", "    Be brief.", "[2] user", "    Where is it warm?", "[3] assistant"),
        *("  reasoning:", "    Two cities."),
        *("  tool call weather id call_1", '    {"city": "Rome"}'),
        *("  tool call weather id call_2", '    {"city": "Oslo"}'),
        *('  tool result weather {"city": "Rome"} id call_1', "sun"),
        *('weather {"city": "Oslo"} id call_2', "away" if dialect == "gemini" else "snow"),
        *("choice 0 assistant", "  reasoning:", "    Easy.", "    In Rome.", "finish_reason: "),
    ]
    place = 0
    for line in lines:
        assert line in text[place:], line
        place = text.index(line, place) + len(line)
    assert "gAAAgAAA" not in text
    assert "EqQBEqQB" not in text
    assert ("[sealed, 400 characters]" in text) is (
        dialect in ("openai.responses", "anthropic.messages")
    )
    assert '"role"' not in text
    listed = json.loads(run("ls", "--records", "--json").stdout)["records"][0]
    assert listed["preview"] == "Where is it warm?"


def test_failed_results_and_codes_output_are_told(journal: Journal) -> None:
    """A result that is an error is called one; a picture in a result is its kind and size."""
    picture = {"type": "base64", "media_type": "image/png", "data": "QUJD"}
    request = {
        "messages": [
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "write", "input": {"path": "a", "text": "one\ntwo"}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "is_error": True, "content": [{"type": "text", "text": "no\nroom"}, {"type": "image", "source": picture}]},
                                         {"type": "tool_result", "tool_use_id": "gone", "content": "lost"}]},
        ]
    }  # fmt: skip
    text = show(journal, "anthropic.messages", request, {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}})  # fmt: skip
    assert "  tool call write id t1\n    path: a\n    text:\n      one\n      two\n" in text
    assert (
        '  tool error write {"path": "a", "text": "one\\ntwo"} id t1\n      no\n      room\n'
        in text
    )
    assert "    [image] [image/png, 3 bytes]\n  tool result id gone\n      lost\n" in text
    assert '"message": "Overloaded"' in text


def test_a_refusal_and_a_cut_answer_say_so(journal: Journal) -> None:
    """A refusal stands under its own name, and an answer that was cut says why."""
    response = {
        "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"},
        "output": [{"type": "message", "role": "assistant", "content": [{"type": "refusal", "refusal": "I will not."}]}],
    }  # fmt: skip
    text = show(journal, "openai.responses", {"input": "Do it"}, response)
    assert "[1] user\n    Do it\n" in text
    assert "  refusal:\n    I will not.\n" in text
    assert "finish_reason: max_output_tokens" in text


def test_a_sub_agent_is_named_with_its_parent(journal: Journal) -> None:
    """The client, its session, the agent and who started it have lines of their own."""
    client = Client("claude-code", "s-1", "a-2", "a-1", {"run": "r"})
    text = show(journal, "openai.chat", {"messages": []}, {"choices": []}, client=client)
    assert "client      claude-code, session s-1\n" in text
    assert "agent       a-2 (sub-agent of a-1)\n" in text
    assert "tags        run r\n" in text


def test_what_is_no_conversation_is_shown_as_json(journal: Journal) -> None:
    """Embeddings, unknown languages and bodies that are no objects are JSON; vectors a note."""
    vectors = {"data": [{"embedding": [0.25] * 1536}]}
    text = show(journal, "openai.embeddings", {"input": ["a", "b"]}, vectors)
    assert '{"input": ["a", "b"]}' in text
    assert "[1,536 numbers: see --json]" in text
    assert '{"a": 1}' in show(journal, "vendor.new", {"a": 1}, [1])
    assert json.loads(run("ls", "--records", "--json").stdout)["records"][0]["preview"] == ""
    show(journal, "openai.images", {"prompt": "a cat"}, {})
    assert json.loads(run("ls", "--records", "--json").stdout)["records"][0]["preview"] == "a cat"


def test_what_an_answer_repeats_is_not_written_twice(journal: Journal) -> None:
    """Instructions and tools that an answer echoes are in the view once."""
    instructions = "Be brief. " * 50
    tools = [{"type": "function", "name": "weather", "parameters": {"title": "t" * 100}}]
    asked = {"instructions": instructions, "tools": tools, "input": "Hi"}
    text = show(
        journal,
        "openai.responses",
        asked,
        {"output": [], "instructions": instructions, "tools": tools},
    )
    assert text.count(instructions) == 1
    assert text.count("t" * 100) == 1
    assert "tools: as in the request" in text


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("value", [None, 1, "x", [1, None, "x", [{}]], {"type": 1, "role": []}])
def test_any_shape_is_shown_in_every_language(
    journal: Journal, dialect: str, value: object
) -> None:
    """Whatever stands where a language has messages, parts, tools or answers: it is shown."""
    deep: Any = value
    for key in ("text", "source", "content", "parts", "functionCall", "function", "message"):
        deep = {key: [value, deep], "role": "user", "type": "tool_result", "tool_calls": [value]}
    keys = ("messages", "input", "contents", "prompt", "system", "tools", "choices", "output")
    for given in (value, [value], [deep], deep):
        body = dict.fromkeys((*keys, "candidates", "content", "response"), given)
        text = show(journal, dialect, body, body)
        assert "── answer" in text
    assert run("ls").exit_code == 0


@pytest.fixture
def translated(journal: Journal) -> str:
    """A call that the provider answered in another language; return its id."""
    exchange = Exchange(
        id=new_id(NOW), time_ns=NOW, dialect="openai.chat", path="/v1/chat/completions",
        request=json.dumps({"messages": [{"role": "user", "content": "Hi"}], "seed": 7}).encode(),
        response=json.dumps({"choices": [{"message": {"role": "assistant", "content": "Hello"}}]}).encode(),
        provider_request=json.dumps({"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}], "max_tokens": 9}).encode(),
        provider_response=json.dumps({"role": "assistant", "content": [{"type": "thinking", "thinking": "Well.", "signature": "x"}]}).encode(),
        translation={"to": "anthropic.messages", "dropped": ["seed", "messages[].name"], "changed": ["temperature"]},
    )  # fmt: skip
    journal.append(exchange)
    return exchange.id


def test_a_translated_call_says_what_did_not_come_through(translated: str) -> None:
    """What was dropped and changed has a line each; the provider's side is one option away."""
    text = run("show", translated).stdout
    assert "translated  to anthropic.messages: --provider shows that side\n" in text
    assert "dropped     seed\ndropped     messages[].name\nchanged     temperature\n" in text
    assert "Hello" in text
    assert "Well." not in text
    other = run("show", translated, "--provider").stdout
    assert '"max_tokens": 9' in other
    assert "  reasoning: [sealed, 1 characters]\n    Well.\n" in other
    assert "Hello" not in other
    assert run("show", translated, "--provider", "--json").exit_code == 2


def test_without_translation_there_is_no_other_side(journal: Journal) -> None:
    """`--provider` of a relayed record is an error with its reason."""
    show(journal, "openai.chat", {}, {})
    result = run("show", "--provider")
    assert result.exit_code == 1
    assert "was not translated" in result.stderr


def test_recorded_text_fakes_no_line_of_ours(journal: Journal) -> None:
    """Nothing that was recorded begins where our own headings, labels and marks begin."""
    ours = re.compile(r" {0,2}(\[|choice|tool|reasoning|refusal|besides|──|· )")
    fake = "\n".join(("[9] user", "  tool call rm id x", "  · finish_reason: stop", "── answer"))
    request = {
        "messages": [
            {"role": "user", "content": fake},
            {"role": fake, "name": fake, "content": [{"type": fake, fake: fake}, {"type": "text", "text": fake, fake: fake}]},
            {"role": "assistant", "reasoning": fake, "refusal": fake, "tool_calls": [{"id": fake, "function": {"name": fake, "arguments": json.dumps({fake: fake})}}]},
            {"role": "tool", "tool_call_id": fake, "content": fake},
        ]
    }  # fmt: skip
    plain = json.loads(json.dumps(request).replace(json.dumps(fake)[1:-1], "word"))
    fake_lines = show(journal, "openai.chat", request, {}).splitlines()
    plain_lines = show(journal, "openai.chat", plain, {}).splitlines()
    assert sum(bool(ours.match(line)) for line in fake_lines) == sum(
        bool(ours.match(line)) for line in plain_lines
    )
    assert any(line.endswith("[9] user") for line in fake_lines)


# --- real recordings


def strings_of(value: Any, *, key: str = "") -> Iterator[str]:
    """Give every string of a body that a person reads: no type or role, seal or log-probability."""
    if isinstance(value, str):
        if key not in ("type", "role", "signature", "thoughtSignature", "encrypted_content"):
            yield value
    elif isinstance(value, dict):
        for name, inner in value.items():
            if name != "logprobs":
                yield from strings_of(inner, key=name)
    elif isinstance(value, list):
        for inner in value:
            yield from strings_of(inner, key=key)


def is_shown(string: str, text: str) -> bool:
    """Say whether a text shows a string: line by line, in JSON, or as the object that it is."""
    if len(string) > 64 and re.fullmatch(r"(data:[^,]*,)?[A-Za-z0-9+/_-]+=*", string):
        return True
    if all(output.neutralise(line) in text for line in string.split("\n")):
        return True
    if output.neutralise(json.dumps(string, ensure_ascii=False)[1:-1]) in text:
        return True
    try:
        inner = json.loads(string)
    except ValueError:
        return False
    return isinstance(inner, dict) and all(is_shown(leaf, text) for leaf in strings_of(inner))


@pytest.mark.skipif(not ROOT, reason="WIRE_SAMPLES is not set: no recordings to show")
@pytest.mark.parametrize(
    ("dialect", "path"),
    [
        pytest.param(name, path, id=f"{name}-{path.stem}")
        for folder, name in FOLDERS.items()
        for path in (sorted(Path(ROOT, folder).glob("*.sse")) if ROOT else ())
    ]
    or [pytest.param("", Path(), id="no-recordings")],
)
def test_recordings_are_shown_without_loss(journal: Journal, dialect: str, path: Path) -> None:
    """Every string of a real request and of its answer is in the view, bytes and seals apart."""
    request = json.loads(path.with_suffix(".request.json").read_bytes())
    decoder = DIALECTS[dialect].decoder("text/event-stream", asked=True)
    assert decoder
    decoder.feed(path.read_bytes())
    response = decoder.answer().response
    text = show(journal, dialect, request, response)
    missing = [s for body in (request, response) for s in strings_of(body) if not is_shown(s, text)]
    assert missing == []
