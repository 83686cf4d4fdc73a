"""What a declared endpoint shows of itself: spec, repr, docstring, signature, `help()`, and mocks of the client."""

from __future__ import annotations

import inspect
import pydoc
from typing import Any
from unittest.mock import create_autospec

import pytest
from pydantic import BaseModel

from declaring import both_modes, declare
from stubwire import ApiClient, EndpointSpec, NotFoundError, ParameterSpec, Resource, get, patch

URL = "https://example.com"


class Repo(BaseModel):
    id: int = 0


class Missing(NotFoundError[Repo]):
    """No such repository."""


class Things(Resource, path="/things"):
    @get("/<id>")
    def one(self, id: int) -> Repo:
        """Answer one thing."""
        raise NotImplementedError


class GitHub(ApiClient):
    """A client of GitHub."""

    base_url = URL
    things: Things

    @get("/users/<username>/repos")
    def user_repos(self, username: str, *, per_page: int = 30) -> list[Repo]:
        """List a user's public repositories."""
        raise NotImplementedError

    @patch("/repos/<id>", unwrap="data", errors={404: Missing}, none_on={410})
    async def change(self, id: int, repo: Repo) -> Repo | None:
        raise NotImplementedError


def test_an_endpoint_spec_tells_all_about_an_endpoint() -> None:
    assert GitHub.user_repos.spec == EndpointSpec(
        name="GitHub.user_repos",
        method="GET",
        path="/users/<username>/repos",
        parameters=(
            ParameterSpec("username", "username", "path", str),
            ParameterSpec("per_page", "per_page", "query", int, 30, "keyword"),
        ),
        returns=list[Repo],
        is_async=False,
        unwrap=None,
        errors={},
        none_on=frozenset(),
    )
    assert GitHub.change.spec == EndpointSpec(
        name="GitHub.change",
        method="PATCH",
        path="/repos/<id>",
        parameters=(ParameterSpec("id", "id", "path", int), ParameterSpec("repo", "repo", "body", Repo)),
        returns=Repo | None,
        is_async=True,
        unwrap="data",
        errors={404: Missing},
        none_on=frozenset({410}),
    )


def test_a_bound_endpoint_has_the_same_spec() -> None:
    assert GitHub().user_repos.spec == GitHub.user_repos.spec
    assert GitHub().user_repos.request("o").spec is GitHub().user_repos.spec


def test_a_spec_is_frozen() -> None:
    with pytest.raises(AttributeError):
        GitHub.user_repos.spec.path = "/"  # type: ignore[misc]  # pyright: ignore[reportAttributeAccessIssue]


REPRS = {
    "a list": ("list[Model]", "list[Model]"),
    "a union": ("Model | None", "Model | None"),
    "nothing": ("None", "None"),
    "annotated": ("Annotated[int, Field(ge=1)]", "int"),
    "a literal": ('Literal["a", 1]', "Literal['a', 1]"),
    "a tuple": ("tuple[int, ...]", "tuple[int, ...]"),
    "a mapping": ("Mapping[str, Any]", "Mapping[str, Any]"),
    "optional": ("Optional[int]", "int | None"),
    "a response": ("Response[Model]", "Response[Model]"),
}


@both_modes
@pytest.mark.parametrize(("returns", "shown"), REPRS.values(), ids=REPRS.keys())
def test_an_endpoint_shows_method_path_and_result(returns: str, shown: str, flags: int) -> None:
    text = f'class Api(ApiClient):\n    @get("/<x>/y")\n    def f(self, x: int) -> {returns}: ...'
    names = declare(text, flags)
    assert repr(names["Api"](base_url=URL).f) == f"<Api.f: GET /<x>/y -> {shown}>"


def test_a_route_shows_itself_without_needing_its_names() -> None:
    assert repr(GitHub.user_repos) == "<GET /users/<username>/repos -> list[Repo]>"
    assert repr(Things.one) == "<GET /things/<id> -> Repo>"
    evaluated = declare('class Api(ApiClient):\n    @get("/x")\n    def f(self) -> list[Model]: ...')
    assert repr(evaluated["Api"].f) == "<GET /x -> list[Model]>"


def test_name_docstring_and_signature_are_the_stub_s() -> None:
    for endpoint in (GitHub.user_repos, GitHub().user_repos, GitHub().user_repos.aio):
        shown: Any = endpoint
        assert shown.__name__ == "user_repos"
        assert shown.__doc__ == "List a user's public repositories."
        assert shown.__module__ == __name__
        assert list(inspect.signature(shown).parameters) == ["username", "per_page"]


def test_help_shows_the_stub() -> None:
    text = pydoc.plain(pydoc.render_doc(GitHub))
    assert "user_repos" in text
    assert "List a user's public repositories." in text


def test_a_mock_of_the_class_has_its_endpoints() -> None:
    """It does not refuse wrong arguments: for an attribute that is an object, `unittest.mock` drops one parameter of
    the signature in some places and none in others, so only `(*args, **kwargs)` serves both."""
    mock: Any = create_autospec(GitHub)
    client = mock(base_url="https://other.example.com")
    client.user_repos.return_value = [Repo(id=1)]
    assert client.user_repos("octocat", per_page=3) == [Repo(id=1)]
    client.user_repos.assert_called_once_with("octocat", per_page=3)
    with pytest.raises(AttributeError):
        _ = client.no_such_endpoint
    with pytest.raises(AttributeError):
        _ = client.user_repos.no_such_mode


def test_a_mock_of_a_client_has_its_endpoints_and_resources() -> None:
    mock: Any = create_autospec(GitHub())
    mock.user_repos.return_value = []
    assert mock.user_repos("octocat") == []
    mock.user_repos.response.return_value = 3
    assert mock.user_repos.response("octocat") == 3
    mock.things.one(3)
    mock.things.one.assert_called_once_with(3)
    with pytest.raises(AttributeError):
        _ = mock.things.no_such_endpoint


def test_the_stub_s_body_is_never_run() -> None:
    class Api(ApiClient):
        base_url = URL

        @get("/x")
        def f(self) -> Repo:
            raise AssertionError("run")

    assert Api().f.request().url == f"{URL}/x"
