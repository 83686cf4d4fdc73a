"""The service: `uvicorn --factory --app-dir src app:create_app`.

Endpoints turn what a service returns into HTTP. What no service expected (a provider that refuses connections, sends
nonsense or fails) is answered in one place, `answer_call_error`.
"""

import logging
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated, TypedDict

import stubwire
from fastapi import APIRouter, Depends, FastAPI, HTTPException, Request
from fastapi.responses import JSONResponse

from clients.github import GitHub, Repository
from clients.stripe import Stripe
from core.config import ServiceSettings
from core.logger import configure_logging
from core.middleware import CorrelationIdMiddleware
from services.billing import Balance, Billing
from services.user_sync import Rejected, Synced, TimedOut, UserSync

log = logging.getLogger("app")
router = APIRouter()


class State(TypedDict):
    """What lives as long as the service does."""

    user_sync: UserSync
    billing: Billing


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[State]:
    """Make each client once, and close it once. A missing setting ends the start, not the first request."""
    async with GitHub() as github, Stripe() as stripe:
        yield {"user_sync": UserSync(github), "billing": Billing(stripe)}


def get_user_sync(request: Request) -> UserSync:
    service: UserSync = request.state.user_sync
    return service


def get_billing(request: Request) -> Billing:
    service: Billing = request.state.billing
    return service


@router.post("/users/{username}/sync")
async def sync_user(username: str, users: Annotated[UserSync, Depends(get_user_sync)]) -> Synced:
    match await users.sync_repositories(username):
        case Synced() as synced:
            return synced
        case TimedOut():
            raise HTTPException(504, "GitHub did not answer in time")
        case Rejected() as rejected if rejected.status_code == 404:
            raise HTTPException(404, f"GitHub knows no user {username}")
        case Rejected() as rejected:
            raise HTTPException(502, f"GitHub answered {rejected.status_code}")


@router.get("/users/{username}/popular")
async def popular(username: str, users: Annotated[UserSync, Depends(get_user_sync)]) -> list[Repository]:
    return await users.popular(username)


@router.get("/customers/{customer_id}/balance")
def balance(customer_id: str, billing: Annotated[Billing, Depends(get_billing)]) -> Balance:
    if (found := billing.balance(customer_id)) is None:
        raise HTTPException(404, f"Stripe knows no customer {customer_id}")
    return found


def answer_call_error(_: Request, error: Exception) -> JSONResponse:
    """A provider failed: 504 if it was too slow, 502 otherwise. The message of a `CallError` carries no secret."""
    log.error("%s", error)
    late = isinstance(error, stubwire.TimeoutError)
    return JSONResponse({"detail": "A provider is too slow" if late else "A provider failed"}, 504 if late else 502)


def answer_argument_error(_: Request, error: Exception) -> JSONResponse:
    """An argument that stubwire refused to send, such as the user `..`, came from our caller."""
    return JSONResponse({"detail": str(error)}, 422)


def create_app() -> FastAPI:
    """Make the application; settings are read here and in `lifespan`, never when a module is imported."""
    configure_logging(ServiceSettings().log_level)
    app = FastAPI(title="Production guide", lifespan=lifespan)
    app.add_middleware(CorrelationIdMiddleware)
    app.add_exception_handler(stubwire.CallError, answer_call_error)
    app.add_exception_handler(stubwire.ArgumentError, answer_argument_error)
    app.include_router(router)
    return app
