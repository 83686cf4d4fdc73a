"""What could never be sent is refused when the class is created, not at the first call."""

from __future__ import annotations

import textwrap
from typing import Annotated

import pytest
from pydantic import JsonValue

from declaring import both_modes, client, declare, refusal
from stubwire import UNSET, ApiClient, ArgumentError, Body, Path, Query, Unset, get, post

PRELUDE = """
import typing
from collections.abc import Generator, Iterator
from typing import BinaryIO
from pydantic import SecretStr
from typing_extensions import NotRequired, TypedDict, Unpack

class Login(BaseModel):
    name: str
    password: SecretStr

class Twice(BaseModel):
    tags: Annotated[list[str], Query(style="wrong")]

class Bare(TypedDict):
    item: BaseModel

class Maybe(TypedDict):
    uid: NotRequired[int]

"""


def _stub(parameters: str, verb: str = "post", path: str = "/x") -> str:
    return f"@{verb}({path!r})\ndef f(self, {parameters}) -> None: ..."


NO_NAME = "with a control character or no valid Unicode: write another"
NO_FIELDS = "and BaseModel itself has no fields: write the model, or Annotated[Any, Body()] for any"
FRAMING = "which says how long the body is, as only its sender knows: drop it"
SHOWN = "which logs and errors show, and is a secret: send it as a header, or write"


@both_modes
@pytest.mark.parametrize(
    ("stub", "message"),
    [
        (_stub("a: Annotated[str, Form('a\\r\\nb')]"), rf"parameter 'a' has the alias 'a\r\nb', {NO_NAME}"),
        (_stub("a: Annotated[bytes, File('a\\0')]"), rf"parameter 'a' has the alias 'a\x00', {NO_NAME}"),
        (_stub("a: Annotated[str, Query('\\udc00')]", "get"), rf"parameter 'a' has the alias '\udc00', {NO_NAME}"),
        (
            _stub("a: Annotated[str, Query(3)]", "get"),
            "parameter 'a' has the alias 3, which is no text: write its name on the wire",
        ),
        (
            _stub("a: Annotated[int, Header('content-length')]"),
            f"parameter 'a' is the header 'content-length', {FRAMING}",
        ),
        (
            _stub("transfer_encoding: Annotated[str, Header()]"),
            f"parameter 'transfer_encoding' is the header 'Transfer-Encoding', {FRAMING}",
        ),
        (
            _stub("a: Annotated[Upload, Form()]"),
            "parameter 'a' is a form parameter of type Upload, which is read while it is sent: mark it with File()",
        ),
        (
            _stub("a: Annotated[BinaryIO | None, Form()] = None"),
            (
                "parameter 'a' is a form parameter of type BinaryIO | None, which is read while it is sent: mark it "
                "with File()"
            ),
        ),
        (
            _stub("a: Annotated[Iterator[int], Query()]", "get"),
            (
                "parameter 'a' is a query parameter of type Iterator[int], which is read while it is sent: mark it "
                "with Body()"
            ),
        ),
        (_stub("a: BaseModel"), f"parameter 'a' has the type BaseModel, {NO_FIELDS}"),
        (
            _stub("a: dict[str, list[BaseModel]]"),
            f"parameter 'a' has the type dict[str, list[BaseModel]], {NO_FIELDS}",
        ),
        (
            _stub("a: Annotated[BaseModel, Query()]", "get"),
            f"parameter 'a' has the type BaseModel, {NO_FIELDS}",
        ),
        (_stub("**a: Unpack[Bare]", "get"), f"parameter 'item' has the type BaseModel, {NO_FIELDS}"),
        (
            _stub("**a: Unpack[Maybe]", "get", "/x/<uid>"),
            "**a has the key 'uid', which fills <uid> in the path, so it cannot be left out: write uid: Required[int]",
        ),
        (
            _stub("a: str | Unset = UNSET", "get", "/x/<a>"),
            "parameter 'a' fills <a> in the path, so it cannot be UNSET: write a: str, without UNSET as its default",
        ),
        (
            _stub("a: str | Unset", "get", "/x/<a>"),
            "parameter 'a' fills <a> in the path, so it cannot be UNSET: write a: str, without UNSET as its default",
        ),
        (_stub("a: SecretStr", "get", "/x/<a>"), f"parameter 'a' fills <a> in the path, {SHOWN} a: str"),
        (
            _stub("a: Annotated[Login, Path()]", "get", "/x/<a>"),
            f"parameter 'a' fills <a> in the path, {SHOWN} a: str",
        ),
        (
            _stub("a: Annotated[Twice, Query()]", "get"),
            (
                "parameter 'a' spreads the fields of Twice, of which 'tags' has the style 'wrong': write one of "
                "'form', 'comma', 'space', 'pipe', 'deep', 'brackets', 'json'"
            ),
        ),
        (
            _stub(
                "a: Annotated[int, Body(embed=True, content_type='application/a+json')], "
                "b: Annotated[int, Body(embed=True, content_type='application/b+json')]"
            ),
            (
                "parameters 'a' and 'b' are fields of one body, which has one content type, not 'application/a+json' "
                "and 'application/b+json': say it once"
            ),
        ),
    ],
)
def test_what_cannot_be_sent_is_refused(stub: str, message: str, flags: int) -> None:
    text = f"{PRELUDE}class Api(ApiClient):\n{textwrap.indent(stub, '    ')}"
    assert refusal(text, flags).removeprefix("Api.f: ") == message


