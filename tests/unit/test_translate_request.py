"""Requests of chat completions in Anthropic's words: what is carried, changed, dropped, refused."""

from __future__ import annotations

import base64
import functools
import json
import threading
from collections.abc import Mapping
from copy import deepcopy
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import anthropic
import anthropic.types as native
import pytest
from anthropic.types.message_create_params import MessageCreateParamsStreaming
from pydantic import TypeAdapter
from translated_streams import CHAT_TO_MESSAGES, begin, end, text

from dolphin_logger.errors import RequestError
from dolphin_logger.proxy.translate import Translated, TranslateOptions

PIXEL = "iVBORw0KGgo="
HELLO = {"role": "user", "content": "hi"}
FUNCTION = {"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}
CALL = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
USE = {"type": "tool_use", "id": "c1", "name": "f", "input": {"a": 1}}

# --- the SDK's request types as oracle; its signatures lack what only the older version takes

_OLDER_KEYS = {"temperature", "top_p", "top_k"}
_BLOCKS: dict[str, Any] = {
    "text": native.TextBlockParam,
    "image": native.ImageBlockParam,
    "document": native.DocumentBlockParam,
    "thinking": native.ThinkingBlockParam,
    "redacted_thinking": native.RedactedThinkingBlockParam,
    "tool_use": native.ToolUseBlockParam,
    "tool_result": native.ToolResultBlockParam,
    "search_result": native.SearchResultBlockParam,
}


_adapter = functools.cache(TypeAdapter)


def _assert_type(value: Mapping[str, Any], type_: Any) -> None:
    _adapter(type_).validate_python(value)
    assert value.keys() <= type_.__annotations__.keys()


def _assert_blocks(content: Any, *, allowed: set[str]) -> None:
    if isinstance(content, str):
        return
    for block in content:
        assert block["type"] in allowed
        _assert_type(block, _BLOCKS[block["type"]])
        if block["type"] == "tool_result":
            _assert_blocks(block["content"], allowed={"text", "image", "document"})


def assert_accepted(body: dict[str, Any]) -> None:
    """Hold a translated request against the SDK's types, block by block (they validate lazily)."""
    ours = {key: value for key, value in body.items() if key not in _OLDER_KEYS}
    _assert_type(ours, MessageCreateParamsStreaming)
    for message in body["messages"]:
        assert message.keys() == {"role", "content"}
        allowed = {
            "user": {"text", "image", "document", "tool_result", "search_result"},
            "assistant": {"text", "thinking", "redacted_thinking", "tool_use"},
            "system": {"text"},
        }[message["role"]]
        _assert_blocks(message["content"], allowed=allowed)
    _assert_blocks(body.get("system", []), allowed={"text"})
    for tool in body.get("tools", ()):
        if "input_schema" in tool:
            _assert_type(tool, native.ToolParam)
    if "output_config" in body:
        _assert_type(body["output_config"], native.OutputConfigParam)
    assert body["stream"] is True
    json.dumps(body)


def translated(
    *messages: dict[str, Any], model: str = "claude-sonnet-4-6", options: Any = None, **keys: Any
) -> Translated:
    """Translate a request; it stays as it is, and the SDK accepts the result."""
    body = {"model": "alias", "messages": list(messages) or [HELLO], **keys}
    before = deepcopy(body)
    result = CHAT_TO_MESSAGES.request(body, model=model, options=options or TranslateOptions())
    assert body == before
    assert_accepted(result.body)
    return result


def messages_of(*messages: dict[str, Any], **keys: Any) -> list[dict[str, Any]]:
    """Translate a history that nothing may be lost of."""
    result = translated(*messages, **keys)
    assert (result.dropped, result.changed) == ([], [])
    return list(result.body["messages"])


def blocks_of(*parts: dict[str, Any]) -> list[dict[str, Any]]:
    """Translate the parts of one user message."""
    (message,) = messages_of({"role": "user", "content": list(parts)})
    return list(message["content"])


def refused(*messages: Any, **keys: Any) -> RequestError:
    """Translate what has to be refused."""
    body = {"model": "alias", "messages": list(messages) or [HELLO], **keys}
    with pytest.raises(RequestError) as caught:
        CHAT_TO_MESSAGES.request(body, model="claude-sonnet-4-6", options=TranslateOptions())
    assert (caught.value.status, caught.value.kind) == (400, "untranslatable")
    return caught.value


# --- the whole


def test_smallest_request():
    """A model, a limit, the messages and a stream: nothing else is invented, thinking least of all."""
    result = translated()
    assert result.body == {
        "model": "claude-sonnet-4-6",
        "max_tokens": 8192,
        "messages": [HELLO],
        "stream": True,
    }
    assert (result.dropped, result.changed) == ([], [])


def test_null_is_the_same_as_leaving_a_key_out():
    """SDKs send null for what was not given."""
    nothing = translated(
        temperature=None, n=None, tools=None, tool_choice=None, stop=None, seed=None, audio=None
    )
    assert nothing == translated()


def test_always_streams_upstream():
    """The provider is asked for a stream, also when the client wants none."""
    for asked in (True, False, None):
        assert translated(stream=asked).body["stream"] is True


def test_history_that_the_provider_refuses_passes():
    """No message is invented: an empty history, or one that begins with an answer, goes out as it is."""
    assert messages_of(*[], messages=[]) == []
    prefill = {"role": "assistant", "content": "{"}
    assert messages_of(prefill, HELLO)[0]["content"] == [{"type": "text", "text": "{"}]


def test_real_client_sends_it():
    """Anthropic's SDK puts a translated request on the wire unchanged."""
    seen: list[bytes] = []

    class Server(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            seen.append(self.rfile.read(int(self.headers["content-length"])))
            body = begin() + text(0, "ok") + end()
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: object) -> None:
            pass

    body = translated(
        {"role": "system", "content": "be brief"},
        HELLO,
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "tool_call_id": "c1", "content": "4"},
        tools=[FUNCTION],
        temperature=0.5,
        stop=["END"],
    ).body
    with HTTPServer(("127.0.0.1", 0), Server) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        base = f"http://127.0.0.1:{server.server_port}"
        with anthropic.Anthropic(api_key="k", base_url=base, max_retries=0) as client:
            older = {key: body[key] for key in body.keys() & _OLDER_KEYS}
            known = {key: body[key] for key in body.keys() - _OLDER_KEYS}
            events = list(client.messages.create(**known, extra_body=older))
    assert json.loads(seen[0]) == body
    assert events[-1].type == "message_stop"


