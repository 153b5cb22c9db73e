"""The command line as a person, a pipe and an agent meet it: real files, real processes."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from dolphin_logger import cli
from dolphin_logger._version import __version__
from dolphin_logger.cli import output
from dolphin_logger.cli.running import running_proxies
from dolphin_logger.errors import ConfigError, JournalError, ProviderError
from dolphin_logger.exchange import Exchange, new_id
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.writer import Journal
from dolphin_logger.messages import Usage

NOW = 1_795_361_046 * 10**9
HOSTILE = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\u2066\r\x08\x7f\u2028\U000e0041"
FORBIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\U000e0000-\U000e007f]"
)
AGENTS = (
    "AI_AGENT",
    "AGENT",
    "CLAUDECODE",
    "CODEX_SANDBOX",
    "CODEX_CI",
    "CODEX_THREAD_ID",
    "GEMINI_CLI",
    "CRUSH",
)

REQUEST = {
    "model": "claude",
    "temperature": 0.5,
    "seed": 123456789012345678901234567890,
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "description": "Tells it",
                "parameters": {"type": "object"},
            },
        }
    ],
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {
                    "type": "image_url",
                    "image_url": {"url": "data:image/png;base64," + "QUJD" * 100, "detail": "low"},
                },
                {
                    "type": "file",
                    "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,QUJD"},
                },
            ],
        },
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_0",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city":"Bonn"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_0", "content": "rain"},
        {"role": "user", "name": "kim", "content": "and now?", "x_vendor": {"cache": True}},
    ],
}
RESPONSE = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "choices": [
        {
            "index": 0,
            "finish_reason": "tool_calls",
            "logprobs": {"content": [{"token": "a", "logprob": -0.1}]},
            "message": {
                "role": "assistant",
                "reasoning_content": "Two cities, then.",
                "content": "I shall look.",
                "refusal": None,
                "tool_calls": [
                    {
                        "id": "call_1",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city":"Rome"}'},
                    },
                    {
                        "id": "call_2",
                        "type": "function",
                        "function": {"name": "weather", "arguments": '{"city": "Os'},
                    },
                    {
                        "id": "call_3",
                        "type": "custom",
                        "custom": {"name": "shell", "input": "ls -l"},
                    },
                ],
            },
        },
        {
            "index": 1,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": None, "refusal": "I will not."},
        },
    ],
    "service_tier": "default",
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home of its own, and an environment that no agent runs in."""
    for name in (*output._AGENTS, "NO_COLOR", "FORCE_COLOR", "PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOLPHIN_LOGGER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TZ", "UTC")
    made = Home(tmp_path / "home")
    made.prepare()
    return made


def record(journal: Journal, *, second: int = 0, **fields: object) -> str:
    """Record an exchange that began some seconds after NOW; return its id."""
    time_ns = NOW + second * 10**9
    base: dict[str, object] = {
        "id": new_id(time_ns), "time_ns": time_ns, "dialect": "openai.chat", "path": "/v1/chat/completions",
        "model": "claude", "provider": "openai", "status": 200, "total_ms": 1234.5,
        "request": json.dumps(REQUEST, indent=1).encode(), "response": json.dumps(RESPONSE).encode(),
    }  # fmt: skip
    made = Exchange(**{**base, **fields})  # type: ignore[arg-type]
    journal.append(made)
    return made.id


