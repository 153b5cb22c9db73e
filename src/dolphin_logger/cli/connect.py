"""`dolphin-logger connect` and `disconnect`: change a client's own settings, reversibly."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace

import click

from dolphin_logger.cli.homes import own_home
from dolphin_logger.cli.output import for_person, neutralise, note, say, say_json, say_table
from dolphin_logger.cli.wired import choose_model, is_ours, lasting_url, read_config
from dolphin_logger.errors import DolphinError
from dolphin_logger.journal.home import Home
from dolphin_logger.setup import connection
from dolphin_logger.setup._api import Circumstances, Client, adapted
from dolphin_logger.setup.connection import Change
from dolphin_logger.setup.plan import fill, lacks_key
from dolphin_logger.setup.reading import surroundings
from dolphin_logger.setup.table import CLIENTS, find_client
from dolphin_logger.setup.upstream import example_entry, find_upstreams, serves


@click.command(
    help="Lead CLIENT through the proxy for good: shows what changes in its settings, keeps a backup."
)
@click.argument("client_name", metavar="[CLIENT]", required=False)
@click.option("--model", metavar="NAME", help="Let the client use this model of config.json.")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--list", "list_", is_flag=True, help="List the clients and what is connected.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def connect(
    *,
    client_name: str | None,
    model: str | None,
    dry_run: bool,
    yes: bool,
    list_: bool,
    json_: bool,
) -> None:
    """Show the difference, ask, and write."""
    home = own_home()
    if list_:
        _list(home, json_=json_)
        return
    if client_name is None:
        raise click.UsageError("name a client, or --list")
    client = find_client(client_name)
    given = _circumstances(client, home, model=model)
    if connection.read_receipt(home, client) is not None:
        cure = f"`dolphin-logger disconnect {client.name}` first"
        raise DolphinError(f"{client.title} is connected already: {cure}")
    known = surroundings(client, os.environ)
    upstreams = find_upstreams(client, known, is_ours=is_ours(home))
    changes = connection.plan_connect(client, given)
    applied = _carry_out(changes, dry_run=dry_run, yes=yes, json_=json_) and bool(changes)
    if applied:
        connection.connect(client, home, given, changes)
    if json_:
        say_json(_as_json(client, changes, applied=applied))
    elif applied:
        note(f"connected {client.title}. {fill(client.after, given)}")
        if lacks_key(client, replace(given, environ=known)):
            note(f"{client.title} insists on a key or login of its own, and {model!r} needs none:")
            note(f"where you have none, set {client.dummy} to any word")
        note(f"`dolphin-logger disconnect {client.name}` undoes this")
    elif not changes:
        note(f"{client.title} is set to {given.base} already")
    _say_what_is_missing(client, home, given, upstreams)


@click.command(help="Undo `connect`: the settings of CLIENT become what they were.")
@click.argument("client_name", metavar="CLIENT")
@click.option("--dry-run", is_flag=True, help="Show what would change, and change nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def disconnect(*, client_name: str, dry_run: bool, yes: bool, json_: bool) -> None:
    """Show the difference, ask, and restore."""
    home = own_home()
    client = find_client(client_name)
    receipt = connection.read_receipt(home, client)
    if receipt is None:
        raise DolphinError(
            f"{client.title} is not connected; `dolphin-logger connect --list` says what is"
        )
    changes = connection.plan_disconnect(client, receipt, os.environ)
    applied = _carry_out(changes, dry_run=dry_run, yes=yes, json_=json_)
    if applied:
        connection.disconnect(client, home, changes)
    if json_:
        say_json(_as_json(client, changes, applied=applied))
    for change in changes:
        if change.note:
            kept = f"; as it was before: {change.backup}" if change.backup else ""
            note(f"{change.path}: {change.note}{kept}")
    if applied and not json_:
        note(f"disconnected {client.title}")


def _circumstances(client: Client, home: Home, *, model: str | None) -> Circumstances:
    """Check that a client can be connected so.

    Raises:
        DolphinError: it has no settings to change, or needs a model.
    """
    given = Circumstances(lasting_url(home), os.environ, model=model)
    if not adapted(client, given).edits:
        how = fill(client.by_hand, given) or f"`dolphin-logger run {client.name}`"
        raise DolphinError(f"{client.title} has no settings that can be changed from here: {how}")
    if client.needs_model and model is None:
        raise click.UsageError(f"{client.title} lists its models one by one: add --model NAME")
    if model is None:
        return given
    return replace(given, keyless=not choose_model(client, home, model).passthrough)


def _carry_out(changes: list[Change], *, dry_run: bool, yes: bool, json_: bool) -> bool:
    """Show what changes and say whether to do it; asks at a terminal only."""
    if not json_:
        for change in changes:
            for line in change.diff().splitlines():
                say(neutralise(line))
    if dry_run:
        return False
    if yes or not any(change.changes for change in changes):
        return True
    if json_ or not (for_person() and sys.stdin.isatty()):
        raise click.UsageError("nobody is here to ask: add --yes (or --dry-run)")
    agreed: bool = click.confirm("Change this?", default=True, err=True)
    if not agreed:
        note("nothing is changed")
    return agreed


def _say_what_is_missing(
    client: Client, home: Home, given: Circumstances, upstreams: Mapping[str, str | None]
) -> None:
    """Say which entry config.json lacks so that requests go on to where they went until now."""
    listed: list[dict[str, object]] = [
        {"id": entry.model, "provider": entry.provider} for entry in read_config(home).models
    ]
    for vendor, base in upstreams.items() if given.model is None else ():
        entry = example_entry(vendor) | ({"apiBase": base} if base else {})
        if base is not None:
            note(f"requests of {client.title} went to {base} until now; from now on `models` in")
            note(f"config.json decides: {json.dumps(entry)}")
        elif not serves(listed, vendor):
            note(f"config.json has no entry for the models of {vendor} yet; add to `models`:")
            note(f"  {json.dumps(entry)}")


def _as_json(client: Client, changes: list[Change], *, applied: bool) -> dict[str, object]:
    files = [
        {"path": str(change.path), "diff": change.diff(), "note": change.note or None}
        for change in changes
    ]
    return {"client": client.name, "applied": applied, "files": files}


def _list(home: Home, *, json_: bool) -> None:
    facts = [
        {
            "client": client.name,
            "run": bool(client.variables or client.arguments or client.adapt),
            "connect": bool(adapted(client, Circumstances("", os.environ)).edits),
            "connected": connection.receipt_path(home, client).exists(),
            "tried_with": client.tried_with,
        }
        for client in CLIENTS
    ]
    if json_:
        say_json({"clients": facts})
        return
    words = {True: "yes", False: ""}
    say_table(
        ("client", "run", "connect", "connected", "tried with"),
        [
            (
                row["client"],
                words[bool(row["run"])],
                words[bool(row["connect"])],
                words[bool(row["connected"])],
                row["tried_with"] or "",
            )
            for row in facts
        ],
    )
