"""What can go wrong, as one tree.

    DolphinError
    ├── ConfigError      config.json cannot be used (exit 3)
    ├── JournalError     the home folder or a segment cannot be written
    ├── RecordError      one line of a segment cannot be read
    ├── LabelError       a label cannot be what was asked for, or what lies in its file
    ├── SourceError      another program's session file cannot be read
    ├── IndexingError    the index cannot be opened, or is being written by somebody else
    ├── QueryError       a query is not understood; the message names the term
    ├── DatasetError     a recipe, or a dataset that was built, cannot be used
    ├── LeakError        what must not leave would have: nothing is written or sent (exit 6)
    ├── HubError         the Hub refuses, or is out of reach (exit 4 or 5)
    ├── RequestError     the client's request is at fault: answered with 4xx, never 5xx
    └── ProviderError    the provider is at fault or out of reach: answered with 502 or 504

Every message names the value and the cure. Foreign exceptions become one of these at the border
where they appear; nothing here knows HTTP libraries, files or JSON.
"""

from __future__ import annotations


class DolphinError(Exception):
    """Base of everything that this program raises on purpose."""


class ConfigError(DolphinError):
    """config.json cannot be used; the message names path, value, line and cure."""


class JournalError(DolphinError):
    """The home folder or a segment cannot be written."""


class RecordError(DolphinError):
    """One line of a segment cannot be read; the others can."""


class LabelError(DolphinError):
    """A label cannot be what was asked for, or what lies in its file."""


class SourceError(DolphinError):
    """Another program's session file cannot be read; the others can."""


class IndexingError(DolphinError):
    """The index cannot be opened, or is being written by another process."""


class QueryError(DolphinError):
    """A query is not understood; the message names the term and what is known instead."""


class DatasetError(DolphinError):
    """A recipe, or a dataset that was built, cannot be used; the message names the value and the cure."""


class LeakError(DatasetError):
    """What must not leave would have left; the message names the place, never the value."""


class HubError(DolphinError):
    """The Hub refuses, or is out of reach.

    Attributes:
        status: HTTP status of its answer; None when there was none.
    """

    def __init__(self, message: str, *, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class RequestError(DolphinError):
    """The client's request is at fault.

    Attributes:
        status: HTTP status of the answer, 400 to 499; 503 where the configuration refuses calls.
        kind: one lower-case word for `error.kind` and the `x-dolphin-error` header.
        param: the key of the request body at fault, where there is one.
        code: the dialect's machine-readable code (`model_not_found`), where there is one.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int,
        kind: str,
        param: str | None = None,
        code: str | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.param = param
        self.code = code


class ProviderError(DolphinError):
    """The provider is at fault or out of reach.

    Attributes:
        status: HTTP status of the answer, 502 or 504.
        kind: `connect`, `tls`, `first_byte`, `idle`, `truncated`, `redirect`, `not_json`, `protocol`.
    """

    def __init__(self, message: str, *, status: int, kind: str) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
