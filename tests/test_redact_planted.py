"""A secret is planted in every place that can hold one, and everything that a person may see is searched for it."""

from __future__ import annotations

import copy
import importlib
import io
import logging
import pickle
import traceback
from collections.abc import Callable, Iterator
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, SecretStr
from pydantic_settings import SettingsConfigDict

from conftest import Api, Clock, Colour, Reply
from servers import CLOSE, RawServer, Script, free_port, http
from stubwire import ApiClient, CallError, ClientSettings, Cookie, Header, Request, Response, Retry, get
from stubwire.auth import ApiKeyAuth, BasicAuth, BearerAuth
from stubwire.plugins import LoggerPlugin

SECRET = "s3cr3t"
COOKIE = {"Set-Cookie": f"sid={SECRET}", "X-Auth-Token": SECRET, "Location": f"/y?token={SECRET}"}


class Thing(BaseModel):
    id: int


class Settings(ClientSettings):
    model_config = SettingsConfigDict(env_prefix="PLANTED_")
    token: SecretStr = SecretStr(SECRET)

    @property
    def auth(self) -> BearerAuth:
        return BearerAuth(self.token)


class Client(ApiClient):
    settings: Settings
    headers = {"X-Api-Key": SECRET, "X-Tenant": SecretStr(SECRET)}
    query = {"api_key": SECRET}
    retry = Retry(max_retries=1, retry_after_max=0)
    plugins = [LoggerPlugin(logging.getLogger("planted"))]

    @get("/things/<id>")
    def thing(
        self, id: int, *, token: str = SECRET, sid: Annotated[str, Cookie()] = SECRET, note: str | None = None
    ) -> Thing:
        raise NotImplementedError

    @get("/things")
    def by_secret(self, tenant: SecretStr, x_user: Annotated[SecretStr, Header()]) -> Thing:
        raise NotImplementedError


AUTHS: dict[str, Any] = {
    "settings": {},
    "bearer": {"auth": BearerAuth(SECRET)},
    "bearer-callable": {"auth": BearerAuth(lambda: SECRET)},
    "basic": {"auth": BasicAuth("user", SECRET)},
    "key-header": {"auth": ApiKeyAuth(SECRET, header="X-Own")},
    "key-query": {"auth": ApiKeyAuth(SECRET, query="appid")},
    "userinfo": {"auth": ...},
}


