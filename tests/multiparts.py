"""What a real parser of multipart bodies makes of one."""

from __future__ import annotations

from io import BytesIO
from typing import Any, NamedTuple

from python_multipart import parse_form


class Part(NamedTuple):
    name: str
    content: bytes
    filename: str | None = None
    content_type: str | None = None


def parsed(content: bytes, content_type: str) -> list[Part]:
    """The parts of a body in order."""
    found: list[Part] = []

    def on_field(field: Any) -> None:
        found.append(Part(field.field_name.decode(), field.value or b""))

    def on_file(file: Any) -> None:
        file.file_object.seek(0)
        kind = file.content_type
        found.append(
            Part(
                file.field_name.decode(),
                file.file_object.read(),
                file.file_name.decode(),
                kind.decode() if isinstance(kind, bytes) else kind,
            )
        )
        file.close()

    headers = {"Content-Type": content_type.encode(), "Content-Length": b"%d" % len(content)}
    parse_form(headers, BytesIO(content), on_field, on_file)
    return found
