"""What is filled in for a publisher is refused where it cannot be or would match too many, and is kept whole."""

from __future__ import annotations

import json
from typing import Any

import pytest

from credentials.publishers import GITLAB_ISSUER, KINDS, make
from errors import InvalidRequest
from tests.credentials.publishers.jobs import CI, GITHUB, GITLAB, GOOGLE

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
    "too many": ("oidc", {f"claim{number}": "x" for number in range(21)}, "20 is the limit: leave some out"),
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


def test_kinds_are_ready_for_forms() -> None:
    """Each kind's fields can be asked for: labels, hints, and defaults that the field itself takes."""
    assert set(KINDS) == {"github", "gitlab", "google", "oidc"}
    for name, kind in KINDS.items():
        assert kind.name == name
        assert kind.label
        assert len({one.name for one in kind.fields}) == len(kind.fields)
        assert all(one.label and one.hint for one in kind.fields)
