"""The files of both examples over real sockets: what is uploaded, and what is downloaded from yet another host."""

from __future__ import annotations

import hashlib
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from examples.github import Asset, GitHub, GitHubError, GitHubUploads
from examples.stripe import StripeError, StripeFiles

from example_servers import Routes, answering, asked, in_turn, plain_environment, save, says
from multiparts import Part, parsed
from servers import Answer, RawRequest, RawServer, http
from stubwire import DecodeError, RedirectError, Upload

if TYPE_CHECKING:
    from conftest import Clock, Colour, EngineName

KEY = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
TOKEN = "ghp_16C7e42F292c6912E7710c838347Ae178B4a"
FILE = {"id": "file_1", "filename": "a.pdf", "purpose": "dispute_evidence", "size": 5, "created": 1_704_067_200}
CONTENT = bytes(range(256)) * 2000
SHA256 = hashlib.sha256(CONTENT).hexdigest()
ASSET = {"id": 1, "name": "app.zip", "size": len(CONTENT), "content_type": "application/zip"}
ASSETS = "/repos/octocat/Hello-World/releases/7/assets"
DOWNLOAD = "/repos/octocat/Hello-World/releases/assets/1"
BUSY = http(b"", 503, {"Retry-After": "0"})


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    plain_environment(monkeypatch, STRIPE_API_KEY=KEY, GITHUB_TOKEN=TOKEN)


@contextmanager
def stripe(engine: EngineName, routes: Routes) -> Generator[tuple[RawServer, StripeFiles]]:
    with RawServer(answering(routes)) as server, StripeFiles(base_url=server.url, engine=engine) as files:
        yield server, files


@contextmanager
def uploading(engine: EngineName, *said: bytes) -> Generator[tuple[RawServer, GitHubUploads]]:
    with (
        RawServer(answering({f"POST {ASSETS}": in_turn(*said)})) as server,
        GitHubUploads(base_url=server.url, engine=engine, follow_redirects=True) as uploads,
    ):
        yield server, uploads


@contextmanager
def github(engine: EngineName, storage: RawServer) -> Generator[tuple[RawServer, GitHub]]:
    """GitHub, which says of a file where it lies for a while."""
    elsewhere = http(b"", 302, {"Location": f"{storage.url}/app.zip?sig=s3cr3t"})
    with (
        RawServer(answering({f"GET {DOWNLOAD}": elsewhere})) as server,
        GitHub(base_url=server.url, engine=engine) as client,
    ):
        yield server, client


# -- to Stripe, as a part of a form


