"""The stack that the design proposed, as a contender: uvicorn and pyreqwest, relaying only.

Records nothing, guards nothing, parses nothing: the least that this pair can do. Run by
`proxy_bench.py --with-proposed`, in a virtual environment of its own.
"""

from __future__ import annotations

import os
from typing import Any

from pyreqwest.client import ClientBuilder

PROVIDER = os.environ["PROVIDER"]
_DROPPED = {b"host", b"content-length", b"accept-encoding", b"connection"}
_FRAMING = {"content-length", "transfer-encoding", "connection"}
_client: Any = None


def _make_client() -> Any:
    builder = ClientBuilder().http1_only().follow_redirects(False).no_proxy()
    for coding in ("gzip", "brotli", "zstd", "deflate"):
        builder = getattr(builder, coding)(False)
    return builder.pool_max_idle_per_host(2048).build()


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    global _client  # noqa: PLW0603 - one process, one client
    if scope["type"] != "http":
        return
    if scope["path"] == "/health":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"ok"})
        return
    if _client is None:
        _client = _make_client()
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    request = _client.post(PROVIDER).body_bytes(body).streamed_read_buffer_limit(0)
    for name, value in scope["headers"]:
        if name not in _DROPPED:
            request = request.header(name.decode(), value.decode())
    async with request.header("accept-encoding", "identity").build_streamed() as response:
        headers = [
            (n.encode(), v.encode()) for n, v in response.headers.items() if n not in _FRAMING
        ]
        await send({"type": "http.response.start", "status": response.status, "headers": headers})
        while chunk := await response.body_reader.read_chunk():
            data = bytes(chunk)
            await send({"type": "http.response.body", "body": data, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
