"""A client or resource may be generic; a subclass or an annotation says what its type variables are."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import pytest
from pydantic import BaseModel

from declaring import EVALUATED, TEXT, both_modes, declare, refusal
from stubwire import ApiClient, Body, Resource, SpecError, get, post

URL = "https://example.com"
T = TypeVar("T")
K = TypeVar("K")


class Repo(BaseModel):
    id: int = 0


class Crud(Resource, Generic[T], path="/things"):
    @get("/<id>")
    def one(self, id: int) -> T:
        raise NotImplementedError

    @get("")
    def find(self, page: int = 1) -> list[T]:
        raise NotImplementedError

    @post("")
    def add(self, item: T) -> T | None:
        raise NotImplementedError


def test_a_subclass_says_what_a_type_variable_is() -> None:
    class Repos(Crud[Repo], path="/repos"):
        pass

    class Api(ApiClient):
        base_url = URL
        repos: Repos

    repos = Api().repos
    assert repos.one.spec.returns is Repo
    assert repos.find.spec.returns == list[Repo]
    assert repos.add.spec.returns == Repo | None
    assert repos.add.request(Repo(id=3)).content == b'{"id":3}'
    assert repos.add.request(Repo()).url == f"{URL}/repos"


def test_so_does_the_annotation_on_a_client() -> None:
    class Api(ApiClient):
        base_url = URL
        repos: Crud[Repo]
        numbers: Crud[int]

    api = Api()
    assert api.repos.add.request(Repo(id=3)).content == b'{"id":3}'
    assert api.repos.find.spec.returns == list[Repo]
    assert api.numbers.add.request(3).url == f"{URL}/things?item=3"
    assert api.numbers.one.spec.returns is int
    assert api.repos.one.spec.returns is Repo


def test_type_variables_are_followed_through_several_levels() -> None:
    class Middle(Crud[list[T]], Generic[T, K]):
        @post("/<key>")
        def put(self, key: K, item: T) -> dict[str, T]:
            raise NotImplementedError

    class Leaf(Middle[Repo, int]):
        pass

    class Api(ApiClient):
        base_url = URL
        leaf: Leaf
        alias: Middle[Repo, int]

    for resource in (Api().leaf, Api().alias):
        assert resource.one.spec.returns == list[Repo]
        assert resource.find.spec.returns == list[list[Repo]]
        assert resource.put.spec.returns == dict[str, Repo]
        assert resource.add.request([Repo()]).content == b'[{"id":0}]'
        assert resource.put.request(1, Repo()).url == f"{URL}/things/1"


def test_a_client_may_be_generic() -> None:
    class Base(ApiClient, Generic[T]):
        base_url = URL
        things: Crud[T]

        @get("/one")
        def one(self) -> T:
            raise NotImplementedError

    class Api(Base[Repo]):
        pass

    assert Api.one.spec.returns is Repo
    assert Api().one.spec.returns is Repo
    assert Api().things.find.spec.returns == list[Repo]


def test_a_class_may_leave_out_a_type_variable_that_no_stub_needs() -> None:
    class Api(ApiClient, Generic[T]):
        base_url = URL

        @get("/one")
        def one(self) -> Repo:
            raise NotImplementedError

    assert Api[int].one.spec.returns is Repo
    assert Api().one.spec.returns is Repo


def test_a_type_variable_that_nothing_fills_in_is_refused_at_first_access() -> None:
    text = """
        class Crud(Resource, Generic[T]):
            @get("/one")
            def one(self) -> T: ...

            @get("/all")
            def find(self) -> list[T]: ...

            @post("/x")
            def add(self, item: T) -> None: ...

        class Api(ApiClient):
            things: Crud
    """
    things = declare(text)["Api"](base_url=URL).things
    message = "Crud.{}: nothing says what T is: write the type in a subclass or an annotation, as in Crud[Model]"
    for name in ("one", "find", "add"):
        with pytest.raises(SpecError) as caught:
            getattr(things, name)
        assert str(caught.value) == message.format(name)


@both_modes
def test_a_type_variable_of_a_body_that_is_a_scalar_is_a_query(flags: int) -> None:
    names = declare(
        """
        class Crud(Resource, Generic[T]):
            @post("/x")
            def add(self, item: T, items: Annotated[list[T], Body()]) -> None: ...

        class Api(ApiClient):
            base_url = "https://example.com"
            models: Crud[int]
        """,
        flags,
    )
    roles = [parameter.role for parameter in names["Api"]().models.add.spec.parameters]
    assert roles == ["query", "body"]


GET = """
class Crud(Resource, Generic[T]):
    @get("/x")
    def find(self, like: T) -> None: ...
"""


@pytest.mark.parametrize("flags", [EVALUATED, TEXT])
@pytest.mark.parametrize(
    ("holder", "owner"),
    [
        ("class Models(Crud[Model]): ...", "Models"),
        ("class Api(ApiClient):\n    models: Crud[Model]", "Crud"),
        ("class Outer(Resource):\n    models: Crud[Model]", "Crud"),
        ("class Api(ApiClient, Generic[T]):\n    models: Crud[T]\nclass Sub(Api[Model]): ...", "Crud"),
    ],
)
def test_what_a_type_variable_stands_for_is_checked_when_it_is_known(holder: str, owner: str, flags: int) -> None:
    assert refusal(GET + holder, flags) == (
        f"{owner}.find: parameter 'like' has the type Model, which is a JSON body, and GET usually has none: write "
        "Annotated[Model, Body()] to send one, or Annotated[Model, Query()] for query parameters"
    )


def test_two_classes_may_use_one_type_variable_for_different_things() -> None:
    class Pair(Resource, Generic[T, K]):
        @get("/pair")
        def pair(self) -> tuple[T, K]:
            raise NotImplementedError

    class Swapped(Pair[K, T], Generic[T, K]):
        @get("/swapped")
        def swapped(self) -> tuple[T, K]:
            raise NotImplementedError

    class Api(ApiClient):
        base_url = URL
        swapped: Swapped[int, str]

    assert Api().swapped.swapped.spec.returns == tuple[int, str]
    assert Api().swapped.pair.spec.returns == tuple[str, int]


def test_a_generic_resource_keeps_the_names_of_its_function() -> None:
    class Local(BaseModel):
        id: int = 0

    class Things(Resource, Generic[T]):
        @post("/x")
        def add(self, item: Annotated[dict[str, T], Body()]) -> Local:
            raise NotImplementedError

    class Api(ApiClient):
        base_url = URL
        things: Things[Repo]

    assert Api().things.add.spec.returns is Local
    assert Api().things.add.request({"a": Repo()}).content == b'{"a":{"id":0}}'


def test_a_type_argument_that_cannot_be_hashed_is_one_like_any_other() -> None:
    names = declare("""
        class Crud(Resource, Generic[T]):
            @post("/x")
            def add(self, item: T) -> T: ...

        class Api(ApiClient):
            base_url = "https://example.com"
            models: Crud[Annotated[Model, ["a note"]]]
    """)
    assert names["Api"]().models.add.request(names["Model"]()).content == b'{"id":0}'
