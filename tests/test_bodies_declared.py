"""What is wrong with a declared body is said when the class is created, with what to write instead."""

from __future__ import annotations

import pytest

from declaring import both_modes, declare
from stubwire import SpecError

PRELUDE = """
import io, pathlib
from collections.abc import AsyncIterable, AsyncIterator, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from typing import IO, Annotated, Any, BinaryIO, TextIO
from pydantic import BaseModel
from stubwire import ApiClient, Body, File, Form, Query, Upload, delete, get, head, post, put

class Item(BaseModel):
    id: int

class Other(BaseModel):
    name: str

"""


def refused(stub: str, flags: int) -> str:
    text = PRELUDE + "class Api(ApiClient):\n    base_url = 'https://api.example'\n" + stub
    with pytest.raises(SpecError) as caught:
        declare(text, flags)
    return str(caught.value)


def _post(parameters: str, verb: str = "post") -> str:
    return f"    @{verb}('/x')\n    def f(self, {parameters}) -> None: ...\n"


@both_modes
@pytest.mark.parametrize(
    ("stub", "message"),
    [
        (
            _post("a: Item, b: Other"),
            (
                "parameters 'a' and 'b' are both bodies: write one model that has both as its fields, or mark the "
                "one that "
                "is none with Query()"
            ),
        ),
        (
            _post("a: Annotated[Item, Body(embed=True)], b: Other"),
            "parameter 'b' is a body beside others that are fields of one: mark it with Body(embed=True) too",
        ),
        (
            _post("a: Item, b: Annotated[bytes, File()]"),
            (
                "parameter 'a' is the body, and 'b' is a File, which is a part of one: mark 'a' with Form() to send "
                "its "
                "fields beside it, or with Query()"
            ),
        ),
        (
            _post("a: Annotated[str, Form()], b: Annotated[bytes, Body()]"),
            (
                "parameter 'b' is the body, and 'a' is a Form, which is a part of one: mark 'b' with Form() to send "
                "its "
                "fields beside it, or with Query()"
            ),
        ),
        (
            _post("a: Annotated[str, Form('x')], b: Annotated[str, Form('x')]"),
            "parameters 'a' and 'b' are both the form 'x': write another alias for one, as in Form('other')",
        ),
        (
            _post("a: Annotated[bytes, File('x')], b: Annotated[bytes, File('x')]"),
            "parameters 'a' and 'b' are both the file 'x': write another alias for one, as in File('other')",
        ),
        (_post("a: Annotated[bytes, File()]", "get"), "parameter 'a' is a File, and GET has no body: write @post"),
        (
            _post("a: Annotated[str, Form()]", "head"),
            "parameter 'a' is a Form, and HEAD has no body: write @post, or Query()",
        ),
        (
            _post("a: Annotated[str, File()]"),
            "parameter 'a' is a File of type str: write bytes, pathlib.Path, BinaryIO or Upload, or a list of these",
        ),
        (
            _post("a: Annotated[list[int], File()]"),
            (
                "parameter 'a' is a File of type list[int]: write bytes, pathlib.Path, BinaryIO or Upload, or a "
                "list of "
                "these"
            ),
        ),
        (
            _post("a: Annotated[bytes | Item | None, File()] = None"),
            "parameter 'a' is a File of type Item: write bytes, pathlib.Path, BinaryIO or Upload, or a list of these",
        ),
        (
            _post("a: Annotated[list[list[bytes]], File()]"),
            (
                "parameter 'a' is a File of type list[list[bytes]]: write bytes, pathlib.Path, BinaryIO or Upload, "
                "or a "
                "list of these"
            ),
        ),
        (
            _post("a: Annotated[TextIO, File()]"),
            "parameter 'a' has the type TextIO, a text file: write BinaryIO, and open it in binary mode",
        ),
        (
            _post("a: Annotated[IO[str], Body()]"),
            "parameter 'a' has the type IO[str], a text file: write BinaryIO, and open it in binary mode",
        ),
        (
            _post("a: Annotated[io.StringIO, Body()]"),
            "parameter 'a' has the type StringIO, a text file: write BinaryIO, and open it in binary mode",
        ),
        (
            _post("a: Annotated[bytes | Item, Body()]"),
            (
                "parameter 'a' has the type bytes | Item, of which one part is sent as it is and another as JSON: "
                "write one"
            ),
        ),
        (
            _post("a: AsyncIterable[Item]"),
            (
                "parameter 'a' has the type AsyncIterable[Item], of which no JSON can be made: write one of bytes, or "
                "Body(content_type='application/x-ndjson') for a line for each item"
            ),
        ),
        (
            _post("a: Annotated[Iterator[Item], Body()]"),
            (
                "parameter 'a' has the type Iterator[Item], of which no JSON can be made: write one of bytes, or "
                "Body(content_type='application/x-ndjson') for a line for each item"
            ),
        ),
        (
            _post("a: Annotated[Item, Body(content_type='application/x-ndjson')]"),
            (
                "parameter 'a' has the type Item and the content type 'application/x-ndjson', which has a line for "
                "each "
                "item: write Iterable[Model], or bytes that are lines already"
            ),
        ),
        (
            _post("a: Annotated[list[Item] | list[Other], Body(content_type='application/jsonl')]"),
            (
                "parameter 'a' has the type list[Item] | list[Other] and the content type 'application/jsonl', "
                "which has a "
                "line for each item: write Iterable[Model], or bytes that are lines already"
            ),
        ),
        (
            _post("a: Annotated[list, Body(content_type='application/jsonl')]"),
            (
                "parameter 'a' has the type list and the content type 'application/jsonl', which has a line for "
                "each item: "
                "write Iterable[Model], or bytes that are lines already"
            ),
        ),
        (
            _post("a: Annotated[str, Body(content_type='text/plain; charset=nope')]"),
            (
                "parameter 'a' has the content type 'text/plain; charset=nope', which names the charset 'nope', "
                "which is no "
                "text encoding: write charset=utf-8"
            ),
        ),
        (
            _post("a: Annotated[bytes, Body(content_type='csv')]"),
            "parameter 'a' has the content type 'csv', which is none: write one such as 'text/csv'",
        ),
        (
            _post(r"a: Annotated[bytes, File(content_type='text/csv\r\nX: y')]"),
            r"parameter 'a' has the content type 'text/csv\r\nX: y', which is none: write one such as 'text/csv'",
        ),
        (
            _post("a: Annotated[bytes, Body(embed=True)]"),
            "parameter 'a' has the type bytes, which is no field of a JSON object: write Body() without embed",
        ),
        (
            _post("a: BinaryIO", "get"),
            (
                "parameter 'a' has the type BinaryIO, which is a body, and GET usually has none: write "
                "Annotated[BinaryIO, "
                "Body()] to send one"
            ),
        ),
        (
            _post("a: Upload", "delete"),
            (
                "parameter 'a' has the type Upload, which is a body, and DELETE usually has none: write "
                "Annotated[Upload, "
                "Body()] to send one"
            ),
        ),
    ],
)
def test_a_wrong_body_is_refused_when_its_class_is_created(stub: str, message: str, flags: int) -> None:
    assert refused(stub, flags) == f"Api.f: {message}"


