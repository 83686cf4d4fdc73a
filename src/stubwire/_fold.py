"""Options folded into plans.

This module's rule: pure, but for telling the engine's log filter which names are secret. A `Mount` says where a client
or resource stands, a `Compiled` what a stub says; a plan is both with the options of every layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from stubwire import _kinds, _options
from stubwire._decode import Decoder, statuses
from stubwire._headers import Pairs, check_value
from stubwire._options import HeaderValue, Options, QueryValue, Timeout, reveal
from stubwire._plan import Plan
from stubwire._secret import is_secret
from stubwire.markers import Unset

if TYPE_CHECKING:
    from stubwire._annotations import Scope
    from stubwire._bind import Bind
    from stubwire._core import Core
    from stubwire._spec import EndpointSpec
    from stubwire._template import Template
    from stubwire._types import Auth
    from stubwire._url import BaseUrl
    from stubwire.retry import Retry

DEFAULT_KEY_HEADER = "Idempotency-Key"


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Compiled:
    """A stub, compiled for one owner and path prefix.

    Attributes:
        spec: what it declares.
        template: its path, with the prefixes of its resources.
        bind: from arguments to a request.
        decode: from a response to the result.
        wants_response: whether the stub returns the whole `Response`.
        options: those of its verb.
        key: the verb's `idempotency_key`.
    """

    spec: EndpointSpec
    template: Template
    bind: Bind
    decode: Decoder
    wants_response: bool
    options: Options
    key: bool | str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Mount:
    """Where endpoints are reached: a client, a view of one, or a resource of either.

    Attributes:
        core: what client and views share.
        name: as errors and logs show it: `"GitHub.issues"`.
        base: the client's base URL.
        prefix: the path of the resources so far.
        scope: the names that annotations may use.
        lower: the options of class, settings and constructor.
        upper: the options of the view.
    """

    core: Core
    name: str
    base: BaseUrl
    prefix: Template
    scope: Scope
    lower: Options
    upper: Options


def plan(compiled: Compiled, mount: Mount, options: Options, name: str) -> Plan:
    """Fold every layer: class, settings, constructor, verb, view, and the options of one call."""
    upper = options.over(mount.upper)
    said = upper.over(compiled.options.over(mount.lower))
    folded = said.over(_options.DEFAULTS)
    pairs = tuple((key, reveal(value)) for key, value in folded.headers.items())
    auth = cast("Auth | None", folded.auth)
    auth_headers, auth_query = tuple(getattr(auth, "names", ())), tuple(getattr(auth, "query_names", ()))
    secrets = _secrets((*auth_headers, *auth_query), folded.headers, compiled.spec)
    mount.core.pool.library.quiet.names.update(secrets)
    key_header, key = _idempotency_key(compiled.key, upper.idempotency_key)
    return Plan(
        spec=compiled.spec,
        name=name,
        method=compiled.spec.method,
        base=mount.base.text,
        origin=mount.base.origin,
        query=_merge(compiled.template.query, folded.query),
        pairs=pairs,
        body_pairs=_with_content_type(pairs),
        secrets=secrets,
        auth=auth,
        auth_headers=auth_headers,
        auth_query=auth_query,
        own_auth=not isinstance(said.auth, Unset),
        timeout=_options.timeout(cast("float | Timeout | None", folded.timeout)).extension(),
        retry=cast("Retry | None", folded.retry),
        follow_redirects=bool(folded.follow_redirects),
        max_response_bytes=cast("int | None", folded.max_response_bytes),
        key_header=key_header,
        key=key,
        errors={statuses(status): kind for status, kind in folded.errors.items()},
        none_on=compiled.spec.none_on,
        bind=compiled.bind,
        decode=compiled.decode,
    )


def _idempotency_key(verb: bool | str, view: bool | str | Unset) -> tuple[str | None, str | None]:
    """The header for a key and the key: a verb names the header, a view gives the key, either mints one."""
    header = verb if isinstance(verb, str) else DEFAULT_KEY_HEADER
    if isinstance(view, str):
        return header, check_value(header, view)
    wanted = bool(verb) if isinstance(view, Unset) else view
    return (header if wanted else None), None


def _with_content_type(pairs: Pairs) -> Pairs:
    if any(name.lower() == "content-type" for name, _ in pairs):
        return pairs
    return (*pairs, ("Content-Type", "application/json"))


def _secrets(auth: tuple[str, ...], headers: Mapping[str, HeaderValue], spec: EndpointSpec) -> frozenset[str]:
    """The names that were declared secret: by auth, or by a `SecretStr`."""
    by_value = [name for name, value in headers.items() if is_secret(value)]
    by_type = [parameter.alias for parameter in spec.parameters if _kinds.is_secret(parameter.annotation)]
    return frozenset(name.lower() for name in (*auth, *by_value, *by_type))


def _merge(template: Pairs, query: Mapping[str, QueryValue]) -> Pairs:
    """The template's query and that of client and view, encoded; a later name replaces an earlier."""
    later = tuple(
        (quote(name, safe=""), quote(_query_text(value), safe="")) for name, value in query.items() if value is not None
    )
    replaced = {name for name, _ in later}
    return (*(pair for pair in template if pair[0] not in replaced), *later)


def _query_text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
