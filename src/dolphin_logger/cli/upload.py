"""`dolphin-logger upload`, and `--upload`: review a dataset, confirm its bytes, propose it to the Hub."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import click

from dolphin_logger.cli.homes import own_home
from dolphin_logger.cli.output import for_person, note, say, say_json
from dolphin_logger.journal.home import Home

if TYPE_CHECKING:  # the Hub's library is imported when the command runs
    from dolphin_logger.cli.publishing import Prepared
    from dolphin_logger.publish.built import Built

_UNCONFIRMED = 6


@click.command(
    help="Publish to the Hugging Face Hub: a draft pull request with exactly what you confirm."
)
@click.option(
    "--repo", metavar="OWNER/NAME", help="Where to [huggingface_repo, else the original's]."
)
@click.option(
    "--dataset", "datasets", multiple=True, metavar="NAME", help="Which [all that were built]."
)
@click.option(
    "--format", "format_", type=click.Choice(["log"]), help="Requests and answers, redacted."
)
@click.option("--confirm", metavar="sha256:…", help="Say yes to exactly these bytes.")
@click.option("--create", is_flag=True, help="Make the repository, private, if it is not there.")
@click.option("--public", is_flag=True, help="With --create: make it public.")
@click.option("--license", "license_", help="Of what you publish; asked once and remembered.")
@click.option(
    "--language", "languages", multiple=True, metavar="CODE", help="For the card: en, de, …"
)
@click.option("--no-check-others", is_flag=True, help="Do not scan other contributors' rows.")
@click.option("--dry-run", is_flag=True, help="Show the review and end; change nothing anywhere.")
@click.option("--patience", type=click.FloatRange(min=1), default=120.0, show_default=True,
              help="Seconds without progress after which a transfer is started again.")  # fmt: skip
@click.option(
    "--json", "json_", is_flag=True, help="Print JSON: the review, then the pull request."
)
def upload(
    *,
    repo: str | None,
    datasets: tuple[str, ...],
    format_: str | None,
    confirm: str | None,
    create: bool,
    public: bool,
    json_: bool,
    **how: Any,
) -> None:
    """Publish."""
    from dolphin_logger.cli import publishing
    from dolphin_logger.publish.changes import read_digest

    confirmed = read_digest(confirm) if confirm else None
    if public and not create:
        raise click.UsageError("--public goes with --create; an existing repository stays as it is")
    home = own_home()
    target = publishing.find_target(home, repo, will_create=create, public=public)
    if format_ == "log":
        built = publishing.build_for_upload(home, "sft", exports=("log",))
    else:
        built = publishing.datasets_to_publish(home, datasets) or publishing.build_for_upload(
            home, "sft"
        )

    license_ = publishing.settle_license(home, target, how["license_"], built)

    def prepare(of: Built) -> Prepared:
        return publishing.prepare(
            home,
            target,
            of,
            license_=license_,
            languages=how["languages"],
            check_others=not how["no_check_others"],
        )

    send(
        home,
        prepare(built),
        again=lambda: prepare(publishing.rebuild(home, built)),
        confirmed=confirmed,
        dry_run=how["dry_run"],
        command=[
            "upload",
            *(f"--dataset={name}" for name in datasets),
            *(["--format=log"] if format_ else []),
            *(f"--language={code}" for code in how["languages"]),
            *(["--no-check-others"] if how["no_check_others"] else []),
        ],
        patience=how["patience"],
        is_public=public,
        json_=json_,
    )


def send(  # noqa: PLR0913 -- what was asked for, and how
    home: Home,
    prepared: Prepared,
    *,
    again: Callable[[], Prepared],
    confirmed: str | None,
    command: Sequence[str],
    dry_run: bool = False,
    patience: float = 120.0,
    is_public: bool = False,
    json_: bool = False,
) -> None:
    """Show what is staged, have it confirmed, bring it to the Hub; the last line is the address.

    `command` is what was called, with all that decides what is staged: whoever confirms calls it again.
    """
    from dolphin_logger.cli import publishing
    from dolphin_logger.cli.progress import progress

    if not prepared.staged.changes:
        _nothing(home, prepared, json_=json_)
        return
    agreed = _confirmed(
        home, prepared, again, confirmed, command=command, dry_run=dry_run, json_=json_
    )
    if agreed is None:
        return
    size = agreed.staged.changes.size
    with progress("sending", length=size) as advance:
        url = publishing.deliver(
            home, agreed, advance=advance, patience=patience, is_public=is_public
        )
    if json_:
        say_json({"pull_request": url, "digest": agreed.review.digest})
    else:
        say(url)


def _confirmed(
    home: Home,
    prepared: Prepared,
    again: Callable[[], Prepared],
    confirmed: str | None,
    *,
    command: Sequence[str],
    dry_run: bool,
    json_: bool,
) -> Prepared | None:
    """Give what was confirmed; None for a dry run; end with 6 where nobody said yes."""
    from dolphin_logger.cli.reviewing import say_review

    while True:
        review = prepared.review
        if confirmed != review.digest or dry_run:
            if json_:
                say_json({"review": review.to_json()})
            else:
                target = prepared.target
                say_review(review, source=target.source, is_new=not target.is_there)
        if dry_run:
            return None
        if confirmed == review.digest:
            return prepared
        if confirmed is not None:
            note(
                f"error: --confirm {confirmed}: that is not what would go up now; look again above"
            )
        if confirmed is not None or not for_person() or json_:
            note(f"nothing was sent. To publish exactly this: {_line(prepared, command)}")
            raise click.exceptions.Exit(_UNCONFIRMED)
        text = _ask(prepared)
        while text is not None and not _redact(home, prepared, text):
            text = _ask(prepared)
        if text is None:
            return prepared
        prepared = again()


def _ask(prepared: Prepared) -> str | None:
    """Ask for the yes, the first digits of the hash: None; or for a text that must go; else end with 6."""
    name = prepared.review.repository
    digits = prepared.review.digest.removeprefix("sha256:")[:6]
    note(
        f"type {digits} to propose exactly this to {name}; `redact TEXT` to take a text out and build again; Enter for no"
    )
    said = str(
        click.prompt(">", default="", show_default=False, prompt_suffix=" ", err=True)
    ).strip()
    if said == digits:
        return None
    if said.startswith("redact ") and said[7:].strip():
        return said[7:].strip()
    note("nothing was sent")
    raise click.exceptions.Exit(_UNCONFIRMED)


def _redact(home: Home, prepared: Prepared, text: str) -> bool:
    """Mark a text in every conversation that shows it; say whether there was one."""
    from dolphin_logger.journal.labels import LabelWriter
    from dolphin_logger.publish.review import holding

    found = list(holding(prepared.staged, text))
    if not found:
        note("no new row shows that text")
        return False
    writer = LabelWriter(home)
    try:
        for conversation in found:
            writer.write(conversation, "redact", {"text": text})
    finally:
        writer.close()
    plural = "" if len(found) == 1 else "s"
    note(f"marked in {len(found)} conversation{plural}; building again")
    return True


def _nothing(home: Home, prepared: Prepared, *, json_: bool) -> None:
    from dolphin_logger.cli import publishing

    urls = publishing.waiting_urls(home, prepared.target)
    if json_:
        say_json({"pull_request": urls[-1] if urls else None, "new": 0})
        return
    note(
        f"nothing new for {prepared.review.repository}: {prepared.review.known:,} rows are there or under way"
    )
    for url in urls:
        say(url)


def _line(prepared: Prepared, command: Sequence[str]) -> str:
    target = prepared.target
    create = (
        "" if target.is_there else (" --create" if target.remote.private else " --create --public")
    )
    called = shlex.join(command)
    return f"dolphin-logger {called} --repo {target.remote.name}{create} --confirm {prepared.review.digest}"
