"""What the demo model can talk about: words that reveal a topic, and answers. Only data.

`{subject}` is what the user asked about and `{earlier}` what they asked before.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """Words (in lower case, whole) that point here, and what there is to say."""

    words: frozenset[str]
    answers: tuple[str, ...]


def _topic(words: str, *answers: str) -> Topic:
    return Topic(frozenset(words.split()), answers)


TOPICS = (
    _topic(
        "python code function bug program javascript script loop regex sql class error test "
        "recursion algorithm sort list string",
        """Here is a small version of {subject} that you can run as it is:

```python
def count_words(text: str) -> dict[str, int]:
    counts: dict[str, int] = {{}}
    for word in text.lower().split():
        counts[word] = counts.get(word, 0) + 1
    return counts


print(count_words("the dolphin follows the boat"))
```

It walks the words once and keeps one number for each. If you tell me how your input looks, I can \
adapt it, or add a test.""",
        """For {subject} I would start from the smallest input that still shows the point:

1. Write down what goes in and what should come out.
2. Make that a test, and watch it fail.
3. Change one thing, run the test again, and stop when it passes.

```python
def test_empty_input_gives_empty_output():
    assert transform([]) == []
```

Which of the three steps is the difficult one in your case?""",
        """The idea behind {subject} is simpler than it looks: solve a small case directly, and \
reduce every larger case to it.

```python
def total(numbers: list[int]) -> int:
    if not numbers:
        return 0
    return numbers[0] + total(numbers[1:])
```

The first branch ends the work, the second makes the problem one step smaller. Forgetting the first \
is the usual mistake.""",
    ),
    _topic(
        "cook recipe dinner lunch breakfast food bake pasta soup bread cake vegetarian meal eat",
        """For {subject} you need very little:

- one onion and two cloves of garlic
- a tin of tomatoes
- olive oil, salt, and something green at the end

Cook the onion slowly until it is soft, add the garlic for a minute, then the tomatoes, and leave it \
alone for twenty minutes. Taste before you salt it a second time. For how many people are you cooking?""",
        """A good plan for {subject}: do the slow part first. Put the water or the oven on, chop \
everything while it heats, and keep the quick ingredients for the last five minutes. If something is \
missing, lemon juice replaces vinegar and most herbs replace each other. Is there anything you do not \
eat?""",
    ),
    _topic(
        "travel trip visit holiday city hotel flight train museum weekend tour paris london rome",
        """For {subject} I would plan two fixed points a day and leave the rest open. In the morning \
the place that gets crowded, in the afternoon a walk through a neighbourhood nearby. Book the train \
early, the restaurant late, and keep one evening free for whatever you found on the way. How many days \
do you have?""",
        """Three thoughts on {subject}:

1. **When**: the weeks before and after the school holidays are calmer and cheaper.
2. **Where to stay**: near a station rather than near the sights saves an hour every day.
3. **What to skip**: the one attraction that everybody photographs. The view from the next hill is \
usually better.

Shall I make a plan for each day?""",
    ),
    _topic(
        "learn study exam teach lesson school practice language course remember memorise homework",
        """The best way into {subject} is little and often. Take twenty minutes a day, begin by \
recalling yesterday's lesson without looking, and only then read on. What you can explain in two \
sentences to somebody else you know; what you cannot is tomorrow's first task. Do you have a date by \
which you want to be ready?""",
        """For {subject} I suggest a week like this:

| day | what | how long |
|---|---|---|
| Mon, Wed, Fri | something new | 25 min |
| Tue, Thu | recall without notes | 15 min |
| Sat | use it for something real | 45 min |

Sunday is free on purpose: forgetting a little and remembering again is what makes it stay.""",
    ),
    _topic(
        "email letter mail write essay blog story poem text draft rewrite message title summary",
        """Here is a first draft on {subject}:

> Hello,
>
> thank you for your patience. I have looked at it again and can send you the result by Thursday. \
If you need it earlier, tell me which part matters most and I will begin there.
>
> Kind regards

It is short on purpose: one thanks, one date, one offer. Should it sound warmer, or more formal?""",
        """I would begin {subject} with the one sentence that the reader must not miss, and put the \
reasons after it. For example: *"We will move on the first of May; here is what changes for you."* \
Then three short paragraphs: what, why, and what to do next. Send me your notes and I will turn them \
into a draft.""",
    ),
    _topic(
        "plan schedule project meeting task deadline week team organise budget goal priority",
        """Let us cut {subject} into pieces that fit into an afternoon each:

- [ ] decide what "finished" means, in one sentence
- [ ] list what you need from other people, and ask them today
- [ ] do the riskiest part first
- [ ] keep one day before the deadline empty

