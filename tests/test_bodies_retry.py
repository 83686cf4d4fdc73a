"""Bodies and retries: sent again byte for byte if they can be read again, and not at all if they cannot."""

from __future__ import annotations

import gc
import importlib
import io
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import pytest
from pydantic import BaseModel

from multiparts import parsed
from servers import CLOSE, OK, RawServer, Reaction, http
from stubwire import (
    ApiClient,
    Body,
    CallError,
    ColourError,
    File,
    Form,
    ProtocolError,
    Retry,
    ServerError,
    Upload,
    put,
)

if TYPE_CHECKING:
    from conftest import Clock, Colour, EngineName

BUSY = http(status=503)


class Row(BaseModel):
    id: int


class Store(ApiClient):
    retry = Retry(max_retries=1)

    @put("/x")
    def path(self, file: Annotated[Path, Body()]) -> None:
        raise NotImplementedError

    @put("/x")
    def file(self, file: Annotated[BinaryIO, Body()]) -> None:
        raise NotImplementedError

    @put("/x")
    def chunks(self, data: Annotated[Iterable[bytes], Body()]) -> None:
        raise NotImplementedError

    @put("/x")
    def feed(self, data: Annotated[AsyncIterable[bytes], Body()]) -> None:
        raise NotImplementedError

    @put("/x")
    def rows(self, rows: Annotated[Iterable[Row], Body(content_type="application/x-ndjson")]) -> None:
        raise NotImplementedError

    @put("/x")
    def form(
        self, title: Annotated[str, Form()], file: Annotated[Path | bytes | Upload | Iterable[bytes], File()]
    ) -> None:
        raise NotImplementedError


class Again:
    """Gives a new iterator each time."""

    def __iter__(self) -> Iterator[bytes]:
        return iter([b"ab", b"c"])


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "big.bin"
    made.write_bytes(bytes(range(256)) * 4096)
    return made


def _file(path: Path) -> io.BytesIO:
    file = io.BytesIO(path.read_bytes())
    file.seek(1000)
    return file


AGAIN: dict[str, tuple[str, Callable[[Path], list[object]]]] = {
    "path": ("path", lambda path: [path]),
    "file": ("file", lambda path: [_file(path)]),
    "list": ("chunks", lambda path: [[b"ab", b"c"]]),
    "iterable": ("chunks", lambda path: [Again()]),
    "lines": ("rows", lambda path: [[Row(id=1), Row(id=2)]]),
    "multipart path": ("form", lambda path: ["Sea", path]),
    "multipart bytes": ("form", lambda path: ["Sea", b"abc"]),
    "multipart upload": ("form", lambda path: ["Sea", Upload(path, "a.bin", "text/x")]),
}


@pytest.mark.usefixtures("clock")
@pytest.mark.parametrize("first", [BUSY, CLOSE], ids=["503", "hung up"])
@pytest.mark.parametrize("case", AGAIN)
def test_what_can_be_read_again_is_sent_again_byte_for_byte(
    path: Path, engine: EngineName, colour: Colour, case: str, first: Reaction
) -> None:
    endpoint, make = AGAIN[case]
    with RawServer([first, OK]) as server, Store(base_url=server.url, engine=engine) as client:
        colour.run(getattr(client, endpoint), *make(path))
        one, two = server.requests
    assert one.body == two.body
    assert len(one.body) > 2
    assert one.head == two.head


@pytest.mark.parametrize(
    ("endpoint", "make"),
    [
        ("chunks", lambda: iter([b"ab", b"c"])),
        ("chunks", lambda: (chunk for chunk in [b"ab", b"c"])),
        ("rows", lambda: iter([Row(id=1)])),
    ],
    ids=["iterator", "generator", "lines"],
)
def test_what_can_be_read_once_is_not_sent_again_and_the_error_says_so(
    engine: EngineName, colour: Colour, clock: Clock, endpoint: str, make: Callable[[], Any]
) -> None:
    with RawServer([BUSY, OK]) as server, Store(base_url=server.url, engine=engine) as client:
        with pytest.raises(ServerError) as caught:
            colour.run(getattr(client, endpoint), make())
        assert len(server.requests) == 1
    assert "its body can be read only once" in "\n".join(caught.value.__notes__)
    assert clock.waits == []


def test_a_multipart_body_is_read_once_if_one_of_its_files_is(engine: EngineName, colour: Colour, clock: Clock) -> None:
    with RawServer([BUSY, OK]) as server, Store(base_url=server.url, engine=engine) as client:
        with pytest.raises(ServerError) as caught:
            colour.run(client.form, "Sea", iter([b"abc"]))
        (request,) = server.requests
    assert request.header("transfer-encoding") == "chunked"
    assert "its body can be read only once" in "\n".join(caught.value.__notes__)


def test_what_was_never_read_is_sent_on_the_next_attempt(engine: EngineName, colour: Colour, clock: Clock) -> None:
    """No connection, no byte read: even a generator is whole."""
    with RawServer() as gone:
        url = gone.url
    payload = (chunk for chunk in [b"ab", b"c"])
    with Store(base_url=url, engine=engine) as client, pytest.raises(CallError) as caught:
        colour.run(client.chunks, payload)
    assert len(caught.value.attempts) == 2
    assert list(payload) == [b"ab", b"c"]


