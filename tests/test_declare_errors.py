"""What is wrong with a stub is a SpecError at class creation, which names class, method and parameter, and says what to
write instead."""

from __future__ import annotations

import pytest

from declaring import TEXT, both_modes, client, declare, refusal, refused_stub
from stubwire import ApiClient, SpecError, StubwireError, Timeout
from stubwire.client import RESERVED

ROWS = {
    "a placeholder without a parameter": (
        '@get("/users/<uid>")\ndef f(self, user: str) -> Model: ...',
        (
            "path '/users/<uid>' names 'uid', which no parameter supplies: write the parameter uid: str, or take "
            "<uid> out of the path"
        ),
    ),
    "a placeholder in braces without a parameter": (
        '@get("/users/{uid:path}")\ndef f(self) -> Model: ...',
        (
            "path '/users/{uid:path}' names 'uid', which no parameter supplies: write the parameter uid: str, or "
            "take <uid> out of the path"
        ),
    ),
    "no annotation": (
        '@get("/x")\ndef f(self, user) -> Model: ...',
        "parameter 'user' has no annotation: write user: str, or the type that it has",
    ),
    "no return annotation": (
        '@get("/x")\ndef f(self, user: str): ...',
        "has no return type: write -> Model for what it returns, or -> None",
    ),
    "two bodies": (
        '@post("/x")\ndef f(self, a: Model, b: Other) -> Model: ...',
        (
            "parameters 'a' and 'b' are both bodies: write one model that has both as its fields, or mark the one "
            "that is none with Query()"
        ),
    ),
    "two marked bodies": (
        '@post("/x")\ndef f(self, a: Annotated[int, Body()], b: Annotated[str, Body()]) -> Model: ...',
        (
            "parameters 'a' and 'b' are both bodies: write one model that has both as its fields, or mark the one "
            "that is none with Query()"
        ),
    ),
    "a body on GET": (
        '@get("/x")\ndef f(self, a: list[Model] | None = None) -> Model: ...',
        (
            "parameter 'a' has the type list[Model] | None, which is a JSON body, and GET usually has none: write "
            "Annotated[list[Model] | None, Body()] to send one, or Annotated[list[Model] | None, Query()] for query "
            "parameters"
        ),
    ),
    "*args": (
        '@get("/x")\ndef f(self, *ids: int) -> Model: ...',
        "*ids cannot be sent: write each parameter by its name",
    ),
    "**kwargs": (
        '@get("/x")\ndef f(self, **filters: int) -> Model: ...',
        (
            "**filters has the type int: write **filters: Unpack[Params], where Params is a TypedDict, or each "
            "parameter by its name"
        ),
    ),
    "no self": ('@get("/x")\ndef f() -> Model: ...', "has no self: write def f(self, ...)"),
    "no self, but keywords": (
        '@get("/x")\ndef f(*, a: int) -> Model: ...',
        "has no self: write def f(self, ...)",
    ),
    "a query marker in the path": (
        '@get("/<a>")\ndef f(self, a: Annotated[str, Query()]) -> Model: ...',
        "parameter 'a' fills <a> in the path, so it cannot be a Query: write no marker, or rename it",
    ),
    "a body marker in the path": (
        '@post("/<a>")\ndef f(self, a: Annotated[str, Body()]) -> Model: ...',
        "parameter 'a' fills <a> in the path, so it cannot be a Body: write no marker, or rename it",
    ),
    "a path marker without a placeholder": (
        '@get("/x")\ndef f(self, a: Annotated[str, Path()]) -> Model: ...',
        "parameter 'a' is marked Path(), but the path '/x' has no <a>: write it there, or drop the marker",
    ),
    "two markers": (
        '@get("/x")\ndef f(self, a: Annotated[str, Query(), Header("X-A")]) -> Model: ...',
        "parameter 'a' has the markers Query and Header: write one of them",
    ),
    "two markers, one inside a union": (
        '@get("/x")\ndef f(self, a: Annotated[Annotated[int, Query("b")] | None, Query("c")]) -> Model: ...',
        "parameter 'a' has the markers Query and Query: write one of them",
    ),
    "a marker's class": (
        '@get("/x")\ndef f(self, a: Annotated[str, Header]) -> Model: ...',
        "parameter 'a' is marked with the class Header: write Header()",
    ),
    "a marker as default": (
        '@get("/x")\ndef f(self, a: str = Query("b")) -> Model: ...',
        "parameter 'a' has a marker as default: write a: Annotated[..., Query()]",
    ),
    "two of one query name": (
        '@get("/x")\ndef f(self, a: int, b: Annotated[int, Query("a")]) -> Model: ...',
        "parameters 'a' and 'b' are both the query 'a': write another alias for one, as in Query('other')",
    ),
    "two of one header, in another case": (
        '@get("/x")\ndef f(self, x_a: Annotated[int, Header()], b: Annotated[int, Header("x-a")]) -> Model: ...',
        "parameters 'x_a' and 'b' are both the header 'x-a': write another alias for one, as in Header('other')",
    ),
    "an empty alias": (
        '@get("/x")\ndef f(self, a: Annotated[int, Query("")]) -> Model: ...',
        "parameter 'a' has an empty alias: write its name on the wire, or none",
    ),
    "an alias in the path": (
        '@get("/<a>")\ndef f(self, a: Annotated[int, Path("b")]) -> Model: ...',
        "parameter 'a' has the alias 'b', but a placeholder has one name: write <a> and Path()",
    ),
    "a header's name": (
        '@get("/x")\ndef f(self, a: Annotated[int, Header("X A")]) -> Model: ...',
        "parameter 'a' is a header, and 'X A' is no header name: write letters, digits and hyphens",
    ),
    "a cookie's name": (
        '@get("/x")\ndef f(self, a: Annotated[int, Cookie("a;b")]) -> Model: ...',
        "parameter 'a' is a cookie, and 'a;b' is no cookie name: write letters, digits and hyphens",
    ),
    "None in the path": (
        '@get("/<a>")\ndef f(self, a: int | None) -> Model: ...',
        "parameter 'a' fills <a> in the path, so it cannot be None: write a: int, without None as its default",
    ),
    "None as default in the path": (
        '@get("/<a>")\ndef f(self, a: int = None) -> Model: ...',
        "parameter 'a' fills <a> in the path, so it cannot be None: write a: int, without None as its default",
    ),
    "several values in the path": (
        '@get("/<a>")\ndef f(self, a: list[int]) -> Model: ...',
        (
            "parameter 'a' fills <a> in the path and has the type list[int]: write Annotated[list[int], Path()] to "
            "send it as a,b, or a: str"
        ),
    ),
    "several values in a cookie": (
        '@get("/x")\ndef f(self, a: Annotated[list[int], Cookie()]) -> Model: ...',
        "parameter 'a' is a cookie parameter of type list[int], which no cookie can hold: write one for each value",
    ),
    "lists of lists in a header": (
        '@get("/x")\ndef f(self, a: Annotated[list[list[int]], Header()]) -> Model: ...',
        (
            "parameter 'a' is a header parameter of type list[list[int]], which no header can hold: write one for each "
            "value"
        ),
    ),
    "a model in the path": (
        '@get("/<a>")\ndef f(self, a: Model) -> Model: ...',
        (
            "parameter 'a' fills <a> in the path and has the type Model: write Annotated[Model, Path()] to send it as "
            "a,b, or a: str"
        ),
    ),
    "a mapping in the query": (
        '@get("/x")\ndef f(self, a: Annotated[dict[str, int], Query()]) -> Model: ...',
        (
            "parameter 'a' is a query parameter of type dict[str, int], no scalar and no list of scalars: say how to "
            "write it, as in Query(style='deep'), 'brackets' or 'json'"
        ),
    ),
    "lists of lists on POST": (
        '@post("/x")\ndef f(self, a: list[list[int]]) -> Model: ...',
        (
            "parameter 'a' is a query parameter of type list[list[int]], no scalar and no list of scalars: say how to "
            "write it, as in Query(style='deep'), 'brackets' or 'json', or write Annotated[list[list[int]], Body()]"
        ),
    ),
}


