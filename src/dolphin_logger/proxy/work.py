"""One translated call: what goes out, the copies of what comes back, and what the record says of both.

It joins a Translation (pure) to the journal and the vault; it knows no connection.
Invariants: nothing that the provider's language cannot carry is dropped in silence; what is not to be
recorded touches no disk.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dolphin_logger.dialects import DIALECTS
from dolphin_logger.dialects._api import StreamDecoder
from dolphin_logger.errors import ProviderError, RequestError
from dolphin_logger.exchange import Exchange
from dolphin_logger.proxy.desk import Desk
from dolphin_logger.proxy.destination import Destination
from dolphin_logger.proxy.tap import Tap
from dolphin_logger.proxy.translate._api import DEFAULT_MAX_TOKENS, TranslateOptions
from dolphin_logger.proxy.translate.json_text import write_json

if TYPE_CHECKING:
    from dolphin_logger.proxy.calls import Call

BROKE_OFF = "the provider broke off in the middle of its answer"
_VERSION_FIELDS = (b"anthropic-beta", b"anthropic-version")


class Work:
    """One translated call: both requests, and the copy of the provider's answer.

    Raises:
        RequestError: 400, the call asks for what the provider's language cannot say.
    """

    def __init__(self, call: Call, destination: Destination, desk: Desk, *, recorded: bool) -> None:
        translation = destination.translation
        assert translation is not None
        self.translation = translation
        self.destination = destination
        self.client = call.dialect.name
        self.model = call.exchange.provider_model or ""
        self.streams = call.exchange.stream
        if self.streams and self.client == "gemini" and b"alt=sse" not in call.query:
            message = (
                "a translated stream is sent as server-sent events: add ?alt=sse to the address"
            )
            raise RequestError(message, status=400, kind="untranslatable", param="alt")
        self._desk = desk
        self._recorded = recorded
        self._scope = f"{destination.origin.host} {destination.dialect} "
        self.translated = translation.request(call.value, model=self.model, options=self._options())
        self.request = call.value
        self.created = call.exchange.time_ns // 1_000_000_000
        self.passed = [field for field in call.passed if field[0] in _VERSION_FIELDS]
        if destination.dialect != "anthropic.messages":
            self.passed = []
        self._tap: Tap | None = None
        self._decoder: StreamDecoder | None = None

    def _options(self) -> TranslateOptions:
        chosen = self.destination.entry.translate
        return TranslateOptions(
            max_tokens=chosen.max_tokens or DEFAULT_MAX_TOKENS,
            forward_user=chosen.forward_user,
            system_in_place=chosen.system_in_place,
            drop=chosen.drop,
            recall=self._desk.vault.recall(self._scope),
        )

    def begin_answer(self, media_type: str) -> None:
        """Start the copies of the provider's own answer: for the record, and to be read whole.

        The second one is needed where no stream goes out, or the answer may call tools.
        """
        dialect = DIALECTS[self.destination.dialect]
        if self._recorded:
            self._tap = Tap(
                dialect,
                asked=True,
                media_type=media_type,
                coding=b"",
                blob=self._desk.journal.blob,
                keep_raw=self._desk.keeps_raw,
            )
        if not self.streams or "tools" in self.translated.body:
            self._decoder = dialect.decoder(media_type, asked=True)

    def feed(self, data: bytes) -> None:
        """Copy bytes of the provider's own answer."""
        if self._tap is not None:
            self._tap.feed(data)
        if self._decoder is not None:
            self._decoder.feed(data)

    def whole_answer(self, broken: ProviderError | None) -> dict[str, Any]:
        """Return the provider's answer as if it had not been streamed.

        Raises:
            ProviderError: it reported an error, or broke off; `broken` if that is known.
        """
        assert self._decoder is not None
        whole = self._decoder.answer()
        if whole.error is not None:
            raise ProviderError(whole.error, status=502, kind="stream_error")
        if broken is not None:
            raise broken
        if whole.response is None or not whole.terminated:
            raise ProviderError(BROKE_OFF, status=502, kind="truncated")
        return whole.response

    def keep(self, native: dict[str, Any]) -> None:
        """Put into the vault what the client cannot send back; what is not recorded stays in memory."""
        kept = self.translation.kept(native)
        if kept:
            values = {self._scope + call_id: value for call_id, value in kept.items()}
            self._desk.vault.keep(values, on_disk=self._recorded)

    def keep_streamed(self) -> None:
        """Do so for a stream of which the client is about to get the end."""
        decoder, self._decoder = self._decoder, None
        answer = None if decoder is None else decoder.answer()
        if answer is not None and answer.response is not None:
            self.keep(answer.response)

    def note(self, exchange: Exchange, *, complete: bool) -> None:
        """Write the provider's side into the record."""
        exchange.provider_request = write_json(self.translated.body)
        exchange.translation = {
            "to": self.destination.dialect,
            "dropped": self.translated.dropped,
            "changed": self.translated.changed,
        }
        if self._tap is not None:
            copy = self._tap.close(complete=complete)
            exchange.provider_response = copy.response
            exchange.raw_response = copy.raw
            exchange.usage = copy.usage
