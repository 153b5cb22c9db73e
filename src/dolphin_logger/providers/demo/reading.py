"""What was asked, read from a request of OpenAI's chat API that may be anything.

It knows the request's shape, not what to answer. Invariant: never raises; what has the wrong type
is as if it were not there.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

_POLITE = re.compile(
    r"(\s*(hi|hello|hey|ok|okay|so|well|and|now|then|thanks|great|please|also|but|think hard|"
    r"step by step|(can|could|would|will) you|do you know|i have a question|think about|let me know)"
    r"\b[\s,.:!]*)+",
    re.IGNORECASE,
)
_DOING = re.compile(
    r"(how (do|does|can|should|would) (i|we|you|one)|how to|(can|should|could) (i|we)|help me( to)?|"
    r"i('d like| want| need| would like) to|let's|let us)\s+(?P<verb>[a-z]+)(?P<rest>.*)",
    re.IGNORECASE,
)
_THING = re.compile(
    r"((what|who)('s| is| are| was| were)|tell me( about)?|show me|give me|write( me)?|explain( to me)?|"
    r"describe|summari[sz]e|(what|how) about|(i have a )?question about|let's talk about|extract)\b[\s:]*",
    re.IGNORECASE,
)
_ASKING = re.compile(
    r"(why|how|when|where|which|what|is|are|do|does|did|should|has|have)\b", re.IGNORECASE
)
_ABOUT_ME = re.compile(r"(i|i'm|i've|i'd|we|we're|my|our)\b", re.IGNORECASE)
_PERSONS = {"my": "your", "our": "your", "me": "you", "i": "you", "we": "you", "us": "you"}
# What programs put around a person's words, such as <system-reminder>…</system-reminder>.
_NOTE = re.compile(r"<([a-z]+[-_][a-z_-]+)>.*?</\1>", re.DOTALL)
_TAIL = re.compile(r"\s*(,?\s*(please|today|right now|now|for me|thanks))*[\s?.!]*$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Asked:
    """The parts of a request that matter here.

    Attributes:
        question: text of the last user message, without a program's notes in it.
        earlier: texts of the user messages before it, oldest first.
        results: after the last user message, the tools' results as (tool name, text).
        to_user: the last message is from the user (not a tool's result or our own).
        seed: the same for the same conversation.
    """

    question: str
    earlier: tuple[str, ...]
    results: tuple[tuple[str, str], ...]
    to_user: bool
    with_image: bool
    seed: int


def read_asked(request: dict[str, Any]) -> Asked:
    """Read the conversation of a request."""
    messages = objects(request.get("messages"))
    users = [place for place, message in enumerate(messages) if message.get("role") == "user"]
    last = users[-1] if users else -1
    parts = objects(messages[last].get("content")) if users else []
    return Asked(
        question=_spoken(messages[last]) if users else "",
        earlier=tuple(_spoken(messages[place]) for place in users[:-1]),
        results=_read_results(messages[last + 1 :]),
        to_user=bool(messages) and messages[-1].get("role") == "user",
        with_image=any(part.get("type") == "image_url" for part in parts),
        seed=_seed(messages),
    )


def _seed(messages: list[dict[str, Any]]) -> int:
    content = "\0".join(f"{message.get('role')}\0{text_of(message)}" for message in messages)
    return int.from_bytes(hashlib.blake2b(content.encode(), digest_size=8).digest(), "big")


def _read_results(messages: list[dict[str, Any]]) -> tuple[tuple[str, str], ...]:
    names: dict[str, str] = {}
    results = []
    for message in messages:
        for call in objects(message.get("tool_calls")):
            what = call.get("function") or call.get("custom")
            if isinstance(what, dict):
                names[str(call.get("id"))] = str(what.get("name"))
        if message.get("role") == "tool":
            name = names.get(str(message.get("tool_call_id")), "the tool")
            results.append((_clean(name), text_of(message)))
    return tuple(results)


def text_of(message: dict[str, Any]) -> str:
    """Take a message's text: its string, or its text parts joined."""
    content = message.get("content")
    if isinstance(content, str):
        return _clean(content)
    texts = (part.get("text") for part in objects(content))
    return _clean("\n".join(text for text in texts if isinstance(text, str)))


def _spoken(message: dict[str, Any]) -> str:
    """Take what a person said; all of it where there is nothing beside notes."""
    text = text_of(message)
    return _NOTE.sub("", text).strip() or text


def _clean(text: str) -> str:
    return text.encode(errors="replace").decode()


def objects(value: object) -> list[dict[str, Any]]:
    """Take the objects of an array, or nothing."""
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def topic_of(text: str) -> str:
    """Say in a noun phrase what a request is about.

    >>> topic_of("Can you explain recursion?"), topic_of("How do I plan my week?")
    ('recursion', 'planning your week')
    """
    first = re.split(r"[\n?!]|\.\s", text.strip()[:400], maxsplit=1)[0]
    polite = _POLITE.match(first)
    first = _TAIL.sub("", first[polite.end() :] if polite else first).strip(" \t,.:;\"'`*#")
    if doing := _DOING.fullmatch(first):
        topic = _gerund(doing["verb"].lower()) + doing["rest"]
    elif thing := _THING.match(first):
        topic = first[thing.end() :]
    elif _ABOUT_ME.match(first):
        return "what you describe"
    elif _ASKING.match(first):
        return f'"{" ".join(first.split()[:12])}"'
    else:
        topic = first
    words = [_PERSONS.get(word.lower(), word) for word in topic.split()[:9]]
    return " ".join(words) or "this"


def _gerund(verb: str) -> str:
    if re.fullmatch(r"[^aeiou]*[aeiou][bdgmnprt]", verb):
        return verb + verb[-1] + "ing"
    return (verb[:-1] if verb.endswith("e") and not verb.endswith("ee") else verb) + "ing"


def summarise(text: str) -> str:
    """Say a tool's result in a few words: `temperature: 18, sky: clear`."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    if isinstance(value, dict):
        pairs = [f"{key}: {_short(entry)}" for key, entry in list(value.items())[:5]]
        return _clean(", ".join(pairs)) or "nothing"
    if isinstance(value, list):
        return _clean(", ".join(_short(entry) for entry in value[:5])) or "nothing"
    return _clean(_short(value)) or "nothing"


def _short(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split())
    return text if len(text) <= 120 else text[:119] + "…"