Most plans fail at the second point, because asking is put off. Who else is involved?""",
        """For {subject} I would ask three questions before anything else. What happens if it is not \
done? Who notices first? What is the smallest version that they would accept? The answers usually \
remove half of the work. Tell me yours and I will put the rest in order.""",
    ),
    _topic(
        "sky blue light sun moon star planet physics energy atom gravity ocean sea dolphin whale "
        "animal biology chemistry science climate water universe",
        """A short explanation of {subject}: what we see is the result of many small events that \
each follow a simple rule. Sunlight, for instance, holds all colours, but air scatters the short blue \
waves far more than the long red ones. By day blue reaches us from everywhere; at dusk the way through \
the air is longer, the blue is lost on it, and red remains. Would you like the version with formulas?""",
        """The surprising part about {subject} is the scale. Dolphins, for example, sleep with one \
half of the brain at a time, because they have to come up to breathe; the other half keeps watch. \
Nature often solves a problem by sharing one thing between two tasks. Which side of it interests you \
most?""",
    ),
    _topic(
        "feel tired sleep stress health exercise run walk headache habit motivation relax sad",
        """That sounds familiar to many people. With {subject}, a small change that you keep is worth \
more than a big one that you drop: ten minutes outside before noon, the same bedtime for a week, no \
screen in the last half hour. Watch what changes and keep what helps. If it goes on for long or gets \
worse, a doctor knows more than I do. What does an ordinary day look like for you?""",
        """With {subject} I would begin by noticing, not by changing. Write down for three days when \
it is better and when it is worse, in two words each. A pattern usually shows, and then there is one \
thing to try instead of ten. Would you like a small table for it?""",
    ),
)

GENERAL = Topic(
    frozenset(),
    (
        """There are two good ways to look at {subject}. The practical one asks what you want to do \
with it by the end of the week; the thorough one asks how it works. I would begin with the practical \
one, because the questions that remain afterwards are the interesting ones. Which of the two fits you \
better?""",
        """In short, about {subject}:

- **What it is for**: it saves you from deciding the same thing again and again.
- **What it costs**: some effort at the start, which comes back after a few uses.
- **When to leave it**: if you need it only once.

Tell me a little about your situation and I can be more precise.""",
        """Good question. The usual answer on {subject} is "it depends", so here is on what: how often \
you need it, how bad a mistake would be, and who else has to understand it. If two of the three are \
small, take the simplest way. If not, it is worth an hour of thought before you begin.""",
        """Let me take {subject} step by step. First, name what you already know for sure. Second, name \
the one thing that would change your mind. Third, find the cheapest way to learn about that one thing. \
Often the third step takes ten minutes, and the decision makes itself.""",
    ),
)

GREETINGS = (
    """Hello! I am the demo model that is built into dolphin-logger. I work without a key and \
without a network, so my knowledge is small, but we can talk. What is on your mind?""",
    """Hi, good to see you! Ask me about code, cooking, a trip or a plan, and I will do my best, \
all of it offline. Where shall we begin?""",
)

THANKS = (
    "You are welcome! If something about {earlier} is still open, just ask.",
    "With pleasure. Good luck with {earlier}, and tell me how it went.",
)

FOLLOW_UPS = (
    """Gladly. To go one step further with {earlier}: take the first point and make it concrete. Say \
you have one hour. Spend the first ten minutes on the part that you avoid, forty on the part that you \
like, and the last ten on writing down where you stopped. The next time you begin exactly there.""",
    """In other words, for {earlier}: one thing at a time, the smallest first, and look at the result \
before you take the next. An example would be to try it on Monday with a copy, compare on Tuesday, and \
decide on Wednesday.""",
    """The reason is simple. With {earlier}, early mistakes are cheap and late ones are not, so \
everything that brings a mistake forward helps: a small trial, a second pair of eyes, a written \
expectation.""",
)

LINKS = (
    "Coming from {earlier}, this is a natural next question.",
    "That goes well with what you asked about {earlier}.",
    "Keeping {earlier} in mind:",
)

THOUGHTS = (
    """The user asks about {subject}. What do they want to have in the end: an explanation, or \
something to use at once? The wording points to the second. """,
    """Let me see what {subject} involves. There is a short answer and a long one; the short one \
has to come first, or it gets lost. """,
    "So the question is {subject}. I should check what is certain here and what only sounds plausible. ",
)
SECOND_THOUGHTS = (
    """One example will help more than three rules. I will end with a question, so that the next \
step is clear.""",
    """A list would be tidy, but only if its points are of the same kind. They are, so I will keep \
it brief.""",
    "I must not promise more than I know. A small, honest answer it is.",
)
