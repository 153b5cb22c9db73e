"""What does the index cost, and how fast does it answer? Beside grep, and FTS5 over whole requests.

    python benchmarks/index.py --size 100000            different messages of about 1 KB
    python benchmarks/index.py --size 1000000           about twenty minutes, 8 GB in the temporary folder

The corpus is in the project's own format: agents that send their whole history with every turn, tool
output and answers cut from Python's own source files, a rare word in each, Chinese in some.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import random
import resource
import sqlite3
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dolphin_logger.exchange import Client, Exchange, new_id
from dolphin_logger.index.conversations import list_conversations
from dolphin_logger.index.folding import fold
from dolphin_logger.index.freshness import catch_up, rebuild
from dolphin_logger.index.schema import index_path, open_to_read
from dolphin_logger.index.search import count_facets, search
from dolphin_logger.journal.format import encode
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.reader import StoredRecord, read_segment, segments
from dolphin_logger.messages import Usage

START = 1_795_361_046 * 10**9
BYTES = 1_000  # of a message's text
CHINESE = "读取文件然后运行测试修改配置检查输出结果错误信息重新启动服务记录日志"
MODELS = (("claude", "anthropic", "claude-3-7-sonnet-latest"), ("gpt", "openai", "gpt-4.1"))
PEER_BYTES = 256 << 20


class Corpus:
    """Texts of about one size, each different, like what agents read and say."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        paths = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
        self.pool = "\n".join(path.read_text("utf-8", "ignore") for path in paths)
        self.made = 0
        self.bytes = 0

    def text(self) -> str:
        start = self.random.randrange(len(self.pool) - 2 * BYTES)
        text = self.pool[start : start + self.random.randint(BYTES // 2, BYTES * 3 // 2)]
        self.made += 1
        if self.made % 50 == 0:
            text += "".join(self.random.choices(CHINESE, k=20))
        text = f"needle{self.made:07d} {text}"
        self.bytes += len(text.encode())
        return text


def line(number: int, name: str, history: list[Any], answer: dict[str, Any]) -> bytes:
    model, provider, sold = MODELS[hash(name) % 2]
    moment = START + number * 2 * 10**9
    exchange = Exchange(
        id=new_id(moment),
        time_ns=moment,
        dialect="openai.chat",
        path="/v1/chat/completions",
        model=model,
        provider=provider,
        provider_model=sold,
        status=200,
        client=Client(name=f"agent{int(name) % 3}", session=name),
        usage=Usage(250 * len(history), 250),
        request=json.dumps({"model": model, "messages": history}, ensure_ascii=False).encode(),
        response=json.dumps({"choices": [{"index": 0, "message": answer}]}).encode(),
        total_ms=900.0,
    )
    return encode(exchange, seq=number)


def sessions(corpus: Corpus, size: int, *, turns: Callable[[], int]) -> Iterator[bytes]:
    number = 0
    while corpus.made < size:
        name = str(number)
        history: list[Any] = [
            {"role": "system", "content": "You are an agent. Use the tools."},
            {"role": "user", "content": corpus.text()},
        ]
        last = turns()
        for turn in range(last):
            tool = corpus.random.choice(("Bash", "Read", "Edit", "Grep"))
            call = {"name": tool, "arguments": json.dumps({"path": f"src/file{turn}.py"})}
            calls = [{"id": f"c{turn}", "type": "function", "function": call}]
            answer = {"role": "assistant", "content": corpus.text(), "tool_calls": calls}
            number += 1
            yield line(number, name, history, answer)
            if turn + 1 < last:
                result = {"role": "tool", "tool_call_id": f"c{turn}", "content": corpus.text()}
                history += [answer, result]


def write(home: Home, lines: Iterator[bytes]) -> int:
    """Write lines into segments of 128 MiB; give their bytes."""
    home.prepare()
    total = part = 0
    file = None
    for one in lines:
        if file is None or total >= part * (128 << 20):
            if file is not None:
                file.close()
            part += 1
            name = f"2026-11-22_00000000-0000-4000-8000-{part:012d}.jsonl"
            file = (home.logs / name).open("wb")
        file.write(one)
        total += len(one)
    if file is not None:
        file.close()
    return total


def build(home: Home) -> float:
    """Make the index; give the seconds of CPU, which other programs on the machine disturb least."""
    start = time.process_time()
    rebuild(home, progress=lambda _: None)
    return time.process_time() - start


def timed(ask: Callable[[], object]) -> float:
    start = time.perf_counter()
    ask()
    return (time.perf_counter() - start) * 1000


def measure_queries(home: Home, corpus: Corpus, rounds: int) -> list[tuple[str, list[float]]]:
    """Time each kind of question with a connection of its own, as a page of the web would."""
    words = ["self", "return", "import", "None", "def", "value", "name", "path", "error", "string"]
    phrases = ["if not", "return self", "for name in", "raise ValueError", "is not None"]
    pick = corpus.random.choice
    kinds: list[tuple[str, Callable[[], str]]] = [
        ("rare word", lambda: f"needle{corpus.random.randint(1, corpus.made):07d}"),
        ("common word", lambda: pick(words)),
        ("two words", lambda: f"{pick(words)} {pick(words)}"),
        ("word without another", lambda: f"{pick(words)} -{pick(words)}"),
        ("phrase", lambda: f'"{pick(phrases)}"'),
        ("beginning", lambda: f"{pick(words)[:3]}*"),
        ("CJK", lambda: CHINESE[(i := corpus.random.randrange(20)) : i + 2]),
        ("word, model, tool", lambda: f"{pick(words)} model:claude* tool:Bash"),
        ("word, cost", lambda: f"{pick(words)} cost:>0.05"),
        ("session", lambda: f"session:{corpus.random.randrange(1000)}"),
        ("absent word", lambda: "zzqqxx"),
        ("nothing (newest)", lambda: ""),
    ]
    results = []
    for name, make in kinds:
        times = []
        for _ in range(rounds):
            query = make()
            with contextlib.closing(open_to_read(index_path(home))) as connection:
                times.append(timed(lambda q=query, c=connection: search(c, q)))
        results.append((f"search: {name}", times))
    with contextlib.closing(open_to_read(index_path(home))) as connection:
        listed = list_conversations(connection)
        results.append(
            (
                "conversations, first page",
                [timed(lambda: list_conversations(connection)) for _ in range(rounds)],
            )
        )
        deep = listed.cursor
        for _ in range(50):
            deep = (deep and list_conversations(connection, cursor=deep).cursor) or deep
        times = [timed(lambda: list_conversations(connection, cursor=deep)) for _ in range(rounds)]
        results.append(("conversations, page 50", times))
        facets = [
            timed(lambda w=w: count_facets(connection, w)) for w in words[: max(3, rounds // 10)]
        ]
        results.append(("facets of a common word", facets))
    return results


def measure_lag(home: Home, corpus: Corpus) -> list[float]:
    """Time from a record being written to it being found."""
    path = home.logs / "2026-11-23_00000000-0000-4000-8000-999999999999.jsonl"
    lags = []
    for number in range(20):
        word = f"lagging{number:04d}"
        with path.open("ab") as file:
            question = [{"role": "user", "content": f"{word} {corpus.text()}"}]
            file.write(
                line(
                    90_000_000 + number,
                    str(10_000_000 + number),
                    question,
                    {"role": "assistant", "content": "yes"},
                )
            )
        start = time.perf_counter()
        catch_up(home)
        with contextlib.closing(open_to_read(index_path(home))) as connection:
            assert search(connection, word).hits
        lags.append((time.perf_counter() - start) * 1000)
    return lags


def measure_peers(home: Home, corpus: Corpus) -> None:
    word = f"needle{corpus.made // 2:07d}"
    paths = [str(path) for path in segments(home)]
    command = ["grep", "-c", word, *paths]
    spent = timed(lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=False))
    print(f"| grep for a rare word, all segments | {spent:,.0f} ms |")
    path = home.cache / "peer.sqlite"
    connection = sqlite3.connect(path)
    connection.execute("CREATE VIRTUAL TABLE fts USING fts5(text, content='', columnsize=0)")
    read, number = 0, 0
    start = time.process_time()
    for segment in segments(home):
        for item in read_segment(segment):
            if isinstance(item, StoredRecord) and read < PEER_BYTES:
                read += item.length
                number += 1
                said = [item.fields["request"]["messages"], item.fields["response"]["choices"]]
                connection.execute(
                    "INSERT INTO fts(rowid, text) VALUES(?, ?)", (number, fold(json.dumps(said)))
                )
        if read >= PEER_BYTES:
            break
    connection.commit()
    spent = time.process_time() - start
    connection.close()
    size = path.stat().st_size
    print(
        f"| FTS5 of whole requests, {read >> 20} MiB of lines | {read / spent / 1e6:.1f} MB/s, {size / read:.2f} x the lines |"
    )
    path.unlink()


def percentile(times: list[float], share: float) -> float:
    return sorted(times)[min(len(times) - 1, int(len(times) * share))]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", type=int, default=100_000, help="different messages")
    parser.add_argument("--rounds", type=int, default=100, help="questions of each kind")
    parser.add_argument("--folder", type=Path, help="where to write (default: a temporary folder)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.folder) as folder:
        run(Path(folder), options.size, options.rounds)


def run(folder: Path, size: int, rounds: int) -> None:
    apart = min(size, 50_000)
    corpus = Corpus(1)
    unique = Home(folder / "unique")
    write(unique, sessions(corpus, apart, turns=lambda: 4))
    spent = build(unique)
    print("| what | figure |\n|---|---|")
    print(
        f"| different messages (sessions of 4 turns, so hardly repeated) | {corpus.made / spent:,.0f} messages/s |"
    )
    corpus = Corpus(2)
    repeated = Home(folder / "repeated")
    size_of_lines = write(repeated, sessions(corpus, 1_600, turns=lambda: 200))
    spent = build(repeated)
    print(
        f"| repeats: sessions of 200 turns, {size_of_lines >> 20:,} MiB of lines | {size_of_lines / spent / 1e6:.0f} MB/s |"
    )
    corpus = Corpus(3)
    home = Home(folder / "home")
    lines = write(home, sessions(corpus, size, turns=lambda: corpus.random.randint(1, 16)))
    started = time.perf_counter()
    spent = build(home)
    wall = time.perf_counter() - started
    stored = index_path(home).stat().st_size
    print(
        f"| {corpus.made:,} messages, {corpus.bytes >> 20:,} MiB; {lines >> 20:,} MiB of lines | {spent:.0f} s of CPU, {wall:.0f} s |"
    )
    print(f"| size of the index / text of the messages | {stored / corpus.bytes:.2f} |")
    print(f"| memory, most | {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10:,} MiB |")
    measure_peers(home, corpus)
    lags = measure_lag(home, corpus)
    print(
        f"| written to found | median {statistics.median(lags):.0f} ms, most {max(lags):.0f} ms |"
    )
    home.logs.rename(home.path / "away")  # nothing below opens a segment, sealed or not
    print("\n| question | p50 ms | p99 ms |\n|---|---|---|")
    for name, times in measure_queries(home, corpus, rounds):
        print(f"| {name} | {percentile(times, 0.5):.1f} | {percentile(times, 0.99):.1f} |")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
