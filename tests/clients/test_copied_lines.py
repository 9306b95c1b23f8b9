"""Every line that the pages offer to copy, taken from the page as a browser shows it and run by its program."""

from __future__ import annotations

import html
import json
import re
import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from people.tokens import Limits
from tests.clients.conftest import ADMIN, Shelf, page_with_token, services_of
from tests.clients.programs import WINDOWS, Programs, Venv
from tests.conftest import TESTER, LiveServer, basic, free_port

pytestmark = [pytest.mark.clients, pytest.mark.skipif(WINDOWS, reason="the lines are those of a POSIX shell")]

_BOX = re.compile(r'<div class="command" data-copy="([^"]+)"><pre><code>(.*?)</code>', re.DOTALL)
APPLICATION = """[project]
name = "application"
version = "1"
requires-python = ">=3.11,<4"
dependencies = []
[tool.poetry]
package-mode = false
[tool.pdm]
distribution = false
"""
# Which lines are a way of their own, by what the copy buttons say of them; those after a file's are run with it.
WAYS = {
    "pip": ["the pip command"],
    "pip for good": ["the pip settings", "pip install {}"],
    "uv": ["the uv command"],
    "uv project": ["the uv settings", "the uv command for a project"],
    "poetry": ["the poetry source", "the poetry command"],
    "pdm": ["the pdm settings", "the pdm command"],
    "CI with pip": ["the variables for CI", "the pip command for CI"],
    "CI with uv": ["the variables for CI", "the uv command for CI"],
}
PINNED = ["the lines for requirements.txt", "the command for requirements.txt"]
COMPILED = ["the command that writes requirements.txt", "the command for requirements.txt"]
WAYS_WITH_NETRC = {name: way for name, way in WAYS.items() if "CI" not in name} | {"requirements": COMPILED}
PLACES = {
    "the pip settings": "config/pip/pip.conf", "the uv settings": "pyproject.toml",
    "the lines for requirements.txt": "requirements.txt",
}  # fmt: skip


def lines_of(url: str, **headers: str) -> dict[str, str]:
    """What a page offers to copy, by what its button says."""
    with urllib.request.urlopen(urllib.request.Request(url, headers={"Accept": "text/html", **headers})) as answer:
        return offered_by(answer.read().decode())


def offered_by(page: str) -> dict[str, str]:
    """What a page that was read offers to copy, by what its button says."""
    return {html.unescape(label): html.unescape(lines) for label, lines in _BOX.findall(page)}


