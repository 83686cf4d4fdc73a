"""Bodies as a log may show them.

This module's rule: only what has names is shown, JSON and forms, because only there a secret can be told: by its name,
or by a `SecretStr` in the declared type. Anything else, and what is streamed, is shown as its kind and size.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import pydantic_core
from pydantic import AliasChoices, AliasPath

from stubwire import _redact
from stubwire._decode import _is_error, body_type
from stubwire._fields import _reached, record, secret_fields
from stubwire._secret import is_secret_type
from stubwire._streamed import StreamedResponse
from stubwire.plugins._log_lines import printable

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from stubwire._plan import Plan
    from stubwire._request import Request
    from stubwire._response import Response
    from stubwire.plugins._log_lines import End, Line

_FORM = "application/x-www-form-urlencoded"
_WHOLE = ""
"""What `secret_fields` calls a secret that stands in no record: a text, or the items of a list."""


class _Secrets(NamedTuple):
    """What is secret in the bodies of an endpoint.

    Attributes:
        names: in lower case, in either body.
        sent: whether the request's is secret as a whole.
        received: whether the response's is.
    """

    names: frozenset[str]
    sent: bool
    received: bool


def beside(line: Line, request: Request, end: End, limit: int) -> Line:
    """The line of a call with its bodies as fields, of each at most its first `limit` bytes."""
    bodies = {
        "request_body": _sent(request, limit),
        "response_body": None if end.response is None else _received(request, end.response, limit),
    }
    return line._replace(fields={**line.fields, **bodies})


def _sent(request: Request, limit: int) -> str | None:
    """The body of a request; `None` without one."""
    if request.content is None:
        return None if request._payload is None else f"<{request._payload}>"
    secrets = _secrets_of(request)
    kind = request.headers.get("content-type", "")
    return _size(kind, request.content) if secrets.sent else _shown(kind, request.content, secrets.names, limit)


def _received(request: Request, response: Response, limit: int) -> str | None:
    """The body of a response; `None` without one."""
    if isinstance(response, StreamedResponse):
        return "<streamed>"
    if not response.content:
        return None
    secrets = _secrets_of(request)
    kind, content = response.content_type, response.content
    return _size(kind, content) if secrets.received else _shown(kind, content, secrets.names, limit)


def _shown(kind: str, content: bytes, declared: frozenset[str], limit: int) -> str:
    bare = kind.partition(";")[0].strip().lower()
    text = None
    if bare == "application/json" or bare.endswith("+json"):
        text = _json(content[:limit], declared, partial=len(content) > limit)
    elif bare == _FORM and len(content) <= limit:
        text = _redact.url("?" + content.decode("latin-1"), declared)[1:]
    if text is None:
        return _size(kind, content)
    rest = f" ... ({len(content)} bytes)" if len(content) > limit else ""
    return printable(text) + rest


def _json(content: bytes, declared: frozenset[str], *, partial: bool) -> str | None:
    """JSON, as far as it goes, its secrets hidden; also those in the URLs that it has."""
    try:
        data = pydantic_core.from_json(content, allow_partial=partial)
        text = json.dumps(_redact.hide(data, declared), ensure_ascii=False, separators=(",", ":"))
    except ValueError:  # no JSON, cut in the middle of a character, or a number longer than Python writes
        return None
    return _redact.urls(text, declared) if "//" in text or "?" in text else text


def _size(kind: str, content: bytes) -> str:
    return f"<{printable(kind.partition(';')[0][:80]) or 'without a type'}, {len(content)} bytes>"


# ---- what the types say


class _Same:
    """A plan as a key: the same only as itself."""

    __slots__ = ("plan",)

    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.plan is self.plan

    def __hash__(self) -> int:
        return id(self.plan)


def _secrets_of(request: Request) -> _Secrets:
    plan = request._plan
    return _Secrets(frozenset(), sent=False, received=False) if plan is None else _declared(_Same(plan))


@lru_cache(maxsize=256)
def _declared(key: _Same) -> _Secrets:
    plan = key.plan
    bodies = [parameter.annotation for parameter in plan.spec.parameters if parameter.role == "body"]
    names = {name for hint in (*bodies, plan.spec.returns, *_errors(plan)) for name in _names(hint)}
    return _Secrets(
        plan.secrets | frozenset(name.lower() for name in names),
        sent=any(_WHOLE in secret_fields(hint, _WHOLE) for hint in bodies),
        received=_WHOLE in secret_fields(plan.spec.returns, _WHOLE),
    )


def _errors(plan: Plan) -> Iterator[object]:
    """The types of the bodies of errors."""
    for kind in plan.errors.values():
        yield body_type(kind) if _is_error(kind) else kind


def _names(hint: object, seen: frozenset[int] = frozenset()) -> Iterator[str]:
    """The names on the wire that have a secret as their value, where it is sent and where it is received."""
    yield from filter(None, secret_fields(hint, _WHOLE))
    for kind in _reached(hint):
        infos: dict[str, FieldInfo] = getattr(record(kind), "__pydantic_fields__", {})
        for name, info in infos.items():
            if any(map(is_secret_type, _reached(info.annotation, into_records=False))):
                yield from (name, *_aliases(info))
            elif info.exclude and id(info) not in seen:  # it is received, and never sent
                yield from _names(info.annotation, seen | {id(info)})


def _aliases(info: FieldInfo) -> Iterator[str]:
    """What a field may be called when it is received; of a path, each of its names."""
    alias = info.validation_alias
    for choice in alias.choices if isinstance(alias, AliasChoices) else [alias]:
        for step in choice.path if isinstance(choice, AliasPath) else [choice]:
            if isinstance(step, str):
                yield step
