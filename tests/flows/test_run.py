"""`dolphin-logger run`: real programs with real SDKs, led through a proxy to where they went before."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.provider import FakeProvider
from tests.support.proxy import Proxy, wait_for
from tests.support.wiring import ASK_ANTHROPIC, ASK_GOOGLE, ASK_OPENAI, Computer, every_language

PASSED_ON = {"provider": "openai", "model": "*", "apiKey": "PASSTHROUGH"}
SHOW = """\
import json, os, sys
print(json.dumps({"argv": sys.argv[1:], "env": dict(os.environ)}))
"""


@pytest.fixture
def computer(tmp_path: Path) -> Iterator[Computer]:
    """A computer whose gateways are one fake provider; no proxy may be left behind."""
    with FakeProvider(every_language) as provider:
        made = Computer(tmp_path, provider)
        made.provider = provider  # type: ignore[attr-defined]
        yield made
        wait_for(lambda: not made.proxies(), what="the end of every proxy")


def line_of(stderr: str) -> str:
    """Return the last line, which tells what was recorded."""
    return stderr.strip().splitlines()[-1]


@pytest.mark.parametrize(
    ("script", "provider"),
    [(ASK_OPENAI, "openai"), (ASK_ANTHROPIC, "anthropic"), (ASK_GOOGLE, "google")],
)
def test_an_sdk_is_recorded(computer: Computer, script: str, provider: str) -> None:
    """Its request goes on to the user's gateway with the user's key; one record, exit code, one line."""
    (computer.user / "mine").write_text("mine")
    before = computer.belongings()
    done = computer.run("run", "--", *computer.script(script + "raise SystemExit(7)\n"))
    assert (done.returncode, done.stdout) == (7, "hello\n"), done.stderr
    (record,) = computer.records()
    assert (record["provider"], record["outcome"]) == (provider, "completed")
    assert re.fullmatch("[0-9a-f]{8}", record["client"]["tags"]["run"])
    shown = f"dolphin-logger show {record['id'][-8:]} · dolphin-logger ls"
    assert line_of(done.stderr) == f"dolphin-logger: recorded 1 exchange · {shown}"
    (request,) = [r for r in computer.provider.requests if r.method == "POST"]
    assert any(f"sk-of-the-user-{provider[0]}" in value for _, value in request.headers)
    assert b"sk-of-the-user" not in json.dumps(record).encode()
    assert computer.belongings() == before
    assert computer.proxies() == []


def test_all_vendors_in_one_program(computer: Computer) -> None:
    """One proxy passes each vendor's calls on to that vendor's place, with that vendor's key."""
    done = computer.run("run", "--", *computer.script(ASK_OPENAI + ASK_ANTHROPIC + ASK_GOOGLE))
    assert done.stdout == "hello\n" * 3, done.stderr
    assert [record["provider"] for record in computer.records()] == [
        "openai",
        "anthropic",
        "google",
    ]
    assert "recorded 3 exchanges ·" in line_of(done.stderr)
    for request in computer.provider.requests:
        keys = [value for name, value in request.headers if "sk-of-the-user" in value]
        assert request.method == "GET" or len(keys) == 1


def test_a_first_start(computer: Computer) -> None:
    """Without a configuration there is one afterwards, and the newcomer is told what is kept."""
    done = computer.run("run", "--", *computer.script("print('x')"))
    assert (computer.home / "config.json").exists()
    assert "what passes is recorded in" in done.stderr
    again = computer.run("run", "--", *computer.script("print('x')"))
    assert "what passes is recorded in" not in again.stderr


def test_a_running_proxy_is_used_and_stays(computer: Computer) -> None:
    """A proxy that serves the client is used, and runs on."""
    entry = PASSED_ON | {"apiBase": computer.environ.pop("OPENAI_BASE_URL")}
    with Proxy(computer.home, {"models": [entry]}) as proxy:
        (file,) = computer.proxies()
        done = computer.run("run", "openai-sdk", "--", *computer.script(ASK_OPENAI))
        assert done.stdout == "hello\n", done.stderr
        assert computer.proxies() == [file]
        assert proxy.health()["records"] == 1
        assert "recorded 1 exchange of openai-sdk" in line_of(done.stderr)
        assert proxy.stop() == 0


@pytest.mark.parametrize("gateway", [True, False])
def test_a_running_proxy_that_goes_elsewhere_is_not_used(computer: Computer, gateway: bool) -> None:
    """A gateway of the user's, or a vendor that the running proxy does not serve, gets its own proxy."""
    dead = {"apiBase": "http://127.0.0.1:9/v1"}
    entry = PASSED_ON | dead if gateway else {"provider": "openai", "model": "gpt-y"} | dead
    with Proxy(computer.home, {"models": [entry]}) as proxy:
        done = computer.run("run", "openai-sdk", "--", *computer.script(ASK_OPENAI))
        assert done.stdout == "hello\n", done.stderr
        assert proxy.health()["records"] == 0
        assert proxy.stop() == 0


