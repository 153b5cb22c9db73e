"""A text answer and its reasoning: which topic, which words.

It knows no wire format and no tools. Invariant: the same question after the same conversation gets
the same answer, and different choices (`n`) may differ.
"""

from __future__ import annotations

import operator
import re
from fractions import Fraction
from random import Random

from dolphin_logger.providers.demo.reading import Asked, summarise, topic_of
from dolphin_logger.providers.demo.topics import (
    FOLLOW_UPS,
    GENERAL,
    GREETINGS,
    LINKS,
    SECOND_THOUGHTS,
    THANKS,
    THOUGHTS,
    TOPICS,
)

_SUM = re.compile(r"(?<![\w.])(\d{1,9})\s*([-+*/x]|times|plus|minus)\s*(\d{1,9})(?![\w.])")
_OPERATORS = {
    "+": operator.add,
    "plus": operator.add,
    "-": operator.sub,
    "minus": operator.sub,
    "*": operator.mul,
    "x": operator.mul,
    "times": operator.mul,
}
_FOLLOW_UP = re.compile(
    r"\b(more|shorter|longer|example|again|why|continue|go on|elaborate|details?|that|it|this)\b",
    re.IGNORECASE,
)


def say(asked: Asked, *, random: Random) -> str:
    """Answer in a few sentences, referring to what was said before."""
    if asked.results:
        return _report(asked)
    names = {"subject": topic_of(asked.question), "earlier": _earlier(asked)}
    words = re.findall(r"[a-z']+", asked.question.lower())
    text = _say_plainly(asked, words, random=random).format(**names)
    if asked.with_image:
        text = "You attached an image; being offline, I can only read the words with it. " + text
    return text


def think(asked: Asked, *, random: Random) -> str:
    """Write the reasoning that goes before the answer."""
    text = random.choice(THOUGHTS) + random.choice(SECOND_THOUGHTS)
    if asked.results:
        text = "The tools have answered. I compare what they say with the question. " + text
    elif asked.earlier:
        text = f"Before, it was about {_earlier(asked)}. " + text
    return text.replace("{subject}", topic_of(asked.question))


def _earlier(asked: Asked) -> str:
    told = [topic_of(text) for text in asked.earlier if len(text.split()) > 1]
    return next((topic for topic in reversed(told) if topic != "this"), "what we said")


def _say_plainly(asked: Asked, words: list[str], *, random: Random) -> str:
    """Choose a template; braces of the user's own words never reach it."""
    if result := _calculate(asked.question):
        return result
    if len(words) <= 4 and {"hello", "hi", "hey", "morning"} & set(words):
        return random.choice(GREETINGS)
    if len(words) <= 8 and {"thanks", "thank", "bye"} & set(words):
        return random.choice(THANKS)
    if asked.earlier and len(words) <= 8 and _FOLLOW_UP.search(asked.question):
        return random.choice(FOLLOW_UPS)
    scored = [(len(topic.words & _stems(words)), topic) for topic in TOPICS]
    best = max(score for score, _ in scored)
    topic = next(topic for score, topic in scored if score == best) if best else GENERAL
    text = random.choice(topic.answers)
    if asked.earlier and _earlier(asked) != "what we said":
        text = f"{random.choice(LINKS)} {text}"
    return text


def _stems(words: list[str]) -> set[str]:
    return {stem for word in words for stem in (word, word.removesuffix("s"))}


def _calculate(question: str) -> str:
    match = _SUM.search(question)
    if not match:
        return ""
    left, sign, right = int(match[1]), match[2], int(match[3])
    if sign in _OPERATORS:
        result = str(_OPERATORS[sign](left, right))
    elif right:
        ratio = Fraction(left, right)
        result = (
            str(ratio) if ratio.denominator == 1 else f"{left / right:.6g} (or {ratio} exactly)"
        )
    else:
        return "That has no answer: nothing can be divided by zero. Did you mean another number?"
    return f"{left} {sign} {right} = **{result}**. Shall I show the steps, or is there a next one?"


def _report(asked: Asked) -> str:
    """Answer with what the tools gave."""
    lines = [f"- **{name}**: {summarise(text)}" for name, text in asked.results]
    topic = topic_of(asked.question)
    if len(lines) == 1:
        name, text = asked.results[0]
        return f"I asked `{name}` about {topic}. It says: {summarise(text)}. Does that answer it?"
    return (
        f"I looked up both sides of {topic}:\n\n"
        + "\n".join(lines)
        + "\n\nShall I compare them in more detail?"
    )
