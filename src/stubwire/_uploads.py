"""What a user sends as a file: `Upload`, and all that can stand in its place.

This module's rule: a value is looked at once, when the call is bound; what comes of it is a source of bytes, a file
name and a content type.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Iterable, Mapping
from dataclasses import dataclass, field
from mimetypes import guess_type
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, BinaryIO, ClassVar, NamedTuple, TypeAlias, cast

from stubwire._files import Disk, Opened
from stubwire._headers import check_value
from stubwire._payload import Watched
from stubwire._sources import BYTES, AsyncChunks, Chunks, Memory
from stubwire.errors import ArgumentError

if TYPE_CHECKING:
    from stubwire._files import Readable
    from stubwire._payload import Source
    from stubwire._progress import Progress

OCTETS = "application/octet-stream"
"""The type of bytes of which nothing is known (RFC 2046, section 4.5.1)."""

Content: TypeAlias = bytes | bytearray | memoryview | Path | BinaryIO | Iterable[bytes] | AsyncIterable[bytes]
"""What an `Upload` sends."""


@dataclass(frozen=True, slots=True, repr=False)
class Upload:
    """A file to send, with what should be known of it.

    Attributes:
        content: bytes; a `pathlib.Path`, read from disk in constant memory; a binary file object, from where it
            stands; or an iterable of bytes, an asynchronous one in asynchronous calls only.
        filename: what the server is told; `None` takes that of the path or the file object, else `"upload"`.
        content_type: what the server is told; `None` takes what the marker says, else guesses from the file name.
        progress: `True` shows a bar (extra `progress`), a callable is given the bytes sent and those in all, `None` in
            place of the latter while nobody knows. It begins again from 0 when the file is sent again.
    """

    content: Content
    filename: str | None = None
    content_type: str | None = None
    progress: Progress | None = field(default=None, kw_only=True)
    __stubwire_upload__: ClassVar[bool] = True

    def __repr__(self) -> str:
        """Show names, and nothing of the content."""
        named = "" if self.filename is None else f" {self.filename!r}"
        return f"<Upload{named} of {type(self.content).__name__}>"


class Sent(NamedTuple):
    """A file as it is sent.

    Attributes:
        source: its bytes.
        filename: its name, empty where nothing has one.
        content_type: as the user gave it; `None` where they gave none.
    """

    source: Source
    filename: str
    content_type: str | None

    def type_or_guess(self) -> str:
        """Its type, by its name where the user gave none."""
        return self.content_type or guessed(self.filename)


def sent(value: object, where: str) -> Sent:
    """A file as it is sent.

    Args:
        value: what the user passed.
        where: endpoint and parameter, for messages.

    Raises:
        ArgumentError: it is no file, cannot be read, or its name or type cannot be sent.
    """
    if not isinstance(value, Upload):
        return _plain(value, where)
    source, filename, _ = _plain(value.content, where)
    if value.filename is not None:
        filename = value.filename
        if not isinstance(filename, str):  # pyright: ignore[reportUnnecessaryIsInstance] - it comes from a user
            raise ArgumentError(f"{where}: the file name must be a str, not {type(filename).__name__}")
    if value.progress is not None and value.progress is not False:
        source = Watched(source, value.progress, filename or "upload")
    return Sent(source, filename, checked_type(value.content_type, where))


def _plain(value: object, where: str) -> Sent:
    got = type(value).__name__
    if isinstance(value, BYTES):
        return Sent(Memory(bytes(cast("bytes", value))), "", None)
    if isinstance(value, PurePath):
        return Sent(Disk(Path(value), where), value.name, None)
    if callable(getattr(value, "read", None)):
        name = _name(value)
        return Sent(Opened(cast("Readable", value), name or "upload", where), name, None)
    if isinstance(value, AsyncIterable):
        return Sent(AsyncChunks(cast("AsyncIterable[bytes]", value), where), "", None)
    if isinstance(value, Iterable) and not isinstance(value, (str, Mapping)):
        return Sent(Chunks(cast("Iterable[bytes]", value), where), "", None)
    advice = ": write pathlib.Path(...) for the path of a file, or encode the text" if isinstance(value, str) else ""
    raise ArgumentError(f"{where}: expected bytes, a pathlib.Path, a binary file or an Upload, got {got}{advice}")


def _name(file: object) -> str:
    """The name of a file object; of a file without one, such as standard input, it is a number or stands in `<>`."""
    name: object = getattr(file, "name", "")
    return PurePath(name).name if isinstance(name, str) and not name.startswith("<") else ""


def guessed(filename: str) -> str:
    """The type of a file by its name; what is compressed is not the type that it has inside.

    Only the end of the name is looked at: `guess_type` takes the rest for a URL, and `data:` has its type inside.
    """
    kind, coding = guess_type(f"file{PurePath(filename).suffix}")
    if coding is not None:
        return "application/gzip" if coding == "gzip" else OCTETS
    return kind or OCTETS


def checked_type(content_type: str | None, where: str) -> str | None:
    """A content type, if it can stand in a header.

    Raises:
        ArgumentError: it has a line break, NUL, or a character outside ASCII.
    """
    if content_type is None:
        return None
    try:
        return check_value("Content-Type", content_type)
    except ArgumentError as error:
        message = str(error)
    raise ArgumentError(f"{where}: {message}")
