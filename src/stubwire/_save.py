"""Streams to files, for `Stream.save` and `AsyncStream.save`.

This module's rule: one copy for both colours, which awaits the core, the chunks and the disk. The file has its name
only when it is whole; a connection that is cut is gone on with as often as the plan's `Retry` allows.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, Unpack

from stubwire import _ranges
from stubwire._disk import Disk, Elsewhere, Here
from stubwire._part_file import Known, PartFile
from stubwire._progress import reporter
from stubwire._runtime import SYNC, current, run_sync
from stubwire._streamed import body_of
from stubwire.errors import ArgumentError, CallError, ClientError, DecodeError, ReadError, TransportError
from stubwire.retry import IDEMPOTENT, Outcome

if TYPE_CHECKING:
    from stubwire._progress import Progress, Reporter
    from stubwire._response import Response
    from stubwire._runtime import Runtime
    from stubwire._streaming import Streamed

_SHA256 = re.compile(r"[0-9a-fA-F]{64}")


class SaveOptions(TypedDict):
    """What `Stream.save` takes beside its path."""

    progress: Progress | None
    resume: bool
    sha256: str | None


def save(stream: Streamed[bytes], path: str | os.PathLike[str], **options: Unpack[SaveOptions]) -> Path:
    """Save a stream; see `Stream.save`."""
    return run_sync(asave(stream, path, **options), stream._plan.name)


async def asave(stream: Streamed[bytes], path: str | os.PathLike[str], **options: Unpack[SaveOptions]) -> Path:
    """Save a stream in the colour of the call; see `Stream.save`."""
    target, sha256 = Path(path), options["sha256"]
    name = stream._plan.name
    if stream._shape.kind != "bytes":
        raise TypeError(f"{name}: save is for a Stream[bytes]")
    if sha256 is not None and _SHA256.fullmatch(sha256) is None:
        raise ArgumentError(f"{name}: sha256 must be 64 hexadecimal digits")
    told = reporter(options["progress"], None, target.name)
    try:
        await _Saving(stream, target, told, sha256, resume=options["resume"]).run()
    finally:
        told.close()
    return target


class _Saving:
    """One file that is being saved."""

    def __init__(
        self, stream: Streamed[bytes], target: Path, told: Reporter, sha256: str | None, *, resume: bool
    ) -> None:
        request = stream._request
        self._stream = stream
        self._told = told
        self._sha256 = sha256
        self._resume = resume
        self._has_ranges = request.method == "GET" and "range" not in request.headers
        self._key = hashlib.sha256(
            f"{request.method} {request.url} {request.headers.get('accept')}".encode()
        ).hexdigest()
        self._runtime: Runtime = SYNC
        self._disk: Disk = Here()
        self._file = PartFile(target, hashed=sha256 is not None)
        self._known: Known | None = None
        self._total: int | None = None
        self._cuts = 0

    async def run(self) -> None:
        """Save it."""
        stream = self._stream
        stream._become("being read", "new", "open")
        self._runtime = current()
        self._disk = Here() if self._runtime is SYNC else Elsewhere()
        try:
            await self._disk.do(self._open)
            await self._fetch()
            self._check()
            await self._disk.do(self._file.finish)
        except CallError as error:
            stream._call.dress(error)
            raise
        except OSError as error:
            error.add_note(f"raised while saving the response of {stream._plan.name}")
            raise
        finally:
            stream._state = "closed"
            try:
                await self._release()
            finally:
                self._disk.close()
                self._file.leave(self._known if self._resume else None)

    def _open(self) -> None:
        """Open the file; a response that is open already begins at its first byte."""
        anew = not self._resume or not self._has_ranges or self._stream._body is not None
        self._file.open(None if anew else self._key)
        self._known = self._file.known
        self._total = self._known.total if self._known else None

    async def _fetch(self) -> None:
        """Bring all bytes."""
        whole = False
        while not whole and await self._connect():
            failure: TransportError | None = None
            try:
                whole = await self._receive()
            except TransportError as error:
                failure = error
            await self._release()
            if failure is not None:
                await self._stream._pause(self._runtime, self._wait_after(failure))

    async def _connect(self) -> bool:
        """Open a response whose bytes follow those that are there; `False` if there are no more."""
        stream = self._stream
        if stream._body is None and self._known is not None and self._file.size:
            follows = await self._go_on(self._known)
            if follows is not None:
                return follows
        if stream._body is None:
            await self._ask({})
        response = stream.response
        if response.status_code == 206 and self._has_ranges:
            raise DecodeError("answered 206 to a request for the whole", response=response)
        if self._file.size:
            await self._disk.do(self._file.restart)
        self._total = _ranges.length(response)
        validator = _ranges.validator(response.headers) if self._has_ranges else None
        self._known = None if validator is None else Known(self._key, validator, self._total)
        self._told.start(0, self._total)
        return True

    async def _go_on(self, known: Known) -> bool | None:
        """Ask for the rest: whether it follows, `False` if there is none, `None` to begin anew."""
        size = self._file.size
        try:
            response = await self._ask({"Range": f"bytes={size}-", "If-Range": known.validator})
        except ClientError as error:
            if error.status_code != 416:
                raise
            self._stream._response = response = error.response
        part = _ranges.content_range(response.headers)
        if response.status_code == 416:
            return False if part == _ranges.Range(None, None, size) else None
        if response.status_code != 206:
            return None
        if part is None or not _ranges.goes_on(response, size, known.validator, self._total):
            await self._release()
            return None
        self._total = part.total or self._total
        self._told.start(size, self._total)
        return True

    async def _ask(self, headers: Mapping[str, str]) -> Response[Any]:
        """Send the request; ranges and lengths count bytes as they are sent, so that nothing is to be compressed."""
        stream = self._stream
        request = stream._next_request()
        if self._has_ranges or "range" in request.headers:
            request.headers.setdefault("Accept-Encoding", "identity")
        request.headers.update(headers)
        response = await stream._core.open(stream._plan, request, self._runtime)
        stream._opened(response)
        return response

    async def _receive(self) -> bool:
        """Take the bytes of the open response; return whether the file is whole.

        Raises:
            TransportError: the response is not.
        """
        file, response, before = self._file, self._stream.response, self._file.size
        try:
            async for chunk in self._stream._achunks(body_of(response), self._runtime):
                if file.add(chunk):
                    await self._disk.begin(file.batch())
                self._told.add(len(chunk))
        except TransportError:
            await self._disk.do(file.batch())  # the rest goes on after it
            raise
        await self._disk.do(file.batch())
        if self._total is None or file.size == self._total:
            return True
        if file.size > self._total:
            self._known = None
            raise DecodeError(f"answered {response.status_code} with more bytes than it announced", response=response)
        part = _ranges.content_range(response.headers) if response.status_code == 206 else None
        if part is not None and part.stop == file.size > before:
            return False  # a server may send less than was asked for (RFC 9110, section 15.3.7)
        raise ReadError("lost the connection before the response was whole")

    def _wait_after(self, failure: TransportError) -> float:
        """Seconds before the rest is asked for.

        Raises:
            TransportError: the failure, if it is not to be.
        """
        self._cuts += 1
        retry, request = self._stream._plan.retry, self._stream._sent
        if retry is None:
            raise failure
        idempotent = request.method in IDEMPOTENT
        call = self._stream._call
        outcome = Outcome(request, self._cuts, call.elapsed(), None, failure, idempotent)
        decision = self._stream._core._budgets.settle(call, request, failure, retry.decide(outcome))
        if decision.wait is None:
            if decision.reason:
                failure.add_note(decision.reason)
            raise failure
        return decision.wait

    def _check(self) -> None:
        """Compare the hash.

        Raises:
            DecodeError: it is another.
        """
        if self._sha256 is not None and self._file.digest != self._sha256.lower():
            self._known = None
            response = self._stream.response
            what = f"a file whose SHA-256 is {self._file.digest}, not {self._sha256.lower()}"
            raise DecodeError(f"answered {response.status_code} with {what}", response=response)

    async def _release(self) -> None:
        body = self._stream._taken()
        if body is not None:
            await self._runtime.release(body)
