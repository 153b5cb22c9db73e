"""The index from records to answers: what is found, counted and forgotten, in real files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.homes import write_segment
from tests.support.indexed import opened, rows, session, turn

from dolphin_logger.index.contents import texts_of
from dolphin_logger.index.conversations import list_conversations
from dolphin_logger.index.folding import MOST_TEXT
from dolphin_logger.index.freshness import behind, catch_up, rebuild
from dolphin_logger.index.rollups import roll_up
from dolphin_logger.index.schema import index_path
from dolphin_logger.index.search import count_facets, search
from dolphin_logger.journal.home import Home
from dolphin_logger.journal.labels import LabelWriter
from dolphin_logger.journal.reader import find
from dolphin_logger.journal.removal import hide
from dolphin_logger.journal.seal import seal_segment
from dolphin_logger.messages import Usage


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """Three sessions in two segments, which overlap in time."""
    home = Home(tmp_path)
    first = [line for _, line in (*session("alpha", turns=4), *session("beta", turns=3, start=10))]
    second = [line for _, line in session("gamma", turns=5, start=2, word="读取文件")]
    write_segment(home, 1, *first)
    write_segment(home, 2, *second)
    return home


def found(home: Home, query: str) -> list[str]:
    """Give the texts of what a query finds."""
    with opened(home) as connection:
        return [hit.snippet.text for hit in search(connection, query).hits]


def test_a_message_is_there_once_however_often_it_was_sent(home: Home) -> None:
    """Each turn resends all before it; what is kept and found is each message once."""
    with opened(home) as connection:
        assert connection.execute("SELECT count(*) FROM record").fetchone() == (12,)
        # instructions, tasks, 12 answers, 9 results of those that came back
        assert connection.execute("SELECT count(*) FROM message").fetchone() == (1 + 3 + 12 + 9,)
    assert found(home, "alpha task") == ["Do the task alpha ."]
    assert found(home, '"output beta"*') == ["output beta1", "output beta0"]


def test_what_was_said_last_is_found_first_across_segments(home: Home) -> None:
    """Segments of processes that ran side by side are indexed in the order of time."""
    texts = found(home, "step (alpha or gamma)")
    assert [text[-6:-1] for text in texts][:6] == [*["gamma"] * 4, "alpha", "gamma"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("step", 12),
        ("step -beta", 9),
        ("STEP", 12),
        ('"of alpha"', 4),
        ('"alpha of"', 0),
        ("取文", 1),
        ("件", 1),
        ("取件", 0),
        ("tool:Bash", 12),
        ("tool:bash has:call role:assistant", 12),
        ("has:result", 9),
        ("model:claude*", 25),
        ("model:gpt*", 0),
        ("client:agent session:beta", 6),
        ("session:*a role:user", 3),
        ("alpha or beta role:user", 6),
        ("outcome:completed", 25),
        ("-outcome:completed", 0),
        ("after:2026 before:2027", 25),
        ("before:2026", 0),
        ("cost:>0 alpha", 5),
        ("tokens:>=4400 step", 9),
        ("tokens:none", 0),
        ("session:alpha or beta", 13),
        ("-session:alpha step", 8),
    ],
)
def test_a_query_finds_what_it_says(home: Home, query: str, count: int) -> None:
    """Each kind of term, alone and with others."""
    with opened(home) as connection:
        page = search(connection, query, limit=100)
        assert (len(page.hits), page.count.number, page.count.exact) == (count, count, True)
        assert not page.partial


def test_pages_follow_each_other(home: Home) -> None:
    """Pages by cursor give each message once, in the order of one big page, and end."""
    with opened(home) as connection:
        whole = search(connection, "step", limit=100).hits
        pages, cursor = list(search(connection, "step", limit=5).hits), None
        cursor = search(connection, "step", limit=5).cursor
        while cursor is not None:
            page = search(connection, "step", limit=5, cursor=cursor)
            pages += page.hits
            cursor = page.cursor
        assert pages == list(whole)
        listed = list_conversations(connection, limit=2)
        rest = list_conversations(connection, limit=2, cursor=listed.cursor)
        ids = [one.id for one in (*listed.conversations, *rest.conversations)]
        assert len(set(ids)) == 3
        assert rest.cursor is None


def test_conversations_have_their_facts(home: Home) -> None:
    """Title, turns, tokens, cost and models of a conversation are those of its records."""
    with opened(home) as connection:
        by_session = {one.session: one for one in list_conversations(connection).conversations}
        beta = by_session["beta"]
        assert beta.title == "Do the task beta ."
        assert (beta.turns, beta.input_tokens, beta.output_tokens) == (3, 3000, 300)
        assert beta.cost == 3 * (1000 * 3 + 100 * 15)
        assert beta.models == ("claude", "claude-3-7-sonnet-latest")
        assert [one.session for one in list_conversations(connection, "gamma").conversations] == [
            "gamma"
        ]
        assert list_conversations(connection, "tokens:>4000").count.number == 2
        assert list_conversations(connection, "step or rating:5").count.number == 3
        assert list_conversations(connection, "model:claude -alpha tool:Bash").count.number == 3


def test_facets_count_what_a_query_finds(home: Home) -> None:
    """Facets of a query are exact, and say which values there are."""
    with opened(home) as connection:
        facets = count_facets(connection, "alpha")
        roles = {value: count.number for value, count in facets["role"]}
        assert roles == {"user": 1, "assistant": 4}
        assert facets["model"][0][1].exact


def test_days_add_up(home: Home) -> None:
    """Roll-ups count requests, tokens and cost; what is not known is counted as unknown."""
    write_segment(
        home, 3, turn(90_000, [{"role": "user", "content": "x"}], {}, usage=Usage(), model="own")[1]
    )
    with opened(home) as connection:
        rollup = roll_up(connection)
    assert {day: sums.requests for day, sums in rollup.by["day"].items()} == {
        "2026-11-22": 12,
        "2026-11-23": 1,
    }
    assert (rollup.total.known("input"), rollup.total.unknown["input"]) == (12_000, 1)
    assert (rollup.total.known_cost, rollup.total.unpriced) == (12 * 4500, 1)
    assert rollup.by["model"]["own"].known_cost is None


def test_labels_are_visible_at_once(home: Home) -> None:
    """A rating or a tag is found by the next question, and its undo too."""
    with opened(home) as connection:
        conversation = list_conversations(connection, "session:beta").conversations[0].id
    writer = LabelWriter(home)
    rating = writer.write(conversation, "rating", 5)
    writer.write(conversation, "tag", {"add": ["good", "skip"]})
    with opened(home) as connection:
        listed = list_conversations(connection, "rating:>=4 tag:goo*").conversations
        assert [(one.id, one.rating, one.tags) for one in listed] == [
            (conversation, 5, ("good", "skip"))
        ]
        assert search(connection, "step rating:5").count.number == 3
        assert search(connection, "step -tag:skip").count.number == 9
        assert search(connection, "step rating:none").count.number == 9
    writer.write(conversation, "undo", rating.id)
    writer.close()
    with opened(home) as connection:
        assert list_conversations(connection, "rating:>=4").count.number == 0


def test_a_removed_record_is_found_no_more(home: Home) -> None:
    """Text that only a removed record had goes; what others resend stays, and everything adds up."""
    with opened(home) as connection:
        record = search(connection, '"step 4 of gamma"').hits[0].record
        earlier = search(connection, '"step 1 of gamma"').hits[0].record
    hide(home, [find(home, record), find(home, earlier)])
    assert found(home, '"step 4 of gamma"') == []
    assert found(home, '"step 1 of gamma"') == ["Step 1 of gamma."]
    kept = rows(home)
    rebuild(home, progress=lambda _: None)
    assert rows(home) == kept


def test_sealing_changes_nothing(home: Home) -> None:
    """A segment that is sealed between two looks is read on, and nothing of it again."""
    with opened(home):
        pass
    kept = rows(home)
    path = min(home.logs.glob("*.jsonl"))
    assert seal_segment(path, progress=lambda _: None) is not None
    assert behind(home).behind_bytes == 0
    with opened(home):
        pass
    assert rows(home) == kept
    rebuild(home, progress=lambda _: None)
    assert rows(home) == kept


def test_a_deleted_segment_leaves_nothing(home: Home) -> None:
    """Records of a segment that is gone, or was cut short, are those that a rebuild would not have."""
    with opened(home):
        pass
    first, second = sorted(home.logs.glob("*.jsonl"))
    first.unlink()
    with second.open("r+b") as file:
        file.truncate(second.stat().st_size // 2)
    with opened(home) as connection:
        assert search(connection, "alpha").count.number == 0
        assert search(connection, '"step 0 of gamma"').count.number == 1
    kept = rows(home)
    rebuild(home, progress=lambda _: None)
    assert rows(home) == kept


def test_a_deleted_index_is_made_again(home: Home) -> None:
    """Record by record or all at once, after deletion or beside the old one: the rows are the same."""
    lines = min(home.logs.glob("*.jsonl")).read_bytes().splitlines(keepends=True)
    growing = write_segment(home, 9)
    moved = min(home.logs.glob("*.jsonl"))
    moved.unlink()
    for line in lines:
        with growing.open("ab") as file:
            file.write(line[:50])
        catch_up(home)
        with growing.open("ab") as file:
            file.write(line[50:])
        catch_up(home)
    kept = rows(home)
    for left in index_path(home).parent.glob("index.v*"):
        left.unlink()
    with opened(home):
        pass
    again = rows(home)
    assert again == kept
    rebuild(home, progress=lambda _: None)
    assert rows(home) == kept


def test_whatever_was_recorded_is_indexed(home: Home) -> None:
    """Lone surrogates, broken lines, huge messages and hostile names neither stop the index nor vanish."""
    hostile = "\ud800 tail \x1b]0;x\x07\u202e <script>"
    huge = "needle " + "word " * (MOST_TEXT // 4) + "beyondtheend"
    lines = [
        turn(
            100, [{"role": "user", "content": hostile}], {"role": "assistant", "content": hostile}
        )[1],
        turn(
            101,
            [{"role": hostile, "content": huge}],
            {"role": "assistant", "content": None},
            model="m\x00",
        )[1],
        b"rubbish\n",
        turn(102, [{"content": [1, None, {"type": 5}]}], {"tool_calls": [{"function": 3}]})[1][:-30]
        + b"\n",
        b'{"request": {"messages": 5}, "response": "old program"}\n',
        turn(
            103,
            [{"role": "user", "content": "last one"}],
            {"role": "assistant", "content": "unfinished"},
        )[1][:-1],
    ]
    write_segment(home, 5, *lines)
    with opened(home) as connection:
        assert search(connection, "tail").count.number == 2
        hits = search(connection, "needle").hits
        assert len(hits) == 1
        assert len(hits[0].snippet.text) <= 200
        assert search(connection, "beyondtheend").count.number == 0
        assert connection.execute(
            "SELECT bad, unfinished FROM segment WHERE name LIKE '%05.jsonl'"
        ).fetchone() == (2, 0)
        assert search(connection, "unfinished").count.number == 1
    kept = rows(home)
    rebuild(home, progress=lambda _: None)
    assert rows(home) == kept


def test_an_imported_record_counts_no_usage(home: Home) -> None:
    """What another program recorded is searched and listed, but is no request of ours."""
    _, line = turn(
        200, [{"role": "user", "content": "brought in"}], {"role": "assistant", "content": "yes"}
    )
    fields = json.loads(line)
    del fields["crc"]
    from dolphin_logger.journal.format import encode_fields

    fields["imported"] = {"source": "claude-code", "session": "s", "line": 1, "file": "f"}
    imports = home.path / "imports"
    imports.mkdir()
    (imports / "claude-code.jsonl").write_bytes(encode_fields(fields))
    with opened(home) as connection:
        assert search(connection, "brought").count.number == 1
        assert roll_up(connection).total.requests == 12
        one = list_conversations(connection, "brought").conversations[0]
        assert (one.turns, one.input_tokens, one.cost, one.unpriced) == (1, None, None, 0)


def test_bytes_of_pictures_are_not_kept(home: Home) -> None:
    """A picture's bytes are no text: the index says only that there is one."""
    url = "data:image/png;base64," + "QUJD" * 1000
    parts = [{"type": "text", "text": "look"}, {"type": "image_url", "image_url": {"url": url}}]
    write_segment(
        home,
        6,
        turn(300, [{"role": "user", "content": parts}], {"role": "assistant", "content": "I see"})[
            1
        ],
    )
    with opened(home) as connection:
        assert search(connection, "has:image").count.number == 1
        assert search(connection, "QUJDQUJD*").count.number == 0
    assert list(texts_of({"parts": [{"kind": "image", "bytes": 3}]})) == []
