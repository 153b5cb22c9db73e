"""Open WebUI, whose chats are recorded and whose side tasks are not."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.clients.books import check_keys, check_native, compare
from tests.clients.stage import CLIENTS, KEYED, Stage, stage
from tests.support.proxy import wait_for
from tests.support.scripted.chat import Chat
from tests.support.scripted.model import Say, Think, step

PROGRAM = CLIENTS / "venvs" / "open-webui" / "bin" / "open-webui"
SCRIPT = {"TASK-MAIN": [step(Think("A greeting."), Say("Good night, wörld."))]}


class WebUI:
    """One running Open WebUI, without accounts."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._token = ""

    def answers(self) -> bool:
        """Say whether it is up."""
        try:
            return self._send("GET", "/health")[0] == 200
        except OSError:
            return False

    def sign_in(self) -> None:
        """Become the only user."""
        status, body = self._send("POST", "/api/v1/auths/signin", {"email": "", "password": ""})
        assert status == 200, body
        self._token = json.loads(body)["token"]

    def ask(self, path: str, **body: Any) -> str:
        """Send JSON, and give the answer's text."""
        status, answer = self._send("POST", path, body)
        assert status == 200, answer
        return answer

    def models(self) -> list[str]:
        """Name the models that it offers."""
        status, body = self._send("GET", "/api/models")
        assert status == 200, body
        return [model["id"] for model in json.loads(body)["data"]]

    def _send(self, method: str, path: str, body: Any = None) -> tuple[int, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"content-type": "application/json", "authorization": f"Bearer {self._token}"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        finally:
            connection.close()


@contextmanager
def web_ui(play: Stage) -> Iterator[WebUI]:
    """Run Open WebUI with the proxy as its only connection."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    settings = {
        "DATA_DIR": str(play.user),
        "ENABLE_FORWARD_USER_INFO_HEADERS": "true",
        "ENABLE_OLLAMA_API": "false",
        "HF_HUB_OFFLINE": "1",
        "OFFLINE_MODE": "true",
        "OPENAI_API_BASE_URL": play.proxy.base,
        "OPENAI_API_KEY": "any",
        "RAG_EMBEDDING_ENGINE": "openai",
        "WEBUI_AUTH": "false",
        "WEBUI_SECRET_KEY": "of-the-play",
    }
    output = (play.folder / "webui.txt").open("wb")
    process = subprocess.Popen(
        [PROGRAM, "serve", "--host", "127.0.0.1", "--port", str(port)],
        cwd=play.user,
        env=play.environ(**settings),
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
    )
    found = WebUI(port)
    try:
        wait_for(found.answers, seconds=120, what="Open WebUI")
        found.sign_in()
        yield found
    finally:
        process.terminate()
        process.wait(30)
        output.close()


@pytest.mark.timeout(300)
def test_a_chat_is_recorded_and_side_tasks_are_not(tmp_path: Path) -> None:
    """A chat, plain, streamed and kept, has its records; titles, tags and the like leave none."""
    with stage(tmp_path, Chat(), SCRIPT, entry=KEYED) as play, web_ui(play) as ui:
        assert ui.models() == ["local-model"]
        chat = {
            "model": "local-model",
            "messages": [{"role": "user", "content": "TASK-MAIN: say good night"}],
        }
        plain = json.loads(ui.ask("/api/chat/completions", **chat, stream=False))
        assert plain["choices"][0]["message"]["content"] == "Good night, wörld."
        kept = {"chat_id": "local:a-chat", "id": "a-message"}
        assert "[DONE]" in ui.ask("/api/chat/completions", **chat, stream=True)
        ui.ask("/api/chat/completions", **chat, **kept, stream=True)
        wait_for(lambda: len(play.model.said) == 3, what="the kept chat")
        pairs = compare(play)
        check_native(pairs)
        assert len(pairs) == 3
        assert {pair.record["client"]["name"] for pair in pairs} == {"open-webui"}
        assert [pair.record["client"]["session"] for pair in pairs] == [None, None, "local:a-chat"]
        for task in ("title", "tags", "follow_up"):
            ui.ask(f"/api/v1/tasks/{task}/completions", **chat)
        side = play.model.said[3:]
        assert len(side) == 3
        assert all(said.asked.text.startswith("### Task:") for said in side)
        assert len(play.proxy.records()) == 3, "a side task is recorded"
        assert play.proxy.health()["suppressed"] == 3
        check_keys(play)
