"""`dolphin-logger demo`: the whole loop offline, in a home of its own, with the built-in model.

It talks to the proxy as any client would, over HTTP on loopback; records are written by the proxy
itself, and the dataset by the same build as any other.
"""

from __future__ import annotations

import http.client
import json
import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from dolphin_logger.cli.homes import demo_home
from dolphin_logger.cli.serve import run_proxy
from dolphin_logger.errors import DolphinError
from dolphin_logger.journal.home import Home

if TYPE_CHECKING:
    from dolphin_logger.curate.manifest import Manifest

_WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Look up the weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
_DEFAULT_PORT = 5001


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), help="Port to listen on [5001, or a free one]."
)
@click.option("--once", is_flag=True, help="Record the chats, print where they lie, and exit.")
def demo(port: int | None, *, once: bool) -> None:
    """Record three chats with the built-in model: no key, no network."""
    logging.basicConfig(
        level=logging.WARNING, format="%(levelname)s %(message)s", stream=sys.stderr
    )
    home = demo_home()
    failures: list[BaseException] = []

    def ready(url: str, stop: Callable[[], object]) -> None:
        visitor = threading.Thread(
            target=_visit, args=(url, home, stop if once else None, failures), daemon=True
        )
        visitor.start()

    run_proxy(home, host=None, port=_choose_port() if port is None else port, ready=ready)
    if failures and isinstance(failures[0], DolphinError):
        raise failures[0]
    if failures:
        raise DolphinError(
            f"the demo could not talk to its own proxy: {failures[0]!r}"
        ) from failures[0]


def _visit(
    url: str, home: Home, stop: Callable[[], object] | None, failures: list[BaseException]
) -> None:
    """Have the chats and say what became of them; ends the proxy if it is to run only once."""
    try:
        ids = [_ask(url, request) for request in _chats(lambda request: _answer(url, request))]
        _report(url, home, ids, serving=stop is None)
    except (OSError, ValueError, KeyError, http.client.HTTPException, DolphinError) as error:
        failures.append(error)
        if stop is None:
            click.echo(f"error: the demo did not come to its end: {error!r}", err=True)
    finally:
        if stop is not None:
            stop()


def _chats(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> Iterable[dict[str, Any]]:
    """Yield the requests of three chats: several turns, reasoning, parallel tool calls."""
    yield _request([_user("How do I read a file line by line in Python?")])
    question = _user("Think step by step: is 2027 a prime number?")
    yield _request([question], stream=True, reasoning_effort="medium")
    asked = _request(
        [_user("What is the weather in Paris and in London?")], stream=True, tools=[_WEATHER]
    )
    yield asked
    message = answer({**asked, "stream": False})["choices"][0]["message"]
    results = [
        {
            "role": "tool",
            "tool_call_id": call["id"],
            "content": json.dumps({"celsius": 14 + 3 * number}),
        }
        for number, call in enumerate(message.get("tool_calls") or [])
    ]
    yield _request([*asked["messages"], message, *results], stream=True, tools=[_WEATHER])


def _request(messages: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
    return {"model": "demo", "messages": messages, **more}


def _user(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _ask(url: str, request: dict[str, Any]) -> str:
    """Make one request, read its answer to the end, return the id of its record."""
    _, record_id = _post(url, request)
    return record_id


def _answer(url: str, request: dict[str, Any]) -> dict[str, Any]:
    """Ask for what the stream has said, as one object, without recording it twice."""
    body, _ = _post(url, request, headers={"x-no-log": "true"})
    answer: dict[str, Any] = json.loads(body)
    return answer


def _post(
    url: str, request: dict[str, Any], headers: dict[str, str] | None = None
) -> tuple[bytes, str]:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "127.0.0.1", parts.port, timeout=60)
    try:
        connection.request(
            "POST",
            "/v1/chat/completions",
            json.dumps(request),
            {
                "content-type": "application/json",
                "user-agent": "dolphin-logger-demo",
                **(headers or {}),
            },
        )
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise ValueError(body.decode(errors="replace"))
        return body, response.headers["x-dolphin-id"]
    finally:
        connection.close()


def _report(url: str, home: Home, ids: list[str], *, serving: bool) -> None:
    """Print, on stdout, what was recorded, what was made of it, and how to look at both."""
    lines = [f"{len(ids)} exchanges of three chats recorded in {home.logs}"]
    lines += [f"  {record_id[-8:]}" for record_id in ids]
    lines += ["", "Look at them:", "  dolphin-logger ls", f"  dolphin-logger show {ids[2][-8:]}"]
    dataset = _build(home)
    first = next(file["path"] for file in dataset.fields["exports"][0]["files"])
    lines += [
        "",
        f"{dataset.rows} conversations as a dataset, which will never be published:",
        f"  {dataset.folder / first}",
        "",
        "Make your own, of what you recorded:",
        "  dolphin-logger dataset build",
    ]
    if serving:
        body = json.dumps(_request([_user("Hello!")], stream=True))
        lines += [
            "",
            "Talk to it:",
            f"  curl {url}/v1/chat/completions -H 'content-type: application/json' -d '{body}'",
        ]
    click.echo("\n".join(lines))


def _build(home: Home) -> Manifest:
    """Build a dataset of the built-in model's answers."""
    from dolphin_logger.cli.building import build_dataset
    from dolphin_logger.curate.recipes import find_recipe

    recipe = find_recipe("sft").recipe
    recipe = replace(recipe, selection=replace(recipe.selection, demo=True))
    return build_dataset(home, recipe, name="demo", out=None, workers=1)


def _choose_port() -> int:
    """Take the usual port if it is free."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", _DEFAULT_PORT))
        except OSError:
            return 0
    return _DEFAULT_PORT
