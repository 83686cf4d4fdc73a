"""Arguments to a `Request`, by a function compiled from the stub's signature.

This module's rule: the source is made of parameter names and constants in its namespace, never of a user's text; the
compiled function does only what depends on the arguments.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import Parameter
from types import FunctionType
from typing import TYPE_CHECKING, Any, Optional, cast
from uuid import uuid4

from stubwire import _encode, _kinds
from stubwire._request import Request
from stubwire.errors import ArgumentError
from stubwire.markers import UNSET, Body, Unset

if TYPE_CHECKING:
    from stubwire._headers import Pairs
    from stubwire._plan import Plan
    from stubwire._spec import EndpointSpec, ParameterSpec
    from stubwire._template import Placeholder, Template

Bind = Callable[..., Request]
"""`bind(plan, *args, **kwargs)` with the stub's own parameters."""


def finish(  # noqa: PLR0917 - called by generated code only
    plan: Plan, path: str, query: str, pairs: Pairs, content: bytes | None, arguments: Mapping[str, object]
) -> Request:
    """The request, from the pieces that a compiled bind function made."""
    if plan.query:
        query = _over(plan.query, query)
    url = f"{plan.base}{path}?{query[1:]}" if query else plan.base + path
    always = plan.pairs if content is None else plan.body_pairs
    if pairs:
        replaced = {name.lower() for name, _ in pairs}
        always = (*(pair for pair in always if pair[0].lower() not in replaced), *pairs)
    if plan.key_header is not None:
        always = (*always, (plan.key_header, plan.key or str(uuid4())))
    return Request._bound(plan, url, always, content, arguments)


def _over(lower: Pairs, query: str) -> str:
    """The call's query over what is always sent: a later name replaces an earlier."""
    replaced = {part.partition("=")[0] for part in query[1:].split("&")}
    kept = "".join(f"&{name}={value}" for name, value in lower if name not in replaced)
    return kept + query


def name_reached(plan: Plan, error: ArgumentError) -> None:
    """Name the endpoint as the client reaches it: what a stub knows as `Issues.create` is `GitHub.issues.create`."""
    text, own = str(error), f"{plan.spec.name}: "
    if text.startswith(own):  # not from a call that the argument itself made
        error.args = (f"{plan.name}: {text.removeprefix(own)}",)


def compile_bind(spec: EndpointSpec, template: Template) -> Bind:
    """Compile the bind function of an endpoint.

    Raises:
        SpecError: pydantic cannot handle a parameter's type.
    """
    source = _Source(spec)
    path = " + ".join(source.part(part) for part in template.parts) or "''"
    source.line(f"{source.own}path = {path}")
    source.line(f"{source.own}query = ''")
    headers = [parameter for parameter in spec.parameters if parameter.role in ("header", "cookie")]
    if headers:
        source.line(f"{source.own}pairs = []")
    for parameter in spec.parameters:
        if parameter.role == "query":
            source.when_given(parameter, f"{source.own}query += {source.encoded(parameter)}")
        elif parameter.role == "header":
            pair = f"({source.constant(parameter.alias)}, {source.encoded(parameter)})"
            source.when_given(parameter, f"{source.own}pairs.append({pair})")
    source.cookies([parameter for parameter in headers if parameter.role == "cookie"])
    source.body(next((parameter for parameter in spec.parameters if parameter.role == "body"), None))
    arguments = ", ".join(f"{parameter.name!r}: {parameter.name}" for parameter in spec.parameters)
    pairs = f"(*{source.own}pairs,)" if headers else "()"
    source.line(
        f"return {source.constant(finish)}({source.own}plan, {source.own}path, {source.own}query, {pairs}, "
        f"{source.own}content, {{{arguments}}})"
    )
    return source.compiled()


