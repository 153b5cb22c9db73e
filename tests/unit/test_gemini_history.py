"""Messages of a chat completion request as Gemini's contents."""

from __future__ import annotations

from typing import Any

import pytest
from gemini_answers import (
    HELLO,
    INLINE,
    PIXEL,
    USER,
    asked,
    assistant,
    carried,
    contents,
    refused,
    result,
    translated,
)


def answered(response: Any, name: str = "f", **fields: Any) -> dict[str, Any]:
    """Make the part of a result."""
    return {"functionResponse": {"name": name, "response": response, **fields}}


def parts_of(*given: Any) -> list[dict[str, Any]]:
    """Translate the parts of one user message."""
    (content,) = contents({"role": "user", "content": list(given)})
    return list(content["parts"])


def response_of(content: Any, **keys: Any) -> dict[str, Any]:
    """Translate one result; give the `functionResponse` without its name and id."""
    *_, last = contents(HELLO, assistant(asked()), result(content, **keys))
    (part,) = last["parts"]
    body = dict(part["functionResponse"])
    assert (body.pop("name"), body.pop("id")) == ("f", "c1")
    return body


# --- roles


def test_roles():
    """Prompts go to the front, the assistant is the model, empty answers keep their place."""
    body = carried(
        {"role": "developer", "content": "be"},
        {"role": "system", "content": [{"type": "text", "text": "brief"}]},
        HELLO,
        {"role": "assistant", "content": "Hello"},
        {"role": "user", "content": "again"},
        {"role": "assistant", "content": ""},
    )
    assert body == {
        "systemInstruction": {"parts": [{"text": "be"}, {"text": "brief"}]},
        "contents": [
            USER,
            {"role": "model", "parts": [{"text": "Hello"}]},
            {"role": "user", "parts": [{"text": "again"}]},
            {"role": "model", "parts": [{"text": ""}]},
        ],
    }


def test_later_prompts_move_to_the_front():
    """Gemini has no place for them in the middle."""
    later = translated(HELLO, {"role": "system", "content": "x"})
    assert later.body["systemInstruction"] == {"parts": [{"text": "x"}]}
    assert later.changed == ["messages[].role (system, from the middle to the front)"]


@pytest.mark.parametrize("wrong", [None, {}, {"role": "x"}, {"role": ["user"]}, "hi"])
def test_unknown_roles_are_refused(wrong: Any):
    """A message that nobody said has no place."""
    assert refused(HELLO, wrong).param == "messages[1]"


def test_what_messages_lose():
    """Names and other keys are listed, once each."""
    lossy = translated(
        {**HELLO, "name": "Jo", "cache_control": {}},
        {"role": "assistant", "content": "x", "reasoning_content": "hm", "annotations": []},
        {"role": "assistant", "content": None, "audio": {"id": "a", "transcript": "said"}},
        HELLO,
    )
    assert lossy.dropped == [
        "messages[].name",
        "messages[].cache_control",
        "messages[].annotations",
        "messages[].reasoning_content",
        "messages[].audio",
    ]
    assert lossy.body["contents"][2] == {"role": "model", "parts": [{"text": "said"}]}


# --- parts


def test_parts():
    """Images, sound and documents go out with their bytes, or as addresses that nobody here reads."""
    assert parts_of(
        {"type": "text", "text": "a"},
        {"type": "text", "text": ""},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
        {"type": "image_url", "image_url": {"url": f"DATA:image/jpg;base64,{PIXEL}"}},
        {"type": "image_url", "image_url": {"url": "https://x.test/a.PNG?b=c", "detail": "auto"}},
        {"type": "image_url", "image_url": "https://x.test/watch"},
        {"type": "video_url", "video_url": {"url": "gs://bucket/a.mp4"}},
        {"type": "input_audio", "input_audio": {"data": "UklG", "format": "wav"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBERi0="}},
        {"type": "file", "file": {"file_data": "data:text/plain,a%20b"}},
        {"type": "file", "file": {"file_id": "files/abc"}},
        {"fileData": {"fileUri": "gs://b/c", "mimeType": "text/csv"}},
    ) == [
        {"text": "a"},
        INLINE,
        {"inlineData": {"mimeType": "image/jpeg", "data": PIXEL}},
        {"fileData": {"mimeType": "image/png", "fileUri": "https://x.test/a.PNG?b=c"}},
        {"fileData": {"fileUri": "https://x.test/watch"}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "gs://bucket/a.mp4"}},
        {"inlineData": {"mimeType": "audio/wav", "data": "UklG"}},
        {"inlineData": {"mimeType": "application/pdf", "data": "JVBERi0="}},
        {"inlineData": {"mimeType": "text/plain", "data": "YSBi"}},
        {"fileData": {"fileUri": "https://generativelanguage.googleapis.com/v1beta/files/abc"}},
        {"fileData": {"fileUri": "gs://b/c", "mimeType": "text/csv"}},
    ]


def test_what_parts_lose():
    """Hints that Gemini has no place for are named."""
    image = {"url": "https://x.test/a", "detail": "low"}
    file = {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}
    parts = [
        {"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}},
        {"type": "image_url", "image_url": image},
        {"type": "file", "file": file},
    ]
    assert translated({"role": "user", "content": parts}).dropped == [
        "messages[].content[].cache_control",
        "messages[].content[].image_url.detail",
        "messages[].content[].file.filename",
    ]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "no_such"},
        {"type": "text"},
        {"type": "image_url"},
        {"type": "image_url", "image_url": "ftp://x.test/a"},
        {"type": "image_url", "image_url": "https://[x/a"},
        {"type": "image_url", "image_url": "data:image/png"},
        {"type": "input_audio", "input_audio": {"data": "x", "format": "a/b"}},
        {"type": "file", "file": {"file_data": "JVBERi0="}},
        {"type": "file", "file": {"file_id": "file-123"}},
        {"type": "refusal", "refusal": "no"},
        {"x": 1},
        "a",
    ],
)
def test_parts_that_cannot_be_sent_are_refused(part: Any):
    """A part is carried or the request is refused; its place is named."""
    error = refused({"role": "user", "content": [part]})
    assert str(error.param).startswith("messages[0].content[0]")


