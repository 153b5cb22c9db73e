"""The walk over values: what is shown, what stays, and that shapes never change."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dolphin_logger.curate.redaction.walk import Place, rewrite, write_place


class Loud:
    """Shouts every string and remembers where it was."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.seen: dict[str, str] = {}
        self.stayed: list[str] = []
        self.clean_names: set[str] = set()

    def text(self, text: str, _key: str | None, place: Place) -> str:
        self.seen[write_place(place)] = text
        for word in self.words:
            text = text.replace(word, word.upper())
        return text

    def number(self, number: int, _key: str | None, _place: Place) -> int:
        return 0 if number == 4111111111111111 else number

    def named(self, text: str, place: Place) -> str:
        self.kept(text, place)
        return text

    def kept(self, text: str, _place: Place) -> None:
        self.stayed.append(text)


def walked(value: Any, *words: str) -> tuple[Any, Loud]:
    """Walk a value, the words in capitals."""
    visitor = Loud(*words)
    return rewrite(value, visitor), visitor


def test_strings_at_every_depth_are_shown_with_their_place() -> None:
    """Lists, objects, names, and JSON in strings in strings."""
    inner = json.dumps({"mail": "ann"})
    value = {"messages": [{"content": json.dumps({"deep": [inner]}), "x-names": {"ann-lee": True}}]}
    new, visitor = walked(value, "ann")
    assert json.loads(json.loads(new["messages"][0]["content"])["deep"][0]) == {"mail": "ANN"}
    assert new["messages"][0]["x-names"] == {"ANN-lee": True}
    assert visitor.seen["messages[0].content|.deep[0]|.mail"] == "ann"


@pytest.mark.parametrize(
    "style", [{}, {"separators": (",", ":")}, {"indent": 2}, {"ensure_ascii": False}]
)
def test_json_in_a_string_is_written_as_it_was_written(style: dict[str, Any]) -> None:
    """Spaces, line breaks, escapes and the white space around it."""
    held = {"a": ["ann", 1, 2.5, None, "ünder"], "big": 12345678901234567890123}
    text = f"  {json.dumps(held, **style)}\n"
    new, _ = walked([text], "ann")
    assert new == [text.replace("ann", "ANN")]


def test_what_did_not_change_is_the_same_to_the_byte() -> None:
    """Numbers that a parser would write in another way too."""
    text = '{"a" :1.50,  "b":1e3}'
    value = {"content": text, "n": [1, 2]}
    new, _ = walked(value, "ann")
    assert new is value


def test_structure_stays_and_what_tools_got_does_not() -> None:
    """An `id` of a message is needed; an `id` in a tool's arguments is somebody's."""
    call = {
        "id": "call_ann",
        "type": "function",
        "function": {"name": "f", "arguments": {"id": "ann", "role": "ann"}},
    }
    new, visitor = walked(
        {"messages": [{"role": "ann", "tool_call_id": "call_ann", "tool_calls": [call]}]}, "ann"
    )
    message = new["messages"][0]
    assert message["role"] == "ann"
    assert message["tool_call_id"] == message["tool_calls"][0]["id"] == "call_ann"
    assert message["tool_calls"][0]["function"]["arguments"] == {"id": "ANN", "role": "ANN"}
    assert visitor.stayed.count("call_ann") == 2


def test_an_id_that_is_no_id_is_looked_at() -> None:
    """Nothing hides behind the name of a structural value."""
    new, _ = walked({"messages": [{"id": "mail ann@novatek.io"}]}, "ann")
    assert new == {"messages": [{"id": "mail ANN@novatek.io"}]}


def test_encrypted_thoughts_become_empty_and_keep_their_place() -> None:
    """Nobody can clean what a provider signed or encrypted; a tool's argument of that name is no such thing."""
    value = {
        "response": {
            "content": [
                {"type": "thinking", "thinking": "hm", "signature": "EpADCok"},
                {"type": "redacted_thinking", "data": "EpADCok"},
                {"type": "tool_use", "input": {"signature": "mine"}},
            ]
        }
    }
    new, _ = walked(value)
    thinking, redacted, used = new["response"]["content"]
    assert (thinking["signature"], redacted["data"], used["input"]["signature"]) == ("", "", "mine")


def test_pictures_are_not_read_as_text_and_what_says_it_is_one_is() -> None:
    """A `data:` address of a picture stays; text behind the same words is looked at."""
    picture = "data:image/png;base64,iVBORw0KGgo" + "A" * 400
    false = "data:image/png;base64," + "ann" * 200
    new, visitor = walked({"messages": [{"image": picture, "other": false}]}, "ann")
    assert visitor.stayed == [picture]
    assert new["messages"][0]["other"] == false.replace("ann", "ANN")


def test_two_names_that_become_one_keep_both_values() -> None:
    """Nothing is lost when names fall together."""
    new, _ = walked({"d": {"ann-mail": 1, "ANN-mail": 2}}, "ann")
    assert sorted(new["d"].values()) == [1, 2]


def test_a_name_that_stands_twice_is_looked_at_as_text() -> None:
    """A parser would show only the last value, and the first would leave."""
    new, _ = walked(['{"a": "ann", "a": "x"}'], "ann")
    assert new == ['{"a": "ANN", "a": "x"}']


def test_numbers_stay_numbers() -> None:
    """What must not leave becomes nought."""
    new, _ = walked({"card": 4111111111111111, "yes": True, "n": 7})
    assert new == {"card": 0, "yes": True, "n": 7}


@pytest.mark.parametrize("text", ["[" * 100_000, '{"a":' * 100_000, "[" * 900 + "]" * 900])
def test_deep_json_in_a_string_is_no_trap(text: str) -> None:
    """What cannot be parsed is text."""
    assert walked([text])[0] == [text]
