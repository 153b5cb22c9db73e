"""The judge through a real proxy: rated once, not recorded, taken up again."""

from __future__ import annotations

import asyncio
import socket
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from dolphin_logger.curate import judge
from dolphin_logger.curate.judge import Judge, Settings, Verdict
from dolphin_logger.errors import DatasetError
from dolphin_logger.example import Example
from dolphin_logger.journal.home import Home
from tests.support.filtered import answer
from tests.support.provider import FakeProvider, Received, Script, Wire, chat_answer
from tests.support.provider import answer as answers
from tests.support.proxy import Proxy, one_model


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FakeProvider, Proxy]]:
    """Run a provider and a proxy."""
    home = tmp_path_factory.mktemp("home")
    with (
        FakeProvider() as provider,
        Proxy(home, one_model(provider.base)) as proxy,
    ):
        yield provider, proxy


@pytest.fixture
def provider(served: tuple[FakeProvider, Proxy]) -> FakeProvider:
    """The provider, which rates everything 4."""
    served[0].requests.clear()
    served[0].script = answers(chat_answer('{"score": 4, "reason": "fine"}'))
    return served[0]


def _judge(served: tuple[FakeProvider, Proxy], home: Path, **settings: object) -> Judge:
    proxy = judge.Proxy(f"http://127.0.0.1:{served[1].port}", pause=0.001)
    made = judge.make(Settings(**{"model": "m", **settings}), home=Home(home), proxy=proxy)  # type: ignore[arg-type]
    assert made is not None
    return made


def _examples(count: int) -> list[Example]:
    return [answer(f"This is answer number {number}.") for number in range(count)]


def _in_turn(*scripts: Script) -> Script:
    """Answer each request by the next script, the last one for ever."""
    left = list(scripts)

    async def script(request: Received, wire: Wire) -> None:
        await (left.pop(0) if len(left) > 1 else left[0])(request, wire)

    return script


def _rates(request: Received) -> int:
    """Rate by the number in the answer that is rated: 1 to 5."""
    text = request.json()["messages"][1]["content"]
    return int(text.split("answer number ")[1].split(".")[0]) % 5 + 1


async def _by_number(request: Received, wire: Wire) -> None:
    await answers(chat_answer(f'{{"score": {_rates(request)}, "reason": "r"}}'))(request, wire)


def test_ratings_come_in_order_and_nothing_is_recorded(
    served: tuple[FakeProvider, Proxy], provider: FakeProvider, tmp_path: Path
) -> None:
    """Twenty examples, five at once: each has its own rating, and the proxy's log stays empty."""
    provider.script = _by_number
    examples = _examples(20)
    rated = list(_judge(served, tmp_path, at_once=5).judge(examples))
    assert [one for one, _ in rated] == examples
    assert [verdict.score for _, verdict in rated] == [number % 5 + 1 for number in range(20)]
    assert len(provider.requests) == 20
    # one that is recorded comes after them: what they had left behind would be in front of it
    served[1].request(
        "POST",
        "/v1/chat/completions",
        orjson.dumps(
            {"model": "m", "messages": [{"role": "user", "content": "answer number 1."}] * 2}
        ),
        {"content-type": "application/json"},
    )
    assert len(served[1].records(1)) == 1


def test_several_are_asked_at_once_and_no_more(
    served: tuple[FakeProvider, Proxy], provider: FakeProvider, tmp_path: Path
) -> None:
    """Nobody is answered before three have asked; a fourth does not ask while they wait."""
    open_now, most = 0, 0
    handed_over = threading.Event()
    three = asyncio.Event()

    def examples() -> Iterator[Example]:
        for number, one in enumerate(_examples(9)):
            if number == 6:
                handed_over.set()
            yield one

    async def script(request: Received, wire: Wire) -> None:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        if open_now == 3:
            await asyncio.to_thread(handed_over.wait, 10)
            await asyncio.sleep(0.2)  # in which one too many would be here
            three.set()
        await three.wait()
        open_now -= 1
        await _by_number(request, wire)

    provider.script = script
    assert len(list(_judge(served, tmp_path, at_once=3).judge(examples()))) == 9
    assert most == 3