def test_only_the_own_run_is_counted(computer: Computer) -> None:
    """Records of others at the same proxy do not count."""
    entry = PASSED_ON | {"apiBase": computer.environ.pop("OPENAI_BASE_URL")}
    other = (
        "import urllib.request as u, os\n"
        "u.urlopen(u.Request(os.environ['OPENAI_BASE_URL'].replace('/c/', '/c/not'),"
        " b'{}', {'content-type': 'application/json'}))\n"
    )
    with Proxy(computer.home, {"models": [entry]}) as proxy:
        script = ASK_OPENAI + "try:\n " + other.replace("\n", "\n ") + "\nexcept OSError: pass\n"
        done = computer.run("run", "openai-sdk", "--", *computer.script(script))
        assert "recorded 1 exchange of openai-sdk" in line_of(done.stderr)
        assert proxy.stop() == 0


def test_failures_are_counted(computer: Computer) -> None:
    """What failed is part of the line, which shows what has an answer."""
    script = ASK_OPENAI + "openai.OpenAI(max_retries=0).embeddings.create(model='e', input='x')\n"
    done = computer.run("run", "--", *computer.script(script))
    assert "recorded 2 exchanges (1 failed) · dolphin-logger show" in line_of(done.stderr)
    completed = next(r for r in computer.records() if r["outcome"] == "completed")
    assert completed["id"][-8:] in line_of(done.stderr)


@pytest.mark.parametrize("paused", [True, False])
def test_nothing_recorded_is_said_with_the_reason(computer: Computer, paused: bool) -> None:
    """Paused, or no use of the proxy: the line says which."""
    if paused:
        assert computer.run("pause").returncode == 0
    script = ASK_OPENAI if paused else "pass"
    done = computer.run("run", "--", *computer.script(script))
    assert done.returncode == 0, done.stderr
    reason = "recording is paused" if paused else "did not use the proxy"
    assert line_of(done.stderr).startswith("dolphin-logger: recorded nothing: ")
    assert reason in line_of(done.stderr)


def test_a_named_model_needs_no_key(computer: Computer) -> None:
    """With --model the entry's own key goes out, and the library gets a word for its own."""
    computer.configure(
        {
            "provider": "openai",
            "model": "lo",
            "apiBase": computer.environ.pop("OPENAI_BASE_URL"),
            "apiKey": "sk-of-the-entry",
        }
    )
    del computer.environ["OPENAI_API_KEY"]
    script = computer.script(ASK_OPENAI.replace("gpt-x", "lo"))
    done = computer.run("run", "openai-sdk", "--model", "lo", "--", *script)
    assert done.stdout == "hello\n", done.stderr
    assert "OPENAI_API_KEY gets a word without meaning" in done.stderr
    (request,) = [r for r in computer.provider.requests if r.method == "POST"]
    assert request.header("authorization") == "Bearer sk-of-the-entry"


def test_claude_code_gets_its_wiring(computer: Computer) -> None:
    """A program named claude gets the variables, our arguments first and its own behind them."""
    computer.program("claude", SHOW)
    computer.environ["CLAUDECODE"] = "1"
    done = computer.run("run", "claude", "--", "-p", "say hi", "--", "x")
    seen = json.loads(done.stdout)
    assert seen["argv"][0] == "--settings"
    assert seen["argv"][2:] == ["-p", "say hi", "--", "x"]
    base = json.loads(seen["argv"][1])["env"]["ANTHROPIC_BASE_URL"]
    assert re.fullmatch(r"http://127\.0\.0\.1:\d+/c/[0-9a-f]{8}", base)
    assert seen["env"]["ANTHROPIC_BASE_URL"] == base
    assert seen["env"]["ANTHROPIC_API_KEY"] == "sk-of-the-user-a"
    assert "CLAUDECODE" not in seen["env"]
    assert "127.0.0.1" in seen["env"]["NO_PROXY"]
    wrapped = computer.run("run", "--", str(computer.programs / "claude"), "-p")
    assert json.loads(wrapped.stdout)["argv"][0] == "--settings"


