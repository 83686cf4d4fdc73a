"""What a decorated stub says about itself, what it is on its class, and the verbs that make it."""

from __future__ import annotations

import inspect
import pydoc
from collections.abc import Callable
from typing import Any, Literal, cast
from unittest.mock import create_autospec

import pytest
from pydantic import BaseModel

import stubwire as sw
from conftest import Api
from stubwire import ApiClient, Resource, Response, Route, SpecError, get, post, route

Apis = Callable[..., Api]


class Repo(BaseModel):
    name: str


class GitHub(ApiClient):
    base_url = "https://api.example"

    @get("/users/<username>/repos")
    def user_repos(self, username: str, *, per_page: int = 30, sort: Literal["name", "age"] = "name") -> list[Repo]:
        """List a user's repositories.

        The second line.
        """
        raise NotImplementedError

    @post("/repos")
    async def create(self, repo: Repo, /) -> Repo:
        raise NotImplementedError

    @get("/repos/<name>")
    def whole(self, name: str) -> Response[Repo]:
        raise NotImplementedError


def client_of(api: Api, kind: type[GitHub] = GitHub) -> GitHub:
    return kind(transport=api.transport)


# ---- what it says about itself


@pytest.mark.parametrize("bound", [False, True])
def test_it_has_the_stub_s_name_docstring_and_signature(api: Apis, *, bound: bool) -> None:
    endpoint: Any = client_of(api()).user_repos if bound else GitHub.user_repos
    assert (endpoint.__name__, endpoint.__qualname__) == ("user_repos", "GitHub.user_repos")
    assert endpoint.__module__ == __name__
    assert inspect.getdoc(endpoint) == "List a user's repositories.\n\nThe second line."
    signature = inspect.signature(endpoint)
    assert list(signature.parameters) == ["username", "per_page", "sort"]
    assert signature.return_annotation == list[Repo]
    assert signature.parameters["per_page"] == inspect.Parameter(
        "per_page", inspect.Parameter.KEYWORD_ONLY, default=30, annotation=int
    )


def test_a_signature_has_no_annotation_where_the_stub_has_none() -> None:
    names: dict[str, Any] = {"Repo": Repo}
    exec("def plain(self, a, /, b=1) -> Repo: ...", names)

    class Plain(ApiClient):
        plain = cast("Any", get("/<a>/<b>"))(names["plain"])

    assert str(inspect.signature(Plain.plain)) == f"(a, /, b=1) -> {__name__}.Repo"


def test_a_signature_shows_a_name_that_is_not_defined_yet_as_it_was_written() -> None:
    class Early(ApiClient):
        @get("/late")
        def late(self, a: int) -> list[Late]:
            raise NotImplementedError

    class Late(BaseModel):
        pass

    assert inspect.signature(cast("Any", Early.late)).parameters["a"].annotation is int
    assert str(cast("Any", Early).late) == "<GET /late -> list[Late]>"


def test_it_shows_what_it_is(api: Apis) -> None:
    gh = client_of(api())
    assert repr(GitHub.user_repos) == "<GET /users/<username>/repos -> list[Repo]>"
    assert repr(gh.user_repos) == "<GitHub.user_repos: GET /users/<username>/repos -> list[Repo]>"
    assert repr(gh.create) == "<GitHub.create: POST /repos -> Repo>"
    assert repr(gh.whole) == "<GitHub.whole: GET /repos/<name> -> Response[Repo]>"


def test_help_shows_signature_and_docstring(api: Apis) -> None:
    text = pydoc.plain(pydoc.render_doc(client_of(api()).user_repos))
    assert "user_repos" in text
    assert "List a user's repositories." in text
    assert "user_repos" in pydoc.plain(pydoc.render_doc(GitHub))


def test_a_mock_can_be_made_of_a_client_and_of_its_class(api: Apis) -> None:
    for spec in (client_of(api()), GitHub):
        mock = create_autospec(spec, instance=True)
        mock.user_repos.return_value = [Repo(name="x")]
        assert mock.user_repos("octocat") == [Repo(name="x")]
        with pytest.raises(AttributeError):
            mock.user_repo("octocat")


# ---- the route


def test_a_route_has_a_spec() -> None:
    spec = GitHub.user_repos.spec
    assert (spec.name, spec.method, spec.path) == ("GitHub.user_repos", "GET", "/users/<username>/repos")
    assert [(parameter.name, parameter.role) for parameter in spec.parameters] == [
        ("username", "path"),
        ("per_page", "query"),
        ("sort", "query"),
    ]
    assert (spec.returns, spec.is_async) == (list[Repo], False)
    assert GitHub.create.spec.is_async


