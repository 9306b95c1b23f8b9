"""Coming over from an older server: the files and commands of docs/named-repositories.md, with real programs."""

from __future__ import annotations

import re
import shlex
import signal
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.clients.programs import Outcome, Programs, Project, Venv
from tests.conftest import ROOT, LiveServer, basic, free_port
from tests.factory import build_wheel

pytestmark = pytest.mark.clients

PAGE = (ROOT / "docs" / "named-repositories.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
INDEXES, ADMIN = (text for language, text in BLOCKS if language == "toml")
(START,) = (text.strip() for language, text in BLOCKS if language == "bash")
(CLIENTS,) = (text.splitlines() for language, text in BLOCKS if language == "sh")
SECRETS = re.findall(r'(?:secret|raw) = "(.+)"', INDEXES + ADMIN)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """The server, started as the page says with the files of the page; but team-b follows its folder each second."""
    folder = tmp_path_factory.mktemp("named")
    quick = INDEXES.replace("sync_index_interval = 60", "sync_index_interval = 1")
    assert quick != INDEXES
    for name, text in (("indexes.toml", quick), ("admin.toml", ADMIN)):
        (folder / name).write_text(text, encoding="utf-8")
    words = shlex.split(START)
    assert words[:3] == [".venv/bin/python", "cli.py", "start"]
    arguments = [str(folder / word) if word.endswith(".toml") else word for word in words[3:]]
    running = LiveServer(folder / "data", free_port(), arguments)
    running.start()
    yield running
    running.stop(signal.SIGKILL)


def ask(server: LiveServer, path: str, name: str, secret: str) -> tuple[int, str]:
    """The status and text of an answer."""
    request = urllib.request.Request(server.url + path, headers=basic(name, secret))
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def command(line: str, server: LiveServer, project: Project, venv: Venv, programs: Programs) -> Outcome:
    """Run a line of the page against the server, with a project of the test's own."""
    text = line.replace("localhost:8080", f"127.0.0.1:{server.port}").replace("demo-pkg", project.name)
    program, *words = shlex.split(text)
    words = [one for word in words for one in (map(str, project.files) if word == "dist/*" else [word])]
    if program == "pip":
        words = ["--python", str(venv.python), *words, "--no-deps"]
    elif words[0] == "pip":
        words += ["--python", str(venv.python), "--no-deps", "--no-config"]
    return programs(program, *words)


def uninstall(venv: Venv, project: Project) -> None:
    """Take the project out of the environment again."""
    venv.programs.well("uv", "pip", "uninstall", "--python", venv.python, project.name)


def test_the_commands_of_the_page_work(server: LiveServer, project: Project, venv: Venv, programs: Programs) -> None:
    """twine and uv upload to one index each, pip and uv install from it; neither index has what the other got."""
    twine, publish, pip, uv = CLIENTS
    assert ask(server, f"/simple/{project.name}/", "team-a", "loom-4711")[0] == 404
    done = command(twine, server, project, venv, programs)
    assert done.code == 0, done.text
    assert ask(server, f"/simple/{project.name}/", "team-a", "loom-4711")[0] == 200
    assert ask(server, f"/simple/{project.name}/", "team-b", "indigo-0815")[0] == 404
    done = command(publish, server, project.write("Another one."), venv, programs)
    assert done.code == 0, done.text
    for line in (pip, uv):
        done = command(line, server, project, venv, programs)
        assert done.code == 0, done.text
        assert venv.versions() == {project.name: "1.0"}
        uninstall(venv, project)
    wheels = [
        ask(server, f"/simple/{project.name}/{project.filenames[-1]}", name, secret)
        for name, secret in (("team-a", "loom-4711"), ("team-b", "indigo-0815"))
    ]
    assert [status for status, _ in wheels] == [200, 200]
    assert wheels[0] != wheels[1]


@pytest.mark.parametrize("line", CLIENTS[:2], ids=["twine", "uv"])
@pytest.mark.parametrize("secret", ["loom-4711", "indigo-0815", "wrong"])
def test_only_the_secret_to_upload_with_uploads(
    server: LiveServer, project: Project, venv: Venv, programs: Programs, line: str, secret: str
) -> None:
    """The program ends with the server's refusal."""
    done = command(re.sub(r"-p \S+", f"-p {secret}", line), server, project, venv, programs)
    assert done.code != 0
    assert re.search(r"\b40[13]\b", done.text), done.text


@pytest.mark.parametrize("line", CLIENTS[2:], ids=["pip", "uv"])
def test_what_a_base_has_is_installed_through_another_index(
    server: LiveServer, project: Project, venv: Venv, programs: Programs, line: str
) -> None:
    """prod shows what common has, since that is not closed; who has no secret of either gets nothing."""
    done = command(
        CLIENTS[0].replace("team-a -p shuttle-4711", "common -p thread-2026"), server, project, venv, programs
    )
    assert done.code == 0, done.text
    through = re.sub(r"//\S+@", "//prod:cloth-2026@", line)
    done = command(through, server, project, venv, programs)
    assert done.code == 0, done.text
    assert venv.versions() == {project.name: "1.0"}
    uninstall(venv, project)
    for pair in ("team-a:loom-4711", "prod:wrong", "absent:cloth-2026"):
        assert command(re.sub(r"//\S+@", f"//{pair}@", line), server, project, venv, programs).code != 0


@pytest.mark.parametrize("line", CLIENTS[2:], ids=["pip", "uv"])
def test_a_clients_cache_tells_the_indexes_apart(
    server: LiveServer, project: Project, venv: Venv, programs: Programs, line: str
) -> None:
    """One filename, other bytes: what a client kept of the one index is not taken for the other's. uv keeps by address
    alone, so it is given that of the index itself, as the page says.
    """
    for summary, pair in (("Of A.", "team-a -p shuttle-4711"), ("Of B.", "team-b -p madder-0815")):
        upload = CLIENTS[0].replace("team-a -p shuttle-4711", pair)
        done = command(upload, server, project.write(summary), venv, programs)
        assert done.code == 0, done.text
    script = f"import importlib.metadata as m; print(m.metadata({project.name!r})['Summary'])"
    for pair, summary in (("team-a:loom-4711", "Of A."), ("team-b:indigo-0815", "Of B.")) * 2:
        there = line.replace("/simple/", f"/index/{pair.partition(':')[0]}/simple/") if "uv " in line else line
        done = command(re.sub(r"//\S+@", f"//{pair}@", there), server, project, venv, programs)
        assert done.code == 0, done.text
        assert programs.well(venv.python, "-I", "-c", script) == summary
        uninstall(venv, project)


def test_files_that_are_put_into_the_folder_appear(server: LiveServer, name: str, tmp_path: Path) -> None:
    """In whatever folders; and the time of the last look moves on."""
    before = int(ask(server, "/index_mtime/", "team-b", "indigo-0815")[1])
    folder = server.data / "@team-b" / "from the older server"
    folder.mkdir(parents=True, exist_ok=True)
    built = build_wheel(tmp_path, name)
    built.rename(folder / built.name)
    assert until(lambda: ask(server, f"/simple/{name}/", "team-b", "indigo-0815")[0] == 200)
    assert (folder / built.name).exists()
    assert until(lambda: int(ask(server, "/index_mtime/", "team-b", "indigo-0815")[1]) > before)
    assert ask(server, f"/simple/{name}/", "team-a", "loom-4711")[0] == 404


def until(condition: Callable[[], bool]) -> bool:
    """Whether it becomes true within twenty seconds."""
    end = time.monotonic() + 20
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.1)
    return True


def test_no_secret_is_in_the_log(server: LiveServer) -> None:
    """Not of those that were sent, nor of those that the file has."""
    assert ask(server, "/simple/", "team-a", "loom-4711")[0] == 200
    assert ask(server, "/simple/", "team-a", "nearly-loom-4711")[0] == 401
    assert until(lambda: server.log.count(" index:team-a ") > 0)
    for secret in SECRETS:
        assert secret not in server.log


def test_the_text_by_environment_serves_a_job(live: Callable[..., LiveServer], tmp_path: Path) -> None:
    """As the page says; a start without it later lets the index be changed like any other."""
    (job,) = (text for language, text in BLOCKS if language == "yaml")
    text = "".join(line[4:] for line in job.splitlines(keepends=True) if line.startswith("    "))
    server = live(data=tmp_path / "data", PYPI_INDEXES_TEXT="true", PYPI_INDEXES=text)
    assert ask(server, "/simple/", "ci", "made-up-for-this-job")[0] == 200
    server.stop()
    assert "made-up" not in server.log
    again = live(data=tmp_path / "data")
    assert ask(again, "/simple/", "ci", "made-up-for-this-job")[0] == 200  # main, which anybody reads
