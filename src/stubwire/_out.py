"""The way out: a call without a stub.

This module's rule: it makes the same plan and request that a stub without parameters would.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, cast

from typing_extensions import TypedDict

from stubwire import _encode
from stubwire._bind import finish
from stubwire._decode import Decoder, decoder
from stubwire._fold import ANYTHING, Compiled, Mount, plan
from stubwire._headers import check_name, check_value, is_name
from stubwire._options import HeaderValue, Options, reveal
from stubwire._secret import is_secret, revealed
from stubwire._spec import EndpointSpec
from stubwire._template import Template, TemplateError, parse
from stubwire._url import origin
from stubwire.errors import ArgumentError, SpecError
from stubwire.markers import Unset

if TYPE_CHECKING:
    from stubwire._codecs import Codec
    from stubwire._plan import Plan
    from stubwire._request import Request
    from stubwire._response import Response

_SEVERAL = (list, tuple, set, frozenset)
_ABSOLUTE = r"(?i)(https?://[^/?#]+)(.*)"
_AUTHORITY = r"(?i)https?://(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::[0-9]+)?"


class Sent(TypedDict, total=False, closed=True):
    """What `client.call` sends; `None` sends nothing of its kind.

    Attributes:
        params: query parameters: texts, numbers, dates and so on, or several of them; `None` leaves one out.
        json: the body, as JSON of anything that pydantic serializes.
        content: the body's bytes instead, of the `Content-Type` in `headers`.
        headers: sent with this request.
    """

    params: Mapping[str, object] | None
    json: object
    content: bytes | None
    headers: Mapping[str, HeaderValue] | None


def prepare(mount: Mount, method: str, path: str, into: object, sent: Sent) -> tuple[Plan, Request]:
    """The plan and the request of a call.

    Raises:
        ArgumentError: something cannot be sent.
    """
    name = f"{mount.name}.call"
    _check_sent(sent, name)
    if not is_name(method):
        raise ArgumentError(f"{name}: {method!r} is no HTTP method")
    template, absolute = _target(path, name)
    compiled = _compiled(template, method.upper(), into, mount.lower, name)
    made = plan(compiled, mount, Options(headers=_headers(sent, name)), name)
    params = sent.get("params") or {}
    hidden = {key.lower() for key, value in params.items() if any(map(is_secret, _several(value)))}
    made = replace(
        made,
        secrets=made.secrets | hidden,
        query=made.query if absolute in ("", *made.origins) else template.query,
        body_pairs=made.body_pairs if sent.get("json") is not None else made.pairs,
    )
    literal = "".join(part for part in template.parts if isinstance(part, str))
    request = finish(made, literal, _query(params, name), (), _content(sent, name), {})
    if absolute:
        request.url = absolute + request.url.removeprefix(made.base)
    return made, request


def _check_sent(sent: Sent, name: str) -> None:
    """Refuse what type checkers would."""
    for key, value in cast("dict[str, object]", sent).items():
        if key not in Sent.__annotations__:
            raise TypeError(f"call() got an unexpected argument {key!r}; write params, json, content or headers")
        if key in ("params", "headers") and not isinstance(value, (Mapping, type(None))):
            raise ArgumentError(f"{name}: {key} must be a mapping of names to values, not {type(value).__name__}")


def _target(path: str, name: str) -> tuple[Template, str]:
    """The path as a template without placeholders, and the origin of an absolute URL."""
    match = re.fullmatch(_ABSOLUTE, path)
    absolute = origin(match[1]) if match and re.fullmatch(_AUTHORITY, match[1]) else ""
    if match and not absolute:
        raise ArgumentError(f"{name}: an absolute URL needs a plain host, and has no userinfo: credentials are auth's")
    rest = match[2] if match else path
    try:
        template = parse(rest if rest.startswith("/") or not match else f"/{rest}")
    except TemplateError as error:
        message = str(error)
    else:
        if not template.names:
            return template, absolute
        message = f"path {path!r} has a placeholder, and a call has no parameters: put the encoded value there"
    raise ArgumentError(f"{name}: {message}")


def _headers(sent: Sent, name: str) -> Mapping[str, HeaderValue]:
    headers = sent.get("headers") or {}
    try:
        for key, value in headers.items():
            check_value(check_name(key), reveal(value))
    except ArgumentError as error:
        message = str(error)
    else:
        return headers
    raise ArgumentError(f"{name}: {message}")


def _query(params: Mapping[str, object], name: str) -> str:
    """The parameters as a stub's without annotations would be."""
    found: list[str] = []
    for key, value in params.items():
        if value is None:
            continue
        items = [revealed(item) if is_secret(item) else item for item in _several(value)]
        several = isinstance(value, _SEVERAL)
        encode = _encode.query(list[object] if several else object, key, f"{name}: params {key!r}")
        found.append(encode(items if several else items[0]))
    return "".join(found)


def _several(value: object) -> Iterable[object]:
    """The items of a list, or whatever else was passed."""
    return cast("Iterable[object]", value) if isinstance(value, _SEVERAL) else (value,)


def _content(sent: Sent, name: str) -> bytes | None:
    content, json = cast("object", sent.get("content")), sent.get("json")
    if json is not None and content is not None:
        raise ArgumentError(f"{name}: json and content are both bodies: pass one")
    if json is None:
        if isinstance(content, (bytes, type(None))):
            return content
        raise ArgumentError(f"{name}: content must be bytes, not {type(content).__name__}")
    return _encode.json_body(object, f"{name}: json", exclude_unset=False)(json)


def _compiled(template: Template, method: str, into: Any, lower: Options, name: str) -> Compiled:
    returns = object if into is None else into
    spec = EndpointSpec(name, method, template.text, (), returns, False, None, {}, frozenset())
    try:
        codecs = () if isinstance(lower.codecs, Unset) else tuple(lower.codecs)
        decode = _whole if into is None else _decoder(into, repr(into), codecs)
    except SpecError as error:
        message = str(error)
    else:
        return Compiled(
            spec=spec,
            template=template,
            bind=finish,
            decode=decode,
            wants_response=into is None,
            lazy=None,
            accept=ANYTHING,
            options=Options(),
            key=False,
        )
    raise ArgumentError(f"{name}: {message}")


@lru_cache(maxsize=256)
def _decoder(into: Any, shown: str, codecs: tuple[Codec, ...]) -> Decoder:  # noqa: ARG001 - `shown` is part of the key
    """The decoder of a type; `shown` tells apart types that are equal, such as unions in another order."""
    return decoder(into, None, "into", codecs=codecs)


def _whole(response: Response) -> object:
    """Leave the body as it is: `response.data` decodes it when read."""
    return response._data
