"""A parameter's role is decided by its marker, by its name in the path, or by its type; and what of it is sent."""

from __future__ import annotations

from inspect import Parameter
from typing import Any

import pytest

from declaring import EVALUATED, both_modes, client, declare
from stubwire import ArgumentError, ParameterSpec
from stubwire._kinds import is_body

ROLES = {
    # by marker
    "a query marker": ("GET", "x: Annotated[int, Query()]", "query", "x"),
    "a query marker with alias": ("GET", 'x: Annotated[int, Query("per-page")]', "query", "per-page"),
    "a query marker with alias by name": ("GET", 'x: Annotated[int, Query(alias="per-page")]', "query", "per-page"),
    "a header marker": ("GET", "x_trace_id: Annotated[str, Header()]", "header", "X-Trace-Id"),
    "a header marker with alias": ("GET", 'x: Annotated[str, Header("X-Trace")]', "header", "X-Trace"),
    "a cookie marker": ("GET", 'x: Annotated[str, Cookie("sid")]', "cookie", "sid"),
    "a body marker on GET": ("GET", "x: Annotated[Model, Body()]", "body", "x"),
    "a body marker on DELETE": ("DELETE", "x: Annotated[list[int], Body()]", "body", "x"),
    "a body marker on a scalar": ("POST", "x: Annotated[int, Body()]", "body", "x"),
    "a path marker": ("GET", "p: Annotated[str, Path()]", "path", "p"),
    "a path marker with its own name": ("GET", 'p: Annotated[str, Path("p")]', "path", "p"),
    "a marker beside a constraint": ("GET", 'x: Annotated[int, Field(ge=1), Query("n")]', "query", "n"),
    "a marker inside a union": ("GET", 'x: Annotated[int, Query("n")] | None = None', "query", "n"),
    "a marker inside both members": ("GET", 'x: Annotated[int, Query("n")] | Annotated[str, Query("n")]', "query", "n"),
    "a marker inside Optional": ("GET", 'x: Optional[Annotated[int, Query("n")]] = None', "query", "n"),
    "a marker inside a union inside Annotated": (
        "GET",
        'x: Annotated[Annotated[int, Query("n")] | None, 1] = None',
        "query",
        "n",
    ),
    "a marker in nested Annotated": ("GET", 'x: Annotated[Annotated[int, Query("n")], Field(ge=1)]', "query", "n"),
    "a marker in a type alias": ("GET", "x: Marked", "query", "n"),
    "a marker in a type alias in a union": ("GET", "x: Marked | None = None", "query", "n"),
    # by name
    "a name in the path": ("GET", "p: int", "path", "p"),
    "a name in the path without annotation": ("GET", "p", "path", "p"),
    "a name in the path on POST": ("POST", "p: Any", "path", "p"),
    # by type
    "a model on POST": ("POST", "x: Model", "body", "x"),
    "a model on PUT": ("PUT", "x: Model", "body", "x"),
    "a model on PATCH": ("PATCH", "x: Model", "body", "x"),
    "an optional model": ("POST", "x: Model | None = None", "body", "x"),
    "a model or Unset": ("POST", "x: Model | None | Unset = UNSET", "body", "x"),
    "a dataclass": ("POST", "x: Point", "body", "x"),
    "a TypedDict": ("POST", "x: Options", "body", "x"),
    "a dict": ("POST", "x: dict[str, int]", "body", "x"),
    "a bare dict": ("POST", "x: dict", "body", "x"),
    "a Mapping": ("POST", "x: Mapping[str, Any]", "body", "x"),
    "a list of models": ("POST", "x: list[Model]", "body", "x"),
    "a tuple of models": ("POST", "x: tuple[Model, ...]", "body", "x"),
    "an iterable of dicts": ("POST", "x: Iterable[dict[str, int]]", "body", "x"),
    "a union of models": ("POST", "x: Model | Other", "body", "x"),
    "a union of model and scalar": ("POST", "x: Model | int", "body", "x"),
    "a list of a union": ("POST", "x: list[Model | None]", "body", "x"),
    "an annotated model": ("POST", "x: Annotated[Model, Field(title='a')]", "body", "x"),
    "a type alias of a model": ("POST", "x: Aliased", "body", "x"),
    "a generic type alias": ("POST", "x: Several[Model]", "body", "x"),
    "a NewType of a model": ("POST", "x: NewModel", "body", "x"),
    "a scalar on POST": ("POST", "x: int", "query", "x"),
    "a list of scalars on POST": ("POST", "x: list[int]", "query", "x"),
    "a generic type alias of scalars": ("POST", "x: Several[int]", "query", "x"),
    "a NewType of a scalar": ("POST", "x: NewId", "query", "x"),
    "an enum": ("POST", "x: Colour", "query", "x"),
    "a Literal": ("GET", 'x: Literal["a", 1]', "query", "x"),
    "a date": ("GET", "x: datetime.date", "query", "x"),
    "Any": ("POST", "x: Any", "query", "x"),
    "a bare list": ("GET", "x: list", "query", "x"),
    "no annotation with a default": ("POST", "x=1", "query", "x"),
}

