"""The syntax of Python 3.12 (PEP 695): type parameters of classes, and type aliases."""

from __future__ import annotations

import sys
from typing import get_args

import pytest

from declaring import EVALUATED, TEXT, both_modes, declare

pytestmark = pytest.mark.skipif(sys.version_info < (3, 12), reason="its syntax is that of Python 3.12")

CRUD = """
T = int  # hidden by the type parameter

class Crud[T](Resource, path="/things"):
    @get("/<id>")
    def one(self, id: int) -> T: ...

    @post("")
    def add(self, item: T, note: "list[T] | None" = None) -> list[T]: ...

class Models(Crud[Model], path="/models"): ...

class Pair[A, B](Crud[B]):
    @get("/pair")
    def pair(self) -> tuple[A, B]: ...

class Api(ApiClient):
    base_url = "https://example.com"
    models: Models
    numbers: Crud[int]
    pairs: Pair[str, Model]
"""


@both_modes
def test_type_parameters_are_filled_in(flags: int) -> None:
    names = declare(CRUD.replace(', note: "list[T] | None" = None', ""), flags)
    api, model = names["Api"](), names["Model"]
    assert api.models.one.spec.returns is model
    assert api.models.add.request(model()).url == "https://example.com/models"
    assert api.numbers.add.spec.returns == list[int]
    assert api.numbers.add.request(3).url == "https://example.com/things?item=3"
    assert get_args(api.pairs.pair.spec.returns) == (str, model)
    assert get_args(api.pairs.add.spec.returns) == (model,)


@both_modes
def test_type_parameters_are_found_in_text(flags: int) -> None:
    names = declare(CRUD.replace("item: T, note", "note"), flags)
    note = names["Api"]().numbers.add.spec.parameters[0].annotation
    assert note == list[int] | None


@both_modes
def test_type_aliases_are_looked_through(flags: int) -> None:
    names = declare(
        """
        type Page = Annotated[int, Query("page-number"), Field(ge=1)]
        type Several[X] = list[X]
        type Tree = list[Tree] | int
        type Change = Model | None

        class Api(ApiClient):
            base_url = "https://example.com"

            @post("/x")
            def f(self, page: Page | None = None, ids: Several[int] = [], *, tree: Tree) -> Several[Model]: ...

            @patch("/x")
            def change(self, change: Change) -> Change: ...

            @post("/x")
            def several(self, models: Several[Model]) -> None: ...
        """,
        flags,
    )
    api, model = names["Api"](), names["Model"]
    request = api.f.request(2, [3, 4], tree=[1, [2]])
    assert request.url == "https://example.com/x?page-number=2&ids=3&ids=4"
    assert request.content == b"[1,[2]]"
    with pytest.raises(ValueError, match=r"^Api\.f: page: Input should be greater than or equal to 1$"):
        api.f.request(0, tree=1)
    assert api.change.request(model(id=1)).content == b'{"id":1}'
    assert api.change.request(None).content is None
    assert api.several.request([model()]).content == b'[{"id":0}]'


def test_an_alias_may_name_what_is_defined_later() -> None:
    names = declare(
        "type Item = Late\nclass Api(ApiClient):\n    @post('/x')\n    def f(self, item: Item) -> Item: ..."
    )
    names["Late"] = names["Model"]
    assert names["Api"].f.spec.parameters[0].role == "body"


@pytest.mark.parametrize("flags", [EVALUATED, TEXT])
def test_classes_in_functions_see_their_function_s_names(flags: int) -> None:
    names = declare(
        """
        def make():
            class Local(BaseModel):
                id: int = 0

            class Crud[T](Resource):
                @post("/x")
                def add(self, item: T, locals: "Annotated[int, Header()]") -> tuple[T, Local]: ...

            class Api(ApiClient):
                base_url = "https://example.com"
                models: Crud[Local]

            return Api, Local
        """,
        flags,
    )
    api, local = names["make"]()
    assert get_args(api().models.add.spec.returns) == (local, local)
