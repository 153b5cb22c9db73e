"""Keep the requests of one run of each client, without a word of its vendor's: tests/traffic/<client>.json.

    keep_traffic.py [CLIENT …]

Prompts, descriptions and results are replaced by short words; ids, paths and facts of the machine by
made-up ones that are the same at every run (Codex alone shuffles its keys). What stays is the shape:
fields, keys, blocks, names of tools.
Invariant: a string of more than three words in a kept file is ours.
"""

# ruff: noqa: T201 - a command: it prints
from __future__ import annotations

import json
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from tests.clients import test_claude_code as claude  # noqa: E402
from tests.clients import test_codex as codex  # noqa: E402
from tests.clients import test_gemini_cli as gemini  # noqa: E402
from tests.clients import test_opencode as opencode  # noqa: E402
from tests.clients.books import compare  # noqa: E402
from tests.clients.stage import KEYED, Stage, stage  # noqa: E402
from tests.support.scripted.chat import Chat  # noqa: E402
from tests.support.scripted.gemini import Gemini  # noqa: E402
from tests.support.scripted.messages import Messages  # noqa: E402
from tests.support.scripted.model import Call, Say, Speech, Step, Think  # noqa: E402
from tests.support.scripted.responses import Responses  # noqa: E402

FOLDER = ROOT / "tests" / "traffic"
Play = tuple[Speech, Callable[[Path], dict[str, list[Step]]], dict[str, Any], str, Any]
PLAYS: dict[str, Play] = {
    "claude-code": (Messages(), claude.script, {"provider": "anthropic"}, "", claude.ask),
    "codex": (
        Responses(), lambda _: codex.script_in_code(), {"provider": "openai"}, "/v1", codex.ask
    ),
    "codex-listed": (
        Responses(), lambda _: codex.script(), {"provider": "openai"}, "/v1", codex.ask_listed
    ),
    "gemini-cli": (
        Gemini(), gemini.script, {"provider": "google"}, "/v1beta/openai", gemini.ask
    ),
    "opencode": (Chat(), opencode.script, KEYED, "/v1", opencode.ask),
}  # fmt: skip
NOT_KEPT = frozenset(  # of the connection, credentials, or ours
    [
        "host",
        "connection",
        "content-length",
        "accept-encoding",
        "authorization",
        "x-api-key",
        "x-goog-api-key",
    ]
)
# keys whose strings are words of the protocol, not prose
PROTOCOL = frozenset(
    [
        "type",
        "role",
        "id",
        "name",
        "model",
        "status",
        "call_id",
        "tool_use_id",
        "tool_call_id",
        "signature",
        "encrypted_content",
        "namespace",
        "effort",
        "keep",
        "ttl",
        "verbosity",
        "tool_choice",
        "execution",
        "thinkingLevel",
        "thoughtSignature",
        "syntax",
        "mode",
        "session_id",
        "thread_id",
        "turn_id",
        "window_id",
        "agent_name",
        "root_turn_id",
        "installation_id",
        "context_window_id",
        "request_kind",
        "history_initialization",
        "thread_source",
        "turn_trigger",
        "sandbox",
        "sandbox_mode",
        "prompt_cache_key",
        "x-codex-window-id",
        "x-codex-installation-id",
        "device_id",
        "account_uuid",
        "reasoning_effort",
        "parent_thread_id",
        "forked_from_thread_id",
        "subagent_kind",
    ]
)
LISTS = frozenset(["enum", "required", "include", "search_content_types", "allowed_callers"])
WHO = ("name", "session", "agent", "parent")
_ID = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|\b[0-9a-f]{64}\b|\ba[0-9a-f]{16}\b"
    r"|\bses_[0-9A-Za-z]{20,}"
)
_MACHINE = re.compile(r"\((?:Debian|linux|Linux)[^)]*\)")