NAMES = """
Marked = TypeAliasType("Marked", Annotated[int, Query("n")])
Aliased = TypeAliasType("Aliased", Model)
Several = TypeAliasType("Several", list[T], type_params=(T,))
NewModel = NewType("NewModel", Model)
NewId = NewType("NewId", int)

class Api(ApiClient):
"""


@both_modes
@pytest.mark.parametrize(("method", "parameter", "role", "alias"), ROLES.values(), ids=ROLES.keys())
def test_a_role_is_decided_by_marker_name_and_type(
    method: str, parameter: str, role: str, alias: str, flags: int
) -> None:
    path = "/<p>" if parameter.startswith("p") else "/"
    names = declare(f'{NAMES}    @route("{method}", "{path}")\n    def f(self, {parameter}) -> None: ...', flags)
    (found,) = names["Api"].f.spec.parameters
    assert (found.role, found.alias) == (role, alias)


def test_a_type_that_contains_itself_is_a_body() -> None:
    assert is_body(list[int], within=(list[int],))
    assert not is_body(list[int], within=(list[str],))


def test_a_parameter_spec_tells_all_about_a_parameter() -> None:
    parameters = 'self, a: int, /, b: str = "x", *, c: Annotated[int | None, Query("d")] = None'
    api = client(f'@get("/<a>")\ndef f({parameters}) -> None: ...')
    annotation = api.f.spec.parameters[2].annotation
    assert api.f.spec.parameters == (
        ParameterSpec("a", "a", "path", int, Parameter.empty, "positional"),
        ParameterSpec("b", "b", "query", str, "x", "either"),
        ParameterSpec("c", "d", "query", annotation, None, "keyword"),
    )
    assert [parameter.required for parameter in api.f.spec.parameters] == [True, False, False]


# ---- what is sent

SENT = {
    "a required value": ("x: int", (1,), "?x=1"),
    "None leaves out": ("x: int | None", (None,), ""),
    "None as default leaves out": ("x: int | None = None", (), ""),
    "None as default of an int leaves out": ("x: int = None", (), ""),
    "None for Any leaves out": ("x: Any", (None,), ""),
    "a default is sent": ("x: int = 30", (), "?x=30"),
    "a false default is sent": ("x: bool = False", (), "?x=false"),
    "UNSET leaves out": ("x: int | Unset = UNSET", (), ""),
    "UNSET leaves out what allows None": ("x: int | None | Unset = UNSET", (), ""),
    "None leaves out what allows UNSET": ("x: int | None | Unset = UNSET", (None,), ""),
    "UNSET as default of an int leaves out": ("x: int = UNSET", (), ""),
    "UNSET for Any leaves out": ("x: Any = UNSET", (), ""),
    "a default without annotation is sent": ("x=1", (), "?x=1"),
    "an empty list sends nothing": ("x: list[int] = []", (), ""),
    "a list repeats": ("x: list[int]", ([1, 2],), "?x=1&x=2"),
    "a marker inside a union": ('x: Annotated[int, Query("n")] | None = None', (1,), "?n=1"),
    "a constraint inside a union": ('x: Annotated[int, Query("n"), Field(ge=1)] | None = None', (1,), "?n=1"),
}


@both_modes
@pytest.mark.parametrize(("parameter", "arguments", "query"), SENT.values(), ids=SENT.keys())
def test_what_of_a_query_is_sent(parameter: str, arguments: tuple[Any, ...], query: str, flags: int) -> None:
    api = client(f'@get("/x")\ndef f(self, {parameter}) -> None: ...', flags)
    assert api.f.request(*arguments).url == f"https://example.com/x{query}"


def test_a_constraint_inside_a_union_holds() -> None:
    api = client('@get("/x")\ndef f(self, x: Annotated[int, Query("n"), Field(ge=1)] | None = None) -> None: ...')
    with pytest.raises(ArgumentError, match=r"^Api\.f: x: Input should be greater than or equal to 1"):
        api.f.request(0)


def test_none_and_unset_leave_out_headers_and_cookies() -> None:
    api = client("""
        @get("/x")
        def f(self, a: Annotated[str | None, Header()] = None, b: Annotated[int | Unset, Header()] = UNSET,
              c: Annotated[str | None, Cookie()] = None, d: Annotated[str | None, Cookie()] = None) -> None: ...
    """)
    assert not {"a", "b", "cookie"} & set(api.f.request().headers)
    assert api.f.request("1", 2, c="3", d="4").headers["cookie"] == "c=3; d=4"
    assert api.f.request("1", 2).headers["b"] == "2"
    assert api.f.request(d="4").headers["cookie"] == "d=4"


