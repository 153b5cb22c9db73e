"""Preview: a row as a person reads it, and as a template renders it with the words that get loss.

It reads rows of every shape into headings and texts, and knows neither terminals nor files. Invariants:
nothing of a row is left out but bytes of pictures; where nobody can say which words get loss, all do.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from dolphin_logger.curate.check.dataset import Dataset, Export
from dolphin_logger.curate.check.templates import (
    TYPES,
    find_template,
    marked_template,
    render,
    render_marked,
)
from dolphin_logger.errors import DatasetError

_THREADS: Final = {
    *("messages", "prompt", "completion", "chosen", "rejected", "conversations", "steps"),
    *("preferred_output", "non_preferred_output"),
}
_IDS: Final = {
    *("record", "chosen_record", "rejected_record", "conversation", "session_id", "trajectory_id"),
}
_ASIDES: Final = {"type", "role", "from", "source", "step_id", "content", "value", "message"}
_CALLS: Final = ("tool_calls", "toolCalls")


@dataclass(frozen=True, slots=True)
class Row:
    """A row and its place; of `traces` a file with all its lines."""

    place: str
    value: Any


@dataclass(frozen=True, slots=True)
class Block:
    """A text under a title; without one it is what was said. Values that are no text are JSON."""

    title: str
    value: Any


@dataclass(frozen=True, slots=True)
class Spoken:
    """A message, or a column, with a heading."""

    heading: str
    blocks: list[Block]


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a rendered text."""

    text: str
    has_loss: bool


