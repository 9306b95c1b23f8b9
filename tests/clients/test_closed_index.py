"""Installing where list, download and upload all need a login: every way to give one, and what happens without."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest

from people.tokens import Limits
from tests.clients.conftest import ADMIN, Shelf, services_of
from tests.clients.programs import Credential, Outcome, Programs, Venv
from tests.conftest import TESTER, LiveServer, free_port

pytestmark = pytest.mark.clients

PARTS = 15  # uv asks with an empty password once a file: more than would close the address, were these guesses
KEYRING = '''"""A keyring that knows one password, whatever the address."""
import os
from keyring.backend import KeyringBackend
from keyring.errors import PasswordSetError


class Fixed(KeyringBackend):
    priority = 9

    def get_password(self, service, username):
        return os.environ["KEPT_PASSWORD"]

    def set_password(self, service, username, password):
        raise PasswordSetError("This one keeps what it was given at its start.")
'''


class Closed(NamedTuple):
    """A server on which nobody does anything without a login, with projects on it, and who may read there."""

    shelf: Shelf
    person: Credential
    token: Credential


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    """The server: ``whole`` needs fifteen parts."""
    folder = tmp_path_factory.mktemp("closed")
    arguments = ["-a", "list, download, update"]
    server = LiveServer(folder / "data", free_port(), arguments, {"PYPI_ADMIN_PASSWORD": ADMIN.password})
    server.start()
    with closing(services_of(server, auth_enabled="true")) as services:
        shelf = Shelf(server, services, folder)
        for number in range(PARTS):
            shelf.put(f"part{number}")
        shelf.put("whole", requires_dist=[f"part{number}" for number in range(PARTS)])
        services.users.create_user("reader", "a reader's password", by=TESTER)
        token, _ = services.tokens.create_token("reader", "ci", Limits(1, scopes=("read",)), by=TESTER)
        yield Closed(shelf, Credential("reader", "a reader's password"), Credential("__token__", token.text))
    server.stop(signal.SIGKILL)


def pip(venv: Venv, url: str, *more: str, environ: Mapping[str, str] | None = None) -> Outcome:
    """Install the project with pip."""
    command = ["--python", str(venv.python), "install", "--no-cache-dir", "--index-url", url, *more, "whole"]
    return Programs(venv.programs.home, dict(environ or {}))("pip", *command)


def uv(venv: Venv, url: str, *more: str, environ: Mapping[str, str] | None = None) -> Outcome:
    """Install the project with uv."""
    command = ["pip", "install", "--no-config", "--python", str(venv.python), "--default-index", url, *more, "whole"]
    return Programs(venv.programs.home, dict(environ or {}))("uv", *command)


Install = Callable[..., Outcome]
INSTALLERS = pytest.mark.parametrize("install", [pip, uv])


def address(closed: Closed, username: str = "", password: str = "") -> str:
    """The simple page's URL, with a name and a password where they are given."""
    login = quote(username, safe="") + (f":{quote(password, safe='')}" if password else "") + ("@" if username else "")
    return f"http://{login}127.0.0.1:{closed.shelf.server.port}/simple/"


def netrc(programs: Programs, credential: Credential) -> dict[str, str]:
    """A ~/.netrc with a login for this machine, and the variables to find it by."""
    path = programs.home / ".netrc"
    path.write_text(f'machine 127.0.0.1 login {credential.username} password "{credential.password}"\n')
    path.chmod(0o600)
    return {"NETRC": str(path)}


def keyring(folder: Path, password: str) -> dict[str, str]:
    """The variables with which the keyring program finds one password."""
    (folder / "fixed_keyring.py").write_text(KEYRING)
    return {
        "PYTHONPATH": str(folder), "PYTHON_KEYRING_BACKEND": "fixed_keyring.Fixed", "KEPT_PASSWORD": password,
    }  # fmt: skip


@INSTALLERS
def test_a_login_in_the_address_installs(install: Install, venv: Venv, closed: Closed) -> None:
    """A name with its password, or a token under ``__token__``; the whole is there with all parts."""
    assert install(venv, address(closed, "reader", closed.person.password)).code == 0
    assert set(venv.versions()) == {"whole", *(f"part{number}" for number in range(PARTS))}
    assert install(venv, address(closed, "__token__", closed.token.password)).code == 0


@INSTALLERS
def test_a_netrc_installs(install: Install, venv: Venv, closed: Closed) -> None:
    """Nothing is in the address."""
    done = install(venv, address(closed), environ=netrc(venv.programs, closed.token))
    assert done.code == 0, done.text
    assert "whole" in venv.versions()


@INSTALLERS
@pytest.mark.parametrize("who", ["person", "token"])
def test_a_keyring_installs(install: Install, who: str, venv: Venv, closed: Closed, tmp_path: Path) -> None:
    """The name is in the address, the password in the keyring; many files are no guesses that shut the reader out."""
    credential: Credential = getattr(closed, who)
    environ = keyring(tmp_path, credential.password)
    done = install(venv, address(closed, credential.username), "--keyring-provider", "subprocess", environ=environ)
    assert done.code == 0, done.text
    assert len(venv.versions()) == PARTS + 1


@INSTALLERS
@pytest.mark.parametrize("login", [("", ""), ("reader", "wrong"), ("__token__", "wrong"), ("nobody", "wrong")])
def test_nothing_is_had_without_a_good_login(
    install: Install, login: tuple[str, str], venv: Venv, closed: Closed
) -> None:
    """The client ends with an error, and has installed nothing."""
    assert install(venv, address(closed, *login)).code != 0
    assert venv.versions() == {}


def test_a_token_that_may_not_read_is_told_from_a_wrong_one(closed: Closed, venv: Venv) -> None:
    """403, not 401: uv shows that, so that its owner looks at the token's scopes."""
    services: Any = closed.shelf.services
    token, _ = services.tokens.create_token("reader", "upload", Limits(1, scopes=("upload",)), by=TESTER)
    done = uv(venv, address(closed, "__token__", token.text))
    assert done.code != 0
    assert "403" in done.text
