"""A server whose files have something inside: code, binaries, links, odd names and contents, releases that differ."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from services import Services
from tests.factory import build_wheel, core_metadata, sdist_members, tar_bytes
from tests.web.conftest import publish
from tests.web.site import serving

CODE = '''"""Weaves."""

from dataclasses import dataclass


@dataclass
class Loom:
    """A loom with so many threads."""

    threads: int = 1842
    pattern: str = "leaves, or a pattern with a name that is so long that it has no place on a narrow screen at all"

    def weave(self) -> str:
        return self.pattern * self.threads
'''
HOSTILE_NAME = "weft/<img src=x onerror=alert(1)>&quot;.html"
HOSTILE = b"<script>alert(document.domain)</script>\n<svg onload=alert(1)>\n</pre></span><h1>Out</h1>\n"
HIDING_NAME = "weft/evil\u202ecod.py"
HIDING = "access = 'user'\nif access != 'user\u202e \u2066# only for admins\u2069 \u2066':\n    grant()\n".encode()
POINTS = b"[console_scripts]\nweft = weft.cli:main\n"


def wheel_files(version: str) -> dict[str, bytes]:
    """What the wheels of weft hold."""
    newer = version != "1.0"
    code = CODE.replace("1842", "1843").replace("leaves", "flowers") if newer else CODE
    files = {
        "weft/__init__.py": b"from weft.loom import Loom\n",
        "weft/loom.py": code.encode(),
        "weft/_native.so": b"\x7fELF\x02\x01" + bytes(5000) + version.encode(),
        "weft/patterns/leaves.txt": b"leaf\n" * 12,
        "weft/patterns/nested/deeper/still/one.txt": b"one\n",
        "weft/arabic.txt": "سلام\nنمی\u200cخواهم\n织布机\n".encode(),
        HOSTILE_NAME: HOSTILE,
        HIDING_NAME: HIDING,
        "weft/big.csv": b"number,square\n" + b"".join(b"%d,%d\n" % (n, n * n) for n in range(40_000)),
        f"weft-{version}.dist-info/entry_points.txt": POINTS + (b"warp = weft.cli:warp\n" if newer else b""),
    }
    if newer:
        files["weft/patterns/flowers.txt"] = b"flower\n" * 7
    else:
        files["weft/old.py"] = b"pass\n"
    return files


def metadata(version: str) -> str:
    """The metadata of a release."""
    newer = version != "1.0"
    return core_metadata(
        "weft", version, summary="Weaves faster." if newer else "Weaves.", description=f"# Weft\n\nThis is {version}.",
        requires_dist=["numbers>=2", "looms[plots]>=1"] if newer else ["numbers>=1.2", "spindle; extra == 'spin'"],
        requires_python=">=3.11" if newer else ">=3.9", metadata_version="2.2",
        extra_headers=["Provides-Extra: spin", f"Classifier: Development Status :: {4 + newer} - Beta"],
    )  # fmt: skip


def stock(services: Services, folder: Path) -> None:
    """weft 1.0 and 1.1 as wheels, 1.1 and 2.0 as sdists; many 1.0 of 1,200 files; first 1.0 alone."""
    for version in ("1.0", "1.1"):
        publish(services, build_wheel(folder, "weft", version, metadata=metadata(version), files=wheel_files(version)))
    for version in ("1.1", "2.0"):
        link = tarfile.TarInfo(f"weft-{version}/README")
        link.type, link.linkname = tarfile.SYMTYPE, "docs/README.md"
        files = {"pyproject.toml": b"[build-system]\n", "docs/README.md": b"# Weft\n", "weft.py": CODE.encode()}
        sdist = folder / f"weft-{version}.tar.gz"
        members = sdist_members("weft", version, files=files, metadata=metadata(version))
        sdist.write_bytes(tar_bytes({**members, link.name: link}))
        publish(services, sdist)
    many = {f"many/part{n % 3}/module_{n:04}.py": b"answer = 42\n" for n in range(1200)}
    publish(services, build_wheel(folder, "many", files=many))
    publish(services, build_wheel(folder, "first"))


@contextmanager
def serving_contents(folder: Path, **settings: str) -> Iterator[str]:
    """A server stocked so; its address."""
    (folder / "filled").mkdir(parents=True, exist_ok=True)
    with serving(folder, stocked=False, fill=stock, **settings) as url:
        yield url
