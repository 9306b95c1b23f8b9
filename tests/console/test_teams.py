"""What ``cli.py team``, ``role``, ``pattern`` and the newer words of ``user`` promise."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from tests.console.running import data, good, missing, on_a_terminal, refusal, run


@pytest.fixture
def people() -> None:
    """Alice administers, bob does not; a team without anybody in it."""
    good("user", "create", "--username", "alice", "--password", "x", "--admin")
    good("user", "create", "--username", "bob", "--password", "x")
    good("team", "create", "--team", "web", "--title", "The website")


def roles(*asked: str) -> list[tuple[Any, ...]]:
    """Where who is what."""
    return [(one["project"], one["user"] or one["team"], one["role"]) for one in data("role", "list", *asked)]


@pytest.mark.usefixtures("people")
def test_a_team_from_its_making_to_its_end() -> None:
    """It is made, filled, shown, emptied and deleted; names are taken in whatever case."""
    assert data("team", "add", "--team", "WEB", "--username", "Bob")["members"] == [{"username": "bob", "source": None}]
    assert good("team", "add", "--team", "web", "--username", "bob") == "bob is in web already.\n"
    assert "The website" in good("team", "list")
    assert [one["name"] for one in data("team", "list")] == ["web"]
    good("role", "grant", "--team", "web", "--role", "reader")
    good("pattern", "set", "--pattern", "Web_*", "--team", "web")
    shown = data("team", "show", "--team", "web")
    assert shown["roles"] == data("role", "list", "--team", "web")
    assert shown["patterns"] == ["web-*"]
    assert re.search(r"MEMBER +FROM\nbob +by hand\n", good("team", "show", "--team", "web"))
    assert "web-*" in refusal("team", "delete", "--team", "web", "--yes")
    good("pattern", "remove", "--pattern", "web_*", "--yes")
    assert data("team", "remove", "--team", "web", "--username", "bob", "--yes")["members"] == []
    assert refusal("team", "remove", "--team", "web", "--username", "bob", "--yes") == (
        "bob is not in the team web; look at the team for who is."
    )
    assert data("team", "delete", "--team", "Web", "--yes") == {"deleted": "web"}
    assert data("team", "list") == data("role", "list") == []
    assert "no team" in refusal("team", "show", "--team", "web")


@pytest.mark.usefixtures("people")
def test_roles_are_given_and_taken(filled: Path) -> None:
    """On the index and on a project, to users and teams; a later role takes the place of the earlier one."""
    good("role", "grant", "--username", "bob", "--role", "maintainer")
    good("role", "grant", "--username", "bob", "--package-name", "Sample", "--role", "owner")
    good("role", "grant", "--team", "web", "--package-name", "sample", "--role", "maintainer")
    changed = good("role", "grant", "--username", "bob", "--role", "reader")
    assert changed == "bob is reader of the index main, no longer maintainer.\n"
    assert roles() == [(None, "bob", "reader"), ("sample", "bob", "owner"), ("sample", "web", "maintainer")]
    assert roles("--username", "bob", "--package-name", "sample") == [("sample", "bob", "owner")]
    assert roles("--team", "web") == [("sample", "web", "maintainer")]
    assert re.search(r"\(the index\) +reader +bob +user", good("role", "list"))
    last = refusal("role", "revoke", "--username", "bob", "--package-name", "sample", "--yes")
    assert "last owner" in last
    assert data("role", "revoke", "--team", "web", "--package-name", "sample", "--yes") == {"revoked": "maintainer"}
    assert good("role", "revoke", "--username", "bob", "--yes") == "bob is no longer reader of the index main.\n"
    assert roles() == [("sample", "bob", "owner")]


@pytest.mark.usefixtures("people")
def test_a_role_without_rights_says_what_is_left() -> None:
    """Nobody "is none" of an index; what teams still give is told."""
    none = ("role", "grant", "--username", "bob", "--role", "none")
    assert good(*none) == "bob has no rights on the index main by a role of their own.\n"
    assert good("role", "grant", "--username", "bob", "--role", "reader") == (
        "bob is reader of the index main, no longer without rights.\n"
    )
    good("team", "add", "--team", "web", "--username", "bob")
    good("role", "grant", "--team", "web", "--role", "uploader")
    assert good(*none) == (
        "bob is no longer reader of the index main and has no rights there by a role of their own, "
        "but is still uploader by the team web.\n"
    )
    assert good("role", "revoke", "--username", "bob", "--yes") == (
        "bob no longer has a role without rights on the index main.\n"
    )
    assert good("role", "grant", "--team", "web", "--role", "none") == (
        "The team web is no longer uploader of the index main and gives no rights there; its members keep what "
        "other roles give them.\n"
    )


@pytest.mark.usefixtures("people")
def test_what_cannot_be_given_is_refused() -> None:
    """A role that is none there, nobody, two holders, another index; nothing is changed."""
    assert "no role on a project" in refusal(
        "role", "grant", "--username", "bob", "--package-name", "a", "--role", "none"
    )
    assert "no user" in refusal("role", "grant", "--username", "nobody", "--role", "reader")
    assert "no index" in refusal("role", "grant", "--username", "bob", "--role", "reader", "--index", "other")
    assert run("role", "grant", "--username", "bob", "--role", "king").exit_code == 2
    two = run("role", "grant", "--username", "bob", "--team", "web", "--role", "reader")
    assert (two.exit_code, "exclude each other" in two.stderr) == (2, True)
    refusal("pattern", "set", "--pattern", "*", "--team", "web")
    assert "no team" in refusal("pattern", "set", "--pattern", "a-*", "--team", "nobodies")
    assert data("role", "list") == data("pattern", "list") == []


@pytest.mark.usefixtures("people")
def test_a_name_is_kept_before_its_project_is_there() -> None:
    """The role is given, and stderr says that the project is not there yet."""
    result = run("role", "grant", "--username", "bob", "--package-name", "New_Thing", "--role", "owner")
    assert result.stdout == "bob is owner of new-thing.\n"
    assert "There is no project new-thing yet" in result.stderr


@pytest.mark.usefixtures("people")
def test_patterns_change_hands() -> None:
    """Given to another team they leave the first; listed in normalized form."""
    good("team", "create", "--team", "vault")
    good("pattern", "set", "--pattern", "Acme_*", "--team", "web")
    assert data("pattern", "set", "--pattern", "acme-*", "--team", "VAULT")["team"] == "vault"
    assert [(one["pattern"], one["team"]) for one in data("pattern", "list")] == [("acme-*", "vault")]
    assert data("pattern", "remove", "--pattern", "ACME.*", "--yes") == {"removed": "acme-*"}
    assert "No team has" in refusal("pattern", "remove", "--pattern", "acme-*", "--yes")


@pytest.mark.usefixtures("people")
def test_a_pattern_takes_no_project_from_its_owners() -> None:
    """The projects of others that it covers are named on stderr; those of the team's people are not."""
    good("team", "add", "--team", "web", "--username", "bob")
    for username, project in (("bob", "acme-ours"), ("alice", "acme-hers"), ("alice", "other")):
        good("role", "grant", "--username", username, "--package-name", project, "--role", "owner")
    result = run("pattern", "set", "--pattern", "acme-*", "--team", "web")
    assert "left to them: acme-hers." in result.stderr


