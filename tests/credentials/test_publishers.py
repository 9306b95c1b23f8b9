"""Trusted publishers: only the job that somebody configured may publish, and no other that looks like it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from credentials.publishers import (
    GITHUB_ISSUER,
    GITLAB_ISSUER,
    GOOGLE_ISSUER,
    KINDS,
    Publisher,
    attestation_identity,
    describe,
    make,
    matches,
    pinned,
    url,
)
from errors import InvalidRequest
from tests.credentials.mock_issuer import MockIssuer

GITHUB = {"owner": "acme", "repository": "tool", "workflow": "release.yml"}
GITLAB = {"namespace": "acme/group", "project": "tool"}
GOOGLE = {"email": "builder@acme.iam.example.com"}
SHA = "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d"


def github_job(**claims: Any) -> dict[str, Any]:
    issuer = MockIssuer(GITHUB_ISSUER)
    return issuer.claims(**issuer.github_claims(**claims))


def gitlab_job(at: str = GITLAB_ISSUER, **claims: Any) -> dict[str, Any]:
    issuer = MockIssuer(at)
    return issuer.claims(**issuer.gitlab_claims("acme/group/tool", **claims))


def google_job(**claims: Any) -> dict[str, Any]:
    said = {"sub": "1234567890", "email": GOOGLE["email"], "email_verified": True, "jti": None}
    return MockIssuer(GOOGLE_ISSUER).claims(**{**said, **claims})


# GitHub


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


# GitLab


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


# Google


def test_google_account_matches() -> None:
    """The verified address, and the subject where it was given."""
    publisher = make("google", GOOGLE)
    assert matches(publisher, google_job())
    assert matches(make("google", {**GOOGLE, "sub": "1234567890"}), google_job())
    for claims in ({"email": "Builder@acme.iam.example.com"}, {"email_verified": "true"}, {"email_verified": None}):
        assert not matches(publisher, google_job(**claims))
    assert not matches(make("google", {**GOOGLE, "sub": "1"}), google_job())


# Any other issuer

CI = "https://ci.example.com"


def oidc(**demanded: str) -> Publisher:
    return make("oidc", demanded, CI)


def test_claims_of_any_issuer() -> None:
    """Every claim that is demanded must be there, exactly so."""
    publisher = oidc(sub="pipeline:7", branch="main")
    assert matches(publisher, {"iss": CI, "sub": "pipeline:7", "branch": "main", "more": 1})
    for claims in ({"branch": "Main"}, {"branch": None}, {"sub": "pipeline:77"}, {"sub": "xpipeline:7"}, {"iss": "x"}):
        assert not matches(publisher, {"iss": CI, "sub": "pipeline:7", "branch": "main"} | claims)
    assert not matches(publisher, {})


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("repo:acme/*", ["repo:acme/tool", "repo:acme/tool:ref:main"], ["repo:acme/", "repo:acme", "repo:acme2/tool"]),
        ("*:ref:main", ["repo:acme/tool:ref:main"], [":ref:main", "repo:acme/tool:ref:main2"]),
        ("a*b*c", ["axbxc", "abbbc", "axxbyyc"], ["abc", "axbc", "axbxcd", "acb"]),
        ("a*a", ["aaa", "aba"], ["a", "aa"]),
        ("a**", ["abc"], ["a", "ab"]),
        ("r[ae]po.x", ["r[ae]po.x"], ["rapo.x", "r[ae]poxx"]),
        ("line*", ["line\nbreak"], ["line"]),
    ],
)
def test_stars_stand_for_something(pattern: str, fitting: list[str], others: list[str]) -> None:
    """A star stands for one or more characters of any kind; nothing else in a pattern is special."""
    publisher = oidc(sub=pattern)
    assert [text for text in fitting if not matches(publisher, {"iss": CI, "sub": text})] == []
    assert [text for text in others if matches(publisher, {"iss": CI, "sub": text})] == []


def test_many_stars_are_read_once() -> None:
    """A pattern cannot be made so that reading a long claim takes for ever."""
    publisher = oidc(sub="*a" * 100 + "b")
    assert not matches(publisher, {"iss": CI, "sub": "a" * 16_000})


def test_simple_values_are_compared_as_written() -> None:
    """Numbers, true and false are compared as JSON writes them; lists and objects match nothing."""
    publisher = oidc(sub="x", protected="true", number="7")
    assert matches(publisher, {"iss": CI, "sub": "x", "protected": True, "number": 7})
    for other in (False, "True", 1, ["true"], {"true": True}, None):
        assert not matches(publisher, {"iss": CI, "sub": "x", "number": 7, "protected": other})


def test_nested_claims() -> None:
    """A dotted name reaches into claims, whose own names may have dots, as those of Kubernetes do."""
    account = {"namespace": "builds", "serviceaccount": {"name": "publisher", "uid": "u"}}
    token = {"iss": CI, "sub": "system:serviceaccount:builds:publisher", "kubernetes.io": account}
    publisher = make(
        "oidc",
        {"kubernetes.io.serviceaccount.name": "publisher", "kubernetes.io.namespace": "builds"},
        CI,
    )
    assert matches(publisher, token)
    assert not matches(publisher, {**token, "kubernetes.io": {**account, "namespace": "other"}})
    assert not matches(publisher, {**token, "kubernetes.io": "publisher"})
    assert not matches(publisher, {**token, "kubernetes.io": {"serviceaccount": ["publisher"], "namespace": "builds"}})


def test_longest_name_goes_first() -> None:
    """A claim whose name is the whole dotted name is meant before any nested one."""
    publisher = make("oidc", {"a.b": "right", "sub": "x"}, CI)
    assert matches(publisher, {"iss": CI, "sub": "x", "a.b": "right", "a": {"b": "wrong"}})
    assert not matches(publisher, {"iss": CI, "sub": "x", "a.b": "wrong", "a": {"b": "right"}})
    assert matches(publisher, {"iss": CI, "sub": "x", "a": {"b": "right"}})


def test_strangers_code_is_not_published() -> None:
    """Also where a GitHub token is matched claim by claim, a stranger's pull request does not publish."""
    publisher = make("oidc", {"sub": "repo:acme/*"}, GITHUB_ISSUER)
    assert matches(publisher, github_job())
    assert not matches(publisher, github_job(event_name="pull_request_target"))


