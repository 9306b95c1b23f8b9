"""What a list wants is taken from an upstream, written into one file, and served where no upstream can be reached."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mirroring.bundle import FORMAT
from tests.console.running import data, good, leave_the_machine, run
from tests.factory import build_wheel, wheel_members, zip_bytes
from tests.upstream.fake_upstream import FakeFile, FakeUpstream, fake_upstream

LOCK = """
version = 1
[[package]]
name = "lib"
version = "1.0"
source = {{ registry = "https://index.example.com/simple" }}
wheels = [{{ url = "https://index.example.com/lib-1.0-py3-none-any.whl", hash = "sha256:{sha256}", size = 1 }}]
"""


def wheel(name: str, version: str, *requires: str) -> FakeFile:
    """A wheel that requires others, with its metadata beside it."""
    lines = [
        "Metadata-Version: 2.1",
        f"Name: {name}",
        f"Version: {version}",
        *(f"Requires-Dist: {one}" for one in requires),
    ]
    metadata = "\n".join(lines) + "\n"
    body = zip_bytes(wheel_members(name, version, metadata=metadata))
    return FakeFile(f"{name}-{version}-py3-none-any.whl", body, metadata=metadata.encode())


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeUpstream]:
    """An upstream with app 1.0, which requires lib below 2, lib 1.0 and 2.0; main caches it."""
    leave_the_machine(tmp_path, monkeypatch)
    with fake_upstream() as upstream:
        upstream.add("app", wheel("app", "1.0", "lib<2"))
        upstream.add("lib", wheel("lib", "1.0"), wheel("lib", "2.0"))
        monkeypatch.setenv("PYPI_UPSTREAM", upstream.url)
        monkeypatch.setenv("PYPI_UPSTREAM_ALLOW_PRIVATE", "true")
        yield upstream


def test_a_requirements_file_brings_its_closure(elsewhere: FakeUpstream) -> None:
    """Each file once, with its metadata; a second run fetches nothing."""
    Path("wanted.txt").write_text("app\n")
    assert sorted(data("mirror", "wanted.txt")["taken"]) == ["app-1.0-py3-none-any.whl", "lib-1.0-py3-none-any.whl"]
    elsewhere.asked.clear()
    again = data("mirror", "wanted.txt")
    assert (again["taken"], len(again["there"])) == ([], 2)
    assert elsewhere.paths(r".*\.whl.*") == []


def test_a_lock_brings_what_it_lists(elsewhere: FakeUpstream) -> None:
    """With the digest that it names, and nothing else."""
    sha256 = wheel("lib", "1.0").sha256
    Path("uv.lock").write_text(LOCK.format(sha256=sha256))
    assert data("mirror", "take", "uv.lock")["taken"] == ["lib-1.0-py3-none-any.whl"]
    Path("uv.lock").write_text(LOCK.format(sha256="0" * 64))
    refused = run("mirror", "uv.lock")
    assert refused.exit_code == 1
    assert f"has the sha256 {sha256}, and the list wants {'0' * 64}" in refused.stderr


def test_what_is_missing_is_said_and_the_rest_is_taken(elsewhere: FakeUpstream) -> None:
    """With the exit code 1; what fails to come is said as well."""
    Path("wanted.txt").write_text("lib==1.0\n")
    Path("uv.lock").write_text(LOCK.format(sha256="").replace('"lib"', '"absent"'))
    told = run("mirror", "uv.lock", "wanted.txt")
    assert (told.exit_code, "absent 1.0" in told.stderr) == (1, True)
    assert "1 files taken" in told.stdout


def test_a_dry_run_takes_nothing(elsewhere: FakeUpstream) -> None:
    """It lists the files."""
    Path("wanted.txt").write_text("app\n")
    planned = data("mirror", "wanted.txt", "--dry-run")
    assert [file["name"] for file in planned["files"]] == ["app", "lib"]
    assert elsewhere.paths(r".*\.whl") == []


def test_a_private_project_is_not_asked_of_the_upstream(elsewhere: FakeUpstream, tmp_path: Path) -> None:
    """It is here, and its name goes nowhere."""
    good("packages", "import", str(build_wheel(tmp_path / "own", "private").parent))
    Path("wanted.txt").write_text("private\n")
    told = data("mirror", "wanted.txt")
    assert (told["taken"], told["there"]) == ([], ["private-1.0-py3-none-any.whl"])
    assert elsewhere.asked == []


def carried(monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """A bundle of app's closure and the digest of its manifest; from here on nothing can be asked of the upstream."""
    Path("wanted.txt").write_text("app\n")
    good("mirror", "wanted.txt")
    told = data("mirror", "export", "bundle.tar")
    assert (told["projects"], told["files"]) == (2, 2)
    monkeypatch.setenv("PYPI_OFFLINE", "true")
    return Path("bundle.tar"), told["manifest"]


