"""The `Link` header by RFC 8288, as tables: its grammar, its examples, and the algorithms of its appendix B."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stubwire._links import Destination, Link, destination, next_target, parse

URL = "https://api.example/a/b?x=1"


def link(target: str, *relations: str, anchor: str | None = None, **attributes: str) -> Link:
    return Link(target, relations, anchor, tuple(attributes.items()))


EXAMPLES = {  # section 3.5
    '<http://example.com/TheBook/chapter2>; rel="previous"; title="previous chapter"': [
        link("http://example.com/TheBook/chapter2", "previous", title="previous chapter")
    ],
    '</>; rel="http://example.net/foo"': [link("/", "http://example.net/foo")],
    '</terms>; rel="copyright"; anchor="#foo"': [link("/terms", "copyright", anchor="#foo")],
    "</TheBook/chapter2>; rel=\"previous\"; title*=UTF-8'de'letztes%20Kapitel, "
    "</TheBook/chapter4>; rel=\"next\"; title*=UTF-8'de'n%c3%a4chstes%20Kapitel": [
        link("/TheBook/chapter2", "previous", title="letztes Kapitel"),
        link("/TheBook/chapter4", "next", title="nächstes Kapitel"),
    ],
    '<http://example.org/>; rel="start http://example.net/relation/other"': [
        link("http://example.org/", "start", "http://example.net/relation/other")
    ],
    '<https://example.org/>; rel="start", <https://example.org/index>; rel="index"': [
        link("https://example.org/", "start"),
        link("https://example.org/index", "index"),
    ],
}

GRAMMAR = {  # section 3: link-value, link-param, BWS, quoted-string; RFC 9110, section 5.6.1: lists
    "<a>": [link("a")],
    "<>; rel=next": [link("", "next")],
    "< a >; rel=next": [link("a", "next")],
    "<a>;rel=next": [link("a", "next")],
    "<a>;rel=next;": [link("a", "next")],
    "<a>; ; rel=next": [link("a", "next")],
    "<a> \t; \trel \t= \tnext \t, \t<b>": [link("a", "next"), link("b")],
    '<a>; rel = "next"': [link("a", "next")],
    '<a>; REL="NEXT"': [link("a", "next")],
    '<a>; rel="next last"': [link("a", "next", "last")],
    '<a>; rel="  next \t last "': [link("a", "next", "last")],
    '<a>; rel=""': [link("a")],
    "<a>; rel=": [link("a")],
    "<a>; rel": [link("a")],
    "<a>; rel=prev; rel=next": [link("a", "prev")],
    '<a>; rel=prev; REL="next"': [link("a", "prev")],
    "<a>; rev=next": [link("a", rev="next")],
    "<a,b;c=d>; rel=next": [link("a,b;c=d", "next")],
    '<a>; title="x, <y>; rel=prev"; rel=next': [link("a", "next", title="x, <y>; rel=prev")],
    r'<a>; title="say \"hi\" \\ \n"; rel=next': [link("a", "next", title='say "hi" \\ n')],
    '<a>; title=""; rel=next': [link("a", "next", title="")],
    "<a>; title=it's; rel=next": [link("a", "next", title="it's")],
    "<a>; rel=next, <b>; rel=prev": [link("a", "next"), link("b", "prev")],
    "<a>; rel=next,<b>; rel=prev": [link("a", "next"), link("b", "prev")],
    ", ,<a>; rel=next,, \t,<b>; rel=prev,": [link("a", "next"), link("b", "prev")],
    "": [],
    " \t ": [],
    ",,,": [],
}

ATTRIBUTES = {  # appendix B.2, steps 9 to 16
    "<a>; rel=next; anchor=x; anchor=y": [link("a", "next", anchor="x")],
    "<a>; title=one; title=two": [link("a", title="one")],
    "<a>; type=one; type=two; media=one; media=two": [link("a", type="one", media="one")],
    "<a>; hreflang=de; hreflang=en": [Link("a", (), None, (("hreflang", "de"), ("hreflang", "en")))],
    "<a>; Title=one": [link("a", title="one")],
    "<a>; crossorigin; rel=next": [link("a", "next", crossorigin="")],
    "<a>; title=plain; title*=UTF-8''starred": [link("a", title="starred")],
    "<a>; title*=UTF-8''starred; title=plain": [link("a", title="starred")],
    "<a>; title*=UTF-8''one; title*=UTF-8''two": [link("a", title="one")],
    "<a>; title*=utf-8'en'%e2%82%ac%20rates": [link("a", title="€ rates")],
    "<a>; title*=iso-8859-1'en'%A3%20rates": [link("a", title="£ rates")],
    "<a>; title*=\"UTF-8''quoted\"": [link("a", title="quoted")],
    "<a>; title=plain; title*=starred": [link("a", title="plain")],
    "<a>; title=plain; title*=UTF-8'starred": [link("a", title="plain")],
    "<a>; title=plain; title*=utf-16''starred": [link("a", title="plain")],
    "<a>; title=plain; title*=UTF-8''%ff": [link("a", title="plain")],
    "<a>; other*=UTF-8''x": [link("a", other="x")],
}

MALFORMED = {
    "a; rel=next": [],
    "a; rel=next, <b>; rel=prev": [link("b", "prev")],
    'a; title="x, <y>", <b>; rel=prev': [link("b", "prev")],
    "<a; rel=next": [],
    "<a>; rel=prev, <b": [link("a", "prev")],
    "<a> rel=next, <b>; rel=prev": [link("a"), link("b", "prev")],
    '<a>; rel="next"x; title=y, <b>; rel=prev': [link("a", "next"), link("b", "prev")],
    '<a>; rel="next': [link("a", "next")],
    '<a>; rel="next\\': [link("a", "next")],
    '<a>; rel="prev, <b>; rel=next': [link("a", "prev,", "<b>;", "rel=next")],
    "<a>; rel=next prev": [link("a", "next", "prev")],
    '<a>; rel=ne"xt': [link("a", 'ne"xt')],
    "<a>; =next; rel=prev": [link("a", "prev")],
    "<a>; rel next": [link("a")],
    "<a>;;;;rel=next;;": [link("a", "next")],
    "<a>>; rel=next": [link("a")],
    "<<a>; rel=next": [link("<a", "next")],
    'x"': [],
    'x"\\': [],
    "\\": [],
}

CASES = [*EXAMPLES.items(), *GRAMMAR.items(), *ATTRIBUTES.items(), *MALFORMED.items()]


def test_how_many_cases_there_are() -> None:
    assert [len(table) for table in (EXAMPLES, GRAMMAR, ATTRIBUTES, MALFORMED)] == [6, 28, 17, 20]


@pytest.mark.parametrize(("value", "links"), CASES, ids=[value or "empty" for value, _ in CASES])
def test_a_link_header_is_parsed(value: str, links: list[Link]) -> None:
    assert parse(value) == links


QUOTED = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"))
TARGETS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=">"))
RELATIONS = st.lists(st.text("abcdefghijklmnopqrstuvwxyz-.:/", min_size=1), min_size=1)


@given(st.lists(st.tuples(TARGETS, RELATIONS, QUOTED)))
def test_what_was_written_by_the_grammar_is_read_again(links: list[tuple[str, list[str], str]]) -> None:
    def written(target: str, relations: list[str], title: str) -> str:
        quoted = title.replace("\\", "\\\\").replace('"', '\\"')
        return f'<{target}>; rel="{" ".join(relations)}"; title="{quoted}"'

    value = ", ".join(written(*each) for each in links)
    assert parse(value) == [link(target, *relations, title=title) for target, relations, title in links]


@given(st.text("<>;,=\"\\ \tarel*next'") | st.text())
@example('<a>;x="' + "\\" * 9)
def test_nothing_makes_the_parser_raise(value: str) -> None:
    assert all(found.target in value for found in parse(value))
    next_target([value], URL)


NEXT: list[tuple[list[str], str | None]] = [
    ([], None),
    (["<?page=0>; rel=prev"], None),
    (['<?page=2>; rel="next"'], "?page=2"),
    (["<?page=0>; rel=prev, <?page=2>; rel=next, <?page=9>; rel=last"], "?page=2"),
    (["<?page=0>; rel=prev", "<?page=2>; rel=next"], "?page=2"),
    (['<?page=9>; rel="last next"'], "?page=9"),
    (["<?page=2>; rel=next, <?page=3>; rel=next"], "?page=2"),
    (["<?page=2>; rel=NEXT"], "?page=2"),
    (["<?page=2>; rel=nextpage"], None),
    (["<?page=2>; rel=prev; rel=next"], None),
    (["<?page=2>; rev=next"], None),
    (["<?page=2>; rel=next; anchor=/other, <?page=3>; rel=next"], "?page=3"),
    (["<?page=2>; rel=next; anchor=#part"], None),
    (["<?page=2>; rel=next; anchor=http://[bad"], None),
    (['<?page=2>; rel=next; anchor=""'], "?page=2"),
    (["<?page=2>; rel=next; anchor=?x=1"], "?page=2"),
    ([f"<?page=2>; rel=next; anchor={URL}"], "?page=2"),
    (['<?page=2; rel="next', "<?page=3>; rel=next"], "?page=3"),
    (["<?q=\xc3\xa9>; rel=next"], "?q=%C3%A9"),
]


@pytest.mark.parametrize(("values", "target"), NEXT)
def test_the_next_page_is_the_first_such_link_of_the_resource_itself(values: list[str], target: str | None) -> None:
    assert next_target(values, URL) == target


HERE = "https://api.example"
LEADS: list[tuple[str, str | None]] = [
    ("?page=2", HERE + "/a/b?page=2"),
    ("c", HERE + "/a/c"),
    ("./c", HERE + "/a/c"),
    ("../c", HERE + "/c"),
    ("../../../c", HERE + "/c"),
    ("/c?d", HERE + "/c?d"),
    ("", HERE + "/a/b?x=1"),
    (" c ", HERE + "/a/c"),
    ("https://api.example", HERE + "/"),
    ("https://api.example?page=2", HERE + "/?page=2"),
    ("https://api.example/a/./b/../c/..", HERE + "/a/"),
    ("https://api.example/..", HERE + "/"),
    ("https://api.example//c", HERE + "//c"),
    ("HTTPS://API.example:443/C", "https://API.example:443/C"),
    ("http://api.example/c", "http://api.example/c"),
    ("//evil.example/c", "https://evil.example/c"),
    ("https://[::1]:8080/c", "https://[::1]:8080/c"),
    ("/c#fragment", HERE + "/c"),
    ("#fragment", HERE + "/a/b?x=1"),
    ("/c?page[after]=1&q='(x)*'", HERE + "/c?page[after]=1&q='(x)*'"),
    ("/c d?q=a b", HERE + "/c%20d?q=a%20b"),
    ('/c?q="<x>"|{y}', HERE + "/c?q=%22%3Cx%3E%22%7C%7By%7D"),
    ("/c?q=%41%2f%zz%", HERE + "/c?q=%41%2f%25zz%25"),
    ("/é?q=ü", HERE + "/%C3%A9?q=%C3%BC"),
    ("\\\\evil.example", HERE + "/a/%5C%5Cevil.example"),
    ("/\\evil.example", HERE + "/%5Cevil.example"),
    ("javascript:alert(1)", None),
    ("ftp://api.example/c", None),
    ("http:///c", None),
    ("https://user@api.example/c", None),
    ("https://user:password@api.example/c", None),
    ("https://api.example\\@evil.example/c", None),
    ("https://api.example evil.example/c", None),
    ("https://bücher.example/c", None),
    ("https://%61pi.example/c", None),
    ("https://[::1/c", None),
    ("/c\r\nX: y", None),
    ("ht\ntps://evil.example/c", None),
    ("\x00/c", None),
    ("/c?q=\ud800", None),
]


@pytest.mark.parametrize(("reference", "url"), LEADS)
def test_where_a_reference_leads(reference: str, url: str | None) -> None:
    """By RFC 3986, section 5; what is no plain http or https URL leads nowhere."""
    found = destination(URL, reference)
    assert (found and found.authority + found.target) == url


@given(st.text() | st.text("ht:/@\\.?#%[]a0 "))
def test_a_destination_is_a_url_that_can_be_sent_as_it_is(reference: str) -> None:
    found = destination(URL, reference)
    if found is not None:
        assert found.target.startswith("/")
        assert found.target.isascii()
        assert found.target.isprintable()
        assert not set(found.target) & set(' #\\<>"')
        assert "@" not in found.authority
        assert destination(URL, found.authority + found.target) == found


def test_a_destination_has_an_authority_and_a_target() -> None:
    assert destination(URL, "?page=2") == Destination("https://api.example", "/a/b?page=2")
