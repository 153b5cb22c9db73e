"""The table of top-level settings: key, reader, environment spelling.

One row per setting; the loader, the schema and the reference page follow it. It does not know
models. Invariant: a value that cannot be used leaves the next source's value in place, and says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from dolphin_logger.config.findings import Findings, offer, suggest
from dolphin_logger.config.model import Secret, SuppressRule, Timeouts
from dolphin_logger.config.values import (
    TIMEOUT_KEYS,
    UnfitError,
    is_comment,
    name_variable,
    read_boolean,
    read_choice,
    read_host,
    read_hosts,
    read_origins,
    read_port,
    read_repository,
    read_retention,
    read_rule,
    read_share,
    read_timeouts,
    read_unseen,
    variable_of,
)

PREFIX = "DOLPHIN_LOGGER_"
PRESET_RULES = (SuppressRule(prefix="### Task:"), SuppressRule(header="x-no-log: true"))
LATER = frozenset({"uiPort", "workers", "durability"})
_OTHER_VARIABLES = frozenset({"HOME"})


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        key: its name in config.json.
        field: its name in `Config`.
        read: turns the JSON value into the field's value, or raises `UnfitError`.
        parse: turns an environment variable's text into a JSON value.
    """

    key: str
    field: str
    read: Callable[[Any], object]
    parse: Callable[[str], object]


def _number(text: str) -> object:
    try:
        return int(text) if re.fullmatch(r"-?\d{1,9}", text) else float(text)
    except ValueError:
        return text


def _list(text: str) -> object:
    return [part.strip() for part in text.split(",") if part.strip()]


def _json(text: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


SETTINGS = (
    Setting("host", "host", read_host, str),
    Setting("port", "port", read_port, _number),
    Setting("allowedHosts", "allowed_hosts", read_hosts, _list),
    Setting("allowedOrigins", "allowed_origins", read_origins, _list),
    Setting(
        "onClientDisconnect",
        "on_client_disconnect",
        partial(read_choice, among=("cancel", "drain")),
        str,
    ),
    Setting(
        "onRecordFailure",
        "on_record_failure",
        partial(read_choice, among=("forward", "refuse")),
        str,
    ),
    Setting("recordRaw", "record_raw", partial(read_choice, among=("whenNeeded", "always")), str),
    Setting("sample", "sample", read_share, _number),
    Setting("seal", "seal", read_boolean, _json),
    Setting("retention", "retention", read_retention, _json),
    Setting("huggingface_repo", "huggingface_repo", read_repository, str),
)
# read by functions of their own: a secret, parts that are set one by one, a list that extends
_SPECIAL = ("token", "timeouts", "suppress")
KEYS = frozenset({"models", *LATER, *_SPECIAL, *(setting.key for setting in SETTINGS)})


def spell(key: str) -> str:
    """Spell a setting's key as an environment variable: `onX` is `DOLPHIN_LOGGER_ON_X`."""
    return PREFIX + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", key).upper()


def read_settings(
    value: Mapping[str, Any], *, env: Mapping[str, str], findings: Findings
) -> dict[str, Any]:
    """Read every top-level setting but `models`, as the fields of `Config` that are given."""
    _warn_unknown(value, findings=findings)
    _warn_misspelt(env, findings=findings)
    fields: dict[str, Any] = {}
    for setting in SETTINGS:
        for source, given in _sources(setting, value, env):
            try:
                fields[setting.field] = setting.read(given)
                break
            except UnfitError as fault:
                _note(fault, source, key=setting.key, findings=findings)
    fields["timeouts"] = _read_timeouts(value.get("timeouts"), env=env, findings=findings)
    fields["token"] = _read_token(value.get("token"), env=env, findings=findings)
    fields["suppress"] = _read_rules(value.get("suppress"), env=env, findings=findings)
    return fields


def _sources(
    setting: Setting, value: Mapping[str, Any], env: Mapping[str, str]
) -> Iterator[tuple[str | None, object]]:
    """Yield the setting's values, the strongest source first; None names the file."""
    names = (spell(setting.key), "PORT") if setting.key == "port" else (spell(setting.key),)
    for name in names:
        if text := env.get(name, "").strip():
            yield name, setting.parse(text)
    if value.get(setting.key) is not None:
        yield None, value[setting.key]


def _note(fault: UnfitError, source: str | None, *, key: str, findings: Findings) -> None:
    if source is None:
        findings.error((key, *fault.at), f"{fault}; the default is used")
    else:
        cure = ""
        if "tcp://" in str(fault):
            cure = " (Kubernetes sets it for a service of this name: enableServiceLinks: false)"
        findings.environment(source, f"{fault}; the variable is ignored{cure}")


def _read_timeouts(given: object, *, env: Mapping[str, str], findings: Findings) -> Timeouts:
    timeouts = Timeouts()
    if given is not None:
        try:
            timeouts = read_timeouts(given, base=timeouts)
        except UnfitError as fault:
            _note(fault, None, key="timeouts", findings=findings)
    for key in TIMEOUT_KEYS:
        name = f"{spell('timeouts')}_{spell(key).removeprefix(PREFIX)}"
        if text := env.get(name, "").strip():
            try:
                timeouts = read_timeouts({key: _number(text)}, base=timeouts)
            except UnfitError as fault:
                _note(fault, name, key="timeouts", findings=findings)
    return timeouts


def _read_token(given: object, *, env: Mapping[str, str], findings: Findings) -> Secret | None:
    name = spell("token")
    source, value = (name, env[name]) if env.get(name, "").strip() else (None, given)
    if value is None:
        return None
    try:
        text = read_unseen(value)
        if not text.startswith("ENV:"):
            return Secret(text) if text else None
        variable = variable_of(text)
        text = read_unseen(env.get(variable, ""))
    except UnfitError as fault:
        _note(fault, source, key="token", findings=findings)
        return None
    if not text:
        message = f"{name_variable(variable)} is not set; there is no token"
        findings.warn(("token",), message)
    return Secret(text) if text else None


def _read_rules(
    given: object, *, env: Mapping[str, str], findings: Findings
) -> tuple[SuppressRule, ...]:
    """Read the rules of the strongest source; those of the house come first and always hold."""
    name = spell("suppress")
    text = env.get(name, "").strip()
    source, value = (name, _json(text)) if text else (None, given)
    if value is None:
        return PRESET_RULES
    rules = list(PRESET_RULES)
    for index, element in enumerate(value if isinstance(value, list) else [value]):
        try:
            rules.append(read_rule(element))
        except UnfitError as fault:
            at = (index, *fault.at) if isinstance(value, list) else fault.at
            if source is None:
                findings.error(("suppress", *at), f"{fault}; this rule is ignored")
            else:
                _note(fault, source, key="suppress", findings=findings)
    return tuple(rules)


def _warn_unknown(value: Mapping[str, Any], *, findings: Findings) -> None:
    for key in value:
        if key not in KEYS and not is_comment(key):
            findings.warn((key,), f"unknown key, ignored{offer(key, KEYS)}")


def _warn_misspelt(env: Mapping[str, str], *, findings: Findings) -> None:
    """Warn of variables that nearly spell a setting; others may belong to someone else."""
    names = {spell(key).removeprefix(PREFIX) for key in KEYS} | _OTHER_VARIABLES
    for variable in sorted(env):
        name = variable.removeprefix(PREFIX)
        if name == variable or name in names or name.startswith("TIMEOUTS_"):
            continue
        if near := suggest(name, names):
            findings.environment(variable, f"unknown setting{near}", fatal=False)
