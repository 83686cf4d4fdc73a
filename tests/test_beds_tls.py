"""TLS against nginx: a private authority, certificates of clients, HTTP/2, and a redirect to another host."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from pydantic import BaseModel

from stubwire import (
    ApiClient,
    ConfigurationError,
    ConnectError,
    HTTPStatusError,
    PermissionDeniedError,
    RedirectError,
    get,
)
from stubwire.auth import BasicAuth
from witnesses import Nginx, nginx

if TYPE_CHECKING:
    from conftest import Colour, EngineName

pytestmark = pytest.mark.bed


class Hello(BaseModel):
    hello: str


class Web(ApiClient):
    proxy = None
    retry = None
    follow_redirects = True

    @get("/a.json")
    def hello(self) -> Hello:
        raise NotImplementedError

    @get("/mtls")
    def mutual(self) -> Hello:
        raise NotImplementedError

    @get("/xhost")
    def elsewhere(self) -> Hello:
        raise NotImplementedError

    @get("/auth")
    def guarded(self) -> Hello:
        raise NotImplementedError


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with nginx(tmp_path_factory.mktemp("nginx")) as server:
        yield server


@pytest.mark.parametrize("http2", [False, True])
def test_a_private_authority_and_a_certificate_of_ones_own(
    web: Nginx, engine: EngineName, colour: Colour, http2: bool
) -> None:
    cert = (web.folder / "cli.crt", web.folder / "cli.key")
    with Web(base_url=web.tls_url, verify=web.authority, cert=cert, http2=http2, engine=engine) as client:
        response = colour.response(client.mutual)
        assert (response.data, response.http_version) == (Hello(hello="world"), "HTTP/2" if http2 else "HTTP/1.1")
        assert colour.run(client.hello) == Hello(hello="world")


def test_without_a_certificate_it_is_refused(web: Nginx, engine: EngineName, colour: Colour) -> None:
    with (
        Web(base_url=web.tls_url, verify=web.authority, engine=engine) as client,
        pytest.raises(PermissionDeniedError),
    ):
        colour.run(client.mutual)


def test_a_certificate_is_for_its_own_origin(web: Nginx, engine: EngineName) -> None:
    """The same server by its other name is another origin."""
    cert = (web.folder / "cli.crt", web.folder / "cli.key")
    elsewhere = web.tls_url.replace("localhost", "127.0.0.1")
    with Web(base_url=web.tls_url, verify=web.authority, cert=cert, engine=engine) as client:
        assert client.call("GET", f"{elsewhere}/a.json", into=Hello) == Hello(hello="world")
        with pytest.raises(PermissionDeniedError):
            client.call("GET", f"{elsewhere}/mtls")


def test_the_key_of_another_is_refused_before_anything_is_sent(web: Nginx) -> None:
    with pytest.raises(ConfigurationError, match=r"srv\.key': it is not the key of the certificate"):
        Web(base_url=web.tls_url, cert=(web.folder / "cli.crt", web.folder / "srv.key"))


def test_an_unknown_authority_is_not_trusted(web: Nginx, engine: EngineName, colour: Colour) -> None:
    with (
        Web(base_url=web.tls_url, engine=engine) as client,
        pytest.raises(ConnectError, match="certificate verify failed"),
    ):
        colour.run(client.hello)


def test_a_server_below_the_minimum_is_left(web: Nginx, engine: EngineName, colour: Colour) -> None:
    """This nginx does not speak TLS 1.3."""
    with Web(base_url=web.tls_url, verify=web.authority, min_tls_version="1.2", engine=engine) as client:
        assert colour.run(client.hello) == Hello(hello="world")
    with (
        Web(base_url=web.tls_url, verify=web.authority, min_tls_version="1.3", engine=engine) as client,
        pytest.raises(ConnectError, match="protocol version"),
    ):
        colour.run(client.hello)


def test_a_redirect_to_another_host_by_http_is_not_followed(web: Nginx, engine: EngineName, colour: Colour) -> None:
    """Down from https; the password would be read on the way."""
    auth = BasicAuth("u", "p")
    with (
        Web(base_url=web.tls_url, verify=web.authority, auth=auth, engine=engine) as client,
        pytest.raises(RedirectError),
    ):
        colour.run(client.elsewhere)


def test_a_password_does_not_follow_a_redirect_to_another_host(web: Nginx, engine: EngineName, colour: Colour) -> None:
    base, auth = web.url.replace("localhost", "127.0.0.1"), BasicAuth("u", "p")
    with Web(base_url=base, auth=auth, engine=engine) as client:
        assert colour.run(client.guarded) == Hello(hello="world")
        with pytest.raises(HTTPStatusError) as caught:
            colour.run(client.elsewhere)
        assert caught.value.status_code == 401
    with Web(base_url=base, auth=auth, auth_origins=[base.replace("127.0.0.1", "localhost")], engine=engine) as client:
        assert colour.run(client.elsewhere) == Hello(hello="world")
