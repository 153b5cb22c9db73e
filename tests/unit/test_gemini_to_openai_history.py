"""Contents of the Gemini API as messages: who said what, and which result belongs to which call."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from content_streams import GEMINI_TO_CHAT, calls, messages, model, request, result, user

from dolphin_logger.errors import RequestError
from dolphin_logger.proxy.translate import TranslateOptions

PIXEL = "iVBORw0KGgo="


def called(*found: tuple[str, str, Any], content: str | None = None) -> dict[str, Any]:
    """Write the message of an assistant that makes calls: id, name, arguments."""
    entries = [
        {
            "id": id_,
            "type": "function",
            "function": {"name": name, "arguments": json.dumps(arguments)},
        }
        for id_, name, arguments in found
    ]
    return {"role": "assistant", "content": content, "tool_calls": entries}


def told(id_: str, content: str) -> dict[str, Any]:
    """Write the message of a tool."""
    return {"role": "tool", "tool_call_id": id_, "content": content}


def shown(*parts: Any, **inline: Any) -> Any:
    """Translate a content with one part of data; give the part that it became."""
    (message,) = messages(user(*parts, {"inlineData": inline}))
    return message["content"][-1]


def refused(*contents: Any, **fields: Any) -> RequestError:
    """Translate what cannot be translated."""
    with pytest.raises(RequestError) as caught:
        request(*contents, **fields)
    assert (caught.value.status, caught.value.kind) == (400, "untranslatable")
    return caught.value


# --- texts


def test_roles():
    """A content without a role is the user's; texts are one string, because some servers read no other."""
    found = messages(
        {"parts": [{"text": "a"}]},
        model("b", "c"),
        user("d", "e"),
        {"role": "", "parts": {"text": "f"}},
    )
    assert found == [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": "bc"},
        {"role": "user", "content": "d\n\ne"},
        {"role": "user", "content": "f"},
    ]


def test_system_instruction_is_a_system_message():
    """It comes first, its texts joined; one without text is none."""
    texts = {"parts": [{"text": "a"}, {"text": "b"}], "role": "user"}
    (system, _) = messages(systemInstruction=texts)
    assert system == {"role": "system", "content": "a\n\nb"}
    assert len(messages(systemInstruction={"parts": []})) == 1
    pixel = {"inlineData": {"mimeType": "image/png", "data": PIXEL}}
    error = refused(systemInstruction={"parts": [pixel]})
    assert error.param == "systemInstruction.parts[0]"


def test_pieces_of_one_turn_are_joined():
    """SDKs keep each streamed event as a content of its own."""
    found = messages(
        user("a"), model("b "), model("c"), model(calls("f", id="1")), model({"text": ""})
    )
    assert found[1:] == [called(("1", "f", {}), content="b c")]


def test_text_behind_a_call_moves_before_it():
    """The language has no order between text and calls."""
    translated = request(model("a", calls("f", id="1"), "b"))
    assert translated.body["messages"] == [called(("1", "f", {}), content="ab")]
    assert translated.changed == ["contents[].parts (text before calls)"]


def test_thoughts_and_seals_do_not_go_back():
    """They are Google's, or were shown to people; each kind is named once."""
    translated = request(
        model(
            {"text": "hm", "thought": True, "thoughtSignature": "c2ln"},
            {"text": "a", "thought": False, "thoughtSignature": "c2ln"},
            {**calls("f", id="1"), "thoughtSignature": "c2ln"},
            {"text": "", "thought_signature": "c2ln"},
        ),
        model({"executableCode": {"code": "1"}}, {"codeExecutionResult": {"output": "1"}}),
    )
    assert translated.body["messages"] == [called(("1", "f", {}), content="a")]
    assert translated.dropped == [
        "contents[].parts[] (thoughts)",
        "contents[].parts[].thoughtSignature",
        "contents[].parts[].executableCode",
        "contents[].parts[].codeExecutionResult",
    ]


def test_a_turn_without_anything_left_stays_a_turn():
    """Who spoke when stays visible."""
    found = messages(user("a"), model({"text": "hm", "thought": True}), user(), user({}))
    assert [(message["role"], message["content"]) for message in found] == [
        ("user", "a"),
        ("assistant", ""),
        ("user", ""),
        ("user", ""),
    ]


# --- calls and results


def test_calls_with_ids_keep_them():
    """Also ids that no other vendor would accept; results may come in another order."""
    found = messages(
        model(calls("f", {"a": 1}, id="x/1"), calls("f", {"a": 2}, id="2")),
        user(result("f", {"output": "two"}, id="2"), result("f", {"output": "one"}, id="x/1")),
    )
    assert found == [
        called(("x/1", "f", {"a": 1}), ("2", "f", {"a": 2})),
        told("2", "two"),
        told("x/1", "one"),
    ]


