"""Why a webhook was refused.

This module's rule: a message names the header and the setting, and never shows a secret, a signature or the body.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stubwire._errors import StubwireError

if TYPE_CHECKING:
    from stubwire.errors import ErrorDetail


class WebhookError(StubwireError, ValueError):
    """A delivery that is not to be acted on; its subclasses say why."""


class WebhookSignatureError(WebhookError):
    """Nothing shows that the delivery is genuine and of now.

    A header is missing or malformed, no secret made a signature in it, or its time is too old or too far in the future.
    """


class WebhookReplayError(WebhookError):
    """The delivery is genuine, and was verified before."""


class WebhookEventError(WebhookError):
    """The delivery is genuine, and its body is none of the declared events."""

    def __init__(self, message: str = "", *, details: Sequence[ErrorDetail] = ()) -> None:
        super().__init__(message)
        self._details = tuple(details)

    def errors(self) -> list[ErrorDetail]:
        """Pydantic's errors: `type`, `loc` and `msg`; empty where the type of the event is unknown."""
        return [detail.copy() for detail in self._details]


for _kind in (WebhookError, WebhookSignatureError, WebhookReplayError, WebhookEventError):
    _kind.__module__ = "stubwire.webhooks"  # a traceback names where a user imports it from
del _kind