# --- system prompts


def test_leading_system_and_developer_messages_become_blocks():
    """Each leading prompt is a block, in order, with its cache mark; strings and lists mix."""
    cached = {"type": "text", "text": "two", "cache_control": {"type": "ephemeral"}}
    result = translated(
        {"role": "system", "content": "one"}, {"role": "developer", "content": [cached]}, HELLO
    )
    assert result.body["system"] == [{"type": "text", "text": "one"}, cached]
    assert result.body["messages"] == [HELLO]
    assert (result.dropped, result.changed) == ([], [])


def test_later_system_messages_are_joined_at_the_end_of_the_prompt():
    """Prompts from the middle move to the front, joined by a line feed, and that is noted."""
    result = translated(
        {"role": "system", "content": "one"},
        HELLO,
        {"role": "system", "content": "two"},
        HELLO,
        {"role": "developer", "content": "three"},
    )
    assert [block["text"] for block in result.body["system"]] == ["one", "two\nthree"]
    assert result.body["messages"] == [HELLO, HELLO]
    assert result.changed == ["messages[].role (system, from the middle to the front)"]


def test_later_system_message_stays_where_the_model_takes_it():
    """With the option it stays in its place."""
    result = translated(
        HELLO,
        {"role": "developer", "content": "two"},
        options=TranslateOptions(system_in_place=True),
    )
    assert result.body["messages"][1] == {
        "role": "system",
        "content": [{"type": "text", "text": "two"}],
    }
    assert "system" not in result.body
    assert result.changed == []


def test_later_system_message_with_a_cache_mark_keeps_its_block():
    """A mark stands at the end of one block: nothing is joined to it."""
    mark = {"type": "ephemeral"}
    system = translated(
        HELLO,
        {"role": "system", "content": "a"},
        {"role": "system", "content": "b", "cache_control": mark},
        {"role": "system", "content": "c"},
    ).body["system"]
    assert [block["text"] for block in system] == ["a", "b", "c"]
    assert [block.get("cache_control") for block in system] == [None, mark, None]


# --- user content


def test_text_parts_become_blocks_and_empty_ones_vanish():
    """An empty block is refused by the provider, and says nothing."""
    assert blocks_of({"type": "text", "text": "a"}, {"type": "text", "text": ""}) == [
        {"type": "text", "text": "a"}
    ]


def test_white_space_is_left_out_and_noted():
    """A block of white space is refused by the provider; alone it passes, for its own refusal."""
    blank = {"type": "text", "text": " \n"}
    result = translated({"role": "user", "content": [blank, {"type": "text", "text": "a"}]})
    assert result.body["messages"][0]["content"] == [{"type": "text", "text": "a"}]
    assert result.dropped == ["messages[].content (white space)"]
    assert blocks_of(blank) == [blank]


@pytest.mark.parametrize(
    ("url", "media_type"),
    [
        (f"data:image/png;base64,{PIXEL}", "image/png"),
        (f"data:image/webp;charset=utf-8;base64,{PIXEL}", "image/webp"),
        (f"data:image/jpeg;name=a.jpg;charset=x;base64,{PIXEL}", "image/jpeg"),
        (f"DATA:image/JPG;base64,{PIXEL}", "image/jpeg"),
        ("data:image/gif,%89PNG%0D%0A%1A%0A", "image/gif"),
    ],
)
def test_image_in_a_data_url(url, media_type):
    """The media type is read without the parameters around it."""
    source = {"type": "base64", "media_type": media_type, "data": PIXEL}
    expected = [{"type": "image", "source": source}]
    assert blocks_of({"type": "image_url", "image_url": {"url": url}}) == expected
    assert blocks_of({"type": "image_url", "image_url": url}) == expected


