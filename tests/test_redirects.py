"""Redirects, followed by the core hop by hop."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from conftest import Api, Colour, Reply
from stubwire import ApiClient, HTTPStatusError, RedirectError, get, head, post, put
from stubwire.auth import BearerAuth

MakeApi = Callable[..., Api]


class Thing(BaseModel):
    id: int


class Things(ApiClient):
    base_url = "https://api.example"
    follow_redirects = True

    @get("/things/<id>")
    def thing(self, id: int) -> Thing:
        """Get one."""
        raise NotImplementedError

    @post("/things")
    def create(self, thing: Thing) -> Thing:
        """Create one."""
        raise NotImplementedError

    @put("/things/<id>")
    def replace(self, id: int, thing: Thing) -> Thing:
        """Replace one."""
        raise NotImplementedError

    @head("/things/<id>")
    def exists(self, id: int) -> None:
        """Ask for one."""
        raise NotImplementedError


def to(location: str, status: int = 302) -> Reply:
    return Reply(status, headers={"Location": location})


ONE = Reply(json={"id": 1})


def sent(server: Api) -> list[tuple[str, str]]:
    return [(request.method, str(request.url)) for request in server.requests]


def test_redirects_are_off_by_default(api: MakeApi, colour: Colour) -> None:
    """A 3xx is then a plain HTTPStatusError."""
    server = api(to("/elsewhere"))

    with pytest.raises(HTTPStatusError) as error:
        colour.run(Things(transport=server.transport, follow_redirects=False).thing, 1)
    assert type(error.value) is HTTPStatusError
    assert str(error.value) == "Things.thing: GET https://api.example/things/1 answered 302"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("location", "target"),
    [
        ("/moved/1?a=b", "https://api.example/moved/1?a=b"),
        ("2", "https://api.example/things/2"),
        ("//api.example/x", "https://api.example/x"),
        ("https://other.example/x#part", "https://other.example/x"),
    ],
)
def test_a_location_is_relative_or_absolute(api: MakeApi, colour: Colour, location: str, target: str) -> None:
    """RFC 9110, section 10.2.2."""
    server = api(to(location), ONE)

    response = colour.response(Things(transport=server.transport).thing, 1)

    assert response.data == Thing(id=1)
    assert response.request.url == target
    assert sent(server) == [("GET", "https://api.example/things/1"), ("GET", target)]


@pytest.mark.parametrize(
    ("status", "method", "keeps_body"),
    [(301, "GET", False), (302, "GET", False), (303, "GET", False), (307, "POST", True), (308, "POST", True)],
)
def test_what_a_post_becomes(api: MakeApi, status: int, method: str, keeps_body: bool) -> None:
    """RFC 9110, section 15.4: 301, 302 and 303 turn it into a GET without a body, 307 and 308 keep it."""
    server = api(to("/things/1", status), ONE)

    Things(transport=server.transport).create(Thing(id=1))

    onward = server.requests[1]
    assert onward.method == method
    assert onward.content == (b'{"id":1}' if keeps_body else b"")
    assert ("content-type" in onward.headers) is keeps_body


def test_a_put_and_a_head_stay_what_they_are(api: MakeApi) -> None:
    """Only 303 turns a PUT into a GET, and nothing a HEAD."""
    for status, expected in ((302, "PUT"), (303, "GET")):
        server = api(to("/things/2", status), ONE)
        Things(transport=server.transport).replace(1, Thing(id=1))
        assert server.requests[1].method == expected
    server = api(to("/things/2", 303), Reply())
    Things(transport=server.transport).exists(1)
    assert server.requests[1].method == "HEAD"


def test_five_redirects_are_followed_and_no_more(api: MakeApi, colour: Colour) -> None:
    """The sixth is an error."""

    def chain(length: int) -> list[Reply]:
        return [*(to(f"/things/{number}") for number in range(2, length + 2)), ONE]

    server = api(*chain(5))
    assert colour.run(Things(transport=server.transport).thing, 1) == Thing(id=1)
    assert len(server.requests) == 6

    with pytest.raises(RedirectError) as error:
        colour.run(Things(transport=api(*chain(6)).transport).thing, 1)
    assert str(error.value) == "Things.thing: GET https://api.example/things/1 answered with more than 5 redirects"


def refused(api: MakeApi, *replies: Reply, call: Callable[[Things], Any] = lambda things: things.thing(1)) -> str:
    server = api(*replies)
    with pytest.raises(RedirectError) as error:
        call(Things(transport=server.transport))
    assert len(error.value.attempts) == 1, "a refused redirect is not retried"
    return str(error.value)


def test_a_loop_ends_at_once(api: MakeApi) -> None:
    """The same request is not sent twice."""
    assert refused(api, to("/a"), to("/things/1")) == (
        "Things.thing: GET https://api.example/things/1 answered with a redirect back to "
        "GET https://api.example/things/1"
    )


@pytest.mark.parametrize(
    ("location", "why"),
    [
        ("http://api.example/x", "a redirect from https to 'http://api.example/x'"),
        ("ftp://api.example/x", "a redirect to 'ftp://api.example/x', which is no plain http URL"),
        ("https://user:pw@api.example/x", "a redirect to 'https://api.example/x', which is no plain http URL"),
        ("https://[broken", "a redirect to 'https://[broken', which is no plain http URL"),
        ("javascript:alert(1)", "a redirect to 'javascript:alert(1)', which is no plain http URL"),
    ],
)
def test_what_is_refused(api: MakeApi, location: str, why: str) -> None:
    """Down from https, to another scheme, with userinfo, or to nonsense."""
    message = refused(api, to(location))
    assert message == f"Things.thing: GET https://api.example/things/1 answered with {why}"


def test_a_body_does_not_go_to_another_origin(api: MakeApi) -> None:
    """Also not under 307, which keeps it."""
    message = refused(api, to("https://other.example/things", 307), call=lambda things: things.create(Thing(id=1)))
    assert message == (
        "Things.create: POST https://api.example/things answered with a redirect of a body to another origin: "
        "POST https://other.example/things"
    )


def test_a_redirect_without_a_location_is_its_status(api: MakeApi) -> None:
    """There is nothing to follow; so it is with 304."""
    for status in (302, 304):
        with pytest.raises(HTTPStatusError, match=rf"answered {status}"):
            Things(transport=api(Reply(status)).transport).thing(1)


def test_credentials_stay_with_their_origin(api: MakeApi, colour: Colour) -> None:
    """Auth runs on each hop to our origin, and nothing secret leaves it."""
    server = api(to("/b"), to("https://other.example/c"), to("https://api.example/d"), ONE)
    things = Things(
        transport=server.transport,
        auth=BearerAuth("s3cret"),
        headers={"X-Api-Key": "k", "Cookie": "session=1", "X-Plain": "p"},
    )

    colour.run(things.thing, 1)

    ours = [str(request.url).startswith("https://api.example/") for request in server.requests]
    assert ours == [True, True, False, True]
    for name in ("authorization", "x-api-key", "cookie"):
        assert [name in request.headers for request in server.requests] == ours
    assert ["x-plain" in request.headers for request in server.requests] == [True] * 4
