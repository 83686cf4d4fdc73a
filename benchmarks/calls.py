"""The groups that need no socket: the same call declared and by hand, in both colours, with their bars."""

from collections.abc import Callable, Iterator
from itertools import cycle

from benchmarks.data import ISSUE_JSON, NEW_ISSUE, REPOS_JSON, USER_JSON, USERNAME
from benchmarks.declared import (
    MIDDLEWARE,
    AsyncGitHub,
    GitHub,
    add_three_middlewares_and_two_interceptors,
    stock_async_client,
    stock_client,
)
from benchmarks.groups import Bar, Entry, Group
from benchmarks.hand import AsyncHand, ClientHeadersHand, Floor, Hand
from benchmarks.harness import Case
from benchmarks.wire import Wire
from stubwire import Retry, RetryBudget

BY_HAND = "by hand"
BOUNDED = "stubwire, budget and deadline"
BUDGETED = Retry(budget=RetryBudget())
DEADLINE = 30.0
REPO = "hello-world"


def groups() -> Iterator[Group]:
    """All groups, each built when its turn comes."""
    yield _user()
    yield _repos()
    yield _post()
    yield _async_user()
    yield _async_repos()
    yield _async_post()
    yield _middleware()
    yield _retry()


def _names() -> Callable[[], str]:
    """A new user name for each call: more of them than a cache of URLs would keep."""
    return cycle([f"octocat-{number}" for number in range(20_000)]).__next__


def _user() -> Group:
    wire = Wire(USER_JSON)
    hand, floor, client_headers = Hand(wire), Floor(wire), ClientHeadersHand(wire)
    plain, stock = GitHub(transport=wire.transport), GitHub(http_client=stock_client(wire))
    bounded = GitHub(transport=wire.transport, retry=BUDGETED, deadline=DEADLINE)
    full = GitHub(transport=wire.transport)
    add_three_middlewares_and_two_interceptors(full)
    hand_names, names = _names(), _names()
    return Group(
        "GET one user",
        [
            Entry(Case(BY_HAND, lambda: hand.user(USERNAME)), wire.sent),
            Entry(Case("by hand, distinct names", lambda: hand.user(hand_names()))),
            Entry(Case("by hand, headers set on the client", lambda: client_headers.user(USERNAME)), wire.sent),
            Entry(Case("floor: transport and validate_json", floor.user)),
            Entry(Case("stubwire", lambda: plain.user(USERNAME)), wire.sent, Bar(0.35)),
            Entry(
                Case("stubwire, distinct names", lambda: plain.user(names())),
                bar=Bar(0.35, against=("by hand, distinct names",)),
            ),
            Entry(Case(BOUNDED, lambda: bounded.user(USERNAME)), wire.sent, Bar(0.35)),
            Entry(Case("stubwire, 3 middlewares, 2 interceptors", lambda: full.user(USERNAME)), wire.sent, Bar(0.40)),
            Entry(Case("stubwire, stock httpx.Client", lambda: stock.user(USERNAME)), wire.sent, Bar(0.60)),
        ],
    )


def _repos() -> Group:
    wire = Wire(REPOS_JSON)
    hand, floor, plain = Hand(wire), Floor(wire), GitHub(transport=wire.transport)
    bounded = GitHub(transport=wire.transport, retry=BUDGETED, deadline=DEADLINE)
    return Group(
        "GET 30 repos",
        [
            Entry(Case(BY_HAND, lambda: hand.repos(USERNAME)), wire.sent),
            Entry(Case("floor: transport and validate_json", floor.repos)),
            Entry(Case("stubwire", lambda: plain.repos(USERNAME)), wire.sent, Bar(0.70)),
            Entry(Case(BOUNDED, lambda: bounded.repos(USERNAME)), wire.sent, Bar(0.70)),
        ],
    )


def _post() -> Group:
    wire = Wire(ISSUE_JSON)
    hand, plain = Hand(wire), GitHub(transport=wire.transport)
    bounded = GitHub(transport=wire.transport, retry=BUDGETED, deadline=DEADLINE)
    return Group(
        "POST a model",
        [
            Entry(Case(BY_HAND, lambda: hand.create_issue(USERNAME, REPO, NEW_ISSUE)), wire.sent),
            Entry(Case("stubwire", lambda: plain.create_issue(USERNAME, REPO, NEW_ISSUE)), wire.sent, Bar(0.40)),
            Entry(Case(BOUNDED, lambda: bounded.create_issue(USERNAME, REPO, NEW_ISSUE)), wire.sent, Bar(0.40)),
        ],
    )


