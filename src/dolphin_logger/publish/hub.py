"""Hub: the calls to the Hugging Face Hub, in our words.

The one place, with `sender`, that knows huggingface_hub; its errors become ours here, each with what
to do. It holds a token and never prints it. Invariant: nothing here is retried that could happen twice.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from dolphin_logger._version import __version__
from dolphin_logger.errors import HubError
from dolphin_logger.publish.changes import RemoteFile

_KIND: Final = "dataset"
_TOKEN: Final = re.compile(r"[!-~]+")
_RESET: Final = re.compile(r"t=(\d+)")


@dataclass(frozen=True, slots=True)
class Remote:
    """A repository as it is now.

    Attributes:
        head: commit of its main branch. user: who we are. may_write: whether we may push to it.
    """

    name: str
    private: bool
    head: str
    user: str
    may_write: bool


@dataclass(frozen=True, slots=True)
class Pull:
    """A pull request. `status` is draft, open, closed or merged; `ref` is where it takes commits."""

    number: int
    title: str
    status: str
    url: str
    author: str

    @property
    def ref(self) -> str:
        """The name of its branch."""
        return f"refs/pr/{self.number}"


def token_of(environment: dict[str, str] | None = None) -> str:
    """Find the token: HF_TOKEN, else the Hub's own login.

    Raises:
        HubError: there is none (401), or what is there cannot be one: a header could not carry it,
            and whoever refused it there would print it.
    """
    found: str | None = (os.environ if environment is None else environment).get("HF_TOKEN", "")
    if not (found or "").strip():
        from huggingface_hub import get_token  # noqa: PLC0415  # slow to import

        found = get_token()
    found = (found or "").strip()
    if found and not _TOKEN.fullmatch(found):
        raise HubError(
            "the token for the Hugging Face Hub cannot be one: it holds spaces, line ends or other characters "
            "that no token has; copy it again into HF_TOKEN",
            status=401,
        )
    if not found:
        cure = "set HF_TOKEN to a token with write access, or log in with `hf auth login`"
        raise HubError(f"no token for the Hugging Face Hub: {cure}", status=401)
    return found


class Hub:
    """One repository on the Hub, seen with one token."""

    def __init__(self, name: str, *, token: str, endpoint: str | None = None) -> None:
        os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
        from huggingface_hub import HfApi, constants  # noqa: PLC0415  # slow to import

        self.name = name
        self.endpoint = endpoint or os.environ.get("HF_ENDPOINT") or constants.ENDPOINT
        self.token = token
        self._api = HfApi(
            endpoint=self.endpoint,
            token=token,
            library_name="dolphin-logger",
            library_version=__version__,
        )

    def look(self) -> Remote | None:
        """See what is there; None when there is no such repository, or none that we may see.

        Raises:
            HubError: the token is not known, or the Hub is out of reach.
        """
        from huggingface_hub.errors import RepositoryNotFoundError  # noqa: PLC0415

        with translated(self.name):
            user = str(self._api.whoami()["name"])
            try:
                found = self._api.dataset_info(self.name)
            except RepositoryNotFoundError:
                return None
            return Remote(self.name, bool(found.private), str(found.sha), user, self._may_write())

    def _may_write(self) -> bool:
        from huggingface_hub.errors import HfHubHTTPError  # noqa: PLC0415

        try:
            self._api.auth_check(self.name, repo_type=_KIND, write=True)
        except HfHubHTTPError:
            return False
        return True

    def user(self) -> str:
        """Say who we are."""
        with translated(self.name):
            return str(self._api.whoami()["name"])

    def create(self, *, private: bool) -> None:
        """Create the repository; one that exists stays as it is."""
        with translated(self.name):
            self._api.create_repo(self.name, repo_type=_KIND, private=private, exist_ok=True)

    def head(self, revision: str = "main") -> str:
        """Give the commit that a revision stands at."""
        with translated(self.name):
            return str(self._api.dataset_info(self.name, revision=revision).sha)

    def tree(self, revision: str = "main") -> dict[str, RemoteFile]:
        """List the files of a revision."""
        from huggingface_hub.hf_api import RepoFile  # noqa: PLC0415

        with translated(self.name):
            entries = self._api.list_repo_tree(
                self.name, repo_type=_KIND, revision=revision, recursive=True
            )
            return {
                entry.path: RemoteFile(
                    entry.size, entry.blob_id, entry.lfs.sha256 if entry.lfs else None
                )
                for entry in entries
                if isinstance(entry, RepoFile) and is_sane(entry.path)
            }

    def base_of(self, pull: Pull) -> str:
        """Find the commit of the main branch on which a pull request stands."""
        with translated(self.name):
            main = {
                one.commit_id for one in self._api.list_repo_commits(self.name, repo_type=_KIND)
            }
            for commit in self._api.list_repo_commits(
                self.name, repo_type=_KIND, revision=pull.ref
            ):
                if commit.commit_id in main:
                    return str(commit.commit_id)
        raise HubError(
            f"{pull.url} stands on no commit of the main branch; close it and run this again"
        )

    def download(self, path: str, *, revision: str, folder: Path) -> Path:
        """Bring one file into a folder."""
        with translated(self.name):
            return Path(
                self._api.hf_hub_download(
                    self.name, path, repo_type=_KIND, revision=revision, local_dir=folder
                )
            )

    def open_pull(self, title: str, description: str) -> Pull:
        """Open a draft pull request; once: a lost answer is the caller's to look after."""
        with translated(self.name):
            made = self._api.create_pull_request(
                self.name, title, description=description, repo_type=_KIND
            )
            return _pull(made)

    def pull(self, number: int) -> Pull:
        """See one pull request."""
        with translated(self.name):
            return _pull(self._api.get_discussion_details(self.name, number, repo_type=_KIND))

    def pulls(self, *, containing: str) -> list[Pull]:
        """List the pull requests, of anybody, whose title has these words."""
        with translated(self.name):
            found = self._api.get_repo_discussions(
                self.name, repo_type=_KIND, discussion_type="pull_request"
            )
            return [_pull(one) for one in found if containing in one.title]


