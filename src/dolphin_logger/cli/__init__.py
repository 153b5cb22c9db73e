"""The command line: the table of commands, and the border where errors become exit codes.

A command's file is imported when it runs; `--help` needs only this table. It knows no room of the
program. Invariant: a known error is one line on stderr; a traceback means a defect of ours, and
never shows the values of variables.
"""

from __future__ import annotations

import errno
import importlib
import sys
from collections.abc import Callable
from typing import Any

import click

from dolphin_logger._version import __version__
from dolphin_logger.errors import ConfigError, DolphinError, HubError, LeakError, ProviderError

INTERRUPTED = 130
# what the machine says, wherever it happens: the disk is full or read-only, or not ours
_MACHINE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM}
COMMANDS = {  # name: (where it is, what it does), in the order of the help
    "serve": ("cli.serve:serve", "Start the recording proxy (also without any command)."),
    "demo": ("cli.demo:demo", "Try everything without a key and without a network."),
    "run": ("cli.run:run", "Run a client through the proxy: `run claude`."),
    "env": ("cli.env:env", "Print the variables that lead clients through the proxy."),
    "connect": ("cli.connect:connect", "Lead a client through the proxy for good, reversibly."),
    "disconnect": ("cli.connect:disconnect", "Undo `connect`."),
    "init": ("cli.init:init", "Create config.json."),
    "config": ("cli.config:config", "Show where config.json is, check it, print its schema."),
    "ls": ("cli.ls:ls", "List conversations, the latest first."),
    "show": ("cli.show:show", "Show a conversation, or one record in full."),
    "open": ("cli.open:open_page", "Open a conversation in the browser."),
    "replay": ("cli.replay:replay", "Ask another model what a record asked."),
    "search": ("cli.search:search_messages", "Search what was said."),
    "tail": ("cli.tail:tail", "Show the latest records; -f waits for more."),
    "stats": ("cli.stats:stats", "Count records, tokens, cost and bytes."),
    "rate": ("cli.label:rate", "Rate a record from 1 (bad) to 5 (good)."),
    "tag": ("cli.label:tag", "Add tags to a record, or take them off."),
    "note": ("cli.label:note", "Write a note about a record."),
    "edit": ("cli.label:edit", "Write a better version of one of its messages."),
    "keep": ("cli.label:keep", "Mark a record as worth keeping."),
    "drop": ("cli.label:drop", "Mark a record as not for a dataset."),
    "prefer": ("cli.label:prefer", "Say which of two answers is the better one."),
    "redact": ("cli.label:redact", "Mark text of a record that must not leave."),
    "undo": ("cli.label:undo", "Take back one label."),
    "rm": ("cli.rm:rm", "Remove records for ever."),
    "import": ("cli.import_:import_", "Bring in sessions that other programs wrote."),
    "watch": ("cli.watch:watch", "Keep bringing them in, before their own clean-up."),
    "service": ("cli.service:service_", "Start proxy and watch with your session."),
    "dataset": ("cli.dataset:dataset", "Make datasets of what was recorded."),
    "status": ("cli.status:status", "Say what is running and whether it records."),
    "stop": ("cli.stop:stop", "End the running proxies, after their open answers."),
    "pause": ("cli.pause:pause", "Stop recording; requests still go through."),
    "resume": ("cli.pause:resume", "Record again."),
    "seal": ("cli.seal:seal", "Compress closed segments."),
    "index": ("cli.index:index", "Say how the index is doing; make it anew."),
    "backup": ("cli.backup:backup", "Copy the home into one file, or restore it."),
    "version": ("cli.version:version", "Print the version."),
    "upload": ("cli.upload:upload", "Publish: review, confirm, a draft pull request."),
}
_ALIASES = {"server": "serve"}  # the original's name
_OWN_OPTIONS = {"-h", "--help", "-V", "--version"}


class LazyGroup(click.Group):
    """Commands by name from the table; nothing of them is imported before one is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the file of one command."""
        entry = COMMANDS.get(_ALIASES.get(cmd_name, cmd_name))
        if entry is None:
            return None
        module, attribute = entry[0].split(":")
        command = getattr(importlib.import_module(f"dolphin_logger.{module}"), attribute)
        if not isinstance(command, click.Command):
            raise TypeError(f"{entry[0]} is not a command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table, not the commands' own help, which would import them all."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, help_line) for name, (_, help_line) in COMMANDS.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the bare command and its options as `serve`: `dolphin-logger --port 5002`."""
        if not args or (args[0].startswith("-") and args[0] not in _OWN_OPTIONS):
            args = ["serve", *args] if args[:1] != ["--upload"] else ["upload", *args[1:]]
        return super().parse_args(ctx, args)

    def _run(self, *args: Any, **extra: Any) -> Any:
        run: Callable[..., Any] = super().main  # its overloads do not take what is passed on
        return run(*args, standalone_mode=False, **extra)

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run, and translate what goes wrong into one line and an exit code."""
        try:
            code = self._run(*args, **extra)
        except click.exceptions.Exit as stop:
            code = stop.exit_code
        except click.Abort:
            code = INTERRUPTED
        except click.ClickException as error:
            error.show()
            code = error.exit_code
        except DolphinError as error:
            code = _report(error)
        except Exception as error:
            if isinstance(error, OSError) and error.errno in _MACHINE:
                where = f"{error.filename}: " if error.filename else ""
                code = _report(DolphinError(f"{where}{error.strerror}"))
            else:
                # file, line and code, but no values of variables, which may be secrets
                import logging

                logging.getLogger("dolphin_logger").critical(
                    "a defect of dolphin-logger:", exc_info=True
                )
                code = 1
        if not standalone_mode:
            return code
        sys.exit(code if isinstance(code, int) else 0)


def _report(error: DolphinError) -> int:
    from dolphin_logger.cli.output import neutralise

    click.echo(f"error: {neutralise(str(error), keep_newlines=True)}", err=True)
    if isinstance(error, ConfigError):
        return 3
    if isinstance(error, LeakError):
        return 6
    if isinstance(error, HubError):
        return _exit_of(error.status)
    return 5 if isinstance(error, ProviderError) else 1


def _exit_of(status: int | None) -> int:
    """Give the exit code for what the Hub answered; None: nothing."""
    if status in (401, 403):
        return 4
    return 5 if status is None or status == 429 or status >= 500 else 1


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Without a command the proxy starts: see `dolphin-logger serve --help`.",
)
@click.version_option(__version__, "-V", "--version", message="dolphin-logger %(version)s")
def main() -> None:
    """Record your conversations with any language model."""
