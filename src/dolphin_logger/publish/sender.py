"""Sender: one commit to a branch of the Hub, in a process of its own that may be ended at any time.

Started as a module; reads one JSON object on stdin (the token comes this way, never as an argument),
writes one JSON object a line on stdout. It decides nothing and retries nothing.
Invariant: the last line says `committed` with the commit, or `failed` with the Hub's status.
"""

from __future__ import annotations

import json
import os
import re
import sys
from typing import Any, Final

_KIND: Final = "dataset"
_STATUS: Final = re.compile(r"\b([45]\d\d)\b")


def main() -> None:
    """Do what stdin says."""
    asked = json.load(sys.stdin)
    try:
        oid = _commit(asked)
    except Exception as error:  # noqa: BLE001  # the edge of this process: all is told to who started it
        _tell(event="failed", **_fault(error))
    else:
        _tell(event="committed", oid=oid)


def _commit(asked: dict[str, Any]) -> str:
    from huggingface_hub import (  # noqa: PLC0415  # slow to import
        CommitOperationAdd,
        CommitOperationDelete,
        HfApi,
    )

    api = HfApi(
        endpoint=asked["endpoint"],
        token=asked["token"],
        library_name="dolphin-logger",
        library_version=asked["version"],
    )
    where = {"repo_type": _KIND, "revision": asked["revision"]}
    _tell(event="begun")
    additions = []
    for file in asked["files"]:
        addition = CommitOperationAdd(file["path"], file["source"])
        api.preupload_lfs_files(asked["name"], [addition], **where)
        additions.append(addition)
        _tell(event="sent", path=file["path"])
    made = api.create_commit(
        asked["name"],
        [*additions, *(CommitOperationDelete(path) for path in asked["deletions"])],
        commit_message=asked["message"],
        parent_commit=asked["parent"],
        **where,
    )
    return str(made.oid)


def _fault(error: Exception) -> dict[str, Any]:
    """Find the Hub's status in whatever was raised: the Xet client has it in its text only."""
    at: BaseException | None = error
    while at is not None:
        response = getattr(at, "response", None)
        if response is not None:
            headers = {
                key: value for key, value in response.headers.items() if "rate" in key.lower()
            }
            if "retry-after" in response.headers:
                headers["retry-after"] = response.headers["retry-after"]
            text = getattr(at, "server_message", None) or str(at)
            return {"status": response.status_code, "text": text, "headers": headers, "xet": False}
        at = at.__cause__ or at.__context__
    text = f"{type(error).__name__}: {error}"
    found = _STATUS.search(text)
    is_http = any(kind.__module__.startswith("http") for kind in type(error).__mro__)
    status = int(found[1]) if found else None
    return {"status": status, "text": text[:500], "headers": {}, "xet": not is_http}


def _tell(**fields: Any) -> None:
    os.write(sys.stdout.fileno(), json.dumps(fields).encode() + b"\n")


if __name__ == "__main__":
    main()
