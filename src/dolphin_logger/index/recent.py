"""Recent: the latest requests in words, so that a history that comes again is not read again.

Agents send all that was said with every turn. Two requests are compared message by message as JSON
values, which costs a tenth of reading them. It knows under which key a wire language keeps a list of
messages that are read one by one; of others (Responses, where items are joined) nothing is kept.
Invariant: what it gives equals what the dialect would have read.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from operator import eq
from typing import Any, Final

from dolphin_logger.conversation.canonical import hash_message
from dolphin_logger.dialects._api import Dialect
from dolphin_logger.messages import Asked, Message

_LISTS: Final = {
    "openai.chat": "messages",
    "anthropic.messages": "messages",
    "ollama.chat": "messages",
    "gemini": "contents",
}
_MOST: Final = 16
_MOST_MESSAGES: Final = 20_000
_LEADING: Final = 4  # messages by which requests are told apart


@dataclass(slots=True)
class _Seen:
    """One request: its messages as JSON, in words, and the hashes of those by their identity."""

    raw: list[Any]
    messages: tuple[Message, ...]
    hashes: dict[int, bytes | None] = field(default_factory=dict)

    def hashed(self, message: Message) -> bytes:
        """Hash a message, or remember its hash: of the messages held here, whose identity is theirs."""
        identity = id(message)
        if identity not in self.hashes:
            return hash_message(message)
        known = self.hashes[identity]
        if known is None:
            known = self.hashes[identity] = hash_message(message)
        return known


class Recent:
    """Reads requests, and remembers the latest."""

    def __init__(self) -> None:
        self._seen: OrderedDict[int, _Seen] = OrderedDict()
        self._count = 0

    def read(
        self, dialect: Dialect, request: dict[str, Any]
    ) -> tuple[Asked, Callable[[Message], bytes]]:
        """Read a request; give it with a function that hashes its messages."""
        key = _LISTS.get(dialect.name)
        raw = request.get(key) if key is not None else None
        if key is None or not isinstance(raw, list) or len(raw) < _LEADING:
            return dialect.read_request(request), hash_message
        found = self._like(raw)
        asked = None if found is None else _read_rest(dialect, request, key, self._seen[found])
        if asked is None:
            asked = dialect.read_request(request)
        own = asked.messages[-len(raw) :] if len(asked.messages) >= len(raw) else ()
        seen = _Seen(raw, own, {id(message): None for message in own})
        if found is not None:
            before = self._seen.pop(found).hashes
            seen.hashes |= {name: before[name] for name in seen.hashes if name in before}
        self._keep(seen)
        return asked, seen.hashed

    def _like(self, raw: list[Any]) -> int | None:
        """Find the request that begins most like this one, the latest of equals."""
        best, most = None, 1
        for number, seen in reversed(self._seen.items()):
            alike = sum(map(eq, raw[:_LEADING], seen.raw[:_LEADING]))
            if alike > most:
                best, most = number, alike
        return best

    def _keep(self, seen: _Seen) -> None:
        self._count += 1
        self._seen[self._count] = seen
        held = sum(len(one.raw) for one in self._seen.values())
        while len(self._seen) > 1 and (len(self._seen) > _MOST or held > _MOST_MESSAGES):
            _, oldest = self._seen.popitem(last=False)
            held -= len(oldest.raw)


def _read_rest(dialect: Dialect, request: dict[str, Any], key: str, seen: _Seen) -> Asked | None:
    """Read the messages that are not those of the request before; None when they do not fit together."""
    raw = request[key]
    same = list(map(eq, raw, seen.raw))
    if len(seen.messages) != len(seen.raw):
        return None
    new = [one for one, known in zip(raw, same, strict=False) if not known] + raw[len(same) :]
    asked = dialect.read_request({**request, key: new})
    leading = len(asked.messages) - len(new)
    if leading < 0:
        return None
    read = iter(asked.messages[leading:])
    own = [seen.messages[i] if i < len(same) and same[i] else next(read) for i in range(len(raw))]
    return Asked((*asked.messages[:leading], *own), asked.tools, asked.rest)