def test_a_file_is_a_part_of_a_form(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    receipt = tmp_path / "Quittung für Ada.pdf"
    receipt.write_bytes(CONTENT)
    with stripe(engine, {"POST /v1/files": in_turn(BUSY, says(FILE))}) as (server, files):
        stored = colour.run(files.upload, receipt, "dispute_evidence")
    assert (stored.id, stored.purpose) == ("file_1", "dispute_evidence")
    first, second = server.requests
    assert first.body == second.body
    assert first.header("Idempotency-Key") == second.header("Idempotency-Key") is not None
    assert first.header("Authorization") == f"Bearer {KEY}"
    assert first.header("Content-Length") == str(len(first.body))
    assert parsed(first.body, str(first.header("Content-Type"))) == [
        Part("file", CONTENT, receipt.name, "application/pdf"),
        Part("purpose", b"dispute_evidence"),
    ]


def test_an_upload_has_a_name_and_says_how_far_it_is(engine: EngineName, colour: Colour) -> None:
    told: list[tuple[int, int | None]] = []
    logo = Upload(b"PNG!", "logo.png", progress=lambda done, total: told.append((done, total)))
    with stripe(engine, {"POST /v1/files": says(FILE)}) as (server, files):
        colour.run(files.upload, logo, "business_logo")
    (request,) = server.requests
    assert parsed(request.body, str(request.header("Content-Type"))) == [
        Part("file", b"PNG!", "logo.png", "image/png"),
        Part("purpose", b"business_logo"),
    ]
    assert (told[0], told[-1]) == ((0, 4), (4, 4))


def test_the_content_of_a_file_is_saved(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    routes = {"GET /v1/files/file_1/contents": http(b"%PDF-", headers={"Content-Type": "application/pdf"})}
    with stripe(engine, routes) as (_, files):
        assert save(colour, files.content, "file_1", to=tmp_path / "a.pdf").read_bytes() == b"%PDF-"
        with pytest.raises(StripeError):
            save(colour, files.content, "file_2", to=tmp_path / "b.pdf")
    assert [path.name for path in tmp_path.iterdir()] == ["a.pdf"]


# -- to GitHub, as it is


def test_a_file_of_a_release_is_sent_as_it_is(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    built = tmp_path / "built.zip"
    built.write_bytes(CONTENT)
    with uploading(engine, BUSY, says(ASSET, 201)) as (server, uploads):
        asset = colour.run(uploads.upload, "octocat", "Hello-World", 7, built, name="app & docs.zip")
    assert asset == Asset.model_validate(ASSET)
    assert [request.body for request in server.requests] == [CONTENT] * 2
    request = server.requests[1]
    assert request.target == f"{ASSETS}?name=app%20%26%20docs.zip"
    assert asked(request) == {"name": "app & docs.zip"}
    assert request.header("Content-Type") == "application/zip"
    assert request.header("Content-Length") == str(len(CONTENT))
    assert request.header("Authorization") == f"Bearer {TOKEN}"


def test_an_upload_may_say_its_type(engine: EngineName, colour: Colour) -> None:
    sums = Upload(b"00  app.zip\n", content_type="text/plain")
    with uploading(engine, says(ASSET, 201)) as (server, uploads):
        colour.run(uploads.upload, "octocat", "Hello-World", 7, sums, name="SHA256SUMS")
    assert server.requests[0].body == b"00  app.zip\n"
    assert server.requests[0].header("Content-Type") == "text/plain"


def test_an_upload_is_not_sent_to_another_host(engine: EngineName, colour: Colour) -> None:
    with RawServer() as other:
        elsewhere = http(b"", 307, {"Location": f"{other.url}/assets"})
        with uploading(engine, elsewhere) as (_, uploads), pytest.raises(RedirectError):
            colour.run(uploads.upload, "octocat", "Hello-World", 7, Upload(CONTENT), name="app.zip")
        assert other.requests == []


# -- from GitHub, by way of another host


def in_parts(request: RawRequest) -> bytes | Answer:
    """The file: its first half when all of it is asked for, and then the rest."""
    asked_for = request.header("Range")
    if asked_for is None:
        said = {"Content-Length": str(len(CONTENT)), "ETag": '"1"'}
        return Answer(http(CONTENT[:200_000], headers=said), then="close")
    start = int(asked_for.removeprefix("bytes=").removesuffix("-"))
    said = {"Content-Range": f"bytes {start}-{len(CONTENT) - 1}/{len(CONTENT)}", "ETag": '"1"'}
    return http(CONTENT[start:], 206, said)


def test_the_token_does_not_go_where_the_file_lies(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    target = tmp_path / "app.zip"
    with RawServer(http(CONTENT)) as storage, github(engine, storage) as (server, client):
        saved = save(colour, client.releases.download, "octocat", "Hello-World", 1, to=target, sha256=SHA256)
    assert saved == target
    assert target.read_bytes() == CONTENT
    (request,), (onward,) = server.requests, storage.requests
    assert request.header("Authorization") == f"Bearer {TOKEN}"
    assert request.header("Accept") == onward.header("Accept") == "application/octet-stream"
    assert onward.line == "GET /app.zip?sig=s3cr3t HTTP/1.1"
    assert onward.header("Host") == storage.url.removeprefix("http://")
    assert onward.header("Authorization") is None
    assert TOKEN not in onward.head.decode()


def test_a_download_that_was_cut_goes_on_where_it_stopped(
    engine: EngineName, colour: Colour, clock: Clock, tmp_path: Path
) -> None:
    """GitHub is asked anew for where the file lies, because what it says holds for a while only."""
    target = tmp_path / "app.zip"
    with RawServer(in_parts) as storage, github(engine, storage) as (server, client):
        save(colour, client.releases.download, "octocat", "Hello-World", 1, to=target, sha256=SHA256)
    assert target.read_bytes() == CONTENT
    assert [request.header("Range") for request in storage.requests] == [None, "bytes=200000-"]
    assert storage.requests[1].header("If-Range") == '"1"'
    assert [request.header("Authorization") for request in storage.requests] == [None, None]
    assert len(server.requests) == 2
    assert len(clock.waits) == 1


def test_another_file_than_was_meant_is_not_kept(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    asset = Asset.model_validate({**ASSET, "digest": f"sha256:{SHA256}"})
    target = tmp_path / asset.name
    with (
        RawServer(http(b"something else")) as storage,
        github(engine, storage) as (_, client),
        pytest.raises(DecodeError, match=f"not {SHA256}$"),
    ):
        save(colour, client.releases.download, "octocat", "Hello-World", 1, to=target, sha256=asset.sha256)
    assert [*tmp_path.iterdir()] == []


def test_a_file_that_is_gone_is_a_refusal(engine: EngineName, colour: Colour, tmp_path: Path) -> None:
    with (
        RawServer(says({"message": "Not Found"}, 404)) as server,
        GitHub(base_url=server.url, engine=engine) as client,
        pytest.raises(GitHubError) as caught,
    ):
        save(colour, client.releases.download, "octocat", "Hello-World", 1, to=tmp_path / "app.zip")
    assert caught.value.reason == "Not Found"
    assert [*tmp_path.iterdir()] == []
