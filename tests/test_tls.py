"""TLS: verified by default, against a real server with a certificate of its own authority."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from certificates import serving, write
from stubwire import ApiClient, ClientSettings, ConfigurationError, ConnectError, Retry, get

if TYPE_CHECKING:
    from conftest import Colour, EngineName


class Things(ApiClient):
    retry = None
    proxy = None

    @get("/thing")
    def thing(self) -> int:
        """Get it."""
        raise NotImplementedError


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module")
def url(authority: trustme.CA) -> Iterator[str]:
    with serving(authority) as server:
        yield server


@pytest.fixture(scope="module")
def pem(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pem")
    write(folder, authority)
    return folder


@pytest.fixture
def warned(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """The classes that were warned of, none yet."""
    monkeypatch.setattr("stubwire._tls._warned", empty := set[str]())
    return empty


@pytest.fixture(params=["file", "path", "context"])
def verify(request: pytest.FixtureRequest, authority: trustme.CA, pem: Path) -> str | Path | ssl.SSLContext:
    """Every way to say whom to trust."""
    if request.param == "context":
        context = ssl.create_default_context()
        authority.configure_trust(context)  # pyright: ignore[reportUnknownMemberType] - names an optional package
        return context
    return pem / "ca.pem" if request.param == "path" else str(pem / "ca.pem")


def test_whom_to_trust(url: str, engine: EngineName, colour: Colour, verify: str | Path | ssl.SSLContext) -> None:
    """A bundle, or a context."""
    with Things(base_url=url, engine=engine, verify=verify) as things:
        assert colour.run(things.thing) == 0
        assert repr(things) == f"<Things {url}>"


def test_verification_is_on_by_default(url: str, engine: EngineName, colour: Colour) -> None:
    """An authority that nobody knows is no connection."""
    with (
        Things(base_url=url, engine=engine) as things,
        pytest.raises(ConnectError, match=r"could not connect: .*certificate verify failed"),
    ):
        colour.run(things.thing)


def test_a_certificate_of_another_host_is_no_connection(
    authority: trustme.CA, pem: Path, engine: EngineName, colour: Colour
) -> None:
    with (
        serving(authority, names=["api.example"]) as server,
        Things(base_url=server, engine=engine, verify=pem / "ca.pem") as things,
        pytest.raises(ConnectError, match=r"(?i)hostname mismatch"),
    ):
        colour.run(things.thing)


def test_a_certificate_is_refused_once(url: str, engine: EngineName, colour: Colour) -> None:
    """It will be no other at the next attempt."""
    with (
        Things(base_url=url, engine=engine, retry=Retry()) as things,
        pytest.raises(ConnectError, match=r"GET .*/thing could not connect: .*certificate verify failed") as caught,
    ):
        colour.run(things.thing)
    assert len(caught.value.attempts) == 1
    assert caught.value.__notes__ == ["not retried: a certificate that is refused once is refused again"]


def test_clients_share_a_context(url: str, engine: EngineName) -> None:
    """It costs tens of milliseconds to make one."""
    from stubwire._pool import _shared_context

    _shared_context.cache_clear()
    for _ in range(3):
        with Things(base_url=url, engine=engine) as things, pytest.raises(ConnectError):
            things.thing()
    assert _shared_context.cache_info().misses == 1


def test_clients_share_a_bundle_until_it_changes(authority: trustme.CA, engine: EngineName, tmp_path: Path) -> None:
    from stubwire._tls import _trusting

    write(tmp_path, authority)
    _trusting.cache_clear()
    for _ in range(3):
        Things(base_url="https://api.example", engine=engine, verify=tmp_path / "ca.pem").close()
    assert _trusting.cache_info().misses == 1
    (tmp_path / "ca.pem").write_bytes((tmp_path / "ca.pem").read_bytes() + trustme.CA().cert_pem.bytes())
    Things(base_url="https://api.example", engine=engine, verify=tmp_path / "ca.pem").close()
    assert _trusting.cache_info().misses == 2


def test_clients_with_and_without_http2_share_none(url: str, engine: EngineName) -> None:
    """What one offers would be in the handshakes of the other."""
    from stubwire._pool import _shared_context

    _shared_context.cache_clear()
    for http2 in (True, False):
        with Things(base_url=url, engine=engine, http2=http2) as things, pytest.raises(ConnectError):
            things.thing()
    assert _shared_context.cache_info().misses == 2


def test_a_folder_is_a_bundle_too(url: str, engine: EngineName, tmp_path: Path) -> None:
    """One without certificates trusts nobody."""
    with (
        Things(base_url=url, engine=engine, verify=tmp_path) as things,
        pytest.raises(ConnectError, match=r"certificate verify failed"),
    ):
        things.thing()


def test_a_bundle_of_the_environment_that_is_not_there(
    engine: EngineName, colour: Colour, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read at the first call, and named."""
    from stubwire._pool import _shared_context

    monkeypatch.setenv("SSL_CERT_FILE", "/no/such.pem")
    _shared_context.cache_clear()
    with (
        Things(base_url="https://api.invalid", engine=engine) as things,
        pytest.raises(ConfigurationError, match=r"^SSL_CERT_FILE='/no/such\.pem': No such file or directory$"),
    ):
        colour.run(things.thing)