def run(*arguments: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(cli.main, list(arguments))


def succeed(*arguments: str) -> str:
    """Run a command that must succeed; return its stdout."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stdout


def start(*arguments: str, **options: object) -> subprocess.Popen[bytes]:
    """Start the program as a process of its own."""
    command = [sys.executable, "-m", "dolphin_logger", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)  # type: ignore[call-overload, no-any-return]


def on_terminal(*arguments: str, **environment: str) -> str:
    """Run a command whose output is a terminal; return what reaches the terminal."""
    parent, child = pty.openpty()
    command = [sys.executable, "-m", "dolphin_logger", *arguments]
    environment = {**os.environ, "TERM": "xterm", **environment}
    process = subprocess.Popen(
        command, stdin=child, stdout=child, stderr=subprocess.DEVNULL, env=environment
    )
    os.close(child)
    received = b""
    with contextlib.suppress(OSError):  # Linux ends a terminal with EIO
        while piece := os.read(parent, 65536):
            received += piece
    os.close(parent)
    assert process.wait(timeout=30) == 0
    return received.decode().replace("\r\n", "\n")


def eventually(condition: Callable[[], bool], *, seconds: float = 15) -> None:
    """Wait for a condition, and fail when it does not come."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.01)


# --- the frame


def test_help_names_every_command() -> None:
    """The help lists the commands of the table, and each can be imported and explains itself."""
    text = run("--help").stdout
    context = click.Context(cli.main)
    for name in cli.COMMANDS:
        assert f"\n  {name} " in text
        if name not in {"serve", "demo"}:
            assert cli.main.get_command(context, name) is not None
            assert run(name, "--help").exit_code == 0
    assert "server" not in text


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], []),
        (["--port", "5002"], ["--port", "5002"]),
        (["serve", "--port", "1"], ["--port", "1"]),
        (["server", "--port", "1"], ["--port", "1"]),
    ],
)
def test_bare_command_serves(
    monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: list[str]
) -> None:
    """Without a command, with bare options and under the original's name, the proxy starts."""
    seen: list[list[str]] = []

    @click.command(context_settings={"ignore_unknown_options": True})
    @click.argument("rest", nargs=-1, type=click.UNPROCESSED)
    def serve(rest: tuple[str, ...]) -> None:
        seen.append(list(rest))

    monkeypatch.setitem(cli.COMMANDS, "serve", (f"{'cli.fake'}:serve", ""))
    fake = type(sys)("dolphin_logger.cli.fake")
    fake.serve = serve  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "dolphin_logger.cli.fake", fake)
    assert run(*arguments).exit_code == 0
    assert seen == [expected]


@pytest.mark.parametrize("arguments", [["--version"], ["-V"], ["version"]])
def test_version(arguments: list[str]) -> None:
    """The version is the same through the shortcut and through the command line."""
    assert run(*arguments).stdout == f"dolphin-logger {__version__}\n"
    process = start(*arguments)
    assert process.communicate(timeout=30)[0].decode() == f"dolphin-logger {__version__}\n"
    assert json.loads(run("version", "--json").stdout)["version"] == __version__


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("bad config"), 3),
        (JournalError("bad\x1b[2J folder"), 1),
        (ProviderError("away", status=502, kind="connect"), 5),
        (KeyboardInterrupt(), 130),
        (click.UsageError("wrong"), 2),
    ],
)
def test_exit_codes(
    home: Home, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int
) -> None:
    """A known error is one line on stderr without control characters, and has its exit code."""

    def fail(_home: Home) -> None:
        raise error

    monkeypatch.setattr("dolphin_logger.cli.status.running_proxies", fail)
    result = run("status")
    assert result.exit_code == code
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert not FORBIDDEN.search(result.stderr)
    if code in {1, 3, 5}:
        assert re.fullmatch(r"error: [^\n]+\n", result.stderr)


