"""The closure of requirements, and the files that are taken for it."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from packaging.requirements import Requirement
from packaging.utils import NormalizedName
from packaging.version import Version

from errors import InvalidRequest, UnknownFile, UnknownProject
from mirroring.choosing import plan
from mirroring.closure import Closure, resolve
from mirroring.environments import Environment, environments
from mirroring.wanted import Pin, Wanted
from simple.model import File, ProjectDetail
from tests.simple.examples import a_file, a_project, name

LINUX = Environment("3.12", "linux-x86_64")
WINDOWS = Environment("3.11", "windows-x86_64")


@dataclass
class Books:
    """A library in memory: files by project, and what each requires."""

    files: dict[str, list[File]] = field(default_factory=dict)
    requires: dict[str, list[str]] = field(default_factory=dict)

    def add(self, filename: str, *requires: str, **more: object) -> None:
        """Add a wheel or sdist."""
        project, version = filename.split("-")[:2]
        version = version.removesuffix(".tar.gz")
        kind = "sdist" if filename.endswith(".tar.gz") else "bdist_wheel"
        metadata = None if kind == "sdist" else ""
        file = a_file(version, filename=filename, kind=kind, **{"core_metadata": metadata, **more})
        self.files.setdefault(project, []).append(file)
        self.requires[filename] = list(requires)

    def project_detail(self, name: NormalizedName) -> ProjectDetail:
        """One project."""
        if name not in self.files:
            raise UnknownProject(name)
        return a_project(*self.files[name], name=name)

    def core_metadata(self, name: NormalizedName, filename: str) -> bytes:
        """What a file requires."""
        if filename not in self.requires:
            raise UnknownFile(filename)
        lines = [f"Requires-Dist: {text}" for text in self.requires[filename]]
        return "\n".join(["Metadata-Version: 2.1", f"Name: {name}", "Version: 1", *lines]).encode()


@pytest.fixture
def books() -> Books:
    """app, which requires lib and, on Windows, winlib; and with the extra fast, speed."""
    made = Books()
    made.add("app-1.0-py3-none-any.whl", "lib<2", 'winlib; sys_platform == "win32"', 'speed; extra == "fast"')
    made.add("lib-1.0-py3-none-any.whl")
    made.add("lib-1.5-py3-none-any.whl", "deep")
    made.add("lib-2.0-py3-none-any.whl")
    made.add("deep-1.0-cp312-cp312-manylinux_2_17_x86_64.whl")
    made.add("deep-1.0-cp311-cp311-win_amd64.whl")
    made.add("deep-1.0.tar.gz")
    made.add("winlib-1.0-py3-none-any.whl")
    made.add("speed-1.0-py3-none-any.whl")
    return made


def closure(books: Books, *wanted: str, environment: Environment = LINUX, limits: tuple[str, ...] = ()) -> Closure:
    """The closure of requirements."""
    return resolve([Requirement(one) for one in wanted], [Requirement(one) for one in limits], environment, books)


def versions(found: Closure) -> dict[str, str]:
    """What was chosen."""
    return {one.name: str(one.version) for one in found.chosen}


def test_a_closure_is_for_its_environment(books: Books) -> None:
    """With the newest that fits, the markers of the platform, and the wheel that installs there."""
    assert versions(closure(books, "app")) == {"app": "1.0", "lib": "1.5", "deep": "1.0"}
    files = {one.filename for one in closure(books, "app").chosen}
    assert "deep-1.0-cp312-cp312-manylinux_2_17_x86_64.whl" in files
    there = closure(books, "app", environment=WINDOWS)
    assert versions(there) == {"app": "1.0", "lib": "1.5", "deep": "1.0", "winlib": "1.0"}
    assert "deep-1.0-cp311-cp311-win_amd64.whl" in {one.filename for one in there.chosen}


def test_an_extra_brings_what_it_adds(books: Books) -> None:
    """And the project itself once."""
    assert versions(closure(books, "app[fast]")) == {"app": "1.0", "lib": "1.5", "deep": "1.0", "speed": "1.0"}


def test_constraints_hold(books: Books) -> None:
    """Without being requirements of their own."""
    assert versions(closure(books, "app", limits=("lib<1.5", "winlib<5"))) == {"app": "1.0", "lib": "1.0"}


def test_what_cannot_be_fulfilled_is_said(books: Books) -> None:
    """With all that stands against each other."""
    with pytest.raises(InvalidRequest, match=r"app 1\.0 requires lib<2; lib>=2"):
        closure(books, "app", "lib>=2")
    with pytest.raises(InvalidRequest, match="absent"):
        closure(books, "absent")


def test_yanked_and_early_versions_are_for_those_who_ask(books: Books) -> None:
    """A yanked one by an exact pin, a pre-release by a specifier that names one or where there is nothing else."""
    books.add("lib-1.7-py3-none-any.whl", yanked="broken")
    books.add("lib-1.8rc1-py3-none-any.whl")
    assert versions(closure(books, "lib<2"))["lib"] == "1.5"
    assert versions(closure(books, "lib==1.7"))["lib"] == "1.7"
    assert versions(closure(books, "lib>=1.8rc1,<2"))["lib"] == "1.8rc1"
    books.add("early-1.0a1-py3-none-any.whl")
    assert versions(closure(books, "early"))["early"] == "1.0a1"


def test_a_source_distribution_is_the_last_resort(books: Books) -> None:
    """And what it requires is not known, which is said."""
    found = closure(books, "deep", environment=Environment("3.12", "macos-arm64"))
    assert [one.filename for one in found.chosen] == ["deep-1.0.tar.gz"]
    assert len(found.doubts) == 1


def test_an_older_version_is_tried_when_the_newest_does_not_fit(books: Books) -> None:
    """The search goes back."""
    books.add("picky-2.0-py3-none-any.whl", "lib>=2")
    books.add("picky-1.0-py3-none-any.whl", "lib")
    assert versions(closure(books, "picky", "app"))["picky"] == "1.0"


def test_a_plan_of_a_lock_takes_what_the_environments_install(books: Books) -> None:
    """Of the files that the lock lists; the digests come along."""
    pin = Pin(name("deep"), Version("1.0"), {one.filename: "ab" * 32 for one in books.files["deep"]})
    made = plan(Wanted(pins=[pin]), [LINUX, WINDOWS], books)
    assert [one.filename for one in made.files] == [
        "deep-1.0-cp311-cp311-win_amd64.whl",
        "deep-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
    ]
    assert all(one.sha256 == {"ab" * 32} for one in made.files)
    other = plan(Wanted(pins=[pin]), [Environment("3.12", "macos-arm64")], books)
    assert [one.filename for one in other.files] == ["deep-1.0.tar.gz"]


def test_what_a_lock_wants_and_nobody_has_is_missing(books: Books) -> None:
    """Said for each, and the rest is planned."""
    pins = [
        Pin(name("absent"), Version("1")), Pin(name("lib"), Version("9")), Pin(name("lib"), Version("1.0")),
        Pin(name("deep"), Version("1.0"), {"deep-1.0-cp39-cp39-win_amd64.whl": ""}),
    ]  # fmt: skip
    made = plan(Wanted(pins=pins), [LINUX], books)
    assert [one.filename for one in made.files] == ["lib-1.0-py3-none-any.whl"]
    assert len(made.missing) == 3


def test_environments_are_named_as_people_know_them() -> None:
    """By a word, or by pip's tag; each once; other words are refused."""
    assert len(environments(["3.11", "3.12", "3.11"], ["linux-x86_64", "manylinux_2_28_x86_64"])) == 4
    older = {str(tag) for tag in Environment("3.12", "manylinux_2_12_x86_64").tags()}
    assert "cp312-cp312-manylinux2010_x86_64" in older
    assert "cp312-cp312-manylinux_2_17_x86_64" not in older
    assert "cp312-abi3-win_amd64" in {str(tag) for tag in Environment("3.12", "windows-x86_64").tags()}
    assert any("macosx_11_0_arm64" in str(tag) for tag in Environment("3.12", "macos-arm64").tags())
    for pythons, platforms in ((["2.7"], []), (["3.x"], []), ([], ["amiga"])):
        with pytest.raises(InvalidRequest):
            environments(pythons, platforms)
