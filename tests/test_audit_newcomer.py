"""What a newcomer does wrong, and what it says."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import httpx
import pytest
from pydantic import BaseModel, Field

import stubwire as sw
from conftest import Api, Reply
from stubwire import ApiClient, ClientSettings, ConfigurationError, Resource, SpecError
from stubwire.plugins import LoggerPlugin

MakeApi = Callable[..., Api]
URL = "https://a.test"


class Settings(ClientSettings):
    base_url: str = URL


class Other(BaseModel):
    base_url: str = URL


def test_settings_may_be_optional_or_a_class_variable() -> None:
    class Optional(ApiClient):
        settings: Settings | None

    class Variable(ApiClient):
        settings: ClassVar[Settings]

    assert [Optional().base_url, Variable().base_url] == [URL, URL]


@pytest.mark.parametrize(
    ("hint", "found"), [(Other, "Other"), (int, "int"), ("Nope", "the name 'Nope', which is not defined")]
)
def test_an_annotation_that_is_no_settings_class_is_refused(hint: object, found: str) -> None:
    kind = type("A", (ApiClient,), {"__annotations__": {"settings": hint}, "__module__": __name__})
    with pytest.raises(ConfigurationError) as error:
        kind()
    assert str(error.value) == f"A: write settings: MySettings, a subclass of ClientSettings, not {found}"


def test_an_object_that_is_no_client_settings_is_refused() -> None:
    class A(ApiClient):
        base_url = URL

    with pytest.raises(
        ConfigurationError, match=r"^A\(\.\.\.\) takes a ClientSettings, not Other: options go by name$"
    ):
        A(Other())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    with pytest.raises(TypeError, match=r"^A\(\) takes settings as its first argument, without a name: A\("):
        A(settings=Settings())  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


def test_settings_assigned_in_the_class_are_not_ignored() -> None:
    with pytest.raises(SpecError) as error:

        class A(ApiClient):
            settings = Settings(timeout=3)

    assert str(error.value) == (
        "A.settings is an annotation: write settings: MySettings, and pass an object of it as A(settings)"
    )


def test_a_field_of_pydantics_as_default_is_refused() -> None:
    with pytest.raises(SpecError) as error:

        class A(ApiClient):
            @sw.get("/x")
            def f(self, n: int = Field(3, ge=1)) -> Any:
                raise NotImplementedError

    assert str(error.value) == ("A.f: parameter 'n' has a Field as default: write n: Annotated[..., Field(...)] = ...")


@pytest.mark.parametrize("outer", [staticmethod, classmethod, property])
def test_a_verb_stands_above_other_decorators(outer: Callable[[Any], Any]) -> None:
    def stub(self: ApiClient) -> int:
        raise NotImplementedError

    with pytest.raises(SpecError) as error:
        type("A", (ApiClient,), {"x": outer(sw.get("/u")(stub))})
    assert str(error.value) == f"A.x: write the verb above @{outer.__name__}, or drop that"


def test_a_resource_class_that_is_assigned_says_to_annotate() -> None:
    class Books(Resource):
        @sw.get("/b")
        def one(self) -> int:
            raise NotImplementedError

    class A(ApiClient):
        base_url = URL
        books = Books

    route: Any = A().books.one
    with pytest.raises(TypeError, match=r"^Books\.one is called on a client: annotate books: Books there$"):
        route()


def test_a_client_whose_init_was_not_called_says_so() -> None:
    class A(ApiClient):
        def __init__(self) -> None:
            pass

        @sw.get("/b")
        def one(self) -> int:
            raise NotImplementedError

    with pytest.raises(TypeError, match=r"^A was not made ready: call super\(\).__init__\(\.\.\.\) in its __init__$"):
        A().one()


def test_a_bug_of_a_transport_is_not_blamed_on_a_middleware() -> None:
    class A(ApiClient):
        base_url = URL

        @sw.get("/b")
        def one(self) -> int:
            raise NotImplementedError

    def handler(request: httpx.Request) -> httpx.Response:
        raise KeyError("a bug of the handler")

    async def innocent(request: sw.Request, call_next: sw.CallNext) -> sw.Response:
        return await call_next(request)

    with pytest.raises(KeyError) as error:
        A(transport=httpx.MockTransport(handler), middleware=[innocent]).one()
    assert error.value.__notes__ == ["raised in the transport 'httpx'"]


def test_a_logger_is_a_logger() -> None:
    with pytest.raises(ConfigurationError) as error:
        LoggerPlugin("github_client")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert str(error.value) == "LoggerPlugin takes a logger, not str: write logging.getLogger(...)"


def test_a_status_that_means_none_is_no_warning(api: MakeApi, caplog: pytest.LogCaptureFixture) -> None:
    class A(ApiClient):
        base_url = URL

        @sw.get("/b", none_on={404})
        def one(self) -> int | None:
            raise NotImplementedError

    with caplog.at_level(logging.INFO):
        assert A(transport=api(Reply(404)).transport, plugins=[LoggerPlugin()]).one() is None
    assert [record.levelname for record in caplog.records if record.name == "stubwire"] == ["INFO"]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "https://a.test/x",
            "path 'https://a.test/x' is a whole URL: write its beginning as base_url, and the path alone here",
        ),
        ("/users/:id", "path '/users/:id' has '/:id': write /<id> for a parameter, or /%3A for a colon"),
    ],
)
def test_a_path_of_another_framework_is_refused(path: str, message: str) -> None:
    with pytest.raises(SpecError) as error:

        class A(ApiClient):
            @sw.get(path)
            def x(self) -> int:
                raise NotImplementedError

    assert str(error.value) == f"A.x: {message}"


def test_objects_of_the_engines_are_named_with_their_library() -> None:
    class A(ApiClient):
        base_url = URL

    with pytest.raises(ConfigurationError) as error:
        A(timeout=httpx.Timeout(5))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert str(error.value) == "A: timeout must be seconds, or a stubwire.Timeout(...), not httpx.Timeout"
    with pytest.raises(ConfigurationError) as error:
        A(auth=httpx.Timeout(5))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert str(error.value) == "A: auth must be an Auth such as BearerAuth(token), not httpx.Timeout"


def test_a_type_that_cannot_be_decoded_is_named_behind_unwrap() -> None:
    class A(ApiClient):
        base_url = URL

        @sw.get("/x", unwrap="a.b")
        def x(self) -> Iterator[httpx.Response]:
            raise NotImplementedError

    client = A()
    with pytest.raises(SpecError, match=r"^A\.x: pydantic cannot handle the type Iterator\[Response\]: "):
        client.x()
