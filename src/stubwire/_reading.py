"""A stub, read: the types and roles of its parameters, and the type of its result.

This module's rule: what is wrong with one parameter is found here, what is wrong with several where they meet.
"""

from __future__ import annotations

from inspect import Parameter
from typing import TYPE_CHECKING

from stubwire._annotations import Scope, declaring, raw_annotations
from stubwire._declaration import Argument, Declaration, arguments
from stubwire._roles import RoleError, role
from stubwire._spec import ParameterSpec, Role
from stubwire.errors import SpecError
from stubwire.markers import Marker

if TYPE_CHECKING:
    from stubwire._template import Template


class Reading:
    """One declaration, read for one owner.

    Attributes:
        where: class and method, for messages.
        template: the path, with the prefixes of its resources.
        arguments: the stub's parameters.

    Raises:
        SpecError: its signature is wrong, or does not supply the path.
    """

    def __init__(self, declaration: Declaration, owner: type, scope: Scope, template: Template) -> None:
        stub = declaration.stub
        self.where = declaration.where(owner)
        self.template = template
        self.arguments = arguments(declaration, self.where)
        self._names = self.template.names
        self._method = declaration.method
        self._scope = scope
        self._module = stub.__globals__
        self._raw = raw_annotations(stub)
        self._declared_in = declaring(owner, stub)
        self._roles = scope.roles.setdefault((declaration.method, self._declared_in), {})
        if "return" not in self._raw:
            raise SpecError(f"{self.where}: has no return type: write -> Model for what it returns, or -> None")
        own = {argument.name for argument in self.arguments}
        for name in self._names:
            if name not in own:
                raise SpecError(
                    f"{self.where}: path {self.template.text!r} names {name!r}, which no parameter supplies: "
                    f"write the parameter {name}: str, or take <{name}> out of the path"
                )

    def hint(self, argument: Argument) -> object:
        """The type of a parameter.

        Raises:
            SpecError: it has none, and needs one.
            NameError: it has a name that is not defined yet.
        """
        name = argument.name
        if name in self._raw:
            return self._resolved(self._raw[name], f"parameter {name!r}")
        if name in self._names:
            return str
        if argument.default is Parameter.empty:
            raise SpecError(f"{self._at(argument)} has no annotation: write {name}: str, or the type that it has")
        return object

    def returns(self) -> object:
        """The type of the result.

        Raises:
            NameError: it has a name that is not defined yet.
        """
        return self._resolved(self._raw["return"], "the result")

    def role(self, argument: Argument, *, mounted: bool = True) -> tuple[Role, str]:
        """Where a parameter goes, and its name there; decided once for parameters that are alike.

        Raises:
            SpecError: it cannot go anywhere.
            NameError: its type has a name that is not defined yet.
        """
        name, default = argument.name, argument.default
        in_path = name in self._names
        given = type(default) if default is not Parameter.empty else default
        key: object = (name, self._raw.get(name, Parameter.empty), in_path, given)
        try:
            found = self._roles.get(key)
        except TypeError:  # an unhashable annotation, decided each time
            key, found = object(), None
        if found is None:
            found = self._roles[key] = self._decided(argument, in_path=in_path)
        if found[0] == "path" and not in_path and mounted:
            raise SpecError(
                f"{self._at(argument)} is marked Path(), but the path {self.template.text!r} has no <{name}>: "
                "write it there, or drop the marker"
            )
        return found

    def _decided(self, argument: Argument, *, in_path: bool) -> tuple[Role, str]:
        name, default = argument.name, argument.default
        if isinstance(default, Marker):
            kind = type(default).__name__
            raise SpecError(f"{self._at(argument)} has a marker as default: write {name}: Annotated[..., {kind}()]")
        if type(default).__module__ == "pydantic.fields":
            raise SpecError(
                f"{self._at(argument)} has a Field as default: write {name}: Annotated[..., Field(...)] = ..."
            )
        try:
            return role(name, self.hint(argument), self._method, in_path=in_path, none=default is None)
        except RoleError as error:
            message = str(error)
        raise SpecError(f"{self._at(argument)} {message}")

    def parameter(self, argument: Argument) -> ParameterSpec:
        """A parameter's spec."""
        hint = self.hint(argument)
        found, alias = self.role(argument)
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