def test_a_bundle_is_served_on_the_other_side(elsewhere: FakeUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """With pages and metadata, so that a resolver finds there what it would find here; nothing is asked."""
    bundle, manifest = carried(monkeypatch)
    elsewhere.asked.clear()
    there = ["--data-dir", "there"]
    assert run("mirror", "import", str(bundle), "--manifest", "0" * 64, *there).exit_code == 1
    came = data("mirror", "import", str(bundle), "--manifest", manifest, *there)
    assert (len(came["taken"]), came["refused"], came["manifest"]) == (2, [], manifest)
    assert len(data("mirror", "import", str(bundle), *there)["there"]) == 2
    planned = data("mirror", "wanted.txt", "--dry-run", *there)
    assert [file["filename"] for file in planned["files"]] == ["app-1.0-py3-none-any.whl", "lib-1.0-py3-none-any.whl"]
    assert (data("mirror", "wanted.txt", *there)["taken"], elsewhere.asked) == ([], [])


def test_a_changed_bundle_is_refused_file_by_file(elsewhere: FakeUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are not what the manifest says are not taken, the others are."""
    bundle, _ = carried(monkeypatch)
    lie = hashlib.sha256(wheel("lib", "1.0").content).hexdigest()
    rewrite(bundle, {f"files/{lie}": bytes(len(wheel("lib", "1.0").content))})
    told = run("mirror", "import", str(bundle), "--data-dir", "there")
    assert (told.exit_code, "1 files taken" in told.stdout) == (1, True)
    assert "not what the manifest says" in told.stderr


def manifest_saying(**changes: object) -> bytes:
    """A manifest of one file that is in order but for these."""
    file = {"filename": "app-1.0-py3-none-any.whl", "version": "1.0", "sha256": "0" * 64, "size": 1, "metadata": None}
    project = {"name": "app", "page": "0" * 64, "serial": 0, "fetched": "2026-01-01T00:00:00+00:00", "files": [file]}
    for key, value in changes.items():
        (file if key in file else project)[key] = value
    return json.dumps({"format": FORMAT, "projects": [project]}).encode()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        *(
            ({"manifest.json": manifest_saying(**{key: value})}, "cannot be read")
            for key, value in {
                "sha256": "../../../etc/cron.d/x",
                "metadata": "x",
                "size": "much",
                "filename": 1,
                "page": None,
                "serial": "x",
                "fetched": "2026-01-01T00:00:00",
                "name": "../x",
                "files": 7,
            }.items()
        ),
        ({"manifest.json": b"[]"}, "cannot be read"),
        ({"pages/app": b"{}"}, "not what its manifest says"),
        ({"manifest.json": b"{}"}, "cannot be read"),
        ({"files/../../etc": b"x"}, "does not name"),
    ],
)
def test_what_is_no_bundle_is_refused(
    elsewhere: FakeUpstream, monkeypatch: pytest.MonkeyPatch, changes: dict[str, bytes], said: str
) -> None:
    """Another page, another manifest, a file that the manifest does not name."""
    bundle, _ = carried(monkeypatch)
    rewrite(bundle, changes)
    told = run("mirror", "import", str(bundle), "--data-dir", "there")
    assert (told.exit_code, said in told.stderr) == (1, True), told.stderr


def test_a_bundle_that_was_cut_off_says_what_is_missing(
    elsewhere: FakeUpstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file that did not come, or that it ends where it should not."""
    bundle, _ = carried(monkeypatch)
    bundle.write_bytes(bundle.read_bytes()[: bundle.stat().st_size // 3])
    told = run("mirror", "import", str(bundle), "--data-dir", "there")
    assert told.exit_code == 1
    Path("no.tar").write_text("no tar")
    assert "is no bundle" in run("mirror", "import", "no.tar", "--data-dir", "there").stderr


def test_bytes_that_were_seen_first_stand(elsewhere: FakeUpstream, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle with other bytes under a name that is known is refused."""
    bundle, _ = carried(monkeypatch)
    monkeypatch.setenv("PYPI_OFFLINE", "false")
    elsewhere.add("lib", FakeFile("lib-1.0-py3-none-any.whl", zip_bytes(wheel_members("lib", "1.0"))))
    Path("lib.txt").write_text("lib==1.0\n")
    good("mirror", "lib.txt", "--data-dir", "there")
    told = run("mirror", "import", str(bundle), "--data-dir", "there")
    assert (told.exit_code, "were taken in before" in told.stderr) == (1, True)


def test_nothing_is_exported_where_nothing_was_taken(elsewhere: FakeUpstream) -> None:
    """And a bundle is not written over a file."""
    assert "nothing to export" in run("mirror", "export", "bundle.tar").stderr
    assert not Path("bundle.tar").exists()
    Path("bundle.tar").write_text("mine")
    assert "is there already" in run("mirror", "export", "bundle.tar").stderr


def rewrite(bundle: Path, changes: dict[str, bytes]) -> None:
    """Write a bundle anew with other bodies of some members, and with those that it did not have."""
    with tarfile.open(bundle) as before:
        bodies = {info.name: before.extractfile(info).read() for info in before}  # type: ignore[union-attr]
    with tarfile.open(bundle, "w") as after:
        for name, body in {**bodies, **changes}.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            after.addfile(info, io.BytesIO(body))
