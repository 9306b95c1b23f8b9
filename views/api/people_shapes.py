"""The documents of the API about people: accounts, teams, roles and names."""

from __future__ import annotations

from typing import Final

from config import Settings
from permissions import INDEX_ROLES, MAIN, PROJECT_ROLES
from views.api.schemas import (
    INDEX_PATTERN,
    LABEL,
    NAME_PATTERN,
    NO_CONTROLS,
    PROJECT_PATTERN,
    TEAM_PATTERN,
    USERNAME_PATTERN,
    Schema,
    flag,
    many,
    maybe,
    moment,
    record,
    ref,
    text,
    whole,
)

_PASSWORD_CHARACTERS: Final = 1000  # at most 4,000 of the 4,096 bytes that a password may have
_EMAIL_PATTERN: Final = "^([!-?A-~]{1,64}@[!-?A-~]{1,200})?$"

USER = ref("User")
CHANGED_USER = ref("ChangedUser")
USER_LIST = ref("UserList")
ENDED = ref("EndedSessions")
FACTORS_REMOVED = ref("RemovedFactors")
UNLINKED = ref("UnlinkedUser")
TEAM = ref("Team")
TEAM_LIST = ref("TeamList")
TEAM_DELETED = ref("DeletedTeam")
ROLE = ref("Role")
ROLE_LIST = ref("RoleList")
ROLE_REVOKED = ref("RevokedRole")
PATTERN = ref("Pattern")
PATTERN_LIST = ref("PatternList")
PATTERN_REMOVED = ref("RemovedPattern")

USERNAME: Final = text("The user's name, in whatever case.", pattern=USERNAME_PATTERN, maxLength=100)
TEAM_NAME: Final = text("The team's name, in whatever case.", pattern=TEAM_PATTERN, maxLength=100)
INDEX_NAME: Final = text("The index.", pattern=INDEX_PATTERN, maxLength=64, default=MAIN)
PROJECT: Final = text("A project, in any spelling.", pattern=NAME_PATTERN, maxLength=128)
_PATTERN_TEXT: Final = text(
    "A project's name, or the beginning of names with * behind it.", pattern=PROJECT_PATTERN, maxLength=128
)
_EMAIL: Final = text("An e-mail address of ASCII characters; empty for none.", pattern=_EMAIL_PATTERN, maxLength=265)

_ACCOUNT: Final[dict[str, Schema]] = {
    "username": text("The name."),
    "email": text("The e-mail address; empty for none."),
    "admin": flag("Whether they are an administrator."),
    "active": flag("Whether the account is active."),
    "stands": flag("Whether it is active and, if a directory vouches for it, known there: they can sign in."),
    "source": text("Who checks the password: 'table' is this server, others are directories."),
    "second_factor": flag("Whether they have a second factor."),
    "default_password": flag("Whether the password is the one that everybody knows."),
    "created": moment("When the account was made."),
    "last_login": maybe(moment("When they last signed in.")),
}
_ACCOUNT_WHOLE: Final[dict[str, Schema]] = {
    **_ACCOUNT,
    "teams": many(text("A team."), "The teams that they are in."),
    "roles": many(ref("Role"), "The roles that they hold themselves."),
}
_MEMBER = record(
    "Somebody in a team.",
    username=text("Their name."),
    source=maybe(text("The directory that put them there; null: it was done by hand.")),
)

