"""How well are near-duplicates found, and at what cost?

Chats below one long system prompt, with planted near-copies: words changed one by one, a sentence
taken out, a paragraph added. Beside datasketch, where it is installed, in the same order and on the
same texts. Truth is the Jaccard similarity of the sets of three-word runs, counted, not estimated.

    PYTHONPATH=src:. python benchmarks/duplicates.py [--chats 8000] [--threshold 0.8]
"""

from __future__ import annotations

import argparse
import random
import resource
import time
from collections.abc import Callable

from dolphin_logger.curate.duplicates import Duplicates, signature
from dolphin_logger.curate.said import texts_of, words_of
from dolphin_logger.example import Chat, Example

WORDS = 300
PERMUTATIONS = 128


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chats", type=int, default=8000)
    parser.add_argument("--threshold", type=float, default=0.8)
    asked = parser.parse_args()
    chats, source = make_chats(random.Random(5), asked.chats)
    shingles = [shingles_of(chat) for chat in chats]
    alike = {at: jaccard(shingles[at], shingles[of]) for at, of in source.items()}
    wanted = {at for at, share in alike.items() if share >= asked.threshold}
    print(
        f"{len(chats)} chats of {WORDS} words, {len(source)} copies, {len(wanted)} of them at or above"
    )
    print(
        f"{'':12}{'seconds':>9}{'found':>8}{'recall':>9}{'precision':>11}{'lowest found':>14}{'MB':>7}"
    )
    for name, run in [("ours", ours), ("datasketch", datasketch)]:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        begun = time.perf_counter()
        try:
            found = run(chats, shingles, asked.threshold)
        except ImportError:
            print(f"{name:12}not installed")
            continue
        seconds = time.perf_counter() - begun
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        shares = {at: jaccard(shingles[at], shingles[of]) for at, of in found.items()}
        right = sum(share >= asked.threshold for share in shares.values())
        recall = len(wanted & found.keys()) / len(wanted)
        print(
            f"{name:12}{seconds:9.2f}{len(found):8}{recall:9.1%}{right / len(found):11.1%}"
            f"{min(shares.values()):14.2f}{grown:7.0f}"
        )


def make_chats(rng: random.Random, count: int) -> tuple[list[Example], dict[int, int]]:
    """Make chats, one in ten a near-copy of an earlier one; also which of which."""
    vocabulary = [f"w{at}" for at in range(20_000)]
    # words are as uneven as in a language: the tenth as frequent as the first is rare
    weights = [1 / (at + 10) for at in range(len(vocabulary))]
    system = " ".join(rng.choices(vocabulary, weights, k=4000))
    texts: list[list[str]] = []
    source: dict[int, int] = {}
    for at in range(count):
        if at and rng.random() < 0.1:
            of = rng.randrange(at)
            source[at] = source.get(of, of)
            texts.append(change(rng, texts[of], vocabulary))
        else:
            texts.append(rng.choices(vocabulary, weights, k=WORDS))
    return [chat_of(at, system, text) for at, text in enumerate(texts)], source


def change(rng: random.Random, text: list[str], vocabulary: list[str]) -> list[str]:
    changed = list(text)
    kind = rng.randrange(3)
    if kind == 0:
        for at in rng.sample(range(len(changed)), rng.randrange(1, 20)):
            changed[at] = rng.choice(vocabulary)
    elif kind == 1:
        at = rng.randrange(len(changed) - 40)
        del changed[at : at + rng.randrange(5, 40)]
    else:
        at = rng.randrange(len(changed))
        changed[at:at] = rng.choices(vocabulary, k=rng.randrange(5, 80))
    return changed


def chat_of(at: int, system: str, text: list[str]) -> Example:
    third = len(text) // 3
    messages: list[Chat] = [
        {"role": "system", "content": system},
        {"role": "user", "content": " ".join(text[:third])},
        {"role": "assistant", "content": " ".join(text[third:])},
    ]
    return Example(str(at), str(at), messages, 2)


def shingles_of(chat: Example) -> set[str]:
    words = [word for text in texts_of(chat.messages) for word in words_of(text)]
    return {" ".join(words[at : at + 3]) for at in range(len(words) - 2)}


def jaccard(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other)


Run = Callable[[list[Example], list[set[str]], float], dict[int, int]]


def ours(chats: list[Example], _: list[set[str]], threshold: float) -> dict[int, int]:
    duplicates = Duplicates(threshold)
    found = {at: duplicates.seen(chat.id, signature(chat)) for at, chat in enumerate(chats)}
    return {at: int(of) for at, of in found.items() if of is not None}


def datasketch(_: list[Example], shingles: list[set[str]], threshold: float) -> dict[int, int]:
    from datasketch import MinHash, MinHashLSH  # noqa: PLC0415 -- may be missing

    index = MinHashLSH(threshold=threshold, num_perm=PERMUTATIONS)
    found: dict[int, int] = {}
    for at, one in enumerate(shingles):
        sketch = MinHash(num_perm=PERMUTATIONS)
        sketch.update_batch([shingle.encode() for shingle in one])
        if near := index.query(sketch):
            found[at] = min(near)
        else:
            index.insert(at, sketch)
    return found


if __name__ == "__main__":
    main()
