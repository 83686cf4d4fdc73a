"""Resources: endpoints under a name and a path, on clients and on other resources."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from pydantic import BaseModel

from declaring import TEXT, declare, refusal
from stubwire import ApiClient, ArgumentError, Resource, get, post

URL = "https://example.com"


class Issue(BaseModel):
    number: int = 0


class Comments(Resource, path="/<int_id>/comments"):
    @get("")
    def find(self, owner: str, repo: str, int_id: int) -> list[Issue]:
        raise NotImplementedError

    @post("/<comment>/likes")
    def like(self, owner: str, repo: str, int_id: int, comment: int) -> None:
        raise NotImplementedError


class Issues(Resource, path="/repos/<owner>/<repo>/issues"):
    comments: Comments

    @get("")
    def find(self, owner: str, repo: str, *, state: str = "open") -> list[Issue]:
        """List the issues."""
        raise NotImplementedError

    @get("/<number>")
    def one(self, owner: str, repo: str, number: int) -> Issue:
        raise NotImplementedError


class GitHub(ApiClient):
    base_url = URL
    issues: Issues


def test_a_resource_s_path_goes_before_those_of_its_stubs() -> None:
    github = GitHub()
    assert github.issues.find.request("o", "r").url == f"{URL}/repos/o/r/issues?state=open"
    assert github.issues.one.request("o", "r", 3).url == f"{URL}/repos/o/r/issues/3"


def test_nesting_appends() -> None:
    github = GitHub()
    assert github.issues.comments.find.request("o", "r", 3).url == f"{URL}/repos/o/r/issues/3/comments"
    assert github.issues.comments.like.request("o", "r", 3, 4).url == f"{URL}/repos/o/r/issues/3/comments/4/likes"
    assert github.issues.comments.find.spec.path == "/repos/<owner>/<repo>/issues/<int_id>/comments"


def test_a_refused_argument_names_the_endpoint_as_the_client_reaches_it() -> None:
    with pytest.raises(ArgumentError) as caught:
        GitHub().issues.comments.find("o", "..", 3)
    assert str(caught.value) == (
        "GitHub.issues.comments.find: repo: '.' and '..' in any spelling cannot fill a path segment"
    )
    assert caught.value.__context__ is None


def test_a_refused_argument_of_a_call_that_an_argument_makes_keeps_its_own_name() -> None:
    class Search(Resource, path="/search"):
        @get("")
        def find(self, *, label: Iterable[str]) -> None:
            raise NotImplementedError

    class Api(ApiClient):
        base_url = URL
        search: Search

    def labels() -> Iterator[str]:
        yield str(GitHub().issues.find.request("", "r"))

    with pytest.raises(ArgumentError) as caught:
        Api().search.find(label=labels())
    assert str(caught.value) == "GitHub.issues.find: owner: an empty value cannot fill a path segment"


def test_a_resource_is_made_once_and_shows_where_it_stands() -> None:
    github = GitHub()
    assert github.issues is github.issues
    assert github.issues is not GitHub().issues
    assert repr(github.issues) == "<GitHub.issues>"
    assert repr(github.issues.comments) == "<GitHub.issues.comments>"
    assert repr(Issues()) == "<Issues>"
    assert github.issues.find.__qualname__ == "GitHub.issues.find"


def test_a_class_shows_the_resource_s_class() -> None:
    assert GitHub.issues is Issues  # type: ignore[comparison-overlap]


def test_two_clients_may_use_one_resource() -> None:
    class Enterprise(ApiClient):
        base_url = "https://enterprise.example.com/api"
        tickets: Issues

    assert Enterprise().tickets.one.request("o", "r", 1).url == "https://enterprise.example.com/api/repos/o/r/issues/1"
    assert GitHub().issues.one.request("o", "r", 1).url == f"{URL}/repos/o/r/issues/1"


def test_a_client_may_have_one_resource_class_twice() -> None:
    class Api(ApiClient):
        base_url = URL
        first: Issues
        second: Issues

    api = Api()
    assert api.first.find.__qualname__ == "Api.first.find"
    assert api.second.find.__qualname__ == "Api.second.find"


def test_a_resource_of_a_view_has_the_options_of_the_view() -> None:
    github = GitHub()
    assert github.issues.find.request("o", "r").headers.get("A") is None
    view = github.with_options(headers={"A": "b"})
    assert view.issues.find.request("o", "r").headers["A"] == "b"
    assert view.issues.comments.find.request("o", "r", 1).headers["A"] == "b"
    assert github.issues.find.request("o", "r").headers.get("A") is None


def test_a_resource_without_a_client_says_so_when_it_is_used() -> None:
    with pytest.raises(TypeError) as caught:
        _ = Issues().find
    assert str(caught.value) == "Issues belongs to no client: annotate it there, as in `issues: Issues`"
    with pytest.raises(TypeError, match="Issues belongs to no client"):
        _ = Issues().comments


def test_a_private_resource_is_one_too() -> None:
    class Api(ApiClient):
        base_url = URL
        _issues: Issues

        def first(self) -> str:
            return self._issues.one.request("o", "r", 1).url

    assert Api().first() == f"{URL}/repos/o/r/issues/1"


def test_an_attribute_of_another_type_is_left_alone() -> None:
    names = declare(
        """
        class Api(ApiClient):
            base_url = "https://example.com"
            count: int
            broken: 3 | "x"
            issues: Resource = 3
        """,
        TEXT,
    )
    api = names["Api"]()
    assert api.issues == 3
    assert not hasattr(api, "count")
    assert not hasattr(api, "broken")


def test_a_later_name_that_is_no_resource_is_no_attribute() -> None:
    names = declare('class Api(ApiClient):\n    base_url = "https://example.com"\n    lock: Lock', TEXT)
    names["Lock"] = int
    api = names["Api"]()
    with pytest.raises(AttributeError) as caught:
        _ = api.lock
    assert str(caught.value) == "'Api' has no attribute 'lock'"
    api.lock = 3
    assert api.lock == 3


# ---- what is wrong

NESTED = """
class Inner(Resource, path="/inner/<b>"):
    @get("/<c>")
    def one(self, b: int, c: int{extra}) -> None: ...

