"""Chats for tests: requests and answers put into a journal as a proxy would, a minute apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from dolphin_logger.exchange import Client, Exchange, Outcome, new_id
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.writer import Journal
from dolphin_logger.messages import Usage

NOW = 1_795_361_046 * 10**9  # 2026-11-22
Said = dict[str, Any]


def user(text: str) -> Said:
    """Say something as a user."""
    return {"role": "user", "content": text}


def assistant(text: str, *calls: Said, thought: str | None = None) -> Said:
    """Say something as the model."""
    said: Said = {"role": "assistant", "content": text}
    if calls:
        said["tool_calls"] = list(calls)
    return said | ({"reasoning_content": thought} if thought else {})


def call(name: str, identity: str = "c1", **arguments: Any) -> Said:
    """Call a tool."""
    function = {"name": name, "arguments": json.dumps(arguments)}
    return {"id": identity, "type": "function", "function": function}


def result(text: str, identity: str = "c1") -> Said:
    """Say what a call gave."""
    return {"role": "tool", "tool_call_id": identity, "content": text}


class Chats:
    """A home and what is recorded in it."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.home.prepare()
        self.journal = Journal(self.home)
        self.minute = 0

    def ask(
        self,
        *history: Said,
        answer: Said | None,
        model: str = "a",
        outcome: Outcome = Outcome.COMPLETED,
        tools: tuple[str, ...] = (),
        minutes: int = 1,
        **who: Any,
    ) -> str:
        """Record a turn; give its id."""
        self.minute += minutes
        moment = NOW + self.minute * 60 * 10**9
        request: Said = {"model": model, "messages": list(history)}
        if tools:
            functions = [{"name": name, "parameters": {}} for name in tools]
            request["tools"] = [{"type": "function", "function": one} for one in functions]
        choice = {"index": 0, "message": answer, "finish_reason": "stop"}
        response = {"choices": [choice]} if answer else {"error": {"message": "no"}}
        exchange = Exchange(
            id=new_id(moment),
            time_ns=moment,
            dialect="openai.chat",
            path="/v1/chat/completions",
            model=model,
            provider="openai",
            provider_model=model,
            request=json.dumps(request).encode(),
            response=json.dumps(response).encode(),
            status=200 if answer else 500,
            outcome=outcome,
            usage=Usage(input_tokens=100, output_tokens=10),
            first_byte_ms=100.0,
            total_ms=1500.0,
            client=Client(
                name=who.get("client", "a-client"),
                session=who.get("session"),
                agent=who.get("agent"),
                parent=who.get("parent"),
                tags=who.get("tags", {}),
            ),
        )
        self.journal.append(exchange)
        return exchange.id
