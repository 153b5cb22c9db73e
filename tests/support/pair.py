"""One provider and one proxy that many tests share: starting them costs more than most tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.provider import FakeProvider, answer, chat_answer
from tests.support.proxy import Proxy, one_model, wait_for

REAL_NAME = "the-real/model:1"


class Pair:
    """A provider, and a proxy that serves `m` (same name there) and `alias` (another name there)."""

    def __init__(self, provider: FakeProvider, proxy: Proxy) -> None:
        self.provider = provider
        self.proxy = proxy
        self._seen: dict[Path, int] = {}

    def begin(self) -> None:
        """Forget what was before this test."""
        self.provider.requests.clear()
        self.provider.script = answer(chat_answer())
        self._new_lines()

    def records(self, count: int = 1) -> list[dict[str, Any]]:
        """Wait for exactly this many new records."""
        lines: list[bytes] = []

        def enough() -> bool:
            lines.extend(self._new_lines())
            return len(lines) >= count

        wait_for(enough, what=f"{count} records")
        assert len(lines) == count
        return [json.loads(line) for line in lines]

    def record(self) -> dict[str, Any]:
        """Wait for exactly one new record."""
        return self.records(1)[0]

    def blob(self, reference: dict[str, Any]) -> bytes:
        """Read the blob that a record names."""
        return (self.proxy.home / "blobs" / reference["blob"]["sha256"]).read_bytes()

    def check_good(self) -> None:
        """A good request still works, and its record is whole."""
        self.provider.script = answer(chat_answer("still here"))
        asked = self.proxy.chat(messages=[{"role": "user", "content": "are you there?"}])
        assert (asked.status, asked.body) == (200, chat_answer("still here"))
        record = self.record()
        assert record["outcome"] == "completed"
        assert record["request"]["messages"][0]["content"] == "are you there?"
        assert record["response"] == json.loads(chat_answer("still here"))

    def _new_lines(self) -> list[bytes]:
        found = []
        for path in self.proxy.segments():
            with path.open("rb") as file:
                file.seek(self._seen.get(path, 0))
                data = file.read()
            whole = data[: data.rfind(b"\n") + 1]
            self._seen[path] = self._seen.get(path, 0) + len(whole)
            found += whole.splitlines()
        return found


def two_models(base: str, **more: Any) -> dict[str, Any]:
    """Configure `m` and `alias` at one provider."""
    config = one_model(base, **more)
    config["models"].append(config["models"][0] | {"model": "alias", "providerModel": REAL_NAME})
    return config
