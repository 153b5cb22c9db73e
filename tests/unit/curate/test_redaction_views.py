"""Other readings of a text, and the way back to where it says so."""

from __future__ import annotations

import base64
import json
import random
from urllib.parse import quote

import pytest

from dolphin_logger.curate.redaction.views import hidden, is_media, views, without_media

SAID = 'line one\n"quoted" \\ back\tübër 中 end'


@pytest.mark.parametrize("times", [1, 2, 3])
def test_escapes_are_read_however_often_they_were_written(times: int) -> None:
    """JSON within JSON within JSON."""
    text = SAID
    for _ in range(times):
        text = json.dumps(text)[1:-1]
    view = next(views(f"plain first line\nx: {text} y"))
    assert '"quoted"' in view.text
    assert "übër 中 end" in view.text


def test_percent_signs_are_read_however_often_they_were_written() -> None:
    """An address that is a parameter of another address."""
    text = f"/cb?u={quote(quote('ann@novatek.io/ü', safe=''), safe='')}"
    assert "ann@novatek.io/ü" in next(views(text)).text


def test_every_span_of_a_view_maps_to_what_says_it() -> None:
    """Whole escapes, however long; lines in between that have none are left out."""
    rng = random.Random(5)
    known = {
        "ab": "ab",
        " ": " ",
        "\\n": "\n",
        "\\\\t": "\t",
        "\\u00e9": "é",
        '\\"': '"',
        "\\\\\\x41": "A",
    }
    for _ in range(200):
        written = ["\\n", *rng.choices(list(known), k=20)]
        before = "a line without\n"
        view = next(views(before + "".join(written) + "\nanother"))
        assert view.text.removesuffix("\n") == "".join(known[piece] for piece in written)
        first = rng.randrange(len(written))
        last = rng.randrange(first, len(written)) + 1
        start, end = (len("".join(known[piece] for piece in written[:at])) for at in (first, last))
        place, stop = (len(before) + len("".join(written[:at])) for at in (first, last))
        assert view.span(start, end) == (place, stop)


def test_a_text_without_escapes_has_no_other_reading() -> None:
    """The costly reading is for those that need it."""
    assert list(views("C:/plain 100 % text\nof two lines")) == []


@pytest.mark.parametrize("encoded", [base64.b64encode, base64.urlsafe_b64encode])
@pytest.mark.parametrize("said", ["ann@novatek.io", "password=ann\n??>>~~", "a longer text, " * 90])
def test_base64_is_found_and_written_again_in_its_alphabet(encoded: object, said: str) -> None:
    """What comes back is what the same encoder writes."""
    assert callable(encoded)
    written = encoded(said.encode()).decode()
    (found,) = hidden(f"data: {written}\n")
    assert (found.text, found.start, found.end) == (said, 6, 6 + len(written))
    assert found.encode(said) == written


def test_what_is_no_text_in_base64_is_not_taken_for_one() -> None:
    """Digests, identifiers and paths decode to nothing that can be read."""
    rng = random.Random(1)
    digests = [base64.b64encode(rng.randbytes(64)).decode() for _ in range(300)]
    words = ["src/dolphin_logger/curate/redaction", "some_long_identifier_name_here", "A" * 200]
    assert [text for text in [*digests, *words] if list(hidden(text))] == []


def test_pictures_in_a_text_are_cut_out_and_the_rest_keeps_its_place() -> None:
    """The picture is not read, and what comes after it is where it was."""
    text = f"![](data:image/png;base64,iVBORw0KGgo{'A' * 3000}) ann@novatek.io"
    view = without_media(text)
    assert view is not None
    assert len(view.text) < 100
    at = view.text.index("ann")
    begin, stop = view.span(at, at + 3)
    assert text[begin:stop] == "ann"
    assert is_media("iVBORw0KGgo" + "A" * 300)
    assert not is_media("iVBORw0KGgo" + "A" * 300 + " and more")
