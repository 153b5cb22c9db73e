"""Report: checks, one after the other, and what each found.

It knows checks by their names only. Invariants: what cannot be looked at has failed; a problem names a
place and what is wrong there.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from dolphin_logger.errors import DatasetError

OK: Final = "ok"
FAILED: Final = "failed"
SKIPPED: Final = "skipped"
_MOST_PROBLEMS: Final = 20


@dataclass(slots=True)
class Result:
    """What one check found.

    Attributes:
        status: `ok`, `failed`, or `skipped` (asked to; or there is nothing to check).
        said: in a few words, what was looked at.
        problems: places and what is wrong there; `more` of them are not listed.
        table: rows for a person, the first of them the heading.
    """

    name: str
    status: str = OK
    said: str = ""
    problems: list[str] = field(default_factory=list)
    more: int = 0
    table: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def is_failed(self) -> bool:
        """Whether something is wrong."""
        return self.status == FAILED

    def fail(self, problem: str) -> None:
        """Note something that is wrong."""
        self.status = FAILED
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(problem)
        else:
            self.more += 1

    def skip(self, why: str) -> None:
        """Note that there is nothing to look at."""
        self.status, self.said = SKIPPED, why

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


Check: TypeAlias = Callable[[Result], None]
"""What looks at something it knows, and fills the result."""


def run_checks(
    checks: Mapping[str, Check], *, without: Collection[str] = (), only: Collection[str] = ()
) -> Iterator[Result]:
    """Run checks in their order; those that nobody asked for are `skipped`."""
    for name, check in checks.items():
        result = Result(name)
        if name in without or (only and name not in only):
            result.skip("not asked for")
        else:
            try:
                check(result)
            except DatasetError as error:
                result.fail(str(error))
        yield result
