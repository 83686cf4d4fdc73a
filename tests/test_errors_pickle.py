"""Errors pickle and copy, and carry no credential."""

from __future__ import annotations

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import BaseModel, SecretStr

import stubwire
from conftest import Api, Fail, Reply
from stubwire import ApiClient, CallError, ClientError, Response, Retry, get
from stubwire import errors as tree
from stubwire.auth import BearerAuth

MakeApi = Callable[..., Api]


class CardProblem(BaseModel):
    decline_code: str


class CardError(ClientError[CardProblem]):
    """A user's own, with a body."""


class Quota(CallError):
    """A user's own, with a constructor of its own."""

    def __init__(self, left: int, unit: str) -> None:
        super().__init__(f"{left} {unit} left")
        self.left = left


class Shop(ApiClient):
    base_url = "https://shop.example"
    retry: Retry | None = None

    @get("/items/<name>", errors={402: CardError})
    def item(self, name: str, *, token: str) -> int:
        raise NotImplementedError


RESPONSE: Response[Any] = Response(404, json={"message": "no"})


def bare(kind: type[Any]) -> Exception:
    """An error as somebody makes one by hand."""
    has_response = issubclass(kind, (tree.HTTPStatusError, tree.DecodeError, tree.PaginationError))
    more: dict[str, Any] = {"response": RESPONSE} if has_response else {}
    if kind is tree.ResponseValidationError:
        more["details"] = [{"type": "int_type", "loc": ("id",), "input": "s3cret"}]
    if kind is tree.CircuitOpenError:
        more = {"since": datetime(2026, 1, 1, tzinfo=UTC), "until": datetime(2026, 1, 2, tzinfo=UTC)}
    make: Any = kind
    made: Exception = make("it failed", **more)
    return made


KINDS = [kind for kind in vars(tree).values() if isinstance(kind, type) and issubclass(kind, tree.StubwireError)]


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_class_pickles_without_a_call(kind: type[Exception], protocol: int) -> None:
    error = bare(kind)
    error.add_note("a note")
    twin = pickle.loads(pickle.dumps(error, protocol))
    assert type(twin) is kind
    assert (str(twin), repr(twin), twin.args, twin.__notes__) == (str(error), repr(error), error.args, ["a note"])


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_class_copies(kind: type[Exception], duplicate: Callable[[Exception], Exception]) -> None:
    twin = duplicate(bare(kind))
    assert type(twin) is kind
    assert str(twin) == "it failed"


def raised(api: MakeApi, answer: Reply | Fail) -> CallError:
    """The error of a call that has secrets everywhere."""
    client = Shop(
        transport=api(answer).transport,
        auth=BearerAuth("s3cret"),
        headers={"X-Custom": SecretStr("s3cret"), "Cookie": "session=s3cret"},
    )
    with pytest.raises(CallError) as caught:
        client.item("shoe", token="s3cret")
    return caught.value


SECRETS = {"token": "s3cret", "message": "no", "decline_code": "stolen"}
HEADERS = {"Set-Cookie": "session=s3cret", "X-Request-Id": "8F3A", "X-Custom": "s3cret"}
ANSWERS: list[Reply | Fail] = [
    Reply(404, json=SECRETS, headers=HEADERS),
    Reply(402, json=SECRETS, headers=HEADERS),
    Reply(500, json=[SECRETS], headers=HEADERS),
    Reply(302, headers=HEADERS),
    Reply(200, json={"token": "s3cret"}, headers=HEADERS),
    Reply(200, content=b'{"token": "s3cret"', headers=HEADERS),
    Fail("ReadTimeout"),
    Fail("ConnectError"),
    Fail("LocalProtocolError"),
]


@pytest.mark.parametrize("answer", ANSWERS, ids=str)
def test_the_error_of_a_call_pickles_redacted(api: MakeApi, answer: Reply | Fail) -> None:
    error = raised(api, answer)
    pickled = pickle.dumps(error)
    twin = pickle.loads(pickled)

    assert b"s3cret" not in pickled
    assert type(twin) is type(error)
    assert str(twin) == str(error)
    assert (twin.endpoint, twin.attempts, twin.elapsed, twin.request_id) == (
        error.endpoint,
        error.attempts,
        error.elapsed,
        error.request_id,
    )
    assert twin.request.url == "https://shop.example/items/shoe?token=[redacted]"
    assert (twin.request.spec, twin.request.arguments, twin.request.content) == (None, {}, None)
    assert "s3cret" not in repr(twin) + str(vars(twin))


def test_a_pickle_keeps_the_response_and_the_body_redacted(api: MakeApi) -> None:
    error = pickle.loads(pickle.dumps(raised(api, ANSWERS[0])))
    assert error.body == {"token": "[redacted]", "message": "no", "decline_code": "stolen"}
    assert error.response.data == error.body
    assert error.response.headers["set-cookie"] == "[redacted]"
    assert error.response.headers["x-custom"] == "[redacted]"  # the call declared that name secret
    assert error.response.headers["x-request-id"] == "8F3A"
    assert error.response.request.url == "https://shop.example/items/shoe?token=[redacted]"


def test_a_pickle_keeps_a_body_of_a_model(api: MakeApi) -> None:
    error = pickle.loads(pickle.dumps(raised(api, ANSWERS[1])))
    assert isinstance(error, CardError)
    assert error.body == CardProblem(decline_code="stolen")


def test_a_pickle_keeps_no_inputs_of_validation(api: MakeApi) -> None:
    error = raised(api, ANSWERS[4])
    assert isinstance(error, stubwire.ResponseValidationError)
    twin = pickle.loads(pickle.dumps(error))
    assert error.errors(show_input=True)[0].get("input") == {"token": "s3cret"}
    assert twin.errors(show_input=True) == error.errors()


def test_a_shallow_copy_is_live_and_a_deep_copy_is_redacted(api: MakeApi) -> None:
    error: Any = raised(api, ANSWERS[0])
    live = copy.copy(error)
    assert live is not error
    assert live.response is error.response
    assert (live.body, live.status_code) == (SECRETS, 404)
    assert copy.deepcopy(error).body["token"] == "[redacted]"


def test_a_pickle_survives_its_process(api: MakeApi) -> None:
    """Another process knows the class and nothing of the client."""
    error = raised(api, ANSWERS[0])
    program = (
        "import pickle, sys; error = pickle.load(sys.stdin.buffer); print(error); "
        "print(type(error).__name__, error.response.status_code, len(error.attempts))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], input=pickle.dumps(error), capture_output=True, check=True, timeout=60
    )
    assert done.stdout.decode().splitlines() == [
        "Shop.item: GET https://shop.example/items/shoe?token=[redacted] answered 404 (request id 8F3A)",
        "NotFoundError 404 1",
    ]


def test_a_users_own_constructor_is_not_called_again() -> None:
    error = Quota(3, "calls")
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert isinstance(twin, Quota)
        assert (twin.left, str(twin)) == (3, "3 calls left")


def test_repr_and_notes_show_no_secret(api: MakeApi) -> None:
    for answer in ANSWERS[:5]:
        error = raised(api, answer)
        assert "s3cret" not in repr(error) + repr(getattr(error, "__notes__", "")) + repr(error.request)
        assert "s3cret" not in repr(getattr(error, "response", None))
