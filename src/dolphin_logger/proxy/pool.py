"""Connections to providers, kept for the next request: opening, TLS, HTTPS proxies, reuse.

It knows addresses and time, not HTTP. Invariant: a connection that the provider has closed, or may
be about to close, is not used again.
"""

from __future__ import annotations

import asyncio
import base64
import socket
import ssl
import time
from urllib.parse import SplitResult, unquote, urlsplit
from urllib.request import (  # type: ignore[attr-defined]  # missing in typeshed
    getproxies_environment,
    proxy_bypass_environment,
)

import truststore

from dolphin_logger.errors import ProviderError
from dolphin_logger.proxy.guard import is_loopback
from dolphin_logger.proxy.upstream import Origin, UpstreamConnection

IDLE_SECONDS = 15.0


class Pool:
    """Idle connections by origin, the most recently used first."""

    def __init__(self) -> None:
        self._idle: dict[Origin, list[UpstreamConnection]] = {}
        self._tls: dict[str | None, ssl.SSLContext] = {}

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
        where = f"{origin.scheme}://{origin.host}:{origin.port}"
        try:
            async with asyncio.timeout(seconds):
                return await self._open(origin)
        except TimeoutError as error:
            message = f"no connection to {where} within {seconds:g} s"
            raise ProviderError(message, status=504, kind="connect_timeout") from error
        except ssl.SSLError as error:
            message = f"TLS with {where} failed: {_tls_reason(error)}"
            raise ProviderError(message, status=502, kind="tls") from error
        except socket.gaierror as error:
            message = f"the host name of {where} is unknown; check apiBase"
            raise ProviderError(message, status=502, kind="connect") from error
        except OSError as error:
            message = f"cannot connect to {where}: {error.strerror or error}; is it running?"
            raise ProviderError(message, status=502, kind="connect") from error

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

    async def _open(self, origin: Origin) -> UpstreamConnection:
        loop = asyncio.get_running_loop()
        connection = UpstreamConnection(origin, self._put)
        tls = self._tls_context(origin.ca) if origin.scheme == "https" else None
        proxy = _proxy_for(origin) if tls is not None else None
        if proxy is None:
            transport, _ = await loop.create_connection(
                lambda: connection, origin.host, origin.port, ssl=tls
            )
            _send_at_once(transport)
            return connection
        assert tls is not None
        tunnel = await _open_tunnel(proxy, origin)
        wrapped = await loop.start_tls(tunnel, connection, tls, server_hostname=origin.host)
        if wrapped is None:
            raise ConnectionError("the connection was closed during the TLS handshake")
        connection.connection_made(wrapped)
        return connection

    def _put(self, connection: UpstreamConnection) -> None:
        connection.idle_since = time.monotonic()
        self._idle.setdefault(connection.origin, []).append(connection)

    def _tls_context(self, ca: str | None) -> ssl.SSLContext:
        """Trust what the system trusts (SSL_CERT_FILE included), or the model's own authority."""
        context = self._tls.get(ca)
        if context is None:
            if ca is None:
                context = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            else:
                context = ssl.create_default_context(cafile=ca)
            context.set_alpn_protocols(["http/1.1"])
            self._tls[ca] = context
        return context


class _Tunnel(asyncio.Protocol):
    """Asks an HTTP proxy for a connection (RFC 9110, section 9.3.6) and reads its answer's head."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self._head = b""
        self.answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.write(self._request)  # type: ignore[attr-defined]  # uvloop's are no asyncio.Transport

    def data_received(self, data: bytes) -> None:
        self._head += data
        if b"\r\n\r\n" in self._head and not self.answer.done():
            self.answer.set_result(self._head.partition(b"\r\n")[0])

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.answer.done():
            self.answer.set_exception(exc or ConnectionError("closed by the proxy"))


async def _open_tunnel(proxy: SplitResult, origin: Origin) -> asyncio.Transport:
    """Connect through a proxy.

    Raises:
        ProviderError: 502, it refuses or cannot be reached.
    """
    where = f"{_bracket(origin.host)}:{origin.port}"
    lines = [f"CONNECT {where} HTTP/1.1", f"host: {where}"]
    if proxy.username is not None:
        login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
        lines.append(f"proxy-authorization: Basic {base64.b64encode(login.encode()).decode()}")
    request = "\r\n".join([*lines, "", ""]).encode()
    name = f"the proxy {proxy.hostname}:{proxy.port or 8080} of HTTPS_PROXY"
    try:
        transport, tunnel = await asyncio.get_running_loop().create_connection(
            lambda: _Tunnel(request), proxy.hostname or "", proxy.port or 8080
        )
        status = await tunnel.answer
    except OSError as error:
        message = f"cannot connect through {name}: {error.strerror or error}"
        raise ProviderError(message, status=502, kind="connect") from error
    if status.split(b" ")[1:2] != [b"200"]:
        transport.abort()
        shown = status.decode("latin-1")[:100]
        raise ProviderError(f"{name} refused: {shown}", status=502, kind="connect")
    _send_at_once(transport)
    return transport


def split_url(url: str, *, ca: str | None = None) -> tuple[Origin, bytes, bytes]:
    """Split an absolute URL into origin, request target and the value of Host."""
    parts = urlsplit(url)
    default = 443 if parts.scheme == "https" else 80
    host = parts.hostname or ""
    port = parts.port or default
    target = parts.path or "/"
    if parts.query:
        target += f"?{parts.query}"
    host_field = _bracket(host) if port == default else f"{_bracket(host)}:{port}"
    return Origin(parts.scheme, host, port, ca), target.encode(), host_field.encode()


def _proxy_for(origin: Origin) -> SplitResult | None:
    """Read HTTPS_PROXY and NO_PROXY; loopback never goes through a proxy."""
    if is_loopback(origin.host):
        return None
    proxies = getproxies_environment()
    url = proxies.get("https") or proxies.get("all")
    if not url or proxy_bypass_environment(f"{origin.host}:{origin.port}", proxies):
        return None
    return urlsplit(url if "://" in url else f"http://{url}")


def _send_at_once(transport: asyncio.BaseTransport) -> None:
    sock = transport.get_extra_info("socket")
    if sock is not None and sock.family in (socket.AF_INET, socket.AF_INET6):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _bracket(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _tls_reason(error: ssl.SSLError) -> str:
    return getattr(error, "verify_message", None) or error.reason or str(error)
