"""Tools of `openai.responses`: states, images, shell calls, audio; and that no event is unknown."""

from __future__ import annotations

from typing import get_args

import pytest
from openai.types.responses import ResponseStreamEvent
from responses_streams import (
    about,
    added,
    completed,
    created,
    decode,
    done,
    event,
    item,
)

from dolphin_logger.dialects._responses_stream import (
    BEGINNINGS,
    KEYS,
    TERMINAL,
    ResponsesDecoder,
)

SHELL = {
    "id": "i",
    "type": "shell_call",
    "status": "in_progress",
    "call_id": "c",
    "action": {"commands": [], "timeout_ms": 5},
}
WRITTEN = {"id": "i", "type": "shell_call_output", "call_id": "c", "output": []}
IMAGE = {"id": "i", "type": "image_generation_call", "status": "in_progress", "result": None}


@pytest.mark.parametrize(
    ("kind", "states"),
    [
        ("web_search_call", ["in_progress", "searching", "completed"]),
        ("file_search_call", ["in_progress", "searching", "completed"]),
        ("code_interpreter_call", ["in_progress", "interpreting", "completed"]),
        ("image_generation_call", ["in_progress", "generating", "completed"]),
        ("mcp_call", ["in_progress", "completed", "failed"]),
        ("mcp_list_tools", ["in_progress", "completed", "failed"]),
        ("compaction", ["compacting"]),
    ],
)
def test_states_of_work(kind, states):
    """The last state counts, where the item has one; a late one changes nothing."""
    start = {"id": "i", "type": kind}
    for number in range(len(states)):
        events = [about(f"{kind}.{state}") for state in states[: number + 1]]
        assert item(added({**start, "status": "?"}), *events)["status"] == states[number]
        assert item(added(start), *events) == start
        assert item(done(start), *events) == start


def test_partial_images():
    """The last partial image stands in for a result that never came, and raw is kept."""
    partials = [
        about(
            "image_generation_call.partial_image",
            partial_image_index=n,
            partial_image_b64=f"img{n}",
            size="64x64",
        )
        for n in range(2)
    ]
    events = [added(IMAGE), about("image_generation_call.generating"), *partials]
    assert item(*events, exact=False) == {
        **IMAGE,
        "status": "generating",
        "result": "img1",
        "size": "64x64",
    }
    whole = {**IMAGE, "status": "completed", "result": "all"}
    assert item(*events, done(whole)) == whole
    answer = decode(created(), *events, completed(whole))
    assert (answer.response["output"], answer.exact) == ([whole], True)
    early = {**IMAGE, "result": "all", "size": "8x8"}
    assert item(added(early), *partials, exact=False) == early


def test_shell_commands():
    """Commands grow in the call's action, each at its own position."""
    events = [
        event("shell_call_command.added", output_index=0, command_index=n, command="")
        for n in range(2)
    ]
    events += [
        event("shell_call_command.delta", output_index=0, command_index=n, delta=piece)
        for piece in ("ls", " -l")
        for n in range(2)
    ]
    events.append(
        event("shell_call_command.done", output_index=0, command_index=1, command="ls -l")
    )
    action = {"commands": ["ls -l", "ls -l"], "timeout_ms": 5}
    assert item(added(SHELL), *events) == {**SHELL, "action": action}
    other = event("shell_call_command.done", output_index=0, command_index=0, command="rm")
    found = item(added(SHELL), *events, other, exact=False)
    assert found["action"]["commands"] == ["rm", "ls -l"]


def test_shell_output():
    """What commands write grows stream by stream; the end may bring several entries."""
    kind = "shell_call_output_content"
    events = [
        about(f"{kind}.delta", command_index=0, delta={"stdout": "a"}),
        about(f"{kind}.delta", command_index=1, delta={"stdout": "x", "stderr": None}),
        about(f"{kind}.delta", command_index=0, delta={"stdout": "b", "stderr": "e"}),
    ]
    grown = [{"stdout": "ab", "stderr": "e"}, {"stdout": "x"}]
    assert item(added(WRITTEN), *events) == {**WRITTEN, "output": grown}
    ends = [
        {"stdout": "ab", "stderr": "e", "outcome": {"type": "exit", "exit_code": 0}},
        {"stdout": "more", "stderr": "", "outcome": {"type": "timeout"}},
    ]
    end = about(f"{kind}.done", command_index=0, output=ends)
    assert item(added(WRITTEN), *events, end) == {**WRITTEN, "output": [*ends, grown[1]]}
    other = about(f"{kind}.done", command_index=1, output=[{"stdout": "other"}])
    found = item(added(WRITTEN), *events, other, exact=False)
    assert found["output"] == [grown[0], {"stdout": "other"}]
    for strange in ({"novel": "a"}, {"stdout": 1}, None):
        odd = about(f"{kind}.delta", command_index=0, delta=strange)
        assert item(added(WRITTEN), *events, odd, exact=False)["output"][1] == grown[1]


def test_audio_has_no_place_and_keeps_raw():
    """Audio is told beside the output."""
    answer = decode(
        created(),
        event("audio.delta", delta="AAAA"),
        event("audio.transcript.delta", delta="h"),
        event("audio.transcript.delta", delta="i"),
        event("audio.done"),
        event("audio.transcript.done"),
        completed(),
    )
    assert answer.response["audio"] == {"data": "AAAA", "transcript": "hi"}
    assert not answer.exact


def test_every_event_of_the_sdk_is_known():
    """Whatever OpenAI's SDK has a type for has a rule here, with all its keys."""
    union, _ = get_args(ResponseStreamEvent)
    models = {get_args(one.model_fields["type"].annotation)[0]: one for one in get_args(union)}
    assert len(models) > 50
    whole = {"error", *BEGINNINGS, *TERMINAL}
    assert whole - {"response.cancelled"} <= set(models)
    for kind in models.keys() - whole:
        assert ResponsesDecoder().take_item_event(kind, {}), kind
        assert not ResponsesDecoder().take_item_event(f"{kind}.novel", {})
        assert models[kind].model_fields.keys() <= KEYS, kind
