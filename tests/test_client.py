"""Clients: what their options say, what they refuse, what a view is."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from conftest import Api, Colour, Reply
from stubwire import (
    ApiClient,
    CancelToken,
    ClientError,
    ConfigurationError,
    Limits,
    NotFoundError,
    Resource,
    Retry,
    SpecError,
    Timeout,
    get,
    post,
)
from stubwire.auth import BearerAuth

MakeApi = Callable[..., Api]


class Pets(Resource, path="/pets"):
    @get("")
    def find(self) -> list[int]:
        """List them."""
        raise NotImplementedError


class Shop(ApiClient):
    base_url = "https://shop.example/api"
    headers = {"Accept": "application/json", "X-Class": "1"}
    query = {"key_order": "asc", "page": 1}
    pets: Pets

    @get("/things?kind=all", headers={"X-Verb": "1"}, timeout=7.0)
    def things(self, *, page: int | None = None) -> list[int]:
        """List them."""
        raise NotImplementedError

    @post("/things")
    def create(self, thing: dict[str, int]) -> None:
        """Create one."""
        raise NotImplementedError


def shop(server: Api, **options: object) -> Shop:
    return Shop(transport=server.transport, **options)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_headers_and_queries_merge_over_the_layers(api: MakeApi) -> None:
    """Class, constructor, verb, view, endpoint view: each overrides what is left of it."""
    server = api(Reply(json=[]))
    client = shop(server, headers={"x-class": "2", "X-Ctor": "1"}, query={"a": True, "b": None})

    view = client.with_options(headers={"X-Ctor": "2", "X-Verb": "2"}, query={"a": 2.5})
    view.things.with_options(headers={"X-Verb": "3"})(page=4)

    headers = server.request.headers
    assert [headers[name] for name in ("x-class", "x-ctor", "x-verb", "accept")] == ["2", "2", "3", "application/json"]
    assert len(headers.get_list("x-class")) == 1
    assert str(server.request.url) == "https://shop.example/api/things?kind=all&key_order=asc&a=2.5&page=4"


def test_a_query_of_the_client_stands_where_the_call_leaves_it_out(api: MakeApi) -> None:
    """A later key replaces an earlier, and `None` is no key."""
    server = api(Reply(json=[]))
    shop(server).things()
    assert str(server.request.url) == "https://shop.example/api/things?kind=all&key_order=asc&page=1"


def test_timeouts_fold(api: MakeApi) -> None:
    """Seconds for each step, or a Timeout; `None` waits without limit."""
    server = api(Reply(json=[]))
    client = shop(server, timeout=3.0)

    client.pets.find()
    client.things()
    client.with_options(timeout=Timeout(connect=1.0, read=None)).things()
    client.things.with_options(timeout=None)()
    Shop(transport=server.transport).pets.find()

    assert [request.extensions["timeout"]["read"] for request in server.requests] == [3.0, 7.0, None, None, 30.0]
    assert server.requests[2].extensions["timeout"] == {"connect": 1.0, "read": None, "write": 30.0, "pool": 5.0}
    assert server.requests[4].extensions["timeout"] == {"connect": 5.0, "read": 30.0, "write": 30.0, "pool": 5.0}


def test_errors_merge_and_the_narrowest_key_wins(api: MakeApi) -> None:
    """The class's errors hold for every endpoint."""

    class Gone(NotFoundError[object]):
        pass

    class Any4xx(ClientError[object]):
        pass

    class Client(ApiClient):
        base_url = "https://api.example"
        errors = {"4XX": Any4xx}

        @get("/", errors={404: Gone})
        def root(self) -> None:
            raise NotImplementedError

    with pytest.raises(Gone):
        Client(transport=api(Reply(404)).transport).root()
    with pytest.raises(Any4xx):
        Client(transport=api(Reply(410)).transport).root()


def test_an_option_is_an_attribute_and_fixed(api: MakeApi) -> None:
    """Changing it later would have no effect, so it is refused."""
    client = shop(api(), timeout=3.0)

    assert client.timeout == 3.0
    assert client.max_response_bytes == 100 * 2**20
    assert client.retry == Retry()
    assert client.base_url == "https://shop.example/api"
    assert repr(client) == "<Shop https://shop.example/api>"
    with pytest.raises(AttributeError) as error:
        client.timeout = 5.0
    assert str(error.value) == (
        "Shop.timeout is fixed when the client is made: use with_options(timeout=...), or the constructor"
    )


def test_a_client_has_attributes_of_its_own(api: MakeApi) -> None:
    """A subclass may have an `__init__`, and views keep what it set."""

    class Tenant(Shop):
        def __init__(self, tenant: str, server: Api) -> None:
            super().__init__(transport=server.transport)
            self.tenant = tenant

    client = Tenant("acme", api(Reply(json=[3])))
    view = client.with_options(timeout=1.0)
    assert (view.tenant, type(view), view.things()) == ("acme", Tenant, [3])


