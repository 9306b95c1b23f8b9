"""Upload forms as clients send them, byte by byte."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from werkzeug.test import TestResponse

BOUNDARY = "b" * 32


@dataclass(frozen=True)
class FilePart:
    """A part with a filename; ``content_type`` None for clients that send none (uv, flit)."""

    filename: str
    content: bytes
    content_type: str | None = "application/octet-stream"


Part = tuple[str, str | bytes | FilePart]


def encode(parts: list[Part], *, closed: bool = True, boundary: str = BOUNDARY) -> bytes:
    """The body of a form."""
    pieces = []
    for name, value in parts:
        head = f'Content-Disposition: form-data; name="{name}"'
        if isinstance(value, FilePart):
            head += f'; filename="{value.filename}"'
            if value.content_type:
                head += f"\r\nContent-Type: {value.content_type}"
            content = value.content
        else:
            content = value if isinstance(value, bytes) else value.encode()
        pieces.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + content + b"\r\n")
    return b"".join(pieces) + (f"--{boundary}--\r\n".encode() if closed else b"")


def upload_parts(path: Path, **fields: str | None) -> list[Part]:
    """The smallest form that every index takes, as uv sends it; ``fields`` changes, adds or with None drops fields."""
    content = path.read_bytes()
    name, version = path.name.split("-")[:2]
    said: dict[str, str | None] = {
        ":action": "file_upload",
        "protocol_version": "1",
        "metadata_version": "2.1",
        "name": name,
        "version": version.removesuffix(".tar.gz").removesuffix(".zip"),
        "filetype": "bdist_wheel" if path.suffix == ".whl" else "sdist",
        "pyversion": "py3" if path.suffix == ".whl" else "source",
        "sha256_digest": hashlib.sha256(content).hexdigest(),
        **fields,
    }
    parts: list[Part] = [(field, value) for field, value in said.items() if value is not None]
    return [*parts, ("content", FilePart(path.name, content))]


def post(client: Any, parts: list[Part], path: str = "/upload", **options: Any) -> TestResponse:
    """Send a form."""
    closed = options.pop("closed", True)
    options.setdefault("content_type", f"multipart/form-data; boundary={BOUNDARY}")
    answer: TestResponse = client.post(path, data=encode(parts, closed=closed), **options)
    return answer


def upload(client: Any, path: Path, **options: Any) -> TestResponse:
    """Upload a file as a client does; keyword arguments in capital letters aside, they are fields of the form."""
    headers = options.pop("headers", None)
    to = options.pop("to", "/upload")
    return post(client, upload_parts(path, **options), to, headers=headers)
