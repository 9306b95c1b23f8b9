"""What may be done, by whom, where: roles, scopes, names of teams."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from permissions import CHANGING, OPERATIONS, READING, Identity, Permission, Role, Scope, Where, allows, why_not

FREE = Where("main", "free")
OWNED = Where("main", "owned", owners=("alice",))
NEW = Where("main", "new", exists=False)
NAMED = Where("main", "acme-new", exists=False, team=7, team_name="acme", pattern="acme-*")
PLACES = [FREE, OWNED, NEW, NAMED]
EVERYTHING = set(Permission) - {Permission.ACCOUNT, Permission.FACTORS}


def somebody(roles: Mapping[tuple[str, str], Role] | None = None, **more: object) -> Identity:
    """Bob, with these roles."""
    return Identity("bob", 2, roles=roles or {}, **more)  # type: ignore[arg-type]


def may(identity: Identity, where: Where) -> set[Permission]:
    """All that somebody may at a place."""
    return {permission for permission in Permission if allows(identity, permission, where)}


SELF = {Permission.ACCOUNT, Permission.FACTORS}
ADDING = frozenset({Permission.UPLOAD, Permission.YANK})


@pytest.mark.parametrize(
    ("role", "where", "expected"),
    [
        (Role.NONE, FREE, set()),
        (Role.READER, FREE, READING),
        (Role.UPLOADER, FREE, READING | ADDING),
        (Role.UPLOADER, NEW, READING | ADDING),
        (Role.UPLOADER, OWNED, READING),
        (Role.UPLOADER, NAMED, READING),
        (Role.MAINTAINER, OWNED, READING | CHANGING),
        (Role.MAINTAINER, NAMED, READING | CHANGING - {Permission.UPLOAD}),
        (Role.OWNER, NAMED, READING | CHANGING | {Permission.MANAGE}),
    ],
)
def test_roles_on_an_index(role: Role, where: Where, expected: set[Permission]) -> None:
    """An uploader adds to what nobody owns; who looks after the index changes all, but starts nothing under a team's
    names; its owner may that, too.
    """
    assert may(somebody({("main", ""): role}), where) == expected | SELF


@pytest.mark.parametrize(
    ("role", "expected"), [(Role.MAINTAINER, ADDING), (Role.OWNER, CHANGING | {Permission.MANAGE})]
)
def test_roles_on_a_project(role: Role, expected: set[Permission]) -> None:
    """They hold for that project and no other, and give no right to read: that is given by index."""
    identity = somebody({("main", "owned"): role})
    assert may(identity, OWNED) == expected | SELF
    assert may(identity, FREE) == SELF
    assert may(identity, Where("other", "owned")) == READING | SELF
    assert may(identity, Where("other", "owned", closed=True)) == SELF
    assert allows(identity, Permission.UPLOAD, Where("main"))


def test_a_team_starts_projects_under_its_names() -> None:
    """Its members may, whatever they are on the index; others are told whose the names are."""
    assert may(somebody(teams=frozenset({7})), NAMED) == ADDING | SELF
    assert may(somebody(teams=frozenset({8})), NAMED) == SELF
    reader = somebody(otherwise=Role.READER)
    assert "belong to the team acme" in why_not(reader, Permission.UPLOAD, NAMED)
    assert "belongs to alice" in why_not(reader, Permission.UPLOAD, OWNED)
    assert "alice" not in why_not(somebody(), Permission.UPLOAD, OWNED)


def test_a_role_is_on_one_index() -> None:
    """What somebody is on main, and what people are there otherwise, says nothing about another index."""
    identity = somebody({("main", ""): Role.OWNER}, otherwise=Role.UPLOADER)
    assert may(identity, Where("other")) == READING | SELF
    assert may(identity, Where("other", closed=True)) == SELF
    assert may(somebody(otherwise=Role.READER), Where("main")) == READING | SELF
    assert may(somebody({("main", ""): Role.NONE}, otherwise=Role.UPLOADER), Where("main")) == SELF


@pytest.mark.parametrize("where", PLACES)
def test_administrators_may_everything(where: Where) -> None:
    """Everywhere; a token of theirs as far as its scope goes, and never what is asked of a person alone."""
    assert may(Identity("alice", 1, is_admin=True), where) == EVERYTHING | SELF
    token = Identity("alice", 1, is_admin=True, token="t", scope=Scope(READING))
    assert may(token, where) == READING


@pytest.mark.parametrize("where", PLACES)
def test_nobody_may_what_is_public(where: Where) -> None:
    """Anybody may what needs no login, and a token that is not for it may as much as anybody."""
    anybody = Identity(None, public=OPERATIONS["list"])
    assert may(anybody, where) == {Permission.LIST}
    assert may(somebody(public=READING, token="t", scope=Scope(frozenset())), where) == READING


def test_scopes_narrow_a_token() -> None:
    """Permissions, index and projects: each narrows, none widens."""
    owner = {("main", "acme-tool"): Role.OWNER, ("main", "other"): Role.OWNER, ("main", ""): Role.READER}
    tool, other = Where("main", "acme-tool"), Where("main", "other")
    scope = Scope(READING | ADDING, "main", ("acme-*",))
    assert may(somebody(owner, token="t", scope=scope), tool) == READING | ADDING
    assert may(somebody(owner, token="t", scope=scope), other) == set()
    assert may(somebody(owner, token="t", scope=Scope(READING | ADDING, "elsewhere")), tool) == set()
    assert may(somebody(owner, token="t", scope=Scope(CHANGING)), other) == CHANGING
    whole = somebody({("main", ""): Role.UPLOADER}, token="t", scope=scope)
    assert allows(whole, Permission.UPLOAD, Where("main"))
    assert not allows(whole, Permission.LIST, Where("main"))
    assert "is for acme-* only, not for the whole index" in why_not(whole, Permission.LIST, Where("main"))


def test_a_password_alone_reads_only_where_a_second_factor_is_on() -> None:
    """Otherwise it would make a token, and the factor would be for nothing; the browser may still set one up."""
    limited = somebody({("main", ""): Role.OWNER}, limited=True)
    assert may(limited, FREE) == READING
    assert "make an API token in the browser" in why_not(limited, Permission.UPLOAD, FREE)
    for own in (Permission.ACCOUNT, Permission.FACTORS):  # where a token is no way out
        assert why_not(limited, own, FREE).endswith("and no token does; sign in with a browser for that.")
    in_browser = somebody({("main", ""): Role.OWNER}, limited=True, by_session=True)
    assert may(in_browser, FREE) == READING | {Permission.FACTORS}
