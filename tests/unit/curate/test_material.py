"""A conversation in words: whole histories, edits in place, facts, steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.chats import Chats, assistant, call, result, user
from tests.support.curated import gathered, material, record, surveyed
from tests.support.homes import write_segment
from tests.support.imported import bring
from tests.support.session_files import claude_code, codex, samples, write

from dolphin_logger.curate.material import Material
from dolphin_logger.curate.native import SessionFiles
from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Unit
from dolphin_logger.exchange import Outcome
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import LabelWriter, read_labels
from dolphin_logger.label import Labels

HI = user("Which colour is the sea?")
SYSTEM = {"role": "system", "content": "Be brief."}
TOOLS = ("look",)


@pytest.fixture
def chats(tmp_path: Path) -> Chats:
    """A home with nothing in it yet."""
    return Chats(tmp_path / "home")


def label(home: Home, record_id: str, kind: str, value: Any, message: int | None = None) -> None:
    """Say something of a record."""
    writer = LabelWriter(home)
    writer.write(record_id, kind, value, message)
    writer.close()


def two_turns(chats: Chats) -> tuple[str, str]:
    """Record a chat of two turns, with a call."""
    asks = assistant("I look.", call("look", where="sea"), thought="Where?")
    first = chats.ask(SYSTEM, HI, answer=asks, tools=TOOLS)
    shown = assistant("I look.", call("look", where="sea"))
    done = assistant("Teal.", thought="I saw it.")
    second = chats.ask(SYSTEM, HI, shown, result("teal"), answer=done, tools=TOOLS, model="b")
    return first, second


def test_an_example_is_the_history_as_sent_and_the_answer(chats: Chats) -> None:
    """Instructions first, then what was said, then the answer, where `completion` points."""
    first, second = two_turns(chats)
    example = material(chats.home, first).example(second, unit=Unit.LEAF)
    function = {"name": "look", "arguments": {"where": "sea"}}
    asks = {"type": "function", "id": "c1", "function": function}
    assert example.messages == [
        SYSTEM,
        HI,
        {"role": "assistant", "content": "I look.", "tool_calls": [asks]},
        {"role": "tool", "content": "teal", "tool_call_id": "c1"},
        {"role": "assistant", "content": "Teal.", "reasoning_content": "I saw it."},
    ]
    assert example.completion == 4
    tool = {"name": "look", "parameters": {}}
    assert example.tools == [{"type": "function", "function": tool}]
    assert example.metadata == {
        "conversation": first,
        "record": second,
        "models": ["a", "b"],
        "providers": ["openai"],
        "client": "a-client",
        "time": {"first": "2026-11-22T15:25:06.000000Z", "last": "2026-11-22T15:26:06.000000Z"},
        "tokens": {"input_tokens": 100, "output_tokens": 10},
        "finish_reason": "stop",
        "rating": None,
        "tags": [],
        "source": None,
        "turns": 2,
        "tool_calls": 1,
        "tool_errors": 0,
    }


def test_facts_of_a_leaf_need_only_its_own_record(chats: Chats) -> None:
    """Models and times of turns that were not gathered are known from the survey."""
    first, second = two_turns(chats)
    example = material(chats.home, first, wanted=[second]).example(second, unit=Unit.LEAF)
    assert example.metadata["models"] == ["a", "b"]
    assert example.metadata["time"]["first"] == "2026-11-22T15:25:06.000000Z"


def test_what_a_person_said_of_a_conversation_holds_of_its_leaf(chats: Chats) -> None:
    """A leaf has the rating and the tags of its conversation, a turn its own alone."""
    first, second = two_turns(chats)
    label(chats.home, first, "rating", 5)
    label(chats.home, first, "tag", {"add": ["sea"]})
    label(chats.home, second, "tag", {"add": ["good"]})
    made = material(chats.home, first)
    leaf = made.example(second, unit=Unit.LEAF).metadata
    assert (leaf["rating"], leaf["tags"]) == (5, ["good", "sea"])
    turn = made.example(second, unit=Unit.TURN).metadata
    assert (turn["rating"], turn["tags"]) == (None, ["good"])


def test_an_edited_answer_stands_in_every_later_history(chats: Chats) -> None:
    """What a person wrote in the place of an answer is in its turn, and in what goes on from it."""
    first, second = two_turns(chats)
    label(chats.home, first, "edit", {"text": "Let me look."}, message=2)
    made = material(chats.home, first)
    assert made.example(first, unit=Unit.TURN).messages[-1]["content"] == "Let me look."
    history = made.example(second, unit=Unit.LEAF).messages
    assert [one["content"] for one in history[2:]] == ["Let me look.", "teal", "Teal."]
    assert "tool_calls" in history[2]
    choice = made.exchanged(first).response["choices"][0]
    assert choice["message"]["content"] == "Let me look."
    assert made.session().steps[0].answers[0]["content"] == "Let me look."


def test_an_edited_question_and_instruction_stand_in_every_history(chats: Chats) -> None:
    """The index is that of the list that was sent, instructions included."""
    first, second = two_turns(chats)
    label(chats.home, second, "edit", {"text": "Be kind."}, message=0)
    label(chats.home, second, "edit", {"text": "Which colour has it?"}, message=1)
    made = material(chats.home, first)
    for one in (first, second):
        said = made.example(one, unit=Unit.TURN).messages[:2]
        assert [message["content"] for message in said] == ["Be kind.", "Which colour has it?"]
    assert made.exchanged(second).request["messages"][1]["content"] == "Which colour has it?"
    assert made.exchanged(first).request["messages"][1] == HI


def test_the_same_words_elsewhere_are_not_edited(chats: Chats) -> None:
    """Only the message itself changes, not another one that says the same."""
    said = [user("ok"), assistant("ok"), user("ok")]
    chats.ask(*said[:1], answer=said[1])
    last = chats.ask(*said, answer=assistant("ok"))
    label(chats.home, last, "edit", {"text": "well"}, message=2)
    messages = material(chats.home, last).example(last, unit=Unit.LEAF).messages
    assert [one["content"] for one in messages] == ["ok", "ok", "well", "ok"]


def test_the_choice_that_was_gone_on_from_is_told(tmp_path: Path) -> None:
    """Of several choices the example has the continued one; the session has all."""
    home = Home(tmp_path / "home")
    answers = [assistant("Teal."), assistant("Blue.")]
    choices = [{"index": at, "message": one} for at, one in enumerate(answers)]
    first, one = record(1, {"messages": [HI]}, {"choices": choices})
    history = [HI, answers[1], user("Sure?")]
    _, two = record(2, {"messages": history}, {"choices": choices[:1]})
    write_segment(home, 1, one, two)
    made = material(home, first)
    assert made.example(first, unit=Unit.TURN).messages[-1]["content"] == "Blue."
    assert [one["content"] for one in made.session().steps[0].answers] == ["Teal.", "Blue."]


def test_a_beginning_that_the_client_gave_is_part_of_the_answer(tmp_path: Path) -> None:
    """A prefilled answer is told as one message, all of it the completion."""
    home = Home(tmp_path / "home")
    asked = {"system": "Be brief.", "messages": [HI, {"role": "assistant", "content": "The sea"}]}
    answer = {"role": "assistant", "content": [{"type": "text", "text": " is teal."}]}
    first, line = record(1, asked, answer, dialect="anthropic.messages")
    write_segment(home, 1, line)
    example = material(home, first).example(first, unit=Unit.TURN)
    assert example.messages[example.completion :] == [
        {"role": "assistant", "content": "The sea is teal."}
    ]
    assert example.completion == 2


def output(name: str, text: str) -> dict[str, Any]:
    """Write an answer of the Responses language."""
    content = [{"type": "output_text", "text": text}]
    said = {"type": "message", "role": "assistant", "content": content}
    return {"id": name, "status": "completed", "output": [said]}


def test_what_a_provider_remembers_is_told(tmp_path: Path) -> None:
    """All that came before is there; of the instructions only those that hold now, and first."""
    home, kind = Home(tmp_path / "home"), "openai.responses"
    asked = {"instructions": "Be brief.", "input": "Which colour?"}
    first, one = record(1, asked, output("r1", "Teal."), dialect=kind)
    more = {"instructions": "Be long.", "input": "Sure?", "previous_response_id": "r1"}
    second, two = record(2, more, output("r2", "Sure."), dialect=kind)
    write_segment(home, 1, one, two)
    label(home, first, "edit", {"text": "Blue."}, message=1)
    made = material(home, second, wanted=[second])
    told = [one["content"] for one in made.example(second, unit=Unit.LEAF).messages]
    assert told == ["Be long.", "Which colour?", "Blue.", "Sure?", "Sure."]
    assert made.exchanged(first).response["output"][0]["content"][0]["text"] == "Blue."


def test_a_history_of_which_a_part_is_missing_is_no_example(tmp_path: Path) -> None:
    """What names an answer that nobody recorded is told of, and no row is made of it."""
    home = Home(tmp_path / "home")
    asked = {"input": "Sure?", "previous_response_id": "r0"}
    only, line = record(1, asked, output("r1", "Sure."), dialect="openai.responses")
    write_segment(home, 1, line)
    made = material(home, only)
    with pytest.raises(DatasetError, match=only):
        made.example(only, unit=Unit.TURN)
    assert [step.id for step in made.session().steps] == [only]
    with pytest.raises(DatasetError, match="nobody"):
        made.asked("nobody")


def test_a_long_chain_of_new_words_is_one_history(tmp_path: Path) -> None:
    """A thousand turns that each hold only what is new are told from the first on."""
    home, before, made = Home(tmp_path / "home"), None, []
    for number in range(1000):
        imported = {"source": "pi", "session": "s", "line": "l", "file": "f", "after": before}
        asked = {"messages": [user(f"q{number}")]}
        answer = {"choices": [{"message": assistant(f"a{number}")}]}
        before, line = record(number, asked, answer, imported=imported)
        made.append(line)
    write_segment(home, 1, *made)
    assert before is not None
    (leaf,) = (one for one in surveyed(home) if one.is_leaf)
    assert (leaf.id, leaf.messages) == (before, 1999)
    example = material(home, before, wanted=[before]).example(before, unit=Unit.LEAF)
    expected = [f"{who}{number}" for number in range(1000) for who in "qa"]
    assert [one["content"] for one in example.messages] == expected


@pytest.mark.parametrize("number", range(12))
def test_imported_histories_are_whole(tmp_path: Path, number: int) -> None:
    """The last leaf of every importer's session begins with its first question and has each answer once."""
    sample = samples(tmp_path)[number]
    home = Home(tmp_path / "home")
    bring(home.path, write(tmp_path / "files", sample))
    last = max((one for one in surveyed(home) if one.is_leaf), key=lambda one: one.messages)
    example = material(home, last.id, wanted=[last.id]).example(last.id, unit=Unit.LEAF)
    roles = [one["role"] for one in example.messages if one["role"] != "system"]
    assert (roles[0], roles[-1]) == ("user", "assistant")
    assert len(roles) == last.messages + 1
    assert example.metadata["turns"] == roles.count("assistant")
    assert example.metadata["source"] == sample.source


