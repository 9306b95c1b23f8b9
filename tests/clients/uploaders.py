"""How each uploader is told where to upload and as whom. All take what lies in ``dist``; flit builds the same names."""

from __future__ import annotations

from collections.abc import Callable

from tests.clients.programs import BIN, Credential, Outcome, Programs, Project

Uploader = Callable[[Programs, Project, str, Credential], Outcome]


def twine(programs: Programs, project: Project, url: str, credential: Credential) -> Outcome:
    """twine; only with --verbose it shows the body of a refusal, and not all servers carry the reason phrase."""
    return programs(
        "twine", "upload", "--non-interactive", "--disable-progress-bar", "--verbose", "--repository-url", url,
        "--username", credential.username, "--password", credential.password, *project.files,
    )  # fmt: skip


def uv(programs: Programs, project: Project, url: str, credential: Credential) -> Outcome:
    """uv publish."""
    return programs(
        "uv", "publish", "--no-config", "--trusted-publishing", "never", "--publish-url", url,
        "--username", credential.username, "--password", credential.password, *project.files,
    )  # fmt: skip


def poetry(programs: Programs, project: Project, url: str, credential: Credential, *more: str) -> Outcome:
    """poetry publish, with the repository in its environment."""
    return programs(
        "poetry", "publish", "--no-interaction", "--no-plugins", "--repository", "ours", "--dist-dir", "dist",
        "--username", credential.username, "--password", credential.password, *more,
        cwd=project.folder, POETRY_REPOSITORIES_OURS_URL=url,
    )  # fmt: skip


def hatch(programs: Programs, project: Project, url: str, credential: Credential) -> Outcome:
    """hatch publish."""
    return programs(
        "hatch", "publish", "--no-prompt", "--repo", url, "--user", credential.username,
        "--auth", credential.password, *project.files, cwd=project.folder,
    )  # fmt: skip


def pdm(programs: Programs, project: Project, url: str, credential: Credential, *more: str) -> Outcome:
    """pdm publish, under the Python that it runs on itself."""
    return programs(
        "pdm", "publish", "--no-build", "--repository", url, "--username", credential.username,
        "--password", credential.password, *more, cwd=project.folder, VIRTUAL_ENV=str(BIN.parent),
    )  # fmt: skip


def flit(programs: Programs, project: Project, url: str, credential: Credential) -> Outcome:
    """flit publish: builds a wheel and an sdist by itself and uploads them."""
    return programs(
        "flit", "publish", "--no-use-vcs", cwd=project.folder,
        FLIT_INDEX_URL=url, FLIT_USERNAME=credential.username, FLIT_PASSWORD=credential.password,
    )  # fmt: skip


UPLOADERS: dict[str, Uploader] = {
    "twine": twine, "uv": uv, "poetry": poetry, "hatch": hatch, "pdm": pdm, "flit": flit,
}  # fmt: skip
