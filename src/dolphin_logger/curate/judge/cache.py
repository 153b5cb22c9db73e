"""Cache: what was judged before, so that it is not asked, nor paid, again.

One small file for each rating in `<home>/cache/judge/`, named by the hash of what was asked: the
model, the rubric and the text. It knows no proxies. Invariants: a file is whole or not there, also
after a kill; what cannot be read is as if it were not there; private like the home.
"""

from __future__ import annotations

import contextlib
import os
import threading
from hashlib import sha256
from pathlib import Path
from typing import Any

import orjson

from dolphin_logger.curate.judge.verdict import HIGHEST, LOWEST, Verdict
from dolphin_logger.errors import DatasetError
from dolphin_logger.journal.home import Home, make_private_folder, open_private_file


class Cache:
    """The ratings of a home."""

    def __init__(self, home: Home) -> None:
        self._folder = home.cache / "judge"

    def get(self, request: Any) -> Verdict | None:
        """Give the rating that a request was answered with."""
        try:
            fields = orjson.loads(self._path(request).read_bytes())
            verdict = Verdict(int(fields["score"]), str(fields["reason"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return verdict if LOWEST <= int(fields["score"]) <= HIGHEST else None

    def put(self, request: Any, verdict: Verdict) -> None:
        """Keep a rating.

        Raises:
            DatasetError: it cannot be written.
        """
        path = self._path(request)
        new = path.with_name(f".{path.name}.{os.getpid()}.{threading.get_ident()}")
        try:
            make_private_folder(path.parent)
            with contextlib.suppress(FileNotFoundError):
                new.unlink()  # of a process that was killed and had the same number
            with open(open_private_file(new), "wb") as file:  # noqa: PTH123 -- a descriptor
                file.write(orjson.dumps({"score": verdict.score, "reason": verdict.reason}))
            new.replace(path)
        except OSError as fault:
            raise DatasetError(f"{path} cannot be written: {fault.strerror}") from fault

    def _path(self, request: Any) -> Path:
        name = sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).hexdigest()
        return self._folder / name[:2] / f"{name}.json"