def test_steps_tell_each_message_once(chats: Chats) -> None:
    """A step has what is new before its answer; a retry nothing; tools where they change."""
    first, second = two_turns(chats)
    failed = chats.ask(SYSTEM, user("Bye"), answer=None, outcome=Outcome.PROVIDER_ERROR)
    steps = material(chats.home, first).session().steps
    assert [step.id for step in steps] == [first, second]
    assert [one["role"] for one in steps[0].messages] == ["system", "user"]
    assert [one["role"] for one in steps[1].messages] == ["tool"]
    assert [len(step.tools) for step in steps] == [1, 0]
    assert (steps[1].parent, steps[1].relation) == (first, "continue")
    assert steps[1].usage == {"input_tokens": 100, "output_tokens": 10}
    made = material(chats.home, failed)
    with pytest.raises(DatasetError, match="no answer"):
        made.example(failed, unit=Unit.TURN)
    (only,) = made.session().steps
    assert (only.outcome, only.answers) == ("provider_error", [])


def test_steps_tell_instructions_once_whatever_note_is_in_them(tmp_path: Path) -> None:
    """Claude Code's note to Anthropic's billing differs in each request; what it says besides is told once."""
    home, said = Home(tmp_path / "home"), [{"role": "user", "content": "Hi."}]
    lines = []
    for number in range(2):
        note = f"x-anthropic-billing-header: cch={number};"
        system = [{"type": "text", "text": text} for text in (note, "Be brief.")]
        answer = {"role": "assistant", "content": [{"type": "text", "text": f"Hello {number}."}]}
        asked = {"system": system, "messages": list(said)}
        lines.append(record(number, asked, answer, dialect="anthropic.messages", session="s"))
        said += [answer, {"role": "user", "content": "And?"}]
    write_segment(home, 1, *(line for _, line in lines))
    steps = material(home, lines[0][0]).session().steps
    told = [[chat["content"] for chat in step.messages] for step in steps]
    assert told == [["Be brief.", "Hi."], ["And?"]]