def test_a_view_has_endpoints_and_resources_of_its_own(api: MakeApi) -> None:
    """Those of the client keep its options."""
    server = api(Reply(json=[]))
    client = shop(server)
    client.things()
    client.pets.find()
    view = client.with_options(headers={"X-View": "1"})

    view.things()
    view.pets.find()
    client.things()

    assert ["x-view" in request.headers for request in server.requests] == [False, False, True, True, False]
    assert view.pets is view.pets is not client.pets
    assert view.things is view.things is not client.things


def test_resources_are_reached_in_every_colour(api: MakeApi, colour: Colour) -> None:
    """Their endpoints are called like any other."""
    server = api(Reply(json=[1]))
    client = shop(server)
    assert colour.run(client.pets.find) == [1]
    assert repr(client.pets) == "<Shop.pets>"
    assert str(server.request.url).startswith("https://shop.example/api/pets?")


def test_a_secret_header_is_sent_and_not_shown(api: MakeApi) -> None:
    """A SecretStr declares its header secret, whatever its name."""
    server = api(Reply(json=[]))
    client = shop(server, headers={"X-Tenant": SecretStr("s3cret")})
    client.things()

    assert server.request.headers["x-tenant"] == "s3cret"
    assert "s3cret" not in client.things.request().curl()
    assert "X-Tenant: [redacted]" in client.things.request().curl()


def test_userinfo_in_the_base_url_becomes_basic_auth(api: MakeApi) -> None:
    """It leaves the URL, and an explicit auth wins."""
    server = api(Reply(json=[]))
    client = shop(server, base_url="https://us%40er:pa%3Ass@shop.example")
    client.things()

    assert client.base_url == "https://shop.example"
    assert server.request.headers["authorization"] == "Basic dXNAZXI6cGE6c3M="

    other = api(Reply(json=[]))
    shop(other, base_url="https://user:pw@shop.example", auth=BearerAuth("t")).things()
    assert other.request.headers["authorization"] == "Bearer t"


def test_auth_none_sends_no_credentials(api: MakeApi) -> None:
    """For an endpoint, a view, or one call."""

    class Client(ApiClient):
        base_url = "https://api.example"
        auth = BearerAuth("t")

        @get("/open", auth=None)
        def public(self) -> None:
            raise NotImplementedError

        @get("/closed")
        def private(self) -> None:
            raise NotImplementedError

    server = api()
    client = Client(transport=server.transport)
    client.private()
    client.public()
    client.with_options(auth=None).private()
    client.private.with_options(auth=None)()
    client.public.with_options(auth=BearerAuth("u"))()
    sent = [request.headers.get("authorization") for request in server.requests]
    assert sent == ["Bearer t", None, None, None, "Bearer u"]


def test_an_endpoint_may_be_without_path(api: MakeApi) -> None:
    """An empty stub path adds no slash to the base path."""

    class Client(ApiClient):
        base_url = "https://api.example/graphql/"

        @post("")
        def ask(self, body: dict[str, str]) -> None:
            raise NotImplementedError

        @get("?a=1")
        def asked(self) -> None:
            raise NotImplementedError

    server = api()
    client = Client(transport=server.transport)
    client.ask({"query": "{}"})
    assert str(server.request.url) == "https://api.example/graphql"


# ---- refusals


def test_a_missing_base_url_says_what_to_write() -> None:
    """At construction."""

    class Nowhere(ApiClient):
        pass

    with pytest.raises(ConfigurationError) as error:
        Nowhere()
    assert str(error.value) == (
        'Nowhere has no base_url: write `base_url = "https://..."` in the class, or pass Nowhere(base_url=...)'
    )


