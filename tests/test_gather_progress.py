"""How far many calls have come, told to a function or shown as a bar."""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, NoReturn

import anyio.lowlevel
import pytest
from tqdm.auto import tqdm

from conftest import Colour
from stubwire import CallError, ConfigurationError, ReadError, gather

Told = list[tuple[int, int | None]]


@pytest.fixture(params=["asyncio", "trio"])
def loop(request: pytest.FixtureRequest) -> Colour:
    """One event loop."""
    return Colour(str(request.param))


async def call(number: int) -> int:
    await anyio.lowlevel.checkpoint()
    if number == 2:
        raise ReadError("lost the connection")
    return number


def generated() -> Iterator[Coroutine[Any, Any, int]]:
    return (call(number) for number in (0, 1, 3))


def test_a_function_is_told_what_is_done_and_what_is_to_be(loop: Colour) -> None:
    """An error that is a result is done too."""
    told: Told = []

    async def run() -> list[int | CallError]:
        calls = [call(number) for number in range(4)]
        return await gather(calls, return_errors=True, progress=lambda done, total: told.append((done, total)))

    loop.drive(run)
    assert told == [(0, 4), (1, 4), (2, 4), (3, 4), (4, 4)]


def test_it_is_told_no_total_where_nobody_knows(loop: Colour) -> None:
    told: Told = []

    async def run() -> list[int]:
        return await gather(generated(), progress=lambda done, total: told.append((done, total)))

    assert loop.drive(run) == [0, 1, 3]
    assert told == [(0, None), (1, None), (2, None), (3, None)]


@pytest.mark.parametrize("at", [0, 1])
def test_an_error_of_the_function_is_raised(loop: Colour, at: int) -> None:
    def tell(done: int, total: int | None) -> None:
        if done == at:
            raise ZeroDivisionError("a bug")

    async def run() -> None:
        await gather([call(0), call(1)], limit=1, progress=tell)

    with pytest.raises(ZeroDivisionError, match=r"^a bug$"):
        loop.drive(run)


@pytest.mark.parametrize("progress", [None, False])
def test_nobody_is_told_without_being_asked_for(
    loop: Colour, progress: bool | None, capsys: pytest.CaptureFixture[str]
) -> None:
    async def run() -> list[int]:
        return await gather(generated(), progress=progress)

    assert loop.drive(run) == [0, 1, 3]
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("make", "shown"),
    [(generated, "gather: 3call"), (lambda: list(generated()), "gather: 100%")],
    ids=["unknown", "known"],
)
def test_a_bar_counts_calls(loop: Colour, monkeypatch: pytest.MonkeyPatch, make: Callable[[], Any], shown: str) -> None:
    screen = io.StringIO()

    def on_screen(**options: Any) -> tqdm[NoReturn]:
        return tqdm(**options, file=screen)

    monkeypatch.setattr("tqdm.auto.tqdm", on_screen)

    async def run() -> list[int]:
        return await gather(make(), progress=True)

    assert loop.drive(run) == [0, 1, 3]
    assert screen.getvalue().rpartition("\r")[2].startswith(shown)
    assert "3/3" in screen.getvalue() or shown.startswith("gather: 3")


def test_a_bar_wants_its_extra(loop: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    """And what was not begun is closed."""
    monkeypatch.setitem(sys.modules, "tqdm.auto", None)

    async def run() -> None:
        await gather([call(0), call(1)], progress=True)

    with pytest.raises(ConfigurationError) as caught:
        loop.drive(run)
    assert str(caught.value) == "progress=True needs the package tqdm: pip install 'stubwire[progress]'"