def test_defect_shows_no_values(home: Home) -> None:
    """An unexpected error ends with 1 and a traceback that holds no value of a variable."""
    code = (
        "import dolphin_logger.cli.status as s\n"
        "def fail(home):\n    secret = 'sk-' + 'canary'\n    raise RuntimeError('broken')\n"
        "s.running_proxies = fail\n"
        "from dolphin_logger.cli import main\nmain(['status'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "RuntimeError: broken" in done.stderr
    assert "sk-canary" not in done.stderr
    assert done.stdout == ""


def test_closed_pipe_is_quiet(home: Home) -> None:
    """`dolphin-logger ls | head -1` ends without a word on stderr."""
    journal = Journal(home)
    for _ in range(3000):
        record(journal, request=b"{}", response=b"{}")
    process = start("ls", "--records", "-n", "3000", "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(1)
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    process.wait(timeout=30)


# --- reading


def test_ls(home: Home) -> None:
    """The newest record comes first, in tab-separated cells when no person reads."""
    journal = Journal(home)
    first = record(journal, second=1)
    second = record(
        journal, second=2, model=None, status=None, usage=Usage(input_tokens=7, output_tokens=0),
        request=b'{"messages":[{"role":"user","content":"%s"}]}' % (b"word " * 50),
    )  # fmt: skip
    heading, newest, older = succeed("ls", "--records").splitlines()
    cells = newest.split("\t")
    assert heading.split("\t")[0] == "id"
    assert cells[:8] == [
        second[-8:],
        "2026-11-22 15:24:08",
        "",
        "openai",
        "completed",
        "7",
        "0",
        "1.234",
    ]
    assert cells[8].startswith("word word")
    assert len(cells[8]) <= 60
    assert older.split("\t")[0] == first[-8:]
    assert older.split("\t")[5:7] == ["", ""]
    assert len(succeed("ls", "--records", "-n", "1").splitlines()) == 2
    listed = json.loads(succeed("ls", "--records", "--json"))
    assert listed["schema_version"] == 1
    assert [entry["id"] for entry in listed["records"]] == [second, first]
    assert listed["records"][1]["preview"] == "What is this?"


def test_ls_on_a_terminal(home: Home) -> None:
    """A person gets aligned columns, in colour unless NO_COLOR; an agent at a terminal gets plain cells."""
    record(Journal(home))
    person = on_terminal("ls", "--records")
    assert "\t" not in person
    assert "\x1b[1mid " in person
    assert "\x1b" not in on_terminal("ls", "--records", NO_COLOR="1")
    for name in AGENTS:
        assert on_terminal("ls", "--records", **{name: "1"}).startswith("id\ttime\t")


def test_empty_home(home: Home) -> None:
    """Nothing recorded is no error for lists, and one with a cure for `show`."""
    assert len(succeed("ls").splitlines()) == 1
    assert json.loads(succeed("ls", "--json"))["conversations"] == []
    assert json.loads(succeed("ls", "--records", "--json"))["records"] == []
    assert len(succeed("search", "anything").splitlines()) == 1
    assert json.loads(succeed("stats", "--json"))["records"] == 0
    assert succeed("tail", "--json") == ""
    result = run("show")
    assert result.exit_code == 1
    assert "no records" in result.stderr


def test_show_has_everything(home: Home) -> None:
    """Every part of a request and of an answer is in the human view, arguments unfolded."""
    identity = record(
        Journal(home), stream=True, provider_model="claude-3", usage=Usage(input_tokens=10, cache_read_tokens=4),
        request_headers={"user-agent": "curl/8"},
    )  # fmt: skip
    text = succeed("show", identity[-8:])
    for expected in (
        identity, "openai claude-3", "openai.chat /v1/chat/completions streamed", "completed, status 200",
        "input 10, cache_read 4", "total 1234.5 ms", "user-agent: curl/8", f"{home.logs}/2",
        '"temperature": 0.5', '"seed": 123456789012345678901234567890', "tools offered (1)", "Tells it",
        "[1] system", "Be brief.", "[2] user", "What is this?", "[image]", "[image/png, 300 bytes]", '"detail": "low"',
        "a.pdf", "[application/pdf, 3 bytes]", "tool call weather id call_0", '"city": "Bonn"',
        "[4] tool", 'tool result weather {"city": "Bonn"} id call_0', "rain", "[5] user name kim", '"cache": true',
        "choice 0 assistant", "reasoning:", "Two cities, then.", "I shall look.",
        "tool call weather id call_1", '"city": "Rome"', "tool call weather id call_2", '{"city": "Os',
        "tool call shell id call_3 custom", "ls -l", "log-probabilities of 1 tokens", "finish_reason: tool_calls",
        "choice 1 assistant", "refusal:", "I will not.", "finish_reason: stop", "service_tier: default",
    ):  # fmt: skip
        assert expected in text, expected
    assert "QUJDQUJD" not in text
    assert text.index("call_1") < text.index("call_2") < text.index("call_3")
    assert succeed("show") == text


def test_show_json_is_the_line(home: Home) -> None:
    """--json holds the record exactly as it lies on the disk, with its place."""
    identity = record(Journal(home))
    text = succeed("show", identity, "--json")
    shown = json.loads(text)
    (file,) = home.logs.iterdir()
    assert (shown["schema_version"], shown["file"], shown["offset"]) == (1, str(file), 0)
    assert file.read_text().strip() in text
    assert shown["record"]["request"]["seed"] == REQUEST["seed"]


def test_show_raw_is_the_bytes(home: Home) -> None:
    """--raw writes a body's bytes and nothing else; to a terminal, without control characters."""
    record(Journal(home), raw_response=b"data: \x1b[2J\xff\x00\n\n")
    process = start("show", "--raw", "response")
    assert process.communicate(timeout=30)[0] == b"data: \x1b[2J\xff\x00\n\n"
    assert on_terminal("show", "--raw", "response") == "data: \\x1b[2J\\xff\\x00\n\n\n"
    process = start("show", "--raw", "request")
    assert json.loads(process.communicate(timeout=30)[0]) == REQUEST
    assert run("show", "--raw", "request", "--json").exit_code == 2


def test_hostile_text_reaches_no_terminal(home: Home) -> None:
    """No control sequence and no bidirectional override of recorded text gets out, in any command."""
    hostile = {
        "model": HOSTILE, HOSTILE: HOSTILE, "tools": [{"function": {"name": HOSTILE, "description": HOSTILE}}],
        "messages": [{"role": HOSTILE, "name": HOSTILE, "content": HOSTILE, HOSTILE: [HOSTILE]},
                     {"role": "user", "content": [{"type": HOSTILE, HOSTILE: HOSTILE}, {"type": "text", "text": HOSTILE}]}],
    }  # fmt: skip
    answer = {
        "choices": [{"finish_reason": HOSTILE, "message": {"role": "assistant", "content": HOSTILE, "reasoning": HOSTILE,
                     "refusal": HOSTILE, "tool_calls": [{"id": HOSTILE, "type": "function", "function": {"name": HOSTILE, "arguments": HOSTILE}},
                                                        {"id": "b", "type": HOSTILE, HOSTILE: {"input": HOSTILE}}]}}],
    }  # fmt: skip
    for escaped in (True, False):
        record(
            Journal(home), model=HOSTILE, provider=HOSTILE, provider_request_id=HOSTILE, request_headers={"user-agent": HOSTILE},
            request=json.dumps(hostile, ensure_ascii=escaped).encode(), response=json.dumps(answer, ensure_ascii=escaped).encode(),
        )  # fmt: skip
    commands = [
        ["ls"],
        ["ls", "--json"],
        ["ls", "--records"],
        ["ls", "--records", "--json"],
        ["search", "owned"],
        ["search", "owned", "--json"],
        ["show"],
        ["show", "--json"],
        ["tail"],
        ["tail", "--json"],
        ["stats"],
        ["stats", "--json"],
    ]
    for command in commands:
        piped = run(*command)
        assert piped.exit_code == 0
        assert not FORBIDDEN.search(piped.output), command
        assert not FORBIDDEN.search(on_terminal(*command, NO_COLOR="1")), command
        if "--json" in command:
            for line in piped.stdout.splitlines():
                assert json.loads(line)["schema_version"] in (1, 2)
    assert json.loads(succeed("show", "--json"))["record"]["model"] == HOSTILE
    assert "\\x1b]0;owned\\x07" in succeed("show")
    assert not FORBIDDEN.search(on_terminal("show", "--raw", "response", NO_COLOR="1"))


@pytest.mark.parametrize(
    "value", [None, 1, "x", [], [1, None, "x", []], {}, {"a": {}}, [[{"type": 1}]], {"role": None}]
)
def test_any_shape_can_be_shown(home: Home, value: object) -> None:
    """Whatever stands where a message, a part, a call or an answer should be: it is shown, not tripped over."""
    journal = Journal(home)
    bodies: list[object] = [
        value,
        {"messages": value, "tools": value},
        {"messages": [value, {"role": "user", "content": value}]},
    ]
    bodies += [
        {"choices": value},
        {"choices": [value, {"message": value, "logprobs": value}]},
        {"input": value},
    ]
    bodies += [
        {
            "choices": [
                {
                    "message": {
                        "content": [value],
                        "tool_calls": [value, {"type": value, "function": value}],
                        "function_call": value,
                    }
                }
            ]
        }
    ]
    for number, shape in enumerate(bodies):
        text = json.dumps(shape).encode()
        identity = record(journal, second=number, request=text, response=text)
        assert run("show", identity).exit_code == 0
    assert len(succeed("ls", "--records").splitlines()) == 1 + len(bodies)
    assert json.loads(succeed("stats", "--json"))["records"] == len(bodies)


def test_original_files_are_shown(home: Home) -> None:
    """A file that the original program wrote appears in every reading command, its time marked as a guess."""
    lines = [
        {"request": REQUEST, "response": "The old answer."},
        {"request": {"model": "m"}, "response": RESPONSE},
    ]
    file = home.logs / "3f0c6a1e-5f0f-4a53-8a53-0a1b2c3d4e5f.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    assert "\t~20" in succeed("ls", "--records").splitlines()[1]
    listed = json.loads(succeed("ls", "--records", "--json"))
    identities = [entry["id"] for entry in listed["records"]]
    assert "The old answer." in succeed("show", identities[1])
    assert "tool call weather id call_2" in succeed("show", identities[0])
    assert (
        json.loads(succeed("show", identities[1], "--json"))["record"]["time_approximate"] is True
    )
    assert json.loads(succeed("stats", "--json"))["by"]["model"] == {"claude": 1, "m": 1}


def test_stats(home: Home) -> None:
    """Counts by day, model, client and outcome; unknown tokens are counted as unknown; damage is counted."""
    journal = Journal(home)
    record(journal, usage=Usage(input_tokens=5, output_tokens=2))
    record(journal, second=86_400, model="other")
    journal.close()
    (home.logs / "bad.jsonl").write_text("rubbish\nunfinished")
    counted = json.loads(succeed("stats", "--json"))
    assert (counted["records"], counted["bad_lines"], counted["unfinished_lines"]) == (2, 1, 1)
    assert counted["by"]["day"] == {"2026-11-22": 1, "2026-11-23": 1}
    assert counted["by"]["model"] == {"claude": 1, "other": 1}
    assert counted["tokens"]["input_tokens"] == {"sum": 5, "unknown": 1}
    assert counted["tokens"]["reasoning_tokens"] == {"sum": None, "unknown": 2}
    assert counted["bytes"]["logs"] == sum(path.stat().st_size for path in home.logs.iterdir())
    assert "tokens_unknown\tinput_tokens\t1" in succeed("stats")
    assert "unknown for 1 records" in on_terminal("stats")


@pytest.fixture
def following(home: Home) -> Iterator[tuple[subprocess.Popen[bytes], list[str]]]:
    """A running `tail -f`, after two records, and the models of the records that it printed so far."""
    journal = Journal(home)
    record(journal, second=1, model="one")
    record(journal, second=2, model="two")
    # a shell starts background jobs with SIGINT ignored, which children would inherit
    process = start(
        *("tail", "-f", "-n", "1", "--json"),
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    printed: list[str] = []

    def read() -> None:
        printed.extend(json.loads(line)["model"] for line in process.stdout or ())

    reader = threading.Thread(target=read)
    reader.start()
    eventually(lambda: printed == ["two"])
    yield process, printed
    process.kill()
    process.wait()
    reader.join()
    for stream in (process.stdout, process.stderr):
        if stream is not None:
            stream.close()


def test_tail_follows(home: Home, following: tuple[subprocess.Popen[bytes], list[str]]) -> None:
    """`tail -f` goes on with other processes and new files, each record whole and once; Ctrl-C is 130."""
    process, printed = following
    journal = Journal(home)
    record(journal, second=3, model="three")
    eventually(lambda: printed[-1] == "three")
    record(Journal(home), second=4, model="four")
    eventually(lambda: printed[-1] == "four")
    assert journal.segment is not None
    whole = journal.segment.read_bytes()
    late = home.logs / "2099-01-01_x.jsonl"
    late.write_bytes(whole[:100])
    record(journal, second=5, model="five")
    eventually(lambda: printed[-1] == "five")
    late.write_bytes(whole)
    eventually(lambda: printed[-1] == "three")
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=15) == 130
    eventually(lambda: printed == ["two", "three", "four", "five", "three"])
    assert process.stderr is not None
    assert process.stderr.read().strip() == b""


# --- configuration


def test_init_and_config(home: Home) -> None:
    """`init` creates a valid configuration once, private, and prints where it lies."""
    assert run("config", "validate").exit_code == 3
    assert succeed("init").strip() == str(home.config)
    assert stat.S_IMODE(home.config.stat().st_mode) == 0o600
    home.config.write_text(
        json.dumps(
            {
                "models": [
                    {
                        "provider": "openai",
                        "model": "m",
                        "apiBase": "http://127.0.0.1:1",
                        "apiKey": "sk-canary",
                    }
                ]
            }
        )
    )
    home.config.chmod(0o600)
    before = home.config.read_bytes()
    again = run("init")
    assert again.exit_code == 0
    assert home.config.read_bytes() == before
    assert "sk-canary" not in again.output
    assert succeed("config", "path") == succeed("config", "--path") == f"{home.config}\n"
    assert "ok" in succeed("config", "validate")
    assert "ok" in succeed("config", "--validate")
    assert json.loads(succeed("config", "validate", "--json"))["ok"] is True
    assert "models" in json.loads(succeed("config", "schema"))["properties"]


@pytest.mark.parametrize("arguments", [["config", "validate"], ["config", "--validate"]])
def test_invalid_config(home: Home, arguments: list[str]) -> None:
    """An error in the configuration is named with its line and ends with 3."""
    home.config.write_text('{"models": [\n{"provider": "opnai", "model": "m"}]}')
    result = run(*arguments)
    assert result.exit_code == 3
    assert "models[0].provider" in result.stderr
    assert f"{home.config}:2" in result.stderr
    reported = run("config", "validate", "--json")
    assert reported.exit_code == 3
    assert json.loads(reported.stdout)["problems"][0]["fatal"] is True


# --- what runs


def test_pause_and_resume(home: Home) -> None:
    """The switch is a private file; both commands say what is true and may be repeated."""
    for _ in range(2):
        assert "paused" in succeed("pause")
        assert stat.S_IMODE(home.pause_switch.stat().st_mode) == 0o600
        assert json.loads(succeed("status", "--json"))["paused"] is True
    for _ in range(2):
        assert "recording is on" in succeed("resume")
        assert not home.pause_switch.exists()


FAKE_PROXY = """
import json, os, signal, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

class Health(BaseHTTPRequestHandler):
    def do_GET(self):
        assert self.path == "/health" and self.headers["Host"].startswith("127.0.0.1:")
        body = json.dumps({"status": "ok", "message": "fine", "recording": "on", "records": 3, "active": 2}).encode()
        self.send_response(200); self.send_header("content-length", str(len(body))); self.end_headers()
        self.wfile.write(body)
    def log_message(self, *a): pass

server = HTTPServer(("127.0.0.1", 0), Health)
path = Path(sys.argv[1]) / f"proxy-{os.getpid()}.json"
def end(*_):
    Path(sys.argv[1], "ended").write_text("by SIGTERM")
    time.sleep(float(sys.argv[3]))
    path.unlink(missing_ok=True)
    os._exit(0)
signal.signal(signal.SIGTERM, end)
port = server.server_port
facts = {"pid": os.getpid(), "host": "127.0.0.1", "port": port, "url": f"http://127.0.0.1:{port}", "started": "2026-11-22T15:00:00Z", "version": "9"}
path.with_suffix(".part").write_text(json.dumps(facts))
path.with_suffix(".part").rename(path)
server.serve_forever()
"""


@pytest.fixture
def fake_proxy(home: Home) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start processes that keep the contract of a running proxy."""
    started: list[subprocess.Popen[bytes]] = []

    def begin(*, name: str = "dolphin_logger", delay: float = 0) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-c", FAKE_PROXY, str(home.run), name, str(delay)]
        )
        started.append(process)
        eventually((home.run / f"proxy-{process.pid}.json").exists)
        return process

    yield begin
    for process in started:
        process.kill()
        process.wait()


def test_status_and_stop(home: Home, fake_proxy: Callable[..., subprocess.Popen[bytes]]) -> None:
    """A running proxy is listed with its health, and stop ends it and waits until it is gone."""
    record(Journal(home))
    process = fake_proxy(delay=0.3)
    found = json.loads(succeed("status", "--json"))
    assert [proxy["pid"] for proxy in found["proxies"]] == [process.pid]
    assert found["proxies"][0]["health"]["recording"] == "on"
    assert found["newest"]["time"] == "2026-11-22T15:24:06.000000Z"
    text = succeed("status")
    for expected in (
        "http://127.0.0.1:",
        f"pid {process.pid}",
        "ok: fine",
        "recording on",
        "records 3, active 2",
    ):
        assert expected in text
    assert f"pid {process.pid}" in succeed("stop")
    assert process.wait(timeout=5) == 0
    assert not list(home.run.glob("proxy-*"))
    assert "nothing is running" in succeed("stop")
    assert "nothing" in succeed("status")


def test_stop_says_what_it_waits_for(
    home: Home, fake_proxy: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """A proxy that still has open answers is waited for, aloud."""
    process = fake_proxy(delay=1.5)
    result = run("stop")
    assert result.exit_code == 0
    assert f"waiting for pid {process.pid}: 2 open requests" in result.stderr


def test_stop_says_what_did_not_end(
    home: Home, fake_proxy: Callable[..., subprocess.Popen[bytes]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that does not end in time is named with a cure, exit code 1."""
    process = fake_proxy(delay=60)
    monkeypatch.setattr("dolphin_logger.cli.stop._WAIT_SECONDS", 0.2)
    result = run("stop")
    assert result.exit_code == 1
    assert f"kill -9 {process.pid}" in result.stderr


def test_stale_files_are_removed(
    home: Home, fake_proxy: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """A file of a dead process, of another program that got its number, or without sense, is ignored and removed."""
    stranger = fake_proxy(name="somebody-else")
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("this system does not show command lines")
    ended = subprocess.Popen([sys.executable, "-c", "", "dolphin"])
    eventually(lambda: ended.poll() is not None)
    for name, text in {
        "proxy-1.json": json.dumps({"pid": ended.pid, "url": "http://127.0.0.1:1"}),
        "proxy-2.json": "half",
        "proxy-3.json": json.dumps({"pid": -1, "url": "http://127.0.0.1:1"}),
        "proxy-4.json": json.dumps({"pid": os.getpid(), "url": "http://127.0.0.1:notaport"}),
    }.items():
        (home.run / name).write_text(text)
    assert "nothing is running" in succeed("stop")
    assert not list(home.run.glob("proxy-*"))
    assert stranger.poll() is None
    assert not (home.run / "ended").exists()


@pytest.mark.parametrize("pid", [-1, 0, 1])
def test_numbers_that_mean_many_processes(
    home: Home, fake_proxy: Callable[..., subprocess.Popen[bytes]], pid: int
) -> None:
    """A process number that would signal a whole group, or init, is never taken for a proxy."""
    process = fake_proxy()
    facts = json.loads((home.run / f"proxy-{process.pid}.json").read_text())
    (home.run / "proxy-x.json").write_text(json.dumps(facts | {"pid": pid}))
    assert [proxy.pid for proxy in running_proxies(home)] == [process.pid]


def test_proxy_without_answer_is_still_listed(
    home: Home, fake_proxy: Callable[..., subprocess.Popen[bytes]]
) -> None:
    """A proxy that is stuck is certainly ours by its command line: it is shown, and can be stopped."""
    process = fake_proxy()
    process.send_signal(signal.SIGSTOP)
    assert "no answer" in succeed("status")
    process.send_signal(signal.SIGCONT)
    assert "stopped" in succeed("stop")


# --- printing


def test_neutralised_json_is_the_same_value() -> None:
    """Escaping in JSON changes the spelling and not the value."""
    text = json.dumps({"a": HOSTILE, HOSTILE: "日本 👩\u200d👩\u200d👧"}, ensure_ascii=False)
    assert json.loads(output.neutralise_json(text)) == json.loads(text)
    assert not FORBIDDEN.search(output.neutralise_json(text))


def test_neutralise_leaves_languages_alone() -> None:
    """Letters, joined emoji and right-to-left text stay; only controls become escapes."""
    text = "Grüße 日本 שלום क\u200cष 👩\u200d👧 e\u0301"
    assert output.neutralise(text) == text
    assert output.neutralise("a\nb\tc\x1b\ud800") == "a\\nb\\tc\\x1b\\ud800"
    assert output.neutralise("a\nb\tc\r", keep_newlines=True) == "a\nb\tc\\r"


@pytest.mark.parametrize(("text", "width"), [("abc", 3), ("日本", 4), ("e\u0301", 1)])
def test_columns_are_as_wide_as_they_look(text: str, width: int) -> None:
    """Wide and combining characters keep the columns straight."""
    assert output.align([text, "|"], widths=[6, 1]).index("|") == len(text) + 6 - width + 2