# What is filled in

BAD_FIELDS: dict[str, tuple[str, dict[str, Any], str]] = {
    "unknown kind": ("jenkins", {}, "no kind of publisher"),
    "no owner": ("github", {**GITHUB, "owner": ""}, "owner is empty"),
    "blank owner": ("github", {**GITHUB, "owner": "  "}, "owner is empty"),
    "owner with a slash": ("github", {**GITHUB, "owner": "acme/tool"}, "owner is 'acme/tool'"),
    "missing repository": ("github", {"owner": "acme", "workflow": "a.yml"}, "repository is empty"),
    "repository with its owner": ("github", {**GITHUB, "repository": "acme/tool"}, "without the owner"),
    "workflow of another kind": ("github", {**GITHUB, "workflow": "release.json"}, "ends in .yml or .yaml"),
    "workflow with its folder": ("github", {**GITHUB, "workflow": ".github/workflows/release.yml"}, "no folder"),
    "nothing but the ending": ("github", {**GITHUB, "workflow": ".yml"}, "ends in"),
    "number that is none": ("github", {**GITHUB, "owner_id": "six"}, "digits"),
    "other digits": ("github", {**GITHUB, "owner_id": "\u0666"}, "printable ASCII"),
    "line break": ("github", {**GITHUB, "environment": "a\nb"}, "printable ASCII"),
    "not ASCII": ("github", {**GITHUB, "owner": "acmé"}, "printable ASCII"),
    "too long": ("github", {**GITHUB, "environment": "x" * 256}, "at most 255"),
    "no text": ("github", {**GITHUB, "owner": ["acme"]}, "printable ASCII"),
    "unknown field": ("github", {**GITHUB, "branch": "main"}, "no field 'branch'"),
    "namespace with a hole": ("gitlab", {**GITLAB, "namespace": "acme//group"}, "group/subgroup"),
    "project with a slash": ("gitlab", {**GITLAB, "project": "group/tool"}, "without the namespace"),
    "absolute file": ("gitlab", {**GITLAB, "workflow_filepath": "/x.yml"}, "a path in the repository"),
    "file of another project": ("gitlab", {**GITLAB, "workflow_filepath": "x.yml@acme/other"}, "a path in"),
    "no address": ("google", {"email": "builder"}, "address of a service account"),
    "no claims": ("oidc", {}, "match too many"),
    "one claim": ("oidc", {"branch": "main"}, "match too many"),
    "everybody": ("oidc", {"sub": "*"}, "any value"),
    "everybody again": ("oidc", {"sub": "x", "branch": "**"}, "any value"),
    "empty claim": ("oidc", {"sub": ""}, "any value"),
    "what every token has": ("oidc", {"sub": "x", "aud": "pypi"}, "does not say who"),
    "what changes": ("oidc", {"iat": "1", "jti": "2"}, "does not say who"),
    "nameless claim": ("oidc", {"sub": "x", "": "y"}, "does not say who"),
    "too many": ("oidc", {f"claim{number}": "x" for number in range(21)}, "20 is the limit"),
}


