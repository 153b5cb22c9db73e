"""The splitter of server-sent events."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from dolphin_logger.sse import Event, EventSplitter


def split(*chunks: bytes, limit: int | None = None) -> list[Event]:
    """Give the events of one stream, in these chunks."""
    splitter = EventSplitter() if limit is None else EventSplitter(limit=limit)
    events = [event for chunk in chunks for event in splitter.feed(chunk)]
    return events + splitter.finish()


def one_by_one(stream: bytes) -> list[bytes]:
    """Cut after each byte."""
    return [stream[i : i + 1] for i in range(len(stream))]


def cut(stream: bytes, places: list[int]) -> list[bytes]:
    """Cut at these places."""
    marks = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[a:b] for a, b in pairwise(marks)]


def test_event_is_given_out_with_its_blank_line():
    """An event comes out as soon as its blank line is there, and not before."""
    splitter = EventSplitter()
    assert splitter.feed(b"data: a\n") == []
    assert splitter.feed(b"\n") == [Event(data=b"a")]
    assert splitter.finish() == []


def test_many_events_in_one_chunk():
    """A chunk may hold whole events and the beginning of one more."""
    splitter = EventSplitter()
    assert [event.data for event in splitter.feed(b"data: a\n\ndata: b\n\ndata: c")] == [b"a", b"b"]
    assert [event.data for event in splitter.feed(b"d\n\ndata: e\n\n")] == [b"cd", b"e"]


def test_event_at_cr_comes_at_once():
    """A bare CR ends a line at once: the event does not wait for what follows."""
    splitter = EventSplitter()
    assert splitter.feed(b"data: a\r\r") == [Event(data=b"a")]
    assert splitter.feed(b"\ndata: b\r\n\r") == [Event(data=b"b")]
    assert splitter.feed(b"\n") == []


def test_crlf_cut_between_two_chunks_is_one_line_end():
    """CR at the end of a chunk and LF at the start of the next do not make a blank line."""
    assert split(b"data: a\r", b"\ndata: b\r", b"\n\r", b"\n") == [Event(data=b"a\nb")]


def test_lf_after_a_cut_crlf_counts():
    """Only the LF that follows a CR directly belongs to it."""
    assert split(b"data: a\r", b"\n", b"\n", b"data: b\n\n") == [Event(data=b"a"), Event(data=b"b")]


def test_unicode_line_ends_do_not_split():
    """U+2028, U+2029, U+0085, VT and FF are text."""
    text = "a\u2028b\u2029c\u0085d\x0be\x0cf\x1cg"
    stream = f"data: {text}\n\n".encode()
    assert split(stream) == split(*one_by_one(stream)) == [Event(data=text.encode())]


def test_one_byte_order_mark_is_dropped():
    """One leading BOM goes, however it is cut; a second one is part of the first line."""
    stream = b"\xef\xbb\xbfdata: a\n\n"
    assert split(stream) == split(*one_by_one(stream)) == [Event(data=b"a")]
    assert split(b"\xef\xbb\xbf" + stream) == []
    assert split(b"data: a\n\n\xef\xbb\xbfdata: b\n\n") == [Event(data=b"a")]


def test_comments_are_ignored():
    """Lines that begin with a colon carry nothing and end nothing."""
    stream = b": wait\n\n: wait\n\ndata: a\n: within\ndata: b\n\n:\n"
    assert split(stream) == split(*one_by_one(stream)) == [Event(data=b"a\nb")]


def test_fields():
    """Name and id are read, one space after the colon goes, unknown fields are ignored."""
    stream = b"event: error\nid: 7\nretry: 5\nfoo: bar\ndata:  x\ndata:y\ndata\n\n"
    assert split(stream) == split(*one_by_one(stream)) == [Event("error", b" x\ny\n", "7")]


def test_id_with_a_nul_is_no_id():
    """The standard ignores an id that holds NUL."""
    assert split(b"id: 1\nid: a\0b\ndata: x\n\n") == [Event(data=b"x", id="1")]


def test_name_and_id_do_not_leak_into_the_next_event():
    """Each event has only what stands in it, also when the first one had no data."""
    stream = b"event: ping\nid: 1\n\ndata: a\n\n"
    assert split(stream) == split(*one_by_one(stream)) == [Event(data=b"a")]


def test_empty_data_is_an_event():
    """`data` without a value is an event with empty data; a block without `data` is none."""
    assert split(b"data:\n\nevent: x\n\n\n\n") == [Event()]


def test_last_event_needs_no_blank_line():
    """What lacks its blank line, or its line end, comes out at the end."""
    assert split(b"data: a\n\ndata: b\n") == [Event(data=b"a"), Event(data=b"b")]
    assert split(b"data: a") == split(b"data: a\r") == [Event(data=b"a")]
    assert split(b"event: x\n") == split(b"\xef\xbb") == []


def test_event_at_the_limit_is_kept_and_beyond_it_marked():
    """The limit counts the lines of one event; beyond it the data is gone and the next event fine."""
    for line, oversize in ((b"data: 3456789", False), (b"data: 34567890", True)):
        stream = b"event: e\n" + line + b"\n\ndata: b\n\n"
        for chunks in ([stream], one_by_one(stream)):
            first, second = split(*chunks, limit=21)
            assert (first.event, first.oversize, bool(first.data)) == ("e", oversize, not oversize)
            assert second == Event(data=b"b")


def test_single_line_beyond_the_limit_is_marked_in_any_split():
    """The fast path and the slow path agree on what is too large."""
    stream = b"data: 0123456789\n\ndata: b\n\n"
    assert split(stream, limit=9) == split(*one_by_one(stream), limit=9)
    assert [event.oversize for event in split(stream, limit=9)] == [True, False]


def test_memory_stays_bounded_beyond_the_limit():
    """Neither an endless line, nor endless lines, nor an endless comment are held."""
    for endless in (b"x" * 100, b"data: y\n" * 10, b":" * 100):
        splitter = EventSplitter(limit=1000)
        splitter.feed(b"data: a\n")
        for _ in range(200):
            splitter.feed(endless)
            assert len(splitter._line) + sum(map(len, splitter._data)) <= 1000
    assert split(b"data: a\n", *[b":" * 100] * 50, b"\n\n", limit=1000) == [Event(data=b"a")]


class _CountingBuffer(bytearray):
    """Counts the bytes that are searched, copied or appended."""

    work = 0

    def __iadd__(self, other):
        type(self).work += len(other)
        return super().__iadd__(other)

    def __bytes__(self):
        type(self).work += len(self)
        return bytes(memoryview(self))

    def find(self, *_):
        raise AssertionError("the open line is searched again")

    split = partition = index = __contains__ = find


def test_no_byte_of_a_large_event_is_looked_at_again():
    """A 1 MiB event that comes byte by byte costs work in proportion to its size, not its square."""
    splitter = EventSplitter()
    _CountingBuffer.work = 0
    splitter._line = _CountingBuffer()
    size = 1 << 20
    for byte in one_by_one(b"data: " + b"x" * size + b"\n"):
        assert splitter.feed(byte) == []
    assert [len(event.data) for event in splitter.feed(b"\n")] == [size]
    assert _CountingBuffer.work < 3 * size


_VALUES = st.text(
    st.characters(exclude_characters="\r\n", exclude_categories=("Cs",))
    | st.sampled_from("\u2028\u0085\ufeff: ")
)
_EVENTS = st.tuples(
    _VALUES,
    st.lists(_VALUES, min_size=1, max_size=3),
    st.none() | _VALUES.filter(lambda v: "\0" not in v),
)


@given(
    events=st.lists(_EVENTS, max_size=6),
    ends=st.lists(st.sampled_from(("\n", "\r", "\r\n")), min_size=1, max_size=5),
    comment=st.booleans(),
    mark=st.booleans(),
    places=st.lists(st.integers(0, 10_000), max_size=8),
)
def test_any_events_in_any_split_with_any_line_ends(events, ends, comment, mark, places):
    """What was written comes out, however it was cut, whichever line ends it used."""
    lines: list[str] = []
    for name, data, identity in events:
        lines += [": comment"] * comment
        lines += [f"event: {name}"] * bool(name) + [f"data: {value}" for value in data]
        lines += [f"id: {identity}"] * (identity is not None) + [""]
    ended = []
    for number, line in enumerate(lines):
        end = ends[number % len(ends)]
        if ended and line == "" and ended[-1].endswith("\r") and end == "\n":
            end = "\r"  # CR and then LF would be one line end
        ended.append(line + end)
    stream = b"\xef\xbb\xbf" * mark + "".join(ended).encode()
    expected = [
        Event(name or "message", "\n".join(data).encode(), identity)
        for name, data, identity in events
    ]
    if events and not mark and stream.startswith(b"\xef\xbb\xbf"):
        return
    assert split(stream) == expected
    assert split(*cut(stream, places)) == expected
    assert split(*one_by_one(stream)) == expected


@given(
    stream=st.lists(
        st.sampled_from(
            (b"data: ", b"data", b":", b"\n", b"\r", b"x", b"\xef\xbb\xbf", b"event: e", b"id:")
        )
    ).map(b"".join),
    places=st.lists(st.integers(0, 10_000), max_size=8),
)
def test_any_bytes_give_the_same_events_in_any_split(stream, places):
    """Nonsense too means the same in every split, with a limit and without."""
    for limit in (4, 20, 1000):
        whole = split(stream, limit=limit)
        assert split(*cut(stream, places), limit=limit) == whole
        assert split(*one_by_one(stream), limit=limit) == whole
