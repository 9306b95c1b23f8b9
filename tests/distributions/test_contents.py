"""Tests of distributions.contents: what is inside, from every form of file, through the child process too."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from distributions.archives import Member
from distributions.contents import MOST_NAMES, Contents, EntryPoint, entry_points_of, look_inside, read_excerpt
from distributions.sandbox import Inspector
from errors import InvalidArchive, NotFound
from tests.factory import build_sdist, build_wheel, core_metadata, sdist_members, tar_bytes

POINTS = b"[console_scripts]\nloom = looms.cli:main\n\n[looms.patterns]\nplain = looms:Plain\n"


@pytest.fixture(scope="module")
def inspector() -> Iterator[Inspector]:
    """An inspector that is closed afterwards."""
    made = Inspector(1)
    yield made
    made.close()


def linked_sdist(folder: Path) -> Path:
    """An sdist with a symbolic link."""
    link = tarfile.TarInfo("sample-1.0/docs/README")
    link.type, link.linkname = tarfile.SYMTYPE, "../PKG-INFO"
    path = folder / "sample-1.0.tar.gz"
    path.write_bytes(tar_bytes({**sdist_members(), "sample-1.0/docs/README": link}))
    return path


def test_wheels_are_looked_into(tmp_path: Path) -> None:
    """Members with both sizes, the metadata as sent, and the entry points."""
    text = core_metadata("sample", "1.0", description="# Grüße")
    files = {
        "sample/PKG-INFO": b"not this",
        "sample/a.py": b"x" * 1000,
        "sample-1.0.dist-info/entry_points.txt": POINTS,
    }
    path = build_wheel(tmp_path, metadata=text, files=files)
    found = look_inside(path, path.name)
    assert [member.name for member in found.members][:2] == ["sample/PKG-INFO", "sample/a.py"]
    assert (found.members[1].size, found.members[1].sha256) == (1000, "")
    assert 0 < (found.members[1].compressed_size or 0) < 1000
    assert (found.metadata_name, found.metadata) == ("sample-1.0.dist-info/METADATA", text)
    assert found.entry_points == (
        EntryPoint("console_scripts", "loom", "looms.cli:main"), EntryPoint("looms.patterns", "plain", "looms:Plain"),
    )  # fmt: skip


@pytest.mark.parametrize("extension", [".tar.gz", ".zip", ".tar.bz2", ".tar.xz"])
def test_sdists_are_looked_into(tmp_path: Path, extension: str) -> None:
    """Every form, with the entry points that setuptools leaves in it; digests are those of the bytes."""
    files = {"sample.egg-info/entry_points.txt": POINTS, "a.py": b"answer = 42\n"}
    path = build_sdist(tmp_path, extension=extension, files=files)
    found = look_inside(path, path.name, digests=True)
    assert found.metadata_name == "sample-1.0/PKG-INFO"
    assert found.metadata.startswith("Metadata-Version: 2.2")
    assert len(found.entry_points) == 2
    known = {f"sample-1.0/{name}": hashlib.sha256(content).hexdigest() for name, content in files.items()}
    assert known.items() <= {member.name: member.sha256 for member in found.members}.items()


def test_links_are_told_and_not_followed(tmp_path: Path) -> None:
    """A link has a target, no size and no contents."""
    path = linked_sdist(tmp_path)
    found = look_inside(path, path.name, digests=True)
    assert Member("sample-1.0/docs/README", 0, target="sample-1.0/PKG-INFO") in found.members
    with pytest.raises(NotFound):
        read_excerpt(path, path.name, "sample-1.0/docs/README", 10)


def test_excerpts_are_beginnings(tmp_path: Path) -> None:
    """A member is read as far as the limit; its size is told whole."""
    content = bytes(range(256)) * 4096
    for path in (build_wheel(tmp_path, files={"a": content}), build_sdist(tmp_path, files={"a": content})):
        name = "a" if path.suffix == ".whl" else "sample-1.0/a"
        found = read_excerpt(path, path.name, name, 1000)
        assert (found.data, found.size) == (content[:1000], len(content))
        assert read_excerpt(path, path.name, name, 2 << 20).data == content
        with pytest.raises(NotFound, match="'nothing'"):
            read_excerpt(path, path.name, "nothing", 10)


def test_values_travel(tmp_path: Path) -> None:
    """Encoding and decoding gives an equal value, letters of any script and links too."""
    path = linked_sdist(tmp_path)
    found = look_inside(path, path.name)
    odd = Contents((Member("织/\u202e<b>", 1, None, "", "ff"),), 3, "m", "سلام", (EntryPoint("a", "b", "c"),))
    for one in (found, odd):
        assert Contents.decode(one.encode()) == one


def test_the_child_does_the_same(tmp_path: Path, inspector: Inspector) -> None:
    """Asked through the child process, the answers are equal and the refusals of the same class."""
    path = build_wheel(tmp_path, files={"sample/a.py": b"x" * 1000})
    _, raw = inspector.ask("look", [path], path.name)
    assert Contents.decode(raw) == look_inside(path, path.name)
    answer, data = inspector.ask("excerpt", [path], path.name, member="sample/a.py", limit=10)
    assert (answer, data) == ({"size": 1000}, b"x" * 10)
    with pytest.raises(NotFound, match="holds no file 'b'"):
        inspector.ask("excerpt", [path], path.name, member="b", limit=10)
    path.write_bytes(b"no zip")
    with pytest.raises(InvalidArchive):
        inspector.ask("look", [path], path.name)


def test_names_without_end_are_cut(tmp_path: Path, inspector: Inspector) -> None:
    """The names of 100,000 members cannot fill a process: what does not fit is counted."""
    files = {f"{n:05}{'n' * 3900}": b"" for n in range(2300)}
    path = build_wheel(tmp_path, files=files)
    found = Contents.decode(inspector.ask("look", [path], path.name)[1])
    assert found.omitted
    assert len(found.members) + found.omitted == len(files) + 3
    assert sum(len(member.name) for member in found.members) <= MOST_NAMES


def test_link_targets_without_end_are_cut(tmp_path: Path, inspector: Inspector) -> None:
    """So are the places that links point to, which may be as long as names: the list of the others is shown."""
    links: dict[str, tarfile.TarInfo] = {}
    for number in range(11_000):
        link = links[f"sample-1.0/{number:05}"] = tarfile.TarInfo(f"sample-1.0/{number:05}")
        link.type, link.linkname = tarfile.SYMTYPE, f"{number:05}{'t' * 3200}"
    path = tmp_path / "sample-1.0.tar.gz"
    path.write_bytes(tar_bytes({**sdist_members(), **links}))
    found = Contents.decode(inspector.ask("look", [path], path.name)[1])
    assert found.metadata_name == "sample-1.0/PKG-INFO"
    assert found.omitted
    assert len(found.members) + found.omitted >= len(links)
    assert sum(member.text_size for member in found.members) <= MOST_NAMES


def test_entry_points_that_are_none() -> None:
    """What is no INI file, or a trap of its defaults, gives few or none, at once."""
    assert entry_points_of("no section = 1\n") == ()
    assert entry_points_of("") == ()
    trap = "[DEFAULT]\n" + "".join(f"k{n} = v\n" for n in range(2000)) + "".join(f"[s{n}]\n" for n in range(2000))
    assert len(entry_points_of(trap)) == 1000
    wide = f"[DEFAULT]\nk = {'v' * 50_000}\n" + "".join(f"[s{n}]\n" for n in range(2000))
    assert {len(point.reference) for point in entry_points_of(wide)} == {500}
