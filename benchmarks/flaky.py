"""A server that fails at random: it echoes the id of each request, if it answers, and remembers what it did to it.

What happens to a request is drawn by its id and by how often that came before, so that a run with the same seed meets
the same faults in whatever order its calls are made; but which request meets a connection that is being closed, and
what a call with a deadline still meets, is for the machine to say.
"""

import asyncio
import json
import random
import socket
import struct
import threading
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

SAYS_NOT_ACTED = frozenset({"408", "425", "429", "503"})
"""Answers after which a request without a key may come again."""
REDIRECT = "307"

LEFT = "200, then left"
"""The connection is idle after that answer, and is closed a moment later, as servers do."""
ANSWERED = frozenset({"200", LEFT})
IN_VAIN = "left"
"""It came on a connection that was being closed."""

Weights = Mapping[str, float]
"""How likely each thing is; a number stands for an answer with that status."""

_SAID = {"200": 70, LEFT: 10, "503": 4, "500": 4, "429": 2, "404": 1}
_BROKEN = {
    "reset": 2,
    "early": 1,
    "hang up": 2,
    "cut": 2,
    "cut and reset": 1,
    "garbage": 0.5,
    "chunk": 0.5,
    "hints": 0.5,
    "encoding": 0.5,
    "hang": 0.1,
}
MOSTLY_WELL: Weights = _SAID | _BROKEN

_ALL = ("404", "408", "425", "429", "500", "502", "503", "504", REDIRECT)
HARDLY_EVER: Weights = (
    {"200": 10, LEFT: 10} | dict.fromkeys(_ALL, 5) | {kind: weight * 5 for kind, weight in _BROKEN.items()}
)


@dataclass
class Seen:
    """What a server saw.

    Attributes:
        opened: connections.
        closed: connections that have ended.
        arrivals: of each request, by id, what was done to it each time that it came.
        unsafe: the ids of those that are not safe to send twice.
    """

    opened: int = 0
    closed: int = 0
    arrivals: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    unsafe: set[str] = field(default_factory=set[str])

    @property
    def requests(self) -> int:
        """How many came."""
        return sum(map(len, self.arrivals.values()))

    @property
    def answered(self) -> int:
        """How many were answered with a success."""
        return sum(kind in ANSWERED for kinds in self.arrivals.values() for kind in kinds)

    @property
    def faults(self) -> int:
        """How many were not."""
        return self.requests - self.answered

    @property
    def repeated(self) -> int:
        """How many came again, without being redirected."""
        return sum(len(kinds) - 1 - kinds[:-1].count(REDIRECT) for kinds in self.arrivals.values())

    def wrongly_repeated(self) -> dict[str, list[str]]:
        """Requests that are not safe to send twice, and came again after something that does not allow it."""
        allowed = SAYS_NOT_ACTED | {REDIRECT}
        return {id: kinds for id, kinds in self.arrivals.items() if id in self.unsafe and not {*kinds[:-1]} <= allowed}

    def by_kind(self) -> Counter[str]:
        """How often each thing was done."""
        return Counter(kind for kinds in self.arrivals.values() for kind in kinds)


class Flaky:
    """The server; it runs on an event loop of its own, see `running`."""

    def __init__(self, weights: Weights, seed: int) -> None:
        self.seen = Seen()
        self._kinds = list(weights)
        self._weights = list(weights.values())
        self._seed = seed

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        self.seen.opened += 1
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            self.seen.closed += 1
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request; whether another may follow."""
        head = await _head(reader)
        kind, chance = self._arrived(head)
        if kind == "early":  # a large body is still on its way then
            return _reset(writer)
        await _body(reader, head)
        if kind == LEFT:
            return await self._leave(head, chance, reader, writer)
        return await _answer(kind, chance, head, reader, writer)

    def _arrived(self, head: str, kind: str = "") -> tuple[str, random.Random]:
        """Remember a request; what is to be done to it, unless that is known."""
        id = _id(head)
        kinds = self.seen.arrivals.setdefault(id, [])
        chance = random.Random(f"{self._seed} {id} {len(kinds)}")
        kinds.append(kind or chance.choices(self._kinds, self._weights)[0])
        if head.startswith("post ") and "\r\nidempotency-key:" not in head:
            self.seen.unsafe.add(id)
        return kinds[-1], chance

    async def _leave(
        self, head: str, chance: random.Random, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Answer, and close the connection a moment later: what comes meanwhile comes in vain."""
        writer.write(_response(_id(head), 200))
        with suppress(asyncio.TimeoutError):
            head = await asyncio.wait_for(_head(reader), chance.random() * 0.002)
            self._arrived(head, IN_VAIN)
        return _reset(writer) if chance.random() < 0.5 else False


async def _head(reader: asyncio.StreamReader) -> str:
    return (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()


async def _body(reader: asyncio.StreamReader, head: str) -> None:
    if "\r\ncontent-length: " in head:
        await reader.readexactly(int(head.partition("\r\ncontent-length: ")[2].partition("\r\n")[0]))
    elif "\r\ntransfer-encoding: chunked" in head:
        while size := int(await reader.readuntil(b"\r\n"), 16):
            await reader.readexactly(size + 2)
        await reader.readexactly(2)


def _target(head: str) -> str:
    return head.split(" ", 2)[1]


def _id(head: str) -> str:
    return _target(head).rpartition("/")[2]


async def _answer(
    kind: str, chance: random.Random, head: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> bool:
    """Do something to a request that was read; whether another may follow."""
    id = _id(head)
    if kind.isdigit():
        writer.write(_response(id, int(kind), f"Location: /again{_target(head)}\r\n" if kind == REDIRECT else ""))
        await writer.drain()
        return True
    whole = _response(id, chance.choice([200, 200, 500, 503]))
    if kind.startswith("cut"):
        writer.write(whole[: chance.randrange(1, len(whole))])
    elif kind == "garbage":
        writer.write(chance.randbytes(40))
    elif kind == "chunk":
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nno size\r\n")
    elif kind == "hints":
        writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" * chance.randrange(1, 100))
    elif kind == "encoding":
        writer.write(_response(id, 200, "Content-Encoding: gzip\r\n"))
    elif kind == "hang":
        await reader.read()
    return _reset(writer) if kind.endswith("reset") else False


def _response(id: str, status: int, headers: str = "") -> bytes:
    body = json.dumps({"id": id})
    lines = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n{headers}"
    return f"HTTP/1.1 {status} Status\r\n{lines}\r\n{body}".encode()


def _reset(writer: asyncio.StreamWriter) -> bool:
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return False


@contextmanager
def running(server: Flaky) -> Generator[str]:
    """Run a server in a thread; gives its URL."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    sockets = asyncio.run_coroutine_threadsafe(asyncio.start_server(server.serve, "127.0.0.1", 0), loop).result()
    try:
        yield f"http://127.0.0.1:{sockets.sockets[0].getsockname()[1]}"
    finally:
        asyncio.run_coroutine_threadsafe(_end(sockets), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _end(sockets: asyncio.Server) -> None:
    sockets.close()
    connections = asyncio.all_tasks() - {asyncio.current_task()}
    for task in connections:
        task.cancel()
    await asyncio.gather(*connections, return_exceptions=True)
