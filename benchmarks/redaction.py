"""How much of what must not leave does redaction find, what does it find in vain, and how fast is it?

Plants of `tests/support/plants.py` (made after published formats, knowing nothing of the redactors) are
hidden in made-up sessions, in every encoding and at every position; what is left of them afterwards
counts, in whatever form. Beside it the patterns of the original dolphin-logger, DataClaw and
detect-secrets, where they are installed. Asserts nothing.

    PYTHONPATH=src:. python benchmarks/redaction.py [--quick]
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import sysconfig
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from tests.support.plants import ENCODINGS, KINDS, NO_RULE, Kind, encode, is_left, plant
from tests.support.scenes import NOISE, POSITIONS, said, session, shape, values
from tests.support.streams import STREAMS, answered

from dolphin_logger.curate.redaction import Cleaner
from dolphin_logger.example import Example, Exchanged, Piece
from dolphin_logger.redactors import REDACTORS

PERSONAL = {"EMAIL", "PHONE", "CARD", "IBAN", "ID", "IP", "USER", "OWN"}
LINES = 40  # of code in one leaf
Clean = Callable[[Piece], list[Any]]


def cleaner() -> Cleaner:
    """Make a cleaner with every redactor that comes with the project."""
    return Cleaner(list(REDACTORS.values()), key=b"\0" * 32)


# --- what others do


def ours() -> Clean:
    """Clean as a build does."""
    made = cleaner()
    return lambda piece: values(made.clean(piece).piece)


def original() -> Clean:
    """The original's way: a few patterns over the line of JSON, kept also when it is no JSON any more.

    Written anew from a description of it.
    """
    patterns = [
        (re.compile(r"sk-(?!ant)[A-Za-z0-9]{20,}"), "[KEY]"),
        (re.compile(r"sk-ant-[A-Za-z0-9_-]{95,}"), "[KEY]"),
        (re.compile(r"AKIA[0-9A-Z]{16}"), "[KEY]"),
        (re.compile(r"AIza[0-9A-Za-z_-]{35}"), "[KEY]"),
        (re.compile(r"(?i)(?:api[_-]?key|token|secret|password)[\"']?\s*[:=]\s*[\"']?[^\s\"',}]{8,}[\"']?"), "[KEY]"),
        (re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}"), "[EMAIL]"),
        (re.compile(r"\b(?:\+?1[-. ]?)?\(?\d{3}\)?[-. ]?\d{3}[-. ]?\d{4}\b"), "[PHONE]"),
        (re.compile(r"\b\d{3}-\d{2}-\d{4}\b"), "[SSN]"),
        (re.compile(r"\b(?:\d{4}[- ]?){3}\d{4}\b"), "[CARD]"),
    ]  # fmt: skip

    def clean(piece: Piece) -> list[Any]:
        line = json.dumps(values(piece))
        for pattern, word in patterns:
            line = pattern.sub(word, line)
        try:
            return json.loads(line)  # type: ignore[no-any-return]
        except ValueError:
            return [line]

    return clean


def dataclaw() -> Clean:
    """DataClaw's secrets, string by string; its renaming of the machine's user needs that user."""
    from dataclaw.secrets import redact_text  # noqa: PLC0415  # not everybody has it

    return lambda piece: [
        mapped(value, lambda text: redact_text(text)[0]) for value in values(piece)
    ]


def detect_secrets() -> Clean:
    """What detect-secrets finds in a file of all strings, with its default settings, taken out."""
    from detect_secrets.core.scan import scan_file  # noqa: PLC0415  # not everybody has it
    from detect_secrets.settings import default_settings  # noqa: PLC0415

    def clean(piece: Piece) -> list[Any]:
        with tempfile.TemporaryDirectory() as folder, default_settings():
            path = Path(folder) / "session.txt"
            path.write_text("\n".join(strings(values(piece))), "utf-8")
            found = {one.secret_value for one in scan_file(str(path)) if one.secret_value}

        def redact(text: str) -> str:
            for secret in found:
                text = text.replace(secret, "[SECRET]")
            return text

        return [mapped(value, redact) for value in values(piece)]

    return clean


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """Change every string of a value."""
    if isinstance(value, str):
        return value if value.startswith("data:image/") else change(value)
    if isinstance(value, dict):
        return {name: mapped(item, change) for name, item in value.items()}
    return [mapped(item, change) for item in value] if isinstance(value, list) else value


# --- recall


def cases(kinds: Iterable[Kind], every: int) -> Iterator[tuple[Kind, str, str, str, Piece]]:
    """Hide each kind in each encoding at each position, or every n-th of these."""
    at = 0
    for kind in kinds:
        for encoding in ENCODINGS:
            for position in POSITIONS:
                at += 1
                if at % every == 0:
                    rng = random.Random(f"{kind.name} {encoding} {position}")
                    planted = plant(kind, rng)
                    text = encode(planted, encoding, rng)
                    yield (
                        kind,
                        encoding,
                        position,
                        planted.value,
                        session(rng, position=position, text=text),
                    )


class Tally:
    """How many of each were planted, and how many are gone."""

    def __init__(self) -> None:
        self.planted: dict[str, Counter[str]] = defaultdict(Counter)
        self.gone: dict[str, Counter[str]] = defaultdict(Counter)

    def add(self, by: dict[str, str], *, gone: bool) -> None:
        for group, name in by.items():
            self.planted[group][name] += 1
            self.gone[group][name] += gone

    def share(self, group: str, name: str) -> str:
        planted = self.planted[group][name]
        return f"{100 * self.gone[group][name] / planted:.1f} %" if planted else "-"


def strings(value: Any) -> Iterator[str]:
    """Give every string and name of a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)


