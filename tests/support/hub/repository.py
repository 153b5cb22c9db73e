"""A dataset repository as the Hub keeps it: commits, refs, pull requests, and who may do what.

No HTTP: it raises `RefusedError` with what the Hub would answer. Rules: pull requests that programs open are
drafts; only their author and writers of the repository may commit to `refs/pr/N`; a commit that names
another parent than the present head is refused; a large file must be stored before it is committed.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import yaml

_PR_REF = re.compile(r"refs/pr/(\d+)")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]+)*|code|multilingual")
LICENSES = {
    "apache-2.0",
    "mit",
    "cc-by-4.0",
    "cc-by-sa-4.0",
    "cc0-1.0",
    "odc-by",
    "unknown",
    "other",
}


class RefusedError(Exception):
    """What the Hub answers instead of doing it."""

    def __init__(self, status: int, message: str, code: str | None = None, **more: str) -> None:
        super().__init__(message)
        self.status, self.message, self.code, self.more = status, message, code, more


@dataclass(frozen=True)
class Blob:
    """A file: its bytes, or the SHA-256 and size of a large one."""

    data: bytes | None
    sha256: str | None = None
    large_size: int = 0

    @property
    def size(self) -> int:
        return self.large_size if self.data is None else len(self.data)

    @property
    def oid(self) -> str:
        data = self.data
        if data is None:
            pointer = "version https://git-lfs.github.com/spec/v1\n"
            data = f"{pointer}oid sha256:{self.sha256}\nsize {self.large_size}\n".encode()
        return hashlib.sha1(b"blob %d\x00" % len(data) + data).hexdigest()


@dataclass(frozen=True)
class Commit:
    oid: str
    parent: str | None
    tree: dict[str, Blob]
    title: str
    author: str
    time: datetime


@dataclass
class PullRequest:
    num: int
    title: str
    description: str
    author: str
    status: str
    head: str
    base: str
    created: datetime
    is_pull_request: bool = True
    comments: list[tuple[str, str]] = field(default_factory=list)


class Repository:
    """One dataset. `writers` may push to it; anybody who may read it may propose changes."""

    def __init__(self, name: str, *, writers: set[str], private: bool = False) -> None:
        self.name, self.writers, self.private = name, writers, private
        self.gated = False
        self.commits: dict[str, Commit] = {}
        self.discussions: dict[int, PullRequest] = {}
        self._lock = threading.RLock()
        self._time = itertools.count()
        self.main = self._commit(None, {}, "initial commit", "system")

    def may_read(self, user: str | None) -> bool:
        return not self.private or user in self.writers

    def may_write(self, user: str | None, revision: str) -> bool:
        if user is None:
            return False
        if user in self.writers:
            return True
        found = _PR_REF.fullmatch(revision)
        pull = self.discussions.get(int(found[1])) if found else None
        return pull is not None and pull.author == user

    def head(self, revision: str) -> str:
        """Give the commit that a revision names."""
        if revision == "main":
            return self.main
        if revision in self.commits:
            return revision
        found = _PR_REF.fullmatch(revision)
        if found and int(found[1]) in self.discussions:
            return self.discussions[int(found[1])].head
        raise RefusedError(404, f"Invalid rev id: {revision}", "RevisionNotFound")

    def tree(self, revision: str) -> dict[str, Blob]:
        return self.commits[self.head(revision)].tree

    def read(self, path: str, revision: str = "main") -> Blob:
        blob = self.tree(revision).get(path)
        if blob is None:
            raise RefusedError(404, f"Entry not found: {path}", "EntryNotFound")
        return blob

    def discuss(
        self, user: str, title: str, description: str, *, pull_request: bool
    ) -> PullRequest:
        if not 3 <= len(title.strip()) <= 200:
            raise RefusedError(400, "title must be 3 to 200 characters long")
        with self._lock:
            num = len(self.discussions) + 1
            status = "draft" if pull_request else "open"
            made = PullRequest(
                num,
                title,
                description,
                user,
                status,
                self.main,
                self.main,
                self._now(),
                pull_request,
            )
            self.discussions[num] = made
            return made

    def set_status(self, num: int, user: str, status: str) -> None:
        pull = self.discussion(num)
        if user != pull.author and user not in self.writers:
            raise RefusedError(403, "You don't have the rights to change this discussion")
        if status not in ("open", "closed", "draft"):
            raise RefusedError(400, f"invalid status {status}")
        pull.status = status

    def discussion(self, num: int) -> PullRequest:
        if num not in self.discussions:
            raise RefusedError(404, f"Discussion {num} not found")
        return self.discussions[num]

    def commit(
        self,
        revision: str,
        user: str,
        title: str,
        changes: list[dict[str, Any]],
        *,
        parent: str | None,
        is_stored: Any,
    ) -> Commit:
        """Make one commit of all changes, or none."""
        if not self.may_write(user, revision):
            raise RefusedError(
                403,
                "Forbidden: you must use a write token with access to this repository, or create_pr",
            )
        with self._lock:
            head = self.head(revision)
            pull = self._pull(revision)
            if pull is not None and pull.status in ("closed", "merged"):
                raise RefusedError(403, "This pull request is closed")
            if parent is not None and parent != head:
                raise RefusedError(
                    409, "A commit has happened since. Please refresh and try again."
                )
            tree = apply(self.commits[head].tree, changes, is_stored=is_stored)
            made = self._commit(head, tree, title, user)
            if pull is None:
                self.main = made
            else:
                pull.head = made
            return self.commits[made]

    def merge(self, num: int) -> None:
        """Take a pull request in, as its reader does on the page."""
        pull = self.discussion(num)
        with self._lock:
            base, head = self.commits[pull.base].tree, self.commits[pull.head].tree
            tree = dict(self.commits[self.main].tree)
            for path in base.keys() | head.keys():
                if base.get(path) != head.get(path):
                    if tree.get(path) != base.get(path):
                        raise RefusedError(409, f"conflict in {path}")
                    tree.pop(path, None)
                    if path in head:
                        tree[path] = head[path]
            self.main = self._commit(self.main, tree, pull.title, pull.author)
            pull.status = "merged"

    def _pull(self, revision: str) -> PullRequest | None:
        found = _PR_REF.fullmatch(revision)
        return self.discussions.get(int(found[1])) if found else None

    def _commit(self, parent: str | None, tree: dict[str, Blob], title: str, user: str) -> str:
        listing = "".join(f"{path}\x00{blob.oid}\n" for path, blob in sorted(tree.items()))
        text = f"{parent}\n{title}\n{next(self._time)}\n{listing}"
        oid = hashlib.sha1(text.encode()).hexdigest()
        self.commits[oid] = Commit(oid, parent, tree, title, user, self._now())
        return oid

    def _now(self) -> datetime:
        return datetime.now(UTC)


def apply(
    tree: dict[str, Blob], changes: list[dict[str, Any]], *, is_stored: Any
) -> dict[str, Blob]:
    """Change a tree as the lines of a commit say."""
    made = dict(tree)
    for change in changes:
        value = change["value"]
        path = value["path"]
        if ".." in path.split("/") or path.startswith("/"):
            raise RefusedError(400, f"invalid path {path}")
        match change["key"]:
            case "file":
                data = base64.b64decode(value["content"])
                if path == "README.md":
                    faults = card_errors(data.decode())
                    if faults:
                        raise RefusedError(400, faults[0])
                made[path] = Blob(data)
            case "lfsFile":
                if not is_stored(value["oid"], value.get("size")):
                    raise RefusedError(400, f"lfs object {value['oid']} was never uploaded")
                made[path] = Blob(None, value["oid"], value["size"])
            case "deletedFile":
                if made.pop(path, None) is None:
                    raise RefusedError(404, f"cannot delete {path}: not there", "EntryNotFound")
            case "deletedFolder":
                folder = path.rstrip("/") + "/"
                made = {name: blob for name, blob in made.items() if not name.startswith(folder)}
            case other:
                raise RefusedError(400, f"unknown operation {other}")
    return made


def card_errors(text: str) -> list[str]:
    """Say what the Hub's validation has against the head of a dataset card."""
    if not text.startswith("---"):
        return []
    try:
        head = yaml.safe_load(text.split("---", 2)[1])
    except (yaml.YAMLError, IndexError) as error:
        return [f"invalid YAML: {error}"]
    if not isinstance(head, dict):
        return ["the metadata must be an object"]
    return [fault for fault in _head_errors(head) if fault]


def _head_errors(head: dict[str, Any]) -> Iterator[str]:
    if "license" in head and head["license"] not in LICENSES:
        yield f'"license" must be one of {sorted(LICENSES)}'
    lists = ("tags", "task_categories", "size_categories", "configs")
    yield from (f'"{name}" must be an array' for name in lists if not _is_list(head.get(name, [])))
    if not all(isinstance(tag, str) for tag in head.get("tags") or []):
        yield '"tags" must be strings'
    for config in head.get("configs") or []:
        if not {"config_name", "data_files"} <= set(config):
            yield '"configs" need config_name and data_files'
    languages = head.get("language") or []
    for one in languages if isinstance(languages, list) else [languages]:
        if not _LANGUAGE.fullmatch(str(one)):
            yield f'"language" must be ISO 639 codes: {one}'


def _is_list(value: object) -> bool:
    return isinstance(value, list)
