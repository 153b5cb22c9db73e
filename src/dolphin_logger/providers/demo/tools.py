"""Which tools to call, and with which arguments.

A tool is called when the question shares words with its name or description, or when the request
demands it; a question about two things, or one that fits two tools, becomes parallel calls.
It knows no wire format. Invariant: arguments of a function are valid JSON.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from dolphin_logger.providers.demo.reading import Asked, objects, topic_of
from dolphin_logger.providers.demo.shapes import Filler

_MOST = 4
_SHORT = 400  # characters of a description that is about one thing
_STOP = frozenset(
    "get set the and for with from that this given current currently find fetch make call "  # noqa: SIM905  # a column of words reads worse
    "run use "
    "return returns tool function api new all any are can you your user what about have has into "
    "please tell show say hello data value info information like want need would could how does "
    "who".split()
)
_NOT_NAMES = frozenset(
    "what how who where when why which tell show give please can could would will do does "  # noqa: SIM905  # as above
    "is are "
    "the a an i i'm i'd hi hello hey thanks ok and also then now compare check find get search look "
    "think use call let let's my in for of it if should explain write ask book send json xml csv yaml extract hmm yes no "
    "this that these there here both two".split()
)
_NAME = re.compile(r"\b[^\W\d_a-z][\w'-]*(?:\s+[^\W\d_a-z][\w'-]*)*")
_CONNECTION = re.compile(
    r"\s*(,|,?\s*(and|or|&|plus|vs\.?|versus|as well as))\s*((also|in|for|at|of|to|the)\s+)*",
    re.IGNORECASE,
)
_PHRASE = re.compile(r"\b(?:in|for|of|about|at|on|between|from)\s+([^?.!\n]{1,120})", re.IGNORECASE)
_SPLIT = re.compile(
    r"\s*(?:,|\band\b|\bor\b|&|\bvs\b)\s*(?:(?:in|for|at|of|the)\s+)*", re.IGNORECASE
)
_TRAILING = re.compile(r"\s+(today|tomorrow|now|right now|please|tonight)$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tool:
    """A tool that the request offers; `kind` is `function` or `custom`."""

    kind: str
    name: str
    description: str
    schema: Any


@dataclass(frozen=True, slots=True)
class Call:
    """One call; `arguments` is JSON text for a function and free text for a custom tool."""

    kind: str
    name: str
    arguments: str


def choose_calls(request: dict[str, Any], asked: Asked) -> list[Call]:
    """Decide what to call now: nothing unless the user spoke last."""
    offered = _offered(request.get("tools"))
    if not asked.to_user or not offered:
        return []
    tools, demanded = _allowed(offered, request.get("tool_choice"))
    fitting = _fitting(tools, asked.question)
    if not fitting and demanded:
        fitting = tools[:1]
    subjects = find_subjects(asked.question)
    if len(fitting) > 1:
        apart = [name for group in _find_names(asked.question) for name in group]
        subjects = apart or subjects
        pairs = [(tool, subjects[min(at, len(subjects) - 1)]) for at, tool in enumerate(fitting)]
    else:
        pairs = [(tool, subject) for tool in fitting for subject in subjects]
    if request.get("parallel_tool_calls") is False:
        pairs = pairs[:1]
    calls = [_call(tool, subject, asked.question) for tool, subject in pairs[:_MOST]]
    return list(dict.fromkeys(calls))


def _offered(given: object) -> list[Tool]:
    tools = []
    for entry in objects(given):
        kind = "custom" if entry.get("type") == "custom" else "function"
        what = entry.get(kind)
        if isinstance(what, dict) and isinstance(what.get("name"), str) and what["name"]:
            description = what.get("description")
            text = description if isinstance(description, str) else ""
            tools.append(Tool(kind, what["name"], text, what.get("parameters")))
    return tools


def _allowed(tools: list[Tool], choice: Any) -> tuple[list[Tool], bool]:
    """Apply `tool_choice`: the tools that may be called, and whether one must be."""
    if choice == "none":
        return [], False
    if not isinstance(choice, dict):
        return tools, choice == "required"
    if isinstance(group := choice.get("allowed_tools"), dict):
        names = {_name_in(entry) for entry in objects(group.get("tools"))}
        demanded = group.get("mode") == "required"
    else:
        names, demanded = {_name_in(choice)}, True
    return [tool for tool in tools if tool.name in names], demanded


def _name_in(choice: dict[str, Any]) -> object:
    what = choice.get("function") or choice.get("custom") or choice
    name = what.get("name") if isinstance(what, dict) else None
    return name if isinstance(name, str) else None


def _fitting(tools: list[Tool], question: str) -> list[Tool]:
    """Find the tools that the question names, in its order; else the best by description.

    A second tool must answer to a word of its own: `get_weather` and `weather_alert` are not both
    meant by "weather".
    """
    asked = _words(question)
    taken: set[str] = set()
    named = []
    for tool in sorted(tools, key=lambda tool: -len(_words(tool.name) & asked)):
        matched = (_words(tool.name) & asked) - taken
        if matched or tool.name in question:
            taken |= matched
            place = min((question.lower().find(word) for word in matched), default=0)
            named.append((place, tool))
    if named:
        return [tool for _, tool in sorted(named, key=lambda pair: pair[0])]
    scored = [(len(_words(tool.description) & asked), tool) for tool in tools]
    fitting = [(score, tool) for score, tool in scored if score >= _least(tool)]
    return [max(fitting, key=lambda pair: pair[0])[1]] if fitting else []


def _least(tool: Tool) -> int:
    """Say how many words have to agree: in a long description any one may stand by chance."""
    return 1 if len(tool.description) <= _SHORT else 3


def _words(text: str) -> set[str]:
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text[:4000])
    words = re.findall(r"[^\W_]{3,}", spaced.lower())
    return {word.removesuffix("s") for word in words} - _STOP


def find_subjects(question: str) -> list[str]:
    """Find what a question is about: names that stand together, a phrase, or its topic.

    >>> find_subjects("What is the weather in Paris and in London?")
    ['Paris', 'London']
    """
    text = question[:2000]
    if quoted := re.findall(r"[\"“]([^\"”]{1,80})[\"”]", text):
        return quoted[:_MOST]
    if groups := _find_names(text):
        longest: list[str] = max(reversed(groups), key=len)
        return longest[:_MOST]
    if phrases := _PHRASE.findall(text):
        parts = [_TRAILING.sub("", part).strip() for part in _SPLIT.split(phrases[-1])]
        if parts := [part for part in parts if part]:
            return parts[:_MOST]
    return [topic_of(text).strip('"')]


def _find_names(text: str) -> list[list[str]]:
    """Find capitalised names; those joined by "and" or a comma form one group."""
    groups: list[list[str]] = []
    end = -1
    for match in _NAME.finditer(text):
        name = " ".join(
            word for word in match[0].split() if word.lower().split("'")[0] not in _NOT_NAMES
        )
        if not name:
            continue
        if groups and _CONNECTION.fullmatch(text, end, match.start()):
            groups[-1].append(name)
        else:
            groups.append([name])
        end = match.end()
    return [list(dict.fromkeys(group)) for group in groups]


def _call(tool: Tool, subject: str, question: str) -> Call:
    if tool.kind == "custom":
        return Call("custom", tool.name, subject)
    value = Filler(tool.schema, subject, question).fill(tool.schema)
    arguments = value if isinstance(value, dict) else {}
    return Call("function", tool.name, json.dumps(arguments, ensure_ascii=False))