def test_progress_begins_again_with_the_next_attempt(
    path: Path, engine: EngineName, colour: Colour, clock: Clock
) -> None:
    told: list[tuple[int, int | None]] = []
    upload = Upload(path, progress=lambda done, total: told.append((done, total)))
    with RawServer([BUSY, OK]) as server, Store(base_url=server.url, engine=engine) as client:
        colour.run(client.form, "Sea", upload)
        bodies = [parsed(request.body, request.header("content-type") or "") for request in server.requests]
    size = path.stat().st_size
    assert bodies[0] == bodies[1]
    assert [part.content for part in bodies[0]] == [b"Sea", path.read_bytes()]
    once = told[: len(told) // 2]
    assert told == once * 2
    assert (once[0], once[-1]) == ((0, size), (size, size))


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield bytes(65536)


def test_a_server_that_hangs_up_ends_the_reading(path: Path, engine: EngineName, colour: Colour, clock: Clock) -> None:
    """The file is closed and the generator ended, not left to the garbage collector, of which trio would complain."""
    told: list[int] = []
    upload = Upload(path, progress=lambda done, total: told.append(done))
    with RawServer(CLOSE, reads="head") as server, Store(base_url=server.url, engine=engine) as client:
        with pytest.raises(CallError):
            colour.run(client.form, "Sea", upload)
        if colour.name != "sync":
            with pytest.raises(CallError):
                colour.run(client.feed, _endless())
        gc.collect()
    assert told[0] == 0


# -- what goes wrong while it is read


async def _failing() -> AsyncIterator[bytes]:
    yield b"abc"
    raise LookupError("mine")


def _failing_sync() -> Iterator[bytes]:
    yield b"abc"
    raise LookupError("mine")


def test_what_an_iterable_raises_is_its_own_and_never_retried(engine: EngineName, colour: Colour, clock: Clock) -> None:
    with RawServer() as server, Store(base_url=server.url, engine=engine) as client:
        with pytest.raises(LookupError, match="mine") as caught:
            colour.run(client.chunks, _failing_sync())
        if colour.name != "sync":
            with pytest.raises(LookupError, match="mine"):
                colour.run(client.feed, _failing())
        server.wait_until(lambda server: server.closed == server.opened)
        assert len(server.requests) <= server.opened <= 2
        assert all(not request.body.endswith(b"0\r\n\r\n") for request in server.requests)
    assert caught.value.__notes__[0] == "raised in the body, while it was read"


def test_an_error_of_the_engines_own_kind_is_the_iterables_still(
    engine: EngineName, colour: Colour, clock: Clock
) -> None:
    """A body that is passed on from a download may fail as one: that is no failure of this request."""
    library = importlib.import_module(engine)

    def relayed() -> Iterator[bytes]:
        yield b"abc"
        raise library.ReadError("of the download")

    with (
        RawServer() as server,
        Store(base_url=server.url, engine=engine) as client,
        pytest.raises(library.ReadError, match="of the download"),
    ):
        colour.run(client.chunks, relayed())


@pytest.mark.parametrize("change", ["shrinks", "grows", "vanishes"])
def test_a_file_that_changes_is_never_whole_on_the_wire(
    path: Path, engine: EngineName, colour: Colour, clock: Clock, change: str
) -> None:
    """The server sees a body that ends too early, which no server takes for a whole one, and no second attempt."""

    size = path.stat().st_size

    def change_it() -> None:
        if change == "vanishes":
            path.unlink()
        else:
            path.write_bytes(bytes(size - 1 if change == "shrinks" else size + 1))

    async def interfere(request: Any, call_next: Any) -> Any:
        change_it()
        return await call_next(request)

    with RawServer() as server, Store(base_url=server.url, engine=engine) as client:
        client.use(interfere)
        with pytest.raises(ProtocolError) as caught:
            colour.run(client.path, path)
        server.wait_until(lambda server: server.closed == server.opened)
    assert len(caught.value.attempts) == 1
    assert "'big.bin'" in str(caught.value)
    assert str(path.parent) not in str(caught.value)
    assert server.requests == [] or len(server.requests[0].body) < size


def test_an_asynchronous_body_in_a_synchronous_call_is_refused_before_any_io(engine: EngineName) -> None:
    with RawServer() as server, Store(base_url=server.url, engine=engine) as client:
        with pytest.raises(ColourError) as caught:
            client.feed(_failing())
        assert server.opened == 0
    assert "its body is asynchronous, which a synchronous call cannot read: call it through .aio" in str(caught.value)


def test_a_file_that_lies_about_its_length_is_a_call_error(engine: EngineName, colour: Colour, clock: Clock) -> None:
    """What h11 says of a body of another length than was announced never gets out."""

    class Wrong(io.BytesIO):
        def seek(self, offset: int, whence: int = 0, /) -> int:
            return super().seek(offset, whence) + (10 if whence else 0)

    with RawServer() as server, Store(base_url=server.url, engine=engine) as client:
        with pytest.raises(ProtocolError) as caught:
            colour.run(client.file, Wrong(b"abc"))
        assert str(caught.value).endswith("cannot be sent: the file 'upload' has not the 13 bytes any more that it had")
