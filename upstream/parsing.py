"""What an upstream sent, read into a page: both forms of the simple API, every entry on its own.

An entry that is not sound, is another project's, or lies where nothing may be asked is dropped and counted; the rest
stands.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from email.message import Message
from functools import lru_cache
from typing import Any

import orjson
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import NormalizedName
from packaging.version import InvalidVersion as UnparsableVersion
from packaging.version import Version
from pypi_simple import DistributionPackage

from distributions.filenames import check_version, parse_filename
from errors import Invalid
from simple.model import ProjectStatus
from upstream.addresses import Reach
from upstream.client import Answer, Limits
from upstream.failures import CannotFetch
from upstream.html_page import read_html
from upstream.page import UpstreamFile, UpstreamPage, in_utc

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"
ACCEPT = f"{SIMPLE_JSON}, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_HTML = frozenset({"application/vnd.pypi.simple.v1+html", "text/html"})
_MOST_JSON_VALUES = 4_000_000
# Formats that no installer takes are on many old pages: they are passed over, and nothing is wrong with them.
_PASSED_OVER = (".egg", ".exe", ".msi", ".rpm", ".deb", ".dmg", ".asc", ".sig", ".tar.Z", ".tar", ".tar.lz", ".tar.zst")
_ALGORITHMS = {"sha256": 64, "sha512": 128, "sha384": 96, "sha224": 56, "sha1": 40, "md5": 32}
_HEX = re.compile(r"[0-9a-f]+")
_LONGEST_TEXT = 2000
_LONGEST_VERSION = 20


@dataclass(slots=True)
class _Read:
    """What a page said, before its entries were looked at."""

    packages: Iterable[DistributionPackage | None]
    versions: Iterable[str]
    status: str
    status_reason: str | None
    serial: str


def read_page(name: NormalizedName, answer: Answer, reach: Reach, limits: Limits) -> UpstreamPage:
    """The page of a project that is in an answer. Raises CannotFetch where it is none, or too large to be read."""
    content_type = Message()
    content_type["Content-Type"] = answer.headers.get("Content-Type", "")
    kind = content_type.get_content_type()
    if kind == SIMPLE_JSON:
        read = _read_json(name, answer, limits)
    elif kind in _HTML and "Content-Type" in answer.headers:
        read = _read_html(name, answer, limits, content_type.get_content_charset(""))
    else:
        raise CannotFetch("its answer is no page of the simple API")
    files, dropped = _files(name, read.packages, reach)
    status = read.status if read.status in set(ProjectStatus) else ProjectStatus.ACTIVE
    serial = answer.headers.get("X-PyPI-Last-Serial") or read.serial
    return UpstreamPage(
        name=name,
        files={file.filename: file for file in files},
        versions=_versions(read.versions, files),
        status=ProjectStatus(status),
        status_reason=(read.status_reason or "")[:_LONGEST_TEXT] or None,
        serial=int(serial) if serial.isascii() and serial.isdigit() and len(serial) < 19 else 0,
        dropped=dropped,
    )


# -- the two forms


def _read_json(name: NormalizedName, answer: Answer, limits: Limits) -> _Read:
    # Every value has a sign of its own before it: counting those is cheap, and a page of "[],[],[]," is not.
    if sum(answer.body.count(sign) for sign in (b"[", b"{", b",")) > _MOST_JSON_VALUES:
        raise CannotFetch("its page has too many values", is_outage=False)
    try:
        page = orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise CannotFetch("its page is not JSON, though it says so") from error
    if not isinstance(page, dict) or not isinstance(page.get("files"), list):
        raise CannotFetch("its page is no page of the simple API")
    entries: list[Any] = page["files"]
    if len(entries) > limits.links:
        raise CannotFetch(f"its page has more than {limits.links:,} files", is_outage=False)
    meta = _of_type(page.get("meta"), dict)
    status = _of_type(page.get("project-status"), dict)
    versions = _of_type(page.get("versions"), list)
    _check_api(meta.get("api-version"))
    return _Read(
        packages=(_package(name, entry, answer.url) for entry in entries),
        versions=(version for version in versions[: limits.links] if isinstance(version, str)),
        status=str(status.get("status", "")),
        status_reason=status["reason"] if isinstance(status.get("reason"), str) else None,
        serial=str(meta.get("_last-serial", "")),
    )


def _of_type(value: Any, kind: type[Any]) -> Any:
    return value if isinstance(value, kind) else kind()


def _package(name: NormalizedName, entry: Any, base_url: str) -> DistributionPackage | None:
    """One entry; None where it is not sound. A null stands for a key that is not there."""
    if not isinstance(entry, dict):
        return None
    given = {key: value for key, value in entry.items() if value is not None}
    try:
        return DistributionPackage.from_json_data({"hashes": {}, **given}, name, base_url)
    except ValueError:  # pydantic's is one
        return None


def _read_html(name: NormalizedName, answer: Answer, limits: Limits, charset: str) -> _Read:
    if len(answer.body) > limits.html_bytes:
        raise CannotFetch(f"its HTML page has more than {limits.html_bytes:,} bytes", is_outage=False)
    until = time.monotonic() + limits.page

    def check_time() -> None:
        if time.monotonic() > until:
            raise CannotFetch(f"its HTML page cannot be read in {limits.page:g} seconds", is_outage=False)

    links, metas = read_html(answer.body, answer.url, charset, limits.links, check_time)
    _check_api(metas.get("repository-version"))
    if not links and "repository-version" not in metas:
        raise CannotFetch("its answer is no page of the simple API")  # but that of a proxy that wants a sign-in, or so
    return _Read(
        packages=(DistributionPackage.from_link(link, name) for link in links),
        versions=(),
        status=metas.get("project-status", ""),
        status_reason=metas.get("project-status-reason"),
        serial="",
    )


def _check_api(version: object) -> None:
    """Refuse a later major version (PEP 629); a later minor one is read as far as it is known."""
    if not isinstance(version, str):
        return
    try:
        told = Version(version[:_LONGEST_VERSION])
    except UnparsableVersion as error:
        raise CannotFetch("its page names no version of the simple API", is_outage=False) from error
    if (told.epoch, told.major) > (0, 1):
        raise CannotFetch("it speaks a version of the simple API that is not known here", is_outage=False)


# -- the entries


def _files(
    name: NormalizedName, packages: Iterable[DistributionPackage | None], reach: Reach
) -> tuple[list[UpstreamFile], int]:
    """The files that may be listed, sorted, and how many entries were dropped. Of two of one name the first stands."""
    found: dict[str, UpstreamFile] = {}
    spelled: set[str] = set()
    dropped = 0
    for package in packages:
        if package is not None and package.filename.lower().endswith(_PASSED_OVER):
            continue
        file = None if package is None else _file(name, package, reach)
        if file is None or file.filename.lower() in spelled:
            dropped += 1
            continue
        spelled.add(file.filename.lower())
        found[file.filename] = file
    return _sorted(found.values()), dropped


def _sorted(files: Iterable[UpstreamFile]) -> list[UpstreamFile]:
    """By version, then filename; versions that are equal are spelled alike, so that they are one release."""
    spelled: dict[Version, str] = {}
    ordered = []
    for file in files:
        version = Version(file.version)
        one = spelled.setdefault(version, file.version)
        ordered.append((version, file.filename, file if one == file.version else replace(file, version=one)))
    return [file for _, _, file in sorted(ordered, key=lambda row: row[:2])]


def _file(name: NormalizedName, package: DistributionPackage, reach: Reach) -> UpstreamFile | None:
    try:
        parsed = parse_filename(package.filename)
    except Invalid:
        return None
    if parsed.project != name or not reach.has(package.url.partition("#")[0]):
        return None
    metadata = None
    if package.has_metadata:
        digests = {key.lower(): value for key, value in (package.metadata_digests or {}).items()}
        metadata = _hex(digests.get("sha256", ""), 64)
    provenance = package.provenance_url or ""
    is_linked = provenance.startswith("https://") and len(provenance) <= _LONGEST_TEXT
    return UpstreamFile(
        filename=parsed.filename,
        url=package.url.partition("#")[0],
        version=str(parsed.version),
        kind=parsed.kind,
        python_tag=parsed.python_tag,
        digest=_digest(package.digests),
        size=package.size if package.size is not None and 0 <= package.size < 1 << 62 else None,
        uploaded=in_utc(package.upload_time) if package.upload_time is not None else None,
        requires_python=_requires_python(package.requires_python),
        yanked=(package.yanked_reason or "")[:_LONGEST_TEXT] if package.is_yanked else None,
        core_metadata=metadata,
        provenance=provenance if is_linked else None,
    )


def _digest(digests: dict[str, str]) -> str:
    given = {algorithm.lower(): value for algorithm, value in digests.items()}
    for algorithm, length in _ALGORITHMS.items():
        found = _hex(given.get(algorithm, ""), length)
        if found:
            return f"{algorithm}={found}"
    return ""


def _hex(text: str, length: int) -> str:
    """A digest in lower case; "" for what is none."""
    lower = text.lower()
    return lower if len(lower) == length and _HEX.fullmatch(lower) else ""


@lru_cache(1024)  # a page has few of them, again and again
def _requires_python(text: str | None) -> str | None:
    """A specifier that can be read: uv leaves a file out for one that cannot, and pip the specifier."""
    if not text or len(text) > _LONGEST_TEXT:
        return None
    try:
        SpecifierSet(text)
    except InvalidSpecifier:
        return None
    return text


def _versions(told: Iterable[str], files: Iterable[UpstreamFile]) -> tuple[str, ...]:
    """What the page tells and the files have, each once (1.0 and 1.0.0 are one), ascending."""
    found: dict[Version, str] = {Version(text): text for text in {file.version for file in files}}
    for text in told:
        try:
            found.setdefault(check_version(text), text)
        except Invalid:
            continue
    return tuple(found[version] for version in sorted(found))
