"""What users plug in, and the errors that they catch: checked by mypy, pyright, ty and pyrefly, never run."""

from __future__ import annotations

import builtins
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, assert_type

from pydantic import BaseModel

import stubwire as sw
from stubwire import (
    ApiClient,
    Auth,
    CallError,
    CallNext,
    ClientError,
    Handle,
    HTTPStatusError,
    Middleware,
    NotFoundError,
    Outcome,
    Plugin,
    Request,
    Response,
    ResponseValidationError,
    Retry,
    TransportError,
    get,
)


class CardProblem(BaseModel):
    decline_code: str


class CardError(ClientError[CardProblem]):
    """A payment was declined."""


class Charge(BaseModel):
    id: str


# ---- middleware


async def tracing(request: Request, call_next: CallNext) -> Response:
    request.headers["X-Correlation-ID"] = "1"
    response = await call_next(request)
    assert_type(response, Response[Any])
    assert_type(request.arguments["id"], object)
    assert_type(request.attempt, int)
    return response


async def answering(_request: Request, _call_next: Callable[[Request], Awaitable[Response]]) -> Response:
    return Response(200, headers={"X": "1"}, json={"id": "1"})


@dataclass
class Header:
    """A middleware with state."""

    name: str

    async def __call__(self, request: Request, call_next: CallNext) -> Response:
        request.headers[self.name] = "1"
        await sw.sleep(0.1)
        return await call_next(request)


def with_header(name: str) -> Middleware:
    async def middleware(request: Request, call_next: CallNext) -> Response:
        request.headers[name] = "1"
        return await call_next(request)

    return middleware


# ---- interceptors


def log(request: Request) -> None:
    request.headers.setdefault("X", "1")


def replace(request: Request) -> Request:
    return request.replace(url=request.url + "?a=1", headers={"X": "1"}, content=None)


def perhaps(request: Request) -> Request | None:
    return request if request.method == "GET" else None


def extract_items(response: Response) -> Response:
    match response.data:
        case {"items": items}:
            response.data = items
        case _:
            pass
    return response


def look(response: Response) -> None:
    response.headers.get("X")


def rescue(error: CallError) -> Response | None:
    if isinstance(error, NotFoundError):
        return Response(200, json=None)
    return None


# ---- auth and plugins


class Signed:
    """An auth of one's own."""

    names = ("X-Signature",)

    async def __call__(self, request: Request, call_next: CallNext, /) -> Response:
        request.headers["X-Signature"] = "1"
        response = await call_next(request)
        return await call_next(request) if response.status_code == 401 else response


async def signing(request: Request, call_next: CallNext) -> Response:
    return await call_next(request)


class Everything:
    """A plugin of one's own."""

    def install(self, client: ApiClient) -> None:
        client.use(tracing).use(Header("X-A"), per="attempt")
        assert_type(client.interceptors.request.use(log), Handle)


class Shop(ApiClient):
    base_url = "https://shop.example"
    auth = Signed()
    middleware = [tracing, answering, Header("X-B"), with_header("X-C")]
    plugins = [Everything()]
    retry = Retry(when=lambda outcome: outcome.error is not None)
    errors = {402: CardError}

    @get("/charges/<id>", errors={402: CardError, 404: CardProblem}, auth=Signed())
    def charge(self, id: str) -> Charge:
        raise NotImplementedError


class Retried(Shop):
    retry = Retry(max_retries=0)


def installed(shop: Shop) -> None:
    auths: list[Auth] = [Signed(), signing, sw.auth.BearerAuth("t")]
    plugins: list[Plugin] = [Everything(), sw.plugins.LoggerPlugin()]
    assert_type(shop.use(tracing, per="attempt").use(answering).use(Header("X")).use(with_header("X")), Shop)
    assert_type(shop.plugin(plugins[0]), Shop)
    handle = shop.interceptors.request.use(log)
    shop.interceptors.request.use(replace)
    shop.interceptors.request.use(perhaps)
    shop.interceptors.request.eject(handle)
    shop.interceptors.response.use(extract_items)
    shop.interceptors.response.use(look, rejected=rescue)
    shop.interceptors.response.use(None, rescue)
    shop.with_options(auth=auths[1]).with_options(auth=signing)
    Shop(auth=signing, middleware=[tracing], plugins=plugins)


# ---- errors


def caught(shop: Shop) -> None:
    try:
        shop.charge("1")
    except CardError as error:
        assert_type(error.body, CardProblem | None)
        if error.body is not None:
            assert_type(error.body.decline_code, str)
        assert_type(error.status_code, int)
        assert_type(error.response, Response[Any])
        assert_type(error.retry_after, float | None)
    except ResponseValidationError as error:
        assert_type([detail.get("msg") for detail in error.errors(show_input=True)], list[str | None])
    except (builtins.TimeoutError, builtins.ConnectionError):
        pass
    except TransportError as error:
        assert_type(error.request.curl(), str)
        assert_type(error.request_id, str | None)
        assert_type(error.endpoint, str)
        assert_type([attempt.status_code for attempt in error.attempts], list[int | None])
    except sw.StubwireError:
        raise


def caught_without_a_model(shop: Shop) -> None:
    try:
        shop.charge("1")
    except HTTPStatusError as error:
        assert_type(error.status_code, int)
        if error.body:
            assert_type(error.body["message"], Any)


def by_status(error: HTTPStatusError | CardError, not_found: NotFoundError[CardProblem]) -> tuple[int, str | None]:
    """`HTTPStatusError` without its argument is fine in an annotation."""
    return error.status_code, not_found.body.decline_code if not_found.body else None


def when(outcome: Outcome) -> bool | None:
    """Decides where it knows better."""
    if isinstance(outcome.error, TransportError):
        return outcome.idempotent
    return outcome.response.status_code == 409 if outcome.response else None
