"""Names of users in paths and elsewhere, and the strings that a user names."""

from __future__ import annotations

import pytest

from dolphin_logger.redactors.own import Own
from dolphin_logger.redactors.paths import Names, Paths


def found(redactor: Paths | Names | Own, text: str) -> list[str]:
    """Give what is found in a text."""
    return [text[one.start : one.end] for one in redactor.find(text)]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("/home/alice/x", "alice"),
        ('"/Users/bob.smith"', "bob.smith"),
        ("C:\\Users\\John Smith\\z", "John Smith"),
        ('"C:\\\\Users\\\\carl\\\\q"', "carl"),
        ("c:/Users/carl", "carl"),
        ("/mnt/c/Users/dana/x", "dana"),
        ("~/.claude/projects/-Users-eve-code/", "eve"),
        ("file:///home/fred/", "fred"),
        ("host:/home/gus/", "gus"),
    ],
)
def test_the_name_in_a_path_is_found_and_the_path_stays(text: str, name: str) -> None:
    """Linux, macOS and Windows write homes in their own ways."""
    assert set(found(Paths(), text)) == {name}


@pytest.mark.parametrize(
    "text",
    [
        "/home/ubuntu/x /home/runner/work /Users/Shared /home/user/ /home/<USER_1>/x",
        "https://novatek.io/home/alice and https://api.novatek.io/Users/42",
        "/home/ /Users/{id} /home/$USER/x",
        "app.get('/home/dashboard')",
    ],
)
def test_accounts_and_addresses_that_say_nothing_stay(text: str) -> None:
    """Everybody has an `ubuntu`; an address on the web is no home."""
    assert found(Paths(), text) == []


def test_known_names_are_found_as_words() -> None:
    """In any case, beside signs, but not within other words."""
    text = "Alice: alice@laptop:~$ ls -l  alice alice 4096 malice alice2"
    assert found(Names(["alice"]), text) == ["Alice", "alice", "alice", "alice"]


def test_names_that_are_accounts_of_everybody_are_not_looked_for() -> None:
    """A user `test` or `ab` would take half of a text away."""
    assert found(Names(["test", "ab", "root"]), "test ab root") == []
    assert found(Names([]), "anything") == []


def test_own_strings_are_found_in_any_case_and_within_words() -> None:
    """The longest is taken where several begin."""
    text = "ZeusClient of project zeus, PROJECT ZEUS"
    assert found(Own(["Zeus", "Project Zeus"]), text) == ["Zeus", "project zeus", "PROJECT ZEUS"]
    assert found(Own(["", "  "]), text) == []
