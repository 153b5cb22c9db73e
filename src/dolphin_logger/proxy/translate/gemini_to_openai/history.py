"""The contents of a request: who said what, and which result belongs to which call.

It knows Google's parts, and neither the other keys of a request nor what the provider's messages look
like. Invariant: nothing is invented but ids of calls that have none, the same ones each time.

Source: https://ai.google.dev/api/caching#Content, https://ai.google.dev/gemini-api/docs/function-calling.
"""

from __future__ import annotations

from typing import Any, Final

from dolphin_logger.proxy.translate._api import TranslateOptions
from dolphin_logger.proxy.translate.chat_messages import ChatMessages, join_texts, write_call
from dolphin_logger.proxy.translate.chat_models import ModelTraits
from dolphin_logger.proxy.translate.chat_names import fit_name
from dolphin_logger.proxy.translate.gemini_to_openai.content import (
    MEDIA,
    read_text,
    translate_media,
)
from dolphin_logger.proxy.translate.gemini_to_openai.fields import (
    Fields,
    drop_rest,
    read_fields,
    read_list,
)
from dolphin_logger.proxy.translate.json_text import write_arguments
from dolphin_logger.proxy.translate.losses import Losses, refusal
from dolphin_logger.proxy.translate.parts import Part, text_part

Message = dict[str, Any]

_PLACE: Final = "contents[].parts[]"
_ROLES: Final = ("user", "model", "function")
_GOOGLES: Final = ("executableCode", "codeExecutionResult", "toolCall", "toolResponse")
_KINDS: Final = ("text", *MEDIA, "functionCall", "functionResponse", *_GOOGLES)


