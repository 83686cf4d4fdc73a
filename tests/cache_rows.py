"""The requirements of RFC 9111 about storing and freshness, as a private cache has them; docs/caching.md shows them."""

from __future__ import annotations

from caching import Row, Step, date, ok
from conftest import Reply

FRESH = ok(cache_control="max-age=60")
TAGGED = ok(cache_control="max-age=60", etag='"one"')
DATED = ok(cache_control="max-age=60", last_modified=date(-1000))
NOT_MODIFIED = Reply(304, headers={"ETag": '"one"'})
DOWN = Reply(503)
HIT = Step("hit")
ASKED_AGAIN = Step("miss", FRESH)


def never(section: str, says: str, answer: Reply) -> Row:
    """What is not kept: the next call asks the server again."""
    return Row(section, says, (Step("miss", answer, status=answer.status), Step("miss", answer, status=answer.status)))


ROWS = [
    # ---- freshness
    Row(
        "4.2.1",
        "max-age: fresh while it is younger",
        (Step("miss", FRESH), Step("hit", after=59), Step("miss", FRESH, after=1)),
    ),
    Row(
        "4.2.1",
        "max-age=0 is stale at once",
        (Step("miss", ok(cache_control="max-age=0", etag='"one"')), Step("revalidated", NOT_MODIFIED)),
    ),
    Row(
        "4.2.1",
        "a max-age that is no number is stale",
        (Step("miss", ok(cache_control="max-age=soon", etag='"one"')), Step("revalidated", NOT_MODIFIED)),
    ),
    Row(
        "4.2.1",
        "of two max-age, the first counts",
        (Step("miss", ok(cache_control="max-age=60, max-age=600")), Step("miss", FRESH, after=61)),
    ),
    Row("4.2.1", "max-age wins over Expires", (Step("miss", ok(cache_control="max-age=60", expires=date(-1))), HIT)),
    Row(
        "5.3",
        "Expires, counted from Date",
        (Step("miss", ok(date=date(0), expires=date(30))), Step("hit", after=29), Step("miss", FRESH, after=1)),
    ),
    Row(
        "5.3",
        "Expires: 0, or any other that is no date, is stale",
        (Step("miss", ok(expires="0", etag='"one"')), Step("revalidated", NOT_MODIFIED)),
    ),
    Row(
        "5.2.2.10",
        "s-maxage is for shared caches, not for this one",
        (Step("miss", ok(cache_control="s-maxage=600, max-age=60")), Step("miss", FRESH, after=61)),
    ),
    Row(
        "4.2.2",
        "heuristic freshness, which a cache may assume: none is",
        (
            Step("miss", ok(last_modified=date(-(10**6)))),
            Step("revalidated", Reply(304), sends={"If-Modified-Since": date(-(10**6))}),
        ),
    ),
    Row(
        "4.2.3",
        "Age counts",
        (Step("miss", ok(cache_control="max-age=60", age="50")), Step("hit", after=9), Step("miss", FRESH, after=1)),
    ),
    Row(
        "4.2.3",
        "an old Date counts",
        (
            Step("miss", ok(cache_control="max-age=60", date=date(-50))),
            Step("hit", after=9),
            Step("miss", FRESH, after=1),
        ),
    ),
    Row(
        "4",
        "Age is sent with what is stored",
        (Step("miss", ok(cache_control="max-age=60", age="7")), Step("hit", after=5, has={"Age": "12"})),
    ),
    Row(
        "RFC 9110, 6.6.1",
        "a missing Date is the time of receipt",
        (Step("miss", FRESH), Step("hit", after=5, has={"Date": date(0)})),
    ),
    # ---- what is stored
    never("5.2.2.5", "no-store: nothing is kept", ok(cache_control="no-store, max-age=60", etag='"one"')),
    never(
        "5.2.2.3",
        "must-understand beside no-store: not kept either, which a cache that understands the status should",
        ok(cache_control="must-understand, no-store, max-age=60"),
    ),
    Row(
        "5.2.1.5",
        "no-store of the request: nothing is kept",
        (Step("miss", FRESH, headers={"Cache-Control": "no-store"}), ASKED_AGAIN),
    ),
    Row("5.2.2.7", "private is kept: this cache is", (Step("miss", ok(cache_control="private, max-age=60")), HIT)),
    Row(
        "3.5",
        "a response to Authorization is kept, for the same one only",
        (
            Step("miss", FRESH, headers={"Authorization": "Bearer a"}),
            Step("hit", headers={"Authorization": "Bearer a"}),
            Step("miss", FRESH, headers={"Authorization": "Bearer b"}),
            Step("miss", FRESH),
        ),
    ),
    never("3", "without freshness and validator there is nothing to use again", ok()),
    never("3", "a 500 that says nothing is not kept", Reply(500)),
    Row(
        "3",
        "a 404 that says so is kept",
        (Step("miss", Reply(404, headers={"Cache-Control": "max-age=60"}), status=404), Step("hit", status=404)),
    ),
    Row(
        "3.3",
        "a request with Range goes to the server, and nothing of it is kept",
        (
            Step(
                "miss",
                Reply(206, json="c", headers={"Cache-Control": "max-age=60", "Content-Range": "bytes 0-2/5"}),
                headers={"Range": "bytes=0-2"},
                status=206,
            ),
            ASKED_AGAIN,
        ),
    ),
    never(
        "3.4", "a 206 without Range is not kept either", Reply(206, json="c", headers={"Cache-Control": "max-age=60"})
    ),
    never(
        "15.4 of RFC 9110",
        "a redirect is not kept, which is allowed",
        Reply(301, headers={"Cache-Control": "max-age=60", "Location": "/things/2"}),
    ),
    Row(
        "3.1",
        "Connection and what it is about is not kept",
        (
            Step("miss", ok(cache_control="max-age=60", connection="close", x_cup="17")),
            Step("hit", has={"Connection": None, "X-Cup": "17"}),
        ),
    ),
    Row(
        "5.2.2.4",
        'no-cache="X-Cup": the header is not kept',
        (Step("miss", ok(cache_control='max-age=60, no-cache="X-Cup"', x_cup="17")), Step("hit", has={"X-Cup": None})),
    ),
]