@dataclass(frozen=True, slots=True)
class Desk:
    """A person's folder with a project and an empty environment; what they copy is done there."""

    venv: Venv
    folder: Path

    def follow(self, lines: dict[str, str], way: list[str], requirement: str = "", **more: str) -> dict[str, str]:
        """Do as a way's lines say; what is installed then. More is environment."""
        home = self.venv.programs.home
        script = []
        for label in way:
            text = lines.get(label) or label.format(requirement)
            if label in PLACES:
                path = (home if label == "the pip settings" else self.folder) / PLACES[label]
                path.parent.mkdir(parents=True, exist_ok=True)
                with path.open("a") as file:
                    file.write(f"{text}\n")
            else:
                script.append(text)
        environ = self.venv.programs.environment() | {
            "VIRTUAL_ENV": str(self.venv.folder), "UV_PROJECT_ENVIRONMENT": str(self.venv.folder),
            "PIP_PYTHON": str(self.venv.python), "PIP_CONFIG_FILE": "", **more,
        }  # fmt: skip
        done = subprocess.run(
            ["sh", "-ec", "\n".join(script)], cwd=self.folder, env=environ, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{script}\n{done.stdout}"
        return self.venv.versions()


@pytest.fixture
def desk(venv: Venv, tmp_path: Path) -> Desk:
    """An empty desk."""
    folder = tmp_path / "application"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(APPLICATION)
    return Desk(venv, folder)


def stock(shelf: Shelf) -> None:
    """Looms in every state, and what they need."""
    for version in ("0.9", "1.0", "1!1.0", "1!2.0rc1"):
        shelf.put("looms", version)
    shelf.yank("looms", "0.9", "bad")
    shelf.put("mill", "3.0", requires_dist=["looms>=1"])


@pytest.fixture(scope="module")
def mill(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """An open server that is stocked."""
    folder = tmp_path_factory.mktemp("mill")
    server = LiveServer(folder / "data", free_port()).start()
    with closing(services_of(server)) as services:
        shelf = Shelf(server, services, folder)
        stock(shelf)
        yield shelf
    server.stop(signal.SIGKILL)


@pytest.mark.parametrize("way", [*WAYS.values(), COMPILED], ids=[*WAYS, "requirements"])
def test_the_lines_of_a_project_install_it(desk: Desk, mill: Shelf, way: list[str]) -> None:
    """The newest release, and all that it needs."""
    lines = lines_of(f"{mill.server.url}/project/mill/")
    assert desk.follow(lines, way, "mill") == {"mill": "3.0", "looms": "1!1.0"}


@pytest.mark.parametrize("way", [*WAYS.values(), PINNED], ids=[*WAYS, "requirements"])
@pytest.mark.parametrize("version", ["0.9", "1!2.0rc1"])
def test_the_lines_of_a_release_install_just_that(desk: Desk, mill: Shelf, way: list[str], version: str) -> None:
    """One that is old and yanked, or a pre-release with an epoch, whose sign means something to shells."""
    lines = lines_of(f"{mill.server.url}/project/looms/{version}/")
    assert desk.follow(lines, way, f"'looms=={version}'") == {"looms": version}


@pytest.mark.parametrize("way", [*WAYS.values(), COMPILED], ids=[*WAYS, "requirements"])
def test_the_lines_of_the_home_page_set_up_a_client(desk: Desk, mill: Shelf, way: list[str]) -> None:
    """Whatever project NAME stands for."""
    lines = {label: text.replace("NAME", "looms") for label, text in lines_of(f"{mill.server.url}/").items()}
    assert desk.follow(lines, way, "looms") == {"looms": "1!1.0"}


def test_no_line_is_left_untried(mill: Shelf) -> None:
    """Each line of the box belongs to a way that these tests follow."""
    tried = {label for way in [*WAYS.values(), PINNED, COMPILED] for label in way}
    for page in ("/project/mill/", "/project/looms/", "/"):
        offered = set(lines_of(mill.server.url + page)) - {"the twine command", "the uv publish command"}
        assert offered <= tried


def test_the_api_has_a_line_that_works(desk: Desk, mill: Shelf) -> None:
    """``install`` in the answers of the REST API."""
    with urllib.request.urlopen(f"{mill.server.url}/api/packages/looms/0.9") as answer:
        line = json.load(answer)["install"]
    assert desk.follow({}, [line]) == {"looms": "0.9"}


# -- over plain HTTP, from another machine


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """A server that is known by an address which installers do not take for this machine."""
    folder = tmp_path_factory.mktemp("network")
    server = LiveServer(folder / "data", free_port(), ["--host", "0.0.0.0"]).start()
    with closing(services_of(server)) as services:
        shelf = Shelf(server, services, folder)
        stock(shelf)
        yield shelf
    server.stop(signal.SIGKILL)


@pytest.mark.parametrize("way", [*WAYS.values(), COMPILED], ids=[*WAYS, "requirements"])
def test_plain_http_is_trusted_where_that_is_needed(desk: Desk, network: Shelf, way: list[str]) -> None:
    """pip and pdm pass over an index without TLS on another machine unless they are told to trust it."""
    lines = lines_of(f"http://0.0.0.0:{network.server.port}/project/mill/")
    direct = dict.fromkeys(("NO_PROXY", "no_proxy"), "0.0.0.0,127.0.0.1,localhost")
    assert desk.follow(lines, way, "mill", **direct) == {"mill": "3.0", "looms": "1!1.0"}


# -- where reading needs a login


@dataclass(frozen=True, slots=True)
class Closed:
    """A server on which nobody reads without a login, and a token that may read."""

    shelf: Shelf
    token: str

    def lines(self, page: str) -> dict[str, str]:
        """What a page offers to who is signed in, with the token where the page has a word for it."""
        found = lines_of(self.shelf.server.url + page, **basic("reader", "a reader's password"))
        return {label: text.replace("TOKEN", self.token) if "$" not in text else text for label, text in found.items()}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    """The server, stocked."""
    folder = tmp_path_factory.mktemp("closed")
    arguments = ["-a", "list, download, update"]
    server = LiveServer(folder / "data", free_port(), arguments, {"PYPI_ADMIN_PASSWORD": ADMIN.password}).start()
    with closing(services_of(server, auth_enabled="true")) as services:
        shelf = Shelf(server, services, folder)
        stock(shelf)
        services.users.create_user("reader", "a reader's password", by=TESTER)
        token, _ = services.tokens.create_token("reader", "ci", Limits(1, scopes=("read",)), by=TESTER)
        yield Closed(shelf, token.text)
    server.stop(signal.SIGKILL)


def keep_login(programs: Programs, lines: dict[str, str]) -> None:
    """Write the page's line into ~/.netrc."""
    path = programs.home / ".netrc"
    path.write_text(lines["the line for .netrc"] + "\n")
    path.chmod(0o600)


@pytest.mark.parametrize("way", WAYS_WITH_NETRC.values(), ids=WAYS_WITH_NETRC)
def test_a_netrc_is_enough_for_every_tool(desk: Desk, closed: Closed, programs: Programs, way: list[str]) -> None:
    """With the line that the page has for it, all other lines work as they are."""
    lines = closed.lines("/project/mill/")
    keep_login(programs, lines)
    assert desk.follow(lines, way, "mill") == {"mill": "3.0", "looms": "1!1.0"}


@pytest.mark.parametrize("way", ["pip", "uv"])
def test_nothing_is_had_without_a_login(desk: Desk, closed: Closed, way: str) -> None:
    """So it is the login that made the others work."""
    with pytest.raises(AssertionError, match="pip install"):
        desk.follow(closed.lines("/project/mill/"), WAYS[way])
    assert desk.venv.versions() == {}


def test_a_token_in_the_address_is_enough_for_pip(desk: Desk, closed: Closed) -> None:
    """Nothing else is set up."""
    lines = closed.lines("/project/mill/")
    assert desk.follow(lines, ["the pip command with a token"]) == {"mill": "3.0", "looms": "1!1.0"}


@pytest.mark.parametrize("way", ["CI with pip", "CI with uv"])
def test_a_job_reads_with_its_secret(desk: Desk, closed: Closed, way: str) -> None:
    """The token stands in no line, but in a variable of the job."""
    lines = closed.lines("/project/mill/")
    assert closed.token not in lines["the variables for CI"]
    assert desk.follow(lines, WAYS[way], INDEX_TOKEN=closed.token) == {"mill": "3.0", "looms": "1!1.0"}


def test_no_line_of_a_closed_index_is_left_untried(closed: Closed) -> None:
    """Two more than on an open one."""
    tried = {label for way in [*WAYS.values(), COMPILED] for label in way}
    assert set(closed.lines("/project/mill/")) - tried == {"the line for .netrc", "the pip command with a token"}


# -- beside a new token


@pytest.fixture(scope="module")
def beside_token(closed: Closed) -> dict[str, str]:
    """What the account page offers to whoever made a token that may read."""
    return {
        label: text.replace("NAME", "mill")
        for label, text in offered_by(page_with_token(closed.shelf.server, "read")).items()
    }


@pytest.mark.parametrize("way", WAYS_WITH_NETRC.values(), ids=WAYS_WITH_NETRC)
def test_the_lines_beside_a_token_install_with_it(
    desk: Desk, beside_token: dict[str, str], programs: Programs, way: list[str]
) -> None:
    """The token stands in them, so that only a project's name is filled in."""
    keep_login(programs, beside_token)
    assert desk.follow(beside_token, way, "mill") == {"mill": "3.0", "looms": "1!1.0"}


def test_the_address_beside_a_token_has_it(desk: Desk, beside_token: dict[str, str]) -> None:
    """For pip that is enough."""
    assert desk.follow(beside_token, ["the pip command with a token"]) == {"mill": "3.0", "looms": "1!1.0"}


@pytest.mark.parametrize("way", ["CI with pip", "CI with uv"])
def test_a_job_reads_with_the_token_as_its_secret(desk: Desk, beside_token: dict[str, str], way: str) -> None:
    """It is shown to be copied alone, and stands in no line for a job."""
    token = beside_token["the token"]
    assert token not in beside_token["the variables for CI"]
    assert desk.follow(beside_token, WAYS[way], INDEX_TOKEN=token) == {"mill": "3.0", "looms": "1!1.0"}


def test_no_line_beside_a_token_is_left_untried(closed: Closed, beside_token: dict[str, str]) -> None:
    """They are those of a closed index's other pages, and the token."""
    assert beside_token.keys() == closed.lines("/project/mill/").keys() | {"the token"}