@both_modes
@pytest.mark.parametrize(("stub", "message"), ROWS.values(), ids=ROWS.keys())
def test_a_wrong_stub_is_refused_when_its_class_is_created(stub: str, message: str, flags: int) -> None:
    assert refused_stub(stub, flags) == f"Api.f: {message}"


TEMPLATES = ("users", "/<1x>", "/<int:id>", "/a b", "/<a", "/{a", "/a>", "/<a>/<a>", "/../x", "/x?q=<a>", "/x#y")


@pytest.mark.parametrize("path", TEMPLATES)
def test_a_malformed_template_is_refused_with_the_place_where_it_stands(path: str) -> None:
    found = refused_stub(f"@get({path!r})\ndef f(self, a: str, id: int) -> None: ...")
    assert found.startswith(f"Api.f: path {path!r} ")


@pytest.mark.parametrize("path", TEMPLATES)
def test_so_is_that_of_a_resource(path: str) -> None:
    assert refusal(f"class Things(Resource, path={path!r}): ...").startswith(f"Things: path {path!r} ")


def test_a_resource_s_path_is_text() -> None:
    assert refusal("class Things(Resource, path=3): ...") == "Things: path=3 is no text: write path='/...'"


def test_a_spec_error_is_a_type_error() -> None:
    assert issubclass(SpecError, TypeError)
    assert issubclass(SpecError, StubwireError)