def test_calls_without_ids_get_the_same_ones_each_time():
    """Results find their calls by name and order; a longer history keeps its beginning."""
    turns = [
        model(calls("f", {"n": 1}), calls("g"), calls("f", {"n": 2})),
        {
            "role": "function",
            "parts": [result("f", {"output": "f1"}), result("f", {"output": "f2"})],
        },
        user(result("g", {"output": "g1"})),
        model(calls("f")),
        user(result("f", {"output": "f3"})),
    ]
    found = messages(*turns)
    assert found == [
        called(("call_0", "f", {"n": 1}), ("call_1", "g", {}), ("call_2", "f", {"n": 2})),
        told("call_0", "f1"),
        told("call_2", "f2"),
        told("call_1", "g1"),
        called(("call_3", "f", {})),
        told("call_3", "f3"),
    ]
    assert found[:3] == messages(*turns)[:3] == messages(*turns[:2])


def test_minted_ids_are_nobody_elses():
    """A server that counts in the same way has taken some of them."""
    found = messages(model(calls("f", id="call_1"), calls("g"), calls("h", id="call_0")))
    ids = [call["id"] for call in found[0]["tool_calls"]]
    assert ids == ["call_1", "call_2", "call_0"]


def test_result_with_an_id_that_its_call_lacks():
    """The call's id counts, which is minted then."""
    found = messages(model(calls("f"), calls("g")), user(result("g", {"output": "x"}, id="mine")))
    assert found[1] == told("call_1", "x")


def test_result_without_a_call():
    """With an id the provider may judge it; without one there is nothing to say."""
    assert messages(user(result("f", {"output": "x"}, id="lost"))) == [told("lost", "x")]
    once = [model(calls("f")), user(result("f", {}))]
    error = refused(*once, user(result("f", {})))
    assert error.param == "contents[2].parts[0].functionResponse"
    assert "'f'" in str(error)


def test_what_results_say():
    """`output` alone is the result itself; anything else stays the JSON that it is."""
    responses: list[Any] = [
        {"output": "text"},
        {"output": {"a": [1]}},
        {"error": "no"},
        {"output": "a", "error": "b"},
        {"result": "é"},
        {},
    ]
    found = messages(
        model(*(calls("f") for _ in responses)), user(*(result("f", r) for r in responses))
    )
    assert [message["content"] for message in found[1:]] == [
        "text",
        '{"a": [1]}',
        '{"error": "no"}',
        '{"output": "a", "error": "b"}',
        '{"result": "é"}',
        "{}",
    ]


def test_results_come_right_behind_their_calls():
    """Whatever a client puts between or before them moves behind."""
    image = {"inlineData": {"mimeType": "image/png", "data": PIXEL}}
    translated = request(
        model(calls("f", id="1"), calls("g", id="2")),
        user("look:", result("f", {"output": "a"}, id="1", parts=[image]), "there"),
        user(result("g", {"output": "b"}, id="2")),
    )
    call, first, second, said = translated.body["messages"]
    assert (call["role"], first, second) == ("assistant", told("1", "a"), told("2", "b"))
    assert [part["type"] for part in said["content"]] == ["text", "image_url", "text"]
    assert translated.changed == [
        "contents[].parts (results before text)",
        "contents[].parts[].functionResponse.parts (moved behind the results)",
    ]


def test_other_fields_of_calls_and_results():
    """They are named."""
    translated = request(
        model(calls("f", id="1", willContinue=False)),
        user({**result("f", {}, id="1", scheduling="SILENT"), "partMetadata": {"a": 1}}),
    )
    assert translated.dropped == [
        "contents[].parts[].functionCall.willContinue",
        "contents[].parts[].functionResponse.scheduling",
        "contents[].parts[].partMetadata",
    ]


def test_what_a_provider_said_beside_calls_comes_back():
    """Seals stand where the provider had put them, verbatim; a sealed thought in place of the plain one."""
    details = [{"type": "reasoning.encrypted", "data": "x", "index": 0}]
    seal = {"google": {"thought_signature": "c2ln"}}
    native = {
        "choices": [
            {
                "message": {
                    "role": "assistant",
                    "content": "a",
                    "reasoning_content": "hm",
                    "reasoning_details": details,
                    "tool_calls": [
                        {"id": "1", "type": "function", "extra_content": seal},
                        {"id": "2", "type": "function"},
                        {"type": "function", "extra_content": seal},
                        None,
                    ],
                }
            }
        ]
    }
    kept = GEMINI_TO_CHAT.kept(native)
    assert kept.keys() == {"1", "2"}
    body = {"contents": [user("x"), model("a", calls("f", id="1"), calls("g", id="2")), model()]}
    options = TranslateOptions(recall=json.loads(json.dumps(kept)).get)
    message = GEMINI_TO_CHAT.request(body, model="m", options=options).body["messages"][1]
    expected = called(("1", "f", {}), ("2", "g", {}), content="a")
    expected["tool_calls"][0]["extra_content"] = seal
    assert message == {**expected, "reasoning_details": details}
    del native["choices"][0]["message"]["reasoning_details"]
    options = TranslateOptions(recall=GEMINI_TO_CHAT.kept(native).get)
    message = GEMINI_TO_CHAT.request(body, model="m", options=options).body["messages"][1]
    assert message == {**expected, "reasoning_content": "hm"}