@pytest.mark.usefixtures("people")
def test_what_is_missing_is_named() -> None:
    """Without a terminal nothing is asked; what takes something away needs --yes."""
    missing("--team", "team", "create")
    missing("--username", "role", "grant", "--role", "reader")
    missing("--role", "role", "grant", "--username", "bob")
    missing("--pattern", "pattern", "set", "--team", "web")
    missing("--email", "user", "email", "--username", "bob")
    missing("--yes", "team", "delete", "--team", "web")
    missing("--yes", "team", "remove", "--team", "web", "--username", "bob")
    missing("--yes", "role", "revoke", "--username", "bob")
    missing("--yes", "pattern", "remove", "--pattern", "a-*")


@pytest.mark.usefixtures("people")
def test_a_person_is_asked_before_a_team_is_deleted() -> None:
    """No leaves everything as it is."""
    code, shown = on_a_terminal(["team", "delete", "--team", "web"], ("[y/N]: ", "n\n"))
    assert (code, "Nothing was changed" in shown) == (1, True)
    assert len(data("team", "list")) == 1


@pytest.mark.usefixtures("people")
def test_administrators_are_made_and_unmade() -> None:
    """The last one stays; saying it twice does no harm."""
    assert data("user", "admin", "--username", "Bob")["admin"] is True
    assert good("user", "admin", "--username", "bob") == "bob is an administrator already.\n"
    assert good("user", "admin", "--username", "bob", "--no-admin") == "bob is no administrator.\n"
    assert "last active administrator" in refusal("user", "admin", "--username", "alice", "--no-admin")
    assert "no user" in refusal("user", "admin", "--username", "nobody")


@pytest.mark.usefixtures("people")
def test_an_address_is_changed() -> None:
    """Also to none; what is no address is refused."""
    assert data("user", "email", "--username", "bob", "--email", "bob@example.com")["email"] == "bob@example.com"
    refusal("user", "email", "--username", "bob", "--email", "nonsense")
    assert "empty" in good("user", "email", "--username", "bob", "--email", "")