def test_image_at_an_address_is_not_fetched():
    """The address passes; `detail` has no counterpart, `auto` says nothing."""
    image = {"url": "https://a.example/b.png", "detail": "auto"}
    source = {"type": "url", "url": "https://a.example/b.png"}
    assert blocks_of({"type": "image_url", "image_url": image}) == [
        {"type": "image", "source": source}
    ]
    part = {"type": "image_url", "image_url": {**image, "detail": "low"}}
    result = translated({"role": "user", "content": [part]})
    assert result.dropped == ["messages[].content[].image_url.detail"]


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "", "data:image/png", "data:audio/wav,abc", 7]
)
def test_image_elsewhere_is_refused(url):
    """Only data: and http(s), only types that the provider reads."""
    error = refused({"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]})
    assert error.param == "messages[0].content[0].image_url.url"


def test_pdf_becomes_a_document_with_its_name():
    """A file in a data URL is a document; its name is the title."""
    file = {"file_data": "data:application/pdf;base64,JVBERi0=", "filename": "a.pdf"}
    assert blocks_of({"type": "file", "file": file}) == [
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": "JVBERi0="},
            "title": "a.pdf",
        }
    ]


@pytest.mark.parametrize(
    "url",
    [
        f"data:text/markdown;charset=utf-8;base64,{base64.b64encode('é'.encode()).decode()}",
        f"data:text/plain;charset=latin-1;base64,{base64.b64encode('é'.encode('latin-1')).decode()}",
        "data:text/csv,%C3%A9",
        "data:,%C3%A9",
    ],
)
def test_text_file_becomes_a_text_document(url):
    """Texts are decoded by their charset."""
    source = {"type": "text", "media_type": "text/plain", "data": "é"}
    assert blocks_of({"type": "file", "file": {"file_data": url}}) == [
        {"type": "document", "source": source}
    ]


def test_file_by_id_only_where_the_provider_knows_it():
    """Anthropic's ids pass, OpenAI's are refused with the cure."""
    assert blocks_of({"type": "file", "file": {"file_id": "file_011"}}) == [
        {"type": "document", "source": {"type": "file", "file_id": "file_011"}}
    ]
    error = refused({"role": "user", "content": [{"type": "file", "file": {"file_id": "file-1"}}]})
    assert error.param == "messages[0].content[0].file.file_id"
    assert "file_data" in str(error)


@pytest.mark.parametrize(
    "file",
    [
        {"file_data": "JVBERi0=", "filename": "a.pdf"},
        {"file_data": "data:application/zip;base64,UEs="},
        {"file_data": "data:text/plain;base64,/w=="},
        {"file_data": "data:text/plain;charset=klingon;base64,/w=="},
        {},
        None,
    ],
)
def test_file_that_cannot_be_read_is_refused(file):
    """Neither raw base64 nor unknown types are guessed at."""
    assert refused({"role": "user", "content": [{"type": "file", "file": file}]}).param


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
        {"type": "video_url", "video_url": {"url": "https://a.example"}},
        {"type": ["text"]},
        {"type": "text", "text": None},
        "text",
    ],
)
def test_other_parts_are_refused(part):
    """Audio above all: stripped in silence, it would be missing from the record's meaning."""
    error = refused({"role": "user", "content": [{"type": "text", "text": "a"}, part]})
    assert error.param.startswith("messages[0].content[1]")


def test_native_parts_and_cache_marks_pass():
    """Who writes Anthropic's blocks, or marks what to cache, gets them there."""
    mark = {"type": "ephemeral", "ttl": "1h"}
    document = {"type": "document", "source": {"type": "url", "url": "https://a.example/b.pdf"}}
    marked = {"type": "text", "text": "a", "cache_control": mark}
    assert blocks_of(document, marked) == [document, marked]
    parts = [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]
    (whole,) = messages_of({"role": "user", "content": parts, "cache_control": mark})
    assert whole["content"] == [parts[0], {**parts[1], "cache_control": mark}]
    message = {"role": "user", "content": "hi", "cache_control": mark}
    assert messages_of(message)[0]["content"] == [
        {"type": "text", "text": "hi", "cache_control": mark}
    ]


