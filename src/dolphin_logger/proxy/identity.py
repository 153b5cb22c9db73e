"""Who is calling: name, session, agent and tags, from what clients send of their own accord.

A table of header fields and body keys. Everything in it is untrusted: it is cut to length, cleaned of
control characters and used for nothing but the record. It knows no conversations.
Our own fields come first, then those of gateways, then those of the clients themselves.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from dolphin_logger.exchange import Client
from dolphin_logger.proxy.request import Headers

_LENGTH = 256
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_PRODUCTS = {  # first word of the User-Agent, lower case, to the client's usual name
    "claude-cli": "claude-code",
    "codex_cli_rs": "codex",
    "codex_exec": "codex",
    "codex-tui": "codex",
    "geminicli": "gemini-cli",
    "geminicli-tui": "gemini-cli",
}
_RUN_IS_SESSION = {"gemini-cli"}  # names no session of its own: what it does in one run is one
_ORIGINATORS = {"codex_cli_rs": "codex", "codex_exec": "codex", "codex_vscode": "codex"}
_SESSION = (
    b"x-dolphin-session-id",
    b"x-dolphin-session",
    b"x-litellm-session-id",
    b"x-litellm-trace-id",
    b"helicone-session-id",
    b"x-portkey-trace-id",
    b"langfuse_session_id",
    b"x-claude-code-session-id",
    b"session-id",
    b"session_id",
    b"conversation_id",
    b"x-session-id",
    b"x-opencode-session",
    b"x-session-affinity",
    b"x-openwebui-chat-id",
)
_VENDOR_SESSION = re.compile(rb"x-[a-z0-9-]+-session-id\Z")
_AGENT = (b"x-dolphin-agent", b"x-claude-code-agent-id", b"x-openwebui-message-id")
_PARENT = (
    b"x-dolphin-parent",
    b"x-claude-code-parent-agent-id",
    b"x-parent-session-id",
    b"x-codex-parent-thread-id",
)
_TAG = b"x-dolphin-tag-"
_TAGS = {b"helicone-session-path": "session-path", b"helicone-session-name": "session-name"}
_METADATA = (b"x-portkey-metadata", b"cf-aig-metadata")  # JSON; `_user` and the like are persons
_TELLING = {
    *_SESSION,
    *_AGENT,
    *_PARENT,
    *_TAGS,
    *_METADATA,
    *(b"user-agent", b"originator", b"thread-id", b"x-openwebui-user-id"),
}
_VERSION = re.compile(r"/v?\d[^/]*\Z")
_USER_SESSION = re.compile(r"_session_([0-9a-fA-F-]{8,})")


def identify(headers: Headers, body: Mapping[str, Any], *, run: str | None) -> Client:
    """Read everything that a request tells about its client."""
    headers = [field for field in headers if _tells(field[0])]
    found = dict(reversed(headers))
    if not headers or (len(headers) == 1 and b"user-agent" in found):  # nothing but a product
        client = Client(_product(found.get(b"user-agent", b"")), _body_session(body))
        _note_run(client, run)
        return client
    session = _first(found, _SESSION) or _vendor_session(headers) or _body_session(body)
    thread = _text(found.get(b"thread-id"))
    client = Client(
        name=_name(found),
        session=session,
        agent=_first(found, _AGENT) or (thread if thread != session else None),
        parent=_first(found, _PARENT),
    )
    for name, value in headers:
        if name.startswith(_TAG):
            client.tags[_clean(name[len(_TAG) :].decode("latin-1"))] = _text(value) or ""
        elif name == b"x-dolphin-tags":
            _add_tags(client.tags, _text(value) or "")
        elif name.startswith(b"helicone-property-"):
            client.tags[_clean(name[18:].decode("latin-1"))] = _text(value) or ""
        elif name in _TAGS:
            client.tags[_TAGS[name]] = _text(value) or ""
        elif name in _METADATA:
            _add_metadata(client.tags, value)
    _note_run(client, run)
    return client


def _note_run(client: Client, run: str | None) -> None:
    if run is None:
        return
    client.tags["run"] = _clean(run)
    if client.session is None and client.name in _RUN_IS_SESSION:
        client.session = client.tags["run"]


def _name(found: Mapping[bytes, bytes]) -> str | None:
    ours = _text(found.get(b"x-dolphin-client"))
    if ours:
        return ours
    originator = found.get(b"originator", b"").decode("latin-1").lower()
    if originator in _ORIGINATORS:
        return _ORIGINATORS[originator]
    if b"x-openwebui-chat-id" in found or b"x-openwebui-user-id" in found:
        return "open-webui"
    return _product(found.get(b"user-agent", b""))


@lru_cache(maxsize=256)
def _product(user_agent: bytes) -> str | None:
    """Name a client by the first product of its User-Agent, without its version."""
    product = user_agent.decode("latin-1").partition(" ")[0]
    known = _PRODUCTS.get(product.partition("/")[0].lower())
    return known or _VERSION.sub("", _clean(product))[:64] or None


@lru_cache(maxsize=512)
def _tells(name: bytes) -> bool:
    """Say whether a field can tell anything: most cannot, and are passed over at once."""
    return (
        name in _TELLING
        or name.startswith((b"x-dolphin-", b"helicone-"))
        or _VENDOR_SESSION.match(name) is not None
    )


def _first(found: Mapping[bytes, bytes], names: tuple[bytes, ...]) -> str | None:
    for name in names:
        if name in found and (text := _text(found[name])):
            return text
    return None


def _vendor_session(headers: Headers) -> str | None:
    for name, value in headers:
        if _VENDOR_SESSION.match(name) and (text := _text(value)):
            return text
    return None


def _body_session(body: Mapping[str, Any]) -> str | None:
    """Look where clients put their session in the body, the explicit places first."""
    metadata = body.get("metadata")
    if isinstance(metadata, dict):
        session = metadata.get("session_id") or _session_of_user(metadata.get("user_id"))
        if isinstance(session, str) and session:
            return _clean(session)
    own = body.get("client_metadata")
    if isinstance(own, dict) and isinstance(own.get("session_id"), str) and own["session_id"]:
        return _clean(own["session_id"])
    for key in ("litellm_session_id", "prompt_cache_key", "conversation"):
        value = body.get(key)
        if isinstance(value, dict):
            value = value.get("id")
        if isinstance(value, str) and value:
            return _clean(value)
    return None


def _session_of_user(user: Any) -> str | None:
    """Older Claude Code names its session inside `metadata.user_id`, as JSON or by its ending."""
    if not isinstance(user, str):
        return None
    if user.startswith("{"):
        try:
            session = orjson.loads(user).get("session_id")
        except (orjson.JSONDecodeError, AttributeError):
            return None
        return session if isinstance(session, str) else None
    found = _USER_SESSION.search(user)
    return found[1] if found else None


def _add_tags(tags: dict[str, str], listed: str) -> None:
    """Read `a=b, c`: a tag without a value has an empty one."""
    for part in listed.split(","):
        key, _, value = part.strip().partition("=")
        if key:
            tags[key.strip()] = value.strip()


def _add_metadata(tags: dict[str, str], listed: bytes) -> None:
    """Read a gateway's JSON object of tags; keys with an underscore in front are the gateway's own."""
    try:
        values = orjson.loads(listed)
    except orjson.JSONDecodeError:
        return
    for key, value in values.items() if isinstance(values, dict) else ():
        if not key.startswith("_") and isinstance(value, str):
            tags[_clean(key)] = _clean(value)


def _text(value: bytes | None) -> str | None:
    return None if value is None else _clean(value.decode("utf-8", "replace")) or None


def _clean(text: str) -> str:
    return _CONTROL.sub("", text)[:_LENGTH]
