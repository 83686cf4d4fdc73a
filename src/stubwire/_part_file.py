"""A file that is being downloaded: a temporary one beside its target, which gets the target's name when it is whole.

This module's rule: it knows the disk, and nothing of HTTP. Nobody else writes to its temporary file. One that is not
whole is left as `<name>.part`, with what names it in `<name>.part.json`; who goes on with it takes both away first.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from hashlib import _Hash

_PENDING_BYTES = 256 * 1024
"""More would leave the processor's cache before it is written."""
_HASHED_BYTES = 1024 * 1024


class Known(NamedTuple):
    """What names the file on the server.

    Attributes:
        request: a hash of the request that it answers.
        validator: its ETag or date.
        total: its bytes, `None` where nobody knows.
    """

    request: str
    validator: str
    total: int | None


class PartFile:
    """One download's file.

    Args:
        target: where it will be.
        hashed: whether to hash it with SHA-256.

    Attributes:
        size: its bytes so far, those that are not written yet too.
        known: what the bytes that were there already are of; `None` if there were none.

    Raises:
        OSError: here and everywhere: the disk says no.
    """

    def __init__(self, target: Path, *, hashed: bool) -> None:
        self.size = 0
        self.known: Known | None = None
        self._target = target
        self._part = target.with_name(f"{target.name}.part")
        self._named = target.with_name(f"{target.name}.part.json")
        self._temporary = target.with_name(f".{target.name[:32]}.{secrets.token_hex(8)}.tmp")
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._is_in_order = True
        self._hash: _Hash | None = hashlib.sha256() if hashed else None
        self._file: BinaryIO | None = None
        self._mode: int | None = None

    def open(self, request: str | None) -> None:
        """Open it, with what an earlier download of the same request left.

        Args:
            request: a hash of it; `None` begins anew.
        """
        self._mode = _replaceable(self._target)
        if request is not None:
            self.known = self._claimed(request)
        try:
            self._file = self._temporary.open("xb" if self.known is None else "r+b")
        except OSError as error:
            error.filename = str(self._target)  # nobody knows the temporary one
            raise
        self._permit(0o600)  # else nobody could go on with it
        if self.known is not None:
            self._take_up(self._file)

    def _claimed(self, request: str) -> Known | None:
        """Take away what an earlier download left: of two who try, one gets it."""
        claim = self._temporary.with_suffix(".json")
        try:
            self._named.rename(claim)
            said = json.loads(claim.read_bytes())
            claim.unlink()
            self._part.rename(self._temporary)
            found = self._temporary.lstat()
            known = Known(str(said["request"]), str(said["validator"]), said["total"])
            if stat.S_ISREG(found.st_mode) and _mark(found) == said["mark"] and known.request == request:
                return known
        except FileNotFoundError:
            return None
        except (
            OSError,
            ValueError,
            KeyError,
            TypeError,
            RecursionError,
        ):  # such as a name that has no room for `.part`
            pass
        with suppress(OSError):
            claim.unlink(missing_ok=True)
            self._temporary.unlink(missing_ok=True)
        return None

    def _take_up(self, file: BinaryIO) -> None:
        while self._hash is not None and (chunk := file.read(_HASHED_BYTES)):
            self._hash.update(chunk)
        self.size = file.seek(0, os.SEEK_END)

    def add(self, chunk: bytes) -> bool:
        """Take bytes; return whether there are so many that they should be written."""
        self._pending.append(chunk)
        self._pending_size += len(chunk)
        self.size += len(chunk)
        return self._pending_size >= _PENDING_BYTES

    def batch(self) -> Callable[[], None]:
        """What writes the bytes that are pending: perhaps in another thread, while others are added."""
        pending, self._pending, self._pending_size = self._pending, [], 0
        return lambda: self._write(pending)

    def _write(self, pending: list[bytes]) -> None:
        file = self._opened
        self._is_in_order = False
        for chunk in pending:
            file.write(chunk)
            if self._hash is not None:
                self._hash.update(chunk)
        self._is_in_order = True

    def restart(self) -> None:
        """Forget all bytes."""
        self._pending, self._pending_size, self.size = [], 0, 0
        self._opened.seek(0)
        self._opened.truncate()
        if self._hash is not None:
            self._hash = hashlib.sha256()

    @property
    def digest(self) -> str:
        """The hash of what was written, in hexadecimal digits."""
        return "" if self._hash is None else self._hash.hexdigest()

    def finish(self) -> None:
        """Give the file its name, once it is safe on the disk."""
        file = self._opened
        file.flush()
        os.fsync(file.fileno())
        file.close()
        self._permit(0)
        self._temporary.replace(self._target)
        self._file = None

    def _permit(self, more: int) -> None:
        """Give the file the permissions of the one that it replaces, where the file system has any, and more."""
        if self._mode is not None:
            with suppress(OSError):
                self._temporary.chmod(self._mode | more)

    def leave(self, known: Known | None) -> None:
        """Leave what came for the next download, or nothing if that could not go on with it; never raises.

        Args:
            known: what the bytes are of.
        """
        if self._file is None:
            return
        file, self._file = self._file, None
        with suppress(OSError):
            if self._is_in_order:  # else a batch is missing
                file.writelines(self._pending)
        with suppress(OSError):  # a full disk says so again
            file.close()
        with suppress(OSError):
            if known is not None and self.size:
                self._keep(known)
        with suppress(OSError):
            self._temporary.unlink(missing_ok=True)

    def _keep(self, known: Known) -> None:
        mark = _mark(self._temporary.stat())
        self._temporary.replace(self._part)
        claim = self._temporary.with_suffix(".json")
        try:
            claim.write_text(json.dumps({**known._asdict(), "mark": mark}), encoding="utf-8")
            claim.replace(self._named)
        except OSError:  # then nobody could go on with it
            self._part.unlink()
            claim.unlink(missing_ok=True)

    @property
    def _opened(self) -> BinaryIO:
        if self._file is None:
            raise AssertionError("unreachable")
        return self._file


def _replaceable(target: Path) -> int | None:
    """The permissions of the file that will be replaced, which the new one gets as if it were written over.

    Raises:
        OSError: what is there is no file, or there is no folder.
    """
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        if target.parent.is_dir():
            return None
        raise
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if not stat.S_ISREG(mode):  # a device such as /dev/null, or a pipe
        raise OSError(errno.EINVAL, "Not a regular file", str(target))
    return stat.S_IMODE(mode) & 0o777


def _mark(found: os.stat_result) -> list[int]:
    """What tells one part file from another that stands under its name."""
    return [found.st_size, found.st_mtime_ns]