# --- calls and results


def test_calls_and_results():
    """Results find their names by id, and stand in one content in the order of the calls."""
    found = contents(
        HELLO,
        assistant(asked("a", "f", '{"x": 1}'), asked("b", "g", ""), content="Look"),
        result("two", "b"),
        result('{"one": 1}', "a"),
        {"role": "user", "content": "thanks"},
    )
    assert found == [
        USER,
        {
            "role": "model",
            "parts": [
                {"text": "Look"},
                {"functionCall": {"name": "f", "args": {"x": 1}, "id": "a"}},
                {"functionCall": {"name": "g", "args": {}, "id": "b"}},
            ],
        },
        {
            "role": "user",
            "parts": [
                answered({"one": 1}, id="a"),
                answered({"result": "two"}, "g", id="b"),
            ],
        },
        {"role": "user", "parts": [{"text": "thanks"}]},
    ]


def test_an_id_of_ours_is_not_sent():
    """Gemini gave none, and would see one that it does not know."""
    minted = "call_M7-x_Q_0"
    *_, asking, answering = contents(HELLO, assistant(asked(minted)), result("1", minted))
    assert asking["parts"] == [{"functionCall": {"name": "f", "args": {}}}]
    assert answering["parts"] == [answered({"result": "1"})]


def test_results_come_right_behind_their_calls():
    """Also when the client put something between them; calls without a result get none."""
    late = translated(
        HELLO,
        assistant(asked("a"), asked("b")),
        {"role": "user", "content": "wait"},
        result("1", "a"),
        model="gemini-2.5-pro",
    )
    assert late.changed == ["messages[].tool_call_id (results right behind their calls)"]
    roles = [(content["role"], [*content["parts"][0]]) for content in late.body["contents"]]
    assert roles == [
        ("user", ["text"]),
        ("model", ["functionCall"]),
        ("user", ["functionResponse"]),
        ("user", ["text"]),
    ]
    assert contents(HELLO, assistant(asked()))[-1]["role"] == "model"


def test_an_id_that_comes_again_belongs_to_the_last_call():
    """Some servers count from zero in each answer."""
    found = contents(
        HELLO,
        assistant(asked("0", "f")),
        result("first", "0"),
        assistant(asked("0", "g")),
        result("second", "0"),
    )
    assert found[2]["parts"] == [answered({"result": "first"}, "f", id="0")]
    assert found[4]["parts"] == [answered({"result": "second"}, "g", id="0")]


@pytest.mark.parametrize(
    ("content", "response"),
    [
        ("plain", {"response": {"result": "plain"}}),
        ("[1]", {"response": {"result": "[1]"}}),
        ("{broken", {"response": {"result": "{broken"}}),
        ('{"a": NaN}', {"response": {"result": '{"a": NaN}'}}),
        ('{"a": [1.5]}', {"response": {"a": [1.5]}}),
        ("", {"response": {"result": ""}}),
        (None, {"response": {"result": ""}}),
        ([{"type": "text", "text": '{"a": 1}'}], {"response": {"a": 1}}),
        (
            [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            {"response": {"result": ["a", "b"]}},
        ),
        (
            [{"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}],
            {"response": {"result": ""}, "parts": [INLINE]},
        ),
    ],
)
def test_results_are_objects(content: Any, response: dict[str, Any]):
    """An object goes out as it is, anything else in one, images beside it."""
    assert response_of(content) == response


def test_results_that_are_errors():
    """What clients of other languages say of a failure has Google's word for it."""
    assert response_of("no", is_error=True) == {"response": {"error": "no"}}
    assert response_of("yes", is_error=False) == {"response": {"result": "yes"}}


def test_older_calls():
    """They are found by name, and have no id."""
    found = contents(
        HELLO,
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "1"},
    )
    assert found[1]["parts"] == [{"functionCall": {"name": "f", "args": {}}}]
    assert found[2]["parts"] == [answered({"result": "1"})]


@pytest.mark.parametrize(
    "messages",
    [
        [result()],
        [{"role": "function", "name": "f", "content": "1"}],
        [result("x", "")],
        [assistant({"id": "a", "type": "custom", "custom": {"name": "x", "input": ""}})],
        [assistant({"type": "function", "function": {"name": "f"}})],
        [assistant(asked(arguments="{"))],
        [assistant(asked(arguments="[1]"))],
        [{"role": "assistant", "tool_calls": {}}],
        [{"role": "assistant", "function_call": "f"}],
        [{"role": "assistant", "images": ["x"]}],
    ],
)
def test_calls_that_cannot_be_sent_are_refused(messages: list[Any]):
    """What Gemini needs is not made up."""
    assert str(refused(*messages).param).startswith("messages[0]")
