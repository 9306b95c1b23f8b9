"""Each uploader publishes, is refused and repeats itself as its users expect."""

from __future__ import annotations

import urllib.request
import zipfile
from collections.abc import Callable
from typing import Any
from urllib.parse import urljoin

import pytest

from tests.clients.conftest import Index, files_of
from tests.clients.programs import Credential, Programs, Project
from tests.clients.uploaders import UPLOADERS, pdm, poetry, twine
from tests.conftest import LiveServer

pytestmark = pytest.mark.clients

WRONG_PASSWORD = "The username or password is wrong; check both, or use a token."
OTHER_BYTES = "is here with other contents"
# What the others write of a refusal is its status alone.
SHOW_A_401 = {"twine", "uv", "poetry"}
SHOW_A_400 = {"twine", "uv", "poetry", "flit"}


@pytest.fixture(params=sorted(UPLOADERS))
def uploader(request: pytest.FixtureRequest) -> str:
    """Each uploader in turn."""
    return str(request.param)


def upload_of(server_url: str) -> str:
    return f"{server_url}/legacy/"


def test_a_password_publishes(uploader: str, programs: Programs, project: Project, guarded: Index) -> None:
    """With name and password both files are published, the form's metadata agrees, and the page lists them at once."""
    outcome = UPLOADERS[uploader](programs, project, upload_of(guarded.server.url), guarded.person)
    assert outcome.code == 0, outcome.text
    assert sorted(guarded.page(project.name)) == project.filenames


def test_a_token_publishes(uploader: str, programs: Programs, project: Project, guarded: Index) -> None:
    """A token under the name ``__token__`` does the same, at ``/upload`` too."""
    outcome = UPLOADERS[uploader](programs, project, f"{guarded.server.url}/upload", guarded.token)
    assert outcome.code == 0, outcome.text
    assert sorted(guarded.page(project.name)) == project.filenames


def test_a_wrong_password_is_refused(
    uploader: str, programs: Programs, project: Project, guard: Callable[..., Index]
) -> None:
    """A wrong password publishes nothing; the client fails and says why, as far as it shows what a server says."""
    index = guard()
    outcome = UPLOADERS[uploader](programs, project, upload_of(index.server.url), Credential("admin", "wrong"))
    assert outcome.code != 0
    assert "401" in outcome.text
    assert (WRONG_PASSWORD in outcome.text) == (uploader in SHOW_A_401)
    assert not list(index.server.data.glob("*/*.whl"))


def test_the_same_files_again_are_a_success(
    uploader: str, programs: Programs, project: Project, guarded: Index
) -> None:
    """A release job that runs again succeeds, and changes nothing: twine takes no --skip-existing here."""
    url = upload_of(guarded.server.url)
    for _ in range(2):
        outcome = UPLOADERS[uploader](programs, project, url, guarded.token)
        assert outcome.code == 0, outcome.text
        pages = guarded.page(project.name)
    assert guarded.page(project.name) == pages


def test_other_bytes_under_a_taken_name_are_refused(
    uploader: str, programs: Programs, project: Project, guarded: Index
) -> None:
    """Changed files under the same names leave the published ones as they are, and the client fails."""
    url = upload_of(guarded.server.url)
    assert UPLOADERS[uploader](programs, project, url, guarded.token).code == 0
    published = guarded.page(project.name)
    outcome = UPLOADERS[uploader](programs, project.write("Changed."), url, guarded.token)
    assert outcome.code != 0
    assert "400" in outcome.text
    assert (OTHER_BYTES in outcome.text) == (uploader in SHOW_A_400)
    assert guarded.page(project.name) == published


@pytest.mark.parametrize("uploader", ["poetry", "pdm"])
def test_skip_existing_skips(uploader: str, programs: Programs, project: Project, guarded: Index) -> None:
    """--skip-existing knows our refusal by its words, and goes on with the files that are not there yet."""
    ours = {"poetry": poetry, "pdm": pdm}[uploader]
    url = upload_of(guarded.server.url)
    project.files[1].unlink()
    assert ours(programs, project, url, guarded.token).code == 0
    published = guarded.page(project.name)
    project.write("Changed.")
    outcome = ours(programs, project, url, guarded.token, "--skip-existing")
    assert outcome.code == 0, outcome.text
    assert sorted(guarded.page(project.name)) == project.filenames
    assert published.items() <= guarded.page(project.name).items()


def test_twine_reads_a_pypirc(programs: Programs, project: Project, guarded: Index) -> None:
    """A server of ``.pypirc`` is used by its name, with the name and the token of the file."""
    (programs.home / ".pypirc").write_text(
        f"[distutils]\nindex-servers = ours\n[ours]\nrepository = {guarded.server.url}/legacy/\n"
        f"username = __token__\npassword = {guarded.token.password}\n"
    )
    programs.well("twine", "upload", "--non-interactive", "--repository", "ours", *project.files)
    assert sorted(guarded.page(project.name)) == project.filenames


