"""`dolphin-logger run`: start a client that goes through the proxy, and say what was recorded.

It sets variables and arguments of that one process; no file of the client's is touched.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import replace

import click

from dolphin_logger import config as configuration
from dolphin_logger.cli.attached import proxy_for_run
from dolphin_logger.cli.homes import own_home
from dolphin_logger.cli.output import note, say, say_json
from dolphin_logger.cli.wired import Wanted, choose_model, find_serving, is_ours, settled
from dolphin_logger.errors import DolphinError
from dolphin_logger.journal.follower import Follower
from dolphin_logger.journal.home import Home
from dolphin_logger.setup._api import Circumstances, Client, Plan
from dolphin_logger.setup.child import clean_environ, run_child
from dolphin_logger.setup.plan import fill, make_plan
from dolphin_logger.setup.program import find_program
from dolphin_logger.setup.reading import surroundings
from dolphin_logger.setup.recorded import count_run
from dolphin_logger.setup.sdks import ANY
from dolphin_logger.setup.table import client_of_program, find_client
from dolphin_logger.setup.upstream import find_upstreams

_COMMAND = "dolphin_logger.command"
_STARTED = "http://127.0.0.1:PORT"
_NOWHERE = Circumstances("http://127.0.0.1:5001", {})


class _Run(click.Command):
    """Keeps what stands behind `--` apart: it is the client's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Split at the first `--`."""
        at = args.index("--") if "--" in args else len(args)
        ctx.meta[_COMMAND] = args[at + 1 :]
        try:
            return super().parse_args(ctx, args[:at])
        except click.UsageError as error:
            hint = "(the client's own arguments go behind `--`)"
            raise click.UsageError(f"{error.format_message()} {hint}", ctx) from error


@click.command(
    cls=_Run,
    help="Run CLIENT through the proxy, with ARGS of its own: `run claude -- -p hello`. Without CLIENT,"
    " any command: `run -- python my.py`. A proxy is started for it when none serves it.",
    options_metavar="[OPTIONS]",
)
@click.argument("client_name", metavar="[CLIENT] [-- ARGS]", required=False)
@click.option("--model", metavar="NAME", help="Let the client use this model of config.json.")
@click.option("--dry-run", is_flag=True, help="Print what would be set, and run nothing.")
@click.option("--json", "json_", is_flag=True, help="With --dry-run: print one JSON object.")
@click.pass_context
def run(
    ctx: click.Context, *, client_name: str | None, model: str | None, dry_run: bool, json_: bool
) -> None:
    """Run one client and return its exit code."""
    if json_ and not dry_run:
        raise click.UsageError("--json needs --dry-run: the output is the client's")
    client, program, own = _read_command(client_name, ctx.meta[_COMMAND])
    home = own_home()
    if not dry_run:
        _greet(home)
    wanted = _want(client, home, model=model)
    tag = secrets.token_hex(4)
    if dry_run:
        url = find_serving(home, wanted)
        plan = make_plan(client, _shown(client, wanted.at(f"{url or _STARTED}/c/{tag}")), own=own)
        _print_plan(plan, [program, *own], json_=json_)
        if url is None:
            note(f"a proxy would be started for it{_describe(wanted)}")
        return
    since = Follower(home)
    with _proxy(wanted, home) as url:
        plan = make_plan(client, wanted.at(f"{url}/c/{tag}"), own=own)
        for text in plan.notes:
            note(f"dolphin-logger: {text}")
        environ = clean_environ(plan.variables, plan.removed)
        code = run_child([program, *plan.arguments, *own], environ)
        settled(url)
    _report(client, home, since, tag=tag)
    ctx.exit(code)


def _read_command(name: str | None, rest: Sequence[str]) -> tuple[Client, str, list[str]]:
    """Find out which client is meant, its program, and its own arguments."""
    if name is not None:
        client = find_client(name)
        if client.programs:
            return client, find_program(client, os.environ), list(rest)
        if not client.variables:
            other = f"`connect {client.name}`" if client.edits else fill(client.by_hand, _NOWHERE)
            raise DolphinError(f"{client.title} cannot be started by `run`: {other}")
        if not rest:
            raise click.UsageError(f"{client.title} needs a command: run {name} -- python my.py")
        return client, rest[0], list(rest[1:])
    if not rest:
        raise click.UsageError("name a client, or a command behind `--`")
    client = client_of_program(rest[0])
    return client, rest[0], list(rest[1:])


def _want(client: Client, home: Home, *, model: str | None) -> Wanted:
    known = surroundings(client, os.environ)
    upstreams = find_upstreams(client, known, is_ours=is_ours(home))
    if model is None:
        return Wanted(upstreams, Circumstances("", known))
    entry = choose_model(client, home, model)
    given = Circumstances("", known, model=model, keyless=not entry.passthrough)
    return Wanted(upstreams if entry.passthrough else {}, given)


@contextlib.contextmanager
def _proxy(wanted: Wanted, home: Home) -> Iterator[str]:
    """Use a proxy that runs and serves this client, else start one for as long as it runs."""
    url = find_serving(home, wanted)
    if url is not None:
        yield url
        return
    with proxy_for_run(wanted.upstreams) as url:
        yield url


def _greet(home: Home) -> None:
    """Tell a newcomer what is kept; the proxy's own words go nowhere."""
    if not home.config.exists():
        home.prepare()
        configuration.create_template(home.config)
        note(f"dolphin-logger: what passes is recorded in {home.logs}, readable by you alone;")
        note("dolphin-logger: `dolphin-logger pause` stops that. No key is recorded.")


def _report(client: Client, home: Home, since: Follower, *, tag: str) -> None:
    """Print the one line at the end."""
    found = count_run(since, run=tag)
    if found.newest is None:
        paused = home.pause_switch.exists()
        why = (
            "recording is paused, `dolphin-logger resume` ends that"
            if paused
            else f"{client.title} asked no model, did not use the proxy, or a rule suppresses it"
        )
        note(f"dolphin-logger: recorded nothing: {why}")
        return
    details = [_count(found.sessions, "session")] if found.sessions else []
    details += [f"{found.failed} failed"] if found.failed else []
    brackets = f" ({', '.join(details)})" if details else ""
    whose = "" if client is ANY else f" of {client.name}"
    what = f"recorded {_count(found.exchanges, 'exchange')}{whose}{brackets}"
    show = f"dolphin-logger show {found.newest[-8:]}"
    note(f"dolphin-logger: {what} · {show} · dolphin-logger ls")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def _shown(client: Client, given: Circumstances) -> Circumstances:
    """Leave out what the user has in variables that we extend: keys may stand there."""
    kept = {name: text for name, text in given.environ.items() if name not in client.variables}
    return replace(given, environ=kept)


def _describe(wanted: Wanted) -> str:
    passed = [
        f"{vendor} at {base or 'its own address'}" for vendor, base in wanted.upstreams.items()
    ]
    return f", which passes your own credentials on to {', '.join(passed)}" if passed else ""


def _print_plan(plan: Plan, command: Sequence[str], *, json_: bool) -> None:
    arguments = [command[0], *plan.arguments, *command[1:]]
    if json_:
        say_json(
            {
                "set": dict(plan.variables),
                "unset": list(plan.removed),
                "command": arguments,
                "notes": list(plan.notes),
            }
        )
        return
    for name in plan.removed:
        say(f"unset {name}")
    for name, text in plan.variables.items():
        say(f"{name}={shlex.quote(text)}")
    say(shlex.join(arguments))
    for text in plan.notes:
        note(text)