def measure_recall(clean: Clean, every: int) -> tuple[Tally, int, int]:
    """Plant and clean; give what is gone, how many rows kept their shape, and how many there were."""
    tally, kept, rows = Tally(), 0, 0
    for kind, encoding, position, value, piece in cases((*KINDS, *NO_RULE), every):
        before = [shape(part) for part in values(piece)]
        cleaned = clean(piece)
        rows += 1
        kept += [shape(part) for part in cleaned] == before
        gone = not is_left(value, "\n".join(strings(cleaned)))
        by = {"family": kind.family, "kind": kind.name}
        if kind.family != "uncovered":
            by |= {"encoding": encoding, "position": position, "all": "all"}
        tally.add(by, gone=gone)
    return tally, kept, rows


def print_recall(every: int) -> dict[str, Clean]:
    """Print the tables of recall, ours beside the others'; give those that are here."""
    contenders: dict[str, Tally] = {}
    shapes: dict[str, str] = {}
    present: dict[str, Clean] = {}
    makers = {
        "dolphin-logger": ours,
        "original": original,
        "DataClaw": dataclaw,
        "detect-secrets": detect_secrets,
    }
    for name, make in makers.items():
        try:
            present[name] = clean = make()
        except ImportError:
            print(f"(not installed: {name})")
            continue
        tally, kept, rows = measure_recall(
            clean, every if name == "dolphin-logger" else max(every, 7)
        )
        contenders[name] = tally
        shapes[name] = f"{kept:,} of {rows:,} ({100 * kept / rows:.1f} %)"
    our = contenders["dolphin-logger"]
    for group in ("all", "family", "encoding", "position"):
        print(f"\n| {group} | planted | " + " | ".join(contenders) + " |")
        print("|---|--:|" + "--:|" * len(contenders))
        for name, planted in our.planted[group].items():
            row = " | ".join(tally.share(group, name) for tally in contenders.values())
            print(f"| {name} | {planted:,} | {row} |")
    print("\n| rows that keep their shape | |\n|---|--:|")
    for name, text in shapes.items():
        print(f"| {name} | {text} |")
    left = [name for name, n in our.planted["kind"].items() if our.gone["kind"][name] < n]
    print(
        "\nkinds of which something is left: "
        + (", ".join(f"{n} ({our.share('kind', n)} gone)" for n in left) or "none")
    )
    return present


