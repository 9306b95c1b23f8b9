"""Where a file of an index lies in the store: ``<project>/<filename>`` of ``main``, below ``@<index>/`` of the others.

No project can be called ``@...``, so a folder says by itself which index its files are of.
"""

from __future__ import annotations

from typing import Final

MAIN: Final = "main"
_MARK: Final = "@"


def key_of(index: str, project: str, filename: str, sha256: str = "") -> str:
    """The key of a file; with a digest one that other bytes of that name do not have."""
    folder = project if index == MAIN else f"{_MARK}{index}/{project}"
    return f"{folder}/{sha256[:16]}/{filename}" if sha256 else f"{folder}/{filename}"


def folder_of(index: str) -> str:
    """The folder that all files of an index lie below; "" for ``main``, whose lie beside those of the others."""
    return "" if index == MAIN else f"{_MARK}{index}"


def index_of(key: str) -> str:
    """The index that a key's folder is of."""
    return key.partition("/")[0].removeprefix(_MARK) if key.startswith(_MARK) else MAIN
