"""Connections: opened at first use, one pool per event loop, closed exactly once."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import textwrap
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import trio

from conftest import Colour, EngineName
from servers import RawServer, http
from stubwire import ApiClient, ConfigurationError, ConnectError, Limits, get
from stubwire import _pool as pool_module
from stubwire._endpoint import mount_of


class Things(ApiClient):
    retry = None

    @get("/thing")
    def thing(self) -> int:
        """Get it."""
        raise NotImplementedError


@pytest.fixture
def server() -> Iterator[RawServer]:
    with RawServer(http("1")) as running:
        yield running


@pytest.fixture
def things(server: RawServer, engine: EngineName) -> Iterator[Things]:
    client = Things(base_url=server.url, engine=engine)
    yield client
    client.close()


def all_closed(server: RawServer) -> bool:
    return server.closed == server.opened


def test_connections_open_at_first_use_and_stay(server: RawServer, things: Things) -> None:
    """A client that was made has opened nothing; calls share a connection."""
    assert server.opened == 0
    assert [things.thing(), things.thing()] == [1, 1]
    assert server.opened == 1


def test_close_releases_them_once(server: RawServer, things: Things) -> None:
    """A closed client says so when it is used, and closing it again does nothing."""
    things.thing()
    things.close()
    server.wait_until(all_closed)
    things.close()

    with pytest.raises(ConfigurationError) as error:
        things.thing()
    assert str(error.value) == "Things is closed: make a new client"


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_a_closed_client_says_so_asynchronously_too(things: Things, loop: str) -> None:
    """In both colours."""
    things.close()
    with pytest.raises(ConfigurationError, match=r"^Things is closed"):
        Colour(loop).drive(things.thing.aio)


def test_with_closes(server: RawServer, engine: EngineName) -> None:
    """`with` gives the client itself."""
    with Things(base_url=server.url, engine=engine) as things:
        assert things.thing() == 1
    server.wait_until(all_closed)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_async_with_closes(server: RawServer, engine: EngineName, loop: str) -> None:
    """Both pools."""

    async def main() -> None:
        async with Things(base_url=server.url, engine=engine) as things:
            assert [await things.thing.aio(), things.thing()] == [1, 1]
            assert server.opened == 2
        await trio.to_thread.run_sync(server.wait_until, all_closed) if loop == "trio" else server.wait_until(
            all_closed
        )

    Colour(loop).drive(main)


@pytest.mark.parametrize("loop", ["asyncio", "trio"])
def test_each_event_loop_has_a_pool_that_ends_with_it(server: RawServer, things: Things, loop: str) -> None:
    """One client serves several `asyncio.run`s; nobody closed anything, and nothing is left open."""

    async def twice() -> list[int]:
        return [await things.thing.aio(), await things.thing.aio()]

    for number in (1, 2, 3):
        assert Colour(loop).drive(twice) == [1, 1]
        assert server.opened == number
        server.wait_until(all_closed)


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")  # asyncio's own complaint about its transport
def test_a_loop_that_died_unfinished_is_forgotten(server: RawServer, things: Things) -> None:
    """Without `shutdown_asyncgens` nobody can close its connections, but nothing breaks or warns of them later."""
    loop = asyncio.new_event_loop()
    assert loop.run_until_complete(things.thing.aio()) == 1
    loop.close()

    assert asyncio.run(things.thing.aio()) == 1
    things.close()
    del loop
    gc.collect()
    server.wait_until(all_closed)


def test_close_warns_of_a_pool_whose_loop_runs(server: RawServer, things: Things) -> None:
    """It cannot close that one; `aclose` can."""

    async def main() -> None:
        await things.thing.aio()
        with pytest.warns(ResourceWarning) as caught:
            things.close()
        assert str(caught[0].message) == (
            "Things.close() leaves asynchronous connections to their event loop, which still runs: "
            "await aclose() there instead"
        )

    asyncio.run(main())
    server.wait_until(all_closed)


def test_aclose_of_a_client_without_asynchronous_calls(server: RawServer, things: Things) -> None:
    """Closes the synchronous pool."""
    things.thing()
    asyncio.run(things.aclose())
    server.wait_until(all_closed)


def test_a_view_never_closes_its_parent(server: RawServer, things: Things) -> None:
    """In both colours, also as a context manager."""
    with things.with_options(timeout=1.0) as view:
        assert view.thing() == 1
    view.close()
    asyncio.run(view.aclose())

    assert things.thing() == 1
    assert (server.opened, server.closed) == (1, 0)


def test_many_tasks_share_a_pool(things: Things) -> None:
    """Fifty at a time."""

    async def main() -> list[int]:
        return await asyncio.gather(*(things.thing.aio() for _ in range(50)))

    assert asyncio.run(main()) == [1] * 50


def test_threads_with_loops_of_their_own_share_a_client(server: RawServer, things: Things) -> None:
    """Each thread's loop gets its own pool, also when they open at the same moment."""
    together = threading.Barrier(4)

    def work(_: int) -> int:
        together.wait()
        return asyncio.run(things.thing.aio())

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(work, range(4))) == [1, 1, 1, 1]
    assert server.opened == 4
    server.wait_until(all_closed)