@pytest.fixture(params=AUTHS)
def make(request: pytest.FixtureRequest, engine: Any) -> Callable[[str], Client]:
    """Make a client with one of the auths."""
    options: dict[str, Any] = dict(AUTHS[request.param])

    def client(url: str) -> Client:
        if options.get("auth") is ...:
            del options["auth"]
            url = url.replace("//", f"//{SECRET}:{SECRET}@")
            return Client(None, base_url=url, engine=engine, proxy=None, **options)
        return Client(base_url=url, engine=engine, proxy=None, **options)

    return client


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, at every level."""
    stream, root = io.StringIO(), logging.getLogger()
    handler, level = logging.StreamHandler(stream), root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def seen_of(thing: Any) -> list[str]:
    """What a person may see of an object: its texts, those of its copies and pickles, and of what hangs on it."""
    kept = pickle.loads(pickle.dumps(thing))
    twins = [thing, copy.copy(thing), copy.deepcopy(thing), kept]
    texts = [shown for twin in twins for shown in (repr(twin), str(twin))]
    return [*texts, pickle.dumps(thing).decode("latin-1"), pickle.dumps(thing, 0).decode("latin-1")]


def seen_of_request(request: Request) -> list[str]:
    return [*seen_of(request), request.curl(), request.line]


def seen_of_response(response: Response) -> list[str]:
    return [*seen_of(response), *seen_of(response.headers), *seen_of_request(response.request), repr(response.attempts)]


def seen_of_error(error: CallError) -> list[str]:
    texts = [*seen_of(error), *seen_of_request(error.request), "".join(traceback.format_exception(error))]
    texts += [*getattr(error, "__notes__", ()), repr(error.args), repr(error.attempts)]
    response = getattr(error, "response", None)
    texts += seen_of_response(response) if response is not None else []
    for chained in (error.__cause__, error.__context__):
        if chained is not None:
            texts += [repr(chained), str(chained), repr(getattr(chained, "request", ""))]
            texts += [str(getattr(getattr(chained, "request", None), "headers", ""))]
    return texts


def check(texts: list[str]) -> None:
    assert [text for text in texts if SECRET in text or "czNjcjN0" in text] == []


@pytest.mark.parametrize("make", ["settings"], indirect=True)
def test_the_secret_is_sent(make: Callable[[str], Client]) -> None:
    """The other tests of this module would find nothing if it were not."""
    with RawServer(http('{"id": 1}')) as server, make(server.url) as client:
        client.thing(1)
        sent = server.requests[0]
        assert sent.target == f"/things/1?api_key={SECRET}&token={SECRET}"
        for name in ("Authorization", "X-Api-Key", "X-Tenant", "Cookie"):
            assert SECRET in (sent.header(name) or "")


def test_a_client_and_its_parts_show_no_secret(make: Callable[[str], Client]) -> None:
    client = make("https://api.example")
    view = client.with_options(headers={"X-Token": SECRET})
    for one in (client, view):
        check([repr(one), str(one), repr(one.settings), repr(one.auth), repr(one.thing), repr(one.base_url)])
        check(seen_of_request(one.thing.request(1)))
        check([repr(one.thing), repr(one.thing.aio), repr(Client.thing), repr(one.thing.spec.method)])


def test_a_response_shows_no_secret(make: Callable[[str], Client], colour: Colour) -> None:
    with RawServer(http('{"id": 1, "token": "' + SECRET + '"}', headers=COOKIE)) as server, make(server.url) as client:
        response = colour.response(client.thing, 1)
        check(seen_of_response(response))


FAILURES: dict[str, Script] = {
    "status": http('{"token": "' + SECRET + '"}', 404, COOKIE),
    "retried": [http("{}", 503, COOKIE), http("{}", 503, COOKIE)],
    "misfit": http('{"id": "x", "token": "' + SECRET + '"}', headers=COOKIE),
    "hung-up": CLOSE,
    "redirect": http("", 302, {"Location": f"http://u:{SECRET}@x.example/?token={SECRET}"}),
}


@pytest.mark.parametrize("failure", FAILURES)
def test_an_error_shows_no_secret(make: Callable[[str], Client], colour: Colour, failure: str, clock: Clock) -> None:
    with RawServer(FAILURES[failure]) as server, make(server.url) as client:
        endpoint = client.thing.with_options(retry=None) if failure != "retried" else client.thing
        with pytest.raises(CallError) as caught:
            colour.run(endpoint, 1)
        check(seen_of_error(caught.value))


def test_an_error_without_a_connection_shows_no_secret(make: Callable[[str], Client], colour: Colour) -> None:
    with make(f"http://127.0.0.1:{free_port()}") as client, pytest.raises(CallError) as caught:
        colour.run(client.thing.with_options(retry=None), 1)
    check(seen_of_error(caught.value))


def test_no_log_shows_a_secret_that_was_sent(make: Callable[[str], Client], colour: Colour, log: io.StringIO) -> None:
    with RawServer(http('{"id": 1}')) as server, make(server.url) as client:
        colour.run(client.thing, 1)
        assert server.requests
    shown = log.getvalue()
    assert "Client.thing GET /things/<id>" in shown
    assert "receive_response_headers" in shown
    check(shown.splitlines())


def test_no_log_shows_a_secret_that_came(engine: Any, log: io.StringIO) -> None:
    with RawServer(http('{"id": 1}', headers=COOKIE)) as server:
        client = Client(base_url=server.url, engine=engine, proxy=None)
        client.thing(1)
        client.close()
    check(log.getvalue().splitlines())


def test_no_log_of_a_users_own_client_shows_a_secret(engine: str, log: io.StringIO) -> None:
    library = importlib.import_module(engine)
    with library.Client(transport=Api(engine, (Reply(json={"id": 1}),)).transport) as http_client:
        Client(base_url="https://api.example", http_client=http_client).thing(1)
    check(log.getvalue().splitlines())


def test_a_secret_parameter_is_hidden() -> None:
    client = Client(base_url="https://api.example")
    check(seen_of_request(client.by_secret.request(SecretStr(SECRET), SecretStr(SECRET))))


def test_the_headers_of_a_request_show_no_secret() -> None:
    check(seen_of(Client(base_url="https://api.example").thing.request(1).headers))


def test_a_plan_shows_no_secret() -> None:
    plan: Any = Client(base_url="https://api.example").thing.request(1)._plan
    check([repr(plan)])
