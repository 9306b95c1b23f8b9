"""Real uploads without a password, as a job of GitHub Actions makes them: ``uv publish --trusted-publishing always``
and ``pdm publish``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import NormalizedName

from permissions import MAIN
from tests.clients.conftest import files_of, services_of
from tests.clients.programs import BIN, Outcome, Programs, Project
from tests.clients.tls_front import Front, tls_front
from tests.conftest import TESTER, LiveServer
from tests.credentials.mock_issuer import Answer, MockIssuer

pytestmark = pytest.mark.clients

FIELDS = {"owner": "acme", "repository": "tool", "workflow": "release.yml"}


@contextmanager
def trusting(
    live: Callable[..., LiveServer], issuer: MockIssuer, folder: Path, project: str
) -> Iterator[tuple[LiveServer, Front]]:
    """A real server behind HTTPS, which trusts the job for a project that is not there yet."""
    server = live("--auth", PYPI_PUBLISHING_GITHUB=issuer.url)
    with closing(services_of(server, auth_enabled="true", publishing_github=issuer.url)) as services:
        admin = services.accounts.user("admin")
        assert admin is not None
        name = NormalizedName(project)
        services.publishers.add(MAIN, name, "github", FIELDS, by=TESTER, user_id=admin.id)
    with tls_front(folder, server.port) as front:
        yield server, front


def job(issuer: MockIssuer, token: str) -> dict[str, Any]:
    """The environment of a job; the provider gives it this token for our audience."""
    issuer.answers["/token?api-version=2.0&audience=pypi-clone"] = Answer(body=json.dumps({"value": token}).encode())
    return {
        "GITHUB_ACTIONS": "true",
        "ACTIONS_ID_TOKEN_REQUEST_URL": f"{issuer.url}/token?api-version=2.0",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "the job's own",
    }


def uv_publish(programs: Programs, project: Project, url: str, **environment: Any) -> Outcome:
    """What the job does with uv."""
    return programs(
        "uv", "publish", "--no-config", "--trusted-publishing", "always", "--publish-url", f"{url}/upload",
        *project.files, **environment,
    )  # fmt: skip


def uv_publish_by_tls(programs: Programs, project: Project, front: Front, issuer: MockIssuer, token: str) -> Outcome:
    """The same, where uv believes the certificate that is before the server."""
    return uv_publish(programs, project, front.url, SSL_CERT_FILE=str(front.ca_file), **job(issuer, token))


def test_a_job_publishes_without_a_password(
    programs: Programs, project: Project, live: Callable[..., LiveServer], issuer: MockIssuer, tmp_path: Path
) -> None:
    """Both files are published, the project belongs to who added the publisher, and the token is burnt afterwards."""
    with trusting(live, issuer, tmp_path, project.name) as (server, front):
        outcome = uv_publish_by_tls(programs, project, front, issuer, issuer.token(**issuer.github_claims()))
        assert outcome.code == 0, outcome.text
        assert sorted(files_of(server, project.name)) == project.filenames
        with closing(services_of(server, auth_enabled="true")) as services:
            assert services.readers.rights.ground(MAIN, NormalizedName(project.name)).owners == ("admin",)
            counted = services.database.quick("SELECT count(*), count(burned) FROM minted_tokens", ())
            assert tuple(counted) == (1, 1)


def test_a_job_that_is_not_trusted_is_told_why(
    programs: Programs, project: Project, live: Callable[..., LiveServer], issuer: MockIssuer, tmp_path: Path
) -> None:
    """Another repository publishes nothing, and uv shows our sentence."""
    with trusting(live, issuer, tmp_path, project.name) as (server, front):
        outcome = uv_publish_by_tls(programs, project, front, issuer, issuer.token(**issuer.github_claims("evil/tool")))
        assert outcome.code != 0
        assert "No trusted publisher of this server fits the job" in outcome.text.replace("\\'", "'")
        assert not list(server.data.glob("*/*.whl"))


def test_uv_insists_on_https(
    programs: Programs, project: Project, live: Callable[..., LiveServer], issuer: MockIssuer, tmp_path: Path
) -> None:
    """Also on this machine: with an upload address of plain HTTP it asks at https, and publishes nothing."""
    with trusting(live, issuer, tmp_path, project.name) as (server, _):
        outcome = uv_publish(programs, project, server.url, **job(issuer, issuer.token(**issuer.github_claims())))
        assert outcome.code != 0
        assert f"Failed to fetch: https://{server.url.removeprefix('http://')}/_/oidc/audience" in outcome.text
        assert not list(server.data.glob("*/*.whl"))


def test_pdm_asks_where_it_uploads(
    programs: Programs, project: Project, live: Callable[..., LiveServer], issuer: MockIssuer, tmp_path: Path
) -> None:
    """It keeps to the scheme of the upload address, so that a trial on this machine needs no certificate."""
    with trusting(live, issuer, tmp_path, project.name) as (server, _):
        outcome = programs(
            "pdm", "publish", "--no-build", "--repository", f"{server.url}/upload", cwd=project.folder,
            VIRTUAL_ENV=str(BIN.parent), **job(issuer, issuer.token(**issuer.github_claims())),
        )  # fmt: skip
        assert outcome.code == 0, outcome.text
        assert sorted(files_of(server, project.name)) == project.filenames
