"""Tools of a Responses request, as functions, and the calls that come back."""

from __future__ import annotations

from typing import Any

import pytest
from responses_from_chat import (
    ask,
    calling,
    completion,
    events_of,
    function_call,
    messages,
    response_of,
)

from dolphin_logger.errors import RequestError

EMPTY = {"type": "object", "properties": {}}
FUNCTION = {
    "type": "function",
    "name": "f",
    "description": "F.",
    "parameters": EMPTY,
    "strict": False,
}
GRAMMAR = {"type": "grammar", "syntax": "lark", "definition": "start: /x/"}
CUSTOM = {"type": "custom", "name": "patch", "description": "Edits files.", "format": GRAMMAR}
SEARCH = {
    "type": "tool_search",
    "execution": "client",
    "description": "Finds.",
    "parameters": EMPTY,
}
WEB = {"type": "web_search", "external_web_access": False}


def namespace(name: str, *tools: dict[str, Any]) -> dict[str, Any]:
    """Write a namespace of tools."""
    return {"type": "namespace", "name": name, "description": "Tools.", "tools": list(tools)}


def functions(*tools: dict[str, Any], **extra: Any) -> list[dict[str, Any]]:
    """Translate tools; return the provider's functions."""
    found = ask({"tools": list(tools), **extra}).body.get("tools", [])
    return [tool["function"] for tool in found]


def called(name: str, arguments: str, *tools: dict[str, Any]) -> dict[str, Any]:
    """Let the model call a function; return the client's item."""
    stream = completion(*calling(("call_1", name, arguments)), reason="tool_calls")
    (item,) = response_of(stream, request={"tools": list(tools)})["output"]
    assert isinstance(item, dict)
    return item


def test_functions_stay_functions() -> None:
    """A function keeps its words; `strict: false` is how functions are anyway."""
    strict = {**FUNCTION, "name": "g", "strict": True, "parameters": None}
    assert functions(FUNCTION, strict) == [
        {"name": "f", "description": "F.", "parameters": EMPTY},
        {"name": "g", "description": "F.", "parameters": EMPTY, "strict": True},
    ]


def test_a_custom_tool_is_a_function_with_one_text() -> None:
    """Its description stays verbatim; a grammar describes the text in its own words."""
    translated = ask({"tools": [CUSTOM]})
    assert [tool["function"] for tool in translated.body["tools"]] == [
        {
            "name": "patch",
            "description": "Edits files.",
            "parameters": {
                "type": "object",
                "properties": {"input": {"type": "string", "description": "start: /x/"}},
                "required": ["input"],
                "additionalProperties": False,
            },
        }
    ]
    assert translated.changed == ["tools[] (custom, as a function with a string input)"]
    assert translated.dropped == []
    (plain,) = functions({"type": "custom", "name": "p", "format": {"type": "text"}})
    assert plain["parameters"]["properties"] == {"input": {"type": "string"}}


def test_a_call_of_a_custom_tool_comes_back_as_one() -> None:
    """The client sees its own tool, with the text unwrapped and streamed."""
    item = called("patch", '{"input": "a\\nb"}', CUSTOM)
    del item["id"]
    assert item == {
        "type": "custom_tool_call",
        "status": "completed",
        "call_id": "call_1",
        "name": "patch",
        "input": "a\nb",
    }
    stream = completion(*calling(("c", "patch", '{"input": "abcdef"}')), reason="tool_calls")
    kinds = [event["type"] for event in events_of(stream, request={"tools": [CUSTOM]})]
    assert kinds.count("response.custom_tool_call_input.delta") > 1
    assert "response.function_call_arguments.delta" not in kinds


def test_a_text_that_is_known_only_at_the_end_is_told_then() -> None:
    """Arguments in another order, or of another form, are whole in the client's call."""
    assert called("patch", '{"why": "y", "input": "a"}', CUSTOM)["input"] == "a"
    assert called("patch", '{"patch": "a"}', CUSTOM)["input"] == '{"patch": "a"}'


def test_tools_in_a_namespace_have_longer_names() -> None:
    """A name says its namespace, in the request, in the history and back in the answer."""
    space = namespace("agents", FUNCTION, CUSTOM)
    translated = ask({"tools": [FUNCTION, space]})
    names = [tool["function"]["name"] for tool in translated.body["tools"]]
    assert names == ["f", "agents__f", "agents__patch"]
    assert "tools[].name (with its namespace)" in translated.changed
    assert translated.dropped == ["tools[].description (of a namespace)"]

    item = called("agents__f", "{}", FUNCTION, space)
    assert (item["name"], item["namespace"]) == ("f", "agents")
    item = called("agents__patch", '{"input":"x"}', FUNCTION, space)
    assert (item["type"], item["name"], item["namespace"]) == (
        "custom_tool_call",
        "patch",
        "agents",
    )
    assert "namespace" not in called("f", "{}", FUNCTION, space)

    call = {**function_call("a", "f"), "namespace": "agents"}
    (said,) = messages(call)
    assert said["tool_calls"][0]["function"]["name"] == "agents__f"


def test_a_namespace_that_ends_like_a_separator_gets_no_second_one() -> None:
    """Names of tools of servers are what they always were."""
    (function,) = functions(namespace("mcp__zoo__", FUNCTION))
    assert function["name"] == "mcp__zoo__f"