def is_sane(path: str) -> bool:
    """Say whether a path of a repository stays where it belongs when its file is brought here."""
    return path.isprintable() and all(
        part not in ("", ".", "..") and "\\" not in part for part in path.split("/")
    )


@contextlib.contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn what huggingface_hub raises into a HubError that says what to do."""
    import httpx2  # noqa: PLC0415  # slow to import
    from huggingface_hub.errors import HfHubHTTPError  # noqa: PLC0415

    try:
        yield
    except HfHubHTTPError as error:
        response = error.response
        status = int(getattr(response, "status_code", 0)) or None
        headers = dict(getattr(response, "headers", {}) or {})
        text = error.server_message or str(error).partition("\n")[0]
        raise HubError(explain(name, status, text, headers), status=status) from error
    except httpx2.HTTPError as error:
        raise HubError(
            f"the Hub cannot be reached for {name}: {type(error).__name__}: {error}"
        ) from error
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise HubError(
            f"what answers for {name} is not the Hub, or speaks a language of its own ({type(error).__name__}); "
            "look at HF_ENDPOINT"
        ) from error
    except OSError as error:
        raise HubError(f"the Hub cannot be reached for {name}: {error}") from error


def explain(name: str, status: int | None, text: str, headers: dict[str, Any]) -> str:
    """Say what a refusal means for the person who publishes."""
    said = f"the Hub answered {status} for {name}: {text}" if status else text
    match status:
        case 401:
            return f"{said}; set HF_TOKEN to a valid token with write access"
        case 403:
            return (
                f"{said}; a token with write access is needed, and a repository may refuse large files "
                "of outsiders: publish to your own with `--repo <you>/<name> --create`"
            )
        case 404:
            return f"{said}; check name and revision, or create it with `upload --create`"
        case 409 | 412:
            return f"{said}; the repository changed since the review: run `dolphin-logger upload` again"
        case 413:
            return f"{said}; make smaller shards: `shard_mib` in the recipe"
        case 429:
            wait = wait_of(headers)
            when = f"in {wait:.0f} seconds" if wait is not None else "in an hour"
            return f"{said}; the Hub's limit is reached: run the same command again {when}"
    return f"{said}; run the same command again: it goes on where it stopped" if status else said


def wait_of(headers: dict[str, Any]) -> float | None:
    """Read from a refusal after how many seconds to try again."""
    lower = {str(key).lower(): str(value) for key, value in headers.items()}
    after = lower.get("retry-after", "")
    if after.isdigit():
        return float(after)
    found = _RESET.search(lower.get("ratelimit", ""))
    return float(found[1]) if found else None


def _pull(found: Any) -> Pull:
    return Pull(
        int(found.num), str(found.title), str(found.status), str(found.url), str(found.author)
    )
