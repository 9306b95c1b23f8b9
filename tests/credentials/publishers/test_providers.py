"""GitHub, GitLab and Google: only the job that somebody configured matches, and no other that looks like it."""

from __future__ import annotations

from typing import Any

import pytest

from credentials.publishers import GITHUB_ISSUER, GITLAB_ISSUER, make, matches, pinned
from tests.credentials.publishers.jobs import CI, GITHUB, GITLAB, GOOGLE, SHA, github_job, gitlab_job, google_job, oidc


def test_github_job_matches() -> None:
    """The job of the workflow in the repository is the publisher's, of whatever ref and event."""
    publisher = make("github", GITHUB)
    assert publisher.issuer == GITHUB_ISSUER
    assert matches(publisher, github_job())
    assert matches(publisher, github_job(ref="refs/heads/main", event_name="workflow_dispatch"))


def test_github_names_know_no_case() -> None:
    """Owner, repository and environment are compared without case, as GitHub does."""
    publisher = make("github", {**GITHUB, "owner": "Acme", "repository": "TOOL", "environment": "Release"})
    assert matches(publisher, github_job(repository="aCme/Tool", environment="rELEASE"))


def test_github_job_of_a_commit() -> None:
    """Where the ref is empty, the workflow's version is the commit."""
    job = github_job(job_workflow_ref=f"acme/tool/.github/workflows/release.yml@{SHA}")
    assert matches(make("github", GITHUB), job | {"ref": ""})
    assert matches(make("github", GITHUB), job)


OTHER_GITHUB_JOBS: dict[str, dict[str, Any]] = {
    "another repository": {"repository": "acme/other"},
    "another owner": {"repository": "acme2/tool"},
    "a longer repository": {"repository": "acme/tool-fork"},
    "the repository only claimed": {"repository_owner": "mallory"},
    "another workflow": {"workflow": "test.yml"},
    "a workflow that ends so": {"workflow": "not-release.yml"},
    "a workflow that begins so": {"workflow": "release.yml2"},
    "the workflow in another case": {"workflow": "Release.yml"},
    "a workflow in a folder": {"workflow": "sub/release.yml"},
    "a reusable workflow of others": {
        "job_workflow_ref": "mallory/tool/.github/workflows/release.yml@refs/tags/v1.0",
    },
    "a workflow of another ref": {"job_workflow_ref": "acme/tool/.github/workflows/release.yml@refs/heads/evil"},
    "a workflow without ref": {"job_workflow_ref": "acme/tool/.github/workflows/release.yml@"},
    "empty ref and commit": {
        "job_workflow_ref": "acme/tool/.github/workflows/release.yml@",
        "ref": "",
        "sha": "",
    },
    "a ref that looks like a workflow": {
        "job_workflow_ref": "acme/tool/.github/workflows/x.yml@acme/tool/.github/workflows/release.yml@refs/tags/v1.0",
    },
    "no workflow": {"job_workflow_ref": None},
    "no ref": {"ref": None, "job_workflow_ref": f"acme/tool/.github/workflows/release.yml@{SHA}"},
    "no commit": {"sha": None},
    "a stranger's pull request": {"event_name": "pull_request_target"},
    "no event": {"event_name": None},
    "no number of its own": {"jti": None},
    "no repository": {"repository": "", "repository_owner": ""},
    "lists": {"repository_owner": ["acme"]},
    "another issuer": {"iss": "https://ci.example.com"},
    "the issuer in another case": {"iss": GITHUB_ISSUER.upper()},
    "no issuer": {"iss": None},
}


@pytest.mark.parametrize("claims", OTHER_GITHUB_JOBS.values(), ids=OTHER_GITHUB_JOBS)
def test_other_github_jobs_do_not_match(claims: dict[str, Any]) -> None:
    """Whatever else a job says, it is not the publisher's, and nothing a claim holds breaks the comparison."""
    assert not matches(make("github", GITHUB), github_job(**claims))


@pytest.mark.parametrize("name", [*github_job(), "environment"])
@pytest.mark.parametrize("value", [["x"], {"x": "y"}, 7, True, None, ""])
def test_claims_of_other_types_do_not_match(name: str, value: Any) -> None:
    """A claim of the wrong type is no match where it counts, and no error anywhere."""
    full = {**GITHUB, "owner_id": "65", "repository_id": "4711", "environment": "pypi"}
    job = {**github_job(environment="pypi"), name: value}
    assert matches(make("github", full), github_job(environment="pypi"))
    never_looked_at = {"sub", "workflow_ref", "ref_type", "actor", "run_id", "aud", "iat", "nbf", "exp"}
    still_there = name == "sha"  # it has to be there, and counts only where the ref does not
    assert matches(make("github", full), job) == (name in never_looked_at or still_there)


def test_similar_letters_are_not_the_same() -> None:
    """The Kelvin sign is not the letter k, though its small letter is."""
    publisher = make("github", {**GITHUB, "owner": "kit"})
    assert matches(publisher, github_job(repository="Kit/tool"))
    assert not matches(publisher, github_job(repository="\u212ait/tool"))


