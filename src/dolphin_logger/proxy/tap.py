"""The recorded copy of an answer: bytes in, one response text out.

It sees each piece after the client got it (the last one before). It knows content codings, the
dialect's decoder and the blob store, not connections. Invariants: memory is bounded, whatever the
provider sends; what the parsed view cannot hold is kept as raw bytes.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import brotli
import orjson
import zstandard

from dolphin_logger.dialects._api import Answer, Dialect, StreamDecoder
from dolphin_logger.journal.blobs import LIMIT, BlobWriter
from dolphin_logger.messages import Usage
from dolphin_logger.proxy.body import parse_json

_LOOSE = 16 * 1024  # bytes of a stream kept as they came, before they are packed
_MEMORY = 1024 * 1024  # bytes of an answer kept in memory before they go to a blob's part file
_STEP = 64 * 1024
_PACKER = zstandard.ZstdCompressor(level=1)
_UNPACKER = zstandard.ZstdDecompressor()
_WINDOW = 16  # bytes of the previous piece in which a terminal event may begin
_RATIO = 1000
_RATIO_FREE_BYTES = 16 * 1024 * 1024


class _Decompressor(Protocol):
    def decompress(self, data: bytes, /) -> Iterator[bytes]:
        """Yield what the data decompress to, in pieces of bounded size."""
        ...


class Tap:
    """Copies one answer. `finished` turns True with the dialect's terminal event."""

    def __init__(
        self,
        dialect: Dialect,
        *,
        asked: bool,
        media_type: str,
        coding: bytes,
        blob: Callable[[], BlobWriter],
        keep_raw: bool,
    ) -> None:
        self._dialect = dialect
        self._decoder: StreamDecoder | None = dialect.decoder(media_type, asked=asked)
        self._decoder_end = LIMIT
        self._asked = asked
        self._media_type = media_type
        self._coding = _decompressor(coding)
        self._coding_failed = False
        self._open_blob = blob
        self._blob: BlobWriter | None = None
        self._blob_failed = False
        self._pieces: list[bytes] = []
        self._in_memory = 0
        self._loose = 0
        self._packed: list[bytes] = []
        self._size = 0
        self._coded_size = 0
        self._window = b""
        self._exact = not keep_raw

    @property
    def finished(self) -> bool:
        """The terminal event has been decoded."""
        return self._decoder is not None and self._decoder.finished

    def may_finish(self, data: bytes) -> bool:
        """Say whether the stream's terminal event could end in these bytes."""
        return self._decoder is not None and (
            self._coding is not None or self._dialect.may_finish(self._window + data)
        )

    def feed(self, data: bytes) -> None:
        """Take the next bytes as they came over the wire."""
        self._window = (self._window + data)[-_WINDOW:] if len(data) < _WINDOW else data[-_WINDOW:]
        if self._coding is not None:
            self._feed_coded(data)
        else:
            self._feed_plain(data)

    def close(self, *, complete: bool) -> Copy:
        """End the answer and say what is to be recorded of it."""
        if not complete or self._coding_failed:
            self._exact = False
        if self._blob is not None and self._size > LIMIT:
            return self._close_blob()
        if self._decoder is not None and not self._blob_failed:
            return self._close_stream(self._decoder.answer())
        raw = self._collect()
        if self._blob_failed:
            return Copy(response=None, raw=None, lost=True)
        if not raw:
            return Copy(response=None, raw=None)
        try:
            value = parse_json(raw)
        except ValueError:
            return Copy(response=None, raw=raw)
        usage = self._dialect.usage(value) if isinstance(value, dict) else None
        return Copy(response=raw, raw=None if self._exact else raw, usage=usage)

    def _close_stream(self, answer: Answer) -> Copy:
        keep = not (self._exact and answer.exact and answer.terminated)
        raw = self._collect() if keep or self._blob is not None else b""
        if self._blob_failed:
            return Copy(response=None, raw=None, lost=True)
        response = None if answer.response is None else _dump(answer.response)
        usage = Usage() if answer.response is None else self._dialect.usage(answer.response)
        return Copy(
            response=response,
            raw=raw if keep and raw else None,
            usage=usage,
            error=answer.error,
            terminated=answer.terminated,
        )

    def _close_blob(self) -> Copy:
        assert self._blob is not None
        try:
            reference = self._blob.commit(media_type=self._media_type)
        except OSError:
            return Copy(response=None, raw=None, lost=True)
        return Copy(response=reference.to_json(), raw=None)

    def _feed_plain(self, data: bytes) -> None:
        self._size += len(data)
        if self._blob_failed:
            pass  # a part is lost, so nothing more is kept: half an answer must not look like a whole one
        elif self._blob is None:
            self._pieces.append(data)
            self._in_memory += len(data)
            if self._in_memory > _MEMORY:
                self._move_to_blob()
            elif self._decoder is not None:
                self._pack(len(data))
        else:
            self._append_to_blob(data)
        if self._decoder is not None and self._size > self._decoder_end:
            # The answer goes to a blob whole: from here on only its end is looked for.
            self._decoder = self._dialect.decoder(self._media_type, asked=self._asked)
            self._decoder_end = self._size + LIMIT
        if self._decoder is not None:
            self._decoder.feed(data)

    def _feed_coded(self, data: bytes) -> None:
        if self._coding_failed or self._coding is None:
            return
        self._coded_size += len(data)
        bound = max(_RATIO_FREE_BYTES, _RATIO * self._coded_size)
        try:
            for piece in self._coding.decompress(data):
                self._feed_plain(piece)
                if self._size > bound:
                    self._coding_failed = True
                    return
        except (zlib.error, brotli.error, zstandard.ZstdError):
            self._coding_failed = True

    def _pack(self, size: int) -> None:
        """Keep a stream's bytes small: events repeat each other, and mostly are not needed again."""
        self._loose += size
        if self._loose >= _LOOSE:
            self._packed.append(_PACKER.compress(b"".join(self._pieces)))
            self._pieces.clear()
            self._loose = 0

    def _unpacked(self) -> list[bytes]:
        """Return all pieces in memory, and forget them."""
        pieces = [_UNPACKER.decompress(block) for block in self._packed] + self._pieces
        self._packed.clear()
        self._pieces = []
        self._loose = 0
        return pieces

    def _move_to_blob(self) -> None:
        try:
            self._blob = self._open_blob()
        except OSError:
            self._blob_failed = True
            self._pieces.clear()
            return
        for piece in self._unpacked():
            self._append_to_blob(piece)

    def _append_to_blob(self, data: bytes) -> None:
        if self._blob is None:
            return
        try:
            self._blob.write(data)
        except OSError:
            self._blob.discard()
            self._blob = None
            self._blob_failed = True

    def _collect(self) -> bytes:
        """Bring back an answer that outgrew memory but not a line."""
        if self._blob is None:
            return b"".join(self._unpacked())
        try:
            data = self._blob.read()
        except OSError:  # the folder was removed
            self._blob_failed = True
            data = b""
        self._blob.discard()
        self._blob = None
        return data


