"""A conversation as `show`, `show --markdown`, `--html`, `--json` and `open` write it; hostile text in each."""

from __future__ import annotations

import json
import os
import re
import stat
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from tests.support.chats import Chats, assistant, call, result, user

from dolphin_logger import cli
from dolphin_logger.cli import open as open_command
from dolphin_logger.cli import output
from dolphin_logger.exchange import Outcome

HOSTILE = (
    '</pre></details><script>alert(1)</script>\n<img src="http://evil.test/x"> " \' &\n'
    "```\n````js\n# heading\n[x](http://evil.test) `a` ``b``\n── turn 9 ──\n[9] assistant\n> replayed\n"
    "\x1b[31m\x9b0m\u202e\u2028\ufeff\x00end"
)


@pytest.fixture
def chats(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Chats:
    """A home that commands read, for no agent and in no colour."""
    for name in (*output._AGENTS, "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("DOLPHIN_LOGGER_HOME", str(tmp_path))
    return Chats(tmp_path)


def run(*arguments: str, code: int = 0) -> Result:
    """Run a command."""
    done = CliRunner().invoke(cli.main, list(arguments))
    assert done.exit_code == code, done.stderr
    return done


def talk(chats: Chats) -> list[str]:
    """Record a question with a call, another answer, a replay, and a failed end."""
    who = {"session": "s", "tools": ("run",)}
    asked = assistant("Let me see.", call("run", path="a.py"), thought="Hm, a thought.")
    history = [{"role": "system", "content": "Be brief."}, user("What is in a.py?")]
    made = [chats.ask(*history, answer=assistant("No idea."), **who)]
    made.append(chats.ask(*history, answer=asked, **who))
    made.append(
        chats.ask(*history, answer=assistant("B"), model="b", tags={"replay": made[1]}, **who)
    )
    history += [asked, result("x = 1")]
    made.append(chats.ask(*history, answer=assistant("It sets x."), **who))
    history += [assistant("It sets x."), user("Why?")]
    made.append(chats.ask(*history, answer=None, outcome=Outcome.TIMEOUT, **who))
    return made


def hostile(chats: Chats) -> str:
    """Record a conversation whose every text is hostile."""
    said = assistant(HOSTILE, call(HOSTILE, x=HOSTILE), thought=HOSTILE)
    history = [{"role": "system", "content": HOSTILE}, user(HOSTILE)]
    who = {"session": HOSTILE[:200], "client": HOSTILE[:50], "model": HOSTILE[:60]}
    made = chats.ask(*history, answer=assistant(HOSTILE + "!"), tools=(HOSTILE,), **who)
    chats.ask(*history, answer=said, tools=(HOSTILE,), **who)
    chats.ask(*history, said, result(HOSTILE), answer=assistant(HOSTILE), tools=(HOSTILE,), **who)
    return made


def test_a_conversation_in_the_terminal(chats: Chats) -> None:
    """Facts, then every message once, then folds with the id that opens each, and what failed."""
    made = talk(chats)
    text = run("show", made[0]).stdout
    assert [
        text.count(said) for said in ("Be brief.", "What is in a.py?", "x = 1", "It sets x.")
    ] == [1] * 4
    facts = [
        "claude",
        "session       s",
        "turns         5, 1 try failed",
        "tokens        input 500",
    ]
    for said in [*facts[1:], "models        a, b", "tools offered (1): run", "    Hm, a thought."]:
        assert said in text
    assert f'> another answer (a): 1 turn: show {made[0][-8:]}  "No idea."' in text
    assert f'> replayed (b): 1 turn: show {made[2][-8:]}  "B"' in text
    assert text.rstrip().endswith(f"! failed: timeout, status 500: show {made[4][-8:]} --record")


def test_what_an_id_means(chats: Chats) -> None:
    """A conversation; a record of its own; the record with which it begins, when asked; the newest."""
    made = talk(chats)
    assert run("show", made[0], "--record").stdout.startswith(f"id          {made[0]}")
    middle = run("show", made[3])
    assert middle.stdout.startswith(f"id          {made[3]}")
    assert f"part of a conversation: dolphin-logger show {made[0][-8:]}" in middle.stderr
    assert run("show").stdout.startswith(f"id          {made[4]}")
    assert run("show", made[0], "--raw", "request").stdout.startswith('{"model"')
    assert json.loads(run("show", made[0], "--record", "--json").stdout)["record"]["id"] == made[0]
    run("show", "nobody-knows", code=1)
    run("show", "nobody-knows", "--html", code=1)
    for wrong in (["--html", "--json"], ["--html", "--record"], ["-o", "x"], ["--json", "-o", "x"]):
        run("show", made[0], *wrong, code=2)


def test_without_an_index_records_are_shown(chats: Chats) -> None:
    """An index that cannot be read costs the threads alone, and that is said."""
    made = talk(chats)
    chats.home.cache.mkdir()
    (chats.home.cache / "index.v1.sqlite").write_bytes(b"no database" * 100)
    done = run("show", made[0])
    assert done.stdout.startswith(f"id          {made[0]}")
    assert "only the record itself can be shown" in done.stderr


def test_json(chats: Chats) -> None:
    """One object with every turn of the line and every fold."""
    made = talk(chats)
    shown = json.loads(run("show", made[0], "--json").stdout)
    assert (shown["schema_version"], shown["conversation"], shown["turns"]) == (2, made[0], 5)
    first, second, third = shown["steps"]
    assert first["setting"]["instructions"][0]["parts"] == [{"kind": "text", "text": "Be brief."}]
    assert first["setting"]["tools"] == [{"name": "run", "description": None, "schema": {}}]
    kinds = [part["kind"] for part in first["answers"][0]["parts"]]
    assert kinds == ["reasoning", "text", "call"]
    assert [(fold["kind"], fold["record"]) for fold in first["folds"]] == [
        ("regenerate", made[0]),
        ("replay", made[2]),
    ]
    assert second["messages"][0]["parts"][0]["parts"] == [{"kind": "text", "text": "x = 1"}]
    assert (third["complete"], third["outcome"], third["answers"]) == (False, "timeout", [])


def outside_fences(text: str) -> list[str]:
    """Give the lines of a Markdown text that stand in no fence, by the rules of CommonMark."""
    found, fence = [], ""
    for line in text.split("\n"):
        if fence:
            closing = re.fullmatch(r" {0,3}(`{3,})[ \t]*", line)
            if closing and len(closing[1]) >= len(fence):
                fence = ""
        elif opening := re.match(r" {0,3}(`{3,})[^`]*$", line):
            fence = opening[1]
        else:
            found.append(line)
    assert not fence
    return found


def test_markdown_holds_hostile_text(chats: Chats) -> None:
    """It stands in fences and code spans, and leaves neither."""
    text = run("show", hostile(chats), "--markdown").stdout
    assert "</script>" in text
    assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e\ufeff]", text) is None
    for line in outside_fences(text):
        bare = re.sub(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", line)
        assert re.fullmatch(
            r"(#{1,3} ?(Conversation \w{8}|Turn \d+)?|- [a-z ]+: |> ?(\*\*failed\*\*)? *|\s*)", bare
        ), line


def test_markdown_says_all(chats: Chats) -> None:
    """Each message once, under its speaker; calls, results and thoughts under their names."""
    text = run("show", talk(chats)[0], "--markdown").stdout
    assert text.count("It sets x.") == text.count("What is in a.py?") == 1
    for said in ("### ` assistant `", "` reasoning `", "` tool call run `", "` tool result run `"):
        assert said in text
    assert '```json\n{"path": "a.py"}\n```' in text
    assert "> **failed** ` failed: timeout" in text


class Page(HTMLParser):
    """What a page is made of: its elements, their attributes, its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes += attrs
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


PLAIN = {
    *(
        "html",
        "head",
        "meta",
        "title",
        "style",
        "body",
        "header",
        "h1",
        "dl",
        "div",
        "dt",
        "dd",
        "main",
    ),
    *("section", "h2", "h3", "article", "details", "summary", "pre", "p", "footer"),
}


def test_a_page_holds_hostile_text(chats: Chats) -> None:
    """Every element and attribute is one of ours; the text is there, whole, as text."""
    source = run("show", hostile(chats), "--html").stdout
    page = Page(source)
    assert page.open == []
    assert set(page.elements) <= PLAIN
    assert {name for name, _ in page.attributes} <= {
        "lang",
        "charset",
        "http-equiv",
        "content",
        "name",
        "class",
    }
    text = "".join(page.text)
    assert '<img src="http://evil.test/x"> " \' &' in text
    assert re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u202e\ufeff]", source) is None


def test_a_page_allows_nothing(chats: Chats) -> None:
    """Its policy comes before all content, and allows one style: the one that stands there."""
    source = run("show", talk(chats)[0], "--html").stdout
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', source[:400])
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; style-src 'sha256-")
    assert "http" not in re.sub("http-equiv", "", source)
    assert "url(" not in source
    assert "@import" not in source
    assert "prefers-color-scheme: dark" in source


def test_folds_are_in_the_page(chats: Chats) -> None:
    """What is folded away can be opened without this program; each message stands there once."""
    page = "".join(Page(run("show", talk(chats)[0], "--html").stdout).text)
    assert page.count("Be brief.") == 1
    assert page.count("No idea.") == 2  # in the line that is folded, and in it
    assert page.count("It sets x.") == 1


def test_a_file_is_private_and_whole(chats: Chats, tmp_path: Path) -> None:
    """`-o` replaces what was there with a file that only its owner reads."""
    made = talk(chats)
    target = tmp_path / "page.html"
    target.write_text("old")
    target.chmod(0o644)
    done = run("show", made[0], "--html", "-o", str(target))
    assert (done.stdout, f"written to {target}" in done.stderr) == ("", True)
    assert target.read_text() == run("show", made[0], "--html").stdout
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == ["page.html"]
    run("show", made[0], "--html", "-o", str(tmp_path / "no" / "page.html"), code=1)


def test_open_without_a_person(chats: Chats) -> None:
    """It prints where the page is, which only its owner reads; pages of yesterday go."""
    made = talk(chats)
    chats.home.run.mkdir(exist_ok=True)
    old, other = chats.home.run / "conversation-x-1.html", chats.home.run / "mine.html"
    for path in (old, other):
        path.write_text("x")
        os.utime(path, (time.time() - 100_000,) * 2)
    for arguments, shown in ([], made[4]), ([made[0][-8:]], made[0]):
        path = Path(run("open", *arguments).stdout.strip())
        assert path.parent == chats.home.run
        assert path.name.startswith(f"conversation-{shown[-8:]}-")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert "What is in a.py?" in path.read_text()
    assert (old.exists(), other.exists()) == (False, True)


def test_open_for_a_person(chats: Chats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """At a terminal the desktop's own opener gets the page."""
    opener, seen = tmp_path / "bin" / "xdg-open", tmp_path / "seen"
    opener.parent.mkdir()
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > {seen}.new && mv {seen}.new {seen}\n')
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{opener.parent}:/usr/bin:/bin")
    monkeypatch.setattr(open_command, "for_person", lambda: True)
    done = run("open", talk(chats)[0])
    end = time.monotonic() + 15
    while not seen.exists():
        assert time.monotonic() < end
        time.sleep(0.01)
    assert done.stdout == ""
    assert f"opening {seen.read_text()}" in done.stderr


def test_open_where_the_desktop_fails(
    chats: Chats, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without an opener, or with one that fails, the path is printed."""
    opener = tmp_path / "bin" / "xdg-open"
    opener.parent.mkdir()
    monkeypatch.setenv("PATH", str(opener.parent))
    monkeypatch.setattr(open_command, "for_person", lambda: True)
    made = talk(chats)
    assert Path(run("open", made[0]).stdout.strip()).exists()
    opener.write_text("#!/bin/sh\nexit 3\n")
    opener.chmod(0o755)
    assert Path(run("open", made[0]).stdout.strip()).exists()


def test_tail_names_conversations(chats: Chats) -> None:
    """In a column of its own, and in JSON; unknown is empty."""
    made = talk(chats)
    heading, *rows = [line.split("\t") for line in run("tail").stdout.splitlines()]
    assert heading[:2] == ["id", "conversation"]
    assert [row[:2] for row in rows] == [[one[-8:], made[0][-8:]] for one in made]
    last = json.loads(run("tail", "-n", "1", "--json").stdout)
    assert (last["id"], last["conversation"]) == (made[4], made[0])
    (chats.home.cache / "index.v1.sqlite").write_bytes(b"no database" * 100)
    assert json.loads(run("tail", "-n", "1", "--json").stdout)["conversation"] is None
