"""TLS as a client's options say it: whom to trust, which certificate to show, and how old it may be.

This module's rule: imported when a client says something of it. What cannot be used is refused when the client is made;
a message names the setting, and a path, and never a password.
"""

from __future__ import annotations

import re
import ssl
import warnings
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, cast

from pydantic import SecretStr

from stubwire.errors import ConfigurationError

if TYPE_CHECKING:
    from stubwire._engine.library import Library

File: TypeAlias = str | Path
Cert: TypeAlias = File | tuple[File, File] | tuple[File, File, str | SecretStr]
"""A PEM file of a certificate and its key; or two, one for each; or these and the password of the key."""

Verify: TypeAlias = bool | File | ssl.SSLContext
Minimum: TypeAlias = Literal["1.2", "1.3"]

_VERSIONS = {"1.2": ssl.TLSVersion.TLSv1_2, "1.3": ssl.TLSVersion.TLSv1_3}
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_CERT_FORMS = "cert must be a path, (certificate, key) or (certificate, key, password)"


class Certificate(NamedTuple):
    """A client's certificate.

    Attributes:
        chain: the path of the certificate, and of those that lead to its authority.
        key: the path of its key; `None` if it stands in the same file.
        password: of the key.
    """

    chain: str
    key: str | None = None
    password: SecretStr | None = None


class Contexts(NamedTuple):
    """How a client speaks TLS.

    Attributes:
        verify: a context; or whether to verify, by one that clients share.
        own: the context for its own origins, which shows its certificate; `None` if there is none.
    """

    verify: bool | ssl.SSLContext
    own: ssl.SSLContext | None = None


def certificate(cert: object) -> Certificate:
    """What `cert` names, its password hidden.

    Raises:
        ConfigurationError: it is no path, and no tuple of some.
    """
    given = [*cast("tuple[object, ...]", cert)] if isinstance(cert, (tuple, list)) else [cert]
    paths = [path for item in given[:2] if (path := _path(item)) is not None]
    if not paths or len(paths) < len(given[:2]) or len(given) > 3:
        raise ConfigurationError(_CERT_FORMS)
    key = paths[1] if len(paths) > 1 else None
    if len(given) < 3:
        return Certificate(paths[0], key)
    secret = SecretStr(given[2]) if isinstance(given[2], str) else given[2]
    if not isinstance(secret, SecretStr):
        raise ConfigurationError(f"cert: the password must be a str or a SecretStr, not {type(secret).__name__}")
    return Certificate(paths[0], key, secret)


def _path(item: object) -> str | None:
    """A path as a text; `None` for what is none, also for the text that stands for a certificate itself."""
    text = str(item) if isinstance(item, (str, Path)) else ""
    return text if text and "\n" not in text and "\0" not in text else None


def load(context: ssl.SSLContext, cert: Certificate) -> None:
    """Let a context show a certificate.

    Raises:
        ConfigurationError: it cannot be read, is not its key's, or its password is another.
    """
    chain = _read("cert=", cert.chain)
    key = chain if cert.key is None else _read("cert: the key ", cert.key)
    if _CERTIFICATE.search(chain) is None:
        raise ConfigurationError(f"cert={cert.chain!r}: it has no certificate in PEM")
    if "PRIVATE KEY-----" not in key:
        hint = ": write cert=(certificate, key)" if cert.key is None else ""
        raise ConfigurationError(f"{_key(cert)}: it has no private key in PEM{hint}")
    asked: list[bool] = []

    def password() -> str:  # without it, OpenSSL would ask at the terminal
        asked.append(True)
        return cert.password.get_secret_value() if cert.password else ""

    try:
        context.load_cert_chain(cert.chain, cert.key, password)
    except (ssl.SSLError, ValueError) as error:  # the latter for a password of more than 1024 bytes
        reason: str | None = getattr(error, "reason", None)
    else:
        return
    raise ConfigurationError(_why(cert, reason, encrypted=bool(asked)))


def _why(cert: Certificate, reason: str | None, *, encrypted: bool) -> str:
    if encrypted and cert.password is None:
        return f"{_key(cert)}: it is encrypted: write cert=(certificate, key, password)"
    if encrypted:
        return f"{_key(cert)}: the password is not the one that it was encrypted with"
    if reason == "KEY_VALUES_MISMATCH":
        return f"{_key(cert)}: it is not the key of the certificate {cert.chain!r}"
    what = f" ({reason.replace('_', ' ').lower()})" if reason else ""
    return f"cert={cert.chain!r}: the certificate or its key cannot be used{what}"


