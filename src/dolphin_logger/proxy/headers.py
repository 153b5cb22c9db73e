"""Which header fields go on, and which are recorded.

Field names are lower-case bytes. Framing and credentials are never copied: framing is ours to set
on each side, credentials come from the configuration. Everything else that is not the browser's or
a forwarding proxy's goes on as received, duplicates apart.
"""

from __future__ import annotations

from dolphin_logger.proxy.connection import Headers

_HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer"
    b" transfer-encoding upgrade content-length".split()
)
_CREDENTIALS = frozenset(b"authorization x-api-key api-key x-goog-api-key cookie".split())
_REQUEST_DROPPED = (
    _HOP_BY_HOP
    | _CREDENTIALS
    | frozenset(
        b"host expect accept-encoding content-encoding origin referer forwarded via x-real-ip x-no-log"
        b" access-control-request-method access-control-request-headers openai-organization"
        b" openai-project".split()
    )
)
_REQUEST_DROPPED_PREFIXES = (b"x-dolphin-", b"x-forwarded-", b"sec-", b"proxy-")
_RESPONSE_DROPPED = _HOP_BY_HOP | frozenset(
    b"set-cookie strict-transport-security alt-svc content-security-policy"
    b" content-security-policy-report-only report-to nel date".split()
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


def for_provider(headers: Headers) -> Headers:
    """Select the client's fields that the provider gets."""
    named = _named_by_connection(headers)
    return [
        field
        for field in headers
        if field[0] not in _REQUEST_DROPPED
        and not field[0].startswith(_REQUEST_DROPPED_PREFIXES)
        and (not named or field[0] not in named)
    ]


def for_client(headers: Headers) -> Headers:
    """Select the provider's fields that the client gets."""
    named = _named_by_connection(headers)
    return [
        field
        for field in headers
        if field[0] not in _RESPONSE_DROPPED
        and not field[0].startswith(_RESPONSE_DROPPED_PREFIXES)
        and (not named or field[0] not in named)
    ]


def recorded_request(headers: Headers) -> dict[str, str]:
    """Select what a record keeps of the client's fields: an allow-list."""
    return _recorded(headers, _REQUEST_RECORDED, _REQUEST_RECORDED_PREFIXES)


def recorded_response(headers: Headers) -> dict[str, str]:
    """Select what a record keeps of the provider's fields: an allow-list."""
    return _recorded(headers, _RESPONSE_RECORDED, _RESPONSE_RECORDED_PREFIXES)


def request_id(headers: dict[str, str]) -> str | None:
    """Find the provider's own id of a request among the recorded fields."""
    return headers.get("x-request-id") or headers.get("request-id")


def _recorded(
    headers: Headers, names: frozenset[bytes], prefixes: tuple[bytes, ...]
) -> dict[str, str]:
    kept: dict[str, str] = {}
    for name, value in headers:
        if name in names or name.startswith(prefixes):
            key = name.decode("latin-1")
            text = value.decode("latin-1")
            kept[key] = f"{kept[key]}, {text}" if key in kept else text
    return kept


def _named_by_connection(headers: Headers) -> set[bytes]:
    """Collect the fields that `Connection` declares hop-by-hop (RFC 9110, section 7.6.1)."""
    named: set[bytes] = set()
    for name, value in headers:
        if name == b"connection":
            named.update(part.strip().lower() for part in value.split(b","))
    return named
