"""Annotations are resolved where they were written: in text (PEP 563), in functions, across modules, or later."""

from __future__ import annotations

import sys
from abc import ABC
from types import GenericAlias, ModuleType
from typing import Annotated, Any, NewType

import pytest
from pydantic import BaseModel

from declaring import TEXT, both_modes, declare, refused_stub
from stubwire import ApiClient, Query, Resource, SpecError, get, post

URL = "https://example.com"
UserId = NewType("UserId", int)
PerPage = Annotated[int, Query("per-page")]


class Repo(BaseModel):
    id: int = 0


def test_text_finds_the_names_of_its_module() -> None:
    class Api(ApiClient):
        @get("/<user>")
        def repos(self, user: UserId, per_page: PerPage = 3) -> list[Repo]:
            raise NotImplementedError

    assert Api.repos.spec.returns == list[Repo]
    assert Api(base_url=URL).repos.request(UserId(1)).url == f"{URL}/1?per-page=3"


def test_text_finds_models_of_the_function_that_makes_the_class() -> None:
    class Local(BaseModel):
        id: int = 0

    class Api(ApiClient):
        @post("/x")
        def add(self, item: Local) -> Local:
            raise NotImplementedError

    assert Api.add.spec.returns is Local
    assert Api(base_url=URL).add.request(Local()).content == b'{"id":0}'


def test_a_local_name_hides_that_of_the_module() -> None:
    module_level = Repo

    def make() -> tuple[type[ApiClient], type[BaseModel]]:
        class Repo(BaseModel):
            name: str = ""

        class Api(ApiClient):
            @get("/x")
            def one(self) -> Repo:
                raise NotImplementedError

        return Api, Repo

    made, local = make()
    assert vars(made)["one"].spec.returns is local
    assert local is not module_level


def test_neither_an_abstract_class_nor_an_override_hides_the_function() -> None:
    class Local(BaseModel):
        id: int = 0

    class Base(ApiClient, ABC):
        def __init_subclass__(cls, **kwargs: object) -> None:
            super().__init_subclass__(**kwargs)

        @get("/x")
        def one(self) -> Local:
            raise NotImplementedError

    class Api(Base):
        @get("/y")
        def two(self) -> Local:
            raise NotImplementedError

    assert Base.one.spec.returns is Api.two.spec.returns is Local


def test_an_inherited_stub_keeps_the_names_of_the_function_that_it_stands_in() -> None:
    def make() -> tuple[Any, type[BaseModel]]:
        class Local(BaseModel):
            id: int = 0

        class Base(ApiClient):
            @post("/x")
            def add(self, item: Local) -> list[Local]:
                raise NotImplementedError

        return Base, Local

    base, local = make()

    class Local(BaseModel):
        """Not the one that the base means."""

    api: Any = type("Api", (base,), {})
    assert api(base_url=URL).add.spec.returns == GenericAlias(list, local)
    assert api.add.spec.returns != list[Local]
    assert api.add.spec.name == "Api.add"


def test_a_class_may_be_used_before_its_names_are_defined() -> None:
    names = declare(
        """
        class Api(ApiClient):
            @get("/x")
            def f(self, late: Late, n: int = 1) -> "list[Late]": ...
        """,
        TEXT,
    )
    names["Late"] = int
    assert names["Api"](base_url=URL).f.request(2).url == f"{URL}/x?late=2&n=1"


def test_what_can_be_checked_is_checked_although_a_name_is_defined_later() -> None:
    found = refused_stub('@get("/x")\ndef f(self, a: Late, b) -> Late: ...', TEXT)
    assert found == "Api.f: parameter 'b' has no annotation: write b: str, or the type that it has"


UNDEFINED = (
    "Api.f: the name 'Late' in its annotations is not defined: import it at run time, not only under TYPE_CHECKING, "
    "and define it before the class where both are inside a function"
)


