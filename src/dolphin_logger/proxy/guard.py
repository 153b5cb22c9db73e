"""Who may talk to us, judged on raw header fields before anything else.

It knows addresses, origins and the token, not paths or models. A page in the user's browser must
not spend the keys, read the logs or write into the dataset; a rebound DNS name must not reach us.
Invariant: exactly one Host, byte-equal to an allowed name; no foreign Origin; no cross-site fetch.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from dolphin_logger.config import Config
from dolphin_logger.proxy.request import Headers, Request

_LOOPBACK_NAMES = ("localhost", "127.0.0.1", "[::1]")
_FOREIGN_SITES = (b"cross-site", b"same-site")
_HTTP_PORT = 80

Verdict = tuple[int, str]


class Guard:
    """Judges requests for one configuration and port."""

    def __init__(self, config: Config, *, port: int) -> None:
        names = [*_LOOPBACK_NAMES, *config.allowed_hosts]
        if not is_loopback(config.host) and config.host not in ("0.0.0.0", "::"):  # noqa: S104 - compared, not bound
            names.append(config.host)
        self._hosts = frozenset(_spellings(names, port=port))
        self._own_origins = frozenset(f"http://{name}:{port}".encode() for name in _LOOPBACK_NAMES)
        self._origins = frozenset(origin.rstrip("/").encode() for origin in config.allowed_origins)
        self._token = None if config.token is None else _digest(config.token.reveal().encode())
        self._needs_token = not is_loopback(config.host)

    def judge(self, request: Request) -> Verdict | None:
        """Return status and message of a refusal, or None for a request that may pass."""
        host = None
        for name, value in request.headers:
            if name == b"host":
                if host is not None:
                    return 421, "more than one Host header field"
                host = value
            elif name == b"origin":
                if value not in self._origins and value not in self._own_origins:
                    return 403, _origin_message(value)
            elif (
                name == b"sec-fetch-site"
                and value.lower() in _FOREIGN_SITES
                and not self.allows_origin(request)
            ):
                return (
                    403,
                    "a page of another site may not use this proxy; list its origin in allowedOrigins",
                )
        if host is None or host.lower() not in self._hosts:
            return 421, _host_message(host)
        # a browser asks first without credentials, and learns only what may be asked
        preflight = request.method == b"OPTIONS" and self.allows_origin(request)
        if self._needs_token and not preflight and not self._has_token(request.headers):
            return (
                401,
                "this address needs the token of config.json, as `Authorization: Bearer <token>`",
            )
        return None

    def allows_origin(self, request: Request) -> bool:
        """Say whether the request comes from an origin that the user listed."""
        return request.header(b"origin") in self._origins

    def _has_token(self, headers: Headers) -> bool:
        """Compare in constant time, whatever was sent and wherever (one key slot per dialect)."""
        if self._token is None:
            return False
        for name, value in headers:
            if name in (b"authorization", b"x-api-key", b"x-goog-api-key"):
                sent = value[7:] if value[:7].lower() == b"bearer " else value
                if hmac.compare_digest(_digest(sent.strip()), self._token):
                    return True
        return False


def is_loopback(host: str) -> bool:
    """Say whether an address to bind is reachable from this machine only."""
    return host in ("localhost", "::1") or host.startswith("127.")


def _spellings(names: Iterable[str], *, port: int) -> Iterable[bytes]:
    for name in names:
        yield f"{name}:{port}".lower().encode()
        if port == _HTTP_PORT or ":" in name.rpartition("]")[2]:
            yield name.lower().encode()  # port 80, or the configuration names a port itself


def _digest(value: bytes) -> bytes:
    return hashlib.sha256(value).digest()


def _origin_message(origin: bytes) -> str:
    shown = ascii(origin[:100].decode("latin-1"))
    return f"requests from origin {shown} are refused; list it in allowedOrigins if it is yours"


def _host_message(host: bytes | None) -> str:
    if host is None:
        return "no Host header field"
    shown = ascii(host[:100].decode("latin-1"))
    return f"Host {shown} is not served here; add it to allowedHosts if it is yours"
