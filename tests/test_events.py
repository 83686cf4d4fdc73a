"""Server-sent events by the WHATWG's text (HTML, section 9.2), rule by rule; and wherever the chunks end."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stubwire._events import Event, Events

BOM = b"\xef\xbb\xbf"


def parse(*chunks: bytes, limit: int = 10_000, last_id: str = "") -> list[Event]:
    events = Events(limit, last_id)
    return [Event(raw[0].decode("utf-8", "replace"), *raw[1:]) for chunk in chunks for raw in events.feed(chunk)]


E = Event[str]

RULES: list[tuple[str, bytes, list[E]]] = [
    # 9.2.5: stream = [ bom ] *event
    ("a stream may be empty", b"", []),
    ("one leading byte order mark is ignored", BOM + b"data: a\n\n", [E("a")]),
    ("a second one is part of a field's name", BOM + BOM + b"data: a\n\n", []),
    ("one that is not at the start is too", b"data: a\n\n" + BOM + b"data: b\n\n", [E("a")]),
    ("a byte order mark in data is data", b"data: " + BOM + b"\n\n", [E("\ufeff")]),
    ("a byte order mark may be all there is", BOM, []),
    # end-of-line = ( cr lf / cr / lf )
    ("LF ends a line", b"data: a\ndata: b\n\n", [E("a\nb")]),
    ("CR ends a line", b"data: a\rdata: b\r\r", [E("a\nb")]),
    ("CR LF ends one line", b"data: a\r\ndata: b\r\n\r\n", [E("a\nb")]),
    ("they may be mixed", b"data: a\rdata: b\ndata: c\r\n\rdata: d\n\r\n", [E("a\nb\nc"), E("d")]),
    ("LF CR are two ends", b"data: a\n\rdata: b\n\n", [E("a"), E("b")]),
    ("CR CR LF are two ends", b"data: a\r\r\ndata: b\n\n", [E("a"), E("b")]),
    ("nothing else ends a line", b"data: a\x0b\x0c\x1c\xc2\x85\xe2\x80\xa8b\n\n", [E("a\x0b\x0c\x1c\x85\u2028b")]),
    # 9.2.6: streams must be decoded using the UTF-8 decode algorithm
    ("it is UTF-8", "data: grüß \U0001f600\n\n".encode(), [E("grüß \U0001f600")]),
    ("what is not is replaced", b"data: a\xffb\n\n", [E("a\ufffdb")]),
    ("a cut character is replaced, and its line ends", b"data: a\xe2\x82\ndata: b\n\n", [E("a\ufffd\nb")]),
    ("names and ids are decoded alike", b"event: \xff\nid: \xfe\ndata: a\n\n", [E("a", "\ufffd", "\ufffd")]),
    ("NUL is data", b"data: \0\n\n", [E("\0")]),
    # if the line is empty: dispatch the event
    ("an empty line dispatches", b"data: a\n\ndata: b\n\n", [E("a"), E("b")]),
    ("further empty lines dispatch nothing", b"\n\n\ndata: a\n\n\n\n\ndata: b\n\n\n", [E("a"), E("b")]),
    ("a line of a space is not empty", b"data: a\n \ndata: b\n\n", [E("a\nb")]),
    # if the line starts with a colon: ignore the line
    ("a colon begins a comment", b": hello\ndata: a\n:data: b\n:\n\n", [E("a")]),
    ("a comment alone dispatches nothing", b": hello\n\n", []),
    ("a comment does not end an event", b"data: a\n: hello\ndata: b\n\n", [E("a\nb")]),
    # if the line contains a colon: name before, value after the first one, less one space
    ("one space behind the colon is left out", b"data: a\n\n", [E("a")]),
    ("it need not be there", b"data:a\n\n", [E("a")]),
    ("a second space is kept", b"data:  a\n\n", [E(" a")]),
    ("a tab is kept", b"data:\ta\n\n", [E("\ta")]),
    ("spaces at the end are kept", b"data: a \n\n", [E("a ")]),
    ("the first colon counts", b"data: a: b\n\n", [E("a: b")]),
    ("a value may begin with a colon", b"data::a\n\n", [E(":a")]),
    ("a space before the colon is part of the name", b"data : a\n\n", []),
    ("a space before the name too", b" data: a\n\n", []),
    # otherwise: the whole line is the name, and the value is empty
    ("a line without colon is a name", b"data\n\n", [E("")]),
    ("two of them are a line break", b"data\ndata\n\n", [E("\n")]),
    # event
    ("event names the type", b"event: add\ndata: a\n\n", [E("a", "add")]),
    ("the last one counts", b"event: add\nevent: remove\ndata: a\n\n", [E("a", "remove")]),
    ("an empty one means message", b"event: add\nevent\ndata: a\n\n", [E("a")]),
    ("it may come after the data", b"data: a\nevent: add\n\n", [E("a", "add")]),
    ("it holds for one event", b"event: add\ndata: a\n\ndata: b\n\n", [E("a", "add"), E("b")]),
    ("without data there is no event, and its type is forgotten", b"event: add\n\ndata: a\n\n", [E("a")]),
    # data
    ("lines of data are joined", b"data: a\ndata:b\ndata:  c\n\n", [E("a\nb\n c")]),
    ("empty data is data", b"data:\n\ndata: \n\n", [E(""), E("")]),
    ("a last empty line of it is kept but one", b"data: a\ndata\ndata\n\n", [E("a\n\n")]),
    # id
    ("id is kept for the events after", b"id: 1\ndata: a\n\ndata: b\n\n", [E("a", id="1"), E("b", id="1")]),
    ("it may come after the data", b"data: a\nid: 1\n\n", [E("a", id="1")]),
    ("an empty one forgets it", b"id: 1\ndata: a\n\nid\ndata: b\n\n", [E("a", id="1"), E("b")]),
    ("so does one with a colon", b"id: 1\ndata: a\n\nid:\ndata: b\n\n", [E("a", id="1"), E("b")]),
    ("one with NUL is ignored", b"id: 1\nid: 2\0\ndata: a\n\n", [E("a", id="1")]),
    ("an event without data sets it too", b"id: 1\n\ndata: a\n\n", [E("a", id="1")]),
    ("the last one counts", b"id: 1\nevent: x\nid: 2\ndata: a\n\n", [E("a", "x", "2")]),
    ("and before the data", b"id: 1\nid: 2\ndata: a\n\n", [E("a", id="2")]),
    # retry
    ("retry is a number of milliseconds", b"retry: 10\ndata: a\n\n", [E("a", retry=10)]),
    ("leading zeros are no matter", b"retry: 0010\ndata: a\n\n", [E("a", retry=10)]),
    ("zero is a number", b"retry: 000\ndata: a\n\n", [E("a", retry=0)]),
    ("one with anything but digits is ignored", b"retry: 10s\nretry: -1\nretry: 1.5\nretry:  1\ndata: a\n\n", [E("a")]),
    ("digits that are not ASCII are none", "retry: \u0661\ndata: a\n\n".encode(), [E("a")]),
    ("an empty one is ignored", b"retry\nretry:\ndata: a\n\n", [E("a")]),
    ("no number is too long", b"retry: " + b"9" * 5000 + b"\ndata: a\n\n", [E("a", retry=10**9)]),
    # otherwise: the field is ignored
    ("other names are ignored", b"foo: 1\ndata: a\nbar\n\n", [E("a")]),
    ("names are told by case", b"Data: a\nDATA: b\ndata: c\n\n", [E("c")]),
    ("names are whole", b"dat: a\ndataa: b\ndata: c\n\n", [E("c")]),
    # once the end of the file is reached, any pending data must be discarded
    ("an event that is not ended is none", b"data: a\n\ndata: b\n", [E("a")]),
    ("nor is one whose line is not", b"data: a\n\ndata: b", [E("a")]),
    ("the last line need not be ended by LF", b"data: a\n\ndata: b\n\r", [E("a"), E("b")]),
    # the examples of the text
    ("stock ticks", b"data: YHOO\ndata: +2\ndata: 10\n\n", [E("YHOO\n+2\n10")]),
    (
        "four blocks",
        b": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n",
        [E("first event", id="1"), E("second event"), E(" third event")],
    ),
    ("two events and a block that is not ended", b"data\n\ndata\ndata\n\ndata:", [E(""), E("\n")]),
    ("two alike", b"data:test\n\ndata: test\n\n", [E("test"), E("test")]),
    (
        "types",
        b"event: add\ndata: 73857293\n\nevent: remove\ndata: 2153\n\nevent: add\ndata: 113411\n\n",
        [E("73857293", "add"), E("2153", "remove"), E("113411", "add")],
    ),
]
NAMED = [pytest.param(stream, events, id=f"{number}-{rule}") for number, (rule, stream, events) in enumerate(RULES)]


@pytest.mark.parametrize(("stream", "events"), NAMED)
def test_a_rule_of_the_text(stream: bytes, events: list[E]) -> None:
    assert parse(stream) == events


@pytest.mark.parametrize(("stream", "events"), NAMED)
def test_a_rule_holds_at_every_border(stream: bytes, events: list[E]) -> None:
    """Cut in two at every byte, in three around every byte, and into single bytes with empty chunks between."""
    stream = stream.replace(b"9" * 4900, b"")
    for cut in range(len(stream) + 1):
        assert parse(stream[:cut], stream[cut:]) == events
        assert parse(stream[:cut], stream[cut : cut + 1], stream[cut + 1 :]) == events
    assert parse(*[piece for i in range(len(stream)) for piece in (stream[i : i + 1], b"")]) == events


@pytest.mark.parametrize(("stream", "events"), NAMED)
@pytest.mark.parametrize("end", [b"\r", b"\r\n"], ids=["cr", "crlf"])
def test_a_rule_holds_with_other_ends(stream: bytes, events: list[E], end: bytes) -> None:
    if b"\r" not in stream:
        assert parse(stream.replace(b"\n", end)) == events


def test_an_event_that_ends_with_cr_is_given_out_at_once() -> None:
    events = Events(1000)
    assert [len(events.feed(chunk)) for chunk in (b"data: a\r", b"\r", b"\ndata: b\r", b"\n", b"\r")] == [0, 1, 0, 0, 1]


# ---- what a reconnect needs


def test_the_id_of_a_connection_before_holds() -> None:
    assert parse(b"data: a\n\nid: 2\ndata: b\n\n", last_id="1") == [E("a", id="1"), E("b", id="2")]


def test_an_id_counts_when_its_event_is_dispatched() -> None:
    """A line that the end cut off must not skip an event."""
    events = Events(1000)
    events.feed(b"id: 1\ndata: a\n\nid: 2\ndata: b\n")
    assert events.last_id == "1"
    events.feed(b"\n")
    assert events.last_id == "2"


def test_retry_counts_at_once() -> None:
    events = Events(1000)
    said: list[int | None] = [events.retry]
    for line in (b"retry: 5\n", b"retry: x\n\n", b"retry: 7\n\n"):
        events.feed(line)
        said.append(events.retry)
    assert said == [None, 5, 5, 7]


# ---- bounds


@pytest.mark.parametrize(
    ("stream", "events", "too_large"),
    [
        (b"data: 1234\n\ndata: 5678\n\n", ["1234", "5678"], False),
        (b"data: 1\n\ndata: 12345678901\n\ndata: 2\n\n", ["1"], True),
        (b"data: 1\n\ndata: 1234\ndata: 1234\ndata: 1234\n\n", ["1"], True),
        (b"data: 1\n\ndata: 1234\ndata: 12345\n\n", ["1", "1234\n12345"], False),
        (b"data: 1\n\n: 123456789012345", ["1"], True),
        (b"data: 1\n\n: 12345678\n: 12345678\n: 12345678\ndata: 2\n\n", ["1", "2"], False),
        (b"data: 1\n\nevent: 123456789012\n\n", ["1"], True),
        (b"\n\ndata: 1\n\nx\n\ndata: 12345678901", ["1"], True),
    ],
)
def test_the_events_before_one_that_is_too_large_are_given_out(
    stream: bytes, events: list[str], too_large: bool
) -> None:
    """Ten bytes of data, or of a line: wherever the chunks end."""
    cuts = [[stream], [stream[i : i + 1] for i in range(len(stream))]]
    cuts += [[stream[:i], stream[i:]] for i in range(len(stream))]
    for chunks in cuts:
        parser, found = Events(10), list[str]()
        for chunk in chunks:
            found += [raw[0].decode() for raw in parser.feed(chunk)]
            if parser.too_large:
                break
        assert (found, parser.too_large) == (events, too_large)


def test_comments_do_not_gather() -> None:
    """A server may send nothing else for days."""
    events = Events(100)
    for _ in range(1000):
        assert events.feed(b": still here\n") == []
    assert not events.too_large


# ---- against the text, written out line by line


def reference(stream: bytes) -> list[E]:
    """The rules as they stand, without chunks and without speed."""
    text = stream.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\r", "\n")
    found: list[E] = []
    buffer, kind, last, retry = "", "", "", None
    for line in text.split("\n")[:-1]:
        name, colon, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "":
            if buffer:
                found.append(E(buffer[:-1], kind or "message", last, retry))
            buffer, kind, retry = "", "", None
        elif colon and not name:
            continue
        elif name == "event":
            kind = value
        elif name == "data":
            buffer += value + "\n"
        elif name == "id" and "\0" not in value:
            last = value
        elif name == "retry" and value.isascii() and value.isdigit():
            retry = int(value)
    return found


PIECES = st.sampled_from(
    [
        *(
            b"data",
            b"id",
            b"event",
            b"retry",
            b":",
            b": ",
            b" ",
            b"\n",
            b"\r",
            b"\r\n",
            b"\n\n",
            b"1",
            b"a",
            b"\0",
            BOM,
        ),
        *(b"\xff", "ü".encode(), b"data: x\n\n", b"event: e\ndata: y\n\n", b"id: 7\ndata: z\n\n"),
    ]
)


@given(st.lists(PIECES, max_size=30).map(b"".join), st.data())
def test_any_stream_is_parsed_as_the_text_says(stream: bytes, draw: st.DataObject) -> None:
    borders = sorted(draw.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    chunks = [stream[a:b] for a, b in zip([0, *borders], [*borders, len(stream)], strict=True)]
    assert parse(*chunks) == reference(stream)
