"""What ``cli.py role`` and ``cli.py team`` say of people whom a change makes more or less than the settings do."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from config import load_settings
from credentials.people import Person
from services import open_services
from tests.conftest import TESTER
from tests.console.running import good, run

BOB = ("--username", "bob")
WEB = ("--team", "web")


@pytest.fixture(autouse=True)
def _people() -> None:
    """Alice administers, bob and carol do not; a team with both of them in it."""
    good("user", "create", "--username", "alice", "--password", "x", "--admin")
    for name in ("bob", "carol"):
        good("user", "create", "--username", name, "--password", "x")
    good("team", "create", *WEB)


def remark(*arguments: str) -> str:
    """What a command that succeeds says on stderr."""
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return result.stderr


def test_a_role_that_is_less_than_the_usual_one_is_told() -> None:
    """A reader of the index was an uploader until then, and is one again without the role."""
    assert remark("role", "grant", *BOB, "--role", "reader") == (
        "bob was an uploader by default_role and is a reader now.\n"
    )
    assert remark("role", "grant", *BOB, "--role", "none") == ""  # stdout has what it was before
    assert remark("role", "revoke", *BOB, "--yes") == "bob is an uploader by default_role now.\n"
    assert remark("role", "grant", *BOB, "--role", "none", "--json") == (
        "bob was an uploader by default_role and is without rights now.\n"
    )


def test_nothing_is_told_where_nothing_is_lost() -> None:
    """A role that is as much or more, one on a project, and one of an administrator."""
    for role in ("uploader", "maintainer", "owner"):
        assert "default_role" not in remark("role", "grant", *BOB, "--role", role)
    assert "default_role" not in remark("role", "grant", *BOB, "--package-name", "sample", "--role", "owner")
    assert remark("role", "grant", "--username", "alice", "--role", "reader") == ""
    assert remark("role", "revoke", "--username", "alice", "--yes") == ""


def test_the_setting_decides_what_is_less() -> None:
    """Where default_role is none, a reader is more; afterwards nothing is left."""
    Path("pypi.conf").write_text("[auth]\ndefault_role = none\n")
    assert remark("role", "grant", *BOB, "--role", "reader") == ""
    assert remark("role", "revoke", *BOB, "--yes") == "bob is without rights by default_role now.\n"


def test_people_of_a_directory_have_a_setting_of_their_own() -> None:
    """It is named in the place of default_role."""
    with closing(open_services(load_settings(None, {}, {}))) as services:
        services.users.admit(Person("dave", "dave", "htpasswd", "", frozenset()), "htpasswd", by=TESTER)
    Path("pypi.conf").write_text("[auth]\nhtpasswd_role = maintainer\n")
    assert remark("role", "grant", "--username", "dave", "--role", "uploader") == (
        "dave was a maintainer by htpasswd_role and is an uploader now.\n"
    )


def test_a_team_s_role_is_told_of_its_members() -> None:
    """Of all at once, of whoever comes and goes, and of all again when the team ends; not of who has another role."""
    good("role", "grant", "--username", "carol", "--role", "maintainer")
    for name in ("alice", "bob", "carol"):
        assert remark("team", "add", *WEB, "--username", name) == ""
    assert remark("role", "grant", *WEB, "--role", "reader") == (
        "bob was an uploader by default_role and is a reader now.\n"
    )
    assert remark("team", "remove", *WEB, *BOB, "--yes") == "bob is an uploader by default_role now.\n"
    assert remark("team", "add", *WEB, *BOB) == "bob was an uploader by default_role and is a reader now.\n"
    assert remark("role", "revoke", "--username", "carol", "--yes") == ""  # a reader by the team
    assert remark("role", "revoke", *WEB, "--yes") == "bob and carol are uploaders by default_role now.\n"
    assert remark("role", "grant", *WEB, "--role", "reader") == (
        "bob and carol were uploaders by default_role and are readers now.\n"
    )
    assert remark("team", "delete", *WEB, "--yes") == "bob and carol are uploaders by default_role now.\n"
