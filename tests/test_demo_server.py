"""The demo's server answers as GitHub does, and leaves nothing behind."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Iterator
from itertools import chain

import httpx
import pytest

from stubwire.demo.server import DemoServer, RecordedRequest

TOKEN = {"Authorization": "Bearer ghp_x"}
ISSUES = "/repos/octocat/hello-world/issues"


@pytest.fixture
def server() -> Iterator[DemoServer]:
    with DemoServer() as running:
        yield running


@pytest.fixture
def http(server: DemoServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=server.url, timeout=20) as client:
        yield client


def names(repositories: list[dict[str, str]]) -> list[str]:
    return [repository["name"] for repository in repositories]


def test_an_account_has_githubs_fields(http: httpx.Client) -> None:
    user = http.get("/users/Octocat").json()
    assert user["login"] == "octocat"
    assert user["public_repos"] == 8
    assert {"node_id", "avatar_url", "followers_url", "site_admin", "hireable", "created_at"} < set(user)


@pytest.mark.parametrize(
    "path",
    ["/users/nobody", "/users/nobody/repos", "/repos/octocat/none", f"{ISSUES}/99", "/repos/octocat/none/issues"],
)
def test_what_is_not_there_is_githubs_404(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert answer.status_code == 404
    body = answer.json()
    assert body.pop("documentation_url").startswith("https://docs.github.com/rest")
    assert body == {"message": "Not Found", "status": "404"}


def test_a_path_or_a_method_that_nothing_serves_is_a_404_too(http: httpx.Client) -> None:
    assert http.get("/none").json()["message"] == "Not Found"
    assert http.delete("/users/octocat").status_code == 404


def test_pages_link_to_each_other(http: httpx.Client, server: DemoServer) -> None:
    answer = http.get("/users/octocat/repos", params={"per_page": 3, "sort": "full_name"})
    pages = [names(answer.json())]
    while "next" in answer.links:
        answer = http.get(answer.links["next"]["url"])
        pages.append(names(answer.json()))
    assert [len(page) for page in pages] == [3, 3, 2]
    every = list(chain.from_iterable(pages))
    assert every == sorted(every, key=str.lower)
    last = f"{server.url}/users/octocat/repos?per_page=3&sort=full_name&page="
    assert {rel: link["url"] for rel, link in answer.links.items()} == {"prev": f"{last}2", "first": f"{last}1"}


@pytest.mark.parametrize("no_number", ["many", "nan", "inf"])
def test_one_page_has_no_link(http: httpx.Client, no_number: str) -> None:
    answer = http.get("/users/octocat/repos", params={"per_page": no_number})
    assert len(answer.json()) == 8
    assert "link" not in answer.headers


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("", "boysenberry-repo-1"),
        ("sort=created", "boysenberry-repo-1"),
        ("sort=created&direction=asc", "test-repo1"),
        ("sort=pushed", "hello-worId"),
        ("sort=updated", "hello-worId"),
        ("sort=full_name&direction=desc", "test-repo1"),
        ("sort=nonsense", "boysenberry-repo-1"),
    ],
)
def test_repositories_are_sorted_as_github_does(http: httpx.Client, query: str, first: str) -> None:
    assert names(http.get(f"/users/octocat/repos?{query}").json())[0] == first


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("q=demonstration", ["Spoon-Knife", "git-consortium"]),
        ("q=demonstration&sort=forks&order=asc", ["git-consortium", "Spoon-Knife"]),
        ("q=user:hubot", ["hubot-scripts"]),
        ("q=savant+language:Ruby", ["linguist"]),
        ("q=savant+language:CSS", []),
    ],
)
def test_a_search_finds_by_words_and_qualifiers(http: httpx.Client, query: str, found: list[str]) -> None:
    answer = http.get(f"/search/repositories?{query}")
    assert names(answer.json()["items"]) == found
    assert answer.json()["total_count"] == len(found)


def test_a_search_for_nothing_is_refused(http: httpx.Client) -> None:
    answer = http.get("/search/repositories")
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"resource": "Search", "field": "q", "code": "missing"}]


def test_an_issue_is_created_listed_and_read(http: httpx.Client) -> None:
    created = http.post(ISSUES, headers=TOKEN, json={"title": "New", "body": "b", "labels": ["bug", "cat"]})
    assert created.status_code == 201
    assert http.get(created.headers["location"]).json() == created.json()
    listed = http.get(ISSUES).json()
    assert [issue["title"] for issue in listed] == ["New", "The cat has no box", "Edited README via GitHub"]
    assert [issue["title"] for issue in http.get(f"{ISSUES}?labels=cat,bug").json()] == ["New"]
    assert http.get(f"{ISSUES}?state=closed").json() == []


@pytest.mark.parametrize(
    ("headers", "content", "status", "message"),
    [
        ({}, '{"title": "x"}', 401, "Requires authentication"),
        ({"Authorization": "Bearer"}, '{"title": "x"}', 401, "Requires authentication"),
        ({"Authorization": "Basic eDp5"}, '{"title": "x"}', 401, "Requires authentication"),
        (TOKEN, '{"title": " "}', 422, "Validation Failed"),
        (TOKEN, "{}", 422, "Validation Failed"),
        (TOKEN, "{", 400, "Problems parsing JSON"),
        (TOKEN, "[]", 400, "Body should be a JSON object"),
    ],
)
def test_an_issue_that_github_refuses_is_refused(
    http: httpx.Client, headers: dict[str, str], content: str, status: int, message: str
) -> None:
    answer = http.post(ISSUES, headers=headers, content=content)
    assert answer.status_code == status
    assert answer.json()["message"] == message
    assert len(http.get(ISSUES).json()) == 2


def test_a_missing_title_is_named_as_github_names_it(http: httpx.Client) -> None:
    assert http.post(ISSUES, headers=TOKEN, json={"title": ""}).json() == {
        "message": "Validation Failed",
        "errors": [{"resource": "Issue", "field": "title", "code": "missing_field"}],
        "documentation_url": "https://docs.github.com/rest/issues/issues#create-an-issue",
        "status": "422",
    }


def test_a_flaky_key_fails_twice_and_counts_for_itself(http: httpx.Client) -> None:
    assert [http.get("/flaky/a").status_code for _ in range(4)] == [503, 503, 200, 200]
    again = http.post("/flaky/b", params={"retry_after": 7, "status": 500, "fails": 1})
    assert (again.status_code, again.headers["retry-after"]) == (500, "7")
    assert http.get("/flaky/b?fails=1").json() == {"key": "b", "attempts": 2}
    assert "retry-after" not in http.get("/flaky/c").headers


def test_an_echo_shows_what_arrived(http: httpx.Client) -> None:
    shown = http.request("PURGE", "/echo/a%2Fb?q=%20", headers=[("X-Two", "1"), ("X-Two", "2")], content="hé").json()
    assert (shown["method"], shown["target"], shown["body"]) == ("PURGE", "/echo/a%2Fb?q=%20", "hé")
    assert shown["headers"]["x-two"] == "1, 2"


def test_the_journal_has_every_request_in_order(http: httpx.Client, server: DemoServer) -> None:
    http.get("/users/octocat?x=1&x=2")
    http.post("/nowhere", content=b"hello")
    first, second = server.requests
    assert (first.method, first.target) == ("GET", "/users/octocat?x=1&x=2")
    assert (first.path, first.query) == ("/users/octocat", {"x": "2"})
    assert second == RecordedRequest("POST", "/nowhere", second.headers, b"hello")
    assert second.headers["content-length"] == "5"


def test_every_response_has_a_request_id_of_its_own(http: httpx.Client) -> None:
    answers = [http.get("/users/octocat"), http.get("/none"), http.head("/slow?seconds=0"), http.post(ISSUES)]
    assert len({answer.headers["x-github-request-id"] for answer in answers}) == 4


def test_a_head_has_the_headers_alone(http: httpx.Client) -> None:
    answer = http.head("/users/octocat")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == len(http.get("/users/octocat").content)


def test_a_body_of_unknown_length_is_refused(http: httpx.Client) -> None:
    answer = http.post("/echo", content=iter([b"x"]))
    assert (answer.status_code, answer.json()["message"]) == (411, "Length Required")


def test_what_is_no_http_is_refused_in_json(server: DemoServer) -> None:
    with socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=20) as connection:
        connection.sendall(b"HELLO\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    assert json.loads(answer)["message"].startswith("Bad request syntax")


def test_the_block_ends_connections_and_threads_that_are_still_busy() -> None:
    before = set(threading.enumerate())
    with DemoServer() as server, httpx.Client(base_url=server.url) as kept, httpx.Client() as waiting:
        kept.get("/users/octocat")
        with pytest.raises(httpx.ReadTimeout):
            waiting.get(f"{server.url}/slow?seconds=60", timeout=httpx.Timeout(20, read=0.05))
        server.__exit__()
        assert set(threading.enumerate()) <= before
        with pytest.raises(httpx.TransportError):
            kept.get("/users/octocat")


def test_a_client_that_hangs_up_is_no_news(capfd: pytest.CaptureFixture[str]) -> None:
    with DemoServer() as server:
        connection = socket.create_connection(("127.0.0.1", int(server.url.rpartition(":")[2])), timeout=20)
        with connection:
            connection.sendall(b"GET /none HTTP/1.1\r\n\r\n")
            connection.recv(65536)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    assert capfd.readouterr() == ("", "")


def test_a_bug_in_the_server_is_news(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: RecordedRequest) -> None:
        raise LookupError("no such luck")

    with DemoServer() as server:
        monkeypatch.setattr(server, "answer", broken)
        with pytest.raises(httpx.RemoteProtocolError):
            httpx.get(server.url)
    assert "no such luck" in capsys.readouterr().err


def test_a_server_that_does_not_run_has_no_url() -> None:
    with pytest.raises(RuntimeError, match="with DemoServer"):
        _ = DemoServer().url
    DemoServer().__exit__()  # and nothing to stop
