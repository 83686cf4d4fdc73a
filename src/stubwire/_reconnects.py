"""When a stream of events connects again (HTML, section 9.2.3).

This module's rule: pure. It remembers what outlives a connection, the last id and the wait, and decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stubwire._headers import _FORBIDDEN
from stubwire._items import OfEvents
from stubwire.errors import CallError, DecodeError, ReadError

if TYPE_CHECKING:
    from stubwire._items import Reader
    from stubwire._response import Response
    from stubwire._stream_kinds import SSE

_WAIT = 3.0
_LONGEST_WAIT = 60.0


class Reconnects:
    """What one stream knows of its connections.

    Attributes:
        last_id: of the last event, for `Last-Event-ID`.
        wait: seconds before the next connection.
    """

    def __init__(self, sse: SSE) -> None:
        self.last_id = ""
        self.wait = _WAIT
        self._sse = sse
        self._fruitless = 0
        self._had_events = False

    def after(self, response: Response | None, reader: Reader | None, failure: CallError | None) -> float | None:
        """Seconds until the next connection, or `None` where the stream has ended.

        Args:
            response: the latest.
            reader: what read the connection that ended, or `None` if there was no connection.
            failure: what ended it; `None` for its proper end.

        Raises:
            CallError: the failure, where there is no further connection.
        """
        if isinstance(reader, OfEvents):
            self._learn(reader)
        ended = reader is not None and not isinstance(reader, OfEvents)
        if ended or not self._sse.reconnect or not self._had_events or response is None:
            if failure is not None:
                raise failure
            return None
        self._fruitless += 1
        if self._fruitless > self._sse.max_reconnects:
            failure = failure or ReadError("ended the stream without an event")
            failure.add_note(f"not reconnected: max_reconnects={self._sse.max_reconnects} brought no event")
            raise failure
        if _FORBIDDEN.search(self.last_id):
            message = f"answered {response.status_code} with an event id that no header can send back"
            raise DecodeError(message, response=response)
        return self.wait

    def _learn(self, reader: OfEvents) -> None:
        self._had_events = True
        self.last_id = reader.events.last_id
        if reader.events.retry is not None:
            self.wait = min(reader.events.retry / 1000, _LONGEST_WAIT)
        if reader.count:
            self._fruitless = 0
