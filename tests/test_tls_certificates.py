"""A client's certificate: shown to its own origins, and refused at construction where it cannot be used."""

from __future__ import annotations

import json
import pickle
import re
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import trustme
from pydantic import SecretStr
from pydantic_settings import SettingsConfigDict

from certificates import PASSWORD, serving, write
from stubwire import ApiClient, CallError, ClientSettings, ConfigurationError, get

if TYPE_CHECKING:
    from conftest import Colour, EngineName


class Things(ApiClient):
    retry = None
    proxy = None

    @get("/thing")
    def thing(self) -> int:
        raise NotImplementedError

    @get("/away")
    def away(self) -> int:
        raise NotImplementedError


class Set(Things):
    settings: ClientSettings


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
def there(pem: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be where the certificates are, so that messages have short paths."""
    monkeypatch.chdir(pem)


CERTS: dict[str, Any] = {
    "one file": "both.pem",
    "a path": Path("both.pem"),
    "two files": ("cert.pem", "key.pem"),
    "two paths": (Path("cert.pem"), Path("key.pem")),
    "a password": ("cert.pem", "encrypted.pem", PASSWORD),
    "a secret password": ("cert.pem", "encrypted.pem", SecretStr(PASSWORD)),
    "one file with a password": ("both-encrypted.pem", "both-encrypted.pem", PASSWORD),
    "a needless password": ("cert.pem", "key.pem", PASSWORD),
}


@pytest.mark.parametrize("cert", CERTS.values(), ids=CERTS)
@pytest.mark.usefixtures("there")
def test_a_server_that_asks_is_shown_it(url: str, engine: EngineName, cert: Any) -> None:
    with Things(base_url=url, engine=engine, verify="ca.pem", cert=cert) as things:
        assert things.thing() == 1


@pytest.mark.usefixtures("there")
def test_a_server_that_insists(authority: trustme.CA, engine: EngineName, colour: Colour) -> None:
    """Mutual TLS: without a certificate there is no answer."""
    with serving(authority, ssl.CERT_REQUIRED) as server:
        with Things(base_url=server, engine=engine, verify="ca.pem", cert="both.pem") as things:
            assert colour.run(things.thing) == 1
        with Things(base_url=server, engine=engine, verify="ca.pem") as things, pytest.raises(CallError):
            colour.run(things.thing)


@pytest.mark.usefixtures("there")
def test_it_is_shown_to_its_own_origins_alone(url: str, engine: EngineName, colour: Colour) -> None:
    """It says who the client is, as its other credentials do."""
    elsewhere = url.replace("localhost", "127.0.0.1")
    options: dict[str, Any] = {"engine": engine, "verify": "ca.pem", "cert": "both.pem", "follow_redirects": True}
    with Things(base_url=url, **options) as things:
        assert colour.run(things.thing) == 1
        assert colour.run(things.away) == 0
        assert things.call("GET", f"{elsewhere}/thing", into=int) == 0
    with Things(base_url=url, auth_origins=[elsewhere], **options) as things:
        assert colour.run(things.away) == 1
        assert things.call("GET", f"{elsewhere}/thing", into=int) == 1


@pytest.mark.usefixtures("there")
def test_the_environment_may_say_it(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VERIFY", "ca.pem")
    for value in ("both.pem", '["cert.pem", "key.pem"]', json.dumps(["cert.pem", "encrypted.pem", PASSWORD])):
        monkeypatch.setenv("CERT", value)
        with Set(base_url=url) as things:
            assert things.thing() == 1
            assert PASSWORD not in f"{things.settings!r} {vars(things)}"


@pytest.mark.usefixtures("there")
def test_the_class_may_say_it(url: str, engine: EngineName) -> None:
    class Mine(Things):
        cert = ("cert.pem", "key.pem")
        verify = "ca.pem"
        min_tls_version = "1.3"

    with Mine(base_url=url, engine=engine) as things:
        assert things.thing() == 1
    with Mine(base_url=url, engine=engine, cert=None) as things:
        assert things.thing() == 0


@pytest.mark.usefixtures("there")
def test_a_password_shows_nowhere() -> None:
    client = Things(base_url="https://api.example", cert=("cert.pem", "encrypted.pem", PASSWORD))
    seen = f"{client!r} {client.cert!r} {vars(client)}"
    assert PASSWORD not in seen
    with pytest.raises(TypeError):
        pickle.dumps(client)


FORMS = "cert must be a path, (certificate, key) or (certificate, key, password)"
WRONG: dict[str, tuple[Any, str]] = {
    "missing": ("no.pem", "cert='no.pem': No such file or directory"),
    "a folder": (".", "cert='.': Is a directory"),
    "no key beside it": (("cert.pem", "no.pem"), "cert: the key 'no.pem': No such file or directory"),
    "no PEM": ("junk.pem", "cert='junk.pem': it has no certificate in PEM"),
    "only a key": ("key.pem", "cert='key.pem': it has no certificate in PEM"),
    "only a certificate": (
        "cert.pem",
        "cert='cert.pem': it has no private key in PEM: write cert=(certificate, key)",
    ),
    "no key": (("cert.pem", "cert.pem"), "cert: the key 'cert.pem': it has no private key in PEM"),
    "broken": (("broken.pem", "key.pem"), "cert='broken.pem': the certificate or its key cannot be used"),
    "another's key": (
        ("cert.pem", "other.pem"),
        "cert: the key 'other.pem': it is not the key of the certificate 'cert.pem'",
    ),
    "no password": (
        ("cert.pem", "encrypted.pem"),
        "cert: the key 'encrypted.pem': it is encrypted: write cert=(certificate, key, password)",
    ),
    "no password, one file": (
        "both-encrypted.pem",
        "cert='both-encrypted.pem': it is encrypted: write cert=(certificate, key, password)",
    ),
    "a wrong password": (
        ("cert.pem", "encrypted.pem", f"not {PASSWORD}"),
        "cert: the key 'encrypted.pem': the password is not the one that it was encrypted with",
    ),
    "a long password": (
        ("cert.pem", "encrypted.pem", SecretStr(PASSWORD * 500)),
        "cert: the key 'encrypted.pem': the password is not the one that it was encrypted with",
    ),
    "a number": (7, FORMS),
    "nothing": ((), FORMS),
    "empty": ("", FORMS),
    "four": (("a", "b", "c", "d"), FORMS),
    "a key that is none": (("cert.pem", None), FORMS),
    "the certificate itself": ("-----BEGIN CERTIFICATE-----\nMIIB", FORMS),
    "a password that is none": (
        ("cert.pem", "key.pem", b"s3cr3t"),
        "cert: the password must be a str or a SecretStr, not bytes",
    ),
}


@pytest.mark.parametrize(("cert", "message"), WRONG.values(), ids=WRONG)
@pytest.mark.usefixtures("there")
def test_what_cannot_be_used_is_refused_at_construction(cert: Any, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Things(base_url="https://api.example", cert=cert)
    assert str(caught.value) == f"Things: {message}"
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)
    assert PASSWORD not in repr(caught.value)


VERIFIES: dict[str, tuple[Any, str]] = {
    "missing": ("/no/such.pem", "verify='/no/such.pem': No such file or directory"),
    "no PEM": ("junk.pem", "verify='junk.pem': it has no certificate in PEM"),
    "a key": (Path("key.pem"), "verify='key.pem': it has no certificate in PEM"),
    "a number": (7, "verify must be True, False, a path or an ssl.SSLContext, not int"),
    "nothing": (None, "verify must be True, False, a path or an ssl.SSLContext, not NoneType"),
}


@pytest.mark.parametrize(("verify", "message"), VERIFIES.values(), ids=VERIFIES)
@pytest.mark.usefixtures("there")
def test_whom_nobody_can_trust_is_refused_at_construction(verify: Any, message: str, engine: EngineName) -> None:
    with pytest.raises(ConfigurationError) as caught:
        Things(base_url="https://api.example", engine=engine, verify=verify)
    assert str(caught.value) == f"Things: {message}"
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.usefixtures("there")
def test_a_bundle_that_is_no_certificate_inside(engine: EngineName) -> None:
    with pytest.raises(ConfigurationError, match=r"^Things: verify='broken.pem': \S"):
        Things(base_url="https://api.example", engine=engine, verify="broken.pem")


@pytest.mark.usefixtures("there")
def test_the_environment_variable_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERT", json.dumps(["cert.pem", "encrypted.pem", "wrong " + PASSWORD]))
    monkeypatch.setenv("VERIFY", "no.pem")
    with pytest.raises(ConfigurationError) as caught:
        Set(base_url="https://api.example")
    assert str(caught.value) == (
        "Set needs settings (ClientSettings): CERT: cert: the key 'encrypted.pem': the password is not the one that it "
        "was encrypted with; VERIFY: verify='no.pem': No such file or directory"
    )


def test_a_cert_of_the_environment_may_be_none(monkeypatch: pytest.MonkeyPatch) -> None:
    class Nullable(ClientSettings):
        model_config = SettingsConfigDict(env_parse_none_str="none")

    class Mine(Things):
        settings: Nullable

    monkeypatch.setenv("CERT", "none")
    monkeypatch.setenv("VERIFY", "true")
    client = Mine(base_url="https://api.example")
    assert (client.cert, client.verify) == (None, True)


CONTEXT = ssl.create_default_context()
CONTRADICTIONS: list[tuple[dict[str, Any], str]] = [
    (
        {"verify": CONTEXT, "cert": "both.pem"},
        "Things: cert is for contexts that are made here: set it on the one given as verify",
    ),
    (
        {"verify": CONTEXT, "min_tls_version": "1.3"},
        "Things: min_tls_version is for contexts that are made here: set it on the one given as verify",
    ),
    ({"min_tls_version": "1.1"}, "Things: min_tls_version='1.1': write '1.2' or '1.3'"),
    ({"min_tls_version": 1.3}, "Things: min_tls_version=1.3: write '1.2' or '1.3'"),
    (
        {"http_client": httpx.Client(), "cert": "both.pem"},
        "Things: http_client has its own connections, so it takes no cert",
    ),
    ({"cert": "both.pem", "auth_origins": ["nowhere"]}, "Things: auth_origins: 'nowhere' is no origin, such as "),
]


@pytest.mark.parametrize(("options", "message"), CONTRADICTIONS, ids=[message[8:30] for _, message in CONTRADICTIONS])
@pytest.mark.usefixtures("there")
def test_what_contradicts_itself_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigurationError, match="^" + re.escape(message)):
        Things(base_url="https://api.example", **options)


def test_a_transport_of_ones_own_shows_its_own(tmp_path: Path) -> None:
    """What a class says of TLS is for connections that are made here."""

    class Mine(Things):
        cert = str(tmp_path / "no.pem")

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=b"1"))
    assert Mine(base_url="https://api.example", transport=transport).thing() == 1
