"""`generationConfig`: how to answer.

Its fields are taken out one by one; what is left says nothing or is named as dropped.
It knows no other key of a request, and no models but through their traits.

Source: https://ai.google.dev/api/generate-content#v1beta.GenerationConfig.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.proxy.translate.chat_body import wish_effort
from dolphin_logger.proxy.translate.chat_models import ModelTraits, effort_of, is_effort
from dolphin_logger.proxy.translate.gemini_to_openai.fields import (
    Fields,
    drop_rest,
    read_fields,
    read_list,
)
from dolphin_logger.proxy.translate.gemini_to_openai.schema import lower_schema
from dolphin_logger.proxy.translate.losses import Losses, refusal
from dolphin_logger.proxy.translate.request_keys import is_number

PLACE: Final = "generationConfig"
_NUMBERS: Final = {
    "temperature": "temperature",
    "topP": "top_p",
    "seed": "seed",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
}
_UNSPECIFIED: Final = "thinking_level_unspecified"
_AUTOMATIC: Final = -1
_SAYS_NOTHING: Final = (False, 0)


class GenerationTranslation:
    """Translates one `generationConfig` into keys of the `body`; use once."""

    def __init__(
        self, config: Fields, *, body: dict[str, Any], traits: ModelTraits, losses: Losses
    ) -> None:
        self._left = dict(config)
        self._body = body
        self._traits = traits
        self._losses = losses

    def run(self) -> None:
        """Translate."""
        self._refuse()
        for name, key in _NUMBERS.items():
            if name in self._left:
                self._body[key] = self._number(name)
        self._take_limit()
        self._take_stops()
        self._take_format()
        self._take_log_probabilities()
        self._take_thinking()
        rest = {key: value for key, value in self._left.items() if value not in _SAYS_NOTHING}
        drop_rest(rest, place=PLACE, losses=self._losses)

    def _take(self, name: str) -> Any:
        return self._left.pop(name, None)

    def _refuse(self) -> None:
        """Refuse what would change the answer beyond recognition."""
        count = self._take("candidateCount")
        if count not in (None, 1):
            self._fault("candidateCount", f"{count!r}: one answer is possible per request here")
        modalities = read_list(self._take("responseModalities") or [], at="responseModalities")
        if any(str(kind).upper() != "TEXT" for kind in modalities):
            self._fault("responseModalities", f"{modalities!r}: the answer can only be TEXT")
        if "responseFormat" in self._left:
            self._fault("responseFormat", "use responseMimeType and responseJsonSchema")

    def _fault(self, name: str, message: str) -> None:
        raise refusal(f"{PLACE}.{name}: {message}", param=f"{PLACE}.{name}")

    def _number(self, name: str) -> int | float:
        value = self._take(name)
        if not is_number(value):
            self._fault(name, f"{value!r} is no number")
        number: int | float = value
        return number

    def _whole(self, name: str) -> int:
        value = self._number(name)
        if value != int(value):
            self._fault(name, f"{value!r} is no whole number")
        return int(value)

    def _take_limit(self) -> None:
        if "maxOutputTokens" in self._left:
            self._body[self._traits.limit] = self._whole("maxOutputTokens")

    def _take_stops(self) -> None:
        stops = self._take("stopSequences")
        if stops is None or stops == []:
            return
        if not isinstance(stops, list) or not all(isinstance(text, str) for text in stops):
            self._fault("stopSequences", "it must be an array of strings")
        self._body["stop"] = stops

    def _take_format(self) -> None:
        kind = self._take("responseMimeType")
        json_schema, schema = self._take("responseJsonSchema"), self._take("responseSchema")
        name = "responseSchema" if json_schema is None else "responseJsonSchema"
        schema = schema if json_schema is None else json_schema
        if kind not in (None, "text/plain", "application/json"):
            self._fault(
                "responseMimeType", f"{kind!r}: possible are text/plain and application/json"
            )
        if schema is not None:
            lowered = lower_schema(schema, at=f"{PLACE}.{name}")
            described = {"name": "response", "schema": lowered}  # the language wants a name
            self._body["response_format"] = {"type": "json_schema", "json_schema": described}
        elif kind == "application/json":
            self._body["response_format"] = {"type": "json_object"}

    def _take_log_probabilities(self) -> None:
        if self._left.get("responseLogprobs") is not True:
            return
        del self._left["responseLogprobs"]
        self._body["logprobs"] = True
        if "logprobs" in self._left:
            self._body["top_logprobs"] = self._whole("logprobs")

    def _take_thinking(self) -> None:
        """Take how much to think; whether thoughts are shown is the business of the answer."""
        thinking, place = self._take("thinkingConfig"), f"{PLACE}.thinkingConfig"
        fields = {} if thinking is None else read_fields(thinking, at=place)
        fields.pop("includeThoughts", None)
        wanted, budget = self._level(fields), fields.get("thinkingBudget")
        key = "thinkingLevel"
        if wanted is None and type(budget) is int:
            del fields["thinkingBudget"]
            key, wanted = "thinkingBudget", None if budget == _AUTOMATIC else effort_of(budget)
        wish_effort(
            self._body, wanted, at=f"{place}.{key}", traits=self._traits, losses=self._losses
        )
        if key == "thinkingBudget" and budget != 0 and "reasoning_effort" in self._body:
            self._losses.change(f"{place}.{key}")  # an effort says it less exactly
        drop_rest(fields, place=place, losses=self._losses)

    def _level(self, fields: Fields) -> str | None:
        level = fields.get("thinkingLevel")
        wanted = level.lower() if isinstance(level, str) else None
        if wanted == _UNSPECIFIED or is_effort(wanted):
            del fields["thinkingLevel"]
        return wanted if is_effort(wanted) else None


def includes_thoughts(request: dict[str, Any]) -> bool:
    """Say whether a client wants to see the model's thoughts."""
    found: Any = request
    for name in (PLACE, "thinkingConfig", "includeThoughts"):
        found = read_fields(found, at=PLACE).get(name) if isinstance(found, dict) else None
    return found is True
