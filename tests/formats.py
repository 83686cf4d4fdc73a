"""Formats that tests give to clients as codecs: MessagePack, and comma-separated values."""

from __future__ import annotations

import csv
import importlib
import io
from typing import Any, cast

import pydantic_core

msgpack: Any = importlib.import_module("msgpack")
"""It has no types."""

MSGPACK = "application/msgpack"


class MsgPack:
    """MessagePack, whose timestamps are datetimes."""

    content_types = frozenset({MSGPACK, "application/x-msgpack"})

    def encode(self, value: object, /) -> bytes:
        return cast("bytes", msgpack.packb(value, datetime=True, default=pydantic_core.to_jsonable_python))

    def decode(self, content: bytes, /) -> object:
        return cast("object", msgpack.unpackb(content, timestamp=3))


class Csv:
    """Rows of text, the first of them names."""

    content_types = ("text/csv",)

    def encode(self, value: object, /) -> bytes:
        rows = cast("list[dict[str, object]]", value)
        text = io.StringIO()
        writer = csv.DictWriter(text, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return text.getvalue().encode()

    def decode(self, content: bytes, /) -> object:
        return list(csv.DictReader(io.StringIO(content.decode())))
