"""The requirements of RFC 9111 about using again what is stored; cache_rows.py has those about storing."""

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
    # ---- what must be asked for
    Row(
        "5.2.2.4",
        "no-cache: never without asking",
        (Step("miss", ok(cache_control="no-cache, max-age=60", etag='"one"')), Step("revalidated", NOT_MODIFIED)),
    ),
    Row(
        "5.2.1.4",
        "no-cache of the request: asked",
        (Step("miss", TAGGED), Step("revalidated", NOT_MODIFIED, headers={"Cache-Control": "no-cache"})),
    ),
    Row(
        "5.2.1.1",
        "max-age of the request: nothing older",
        (
            Step("miss", TAGGED),
            Step("hit", after=5, headers={"Cache-Control": "max-age=5"}),
            Step("revalidated", NOT_MODIFIED, after=1, headers={"Cache-Control": "max-age=5"}),
        ),
    ),
    Row(
        "5.2.1.3",
        "min-fresh of the request: nothing that soon is stale",
        (
            Step("miss", TAGGED),
            Step("hit", after=30, headers={"Cache-Control": "min-fresh=30"}),
            Step("revalidated", NOT_MODIFIED, headers={"Cache-Control": "min-fresh=31"}),
        ),
    ),
    Row(
        "5.2.1.2",
        "max-stale of the request: stale by so much",
        (
            Step("miss", TAGGED),
            Step("stale", after=70, headers={"Cache-Control": "max-stale=10"}),
            Step("revalidated", NOT_MODIFIED, after=1, headers={"Cache-Control": "max-stale=10"}),
        ),
    ),
    Row(
        "5.2.1.2",
        "max-stale without a number: however stale",
        (Step("miss", TAGGED), Step("stale", after=10**6, headers={"Cache-Control": "max-stale"})),
    ),
    Row(
        "5.2.2.2",
        "must-revalidate: never stale",
        (
            Step("miss", ok(cache_control="max-age=60, must-revalidate", etag='"one"')),
            Step("revalidated", NOT_MODIFIED, after=61, headers={"Cache-Control": "max-stale"}),
        ),
    ),
    Row(
        "5.2.1.7",
        "only-if-cached: what is stored",
        (Step("miss", FRESH), Step("hit", headers={"Cache-Control": "only-if-cached"})),
    ),
    Row(
        "5.2.1.7",
        "only-if-cached: otherwise 504",
        (Step("miss", headers={"Cache-Control": "only-if-cached"}, status=504),),
    ),
    Row(
        "5.2.1.7",
        "only-if-cached: 504 too if it had to be asked for",
        (Step("miss", TAGGED), Step("miss", after=61, headers={"Cache-Control": "only-if-cached"}, status=504)),
    ),
    # ---- Vary
    Row(
        "4.1",
        "Vary: the same values only",
        (
            Step(
                "miss", ok("tea", cache_control="max-age=60", vary="Accept-Language"), headers={"Accept-Language": "en"}
            ),
            Step(
                "miss", ok("thé", cache_control="max-age=60", vary="Accept-Language"), headers={"Accept-Language": "fr"}
            ),
            Step("hit", headers={"Accept-Language": "en"}, brings="tea"),
            Step("hit", headers={"Accept-Language": "fr"}, brings="thé"),
            Step("miss", FRESH),
        ),
    ),
    Row(
        "4.1",
        "Vary: a missing header matches a missing one",
        (
            Step("miss", ok(cache_control="max-age=60", vary="X-Cup, X-Pot")),
            HIT,
            Step("miss", FRESH, headers={"X-Pot": "1"}),
        ),
    ),
    never("4.1", "Vary: * matches nothing", ok(cache_control="max-age=60", vary="X-Cup, *", etag='"one"')),
    # ---- validation
    Row(
        "4.3.1",
        "ETag is asked with If-None-Match",
        (
            Step("miss", TAGGED),
            Step("revalidated", NOT_MODIFIED, after=61, sends={"If-None-Match": '"one"'}, brings="cup"),
        ),
    ),
    Row(
        "4.3.1",
        "Last-Modified is asked with If-Modified-Since",
        (
            Step("miss", DATED),
            Step("revalidated", Reply(304), after=61, sends={"If-Modified-Since": date(-1000), "If-None-Match": None}),
        ),
    ),
    Row(
        "4.3.1",
        "a weak ETag is one",
        (
            Step("miss", ok(cache_control="max-age=60", etag='W/"one"')),
            Step("revalidated", Reply(304, headers={"ETag": 'W/"one"'}), after=61, sends={"If-None-Match": 'W/"one"'}),
        ),
    ),
    Row(
        "3.2",
        "a 304 makes it fresh again, with its headers; not those of the body",
        (
            Step("miss", ok(cache_control="max-age=60", etag='"one"', x_cup="17")),
            Step(
                "revalidated",
                Reply(
                    304,
                    headers={"ETag": '"one"', "Cache-Control": "max-age=600", "X-Cup": "18", "Content-Type": "text/x"},
                ),
                after=61,
                has={"X-Cup": "18", "Content-Type": "application/json", "Age": "0"},
            ),
            Step("hit", after=599, has={"X-Cup": "18"}),
        ),
    ),
    Row(
        "4.3.3",
        "a whole response replaces what is stored",
        (
            Step("miss", TAGGED),
            Step("miss", ok("pot", cache_control="max-age=60"), after=61),
            Step("hit", brings="pot"),
        ),
    ),
    Row(
        "4.3.3",
        "a whole response that may not be kept removes what is stored",
        (
            Step("miss", TAGGED),
            Step("miss", ok("pot", cache_control="no-store"), after=61),
            Step("miss", FRESH, sends={"If-None-Match": None}),
        ),
    ),
    Row(
        "4.3.3",
        "a 5xx goes to the caller, what is stored stays",
        (Step("miss", TAGGED), Step("miss", DOWN, after=61, status=503), Step("revalidated", NOT_MODIFIED)),
    ),
    Row(
        "4.3.2",
        "a caller that asks conditionally gets the server's answer",
        (Step("miss", TAGGED), Step("miss", NOT_MODIFIED, headers={"If-None-Match": '"one"'}, status=304), HIT),
    ),
    # ---- RFC 5861
    Row(
        "RFC 5861, 4",
        "stale-if-error: a 503 is stood in for",
        (
            Step("miss", ok(cache_control="max-age=60, stale-if-error=30", etag='"one"')),
            Step("stale", DOWN, after=89, brings="cup", has={"Age": "89"}),
            Step("miss", DOWN, after=1, status=503),
        ),
    ),
    Row(
        "RFC 5861, 4",
        "stale-if-error of the request",
        (Step("miss", TAGGED), Step("stale", DOWN, after=61, headers={"Cache-Control": "stale-if-error=30"})),
    ),
    Row(
        "RFC 5861, 4",
        "a 404 is no such error",
        (
            Step("miss", ok(cache_control="max-age=60, stale-if-error=30", etag='"one"')),
            Step("miss", Reply(404), after=61, status=404),
        ),
    ),
    Row(
        "5.2.2.2",
        "must-revalidate forbids it",
        (
            Step("miss", ok(cache_control="max-age=60, must-revalidate, stale-if-error=30", etag='"one"')),
            Step("miss", DOWN, after=61, status=503),
        ),
        grace=1000,
    ),
    Row(
        "4.2.4",
        "stale_if_error of the plugin allows it",
        (Step("miss", FRESH), Step("stale", DOWN, after=61)),
        grace=1000,
    ),
    Row(
        "RFC 5861, 3",
        "stale-while-revalidate: asked at once, which is allowed",
        (
            Step("miss", ok(cache_control="max-age=60, stale-while-revalidate=30", etag='"one"')),
            Step("revalidated", NOT_MODIFIED, after=61),
        ),
    ),
    # ---- invalidation, methods
    Row(
        "4.4",
        "a PUT that succeeds makes its URL invalid",
        (Step("miss", FRESH), Step(None, Reply(204), name="change", status=204), ASKED_AGAIN),
    ),
    Row(
        "4.4",
        "an unsafe request that fails makes nothing invalid",
        (Step("miss", FRESH), Step(None, Reply(409), name="remove", status=409), HIT),
    ),
    Row(
        "4.4",
        "Location and Content-Location of the same origin are invalid too",
        (
            Step("miss", FRESH),
            Step("miss", FRESH, number=2),
            Step(
                None,
                Reply(201, headers={"Location": "/things/1", "Content-Location": "https://things.test/things/2"}),
                name="add",
                number=None,
                status=201,
            ),
            ASKED_AGAIN,
            Step("miss", FRESH, number=2),
        ),
    ),
    Row(
        "4.4",
        "a Location of another origin is not",
        (
            Step("miss", FRESH),
            Step(
                None,
                Reply(
                    201, headers={"Location": "https://other.test/things/1", "Content-Location": "ftp://things.test"}
                ),
                name="add",
                number=None,
                status=201,
            ),
            HIT,
        ),
    ),
    Row(
        "2",
        "a HEAD is kept by itself",
        (
            Step("miss", Reply(headers={"Cache-Control": "max-age=60"}), name="has"),
            Step("hit", name="has"),
            ASKED_AGAIN,
            Step("hit", name="has"),
        ),
    ),
    Row(
        "4.3.5",
        "a HEAD does not freshen a stored GET, which it should",
        (
            Step("miss", TAGGED),
            Step("miss", Reply(headers={"Cache-Control": "max-age=600", "ETag": '"one"'}), after=50, name="has"),
            Step("revalidated", NOT_MODIFIED, after=11),
        ),
    ),
]