@pytest.mark.parametrize("stub", ["self, a: Late) -> None", "self) -> Late", "self, a: 'list[Late]' = 1) -> None"])
def test_a_name_that_exists_for_type_checkers_only_is_refused_at_first_access(stub: str) -> None:
    names = declare(
        f'if typing.TYPE_CHECKING:\n    Late = int\nclass Api(ApiClient):\n    @get("/x")\n    def f({stub}: ...', TEXT
    )
    with pytest.raises(SpecError) as on_class:
        _ = names["Api"].f.spec
    with pytest.raises(SpecError) as on_client:
        _ = names["Api"](base_url=URL).f
    assert str(on_class.value) == str(on_client.value) == UNDEFINED
    assert on_class.value.__context__ is None


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="3.13 sees what a function defines later")
def test_a_model_that_its_function_defines_later_must_come_earlier() -> None:
    class Api(ApiClient):
        @get("/x")
        def f(self) -> Late:
            raise NotImplementedError

    class Late(BaseModel):
        pass

    with pytest.raises(SpecError) as caught:
        _ = Api(base_url=URL).f
    assert str(caught.value) == UNDEFINED


@pytest.mark.skipif(sys.version_info < (3, 13), reason="before 3.13 a function's names are those of that moment")
def test_a_model_that_its_function_defines_later_is_found() -> None:
    class Api(ApiClient):
        @get("/x")
        def f(self) -> Late:
            raise NotImplementedError

    class Late(BaseModel):
        pass

    assert Api(base_url=URL).f.spec.returns is Late


NESTED = {
    "text in a list": ('list["Late"]', "list[Late]"),
    "text in a union": ('Optional["Late"]', "Optional[Late]"),
    "text in Annotated": ('Annotated["Late", Query("n")]', 'Annotated[Late, Query("n")]'),
    "text in text": ("\"list['Late']\"", "list[Late]"),
    "text in a list in a union": ('Optional[list["Late"]]', "Optional[list[Late]]"),
    "text in Literal stays": ('Literal["Late"]', 'Literal["Late"]'),
    "a forward reference": ('typing.ForwardRef("Late")', "Late"),
    "a whole annotation": ('"Late | None"', "Optional[Late]"),
}


@both_modes
@pytest.mark.parametrize(("written", "meant"), NESTED.values(), ids=NESTED.keys())
def test_text_inside_types_is_resolved(written: str, meant: str, flags: int) -> None:
    names = declare(
        f'class Api(ApiClient):\n    @get("/x")\n    def f(self, a: {written}) -> None: ...\nLate = int', flags
    )
    assert names["Api"].f.spec.parameters[0].annotation == eval(meant, names)


@both_modes
def test_an_endpoint_does_not_hide_a_builtin_or_a_module_name_from_text(flags: int) -> None:
    names = declare(
        """
        class Api(ApiClient):
            Inner = int

            @sw.get("/x")
            def list(self) -> None: ...

            @sw.get("/x")
            def Model(self) -> None: ...

            @sw.post("/x")
            def f(self, a: "list[Model]", b: "Inner") -> "list[Model]": ...
        """,
        flags,
    )
    spec = names["Api"].f.spec
    assert spec.returns == GenericAlias(list, names["Model"])
    assert spec.parameters[1].annotation is int


WRONG = {
    "no expression": ("'list[int'", "SyntaxError: '[' was never closed (<string>, line 1)"),
    "no type argument": ("'int[str]'", "TypeError: type 'int' is not subscriptable"),
}


@pytest.mark.parametrize(("annotation", "reason"), WRONG.values(), ids=WRONG.keys())
def test_text_that_is_no_type_is_refused(annotation: str, reason: str) -> None:
    with pytest.raises(SpecError) as caught:
        declare(f'class Api(ApiClient):\n    @get("/x")\n    def f(self, a: {annotation}) -> None: ...')
    assert str(caught.value) == (
        f"Api.f: parameter 'a' has the annotation {annotation}, which is no type ({reason}): write one that Python can "
        "evaluate"
    )


def test_a_result_that_is_no_type_is_refused_at_first_access() -> None:
    names = declare("class Api(ApiClient):\n    @get('/x')\n    def f(self) -> 'int[str]': ...")
    with pytest.raises(SpecError, match=r"^Api.f: the result has the annotation 'int\[str\]', which is no type"):
        _ = names["Api"].f.spec


