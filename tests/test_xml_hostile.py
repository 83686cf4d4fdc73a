"""XML that attacks its reader, with both parsers that pydantic-xml may use: nothing is expanded, fetched or lost."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator
from pydantic_xml import BaseXmlModel, attr, element
from pydantic_xml.element import native

from servers import RawServer
from stubwire import DecodeError, Response, ResponseValidationError
from stubwire._decode import decoder

HERE = Path(__file__).parent
ENTITIES = "XML that declares entities, which are not expanded"


class Song(BaseXmlModel, tag="song"):
    id: int = attr(default=0)
    title: str = element(default="")


@pytest.fixture(params=["xml.etree.ElementTree", "lxml.etree"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The library that parses."""
    monkeypatch.setattr(native, "etree", importlib.import_module(request.param))
    return str(request.param)


def failure(content: str) -> DecodeError:
    """The error that a document ends in."""
    response: Response[Any] = Response(200, headers={"Content-Type": "application/xml"}, content=content.encode())
    with pytest.raises(DecodeError) as caught:
        decoder(Song, None, "Music.song")(response)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    return caught.value


BOMB = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
DECLARING = {
    "a billion laughs": f'<!DOCTYPE song [<!ENTITY e0 "ha">{BOMB}]><song><title>&e11;</title></song>',
    "a quadratic blow-up": f'<!DOCTYPE song [<!ENTITY a "{"a" * 1000}">]><song><title>{"&a;" * 1000}</title></song>',
    "one small entity": '<!DOCTYPE song [<!ENTITY a "b">]><song><title>&a;</title></song>',
    "one that is not used": '<!DOCTYPE song [<!ENTITY a "b">]><song><title>c</title></song>',
    "a file": '<!DOCTYPE song [<!ENTITY a SYSTEM "file:///etc/hostname">]><song><title>&a;</title></song>',
    "a parameter entity": '<!DOCTYPE song [<!ENTITY % a SYSTEM "file:///etc/hostname"> %a;]><song/>',
    "an unparsed entity": '<!DOCTYPE song [<!NOTATION n SYSTEM "n"><!ENTITY a SYSTEM "b" NDATA n>]><song/>',
    "behind an element": '<!DOCTYPE song [<!ELEMENT song ANY><!ATTLIST song id CDATA "1"><!ENTITY a "b">]><song/>',
    "in another charset": '<?xml version="1.0" encoding="iso-8859-1"?><!DOCTYPE song [<!ENTITY a "b">]><song/>',
}


@pytest.mark.parametrize("document", DECLARING.values(), ids=DECLARING)
def test_a_document_that_declares_entities_is_refused(parser: str, document: str) -> None:
    assert str(failure(document)) == f"answered 200 with {ENTITIES}"


def test_a_bomb_in_utf_16_is_one_too(parser: str) -> None:
    response: Response[Any] = Response(200, content=DECLARING["a billion laughs"].encode("utf-16"))
    with pytest.raises(DecodeError, match=ENTITIES):
        decoder(Song, None, "Music.song")(response)


def test_nothing_outside_the_document_is_read() -> None:
    with RawServer() as server:
        for document in (
            f'<!DOCTYPE song SYSTEM "{server.url}/song.dtd"><song id="x"/>',
            f'<!DOCTYPE song PUBLIC "-//a//b" "{server.url}/song.dtd"><song id="x"/>',
            f'<!DOCTYPE song [<!ENTITY a SYSTEM "{server.url}/a">]><song><title>&a;</title></song>',
            f'<!DOCTYPE song [<!ENTITY % a SYSTEM "{server.url}/a"> %a;]><song/>',
            f'<song xmlns:xi="http://www.w3.org/2001/XInclude" id="x"><xi:include href="{server.url}/a"/></song>',
        ):
            failure(document)
        assert server.requests == []


def test_an_entity_that_is_nowhere_is_refused(parser: str) -> None:
    """Without this, lxml would leave it out without a word."""
    error = failure('<!DOCTYPE song SYSTEM "song.dtd"><song><title>a&b;c</title></song>')
    refused = "XML that refers to entities which it does not have"
    malformed = "application/xml, which is not XML: line 1 is malformed"
    assert str(error) == f"answered 200 with {refused if parser == 'lxml.etree' else malformed}"


def test_a_broken_document_type_is_malformed(parser: str) -> None:
    assert str(failure("<!DOCTYPE song [<!BROKEN>]><song/>")).endswith("which is not XML: line 1 is malformed")


@pytest.mark.parametrize("depth", [300, 100_000])
def test_a_document_that_is_nested_too_deeply_is_a_decode_error(depth: int) -> None:
    document = f"{'<song>' * depth}{'</song>' * depth}"
    response: Response[Any] = Response(200, content=document.encode())
    if depth > 300 or vars(native)["etree"].__name__ == "lxml.etree":
        failure(document)
    else:
        assert decoder(Song, None, "Music.song")(response) == Song()


def endless(value: int) -> int:
    return endless(value)


class Endless(BaseXmlModel, tag="song"):
    id: Annotated[int, AfterValidator(endless)] = attr()


def test_what_exhausts_the_stack_does_not_fit() -> None:
    response: Response[Any] = Response(200, content=b'<song id="1"/>')
    with pytest.raises(ResponseValidationError) as caught:
        decoder(Endless, None, "Music.song")(response)
    assert str(caught.value) == "answered 200 with XML that does not fit: it is nested too deeply"


def test_all_of_this_holds_with_the_standard_library_alone() -> None:
    """pydantic-xml takes lxml where it is installed; this is how it is where it is not."""
    files = [str(HERE / name) for name in ("test_xml.py", "test_xml_encode.py", "test_xml_hostile.py")]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "not standard_library", *files],
        env={**os.environ, "FORCE_STD_XML": "true"},
        cwd=HERE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
