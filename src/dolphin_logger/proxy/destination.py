"""Where the calls of one model go, prepared once per configuration.

It turns an entry and its provider into the parts of a request head that do not change, or into the
provider itself where that answers in this process. Invariant: no credential of ours comes from a
client; the caller's own are among the passed fields only where the entry says PASSTHROUGH.
"""

from __future__ import annotations

from dolphin_logger.config import ModelEntry
from dolphin_logger.errors import ConfigError, RequestError
from dolphin_logger.providers._api import LocalProvider, Provider
from dolphin_logger.proxy.pool import split_url
from dolphin_logger.proxy.request import Headers
from dolphin_logger.proxy.upstream import Origin


class Destination:
    """One model's provider, ready to be called. `local` answers itself; else `origin` is connected to."""

    __slots__ = ("_end", "_own", "_start", "entry", "local", "origin")

    def __init__(
        self, entry: ModelEntry, provider: Provider | LocalProvider, *, dialect: str
    ) -> None:
        self.entry = entry
        self.local: LocalProvider | None = None
        self.origin: Origin = ("", "", 0)
        refusal = getattr(provider, "refusal", None)
        if refusal is None and dialect not in provider.dialects:
            refusal = f"provider '{entry.provider}' does not speak {dialect}"
        if refusal is not None:
            raise unusable(entry, refusal)
        if isinstance(provider, LocalProvider):
            self.local = provider
            return
        try:
            target = provider.target(entry, dialect)
        except ConfigError as error:
            raise unusable(entry, str(error)) from error
        self.origin, path, host = split_url(target.url)
        ours = (*target.headers, *target.secrets)
        self._own = frozenset(name.lower() for name, _ in ours)
        self._start = b"POST %s HTTP/1.1\r\nhost: %s\r\n" % (path, host)
        fields = [b"%s: %s\r\n" % field for field in ours]
        self._end = b"".join(fields) + b"accept-encoding: identity\r\ncontent-length: "

    def head(self, passed: Headers, *, length: int) -> bytes:
        """Build a request head: our framing and credentials, the client's other fields."""
        own = self._own
        lines = [b"%s: %s\r\n" % field for field in passed if field[0] not in own]
        return b"%s%s%s%d\r\n\r\n" % (self._start, b"".join(lines), self._end, length)


def unusable(entry: ModelEntry, reason: str) -> RequestError:
    """Build the error for a model that is configured but cannot be called."""
    message = f"The model `{entry.model}` cannot be used: {reason}"
    return RequestError(
        message, status=404, kind="unknown_model", param="model", code="model_not_found"
    )
