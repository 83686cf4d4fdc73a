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
