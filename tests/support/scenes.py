"""Made-up sessions, chats and work on code, with a place for a text at every position of their JSON.

What surrounds the text is what such sessions are full of and what no redactor should mistake: digests,
ids, versions, timestamps, code that speaks of passwords. The same seed gives the same session.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Callable
from typing import Any

from dolphin_logger.example import Example, Exchanged, Piece

Chat = dict[str, Any]

POSITIONS = (
    "system text",
    "user text",
    "user text part",
    "assistant text",
    "reasoning",
    "argument, nested",
    "arguments, one string of JSON",
    "tool result, text",
    "tool result, JSON",
    "tool description",
    "code block",
    "tag",
    "name in data",
)


def diff(rng: random.Random) -> str:
    """A change as git shows it."""
    name = rng.choice(["auth", "models", "billing", "views", "queue"])
    first, second = (f"{rng.getrandbits(28):07x}" for _ in range(2))
    return (
        f"diff --git a/app/{name}.py b/app/{name}.py\nindex {first}..{second} 100644\n"
        f"--- a/app/{name}.py\n+++ b/app/{name}.py\n@@ -{rng.randrange(9, 400)},7 +{rng.randrange(9, 400)},9 @@\n"
        ' class Settings(BaseSettings):\n     name: str = "orders"\n-    password: str | None = None\n'
        '+    password: SecretStr | None = Field(default=None, alias="DB_PASSWORD")\n'
        '+    token: str = os.environ["SERVICE_TOKEN"]\n     retries: int = 3\n'
    )


def environment(rng: random.Random) -> str:
    """A `.env` file with nothing in it that is secret."""
    return (
        f"NODE_ENV=production\nPORT={rng.randrange(3000, 9000)}\nLOG_LEVEL=debug\nAPI_KEY=${{API_KEY}}\n"
        "DB_PASSWORD=<your password>\nREDIS_URL=redis://localhost:6379/0\nSECRET_KEY=changeme\n"
        f"BUILD_ID={uuid.UUID(int=rng.getrandbits(128))}\n"
    )


def command(rng: random.Random) -> str:
    """A command that somebody ran, and what it said."""
    return (
        f"$ curl -s -H 'Authorization: Bearer $TOKEN' http://localhost:{rng.randrange(3000, 9000)}/v1/jobs/{rng.randrange(10**6)}\n"
        f'{{"id": {rng.randrange(10**9)}, "state": "queued", "created": {1_700_000_000 + rng.randrange(10**7)}}}\n'
        f"* Connected to localhost (127.0.0.1) port 8080\n* user-agent: curl/8.{rng.randrange(9)}.1\n"
    )


def traceback(rng: random.Random) -> str:
    """A failure in Python."""
    line = rng.randrange(10, 900)
    return (
        f'Traceback (most recent call last):\n  File "/usr/lib/python3.11/asyncio/runners.py", line {line}, in run\n'
        f'    return self._loop.run_until_complete(task)\n  File "/app/worker.py", line {line + 7}, in handle\n'
        f"    user = users[user_id]\nKeyError: '{rng.getrandbits(48):012x}'\n"
    )


def configuration(rng: random.Random) -> str:
    """Settings in YAML."""
    return (
        f"services:\n  api:\n    image: registry.internal/api@sha256:{rng.getrandbits(256):064x}\n"
        f"    ports: ['{rng.randrange(3000, 9000)}:80']\n    environment:\n      PASSWORD_FILE: /run/secrets/db\n"
        "      TOKEN_TTL: 3600\n    healthcheck: {test: [CMD, curl, -f, http://localhost/health]}\n"
    )


def query(rng: random.Random) -> str:
    """A question to a database, and its answer."""
    return (
        "SELECT id, email_verified, password_hash IS NOT NULL AS has_password FROM users\n"
        f" WHERE created_at > '2025-0{rng.randrange(1, 9)}-11 10:22:{rng.randrange(10, 59)}' LIMIT {rng.randrange(5, 50)};\n"
        f" {rng.randrange(10**6)} | t | f\n {rng.randrange(10**6)} | f | t\n(2 rows)\n"
    )


def lock(rng: random.Random) -> str:
    """Lines of a lock file."""
    import base64

    digest = base64.b64encode(rng.randbytes(64)).decode()
    return (
        f'    "node_modules/left-pad": {{\n      "version": "1.{rng.randrange(9)}.{rng.randrange(9)}",\n'
        f'      "resolved": "https://packages.example/left-pad/1.3.0",\n      "integrity": "sha512-{digest}"\n'
    )


NOISE: tuple[Callable[[random.Random], str], ...] = (
    diff,
    environment,
    command,
    traceback,
    configuration,
    query,
    lock,
)
ASKED = (
    "The worker dies after a few minutes, can you look why?",
    "Please move the settings out of the code and write a test for it.",
    "What does this query do, and why is it slow?",
    "Write a polite answer to this customer.",
)
TOLD = (
    "I read the file. The key is looked up before it is written; I will change the order and run the tests.",
    "The index is missing. Two changes are needed: one in the migration, one in the model.",
    "Done: 12 tests pass. The password is read from the environment now, and never logged.",
)


def between(rng: random.Random, text: str) -> str:
    """Put a text between what surrounds it in such a session."""
    before, after = rng.sample(NOISE, 2)
    return f"{before(rng)}\n{text}\n{after(rng)}"


def session(rng: random.Random, *, position: str, text: str) -> Piece:
    """Make a session that holds a text at one position."""
    at = dict.fromkeys(POSITIONS, "") | {position: text}

    def put(name: str, around: str) -> str:
        return f"{around}\n{at[name]}\n" if at[name] else around

    call = f"call_{rng.getrandbits(64):016x}"
    data: dict[str, Any] = {
        "path": "app/worker.py",
        "edits": [{"old": "a", "new": put("argument, nested", "b = 1")}],
    }
    if at["name in data"]:
        data["seen"] = {at["name in data"]: 1}
    result = {
        "ok": True,
        "rows": [{"n": 1, "note": put("tool result, JSON", "none")}],
        "took": 12.5,
    }
    messages: list[Chat] = [
        {"role": "system", "content": put("system text", "You are a coding agent. Today is 2026-11-22.")},
        {"role": "user", "content": put("user text", f"{rng.choice(ASKED)}\n{between(rng, '')}")},
        {
            "role": "assistant",
            "content": put("assistant text", rng.choice(TOLD)),
            "reasoning_content": put("reasoning", "The user wants it quickly. I look at the log first."),
            "tool_calls": [{"type": "function", "id": call, "function": {"name": "edit", "arguments": data}}],
        },
        {"role": "tool", "tool_call_id": call, "content": between(rng, at["tool result, text"])},
        {"role": "tool", "tool_call_id": f"{call}b", "content": json.dumps(result, indent=rng.choice([None, 2]))},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": put("user text part", "Here is what I see:")},
                {"type": "image", "image": "data:image/png;base64,iVBORw0KGgo" + "A" * 600},
            ],
        },
        {"role": "assistant", "content": f"```python\n{put('code block', 'import os')}\n```\nThat is all."},
    ]  # fmt: skip
    tools = [
        {
            "type": "function",
            "function": {"name": "edit", "description": put("tool description", "Edits a file.")},
        }
    ]
    name = f"{rng.getrandbits(64):016x}"
    if position == "arguments, one string of JSON":
        return _on_the_wire(name, messages, tools, text)
    metadata = {"record": name, "tags": ["work", *([at["tag"]] if at["tag"] else [])]}
    return Example(name, name, messages, 6, tools, metadata)


def _on_the_wire(name: str, messages: list[Chat], tools: list[Any], text: str) -> Exchanged:
    arguments = json.dumps({"file": "notes.txt", "content": text, "mode": 0o644})
    called = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "write", "arguments": arguments},
    }
    answer = {"role": "assistant", "content": None, "tool_calls": [called]}
    response = {
        "id": f"chatcmpl-{name}",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": answer}],
    }
    return Exchanged(name, name, {"model": "m", "messages": messages, "tools": tools}, response)


def said(piece: Piece) -> list[str]:
    """Give every string and name of a piece, JSON in strings as it stands."""
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, str):
            found.append(value)
        elif isinstance(value, dict):
            for name, item in value.items():
                found.append(name)
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)

    for value in values(piece):
        walk(value)
    return found


def values(piece: Piece) -> list[Any]:
    """Give the parts of a piece that may hold something."""
    if isinstance(piece, Exchanged):
        return [piece.request, piece.response]
    assert isinstance(piece, Example)
    return [piece.messages, piece.tools, piece.metadata]


def shape(value: Any) -> Any:
    """Give what must not change: types, lengths, structure; of JSON in strings too, names by number."""
    if isinstance(value, str):
        try:
            held = json.loads(value)
        except ValueError:
            return "text"
        return ["json", shape(held)] if isinstance(held, dict | list) else "text"
    if isinstance(value, dict):
        return [shape(item) for item in value.values()]
    if isinstance(value, list):
        return ("list", [shape(item) for item in value])
    return type(value).__name__
