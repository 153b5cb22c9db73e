"""Tool errors: sessions in which most of what tools gave was that they failed.

Chat form does not tell failures from results, so the beginning of each is read as the usual agents
write failures. It knows those forms and no tools. Invariant: a text that merely speaks of errors
further down (a log that was read, a search) is no failure.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar, Final

from dolphin_logger.curate.filters._limits import check_share
from dolphin_logger.curate.said import text_of
from dolphin_logger.example import Example

_BEGINNING: Final = 400
_FAILURE: Final = re.compile(
    r"""\s*(?:
      <tool_use_error> | <error> | \[(?:tool\ )?error\] | \u274c
    | (?:fatal\ )?error(?:\ \w+){0,3}\s*: | error\ (?:executing|calling|running|reading|writing|editing)\b
    | (?:\w+\.)*\w*(?:Error|Exception)(?:\ \[\w+\])?: | Traceback\ \(most\ recent\ call\ last\)
    | (?:command\ )?failed\ (?:to\ |with\ |:) | (?:process\ |command\ )?exit(?:ed)?\ (?:with\ )?(?:code|status):?\ *[1-9]
    | \S*sh:\ .{0,200}(?:command\ )?not\ found | permission\ denied | (?:no\ such\ )(?:tool|file)
    | (?:file|path|tool|string)\ (?:does\ not\ exist|not\ found) | string\ to\ replace\ not\ found
    | (?:tool\ )?(?:call|request|execution)\ (?:failed|timed\ out|was\ (?:rejected|denied|cancelled))
    | invalid\ (?:arguments?|parameters?|input|tool)\b | inputvalidationerror
    | the\ user\ doesn't\ want\ to\ (?:proceed|take)
    | \{\s*"(?:error|is_error|isError)"\s*:(?!\s*(?:null|false|""|\[\]|\{\})) | \{\s*"(?:ok|success)"\s*:\s*false
    )""",
    re.IGNORECASE | re.VERBOSE,
)
# how Codex and others tell the end of a command before its output
_EXIT: Final = re.compile(
    r'(?:"exit_code"\s*:|\bProcess exited with code|^Exit code:?|<exit_code>)\s*[1-9]',
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Settings:
    """`most`: largest share of failed results, 1 is any; `results`: fewer of them are not judged."""

    most: float = 1.0
    results: int = 4


@dataclass(frozen=True, slots=True)
class ToolErrors:
    """Refuses sessions whose tools mostly failed."""

    settings: Settings
    name: ClassVar[str] = "tool_errors"

    def reason(self, example: Example) -> str | None:
        """Say how many results are failures, if they are too many."""
        results = [text_of(chat) for chat in example.messages if chat.get("role") == "tool"]
        failed = sum(map(is_failure, results))
        if len(results) < self.settings.results or failed <= self.settings.most * len(results):
            return None
        share = failed / len(results)
        limit = f"at most {self.settings.most:.0%}"
        return f"{failed} of {len(results)} results of tools are failures ({share:.0%}), {limit}"


def make(settings: Settings) -> ToolErrors | None:
    """Make the filter; None when any share is good."""
    check_share(ToolErrors.name, "most", settings.most)
    return ToolErrors(settings) if settings.most < 1 else None


def is_failure(result: str) -> bool:
    """Say whether a tool's result tells that the call failed."""
    beginning = result[:_BEGINNING]
    return bool(_FAILURE.match(beginning) or _EXIT.search(beginning))
