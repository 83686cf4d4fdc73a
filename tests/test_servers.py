"""The servers that other tests rely on do what they say."""

from __future__ import annotations

import socket
import threading
from itertools import pairwise

import httpx
import pytest

from servers import (
    CLOSE,
    GARBAGE,
    HANG,
    MID_HEADERS,
    OK,
    RESET,
    Answer,
    AppServer,
    RawRequest,
    RawServer,
    http,
    truncated,
)


def exchange(server: RawServer, sent: bytes) -> bytes:
    """Everything that comes back for some bytes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=20) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: connection.recv(65536), b""))


def test_a_request_is_recorded_byte_for_byte() -> None:
    with RawServer() as server:
        exchange(server, b"GET /a%2fb//../c?q=%41+b HTTP/1.1\r\nHost: x\r\nX-Mixed:  Two \r\nx-mixed: b\xe9\r\n\r\n")
    (request,) = server.requests
    assert request.head == b"GET /a%2fb//../c?q=%41+b HTTP/1.1\r\nHost: x\r\nX-Mixed:  Two \r\nx-mixed: b\xe9"
    assert (request.method, request.target) == ("GET", "/a%2fb//../c?q=%41+b")
    assert request.header_lines == ["Host: x", "X-Mixed:  Two ", "x-mixed: b\xe9"]
    assert request.headers("x-MIXED") == ["Two", "b\xe9"]
    assert (request.header("host"), request.header("absent")) == ("x", None)
    with pytest.raises(AssertionError, match="x-mixed was sent 2 times"):
        request.header("x-mixed")


def test_a_target_that_breaks_the_line_is_seen_to_do_so() -> None:
    with RawServer() as server:
        exchange(server, b"GET /a b HTTP/1.1\r\n\r\nGET /smuggled HTTP/1.1\r\n\r\n")
    assert [request.target for request in server.requests] == ["/a b", "/smuggled"]


def test_bodies_are_recorded_as_they_came() -> None:
    chunked = b"3;x=y\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"
    with RawServer() as server:
        exchange(
            server,
            b"POST /1 HTTP/1.1\r\nContent-Length: 4\r\n\r\n\r\n\r\n"
            b"POST /2 HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + b"GET /3 HTTP/1.1\r\n\r\n",
        )
    assert [(request.target, request.body) for request in server.requests] == [
        ("/1", b"\r\n\r\n"),
        ("/2", chunked),
        ("/3", b""),
    ]


def test_a_connection_is_kept_and_counted() -> None:
    with RawServer() as server:
        with httpx.Client(base_url=server.url) as client:
            client.get("/a")
            client.get("/b")
        httpx.get(f"{server.url}/c")
        server.wait_until(lambda server: server.closed == 2)
        assert server.opened == 2
    assert [(request.target, request.connection) for request in server.requests] == [("/a", 1), ("/b", 1), ("/c", 2)]


def test_a_sequence_is_answered_in_turn_and_its_last_repeats() -> None:
    with RawServer([http(status=503), Answer(http("[1]"), then="close")]) as server:
        answers = [httpx.get(server.url) for _ in range(3)]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(503, {}), (200, [1]), (200, [1])]
    assert server.lines == ["GET / HTTP/1.1"] * 3


def test_a_function_answers_each_request() -> None:
    with RawServer(lambda request: http(f'"{request.target}"', headers={"X-Extra": "1"})) as server:
        answer = httpx.get(f"{server.url}/here")
    assert (answer.json(), answer.headers["x-extra"]) == ("/here", "1")


def test_what_a_function_raises_is_raised_by_the_block() -> None:
    def broken(request: RawRequest) -> bytes:
        raise LookupError(request.target)

    with pytest.raises(LookupError, match="/here"), RawServer(broken) as server, pytest.raises(httpx.TransportError):
        httpx.get(f"{server.url}/here")


IMPATIENT = httpx.Timeout(20, read=0.1)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(CLOSE, httpx.RemoteProtocolError, id="close before the answer"),
        pytest.param(RESET, httpx.ReadError, id="reset"),
        pytest.param(GARBAGE, httpx.RemoteProtocolError, id="garbage"),
        pytest.param(MID_HEADERS, httpx.RemoteProtocolError, id="close in the headers"),
        pytest.param(truncated(), httpx.RemoteProtocolError, id="truncated body"),
    ],
)
def test_a_failure_is_the_failure_it_says(answer: Answer, error: type[Exception]) -> None:
    with RawServer(answer) as server, pytest.raises(error):
        httpx.get(server.url, timeout=20)
    assert server.lines == ["GET / HTTP/1.1"]


def test_an_answer_can_be_late_or_never_come() -> None:
    with RawServer([Answer(OK, delay=60), HANG]) as server:
        for _ in range(2):
            with pytest.raises(httpx.ReadTimeout):
                httpx.get(server.url, timeout=IMPATIENT)
    assert server.opened == server.closed == 2


def test_the_end_of_a_hanging_connection_is_noticed() -> None:
    with RawServer(HANG) as server:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(server.url, timeout=IMPATIENT)
        server.wait_until(lambda server: server.closed == 1)


def test_a_server_that_reads_nothing_lets_the_buffers_fill() -> None:
    with RawServer(reads="nothing") as server:
        with pytest.raises(httpx.WriteTimeout):
            httpx.post(server.url, content=bytes(32 * 2**20), timeout=httpx.Timeout(20, write=0.1))
        assert server.opened == 1
    assert server.requests == []


def test_a_server_can_answer_before_it_reads_the_body() -> None:
    with RawServer(Answer(http(status=413), then="hang"), reads="head") as server:
        answer = httpx.post(server.url, content=b"0123456789")
    assert answer.status_code == 413
    assert server.requests[0].body == b""


def test_many_threads_each_get_their_own_answer() -> None:
    def echo(request: RawRequest) -> bytes:
        return http(f'"{request.target}"')

    seen = list[str]()

    def ask(url: str, names: range) -> None:
        with httpx.Client(base_url=url) as client:
            seen.extend(client.get(f"/{name}").json() for name in names)

    with RawServer(echo) as server:
        threads = [threading.Thread(target=ask, args=(server.url, range(*span))) for span in pairwise(range(0, 90, 10))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(seen) == sorted(f"/{name}" for name in range(80))
    assert (server.opened, server.closed) == (8, 8)


def test_leaving_the_block_ends_every_thread() -> None:
    before = set(threading.enumerate())  # one of an earlier test may end meanwhile, so a number would not do
    with RawServer(HANG) as server, httpx.Client(base_url=server.url) as client, pytest.raises(httpx.ReadTimeout):
        client.get("/", timeout=IMPATIENT)
    assert set(threading.enumerate()) <= before


def test_a_program_is_started_and_stopped() -> None:
    with AppServer("-m", "http.server", "{port}", "--bind", "127.0.0.1", ready="/") as app:
        assert httpx.get(f"{app.url}/no-such-file").status_code == 404
        assert "no-such-file" in app.output
    with pytest.raises(httpx.ConnectError):
        httpx.get(app.url)


def test_a_program_that_ends_early_shows_what_it_printed() -> None:
    with pytest.raises(AssertionError, match=r"(?s)ended with 3:\n.*no such setting"):
        AppServer("-c", "print('no such setting'); raise SystemExit(3)").__enter__()