def test_what_parts_and_messages_say_beside_is_noted():
    """Names, cache breakpoints of OpenAI and unknown keys are left out by name, once."""
    part = {"type": "text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}
    message = {"role": "user", "name": "ann", "content": [part, part]}
    assert translated(message, message).dropped == [
        "messages[].name",
        "messages[].content[].prompt_cache_breakpoint",
    ]


@pytest.mark.parametrize(
    "message", [{"role": "critic", "content": ""}, {"content": "a"}, "hi", {"role": []}]
)
def test_unknown_role_is_refused(message):
    """What nobody said cannot be sent."""
    assert refused(HELLO, message).param == "messages[1]"


def test_users_in_a_row_stay_apart():
    """The provider merges them by itself."""
    assert messages_of(HELLO, HELLO) == [HELLO, HELLO]


# --- assistants


def test_answer_and_calls_in_the_order_of_the_provider():
    """Thoughts first, then text, then calls with parsed arguments."""
    thought = {"index": 0, "type": "thinking", "thinking": "hm", "signature": "c2ln"}
    sealed = {"index": 1, "type": "redacted_thinking", "data": "eA=="}
    (message,) = messages_of(
        {
            "role": "assistant",
            "content": "yes",
            "refusal": None,
            "reasoning_content": "hm",
            "thinking_blocks": [thought, sealed],
            "tool_calls": [CALL],
        }
    )
    assert message["content"] == [
        {"type": "thinking", "thinking": "hm", "signature": "c2ln"},
        {"type": "redacted_thinking", "data": "eA=="},
        {"type": "text", "text": "yes"},
        USE,
    ]


@pytest.mark.parametrize("arguments", ["", "{}", " ", None])
def test_no_arguments_are_an_empty_object(arguments):
    """Calls without arguments are written in several ways."""
    call = {"id": "c1", "type": "function", "function": {"name": "f", "arguments": arguments}}
    (message,) = messages_of({"role": "assistant", "content": "", "tool_calls": [call]})
    assert message["content"] == [{**USE, "input": {}}]


@pytest.mark.parametrize("arguments", ['{"a":', "[1]", "3", "null", '{"a": NaN}', "[" * 10**5, 3])
def test_arguments_that_are_no_object_are_refused_by_call(arguments):
    """To wrap them would put words into the model's mouth; the refusal names the call."""
    call = {"id": "c7", "type": "function", "function": {"name": "f", "arguments": arguments}}
    error = refused(HELLO, {"role": "assistant", "content": None, "tool_calls": [CALL, call]})
    assert error.param == "messages[1].tool_calls[1].function.arguments"
    assert "'c7'" in str(error)


def test_large_integers_in_arguments_stay_exact():
    """Arguments are read exactly, beyond 64 bits."""
    call = {"id": "c1", "function": {"name": "f", "arguments": '{"a": 123456789012345678901}'}}
    (message,) = messages_of({"role": "assistant", "tool_calls": [call]})
    assert message["content"][0]["input"] == {"a": 123456789012345678901}


@pytest.mark.parametrize(
    "call",
    [
        {"id": "c1", "type": "custom", "custom": {"name": "f", "input": "x"}},
        {"type": "function", "function": {"name": "f", "arguments": ""}},
        {"id": "c1", "type": "function", "function": {"arguments": ""}},
        "f()",
    ],
)
def test_calls_of_another_form_are_refused(call):
    """Custom tools have no counterpart; a call needs its id and name."""
    error = refused({"role": "assistant", "content": None, "tool_calls": [call]})
    assert error.param == "messages[0].tool_calls[0]"


def test_thoughts_without_a_signature_are_left_out_and_noted():
    """The provider refuses a blank signature, and accepts that a thought is missing."""
    blank = {"index": 0, "type": "thinking", "thinking": "hm", "signature": ""}
    result = translated({"role": "assistant", "content": "a", "thinking_blocks": [blank, "x"]})
    assert result.body["messages"][0]["content"] == [{"type": "text", "text": "a"}]
    assert result.dropped == ["messages[].thinking_blocks[]"]
    alone = translated({"role": "assistant", "content": "a", "reasoning_content": "hm"})
    assert alone.dropped == ["messages[].reasoning_content"]


def test_refusals_and_transcripts_are_text():
    """A refusal is what the model said, and so is the transcript of its voice."""
    (message,) = messages_of({"role": "assistant", "content": None, "refusal": "no"})
    assert message["content"] == [{"type": "text", "text": "no"}]
    (message,) = messages_of(
        {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}
    )
    assert message["content"] == [{"type": "text", "text": "no"}]
    spoken = translated(
        {"role": "assistant", "content": None, "audio": {"id": "a", "transcript": "hi"}}
    )
    assert spoken.body["messages"][0]["content"] == [{"type": "text", "text": "hi"}]
    assert spoken.dropped == ["messages[].audio"]


def test_images_of_assistants_are_refused():
    """The provider takes neither images nor documents from an assistant."""
    part = {"type": "image_url", "image_url": {"url": "https://a.example"}}
    error = refused({"role": "assistant", "content": [part]})
    assert error.param == "messages[0].content[0]"


def test_white_space_beside_a_call_is_left_out():
    """Models say a line feed before a call; sent back alone it would be refused."""
    result = translated({"role": "assistant", "content": "\n\n", "tool_calls": [CALL]})
    assert result.body["messages"][0]["content"] == [USE]
    assert result.dropped == ["messages[].content (white space)"]


# --- results of tools


def result_block(call_id: str, content: Any = "4") -> dict[str, Any]:
    """Write a result in Anthropic's words."""
    return {"type": "tool_result", "tool_use_id": call_id, "content": content}


CALLS = {
    "role": "assistant",
    "content": None,
    "tool_calls": [CALL, {**CALL, "id": "c2"}],
}
RESULTS = [{"role": "tool", "tool_call_id": name, "content": "4"} for name in ("c1", "c2")]


def test_results_and_the_text_after_them_are_one_user_message():
    """A run of results is one message, results first, then what the user says."""
    messages = messages_of(CALLS, *RESULTS, HELLO, HELLO)
    assert messages[1]["content"] == [
        result_block("c1"),
        result_block("c2"),
        {"type": "text", "text": "hi"},
    ]
    assert messages[2:] == [HELLO]


def test_results_move_before_text_that_came_between():
    """Right after the calls and before any text: elsewhere the provider refuses them."""
    result = translated(CALLS, RESULTS[0], HELLO, RESULTS[1])
    assert [block["type"] for block in result.body["messages"][1]["content"]] == [
        "tool_result",
        "tool_result",
        "text",
    ]
    assert result.changed == ["messages[].tool_call_id (results before text)"]
    late = translated(CALLS, HELLO, HELLO, *RESULTS)
    first, second = late.body["messages"][1:]
    assert first["content"] == [*map(result_block, ("c1", "c2")), {"type": "text", "text": "hi"}]
    assert second == HELLO


def test_results_across_a_moved_system_message_stay_together():
    """A system message that moves to the front leaves no gap."""
    result = translated(CALLS, RESULTS[0], {"role": "system", "content": "s"}, RESULTS[1])
    assert len(result.body["messages"]) == 2
    assert len(result.body["messages"][1]["content"]) == 2


def test_result_of_parts():
    """Results may hold text and images; Anthropic's mark of an error passes."""
    image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}}
    message = {
        "role": "tool",
        "tool_call_id": "c1",
        "content": [{"type": "text", "text": "see"}, image],
        "is_error": True,
    }
    (block,) = messages_of(CALLS, message)[1]["content"]
    assert [part["type"] for part in block["content"]] == ["text", "image"]
    assert block["is_error"] is True


