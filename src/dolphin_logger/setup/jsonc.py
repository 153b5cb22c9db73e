"""JSON as editors' settings have it, with comments and final commas: changed in place, text to text.

Only the bytes of the value at a path are replaced, added or taken out; comments, order and indentation
of everything else stay. It knows neither files nor clients.
Invariant: what comes out parses, and says the same as before but at that path.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from dolphin_logger.errors import DolphinError

Path = Sequence[str]
_BLANK = re.compile(r"(?:[ \t\r\n\ufeff]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
_ATOM = re.compile(r"[-+.\w]+")
_REST_OF_LINE = re.compile(r"[ \t]*(,?)[ \t]*(//[^\n]*)?(?=\r?\n)")
_BESIDE = re.compile(r"[ \t]+(?=[^\s/])")  # up to a neighbour on the same line
_DEEPEST = 200


class MalformedError(DolphinError):
    """A file of settings that cannot be read safely; nothing is changed."""


@dataclass(slots=True)
class _Node:
    """A value and where it stands; `members` are an object's: key, start of the key, value."""

    start: int
    end: int
    value: Any
    members: list[tuple[str, int, _Node]] = field(default_factory=list)

    def member(self, key: str) -> tuple[str, int, _Node] | None:
        """Find a member; of two with one name the last counts."""
        return next((member for member in reversed(self.members) if member[0] == key), None)


def parse(text: str) -> Any:
    """Read a text as a value.

    Raises:
        MalformedError: it is no JSON even with comments and final commas.
    """
    return _scan(text).value


def set_value(text: str, path: Path, value: Any) -> str:
    """Put a value at a path, making the objects on the way.

    Raises:
        MalformedError: the text cannot be read, or something on the way is no object.
    """
    if not text.strip("\ufeff \t\r\n"):
        text += "{}" + _newline(text)
    node = _scan(text)
    depth = 0
    for place, key in enumerate(path):
        if not isinstance(node.value, dict):
            where = ".".join(path[:place]) or "the file"
            raise MalformedError(f"{where} is no object; nothing is changed")
        found = node.member(key)
        if found is None:
            for missing in reversed(path[place + 1 :]):
                value = {missing: value}
            return _insert(text, node, depth, key=key, value=value)
        node, depth = found[2], depth + 1
    return text[: node.start] + _write(text, value, depth) + text[node.end :]


def remove_value(text: str, path: Path) -> str:
    """Take the member at a path out, with its comma; a path that is not there changes nothing.

    Raises:
        MalformedError: the text cannot be read.
    """
    parent = node = _scan(text)
    start = 0
    for key in path:
        found = node.member(key) if isinstance(node.value, dict) else None
        if found is None:
            return text
        parent, (_, start, node) = node, found
    index = next(place for place, member in enumerate(parent.members) if member[1] == start)
    return _cut(text, parent, index)


def _cut(text: str, parent: _Node, index: int) -> str:
    """Cut a member and the comma that parts it from a neighbour."""
    start, end = parent.members[index][1], parent.members[index][2].end
    comma = _blank_end(text, end)
    if text[comma] == ",":
        end = comma + 1
        if beside := _BESIDE.match(text, end):
            end = beside.end()
    elif index:  # the last one: the comma is in front
        before = parent.members[index - 1][2].end
        comma = text.index(",", _blank_end(text, before))
        if not text[comma + 1 : start].strip(" \t"):
            return text[:comma] + text[end:]
        return text[:comma] + _cut_lines(text[comma + 1 :], start - comma - 1, end - comma - 1)
    return _cut_lines(text, start, end)


def _cut_lines(text: str, start: int, end: int) -> str:
    """Cut a span; when nothing else stands on its lines, the lines go as well."""
    head = text[:start].rstrip(" \t")
    rest = re.compile(r"[ \t]*\r?\n").match(text, end)
    if head.endswith("\n") and rest is not None:
        return head + text[rest.end() :]
    return text[:start] + text[end:]


