"""Results that are fetched while they are iterated: `Pages` and `Stream`, and their asynchronous twins.

This module's rule: it knows such a result by its mark alone, because the modules that fetch are imported by the
endpoints that need them; what is wrong with one is found when the class is created.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol, cast, get_args, get_origin

from stubwire import _kinds
from stubwire._annotations import name_of
from stubwire.errors import SpecError

if TYPE_CHECKING:
    from stubwire._codecs import Codec
    from stubwire._core import Core
    from stubwire._declaration import EndpointOptions
    from stubwire._decode import Decoder
    from stubwire._plan import Plan
    from stubwire._request import Request
    from stubwire._spec import EndpointSpec

MARK = "__stubwire_lazy__"
"""The attribute of a class that says which kind it is."""

Kind = Literal["pages", "stream"]
Make = Callable[["Core", "Plan", "Request"], object]
"""A bound request to what is iterated."""

_NAMES: dict[Kind, str] = {"pages": "Pages", "stream": "Stream"}
_MODULES: dict[Kind, str] = {"pages": "stubwire.pages", "stream": "stubwire.streams"}
_OPTIONS: dict[str, Kind] = {"paginate": "pages", "stream": "stream"}
_OF_ONE_BODY = ("none_on", "responses")


class Lazy(NamedTuple):
    """How the endpoints of one stub make their results.

    Attributes:
        sync: makes the synchronous one.
        asynchronous: makes the asynchronous one.
        decode: what a response becomes on the way.
        accept: the `Accept` header where nobody declares one.
    """

    sync: Make
    asynchronous: Make
    decode: Decoder
    accept: str


def kind(returns: object) -> Kind | None:
    """Which kind of lazy result a type is; `None` for any other."""
    inner = _kinds.plain(returns)
    found: Kind | None = getattr(get_origin(inner) or inner, MARK, None)
    return found


def may_be(raw: object) -> bool:
    """Whether an annotation, perhaps still a text, may be of a lazy result."""
    if isinstance(raw, str):
        return "Pages" in raw or "Stream" in raw
    if isinstance(raw, type):  # without `hasattr`, of which the metaclass of models makes two calls
        return any(MARK in vars(base) for base in raw.__mro__)
    return hasattr(getattr(raw, "__origin__", raw), MARK)


def is_asynchronous(returns: object) -> bool:
    """Whether a lazy result is one that `async for` iterates."""
    inner = _kinds.plain(returns)
    return hasattr(get_origin(inner) or inner, "__aiter__")


def item_type(returns: object) -> object:
    """The type of the items."""
    args = get_args(_kinds.plain(returns))
    return args[0] if args else object


def check(method: str, returns: object, options: EndpointOptions, where: str, *, is_async: bool) -> None:
    """Find what is wrong with a lazy result, or with options that need one.

    Raises:
        SpecError: something is.
    """
    found = kind(returns)
    for option, needed in _OPTIONS.items():
        if option in options and found != needed:
            name = _NAMES[needed]
            raise SpecError(f"{where}: {option} needs a return type that is iterated: write -> {name}[Item]")
    if found is None:
        _check_hidden(returns, where)
        return
    name = name_of(returns)
    if is_async:
        advice = name if is_asynchronous(returns) else f"Async{name}"
        raise SpecError(
            f"{where}: is an async def that returns {name}, which is iterated, not awaited: write def, with -> {advice}"
        )
    if not get_args(_kinds.plain(returns)):
        raise SpecError(f"{where}: returns {name} of nothing: write {name}[Item]")
    for option in _OF_ONE_BODY:
        if option in options:
            raise SpecError(f"{where}: {option} is for a result that is one body, not {name}: drop it")
    if found == "stream" and "unwrap" in options:
        raise SpecError(f"{where}: unwrap is for a result that is one body, not {name}: drop it")
    _fetching(found).check(method, returns, options, where)


def _check_hidden(returns: object, where: str) -> None:
    """Refuse one that stands inside another type."""
    for argument in get_args(_kinds.plain(returns)):
        if kind(argument) is not None:
            name = name_of(argument)
            raise SpecError(f"{where}: returns {name_of(returns)}, and {name} stands alone: write -> {name}")


def compiled(spec: EndpointSpec, options: EndpointOptions, codecs: Sequence[Codec]) -> Lazy | None:
    """How the results of an endpoint are made; `None` if they are not lazy."""
    found = kind(spec.returns)
    return None if found is None else _fetching(found).lazy(spec, options, codecs)


class _Fetching(Protocol):
    """A module that fetches results of one kind."""

    def check(self, method: str, returns: object, options: EndpointOptions, where: str) -> None:
        """Find what is wrong with a declaration of one."""

    def lazy(self, spec: EndpointSpec, options: EndpointOptions, codecs: Sequence[Codec]) -> Lazy:
        """How the results of an endpoint are made."""
        ...


def _fetching(kind: Kind) -> _Fetching:
    """Imported here, by the endpoints that need it: it stands above everything that compiles endpoints."""
    return cast("_Fetching", import_module(_MODULES[kind]))