def test_missing_results_are_the_providers_business():
    """Calls without results go out as they are."""
    assert len(messages_of(CALLS, RESULTS[0])[1]["content"]) == 1


def test_result_without_a_call_id_is_refused():
    """Nobody can guess which call it answers."""
    assert refused({"role": "tool", "content": "4"}).param == "messages[0].tool_call_id"


def test_older_function_calls_get_an_id():
    """The older form has no ids: each call gets one, and its result finds it by name."""
    call = {"name": "f", "arguments": '{"a": 1}'}
    history = (
        HELLO,
        {"role": "assistant", "content": None, "function_call": call},
        {"role": "function", "name": "f", "content": "4"},
        {"role": "assistant", "content": None, "function_call": call},
        {"role": "function", "name": "f", "content": "5"},
    )
    messages = messages_of(*history)
    assert messages[1]["content"] == [{**USE, "id": "function_call_1"}]
    assert messages[2]["content"] == [result_block("function_call_1")]
    assert messages[4]["content"] == [result_block("function_call_3", "5")]
    assert messages_of(*history, HELLO)[1:4] == messages[1:4]
    assert refused({"role": "function", "name": "g", "content": "4"}).param == "messages[0].name"


# --- tools


def test_function_tools():
    """Name, description, schema, strictness and cache mark; without parameters an empty object."""
    mark = {"type": "ephemeral"}
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    tools = [
        {
            "type": "function",
            "function": {"name": "f", "description": "d", "parameters": schema, "strict": True},
            "cache_control": mark,
        },
        {"type": "function", "function": {"name": "g"}},
    ]
    assert translated(tools=tools).body["tools"] == [
        {
            "name": "f",
            "description": "d",
            "input_schema": schema,
            "strict": True,
            "cache_control": mark,
        },
        {"name": "g", "input_schema": {"type": "object", "properties": {}}},
    ]


def test_schema_without_a_type_gets_one():
    """The provider demands `type: object`; that it was added is noted."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"properties": {}}}}
    result = translated(tools=[tool])
    assert result.body["tools"][0]["input_schema"] == {"type": "object", "properties": {}}
    assert result.changed == ["tools[].function.parameters (type: object)"]


@pytest.mark.parametrize(
    "tool",
    [
        {"type": "custom", "custom": {"name": "f"}},
        {"type": "web_search"},
        {"type": "function", "function": {}},
        "f",
    ],
)
def test_other_tools_are_refused(tool):
    """Without its tool the model would answer differently."""
    assert refused(tools=[FUNCTION, tool]).param.startswith("tools[1]")


def test_native_tools_pass():
    """Who asks for a tool of Anthropic's, gets it."""
    tools = [
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2},
        {"name": "f", "input_schema": {"type": "object"}},
    ]
    assert translated(tools=tools).body["tools"] == tools


