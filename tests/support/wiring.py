"""A user's computer for `run` and `connect`: a home, an environment, programs that are scripts."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.support.provider import FakeProvider, Received, Wire, chat_answer

MESSAGE = json.dumps(
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-x",
        "content": [{"type": "text", "text": "hello"}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 3, "output_tokens": 1},
    }
).encode()
GEMINI = json.dumps(
    {
        "candidates": [
            {"content": {"role": "model", "parts": [{"text": "hello"}]}, "finishReason": "STOP"}
        ],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1, "totalTokenCount": 4},
    }
).encode()
ASK_OPENAI = """\
import openai
print(openai.OpenAI(max_retries=0).chat.completions.create(
    model="gpt-x", messages=[{"role": "user", "content": "hi"}]).choices[0].message.content)
"""
ASK_ANTHROPIC = """\
import anthropic
print(anthropic.Anthropic(max_retries=0).messages.create(
    model="claude-x", max_tokens=9, messages=[{"role": "user", "content": "hi"}]).content[0].text)
"""
ASK_GOOGLE = """\
from google import genai
client = genai.Client()  # collected, it would be closed
print(client.models.generate_content(model="gemini-x", contents="hi").text)
"""


async def every_language(request: Received, wire: Wire) -> None:
    """Answer a call of any of three vendors."""
    path = request.target.partition("?")[0]
    body = {"/v1/messages": MESSAGE, "/v1/chat/completions": chat_answer("hello")}.get(path)
    body = GEMINI if path.endswith(":generateContent") else body
    status = 404 if body is None else 200
    await wire.head(status, [("content-type", "application/json")], length=len(body or b"{}"))
    await wire.chunk(body or b"{}")


class Computer:
    """A user with a home, keys in the environment, and a gateway of every vendor at one place."""

    def __init__(self, folder: Path, provider: FakeProvider) -> None:
        self.user = folder / "user"
        self.home = folder / "home"
        self.programs = folder / "bin"
        self.user.mkdir()
        self.programs.mkdir()
        origin = provider.base.removesuffix("/v1")
        self.environ = {
            "PATH": f"{self.programs}:/usr/bin:/bin",
            "HOME": str(self.user),
            "DOLPHIN_LOGGER_HOME": str(self.home),
            "OPENAI_API_KEY": "sk-of-the-user-o",
            "OPENAI_BASE_URL": provider.base,
            "ANTHROPIC_API_KEY": "sk-of-the-user-a",
            "ANTHROPIC_BASE_URL": origin,
            "GEMINI_API_KEY": "sk-of-the-user-g",
            "GOOGLE_GEMINI_BASE_URL": origin,
        }

    def configure(self, *models: dict[str, Any], **settings: Any) -> None:
        """Write config.json."""
        self.home.mkdir(mode=0o700, exist_ok=True)
        path = self.home / "config.json"
        path.write_text(json.dumps({"models": list(models), **settings}))
        path.chmod(0o600)

    def script(self, text: str) -> list[str]:
        """Make a command that runs a Python script."""
        path = self.programs / "script.py"
        path.write_text(text)
        return [sys.executable, str(path)]

    def program(self, name: str, text: str) -> None:
        """Put a Python script on PATH under the name of a client."""
        path = self.programs / name
        path.write_text(f"#!{sys.executable}\n{text}")
        path.chmod(0o755)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[str]:
        """Start `dolphin-logger`."""
        options = {"stdin": subprocess.DEVNULL} | options
        return subprocess.Popen(
            [sys.executable, "-m", "dolphin_logger", *arguments],
            env=self.environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            **options,
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `dolphin-logger` to its end."""
        process = self.start(*arguments)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def records(self) -> list[dict[str, Any]]:
        """Read every record."""
        lines = [
            line
            for path in sorted((self.home / "logs").glob("*.jsonl"))
            for line in path.read_bytes().splitlines()
        ]
        return [json.loads(line) for line in lines]

    def proxies(self) -> list[Path]:
        """List what says that it runs."""
        return sorted((self.home / "run").glob("proxy-*.json"))

    def belongings(self) -> dict[str, bytes]:
        """Everything in the user's home."""
        return {str(path): path.read_bytes() for path in self.user.rglob("*") if path.is_file()}