def test_threads_that_begin_together_open_one_pool(server: RawServer, things: Things) -> None:
    """The first use is guarded."""

    def work(_: int) -> int:
        return things.thing()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(work, range(40))) == [1] * 40
    assert server.opened <= 8


def test_two_tasks_that_begin_together_open_one_pool(server: RawServer, engine: EngineName) -> None:
    """So is that of a loop."""

    async def main() -> None:
        things = Things(base_url=server.url, engine=engine, limits=Limits(max_connections=1))
        assert list(await asyncio.gather(things.thing.aio(), things.thing.aio())) == [1, 1]
        await things.aclose()

    asyncio.run(main())
    assert server.opened == 1


# ---- after a fork

FORKING = """
import asyncio, os, sys
from stubwire import ApiClient, get

class Things(ApiClient):
    base_url, engine = sys.argv[1:3]

    @get("/thing")
    def thing(self) -> int: ...

things = Things()
assert things.thing() == 1
child = os.fork()
who = "parent" if child else "child"
assert things.with_options(headers={"X-Who": who}).thing() == 1
assert asyncio.run(things.with_options(headers={"X-Who": who + " async"}).thing.aio()) == 1
if child:
    _, status = os.waitpid(child, 0)
    assert status == 0
    assert things.thing() == 1
    things.close()
"""


def test_a_forked_child_opens_its_own(server: RawServer, engine: EngineName) -> None:
    """Parent and child never speak on one connection."""
    subprocess.run([sys.executable, "-c", textwrap.dedent(FORKING), server.url, engine], check=True, timeout=60)

    by_connection: dict[int, set[str]] = {}
    for request in server.requests:
        by_connection.setdefault(request.connection, set()).add((request.header("x-who") or "parent").split()[0])
    assert all(len(who) == 1 for who in by_connection.values()), by_connection
    assert list(by_connection.values()).count({"child"}) == 2


def test_what_a_child_inherits_is_left_alone(server: RawServer, things: Things) -> None:
    """The hook that runs in a child drops the connections without closing them."""
    things.thing()
    pool_module._after_fork()
    things.thing()
    assert (server.opened, server.closed) == (2, 0)
    inherited: list[Any] = pool_module._inherited.copy()
    pool_module._inherited.clear()
    for lanes, _ in inherited:
        for transport in lanes.taken():
            transport.close()


# ---- proxies and TLS


