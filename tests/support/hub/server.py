"""The HTTP paths of the Hub, over repositories, storage and faults.

Every request is noted as `METHOD path?query`, so that tests can count what was asked. Users are known
by their tokens; without one a request is anybody's.
"""

from __future__ import annotations

import base64
import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.support.hub.faults import Fault, Faults
from tests.support.hub.repository import Blob, PullRequest, RefusedError, Repository, card_errors
from tests.support.hub.storage import Storage

_ID = r"(?P<id>[\w.-]+/[\w.-]+)"
_ROUTES: list[tuple[str, re.Pattern[str], str]] = []


def route(method: str, pattern: str) -> Callable[[Any], Any]:
    """Let a method answer what is asked of a path; `{id}` stands for a repository's."""

    def keep(function: Any) -> Any:
        _ROUTES.append((method, re.compile(pattern.replace("{id}", _ID) + "$"), function.__name__))
        return function

    return keep


class Hub:
    """A running Hub.

    Attributes:
        users: names by token. requests: what was asked, in order. xet: whether it has a Xet store.
        large: bytes from which a file is a large one. takes_outsiders_files: whether large files may be
            sent to a repository by who cannot write to it. most_bytes: of one commit's body.
    """

    def __init__(self, folder: Path) -> None:
        self.users: dict[str, str] = {}
        self.read_only: set[str] = set()  # tokens
        self.repositories: dict[str, Repository] = {}
        self.storage = Storage(folder)
        self.faults = Faults()
        self.requests: list[str] = []
        self.bodies: list[bytes] = []
        self.released = threading.Event()
        self.xet = True
        self.large = 10_000
        self.takes_outsiders_files = True
        self.most_bytes = 50_000_000
        self.url = ""

    def user(self, name: str, *, read_only: bool = False) -> str:
        """Make a user; give the token."""
        token = f"hf_{name}token"
        self.users[token] = name
        if read_only:
            self.read_only.add(token)
        return token

    def repository(
        self, name: str, *, writers: set[str] | None = None, private: bool = False
    ) -> Repository:
        made = Repository(name, writers=writers or {name.partition("/")[0]}, private=private)
        self.repositories[name] = made
        return made

    def fail(self, where: str, status: int, **how: Any) -> None:
        self.faults.add(Fault(where, status, **how))

    def release(self) -> None:
        """Let go of the requests that hang."""
        self.released.set()

    def count(self, pattern: str) -> int:
        """Count the requests that match."""
        return sum(bool(re.search(pattern, request)) for request in self.requests)

    def content(self, name: str, path: str, revision: str = "main") -> bytes:
        """Give the bytes of a file as a reader gets them, of those that are not in Xet's store."""
        blob = self.repositories[name].read(path, revision)
        data = blob.data if blob.data is not None else self.storage.get(str(blob.sha256))
        assert data is not None, f"{path} is in Xet's store"
        return data


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def _serve(self) -> None:
        split = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(split.query).items()}
        self.body = self._read_body()
        request = f"{self.command} {self.path}"
        fault = self.hub.faults.take(request)
        if fault is not None and not fault.after:
            self.hub.requests.append(request)
            self._fail(fault)
            return
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            try:
                answer = self._answer(split.path)
                self.hub.requests.append(request)
            except RefusedError as refusal:
                self.hub.requests.append(request)
                self._refuse(refusal)
                return
            if fault is not None:
                self._fail(fault)
            elif answer is not None:
                self._json(200, answer)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = _serve  # noqa: N815

    def _read_body(self) -> bytes:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("content-length") or 0))

    def _answer(self, path: str) -> Any:
        self._authenticate()
        method = "GET" if self.command == "HEAD" else self.command
        for wanted, pattern, name in _ROUTES:
            found = pattern.match(path)
            if wanted == method and found:
                groups = {key: unquote(value) for key, value in found.groupdict("").items()}
                if "id" in groups:
                    groups["repository"] = self._repository(groups.pop("id"))
                return getattr(self, name)(**groups)
        raise RefusedError(404, f"no such path {path}")

    def _authenticate(self) -> None:
        given = self.headers.get("authorization", "")
        self.token = given.removeprefix("Bearer ") or None
        self.user = self.hub.users.get(self.token or "")
        if self.token and self.user is None and "/lfs-store/" not in self.path:
            raise RefusedError(401, "Invalid credentials in Authorization header")

    def _repository(self, name: str) -> Repository:
        found = self.hub.repositories.get(name)
        if found is None or not found.may_read(self.user):
            raise RefusedError(
                404 if self.user else 401, f"Repository not found: {name}", "RepoNotFound"
            )
        return found

    def _need_user(self) -> str:
        if self.user is None:
            raise RefusedError(401, "Invalid username or password.")
        if self.token in self.hub.read_only:
            raise RefusedError(403, "Forbidden: this token is read-only")
        return self.user

    def _need_write(self, repository: Repository, revision: str) -> str:
        user = self._need_user()
        if not repository.may_write(user, revision) and self.query.get("create_pr") != "1":
            raise RefusedError(
                403, "Forbidden: you don't have the rights to write here; pass create_pr=1"
            )
        return user

    # what may be asked

    @route("GET", "/api/whoami-v2")
    def whoami(self) -> Any:
        if self.user is None:
            raise RefusedError(401, "Invalid username or password.")
        role = "read" if self.token in self.hub.read_only else "write"
        return {
            "type": "user",
            "name": self.user,
            "orgs": [],
            "auth": {"accessToken": {"role": role}},
        }

    @route("POST", "/api/repos/create")
    def create(self) -> Any:
        user = self._need_user()
        asked = json.loads(self.body)
        name = f"{asked.get('organization') or user}/{asked['name']}"
        if name.partition("/")[0] != user:
            raise RefusedError(
                403, f"You don't have the rights to create a dataset under {name.partition('/')[0]}"
            )
        if name in self.hub.repositories:
            url = f"{self.hub.url}/datasets/{name}"
            raise RefusedError(409, "You already created this dataset repo", url=url)
        private = asked.get("private") or asked.get("visibility") == "private"
        self.hub.repository(name, private=bool(private))
        return {"url": f"{self.hub.url}/datasets/{name}", "name": name, "id": name}

    @route("GET", "/api/datasets/{id}")
    def about(self, repository: Repository) -> Any:
        return self._about(repository, "main")

    @route("GET", r"/api/datasets/{id}/revision/(?P<revision>[^/]+(?:/pr/\d+)?)")
    def about_revision(self, repository: Repository, revision: str) -> Any:
        return self._about(repository, revision)

    def _about(self, repository: Repository, revision: str) -> Any:
        head = repository.head(revision)
        tree = repository.commits[head].tree
        return {
            "id": repository.name,
            "author": repository.name.partition("/")[0],
            "sha": head,
            "private": repository.private,
            "gated": repository.gated,
            "disabled": False,
            "tags": [],
            "downloads": 0,
            "likes": 0,
            "siblings": [{"rfilename": path} for path in sorted(tree)],
        }

    @route("GET", r"/api/datasets/{id}/auth-check(?:/(?P<kind>\w+))?")
    def auth_check(self, repository: Repository, kind: str = "") -> Any:
        if kind == "write":
            self._need_write(repository, "main")
        return {}

    @route("GET", r"/api/datasets/{id}/tree/(?P<revision>refs/pr/\d+|[^/]+)(?:/(?P<folder>.*))?")
    def tree(self, repository: Repository, revision: str, folder: str = "") -> Any:
        inside = folder.rstrip("/") + "/" if folder else ""
        tree = repository.tree(revision)
        found = {path: blob for path, blob in tree.items() if path.startswith(inside)}
        if inside and not found:
            raise RefusedError(404, f"no folder {folder}", "EntryNotFound")
        if self.query.get("recursive", "").lower() not in ("true", "1"):
            files = {path: blob for path, blob in found.items() if "/" not in path[len(inside) :]}
            folders = {
                inside + path[len(inside) :].split("/")[0] for path in found.keys() - files.keys()
            }
            listed = [
                {"type": "directory", "path": path, "oid": "0" * 40} for path in sorted(folders)
            ]
            return [*listed, *(self._entry(path, blob) for path, blob in sorted(files.items()))]
        return [self._entry(path, blob) for path, blob in sorted(found.items())]

    @route("POST", r"/api/datasets/{id}/paths-info/(?P<revision>.+)")
    def paths(self, repository: Repository, revision: str) -> Any:
        if "json" in self.headers.get("content-type", ""):
            wanted = json.loads(self.body)["paths"]
        else:
            wanted = parse_qs(self.body.decode()).get("paths", [])
        tree = repository.tree(revision)
        return [self._entry(path, tree[path]) for path in wanted if path in tree]

    def _entry(self, path: str, blob: Blob) -> Any:
        entry: dict[str, Any] = {"type": "file", "path": path, "size": blob.size, "oid": blob.oid}
        if blob.sha256 is not None:
            entry["lfs"] = {
                "oid": blob.sha256,
                "sha256": blob.sha256,
                "size": blob.size,
                "pointerSize": 134,
            }
            if (xet := self.hub.storage.xet_hashes().get(blob.sha256)) is not None:
                entry["xetHash"] = xet
        return entry

    @route("GET", "/api/datasets/{id}/refs")
    def refs(self, repository: Repository) -> Any:
        pulls = [
            {"name": str(num), "ref": f"refs/pr/{num}", "targetCommit": pull.head}
            for num, pull in repository.discussions.items()
            if pull.is_pull_request
        ]
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": repository.main}
        with_pulls = {"pullRequests": pulls} if self.query.get("include_prs") else {}
        return {"branches": [main], "tags": [], "converts": [], **with_pulls}

    @route("GET", r"/api/datasets/{id}/commits/(?P<revision>.+)")
    def history(self, repository: Repository, revision: str) -> Any:
        made = []
        oid: str | None = repository.head(revision)
        while oid is not None:
            commit = repository.commits[oid]
            date = commit.time.strftime("%Y-%m-%dT%H:%M:%S.000Z")
            authors = [{"user": commit.author}]
            made.append(
                {"id": oid, "title": commit.title, "message": "", "authors": authors, "date": date}
            )
            oid = commit.parent
        return made

    @route("GET", "/api/datasets/{id}/discussions")
    def discussions(self, repository: Repository) -> Any:
        start = 50 * int(self.query.get("p", 0))
        listed = [self._discussion(repository, pull) for pull in repository.discussions.values()][
            ::-1
        ]
        author = self.query.get("author")
        listed = [one for one in listed if author in (None, one["author"]["name"])]
        kind = {"pull_request": True, "discussion": False}.get(self.query.get("type", ""))
        listed = [one for one in listed if kind in (None, one["isPullRequest"])]
        return {"discussions": listed[start : start + 50], "count": len(listed), "start": start}

    @route("POST", "/api/datasets/{id}/discussions")
    def discuss(self, repository: Repository) -> Any:
        user = self._need_user()
        asked = json.loads(self.body)
        made = repository.discuss(
            user,
            asked["title"],
            asked.get("description", ""),
            pull_request=bool(asked.get("pullRequest")),
        )
        return {"num": made.num, "pullRequest": made.is_pull_request}

    @route("GET", r"/api/datasets/{id}/discussions/(?P<num>\d+)")
    def discussion(self, repository: Repository, num: str) -> Any:
        pull = repository.discussion(int(num))
        return {
            **self._discussion(repository, pull),
            "events": [],
            "changes": {"base": "refs/heads/main"},
            "filesWithConflicts": [],
            "diff": "",
        }

    def _discussion(self, repository: Repository, pull: PullRequest) -> dict[str, Any]:
        return {
            "num": pull.num,
            "title": pull.title,
            "author": {"name": pull.author},
            "createdAt": pull.created.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "status": pull.status,
            "repo": {"name": repository.name, "type": "dataset"},
            "isPullRequest": pull.is_pull_request,
        }

    @route("POST", r"/api/datasets/{id}/discussions/(?P<num>\d+)/status")
    def set_status(self, repository: Repository, num: str) -> Any:
        status = json.loads(self.body)["status"]
        repository.set_status(int(num), self._need_user(), status)
        return {"newStatus": self._event("status-change", {"status": status})}

    @route("POST", r"/api/datasets/{id}/discussions/(?P<num>\d+)/comment")
    def comment(self, repository: Repository, num: str) -> Any:
        said = json.loads(self.body)["comment"]
        user = self._need_user()
        repository.discussion(int(num)).comments.append((user, said))
        latest = {"raw": said, "html": said, "updatedAt": "2026-01-01T00:00:00.000Z"}
        data = {"hidden": False, "edited": False, "latest": latest, "history": []}
        return {"newMessage": self._event("comment", data)}

    def _event(self, kind: str, data: dict[str, Any]) -> Any:
        now = "2026-01-01T00:00:00.000Z"
        return {
            "id": "0" * 24,
            "type": kind,
            "createdAt": now,
            "author": {"name": self.user},
            "data": data,
        }

    @route("POST", "/api/validate-yaml")
    def validate(self) -> Any:
        found = card_errors(json.loads(self.body)["content"])
        if found:
            self._json(
                400,
                {"errors": [{"message": one} for one in found], "warnings": [], "error": found[0]},
            )
            return None
        return {"errors": [], "warnings": []}

    @route("POST", r"/api/datasets/{id}/preupload/(?P<revision>.+)")
    def preupload(self, repository: Repository, revision: str) -> Any:
        self._need_write(repository, revision)
        tree = repository.tree(revision)
        files = []
        for file in json.loads(self.body)["files"]:
            is_large = file["size"] >= self.hub.large or b"\x00" in base64.b64decode(file["sample"])
            entry = {
                "path": file["path"],
                "uploadMode": "lfs" if is_large else "regular",
                "shouldIgnore": False,
            }
            known = tree.get(file["path"])
            if known is not None:
                entry["oid"] = known.sha256 or known.oid
            files.append(entry)
        return {"files": files}

    @route("GET", r"/api/datasets/{id}/xet-write-token/(?P<revision>.+)")
    def xet_write(self, repository: Repository, revision: str) -> Any:
        self._need_write(repository, revision)
        self._need_large(repository)
        return self._xet()

    @route("GET", r"/api/datasets/{id}/xet-read-token/(?P<revision>.+)")
    def xet_read(self, repository: Repository, revision: str) -> Any:
        del repository, revision
        return self._xet()

    def _xet(self) -> Any:
        if not self.hub.xet:
            raise RefusedError(404, "Not Found")
        fields = {
            "casUrl": f"local://{self.hub.storage.cas}",
            "accessToken": "xet",
            "exp": 4_000_000_000,
        }
        self._send(
            200,
            json.dumps(fields).encode(),
            {
                "content-type": "application/json",
                "X-Xet-Cas-Url": fields["casUrl"],
                "X-Xet-Access-Token": "xet",
                "X-Xet-Token-Expiration": "4000000000",
            },
        )

    def _need_large(self, repository: Repository) -> None:
        if not self.hub.takes_outsiders_files and self.user not in repository.writers:
            raise RefusedError(403, "Forbidden: Authorization error.")

    @route("POST", r"/datasets/{id}\.git/info/lfs/objects/batch")
    def lfs_batch(self, repository: Repository) -> Any:
        asked = json.loads(self.body)
        revision = (asked.get("ref") or {}).get("name", "main")
        user = self._need_user()
        if not repository.may_write(user, revision) and "ref" in asked:
            raise RefusedError(403, "Forbidden")
        self._need_large(repository)
        objects = []
        for one in asked["objects"]:
            entry: dict[str, Any] = {"oid": one["oid"], "size": one["size"]}
            if not self.hub.storage.has(one["oid"]):
                url = f"{self.hub.url}/lfs-store/{one['oid']}"
                verify = {"href": f"{self.hub.url}/lfs-verify", "header": {}}
                entry["actions"] = {"upload": {"href": url, "header": {}}, "verify": verify}
            objects.append(entry)
        return {"transfer": "basic", "objects": objects}

    @route("PUT", "/lfs-store/(?P<oid>[0-9a-f]{64})")
    def lfs_put(self, oid: str) -> Any:
        if not self.hub.storage.put(oid, self.body):
            raise RefusedError(400, "the bytes are not those of the oid")
        return {}

    @route("POST", "/lfs-verify")
    def lfs_verify(self) -> Any:
        asked = json.loads(self.body)
        if not self.hub.storage.has(asked["oid"], asked["size"]):
            raise RefusedError(404, "no such object")
        return {}

    @route("POST", r"/api/datasets/{id}/commit/(?P<revision>.+)")
    def commit(self, repository: Repository, revision: str) -> Any:
        user = self._need_user()
        if len(self.body) > self.hub.most_bytes:
            raise RefusedError(413, "Payload too large")
        head, *changes = [json.loads(line) for line in self.body.splitlines() if line]
        parent = head["value"].get("parentCommit")
        title = head["value"]["summary"]
        pull = None
        if self.query.get("create_pr") == "1":
            pull = repository.discuss(user, title, "", pull_request=True)
            revision = f"refs/pr/{pull.num}"
        made = repository.commit(
            revision, user, title, changes, parent=parent, is_stored=self.hub.storage.has
        )
        url = f"{self.hub.url}/datasets/{repository.name}"
        answer = {"success": True, "commitOid": made.oid, "commitUrl": f"{url}/commit/{made.oid}"}
        if pull is not None:
            answer["pullRequestUrl"] = f"{url}/discussions/{pull.num}"
        return answer

    @route("GET", r"/datasets/{id}/resolve/(?P<revision>refs/pr/\d+|[^/]+)/(?P<path>.+)")
    def resolve(self, repository: Repository, revision: str, path: str) -> Any:
        blob = repository.read(path, revision)
        headers = {
            "X-Repo-Commit": repository.head(revision),
            "ETag": f'"{blob.sha256 or blob.oid}"',
            "content-type": "application/octet-stream",
            "Accept-Ranges": "bytes",
        }
        data = blob.data
        if data is None:
            data = self.hub.storage.get(str(blob.sha256))
            headers["X-Linked-Etag"] = f'"{blob.sha256}"'
            headers["X-Linked-Size"] = str(blob.size)
            xet = self.hub.storage.xet_hashes().get(str(blob.sha256))
            if xet is not None:
                token = f"{self.hub.url}/api/datasets/{repository.name}/xet-read-token/{headers['X-Repo-Commit']}"
                headers["X-Xet-Hash"] = xet
                headers["Link"] = f'<{token}>; rel="xet-auth"'
        if data is None:
            data = b""
            if self.command != "HEAD":
                raise RefusedError(404, "only through Xet")
        self._send(200, data, headers, size=blob.size)

    # how it is answered

    def _refuse(self, refusal: RefusedError) -> None:
        headers = {"content-type": "application/json", "X-Error-Message": refusal.message}
        if refusal.code:
            headers["X-Error-Code"] = refusal.code
        self._send(
            refusal.status, json.dumps({"error": refusal.message, **refusal.more}).encode(), headers
        )

    def _fail(self, fault: Fault) -> None:
        if fault.hang:
            self.hub.released.wait(fault.hang)
        if not fault.status:
            self.close_connection = True
            with contextlib.suppress(OSError):
                self.connection.shutdown(2)
            return
        text = json.dumps({"error": f"told to fail with {fault.status}"}).encode()
        self._send(fault.status, text, {"content-type": "application/json", **fault.headers})

    def _json(self, status: int, fields: Any) -> None:
        self._send(status, json.dumps(fields).encode(), {"content-type": "application/json"})

    def _send(
        self, status: int, data: bytes, headers: dict[str, str], *, size: int | None = None
    ) -> None:
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value.replace("\n", " "))
            self.send_header("content-length", str(len(data) if size is None else size))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(data)


@contextlib.contextmanager
def running_hub(folder: Path) -> Iterator[Hub]:
    """Run a Hub on a free port of loopback."""
    hub = Hub(folder)
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield hub
    finally:
        hub.release()
        server.shutdown()
        server.server_close()
        thread.join()
