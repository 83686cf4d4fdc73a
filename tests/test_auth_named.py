"""Several auths on one client, chosen per endpoint."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from conftest import Api, Colour, Reply
from stubwire import ApiClient, Auth, ClientSettings, ConfigurationError, Request, Response, SpecError, get
from stubwire.auth import ApiKeyAuth, BasicAuth, BearerAuth

MakeApi = Callable[..., Api]


class Shop(ApiClient):
    base_url = "https://api.example"
    auth = {
        "user": BearerAuth("us3r"),
        "key": ApiKeyAuth("k3y", header="X-Key"),
        "app": ApiKeyAuth("4pp", query="app"),
        "basic": httpx.BasicAuth("me", "pw"),
    }

    @get("/items")
    def items(self) -> dict[str, str]:
        raise NotImplementedError

    @get("/open", auth=None)
    def open(self) -> dict[str, str]:
        raise NotImplementedError

    @get("/admin", auth="key")
    def admin(self) -> dict[str, str]:
        raise NotImplementedError

    @get("/basic", auth="basic")
    def basic(self) -> dict[str, str]:
        raise NotImplementedError

    @get("/both", auth=["user", "key", "app"])
    def both(self) -> dict[str, str]:
        raise NotImplementedError

    @get("/own", auth=BearerAuth("0wn"))
    def own(self) -> dict[str, str]:
        raise NotImplementedError


def sent(request: Any) -> tuple[str | None, str | None, str]:
    return request.headers.get("Authorization"), request.headers.get("X-Key"), str(request.url.query.decode())


def test_each_endpoint_sends_what_it_names(api: MakeApi, colour: Colour) -> None:
    """One that names none sends the first; several names are all sent."""
    server = api(Reply(json={}))
    shop = Shop(transport=server.transport)
    for endpoint in (shop.items, shop.open, shop.admin, shop.basic, shop.both, shop.own):
        colour.run(endpoint)
    assert [sent(request) for request in server.requests] == [
        ("Bearer us3r", None, ""),
        (None, None, ""),
        (None, "k3y", ""),
        ("Basic bWU6cHc=", None, ""),
        ("Bearer us3r", "k3y", "app=4pp"),
        ("Bearer 0wn", None, ""),
    ]


def test_all_of_them_are_redacted() -> None:
    shown = Shop().both.request().curl()
    assert "app=[redacted]" in shown
    assert "X-Key: [redacted]" in shown
    assert not any(secret in shown for secret in ("us3r", "k3y", "4pp"))
    shop = Shop()
    assert "k3y" not in repr(shop)
    assert repr(shop.both._plan.auth).count("[redacted]") == 3


def test_the_constructor_brings_others(api: MakeApi, colour: Colour) -> None:
    server = api(Reply(json={}))
    shop = Shop(transport=server.transport, auth={"key": BearerAuth("other"), "user": BearerAuth("x")})
    colour.run(shop.admin)
    colour.run(shop.items)
    colour.run(shop.with_options(auth=BearerAuth("view")).admin)
    colour.run(shop.with_options(auth=None).admin)
    values = [request.headers.get("Authorization") for request in server.requests]
    assert values == ["Bearer other", "Bearer other", "Bearer view", None]


def test_settings_bring_them(api: MakeApi) -> None:
    class ShopSettings(ClientSettings):
        admin: str = "4dm1n"

        @property
        def auth(self) -> dict[str, Auth]:
            return {"key": BearerAuth(self.admin)}

    server = api(Reply(json={}))
    Shop(ShopSettings(), transport=server.transport).admin()
    assert server.request.headers["Authorization"] == "Bearer 4dm1n"


def test_a_replay_of_one_sends_the_others_again(api: MakeApi, colour: Colour) -> None:
    class Replaying:
        names = ("X-Try",)

        async def __call__(self, request: Request, call_next: Any, /) -> Response:
            request.headers["X-Try"] = "1"
            await call_next(request)
            request.headers["X-Try"] = "2"
            response: Response = await call_next(request)
            return response

    class Both(ApiClient):
        base_url = "https://api.example"

        @get("/x", auth=("try", "key"))
        def find(self) -> None:
            raise NotImplementedError

    server = api(Reply())
    colour.run(Both(transport=server.transport, auth={"try": Replaying(), "key": BearerAuth("k")}).find)
    assert [(each.headers["X-Try"], each.headers["Authorization"]) for each in server.requests] == [
        ("1", "Bearer k"),
        ("2", "Bearer k"),
    ]


@pytest.mark.parametrize(
    ("auth", "has"),
    [
        (None, "none: write auth = {name: BearerAuth(...), ...} in the class"),
        (BearerAuth("x"), "none: write auth = {name: BearerAuth(...), ...} in the class"),
        ({"user": BearerAuth("x"), "basic": BasicAuth("x")}, "'user', 'basic'"),
    ],
)
def test_a_name_that_nobody_has_is_an_error_at_first_access(auth: Any, has: str) -> None:
    """What was written there may be a token, so it is not shown."""
    shop = Shop(auth=auth)
    with pytest.raises(ConfigurationError) as caught:
        shop.admin.request()
    assert str(caught.value) == f"Shop.admin: auth names what this client does not have; it has {has}"


NAMES = "auth must be an Auth, or names of the client's: auth='admin', auth=['key', 'user']"
TABLE = "auth must be a mapping of names to auths, such as {'admin': BearerAuth(token)}"


@pytest.mark.parametrize("wrong", ["", [], ["a", ""], ["a", 7], ()])
def test_what_names_nothing_is_a_spec_error(wrong: Any) -> None:
    with pytest.raises(SpecError) as caught:

        class Wrong(ApiClient):
            @get("/x", auth=wrong)
            def find(self) -> None:
                raise NotImplementedError

    assert str(caught.value) == f"Wrong.find: {NAMES}"


@pytest.mark.parametrize("wrong", [{}, {"a": "s3cr3t"}, {"": BearerAuth("x")}, {7: BearerAuth("x")}, {"a": BearerAuth}])
def test_what_is_no_table_of_auths_is_a_configuration_error(wrong: Any) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Shop(auth=wrong)
    assert str(caught.value) == f"Shop: {TABLE}"


@pytest.mark.parametrize("where", ["client", "endpoint"])
def test_a_view_has_one_auth(where: str) -> None:
    """The first of several would be sent in place of what the verb names."""
    shop = Shop()
    view: Any = shop if where == "client" else shop.admin
    with pytest.raises(ConfigurationError) as caught:
        view.with_options(auth={"key": BearerAuth("a"), "user": BearerAuth("b")})
    owner = "Shop" if where == "client" else "Shop.admin"
    what = "auth must be one Auth here: auths by name stand on the client, and which of them on the verb"
    assert str(caught.value) == f"{owner}.with_options: {what}"


def test_a_verb_has_no_auths_of_its_own_by_name() -> None:
    with pytest.raises(SpecError, match=r"^Wrong.x: auth must be one Auth here: "):

        class Wrong(ApiClient):
            @get("/x", auth={"key": BearerAuth("a")})  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
            def x(self) -> int:
                raise NotImplementedError