def print_streams() -> None:
    """Print what is left of plants that were split over the deltas of a stream."""
    made, gone, total = cleaner(), Counter[str](), Counter[str]()
    for dialect in STREAMS:
        for kind in KINDS:
            rng = random.Random(f"{dialect} {kind.name}")
            planted = plant(kind, rng)
            chats = answered(dialect, f"Here it is:\n{planted.text}\nDone.", rng)
            cleaned = made.clean(Example("r", f"{dialect}{kind.name}", chats, 0)).piece
            total[dialect] += 1
            gone[dialect] += not is_left(planted.value, "\n".join(said(cleaned)))
    print("\n| split over the deltas of a stream | planted | gone |\n|---|--:|--:|")
    for dialect, planted_in in total.items():
        print(f"| {dialect} | {planted_in} | {100 * gone[dialect] / planted_in:.1f} % |")


# --- findings in vain


def code(limit: int) -> list[str]:
    """Give the standard library in leaves of forty lines."""
    root = Path(sysconfig.get_path("stdlib"))
    leaves: list[str] = []
    for path in sorted(root.rglob("*.py")):
        parts = path.relative_to(root).parts
        if not {"test", "tests", "idle_test", "site-packages", "dist-packages"}.intersection(parts):
            lines = path.read_text("utf-8", "replace").splitlines(keepends=True)
            leaves += ["".join(lines[at : at + LINES]) for at in range(0, len(lines), LINES)]
    return leaves[:limit]


def print_clean_code(limit: int, others: dict[str, Clean]) -> None:
    """Print in which share of clean code something is found, or changed by the others."""
    leaves = code(limit)
    made, rules, secret, anything = cleaner(), Counter[str](), 0, 0
    for leaf in leaves:
        found = made.scan(leaf)
        anything += bool(found)
        secret += any(finding.kind not in PERSONAL for finding in found)
        rules.update({finding.rule for finding in found})
    print(
        f"\n| clean code: leaves of {LINES} lines of the standard library | of | with | share |\n|---|--:|--:|--:|"
    )
    print(f"| a secret | {len(leaves):,} | {secret} | {100 * secret / len(leaves):.2f} % |")
    print(
        f"| anything (authors' mail is in it, and is mail) | {len(leaves):,} | {anything} | {100 * anything / len(leaves):.2f} % |"
    )
    some = leaves[::17]
    for name, clean in others.items():
        pieces = [Example("r", "c", [{"role": "user", "content": leaf}], 0) for leaf in some]
        changed = sum(clean(piece) != values(piece) for piece in pieces)
        print(
            f"| {name}: anything | {len(some):,} | {changed} | {100 * changed / len(some):.2f} % |"
        )
    print("\nby rule: " + ", ".join(f"{rule} {count}" for rule, count in rules.most_common()))


# --- time

HOSTILE = (
    "a", "@", "a@", "a.b@c.", "x@y.zz ", "1", "1 ", "1-", "1.", "1.1.1.1 ", "4111111111111111 ", "+1 415 555 ", "(415) ",
    "\\", "\\n", "\\u0041", "%41", "%25", "QUFB", "QUFBQUFBQUFBQUFB\u00e9", "QUFBQUFBQUFBQUFB////", "-", "_", ":", "2001:", "::", "/home/",
    "/home/a/", "C:\\Users\\a\\", "[", "{", '{"a":', '"', "<A_1>", "<EMAIL_1> a@b.co ", "eyJ", "eyJhbGciOiJI.", "sk-", "ghp_",
    "-----BEGIN ", "-----BEGIN PRIVATE KEY-----\n", "password=", "password: a1B2c3D4! ", "token ", "Bearer ", "http://a:", "http://a:b@c ",
    "GB82WEST", "GB82 ", "key key ", "AKIA", "= ", "'", ";base64,", "data:image/png;base64,iVBORw0KGgo ", "\u00e9", "\u4e2d1 ",
)  # fmt: skip


def seconds(text: str) -> float:
    """Give the least CPU time of three to clean a text that was never seen."""
    least = float("inf")
    for _ in range(3):
        made = cleaner()
        piece = Example("r", "c", [{"role": "user", "content": text}], 0)
        begun = time.process_time()
        made.clean(piece)
        least = min(least, time.process_time() - begun)
    return least