class Scrubber:
    """Replaces what is not ours, the same string always by the same words."""

    def __init__(self, play: Stage) -> None:
        self._folder = str(play.folder)
        self._ours = set(_words_of(play.model.parts))
        self._words: dict[str, str] = {}
        self._ids: dict[str, str] = {}

    def clean(self, value: Any, key: str = "") -> Any:
        """Clean a JSON value that stands below `key`."""
        if isinstance(value, dict):
            return {
                self._plain(name): self._clean_entry(name, inner) for name, inner in value.items()
            }
        if isinstance(value, list):
            return [self.clean(inner, key) for inner in value]
        if isinstance(value, str):
            return self._clean_text(value, key)
        if isinstance(value, int) and value > 10**11:
            return 1_700_000_000_000  # a moment
        return value

    def clean_header(self, name: str, value: str) -> str:
        """Clean a field: only the session's and the machine's facts are in it."""
        if value.startswith("{"):
            return json.dumps(self.clean(json.loads(value)), separators=(",", ":"))
        return _MACHINE.sub("(Linux; x86_64)", self._plain(value))

    def _clean_entry(self, name: str, value: Any) -> Any:
        if name == "description":
            return "what it does"
        if name in ("pattern", "definition", "$schema") and isinstance(value, str):
            return {"pattern": ".*", "definition": 'start: "x"', "$schema": "a schema"}[name]
        if name == "properties" and isinstance(value, dict):
            return {key: self.clean(inner) for key, inner in value.items()}
        return self.clean(value, name)

    def _clean_text(self, text: str, key: str) -> str:
        plain = self._plain(text)
        if key in PROTOCOL or key in LISTS or plain in self._ours:
            return plain
        if text.startswith("{") and text.endswith("}"):
            try:
                return json.dumps(self.clean(json.loads(text)), ensure_ascii=False)
            except json.JSONDecodeError:
                pass
        for ours in self._ours:
            if ours.startswith("TASK-") and ours in plain:
                return ours
        return self._words.setdefault(plain, f"some words {len(self._words) + 1}")

    def _plain(self, text: str) -> str:
        return _ID.sub(self._replace_id, text.replace(self._folder, "/home/user"))

    def _replace_id(self, found: re.Match[str]) -> str:
        if found[0] not in self._ids:
            number = len(self._ids) + 1
            made = f"{number:08x}-0000-7000-8000-{number:012x}"
            if "-" not in found[0]:
                made = found[0][: found[0].find("_") + 1] + f"{number:016x}"
            self._ids[found[0]] = made
        return self._ids[found[0]]


def _words_of(parts: dict[str, list[Step]]) -> Iterator[str]:
    """List every string that a script holds."""
    yield from (claude.TASK, claude.TASK.strip())
    for step in (step for steps in parts.values() for step in steps):
        for part in step.parts:
            if isinstance(part, Say | Think):
                yield part.text
            if isinstance(part, Think):
                yield part.proof
            if isinstance(part, Call):
                yield part.custom or ""
                if isinstance(part.arguments, dict):
                    yield from (text for text in part.arguments.values() if isinstance(text, str))


def keep(name: str) -> Path:
    """Run one client and write what it sent."""
    speech, script, entry, path, ask = PLAYS[name]
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        place = Path(folder)
        with stage(place, speech, script(place / "work"), entry=entry, path=path) as play:
            ask(play).check()
            pairs = compare(play)
        scrubber = Scrubber(play)
        requests = []
        for pair in pairs:
            sent, record = pair.said.received, pair.record
            told = {key: record["client"][key] for key in WHO}
            requests.append(
                {
                    "path": record["path"],
                    "headers": [
                        [field, scrubber.clean_header(field, value)]
                        for field, value in sent.headers
                        if field.lower() not in NOT_KEPT
                    ],
                    "client": {key: scrubber.clean(value, "id") for key, value in told.items()},
                    "body": scrubber.clean(sent.json()),
                }
            )
    return write(name, requests)


def write(name: str, requests: list[dict[str, Any]]) -> Path:
    """Write the requests, with the lists of tools that they share written once."""
    shared: dict[str, Any] = {}
    for request in requests:
        body = request["body"]
        if "tools" in body:
            text = json.dumps(body["tools"])
            label = next((key for key, tools in shared.items() if json.dumps(tools) == text), None)
            label = label or f"tools {len(shared) + 1}"
            shared[label] = body["tools"]
            body["tools"] = label
    rows = ",\n".join(json.dumps(request, ensure_ascii=False) for request in requests)
    tools = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in shared.items())
    FOLDER.mkdir(exist_ok=True)
    file = FOLDER / f"{name}.json"
    file.write_text(f'{{"tools": {{\n{tools}}},\n"requests": [\n{rows}]}}\n')
    return file


if __name__ == "__main__":
    for chosen in sys.argv[1:] or PLAYS:
        kept = keep(chosen)
        print(f"{kept.relative_to(ROOT)}: {kept.stat().st_size} bytes")
