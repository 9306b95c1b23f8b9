"""Is an archive a sound sdist? One top directory with the filename's name and version, and PKG-INFO in it (PEP 625)."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from packaging.utils import canonicalize_name

from distributions.core_metadata import LARGEST, CoreMetadata
from distributions.filenames import DistributionFilename, check_version, split_stem
from distributions.tar_structure import open_tar
from distributions.zip_archive import open_zip
from errors import Invalid, InvalidArchive, InvalidMetadata, shown


def read_sdist(path: Path, filename: DistributionFilename) -> tuple[bytes, frozenset[str], list[str]]:
    """The exact bytes of PKG-INFO, the names of all files, and warnings; every byte was unpacked and checked.

    Raises InvalidArchive or InvalidMetadata (S50 to S53).
    """
    read = _read_zip if filename.extension == ".zip" else _read_tar
    top, files, raw, warnings = read(path, filename)
    _check_top(top, filename)
    if raw is None:
        raise InvalidArchive(
            f"The sdist has no file {shown(f'{top}/PKG-INFO', 200)}; build it with a tool that writes core metadata."
        )
    if f"{top}/pyproject.toml" not in files:
        warnings.append("The sdist has no pyproject.toml; installers build it the old way.")
    return raw, frozenset(files), warnings


def missing_licences(top: str, files: Iterable[str], metadata: CoreMetadata) -> list[str]:
    """Warnings for licence files that the metadata name and the sdist lacks (PEP 639)."""
    return [
        f"The licence file {shown(path)} is not in the sdist."
        for path in metadata.license_files
        if f"{top}/{path}" not in files
    ]


_Found = tuple[str, set[str], bytes | None, list[str]]


def _read_tar(path: Path, filename: DistributionFilename) -> _Found:
    raw: bytes | None = None
    with open_tar(path, filename.filename, filename.extension) as walk:
        for member in walk:
            if member.is_file and member.name == f"{walk.top}/PKG-INFO":
                _check_size(member.size)
                raw = b"".join(member.chunks())
        return walk.top, walk.files, raw, walk.warnings


def _read_zip(path: Path, filename: DistributionFilename) -> _Found:
    with open_zip(path, filename.filename) as archive:
        tops = sorted({name.partition("/")[0] for name in (*archive.files, *archive.folders)})
        if len(tops) != 1:
            told = ", ".join(shown(top) for top in tops[:5])
            raise InvalidArchive(f"An sdist has exactly one top directory; this zip has {len(tops)}: {told}.")
        archive.verify()
        raw = None
        info = archive.files.get(f"{tops[0]}/PKG-INFO")
        if info is not None:
            _check_size(info.size)
            raw = archive.read(info.name, LARGEST)
        return tops[0], set(archive.files), raw, list(archive.warnings)


def _check_size(size: int) -> None:
    if size > LARGEST:
        raise InvalidMetadata(f"The sdist's PKG-INFO has more than {LARGEST:,} bytes; shorten the description.")


def _check_top(top: str, filename: DistributionFilename) -> None:
    expected = filename.filename.removesuffix(filename.extension)
    if top == expected:
        return
    try:
        name, version = split_stem(top, top)
        same = canonicalize_name(name) == filename.project and check_version(version) == filename.version
    except Invalid:
        same = False
    if not same:
        raise InvalidArchive(
            f"The sdist's top directory is {shown(top, 200)}, its filename wants {shown(expected, 200)}; "
            "build it again."
        )
