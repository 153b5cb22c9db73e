"""`transformers serve` with a tiny random model, a real OpenAI-compatible server behind the proxy."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest

from tests.clients.books import read_lines
from tests.clients.stage import CLIENTS
from tests.support.proxy import Proxy, wait_for

VENV = CLIENTS / "venvs" / "transformers" / "bin"
ASKED: Any = {
    "messages": [{"role": "user", "content": "Say something, wörld."}],
    "max_tokens": 12,
    "temperature": 0,
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make the model once."""
    folder = tmp_path_factory.mktemp("model")
    subprocess.run([VENV / "python", Path(__file__).with_name("tiny_model.py"), folder], check=True)
    return folder


@pytest.fixture(scope="module")
def proxy(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run the server, and a proxy that calls its model `tiny`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [VENV / "transformers", "serve", model, "--device", "cpu", "--host", "127.0.0.1"]
    folder = tmp_path_factory.mktemp("home")
    with (folder / "server.txt").open("wb") as output:
        server = subprocess.Popen(
            [*command, "--port", str(port)],
            env=os.environ | {"HF_HUB_OFFLINE": "1", "HOME": str(folder)},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
        try:
            wait_for(lambda: _answers(port), seconds=90, what="the server")
            entry = {"provider": "openai", "model": "tiny", "providerModel": str(model)}
            base = {"apiBase": f"http://127.0.0.1:{port}/v1", "apiKey": "none"}
            with Proxy(folder / "proxy", {"models": [entry | base]}) as running:
                yield running
                assert "Traceback" not in running.output(), running.output()
        finally:
            server.terminate()
            server.wait(30)


@pytest.fixture
def client(proxy: Proxy) -> Iterator[openai.OpenAI]:
    """Open an official client."""
    with openai.OpenAI(base_url=proxy.base, api_key="any", max_retries=0) as made:
        yield made


def _answers(port: int) -> bool:
    with socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", port)) == 0


def test_plain_and_streamed_answers_are_recorded(proxy: Proxy, client: openai.OpenAI) -> None:
    """What the client read is what is recorded, and the stream says the same as the plain answer."""
    before = len(read_lines(proxy.home))
    plain = client.chat.completions.create(model="tiny", **ASKED)
    chunks = list(client.chat.completions.create(model="tiny", stream=True, **ASKED))
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text
    assert text == plain.choices[0].message.content
    first, second = proxy.records(before + 2)[before:]
    assert first["response"] == plain.model_dump(exclude_unset=True)
    (choice,) = second["response"]["choices"]
    assert choice["message"]["content"] == text
    assert (first["outcome"], second["outcome"]) == ("completed", "completed")
    assert (first["usage"]["output_tokens"], second["usage"]["output_tokens"]) == (12, 12)
    assert [first["stream"], second["stream"]] == [False, True]


def test_a_stream_that_the_client_leaves_is_recorded(proxy: Proxy, client: openai.OpenAI) -> None:
    """What had come when the client left is recorded."""
    before = len(read_lines(proxy.home))
    endless = ASKED | {"max_tokens": 3000}
    text = ""
    with client.chat.completions.create(model="tiny", stream=True, **endless) as stream:
        for chunk in stream:
            text += chunk.choices[0].delta.content or ""
            if len(text) > 5:
                break
    (record,) = proxy.records(before + 1)[before:]
    assert record["outcome"] == "client_disconnected"
    assert record["response"]["choices"][0]["message"]["content"].startswith(text)
