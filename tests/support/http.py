"""A client that hides nothing: HTTP/1.1 as bytes, for what http.client would tidy up."""

from __future__ import annotations

import contextlib
import socket
from dataclasses import dataclass
from typing import Any

import orjson

from tests.support.proxy import Proxy

CHAT = "/v1/chat/completions"


def post(
    body: bytes, *fields: str, path: str = CHAT, version: str = "1.1", close: bool = True
) -> bytes:
    """Write a POST; `fields` are whole header lines, a content-length is added."""
    lines = [
        f"POST {path} HTTP/{version}",
        "host: 127.0.0.1:{port}",
        f"content-length: {len(body)}",
    ]
    lines += [*fields, *(["connection: close"] if close else [])]
    return "\r\n".join([*lines, "", ""]).encode() + body


def chat(**body: Any) -> bytes:
    """Write an ordinary body."""
    return orjson.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}], **body})


@dataclass
class RawAnswer:
    """One answer as it came; `chunks` are those of the framing, one of them without chunks."""

    status: int
    headers: list[tuple[str, str]]
    chunks: list[bytes]
    complete: bool

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]


class RawClient:
    """One connection. Use as a context manager."""

    def __init__(self, proxy: Proxy) -> None:
        self._socket = proxy.connect()
        self._port = str(proxy.port).encode()
        self._buffer = b""

    def __enter__(self) -> RawClient:
        return self

    def __exit__(self, *exc: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data.replace(b"{port}", self._port, 1))

    def read_line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            if not self._more():
                raise ConnectionError(f"the connection ended after {self._buffer!r}")
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def read_head(self) -> tuple[int, list[tuple[str, str]]]:
        status = int(self.read_line().split(b" ")[1])
        headers = []
        while line := self.read_line().decode("latin-1"):
            name, _, value = line.partition(":")
            headers.append((name, value.strip()))
        return status, headers

    def read_chunk(self) -> bytes:
        """Read one chunk; empty at the end."""
        size = int(self.read_line(), 16)
        data = self.read_exactly(size + 2)
        return data[:-2]

    def read_answer(self, *, head: bool = False) -> RawAnswer:
        """Read one answer, however it is framed and whether or not it is complete."""
        status, headers = self.read_head()
        answer = RawAnswer(status, headers, [], complete=False)
        with contextlib.suppress(ConnectionError):
            if head or status in (204, 304) or status < 200:
                pass
            elif answer.all("transfer-encoding"):
                while chunk := self.read_chunk():
                    answer.chunks.append(chunk)
            elif lengths := answer.all("content-length"):
                answer.chunks.append(self.read_exactly(int(lengths[0])))
            else:
                answer.chunks.append(self.read_rest())
            answer.complete = True
        return answer

    def read_rest(self) -> bytes:
        """Read until the other side closes; a reset is an error."""
        while self._more():
            pass
        data, self._buffer = self._buffer, b""
        return data

    def at_end(self) -> bool:
        """Wait for more: True when the connection ends instead."""
        with contextlib.suppress(ConnectionError):
            return not self._buffer and not self._more()
        return True

    def reset(self) -> None:
        """Leave with RST."""
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        self._socket.close()

    def read_exactly(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if not self._more():
                raise ConnectionError("the body ended early")
        data, self._buffer = self._buffer[:size], self._buffer[size:]
        return data

    def _more(self) -> bool:
        data = self._socket.recv(1 << 20)
        self._buffer += data
        return bool(data)


def exchange(proxy: Proxy, data: bytes, *, head: bool = False) -> RawAnswer:
    """Send bytes over a new connection and read one answer."""
    with RawClient(proxy) as client:
        client.send(data)
        return client.read_answer(head=head)