def test_twine_registers(programs: Programs, project: Project, guarded: Index) -> None:
    """``twine register``, which old release scripts still call, ends with a sentence and without an error."""
    url = upload_of(guarded.server.url)
    said = programs.well(
        "twine", "register", "--repository-url", url, "-u", "__token__", "-p", guarded.token.password, project.files[0]
    )
    assert "Registering" in said


def test_waitress_carries_the_sentence_in_the_reason(
    programs: Programs, project: Project, guard: Callable[..., Index]
) -> None:
    """Under waitress the reason phrase of a refusal is its sentence, so that twine shows it without --verbose."""
    index = guard("--server", "waitress")
    outcome = programs(
        "twine", "upload", "--non-interactive", "--repository-url", upload_of(index.server.url), "-u", "admin",
        "-p", "wrong", *project.files,
    )  # fmt: skip
    assert outcome.code != 0
    assert WRONG_PASSWORD in outcome.text


def test_uv_skips_what_the_check_url_shows(programs: Programs, project: Project, guarded: Index) -> None:
    """With --check-url a second run uploads nothing, and changed files are an error before any upload."""
    command = [
        "publish", "--no-config", "--trusted-publishing", "never", "--publish-url", upload_of(guarded.server.url),
        "--check-url", f"{guarded.server.url}/simple/", "--token", guarded.token.password,
    ]  # fmt: skip
    programs.well("uv", *command, *project.files)
    published = guarded.page(project.name)
    again = programs.well("uv", *command, *project.files)
    assert again.count("already exists, skipping") == 2
    changed = programs("uv", *command, *project.write("Changed.").files)
    assert changed.code != 0
    assert "Local file and index file do not match" in changed.text
    assert guarded.page(project.name) == published


def test_uv_publishes_by_the_name_of_an_index(programs: Programs, project: Project, guarded: Index) -> None:
    """``uv publish --index NAME`` takes both addresses from the project, and skips what is there."""
    pyproject = project.folder / "pyproject.toml"
    pyproject.write_text(
        pyproject.read_text(encoding="utf-8")
        + f'[[tool.uv.index]]\nname = "ours"\nurl = "{guarded.server.url}/simple/"\n'
        + f'publish-url = "{guarded.server.url}/upload"\n',
        encoding="utf-8",
    )
    credential: dict[str, Any] = {
        "UV_INDEX_OURS_USERNAME": "__token__",
        "UV_INDEX_OURS_PASSWORD": guarded.token.password,
    }
    command = ["publish", "--index", "ours", "--trusted-publishing", "never", "--token", guarded.token.password]
    programs.well("uv", *command, cwd=project.folder, **credential)
    assert sorted(guarded.page(project.name)) == project.filenames
    assert "already exists, skipping" in programs.well("uv", *command, cwd=project.folder, **credential)


def test_uv_tries_trusted_publishing_without_harm(programs: Programs, project: Project, guarded: Index) -> None:
    """With its default, to look for trusted publishing first, uv goes on with the token that it was given."""
    url = upload_of(guarded.server.url)
    programs.well(
        "uv", "publish", "--no-config", "--publish-url", url, "--token", guarded.token.password, *project.files
    )
    assert sorted(guarded.page(project.name)) == project.filenames


def test_a_server_without_accounts_takes_any_credential(
    programs: Programs, project: Project, live: Callable[..., LiveServer]
) -> None:
    """Without authentication twine's name and password, which it always asks for, are not looked at."""
    server = live()
    outcome = twine(programs, project, upload_of(server.url), Credential("any", "thing"))
    assert outcome.code == 0, outcome.text
    assert sorted(files_of(server, project.name)) == project.filenames


def test_what_is_served_is_what_was_sent(programs: Programs, project: Project, guarded: Index) -> None:
    """The files come back byte for byte, and the wheel's metadata as they stand in it."""
    assert twine(programs, project, upload_of(guarded.server.url), guarded.token).code == 0
    served = {name: fetched(guarded, project, file["url"]) for name, file in guarded.page(project.name).items()}
    assert served == {path.name: path.read_bytes() for path in project.files}
    wheel = guarded.page(project.name)[project.filenames[0]]
    metadata = zipfile.ZipFile(project.files[0]).read(f"{project.module}-1.0.dist-info/METADATA")
    assert fetched(guarded, project, wheel["url"] + ".metadata") == metadata


def fetched(index: Index, project: Project, url: str) -> bytes:
    """What an address of the project's page leads to."""
    with urllib.request.urlopen(urljoin(f"{index.server.url}/simple/{project.name}/", url), timeout=10) as response:
        return bytes(response.read())