# ---- nobody is asked


def off() -> list[Any]:
    """Each way to verify nothing."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return [{"verify": False}, {"verify": context}, {"verify": False, "min_tls_version": "1.3"}]


@pytest.mark.parametrize("options", off(), ids=["off", "context", "off-1.3"])
def test_whoever_verifies_nothing_is_warned_once_and_shows_it(
    url: str, engine: EngineName, colour: Colour, options: dict[str, Any], warned: set[str]
) -> None:
    with pytest.warns(UserWarning, match="verify") as caught:
        things = Things(base_url=url, engine=engine, **options)
    [warning] = [each for each in caught if each.category is UserWarning]
    assert Path(warning.filename).name == "test_tls.py"
    assert str(warning.message) == (
        "Things does not verify certificates (verify=False): whoever is on the way can read and change all that it "
        "sends, credentials too; pass the path of your authority's certificate as verify instead"
    )
    assert warned == {"Things"}
    with things:
        assert repr(things) == f"<Things {url} verify=False>"
        assert repr(things.with_options(timeout=3)) == f"<Things {url} verify=False>"
        assert colour.run(things.thing) == 0
    Things(base_url=url, engine=engine, **options).close()  # in silence: it was said


def test_it_is_said_once_for_each_class(warned: set[str]) -> None:
    class Others(Things):
        verify = False

    for kind in (Things, Others):
        with pytest.warns(UserWarning, match=kind.__name__):
            kind(base_url="https://api.example", verify=False).close()
    assert warned == {"Things", "Others"}


def test_the_environment_may_say_so_and_is_warned_too(monkeypatch: pytest.MonkeyPatch, warned: set[str]) -> None:
    class Set(Things):
        settings: ClientSettings

    monkeypatch.setenv("VERIFY", "false")
    with pytest.warns(UserWarning, match="Set does not verify"):
        client = Set(base_url="https://api.example")
    assert repr(client) == "<Set https://api.example verify=False>"
    assert warned == {"Set"}


def test_a_client_that_was_not_made_shows_its_class() -> None:
    """As a debugger does that stands in the constructor."""
    assert repr(object.__new__(Things)) == "<Things >"


# ---- how old it may be


@pytest.mark.parametrize("minimum", ["1.2", "1.3"])
def test_an_old_server_is_spoken_to_down_to_the_minimum(
    authority: trustme.CA, pem: Path, engine: EngineName, colour: Colour, minimum: Any
) -> None:
    with (
        serving(authority, newest=ssl.TLSVersion.TLSv1_2) as server,
        Things(base_url=server, engine=engine, verify=pem / "ca.pem", min_tls_version=minimum) as things,
    ):
        if minimum == "1.2":
            assert colour.run(things.thing) == 0
        else:
            with pytest.raises(ConnectError, match="protocol version"):
                colour.run(things.thing)


@pytest.mark.parametrize("verify", [True, False, "ca.pem"])
def test_below_1_2_nobody_is_spoken_to(engine: EngineName, pem: Path, verify: bool | str) -> None:
    """Whatever the system's OpenSSL allows."""
    from stubwire._engine.choose import load

    context = load(engine).tls(str(pem / verify) if isinstance(verify, str) else verify)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_the_environment_may_say_the_minimum(monkeypatch: pytest.MonkeyPatch) -> None:
    class Set(Things):
        settings: ClientSettings

    monkeypatch.setenv("MIN_TLS_VERSION", "1.3")
    assert Set(base_url="https://api.example").min_tls_version == "1.3"
    monkeypatch.setenv("MIN_TLS_VERSION", "1.1")
    with pytest.raises(ConfigurationError, match=r"MIN_TLS_VERSION: Input should be '1.2' or '1.3'"):
        Set(base_url="https://api.example")
