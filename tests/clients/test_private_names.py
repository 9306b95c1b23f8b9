"""A private name that is also on the upstream, higher there, asked for with pip and uv through every path: the private
one is installed, and the upstream never hears of the name.
"""

from __future__ import annotations

import signal
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.utils import NormalizedName

from distributions.claims import Claim
from services import Services
from tests.clients.conftest import Shelf, opened_shelf, services_of
from tests.clients.programs import Outcome, Venv
from tests.conftest import TESTER, LiveServer, free_port
from tests.factory import build_wheel

pytestmark = pytest.mark.clients

ACME, GONE, KEPT, OPENED, PUBLIC = (
    NormalizedName(name) for name in ("acme-tool", "acme-gone", "corp-lib", "shared-lib", "public-lib")
)


@dataclass(frozen=True, slots=True)
class Company:
    """A server whose index main caches an upstream, with the indexes dev (on main) and prod, and that upstream."""

    server: LiveServer
    services: Services
    upstream: Shelf

    def put(self, index: str, folder: Path, name: str, version: str = "0.3.0") -> None:
        """Publish a wheel on an index."""
        path = build_wheel(folder, name, version)
        with self.services.manager.receive() as incoming:
            incoming.write(path.read_bytes())
            self.services.manager.publish(index, incoming, Claim(path.name), by=TESTER)

    def was_asked_for(self, name: str) -> bool:
        """Whether the upstream saw a name: its log is read once it has the line of a request that came later."""
        mark = f"mark-{uuid.uuid4().hex}"
        with suppress(urllib.error.HTTPError):
            urllib.request.urlopen(f"{self.upstream.url}{mark}/", timeout=10).close()
        assert said(self.upstream.server, mark)
        return name in self.upstream.server.log


def said(server: LiveServer, text: str) -> bool:
    """Whether a server's log has a text within ten seconds: its lines are written together."""
    until = time.monotonic() + 10
    while text not in server.log:
        if time.monotonic() > until:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """acme-tool is private on main, acme-gone was, names like corp-* are kept, shared-lib is opened by its owner; the
    upstream has all of them higher, and public-lib.
    """
    folder = tmp_path_factory.mktemp("company")
    with opened_shelf(tmp_path_factory.mktemp("upstream")) as upstream:
        for name in (ACME, GONE, KEPT, OPENED, PUBLIC):
            upstream.put(name, "9.0")
        chosen = {"upstream_url": upstream.url, "upstream_allow_private": "true"}
        environ = {"PYPI_UPSTREAM": upstream.url, "PYPI_UPSTREAM_ALLOW_PRIVATE": "true"}
        server = LiveServer(folder / "data", free_port(), [], environ).start()
        with closing(services_of(server, **chosen)) as services:
            made = Company(server, services, upstream)
            for name in (ACME, GONE, OPENED):
                made.put("main", folder, name)
            services.manager.delete("main", GONE, by=TESTER)
            services.indexes.keep("main", "corp-*", by=TESTER)
            services.indexes.open_project("main", OPENED, opened=True, by=TESTER)
            for index in ("dev", "top"):
                services.indexes.create(index, by=TESTER)
            services.indexes.set_bases("dev", ["main"], by=TESTER)
            services.indexes.set_bases("top", ["dev"], by=TESTER)
            yield made
        server.stop(signal.SIGKILL)


def pip(venv: Venv, url: str, name: str) -> Outcome:
    """Install with pip, by the address alone."""
    command = ["--python", str(venv.python), "install", "--no-cache-dir", "--index-url", url, name]
    return venv.programs("pip", *command)


def uv(venv: Venv, url: str, name: str) -> Outcome:
    """Install with uv, by the address alone."""
    return venv.programs(
        "uv", "pip", "install", "--no-config", "--python", str(venv.python), "--default-index", url, name
    )


Install = Callable[[Venv, str, str], Outcome]
INSTALLERS = pytest.mark.parametrize("install", [pip, uv])
PATHS = pytest.mark.parametrize("path", ["/simple/", "/index/main/simple/", "/index/dev/simple/", "/index/top/simple/"])


@INSTALLERS
@PATHS
def test_the_private_one_is_installed(company: Company, venv: Venv, install: Install, path: str) -> None:
    """Not the higher one of the upstream, which is not asked."""
    assert install(venv, company.server.url + path, ACME).code == 0
    assert venv.versions() == {ACME: "0.3.0"}
    assert not company.was_asked_for(ACME)


@INSTALLERS
@PATHS
def test_a_name_that_is_kept_is_nobodys(company: Company, venv: Venv, install: Install, path: str) -> None:
    """Neither one whose last file was deleted, nor one under a pattern, however it is spelled."""
    for name in (GONE, KEPT, "Acme_Gone", "corp.lib"):
        assert install(venv, company.server.url + path, name).code != 0
    assert venv.versions() == {}
    assert not any(company.was_asked_for(one) for one in (GONE, KEPT))


@INSTALLERS
@PATHS
def test_an_opened_name_is_merged(company: Company, venv: Venv, install: Install, path: str) -> None:
    """Its owner said so: the higher one of the upstream is installed."""
    assert install(venv, company.server.url + path, OPENED).code == 0
    assert venv.versions() == {OPENED: "9.0"}


@INSTALLERS
@PATHS
def test_what_is_not_private_comes_from_the_upstream(company: Company, venv: Venv, install: Install, path: str) -> None:
    """Through the cache, with its file."""
    assert install(venv, company.server.url + path, PUBLIC).code == 0
    assert venv.versions() == {PUBLIC: "9.0"}


@INSTALLERS
def test_a_private_project_needs_no_upstream(
    tmp_path: Path, live: Callable[..., LiveServer], venv: Venv, install: Install
) -> None:
    """With the upstream down it is installed as ever, and what was taken in before is, too; what was not waits for the
    upstream: it is not said to be unknown.
    """
    (tmp_path / "upstream").mkdir()
    with opened_shelf(tmp_path / "upstream") as upstream:
        upstream.put(PUBLIC, "9.0")
        chosen = {"PYPI_UPSTREAM": upstream.url, "PYPI_UPSTREAM_ALLOW_PRIVATE": "true"}
        server = live(**chosen)
        with closing(services_of(server)) as services:
            Company(server, services, upstream).put("main", tmp_path, ACME)
        assert install(venv, f"{server.url}/simple/", PUBLIC).code == 0
    for name in (ACME, PUBLIC):
        done = install(venv, f"{server.url}/simple/", name)
        assert done.code == 0, done.text
    assert install(venv, f"{server.url}/simple/", "absent").code != 0
    assert said(server, " 503 GET    /simple/absent/")
