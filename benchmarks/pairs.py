"""How well are preference pairs found that nobody had to click?

Runs the clients of the stitching benchmark together with those of `pairs_clients.py`, finds pairs in what
they recorded, and compares with what was preferred: precision and recall of each signal, and what is
said of each client. Clients that are not marked with a pair must not get any. Asserts nothing.

    PYTHONPATH=src:. python benchmarks/pairs.py [--tune] [--errors]

Seeds for tuning and held-out seeds are apart; only the latter are printed without --tune.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pairs_clients import LOOKALIKES, PEOPLE, TASTES, Preferred, Taste
from stitching import CAST, Score
from stitching_world import World
from tests.support.material import materials

from dolphin_logger.curate.pairs import find_pairs
from dolphin_logger.example import Pair
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import StoredRecord, read_segment
from dolphin_logger.label import Labels

TUNING = range(1, 13)
HELD_OUT = range(81001, 81025)
ROUNDS = 2  # times that each of the clients appears in a world
OWN = frozenset(client.__name__ for client in (*PEOPLE, *LOOKALIKES))
INSTEAD = ("regenerate", "duplicate")
ON = ("continue", "branch", "compaction")


@dataclass
class Result:
    """The comparison of any number of worlds."""

    signals: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    clients: dict[str, Score] = field(default_factory=lambda: defaultdict(Score))
    errors: Counter[tuple[str, str]] = field(default_factory=Counter)
    records: int = 0
    seconds: float = 0.0


def play(seed: int, home: Home) -> tuple[World, Taste, dict[str, dict[str, Any]]]:
    """Run one world; give it, what was preferred in it, and the fields of its records by id."""
    world = World(seed)
    taste = TASTES[id(world)] = Taste()
    cast = (*CAST, *PEOPLE, *LOOKALIKES) * ROUNDS
    clients = [client(world, f"{client.__name__}-{number}") for number, client in enumerate(cast)]
    world.run(clients, within=3600)
    home.logs.mkdir(parents=True)
    records = {
        item.id: item.fields
        for path in world.write(home.logs)
        for item in read_segment(path)
        if isinstance(item, StoredRecord)
    }
    del TASTES[id(world)]
    return world, taste, records


def add_stitching_clients(world: World, taste: Taste, fields: dict[str, dict[str, Any]]) -> None:
    """Tell what was preferred by the clients of the stitching benchmark: from the truth of each record.

    Of answers that were asked for again and were all served, one was gone on with.
    """
    truths = {
        record: truth
        for record, truth in world.truth.items()
        if truth.conversation.partition("-")[0] not in OWN
    }
    groups: dict[str, list[str]] = defaultdict(list)
    for record in truths:
        root = record
        while truths[root].relation in INSTEAD:
            root = truths[root].parent or ""
        groups[root].append(record)
    taken = {
        truth.parent
        for record, truth in truths.items()
        if truth.relation in ON and _holds_answer(fields[record]["request"])
    }
    retried = {truth.parent for truth in truths.values() if truth.relation == "duplicate"}
    for root, members in groups.items():
        if truths[root].relation == "side":
            continue
        served = [
            one for one in members if fields[one]["outcome"] == "completed" and one not in retried
        ]
        for chosen in set(served) & taken:
            for rejected in set(served) - taken:
                taste.prefer(truths[chosen].client, "regenerate", chosen, rejected)
    for record, truth in truths.items():
        if truth.relation == "edit":
            text = fields[record]["request"]["messages"][-2]["content"]
            edited = truth.parent or ""
            taste.prefer(truth.client, "edit", edited, edited, text=text)


def _holds_answer(request: dict[str, Any]) -> bool:
    """Say whether a request goes on from an answer; in a session, another first question does not."""
    roles = [message.get("role") for message in request.get("messages", [{"role": "assistant"}])]
    return "assistant" in roles


def preferred_of(pair: Pair) -> Preferred:
    """Write a pair as the clients say it."""
    told = pair.metadata
    places = (told.get("chosen_choice", 0), told.get("rejected_choice", 0))
    text = pair.chosen[0]["content"] if pair.signal == "edit" else ""
    return Preferred(
        pair.signal, told["chosen_record"], told["rejected_record"], places, text.strip()
    )


def score(seeds: Iterable[int]) -> Result:
    """Compare all worlds of these seeds."""
    result = Result()
    for seed in seeds:
        with tempfile.TemporaryDirectory() as folder:
            home = Home(Path(folder, "home"))
            world, taste, records = play(seed, home)
            add_stitching_clients(world, taste, records)
            told = list(materials(home, Path(folder, "spool")))
            begun = time.perf_counter()
            pairs = [pair for one in told for pair in find_pairs(one, Labels())]
            result.seconds += time.perf_counter() - begun
        result.records += len(records)
        found = {preferred_of(pair) for pair in pairs}
        assert len({pair.id for pair in pairs}) == len(pairs)
        for truth in world.truth.values():
            result.clients[truth.client].true += 0
        for one in found | taste.pairs.keys():
            client = world.truth[one.chosen].client
            for counted in (
                result.signals[one.signal],
                result.signals["all"],
                result.clients[client],
            ):
                counted.said += one in found
                counted.true += one in taste.pairs
                counted.right += one in found and one in taste.pairs
            if (one in found) != (one in taste.pairs):
                what = "said, but not so" if one in found else "missed"
                result.errors[client, f"{one.signal} {what}"] += 1
    return result


def report(title: str, result: Result, *, errors: bool) -> None:
    """Print the tables of a result."""
    print(f"\n#### {title}\n\n| signal | precision | recall | of |\n|---|---|---|---|")
    for name, counts in sorted(result.signals.items()):
        print(f"| {name if name == 'all' else f'`{name}`'} | {counts.row()} |")
    print("\n| client | pairs found, right | there are |\n|---|---|---|")
    quiet = sorted(name for name, one in result.clients.items() if not (one.said or one.true))
    for client, counts in sorted(result.clients.items()):
        if client not in quiet:
            print(f"| {client} | {counts.said:,}, {counts.right:,} | {counts.true:,} |")
    print(f"\nNo pair, and rightly so: {', '.join(quiet)}.")
    rate = result.records / result.seconds
    print(f"\n{result.records:,} records; pairs looked for at {rate:,.0f} records/s.")
    if errors:
        for (client, what), count in result.errors.most_common():
            print(f"{count:5} {client}: {what}", file=sys.stderr)


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tune", action="store_true", help="the seeds for tuning instead")
    parser.add_argument("--errors", action="store_true", help="what was missed, and what was wrong")
    options = parser.parse_args()
    title, seeds = ("Tuning seeds", TUNING) if options.tune else ("Held-out seeds", HELD_OUT)
    report(title, score(seeds), errors=options.errors)


if __name__ == "__main__":
    main()
