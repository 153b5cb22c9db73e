"""Report: checks, one after the other, and what each found.

It knows checks by their names only. Invariant: `is_good` is what the exit code says.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

_MOST_PROBLEMS: Final = 20


@dataclass(slots=True)
class Result:
    """What one check found.

    Attributes:
        status: `ok`, `failed`, or `skipped` (asked to; or there is nothing to check).
        said: in a few words, what was looked at.
        problems: places and what is wrong there, never a value that must not leave; `more` are not listed.
        table: rows for a person, the first of them the heading.
    """

    name: str
    status: str = "ok"
    said: str = ""
    problems: list[str] = field(default_factory=list)
    more: int = 0
    table: list[tuple[str, ...]] = field(default_factory=list)

    def fail(self, problem: str) -> None:
        """Note something that is wrong."""
        self.status = "failed"
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more += 1

    def to_json(self) -> dict[str, Any]:
        """Write it for programs."""
        return {
            "check": self.name,
            "status": self.status,
            "said": self.said,
            "problems": self.problems,
            "more_problems": self.more,
            "table": [list(row) for row in self.table],
        }


@dataclass(frozen=True, slots=True)
class Report:
    """All results, in the order of the checks."""

    results: tuple[Result, ...]

    @property
    def is_good(self) -> bool:
        """Whether nothing failed."""
        return all(result.status != "failed" for result in self.results)


Check: TypeAlias = Any  # a function of a dataset and a result, which it fills


def run_checks(
    checks: Mapping[str, Check], *, without: Collection[str] = (), only: Collection[str] = ()
) -> Iterator[Result]:
    """Run checks by name, each told where to write what it finds; those left out are `skipped`."""
    for name, check in checks.items():
        result = Result(name)
        if name in without or (only and name not in only):
            result.status, result.said = "skipped", "not asked for"
        else:
            check(result)
        yield result