def _insert(text: str, node: _Node, depth: int, *, key: str, value: Any) -> str:
    """Add a member behind the last one, as that one is laid out."""
    member = f"{json.dumps(key)}: "
    if not node.members:
        line = _newline(text)
        inner, outer = _indent(text) * (depth + 1), _indent(text) * depth
        inside = text[node.start + 1 : node.end - 1].rstrip(" \t\r\n")
        body = f"{inside}{line}{inner}{member}{_write(text, value, depth + 1)}{line}{outer}"
        return text[: node.start + 1] + body + text[node.end - 1 :]
    _, start, last = node.members[-1]
    indent = re.search(r"\n([ \t]*)\Z", text[:start])
    if indent is None:
        return (
            f"{text[: last.end]}, {member}{json.dumps(value, ensure_ascii=False)}{text[last.end :]}"
        )
    added = _newline(text) + indent[1] + member + _write(text, value, depth + 1)
    rest = _REST_OF_LINE.match(text, last.end)
    if rest is None:
        return f"{text[: last.end]},{added}{text[last.end :]}"
    comma = "" if rest[1] else ","
    return text[: last.end] + comma + rest[0] + added + text[rest.end() :]


def _write(text: str, value: Any, depth: int) -> str:
    unit = _indent(text)
    lines = json.dumps(value, indent=unit, ensure_ascii=False).split("\n")
    return (_newline(text) + unit * depth).join(lines)


def _indent(text: str) -> str:
    found = re.search(r"\n([ \t]+)\"", text)
    return found[1] if found else "  "


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _scan(text: str) -> _Node:
    """Read the whole text."""
    start = _blank_end(text, 0)
    node = _scan_value(text, start, depth=0)
    if _blank_end(text, node.end) != len(text):
        raise _fault(text, node.end, "there is text after the end")
    return node


def _scan_value(text: str, start: int, *, depth: int) -> _Node:
    if depth > _DEEPEST:
        raise _fault(text, start, "it is nested too deeply")
    opening = text[start : start + 1]
    if opening == "{":
        return _scan_object(text, start, depth=depth)
    if opening == "[":
        return _scan_list(text, start, depth=depth)
    found = _STRING.match(text, start) or _ATOM.match(text, start)
    if found is None:
        raise _fault(text, start, "a value is missing")
    try:
        return _Node(start, found.end(), json.loads(found[0], strict=False))
    except ValueError:
        raise _fault(text, start, "this is no value") from None


def _scan_object(text: str, start: int, *, depth: int) -> _Node:
    node = _Node(start, start, {})
    at = _blank_end(text, start + 1)
    while text[at : at + 1] != "}":
        name = _STRING.match(text, at)
        if name is None:
            raise _fault(text, at, "a key in double quotes is missing")
        colon = _blank_end(text, name.end())
        if text[colon : colon + 1] != ":":
            raise _fault(text, colon, "a colon is missing")
        value = _scan_value(text, _blank_end(text, colon + 1), depth=depth + 1)
        try:
            key = json.loads(name[0], strict=False)
        except ValueError:
            raise _fault(text, at, "this is no key") from None
        node.members.append((key, at, value))
        node.value[key] = value.value
        at = _next(text, value.end, closing="}")
    node.end = at + 1
    return node


def _scan_list(text: str, start: int, *, depth: int) -> _Node:
    node = _Node(start, start, [])
    at = _blank_end(text, start + 1)
    while text[at : at + 1] != "]":
        value = _scan_value(text, at, depth=depth + 1)
        node.value.append(value.value)
        at = _next(text, value.end, closing="]")
    node.end = at + 1
    return node


def _next(text: str, end: int, *, closing: str) -> int:
    """Go behind the comma, or to the closing bracket."""
    at = _blank_end(text, end)
    if text[at : at + 1] == ",":
        return _blank_end(text, at + 1)
    if text[at : at + 1] != closing:
        raise _fault(text, at, f"a comma or {closing} is missing")
    return at


def _blank_end(text: str, start: int) -> int:
    found = _BLANK.match(text, start)
    return found.end() if found else start


def _fault(text: str, at: int, message: str) -> MalformedError:
    return MalformedError(f"line {text.count(chr(10), 0, at) + 1}: {message}; nothing is changed")
