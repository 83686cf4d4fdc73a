"""A stub, read: the types and roles of its parameters, and the type of its result.

This module's rule: what is wrong with one parameter is found here, what is wrong with several where they meet.
"""

from __future__ import annotations

from inspect import Parameter
from typing import TYPE_CHECKING

from stubwire import _kinds, _lazy
from stubwire._annotations import Scope, declaring, name_of, raw_annotations
from stubwire._declaration import Argument, Declaration, arguments, keywords
from stubwire._roles import Place, RoleError, place
from stubwire._spec import ParameterSpec
from stubwire._template import Placeholder
from stubwire.errors import SpecError
from stubwire.markers import UNSET, Marker

if TYPE_CHECKING:
    from stubwire._template import Template
    from stubwire.markers import Style


class Reading:
    """One declaration, read for one owner.

    Attributes:
        where: class and method, for messages.
        template: the path, with the prefixes of its resources.
        arguments: the stub's parameters; once it is complete, those in `**params: Unpack[...]` too.

    Raises:
        SpecError: its signature is wrong.
    """

    def __init__(
        self, declaration: Declaration, owner: type, scope: Scope, template: Template, style: Style | None = None
    ) -> None:
        stub = declaration.stub
        self.where = declaration.where(owner)
        self.template = template
        self.arguments = arguments(declaration, self.where)
        placeholders = [part for part in template.parts if isinstance(part, Placeholder)]
        self._names = [part.name for part in placeholders]
        self._many = {part.name for part in placeholders if part.many}
        self._method = declaration.method
        self._scope = scope
        self._module = stub.__globals__
        self._raw = raw_annotations(stub)
        self._declared_in = declaring(owner, stub)
        self._style: Style | None = style
        self._roles = scope.roles.setdefault((declaration.method, self._declared_in, style), {})
        self._hints: dict[str, object] = {}
        self._further = keywords(stub)
        if "return" not in self._raw:
            raise SpecError(f"{self.where}: has no return type: write -> Model for what it returns, or -> None")

    def complete(self) -> None:
        """Take the keys of `**params: Unpack[...]` among the parameters, and see that they supply the path.

        Raises:
            SpecError: they do not, or `**params` is no TypedDict.
            NameError: the type of `**params` has a name that is not defined yet.
        """
        if self._further is not None:
            self._unpack(self._further)
        own = {argument.name for argument in self.arguments}
        for name in self._names:
            if name not in own:
                raise SpecError(
                    f"{self.where}: path {self.template.text!r} names {name!r}, which no parameter supplies: "
                    f"write the parameter {name}: str, or take <{name}> out of the path"
                )

    def _unpack(self, name: str) -> None:
        """Take the keys of `**name` among the parameters."""
        from stubwire._unpacked import unpacked

        hint = self._resolved(self._raw[name], f"parameter {name!r}") if name in self._raw else None
        taken = {argument.name for argument in self.arguments}
        for key in unpacked(hint, name, taken, self.where):
            own = key.argument.name
            if own in self._names and key.argument.default is UNSET:
                raise SpecError(
                    f"{self.where}: **{name} has the key {own!r}, which fills <{own}> in the path, so it cannot be "
                    f"left out: write {own}: Required[{name_of(key.hint)}]"
                )
            self.arguments.append(key.argument)
            self._hints[own] = key.hint if own in self._names else key.sent

    def hint(self, argument: Argument) -> object:
        """The type of a parameter.

        Raises:
            SpecError: it has none, and needs one.
            NameError: it has a name that is not defined yet.
        """
        name = argument.name
        if name in self._hints:
            return self._hints[name]
        if name in self._raw:
            return self._resolved(self._raw[name], f"parameter {name!r}")
        if name in self._names:
            return str
        if argument.default is Parameter.empty:
            raise SpecError(f"{self._at(argument)} has no annotation: write {name}: str, or the type that it has")
        return object

    @property
    def may_be_lazy(self) -> bool:
        """Whether the result may be one that is fetched while it is iterated, as far as can be seen."""
        return _lazy.may_be(self._raw["return"])

    def returns(self) -> object:
        """The type of the result.

        Raises:
            NameError: it has a name that is not defined yet.
        """
        return self._resolved(self._raw["return"], "the result")

    def place(self, argument: Argument, *, mounted: bool = True) -> Place:
        """Where a parameter goes; decided once for parameters that are alike.

        Raises:
            SpecError: it cannot go anywhere.
            NameError: its type has a name that is not defined yet.
        """
        name, default = argument.name, argument.default
        in_path, many = name in self._names, name in self._many
        given = type(default) if default is not Parameter.empty else default
        raw = self._hints[name] if name in self._hints else self._raw.get(name, Parameter.empty)
        key = (name, raw, in_path, many, given)
        try:
            found = self._roles.get(key)
        except TypeError:  # an unhashable annotation, decided each time
            found = self._decided(argument, in_path=in_path, many=many)
        if found is None:
            found = self._roles[key] = self._decided(argument, in_path=in_path, many=many)
        if found[0] == "path" and not in_path and mounted:
            raise SpecError(
                f"{self._at(argument)} is marked Path(), but the path {self.template.text!r} has no <{name}>: "
                "write it there, or drop the marker"
            )
        return found

    def _decided(self, argument: Argument, *, in_path: bool, many: bool) -> Place:
        name, default = argument.name, argument.default
        if isinstance(default, Marker):
            kind = type(default).__name__
            raise SpecError(f"{self._at(argument)} has a marker as default: write {name}: Annotated[..., {kind}()]")
        if type(default).__module__ == "pydantic.fields":
            raise SpecError(
                f"{self._at(argument)} has a Field as default: write {name}: Annotated[..., Field(...)] = ..."
            )
        try:
            hint = self.hint(argument)
            found = place(
                name,
                hint,
                self._method,
                in_path=in_path,
                many=many,
                default=default,
                style=self._style,
            )
            if found.role in ("form", "file") or (
                found.role == "body" and (_kinds.markers(hint) or _kinds.is_stream(hint))
            ):
                from stubwire import _body_roles  # for what is more than the JSON of its type

                _body_roles.check(found.role, hint, self._method)
        except RoleError as error:
            message = str(error)
        else:
            return found
        raise SpecError(f"{self._at(argument)} {message}")

    def parameter(self, argument: Argument) -> ParameterSpec:
        """A parameter's spec."""
        hint = self.hint(argument)
        found, alias, _ = self.place(argument)
        return ParameterSpec(argument.name, alias, found, hint, argument.default, argument.kind)

    def _resolved(self, raw: object, what: str) -> object:
        try:
            return self._scope.resolve(raw, self._module, self._declared_in)
        except NameError:
            raise
        except Exception as error:  # noqa: BLE001 - an annotation may be any expression
            raise SpecError(
                f"{self.where}: {what} has the annotation {raw!r}, which is no type ({type(error).__name__}: {error}): "
                "write one that Python can evaluate"
            ) from None

    def _at(self, argument: Argument) -> str:
        return f"{self.where}: parameter {argument.name!r}"
