"""A file of the test's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from credentials.htpasswd import HtpasswdFile
from credentials.passwords import Passwords


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a file is to be; in a folder of its own, so that what is left in it is seen."""
    folder = tmp_path / "etc"
    folder.mkdir()
    return folder / "htpasswd"


@pytest.fixture
def of(path: Path) -> Callable[..., HtpasswdFile]:
    """Writes the file and opens it."""

    def make(content: bytes | str = b"") -> HtpasswdFile:
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return HtpasswdFile(path, Passwords())

    return make
