"""Secrets that we know are found exactly, in every form in which a text may carry them."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest

from dolphin_logger.config import Config, ModelEntry, Secret
from dolphin_logger.redactors import Known, known_secrets

VALUE = 'my/Own+Key="of 7 \u00e9&%'
FORMS = {
    "plain": VALUE,
    "base64": base64.b64encode(VALUE.encode()).decode(),
    "base64 for URLs": base64.urlsafe_b64encode(VALUE.encode()).decode(),
    "percent": quote(VALUE, safe=""),
    "percent but slashes": quote(VALUE),
    "percent twice": quote(quote(VALUE, safe=""), safe=""),
    "small percent": quote(VALUE, safe="").replace("%2F", "%2f").replace("%2B", "%2b").replace("%3D", "%3d")
    .replace("%C3%A9", "%c3%a9"),
    "JSON": json.dumps(VALUE)[1:-1],
    "JSON in UTF-8": json.dumps(VALUE, ensure_ascii=False)[1:-1],
    "JSON with escaped slashes": json.dumps(VALUE)[1:-1].replace("/", "\\/"),
    "JSON in JSON": json.dumps(json.dumps(VALUE)[1:-1])[1:-1],
    "hexadecimal": VALUE.encode().hex(),
    "capital hexadecimal": VALUE.encode().hex().upper(),
}  # fmt: skip


def test_a_plain_form_of_spaces_is_known() -> None:
    """Forms of queries write a space as `+`; that one is found where there is no space in the value."""
    assert list(Known(["a/b+c?d=e&f"]).find(quote_plus("a/b+c?d=e&f")))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("around", ["{}", "\u4e2d\U0001f600 {} \u00e9", 'x="{}";{}'])
def test_it_is_found_in_each_form(form: str, around: str) -> None:
    """Whatever stands around it, the finding is the whole form and nothing else."""
    text = around.replace("{}", FORMS[form])
    found = list(Known([VALUE, "another-one"]).find(text))
    assert [text[one.start : one.end] for one in found] == [FORMS[form]] * around.count("{}")
    assert {(one.kind, one.rule) for one in found} == {("SECRET", "known-secret")}


@pytest.mark.parametrize("lead", ["", "a", "ab", "abc", "user:"])
@pytest.mark.parametrize("tail", ["", "z", "zy", "zyx", "\n"])
def test_base64_finds_it_wherever_it_begins(lead: str, tail: str) -> None:
    """Inside a longer base64 text, at each alignment, no three of its characters stay readable."""
    value = "kept-from-everyone"
    text = base64.b64encode((lead + value + tail).encode()).decode()
    (found,) = Known([value]).find(text)
    rest = text[: found.start] + "A" * (found.end - found.start) + text[found.end :]
    readable = base64.b64decode(rest)
    assert not any(value[at : at + 3].encode() in readable for at in range(len(value) - 2))


def test_of_many_each_is_found_whole() -> None:
    """Where one secret begins another, the longer one is the finding."""
    values = [f"secret-number-{number}" for number in range(500)] + ["secret-number-12-and-more"]
    text = " ".join(values)
    assert [text[one.start : one.end] for one in Known(values).find(text)] == values


def test_short_values_are_not_looked_for() -> None:
    """A known secret of seven characters would blot out words; nobody finds nothing."""
    assert list(Known(["seven77"]).find("seven77 and seven77")) == []
    assert list(Known().find("anything at all")) == []


def test_no_version_or_repr_says_a_value() -> None:
    """The version does not change with the values."""
    assert Known(["kept-from-everyone"]).version == Known().version
    assert "everyone" not in repr(Known(["kept-from-everyone"]))


def test_they_are_collected_from_configuration_and_environment() -> None:
    """Keys, the server's token, secret headers, and variables named so; not words, numbers, paths."""
    entry = ModelEntry(
        provider="openai",
        model="m",
        api_key=Secret("key-of-the-entry"),
        headers=(
            ("X-Own", Secret("Bearer header-value-1")),
            ("User-Agent", Secret("My-Program/1.0")),
        ),
    )
    passing = ModelEntry(provider="openai", model="n", api_key=Secret("PASSTHROUGH"))
    config = Config(path=Path("x"), models=(entry, passing), token=Secret("token-of-the-server"))
    environ = {
        "HF_TOKEN": "hf-value-0001",
        "OPENAI_API_KEY": "openai-value-2",
        "DB_PASSWORD": "db-value-0003",
        "AWS_SECRET_ACCESS_KEY": "aws-value-0004",
        "MY_CREDENTIALS": "cred-value-05",
        "GITHUB_PAT": "pat-value-0006",
        "PASSWORD_FILE": "/run/secrets/password",
        "GOOGLE_CREDENTIALS": "/home/me/google.json",
        "SSH_AUTH_SOCK": "/tmp/agent-socket",
        "TOKEN_LIMIT": "1234567890123",
        "SHORT_KEY": "short",
        "WORD_SECRET": "password",
        "KEYBOARD": "de-latin1-nodeadkeys",
        "PATH": "/usr/bin:/bin",
        "HOME": "something-else-9",
        "PUBLIC_KEY": "public-value-7",
    }
    assert known_secrets(config, environ) == (
        "aws-value-0004",
        "cred-value-05",
        "db-value-0003",
        "header-value-1",
        "hf-value-0001",
        "key-of-the-entry",
        "openai-value-2",
        "pat-value-0006",
        "token-of-the-server",
    )
