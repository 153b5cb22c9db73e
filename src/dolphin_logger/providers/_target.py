"""What every HTTP provider does alike: an address, credentials, and the entry's own additions.

It knows neither vendors nor connections. Invariant: no header name or value that reaches a `Target`
can end its line, and whatever came from the configuration counts as a secret.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

from dolphin_logger.config import ModelEntry
from dolphin_logger.errors import ConfigError
from dolphin_logger.providers._api import Target

_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")  # RFC 9110, section 5.6.2
_VALUE = re.compile(rb"[\x20-\x7e\t]*")


def build_target(
    entry: ModelEntry, *, base: str, path: str, credentials: tuple[tuple[str, str], ...] = ()
) -> Target:
    """Join base and path, and add the entry's query and headers.

    The entry's headers replace credentials of the same name. With `PASSTHROUGH` there are no
    credentials: the caller's own are for the relay to pass on.

    Raises:
        ConfigError: a header's name or value cannot be sent.
    """
    url = base.rstrip("/") + path
    if entry.query:
        url += "?" + urlencode(entry.query)
    own = tuple((name, value.reveal()) for name, value in entry.headers)
    replaced = {name.lower() for name, _ in own}
    kept = () if entry.passthrough else credentials
    pairs = (*(pair for pair in kept if pair[0].lower() not in replaced), *own)
    return Target(url, secrets=tuple(_encode(entry, *pair) for pair in pairs))


def _encode(entry: ModelEntry, name: str, value: str) -> tuple[bytes, bytes]:
    pair = name.encode(errors="surrogatepass"), value.encode(errors="surrogatepass")
    if not _NAME.fullmatch(pair[0]) or not _VALUE.fullmatch(pair[1]):
        # the name may be the value by mistake, so neither is shown
        raise ConfigError(
            f"model {entry.model!r}: a header (or the key) contains a character that cannot be sent,"
            " such as a line break"
        )
    return pair