def test_unknown_options_are_type_errors(api: MakeApi) -> None:
    """Of the constructor and of with_options."""
    with pytest.raises(
        TypeError, match=r"^Shop\(\) got an unexpected option 'timeut'; see ClientOptions for those there"
    ):
        shop(api(), timeut=1)
    client = shop(api())
    message = (
        r"^with_options\(\) got an unexpected option 'timeut'; the options are "
        "timeout, deadline, retry, cancel, headers, query, auth, idempotency_key$"
    )
    with pytest.raises(TypeError, match=message):
        client.with_options(timeut=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
    with pytest.raises(TypeError, match=message):
        client.things.with_options(timeut=1)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": 0}, "Shop: timeout=0 must be a finite number above 0, or None for no limit"),
        ({"timeout": float("inf")}, "Shop: timeout=inf must be a finite number above 0, or None for no limit"),
        ({"timeout": "5"}, "Shop: timeout='5' must be a finite number above 0, or None for no limit"),
        (
            {"max_response_bytes": -1},
            "Shop: max_response_bytes=-1 must be a finite number above 0, or None for no limit",
        ),
        (
            {"headers": {"X-A": "a\r\nb"}},
            (
                "Shop: header 'X-A': a value with a line break, a control character or one outside ASCII cannot be "
                "sent; encode it first"
            ),
        ),
        ({"headers": 3}, "Shop: headers must be a mapping: write headers={...}, not int"),
        ({"query": "a=b"}, "Shop: query must be a mapping: write query={...}, not str"),
        (
            {"headers": {"X A": "a"}},
            "Shop: 'X A' is no header name: write letters, digits and hyphens",
        ),
    ],
)
def test_a_wrong_option_is_refused_at_construction(api: MakeApi, options: dict[str, object], message: str) -> None:
    """With its name and the reason."""
    with pytest.raises(ConfigurationError) as error:
        shop(api(), **options)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        ({404: ValueError}, "Shop: errors maps 404 to ValueError: derive it from ClientError[Model]"),
        ({"404": ClientError}, "Shop: errors has the key '404': write a status from 300 to 599"),
    ],
)
def test_wrong_errors_are_refused_at_construction(api: MakeApi, errors: dict[object, type], message: str) -> None:
    """As in a class, but as a configuration."""
    with pytest.raises(ConfigurationError, match="^" + re.escape(message)):
        shop(api(), errors=errors)


@pytest.mark.parametrize(
    ("settings", "what"), [("https://x.example", "str"), ({"base_url": "x"}, "dict"), (Retry, "Retry")]
)
def test_settings_that_are_none_are_refused(settings: object, what: str) -> None:
    """The first argument is no URL."""
    with pytest.raises(ConfigurationError) as error:
        Shop(settings)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
    assert str(error.value) == f"Shop(...) takes a ClientSettings, not {what}: options go by name"


def test_a_view_shows_its_options(api: MakeApi) -> None:
    """As attributes, like the client."""
    view = shop(api(), timeout=3.0).with_options(timeout=1.0, headers={"X-View": "1"})
    assert view.timeout == 1.0
    assert view.headers == {"Accept": "application/json", "X-Class": "1", "X-View": "1"}


def test_a_wrong_option_of_a_class_is_refused_at_its_creation() -> None:
    """Before anybody makes a client of it."""
    with pytest.raises(ConfigurationError, match=r"^Wrong: timeout=-1 must be a finite number above 0"):

        class Wrong(ApiClient):
            timeout = -1

    with pytest.raises(SpecError, match=r"^Wrong2: errors has the key 200"):

        class Wrong2(ApiClient):
            errors = {200: ClientError}

    with pytest.raises(ConfigurationError, match=r"^Wrong3: retry=3 must be a Retry, or None"):

        class Wrong3(ApiClient):
            retry = 3  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    with pytest.raises(SpecError, match=r"^Wrong4\.cancel would end all calls for ever: write with_options"):

        class Wrong4(ApiClient):
            cancel = CancelToken()


def test_a_wrong_option_of_a_view_is_refused(api: MakeApi) -> None:
    """When the view is made."""
    with pytest.raises(ConfigurationError, match=r"^Shop.with_options: timeout=0 must be"):
        shop(api()).with_options(timeout=0)
    with pytest.raises(ConfigurationError, match=r"^Shop.things.with_options: timeout=0 must be"):
        shop(api()).things.with_options(timeout=0)


def test_limits_and_timeouts_refuse_what_is_no_amount() -> None:
    """At construction."""
    with pytest.raises(ConfigurationError, match=r"^Limits max_connections=0 must be"):
        Limits(max_connections=0)
    with pytest.raises(ConfigurationError, match=r"^Timeout read=-1 must be"):
        Timeout(read=-1)
    with pytest.raises(ConfigurationError, match=r"^Shop: limits must be stubwire.Limits\(...\), not int$"):
        Shop(limits=5)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]


def test_options_of_a_base_class_are_inherited(api: MakeApi) -> None:
    """Headers merge, the rest replaces."""

    class Base(ApiClient):
        base_url = "https://api.example"
        retry = Retry(max_retries=0)
        headers = {"X-Base": "1", "X-Both": "1"}

        @get("/")
        def root(self) -> None:
            raise NotImplementedError

    class Derived(Base):
        headers = {"x-both": "2"}

    server = api(Reply(503))
    client = Derived(transport=server.transport)
    with pytest.raises(Exception, match=r"answered 503"):
        client.root()
    assert (server.request.headers["x-base"], server.request.headers["x-both"]) == ("1", "2")


def test_a_client_is_not_copied(api: MakeApi) -> None:
    """A copy shares the connections: it is a view in all but name, and no second owner."""
    client = shop(api(Reply(json=[])))
    assert copy.copy(client).things() == []