def test_older_functions_become_tools():
    """The older form is translated; that the answer uses the current one is noted."""
    result = translated(functions=[{"name": "f"}], function_call={"name": "f"})
    assert result.body["tools"][0]["name"] == "f"
    assert result.body["tool_choice"] == {"type": "tool", "name": "f"}
    assert result.changed == ["functions (called as tools)"]


@pytest.mark.parametrize(
    ("choice", "expected"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        ({"type": "function", "function": {"name": "f"}}, {"type": "tool", "name": "f"}),
    ],
)
def test_tool_choice(choice, expected):
    """Four ways to choose; parallel calls are a part of the choice, but not of `none`."""
    assert translated(tools=[FUNCTION], tool_choice=choice).body["tool_choice"] == expected
    one = translated(tools=[FUNCTION], tool_choice=choice, parallel_tool_calls=False)
    if expected["type"] != "none":
        expected = {**expected, "disable_parallel_tool_use": True}
    assert one.body["tool_choice"] == expected


def test_one_call_at_a_time_needs_a_choice():
    """Without a choice it is `auto`; without tools there is nothing to choose, and that is noted."""
    assert translated(tools=[FUNCTION], parallel_tool_calls=False).body["tool_choice"] == {
        "type": "auto",
        "disable_parallel_tool_use": True,
    }
    assert "tool_choice" not in translated(tools=[FUNCTION], parallel_tool_calls=True).body
    without = translated(parallel_tool_calls=False)
    assert "tool_choice" not in without.body
    assert without.dropped == ["parallel_tool_calls"]


@pytest.mark.parametrize(
    "choice",
    [
        {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}},
        {"type": "custom", "custom": {"name": "f"}},
        "any",
        7,
    ],
)
def test_other_choices_are_refused(choice):
    """A choice among some tools has no counterpart."""
    assert refused(tools=[FUNCTION], tool_choice=choice).param == "tool_choice"


# --- limits and sampling


def test_limits():
    """The newer key counts, the older one is noted if it says something else; then the option."""
    assert translated(max_completion_tokens=5).body["max_tokens"] == 5
    assert translated(max_tokens=6).body["max_tokens"] == 6
    both = translated(max_completion_tokens=5, max_tokens=6)
    assert (both.body["max_tokens"], both.dropped) == (5, ["max_tokens"])
    assert translated(options=TranslateOptions(max_tokens=7)).body["max_tokens"] == 7
    assert refused(max_tokens="8").param == "max_tokens"
    assert refused(max_completion_tokens=True).param == "max_completion_tokens"


@pytest.mark.parametrize(("given", "sent"), [(0, 0), (0.3, 0.3), (1, 1), (1.7, 1), (-1, 0)])
def test_temperature_is_cut_to_the_limits(given, sent):
    """Beyond 1 there is nothing hotter; that it was cut is noted."""
    result = translated(temperature=given)
    assert result.body["temperature"] == sent
    assert result.changed == ([] if given == sent else ["temperature"])


@pytest.mark.parametrize(
    ("temperature", "top_p", "sent", "dropped"),
    [
        (None, 0.9, {"top_p": 0.9}, []),
        (0.2, 0.9, {"temperature": 0.2}, ["top_p"]),
        (0.2, 1, {"temperature": 0.2}, []),
        (1, 0.9, {"top_p": 0.9}, []),
    ],
)
def test_temperature_before_top_p(temperature, top_p, sent, dropped):
    """Newer models take one of both: the temperature, unless it says nothing."""
    result = translated(temperature=temperature, top_p=top_p)
    assert {key: result.body[key] for key in _OLDER_KEYS & result.body.keys()} == sent
    assert result.dropped == dropped
    assert refused(temperature="hot").param == "temperature"


def test_stops():
    """A string or a list; white space is refused by the provider, and noted."""
    assert translated(stop="END").body["stop_sequences"] == ["END"]
    result = translated(stop=["a", "\n", " b"])
    assert result.body["stop_sequences"] == ["a", " b"]
    assert result.dropped == ["stop[] (white space)"]
    assert "stop_sequences" not in translated(stop=["\n"]).body
    assert refused(stop=7).param == "stop"


def test_several_answers_are_refused():
    """One request, one answer."""
    assert translated(n=1).dropped == []
    assert refused(n=2).param == "n"


# --- formats


def test_json_schema():
    """A schema goes out as it is; its name has no place there."""
    schema = {"type": "object", "properties": {}}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema, "strict": True}}
    result = translated(response_format=wanted)
    assert result.body["output_config"] == {"format": {"type": "json_schema", "schema": schema}}
    assert result.dropped == ["response_format.json_schema.name"]
    loose = {"type": "json_schema", "json_schema": {"schema": schema, "strict": False}}
    assert translated(response_format=loose).changed == ["response_format.json_schema.strict"]


def test_json_object_is_dropped_and_no_prompt_is_added():
    """No counterpart; a sentence of ours in the prompt would enter every dataset."""
    result = translated(response_format={"type": "json_object"})
    assert result.dropped == ["response_format"]
    assert result.body == translated().body
    assert translated(response_format={"type": "text"}) == translated()