def test_a_second_run_costs_nothing(
    served: tuple[FakeProvider, Proxy], provider: FakeProvider, tmp_path: Path
) -> None:
    """What was rated is read from the cache; another rubric or text is another question."""
    examples = _examples(4)
    first = _judge(served, tmp_path)
    assert first.estimate(examples, provider=None, sold_as=None).requests == 4
    once = list(first.judge(examples))
    again = _judge(served, tmp_path)
    assert list(again.judge(examples)) == once
    assert len(provider.requests) == 4
    estimate = again.estimate(_examples(5), provider="openai", sold_as="gpt-4o")
    assert (estimate.requests, estimate.cached) == (1, 4)
    rubric = tmp_path / "rubric.md"
    rubric.write_text("Rate the rhymes.")
    assert again.verdict(examples[0]) == Verdict(4, "fine")
    _judge(served, tmp_path, rubric=str(rubric)).verdict(examples[0])
    assert len(provider.requests) == 5
    assert "Rate the rhymes." in provider.requests[-1].json()["messages"][0]["content"]


def test_a_run_that_was_stopped_goes_on_where_it_was(
    served: tuple[FakeProvider, Proxy], provider: FakeProvider, tmp_path: Path
) -> None:
    """Ratings until the failure are kept, and only the others are asked for."""
    examples = _examples(6)
    good = answers(chat_answer('{"score": 4, "reason": "fine"}'))
    provider.script = _in_turn(good, good, answers(b'{"error": {"message": "who?"}}', status=404))
    with pytest.raises(DatasetError, match=r"the proxy answered 404: .*who\?"):
        list(_judge(served, tmp_path, at_once=1).judge(examples))
    provider.script = good
    provider.requests.clear()
    assert len(list(_judge(served, tmp_path).judge(examples))) == 6
    assert len(provider.requests) == 4


