"""Where tokens are kept: `TokenStore`, in memory or in a file.

This module's rule: a store keeps tokens by key, and says who of several processes may renew one. The key is a hash of
settings, and shows none of them.
"""

from __future__ import annotations

import importlib
import json
import os
import secrets
import stat
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from types import ModuleType
from typing import Protocol, cast

from stubwire._credentials import Credential
from stubwire._token import Token
from stubwire.errors import ConfigurationError

_system: ModuleType | None = None
with suppress(ImportError):  # Windows has none, and several processes there each renew for themselves
    _system = importlib.import_module("fcntl")

_FORMAT = "stubwire tokens"


class TokenStore(Protocol):
    """Keeps tokens. One of your own, in a database or a key ring, derives from this and writes `load` and `save`.

    Its methods are called when a token is renewed, from any thread, and should be quick.
    """

    def load(self, key: str) -> Token | None:
        """The token of this key, if there is one."""
        ...

    def save(self, key: str, token: Token) -> None:
        """Keep a token in the place of the one before."""
        ...

    def lock(self, key: str) -> AbstractContextManager[bool]:  # noqa: ARG002 - for stores that lock one by one
        """A block in which nobody else renews the token; not to be waited for.

        Returns:
            Whether that is so: `False` is "somebody else does", and it is tried again.
        """
        return nullcontext(True)


class MemoryTokenStore(Credential, TokenStore):
    """Keeps tokens in this process; share one between auths of the same settings."""

    def __init__(self) -> None:
        self._tokens: dict[str, Token] = {}

    def load(self, key: str) -> Token | None:
        """The token of this key, if there is one."""
        return self._tokens.get(key)

    def save(self, key: str, token: Token) -> None:
        """Keep a token."""
        self._tokens[key] = token

    def __repr__(self) -> str:
        """Show no token."""
        return f"MemoryTokenStore({len(self._tokens)} tokens)"


class FileTokenStore(Credential, TokenStore):
    """Keeps tokens in a file that its owner alone can read, for several processes and for the next one.

    The file is replaced as a whole, so that nobody sees half of it. `<name>.lock` beside it says which process renews.

    Args:
        path: the file; its folder must be there.

    Raises:
        ConfigurationError: here and in calls: there is no such folder, or the file cannot be read or written, or is
            none of these.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        if not isinstance(cast("object", path), (str, os.PathLike)) or not os.fspath(path):
            raise ConfigurationError(f"FileTokenStore path must be a path, not {type(path).__name__}")
        self._path = Path(path).expanduser().absolute()
        if not self._path.parent.is_dir():
            raise ConfigurationError(f"FileTokenStore path: there is no folder {str(self._path.parent)!r}")

    def load(self, key: str) -> Token | None:
        """The token of this key, if there is one."""
        found = self._read().get(key)
        return Token.load(cast("dict[str, object]", found)) if isinstance(found, dict) else None

    def save(self, key: str, token: Token) -> None:
        """Keep a token; who has the lock calls this, so that no other process writes meanwhile."""
        tokens = {**self._read(), key: token.dump()}
        text = json.dumps({"format": _FORMAT, "tokens": tokens}, indent=1)
        try:
            self._replace(text.encode())
        except OSError as error:
            problem = error.strerror or type(error).__name__
        else:
            return
        raise ConfigurationError(f"FileTokenStore {str(self._path)!r} cannot be written: {problem}")

    def _replace(self, content: bytes) -> None:
        target = self._path.resolve()
        temporary = target.with_name(f".{target.name[:32]}.{secrets.token_hex(8)}.tmp")
        try:
            with os.fdopen(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        finally:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)

    def _read(self) -> dict[str, object]:
        problem = "it is no file of tokens, and is not written over"
        data: object = None
        try:
            content = self._path.read_bytes()
            data = json.loads(content) if content.strip() else {"format": _FORMAT, "tokens": {}}
        except FileNotFoundError:
            return {}
        except OSError as error:
            problem = f"it cannot be read: {error.strerror or type(error).__name__}"
        except (ValueError, RecursionError):
            pass
        fields = cast("dict[str, object]", data) if isinstance(data, dict) else {}
        tokens = fields.get("tokens")
        if fields.get("format") == _FORMAT and isinstance(tokens, dict):
            return cast("dict[str, object]", tokens)
        raise ConfigurationError(f"FileTokenStore {str(self._path)!r}: {problem}")

    @contextmanager
    def lock(self, key: str) -> Generator[bool]:  # noqa: ARG002 - one lock for the whole file
        """A block in which no other process renews a token of this file, where the system can lock one."""
        if _system is None:
            yield True
            return
        file = self._lock_file()
        try:
            yield self._is_locked(_system, file)
        finally:
            with suppress(OSError):
                _system.flock(file, _system.LOCK_UN)  # a process that was forked meanwhile has the file open too
            os.close(file)

    def _is_locked(self, system: ModuleType, file: int) -> bool:
        try:
            system.flock(file, system.LOCK_EX | system.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError as error:  # of a file system that has no locks
            problem = error.strerror or type(error).__name__
        else:
            return True
        raise ConfigurationError(f"FileTokenStore {str(self._path)!r} cannot be locked: {problem}")

    def _lock_file(self) -> int:
        path = self._path.with_name(f"{self._path.name}.lock")
        try:
            file = os.open(path, os.O_CREAT | os.O_RDWR | getattr(os, "O_NOFOLLOW", 0), 0o600)
            if stat.S_ISREG(os.fstat(file).st_mode):
                return file
            os.close(file)
            problem = "it is no file"
        except OSError as error:
            problem = error.strerror or type(error).__name__
        raise ConfigurationError(f"FileTokenStore {str(path)!r} cannot be locked: {problem}")

    def __repr__(self) -> str:
        """Show where."""
        return f"FileTokenStore({str(self._path)!r})"