@pytest.mark.parametrize(
    "wanted",
    [{"type": "json_schema"}, {"type": "grammar"}, {"type": "json_schema", "json_schema": {}}],
)
def test_other_formats_are_refused(wanted):
    """A format that cannot be kept must not be promised."""
    assert refused(response_format=wanted).param == "response_format"


# --- effort


@pytest.mark.parametrize(
    "model",
    [
        "claude-opus-4-6",
        "claude-sonnet-4-6",
        "claude-opus-4.7",
        "claude-sonnet-5",
        "claude-haiku-5-5",
        "claude-fable-5-2",
        "claude-mythos-preview",
        "anthropic/claude-opus-4.8",
    ],
)
@pytest.mark.parametrize("effort", ["minimal", "low", "medium", "high", "xhigh", "max"])
def test_effort_of_newer_models(model, effort):
    """From 4.6 on the model decides by itself, guided by the effort."""
    result = translated(model=model, reasoning_effort=effort)
    assert result.body["thinking"] == {"type": "adaptive"}
    sent = "low" if effort == "minimal" else effort
    assert result.body["output_config"] == {"effort": sent}
    assert result.changed == ([] if sent == effort else ["reasoning_effort"])
    assert result.body["max_tokens"] == 8192


@pytest.mark.parametrize(
    "model",
    [
        "claude-3-7-sonnet-20250219",
        "claude-sonnet-4-20250514",
        "claude-opus-4-0",
        "claude-opus-4-1-20250805",
        "claude-haiku-4-5",
        "us.anthropic.claude-sonnet-4-5-20250929-v1:0",
    ],
)
@pytest.mark.parametrize(
    ("effort", "budget", "limit"),
    [
        ("minimal", 1024, 9216),
        ("low", 2048, 10240),
        ("medium", 8192, 16384),
        ("high", 24576, 32000),
        ("xhigh", 30976, 32000),
    ],
)
def test_effort_of_older_models(model, effort, budget, limit):
    """Up to 4.5 there is a budget, below the limit, which grows when the client gave none."""
    result = translated(model=model, reasoning_effort=effort)
    assert result.body["thinking"] == {"type": "enabled", "budget_tokens": budget}
    assert result.body["max_tokens"] == limit
    assert "output_config" not in result.body
    assert result.changed == (["reasoning_effort"] if effort == "xhigh" else [])


def test_budget_fits_below_the_clients_limit():
    """The client's limit stays; a budget that leaves no answer is none, and noted."""
    result = translated(model="claude-haiku-4-5", reasoning_effort="high", max_tokens=4096)
    assert result.body["thinking"]["budget_tokens"] == 3072
    assert (result.body["max_tokens"], result.changed) == (4096, ["reasoning_effort"])
    small = translated(model="claude-haiku-4-5", reasoning_effort="low", max_tokens=2000)
    assert "thinking" not in small.body
    assert small.dropped == ["reasoning_effort"]


def test_models_before_thinking():
    """Claude 3.5 cannot think; that the effort was left out is noted."""
    result = translated(model="claude-3-5-haiku-20241022", reasoning_effort="high")
    assert "thinking" not in result.body
    assert result.dropped == ["reasoning_effort"]


def test_no_effort_is_said_and_absence_is_not():
    """`none` turns thinking off; no key leaves the provider's default."""
    for model in ("claude-haiku-4-5", "claude-sonnet-5"):
        body = translated(model=model, reasoning_effort="none", temperature=0.2).body
        assert body["thinking"] == {"type": "disabled"}
        assert body["temperature"] == 0.2
        assert "thinking" not in translated(model=model).body
    assert refused(reasoning_effort="enormous").param == "reasoning_effort"


def test_thinking_takes_precedence_over_sampling():
    """While a model thinks the provider refuses a temperature; what was left out is noted."""
    result = translated(reasoning_effort="low", temperature=0.2)
    assert "temperature" not in result.body
    assert result.dropped == ["temperature"]
    assert translated(reasoning_effort="low", temperature=1).body["temperature"] == 1
    assert translated(reasoning_effort="low", top_p=0.5).dropped == ["top_p"]
    assert translated(reasoning_effort="low", top_p=0.97).body["top_p"] == 0.97


@pytest.mark.parametrize("choice", ["required", {"type": "function", "function": {"name": "f"}}])
def test_forced_tools_take_precedence_over_thinking(choice):
    """A forced call cannot be thought about: the effort stays where it is separate."""
    keys: dict[str, Any] = {"tools": [FUNCTION], "tool_choice": choice, "reasoning_effort": "low"}
    newer = translated(model="claude-sonnet-4-6", **keys)
    assert "thinking" not in newer.body
    assert newer.body["output_config"] == {"effort": "low"}
    assert newer.changed == ["reasoning_effort"]
    older = translated(model="claude-haiku-4-5", **keys)
    assert "thinking" not in older.body
    assert older.dropped == ["reasoning_effort"]


