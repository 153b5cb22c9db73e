"""A streamed legacy completion: the envelope of a chat completion around plain text.

It knows how a choice's `text` lies where a chat completion has a delta; everything else (errors,
ends, log-probabilities, usage) is the same, and is left to `_openai_stream`.

Source: https://platform.openai.com/docs/api-reference/completions.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.dialects._openai_stream import ChatDecoder

_OBJECTS: Final = ("text_completion", "", None)


class CompletionDecoder(ChatDecoder):
    """Implements `StreamDecoder` for `openai.completions`."""

    def _take_usual(self, chunk: dict[str, Any]) -> bool:
        choices = chunk.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            _turn_text_into_delta(choice)
        return super()._take_usual(chunk)

    def _merge_field(self, key: str, value: Any) -> None:
        if key == "object":
            self._exact &= value in _OBJECTS
        else:
            super()._merge_field(key, value)

    def _merge_choice(self, choice: Any, *, position: int) -> None:
        _turn_text_into_delta(choice)
        super()._merge_choice(choice, position=position)

    def _build(self) -> dict[str, Any]:
        response = super()._build()
        if "choices" not in response:
            return response
        choices = []
        for choice in response["choices"]:
            message = choice.pop("message")
            text, _ = message.pop("content"), message.pop("role")
            # a server that mixes the two surfaces up: keep what has no place here
            rest = {"message": message} if message else {}
            self._exact &= not message
            choices.append({"text": "" if text is None else text, **choice, **rest})
        return {**response, "object": "text_completion", "choices": choices}


def _turn_text_into_delta(choice: Any) -> None:
    if isinstance(choice, dict) and "text" in choice and "delta" not in choice:
        choice["delta"] = {"content": choice.pop("text")}
