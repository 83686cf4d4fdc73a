"""`transport=`: one or a pair, their colours, their lifetime, and the engine that they decide."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

from conftest import Colour, EngineName
from stubwire import ApiClient, ConfigurationError, get


class Pets(ApiClient):
    base_url = "https://pets.example"

    @get("/pets/<name>")
    def pet(self, name: str) -> dict[str, str]:
        """Get a pet."""
        raise NotImplementedError


@pytest.fixture(params=("asyncio", "trio"))
def awaiting(request: pytest.FixtureRequest) -> Colour:
    """One asynchronous colour."""
    return Colour(str(request.param))


def pet_named(name: str, library: Any) -> Any:
    """A transport whose every answer is a pet of this name."""

    def answer(sent: Any) -> Any:
        return library.Response(200, json={"name": name})

    return library.MockTransport(answer)


def wsgi(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """A synchronous application."""
    start_response("200 OK", [("Content-Type", "application/json")])
    return [b'{"name": "sync"}']


async def asgi(scope: Any, receive: Any, send: Any) -> None:
    """An asynchronous application."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b'{"name": "async"}'})


# -- one, or one for each colour


@pytest.mark.parametrize("asgi_first", [False, True])
def test_a_pair_has_one_for_each_colour_in_any_order(engine: EngineName, colour: Colour, *, asgi_first: bool) -> None:
    library = importlib.import_module(engine)
    pair = library.WSGITransport(wsgi), library.ASGITransport(asgi)
    with Pets(transport=pair[::-1] if asgi_first else pair) as pets:
        assert colour.run(pets.pet, "x")["name"] == ("sync" if colour.name == "sync" else "async")


def test_a_pair_of_mock_transports_has_one_for_each_colour(engine: EngineName, colour: Colour) -> None:
    """Each could serve both colours, so their places decide: synchronous, asynchronous."""
    library = importlib.import_module(engine)
    pair = pet_named("sync", library), pet_named("async", library)
    with Pets(transport=pair) as pets:
        assert colour.run(pets.pet, "x")["name"] == ("sync" if colour.name == "sync" else "async")


def test_a_synchronous_call_without_a_synchronous_transport_says_so(engine: EngineName) -> None:
    library = importlib.import_module(engine)
    with Pets(transport=library.ASGITransport(asgi)) as pets, pytest.raises(ConfigurationError) as caught:
        pets.pet("Tom")
    assert str(caught.value) == (
        "Pets was given an asynchronous transport or client only, so this synchronous call has none: "
        "call the endpoint through .aio, or pass a synchronous one (or a pair of transports)"
    )


def test_an_asynchronous_call_without_an_asynchronous_transport_says_so(engine: EngineName, awaiting: Colour) -> None:
    library = importlib.import_module(engine)
    with Pets(transport=library.WSGITransport(wsgi)) as pets, pytest.raises(ConfigurationError) as caught:
        awaiting.run(pets.pet, "Tom")
    assert str(caught.value) == (
        "Pets was given a synchronous transport or client only, so this asynchronous call has none: "
        "make a synchronous call, or pass an asynchronous one (or a pair of transports)"
    )


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
        assert (view.pet("Tom")["name"], transport.closed) == ("Tom", [])
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
        assert pets.pet("Tom")["name"] == "Tom"


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
    assert str(caught.value) == "Pets: transport must be a transport of httpx or httpx2, not object"