NAMED: Final[dict[str, Schema]] = {
    "UserList": record("The accounts.", users=many(record("An account.", **_ACCOUNT), "By name.")),
    "User": record("An account with what it may by roles and teams.", **_ACCOUNT_WHOLE),
    "ChangedUser": record(
        "The same after a change.",
        **_ACCOUNT_WHOLE,
        advice=maybe(text("Why the new password is weak; null: it is not, or there is none.")),
        remark=maybe(text("What else the change means, such as that they leave a directory; null: nothing.")),
    ),
    "EndedSessions": record("Browsers that were signed out.", ended=whole("How many.", minimum=0)),
    "RemovedFactors": record("Second factors that were removed.", removed=whole("How many.", minimum=0)),
    "UnlinkedUser": record("A user whom nobody elsewhere is.", unlinked=flag("Whether somebody was until now.")),
    "TeamList": record("The teams.", teams=many(ref("Team"), "By name.")),
    "Team": record(
        "A team.",
        name=text("Its name."),
        title=text("What it is, for people; perhaps empty."),
        created=moment("When it was made."),
        members=many(_MEMBER, "By name."),
        roles=many(ref("Role"), "The roles that it holds."),
        patterns=many(text("A pattern of names."), "The names that belong to it."),
    ),
    "DeletedTeam": record("A team that is no more.", deleted=text("Its name.")),
    "Role": record(
        "A role, held by a user or a team.",
        index=text("The index."),
        project=maybe(text("The project; null: the index itself.")),
        user=maybe(text("The user who holds it; null: a team does.")),
        team=maybe(text("The team that holds it; null: a user does.")),
        role=text("What they are.", enum=list(INDEX_ROLES)),
        created=moment("When they were first given a role there."),
    ),
    "RoleList": record("Roles.", roles=many(ref("Role"), "By index, project and holder.")),
    "RevokedRole": record("A role that was taken away.", revoked=text("Which it was.", enum=list(INDEX_ROLES))),
    "Pattern": record(
        "Names that belong to a team.",
        index=text("The index."),
        pattern=text("A project's name, or the beginning of names with * behind it."),
        team=text("The team."),
        created=moment("When the pattern was set."),
    ),
    "PatternList": record("Patterns of names.", patterns=many(ref("Pattern"), "By index and pattern.")),
    "RemovedPattern": record("Names that belong to no team any more.", removed=text("The pattern.")),
}

NEW_TEAM_BODY = record(
    "The team to be made.",
    ("title",),
    name=text("Letters, digits and . _ - between them.", pattern=TEAM_PATTERN, maxLength=100),
    title={**LABEL, "description": "What it is, for people; left out: nothing."},
)
PATTERN_BODY = record(
    "Which names, and whose they are.", ("index",), index=INDEX_NAME, pattern=_PATTERN_TEXT, team=TEAM_NAME
)
PATTERN_GONE_BODY = record("Which names.", ("index",), index=INDEX_NAME, pattern=_PATTERN_TEXT)


def _password(settings: Settings) -> Schema:
    shortest = max(1, settings.auth_min_password_length)
    sentence = "The password. No control characters."
    return text(sentence, minLength=shortest, maxLength=_PASSWORD_CHARACTERS, pattern=NO_CONTROLS)


def new_user_body(settings: Settings) -> Schema:
    """What makes an account; how short a password may be is a setting."""
    return record(
        "The account to be made.",
        ("email", "admin"),
        username=text("Letters, digits and . _ @ - between them.", pattern=USERNAME_PATTERN, maxLength=100),
        password=_password(settings),
        email=_EMAIL,
        admin=flag("Whether they are an administrator; left out: no."),
    )


def changed_user_body(settings: Settings) -> Schema:
    """What changes an account."""
    return record(
        "What is to be changed; what is left out stays. A new password ends the person's sessions.",
        ("email", "admin", "active", "password"),
        email=_EMAIL,
        admin=flag("Whether they are an administrator."),
        active=flag("Whether they can sign in."),
        password=_password(settings),
    )


def optional_index(description: str) -> Schema:
    """An index that a query may name."""
    return text(description, pattern=INDEX_PATTERN, maxLength=64)


def _of_one(schema: Schema) -> Schema:
    """A body that names a user or a team, never both."""
    return {**schema, "oneOf": [{"required": ["user"]}, {"required": ["team"]}]}


_HOLDER: Final = {"user": USERNAME, "team": TEAM_NAME}
ROLE_BODY = _of_one(
    record(
        "A role on the index, for a user or a team.",
        ("index", "user", "team"),
        index=INDEX_NAME,
        **_HOLDER,
        role=text("What they are to be.", enum=list(INDEX_ROLES)),
    )
)
ROLE_GONE_BODY = _of_one(
    record("Whose role: a user's or a team's.", ("index", "user", "team"), index=INDEX_NAME, **_HOLDER)
)
PROJECT_ROLE_BODY = _of_one(
    record(
        "A role on the project, for a user or a team.",
        ("user", "team"),
        **_HOLDER,
        role=text("What they are to be.", enum=list(PROJECT_ROLES)),
    )
)
PROJECT_ROLE_GONE_BODY = _of_one(record("Whose role: a user's or a team's.", ("user", "team"), **_HOLDER))
