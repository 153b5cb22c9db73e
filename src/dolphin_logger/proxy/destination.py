"""Where the calls of one model go: prepared once per configuration, dialect and path.

It turns an entry and its provider into the parts of a request head that do not change, or into the
provider itself where that answers in this process. Invariant: no credential of ours comes from a
client; the caller's own are among the passed fields only where the entry says PASSTHROUGH; no
vendor's fields reach another vendor.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote_plus

from dolphin_logger.config import ModelEntry
from dolphin_logger.errors import ConfigError, RequestError
from dolphin_logger.providers._api import LocalProvider, Provider, Target
from dolphin_logger.proxy.pool import split_url
from dolphin_logger.proxy.request import Headers
from dolphin_logger.proxy.translate import TRANSLATIONS
from dolphin_logger.proxy.translate._api import Translation
from dolphin_logger.proxy.upstream import Origin

_PATHS = {  # where requests that we author go
    "openai.chat": "/v1/chat/completions",
    "anthropic.messages": "/v1/messages",
    "gemini": "/v1beta/models/{model}:streamGenerateContent?alt=sse",
}
_TRANSLATED = (  # the paths of clients that can be translated; others count tokens and the like
    *("/v1/chat/completions", "/v1/messages", "/v1/responses"),
    *(":generateContent", ":streamGenerateContent"),
)
_VENDORS = {
    "anthropic": "anthropic",
    "google": "gemini",
}  # of providers that are one; else the dialect's
_VENDOR_FIELDS = {
    "openai": (b"openai-", b"x-codex-", b"chatgpt-"),
    "anthropic": (b"anthropic-", b"x-claude-"),
    "gemini": (b"x-goog-",),
}


class Destination:
    """One model's provider for one dialect and path, ready to be called.

    `local` answers itself; else requests go to `origin`. With a `translation` they go out in
    `dialect`, which differs from the client's.
    """

    __slots__ = (
        "_end",
        "_foreign",
        "_host",
        "_own",
        "_target_path",
        "dialect",
        "entry",
        "local",
        "origin",
        "provider",
        "target",
        "translation",
    )

    def __init__(
        self, entry: ModelEntry, provider: Provider | LocalProvider, *, dialect: str, path: str
    ) -> None:
        self.entry = entry
        self.provider: Any = provider
        self.local: LocalProvider | None = None
        self.origin: Origin = Origin("", "", 0)
        self.dialect, self.translation = choose_dialect(entry, provider, dialect=dialect)
        self._foreign = foreign_fields(self.dialect, provider=provider.name)
        if self.translation is not None:
            if not path.endswith(_TRANSLATED):
                raise unusable(entry, f"{path} has no counterpart in {self.dialect}")
            path = _PATHS[self.dialect]
        if isinstance(provider, LocalProvider):
            self.local = provider
            return
        try:
            self.target = provider.target(entry, self.dialect, path=path)
        except ConfigError as error:
            raise unusable(entry, str(error)) from error
        self._prepare(self.target)

    def _prepare(self, target: Target) -> None:
        self.origin, self._target_path, host = split_url(target.url, ca=self.entry.ca_file)
        ours = (*target.headers, *target.secrets)
        self._own = frozenset(name for name, _ in ours)
        fields = [b"%s: %s\r\n" % field for field in ours]
        self._host = b"host: %s\r\n" % host
        self._end = b"".join(fields) + b"accept-encoding: identity\r\n"

    def head(
        self, method: bytes, passed: Headers, *, length: int | None, query: bytes = b""
    ) -> bytes:
        """Build a request head: our framing and credentials, the client's other fields.

        `length` is the body's; None announces chunks, and -1 no body at all.
        """
        own, foreign = self._own, self._foreign
        lines = [
            b"%s: %s\r\n" % field
            for field in passed
            if field[0] not in own and not field[0].startswith(foreign)
        ]
        for name, value in self.target.defaults:
            if not any(field[0] == name for field in passed):
                lines.append(b"%s: %s\r\n" % (name, value))
        path = self._target_path
        if query and self.entry.query:
            query = self._without_own(query)
        if query:
            path += (b"&" if b"?" in path else b"?") + query
        framing = b"transfer-encoding: chunked\r\n" if length is None else b""
        if length is not None and length >= 0:
            framing = b"content-length: %d\r\n" % length
        return b"%s %s HTTP/1.1\r\n%s%s%s%s\r\n" % (
            method,
            path,
            self._host,
            b"".join(lines),
            self._end,
            framing,
        )

    def _without_own(self, query: bytes) -> bytes:
        """Drop the parameters that the entry sets itself, as its headers replace the client's."""
        own = {name for name, _ in self.entry.query}
        parts = query.split(b"&")
        return b"&".join(
            part for part in parts if unquote_plus(part.partition(b"=")[0].decode()) not in own
        )


def foreign_fields(dialect: str, *, provider: str) -> tuple[bytes, ...]:
    """List the beginnings of fields that belong to other vendors than the one that is called."""
    spoken = "openai" if dialect == "opaque" else dialect.partition(".")[0]
    own = _VENDORS.get(provider, spoken)
    return tuple(
        prefix
        for vendor, prefixes in _VENDOR_FIELDS.items()
        if vendor != own
        for prefix in prefixes
    )


def choose_dialect(
    entry: ModelEntry, provider: Provider | LocalProvider, *, dialect: str
) -> tuple[str, Translation | None]:
    """Stay in the client's language where the provider speaks it; translate where we can or are told to.

    Raises:
        RequestError: 404, this entry cannot be used by such a client.
    """
    spoken = provider.dialects
    if entry.dialect is not None and entry.dialect != dialect and entry.dialect in spoken:
        translation = TRANSLATIONS.get((dialect, entry.dialect))
        if translation is not None:
            return entry.dialect, translation
    if dialect in spoken:
        return dialect, None
    for (client, theirs), translation in TRANSLATIONS.items():
        if client == dialect and theirs in spoken:
            return theirs, translation
    speaks = ", ".join(sorted(provider.dialects))
    reason = f"provider '{entry.provider}' does not speak {dialect}; it speaks {speaks}"
    raise unusable(entry, reason)


def unusable(entry: ModelEntry, reason: str) -> RequestError:
    """Build the error for a model that is configured but cannot be called."""
    message = f"The model `{entry.model}` cannot be used: {reason}"
    return RequestError(
        message, status=404, kind="unknown_model", param="model", code="model_not_found"
    )