def test_the_environment_names_a_proxy(
    server: RawServer, engine: EngineName, monkeypatch: pytest.MonkeyPatch, colour: Colour
) -> None:
    """HTTP_PROXY and NO_PROXY count, as everywhere; `proxy=None` ignores them."""
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.setenv("no_proxy", "direct.invalid")
    things = Things(base_url="http://api.invalid", engine=engine)

    assert colour.run(things.thing) == 1
    assert server.requests[0].target == "http://api.invalid/thing"

    for direct in (
        Things(engine=engine, base_url="http://direct.invalid"),
        Things(engine=engine, base_url="http://api.invalid", proxy=None),
    ):
        with pytest.raises(ConnectError):
            colour.run(direct.thing)
        direct.close()
    things.close()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("environment", "proxy"),
    [
        ({"http_proxy": "proxy.invalid:3128"}, "http://proxy.invalid:3128"),
        ({"http_proxy": ""}, None),
        ({"http_proxy": "http://proxy.invalid", "no_proxy": "api.invalid:8080"}, None),
        ({"http_proxy": "http://proxy.invalid", "no_proxy": "api.invalid:80"}, "http://proxy.invalid"),
        ({"http_proxy": "http://proxy.invalid", "no_proxy": ".invalid"}, None),
        ({"http_proxy": "http://proxy.invalid", "no_proxy": "*"}, None),
    ],
)
def test_how_the_environment_names_it(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], proxy: str | None
) -> None:
    """As other programs read it: without a scheme it is one of http, and an exception may have a port."""
    for name in ("all_proxy", "http_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert pool_module.environment_proxy("http://api.invalid:8080") == proxy


def test_a_proxy_is_given(server: RawServer, engine: EngineName) -> None:
    """As a URL, with its user and password."""
    proxy = server.url.replace("http://", "http://user:pass@")
    with Things(base_url="http://api.invalid", engine=engine, proxy=proxy) as things:
        assert things.thing() == 1
    assert server.requests[0].header("proxy-authorization") == "Basic dXNlcjpwYXNz"


def test_a_wrong_proxy_is_named_without_its_password(engine: EngineName) -> None:
    """At construction."""
    for proxy, shown in (
        ("gopher://user:s3cret@proxy.invalid", "gopher://proxy.invalid"),
        ("http://user:s3cret@", "http://"),
        ("http://user:s3cret@h:port", "http://h:port"),
    ):
        with pytest.raises(ConfigurationError) as error:
            Things(base_url="http://api.invalid", engine=engine, proxy=proxy)
        assert str(error.value) == (
            f"Things: proxy {shown!r} must begin with http://, https:// or socks5:// and name a host"
        )


def test_an_empty_proxy_is_none(server: RawServer, engine: EngineName) -> None:
    """As an environment variable may be."""
    with Things(base_url=server.url, engine=engine, proxy="") as things:
        assert things.thing() == 1


def test_a_proxy_that_needs_a_package_names_it(engine: EngineName, monkeypatch: pytest.MonkeyPatch) -> None:
    """SOCKS is an extra."""
    monkeypatch.setitem(sys.modules, "socksio", None)
    proxy = "socks5://user:s3cret@proxy.invalid"
    with (
        Things(base_url="http://api.invalid", engine=engine, proxy=proxy) as things,
        pytest.raises(ConfigurationError, match=r"^Things: .*socks") as error,
    ):
        things.thing()
    assert "s3cret" not in str(error.value)
    assert error.value.__context__ is None


def test_many_origins_do_not_pile_up(server: RawServer, things: Things) -> None:
    """Absolute URLs add origins; the table of them is bounded."""
    things.thing()
    lanes: Any = mount_of(things).core.pool._sync
    lanes._by_origin.update({f"http://h{number}.invalid": lanes._by_origin[server.url] for number in range(1001)})
    things.call("GET", server.url.replace("127.0.0.1", "localhost") + "/thing")
    assert len(lanes._by_origin) == 1


@pytest.mark.parametrize("known", [True, False])
def test_no_event_loop(things: Things, known: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Awaited outside of any loop, an asynchronous call says so, whether or not somebody has imported one."""
    for name in () if known else ("asyncio", "trio"):
        monkeypatch.delitem(sys.modules, name)
    coroutine = things.thing.aio()
    with pytest.raises(RuntimeError, match=r"^no running event loop: await an asynchronous call on asyncio or trio$"):
        coroutine.send(None)
