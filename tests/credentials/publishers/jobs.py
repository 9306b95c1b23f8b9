"""Publishers of each kind, and what the identity tokens of their jobs say."""

from __future__ import annotations

from typing import Any

from credentials.publishers import GITHUB_ISSUER, GITLAB_ISSUER, GOOGLE_ISSUER, Publisher, make
from tests.credentials.mock_issuer import MockIssuer

GITHUB = {"owner": "acme", "repository": "tool", "workflow": "release.yml"}
GITLAB = {"namespace": "acme/group", "project": "tool"}
GOOGLE = {"email": "builder@acme.iam.example.com"}
CI = "https://ci.example.com"
SHA = "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d"


def github_job(**claims: Any) -> dict[str, Any]:
    """What a job of GitHub Actions says, or these claims in place of it."""
    issuer = MockIssuer(GITHUB_ISSUER)
    return issuer.claims(**issuer.github_claims(**claims))


def gitlab_job(at: str = GITLAB_ISSUER, **claims: Any) -> dict[str, Any]:
    """What a job of a GitLab says."""
    issuer = MockIssuer(at)
    return issuer.claims(**issuer.gitlab_claims("acme/group/tool", **claims))


def google_job(**claims: Any) -> dict[str, Any]:
    """What a service account of Google says."""
    said = {"sub": "1234567890", "email": GOOGLE["email"], "email_verified": True, "jti": None}
    return MockIssuer(GOOGLE_ISSUER).claims(**{**said, **claims})


def oidc(**demanded: str) -> Publisher:
    """A publisher of an issuer that is none of these, with the claims that it demands."""
    return make("oidc", demanded, CI)
