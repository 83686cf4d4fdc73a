"""The way out: a call without a stub.

This module's rule: it makes the same plan and request that a stub without parameters would.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pydantic_core
from typing_extensions import TypedDict

from stubwire._annotations import name_of
from stubwire._bind import finish
from stubwire._decode import decoder
from stubwire._fold import Compiled, Mount, plan
from stubwire._headers import check_name, check_value, is_name
from stubwire._options import HeaderValue, Options, QueryValue, reveal
from stubwire._spec import EndpointSpec
from stubwire._template import Template, TemplateError, parse
from stubwire.errors import ArgumentError, SpecError

if TYPE_CHECKING:
    from stubwire._plan import Plan
    from stubwire._request import Request
    from stubwire._response import Response

_ABSOLUTE = re.compile(r"(https?)://([^/?#]+)(.*)")


class Sent(TypedDict, total=False):
    """What `client.call` sends.

    Attributes:
        params: query parameters.
        json: the body, as JSON of anything that pydantic serialises.
        content: the body's bytes instead.
        headers: sent with this request.
    """

    params: Mapping[str, QueryValue]
    json: object
    content: bytes
    headers: Mapping[str, HeaderValue]


def prepare(mount: Mount, method: str, path: str, into: object, sent: Sent) -> tuple[Plan, Request]:
    """The plan and the request of a call.

    Raises:
        ArgumentError: something cannot be sent.
    """
    name = f"{mount.name}.call"
    unknown = [key for key in sent if key not in Sent.__annotations__]
    if unknown:
        raise TypeError(f"call() got an unexpected argument {unknown[0]!r}; write params, json, content or headers")
    if not is_name(method):
        raise ArgumentError(f"{name}: {method!r} is no HTTP method")
    template, absolute = _target(path, name)
    layer = Options(headers=_headers(sent, name), query=sent.get("params", {}))
    made = plan(_compiled(template, method.upper(), into, name), mount, layer, name)
    request = finish(made, template.text.partition("?")[0], "", (), _content(sent, name), {})
    if absolute:
        request.url = absolute + request.url.removeprefix(made.base)
    return made, request


def _target(path: str, name: str) -> tuple[Template, str]:
    """The path as a template without placeholders, and the origin of an absolute URL."""
    match = _ABSOLUTE.fullmatch(path)
    absolute, rest = (f"{match[1]}://{match[2]}", match[3] or "/") if match else ("", path)
    try:
        template = parse(rest)
    except TemplateError as error:
        message = str(error)
    else:
        if not template.names and "@" not in absolute:
            return template, absolute
        message = "the path of a call has no placeholders and no userinfo: put the encoded value there"
    raise ArgumentError(f"{name}: {message}")


def _headers(sent: Sent, name: str) -> Mapping[str, HeaderValue]:
    headers = sent.get("headers", {})
    for key, value in headers.items():
        check_value(check_name(key), reveal(value))
    return headers


def _content(sent: Sent, name: str) -> bytes | None:
    if "json" in sent and "content" in sent:
        raise ArgumentError(f"{name}: json and content are both bodies: pass one")
    if "content" in sent:
        return sent["content"]
    if "json" not in sent:
        return None
    try:
        return pydantic_core.to_json(sent["json"], by_alias=True)
    except ValueError:
        pass
    raise ArgumentError(f"{name}: json of type {type(sent['json']).__name__} cannot be serialised")


def _compiled(template: Template, method: str, into: Any, name: str) -> Compiled:
    returns = object if into is None else into
    spec = EndpointSpec(name, method, template.text, (), returns, False, None, {}, frozenset())
    try:
        decode = _whole if into is None else decoder(into, None, name)
    except SpecError as error:
        message = str(error)
    else:
        return Compiled(spec, template, finish, decode, into is None, Options(), False)
    raise ArgumentError(f"{message} (into={name_of(into)})")


def _whole(response: Response) -> object:
    """Leave the body as it is: `response.data` decodes it when read."""
    return response._data


