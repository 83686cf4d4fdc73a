"""A body that is read while it is sent: `Payload`.

This module's rule: it reads its sources one after the other, from the beginning each time, and says what is known
before: type, length, and whether there can be a second time. What the bytes are, the sources know.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Protocol, cast

from stubwire._sources import Memory
from stubwire.errors import ColourError, ProtocolError, StubwireError

if TYPE_CHECKING:
    from stubwire._progress import Progress


class Source(Protocol):
    """Where bytes come from.

    Attributes:
        length: bytes, taken when the call was bound; `None` when nobody knows.
        once: what it is, if it can be read only once, such as `"a generator"`; empty if it can be read again.
        asynchronous: whether only an asynchronous call can read it.
        shown: what people see in its place, such as `"file"`.
    """

    @property
    def length(self) -> int | None: ...
    @property
    def once(self) -> str: ...
    @property
    def asynchronous(self) -> bool: ...
    @property
    def shown(self) -> str: ...

    def read(self) -> Generator[bytes]:
        """The bytes, from the beginning."""
        ...

    def aread(self) -> AsyncGenerator[bytes]:
        """The same, asynchronously."""
        ...


class Payload:
    """A body that is read while it is sent.

    Attributes:
        content_type: of the whole.
        guessed: whether nobody said so, and a header may say otherwise.
        length: bytes, `None` when nobody knows: it is then sent in chunks.
        replayable: whether it can be read again from the beginning.
        begun: whether anybody has begun to read it.
        asynchronous: whether only an asynchronous call can read it.
        once: what it is, if it can be read only once, such as `"a generator"`.
        failure: what a user's own code raised while it was read.
    """

    def __init__(
        self, sources: Sequence[Source], content_type: str, shown: str | None = None, *, guessed: bool = False
    ) -> None:
        lengths = [source.length for source in sources]
        self._sources = sources
        self._shown = shown or sources[0].shown
        self.content_type = content_type
        self.guessed = guessed
        self.length: int | None = sum(length for length in lengths if length is not None)
        if None in lengths:
            self.length = None
        self.once = next((source.once for source in sources if source.once), "")
        self.replayable = not self.once
        self.asynchronous = any(source.asynchronous for source in sources)
        self.begun = False
        self.failure: Exception | None = None
        self._open: list[Generator[bytes]] = []
        self._aopen: list[AsyncGenerator[bytes]] = []

    def chunks(self) -> Generator[bytes]:
        """The bytes, from the beginning.

        Raises:
            ProtocolError: it has been read, and cannot be read again; or, while it is read, a file cannot be read or
                has not the length that it had.
            ColourError: only an asynchronous call can read it.
        """
        self._check()
        self._check_colour()
        reading = self._chunks()
        self._open.append(reading)
        return reading

    def achunks(self) -> AsyncGenerator[bytes]:
        """The same, asynchronously.

        Raises:
            ProtocolError: as above.
        """
        self._check()
        reading = self._achunks()
        self._aopen.append(reading)
        return reading

    @contextmanager
    def sending(self) -> Generator[None]:
        """Around what sends it: ends every reading, and lets out what a user's own code raised in one, as itself.

        Raises:
            ColourError: only an asynchronous call can read it.
        """
        self._check_colour()
        try:
            yield
        except Exception:
            self._let_out()
            raise
        finally:
            while self._open:
                self._open.pop().close()

    @asynccontextmanager
    async def asending(self) -> AsyncGenerator[None]:
        """The same, asynchronously."""
        try:
            yield
        except Exception:
            self._let_out()
            raise
        finally:
            while self._aopen:
                await self._aopen.pop().aclose()

    def _let_out(self) -> None:
        """Raise what a user's own code raised: an engine takes errors of its own kind for its own."""
        if self.failure is not None:
            raise self.failure

    def _check_colour(self) -> None:
        if self.asynchronous:
            raise ColourError(
                "its body is asynchronous, which a synchronous call cannot read: call it through .aio, or pass an "
                "ordinary iterable"
            )

    def _check(self) -> None:
        if self.begun and self.once:
            raise ProtocolError(f"cannot be sent again: its body is {self.once}, which can be read only once")

    def _chunks(self) -> Generator[bytes]:
        self._check()  # two may have been asked for before either was read
        self.begun = True
        try:
            for source in self._sources:
                yield from source.read()
        except StubwireError:
            raise
        except Exception as error:
            self._blame(error)
            raise

    async def _achunks(self) -> AsyncGenerator[bytes]:
        self._check()
        self.begun = True
        try:
            for source in self._sources:
                async with aclosing(source.aread()) as reading:
                    async for chunk in reading:
                        yield chunk
        except StubwireError:
            raise
        except Exception as error:
            self._blame(error)
            raise

    def _blame(self, error: Exception) -> None:
        self.failure = error
        error.add_note("raised in the body, while it was read")

    def __repr__(self) -> str:
        """Show what it is and how long, and nothing that is sent."""
        return f"<{self}>"

    def __str__(self) -> str:
        """The same, as it stands in messages."""
        return self._shown if self.length is None else f"{self._shown}, {self.length} bytes"

    @property
    def whole(self) -> bytes | None:
        """All of it, if it is in memory and nobody wants to see it go."""
        if not all(isinstance(source, Memory) for source in self._sources):
            return None
        return b"".join(source.content for source in cast("Sequence[Memory]", self._sources))


class Watched:
    """A source that reports how many of its bytes were sent; each reading begins again from 0."""

    def __init__(self, source: Source, progress: Progress, label: str) -> None:
        self._source = source
        self._progress = progress
        self._label = label
        self.length = source.length
        self.once = source.once
        self.asynchronous = source.asynchronous
        self.shown = source.shown

    def read(self) -> Generator[bytes]:
        """The bytes, each reported when the next are asked for."""
        sent, close = self._begin()
        try:
            for chunk in self._source.read():
                yield chunk
                sent(len(chunk))
        finally:
            close()

    async def aread(self) -> AsyncGenerator[bytes]:
        """The same, asynchronously."""
        sent, close = self._begin()
        try:
            async with aclosing(self._source.aread()) as reading:
                async for chunk in reading:
                    yield chunk
                    sent(len(chunk))
        finally:
            close()

    def _begin(self) -> tuple[Callable[[int], object], Callable[[], object]]:
        from stubwire._progress import reporter

        made = reporter(self._progress, self.length, self._label)
        made.start(0, self.length)
        return made.add, made.close