def print_linear(size: int) -> None:
    """Print how much longer four times the text takes."""
    worst = []
    for unit in HOSTILE:
        short, long = (seconds((unit * (n // len(unit) + 1))[:n]) for n in (size, 4 * size))
        worst.append((long / max(short, 1e-4), long, unit))
    worst.sort(reverse=True)
    slow = sorted(worst, key=lambda entry: -entry[1])[:3]
    print(
        f"\n| hostile text, {size:,} and {4 * size:,} characters ({len(HOSTILE)} kinds) | ratio (4 is linear) | s for the long one |\n|---|--:|--:|"
    )
    for ratio, long, unit in [*worst[:4], *slow]:
        print(f"| `{json.dumps(unit)[1:-1]}` repeated | {ratio:.1f} | {long:.2f} |")


def agent(rng: random.Random, leaves: list[str], turns: int) -> list[dict[str, Any]]:
    """Give the messages of a session in which files are read and commands are run."""
    messages: list[dict[str, Any]] = [
        {"role": "system", "content": "You are a coding agent.\n" + rng.choice(leaves) * 4}
    ]
    for turn in range(turns):
        call = f"call_{rng.getrandbits(64):016x}"
        lines = "".join(rng.choice(NOISE)(rng) for _ in range(2))
        read = {"path": f"src/{turn}.py", "offset": rng.randrange(900)}
        messages += [
            {"role": "user" if turn % 4 == 0 else "tool", "tool_call_id": call, "content": rng.choice(leaves) + lines},
            {"role": "assistant", "content": "I read the file. The next step is a test for it, then the change itself.",
             "tool_calls": [{"type": "function", "id": call, "function": {"name": "read", "arguments": read}}]},
        ]  # fmt: skip
    return messages


def print_speed(sessions: int, turns: int) -> None:
    """Print megabytes of JSON per second of CPU, cleaned and scanned again."""
    leaves = code(10**6)
    rng = random.Random(7)
    rng.shuffle(leaves)
    cleaner().scan("warm up " + leaves[0])
    rows = []
    for name in (
        "each text once (whole conversations)",
        "with its history each time (recorded requests)",
    ):
        made, size, spent = cleaner(), 0, 0.0
        for number in range(sessions):
            messages = agent(rng, leaves, turns)
            ends = [len(messages)] if name.startswith("each") else range(2, len(messages) + 1, 2)
            for end in ends:
                piece: Piece = Example(f"r{end}", f"c{number}", messages[:end], end - 1)
                if not name.startswith("each"):
                    piece = Exchanged(
                        f"r{end}",
                        f"c{number}",
                        {"model": "m", "messages": messages[:end]},
                        {"id": "x"},
                    )
                size += len(json.dumps(values(piece)))
                piece = json_copy(piece)
                begun = time.process_time()
                cleaned = made.clean(piece).piece
                made.scan({"messages": values(cleaned)})
                spent += time.process_time() - begun
        rows.append((name, size / 1e6, size / 1e6 / spent))
    print(
        "\n| speed, all redactors, cleaned and searched again | MB of JSON | MB/s per core |\n|---|--:|--:|"
    )
    for name, megabytes, rate in rows:
        print(f"| {name} | {megabytes:.1f} | {rate:.1f} |")


def json_copy(piece: Piece) -> Piece:
    """Make every string a new one, as it is when it was just read."""
    if isinstance(piece, Exchanged):
        request, response = json.loads(json.dumps([piece.request, piece.response]))
        return Exchanged(piece.id, piece.conversation, request, response)
    assert isinstance(piece, Example)
    return Example(
        piece.id, piece.conversation, json.loads(json.dumps(piece.messages)), piece.completion
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="a tenth of it, in half a minute")
    quick = parser.parse_args().quick
    print(f"redactors: {', '.join(f'{name} {one.version}' for name, one in REDACTORS.items())}")
    print(
        f"{len(KINDS)} kinds, {len(ENCODINGS)} encodings, {len(POSITIONS)} positions; {len(NO_RULE)} kinds without a rule"
    )
    present = print_recall(10 if quick else 1)
    print_streams()
    print_clean_code(
        1_000 if quick else 10**6, {k: v for k, v in present.items() if k != "dolphin-logger"}
    )
    print_linear(10_000 if quick else 25_000)
    print_speed(2 if quick else 10, 30)


if __name__ == "__main__":
    sys.exit(main())
