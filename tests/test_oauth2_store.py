"""OAuth 2: where tokens are kept, for several auths, processes, and the next process."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from conftest import Api, Clock, Colour
from servers import RawServer, http
from stubwire import ConfigurationError, _token_store
from stubwire.auth import (
    FileTokenStore,
    MemoryTokenStore,
    OAuth2ClientCredentials,
    OAuth2RefreshToken,
    Token,
    TokenError,
    TokenStore,
)
from tokens import TOKEN_URL, Realm, Shop

MakeApi = Callable[..., Api]


def credentials(store: TokenStore | None, **options: Any) -> OAuth2ClientCredentials:
    return OAuth2ClientCredentials(TOKEN_URL, "shop", "s3cr3t", store=store, **options)


@pytest.fixture(params=["memory", "file", "own"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> TokenStore:
    """A store of each kind."""

    class Own(TokenStore):
        def __init__(self) -> None:
            self.kept: dict[str, Any] = {}

        def load(self, key: str) -> Token | None:
            return Token.load(self.kept[key]) if key in self.kept else None

        def save(self, key: str, token: Token) -> None:
            self.kept[key] = json.loads(json.dumps(token.dump()))

    made: dict[str, Callable[[], TokenStore]] = {
        "memory": MemoryTokenStore,
        "file": lambda: FileTokenStore(tmp_path / "tokens.json"),
        "own": Own,
    }
    return made[request.param]()


def test_a_token_is_used_by_every_auth_of_the_same_settings(api: MakeApi, colour: Colour, store: TokenStore) -> None:
    realm = Realm()
    server = api(realm)
    for _ in range(2):
        colour.run(Shop(transport=server.transport, auth=credentials(store)).items)
    assert realm.sent == ["Bearer t1"] * 2
    assert len(realm.asked) == 1
    colour.run(Shop(transport=server.transport, auth=credentials(store, scope="other")).items)
    assert len(realm.asked) == 2


def test_a_token_that_has_ended_is_renewed(api: MakeApi, colour: Colour, store: TokenStore, clock: Clock) -> None:
    realm = Realm({"expires_in": 100})
    server = api(realm)
    colour.run(Shop(transport=server.transport, auth=credentials(store)).items)
    clock.advance(80)
    colour.run(Shop(transport=server.transport, auth=credentials(store)).items)
    assert realm.sent == ["Bearer t1", "Bearer t2"]


def test_what_another_has_renewed_after_a_401_is_used(api: MakeApi, colour: Colour, store: TokenStore) -> None:
    realm = Realm()
    server = api(realm)
    one, other = (Shop(transport=server.transport, auth=credentials(store)) for _ in range(2))
    colour.run(one.items)
    colour.run(other.items)
    realm.revoked = {"t1"}
    assert colour.run(one.items) == {"token": "Bearer t2"}
    assert colour.run(other.items) == {"token": "Bearer t2"}
    assert len(realm.asked) == 2


def test_a_rotated_refresh_token_is_kept(api: MakeApi, colour: Colour, store: TokenStore) -> None:
    """A new first one, after a person has logged in again, goes before what was kept for another."""
    realm = Realm({"refresh_token": "r1", "expires_in": 10})
    server = api(realm)
    for first in ("r0", "r0", "r0-new"):
        colour.run(Shop(transport=server.transport, auth=OAuth2RefreshToken(TOKEN_URL, first, store=store)).items)
    assert [realm.form(number)["refresh_token"] for number in range(3)] == ["r0", "r1", "r0-new"]


# ---- the file


def test_its_owner_alone_can_read_it(api: MakeApi, tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    old = os.umask(0)
    try:
        Shop(transport=api(Realm()).transport, auth=credentials(FileTokenStore(path))).items()
    finally:
        os.umask(old)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["tokens.json", "tokens.json.lock"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()} == {0o600}
    assert "s3cr3t" not in path.read_text()


def test_it_is_replaced_as_a_whole(api: MakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full leaves what was there, and no litter; the token serves this process all the same."""
    path = tmp_path / "tokens.json"
    store = FileTokenStore(path)
    store.save("k", Token("one"))
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    realm = Realm()
    shop = Shop(transport=api(realm).transport, auth=credentials(store))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ConfigurationError) as caught:
            shop.items()
    assert str(caught.value) == f"FileTokenStore {str(path)!r} cannot be written: No space left on device"
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir()) == ["tokens.json", "tokens.json.lock"]
    assert shop.items() == {"token": "Bearer t1"}