class History:
    """Takes the contents one by one; `finish` gives the messages."""

    def __init__(self, losses: Losses, *, options: TranslateOptions, traits: ModelTraits) -> None:
        self._losses = losses
        self._chat = ChatMessages(options=options, traits=traits)
        self._answer: Message | None = None  # may go on in the next content
        self._waiting: list[tuple[str, str]] = []  # names and ids of calls without a result
        self._ids: set[str] = set()
        self._calls = 0

    def add_system(self, content: Any) -> None:
        """Take the system instruction: text."""
        at = "systemInstruction"
        texts: list[Part] = []
        for place, kind, fields in self._parts(content, at=at):
            if kind != "text":
                raise refusal(f"{place}: only text can be a system instruction", param=place)
            self._add_text(fields, texts, at=place)
        self._chat.add_system(join_texts(text["text"] for text in texts))

    def add(self, content: Any, *, number: int) -> None:
        """Take the next content."""
        at = f"contents[{number}]"
        role = read_fields(content, at=at).get("role") or "user"
        if role not in _ROLES:
            known = ", ".join(_ROLES)
            raise refusal(f"{at}.role: {role!r} is unknown; known: {known}", param=f"{at}.role")
        if role == "model":
            self._add_model(content, at=at)
        else:
            self._add_user(content, at=at)

    def finish(self) -> list[Message]:
        """Give the messages, with what the provider said around calls that it made earlier."""
        self._end_answer()
        return self._chat.found

    def _parts(self, content: Any, *, at: str) -> list[tuple[str, str, Fields]]:
        """List the parts of a content: where each stands, its kind, its fields."""
        fields = read_fields(content, at=at)
        fields.pop("role", None)
        parts = read_list(fields.pop("parts", []), at=f"{at}.parts")
        drop_rest(fields, place="contents[]", losses=self._losses)
        found: list[tuple[str, str, Fields]] = []
        for number, part in enumerate(parts):
            place = f"{at}.parts[{number}]"
            part_fields = read_fields(part, at=place)
            kind = next((name for name in _KINDS if name in part_fields), None)
            if kind is not None:
                found.append((place, kind, part_fields))
            elif part_fields:
                raise refusal(f"{place} holds none of {', '.join(_KINDS)}", param=place)
        return found

    def _drop_rest(self, fields: Fields) -> None:
        if fields.get("thought") is False:
            del fields["thought"]
        drop_rest(fields, place=_PLACE, losses=self._losses)

    def _add_text(self, fields: Fields, parts: list[Part], *, at: str) -> None:
        text = read_text(fields.pop("text"), at=at)
        self._drop_rest(fields)
        if text:
            parts.append(text_part(text))

    # --- the user

    def _add_user(self, content: Any, *, at: str) -> None:
        self._end_answer()
        said: list[Part] = []
        is_answer = False
        for place, kind, fields in self._parts(content, at=at):
            if kind == "functionResponse":
                is_answer = True
                if said:
                    self._losses.change("contents[].parts (results before text)")
                said += self._add_result(fields.pop(kind), at=f"{place}.{kind}")
                self._drop_rest(fields)
            elif kind == "text":
                self._add_text(fields, said, at=place)
            elif kind in MEDIA:
                said.append(translate_media(kind, fields.pop(kind), at=place, losses=self._losses))
                self._drop_rest(fields)
            else:
                raise refusal(f"{place}: a user sends no {kind}", param=place)
        if said or not is_answer:
            self._chat.add_user(said)

    def _add_result(self, response: Any, *, at: str) -> list[Part]:
        """Take the result of a function; return what of it only a user can show."""
        fields = read_fields(response, at=at)
        call_id = self._call_of(fields, at=at)
        text = _result_text(fields.pop("response", {}), at=f"{at}.response")
        if self._chat.add_result(call_id, text):
            self._losses.change("contents[].parts (results before text)")
        shown = []
        for number, part in enumerate(read_list(fields.pop("parts", []), at=f"{at}.parts")):
            place = f"{at}.parts[{number}]"
            media = read_fields(part, at=place)
            kind = next((name for name in MEDIA if name in media), None)
            if kind is None:
                raise refusal(f"{place} holds none of {', '.join(MEDIA)}", param=place)
            shown.append(translate_media(kind, media.pop(kind), at=place, losses=self._losses))
            self._losses.change(f"{_PLACE}.functionResponse.parts (moved behind the results)")
        drop_rest(fields, place=f"{_PLACE}.functionResponse", losses=self._losses)
        return shown

    def _call_of(self, fields: Fields, *, at: str) -> str:
        """Find the id of the call that a result answers: its own, else the first call by that name."""
        given, name = fields.pop("id", None), fields.pop("name", None)
        for position, (called, found) in enumerate(self._waiting):
            if found == given or (given not in self._ids and called == name):
                del self._waiting[position]
                return found
        if isinstance(given, str) and given:
            return given
        raise refusal(
            f"{at}: no earlier content calls the function {name!r} without having a result",
            param=at,
        )

    # --- the model

    def _add_model(self, content: Any, *, at: str) -> None:
        """Take what the model said; the pieces of one turn, kept apart by some clients, are joined."""
        message = self._answer or {"role": "assistant", "content": None}
        self._answer = message
        for place, kind, fields in self._parts(content, at=at):
            if fields.get("thought") is True:
                self._losses.drop(f"{_PLACE} (thoughts)")
            elif kind == "text":
                texts: list[Part] = []
                self._add_text(fields, texts, at=place)
                self._say("".join(part["text"] for part in texts), message)
            elif kind == "functionCall":
                call = self._call(fields.pop(kind), at=f"{place}.{kind}")
                self._drop_rest(fields)
                message.setdefault("tool_calls", []).append(call)
            elif kind in _GOOGLES:
                self._losses.drop(f"{_PLACE}.{kind}")
            else:
                raise refusal(f"{place}: a model's {kind} cannot be sent back", param=place)

    def _end_answer(self) -> None:
        """Write the assistant message that is complete now."""
        message, self._answer = self._answer, None
        if message is None:
            return
        if message["content"] is None and "tool_calls" not in message:
            message["content"] = ""
        self._chat.add_answer(message, thought="")

    def _say(self, text: str, message: Message) -> None:
        if not text:
            return
        if "tool_calls" in message:
            self._losses.change("contents[].parts (text before calls)")
        message["content"] = (message["content"] or "") + text

    def _call(self, call: Any, *, at: str) -> dict[str, Any]:
        fields = read_fields(call, at=at)
        name, arguments = fields.pop("name", None), fields.pop("args", {})
        if not isinstance(name, str) or not isinstance(arguments, dict):
            raise refusal(f"{at} must have the name of a function, and args as an object", param=at)
        found = self._id_for(fields.pop("id", None))
        drop_rest(fields, place=f"{_PLACE}.functionCall", losses=self._losses)
        self._waiting.append((name, found))
        return write_call(found, name=fit_name(name), arguments=write_arguments(arguments))

    def _id_for(self, given: Any) -> str:
        """Keep the id of a call, or mint one from its place in the history."""
        found, number = given, self._calls
        self._calls += 1
        while not isinstance(found, str) or not found or (found != given and found in self._ids):
            found, number = f"call_{number}", number + 1
        self._ids.add(found)
        return found


def _result_text(response: Any, *, at: str) -> str:
    """Write the result of a function; `output` alone is the result itself, by Google's rule."""
    if not isinstance(response, dict):
        raise refusal(f"{at} must be an object", param=at)
    value = response["output"] if response.keys() == {"output"} else response
    return write_arguments(value)