@pytest.mark.parametrize(("kind", "fields", "said"), BAD_FIELDS.values(), ids=BAD_FIELDS)
def test_fields_that_are_refused(kind: str, fields: dict[str, Any], said: str) -> None:
    """Whatever cannot be or would match too many is refused, with a sentence that says what the field takes."""
    with pytest.raises(InvalidRequest, match=said):
        make(kind, fields, CI)


@pytest.mark.parametrize("issuer", ["ci.example.com", "ftp://ci.example.com", "https://169.254.169.254", "https://a?b"])
def test_issuers_that_are_refused(issuer: str) -> None:
    """An issuer is the address of a host."""
    with pytest.raises(InvalidRequest, match="issuer"):
        make("gitlab", GITLAB, issuer)


def test_any_issuer_has_to_be_named() -> None:
    """The kind oidc has no issuer of its own."""
    for issuer in (None, "", " "):
        with pytest.raises(InvalidRequest, match="needs its issuer"):
            make("oidc", {"sub": "x"}, issuer)


def test_pasting_is_forgiven() -> None:
    """Blanks around a value, empty optional fields and a slash after the address do not matter."""
    publisher = make("gitlab", {"namespace": " acme ", "project": "tool\n", "environment": ""}, " https://gitlab.com/ ")
    assert publisher.to_fields() == {"namespace": "acme", "project": "tool", "workflow_filepath": ".gitlab-ci.yml"}
    assert publisher.issuer == GITLAB_ISSUER
    assert publisher.environment is None
    assert make("oidc", {"sub": "x"}, "https://tenant.example.com/").issuer == "https://tenant.example.com/"


@pytest.mark.parametrize(
    ("kind", "fields", "issuer"),
    [
        ("github", {**GITHUB, "owner_id": "65", "environment": "pypi"}, None),
        ("gitlab", GITLAB, "https://gitlab.example.com"),
        ("google", {**GOOGLE, "sub": "1"}, None),
        ("oidc", {"sub": "repo:acme/*", "kubernetes.io.namespace": "builds"}, CI),
    ],
)
def test_stored_and_made_again(kind: str, fields: dict[str, str], issuer: str | None) -> None:
    """Kind, issuer and fields as JSON are the whole publisher."""
    publisher = make(kind, fields, issuer)
    stored = json.dumps(publisher.to_fields())
    assert make(publisher.kind, json.loads(stored), publisher.issuer) == publisher
    assert len({publisher, make(kind, fields, issuer)}) == 1


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


# How it is shown


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


def test_kinds_are_ready_for_forms() -> None:
    """Each kind's fields can be asked for: labels, hints, and defaults that the field itself takes."""
    assert set(KINDS) == {"github", "gitlab", "google", "oidc"}
    for name, kind in KINDS.items():
        assert kind.name == name
        assert kind.label
        assert len({one.name for one in kind.fields}) == len(kind.fields)
        assert all(one.label and one.hint for one in kind.fields)
