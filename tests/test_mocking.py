"""What stands in for a network: respx, and transports that answer by themselves, on both engines."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import respx
from fastapi import FastAPI, Header, HTTPException
from flask import Flask, jsonify, request
from pydantic import BaseModel

from conftest import Colour, EngineName
from stubwire import (
    ApiClient,
    ClientError,
    ConfigurationError,
    ConnectError,
    FixedDelay,
    ReadTimeout,
    Retry,
    TransportError,
    get,
    post,
)


class Pet(BaseModel):
    name: str
    age: int = 0


class Problem(BaseModel):
    detail: str


class PetError(ClientError[Problem]):
    """What the API refuses."""


class Pets(ApiClient):
    base_url = "https://pets.example/v1"
    headers = {"X-Caller": "tests"}
    errors = {"4XX": PetError}
    retry = Retry(max_retries=1, backoff=FixedDelay(0.0))

    @get("/pets/<name>")
    def pet(self, name: str, *, age: int | None = None) -> Pet:
        """Get a pet."""
        raise NotImplementedError

    @post("/pets")
    def create(self, pet: Pet) -> Pet:
        """Create a pet."""
        raise NotImplementedError


@pytest.fixture(params=("asyncio", "trio"))
def awaiting(request: pytest.FixtureRequest) -> Colour:
    """One asynchronous colour."""
    return Colour(str(request.param))


# -- respx, on the default transport


def test_respx_answers_a_client_on_its_default_transport(colour: Colour) -> None:
    with respx.mock(base_url="https://pets.example/v1") as router, Pets() as pets:
        one = router.get("/pets/Tom%20Cat", params={"age": "3"}).respond(json={"name": "Tom Cat", "age": 3})
        new = router.post("/pets", json={"name": "Jerry", "age": 1}).respond(201, json={"name": "Jerry"})
        assert colour.run(pets.pet, "Tom Cat", age=3) == Pet(name="Tom Cat", age=3)
        assert colour.run(pets.create, Pet(name="Jerry", age=1)) == Pet(name="Jerry")
    assert (one.call_count, new.call_count) == (1, 1)
    sent = new.calls.last.request
    assert sent.headers["x-caller"] == "tests"
    assert sent.headers["host"] == "pets.example"
    assert sent.headers["content-length"] == str(len(sent.content))


def test_respx_gives_several_answers_in_turn(colour: Colour) -> None:
    with respx.mock, Pets() as pets:
        route = respx.get("https://pets.example/v1/pets/Tom").mock(
            side_effect=[httpx.Response(503), httpx.Response(200, json={"name": "Tom"})]
        )
        answer = colour.response(pets.pet, "Tom")
    assert answer.data == Pet(name="Tom")
    assert [attempt.status_code for attempt in answer.attempts] == [503, 200]
    assert route.call_count == 2


@pytest.mark.parametrize(("raised", "seen"), [(httpx.ConnectError, ConnectError), (httpx.ReadTimeout, ReadTimeout)])
def test_respx_fails_as_a_network_does(
    colour: Colour, raised: type[httpx.TransportError], seen: type[TransportError]
) -> None:
    with respx.mock, Pets() as pets:
        route = respx.get(path="/v1/pets/Tom").mock(side_effect=raised)
        with pytest.raises(seen) as caught:
            colour.run(pets.pet, "Tom")
    assert [attempt.error for attempt in caught.value.attempts] == [seen.__name__] * 2
    assert route.call_count == 2


def test_respx_sees_a_status_as_its_error(colour: Colour) -> None:
    with respx.mock, Pets() as pets:
        respx.route(host="pets.example").respond(404, json={"detail": "no Tom"})
        with pytest.raises(PetError) as caught:
            colour.run(pets.pet, "Tom")
    assert caught.value.body == Problem(detail="no Tom")


def test_respx_refuses_what_it_was_not_told_of(colour: Colour) -> None:
    """The failure of the test comes out as itself, and is no error of the call."""
    with respx.mock, Pets() as pets, pytest.raises(respx.models.AllMockedAssertionError):
        colour.run(pets.pet, "Tom")


# -- transports of the engine's


def pet_named(name: str, library: Any) -> Any:
    """A transport whose every answer is a pet of this name."""

    def answer(sent: Any) -> Any:
        return library.Response(200, json={"name": name})

    return library.MockTransport(answer)


def test_a_mock_transport_serves_both_colours(engine: EngineName, colour: Colour) -> None:
    library = importlib.import_module(engine)

    def look(sent: Any) -> Any:
        assert (sent.method, sent.url.path, sent.url.params["age"]) == ("GET", "/v1/pets/Tom/Cat", "3")
        assert (sent.url.raw_path, sent.url.host) == (b"/v1/pets/Tom%2FCat?age=3", "pets.example")
        return library.Response(200, json={"name": "Tom"})

    with Pets(transport=library.MockTransport(look)) as pets:
        assert colour.run(pets.pet, "Tom/Cat", age=3) == Pet(name="Tom")


def test_an_asynchronous_handler_serves_asynchronous_calls(engine: EngineName, awaiting: Colour) -> None:
    library = importlib.import_module(engine)

    async def answer(sent: Any) -> Any:
        return library.Response(200, json={"name": "Tom"})

    with Pets(transport=library.MockTransport(answer)) as pets:
        assert awaiting.run(pets.pet, "Tom") == Pet(name="Tom")


def test_a_transport_of_ones_own_streams(engine: EngineName) -> None:
    """A transport that answers in pieces, with its own end."""
    library: Any = importlib.import_module(engine)
    ended: list[bool] = []

    class Pieces(library.SyncByteStream):  # type: ignore[misc]
        def __iter__(self) -> Iterator[bytes]:
            yield b'{"name": '
            yield b'"Tom"}'

        def close(self) -> None:
            ended.append(True)

    class Own(library.BaseTransport):  # type: ignore[misc]
        def handle_request(self, sent: Any) -> Any:
            return library.Response(200, stream=Pieces())

    with Pets(transport=Own()) as pets:
        assert pets.pet("Tom") == Pet(name="Tom")
    assert ended == [True]


# -- applications


def asgi_app() -> FastAPI:
    app = FastAPI()

    @app.get("/v1/pets/{name}")
    async def one(name: str, age: int = 0, x_caller: str = Header()) -> Pet:
        if name == "nobody":
            raise HTTPException(404, "no such pet")
        return Pet(name=f"{name}, asked by {x_caller}", age=age)

    @app.post("/v1/pets", status_code=201)
    def create(pet: Pet) -> Pet:
        return pet

    _ = one, create
    return app


def wsgi_app() -> Flask:
    app = Flask(__name__)

    @app.get("/v1/pets/<name>")
    def one(name: str) -> Any:
        if name == "nobody":
            return jsonify(detail="no such pet"), 404
        return jsonify(name=f"{name}, asked by {request.headers['x-caller']}", age=int(request.args.get("age", "0")))

    @app.post("/v1/pets")
    def create() -> Any:
        return jsonify(request.get_json()), 201

    _ = one, create
    return app


def check(run: Callable[..., Any], pets: Pets) -> None:
    assert run(pets.pet, "Tom & Jerry?", age=2) == Pet(name="Tom & Jerry?, asked by tests", age=2)
    assert run(pets.create, Pet(name="Spike", age=7)) == Pet(name="Spike", age=7)
    with pytest.raises(PetError) as caught:
        run(pets.pet, "nobody")
    assert (caught.value.status_code, caught.value.body) == (404, Problem(detail="no such pet"))


def test_an_asgi_application_answers_asynchronous_calls(engine: EngineName, awaiting: Colour) -> None:
    library = importlib.import_module(engine)
    with Pets(transport=library.ASGITransport(asgi_app())) as pets:
        check(awaiting.run, pets)


def test_a_wsgi_application_answers_synchronous_calls(engine: EngineName) -> None:
    library = importlib.import_module(engine)
    with Pets(transport=library.WSGITransport(wsgi_app())) as pets:
        check(Colour("sync").run, pets)


@pytest.mark.parametrize("asgi_first", [False, True])
def test_a_pair_of_applications_answers_both_colours(engine: EngineName, colour: Colour, *, asgi_first: bool) -> None:
    library = importlib.import_module(engine)
    pair = library.WSGITransport(wsgi_app()), library.ASGITransport(asgi_app())
    with Pets(transport=pair[::-1] if asgi_first else pair) as pets:
        check(colour.run, pets)


def test_a_pair_of_mock_transports_has_one_for_each_colour(engine: EngineName, colour: Colour) -> None:
    """Each could serve both colours, so their places decide: synchronous, asynchronous."""
    library = importlib.import_module(engine)
    pair = pet_named("sync", library), pet_named("async", library)
    with Pets(transport=pair) as pets:
        assert colour.run(pets.pet, "x").name == ("sync" if colour.name == "sync" else "async")


def test_a_synchronous_call_without_a_synchronous_transport_says_so(engine: EngineName) -> None:
    library = importlib.import_module(engine)
    with Pets(transport=library.ASGITransport(asgi_app())) as pets, pytest.raises(ConfigurationError) as caught:
        pets.pet("Tom")
    assert str(caught.value) == (
        "Pets was given an asynchronous transport or client only, so this synchronous call has none: "
        "call the endpoint through .aio, or pass a synchronous one (or a pair of transports)"
    )


def test_an_asynchronous_call_without_an_asynchronous_transport_says_so(engine: EngineName, awaiting: Colour) -> None:
    library = importlib.import_module(engine)
    with Pets(transport=library.WSGITransport(wsgi_app())) as pets, pytest.raises(ConfigurationError) as caught:
        awaiting.run(pets.pet, "Tom")
    assert str(caught.value) == (
        "Pets was given a synchronous transport or client only, so this asynchronous call has none: "
        "make a synchronous call, or pass an asynchronous one (or a pair of transports)"
    )


def test_what_an_application_raises_comes_out_as_itself(engine: EngineName) -> None:
    library = importlib.import_module(engine)
    app = wsgi_app()
    app.testing = True

    @app.get("/v1/pets/broken")
    def broken() -> Any:
        raise LookupError("a bug of the application")

    _ = broken
    with Pets(transport=library.WSGITransport(app)) as pets, pytest.raises(LookupError, match="a bug of the app"):
        pets.pet("broken")


# -- their lifetime


def counting(library: Any) -> Any:
    class Counting(library.MockTransport):  # type: ignore[misc]
        closed: list[str]

        def close(self) -> None:
            self.closed.append("close")

        async def aclose(self) -> None:
            self.closed.append("aclose")

    transport: Any = Counting(pet_named("Tom", library).handler)
    transport.closed = []
    return transport


def test_transports_close_with_their_client_once(engine: EngineName) -> None:
    transport = counting(importlib.import_module(engine))
    with Pets(transport=transport) as pets:
        view = pets.with_options(timeout=1)
        view.close()
        assert (view.pet("Tom").name, transport.closed) == ("Tom", [])
    pets.close()
    assert transport.closed == ["close"]
    with pytest.raises(ConfigurationError, match="Pets is closed"):
        pets.pet("Tom")


def test_a_pair_closes_in_its_colours(engine: EngineName, awaiting: Colour) -> None:
    library = importlib.import_module(engine)
    pair = counting(library), counting(library)

    async def call() -> None:
        async with Pets(transport=pair) as pets:
            await pets.pet.aio("Tom")

    awaiting.drive(call)
    assert [transport.closed for transport in pair] == [["close"], ["aclose"]]


# -- which engine


def test_the_transport_decides_which_engine_is_used(engine: EngineName) -> None:
    library = importlib.import_module(engine)
    with Pets(transport=pet_named("Tom", library)) as pets:
        assert type(pets.pet.response("Tom").raw).__module__.partition(".")[0] == engine
    with Pets(transport=pet_named("Tom", library), engine=engine) as pets:
        assert pets.pet("Tom").name == "Tom"


def test_an_engine_that_contradicts_the_transport_is_refused(engine: EngineName) -> None:
    other = "httpx" if engine == "httpx2" else "httpx2"
    transport = pet_named("Tom", importlib.import_module(other))
    with pytest.raises(ConfigurationError) as caught:
        Pets(transport=transport, engine=engine)
    assert str(caught.value) == f"engine={engine!r} cannot use an object of {other}: leave engine out"


def test_a_pair_of_two_libraries_is_refused() -> None:
    one, other = (pet_named("Tom", importlib.import_module(name)) for name in ("httpx", "httpx2"))
    with pytest.raises(ConfigurationError, match="httpx2"):
        Pets(transport=(one, other))


def test_a_transport_that_is_none_is_refused() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Pets(transport=object())  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert str(caught.value) == "Pets: transport must be one of httpx or httpx2, not object"
