"""What `auth=` takes, on every layer: checked by mypy, pyright, ty and pyrefly, never run."""

from typing import assert_type

import httpx
import httpx2
from pydantic import SecretStr
from typing_extensions import override

from stubwire import ApiClient, Auth, CallNext, ClientSettings, Request, Response, get
from stubwire.auth import (
    BearerAuth,
    FileTokenStore,
    OAuth2ClientCredentials,
    OAuth2RefreshToken,
    Token,
    TokenError,
    TokenStore,
)


async def ask_vault() -> SecretStr:
    raise NotImplementedError


async def sign(request: Request, call_next: CallNext, /) -> Response:
    return await call_next(request)


class Settings(ClientSettings):
    @property
    @override
    def auth(self) -> Auth:
        return OAuth2RefreshToken("https://auth.example/token", "r", store=FileTokenStore("tokens.json"))


class Named(ClientSettings):
    @property
    @override
    def auth(self) -> dict[str, Auth]:
        return {"user": BearerAuth(ask_vault)}


class Shop(ApiClient):
    base_url = "https://api.example"
    auth = {"user": BearerAuth("t"), "digest": httpx.DigestAuth("me", "pw"), "own": sign}
    auth_origins = ["https://files.example"]

    @get("/a", auth="user")
    def one(self) -> int:
        raise NotImplementedError

    @get("/b", auth=["user", "digest"])
    def several(self) -> int:
        raise NotImplementedError

    @get("/c", auth=None)
    def none(self) -> int:
        raise NotImplementedError

    @get("/d", auth=httpx2.BasicAuth("me", "pw"))
    def library(self) -> int:
        raise NotImplementedError


class Digest(ApiClient):
    auth = httpx.DigestAuth("me", "pw")


class Own(TokenStore):
    @override
    def load(self, key: str) -> Token | None:
        return None

    @override
    def save(self, key: str, token: Token) -> None:
        assert_type(token.refresh_token, SecretStr | None)


def use(error: TokenError) -> None:
    auth = OAuth2ClientCredentials("https://auth.example/token", "id", ask_vault, scope=["a"], store=Own())
    assert_type(Shop(auth=auth).one(), int)
    assert_type(Shop(auth=httpx.DigestAuth("me", "pw"), auth_origins=()).with_options(auth=auth).several(), int)
    assert_type(Shop(Named()).library.with_options(auth=httpx2.DigestAuth("me", "pw"))(), int)
    assert_type(error.code, str)
    assert_type(error.status_code, int | None)