def test_an_attribute_of_a_module_that_is_being_imported_may_come_later() -> None:
    module = ModuleType("being_imported")
    names = declare("class Api(ApiClient):\n    def __init_subclass__(cls): super().__init_subclass__()")
    names["being_imported"] = module
    text = 'class Late(Api):\n    @get("/x")\n    def f(self, a: being_imported.Late) -> None: ...'
    exec(compile(text, "later.py", "exec", flags=TEXT, dont_inherit=True), names)
    with pytest.raises(SpecError, match=r"the name 'being_imported.Late' in its annotations is not defined"):
        _ = names["Late"].f.spec
    vars(module)["Late"] = int
    assert names["Late"].f.spec.parameters[0].annotation is int


def test_each_distinct_text_is_evaluated_once() -> None:
    names = declare(
        """
        seen = []
        def spy(value):
            seen.append(value)
            return value
        class Api(ApiClient):
            @get("/a")
            def a(self, x: "spy(int)", y: "spy(int)") -> None: ...
            @get("/b")
            def b(self, x: "spy(int)", z: "spy(str)") -> None: ...
        """
    )
    _ = names["Api"].a.spec, names["Api"].b.spec
    assert names["seen"] == [int, str]


def test_an_annotation_that_cannot_be_hashed_is_read_like_any_other() -> None:
    class Api(ApiClient):
        @get("/x")
        def f(self, a: Annotated[int, ["a note"], Query("n")], b: Annotated[int, ["a note"], Query("m")]) -> None:
            raise NotImplementedError

    evaluated = declare("""
        class Api(ApiClient):
            @get("/x")
            def f(self, a: Annotated[int, ["note"], Query("n")], b: Annotated[int, ["note"], Query("m")]) -> None: ...
    """)["Api"]
    for api in (Api(base_url=URL), evaluated(base_url=URL)):
        assert api.f.request(1, 2).url == f"{URL}/x?n=1&m=2"


UNABLE = [
    ("a: Plain", "-> None", "Api.f: a: "),
    ("a: int", "-> Plain", "Api.f: "),
]


@pytest.mark.parametrize(("parameter", "returns", "where"), UNABLE)
def test_a_type_that_pydantic_cannot_handle_is_refused_at_first_access(
    parameter: str, returns: str, where: str
) -> None:
    names = declare(f'class Api(ApiClient):\n    @get("/x")\n    def f(self, {parameter}) {returns}: ...')
    with pytest.raises(SpecError) as caught:
        _ = names["Api"](base_url=URL).f
    assert str(caught.value).startswith(f"{where}pydantic cannot handle the type Plain: ")


LACKING = """
class Lacking(BaseModel):
    part: "Later"

class Api(ApiClient):
    @post("/x")
    def sent(self, lacking: Lacking) -> None: ...
    @get("/x")
    def found(self) -> Lacking: ...
"""


@pytest.mark.parametrize(("endpoint", "where"), [("sent", "Api.sent: lacking"), ("found", "Api.found")])
def test_a_model_that_lacks_a_name_is_refused_at_first_access_until_the_name_is_defined(
    endpoint: str, where: str
) -> None:
    names = declare(LACKING)
    api = names["Api"](base_url=URL)
    with pytest.raises(SpecError) as caught:
        getattr(api, endpoint)
    assert str(caught.value) == f"{where}: pydantic cannot handle the type Lacking: name 'Later' is not defined"
    names["Later"] = int
    assert getattr(api, endpoint).spec.name == f"Api.{endpoint}"


def test_a_resource_that_is_defined_later_is_found() -> None:
    names = declare(
        """
        class Api(ApiClient):
            things: Things
            other: Nowhere

        class Things(Resource, path="/things"):
            @get("")
            def find(self) -> None: ...
        """,
        TEXT,
    )
    api = names["Api"](base_url=URL)
    assert api.things.find.request().url == f"{URL}/things"
    assert issubclass(names["Api"].things, Resource)
    with pytest.raises(AttributeError) as caught:
        _ = api.other
    assert str(caught.value) == "'Api' has no attribute 'other': the name 'Nowhere' in its annotation is not defined"