@both_modes
@pytest.mark.parametrize(
    ("parameters", "roles"),
    [
        ("a: BinaryIO", ["body"]),
        ("a: Upload", ["body"]),
        ("a: io.BytesIO | None = None", ["body"]),
        ("a: AsyncIterable[bytes]", ["body"]),
        ("a: Iterator[bytes]", ["body"]),
        ("a: Generator[bytes, None, None]", ["body"]),
        ("a: Annotated[pathlib.Path, Body()]", ["body"]),
        ("a: Annotated[bytes, Body()], b: Annotated[str, Query()] = ''", ["body", "query"]),
        ("a: Annotated[Item, Body(embed=True)], b: Annotated[int, Body(embed=True)]", ["body", "body"]),
        ("a: Annotated[str, Form()], b: Annotated[Sequence[bytes | pathlib.Path], File()]", ["form", "file"]),
        ("a: Annotated[Any, File()]", ["file"]),
        ("a: Annotated[Iterable[bytes], File()]", ["file"]),
        ("a: bytes, b: pathlib.Path", ["query", "query"]),
    ],
)
def test_what_is_no_json_is_a_body_by_its_type_or_marker(parameters: str, roles: list[str], flags: int) -> None:
    names = declare(PRELUDE + "class Api(ApiClient):\n" + _post(parameters), flags)
    client = names["Api"](base_url="https://api.example")
    assert [parameter.role for parameter in client.f.spec.parameters] == roles


@both_modes
def test_fields_may_be_sent_with_any_other_method(flags: int) -> None:
    names = declare(PRELUDE + "class Api(ApiClient):\n" + _post("a: Annotated[str, Form()]", "delete"), flags)
    assert names["Api"](base_url="https://api.example").f.request("b").content == b"a=b"