def test_github_numbers_are_compared_where_known() -> None:
    """A name that was given to somebody else has another number."""
    publisher = make("github", {**GITHUB, "owner_id": "65", "repository_id": "4711"})
    assert matches(publisher, github_job())
    assert not matches(publisher, github_job(repository_owner_id="66"))
    assert not matches(publisher, github_job(repository_owner_id=None))
    assert not matches(publisher, github_job(repository_id="4712"))


def test_github_environment() -> None:
    """A publisher with an environment takes jobs in it only; one without takes any."""
    with_one = make("github", {**GITHUB, "environment": "pypi"})
    assert matches(with_one, github_job(environment="PyPI"))
    assert not matches(with_one, github_job())
    assert not matches(with_one, github_job(environment="pypi2"))
    assert matches(make("github", GITHUB), github_job(environment="anything"))


@pytest.mark.parametrize(
    "issuer",
    [GITLAB_ISSUER, "https://gitlab.example.com", "https://git.example.com:8443", "https://example.com/gitlab"],
)
def test_gitlab_job_matches(issuer: str) -> None:
    """Any GitLab will do; its host, port and folder stand before the pipeline's file."""
    publisher = make("gitlab", GITLAB, issuer)
    assert matches(publisher, gitlab_job(issuer))
    assert matches(make("gitlab", {**GITLAB, "namespace": "ACME/Group"}, issuer), gitlab_job(issuer))
    commit = f"{issuer.partition('://')[2]}/acme/group/tool//.gitlab-ci.yml@{SHA}"
    assert matches(publisher, gitlab_job(issuer, ci_config_ref_uri=commit))
    assert not matches(publisher, gitlab_job("https://gitlab.example.org"))
    assert not matches(publisher, gitlab_job("https://gitlab.example.org") | {"iss": issuer})


OTHER_GITLAB_JOBS: dict[str, dict[str, Any]] = {
    "another path": {"project_path": "acme/group/other"},
    "another subject": {"sub": "project_path:acme/group/tool2:ref_type:tag:ref:v1.0"},
    "a subject of another kind": {"sub": "user:acme/group/tool"},
    "no subject": {"sub": None},
    "another file": {"ci_config_ref_uri": "gitlab.com/acme/group/tool//other.yml@refs/tags/v1.0"},
    "a file of another project": {"ci_config_ref_uri": "gitlab.com/mallory/tool//.gitlab-ci.yml@refs/tags/v1.0"},
    "a file of another host": {"ci_config_ref_uri": "gitlab.org/acme/group/tool//.gitlab-ci.yml@refs/tags/v1.0"},
    "a file in a folder": {"ci_config_ref_uri": "gitlab.com/acme/group/tool//sub/.gitlab-ci.yml@refs/tags/v1.0"},
    "a file of another ref": {"ci_config_ref_uri": "gitlab.com/acme/group/tool//.gitlab-ci.yml@refs/heads/evil"},
    "a file without ref": {"ci_config_ref_uri": "gitlab.com/acme/group/tool//.gitlab-ci.yml@"},
    "no file": {"ci_config_ref_uri": None},
    "no ref": {"ref_path": None},
    "no commit": {"sha": None},
    "no number of its own": {"jti": None},
    "another number of the project": {"project_id": "21"},
    "another environment": {"environment": "Production"},
    "no environment": {"environment": None},
}


@pytest.mark.parametrize("claims", OTHER_GITLAB_JOBS.values(), ids=OTHER_GITLAB_JOBS)
def test_other_gitlab_jobs_do_not_match(claims: dict[str, Any]) -> None:
    """Paths are compared without case, the environment with it; everything must fit."""
    publisher = make("gitlab", {**GITLAB, "environment": "production", "project_id": "20"})
    good = {"environment": "production"}
    assert matches(publisher, gitlab_job(**good))
    said = gitlab_job(**good) | claims
    assert not matches(publisher, {name: value for name, value in said.items() if value is not None})


def test_google_account_matches() -> None:
    """The verified address, and the subject where it was given."""
    publisher = make("google", GOOGLE)
    assert matches(publisher, google_job())
    assert matches(make("google", {**GOOGLE, "sub": "1234567890"}), google_job())
    for claims in ({"email": "Builder@acme.iam.example.com"}, {"email_verified": "true"}, {"email_verified": None}):
        assert not matches(publisher, google_job(**claims))
    assert not matches(make("google", {**GOOGLE, "sub": "1"}), google_job())


def test_numbers_are_learned() -> None:
    """From the first token that matched, the numbers are known that no later owner of the name has."""
    publisher = pinned(make("github", GITHUB), github_job())
    assert publisher.claims["owner_id"] == "65"
    assert publisher.claims["repository_id"] == "4711"
    assert matches(publisher, github_job())
    assert not matches(publisher, github_job(repository_owner_id="66"))
    assert pinned(publisher, github_job(repository_owner_id="66")) == publisher
    assert pinned(make("github", GITHUB), github_job(repository_owner_id=["65"])).claims.get("owner_id") is None
    learned = pinned(make("gitlab", GITLAB), gitlab_job(project_id=20))
    assert learned.claims["project_id"] == "20"
    assert matches(learned, gitlab_job())
    assert pinned(oidc(sub="x"), {"iss": CI, "sub": "x"}) == oidc(sub="x")
