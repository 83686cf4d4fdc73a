"""A client inherits endpoints as a class inherits methods, and overrides them so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

import pytest
from pydantic import BaseModel

from declaring import refusal
from stubwire import ApiClient, Resource, get, post

URL = "https://example.com"


class Repo(BaseModel):
    id: int = 0


class Base(ApiClient):
    base_url = URL

    @get("/base")
    def one(self) -> Repo:
        """Answer."""
        raise NotImplementedError

    @get("/two")
    def two(self, page: int = 1) -> list[Repo]:
        raise NotImplementedError


def test_endpoints_are_inherited_and_named_for_the_class_that_is_used() -> None:
    class Api(Base):
        pass

    assert Api().one.request().url == f"{URL}/base"
    assert Api().one.spec.name == Api.one.spec.name == "Api.one"
    assert Base().one.spec.name == Base.one.spec.name == "Base.one"


def test_an_endpoint_may_be_overridden_with_another_path() -> None:
    class Api(Base):
        @get("/other")
        def one(self) -> Repo:
            raise NotImplementedError

    assert Api().one.request().url == f"{URL}/other"
    assert Api().two.request().url == f"{URL}/two?page=1"
    assert Base().one.request().url == f"{URL}/base"


def test_an_endpoint_may_be_overridden_with_a_method_that_uses_it() -> None:
    class Api(Base):
        def two(self, page: int = 1) -> Any:  # type: ignore[override]  # pyright: ignore[reportIncompatibleVariableOverride]
            return super().two.request(page + 1)

    api = Api()
    assert api.two(1).url == f"{URL}/two?page=2"
    assert api.two(1).url == f"{URL}/two?page=2"


def test_an_endpoint_may_be_overridden_with_one_that_is_something_else() -> None:
    class Api(Base):
        one: Any = None

    assert Api().one is None


def test_a_method_may_be_overridden_with_an_endpoint() -> None:
    class Abstract(ApiClient, ABC):
        base_url = URL

        @abstractmethod
        def one(self) -> Repo: ...

    class Api(Abstract):
        @get("/one")
        def one(self) -> Repo:  # pyright: ignore[reportIncompatibleMethodOverride]
            raise NotImplementedError

    with pytest.raises(TypeError, match="abstract"):
        Abstract()  # type: ignore[abstract]  # pyright: ignore[reportAbstractUsage]
    assert Api().one.request().url == f"{URL}/one"


def test_a_mixin_brings_endpoints_which_are_checked_with_the_client() -> None:
    class Mixin:
        @get("/mixed/<id>")
        def mixed(self, id: int) -> Repo:
            raise NotImplementedError

    class Api(Mixin, Base):
        pass

    assert Api().mixed.request(1).url == f"{URL}/mixed/1"
    assert Api.mixed.spec.name == "Api.mixed"
    found = refusal("""
        class Mixin:
            @get("/<id>")
            def mixed(self) -> None: ...

        class Api(Mixin, ApiClient): ...
    """)
    assert found.startswith("Api.mixed: path '/<id>' names 'id'")


def test_a_mixin_s_endpoint_is_not_checked_where_it_is_overridden() -> None:
    class Mixin:
        @get("/mixed/<id>")
        def mixed(self) -> Repo:
            raise NotImplementedError

    class Api(Mixin, Base):
        @get("/mixed")
        def mixed(self) -> Repo:
            raise NotImplementedError

    assert Api().mixed.request().url == f"{URL}/mixed"


def test_a_diamond_follows_the_order_of_its_bases() -> None:
    class Left(Base):
        @get("/left")
        def one(self) -> Repo:
            raise NotImplementedError

    class Right(Base):
        @get("/right")
        def one(self) -> Repo:
            raise NotImplementedError

        @get("/right")
        def two(self, page: int = 1) -> list[Repo]:
            raise NotImplementedError

    class Api(Left, Right):
        pass

    assert Api().one.request().url == f"{URL}/left"
    assert Api().two.request().url == f"{URL}/right?page=1"


def test_an_endpoint_may_have_a_second_name() -> None:
    class Api(ApiClient):
        base_url = URL

        @post("/x")
        def add(self, repo: Repo) -> Repo:
            raise NotImplementedError

        create = add

    api = Api()
    assert api.create.request(Repo()).url == api.add.request(Repo()).url == f"{URL}/x"


def test_a_subclass_keeps_the_options_of_an_inherited_endpoint() -> None:
    class First(ApiClient):
        base_url = URL

        @get("/x", headers={"A": "1"}, none_on={404})
        def one(self) -> Repo | None:
            raise NotImplementedError

    class Second(First):
        headers = {"B": "2"}

    assert dict(Second().one.request().headers) == {"a": "1", "b": "2", "accept": "application/json, */*;q=0.5"}
    assert Second.one.spec.none_on == {404}


def test_a_resource_inherits_its_path_and_a_subclass_may_have_another() -> None:
    class Things(Resource, path="/things"):
        @get("/<id>")
        def one(self, id: int) -> Repo:
            raise NotImplementedError

    class Same(Things):
        pass

    class Others(Things, path="/others/"):
        pass

    class Api(ApiClient):
        base_url = URL
        things: Things
        same: Same
        others: Others

    api = Api()
    assert api.things.one.request(1).url == f"{URL}/things/1"
    assert api.same.one.request(1).url == f"{URL}/things/1"
    assert api.others.one.request(1).url == f"{URL}/others/1"


def test_inherited_endpoints_are_checked_behind_the_path_of_a_subclass() -> None:
    found = refusal("""
        class Things(Resource, path="/things"):
            @get("/<id>")
            def one(self, id: int) -> None: ...

        class Others(Things, path="/<owner>/others"): ...
    """)
    assert found == (
        "Others.one: path '/<owner>/others/<id>' names 'owner', which no parameter supplies: write the parameter "
        "owner: str, or take <owner> out of the path"
    )


def test_a_resource_of_a_client_is_inherited_and_may_be_overridden() -> None:
    class Things(Resource, path="/things"):
        @get("")
        def find(self) -> list[Repo]:
            raise NotImplementedError

    class Others(Things, path="/others"):
        pass

    class First(ApiClient):
        base_url = URL
        things: Things

    class Second(First):
        things: Others  # pyright: ignore[reportIncompatibleVariableOverride] - narrower, and never assigned

        def of_the_first(self) -> Things:
            return super().things

    class Third(First):
        pass

    second = Second()
    assert second.of_the_first().find.request().url == f"{URL}/things"
    assert second.things.find.request().url == f"{URL}/others"
    assert Third().things.find.request().url == f"{URL}/things"


def test_a_stub_from_elsewhere_is_one_of_the_class_that_it_is_put_into() -> None:
    class Item(BaseModel):
        id: int = 0

    @get("/items")
    def find(self: object) -> list[Item]:
        raise NotImplementedError

    class Api(ApiClient):
        base_url = URL
        items = find

    assert Api().items.spec.returns == list[Item]
