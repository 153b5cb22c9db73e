"""The official SDKs' own tests, run twice: straight to a mock, and through the proxy in front of it.

    run.py [--only openai|anthropic] [-k EXPRESSION]

The suites come out of the SDKs' source archives and stay, with an environment of their own, in
benchmarks/build/suites. Knows nothing of what the tests assert. Invariant: exit code 0 means that every
test that passes direct passes through, but for `NOT_SERVED`; that as many exchanges are recorded as
relayed as the mock received; and that every line can be read.
"""

# ruff: noqa: T201 - a command: it prints
from __future__ import annotations

import argparse
import importlib.metadata
import os
import re
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import venv
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from dolphin_logger.journal.home import Home  # noqa: E402
from dolphin_logger.journal.reader import BadLine, read_home  # noqa: E402
from tests.suites.mock import Mock  # noqa: E402
from tests.support.provider import FakeProvider  # noqa: E402
from tests.support.proxy import Proxy  # noqa: E402

BUILD = ROOT / "benchmarks" / "build" / "suites"
REPORTS = BUILD / "reports"  # of the last run, with what pytest printed
PYTHON = BUILD / "venv" / "bin" / "python"
WORKERS = 4
RUN_LIMIT_S = 900
INSTALL_LIMIT_S = 900
NEEDED = (  # by the suites, beside the SDKs themselves
    "dirty-equals",
    "http-snapshot[httpx]",
    "inline-snapshot",
    "pytest",
    "pytest-asyncio",
    "pytest-timeout",
    "pytest-xdist",
    "respx",
    "rich",
    "standardwebhooks",
    "time-machine",
)


@dataclass(frozen=True)
class Suite:
    """One SDK's tests: how the SDK names its base, and which of its tests belong to which surface."""

    sdk: str
    prefix: str
    surfaces: tuple[tuple[str, str], ...]


SUITES = (
    Suite(
        "openai",
        "/v1",
        (
            ("chat completions", r"chat\."),
            ("completions", r"test_completions\."),
            ("embeddings", r"test_embeddings\."),
            ("responses", r"(beta\.)?(test_responses|responses)\."),
            ("models", r"test_models\."),
            ("files", r"test_files\."),
            ("audio", r"audio\."),
            ("images", r"test_images\."),
            ("passed through unread", r""),
        ),
    ),
    Suite(
        "anthropic",
        "",
        (
            ("messages", r"(beta\.)?test_messages\."),
            ("batches", r"(beta\.)?messages\."),
            ("models", r"(beta\.)?test_models\."),
            ("files", r"(beta\.)?test_files\."),
            ("passed through unread", r""),
        ),
    ),
)
NOT_SERVED = {  # tests of what the proxy answers with 405 on purpose: named, but no defect
    r"openai:.*\.chat\.test_completions\..*_list": "only POST is served on that path",
    r"openai:.*\.test_models\..*_delete": "the list of models is config.json's, and read only",
}


@dataclass
class Comparison:
    """What both runs of one SDK's tests gave."""

    suite: Suite
    version: str
    direct: dict[str, str]
    through: dict[str, str]
    exchanges: int = 0
    relayed: int = 0
    at_mock: int = 0
    complaints: list[str] = field(default_factory=list)

    def broken(self) -> list[str]:
        """Name the tests that the proxy breaks."""
        return [t for t, how in self.direct.items() if how == "passed" != self.through.get(t)]

    def rows(self) -> Iterator[tuple[str, int, int, int, int]]:
        """Count by surface: tests, passed direct, passed through, different."""
        counts: dict[str, Counter[str]] = {name: Counter() for name, _ in self.suite.surfaces}
        for test in sorted(self.direct.keys() | self.through.keys()):
            here, there = self.direct.get(test, "absent"), self.through.get(test, "absent")
            count = counts[self._surface(test)]
            count["tests"] += 1
            count["direct"] += here == "passed"
            count["through"] += there == "passed"
            count["different"] += here != there
        for name, count in counts.items():
            yield name, count["tests"], count["direct"], count["through"], count["different"]

    def _surface(self, test: str) -> str:
        name = test.removeprefix("tests.api_resources.")
        return next(label for label, pattern in self.suite.surfaces if re.match(pattern, name))


