"""What is wrong with a result that is fetched while it is iterated is said when the class is created."""

from __future__ import annotations

import textwrap
from typing import Any

import pytest

from conftest import Api, Reply
from declaring import both_modes, refusal
from stubwire import ApiClient, LinkPages, Pages, get


def _stub(returns: str, options: str = "", kind: str = "def") -> str:
    return f"@get('/x'{options})\n{kind} f(self) -> {returns}: ..."


@both_modes
@pytest.mark.parametrize(
    ("stub", "message"),
    [
        (
            _stub("list[Model]", ", paginate=LinkPages()"),
            "paginate needs a return type that is iterated: write -> Pages[Item]",
        ),
        (
            _stub("Pages[Model]", ", stream=SSE()"),
            "stream needs a return type that is iterated: write -> Stream[Item]",
        ),
        (
            _stub("Stream[Model]", kind="async def"),
            (
                "is an async def that returns Stream[Model], which is iterated, not awaited: write def, with -> "
                "AsyncStream[Model]"
            ),
        ),
        (
            _stub("AsyncStream[Model]", kind="async def"),
            (
                "is an async def that returns AsyncStream[Model], which is iterated, not awaited: write def, with -> "
                "AsyncStream[Model]"
            ),
        ),
        (_stub("Stream"), "returns Stream of nothing: write Stream[Item]"),
        (
            _stub("Stream[Model]", ", none_on={404}"),
            "none_on is for a result that is one body, not Stream[Model]: drop it",
        ),
        (
            _stub("Stream[Model]", ", responses={200: Model}"),
            "responses is for a result that is one body, not Stream[Model]: drop it",
        ),
        (
            _stub("Stream[Model]", ", unwrap='data'"),
            "unwrap is for a result that is one body, not Stream[Model]: drop it",
        ),
        (
            _stub("Stream[Model] | None", ", timeout=1.0"),
            "returns Stream[Model] | None, and Stream[Model] stands alone: write -> Stream[Model]",
        ),
    ],
)
def test_a_lazy_result_that_cannot_be_is_refused(stub: str, message: str, flags: int) -> None:
    text = f"class Api(ApiClient):\n{textwrap.indent(stub, '    ')}"
    assert refusal(text, flags).removeprefix("Api.f: ").removeprefix("Api.f ") == message


class Plain:
    """Text, as a codec."""

    content_types = ("text/plain",)

    def encode(self, value: object) -> bytes:
        raise AssertionError("unreachable")

    def decode(self, content: bytes) -> object:
        return int(content)


class Numbers(ApiClient):
    base_url = "https://numbers.example"

    @get("/x")
    def number(self) -> int:
        raise NotImplementedError


def test_clients_that_each_bring_a_codec_of_their_own_all_work() -> None:
    """An endpoint is compiled for each; those that are gone are not kept for ever."""
    server: Any = Api("httpx", (Reply(content=b"7", headers={"Content-Type": "text/plain"}),))
    found = {Numbers(transport=server.transport, codecs=[Plain()]).number() for _ in range(103)}
    assert found == {7}


def test_a_lazy_endpoint_says_where_its_responses_are() -> None:
    class Shop(ApiClient):
        base_url = "https://api.example"

        @get("/items", paginate=LinkPages())
        def items(self) -> Pages[int]:
            raise NotImplementedError

    for endpoint in (Shop().items, Shop().items.aio):
        assert not hasattr(endpoint, "response")
        with pytest.raises(AttributeError) as caught:
            getattr(endpoint, "response")  # noqa: B009 - to checkers there is none
        assert str(caught.value) == (
            "Shop.items returns Pages[int], which fetches while it is iterated: each page of .pages(), and an open "
            "stream, has a response of its own"
        )