@pytest.mark.parametrize(
    "native",
    [
        {},
        {"choices": None},
        {"choices": [None]},
        {"choices": [{"message": None}]},
        {"choices": [{"message": {"tool_calls": 1}}]},
        {"choices": [{"message": {"reasoning_details": [1], "content": "a"}}]},
        {"choices": [{"message": {"tool_calls": [{"id": "1", "extra_content": None}]}}]},
    ],
)
def test_nothing_to_keep(native):
    """Without calls, or with nothing beside them."""
    assert GEMINI_TO_CHAT.kept(native) == {}


# --- media


def test_images():
    """Data becomes a data URL in the standard alphabet; a URL is passed on, never fetched."""
    assert shown("see", mimeType="image/png", data="-_8", display_name=None) == {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64,+/8="},
    }
    address = "https://example.org/a.png"
    (message,) = messages(user({"fileData": {"fileUri": address, "mimeType": "image/png"}}))
    assert message["content"] == [{"type": "image_url", "image_url": {"url": address}}]


@pytest.mark.parametrize(
    ("media_type", "format_"),
    [("audio/wav", "wav"), ("audio/x-wav", "wav"), ("audio/mpeg", "mp3"), ("audio/MP3", "mp3")],
)
def test_sound(media_type, format_):
    """The two formats that OpenAI names."""
    (message,) = messages(user({"inline_data": {"mime_type": media_type, "data": "YQ"}}))
    sound = {"data": "YQ==", "format": format_}
    assert message["content"] == [{"type": "input_audio", "input_audio": sound}]


def test_sound_of_other_formats():
    """The provider may judge them."""
    body = {"contents": [user({"inlineData": {"mimeType": "audio/flac", "data": "YQ=="}})]}
    translated = GEMINI_TO_CHAT.request(body, model="m", options=TranslateOptions()).body
    sound = translated["messages"][0]["content"][0]["input_audio"]
    assert sound == {"data": "YQ==", "format": "flac"}


def test_documents():
    """A PDF keeps its name, or gets one, because OpenAI wants it; text is text."""
    file = {"filename": "a.pdf", "file_data": "data:application/pdf;base64,YQ=="}
    pdf = {"mimeType": "application/pdf", "data": "YQ=="}
    assert shown(**pdf, displayName="a.pdf") == {"type": "file", "file": file}
    assert shown(**pdf)["file"]["filename"] == "document.pdf"
    data = base64.urlsafe_b64encode("größe".encode()).decode()
    text = {"inlineData": {"mimeType": "text/markdown; charset=utf-8", "data": data}}
    translated = request(user(text))
    assert translated.body["messages"] == [{"role": "user", "content": "größe"}]
    assert translated.changed == ["contents[].parts[].inlineData (text as text)"]


@pytest.mark.parametrize(
    "part",
    [
        {"inlineData": {"mimeType": "video/mp4", "data": "YQ=="}},
        {"inlineData": {"data": "YQ=="}},
        {"inlineData": {"mimeType": "image/png"}},
        {"inlineData": {"mimeType": "text/plain", "data": "/w=="}},
        {"inlineData": {"mimeType": "text/plain", "data": "!"}},
        {"fileData": {"mimeType": "image/png", "fileUri": "gs://bucket/a.png"}},
        {"fileData": {"mimeType": "video/mp4", "fileUri": "https://youtu.be/x"}},
        {"fileData": {"fileUri": "https://example.org/x"}},
        {"fileData": "x"},
        {"text": 7},
        {"fromTheFuture": 1},
        {"functionCall": {"name": "f"}},
        {"functionResponse": {"name": "f", "id": "1", "response": "text"}},
        {"functionResponse": {"name": "f", "id": "1", "parts": [{"text": "x"}]}},
        "text",
    ],
)
def test_parts_that_cannot_be_sent(part):
    """The refusal names the place."""
    assert refused({"role": "user", "parts": [part]}).param.startswith("contents[0].parts[0]")


@pytest.mark.parametrize(
    "part",
    [
        {"inlineData": {"mimeType": "image/png", "data": PIXEL}},
        {"functionResponse": {"name": "f"}},
        {"functionCall": {"args": {}}},
        {"functionCall": {"name": "f", "args": "{}"}},
    ],
)
def test_parts_that_a_model_cannot_have_sent(part):
    """An assistant's message has no place for them."""
    assert refused(model(part)).param.startswith("contents[0].parts[0]")


@pytest.mark.parametrize("contents", ["text", None, [1], [{"role": "system"}], [{"parts": "x"}]])
def test_contents_that_are_none(contents):
    """What is no content is the client's fault."""
    with pytest.raises(RequestError) as caught:
        GEMINI_TO_CHAT.request({"contents": contents}, model="m", options=TranslateOptions())
    assert caught.value.param.startswith("contents")


def test_bottomless_arguments_are_refused():
    """JSON too deep to be written again does not raise anything else."""
    deep: Any = {}
    for _ in range(3000):
        deep = {"a": deep}
    with pytest.raises(RequestError, match="too deeply"):
        GEMINI_TO_CHAT.request(
            {"contents": [model(calls("f", deep))]}, model="m", options=TranslateOptions()
        )