def test_a_subclass_shows_the_route_as_its_own() -> None:
    class Enterprise(GitHub):
        pass

    assert Enterprise.user_repos.spec.name == "Enterprise.user_repos"
    assert GitHub.user_repos.spec.name == "GitHub.user_repos"
    assert inspect.getattr_static(GitHub, "user_repos") is GitHub.user_repos
    assert isinstance(Enterprise.user_repos, Route)


def test_a_route_without_owner_is_itself() -> None:
    found = inspect.getattr_static(GitHub, "user_repos")
    assert isinstance(found, Route)
    assert found.__get__(None) is found


def test_a_route_cannot_be_called() -> None:
    message = r"^GitHub\.user_repos is called on a client: GitHub\(\)\.user_repos\(\.\.\.\)$"
    with pytest.raises(TypeError, match=message):
        cast("Any", GitHub.user_repos)("octocat")


def test_a_route_that_stands_in_no_class_has_no_spec() -> None:
    @get("/loose")
    def loose(self: object) -> None: ...

    with pytest.raises(SpecError, match=r"loose stands in no class yet$"):
        _ = cast("Any", loose).spec
    assert repr(loose) == "<GET /loose -> None>"
    assert str(inspect.signature(cast("Any", loose))) == "() -> None"


def test_an_endpoint_called_get_hides_the_verb() -> None:
    with pytest.raises(
        SpecError,
        match=r"Hidden\.get is an endpoint, which hides the name 'get' for the rest of the class body: "
        r"write `import stubwire as sw` and `@sw\.get\(\.\.\.\)` there$",
    ):

        class Hidden(Resource):
            @get("/a")
            def get(self) -> None: ...

            other = cast("Any", get)("/b")


def test_an_endpoint_called_list_hides_the_builtin() -> None:
    with pytest.raises(
        SpecError,
        match=r"Hidden\.list is an endpoint, which hides the name 'list' for the rest of the class body: "
        r"write `import builtins` and `builtins\.list\[\.\.\.\]` there, or `from __future__ import annotations`$",
    ):

        class Hidden(Resource):
            @get("/a")
            def list(self) -> None: ...

            others = cast("Any", list)[int]


# ---- the verbs


@pytest.mark.parametrize("verb", ["get", "post", "put", "patch", "delete", "head", "options"])
def test_a_verb_is_the_method(verb: str, api: Apis) -> None:
    def stub(self: object) -> None: ...

    declared: dict[str, Any] = {"base_url": "https://api.example", "stub": getattr(sw, verb)("/x")(stub)}
    client: Any = type("Client", (ApiClient,), declared)(transport=api().transport)
    assert client.stub.request().method == verb.upper()


def test_route_declares_any_other_method(api: Apis) -> None:
    class Cache(ApiClient):
        base_url = "https://api.example"

        @route("purge", "/x")
        def purge(self) -> None: ...

    server = api()
    Cache(transport=server.transport).purge()
    assert server.request.method == "PURGE"


def test_a_method_is_a_token() -> None:
    with pytest.raises(SpecError, match=r"^'GET /' is no HTTP method$"):
        route("GET /", "/x")


@pytest.mark.parametrize(
    ("decorated", "name"), [(property(lambda _self: None), "<lambda>"), (type("Thing", (), {}), "Thing"), (3, "int")]
)
def test_a_verb_decorates_a_function(decorated: object, name: str) -> None:
    with pytest.raises(
        SpecError, match=rf"^{name}: @get decorates a function: write it above `def {name}\(self, ...\)`$"
    ):
        cast("Any", get("/x"))(decorated)


# ---- without a client


def test_a_resource_belongs_to_a_client() -> None:
    class Issues(Resource):
        @get("/issues")
        def find(self) -> None: ...

    with pytest.raises(TypeError, match=r"^Issues belongs to no client: annotate it there, as in `issues: Issues`$"):
        _ = Issues().find


def test_a_verb_needs_a_path() -> None:
    """A bare `@get` would swallow the stub."""
    with pytest.raises(SpecError, match=r'^find: @get needs a path: write @get\("/\.\.\."\)$'):

        class Client(ApiClient):
            @get  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            def find(self) -> None:
                raise NotImplementedError

    with pytest.raises(SpecError, match=r'^5: @get needs a path: write @get\("/\.\.\."\)$'):
        get(5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
