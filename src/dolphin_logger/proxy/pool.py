"""Connections to providers, kept for the next request: opening, TLS, reuse.

It knows addresses and time, not HTTP. Invariant: a connection that the provider has closed, or may
be about to close, is not used again.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from urllib.parse import SplitResult, urlsplit

import truststore

from dolphin_logger.errors import ProviderError
from dolphin_logger.proxy.upstream import Origin, UpstreamConnection

IDLE_SECONDS = 15.0


class Pool:
    """Idle connections by origin, the most recently used first."""

    def __init__(self) -> None:
        self._idle: dict[Origin, list[UpstreamConnection]] = {}
        self._tls: ssl.SSLContext | None = None

    def take(self, origin: Origin) -> UpstreamConnection | None:
        """Return an idle connection that is still open, if there is one."""
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.open:
                return connection
        return None

    async def connect(self, origin: Origin, *, seconds: float) -> UpstreamConnection:
        """Open a connection.

        Raises:
            ProviderError: refused, unknown host, TLS failure (502), or too slow (504).
        """
        scheme, host, port = origin
        where = f"{scheme}://{host}:{port}"
        loop = asyncio.get_running_loop()
        context = self._tls_context() if scheme == "https" else None
        try:
            async with asyncio.timeout(seconds):
                transport, connection = await loop.create_connection(
                    lambda: UpstreamConnection(origin, self._put), host, port, ssl=context
                )
        except TimeoutError as error:
            raise ProviderError(
                f"no connection to {where} within {seconds:g} s", status=504, kind="connect_timeout"
            ) from error
        except ssl.SSLError as error:
            raise ProviderError(
                f"TLS with {where} failed: {_tls_reason(error)}", status=502, kind="tls"
            ) from error
        except socket.gaierror as error:
            message = f"the host name of {where} is unknown; check apiBase"
            raise ProviderError(message, status=502, kind="connect") from error
        except OSError as error:
            message = f"cannot connect to {where}: {error.strerror or error}; is it running?"
            raise ProviderError(message, status=502, kind="connect") from error
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def tick(self, now: float) -> None:
        """Close what has been idle longer than providers like."""
        for idle in self._idle.values():
            while idle and now - idle[0].idle_since > IDLE_SECONDS:
                idle.pop(0).abort()

    def close(self) -> None:
        """Close every idle connection."""
        for idle in self._idle.values():
            for connection in idle:
                connection.abort()
        self._idle.clear()

    def _put(self, connection: UpstreamConnection) -> None:
        connection.idle_since = time.monotonic()
        self._idle.setdefault(connection.origin, []).append(connection)

    def _tls_context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            self._tls.set_alpn_protocols(["http/1.1"])
        return self._tls


def split_url(url: str) -> tuple[Origin, bytes, bytes]:
    """Split an absolute URL into origin, request target and the value of Host."""
    parts: SplitResult = urlsplit(url)
    default = 443 if parts.scheme == "https" else 80
    host = parts.hostname or ""
    port = parts.port or default
    shown = f"[{host}]" if ":" in host else host
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    host_field = shown if port == default else f"{shown}:{port}"
    return (parts.scheme, host, port), target.encode(), host_field.encode()


def _tls_reason(error: ssl.SSLError) -> str:
    return getattr(error, "verify_message", None) or error.reason or str(error)