def test_anthropics_own_words_for_thinking_win():
    """Who speaks both gets Anthropic's, and the other is noted."""
    native_thinking = {"type": "enabled", "budget_tokens": 2000}
    result = translated(thinking=native_thinking, reasoning_effort="high")
    assert result.body["thinking"] == native_thinking
    assert result.dropped == ["reasoning_effort"]
    result = translated(output_config={"effort": "max"}, reasoning_effort="low")
    assert result.body["output_config"] == {"effort": "max"}
    assert "thinking" not in result.body
    assert result.dropped == ["reasoning_effort"]


# --- the rest


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("verbosity", "low"),
        ("seed", 0),
        ("logit_bias", {"1": 2}),
        ("frequency_penalty", 0.5),
        ("presence_penalty", -1),
        ("logprobs", True),
        ("top_logprobs", 3),
        ("prediction", {"type": "content", "content": "x"}),
        ("store", True),
        ("service_tier", "flex"),
        ("metadata", {"a": "b"}),
        ("prompt_cache_key", "k"),
        ("prompt_cache_options", {"mode": "explicit"}),
        ("prompt_cache_retention", "24h"),
        ("moderation", {"model": "m"}),
        ("user", "ann"),
        ("safety_identifier", "a1"),
        ("min_p", 0.1),
        ("extra_body", {"a": 1}),
        ("api_base", "https://evil.example"),
    ],
)
def test_dropped_and_noted(key, value):
    """What has no counterpart is left out by name, also what nobody here has heard of."""
    result = translated(**{key: value})
    assert result.body == translated().body
    assert result.dropped == [key]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("logprobs", False),
        ("frequency_penalty", 0),
        ("presence_penalty", 0.0),
        ("store", False),
        ("modalities", ["text"]),
        ("logit_bias", {}),
        ("service_tier", "auto"),
        ("stream_options", {"include_usage": True, "include_obfuscation": False}),
    ],
)
def test_what_says_nothing_is_not_noted(key, value):
    """A default that was sent is no loss."""
    assert translated(**{key: value}) == translated()


def test_stream_options_that_ask_for_more():
    """Only the token counts are ours to give."""
    options = {"include_usage": True, "include_obfuscation": True}
    assert translated(stream_options=options).dropped == ["stream_options.include_obfuscation"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("modalities", ["text", "audio"]),
        ("audio", {"voice": "alloy", "format": "mp3"}),
        ("web_search_options", {}),
        ("messages", "hi"),
        ("tools", {}),
        ("functions", "f"),
    ],
)
def test_refused(key, value):
    """What would change the answer beyond recognition is refused by name."""
    assert refused(**{key: value}).param == key


def test_user_only_with_the_option():
    """A name may be a person's: it goes out only when the configuration says so."""
    options = TranslateOptions(forward_user=True)
    assert translated(user="ann", options=options).body["metadata"] == {"user_id": "ann"}
    both = translated(user="ann", safety_identifier="a1", options=options)
    assert both.body["metadata"] == {"user_id": "a1"}
    assert both.dropped == ["user"]
    assert "metadata" not in translated(options=options).body


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("thinking", {"type": "adaptive", "display": "summarized"}),
        ("cache_control", {"type": "ephemeral"}),
        ("top_k", 5),
        ("stop_sequences", ["x"]),
        ("output_config", {"effort": "low"}),
        ("service_tier", "standard_only"),
        ("inference_geo", "us"),
        ("container", "container_1"),
    ],
)
def test_native_keys_pass(key, value):
    """Anthropic's own keys reach Anthropic."""
    result = translated(**{key: value})
    assert result.body == {**translated().body, key: value}
    assert result.dropped == []


def test_native_keys_beside_ours():
    """Where both languages say the same thing Anthropic's word counts; prompts add up."""
    result = translated(
        {"role": "system", "content": "b"},
        HELLO,
        system="a",
        stop="y",
        stop_sequences=["x"],
        output_config={"effort": "low"},
        response_format={"type": "json_schema", "json_schema": {"schema": {"type": "object"}}},
    )
    assert [block["text"] for block in result.body["system"]] == ["a", "b"]
    assert result.body["stop_sequences"] == ["x"]
    assert result.body["output_config"].keys() == {"effort", "format"}
    assert result.dropped == ["stop"]


def test_native_format_wins():
    """Two formats cannot both be kept: Anthropic's word counts, the other is noted."""
    own = {"format": {"type": "json_schema", "schema": {"type": "object"}}}
    other = {"type": "json_schema", "json_schema": {"schema": {}}}
    result = translated(output_config=own, response_format=other)
    assert result.body["output_config"] == own
    assert result.dropped == ["response_format"]


def test_keys_that_a_model_refuses_are_left_out_by_option():
    """A list per model takes the place of silent retries; what was left out is noted."""
    options = TranslateOptions(drop=frozenset(("temperature", "top_p", "n")))
    result = translated(temperature=0.2, n=3, options=options)
    assert result.body == translated().body
    assert result.dropped == ["n", "temperature"]