def test_what_is_kept_is_private_and_a_broken_file_is_asked_again(
    served: tuple[FakeProvider, Proxy], provider: FakeProvider, tmp_path: Path
) -> None:
    """Ratings quote conversations: folders 0700, files 0600."""
    one = answer("This is it.")
    _judge(served, tmp_path).verdict(one)
    (kept,) = (tmp_path / "cache" / "judge").rglob("*.json")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert stat.S_IMODE(kept.parent.stat().st_mode) == 0o700
    for broken in (
        b"",
        b"{",
        b"[]",
        b'{"score": 9, "reason": "x"}',
        b'{"score": null, "reason": ""}',
    ):
        kept.write_bytes(broken)
        provider.requests.clear()
        assert _judge(served, tmp_path).verdict(one).score == 4
        assert len(provider.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_what_passes_is_tried_again(
    served: tuple[FakeProvider, Proxy], provider: FakeProvider, tmp_path: Path, status: int
) -> None:
    """Limits and overloads are waited for."""
    busy = answers(b'{"error": {"message": "busy"}}', status=status)
    provider.script = _in_turn(busy, busy, answers(chat_answer("Score: 5")))
    assert _judge(served, tmp_path).verdict(answer("x")).score == 5
    assert len(provider.requests) == 3


def test_what_does_not_pass_is_told_with_the_cure(
    served: tuple[FakeProvider, Proxy], provider: FakeProvider, tmp_path: Path
) -> None:
    """After six attempts the error names model, status and what to do."""
    provider.script = answers(b'{"error": {"message": "slow down"}}', status=429)
    with pytest.raises(
        DatasetError, match=r"m answered 429: .*slow down, 6 times; .* run it again"
    ):
        _judge(served, tmp_path).verdict(answer("x"))
    assert len(provider.requests) == 6


def test_one_text_that_the_model_does_not_take_stops_nobody(
    served: tuple[FakeProvider, Proxy], provider: FakeProvider, tmp_path: Path
) -> None:
    """A conversation that is too long for the judge is without a rating; the next one has its own."""
    long = answers(b'{"error": {"message": "context length exceeded"}}', status=400)
    provider.script = _in_turn(long, answers(chat_answer('{"score": 5, "reason": "r"}')))
    made = _judge(served, tmp_path, at_once=1)
    (_, unrated), (_, rated) = made.judge(_examples(2))
    assert unrated.score is None
    assert "context length exceeded" in unrated.reason
    assert rated.score == 5


def test_an_answer_without_a_rating_is_asked_for_once_more(
    served: tuple[FakeProvider, Proxy], provider: FakeProvider, tmp_path: Path
) -> None:
    """Models lapse; one that lapses again has given no rating, which is not kept."""
    lapse = answers(chat_answer("Lovely!"))
    provider.script = _in_turn(lapse, answers(chat_answer('{"score": 2, "reason": "r"}')))
    made = _judge(served, tmp_path)
    assert made.reason(answer("a")) == "m rated it 2 of 5, at least 3: r"
    provider.script = lapse
    provider.requests.clear()
    assert made.reason(answer("b")) == "m gave no rating, at least 3: Lovely!"
    assert len(provider.requests) == 2
    provider.script = answers(chat_answer('{"score": 3, "reason": "r"}'))
    assert made.reason(answer("b")) is None


def test_the_cost_is_known_before(
    served: tuple[FakeProvider, Proxy], provider: FakeProvider, tmp_path: Path
) -> None:
    """Twice the examples cost twice as much, unknown prices are none, and nothing is sent."""
    made = _judge(served, tmp_path)
    one = made.estimate(_examples(1) * 10, provider="openai", sold_as="gpt-4o")
    two = made.estimate(_examples(1) * 20, provider="openai", sold_as="gpt-4o")
    assert one.micro_dollars is not None
    assert two.micro_dollars == 2 * one.micro_dollars > 0
    assert one.tokens > 10 * 300
    assert made.estimate(_examples(1), provider="openai", sold_as="home-made").micro_dollars is None
    assert made.estimate(_examples(1), provider="ollama", sold_as="gpt-4o").micro_dollars is None
    assert provider.requests == []


def test_a_wrong_address_or_model_is_told(
    served: tuple[FakeProvider, Proxy], provider: FakeProvider, tmp_path: Path
) -> None:
    """No proxy, another server and an unknown model are three errors."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        free = taken.getsockname()[1]
    nobody = Judge(
        Settings("m"), home=Home(tmp_path), proxy=judge.Proxy(f"http://127.0.0.1:{free}")
    )
    with pytest.raises(
        DatasetError, match=f"no proxy answers at http://127.0.0.1:{free} .* start one"
    ):
        nobody.verdict(answer("x"))
    other = Judge(
        Settings("m"), home=Home(tmp_path), proxy=judge.Proxy(f"http://127.0.0.1:{provider.port}")
    )
    provider.script = answers(b"<html>")
    with pytest.raises(DatasetError, match="no chat completion but b'<html>'"):
        other.verdict(answer("x"))
    with pytest.raises(DatasetError, match=r"answered 404: .*nobody"):
        _judge(served, tmp_path, model="nobody").verdict(answer("x"))


def test_a_token_is_sent_to_a_proxy_that_asks_for_one(
    provider: FakeProvider, tmp_path: Path
) -> None:
    """It goes where such a proxy looks for it, and no error shows it."""
    proxy = judge.Proxy(f"http://127.0.0.1:{provider.port}", "let-me-in")
    provider.script = answers(b'{"error": {"message": "no"}}', status=401)
    with pytest.raises(DatasetError, match="answered 401: no"):
        Judge(Settings("m"), home=Home(tmp_path), proxy=proxy).verdict(answer("x"))
    (asked,) = provider.requests
    assert asked.header("authorization") == "Bearer let-me-in"
    assert asked.header("x-no-log") == "true"
    assert "let-me-in" not in repr(proxy)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"least": 6}, r"judge\.least 6: expected 1 to 5"),
        ({"at_once": 0}, r"judge\.at_once 0: expected 1 to 64"),
        ({"rubric": "/nowhere/rubric.md"}, r"judge\.rubric: /nowhere/rubric\.md cannot be read"),
        ({"rubric": "/dev/null"}, r"judge\.rubric: /dev/null is empty"),
    ],
)
def test_settings_that_cannot_be_used_are_refused(
    tmp_path: Path, settings: dict[str, object], message: str
) -> None:
    """Before anything is asked or paid."""
    with pytest.raises(DatasetError, match=message):
        Judge(
            Settings("m", **settings), home=Home(tmp_path), proxy=judge.Proxy("http://127.0.0.1:1")
        )  # type: ignore[arg-type]


def test_no_model_is_no_judge(tmp_path: Path) -> None:
    """Without a model in the recipe nobody is asked."""
    assert judge.make(Settings(), home=Home(tmp_path), proxy=judge.Proxy("http://x")) is None
