"""Options folded into plans.

This module's rule: pure, but for telling the engine's log filter which names are secret. A `Mount` says where a client
or resource stands, a `Compiled` what a stub says; a plan is both with the options of every layer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast
from urllib.parse import quote

from stubwire import _kinds, _lazy, _options
from stubwire._decode import Decoder, statuses
from stubwire._headers import Pairs, check_value
from stubwire._options import HeaderValue, Options, QueryValue, Timeout, reveal
from stubwire._plan import Plan
from stubwire._secret import is_secret
from stubwire.markers import Unset

if TYPE_CHECKING:
    from stubwire._annotations import Scope
    from stubwire._auth_choice import Choice
    from stubwire._bind import Bind
    from stubwire._cancel import CancelToken
    from stubwire._codecs import Codec
    from stubwire._core import Core
    from stubwire._lazy import Lazy
    from stubwire._spec import EndpointSpec, ParameterSpec
    from stubwire._template import Template
    from stubwire._types import Auth
    from stubwire._url import BaseUrl
    from stubwire.retry import Retry

DEFAULT_KEY_HEADER = "Idempotency-Key"
ANYTHING = "*/*"
"""The `Accept` that is sent anyway."""
JSON_TYPE = ("Content-Type", "application/json")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Compiled:
    """A stub, compiled for one owner and path prefix.

    Attributes:
        spec: what it declares.
        template: its path, with the prefixes of its resources.
        bind: from arguments to a request.
        decode: from a response to the result.
        wants_response: whether the stub returns the whole `Response`.
        lazy: how its result is made, if that is fetched while it is iterated.
        accept: the `Accept` header where nobody declares one.
        options: those of its verb.
        key: the verb's `idempotency_key`.
    """

    spec: EndpointSpec
    template: Template
    bind: Bind
    decode: Decoder
    wants_response: bool
    lazy: Lazy | None
    accept: str
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
    pairs = _pairs(compiled, mount, folded)
    auth = _auth(folded.auth, (upper.auth, mount.lower.auth), name)
    auth_headers, auth_query = _set_by(auth, "names"), _set_by(auth, "query_names")
    secrets = _secrets((*auth_headers, *auth_query), folded.headers, compiled.spec)
    mount.core.pool.library.quiet.names.update(secrets)
    key_header, key = _idempotency_key(compiled.key, upper.idempotency_key)
    return Plan(
        spec=compiled.spec,
        name=name,
        method=compiled.spec.method,
        base=mount.base.text,
        origin=mount.base.origin,
        origins=_origins(mount.base.origin, folded.auth_origins, sends=auth is not None or bool(secrets)),
        query=_merge(compiled.template.query, folded.query),
        pairs=pairs,
        body_pairs=pairs if _names("content-type", pairs) else (*pairs, JSON_TYPE),
        secrets=secrets,
        auth=auth,
        auth_headers=auth_headers,
        auth_query=auth_query,
        own_auth=not isinstance(said.auth, Unset),
        timeout=_options.timeout(cast("float | Timeout | None", folded.timeout)).extension(),
        deadline=cast("float | None", folded.deadline),
        cancel=cast("CancelToken | None", folded.cancel),
        retry=cast("Retry | None", folded.retry),
        follow_redirects=bool(folded.follow_redirects),
        max_response_bytes=cast("int | None", folded.max_response_bytes),
        key_header=key_header,
        key=key,
        errors={statuses(status): kind for status, kind in folded.errors.items()},
        none_on=compiled.spec.none_on,
        codecs=cast("Sequence[Codec]", folded.codecs),
        streams=_lazy.kind(compiled.spec.returns) == "stream",
        bind=compiled.bind,
        decode=compiled.decode,
    )


def _pairs(compiled: Compiled, mount: Mount, folded: Options) -> Pairs:
    """The headers that are always sent."""
    pairs = tuple((key, reveal(value)) for key, value in folded.headers.items())
    if compiled.accept == ANYTHING or _names("accept", pairs) or mount.core.pool.states_accept():
        return pairs
    return (*pairs, ("Accept", compiled.accept))


def _set_by(auth: Auth | None, kind: str) -> tuple[str, ...]:
    """The names that an auth says it sets."""
    return tuple(getattr(auth, kind, ()))


def _auth(choice: Choice, layers: Sequence[Choice], name: str) -> Auth | None:
    if callable(choice) and not hasattr(choice, "sync_auth_flow"):
        return choice
    if choice is None:
        return None
    from stubwire import _auth_choice

    return _auth_choice.chosen(choice, layers, name)


def _origins(base: str, more: object, *, sends: bool) -> frozenset[str]:
    """Where credentials may go; who sends some over plain http is warned."""
    if not more and base.startswith("https:"):
        return frozenset((base,))
    from stubwire import _auth_check

    return _auth_check.origins(base, more, sends=sends)


def _idempotency_key(verb: bool | str, view: bool | str | Unset) -> tuple[str | None, str | None]:
    """The header for a key and the key: a verb names the header, a view gives the key, either mints one."""
    header = verb if isinstance(verb, str) else DEFAULT_KEY_HEADER
    if isinstance(view, str):
        return header, check_value(header, view)
    wanted = bool(verb) if isinstance(view, Unset) else view
    return (header if wanted else None), None


def _names(name: str, pairs: Pairs) -> bool:
    return any(key.lower() == name for key, _ in pairs)


def _secrets(auth: tuple[str, ...], headers: Mapping[str, HeaderValue], spec: EndpointSpec) -> frozenset[str]:
    """The names that were declared secret: by auth, or by a `SecretStr`."""
    by_value = [name for name, value in headers.items() if is_secret(value)]
    by_type = [name for parameter in spec.parameters for name in _secret_names(parameter)]
    return frozenset(name.lower() for name in (*auth, *by_value, *by_type))


def _secret_names(parameter: ParameterSpec) -> list[str]:
    """The names under which a parameter may send a secret outside of JSON: a record's, where it spreads."""
    if parameter.role == "body":
        return []
    if _kinds.is_body(parameter.annotation):
        from stubwire._fields import secret_names

        return secret_names(parameter.annotation, parameter.alias, parameter.role)
    return [parameter.alias] if _kinds.is_secret(parameter.annotation) else []


def _merge(template: Pairs, query: Mapping[str, QueryValue]) -> Pairs:
    """The template's query and that of client and view, encoded; a later name replaces an earlier."""
    later = tuple(
        (quote(name, safe=""), quote(_query_text(value), safe="")) for name, value in query.items() if value is not None
    )
    replaced = {name for name, _ in later}
    return (*(pair for pair in template if pair[0] not in replaced), *later)


def _query_text(value: str | float | bool) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
