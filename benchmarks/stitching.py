"""How well are records joined to conversations, and at what cost?

Runs the clients of `stitching_chats.py` and `stitching_agents.py` in made-up worlds, stitches what they recorded, and compares
with the truth: precision and recall of "same conversation" over pairs of records and over whole
conversations, and of each relation; the same, apart, for real clients' sessions. Asserts nothing.

    PYTHONPATH=src:. python benchmarks/stitching.py [--tune] [--errors]

Seeds for tuning and held-out seeds are apart; only the latter are printed without --tune.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import tracemalloc
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from stitching_agents import (
    changing_agent,
    claude_code,
    claude_code_without_agents,
    codex,
    gemini_cli,
    opencode,
    orchestrator,
    same_task_twice,
    twin_agents,
)
from stitching_chats import (
    best_of,
    cached_app,
    editing_chat,
    every_hour,
    few_shot,
    impatient_library,
    open_webui,
    open_webui_without_ids,
    paused,
    plain_chat,
    quoting_chat,
    remembered,
    scripted_runs,
    summarising,
    thinking_in_text,
    truncating,
    wandering,
)
from stitching_world import Client, Truth, World
from tests.support.sessions import SESSIONS, known_of, turns_of

from dolphin_logger.conversation import (
    MemoryNodes,
    Placement,
    Stitcher,
    Turn,
    gather,
    read_turn,
    stitch,
)
from dolphin_logger.dialects import DIALECTS
from dolphin_logger.journal.reader import StoredRecord, read_segment

TUNING = range(1, 13)
HELD_OUT = range(70001, 70025)

CAST: tuple[Client, ...] = (
    plain_chat,
    plain_chat,
    plain_chat,
    thinking_in_text,
    open_webui,
    open_webui,
    open_webui_without_ids,
    editing_chat,
    best_of,
    truncating,
    few_shot,
    every_hour,
    cached_app,
    twin_agents,
    twin_agents,
    orchestrator,
    scripted_runs,
    claude_code,
    claude_code,
    claude_code_without_agents,
    codex,
    codex,
    gemini_cli,
    opencode,
    remembered,
    same_task_twice,
    quoting_chat,
    changing_agent,
    summarising,
    wandering,
    paused,
    impatient_library,
)
ROUNDS = 2  # times that each of the cast appears in a world


@dataclass
class Score:
    """Counts of what was right, what was said and what was true."""

    right: int = 0
    said: int = 0
    true: int = 0

    def row(self) -> str:
        precision = self.right / self.said if self.said else 1.0
        recall = self.right / self.true if self.true else 1.0
        return f"{precision:.4f} | {recall:.4f} | {self.true:,}"


@dataclass
class Result:
    """The comparison of any number of worlds."""

    pairs: Score = field(default_factory=Score)
    exact: Score = field(default_factory=Score)
    parents: Score = field(default_factory=Score)
    relations: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    clients: dict[str, list[int]] = field(default_factory=lambda: defaultdict(lambda: [0, 0, 0, 0]))
    errors: Counter[tuple[str, str, str]] = field(default_factory=Counter)


def read_turns(paths: Iterable[Path]) -> list[Turn]:
    """Read segments as turns."""
    turns = []
    for path in paths:
        for item in read_segment(path):
            if isinstance(item, StoredRecord):
                dialect = DIALECTS[item.fields["dialect"]]
                asked = dialect.read_request(item.fields["request"] or {})
                answered = dialect.read_response(item.fields["response"] or {})
                turns.append(read_turn(item.fields, asked, answered, writer=path.stem))
    return turns


def compare(truths: dict[str, Truth], placements: list[Placement], result: Result) -> None:
    """Compare one world with its truth."""
    found = {turn.record: talk.id for talk in gather(placements) for turn in talk.turns}
    true_of: dict[str, set[str]] = defaultdict(set)
    said_of: dict[str, set[str]] = defaultdict(set)
    for record, truth in truths.items():
        true_of[truth.conversation].add(record)
        said_of[found[record]].add(record)
    cells = Counter((truths[record].conversation, found[record]) for record in truths)
    result.pairs.right += sum(_pairs(count) for count in cells.values())
    result.pairs.said += sum(_pairs(len(records)) for records in said_of.values())
    result.pairs.true += sum(_pairs(len(records)) for records in true_of.values())
    said_sets = {frozenset(records) for records in said_of.values()}
    result.exact.right += sum(frozenset(records) in said_sets for records in true_of.values())
    result.exact.said += len(said_of)
    result.exact.true += len(true_of)
    for records in true_of.values():
        whole = result.clients[truths[next(iter(records))].client]
        whole[0] += frozenset(records) in said_sets
        whole[1] += 1
    for placement in placements:
        _compare_relation(truths[placement.record], placement, result)


def _compare_relation(truth: Truth, placement: Placement, result: Result) -> None:
    said = str(placement.relation)
    result.relations[said].said += 1
    result.relations[truth.relation].true += 1
    result.relations[truth.relation].right += said == truth.relation
    client = result.clients[truth.client]
    client[2] += said == truth.relation
    client[3] += 1
    if said != truth.relation:
        result.errors[truth.client, truth.relation, said] += 1
    if truth.relation not in ("start", "side"):
        result.parents.true += 1
        result.parents.said += placement.parent is not None
        result.parents.right += placement.parent == truth.parent
        if placement.parent != truth.parent and said == truth.relation:
            result.errors[truth.client, truth.relation, "another parent"] += 1


def _pairs(count: int) -> int:
    return count * (count - 1) // 2


def play(seed: int, folder: Path) -> tuple[World, list[Path]]:
    """Run one world, and write what it recorded."""
    world = World(seed)
    clients = [
        client(world, f"{client.__name__}-{number}") for number, client in enumerate(CAST * ROUNDS)
    ]
    world.run(clients, within=3600)
    return world, world.write(folder)


def score(seeds: Iterable[int]) -> Result:
    """Compare all worlds of these seeds."""
    result = Result()
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            world, paths = play(seed, Path(folder))
            compare(world.truth, list(stitch(read_turns(paths))), result)
    return result


def score_sessions() -> Result:
    """Compare the kept traffic of real clients with what is known about it."""
    result = Result()
    for client in SESSIONS:
        known = known_of(client)
        truths = {
            record: Truth(client, client, one.relation, one.parent) for record, one in known.items()
        }
        compare(truths, list(stitch(turns_of(client))), result)
    return result


def report(title: str, result: Result, *, errors: bool) -> None:
    """Print the tables of a result."""
    print(f"\n#### {title}\n\n| what | precision | recall | of |\n|---|---|---|---|")
    print(f"| same conversation, pairs of records | {result.pairs.row()} |")
    print(f"| whole conversations | {result.exact.row()} |")
    for name, counts in sorted(result.relations.items()):
        print(f"| `{name}` | {counts.row()} |")
    print(f"| the parent | {result.parents.row()} |")
    print("\n| client | conversations exact | relations right |\n|---|---|---|")
    for client, (whole, of, right, turns) in sorted(result.clients.items()):
        print(f"| {client} | {whole} of {of} | {right:,} of {turns:,} |")
    if errors:
        for (client, true, said), count in result.errors.most_common():
            print(f"{count:5} {client}: {true} taken for {said}", file=sys.stderr)


def measure() -> None:
    """Print what stitching costs: turns per second and memory per turn."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [path for seed in HELD_OUT[:8] for path in _written(seed, Path(folder))]
        size = sum(path.stat().st_size for path in paths)
        begun = time.perf_counter()
        turns = read_turns(paths)
        reading = time.perf_counter() - begun
    turns.sort(key=lambda turn: turn.order)
    stitcher = Stitcher()
    begun = time.perf_counter()
    for turn in turns:
        stitcher.add(turn)
    joining = time.perf_counter() - begun
    tracemalloc.start()
    nodes = MemoryNodes()
    stitcher = Stitcher(nodes)
    for turn in turns:
        stitcher.add(turn)
    held = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    count = len(turns)
    print(f"\n{count:,} turns, {size / 1e6:.1f} MB of records: read and hashed at")
    print(f"{count / reading:,.0f} turns/s ({size / 1e6 / reading:.0f} MB/s), joined at")
    print(f"{count / joining:,.0f} turns/s; {held / count:,.0f} bytes of memory a turn.")


def _written(seed: int, folder: Path) -> list[Path]:
    place = folder / str(seed)
    place.mkdir()
    return play(seed, place)[1]


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tune", action="store_true", help="the seeds for tuning instead")
    parser.add_argument("--errors", action="store_true", help="what was taken for what")
    options = parser.parse_args()
    if options.tune:
        report("Tuning seeds", score(TUNING), errors=options.errors)
        return
    report("Held-out seeds", score(HELD_OUT), errors=options.errors)
    report("Sessions of real clients", score_sessions(), errors=options.errors)
    measure()


if __name__ == "__main__":
    main()
