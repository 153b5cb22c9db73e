"""`dolphin-logger dataset preview`: rows as a person reads them, or as a template renders them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from dolphin_logger.cli.blocks import INDENT, LINE, block, heading, pretty, url_note
from dolphin_logger.cli.homes import own_home
from dolphin_logger.cli.output import in_colour, neutralise, note, paint, say, say_json

if TYPE_CHECKING:
    from dolphin_logger.curate.preview import Block, Rendered, Row, Span, Spoken


@click.command(
    short_help="Show rows, also as a chat template renders them.",
    help="Show rows of a dataset: NAME, or its FOLDER; the newest without one.\n\n"
    "With --template as that model's chat template renders them; the words that get loss are in "
    "colour, or stand in «…» where there are no colours.",
)
@click.argument("name", required=False, metavar="[NAME|FOLDER]")
@click.option("--export", "export_name", help="Which shape [the first].")
@click.option("--row", type=click.IntRange(1), help="From which row on [1].")
@click.option("--record", help="Rows of this record or conversation, by the end of its id.")
@click.option("--count", type=click.IntRange(1), default=1, show_default=True, help="How many.")
@click.option("--template", help="Of TRL's templates (qwen3, gemma3 …), or a .jinja file.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def preview(
    *,
    name: str | None,
    export_name: str | None,
    row: int | None,
    record: str | None,
    count: int,
    template: str | None,
    json_: bool,
) -> None:
    """Show rows."""
    from dolphin_logger.curate import preview as previewing
    from dolphin_logger.curate.check import find_dataset

    if row and record:
        raise click.UsageError("give --row or --record, not both")
    dataset = find_dataset(own_home(), name)
    export = previewing.find_export(dataset, export_name)
    found = (
        previewing.rows_of(dataset, export, record, count=count)
        if record
        else previewing.rows_from(dataset, export, row or 1, count=count)
    )
    shown = [
        (one, previewing.render_row(one.value, template, shape=export.name) if template else None)
        for one in found
    ]
    if json_:
        rows = [_to_json(one, rendered) for one, rendered in shown]
        say_json({"dataset": dataset.manifest.name, "export": export.name, "rows": rows})
        return
    for one, rendered in shown:
        note(one.place)
        lines = _read(previewing.read(one.value)) if rendered is None else _rendered(rendered)
        for line in lines:
            say(line)


def _read(row: Iterator[Spoken]) -> Iterator[str]:
    for spoken in row:
        yield heading(neutralise(spoken.heading))
        for one in spoken.blocks:
            yield from _block(one)


def _block(one: Block) -> Iterator[str]:
    text = url_note(one.value) if isinstance(one.value, str) else pretty(one.value)
    if not one.title:
        yield from block(text, depth=1)
        return
    title = paint(neutralise(one.title), "cyan")
    if "\n" not in text and len(text) <= LINE:
        yield f"{INDENT}{title}: {neutralise(text)}"
        return
    yield f"{INDENT}{title}:"
    yield from block(text, depth=2)


def _rendered(rendered: Rendered) -> Iterator[str]:
    yield heading(f"template {neutralise(rendered.template)}")
    for name, spans in rendered.texts.items():
        yield heading(neutralise(name))
        text = "".join(map(_span, spans))
        yield from (f"{INDENT}{line}" for line in text.split("\n"))
    yield heading("loss")
    yield f"{INDENT}{rendered.trained:,} of {rendered.size:,} characters: {rendered.why}"


def _span(span: Span) -> str:
    text = neutralise(span.text, keep_newlines=True)
    if not span.has_loss or not text:
        return text
    if not in_colour():
        return f"«{text}»"
    return "\n".join(paint(line, "green") if line else line for line in text.split("\n"))


def _to_json(one: Row, rendered: Rendered | None) -> dict[str, Any]:
    fields: dict[str, Any] = {"place": one.place, "row": one.value}
    if rendered is not None:
        fields["rendered"] = {
            "template": rendered.template,
            "why": rendered.why,
            "characters": rendered.size,
            "characters_with_loss": rendered.trained,
            "texts": {
                name: [{"text": span.text, "loss": span.has_loss} for span in spans]
                for name, spans in rendered.texts.items()
            },
        }
    return fields