@dataclass(frozen=True, slots=True)
class Rendered:
    """A row as a template renders it: texts by name, in spans that follow each other.

    Attributes:
        template: the one that did; another than was asked for where TRL trains with its own.
        why: which words get loss, in a sentence.
    """

    template: str
    why: str
    texts: dict[str, list[Span]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        """How many characters there are."""
        return sum(len(span.text) for spans in self.texts.values() for span in spans)

    @property
    def trained(self) -> int:
        """How many of them get loss."""
        every = (span for spans in self.texts.values() for span in spans)
        return sum(len(span.text) for span in every if span.has_loss)


def find_export(dataset: Dataset, name: str | None) -> Export:
    """Find an export by its name; the first without one.

    Raises:
        DatasetError: there is none of that name.
    """
    for export in dataset.exports:
        if name in (None, export.name):
            return export
    known = ", ".join(export.name for export in dataset.exports)
    raise DatasetError(f"export {name!r}: not in {dataset.manifest.name}; it has {known}")


def rows_from(dataset: Dataset, export: Export, number: int, *, count: int) -> list[Row]:
    """Give rows from a number on, from 1.

    Raises:
        DatasetError: there are not so many.
    """
    found = list(islice(_rows(dataset, export), number - 1, number - 1 + count))
    if not found:
        raise DatasetError(f"row {number}: {export.name} has no more than {_size(export)}")
    return found


def rows_of(dataset: Dataset, export: Export, record: str, *, count: int) -> list[Row]:
    """Give the rows of a record or a conversation, by its id or the end of it.

    Raises:
        DatasetError: there are none.
    """
    every = _rows(dataset, export)
    found = list(islice((row for row in every if _is_of(row.value, record)), count))
    if not found:
        raise DatasetError(f"record {record!r}: no row of {export.name} says that it is of it")
    return found


def read(row: Any) -> Iterator[Spoken]:
    """Give what a row says, message after message, column after column."""
    if isinstance(row, list):
        for line in row:
            kind = line.get("type", "line") if isinstance(line, dict) else "line"
            yield _spoken("", line) if kind == "message" else Spoken(str(kind), [Block("", line)])
        return
    for name, value in row.items() if isinstance(row, dict) else [("row", row)]:
        if name in _THREADS and isinstance(value, list):
            many = [_spoken(name, message) for message in value]
            yield from many
        elif name == "input" and isinstance(value, dict):
            yield from read(value)
        elif name == "tools" and (tools := _tools(value)):
            yield Spoken(f"tools: {', '.join(map(_tool_name, tools))}", [])
        elif value not in (None, "", [], {}):
            yield Spoken(name, [Block("", value)])


def render_row(row: Any, template: str, *, shape: str) -> Rendered:
    """Render a row with a template, and say which words get loss.

    Raises:
        DatasetError: no such template, a shape that is not rendered, or the template refuses the row.
    """
    if shape not in TYPES:
        raise DatasetError(f"{shape}: is not rendered; those that are: {', '.join(TYPES)}")
    find_template(template)
    try:
        return (
            _render_whole(row, template) if shape == "messages" else _render_answer(row, template)
        )
    except DatasetError:
        raise
    except Exception as error:  # noqa: BLE001  # a template may raise whatever it likes
        said = " ".join(str(error).split())[:200]
        raise DatasetError(
            f"template {template!r} cannot render this row: {type(error).__name__}: {said}"
        ) from None


def _render_whole(row: Mapping[str, Any], template: str) -> Rendered:
    marked = marked_template(template)
    if marked is None:
        text = str(render(dict(row), template)["text"])
        why = "every word gets loss: this template does not mark what the model wrote"
        return Rendered(template, why, {"text": [Span(text, has_loss=True)]})
    text, marks = render_marked(dict(row), marked)
    spans, at = [], 0
    for start, end in marks:
        spans += [Span(text[at:start], has_loss=False), Span(text[start:end], has_loss=True)]
        at = end
    spans.append(Span(text[at:], has_loss=False))
    why = "the model's words get loss (assistant_only_loss=True in TRL)"
    return Rendered(marked, why, {"text": [span for span in spans if span.text]})


def _render_answer(row: Mapping[str, Any], template: str) -> Rendered:
    given = render(dict(row), template)
    rated = given.pop("label", None)
    told = "" if rated is None else f"; this one is rated {'good' if rated else 'bad'}"
    texts = {name: [Span(str(text), has_loss=name != "prompt")] for name, text in given.items()}
    return Rendered(template, f"what follows the prompt gets loss{told}", texts)


def _rows(dataset: Dataset, export: Export) -> Iterator[Row]:
    if not export.is_file_each:
        yield from (Row(place, value) for place, value in dataset.rows(export))
        return
    for file in export.files:
        yield Row(file["path"], [line for _, line in dataset.rows_of(file["path"])])


def _size(export: Export) -> int:
    return len(export.files) if export.is_file_each else sum(one["rows"] for one in export.files)


def _is_of(row: Any, record: str) -> bool:
    if isinstance(row, list):  # ids of entries begin with the record's
        ids = [line.get("id") for line in row if isinstance(line, dict)]
        return any(record in one for one in ids if isinstance(one, str))
    fields = row if isinstance(row, dict) else {}
    told = [fields, fields.get("metadata"), fields.get("extra")]
    ids = [one.get(name) for one in told if isinstance(one, dict) for name in _IDS]
    return any(one.endswith(record) for one in ids if isinstance(one, str))


def _spoken(name: str, message: Any) -> Spoken:
    """Read a message of any shape: chat, ShareGPT, ATIF, Pi."""
    if not isinstance(message, dict):
        return Spoken(name, [Block("", message)])
    inner = message["message"] if isinstance(message.get("message"), dict) else message
    role = str(inner.get("role") or inner.get("from") or inner.get("source") or "")
    content = inner.get("content", inner.get("value", inner.get("message")))
    rest = {key: value for key, value in inner.items() if key not in _ASIDES}
    thought = rest.pop("reasoning_content", rest.pop("reasoningContent", None))
    calls = [call for key in _CALLS for call in rest.pop(key, None) or ()]
    blocks = [Block("thought", thought)] if thought else []
    blocks += _content(content)
    blocks += [_call(call) for call in calls]
    blocks += [Block(key, value) for key, value in rest.items() if value not in (None, [], {}, "")]
    return Spoken(f"{name} {role}".strip(), blocks)


def _content(content: Any) -> list[Block]:
    if not isinstance(content, list):
        return [Block("", content)] if content not in (None, "") else []
    blocks = []
    for part in content:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind == "text":
            blocks.append(Block("", part.get("text")))
        elif kind == "thinking":
            blocks.append(Block("thought", part.get("thinking")))
        elif kind == "toolCall":
            blocks.append(_call(part))
        else:
            blocks.append(Block(str(kind or "part"), part))
    return blocks


def _call(call: Any) -> Block:
    """Name a call and give its arguments as a value, also where they are a text of JSON."""
    function = call.get("function", call) if isinstance(call, dict) else {}
    name = function.get("name") or function.get("function_name") or "?"
    arguments = function.get("arguments")
    with contextlib.suppress(ValueError):  # shown as the text that it is
        arguments = json.loads(arguments) if isinstance(arguments, str) else arguments
    return Block(f"call {name}", arguments if arguments is not None else call)


def _tools(found: Any) -> list[Any]:
    """Give definitions of tools, also where they are a text of JSON."""
    with contextlib.suppress(ValueError):
        found = json.loads(found) if isinstance(found, str) else found
    return found if isinstance(found, list) else []


def _tool_name(tool: Any) -> str:
    function = tool.get("function", tool) if isinstance(tool, dict) else {}
    return str(function.get("name") or "?") if isinstance(function, dict) else "?"