# --- what has to be there


def prepare(versions: dict[str, str]) -> None:
    """Fetch the SDKs' source archives and build the environment of their tests, once per version."""
    REPORTS.mkdir(parents=True, exist_ok=True)
    pins = [f"{sdk}=={version}" for sdk, version in versions.items()]
    missing = [pin for pin in pins if not _archive(*pin.split("==")).exists()]
    if missing:
        print(f"fetching the source archives of {', '.join(missing)}", flush=True)
        names = ",".join(versions)
        _run(
            sys.executable, "-m", "pip", "download", "-qq", "--no-deps", "--no-binary", names, "-d",
            str(BUILD), *missing,
        )  # fmt: skip
    for sdk, version in versions.items():
        if not (BUILD / f"{sdk}-{version}").exists():
            with tarfile.open(_archive(sdk, version)) as archive:
                archive.extractall(BUILD, filter="data")
    stamp, wanted = BUILD / "venv" / "installed", " ".join([sys.version, *pins, *NEEDED])
    if not stamp.exists() or stamp.read_text() != wanted:
        print("installing what the suites need", flush=True)
        venv.create(BUILD / "venv", with_pip=True, clear=True)
        extras = [pin.replace("==", "[aiohttp]==") for pin in pins]
        _run(str(PYTHON), "-m", "pip", "install", "-qq", *extras, *NEEDED)
        stamp.write_text(wanted)


def _archive(sdk: str, version: str) -> Path:
    return BUILD / f"{sdk}-{version}.tar.gz"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, timeout=INSTALL_LIMIT_S)


# --- the runs


def compare(suite: Suite, version: str, *, chosen: str) -> Comparison:
    """Run one SDK's tests both ways."""
    mock = Mock(suite.sdk, prefix=suite.prefix)
    with FakeProvider(mock) as provider, tempfile.TemporaryDirectory() as folder:
        base = provider.base.removesuffix("/v1") + suite.prefix
        where = BUILD / f"{suite.sdk}-{version}"
        direct = run_suite(where, base, report=REPORTS / f"{suite.sdk}-direct.xml", chosen=chosen)
        provider.requests.clear()
        entry = {"provider": suite.sdk, "model": "*", "apiBase": base, "apiKey": "sk-suite"}
        home = Path(folder) / "home"
        with Proxy(home, {"models": [entry]}, env={"PYTHONPATH": str(ROOT / "src")}) as proxy:
            to = f"http://127.0.0.1:{proxy.port}{suite.prefix}"
            through = run_suite(
                where, to, report=REPORTS / f"{suite.sdk}-through.xml", chosen=chosen
            )
            code = proxy.stop()
            output = proxy.output()
        result = Comparison(suite, version, direct, through, at_mock=len(provider.requests))
        result.complaints += [f"the mock knows no {path}" for path in sorted(mock.unknown)]
        if code or "Traceback" in output:
            result.complaints.append(f"the proxy ended with {code}:\n{output[-4000:]}")
        read_records(result, home)
    return result


