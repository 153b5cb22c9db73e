"""The plan: what one client gets for one run, out of the table and the circumstances.

Pure: environment in, variables and arguments out. It knows neither processes nor files.
Invariant: a key or login of the user's is never replaced; a dummy is set only where there is none
and none is needed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dolphin_logger.setup._api import Circumstances, Client, Plan, Template

DUMMY = "dolphin-logger"
_LOOPBACK = ("127.0.0.1", "localhost")


def make_plan(client: Client, given: Circumstances, *, own: Sequence[str] = ()) -> Plan:
    """Work out what a client gets; `own` are the arguments that the user gives it."""
    if client.adapt is not None:
        client = client.adapt(client, given)
    variables = dict(client.variables)
    arguments = client.arguments
    if given.model is not None:
        variables |= client.model_variables
        arguments += client.model_arguments
        if _lacks_key(client, given):
            variables[client.dummy] = DUMMY
    notes = [*_notes(client, given)]
    words = fill_words(variables, given)
    filled = [
        write(part, given, environment=words if _is_environment(part) else None)
        for part in arguments
    ]
    if clash := next((flag for flag in client.yields_to if _has(flag, own)), None):
        notes.append(f"your own {clash} stays, ours is left out: the variables may not suffice")
        filled = _without(clash, filled)
    return Plan(
        words | extend_no_proxy(given.environ),
        tuple(name for name in client.removed if name in given.environ),
        tuple(filled),
        {
            name: write(value, given)
            for name, value in client.files.items()
            if not given.environ.get(name)
        },
        tuple(notes),
    )


def fill_words(templates: Mapping[str, Template], given: Circumstances) -> dict[str, str]:
    """Fill templates of variables."""
    return {name: write(value, given) for name, value in templates.items()}


def fill(template: Template, given: Circumstances) -> Any:
    """Put addresses and names into a template; objects and lists keep their shape."""
    if isinstance(template, str):
        text = template.replace("{origin}", given.base).replace("{v1}", given.base + "/v1")
        return text.replace("{model}", given.model or "")
    if isinstance(template, Mapping):
        return {fill(key, given): fill(value, given) for key, value in template.items()}
    if isinstance(template, tuple):
        return [fill(value, given) for value in template]
    return template


def write(
    template: Template, given: Circumstances, *, environment: Mapping[str, str] | None = None
) -> str:
    """Fill a template as text; what is no string becomes JSON."""
    value = fill(template, given)
    if environment is not None:
        value = value | {"env": dict(environment)}
    return value if isinstance(value, str) else json.dumps(value)


def extend_no_proxy(environ: Mapping[str, str]) -> dict[str, str]:
    """Let the client reach loopback without the proxy that the network may need."""
    result = {}
    for name in ("NO_PROXY", "no_proxy"):
        listed = [part.strip() for part in environ.get(name, "").split(",") if part.strip()]
        missing = [host for host in _LOOPBACK if host not in listed]
        if missing and "*" not in listed:
            result[name] = ",".join([*listed, *missing])
    return result


def without_run(given: Circumstances, *, base: str) -> Circumstances:
    """Give the same circumstances at another address."""
    return replace(given, base=base)


def _is_environment(part: Template) -> bool:
    return isinstance(part, Mapping) and "env" in part


def _lacks_key(client: Client, given: Circumstances) -> bool:
    has = any(given.environ.get(name) for name in client.key_variables)
    return given.keyless and bool(client.dummy) and not has


def _notes(client: Client, given: Circumstances) -> list[str]:
    notes = [
        f"{name} is set: {client.title} then talks to another service and is not recorded"
        for name in client.bypassed_by
        if given.environ.get(name, "") not in ("", "0", "false")
    ]
    if given.model is not None and _lacks_key(client, given):
        notes.append(f"{client.dummy} gets a word without meaning: {given.model!r} needs no key")
    if given.model is not None and not (client.model_variables or client.model_arguments):
        notes.append(f"{client.title} takes its model elsewhere: choose {given.model!r} there")
    return notes


def _has(flag: str, arguments: Sequence[str]) -> bool:
    return any(argument == flag or argument.startswith(f"{flag}=") for argument in arguments)


def _without(flag: str, arguments: list[str]) -> list[str]:
    if flag not in arguments:
        return arguments
    index = arguments.index(flag)
    return arguments[:index] + arguments[index + 2 :]
