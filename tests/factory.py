"""Builds small wheels and sdists without build tools: the same arguments always give the same bytes."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import tarfile
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

EPOCH = (2020, 2, 2, 0, 0, 0)
SECONDS = 1580601600


def core_metadata(
    name: str = "sample",
    version: str = "1.0",
    *,
    metadata_version: str = "2.1",
    requires_python: str | None = None,
    requires_dist: Iterable[str] = (),
    summary: str = "A sample.",
    description: str = "",
    extra_headers: Iterable[str] = (),
) -> str:
    """Core metadata as text; ``extra_headers`` are whole lines such as ``"License-Expression: MIT"``."""
    lines = [f"Metadata-Version: {metadata_version}", f"Name: {name}", f"Version: {version}"]
    if summary:
        lines.append(f"Summary: {summary}")
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {requirement}" for requirement in requires_dist]
    lines += extra_headers
    return "\n".join(lines) + "\n" + (f"\n{description}\n" if description else "")


def record_of(members: Mapping[str, bytes], record_name: str) -> bytes:
    """The RECORD of these members, with sha256 hashes and sizes."""
    lines = []
    for name, content in members.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        lines.append(f"{name},sha256={digest},{len(content)}\n")
    return "".join([*lines, f"{record_name},,\n"]).encode()


def zip_bytes(members: Mapping[str, bytes], *, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip with these members in this order and a fixed date."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        for name, content in members.items():
            info = zipfile.ZipInfo(name, EPOCH)
            info.compress_type = compression
            info.external_attr = 0o100644 << 16
            archive.writestr(info, content)
    return buffer.getvalue()


def wheel_members(
    name: str = "sample",
    version: str = "1.0",
    *,
    files: Mapping[str, bytes] | None = None,
    metadata: str | None = None,
    requires_python: str | None = None,
    requires_dist: Iterable[str] = (),
    summary: str = "A sample.",
    description: str = "",
    tag: str = "py3-none-any",
    dist_info: str | None = None,
) -> dict[str, bytes]:
    """The members of a wheel, RECORD last; to be bent before they are packed by ``zip_bytes``."""
    underscored = name.replace("-", "_")
    folder = dist_info or f"{underscored}-{version}.dist-info"
    members = dict(files if files is not None else {f"{underscored}/__init__.py": b"answer = 42\n"})
    text = metadata
    if text is None:
        text = core_metadata(
            name,
            version,
            requires_python=requires_python,
            requires_dist=requires_dist,
            summary=summary,
            description=description,
        )
    members[f"{folder}/METADATA"] = text.encode()
    pure = "true" if tag.endswith("-any") else "false"
    members[f"{folder}/WHEEL"] = f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: {pure}\nTag: {tag}\n".encode()
    members[f"{folder}/RECORD"] = record_of(members, f"{folder}/RECORD")
    return members


def wheel_bytes(
    name: str = "sample",
    version: str = "1.0",
    *,
    files: Mapping[str, bytes] | None = None,
    metadata: str | None = None,
    requires_python: str | None = None,
    requires_dist: Iterable[str] = (),
    summary: str = "A sample.",
    description: str = "",
    tag: str = "py3-none-any",
) -> bytes:
    """A sound wheel. ``metadata`` replaces the whole METADATA; ``files`` the package's own files."""
    return zip_bytes(
        wheel_members(
            name,
            version,
            files=files,
            metadata=metadata,
            requires_python=requires_python,
            requires_dist=requires_dist,
            summary=summary,
            description=description,
            tag=tag,
        )
    )


def build_wheel(
    directory: Path,
    name: str = "sample",
    version: str = "1.0",
    *,
    files: Mapping[str, bytes] | None = None,
    metadata: str | None = None,
    requires_python: str | None = None,
    requires_dist: Iterable[str] = (),
    summary: str = "A sample.",
    description: str = "",
    tag: str = "py3-none-any",
    build: str = "",
) -> Path:
    """Write a sound wheel under its right filename and return its path. ``build`` is a build tag such as ``"1"``."""
    middle = f"-{build}" if build else ""
    path = directory / f"{name.replace('-', '_')}-{version}{middle}-{tag}.whl"
    directory.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        wheel_bytes(
            name,
            version,
            files=files,
            metadata=metadata,
            requires_python=requires_python,
            requires_dist=requires_dist,
            summary=summary,
            description=description,
            tag=tag,
        )
    )
    return path


def tar_bytes(members: Mapping[str, bytes | tarfile.TarInfo], *, compression: str = "gz") -> bytes:
    """A compressed tar; a ``TarInfo`` instead of bytes is a member without contents, such as a link."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in members.items():
            if isinstance(content, tarfile.TarInfo):
                archive.addfile(content)
                continue
            info = tarfile.TarInfo(name)
            info.size, info.mtime, info.mode = len(content), SECONDS, 0o644
            archive.addfile(info, io.BytesIO(content))
    return compressed(buffer.getvalue(), compression)


def compressed(data: bytes, compression: str = "gz") -> bytes:
    """These bytes under gz, bz2 or xz, without the time of day in them."""
    import bz2
    import lzma

    match compression:
        case "gz":
            return gzip.compress(data, mtime=0)
        case "bz2":
            return bz2.compress(data)
        case "xz":
            return lzma.compress(data)
        case _:
            raise ValueError(compression)


def sdist_members(
    name: str = "sample",
    version: str = "1.0",
    *,
    files: Mapping[str, bytes] | None = None,
    metadata: str | None = None,
    top: str | None = None,
) -> dict[str, bytes]:
    """The members of an sdist; ``files`` are named below the top directory."""
    folder = top if top is not None else f"{name.replace('-', '_')}-{version}"
    text = metadata if metadata is not None else core_metadata(name, version, metadata_version="2.2")
    own = (
        files
        if files is not None
        else {"pyproject.toml": b"[build-system]\nrequires = []\n", "sample.py": b"answer = 42\n"}
    )
    return {f"{folder}/PKG-INFO": text.encode(), **{f"{folder}/{path}": content for path, content in own.items()}}


def sdist_bytes(
    name: str = "sample",
    version: str = "1.0",
    *,
    extension: str = ".tar.gz",
    files: Mapping[str, bytes] | None = None,
    metadata: str | None = None,
    top: str | None = None,
) -> bytes:
    """A sound sdist; ``extension`` chooses its form: .tar.gz, .tgz, .tar.bz2, .tar.xz or .zip."""
    members = sdist_members(name, version, files=files, metadata=metadata, top=top)
    if extension == ".zip":
        return zip_bytes(members)
    forms = {".tar.gz": "gz", ".tgz": "gz", ".tar.bz2": "bz2", ".tar.xz": "xz"}
    return tar_bytes(members, compression=forms[extension])


def build_sdist(
    directory: Path,
    name: str = "sample",
    version: str = "1.0",
    *,
    extension: str = ".tar.gz",
    files: Mapping[str, bytes] | None = None,
    metadata: str | None = None,
    top: str | None = None,
) -> Path:
    """Write a sound sdist under its right filename and return its path."""
    path = directory / f"{name.replace('-', '_')}-{version}{extension}"
    directory.mkdir(parents=True, exist_ok=True)
    path.write_bytes(sdist_bytes(name, version, extension=extension, files=files, metadata=metadata, top=top))
    return path
