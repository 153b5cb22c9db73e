"""The kept traffic of real clients as records, with what is known about each.

tests/traffic holds requests only. What the model had said is taken from the request that came next in
the same thread; a request that was made again at once had failed. The truth was written down by hand,
from the scripts that the clients played.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dolphin_logger.conversation import Turn, read_turn
from dolphin_logger.dialects import DIALECTS
from dolphin_logger.exchange import Client, Exchange, Outcome
from dolphin_logger.journal.format import decode, encode

TRAFFIC = Path(__file__).parents[1] / "traffic"
LISTS = {
    "anthropic.messages": "messages",
    "openai.chat": "messages",
    "openai.responses": "input",
    "gemini": "contents",
}
# s: start, c: continue, d: duplicate, a: sub-agent, -: side; each with its parent's number
SESSIONS = {
    "claude-code": ("anthropic.messages", "s c0 a1 a2 c3 c2 c1 d6 c7 d8"),
    "codex": ("openai.responses", "s c0 c1 a1 c3 c2 d5 c6 d7"),
    "codex-listed": ("openai.responses", "s c0 c1 c2 a2 c4 c3 d6 c7 d8"),
    "gemini-cli": ("gemini", "s c0 a1 c2 c1 c4 d5"),
    "opencode": ("openai.chat", "- s c1 a2 c3 c2 d5 c6 d7"),
}
RELATIONS = {"s": "start", "c": "continue", "d": "duplicate", "a": "subagent", "-": "side"}


@dataclass(frozen=True)
class Known:
    """What a record is: its relation, and the number of its parent."""

    relation: str
    parent: str | None


def known_of(client: str) -> dict[str, Known]:
    """Give the truth about each record of a session, by its id."""
    told = [(RELATIONS[word[0]], word[1:]) for word in SESSIONS[client][1].split()]
    return {
        f"{client}-{number:02}": Known(relation, f"{client}-{int(parent):02}" if parent else None)
        for number, (relation, parent) in enumerate(told)
    }


def turns_of(client: str) -> list[Turn]:
    """Read a session as turns, by way of the record format."""
    dialect = DIALECTS[SESSIONS[client][0]]
    turns = []
    for number, exchange in enumerate(exchanges_of(client)):
        fields = decode(encode(exchange, seq=number))
        asked = dialect.read_request(fields["request"])
        answered = dialect.read_response(fields["response"] or {})
        turns.append(read_turn(fields, asked, answered, writer="one"))
    return turns


def exchanges_of(client: str) -> list[Exchange]:
    """Give a session as it was recorded."""
    name = SESSIONS[client][0]
    kept = json.loads((TRAFFIC / f"{client}.json").read_text())
    bodies = [
        {**request["body"], **({"tools": kept["tools"][request["body"]["tools"]]} if "tools" in request["body"] else {})}
        for request in kept["requests"]
    ]  # fmt: skip
    exchanges = []
    for number, request in enumerate(kept["requests"]):
        asks = [body[LISTS[name]] for body in bodies]
        failed = asks[number] in asks[number + 1 :]
        answer = None if failed else _answer(asks, number, name)
        who = request["client"]
        run = {"run": who["session"]} if client == "gemini-cli" else {}
        exchange = Exchange(
            id=f"{client}-{number:02}",
            time_ns=(1_790_000_000 + number) * 10**9,
            dialect=name,
            path=request["path"],
            model=bodies[number].get("model"),
            client=Client(who["name"], who["session"], who["agent"], who["parent"], run),
            outcome=Outcome.PROVIDER_TRUNCATED if failed else Outcome.COMPLETED,
            request=json.dumps(bodies[number]).encode(),
            response=None if answer is None else json.dumps(answer).encode(),
        )
        exchanges.append(exchange)
    return exchanges


def _answer(asks: list[list[Any]], number: int, dialect: str) -> dict[str, Any]:
    """Find what the model said: what stands behind the same history in a later request."""
    own = asks[number]
    longer = [ask for ask in asks[number + 1 :] if len(ask) > len(own) and _begins(ask, own)]
    said = []
    for item in longer[0][len(own) :] if longer else []:
        if not _is_of_the_model(item):
            break
        said.append(item)
    return _ANSWERS[dialect](said)


def _begins(ask: list[Any], own: list[Any]) -> bool:
    return json.dumps(_bare(ask[: len(own)])) == json.dumps(_bare(own))


def _bare(value: Any) -> Any:
    """Take off the marks that clients move along a history."""
    if isinstance(value, dict):
        return {key: _bare(inner) for key, inner in value.items() if key != "cache_control"}
    return [_bare(inner) for inner in value] if isinstance(value, list) else value


def _is_of_the_model(item: dict[str, Any]) -> bool:
    kind = item.get("type", "message")
    if kind == "message":
        return item.get("role") in ("assistant", "model")
    return bool(kind == "reasoning" or kind.endswith("_call"))


_END = "All is done."
_LAST_ITEM = {
    "type": "message",
    "role": "assistant",
    "content": [{"type": "output_text", "text": _END}],
}
_ANSWERS: dict[str, Any] = {
    "anthropic.messages": lambda said: {
        "role": "assistant",
        "content": said[0]["content"] if said else [{"type": "text", "text": _END}],
    },
    "openai.chat": lambda said: {
        "choices": [{"message": said[0] if said else {"role": "assistant", "content": _END}}]
    },
    "openai.responses": lambda said: {"output": said or [_LAST_ITEM], "status": "completed"},
    "gemini": lambda said: {
        "candidates": [
            {"content": said[0] if said else {"role": "model", "parts": [{"text": _END}]}}
        ]
    },
}