# ---- names


def test_every_member_and_option_of_a_client_is_reserved() -> None:
    members = {"call", "acall", "close", "aclose", "with_options", "use", "plugin", "interceptors", "settings"}
    options = {"base_url", "timeout", "retry", "headers", "query", "errors", "auth", "middleware", "plugins", "engine"}
    assert members | options | {"transport", "http_client", "verify", "proxy", "http2", "limits"} <= RESERVED


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_stub_of_a_reserved_name_is_refused(name: str) -> None:
    stub = f'@get("/x")\ndef {name}(self) -> None: ...'
    assert refused_stub(stub) == f"Api.{name}: every client has something of this name: write {name}_"


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_a_resource_of_a_reserved_name_is_refused(name: str) -> None:
    found = refusal(f"class Things(Resource): ...\nclass Api(ApiClient):\n    {name}: Things")
    assert found == f"Api.{name}: every client has something of this name: write {name}_"


def test_a_stub_of_a_reserved_name_that_a_mixin_brings_is_refused() -> None:
    found = refusal("""
        class Mixin:
            @get("/x")
            def close(self) -> None: ...

        class Api(Mixin, ApiClient): ...
    """)
    assert found == "Api.close: every client has something of this name: write close_"


def test_a_resource_reserves_nothing() -> None:
    names = declare("""
        class Things(Resource):
            @sw.get("/close")
            def close(self) -> None: ...

            @sw.get("/headers")
            def headers(self) -> None: ...

        class Api(ApiClient):
            things: Things
    """)
    api = names["Api"](base_url="https://example.com")
    assert api.things.close.request().url == "https://example.com/close"
    assert api.things.headers.request().url == "https://example.com/headers"


def test_an_option_that_is_only_annotated_is_no_resource() -> None:
    class Api(ApiClient):
        timeout: float | Timeout | None
        comment: str

    assert not hasattr(Api, "comment")
    assert Api(base_url="https://example.com").timeout is not None


# ---- what hides a name


def test_an_endpoint_called_get_hides_the_verb() -> None:
    found = refusal("""
        class Api(ApiClient):
            @get("/one")
            def get(self) -> None: ...

            @get("/two")
            def two(self) -> None: ...
    """)
    assert found == (
        "Api.get is an endpoint, which hides the name 'get' for the rest of the class body: write "
        "`import stubwire as sw` and `@sw.get(...)` there"
    )


def test_an_endpoint_called_list_hides_the_builtin_for_evaluated_annotations() -> None:
    found = refusal("""
        class Api(ApiClient):
            @get("/one")
            def list(self) -> None: ...

            @get("/two")
            def two(self) -> list[int]: ...
    """)
    assert found == (
        "Api.list is an endpoint, which hides the name 'list' for the rest of the class body: write `import builtins` "
        "and `builtins.list[...]` there, or `from __future__ import annotations`"
    )


def test_annotations_that_are_text_find_the_builtin() -> None:
    api = client(
        """
        @sw.get("/one")
        def list(self) -> None: ...

        @sw.get("/two")
        def two(self, ids: list[int]) -> list[int]: ...
        """,
        TEXT,
    )
    assert api.two.spec.returns == list[int]
    assert api.two.request([1, 2]).url == "https://example.com/two?ids=1&ids=2"


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("class f: ...", "f: @get decorates a function: write it above `def f(self, ...)`"),
        ("f = 3", None),
        ("@staticmethod\ndef f() -> None: ...", "f: @get decorates a function: write it above `def f(self, ...)`"),
    ],
)
def test_what_is_no_function_cannot_be_decorated(what: str, message: str | None) -> None:
    if message is None:
        assert refusal('get("/x")(3)') == "int: @get decorates a function: write it above `def int(self, ...)`"
    else:
        assert refused_stub(f'@get("/x")\n{what}') == message


def test_a_method_that_is_no_token_is_refused() -> None:
    assert refused_stub('@route("BAD METHOD", "/x")\ndef f(self) -> None: ...').startswith(
        "'BAD METHOD' is no HTTP method"
    )
