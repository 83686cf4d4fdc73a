"""A copy of a delivery that was verified is refused, as long as its time would let it pass."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import fakeredis
import pytest

from deliveries import FAILED, KEY, OTHER_KEY, STANDARD, SUCCEEDED, TIMED, Anything, Charge, Vector, sender
from stubwire.webhooks import (
    GitHubWebhook,
    MemoryReplayStore,
    ReplayStore,
    StandardWebhook,
    StripeWebhook,
    Webhook,
    WebhookEventError,
    WebhookReplayError,
    WebhookSignatureError,
)

if TYPE_CHECKING:
    from conftest import Clock

Made = Callable[..., Webhook[Any]]
EACH: list[Made] = [StandardWebhook, StripeWebhook, GitHubWebhook]


@pytest.mark.parametrize("made", EACH)
def test_a_copy_is_refused(made: Made, clock: Clock) -> None:
    webhook = made(KEY, Anything)
    headers = webhook.sign(FAILED)
    assert webhook.verify(FAILED, headers)
    for _ in range(2):
        with pytest.raises(WebhookReplayError) as caught:
            webhook.verify(FAILED, headers)
        assert str(caught.value) == f"{type(webhook).__name__}: genuine, and verified before"


@pytest.mark.parametrize("made", EACH)
def test_without_a_store_copies_pass(made: Made, clock: Clock) -> None:
    webhook = made(KEY, Anything, replay_store=None)
    headers = webhook.sign(FAILED)
    assert webhook.verify(FAILED, headers) == webhook.verify(FAILED, headers)


@pytest.mark.parametrize("ahead", [-300, 0, 299])
@pytest.mark.parametrize("vector", TIMED, ids=sender)
def test_it_is_refused_until_it_is_too_old(vector: Vector, ahead: float, clock: Clock) -> None:
    """Also one whose time was in the future, which is of now for twice as long."""
    made: Any = vector.webhook
    webhook = made(vector.secret, Anything)
    clock.time = vector.sent + ahead
    assert webhook.verify(vector.body, vector.headers)
    for later in (0, 1, 300 - ahead - 0.5, 300 - ahead):
        clock.time = vector.sent + ahead + later
        with pytest.raises(WebhookReplayError):
            webhook.verify(vector.body, vector.headers)
    clock.time = vector.sent + 300.5
    with pytest.raises(WebhookSignatureError, match="301 s old"):
        webhook.verify(vector.body, vector.headers)


def test_a_copy_of_a_github_delivery_is_refused_for_the_window(clock: Clock) -> None:
    """Whatever else its headers say: they are not signed."""
    webhook = GitHubWebhook(KEY, Anything, replay_window=60)
    headers = webhook.sign(FAILED)
    assert webhook.verify(FAILED, headers)
    clock.advance(59)
    with pytest.raises(WebhookReplayError):
        webhook.verify(FAILED, {**headers, "X-GitHub-Delivery": "another", "X-GitHub-Event": "ping"})
    clock.advance(1)
    assert webhook.verify(FAILED, headers)


@pytest.mark.parametrize("made", [StandardWebhook, StripeWebhook])
def test_the_next_attempt_of_the_sender_is_no_copy(made: Made, clock: Clock) -> None:
    """It has a time of its own: a handler that failed gets the event again."""
    webhook: Any = made(KEY, Anything)
    event = {"id": "msg_1"} if made is StandardWebhook else {}
    assert webhook.verify(FAILED, webhook.sign(FAILED, **event))
    clock.advance(5)
    assert webhook.verify(FAILED, webhook.sign(FAILED, **event))


def test_a_copy_with_one_of_its_two_signatures_is_refused(clock: Clock) -> None:
    """While a secret rotates, whoever copies a delivery may leave one signature out."""
    new, old = (StandardWebhook(key, Anything).sign(FAILED, id="msg_1") for key in (KEY, OTHER_KEY))
    webhook = StandardWebhook([KEY, OTHER_KEY], Anything)
    signatures = [new["webhook-signature"], old["webhook-signature"]]
    assert webhook.verify(FAILED, {**new, "webhook-signature": " ".join(signatures)})
    for signature in (*signatures, " ".join(signatures[::-1])):
        with pytest.raises(WebhookReplayError):
            webhook.verify(FAILED, {**new, "webhook-signature": signature})


def test_a_delivery_whose_copy_came_first_with_one_signature_is_refused(clock: Clock) -> None:
    new, old = (StandardWebhook(key, Anything).sign(FAILED, id="msg_1") for key in (KEY, OTHER_KEY))
    webhook = StandardWebhook([KEY, OTHER_KEY], Anything)
    assert webhook.verify(FAILED, old)
    with pytest.raises(WebhookReplayError):
        webhook.verify(FAILED, {**new, "webhook-signature": f"{new['webhook-signature']} {old['webhook-signature']}"})


@pytest.mark.parametrize("made", EACH)
def test_a_secret_that_is_given_twice_makes_no_copy(made: Made, clock: Clock) -> None:
    """As before a rotation, when the new one is still the old one."""
    webhook = made([KEY, lambda: KEY], Anything)
    headers = webhook.sign(FAILED)
    assert webhook.verify(FAILED, headers)
    with pytest.raises(WebhookReplayError):
        webhook.verify(FAILED, headers)


def test_what_is_refused_is_not_remembered(clock: Clock) -> None:
    """Neither what is not genuine nor what is no event, so that it can come again."""
    webhook: StripeWebhook[Any] = StripeWebhook(KEY, Charge)
    store = webhook._replay_store
    headers = webhook.sign(SUCCEEDED)
    with pytest.raises(WebhookSignatureError):
        webhook.verify(FAILED, headers)
    for _ in range(2):
        with pytest.raises(WebhookEventError):
            webhook.verify(SUCCEEDED, headers)
    assert repr(store) == "MemoryReplayStore(max_size=100000)"
    assert isinstance(store, MemoryReplayStore)
    assert len(store._ends) == 0


def test_two_addresses_may_share_a_store(clock: Clock) -> None:
    """The same event for each, under a secret of its own, is no copy."""
    store = MemoryReplayStore()
    for key in (KEY, OTHER_KEY):
        webhook = StripeWebhook(key, Anything, replay_store=store)
        headers = webhook.sign(FAILED)
        assert webhook.verify(FAILED, headers)
        with pytest.raises(WebhookReplayError):
            StripeWebhook(key, Anything, replay_store=store).verify(FAILED, headers)


# ---- stores


class Redis:
    """A store as the page shows it."""

    def __init__(self) -> None:
        self.redis = fakeredis.FakeRedis()
        self.seconds: list[int] = []
        self.keys: list[str] = []

    def add(self, key: str, seconds: int, /) -> bool:
        self.keys.append(key)
        self.seconds.append(seconds)
        return bool(self.redis.set(f"webhook:{key}", b"", nx=True, ex=seconds))


@pytest.mark.parametrize(("ahead", "seconds"), [(-300, 601), (0, 301), (0.5, 301), (299.5, 2), (300, 1)])
def test_a_store_is_told_for_how_many_whole_seconds(ahead: float, seconds: int, clock: Clock) -> None:
    """Until the delivery is too old, and at least one, on a store whose clock is another."""
    store = Redis()
    webhook = StandardWebhook(STANDARD.secret, Anything, replay_store=store)
    clock.time = STANDARD.sent + ahead
    assert webhook.verify(STANDARD.body, STANDARD.headers)
    with pytest.raises(WebhookReplayError):
        webhook.verify(STANDARD.body, STANDARD.headers)
    assert store.seconds == [seconds] * 2
    assert {type(told) for told in store.seconds} == {int}
    assert store.keys[0] == store.keys[1]
    assert len(bytes.fromhex(store.keys[0])) == 32
    assert STANDARD.headers["webhook-signature"][3:] not in store.keys[0]


def test_what_a_store_raises_is_raised(clock: Clock) -> None:
    """A delivery is not handed over when nobody can say whether it is a copy."""

    class Down:
        def add(self, key: str, seconds: int, /) -> bool:
            raise ConnectionError("the store is down")

    webhook = StripeWebhook(KEY, Anything, replay_store=Down())
    with pytest.raises(ConnectionError, match="the store is down"):
        webhook.verify(FAILED, webhook.sign(FAILED))


def test_memory_forgets_what_is_over(clock: Clock) -> None:
    store: ReplayStore = MemoryReplayStore()
    assert [store.add("a", 10), store.add("b", 5), store.add("a", 10)] == [True, True, False]
    clock.advance(5)
    assert [store.add("b", 5), store.add("a", 1)] == [True, False]
    clock.advance(5)
    assert [store.add("a", 1), store.add("b", 1)] == [True, True]


def test_memory_has_a_bound(clock: Clock) -> None:
    """Beyond it, those are forgotten that would be first."""
    store = MemoryReplayStore(2)
    assert [store.add("a", 10), store.add("b", 5), store.add("c", 20)] == [True, True, True]
    assert [store.add("a", 1), store.add("c", 1), store.add("b", 30)] == [False, False, True]
    assert [store.add("c", 1), store.add("a", 1)] == [False, True]


def test_of_copies_that_come_at_once_one_is_handed_over() -> None:
    webhook = StripeWebhook(KEY, Anything)
    headers = webhook.sign(FAILED)
    barrier = threading.Barrier(8)
    verdicts: list[bool] = []

    def deliver() -> None:
        barrier.wait()
        try:
            webhook.verify(FAILED, headers)
        except WebhookReplayError:
            verdicts.append(False)
        else:
            verdicts.append(True)

    threads = [threading.Thread(target=deliver) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(verdicts) == [False] * 7 + [True]
