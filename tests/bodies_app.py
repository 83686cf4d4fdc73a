"""A server that says what it found in a body: `python -m uvicorn bodies_app:app`."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request


async def form(request: Request) -> JSONResponse:
    """The fields and files of a form, in order."""
    found: list[dict[str, object]] = []
    async with request.form() as data:
        for name, value in data.multi_items():
            if isinstance(value, UploadFile):
                content = await value.read()
                found.append(
                    {
                        "name": name,
                        "filename": value.filename,
                        "type": value.content_type,
                        "size": len(content),
                        "sha256": hashlib.sha256(content).hexdigest(),
                    }
                )
            else:
                found.append({"name": name, "value": value})
    return JSONResponse({"headers": dict(request.headers), "parts": found})


async def raw(request: Request) -> JSONResponse:
    """How long a body was, and its sum."""
    size, digest = 0, hashlib.sha256()
    chunks: AsyncIterator[bytes] = request.stream()
    async for chunk in chunks:
        size += len(chunk)
        digest.update(chunk)
    return JSONResponse({"headers": dict(request.headers), "size": size, "sha256": digest.hexdigest()})


app = Starlette(routes=[Route("/form", form, methods=["POST"]), Route("/raw", raw, methods=["POST"])])
