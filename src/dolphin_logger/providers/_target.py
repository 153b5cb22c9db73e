"""What every HTTP provider does alike: an address, credentials, and the entry's own additions.

It knows neither vendors nor connections. Invariant: no header name or value that reaches a `Target`
can end its line, and whatever came from the configuration counts as a secret.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlencode

from dolphin_logger.config import ModelEntry
from dolphin_logger.errors import ConfigError
from dolphin_logger.providers._api import Target

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, section 5.6.2
_VALUE = re.compile(rb"[\x20-\x7e\t]*")


def base_of(entry: ModelEntry, *, name: str, default: str | None) -> str:
    """Return the entry's `apiBase`, or the provider's own, without a final slash.

    Raises:
        ConfigError: there is neither.
    """
    base = entry.api_base or default
    if base is None:
        raise ConfigError(f"model {entry.model!r}: provider {name} needs an apiBase")
    return base.rstrip("/")


def below(base: str, path: str) -> str:
    """Put a vendor API's path below an address that stands for its `/v1`; never beside it."""
    rest = path.removeprefix("/v1")
    return base + (rest if rest.startswith("/") or not rest else path)


def build_target(
    entry: ModelEntry,
    *,
    url: str,
    key_field: str = "authorization",
    defaults: Mapping[str, str] | None = None,
) -> Target:
    """Add the entry's key, headers and query to an address.

    The entry's headers replace the key's field of the same name. With `PASSTHROUGH` there is no key
    of ours: the caller's own is for the relay to pass on. `defaults` are sent where the client sends
    no such field.

    Raises:
        ConfigError: a header's name or value cannot be sent.
    """
    if entry.query:
        url += ("&" if "?" in url else "?") + urlencode(entry.query)
    own = {name.lower(): value.reveal() for name, value in entry.headers}
    pairs = list(own.items())
    if entry.api_key is not None and not entry.passthrough and key_field not in own:
        key = entry.api_key.reveal()
        pairs.insert(0, (key_field, f"Bearer {key}" if key_field == "authorization" else key))
    return Target(
        url,
        secrets=tuple(_encode(entry, *pair) for pair in pairs),
        defaults=tuple(_encode(entry, *pair) for pair in (defaults or {}).items()),
    )


def _encode(entry: ModelEntry, name: str, value: str) -> tuple[bytes, bytes]:
    pair = name.encode(errors="surrogatepass"), value.encode(errors="surrogatepass")
    if not _NAME.fullmatch(pair[0]) or not _VALUE.fullmatch(pair[1]):
        # the name may be the value by mistake, so neither is shown
        raise ConfigError(
            f"model {entry.model!r}: a header (or the key) contains a character that cannot be sent,"
            " such as a line break"
        )
    return pair