def test_one_content_type_may_be_said_for_several_fields() -> None:
    made = client(
        _stub(
            "a: Annotated[int, Body(embed=True, content_type='application/a+json')], "
            "b: Annotated[int, Body(embed=True)]"
        )
    )
    assert made.f.request(1, 2).headers["content-type"] == "application/a+json"


# -- names


class Museum(ApiClient):
    base_url = "https://museum.example"

    @get("/<größe>")
    def sized(self, größe: Annotated[list[str], Path(style="matrix")]) -> None:  # noqa: PLC2401 - that is the case
        raise NotImplementedError

    @post("/json")
    def any_json(self, value: Annotated[JsonValue, Body()]) -> None:
        raise NotImplementedError

    @post("/json")
    def perhaps(self, value: Annotated[JsonValue | Unset, Body()] = UNSET) -> None:
        raise NotImplementedError

    @get("/json")
    def filtered(self, where: Annotated[JsonValue, Query(style="json")]) -> None:
        raise NotImplementedError


def test_a_name_in_a_path_is_encoded() -> None:
    request = Museum().sized.request(["a", "b"])
    assert request.url == "https://museum.example/;gr%C3%B6%C3%9Fe=a,b"


def test_an_alias_that_says_its_own_name_is_a_type() -> None:
    museum = Museum()
    assert museum.any_json.request({"a": [1, None]}).content == b'{"a":[1,null]}'
    assert museum.any_json.request(None).content is None
    assert museum.perhaps.request(None).content == b"null"
    assert museum.perhaps.request().content is None
    assert museum.filtered.request([1]).url.endswith("?where=%5B1%5D")
    with pytest.raises(ArgumentError):
        museum.any_json.request({"a": object()})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]


# -- models that refer to one another


def _woven(count: int) -> str:
    """Models each of which refers to all, and a client that sends the first."""
    fields = "".join(f"    f{number}: 'Woven{number} | None' = None\n" for number in range(count))
    models = "".join(f"class Woven{number}(BaseModel):\n    id: int = 0\n{fields}" for number in range(count))
    rebuilt = "".join(f"Woven{number}.model_rebuild()\n" for number in range(count))
    stubs = (
        "class Api(ApiClient):\n"
        "    query_style = 'deep'\n"
        "    @get('/x')\n"
        "    def find(self, where: Annotated[Woven0, Query()]) -> None: ...\n"
        "    @post('/x')\n"
        "    def create(self, item: Woven0) -> None: ...\n"
    )
    return models + rebuilt + stubs


def test_models_that_refer_to_one_another_cost_no_more_than_they_are_many() -> None:
    """There are as many ways through twelve as there are orders of them, half a billion: nobody would see the end."""
    names = declare(_woven(12))
    api, woven = names["Api"](base_url="https://web.example"), names["Woven0"](id=1)
    assert api.find.request(woven).url == "https://web.example/x?id=1"
    request = api.create.request(woven)
    assert request.content.startswith(b'{"id":1,')
    assert request.curl().startswith("curl -X POST")