class _Source:
    """The text of one bind function, and the constants that it refers to."""

    def __init__(self, spec: EndpointSpec) -> None:
        self._spec = spec
        self.own = "_"
        while any(parameter.name.startswith(self.own) for parameter in spec.parameters):
            self.own += "_"
        self._lines: list[str] = []
        self._namespace: dict[str, object] = {}

    def constant(self, value: object) -> str:
        """A name for a value."""
        name = f"{self.own}{len(self._namespace)}"
        self._namespace[name] = value
        return name

    def line(self, text: str) -> None:
        """Add a line."""
        self._lines.append(f"    {text}")

    def when_given(self, parameter: ParameterSpec, text: str) -> None:
        """Add a line that runs if the argument is not left out."""
        given = self._given(parameter)
        self.line(f"if {given}: {text}" if given else text)

    def _given(self, parameter: ParameterSpec) -> str:
        """The condition under which an argument is sent; empty if it always is."""
        name, conditions = parameter.name, list[str]()
        if (_kinds.allows_none(parameter.annotation) or parameter.default is None) and not _sends_none(parameter):
            conditions.append(f"{name} is not None")
        if parameter.default is UNSET or not {Unset, object, Any}.isdisjoint(_members(parameter)):
            conditions.append(f"{name} is not {self.constant(UNSET)}")
        return " and ".join(conditions)

    def encoded(self, parameter: ParameterSpec) -> str:
        """The call of a parameter's encoder."""
        return f"{self.constant(self._encoder(parameter))}({parameter.name})"

    def part(self, part: str | Placeholder) -> str:
        """One part of the path."""
        if isinstance(part, str):
            return self.constant(part)
        parameter = next(parameter for parameter in self._spec.parameters if parameter.name == part.name)
        encoder = _encode.path(_value_type(parameter), self._where(parameter), many=part.many)
        return f"{self.constant(encoder)}({parameter.name})"

    def cookies(self, parameters: list[ParameterSpec]) -> None:
        """All cookies, in one header."""
        if not parameters:
            return
        jar = f"{self.own}cookies"
        self.line(f"{jar} = []")
        for parameter in parameters:
            self.when_given(parameter, f"{jar}.append({self.encoded(parameter)})")
        self.line(f"if {jar}: {self.own}pairs.append(('Cookie', '; '.join({jar})))")

    def body(self, parameter: ParameterSpec | None) -> None:
        """The body, if there is one."""
        self.line(f"{self.own}content = None")
        if parameter is not None:
            self.when_given(parameter, f"{self.own}content = {self.encoded(parameter)}")

    def _encoder(self, parameter: ParameterSpec) -> Callable[[Any], object]:
        hint, where = _value_type(parameter), self._where(parameter)
        if parameter.role == "query":
            return _encode.query(hint, parameter.alias, where)
        if parameter.role == "header":
            return _encode.header(hint, parameter.alias, where)
        if parameter.role == "cookie":
            return _encode.cookie(hint, parameter.alias, where)
        return _encode.json_body(hint, where, exclude_unset=self._exclude_unset(parameter))

    def _exclude_unset(self, parameter: ParameterSpec) -> bool:
        marker = next((item for item in _kinds.markers(parameter.annotation) if isinstance(item, Body)), Body())
        return self._spec.method == "PATCH" if marker.exclude_unset is None else marker.exclude_unset

    def _where(self, parameter: ParameterSpec) -> str:
        return f"{self._spec.name}: {parameter.name}"

    def compiled(self) -> Bind:
        """The function."""
        name = f"{self.own}bind"
        lines = [
            f"def {name}({', '.join([f'{self.own}plan', *self._signature()])}):",
            "  try:",
            *self._lines,
            f"  except {self.constant(ArgumentError)} as {self.own}error:",
            f"    {self.constant(name_reached)}({self.own}plan, {self.own}error)",
            "    raise",
        ]
        text, scope = "\n".join(lines), dict(self._namespace)
        exec(compile(text, f"<stubwire bind {self._spec.name}>", "exec"), scope)  # noqa: S102 - made of names only
        function = cast("FunctionType", scope[name])
        function.__qualname__ = self._spec.name
        return function

    def _signature(self) -> list[str]:
        words: list[str] = []
        parameters = self._spec.parameters
        for index, parameter in enumerate(parameters):
            if parameter.kind == "keyword" and (index == 0 or parameters[index - 1].kind != "keyword"):
                words.append("*")
            default = "" if parameter.default is Parameter.empty else f"={self.constant(parameter.default)}"
            words.append(parameter.name + default)
            if parameter.kind == "positional" and all(after.kind != "positional" for after in parameters[index + 1 :]):
                words.append("/")
        return words


def _value_type(parameter: ParameterSpec) -> object:
    """The type of a value that is sent: without marker, and without what leaves a parameter out."""
    hint = _kinds.without_markers(_kinds.without_none(parameter.annotation))
    return Optional[hint] if _sends_none(parameter) else hint  # noqa: UP045 - made at run time


def _sends_none(parameter: ParameterSpec) -> bool:
    """Whether `None` is a JSON `null`, because there is an `UNSET` to leave the body out."""
    return parameter.role == "body" and Unset in _members(parameter) and _kinds.has_none(parameter.annotation)


def _members(parameter: ParameterSpec) -> list[object]:
    return [_kinds.plain(member) for member in _kinds.members(parameter.annotation)]
