"""State for each origin.

This module's rule: an origin is what `_url` says it is, found quickly; a client may call any number of them, and only
so many are remembered.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar

from stubwire._url import origin

if TYPE_CHECKING:
    from collections.abc import Callable

S = TypeVar("S")

MOST = 1000
"""Origins whose state is kept; a client of one API has one, a sender of webhooks may have any number."""

_origin = lru_cache(maxsize=256)(origin)


def origin_of(url: str) -> str:
    """The origin of a request's URL."""
    return _origin("/".join(url.split("/", 3)[:3]))


class Origins(Generic[S]):
    """What is known of each origin; of too many, the one that was asked for longest ago is forgotten.

    Args:
        make: what is known of an origin that was not called.
    """

    def __init__(self, make: Callable[[], S]) -> None:
        self._lock = threading.Lock()
        self._make = make
        self._kept: OrderedDict[str, S] = OrderedDict()

    def of(self, name: str) -> S:
        """What is known of an origin."""
        with self._lock:
            if name not in self._kept:
                if len(self._kept) >= MOST:
                    self._kept.popitem(last=False)
                self._kept[name] = self._make()
            self._kept.move_to_end(name)
            return self._kept[name]

    def all(self) -> dict[str, S]:
        """What is known now, by origin."""
        with self._lock:
            return dict(self._kept)
