"""The plan: what one client gets for one run, out of the table and the circumstances.

Pure: environment in, variables and arguments out. It knows neither processes nor files.
Invariant: a key or login of the user's is never replaced; a dummy is set only where there is none
and none is needed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from dolphin_logger.setup._api import Circumstances, Client, Plan, Template, adapted

DUMMY = "dolphin-logger"  # a word in the place of a key that nobody needs
VARIABLES = "{variables}"  # a template that stands for an object of all variables
_LOOPBACK = ("127.0.0.1", "localhost")


def make_plan(client: Client, given: Circumstances, *, own: Sequence[str] = ()) -> Plan:
    """Work out what a client gets; `own` are the arguments that the user gives it."""
    client = adapted(client, given)
    variables = _variables(client, given)
    templates = client.arguments
    if given.model is not None:
        templates += client.model_arguments
    arguments = [write(template, given, variables=variables) for template in templates]
    notes = _notes(client, given)
    if clash := next((flag for flag in client.yields_to if _has(flag, own)), None):
        notes.append(f"your own {clash} stays and ours is left out: settings of yours may win")
        arguments = _without(clash, arguments)
    return Plan(
        variables | extend_no_proxy(given.environ),
        tuple(name for name in client.removed if name in given.environ),
        tuple(arguments),
        tuple(notes),
    )


def fill(
    template: Template, given: Circumstances, *, variables: Mapping[str, str] | None = None
) -> Any:
    """Put addresses and names into a template; objects and lists keep their shape."""
    if template == VARIABLES:
        return dict(variables or {})
    if isinstance(template, str):
        text = template.replace("{origin}", given.base).replace("{v1}", given.base + "/v1")
        return text.replace("{model}", given.model or "")
    if isinstance(template, Mapping):
        return {
            fill(key, given): fill(value, given, variables=variables)
            for key, value in template.items()
        }
    if isinstance(template, tuple):
        return [fill(value, given, variables=variables) for value in template]
    return template


def write(
    template: Template, given: Circumstances, *, variables: Mapping[str, str] | None = None
) -> str:
    """Fill a template as text; what is no string becomes JSON."""
    value = fill(template, given, variables=variables)
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


def lacks_key(client: Client, given: Circumstances) -> bool:
    """Whether a client insists on a key, has none, and needs none."""
    has = any(given.environ.get(name) for name in client.key_variables)
    return given.keyless and bool(client.dummy) and not has


def _variables(client: Client, given: Circumstances) -> dict[str, str]:
    """Fill the variables; an object of the user's in one of them is kept, with ours laid over it."""
    found = {name: fill(template, given) for name, template in client.variables.items()}
    if given.model is not None:
        for name, template in client.model_variables.items():
            found[name] = _merge(found.get(name), fill(template, given))
        if lacks_key(client, given):
            found[client.dummy] = DUMMY
    return {
        name: value if isinstance(value, str) else json.dumps(_merge(_object(given, name), value))
        for name, value in found.items()
    }


def _object(given: Circumstances, name: str) -> Any:
    try:
        return json.loads(given.environ.get(name, ""))
    except (ValueError, RecursionError):
        return None


def _merge(under: Any, over: Any) -> Any:
    """Lay one object over another."""
    if not isinstance(under, dict) or not isinstance(over, dict):
        return over
    return under | {key: _merge(under.get(key), value) for key, value in over.items()}


def _notes(client: Client, given: Circumstances) -> list[str]:
    notes = [
        f"{name} is set: {client.title} then talks to another service and is not recorded"
        for name in client.bypassed_by
        if _is_set(name, given.environ)
    ]
    notes += [wish for name, wish in client.wishes.items() if not given.environ.get(name)]
    if given.model is not None and lacks_key(client, given):
        notes.append(f"{client.dummy} gets a word without meaning: {given.model!r} needs no key")
    if given.model is not None and not (client.model_variables or client.model_arguments):
        notes.append(f"{client.title} takes its model elsewhere: choose {given.model!r} there")
    return notes


def _is_set(name: str, environ: Mapping[str, str]) -> bool:
    name, _, wanted = name.partition("=")
    value = environ.get(name, "")
    return value == wanted if wanted else value not in ("", "0", "false")


def _has(flag: str, arguments: Sequence[str]) -> bool:
    return any(argument == flag or argument.startswith(f"{flag}=") for argument in arguments)


def _without(flag: str, arguments: list[str]) -> list[str]:
    """Leave a flag and its value out."""
    place = arguments.index(flag)
    return arguments[:place] + arguments[place + 2 :]