def run_suite(where: Path, base: str, *, report: Path, chosen: str) -> dict[str, str]:
    """Run the tests against one base; give what became of each."""
    options = [
        "-q",
        "-n",
        str(WORKERS),
        "-p",
        "no:cacheprovider",
        "--timeout",
        "60",
        "--tb",
        "line",
    ]
    options += ["-k", chosen] if chosen else []
    settings = {key: value for key, value in os.environ.items() if "PROXY" not in key.upper()}
    settings |= {"TEST_API_BASE_URL": base, "PYTHONDONTWRITEBYTECODE": "1"}
    output = report.with_suffix(".txt")
    report.unlink(missing_ok=True)
    with output.open("wb") as file:
        process = subprocess.Popen(
            [PYTHON, "-m", "pytest", "tests/api_resources", *options, f"--junitxml={report}"],
            cwd=where,
            env=settings,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            process.wait(RUN_LIMIT_S)
        finally:
            if process.returncode is None:  # it and its workers, a group of their own
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(10)
    if not report.exists():
        raise SystemExit(f"the suite in {where.name} did not run:\n{output.read_text()[-4000:]}")
    return dict(_read_report(report))


def _read_report(report: Path) -> Iterator[tuple[str, str]]:
    for case in ET.parse(report).iter("testcase"):
        kinds = {child.tag for child in case}
        how = next((kind for kind in ("error", "failure", "skipped") if kind in kinds), "passed")
        yield f"{case.get('classname')}.{case.get('name')}", how


def read_records(result: Comparison, home: Path) -> None:
    """Count the records and complain of lines that cannot be read."""
    for item in read_home(Home(home)):
        if isinstance(item, BadLine):
            result.complaints.append(f"a line that cannot be read: {item.reason}")
            continue
        result.exchanges += 1
        result.relayed += any(attempt["status"] for attempt in item.fields["attempts"])
    if result.relayed != result.at_mock:
        result.complaints.append(f"{result.at_mock} requests came, {result.relayed} are recorded")


# --- what is said of it


def show(results: list[Comparison], *, seconds: float, whole: bool) -> bool:
    """Print the table and what is wrong; say whether nothing is."""
    print("\n| suite | tests | passed direct | passed through | different |")
    print("|---|--:|--:|--:|--:|")
    for result in results:
        for name, *counts in result.rows():
            cells = " | ".join(f"{count}" for count in counts)
            print(f"| {result.suite.sdk} {result.version}: {name} | {cells} |")
    print()
    good = True
    stale = set(NOT_SERVED) if whole else set()
    for result in results:
        sdk = result.suite.sdk
        print(f"{sdk}: {result.exchanges} exchanges recorded, {result.relayed} of them relayed")
        for test, variants in _fold(result.broken()).items():
            reason = next(
                (NOT_SERVED[p] for p in NOT_SERVED if re.search(p, f"{sdk}:{test}")), None
            )
            good = good and reason is not None
            stale = {p for p in stale if not re.search(p, f"{sdk}:{test}")}
            print(
                f"  {f'not served, {reason}' if reason else 'BROKEN'}: {test} {' '.join(sorted(variants))}"
            )
        for complaint in result.complaints:
            good = False
            print(f"  WRONG: {complaint}")
        if "passed" not in result.through.values():
            good = False
            print("  WRONG: nothing passed, so nothing was shown")
    for pattern in stale:
        good = False
        print(f"  WRONG: {pattern} stands in NOT_SERVED, but passes")
    print(f"{seconds:.0f} s, Python {sys.version.split()[0]}, {time.strftime('%Y-%m-%d')}")
    return good


def _fold(tests: list[str]) -> dict[str, list[str]]:
    """Gather the variants of each test: `[strict]`, `[aiohttp]`."""
    folded: dict[str, list[str]] = {}
    for test in sorted(tests):
        name, bracket, variant = test.partition("[")
        folded.setdefault(name, []).append(bracket + variant)
    return folded


def main() -> int:
    """Prepare, run, compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=[suite.sdk for suite in SUITES])
    parser.add_argument("-k", dest="chosen", default="", help="as pytest's")
    arguments = parser.parse_args()
    suites = [suite for suite in SUITES if arguments.only in (None, suite.sdk)]
    versions = {suite.sdk: importlib.metadata.version(suite.sdk) for suite in SUITES}
    prepare(versions)
    begun = time.monotonic()
    results = [compare(s, versions[s.sdk], chosen=arguments.chosen) for s in suites]
    whole = len(suites) == len(SUITES) and not arguments.chosen
    return 0 if show(results, seconds=time.monotonic() - begun, whole=whole) else 1


if __name__ == "__main__":
    sys.exit(main())