class Copy:
    """What a record keeps of an answer.

    `lost`: the disk could not take it. `terminated`: False when a stream ended without its end.
    """

    __slots__ = ("error", "lost", "raw", "response", "terminated", "usage")

    def __init__(
        self,
        *,
        response: bytes | None,
        raw: bytes | None,
        usage: Usage | None = None,
        error: str | None = None,
        lost: bool = False,
        terminated: bool = True,
    ) -> None:
        self.response = response
        self.raw = raw
        self.usage = usage or Usage()
        self.error = error
        self.lost = lost
        self.terminated = terminated


def _dump(value: object) -> bytes:
    """Serialise a re-assembled answer; lone surrogates and long integers need the slow way."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


def _decompressor(coding: bytes) -> _Decompressor | None:
    """Choose by Content-Encoding; an unknown coding leaves the bytes as they are."""
    name = coding.strip().lower()
    if name in (b"gzip", b"x-gzip"):
        return _Zlib(31)
    if name == b"deflate":
        return _Zlib(15)
    if name == b"zstd":
        return _Zstd()
    if name == b"br":
        return _Brotli()
    return None


class _Zlib:
    def __init__(self, wbits: int) -> None:
        self._stream = zlib.decompressobj(wbits)

    def decompress(self, data: bytes, /) -> Iterator[bytes]:
        while data:
            yield self._stream.decompress(data, _STEP)
            data = self._stream.unconsumed_tail


class _Zstd:
    def __init__(self) -> None:
        self._stream = zstandard.ZstdDecompressor(max_window_size=2**27).decompressobj()

    def decompress(self, data: bytes, /) -> Iterator[bytes]:
        """Feed little at a time: this interface has no bound on its output."""
        for start in range(0, len(data), 512):
            yield self._stream.decompress(data[start : start + 512])


class _Brotli:
    def __init__(self) -> None:
        self._stream = brotli.Decompressor()

    def decompress(self, data: bytes, /) -> Iterator[bytes]:
        yield self._stream.process(data, output_buffer_limit=_STEP)
        while not self._stream.can_accept_more_data():
            yield self._stream.process(b"", output_buffer_limit=_STEP)
