"""`dolphin-logger replay`: ask another model what a recorded request asked."""

from __future__ import annotations

import contextlib
import http.client
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import click

from dolphin_logger import providers
from dolphin_logger.cli.again import Again, ask_again
from dolphin_logger.cli.attached import proxy_for_run
from dolphin_logger.cli.homes import home_to_read, own_home
from dolphin_logger.cli.output import neutralise, note, paint, say, say_json
from dolphin_logger.cli.render import render_answer
from dolphin_logger.cli.targets import record_named
from dolphin_logger.cli.wired import Wanted, find_serving, read_config, settled
from dolphin_logger.config import ModelEntry
from dolphin_logger.errors import ConfigError, DolphinError, ProviderError, RecordError
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import SHORTEST_ID, StoredRecord, body, find, raw_bytes
from dolphin_logger.setup._api import Circumstances


@click.command(
    help="Ask another model what the record ID asked, through the proxy. The answer becomes a branch"
    " of the conversation."
)
@click.argument("record_id", metavar="ID")
@click.option("--model", required=True, metavar="NAME", help="A model of config.json.")
@click.option("--stream/--no-stream", default=None, help="Ask for a stream or not; else as it was.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked, and ask nothing.")
@click.option("--json", "json_", is_flag=True, help="Print one JSON object.")
def replay(*, record_id: str, model: str, stream: bool | None, dry_run: bool, json_: bool) -> None:
    """Ask again."""
    home = home_to_read()
    record = record_named(home, record_id)
    again = ask_again(record.fields, _request(record), model=model, stream=stream)
    entry = _choose(home, record, model)
    url = find_serving(home, Wanted({}, Circumstances("", {}, model=model)))
    if dry_run:
        _print_plan(record, again, entry, url=url, json_=json_)
        return
    if home.pause_switch.exists():
        raise DolphinError(
            "recording is paused, so the answer would be lost: `dolphin-logger resume`"
        )
    with _proxy(home, url) as serving:
        answer = _send(serving, again)
        settled(serving)
    _report(home, record, answer, json_=json_)


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back: `record` is the id of the new record."""

    status: int
    record: str
    body: bytes


def _request(record: StoredRecord) -> bytes:
    if record.fields.get("request") is None:
        raise RecordError(f"record {record.id} has no JSON request that could be asked again")
    return raw_bytes(record, "request")


def _choose(home: Home, record: StoredRecord, model: str) -> ModelEntry:
    """Find the entry that will answer, before anything is sent.

    Raises:
        DolphinError: there is none, it has no key of its own, or cannot be asked in this language.
    """
    from dolphin_logger.proxy.destination import choose_dialect
    from dolphin_logger.proxy.routing import Routes

    entry = Routes(read_config(home)).by_name(model)
    choose_dialect(entry, providers.find(entry.provider), dialect=record.fields["dialect"])
    if entry.passthrough:
        raise ConfigError(
            f"{home.config}: `{entry.model}` passes the caller's own key on, and no key is recorded:"
            " add an entry with a key to replay with"
        )
    return entry


@contextlib.contextmanager
def _proxy(home: Home, url: str | None) -> Iterator[str]:
    """Use the proxy that runs, else start one for this question."""
    if url is not None:
        yield url
    elif home != own_home():
        raise DolphinError("this record is the demo's, which does not run: `dolphin-logger demo`")
    else:
        with proxy_for_run({}) as started:
            yield started


def _send(url: str, again: Again) -> _Answer:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "127.0.0.1", address.port)
    headers = {"Host": f"127.0.0.1:{address.port}"} | dict(again.headers)
    try:
        connection.request("POST", again.path, body=again.body, headers=headers)
        response = connection.getresponse()
        made = response.getheader("x-dolphin-id", "")
        try:
            received = response.read()
        except http.client.IncompleteRead as error:
            received = error.partial
        return _Answer(response.status, made, received)
    except (OSError, http.client.HTTPException) as error:
        raise DolphinError(f"the proxy at {url} did not answer: {error!r}") from error
    finally:
        connection.close()


def _report(home: Home, asked: StoredRecord, answer: _Answer, *, json_: bool) -> None:
    """Print the answer, then what went wrong, if something did."""
    try:
        record = find(home, answer.record)
    except RecordError:
        say(neutralise(answer.body.decode("utf-8", "replace"), keep_newlines=True))
        raise DolphinError(
            "the answer was not recorded: a rule of config.json suppresses it"
        ) from None
    failed = record.fields["outcome"] != "completed" or answer.status >= 400
    response = body(record, "response")
    if json_:
        _say_json(asked, record, response)
    elif answer.status < 400:
        for line in render_answer(record, request=body(record, "request"), response=response):
            say(line)
        shown = record.id[-SHORTEST_ID:]
        note(f"dolphin-logger: recorded as {record.id} · dolphin-logger show {shown}")
    if failed:
        raise _failure(record, response)


def _failure(record: StoredRecord, response: Any) -> DolphinError:
    fields = record.fields
    said = _message(response) or (fields["error"] or {}).get("message") or "no answer"
    line = " ".join(str(said).split())
    if fields["outcome"] == "refused":
        return DolphinError(f"{line} (record {record.id})")
    text = f"{fields['provider']} answered {fields['status']}: {line} (record {record.id})"
    return ProviderError(text, status=502, kind="http")


def _message(response: Any) -> str | None:
    """Find the words of an error in any vendor's shape."""
    error = response.get("error") if isinstance(response, dict) else None
    if isinstance(error, dict):
        error = error.get("message")
    return error if isinstance(error, str) else None


def _say_json(asked: StoredRecord, record: StoredRecord, response: Any) -> None:
    kept = ("model", "provider", "provider_model", "status", "outcome", "error", "usage", "timing")
    facts = {name: record.fields[name] for name in kept}
    say_json({"replayed": asked.id, "record": record.id, **facts, "response": response})


def _print_plan(
    record: StoredRecord, again: Again, entry: ModelEntry, *, url: str | None, json_: bool
) -> None:
    headers = {name: value.decode() for name, value in again.headers.items()}
    facts = {
        "record": record.id,
        "proxy": url,
        "path": again.path,
        "headers": headers,
        "bytes": len(again.body),
        "provider": entry.provider,
        "provider_model": entry.provider_model,
    }
    if json_:
        say_json(facts)
        return
    say(f"POST {neutralise(again.path)} of {len(again.body):,} bytes")
    for name, text in headers.items():
        say(f"{paint(f'{name}:', bold=True)} {neutralise(text)}")
    who = f"{entry.provider}, {entry.provider_model or entry.model}"
    where = url or "a proxy that would be started for it"
    note(f"to {where}, which asks {who}; nothing was sent")
