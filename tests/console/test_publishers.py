"""What ``cli.py publisher`` promises."""

from __future__ import annotations

import pytest

from tests.console.running import data, good, missing, refusal

TOOL = ("--package-name", "Sample", "--repository", "acme/tool", "--workflow", "release.yml")
FOR_BOB = ("--package-name", "a", "--username", "bob")


def test_a_publisher_is_added_listed_and_removed() -> None:
    """For a project that is not there yet, on somebody's behalf."""
    good("user", "create", "--username", "bob", "--password", "x")
    made = data("publisher", "add", *TOOL, "--username", "bob")
    assert (made["project"], made["created_by"], made["pending"]) == ("sample", "bob", True)
    assert made["fields"] == {"owner": "acme", "repository": "tool", "workflow": "release.yml"}
    (listed,) = data("publisher", "list")
    assert listed == made
    assert data("publisher", "list", "--package-name", "other") == []
    assert "acme/tool release.yml" in good("publisher", "list", "--package-name", "sample")
    assert data("publisher", "remove", "--package-name", "sample", "--id", made["id"]) == {"removed": made["id"]}
    assert data("publisher", "list") == []


def test_every_kind_can_be_added() -> None:
    """GitLab, Google, and claims of a provider."""
    good("user", "create", "--username", "bob", "--password", "x")
    gitlab = ("--kind", "gitlab", "--repository", "group/sub/tool", "--environment", "pypi")
    assert data("publisher", "add", *FOR_BOB, *gitlab)["fields"] == {
        "namespace": "group/sub", "project": "tool", "workflow_filepath": ".gitlab-ci.yml", "environment": "pypi",
    }  # fmt: skip
    good("publisher", "add", *FOR_BOB, "--kind", "google", "--email", "ci@acme.example.com")
    claims = ("--kind", "oidc", "--issuer", "https://gitlab.com", "--field", "sub=x", "--field", "ref=main")
    assert data("publisher", "add", *FOR_BOB, *claims)["fields"] == {"ref": "main", "sub": "x"}


def test_what_cannot_be_added_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A field that is wrong, an unknown user, an issuer that the settings do not name, an id that is none."""
    assert "workflow" in refusal("publisher", "add", *TOOL[:4], "--workflow", "nonsense")
    assert "nobody" in refusal("publisher", "add", *TOOL, "--username", "nobody")
    assert "not trusted here" in refusal("publisher", "add", *TOOL, "--issuer", "https://evil.example.com")
    assert "OWNER/NAME" in refusal("publisher", "add", "--package-name", "a", "--repository", "tool")
    assert "NAME=VALUE" in refusal("publisher", "add", *TOOL, "--field", "x")
    assert "name the user" in refusal("publisher", "add", *TOOL)
    monkeypatch.setenv("PYPI_AUTH", "true")
    good("user", "create", "--username", "eve", "--password", "x")
    good("role", "grant", "--username", "eve", "--role", "reader")
    assert "eve may not upload to sample" in refusal("publisher", "add", *TOOL, "--username", "eve")
    refusal("publisher", "remove", "--package-name", "sample", "--id", "none")
    missing("--id", "publisher", "remove", "--package-name", "sample")
