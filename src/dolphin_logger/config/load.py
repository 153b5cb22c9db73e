"""config.json and the environment, read into one `Config`.

Precedence: command line (applied by the caller) > DOLPHIN_LOGGER_* > PORT > file > default.
Invariant: only a file that is not a JSON object stops the program; everything else is skipped or
replaced by its default, and said.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from dolphin_logger.config.document import Document, UnreadableError, read
from dolphin_logger.config.entries import is_literal_key, read_entry
from dolphin_logger.config.findings import Findings, Problem, name_type
from dolphin_logger.config.locate import walk
from dolphin_logger.config.model import Config, ModelEntry, Skipped, Timeouts
from dolphin_logger.config.settings import read_settings


def home(env: Mapping[str, str]) -> Path:
    """Say where everything of this program lies: DOLPHIN_LOGGER_HOME or ~/.dolphin-logger."""
    chosen = env.get("DOLPHIN_LOGGER_HOME", "").strip() or "~/.dolphin-logger"
    first, _, rest = chosen.partition("/")
    if first == "~":
        return Path(env.get("HOME") or Path.home()).absolute() / rest
    return Path(chosen).expanduser().absolute()


def load(path: Path, *, env: Mapping[str, str], known_providers: Collection[str]) -> Config:
    """Read the configuration.

    Raises:
        ConfigError: the file cannot be read, is not JSON, or is not an object.
    """
    config, _ = _interpret(read(path), env=env, known_providers=known_providers)
    return config


def check(path: Path, *, env: Mapping[str, str], known_providers: Collection[str]) -> list[Problem]:
    """Find everything that is wrong, in the order of the file; never raises for its content."""
    try:
        document = read(path)
    except UnreadableError as fault:
        return [fault.problem]
    config, problems = _interpret(document, env=env, known_providers=known_providers)
    if not config.models:
        message = "no usable model; the server would start, but /health would be 500"
        problems.append(Problem("models", None, message, fatal=True))
    return sorted(problems, key=lambda problem: problem.line or 1 << 30)


def _interpret(
    document: Document, *, env: Mapping[str, str], known_providers: Collection[str]
) -> tuple[Config, list[Problem]]:
    findings = Findings(document.text)
    _warn_repeats(document, findings=findings)
    _warn_exposed(document, findings=findings)
    settings = read_settings(document.value, env=env, findings=findings)
    warnings = [problem.describe(document.path.name) for problem in findings.problems]
    models, skipped, more = _read_models(
        document,
        env=env,
        known_providers=known_providers,
        timeouts=settings["timeouts"],
        findings=findings,
    )
    config = Config(document.path, models, skipped, (*warnings, *more), **settings)
    return config, findings.problems


def _read_models(
    document: Document,
    *,
    env: Mapping[str, str],
    known_providers: Collection[str],
    timeouts: Timeouts,
    findings: Findings,
) -> tuple[tuple[ModelEntry, ...], tuple[Skipped, ...], list[str]]:
    """Read `models`; the third result are warnings, the errors are the reasons of the skipped."""
    given = document.value.get("models")
    name = document.path.name
    if not isinstance(given, list):
        problem = "'models' is missing" if given is None else _not_a_list(given)
        findings.error(("models",), problem)
        return (), (), [findings.problems[-1].describe(name)]
    models: dict[str, tuple[int, ModelEntry]] = {}
    skipped: list[Skipped] = []
    warnings: list[str] = []
    for index, element in enumerate(given):
        known_before = len(findings.problems)
        entry = read_entry(
            element,
            index=index,
            env=env,
            known_providers=known_providers,
            timeouts=timeouts,
            findings=findings,
        )
        if entry is not None and entry.model in models:
            first = models[entry.model][0]
            message = f"{entry.model!r} is already the name of models[{first}], which is used"
            findings.error(("models", index, "model"), message)
            entry = None
        found = findings.problems[known_before:]
        warnings += [problem.describe(name) for problem in found if not problem.fatal]
        if entry is not None:
            models[entry.model] = (index, entry)
        else:
            reason = next(problem for problem in found if problem.fatal).describe(name)
            skipped.append(Skipped(index, _name_of(element), reason))
    return tuple(entry for _, entry in models.values()), tuple(skipped), warnings


def _not_a_list(given: object) -> str:
    return f"expected an array of entries, got {name_type(given)}"


def _name_of(element: Any) -> str:
    name = element.get("model") if isinstance(element, dict) else None
    return name if isinstance(name, str) else ""


def _warn_repeats(document: Document, *, findings: Findings) -> None:
    if document.repeats:
        for place in walk(document.text):
            if place.repeated:
                message = "this key stands twice in its object; the last one counts"
                findings.warn(place.path, message, line=place.line)


def _warn_exposed(document: Document, *, findings: Findings) -> None:
    if document.exposed and _holds_key(document.value):
        message = f"holds a key and other users can read it; cure: chmod 600 {document.path}"
        findings.warn((), message)


def _holds_key(value: dict[str, Any]) -> bool:
    entries = value.get("models")
    candidates: list[object] = [value.get("token")]
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict):
            headers = entry.get("headers")
            candidates.append(entry.get("apiKey"))
            candidates += headers.values() if isinstance(headers, dict) else []
    return any(is_literal_key(candidate) for candidate in candidates)