def test_steps_of_sub_agents_have_the_name_of_their_thread(chats: Chats) -> None:
    """A sub-agent that the client names has that name; another has that of the call it began with."""
    task = "Count the fish in the sea, please."
    asks = assistant("I ask.", call("task", prompt=task))
    chats.ask(HI, answer=asks, session="s", tools=("task",))
    inner = chats.ask(user(task), answer=assistant("Five."), session="s", tools=("read",))
    more = chats.ask(
        *(user(task), assistant("Five."), user("And crabs?")),
        answer=assistant("Six."),
        session="s",
        tools=("read",),
    )
    named = chats.ask(user("Hello you"), answer=assistant("Yes?"), session="s", agent="helper")
    steps = {step.id: step for step in material(chats.home, inner).session().steps}
    assert [step.agent for step in steps.values()] == [None, inner, inner, "helper"]
    assert steps[inner].relation == "subagent"
    assert list(steps) == [next(iter(steps)), inner, more, named]


@pytest.mark.parametrize("made", [claude_code, codex])
def test_the_clients_own_lines_come_with_its_whole_session(tmp_path: Path, made: Any) -> None:
    """An archived session file is given where all its turns were chosen, and nowhere else."""
    home = Home(tmp_path / "home")
    sources = {sample.source: sample for sample in samples(tmp_path)}
    sample = sources[made.__name__.replace("_", "-")]
    bring(home.path, write(tmp_path / "files", sample))
    found = surveyed(home)
    everything = [one.id for one in found]

    def native(wanted: list[str], labels: Labels | None = None) -> list[Any]:
        (only,) = gathered(home, found, wanted)
        material_ = Material(only, labels or Labels(), files=SessionFiles(home))
        return material_.session().native

    assert native(everything) == made()
    assert native(everything[:1]) == []
    (only,) = gathered(home, found, everything)
    assert Material(only, Labels()).session().native == []
    label(home, everything[0], "edit", {"text": "no"}, message=0)
    assert native(everything, read_labels(home)) == []
