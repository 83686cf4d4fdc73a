"""Texts that a server, or whoever made a link, chose so that a secret shows, or that redacting never ends."""

from __future__ import annotations

import logging
import pickle
from typing import TYPE_CHECKING

import pytest

from servers import RawServer, http
from stubwire import ApiClient, Response, _redact, get

if TYPE_CHECKING:
    from conftest import Colour, EngineName

DECLARED: frozenset[str] = frozenset()


class Client(ApiClient):
    @get("/x")
    def find(self) -> dict[str, str]:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://h/x?a='&token=planted", "https://h/x?a='&token=[redacted]"),
        ("https://h/x?f=contains(n,'x')&sig=planted", "https://h/x?f=contains(n,'x')&sig=[redacted]"),
        ("https://h/x?a=`&token=planted", "https://h/x?a=`&token=[redacted]"),
        ("see 'https://h/x?token=planted', please", "see 'https://h/x?token=[redacted]', please"),
        ("see ('//user:planted@h/x').", "see ('//h/x')."),
        ("/callback#access_token=planted", "/callback"),
        ("(b'https://h/x?token=[redacted]')", "(b'https://h/x?token=[redacted]')"),
        ("item #5 of C# = 7", "item #5 of C# = 7"),
    ],
)
def test_a_url_hides_its_secrets_whatever_else_it_has(text: str, shown: str) -> None:
    assert _redact.urls(text) == shown
    assert _redact.header("Location", text, DECLARED) == shown


@pytest.mark.parametrize("name", ["apitoken", "userpassword", "JSESSIONID", "PHPSESSID", "dbpasswd", "mysecret"])
def test_a_secret_word_may_end_another(name: str) -> None:
    assert _redact.is_secret(name)


@pytest.mark.parametrize("name", ["nexttoken", "continuationtoken", "pagetoken", "synctoken", "tokens", "tokenizer"])
def test_what_leads_on_is_none(name: str) -> None:
    assert not _redact.is_secret(name)


def test_a_long_name_is_judged_and_not_kept() -> None:
    """A server may send any number of them."""
    kept = _redact._looks_secret.cache_info().currsize
    assert _redact.is_secret("x" * 1000 + "-token")
    assert not _redact.is_secret("x" * 1000 + "-keyword")
    assert _redact._looks_secret.cache_info().currsize == kept


@pytest.mark.parametrize("text", ['"' + '\\"' * 30_000, '""' + " " * 100_000 + '"', '"a"' + " " * 100_000 + "b"])
def test_a_text_that_is_almost_json_is_read_once(text: str) -> None:
    """Whoever tries each place as the beginning of a name goes through all the rest each time."""
    response: Response = Response(200, content=f'x{text} "token": "planted"'.encode())
    found = pickle.loads(pickle.dumps(response))
    assert found.content == f'x{text} "token": "[redacted]"'.encode()


HOSTILE = [
    "(b'a', b'" + "\\" * 61 + "'x",
    "auth=(" + "b''" * 60 + "x",
    'auth=("' + "\\'" * 60,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_a_server_cannot_make_a_log_filter_go_on_for_ever(
    engine: EngineName, colour: Colour, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    """Each character of these doubled the time."""
    caplog.set_level(logging.DEBUG)
    answer = http("{}", headers={"X-Echo": text}).replace(b"200 Status", f"200 {text}".encode())
    with RawServer(answer) as server, Client(base_url=server.url, engine=engine) as client:
        assert colour.run(client.find) == {}
    assert any(message.startswith("receive_response_headers.complete") for message in caplog.messages)


@pytest.mark.parametrize("text", HOSTILE)
def test_nor_by_what_is_logged_of_a_url(engine: EngineName, caplog: pytest.LogCaptureFixture, text: str) -> None:
    Client(base_url="https://api.test", engine=engine).close()
    caplog.set_level(logging.INFO)
    logging.getLogger(engine).info('HTTP Request: %s %s "%s"', "GET", "https://api.test/x?token=planted", text)
    assert caplog.messages == [f'HTTP Request: GET https://api.test/x?token=[redacted] "{text}"']
