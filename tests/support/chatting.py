"""A person's chat over any wire language, recorded into a home: what is asked, what is answered.

A message is (role, text); a thought goes with every answer where the language has one. Records are
written as the proxy writes them, and read as a build reads them.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dolphin_logger.curate.material import Material
from dolphin_logger.curate.pairs import find_pairs
from dolphin_logger.example import Pair
from dolphin_logger.exchange import Client, Exchange, Outcome
from dolphin_logger.journal.format import encode
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import LabelWriter, read_labels
from tests.support.material import materials

Said = tuple[str, str]
BEGIN = 1_790_000_000 * 10**9
SECOND = 10**9
LANGUAGES = ("openai.chat", "anthropic.messages", "openai.responses", "gemini")


def q(text: str) -> Said:
    """Say something as a user."""
    return ("user", text)


def a(text: str) -> Said:
    """Say something as the model."""
    return ("assistant", text)


class Chatting:
    """Records requests a minute apart; gives what pairs are in them."""

    def __init__(self, folder: Path, language: str = "openai.chat") -> None:
        self.home = Home(folder / "home")
        self.language = language
        self._folder = folder
        self._count = itertools.count(1)
        self._time = BEGIN
        self.home.logs.mkdir(parents=True, exist_ok=True)

    def ask(
        self,
        *history: Said,
        answer: str | Sequence[str] | None = None,
        system: str = "Be brief.",
        seconds: float = 60,
        outcome: Outcome = Outcome.COMPLETED,
        provider: str | None = None,
        publishable: bool | None = None,
        model: str = "m",
        headers: dict[str, str] | None = None,
        session: str | None = None,
        replay: str | None = None,
        **body: Any,
    ) -> str:
        """Record a request; give its id."""
        number = next(self._count)
        self._time += int(seconds * SECOND)
        answers = [answer] if isinstance(answer, str) else list(answer or ())
        request = {**_REQUESTS[self.language](history, system), "model": model, **body}
        exchange = Exchange(
            id=f"01990000-0000-7000-8000-{number:012}",
            time_ns=self._time,
            dialect=self.language,
            path="/",
            model=model,
            provider=provider,
            status=200 if outcome is Outcome.COMPLETED else 500,
            outcome=outcome,
            total_ms=500,
            client=Client("a-client", session, tags={"replay": replay} if replay else {}),
            request_headers=headers or {},
            publishable=publishable,
            request=json.dumps(request).encode(),
            response=json.dumps(_ANSWERS[self.language](answers)).encode() if answers else None,
        )
        segment = self.home.logs / "2026-09-21_00000000-0000-4000-8000-000000000000.jsonl"
        with segment.open("ab") as file:
            file.write(encode(exchange, seq=number))
        return exchange.id

    def label(self, record: str, kind: str, value: Any = None, message: int | None = None) -> str:
        """Label a record; give the label's id."""
        writer = LabelWriter(self.home)
        try:
            return writer.write(record, kind, value, message).id
        finally:
            writer.close()

    def materials(self) -> list[Material]:
        """Give the conversations."""
        return list(materials(self.home, self._folder / f"spool-{next(self._count)}"))

    def pairs(self) -> list[Pair]:
        """Find all pairs."""
        labels = read_labels(self.home)
        return [pair for one in self.materials() for pair in find_pairs(one, labels)]

    def told(self) -> list[tuple[str, str, str]]:
        """Find all pairs; give signal, chosen and rejected text of each."""
        return [
            (pair.signal, pair.chosen[-1]["content"], pair.rejected[-1]["content"])
            for pair in self.pairs()
        ]


def _chat(history: Sequence[Said], system: str) -> dict[str, Any]:
    messages = [{"role": role, "content": text} for role, text in (("system", system), *history)]
    return {"messages": messages}


def _messages(history: Sequence[Said], system: str) -> dict[str, Any]:
    messages = [
        {"role": role, "content": [{"type": "text", "text": text}]} for role, text in history
    ]
    return {"system": system, "messages": messages}


def _responses(history: Sequence[Said], system: str) -> dict[str, Any]:
    kinds = {"user": "input_text", "assistant": "output_text"}
    items = [
        {"type": "message", "role": role, "content": [{"type": kinds[role], "text": text}]}
        for role, text in history
    ]
    return {"instructions": system, "input": items}


def _gemini(history: Sequence[Said], system: str) -> dict[str, Any]:
    names = {"user": "user", "assistant": "model"}
    contents = [{"role": names[role], "parts": [{"text": text}]} for role, text in history]
    return {"systemInstruction": {"parts": [{"text": system}]}, "contents": contents}


THOUGHT = "Let me think."


def _chat_answer(answers: Sequence[str]) -> dict[str, Any]:
    said = {"role": "assistant", "reasoning_content": THOUGHT}
    return {
        "choices": [
            {"index": at, "message": {**said, "content": text}} for at, text in enumerate(answers)
        ]
    }


def _messages_answer(answers: Sequence[str]) -> dict[str, Any]:
    thought = {"type": "thinking", "thinking": THOUGHT, "signature": "c2VhbA=="}
    return {"role": "assistant", "content": [thought, {"type": "text", "text": answers[0]}]}


def _responses_answer(answers: Sequence[str]) -> dict[str, Any]:
    thought = {"type": "reasoning", "summary": [{"type": "summary_text", "text": THOUGHT}]}
    content = [{"type": "output_text", "text": answers[0]}]
    return {"output": [thought, {"type": "message", "role": "assistant", "content": content}]}


def _gemini_answer(answers: Sequence[str]) -> dict[str, Any]:
    thought = {"text": THOUGHT, "thought": True}
    return {
        "candidates": [
            {"index": at, "content": {"role": "model", "parts": [thought, {"text": text}]}}
            for at, text in enumerate(answers)
        ]
    }


_REQUESTS = {
    "openai.chat": _chat,
    "anthropic.messages": _messages,
    "openai.responses": _responses,
    "gemini": _gemini,
}
_ANSWERS = {
    "openai.chat": _chat_answer,
    "anthropic.messages": _messages_answer,
    "openai.responses": _responses_answer,
    "gemini": _gemini_answer,
}
