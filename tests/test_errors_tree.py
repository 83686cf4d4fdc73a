"""The tree of errors, and how each failure of an engine finds its place in it."""

from __future__ import annotations

import builtins
from collections.abc import Callable
from typing import Any

import pytest

import stubwire
from conftest import Api, Colour, Fail, Reply
from servers import CLOSE, GARBAGE, RESET, RawServer, truncated
from stubwire import ApiClient, CallError, Retry, errors, get, post

MakeApi = Callable[..., Api]

TREE: dict[str, tuple[type, ...]] = {
    "StubwireError": (Exception,),
    "SpecError": (errors.StubwireError, TypeError),
    "ConfigurationError": (errors.StubwireError, ValueError),
    "ArgumentError": (errors.StubwireError, ValueError),
    "ColourError": (errors.StubwireError, RuntimeError),
    "CallError": (errors.StubwireError,),
    "TransportError": (errors.CallError,),
    "TimeoutError": (errors.TransportError, builtins.TimeoutError),
    "ConnectTimeout": (errors.TimeoutError,),
    "ReadTimeout": (errors.TimeoutError,),
    "WriteTimeout": (errors.TimeoutError,),
    "PoolTimeout": (errors.TimeoutError,),
    "DeadlineExceeded": (errors.TimeoutError,),
    "NetworkError": (errors.TransportError, builtins.ConnectionError),
    "ConnectError": (errors.NetworkError,),
    "ReadError": (errors.NetworkError,),
    "WriteError": (errors.NetworkError,),
    "ProtocolError": (errors.TransportError,),
    "HTTPStatusError": (errors.CallError,),
    "ClientError": (errors.HTTPStatusError,),
    "BadRequestError": (errors.ClientError,),
    "AuthenticationError": (errors.ClientError,),
    "PermissionDeniedError": (errors.ClientError,),
    "NotFoundError": (errors.ClientError,),
    "ConflictError": (errors.ClientError,),
    "UnprocessableEntityError": (errors.ClientError,),
    "RateLimitError": (errors.ClientError,),
    "ServerError": (errors.HTTPStatusError,),
    "DecodeError": (errors.CallError,),
    "ResponseValidationError": (errors.DecodeError,),
    "ResponseTooLargeError": (errors.CallError,),
    "PaginationError": (errors.CallError,),
    "RepeatedPageError": (errors.PaginationError,),
    "ForeignPageError": (errors.PaginationError,),
    "PageLimitError": (errors.PaginationError,),
    "CircuitOpenError": (errors.CallError,),
    "LimitExceededError": (errors.CallError,),
    "RedirectError": (errors.CallError,),
    "CancelError": (errors.CallError,),
}


@pytest.mark.parametrize("name", TREE)
def test_the_tree(name: str) -> None:
    kind = getattr(stubwire, name)
    assert kind is getattr(errors, name)
    assert set(TREE[name]) <= set(kind.__mro__)
    assert kind.__doc__


def test_the_docstring_draws_every_error() -> None:
    every = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, BaseException)}
    assert every == set(TREE)
    assert all(name in (errors.__doc__ or "") for name in every)


# ---- from an engine's exceptions


class Clock(ApiClient):
    base_url = "https://api.example"
    retry: Retry | None = None

    @get("/time")
    def time(self) -> int:
        raise NotImplementedError

    @post("/time")
    def set(self) -> int:
        raise NotImplementedError


ENGINE_ERRORS: list[tuple[str, type[CallError], str]] = [
    ("ConnectTimeout", errors.ConnectTimeout, "timed out while connecting: it failed"),
    ("ReadTimeout", errors.ReadTimeout, "timed out while waiting for the response: it failed"),
    ("WriteTimeout", errors.WriteTimeout, "timed out while sending the request: it failed"),
    ("PoolTimeout", errors.PoolTimeout, "timed out while waiting for a free connection: it failed"),
    ("ConnectError", errors.ConnectError, "could not connect: it failed"),
    ("ReadError", errors.ReadError, "lost the connection before the response was whole: it failed"),
    ("CloseError", errors.ReadError, "lost the connection before the response was whole: it failed"),
    ("WriteError", errors.WriteError, "lost the connection while sending the request: it failed"),
    ("RemoteProtocolError", errors.ReadError, "got no valid response: it failed"),
    ("LocalProtocolError", errors.ProtocolError, "cannot be sent: LocalProtocolError"),
    ("InvalidURL", errors.ProtocolError, "cannot be sent: InvalidURL"),
    ("UnsupportedProtocol", errors.ProtocolError, "cannot be sent: UnsupportedProtocol"),
    ("ProxyError", errors.ProtocolError, "cannot be sent: ProxyError"),
    ("TooManyRedirects", errors.ProtocolError, "cannot be sent: TooManyRedirects"),
]