def test_dry_run_changes_nothing(computer: Computer) -> None:
    """It prints what would be set, starts nothing and creates nothing."""
    computer.program("claude", SHOW)
    done = computer.run("run", "claude", "--dry-run", "--json", "--", "-p")
    plan = json.loads(done.stdout)
    assert next(iter(plan)) == "schema_version"
    assert plan["command"][-1] == "-p"
    assert plan["set"]["ANTHROPIC_BASE_URL"].startswith("http://127.0.0.1:PORT/c/")
    assert "anthropic at http://127.0.0.1" in done.stderr
    assert not computer.home.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "clode"], 1, "did you mean"),
        (["run", "codex"], 1, "npm install -g @openai/codex"),
        (["run", "zed"], 1, "connect zed"),
        (["run", "cursor"], 1, "its own servers"),
        (["run"], 2, "name a client"),
        (["run", "openai-sdk"], 2, "needs a command"),
        (["run", "claude", "-p", "hi"], 2, "go behind `--`"),
        (["run", "--json", "--", "true"], 2, "--dry-run"),
        (["run", "--", "/no/such/program"], 1, "cannot be started"),
        (["run", "--model", "x", "--", "true"], 1, "does not exist in config.json"),
    ],
)
def test_mistakes(computer: Computer, arguments: list[str], code: int, message: str) -> None:
    """Each mistake has its exit code and names the cure; nothing is left running."""
    done = computer.run(*arguments)
    assert done.returncode == code, done.stderr
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_a_proxy_that_does_not_start(computer: Computer) -> None:
    """The proxy's own message is the error, with its exit code."""
    computer.home.mkdir()
    (computer.home / "config.json").write_text("{")
    done = computer.run("run", "--", "true")
    assert done.returncode == 3, done.stderr
    assert "config.json:1" in done.stderr


def test_the_folder_is_not_searched(computer: Computer, tmp_path: Path) -> None:
    """A module in the current folder is not taken for one of ours."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "dolphin_logger.py").write_text("raise SystemExit('hijacked')")
    (folder / "json.py").write_text("raise SystemExit('hijacked')")
    entry = Path(sys.executable).with_name("dolphin-logger")
    done = subprocess.run(
        [str(entry), "run", "--", sys.executable, "-P", "-c", "print('fine')"],
        env=computer.environ,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr


WAITS = """\
import os, signal, sys, time
def end(number, frame):
    os.write(1, b"got %d\\n" % number)  # print may be at work just now
    sys.exit(CODE)
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
while True: time.sleep(0.05)
"""


@pytest.mark.parametrize(("code", "expected"), [("3", 3), ("signal.SIGTERM", None)])
def test_sigterm_reaches_the_client(computer: Computer, code: str, expected: int | None) -> None:
    """SIGTERM is passed on; the client decides how it ends, and its proxy ends after it."""
    script = WAITS.replace("sys.exit(CODE)", f"sys.exit({code})")
    if expected is None:
        script = "print('ready', flush=True)\nimport time\nwhile True: time.sleep(0.05)\n"
    process = computer.start("run", "--", *computer.script(script))
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert len(computer.proxies()) == 1
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == (expected or 128 + signal.SIGTERM)
    assert "recorded nothing" in line_of(err)
    assert out == ("got 15\n" if expected else "")
    assert computer.proxies() == []


def test_a_killed_run_leaves_no_proxy(computer: Computer) -> None:
    """The proxy ends by itself when the one that started it is gone."""
    process = computer.start("run", "--", *computer.script(WAITS.replace("CODE", "0")))
    assert process.stdout is not None
    process.stdout.readline()
    (file,) = computer.proxies()
    client = [int(pid) for pid in _children(process.pid)]
    process.kill()
    for pid in client:
        if pid != int(file.stem.removeprefix("proxy-")):
            os.kill(pid, signal.SIGKILL)
    process.communicate(timeout=30)
    wait_for(lambda: not computer.proxies(), what="the end of the proxy")


def _children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


AT_TERMINAL = """\
import json, os, sys, time, urllib.request
def ask():
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
    fields = {"content-type": "application/json"}
    url = os.environ["OPENAI_BASE_URL"] + "/chat/completions"
    return urllib.request.urlopen(urllib.request.Request(url, body, fields)).status
try:
    print("terminal", [os.isatty(n) for n in (0, 1, 2)], os.tcgetpgrp(0) == os.getpgrp(), flush=True)
    while True: time.sleep(0.05)
except KeyboardInterrupt:
    print("interrupted", ask(), flush=True)
    sys.exit(130)
"""


def test_the_terminal_is_the_clients(computer: Computer) -> None:
    """It is in the foreground of the same terminal; Ctrl-C reaches it alone: proxy and report stay."""
    pid, terminal = pty.fork()
    if pid == 0:
        command = [sys.executable, "-m", "dolphin_logger", "run", "--"]
        os.execve(sys.executable, [*command, *computer.script(AT_TERMINAL)], computer.environ)
    seen = _read_until(terminal, b"terminal [")
    assert b"[True, True, True] True" in seen
    os.write(terminal, b"\x03")
    rest = _read_until(terminal, b"dolphin-logger ls")
    assert b"interrupted 200" in rest
    assert b"recorded 1 exchange" in rest
    assert b"Traceback" not in rest
    _, status = os.waitpid(pid, 0)
    assert os.waitstatus_to_exitcode(status) == 130
    os.close(terminal)


def _read_until(terminal: int, wanted: bytes) -> bytes:
    """Read whole lines from a terminal until one has these bytes."""
    seen = b""
    while wanted not in seen or not seen.endswith(b"\n"):
        assert select.select([terminal], [], [], 30)[0], seen
        seen += os.read(terminal, 65536)
    return seen
