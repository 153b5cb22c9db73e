"""Which header fields go on, and which are recorded.

Field names are lower-case bytes. Framing and credentials are never copied: framing is ours to set
on each side, credentials come from the configuration. Everything else that is not the browser's or
a forwarding proxy's goes on as received, duplicates apart. What is recorded is an allow-list.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from urllib.parse import parse_qsl, unquote_to_bytes

from dolphin_logger.proxy.request import Headers, Request

_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer"
    b" transfer-encoding upgrade content-length".split()
)
_KEYS = frozenset(
    b"authorization x-api-key api-key x-goog-api-key openai-organization openai-project".split()
)
_KEY_PARAMETERS = frozenset(b"key api_key api-key apikey access_token token".split())
_CREDENTIALS = _KEYS | {b"cookie"}
_REQUEST_DROPPED = (
    _HOP_BY_HOP
    | _CREDENTIALS
    | frozenset(
        b"host expect accept-encoding content-encoding origin referer forwarded via x-real-ip x-no-log"
        b" access-control-request-method access-control-request-headers".split()
    )
)
# Open WebUI's name a person, for a proxy like this one; no provider has asked for them.
_REQUEST_DROPPED_PREFIXES = (
    *(b"x-dolphin-", b"x-forwarded-", b"sec-", b"proxy-"),
    b"x-openwebui-user-",
)
_RESPONSE_DROPPED = _HOP_BY_HOP | frozenset(
    b"set-cookie strict-transport-security alt-svc content-security-policy"
    b" content-security-policy-report-only report-to nel".split()
)
_RESPONSE_DROPPED_PREFIXES = (b"access-control-", b"proxy-")

_REQUEST_RECORDED = frozenset(
    b"user-agent content-type content-encoding openai-beta anthropic-version anthropic-beta"
    b" idempotency-key traceparent x-client-request-id x-app originator".split()
)
_REQUEST_RECORDED_PREFIXES = (b"x-stainless-",)
_RESPONSE_RECORDED = frozenset(
    b"content-type content-encoding request-id x-request-id retry-after retry-after-ms x-should-retry"
    b" openai-processing-ms openai-version openai-model cf-ray".split()
)
_RESPONSE_RECORDED_PREFIXES = (b"x-ratelimit-", b"anthropic-ratelimit-")
_PLAIN_CONNECTION = (b"keep-alive", b"close")

Selection = tuple[Headers, dict[str, str]]


def select_request(headers: Headers) -> Selection:
    """Select the client's fields that the provider gets, and those that are recorded."""
    return _select(headers, _judge_request)


def select_response(headers: Headers) -> Selection:
    """Select the provider's fields that the client gets, and those that are recorded."""
    return _select(headers, _judge_response)


def select_keys(request: Request, *, but: bytes | None) -> Headers:
    """Select the caller's own keys, for a model that passes them on; never `but`, our own token."""
    keys = [field for field in request.headers if field[0] in _KEYS]
    for name, value in parse_qsl(request.target.partition(b"?")[2].decode("latin-1")):
        if name == "key":
            keys.append((b"x-goog-api-key", value.encode("latin-1", "replace")))
    return [field for field in keys if but is None or but not in field[1]]


def without_key(query: bytes) -> bytes:
    """Take `key=` and its like out of a query: a credential is no part of an address."""
    parts = query.split(b"&")
    return b"&".join(
        part
        for part in parts
        if unquote_to_bytes(part.partition(b"=")[0]).lower() not in _KEY_PARAMETERS
    )


def request_id(recorded: dict[str, str]) -> str | None:
    """Find the provider's own id of a request among the recorded fields."""
    return recorded.get("x-request-id") or recorded.get("request-id")


def _select(headers: Headers, judge: Callable[[bytes], tuple[bool, str]]) -> Selection:
    passed: Headers = []
    recorded: dict[str, str] = {}
    for field in headers:
        passes, key = judge(field[0])
        if passes:
            passed.append(field)
        if key:
            _record(recorded, key, field[1])
    return _without_named(headers, passed), recorded


@lru_cache(maxsize=512)
def _judge_request(name: bytes) -> tuple[bool, str]:
    """Say whether a field passes, and under which key it is recorded (empty: not at all)."""
    passes = name not in _REQUEST_DROPPED and not name.startswith(_REQUEST_DROPPED_PREFIXES)
    records = name in _REQUEST_RECORDED or name.startswith(_REQUEST_RECORDED_PREFIXES)
    return passes, name.decode("latin-1") if records else ""


@lru_cache(maxsize=512)
def _judge_response(name: bytes) -> tuple[bool, str]:
    passes = name not in _RESPONSE_DROPPED and not name.startswith(_RESPONSE_DROPPED_PREFIXES)
    records = name in _RESPONSE_RECORDED or name.startswith(_RESPONSE_RECORDED_PREFIXES)
    return passes, name.decode("latin-1") if records else ""


def _record(recorded: dict[str, str], key: str, value: bytes) -> None:
    text = value.decode("latin-1")
    recorded[key] = f"{recorded[key]}, {text}" if key in recorded else text


def _without_named(headers: Headers, passed: Headers) -> Headers:
    """Drop the fields that `Connection` declares hop-by-hop (RFC 9110, section 7.6.1)."""
    for name, value in headers:
        if name == b"connection" and value.lower() not in _PLAIN_CONNECTION:
            named = {part.strip().lower() for part in value.split(b",")}
            passed = [field for field in passed if field[0] not in named]
    return passed
