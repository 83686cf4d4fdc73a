"""The headers of a delivery: in which forms they are taken, and which are refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from deliveries import GITHUB, KEY, STANDARD, STRIPE, VECTORS, Anything, Vector, changed, verdict
from stubwire.webhooks import StandardWebhook, WebhookError

if TYPE_CHECKING:
    from conftest import Clock


class Pairs:
    """Headers that are iterated as pairs, and are no mapping: those of werkzeug."""

    def __init__(self, headers: list[tuple[str, str]]) -> None:
        self._headers = headers

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._headers)


@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
@pytest.mark.parametrize("kind", [dict, list, Pairs])
def test_headers_come_in_any_case_and_as_a_mapping_or_pairs(
    case: Callable[[str], str], kind: Callable[[Any], Any], clock: Clock
) -> None:
    for vector in VECTORS:
        clock.time = vector.sent
        given_ = kind([(case(name), value) for name, value in vector.headers.items()] + [("Accept", "*/*")])
        assert verdict(replace(vector, headers=given_)) == "genuine"


@pytest.mark.parametrize(("vector", "name"), [(vector, name) for vector in VECTORS for name in vector.headers])
def test_a_header_that_is_missing_or_comes_twice_is_refused(vector: Vector, name: str) -> None:
    less: Any = {key: value for key, value in vector.headers.items() if key != name}
    assert verdict(replace(vector, headers=less)) == f"the header {name} is missing"
    more: Any = [*vector.headers.items(), (name.upper(), "x")]
    assert verdict(replace(vector, headers=more)) == f"the header {name} comes more than once"


@pytest.mark.parametrize(
    ("vector", "given_", "reason"),
    [
        (STANDARD, "", "the header webhook-signature has no v1 signature"),
        (STANDARD, "v1a,hnO3f9T8Ytu9Hw==", "the header webhook-signature has no v1 signature"),
        (STANDARD, STANDARD.headers["webhook-signature"][3:], "the header webhook-signature has no v1 signature"),
        (STRIPE, "t=1533204620,v0=63f3", "the header Stripe-Signature has no v1 signature"),
        (
            STRIPE,
            "t=1533204620,t=1533204621,v1=00",
            "the header Stripe-Signature has no time t, in whole seconds since 1970",
        ),
        (STRIPE, ",,", "the header Stripe-Signature has no time t, in whole seconds since 1970"),
        (GITHUB, "sha1=757107ea", "the header X-Hub-Signature-256 has no sha256 signature"),
        (GITHUB, GITHUB.headers["X-Hub-Signature-256"][7:], "the header X-Hub-Signature-256 has no sha256 signature"),
    ],
)
def test_a_header_without_a_signature_that_is_known_is_refused(vector: Vector, given_: str, reason: str) -> None:
    assert verdict(changed(vector, list(vector.headers)[-1], given_)) == reason


@pytest.mark.parametrize("signature", ["v1,ü", "v1,☹", "v1,\udc80"])
def test_a_signature_outside_ascii_is_refused(signature: str) -> None:
    assert verdict(changed(STANDARD, "webhook-signature", signature)).startswith("no v1 signature in the header")


@pytest.mark.parametrize("id", ["", "a.b", "a b", "ü", "a\n", "\udc80"])
def test_an_id_that_could_be_cut_otherwise_is_refused(id: str) -> None:
    assert verdict(changed(STANDARD, "webhook-id", id)) == (
        "the header webhook-id has a dot, a blank or a character outside ASCII, or is empty"
    )


def test_what_was_signed_cannot_be_cut_at_other_places(clock: Clock) -> None:
    """A body that has a text of the shape `.time.body` in it is not another delivery."""
    webhook = StandardWebhook(KEY, Anything)
    inner = f".{int(clock.time)}.{{}}"
    signed = webhook.sign(inner.encode(), id="a")
    moved = {**signed, "webhook-id": f"a.{signed['webhook-timestamp']}."}
    with pytest.raises(WebhookError, match="the header webhook-id has a dot"):
        webhook.verify(b"{}", moved)