def test_names_stay_short_plain_and_their_own() -> None:
    """Providers take 64 plain characters; a mark keeps apart what would be the same."""
    long = namespace(
        "n" * 60, {**FUNCTION, "name": "first.tool"}, {**FUNCTION, "name": "first_tool"}
    )
    names = [function["name"] for function in functions(long)]
    assert [len(name) for name in names] == [64, 64]
    assert len(set(names)) == 2
    same = [FUNCTION, {**CUSTOM, "name": "f"}]
    first, second = (function["name"] for function in functions(*same))
    assert first == "f" != second
    item = called(second, '{"input":"x"}', *same)
    assert (item["type"], item["name"]) == ("custom_tool_call", "f")


def test_the_clients_own_search_is_a_function() -> None:
    """A search that the client runs is offered, and its call comes back as a search."""
    assert functions(SEARCH) == [
        {"name": "tool_search", "description": "Finds.", "parameters": EMPTY}
    ]
    item = called("tool_search", '{"query": "x"}', SEARCH)
    assert item["type"] == "tool_search_call"
    assert (item["execution"], item["call_id"]) == ("client", "call_1")
    assert item["arguments"] == {"query": "x"}
    assert called("tool_search", "no JSON", SEARCH)["arguments"] == "no JSON"
    assert called("tool_search", "", SEARCH)["arguments"] == {}


def test_tools_that_were_found_later_are_offered_once() -> None:
    """Chat completions cannot learn tools in the middle, so they are offered from the beginning."""
    found = namespace("zoo", {**FUNCTION, "name": "feed", "defer_loading": True})
    output = {"type": "tool_search_output", "call_id": "s", "execution": "client", "tools": [found]}
    more = {"type": "additional_tools", "role": "developer", "tools": [found, FUNCTION]}
    translated = ask({"input": [output, more], "tools": [SEARCH]})
    names = [tool["function"]["name"] for tool in translated.body["tools"]]
    assert names == ["tool_search", "zoo__feed", "f"]
    assert "input[].tools (offered from the beginning)" in translated.changed
    assert "tools[].defer_loading (offered from the beginning)" in translated.changed


def test_tools_that_run_at_openai_are_left_out() -> None:
    """Nobody here could run them; what is left may be nothing."""
    server_search = {"type": "tool_search"}
    translated = ask({"tools": [WEB, server_search, {"type": "mcp"}], "tool_choice": "auto"})
    assert "tools" not in translated.body
    assert "tool_choice" not in translated.body
    assert translated.dropped == ["tools[] (web_search)", "tools[] (tool_search)", "tools[] (mcp)"]


@pytest.mark.parametrize("kind", ["local_shell", "shell", "apply_patch", "computer_use_preview"])
def test_tools_of_the_client_without_a_schema_are_refused(kind: str) -> None:
    """The client waits for calls that no model could make; describing them would be our words."""
    with pytest.raises(RequestError, match="describe it as a function") as caught:
        ask({"tools": [FUNCTION, {"type": kind}]})
    assert caught.value.param == "tools[1]"


def test_other_fields_of_tools_are_named() -> None:
    """What a function cannot say is listed."""
    tool = {**FUNCTION, "output_schema": {}, "allowed_callers": None}
    assert ask({"tools": [tool]}).dropped == ["tools[].output_schema"]


@pytest.mark.parametrize(
    ("choice", "wanted"),
    [
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        ({"type": "function", "name": "f"}, "f"),
        ({"type": "custom", "name": "patch"}, "patch"),
        ({"type": "function", "name": "f", "namespace": "n"}, "n__f"),
        ({"type": "tool_search"}, "tool_search"),
    ],
)
def test_choices(choice: Any, wanted: str) -> None:
    """A choice stays what it is; one tool is chosen by the provider's name."""
    tools = [FUNCTION, CUSTOM, SEARCH, namespace("n", FUNCTION)]
    found = ask({"tools": tools, "tool_choice": choice}).body["tool_choice"]
    if isinstance(choice, dict):
        assert found == {"type": "function", "function": {"name": wanted}}
    else:
        assert found == wanted


def test_allowed_tools_are_the_only_ones_offered() -> None:
    """Few servers know lists of allowed tools: the others are not offered, which means the same."""
    allowed = [{"type": "function", "name": "f"}, {"type": "web_search"}]
    choice = {"type": "allowed_tools", "mode": "required", "tools": allowed}
    translated = ask({"tools": [FUNCTION, CUSTOM, WEB], "tool_choice": choice})
    assert [tool["function"]["name"] for tool in translated.body["tools"]] == ["f"]
    assert translated.body["tool_choice"] == "required"
    assert "tool_choice (other tools are not offered)" in translated.changed


@pytest.mark.parametrize(
    ("choice", "tools"),
    [
        ("required", [WEB]),
        ("sometimes", [FUNCTION]),
        ({"type": "web_search"}, [FUNCTION, WEB]),
        ({"type": "function", "name": "absent"}, [FUNCTION]),
        ({"type": "allowed_tools", "mode": "required", "tools": [WEB]}, [FUNCTION, WEB]),
        ({"type": "allowed_tools", "mode": "required", "tools": None}, [FUNCTION]),
    ],
)
def test_choices_of_what_is_not_offered_are_refused(choice: Any, tools: list[Any]) -> None:
    """A tool that the model must call and cannot call would change the answer."""
    with pytest.raises(RequestError) as caught:
        ask({"tools": tools, "tool_choice": choice})
    assert caught.value.param == "tool_choice"


@pytest.mark.parametrize("tool", ["f", {"name": "f"}, {"type": "function"}, {"type": "namespace"}])
def test_tools_that_are_none_are_refused(tool: Any) -> None:
    """A tool has a type, and a name where its type has one."""
    with pytest.raises(RequestError) as caught:
        ask({"tools": [tool]})
    assert (caught.value.param or "").startswith("tools[0]")
