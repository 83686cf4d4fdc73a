"""The default transport through proxies: HTTP, HTTPS and SOCKS5, with credentials, and cut at each stage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import anyio
import pytest

from proxies import socks, tunnel
from stages import STAGES, Authority, Staged, answer, at_once, each_at_once, freshly, http2, silent
from stubwire import ApiClient, ConfigurationError, DeadlineExceeded, get
from stubwire._limits import Limit, Limited
from test_transport_cancel import Caller as AsyncCaller
from test_transport_cancel import cancelled, drive
from test_transport_limits import SOON, Caller

if TYPE_CHECKING:
    from conftest import Colour, EngineName

KINDS = {"http": tunnel, "https": tunnel, "socks5": socks}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """Whom to trust as a proxy is the environment's to say."""
    with freshly(), pytest.MonkeyPatch.context() as environment:
        made = Authority()
        bundle = tmp_path_factory.mktemp("proxies") / "ca.pem"
        made.own.cert_pem.write_to_path(bundle)
        environment.setenv("SSL_CERT_FILE", str(bundle))
        yield made


def staged(kind: str, authority: Authority) -> Staged:
    """A proxy of a kind, with credentials."""
    return Staged(KINDS[kind], authority.server() if kind == "https" else None)


def url_of(proxy: Staged, kind: str) -> str:
    return f"{kind}://user:s3cret@localhost:{proxy.port}"


@pytest.fixture(params=KINDS)
def proxy(request: pytest.FixtureRequest, authority: Authority) -> Iterator[Staged]:
    """A proxy of each kind."""
    kind = str(request.param)
    with staged(kind, authority) as server:
        server.url = url_of(server, kind)
        yield server


class Things(ApiClient):
    retry = None

    @get("/thing")
    def thing(self) -> dict[str, int]:
        """Get it."""
        raise NotImplementedError


@pytest.mark.parametrize("tls", [False, True])
def test_a_call_goes_through(
    proxy: Staged, engine: EngineName, colour: Colour, authority: Authority, tls: bool
) -> None:
    """In the clear and with TLS, which a proxy cannot look into."""
    with Staged(answer, authority.server() if tls else None) as server:
        with Things(base_url=server.url, engine=engine, proxy=proxy.url, verify=authority.client()) as things:
            assert [colour.run(things.thing), colour.run(things.thing)] == [{}, {}]
        assert proxy.all_are_gone()
    shown = b"".join(proxy.seen)
    assert b"Proxy-Authorization: Basic dXNlcjpzM2NyZXQ=" in shown or b"\x04user\x06s3cret" in shown
    assert not any(b"roxy-" in head for head in server.seen)
    if tls:
        assert b"/thing" not in shown


def test_a_connection_through_a_proxy_is_kept(proxy: Staged, engine: EngineName, authority: Authority) -> None:
    with Staged(answer, authority.server()) as server:
        calls = Caller(engine, authority.client(), proxy=proxy.url)
        assert [calls.send(server.url), calls.send(server.url, b"x" * 200_000)] == [b"{}", b"{}"]
        assert (proxy.opened, server.opened) == (1, 1)
        calls.transport.close()
        assert proxy.all_are_gone()


def test_http2_through_a_proxy(proxy: Staged, engine: EngineName, authority: Authority) -> None:
    with Staged(http2, authority.server("h2")) as server:
        calls = Caller(engine, authority.client(), proxy=proxy.url, http2=True)
        assert [calls.send(server.url + path) for path in ("a", "b")] == [b"/a", b"/b"]
        assert (proxy.opened, server.opened) == (1, 1)
        calls.transport.close()
        assert proxy.all_are_gone()


BEHIND = ["silent", "no headers", "slow body"]


BEHIND_EACH = [(kind, stage) for kind in KINDS for stage in BEHIND]


def test_a_deadline_ends_a_call(engine: EngineName, authority: Authority) -> None:
    """At each stage of the server behind the proxy, and no place in the pool is lost."""

    def scenario(kind: str, stage: str) -> None:
        with staged(kind, authority) as proxy, Staged(STAGES[stage][0], authority.server()) as server:
            calls = Caller(engine, authority.client(), proxy=url_of(proxy, kind))
            with Limited(Limit(time.monotonic() + 2 * SOON, None)), pytest.raises(DeadlineExceeded):
                calls.send(server.url)
            assert proxy.all_are_gone()
            server.handle = answer
            assert calls.send(server.url) == b"{}"
            calls.transport.close()

    at_once(BEHIND_EACH, scenario)


