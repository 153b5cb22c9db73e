"""What every exchange of one server shares: journal, connections, settings, counts.

It decides nothing; it is handed to each Relay, so that a reload of the configuration reaches only
exchanges that start after it.
"""

from __future__ import annotations

import os
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING

from dolphin_logger.config import Config
from dolphin_logger.journal.blobs import LIMIT
from dolphin_logger.journal.writer import Journal
from dolphin_logger.proxy.pool import Pool
from dolphin_logger.proxy.request import Headers, Request
from dolphin_logger.proxy.vault import Vault

if TYPE_CHECKING:
    from dolphin_logger.proxy.relay import Relay

_SHORTEST_SECRET = 12  # characters; dummies such as "ollama" are words of ordinary text


class Desk:
    """Shared by the exchanges of one server."""

    def __init__(self, config: Config, journal: Journal, *, pool: Pool) -> None:
        self.journal = journal
        self.vault = Vault(journal.home.vault)
        self._pause_switch = str(journal.home.pause_switch)
        self.pool = pool
        self.active: set[Relay] = set()
        self.suppressed = 0
        self.refused = 0
        self._threads = ThreadPoolExecutor(max_workers=1, thread_name_prefix="disk")
        self._threads.submit(self.vault.warm)
        self.reconfigure(config)

    def reconfigure(self, config: Config) -> None:
        """Take the settings of a configuration for what starts from now on."""
        self.keeps_raw = config.record_raw == "always"
        self._refuses = config.on_record_failure == "refuse"
        self.drains = config.on_client_disconnect == "drain"
        secrets = {secret.reveal() for secret in config.secrets()}
        secrets |= {value for entry in config.models for _, value in entry.query}
        self._secrets = [value.encode() for value in secrets if len(value) >= _SHORTEST_SECRET]
        self._secrets.sort(key=len, reverse=True)
        self._origins = frozenset(origin.rstrip("/").encode() for origin in config.allowed_origins)

    def paused(self) -> bool:
        """Whether the user has stopped recording; asked for every call, so that it acts at once."""
        return os.path.exists(self._pause_switch)  # noqa: PTH110 - a Path costs five times the call

    def refuses_unrecorded(self) -> bool:
        """Whether calls are to be refused now, because they could not be recorded."""
        return self._refuses and self.journal.trouble is not None

    def blot_out(self, text: bytes) -> bytes:
        """Take our own credentials out of an error to be recorded: some providers echo them."""
        for secret in self._secrets:
            text = text.replace(secret, b"***")
        return text

    def response_headers(self, exchange_id: str, request: Request) -> Headers:
        """Return the fields that we add to every answer of an exchange."""
        ours = [(b"x-dolphin-id", exchange_id.encode()), (b"x-content-type-options", b"nosniff")]
        return ours + self.cors_headers(request)

    def cors_headers(self, request: Request) -> Headers:
        """Let a page of an origin that the user listed read the answer; nobody else."""
        if not self._origins:
            return []
        origin = request.header(b"origin")
        if origin is None or origin not in self._origins:
            return []
        return [(b"access-control-allow-origin", origin), (b"vary", b"Origin")]

    def store_if_large(self, body: bytes) -> Future[bytes] | None:
        """Begin to write a body that is too large for a line to a blob, beside the relaying."""
        if len(body) <= LIMIT:
            return None
        return self._threads.submit(self._store, body)

    def close(self) -> None:
        """Finish what is being stored."""
        self._threads.shutdown(wait=True)
        self.vault.close()

    def _store(self, body: bytes) -> bytes:
        """Return the reference as JSON; if the disk refuses, the record says so in its place."""
        blob = None
        try:
            blob = self.journal.blob()
            blob.write(body)
            return blob.commit(media_type="application/json").to_json()
        except OSError:
            if blob is not None:
                blob.discard()
            return b'{"blob":null,"lost":true,"bytes":%d}' % len(body)