def _async_user() -> Group:
    wire = Wire(USER_JSON)
    hand = AsyncHand(wire)
    plain, stock = AsyncGitHub(transport=wire.transport), AsyncGitHub(http_client=stock_async_client(wire))
    full, twin = AsyncGitHub(transport=wire.transport), GitHub(transport=wire.transport)
    bounded = AsyncGitHub(transport=wire.transport, retry=BUDGETED, deadline=DEADLINE)
    add_three_middlewares_and_two_interceptors(full)
    hand_names, names = _names(), _names()
    full_name = "stubwire, 3 middlewares, 2 interceptors"
    return Group(
        "GET one user, async",
        [
            Entry(Case(BY_HAND, acall=lambda: hand.user(USERNAME)), wire.sent),
            Entry(Case("by hand, distinct names", acall=lambda: hand.user(hand_names()))),
            Entry(Case("stubwire", acall=lambda: plain.user(USERNAME)), wire.sent, Bar(0.35)),
            Entry(Case("stubwire, .aio of a def stub", acall=lambda: twin.user.aio(USERNAME)), wire.sent, Bar(0.35)),
            Entry(
                Case("stubwire, distinct names", acall=lambda: plain.user(names())),
                bar=Bar(0.35, against=("by hand, distinct names",)),
            ),
            Entry(Case(BOUNDED, acall=lambda: bounded.user(USERNAME)), wire.sent, Bar(0.35)),
            Entry(Case(full_name, acall=lambda: full.user(USERNAME)), wire.sent, Bar(0.40)),
            Entry(Case("stubwire, stock httpx.AsyncClient", acall=lambda: stock.user(USERNAME)), wire.sent, Bar(0.60)),
        ],
    )


def _async_repos() -> Group:
    wire = Wire(REPOS_JSON)
    hand, plain = AsyncHand(wire), AsyncGitHub(transport=wire.transport)
    bounded = AsyncGitHub(transport=wire.transport, retry=BUDGETED, deadline=DEADLINE)
    return Group(
        "GET 30 repos, async",
        [
            Entry(Case(BY_HAND, acall=lambda: hand.repos(USERNAME)), wire.sent),
            Entry(Case("stubwire", acall=lambda: plain.repos(USERNAME)), wire.sent, Bar(0.70)),
            Entry(Case(BOUNDED, acall=lambda: bounded.repos(USERNAME)), wire.sent, Bar(0.70)),
        ],
    )


def _async_post() -> Group:
    wire = Wire(ISSUE_JSON)
    hand, plain = AsyncHand(wire), AsyncGitHub(transport=wire.transport)
    bounded = AsyncGitHub(transport=wire.transport, retry=BUDGETED, deadline=DEADLINE)
    return Group(
        "POST a model, async",
        [
            Entry(Case(BY_HAND, acall=lambda: hand.create_issue(USERNAME, REPO, NEW_ISSUE)), wire.sent),
            Entry(Case("stubwire", acall=lambda: plain.create_issue(USERNAME, REPO, NEW_ISSUE)), wire.sent, Bar(0.40)),
            Entry(Case(BOUNDED, acall=lambda: bounded.create_issue(USERNAME, REPO, NEW_ISSUE)), wire.sent, Bar(0.40)),
        ],
    )


def _middleware() -> Group:
    wire = Wire(USER_JSON)
    hand, none = Hand(wire), GitHub(transport=wire.transport)
    three = GitHub(transport=wire.transport, middleware=MIDDLEWARE)
    bar = Bar(1.10, against=("without",), or_hand=0.03)
    return Group(
        "3 pass-through middlewares",
        [
            Entry(Case(BY_HAND, lambda: hand.user(USERNAME)), wire.sent),
            Entry(Case("without", lambda: none.user(USERNAME)), wire.sent),
            Entry(Case("with", lambda: three.user(USERNAME)), wire.sent, bar),
        ],
    )


def _retry() -> Group:
    wire = Wire(USER_JSON)
    hand = Hand(wire)
    on, off = GitHub(transport=wire.transport), GitHub(transport=wire.transport, retry=None)
    return Group(
        "default retry",
        [
            Entry(Case(BY_HAND, lambda: hand.user(USERNAME)), wire.sent),
            Entry(Case("off", lambda: off.user(USERNAME)), wire.sent),
            Entry(Case("on", lambda: on.user(USERNAME)), wire.sent, Bar(1.05, against=("off",))),
        ],
    )