def _key(cert: Certificate) -> str:
    return f"cert={cert.chain!r}" if cert.key is None else f"cert: the key {cert.key!r}"


def _read(what: str, path: str) -> str:
    try:
        return Path(path).read_text("latin-1")
    except OSError as error:
        message = f"{what}{path!r}: {error.strerror}"
    raise ConfigurationError(message)


# ---- whom to trust


def bundle(verify: object) -> bool | str | ssl.SSLContext:
    """What `verify` is, if a bundle, one that is there.

    Raises:
        ConfigurationError: it is no bool, path or context, or nothing can be read there.
    """
    if isinstance(verify, (bool, ssl.SSLContext)):
        return verify
    path = _path(verify)
    if path is None:
        what = type(verify).__name__
        raise ConfigurationError(f"verify must be True, False, a path or an ssl.SSLContext, not {what}")
    if not Path(path).is_dir() and _CERTIFICATE.search(_read("verify=", path)) is None:
        raise ConfigurationError(f"verify={path!r}: it has no certificate in PEM")
    return path


@lru_cache(maxsize=8)
def _trusting(library: Library, path: str, minimum: Minimum, _state: tuple[int, int]) -> ssl.SSLContext:
    """A context costs tens of milliseconds, so clients share one, until the bundle changes."""
    return _context(library, path, minimum)


def _context(library: Library, verify: bool | str, minimum: Minimum) -> ssl.SSLContext:
    try:
        context = library.tls(verify)
    except OSError as error:
        message = f"verify={verify!r}: {getattr(error, 'reason', None) or error.strerror}"
    else:
        context.minimum_version = max(context.minimum_version, _VERSIONS[minimum])
        return context
    raise ConfigurationError(message)


def contexts(library: Library, options: Mapping[str, object]) -> Contexts:
    """How a client speaks TLS, by its options `verify`, `cert` and `min_tls_version`.

    Raises:
        ConfigurationError: they cannot be used, or contradict each other.
    """
    verify, cert, minimum = bundle(options.get("verify", True)), options.get("cert"), options.get("min_tls_version")
    if minimum not in (None, *_VERSIONS):
        raise ConfigurationError(f"min_tls_version={minimum!r}: write '1.2' or '1.3'")
    if isinstance(verify, ssl.SSLContext):
        if cert is not None or minimum is not None:
            what = "min_tls_version" if cert is None else "cert"
            raise ConfigurationError(f"{what} is for contexts that are made here: set it on the one given as verify")
        return Contexts(verify)
    at_least = cast("Minimum", minimum or "1.2")
    common: bool | ssl.SSLContext = verify if isinstance(verify, bool) else _shared(library, verify, at_least)
    if at_least != "1.2" and isinstance(common, bool):
        common = _context(library, common, at_least)
    if cert is None:
        return Contexts(common)
    own = _context(library, verify, at_least)
    load(own, certificate(cert))
    return Contexts(common, own)


def _shared(library: Library, path: str, minimum: Minimum) -> ssl.SSLContext:
    state = Path(path).stat()
    return _trusting(library, path, minimum, (state.st_mtime_ns, state.st_size))


def check(name: str, value: object) -> None:
    """Refuse a `verify` or a `cert` that cannot be read.

    Raises:
        ConfigurationError: it cannot.
    """
    if name == "verify":
        bundle(value)
    elif value is not None:
        load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), certificate(value))


# ---- nobody is asked

_warned: set[str] = set()
"""The classes of clients of which it was said."""


def is_off(verify: object) -> bool:
    """Whether nobody is asked who the other side is."""
    mode = verify.verify_mode if isinstance(verify, ssl.SSLContext) else None
    return verify is False or mode == ssl.CERT_NONE


def caution(client: str) -> None:
    """Warn that a class of clients verifies nothing, once."""
    if client not in _warned:
        _warned.add(client)
        warnings.warn(
            f"{client} does not verify certificates (verify=False): whoever is on the way can read and change all that "
            "it sends, credentials too; pass the path of your authority's certificate as verify instead",
            UserWarning,
            stacklevel=5,
        )
