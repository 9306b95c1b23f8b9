"""Files and their core metadata over HTTP (protocol cases 20 to 30)."""

from __future__ import annotations

import hashlib
import random
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, cast

import pytest
from packaging.utils import NormalizedName
from werkzeug.test import Client

from services import Services
from tests.conftest import TESTER
from tests.factory import build_sdist, build_wheel, core_metadata
from tests.multipart_form import upload

BIG = "big-1.0-py3-none-any.whl"
SMALL = "small-1.0-py3-none-any.whl"


@pytest.fixture
def wheels(front: Any, tmp_path: Path) -> dict[str, bytes]:
    """One wheel that is kept in memory and one that is read from disk each time, uploaded; their bytes."""
    noise = random.Random(7).randbytes(300_000)
    paths = [build_wheel(tmp_path, "small"), build_wheel(tmp_path, "big", files={"big/noise.bin": noise})]
    for path in paths:
        assert upload(Client(front), path).status_code == 200
    return {path.name: path.read_bytes() for path in paths}


@pytest.fixture
def files(front: Any, wheels: dict[str, bytes]) -> Client:
    """A client of the whole application."""
    return Client(front)


def url(filename: str) -> str:
    """Where a wheel is."""
    return f"/packages/{filename.partition('-')[0]}/{filename}"


@pytest.mark.parametrize("name", [SMALL, BIG])
def test_a_file_is_sent_as_it_is(files: Client, wheels: dict[str, bytes], name: str) -> None:
    """Case 20: no coding, immutable, named, sandboxed; the ETag is its digest."""
    answer = files.get(url(name), headers={"Accept-Encoding": "gzip"})
    assert answer.data == wheels[name]
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["ETag"] == f'"{hashlib.sha256(wheels[name]).hexdigest()}"'
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{name}"'
    assert "sandbox" in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", [SMALL, BIG])
def test_head_tells_the_size(files: Client, wheels: dict[str, bytes], name: str) -> None:
    """Case 21: uv needs Content-Length and Accept-Ranges there."""
    answer = files.head(url(name))
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.headers["Content-Length"] == str(len(wheels[name]))


@pytest.mark.parametrize("name", [SMALL, BIG])
@pytest.mark.parametrize(
    ("asked", "part"),
    [
        ("bytes=0-99", slice(0, 100)),
        ("bytes=-100", slice(-100, None)),
        ("bytes=100-", slice(100, None)),
        ("bytes=10-99999999", slice(10, None)),
        ("bytes=-99999999", slice(0, None)),
    ],
)
def test_single_ranges(files: Client, wheels: dict[str, bytes], name: str, asked: str, part: slice) -> None:
    """Cases 22 to 24: the right bytes with the right Content-Range."""
    content = wheels[name]
    answer = files.get(url(name), headers={"Range": asked})
    assert (answer.status_code, answer.data) == (206, content[part])
    first = part.indices(len(content))[0]
    assert answer.headers["Content-Range"] == f"bytes {first}-{first + len(content[part]) - 1}/{len(content)}"
    assert answer.headers["Content-Length"] == str(len(content[part]))


