"""``register`` and ``sdist upload`` of distutils, as old release scripts call them, through ``.pypirc``.

Python has them until 3.11. For newer ones, both requests are replayed byte by byte as distutils writes them.
"""

from __future__ import annotations

import base64
import hashlib
import socket
import sys
from pathlib import Path

import pytest

from tests.clients.conftest import Index
from tests.clients.programs import Programs, Project

pytestmark = pytest.mark.clients

BOUNDARY = b"--------------GHSKFJDLGDS7543FJKLFHRE75642756743254"
COMMON = {
    "metadata_version": "1.0", "name": "", "version": "1.0", "summary": "A sample.", "home_page": "UNKNOWN",
    "author": "UNKNOWN", "author_email": "UNKNOWN", "license": "UNKNOWN", "description": "UNKNOWN",
    "keywords": "", "platform": "UNKNOWN", "classifiers": "", "download_url": "UNKNOWN",
}  # fmt: skip


def send(index: Index, content_type: bytes, body: bytes, authorization: bytes = b"") -> tuple[str, str]:
    """Post a body over a socket of its own; the head of the answer in small letters, and its body."""
    request = (
        b"POST /upload HTTP/1.1\r\nAccept-Encoding: identity\r\nContent-Type: " + content_type
        + b"\r\nContent-Length: " + str(len(body)).encode() + b"\r\nHost: 127.0.0.1:" + str(index.server.port).encode()
        + b"\r\nUser-Agent: Python-urllib/3.11\r\n" + authorization + b"Connection: close\r\n\r\n" + body
    )  # fmt: skip
    with socket.create_connection(("127.0.0.1", index.server.port), 10) as connection:
        connection.sendall(request)
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    head, _, said = answer.decode().partition("\r\n\r\n")
    return head.lower(), said


def authorization_of(index: Index) -> bytes:
    pair = f"{index.person.username}:{index.person.password}".encode()
    return b"Authorization: Basic " + base64.b64encode(pair) + b"\r\n"


def test_register_is_replayed(project: Project, guarded: Index) -> None:
    """``register``: bare LF line ends, no credential until a challenge with the realm "pypi"; then a plain 200."""
    fields = {":action": "submit", **COMMON, "name": project.name}
    end = b"\n--" + BOUNDARY
    parts = [f'\nContent-Disposition: form-data; name="{name}"\n\n{value}' for name, value in fields.items()]
    body = b"".join(end + part.encode() for part in parts) + end + b"--\n"
    content_type = b"multipart/form-data; boundary=" + BOUNDARY + b"; charset=utf-8"
    head, _ = send(guarded, content_type, body)
    assert head.startswith("http/1.1 401")
    assert 'www-authenticate: basic realm="pypi"' in head
    head, said = send(guarded, content_type, body, authorization_of(guarded))
    assert head.startswith("http/1.1 200"), said
    assert "registered" in said


@pytest.mark.parametrize("python", ["3.7", "3.11"])
def test_upload_is_replayed(python: str, project: Project, guarded: Index) -> None:
    """``sdist upload``: the body begins with CRLF, fields are UNKNOWN or empty; the digests are md5 alone, or with
    sha256 and, under the name of BLAKE2b-256, BLAKE2b-512.
    """
    path = project.files[1]
    content = path.read_bytes()
    fields = {
        ":action": "file_upload", "protocol_version": "1", **COMMON, "name": project.name, "filetype": "sdist",
        "pyversion": "", "md5_digest": hashlib.md5(content, usedforsecurity=False).hexdigest(), "comment": "",
    }  # fmt: skip
    if python == "3.11":
        fields["sha256_digest"] = hashlib.sha256(content).hexdigest()
        fields["blake2_256_digest"] = hashlib.blake2b(content).hexdigest()
    separator = b"\r\n--" + BOUNDARY
    body = b""
    for name, value in fields.items():
        body += separator + f'\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode()
    body += separator + f'\r\nContent-Disposition: form-data; name="content"; filename="{path.name}"\r\n\r\n'.encode()
    body += content + separator + b"--\r\n"
    content_type = b"multipart/form-data; boundary=" + BOUNDARY
    head, said = send(guarded, content_type, body, authorization_of(guarded))
    assert head.startswith("http/1.1 200 ok"), said
    assert guarded.page(project.name)[path.name]["hashes"]["sha256"] == hashlib.sha256(content).hexdigest()


if sys.version_info < (3, 12):  # the real programs, while Python has them

    def setup(programs: Programs, index: Index, folder: Path, *commands: str, password: str) -> str:
        """Run a setup.py of distutils with a ``.pypirc``; what it wrote, whether it succeeded or not."""
        (programs.home / ".pypirc").write_text(
            f"[distutils]\nindex-servers =\n    ours\n\n[ours]\nrepository: {index.server.url}/upload\n"
            f"username: {index.person.username}\npassword: {password}\n"
        )
        return programs(
            Path(sys.executable),
            "setup.py",
            *commands,
            "-r",
            "ours",
            "--show-response",
            cwd=folder,
            SETUPTOOLS_USE_DISTUTILS="stdlib",
        ).text

    @pytest.fixture
    def old_project(tmp_path: Path, project: Project) -> Project:
        """A project with nothing but a setup.py and a module."""
        folder = tmp_path / "old"
        folder.mkdir()
        (folder / f"{project.module}.py").write_text("answer = 42\n")
        (folder / "setup.py").write_text(
            "from distutils.core import setup\n"
            f'setup(name="{project.name}", version="1.0", py_modules=["{project.module}"], author="Jürgen Müller",\n'
            '      author_email="jm@index.example.com", url="https://index.example.com/",\n'
            '      classifiers=["Programming Language :: Python :: 3"], provides=["one"])\n',
            encoding="utf-8",
        )
        return Project(folder, project.name)

    def test_register_succeeds(programs: Programs, old_project: Project, guarded: Index) -> None:
        """``setup.py register`` answers the challenge and is told 200."""
        said = setup(programs, guarded, old_project.folder, "register", password=guarded.person.password)
        assert "Server response (200): OK" in said

    def test_sdist_upload_publishes(programs: Programs, old_project: Project, guarded: Index) -> None:
        """``setup.py sdist upload`` publishes a file, twice the same with success, and a wrong password is refused."""
        said = setup(programs, guarded, old_project.folder, "sdist", "upload", password="wrong")
        assert "Upload failed (401)" in said
        said = setup(programs, guarded, old_project.folder, "sdist", "upload", password=guarded.person.password)
        assert "Server response (200): OK" in said
        assert [name for name in guarded.page(old_project.name) if name.endswith("-1.0.tar.gz")]