BODIES = [
    ("Model | None = None", (), None),
    ("Model | None = None", (None,), None),
    ("Model | None | Unset = UNSET", (), None),
    ("Model | None | Unset = UNSET", (None,), b"null"),
    ("Model | Unset = UNSET", (), None),
    ("dict[str, int]", ({"a": 1},), b'{"a":1}'),
    ("Annotated[int | None, Body()]", (None,), None),
    ("Annotated[int | None | Unset, Body()]", (None,), b"null"),
]


@pytest.mark.parametrize(("parameter", "arguments", "content"), BODIES)
def test_what_of_a_body_is_sent(parameter: str, arguments: tuple[Any, ...], content: bytes | None) -> None:
    api = client(f'@post("/x")\ndef f(self, x: {parameter}) -> None: ...')
    request = api.f.request(*arguments)
    assert request.content == content
    assert ("content-type" in request.headers) == (content is not None)


def test_unset_fields_are_left_out_of_a_patch_alone() -> None:
    names = declare("""
        class Api(ApiClient):
            @patch("/x")
            def change(self, model: Model) -> None: ...

            @put("/x")
            def replace(self, model: Model) -> None: ...

            @patch("/x")
            def change_all(self, model: Annotated[Model, Body(exclude_unset=False)]) -> None: ...

            @put("/x")
            def replace_some(self, model: Annotated[Model, Body(exclude_unset=True)] | None) -> None: ...
    """)
    api, model = names["Api"](base_url="https://example.com"), names["Model"]()
    assert api.change.request(model).content == b"{}"
    assert api.replace.request(model).content == b'{"id":0}'
    assert api.change_all.request(model).content == b'{"id":0}'
    assert api.replace_some.request(model).content == b"{}"


# ---- how arguments are given


def test_positional_and_keyword_only_parameters_are_as_python_says() -> None:
    api = client('@get("/<a>")\ndef f(self, a: int, /, b: int, *, c: int = 3) -> None: ...')
    assert api.f.request(1, 2, c=4).url == "https://example.com/1?b=2&c=4"
    assert api.f.request(1, b=2).url == "https://example.com/1?b=2&c=3"
    with pytest.raises(TypeError, match=r"Api\.f\(\) got some positional-only arguments"):
        api.f.request(a=1, b=2)
    with pytest.raises(TypeError, match=r"Api\.f\(\) takes 3 positional arguments but 4 were given"):
        api.f.request(1, 2, 3)
    with pytest.raises(TypeError, match=r"Api\.f\(\) missing 1 required positional argument: 'b'"):
        api.f.request(1)


def test_all_parameters_may_be_positional_only() -> None:
    api = client('@get("/<a>")\ndef f(self, a: int, b: int = 2, /) -> None: ...')
    assert api.f.request(1).url == "https://example.com/1?b=2"


@pytest.mark.parametrize("name", ["_", "__", "_plan", "_path", "_0", "_bind", "plan", "f", "str", "tuple", "é"])
def test_a_parameter_may_have_any_name(name: str) -> None:
    parameters = f"{name}: int, _pairs: Annotated[int, Header()], {name}_: Annotated[int, Cookie('c')]"
    api = client(f'@get("/<{name}>")\ndef f(self, {parameters}) -> None: ...', EVALUATED)
    request = api.f.request(1, 2, 3)
    assert request.url == "https://example.com/1"
    assert request.headers["cookie"] == "c=3"
    assert request.arguments == {name: 1, "_pairs": 2, f"{name}_": 3}


# ---- what a call adds to what is always sent


def test_an_argument_replaces_what_is_always_sent_under_its_name() -> None:
    names = declare("""
        class Api(ApiClient):
            base_url = "https://example.com"
            query = {"page": 1, "sort": "name"}
            headers = {"X-A": "1", "X-B": "2"}

            @post("/x?kind=all", headers={"x-c": "3"}, idempotency_key="X-Key")
            def f(self, page: int | None = None, x_a: Annotated[str | None, Header()] = None) -> None: ...
    """)
    api = names["Api"]()
    assert api.f.request().url == "https://example.com/x?kind=all&page=1&sort=name"
    assert api.f.request(2).url == "https://example.com/x?kind=all&sort=name&page=2"
    assert api.f.request(x_a="4").headers.get_list("x-a") == ["4"]
    assert api.f.request(x_a="4").headers["x-b"] == "2"
    assert api.f.request().headers["x-key"] != api.f.request().headers["x-key"]