def test_a_range_beyond_the_end(files: Client, wheels: dict[str, bytes]) -> None:
    """Case 25."""
    size = len(wheels[BIG])
    answer = files.get(url(BIG), headers={"Range": f"bytes={size}-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{size}")


@pytest.mark.parametrize("asked", ["bytes=0-1,4-5", "items=0-1", "bytes=5-1", "bytes=" + "0-0," * 10_000 + "1-1"])
def test_ranges_that_are_ignored(files: Client, wheels: dict[str, bytes], asked: str) -> None:
    """Case 26, S92: several, unknown or senseless ranges give the whole file, never more."""
    answer = files.get(url(BIG), headers={"Range": asked})
    assert (answer.status_code, len(answer.data)) == (200, len(wheels[BIG]))


def test_if_range(files: Client, wheels: dict[str, bytes]) -> None:
    """Case 27: a part only while the file is the one that the client began with."""
    first = files.head(url(BIG))
    for validator in (first.headers["ETag"], first.headers["Last-Modified"]):
        assert len(files.get(url(BIG), headers={"Range": "bytes=0-9", "If-Range": validator}).data) == 10
    whole = files.get(url(BIG), headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    assert (whole.status_code, whole.data) == (200, wheels[BIG])


def test_not_modified(files: Client) -> None:
    """Case 28: 304 by ETag, also with a Range, and by date."""
    first = files.head(url(BIG))
    for headers in (
        {"If-None-Match": first.headers["ETag"]},
        {"If-None-Match": f"W/{first.headers['ETag']}", "Range": "bytes=0-9"},
        {"If-Modified-Since": first.headers["Last-Modified"]},
    ):
        answer = files.get(url(BIG), headers=headers)
        assert (answer.status_code, answer.data) == (304, b"")


def test_core_metadata_beside_a_wheel(files: Client, tmp_path: Path, front: Any) -> None:
    """Case 29: the exact bytes of METADATA, whose digest the page names; an old sdist has none."""
    path = tmp_path / SMALL
    with zipfile.ZipFile(path) as archive:
        inside = archive.read("small-1.0.dist-info/METADATA")
    answer = files.get(f"{url(SMALL)}.metadata")
    assert answer.data == inside
    assert files.head(f"{url(SMALL)}.metadata").headers["Content-Length"] == str(len(inside))
    page = files.get("/simple/small/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}).json
    assert page is not None
    assert page["files"][0]["core-metadata"] == {"sha256": hashlib.sha256(inside).hexdigest()}
    old = build_sdist(tmp_path, "small", metadata=core_metadata("small", metadata_version="1.2"))
    assert upload(files, old).status_code == 200
    assert files.get(f"/packages/small/{old.name}.metadata").status_code == 404


def test_core_metadata_beside_a_reliable_sdist(files: Client, tmp_path: Path) -> None:
    """An sdist whose PKG-INFO is final (2.2, nothing relevant dynamic) has its metadata served too."""
    sdist = build_sdist(tmp_path, "small", "2.0")
    assert upload(files, sdist).status_code == 200
    assert b"Name: small" in files.get(f"/packages/small/{sdist.name}.metadata").data


@pytest.mark.parametrize(
    "path",
    [
        "/packages/small/none-1.0.tar.gz", f"/packages/big/{SMALL}", "/packages/none/x-1.0.tar.gz",
        "/packages/..%2f..%2fetc/passwd", "/packages/small/..%2f.state%2findex.sqlite3", "/packages/small/%00",
        "/packages/.state/index.sqlite3", "/packages/small/%ff", f"/packages/small/{SMALL.upper()}",
        "/packages//etc/passwd", "/packages/small/%252e%252e", "/packages/.state/secret_key",
    ],
)  # fmt: skip
def test_what_is_not_there_is_404(files: Client, path: str) -> None:
    """Case 30, S80: unknown files, another project's files and ways out of the folder are all not found."""
    assert files.get(path).status_code in {400, 404}


def test_only_whole_downloads_count(files: Client, services: Services) -> None:
    """A GET of the whole file is a download; HEAD, ranges, 304 and metadata are not."""
    whole = files.get(url(BIG))
    assert whole.data
    tag = whole.headers["ETag"]
    assert files.get(url(SMALL)).data
    files.head(url(BIG))
    assert files.get(url(BIG), headers={"Range": "bytes=0-9"}).data
    files.get(url(BIG), headers={"If-None-Match": tag})
    files.get(f"{url(SMALL)}.metadata")
    services.at().downloads.flush()
    assert services.at().downloads.total() == 2
    assert services.at().downloads.total("big") == 1


def test_missing_bytes_are_our_fault(files: Client, services: Services) -> None:
    """F34: a listed file whose bytes are gone is 503, not 404: it was published and should come back."""
    (services.settings.data_path / "big" / BIG).unlink()
    answer = files.get(url(BIG))
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers


def test_links_are_not_followed(files: Client, services: Services, tmp_path: Path) -> None:
    """F38: a link planted in the store is refused, on the file and on its folder."""
    outside = tmp_path / "outside"
    (services.settings.data_path / "big" / BIG).rename(outside)
    (services.settings.data_path / "big" / BIG).symlink_to(outside)
    assert files.get(url(BIG)).status_code == 503


def test_a_deletion_does_not_cut_a_download(files: Client, services: Services, wheels: dict[str, bytes]) -> None:
    """S67: bytes that are being sent go on to the end after the file was deleted."""
    answer = files.get(url(BIG), buffered=False)
    pieces = iter(cast("Iterable[bytes]", answer.response))
    first = next(pieces)
    services.manager.delete("main", NormalizedName("big"), by=TESTER)
    assert first + b"".join(pieces) == wheels[BIG]
    assert files.get(url(BIG)).status_code == 404
