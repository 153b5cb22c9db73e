"""Every rule finds what it must, whatever stands around it, and leaves what it must."""

from __future__ import annotations

import json
import re
import tomllib
from importlib.resources import files

import pytest
from tests.support.templates import expand

from dolphin_logger.redactors import REDACTORS, Finding
from dolphin_logger.redactors.rules import FILES, Rule, rules
from dolphin_logger.redactors.rules.checks import CHECKS
from dolphin_logger.redactors.secrets import Secrets

PACK = rules()
EXAMPLES = {
    name: table
    for file in FILES
    for name, table in tomllib.loads(
        (files("dolphin_logger.redactors.rules") / f"{file}.toml").read_text("utf-8")
    ).items()
}
AROUND = ("{}", "see {} there", "KEY={}\n", "\u00e9\u4e2d {} \U0001f600", "[{}]", '("{}")')


def found(rule: Rule, text: str) -> list[str]:
    """Give what one rule finds in a text."""
    return [text[one.start : one.end] for one in Secrets().find(text) if one.rule == rule.id]


def test_the_pack_is_wide() -> None:
    """There are many more than 80 rules, each with a name of its own and examples of both sorts."""
    assert len(PACK) >= 150
    assert len({rule.id for rule in PACK}) == len(PACK)
    for rule in PACK:
        assert EXAMPLES[rule.id]["find"], rule.id
        assert EXAMPLES[rule.id]["skip"], rule.id
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", rule.id)
        assert re.fullmatch(r"[A-Z_]+", rule.kind)
        assert rule.check is None or rule.check in CHECKS


@pytest.mark.parametrize("rule", PACK, ids=lambda rule: rule.id)
def test_it_finds_what_it_must(rule: Rule) -> None:
    """Each example, with 6 seeds, is found by its own rule, in prose, code and other scripts too."""
    for template in EXAMPLES[rule.id]["find"]:
        for seed in range(6):
            text = expand(template, seed=seed)
            assert found(rule, text), text
            if rule.expression.startswith(r"(?:\b|_|"):
                assert all(found(rule, around.format(text)) for around in AROUND), text


@pytest.mark.parametrize("rule", PACK, ids=lambda rule: rule.id)
def test_it_finds_it_in_json_in_a_string(rule: Rule) -> None:
    """Written as JSON, as tools give their results, each example is found as well."""
    for template in EXAMPLES[rule.id]["find"]:
        text = json.dumps({"output": "read:\n" + expand(template, seed=3) + "\n"})
        assert found(rule, text), text


@pytest.mark.parametrize("rule", PACK, ids=lambda rule: rule.id)
def test_it_leaves_what_it_must(rule: Rule) -> None:
    """No counter-example, with 6 seeds, is found by the rule."""
    for template in EXAMPLES[rule.id]["skip"]:
        for seed in range(6):
            text = expand(template, seed=seed)
            assert not found(rule, text), text


def replace(text: str) -> str:
    """Put placeholders where anything is found: of two that overlap the higher, then the longer one."""
    findings = [one for redactor in REDACTORS.values() for one in redactor.find(text)]
    taken: list[Finding] = []
    for one in sorted(findings, key=lambda one: (-one.priority, one.start - one.end)):
        if all(one.end <= other.start or other.end <= one.start for other in taken):
            taken.append(one)
    for number, one in enumerate(sorted(taken, key=lambda one: -one.start), start=1):
        text = f"{text[: one.start]}<{one.kind}_{number}>{text[one.end :]}"
    return text


@pytest.mark.parametrize("rule", PACK, ids=lambda rule: rule.id)
def test_a_placeholder_is_no_finding(rule: Rule) -> None:
    """What was replaced once is found by nobody again, so that a second scan can fail closed."""
    for template in EXAMPLES[rule.id]["find"]:
        for seed in range(2):
            cleaned = replace(expand(template, seed=seed))
            assert replace(cleaned) == cleaned
