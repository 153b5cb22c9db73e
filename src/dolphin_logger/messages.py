"""The words that every dialect is reduced to. Pure values; no dialect, no I/O.

Only what the relay already needs lives here; messages and parts join when conversations do.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens as the provider counted them; None means unknown, never zero.

    Source: OpenTelemetry GenAI `gen_ai.usage.*`: `input_tokens` includes cached ones.
    """

    input_tokens: int | None = None
    output_tokens: int | None = None
    cache_read_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None