class Middle(Resource, path="/middle"):
    inner: Inner

class Outer(Resource, path="/<a>"):
    middle: Middle
"""


def test_a_placeholder_of_an_outer_resource_that_no_stub_supplies_is_refused_where_they_meet() -> None:
    assert refusal(NESTED.format(extra="")) == (
        "Inner.one: path '/<a>/middle/inner/<b>/<c>' names 'a', which no parameter supplies: write the parameter "
        "a: str, or take <a> out of the path"
    )


def test_a_parameter_may_be_a_path_of_an_outer_resource() -> None:
    text = NESTED.format(extra=", a: Annotated[str, Path()] = 'x'") + "class Api(ApiClient):\n    outer: Outer"
    api = declare(text)["Api"](base_url=URL)
    assert api.outer.middle.inner.one.request(1, 2).url == f"{URL}/x/middle/inner/1/2"


def test_a_path_parameter_that_no_resource_has_a_place_for_is_refused_at_the_client() -> None:
    found = refusal("""
        class Inner(Resource, path="/inner"):
            @get("")
            def one(self, a: Annotated[str, Path()]) -> None: ...

        class Api(ApiClient):
            inner: Inner
    """)
    assert found == (
        "Inner.one: parameter 'a' is marked Path(), but the path '/inner' has no <a>: "
        "write it there, or drop the marker"
    )


def test_one_placeholder_in_two_paths_is_refused() -> None:
    assert refusal("""
        class Inner(Resource, path="/inner/<id>"): ...

        class Outer(Resource, path="/outer/<id>"):
            inner: Inner
    """).startswith("Outer.inner: path '/outer/<id>/inner/<id>' names 'id' twice")
    assert refusal("""
        class Inner(Resource, path="/inner/<id>"):
            @get("/<id>")
            def one(self, id: int) -> None: ...
    """).startswith("Inner.one: path '/inner/<id>/<id>' names 'id' twice")


def test_a_resource_may_hold_itself() -> None:
    names = declare(
        """
        class Folder(Resource, path="/folder"):
            folder: Folder

            @get("")
            def find(self) -> None: ...

        class Api(ApiClient):
            base_url = "https://example.com"
            folder: Folder
        """,
        TEXT,
    )
    assert names["Api"]().folder.folder.folder.find.request().url == f"{URL}/folder/folder/folder"