def test_a_link_to_it_stays_one(tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    link = tmp_path / "tokens.json"
    link.symlink_to(tmp_path / "there" / "real.json")
    FileTokenStore(link).save("k", Token("one"))
    assert link.is_symlink()
    assert FileTokenStore(tmp_path / "there" / "real.json").load("k") is not None


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        b"[]",
        b'{"tokens": {}}',
        b'{"format": "stubwire tokens"}',
        b'{"format": "x", "tokens": {}}',
        b"\xff",
        b"[" * 9**6,
    ],
    ids=range(7),
)
def test_a_file_of_something_else_is_not_written_over(api: MakeApi, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "config.json"
    path.write_bytes(content)
    with pytest.raises(ConfigurationError) as caught:
        Shop(transport=api(Realm()).transport, auth=credentials(FileTokenStore(path))).items()
    assert str(caught.value) == f"FileTokenStore {str(path)!r}: it is no file of tokens, and is not written over"
    assert path.read_bytes() == content


@pytest.mark.parametrize(
    "kept",
    [
        7,
        {},
        {"access_token": ""},
        {"access_token": "a\n"},
        {"access_token": "a", "expires_at": "soon"},
        {"access_token": "a", "expires_at": 1e999},
    ],
)
def test_a_token_that_cannot_be_used_is_as_good_as_none(tmp_path: Path, kept: object) -> None:
    path = tmp_path / "tokens.json"
    path.write_text(json.dumps({"format": "stubwire tokens", "tokens": {"k": kept}}))
    assert FileTokenStore(path).load("k") is None


def test_an_empty_file_has_none(tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.touch()
    store = FileTokenStore(str(path))
    assert store.load("k") is None
    store.save("k", Token("one", expires_at=5, refresh_token="two"))
    found = store.load("k")
    assert found is not None
    assert found.dump() == {"access_token": "one", "expires_at": 5.0, "refresh_token": "two"}
    assert (repr(store), repr(MemoryTokenStore())) == (f"FileTokenStore({str(path)!r})", "MemoryTokenStore(0 tokens)")


def test_what_is_no_path_is_a_configuration_error(tmp_path: Path) -> None:
    wrong: Any = None
    with pytest.raises(ConfigurationError) as caught:
        FileTokenStore(wrong)
    assert str(caught.value) == "FileTokenStore path must be a path, not NoneType"
    with pytest.raises(ConfigurationError) as caught:
        FileTokenStore(tmp_path / "no" / "tokens.json")
    assert str(caught.value) == f"FileTokenStore path: there is no folder {str(tmp_path / 'no')!r}"


def test_what_cannot_be_read_or_locked_is_a_configuration_error(api: MakeApi, tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    path.mkdir()
    shop = Shop(transport=api(Realm()).transport, auth=credentials(FileTokenStore(path)))
    with pytest.raises(ConfigurationError) as caught:
        shop.items()
    assert str(caught.value) == f"FileTokenStore {str(path)!r}: it cannot be read: Is a directory"
    lock = tmp_path / "tokens.json.lock"
    lock.unlink()
    lock.mkdir()
    with pytest.raises(ConfigurationError) as caught:
        shop.items()
    assert str(caught.value) == f"FileTokenStore {str(lock)!r} cannot be locked: Is a directory"
    lock.rmdir()
    os.mkfifo(lock)
    with pytest.raises(ConfigurationError) as caught:
        shop.items()
    assert str(caught.value) == f"FileTokenStore {str(lock)!r} cannot be locked: it is no file"


# ---- several at once


def test_one_renews_and_the_others_take_what_it_brought(
    api: MakeApi, colour: Colour, clock: Clock, tmp_path: Path
) -> None:
    """As another process would: its own store has the lock, and saves a token while we look again."""
    path = tmp_path / "tokens.json"
    auth = credentials(FileTokenStore(path))
    other = FileTokenStore(path)
    realm = Realm()
    held = other.lock(auth._key)
    assert held.__enter__()
    slept = clock.sleep

    def release(seconds: float) -> None:
        slept(seconds)
        if len(clock.waits) == 3:
            other.save(auth._key, Token("theirs", expires_at=clock.time + 3600))
            held.__exit__(None, None, None)

    clock.sleep = release  # type: ignore[method-assign]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stubwire._clock.sleep", release)
        assert colour.run(Shop(transport=api(realm).transport, auth=auth).items) == {"token": "Bearer theirs"}
    assert realm.asked == []
    assert clock.waits == [0.05] * 3


def test_it_is_not_waited_for_without_end(api: MakeApi, colour: Colour, clock: Clock, tmp_path: Path) -> None:
    path = tmp_path / "tokens.json"
    with FileTokenStore(path).lock("k") as alone:
        assert alone
        shop = Shop(transport=api(Realm()).transport, auth=credentials(FileTokenStore(path), timeout=2.0))
        with pytest.raises(TokenError) as caught:
            colour.run(shop.items)
    assert str(caught.value).endswith(f"got no token: {TOKEN_URL} gave none within timeout=2")
    assert sum(clock.waits) >= 1.9


def test_without_locks_each_renews_for_itself(api: MakeApi, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_token_store, "_system", None)
    path = tmp_path / "tokens.json"
    with FileTokenStore(path).lock("k") as one, FileTokenStore(path).lock("k") as other:
        assert one
        assert other
    assert Shop(transport=api(Realm()).transport, auth=credentials(FileTokenStore(path))).items()


def test_a_synchronous_call_does_not_wait_for_a_lock_of_a_task_of_its_own_thread(tmp_path: Path) -> None:
    import asyncio

    import httpx

    realm = Realm()
    reached: list[object] = []

    class Slow(httpx.BaseTransport, httpx.AsyncBaseTransport):
        def handle_request(self, request: httpx.Request) -> httpx.Response:
            reply = realm(request)
            return httpx.Response(reply.status, json=reply.json)

        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            if request.url.host == "auth.example" and not reached:
                reached.append(request)
                await asyncio.sleep(0)
                shop.items()
            return self.handle_request(request)

    shop = Shop(transport=Slow(), auth=credentials(FileTokenStore(tmp_path / "tokens.json")))
    asyncio.run(shop.items.aio())
    assert len(realm.asked) == 2


def _calls(url: str, path: str, ready: Any, results: Any) -> None:
    """A process of its own, which makes a call when all are ready."""
    auth = OAuth2RefreshToken(f"{url}/token", "r0", store=FileTokenStore(path))
    with Shop(base_url=url, auth=auth) as shop:
        ready.wait()
        results.put(shop.items()["token"])


def test_three_processes_renew_once(tmp_path: Path) -> None:
    """With a refresh token that is good for once."""
    counted: Iterator[int] = iter(range(1, 100))
    lock = threading.Lock()

    def answer(request: Any) -> bytes:
        with lock:
            if request.target != "/token":
                return http(json.dumps({"token": request.header("Authorization")}))
            number = next(counted)
            return http(json.dumps({"access_token": f"t{number}", "expires_in": 3600, "refresh_token": f"r{number}"}))

    spawn = multiprocessing.get_context("spawn")
    with RawServer(answer) as server:
        ready, results = spawn.Barrier(3), spawn.Queue()
        arguments = (server.url, str(tmp_path / "tokens.json"), ready, results)
        processes = [spawn.Process(target=_calls, args=arguments) for _ in range(3)]
        for process in processes:
            process.start()
        tokens = [results.get(timeout=60) for _ in processes]
        for process in processes:
            process.join()
        results.close()
        results.join_thread()
        assert tokens == ["Bearer t1"] * 3
        assert [line for line in server.lines if "/token" in line] == ["POST /token HTTP/1.1"]


def test_a_lock_of_ones_own_is_asked_until_it_is_there(api: MakeApi, colour: Colour, clock: Clock) -> None:
    answers = iter([False, False, True])

    class Queued(MemoryTokenStore):
        @contextmanager
        def lock(self, key: str) -> Generator[bool]:
            yield next(answers)

    realm = Realm()
    assert colour.run(Shop(transport=api(realm).transport, auth=credentials(Queued())).items)
    assert clock.waits == [0.05, 0.05]
