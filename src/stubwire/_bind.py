"""Arguments to a `Request`, by a function compiled from the stub's signature.

This module's rule: the source is made of parameter names and constants in its namespace, never of a user's text; the
compiled function does only what depends on the arguments.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter
from types import FunctionType
from typing import TYPE_CHECKING, Any, cast
from uuid import uuid4

from stubwire import _encode, _kinds
from stubwire._request import Request
from stubwire._sent import members, sends_none, value_type
from stubwire.errors import ArgumentError
from stubwire.markers import UNSET, Body, Path, Unset

if TYPE_CHECKING:
    from stubwire._codecs import Codec
    from stubwire._headers import Pairs
    from stubwire._plan import Plan
    from stubwire._spec import EndpointSpec, ParameterSpec
    from stubwire._template import Placeholder, Template
    from stubwire.markers import Style

BODY_ROLES = ("body", "form", "file")
"""The roles of what stands in a body."""

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


def compile_bind(spec: EndpointSpec, template: Template, style: Style = "form", codecs: Sequence[Codec] = ()) -> Bind:
    """Compile the bind function of an endpoint.

    Args:
        spec: the endpoint.
        template: its path.
        style: how lists and objects are written where a parameter does not say.
        codecs: those of the client.

    Raises:
        SpecError: pydantic cannot handle a parameter's type.
    """
    source = _Source(spec, style, codecs)
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
            source.header(parameter)
    source.cookies([parameter for parameter in headers if parameter.role == "cookie"])
    finished = source.body([parameter for parameter in spec.parameters if parameter.role in BODY_ROLES])
    arguments = ", ".join(f"{parameter.name!r}: {parameter.name}" for parameter in spec.parameters)
    pairs = f"(*{source.own}pairs,)" if headers else "()"
    request = (
        f"{source.constant(finish)}({source.own}plan, {source.own}path, {source.own}query, {pairs}, "
        f"{source.own}content, {{{arguments}}})"
    )
    source.line(f"return {finished.format(request)}")
    return source.compiled()


class _Source:
    """The text of one bind function, and the constants that it refers to."""

    def __init__(self, spec: EndpointSpec, style: Style, codecs: Sequence[Codec]) -> None:
        self._spec = spec
        self._style: Style = style
        self._codecs = codecs
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
        if (_kinds.allows_none(parameter.annotation) or parameter.default is None) and not sends_none(parameter):
            conditions.append(f"{name} is not None")
        if parameter.default is UNSET or not {Unset, object, Any}.isdisjoint(members(parameter)):
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
        if self._is_structured(parameter):
            return self.encoded(parameter)
        encoder = _encode.path(value_type(parameter), self._where(parameter), many=part.many)
        return f"{self.constant(encoder)}({parameter.name})"

    def header(self, parameter: ParameterSpec) -> None:
        """One header, or as many as a parameter makes that is no scalar."""
        pairs = self.encoded(parameter)
        if not self._is_structured(parameter):
            pairs = f"[({self.constant(parameter.alias)}, {pairs})]"
        self.when_given(parameter, f"{self.own}pairs += {pairs}")

    def cookies(self, parameters: list[ParameterSpec]) -> None:
        """All cookies, in one header."""
        if not parameters:
            return
        jar = f"{self.own}cookies"
        self.line(f"{jar} = []")
        for parameter in parameters:
            found = self.encoded(parameter)
            self.when_given(parameter, f"{jar} += {found if self._is_structured(parameter) else f'[{found}]'}")
        self.line(f"if {jar}: {self.own}pairs.append(('Cookie', '; '.join({jar})))")

    def body(self, parameters: list[ParameterSpec]) -> str:
        """The body, if there is one; what is done with the finished request, which stands in braces."""
        self.line(f"{self.own}content = None")
        if not parameters:
            return "{}"
        if len(parameters) == 1 and _is_plain_json(parameters[0]):
            self.when_given(parameters[0], f"{self.own}content = {self.encoded(parameters[0])}")
            return "{}"
        from stubwire import _bodies

        given = f"{self.own}given"
        self.line(f"{given} = {{}}")
        for parameter in parameters:
            self.when_given(parameter, f"{given}[{parameter.name!r}] = {parameter.name}")
        encode = _bodies.compile_body(self._spec, parameters, self._style, self._codecs).encode
        self.line(f"{self.own}payload = {self.constant(encode)}({given})")
        own = any(part.role == "header" and part.alias.lower() == "content-type" for part in self._spec.parameters)
        return f"{self.constant(_bodies.attach)}({{}}, {self.own}payload, own={own})"

    def _encoder(self, parameter: ParameterSpec) -> Callable[[Any], object]:
        hint, where = value_type(parameter), self._where(parameter)
        if parameter.role != "body" and self._is_structured(parameter):
            from stubwire import _structured

            return _structured.encoder(parameter, where, self._style)
        if parameter.role == "query":
            return _encode.query(hint, parameter.alias, where)
        if parameter.role == "header":
            return _encode.header(hint, parameter.alias, where)
        if parameter.role == "cookie":
            return _encode.cookie(hint, parameter.alias, where)
        return _encode.json_body(hint, where, exclude_unset=self._exclude_unset(parameter))

    def _is_structured(self, parameter: ParameterSpec) -> bool:
        """Whether a parameter may be more than a scalar, or than a list that repeats its name."""
        hint = value_type(parameter)
        marker = next(iter(_kinds.markers(parameter.annotation)), None)
        style = getattr(marker, "style", None) or self._style
        members = [_kinds.plain(member) for member in _kinds.members(hint)]
        if _kinds.is_body(hint) or (parameter.role == "path" and marker not in (None, Path())):
            return True
        own = _kinds.writes_itself(hint)
        listed = not own and any(_kinds.item_type(member) is not None for member in members)
        if parameter.role != "query":
            return listed and parameter.role != "cookie"
        if style == "form":
            return listed and len(members) > 1
        return listed or own or object in members or Any in members

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


def _is_plain_json(parameter: ParameterSpec) -> bool:
    """Whether a parameter is the whole body, as JSON that no content type and no codec changes."""
    hint = parameter.annotation
    marker = next((item for item in _kinds.markers(hint) if isinstance(item, Body)), Body())
    if parameter.role != "body" or marker.content_type is not None or marker.embed:
        return False
    if "pydantic_xml" in sys.modules:  # whoever has an XML model has imported it
        from stubwire._codecs import body_type

        if body_type(value_type(parameter)) is not None:
            return False
    if _kinds.is_body(hint) and not _kinds.is_stream(hint):
        return True
    from stubwire._body_roles import shape

    return shape(hint).kind == "json"