@pytest.mark.parametrize("way", ["asyncio", "asyncio, by its own task", "trio"])
def test_a_call_is_cancelled(engine: EngineName, authority: Authority, way: str) -> None:
    async def scenario(kind: str, stage: str) -> None:
        with staged(kind, authority) as proxy, Staged(STAGES[stage][0], authority.server()) as server:
            calls = AsyncCaller(engine, authority.client(), proxy=url_of(proxy, kind))
            await cancelled(way, server.reached.is_set, lambda: calls.send(server.url))
            assert await anyio.to_thread.run_sync(proxy.all_are_gone)
            server.handle = answer
            assert await calls.send(server.url) == b"{}"
            await calls.transport.aclose()

    drive(way, lambda: each_at_once(BEHIND_EACH, scenario))


def test_a_deadline_ends_a_call_while_the_proxy_is_silent(engine: EngineName, authority: Authority) -> None:
    """At its first word, whatever it speaks; and SOCKS between its words."""

    def scenario(kind: str, late: bool) -> None:
        with staged(kind, authority) as proxy, Staged(answer, authority.server()) as server:
            calls = Caller(engine, authority.client(), proxy=url_of(proxy, kind))
            proxy.handle = KINDS[kind] if late else silent
            proxy.reached.set()
            with Limited(Limit(time.monotonic() + 2 * SOON, None)), pytest.raises(DeadlineExceeded):
                calls.send(server.url)
            assert proxy.all_are_gone()
            proxy.handle = KINDS[kind]
            proxy.reached.clear()
            assert calls.send(server.url) == b"{}"
            calls.transport.close()

    at_once([*((kind, False) for kind in KINDS), ("socks5", True)], scenario)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_call_is_cancelled_between_the_words_of_socks(engine: EngineName, authority: Authority, loop: str) -> None:
    with Staged(socks) as proxy, Staged(answer, authority.server()) as server:
        proxy.reached.set()

        async def main() -> None:
            calls = AsyncCaller(engine, authority.client(), proxy=f"socks5://localhost:{proxy.port}")
            await cancelled(loop, lambda: bool(proxy.seen), lambda: calls.send(server.url))
            assert await anyio.to_thread.run_sync(proxy.all_are_gone)
            proxy.reached.clear()
            assert await calls.send(server.url) == b"{}"
            await calls.transport.aclose()

        drive(loop, main)


def test_a_proxy_that_refuses(engine: EngineName, colour: Colour, authority: Authority) -> None:
    """Its answer is an error of the call, and its connection is closed."""
    with Staged(tunnel) as proxy:
        url = f"http://wrong:s3cret@localhost:{proxy.port}"
        with (
            Things(base_url="https://localhost:1", engine=engine, proxy=url) as things,
            pytest.raises(Exception, match="cannot be sent: ProxyError") as caught,
        ):
            colour.run(things.thing)
        assert "s3cret" not in str(caught.value)
        assert proxy.all_are_gone()


def no_package(name: str) -> None:
    """Find nothing."""


def test_socks_without_its_package(engine: EngineName, colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stubwire._engine.transport.find_spec", no_package)
    with (
        Things(base_url="https://api.test", engine=engine, proxy="socks5://user:s3cret@proxy.test") as things,
        pytest.raises(ConfigurationError) as caught,
    ):
        colour.run(things.thing)
    assert str(caught.value) == ("Things: a SOCKS proxy needs the package socksio: pip install 'stubwire[socks]'")


def test_http2_without_its_package(engine: EngineName, colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stubwire._engine.transport.find_spec", no_package)
    with (
        Things(base_url="https://api.test", engine=engine, http2=True) as things,
        pytest.raises(
            ConfigurationError, match=r"^Things: http2=True needs the package h2: pip install 'stubwire\[http2\]'$"
        ),
    ):
        colour.run(things.thing)