@pytest.mark.parametrize(("name", "kind", "message"), ENGINE_ERRORS, ids=[row[0] for row in ENGINE_ERRORS])
def test_each_exception_of_an_engine_has_its_kind(
    api: MakeApi, colour: Colour, name: str, kind: type[CallError], message: str
) -> None:
    client = Clock(transport=api(Fail(name)).transport)
    with pytest.raises(CallError) as caught:
        colour.run(client.time)
    assert type(caught.value) is kind
    assert str(caught.value) == f"Clock.time: GET https://api.example/time {message}"
    assert caught.value.attempts[0].error == kind.__name__
    assert caught.value.attempts[0].status_code is None


def test_a_timeout_is_a_builtin_timeout_and_a_network_error_a_builtin_connection_error(api: MakeApi) -> None:
    with pytest.raises(builtins.TimeoutError):
        Clock(transport=api(Fail("ReadTimeout")).transport).time()
    with pytest.raises(builtins.ConnectionError):
        Clock(transport=api(Fail("ReadError")).transport).time()


def test_an_engines_error_without_text_says_what_happened(api: MakeApi) -> None:
    client = Clock(transport=api(Fail("ReadTimeout", "")).transport)
    with pytest.raises(errors.ReadTimeout) as caught:
        client.time()
    assert str(caught.value) == "Clock.time: GET https://api.example/time timed out while waiting for the response"


def test_the_message_of_a_local_protocol_error_is_not_shown(api: MakeApi, colour: Colour) -> None:
    """It may quote a header."""
    client = Clock(transport=api(Fail("LocalProtocolError", "Illegal header value b'Bearer s3cret'")).transport)
    with pytest.raises(errors.ProtocolError) as caught:
        colour.run(client.time)
    assert "s3cret" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


@pytest.mark.parametrize("reaction", [CLOSE, RESET, GARBAGE, truncated()], ids=["close", "reset", "garbage", "cut"])
def test_a_server_that_hangs_up_leaves_an_unknown_outcome(engine: Any, colour: Colour, reaction: Any) -> None:
    with RawServer(reaction) as server:
        client = Clock(base_url=server.url, engine=engine)
        with pytest.raises(errors.ReadError):
            colour.run(client.time)
        client.close()


def test_a_port_where_nobody_listens_is_a_connect_error(engine: Any, colour: Colour) -> None:
    with RawServer(CLOSE) as server:
        url = server.url
    client = Clock(base_url=url, engine=engine)
    with pytest.raises(errors.ConnectError) as caught:
        colour.run(client.time)
    assert str(caught.value).startswith(f"Clock.time: GET {url}/time could not connect: ")
    client.close()


# ---- from a status

STATUSES: list[tuple[int, type[CallError]]] = [
    (300, errors.HTTPStatusError),
    (304, errors.HTTPStatusError),
    (400, errors.BadRequestError),
    (401, errors.AuthenticationError),
    (402, errors.ClientError),
    (403, errors.PermissionDeniedError),
    (404, errors.NotFoundError),
    (409, errors.ConflictError),
    (418, errors.ClientError),
    (422, errors.UnprocessableEntityError),
    (429, errors.RateLimitError),
    (499, errors.ClientError),
    (500, errors.ServerError),
    (503, errors.ServerError),
    (599, errors.ServerError),
]


@pytest.mark.parametrize(("status", "kind"), STATUSES)
def test_each_status_has_its_class(api: MakeApi, colour: Colour, status: int, kind: type[CallError]) -> None:
    client = Clock(transport=api(Reply(status, json={"message": "no"})).transport)
    with pytest.raises(errors.HTTPStatusError) as caught:
        colour.run(client.time)
    error = caught.value
    assert type(error) is kind
    assert str(error) == f"Clock.time: GET https://api.example/time answered {status}"
    assert (error.status_code, error.response.status_code, error.body) == (status, status, {"message": "no"})
    assert error.retry_after is None
    assert error.__cause__ is None
    assert error.__context__ is None


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff"])
def test_without_a_model_a_body_that_is_no_json_is_none(api: MakeApi, content: bytes) -> None:
    client = Clock(transport=api(Reply(404, content=content)).transport)
    with pytest.raises(errors.NotFoundError) as caught:
        client.time()
    assert caught.value.body is None
    assert caught.value.response.content == content


def test_an_error_says_how_long_the_server_asked_to_wait(api: MakeApi) -> None:
    client = Clock(transport=api(Reply(429, headers={"Retry-After": "7"})).transport)
    with pytest.raises(errors.RateLimitError) as caught:
        client.time()
    assert caught.value.retry_after == 7.0
