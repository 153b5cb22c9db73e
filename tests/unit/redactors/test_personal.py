"""Mail, phones, cards, accounts, addresses and identity numbers: what is one, and what only looks so."""

from __future__ import annotations

import random

import pytest

from dolphin_logger.redactors import REDACTORS
from dolphin_logger.redactors.card import has_luhn

FOUND = [
    ("email", "write to ann.lee@novatek.io, please", "ann.lee@novatek.io"),
    ("email", "mailto:bob+x@x-y.co.uk", "bob+x@x-y.co.uk"),
    ("email", "to=ann@novatek.io&cc=", "ann@novatek.io"),
    ("email", "jürgen writes as j.m@größe.de.", "j.m@größe.de"),
    ("email", "mail myexample@myexample.com", "myexample@myexample.com"),
    ("phone", "at +44 20 7946 0958, or", "+44 20 7946 0958"),
    ("phone", "(415) 555-2671", "(415) 555-2671"),
    ("phone", "(415-555-2671)", "415-555-2671"),
    ("phone", "Tel.: 07911 123456", "07911 123456"),
    ("phone", "call me at 030 12345678", "030 12345678"),
    ("card", "4111 1111 1111 1111", "4111 1111 1111 1111"),
    ("card", "card=371449635398431;", "371449635398431"),
    ("card", "3714 496353 98431", "3714 496353 98431"),
    ("iban", "GB82 WEST 1234 5698 7654 32 is it", "GB82 WEST 1234 5698 7654 32"),
    ("iban", "iban:de89370400440532013000,", "de89370400440532013000"),
    ("ip", "ssh root@52.14.200.9", "52.14.200.9"),
    ("ip", "http://52.14.200.9:80/x", "52.14.200.9"),
    ("ip", "host 4.4.9.17", "4.4.9.17"),
    ("ip", "from [2a00:1450:4001:81b::200e]:443", "2a00:1450:4001:81b::200e"),
    ("government", "SSN: 219-09-9999", "219-09-9999"),
    ("government", "529.982.247-25", "529.982.247-25"),
    ("government", "11010519491231002X", "11010519491231002X"),
    ("government", "DNI 12345678Z", "12345678Z"),
]
NOT_FOUND = [
    ("email", "@app.get('/x') and @pytest.mark.slow"),
    ("email", "git@github.com:novatek/site.git"),
    ("email", "lodash@4.17.21 react@next"),
    ("email", "noreply@novatek.io no-reply@novatek.io 12+ann@users.noreply.github.com"),
    ("email", "ann@example.com ann@mail.example.org"),
    ("email", "y = x@w.shape[0] + q@k.transpose(1)"),
    ("email", "getty@tty1.service user@localhost"),
    ("phone", "time 1732233445 id 4155552671 order 20261122"),
    ("phone", "2026-11-22 10:00:00 +0000"),
    ("phone", "@@ -1 +1 @@\n+14155552671\n"),
    ("phone", "Decimal('+35236450.6') expected 50331648 bytes"),
    ("phone", "v1.20.300.4000 3.14159265358979"),
    ("card", "4111 1111 1111 1112"),
    ("card", "0.4111111111111111 a4111111111111111 41111111111111110000000"),
    ("card", "1732233445123456"),
    ("iban", "GB83 WEST 1234 5698 7654 32"),
    ("iban", "DE8937040044053201300"),
    ("ip", "8.8.8.8 1.1.1.1 10.0.0.1 127.0.0.1 192.0.2.4 2001:db8::1"),
    ("ip", "Chrome/120.0.6099.109 v4.52.33.100 foo==1.2.3.4 version 52.14.20.9"),
    ("ip", "section 8.2.4.44, oid 1.3.6.1.4.1.311, std::vector a::b"),
    ("government", "219-09-9999 part number"),
    ("government", "SSN: 000-12-3456 SSN: 666-12-3456"),
    ("government", "529.982.247-26"),
]


def found(name: str, text: str, key: str | None = None) -> list[str]:
    """Give what one redactor finds in a text."""
    return [text[one.start : one.end] for one in REDACTORS[name].find(text, key=key)]


@pytest.mark.parametrize(("name", "text", "value"), FOUND)
def test_what_is_one_is_found_and_nothing_more(name: str, text: str, value: str) -> None:
    """The span is the value, without what stands around it."""
    assert found(name, text) == [value]


@pytest.mark.parametrize(("name", "text"), NOT_FOUND)
def test_what_only_looks_like_one_stays(name: str, text: str) -> None:
    """Code, versions, timestamps, ids and wrong checksums are nobody's."""
    assert found(name, text) == []


def test_the_name_of_a_value_says_what_digits_are() -> None:
    """A number without a word before it is a phone where its name says so."""
    assert found("phone", "4155552671", key="phoneNumber") == ["4155552671"]
    assert found("phone", "4155552671", key="order_id") == []
    assert found("government", "219099999", key="ssn") == ["219099999"]


def test_luhn_sees_every_single_wrong_digit() -> None:
    """A checksum that one wrong digit passes is none."""
    number = "5500005555555559"
    assert has_luhn(number)
    for at, digit in enumerate(number):
        for other in set("0123456789") - {digit}:
            assert not has_luhn(number[:at] + other + number[at + 1 :])


@pytest.mark.parametrize("name", list(REDACTORS))
def test_no_text_makes_a_redactor_fail(name: str) -> None:
    """Half of a surrogate pair, control characters and any mixture of what is looked for."""
    rng = random.Random(3)
    parts = [
        "@",
        "a.b",
        "1",
        " ",
        "-",
        "(",
        "+",
        ".",
        ":",
        "GB82",
        "\ud800",
        "\0",
        "\\",
        "/home/",
        "é",
        "中",
        "::",
        "4111111111111111",
    ]
    for _ in range(300):
        text = "".join(rng.choice(parts) for _ in range(40))
        for one in REDACTORS[name].find(text, key=rng.choice([None, "phone"])):
            assert 0 <= one.start < one.end <= len(text)
