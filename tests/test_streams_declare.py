"""What is wrong with the declaration of a stream is found when its class is created."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import Field

from stubwire import SSE, ApiClient, ConfigurationError, Event, Lines, SpecError, Stream, get, post, put


def declare(verb: Any, returns: object, **options: Any) -> None:
    class Api(ApiClient):
        base_url = "https://api.test"

        @verb("/", **options)  # type: ignore[untyped-decorator]
        def items(self) -> returns:  # type: ignore[valid-type]
            raise NotImplementedError


@pytest.mark.parametrize(
    ("verb", "returns", "options", "message"),
    [
        (
            post,
            Stream[Event[str]],
            {"stream": SSE(reconnect=True)},
            "stream=SSE(reconnect=True) sends the request again, and a POST may act twice: drop reconnect",
        ),
        (
            get,
            Stream[bytes],
            {"stream": SSE()},
            "stream=SSE(...) is not for Stream[bytes]: drop it, or write -> Stream[Event[Model]]",
        ),
        (
            get,
            Stream[str],
            {"stream": SSE()},
            "stream=SSE(...) is not for Stream[str]: drop it, or write -> Stream[Event[Model]]",
        ),
        (
            get,
            Stream[Event[str]],
            {"stream": Lines()},
            "stream=Lines(...) is not for Stream[Event[str]]: drop it, or write -> Stream[str]",
        ),
        (get, Stream[int], {"stream": SSE}, "stream=<class 'stubwire.SSE'> says nothing: "),
        (
            get,
            Stream[Event[bytes]],
            {"timeout": 1},
            "the data of an event is text or JSON: write Event[str], or Event[Model]",
        ),
        (
            get,
            Stream[Annotated[str, Field(max_length=3)]],
            {"timeout": 1},
            "are not validated: leave out their constraints",
        ),
    ],
)
def test_a_wrong_stream(verb: Any, returns: object, options: Any, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        declare(verb, returns, **options)
    assert str(caught.value).startswith("Api.items: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("verb", "returns", "options"),
    [
        (put, Stream[Event[str]], {"stream": SSE(reconnect=True)}),
        (post, Stream[Event[int]], {"stream": SSE(terminator="[DONE]")}),
        (post, Stream[int], {"stream": Lines(max_line_bytes=10)}),
        (get, Stream[Annotated[bytes, "documented"]], {"timeout": 1}),
        (get, Stream[Event], {"timeout": 1}),
    ],
)
def test_a_right_stream(verb: Any, returns: object, options: Any) -> None:
    declare(verb, returns, **options)


def test_an_item_that_pydantic_cannot_handle_is_found_at_first_access() -> None:
    class Opaque:
        pass

    class Api(ApiClient):
        base_url = "https://api.test"

        @get("/")
        def items(self) -> Stream[Opaque]:
            raise NotImplementedError

    with pytest.raises(SpecError, match=r"^Api\.items: pydantic cannot handle the type Opaque: "):
        _ = Api().items


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "1"])
def test_a_limit_is_a_whole_number(value: Any) -> None:
    for make, name in (
        (lambda: SSE(max_reconnects=value), "SSE max_reconnects"),
        (lambda: SSE(max_event_bytes=value), "SSE max_event_bytes"),
        (lambda: Lines(max_line_bytes=value), "Lines max_line_bytes"),
    ):
        with pytest.raises(ConfigurationError) as caught:
            make()
        assert str(caught.value) == f"{name}={value!r} must be a whole number from 1"
