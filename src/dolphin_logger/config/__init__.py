"""Configuration: `config.json` and the environment, read into one frozen `Config`.

    model      what the rest of the program sees: Config, ModelEntry, Secret, …
    document   one JSON file as text and value; syntax errors with their cure
    locate     in which line a value stands (walked only when there is something to report)
    findings   what is wrong, collected with path and line, and never with a key
    values     readers of single values: each returns the value or says what it expected
    settings   the table of top-level settings and their environment spelling
    entries    one entry of `models`
    load       file + environment → Config, or → everything `config validate` prints
    schema     the JSON Schema of config.json
    template   the file that the first start creates

Knows no provider by itself: the names of the known ones are handed in.
"""

from dolphin_logger.config.findings import Problem
from dolphin_logger.config.load import check, home, load
from dolphin_logger.config.model import (
    PASSTHROUGH,
    Config,
    ModelEntry,
    Retention,
    Secret,
    Skipped,
    SuppressRule,
    Timeouts,
)
from dolphin_logger.config.schema import json_schema
from dolphin_logger.config.template import create_template

__all__ = [
    "PASSTHROUGH",
    "Config",
    "ModelEntry",
    "Problem",
    "Retention",
    "Secret",
    "Skipped",
    "SuppressRule",
    "Timeouts",
    "check",
    "create_template",
    "home",
    "json_schema",
    "load",
]
