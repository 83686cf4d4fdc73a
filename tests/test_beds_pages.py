"""Pages of json-server, to the end: by its Link header, by number, by offset, and by a cursor of its filters."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from pydantic import BaseModel

from beds import bed
from paging import items, make, pages, result, until_error
from stubwire import (
    ApiClient,
    CursorPages,
    LinkPages,
    NumberPages,
    OffsetPages,
    PageLimitError,
    Pages,
    Query,
    Request,
    get,
)
from stubwire.errors import ForeignPageError, RepeatedPageError

if TYPE_CHECKING:
    from conftest import Colour, EngineName

pytestmark = pytest.mark.bed


class Post(BaseModel):
    id: int
    title: str
    views: int
    author: str


class Comment(BaseModel):
    id: int
    body: str


Limit = Annotated[int, Query("_limit")]
First = Annotated[int, Query("_page")]
Offset = Annotated[int, Query("_start")]
Author = Annotated[str | None, Query("author")]


class Blog(ApiClient):
    @get("/posts", paginate=LinkPages())
    def posts(
        self,
        *,
        limit: Limit = 10,
        page: First = 1,
        author: Author = None,
        title_like: str | None = None,
        sort: Annotated[list[str] | None, Query("_sort", style="comma")] = None,
        order: Annotated[list[str] | None, Query("_order", style="comma")] = None,
    ) -> Pages[Post]:
        raise NotImplementedError

    @get("/posts", paginate=LinkPages(max_pages=3))
    def three(self, *, limit: Limit, page: First = 1) -> Pages[Post]:
        raise NotImplementedError

    @get("/posts/<post>/comments", paginate=LinkPages())
    def comments(self, post: int, *, limit: Limit, page: First = 1) -> Pages[Comment]:
        raise NotImplementedError

    @get("/posts", paginate=NumberPages("_page"))
    def numbered(self, *, limit: Limit, page: First = 1) -> Pages[Post]:
        raise NotImplementedError

    @get("/posts", paginate=NumberPages("_page", size="_limit"))
    def numbered_by_size(self, *, limit: Limit) -> Pages[Post]:
        raise NotImplementedError

    @get("/posts", paginate=OffsetPages("_start"))
    def skipped(self, *, limit: Limit, start: Offset = 0) -> Pages[Post]:
        raise NotImplementedError

    @get("/posts", paginate=OffsetPages("_start", limit="_limit"))
    def skipped_by_size(self, *, limit: Limit, start: Offset = 0) -> Pages[Post]:
        raise NotImplementedError

    @get("/posts?_sort=id", paginate=CursorPages("-1.id", "id_gte"))
    def after(self, *, limit: Limit) -> Pages[Post]:
        raise NotImplementedError


ALL = list(range(1, 58))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with bed("start_small.sh", "json-server", "{0}") as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture
def asked() -> list[str]:
    """What was asked for: path and query."""
    return []


@pytest.fixture
def blog(url: str, engine: EngineName, asked: list[str]) -> Iterator[Blog]:
    def note(request: Request) -> None:
        asked.append(request.url.removeprefix(url))

    with Blog(base_url=url, engine=engine, proxy=None) as opened:
        opened.interceptors.request.use(note)
        yield opened


def ids(found: list[Any]) -> list[int]:
    return [item.id for item in found]


@pytest.mark.parametrize(("limit", "count"), [(1, 57), (10, 6), (19, 3), (28, 3), (56, 2), (57, 1), (100, 1)])
def test_links_lead_through_all_posts(blog: Blog, asked: list[str], colour: Colour, limit: int, count: int) -> None:
    assert ids(items(colour, make(colour, blog.posts, limit=limit))) == ALL
    assert asked == [f"/posts?_limit={limit}&_page={number}" for number in range(1, count + 1)]


def test_nothing_is_asked_for_before_it_is_wanted(blog: Blog, asked: list[str], colour: Colour) -> None:
    found = make(colour, blog.posts)
    assert asked == []
    assert ids(result(colour, found.to_list, limit=20)) == ALL[:20]
    assert len(asked) == 2
    assert ids([result(colour, found.first)]) == [1]
    assert len(asked) == 3


def test_pages_say_their_number_their_answer_and_how_to_go_on(blog: Blog, colour: Colour) -> None:
    found = pages(colour, make(colour, blog.posts, limit=20))
    assert [(page.number, len(page.items)) for page in found] == [(1, 20), (2, 20), (3, 17)]
    assert {page.response.header("X-Total-Count", int) for page in found} == {57}
    assert [page.next_token for page in found] == ["/posts?_limit=20&_page=2", "/posts?_limit=20&_page=3", None]


def test_pages_are_resumed_by_another_client(url: str, blog: Blog, engine: EngineName, colour: Colour) -> None:
    token = pages(colour, make(colour, blog.posts, limit=20))[0].next_token
    with Blog(base_url=url, engine=engine, proxy=None) as other:
        assert ids(items(colour, make(colour, other.posts).resume(token))) == ALL[20:]


def test_what_was_asked_for_holds_on_every_page(blog: Blog, asked: list[str], colour: Colour) -> None:
    found = make(colour, blog.posts, limit=5, author="a1", sort=["views", "id"], order=["desc", "asc"])
    posts: list[Post] = items(colour, found)
    assert sorted(ids(posts)) == ALL[::3]
    assert posts == sorted(posts, key=lambda post: (-post.views, post.id))
    assert asked[3] == "/posts?_limit=5&_page=4&author=a1&_sort=views,id&_order=desc,asc"
    assert len(asked) == 4


def test_hostile_characters_survive_the_links(blog: Blog, asked: list[str], colour: Colour) -> None:
    assert ids(items(colour, make(colour, blog.posts, limit=4, title_like="^p[1-2]?\\d$&|x y=ü"))) == []
    assert ids(items(colour, make(colour, blog.posts, limit=8, title_like="^p[12]?\\d$|x y=ü"))) == ALL[:29]
    assert asked[-1] == "/posts?_limit=8&_page=4&title_like=%5Ep%5B12%5D%3F%5Cd%24%7Cx%20y%3D%C3%BC"
    assert len(asked) == 5


def test_pages_below_a_path_parameter(blog: Blog, asked: list[str], colour: Colour) -> None:
    assert ids(items(colour, make(colour, blog.comments, 2, limit=3))) == [1, 6, 11, 16]
    assert asked == ["/posts/2/comments?_limit=3&_page=1", "/posts/2/comments?_limit=3&_page=2"]


@pytest.mark.parametrize(
    ("endpoint", "limit", "count"),
    [
        ("numbered", 10, 7),  # the last is empty
        ("numbered", 19, 4),
        ("numbered_by_size", 10, 6),
        ("numbered_by_size", 19, 4),  # three full pages tell nothing
        ("skipped", 10, 7),
        ("skipped", 57, 2),
        ("skipped_by_size", 10, 6),
        ("skipped_by_size", 57, 2),
    ],
)
def test_numbers_and_offsets_lead_through_all_posts(
    blog: Blog, asked: list[str], colour: Colour, *, endpoint: str, limit: int, count: int
) -> None:
    assert ids(items(colour, make(colour, getattr(blog, endpoint), limit=limit))) == ALL
    assert len(asked) == count


def test_numbers_and_offsets_begin_where_the_call_begins(blog: Blog, asked: list[str], colour: Colour) -> None:
    assert ids(items(colour, make(colour, blog.numbered, limit=20, page=3))) == ALL[40:]
    assert ids(items(colour, make(colour, blog.skipped, limit=20, start=41).resume("47"))) == ALL[47:]
    assert asked == [
        *("/posts?_limit=20&_page=3", "/posts?_limit=20&_page=4"),
        *("/posts?_limit=20&_start=47", "/posts?_limit=20&_start=57"),
    ]


def test_a_cursor_that_leads_nowhere_new_ends_with_an_error(blog: Blog, asked: list[str], colour: Colour) -> None:
    """The filter of json-server gives the item of the cursor again: the last page leads to itself."""
    found, error = until_error(colour, make(colour, blog.after, limit=20))
    assert ids(found) == [*ALL[:20], *ALL[19:39], *ALL[38:], 57]
    assert isinstance(error, RepeatedPageError)
    assert asked == [f"/posts?_sort=id&_limit=20{after}" for after in ("", "&id_gte=20", "&id_gte=39", "&id_gte=57")]


def test_more_pages_than_allowed_end_with_an_error(blog: Blog, asked: list[str], colour: Colour) -> None:
    found, error = until_error(colour, make(colour, blog.three, limit=10))
    assert (ids(found), len(asked)) == (ALL[:30], 3)
    assert isinstance(error, PageLimitError)
    assert ids(items(colour, make(colour, blog.three, limit=20))) == ALL


def test_a_link_to_another_origin_is_not_followed(blog: Blog, asked: list[str], colour: Colour) -> None:
    """json-server builds its links from the Host header."""
    found, error = until_error(colour, make(colour, blog.with_options(headers={"Host": "evil.test"}).posts))
    assert (ids(found), asked) == (ALL[:10], ["/posts?_limit=10&_page=1"])
    assert isinstance(error, ForeignPageError)
    assert str(error).endswith("answered with a next page on another origin: http://evil.test/posts?_limit=10&_page=2")


def test_many_walks_go_on_at_once(blog: Blog) -> None:
    async def walk(limit: int) -> list[int]:
        return [post.id async for post in blog.posts.aio(limit=limit)]

    async def all_at_once() -> list[list[int]]:
        return await asyncio.gather(*(walk(limit) for limit in range(5, 25)))

    assert asyncio.run(all_at_once()) == [ALL] * 20
