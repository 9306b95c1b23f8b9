"""How a publisher is shown to people, and how attestations name it."""

from __future__ import annotations

from typing import Any

from credentials.publishers import GITHUB_ISSUER, attestation_identity, describe, make, url
from tests.credentials.publishers.jobs import GITHUB, GITLAB, GOOGLE, oidc


def test_described_in_a_line() -> None:
    """A person and the journal can tell publishers apart."""
    assert describe(make("github", GITHUB)) == "github:acme/tool release.yml"
    within = make("github", {**GITHUB, "environment": "pypi"})
    assert describe(within) == "github:acme/tool release.yml (environment pypi)"
    assert describe(make("gitlab", GITLAB)) == "gitlab:acme/group/tool .gitlab-ci.yml"
    own = make("gitlab", GITLAB, "https://git.example.com:8443/lab")
    assert describe(own) == "gitlab:git.example.com:8443/lab/acme/group/tool .gitlab-ci.yml"
    assert describe(make("google", GOOGLE)) == "google:builder@acme.iam.example.com"
    assert describe(oidc(sub="repo:acme/*", branch="main")) == "oidc:ci.example.com branch=main sub=repo:acme/*"
    assert len(describe(oidc(sub="x" * 255, branch="y" * 255))) == 200


def test_where_people_find_it() -> None:
    """The repository's page, at the host that the issuer belongs to."""
    assert url(make("github", GITHUB)) == "https://github.com/acme/tool"
    server = make("github", GITHUB, "https://github.example.com/_services/token")
    assert url(server) == "https://github.example.com/acme/tool"
    assert url(make("github", GITHUB, "https://token.actions.acme.example.com")) == "https://acme.example.com/acme/tool"
    assert url(make("github", GITHUB, GITHUB_ISSUER + "/acme")) == "https://github.com/acme/tool"
    assert url(make("gitlab", GITLAB)) == "https://gitlab.com/acme/group/tool"
    assert url(make("gitlab", GITLAB, "https://example.com/lab/")) == "https://example.com/lab/acme/group/tool"
    assert url(make("google", GOOGLE)) is None
    assert url(oidc(sub="x")) is None


def test_as_attestations_name_it() -> None:
    """PEP 740's publisher object, of the public providers only: another server's repository is not theirs."""
    assert attestation_identity(make("github", GITHUB)) == {
        "kind": "GitHub",
        "repository": "acme/tool",
        "workflow": "release.yml",
        "environment": None,
    }
    assert attestation_identity(make("gitlab", {**GITLAB, "environment": "prod"})) == {
        "kind": "GitLab",
        "repository": "acme/group/tool",
        "workflow_filepath": ".gitlab-ci.yml",
        "environment": "prod",
    }
    assert attestation_identity(make("google", GOOGLE)) == {"kind": "Google", **GOOGLE}
    assert attestation_identity(make("gitlab", GITLAB, "https://gitlab.example.com")) is None
    assert attestation_identity(oidc(sub="x")) is None


def test_attestation_library_takes_it() -> None:
    """The reference library reads the publisher objects that are made here."""
    from pydantic import TypeAdapter
    from pypi_attestations import Publisher as Theirs

    reader: TypeAdapter[Any] = TypeAdapter(Theirs)
    for kind, fields in (("github", GITHUB), ("gitlab", GITLAB), ("google", GOOGLE)):
        said = attestation_identity(make(kind, fields))
        assert said is not None
        assert reader.validate_python(said).kind == said["kind"]
