"""The settings about people: who has to sign in, where people come from, what tokens and sessions last.

``config.Settings`` is made of these and of those of the server itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import options
from options import choice, option, whole, words

OPERATIONS = ("download", "list", "update")
INDEX_ROLES = ("none", "reader", "uploader", "maintainer", "owner")


@dataclass(frozen=True)
class AuthSettings:
    """The settings of the sections [auth], [openid], [ldap] and [publishing]."""

    auth_enabled: bool = option(
        False, "Ask for a user name and password, or a token, for what auth_require names, and to manage.",
        section="auth", env="PYPI_AUTH", flag="--auth",
    )  # fmt: skip
    auth_require: tuple[str, ...] = option(
        ("update",),
        "What needs a login: download (files), list (pages, search, API), update (uploads and changes); turns auth on.",
        section="auth", flag="--authenticate", kind=words(*OPERATIONS),
    )  # fmt: skip
    auth_htpasswd: str = option(
        "", "Apache htpasswd file whose people may sign in; turns auth on.",
        section="auth", env="PYPI_HTPASSWD", flag="--passwords", kind=options.PASSWORD_FILE,
    )  # fmt: skip
    auth_htpasswd_role: str = option(
        "uploader", "What people of the htpasswd file are on the index main.", section="auth", kind=choice(*INDEX_ROLES)
    )
    auth_default_role: str = option(
        "uploader", "What everybody else with an account is on the index main, unless a role says otherwise.",
        section="auth", kind=choice(*INDEX_ROLES),
    )  # fmt: skip
    auth_first_upload_owns: bool = option(
        True, "Make who uploads the first file of a project its owner; else it takes files from any uploader.",
        section="auth",
    )  # fmt: skip
    admin_password: str = option(
        "", "Password of the first administrator, admin, in place of the default one.", section="auth",
        secret=True, kind=options.SECRET,
    )  # fmt: skip
    admin_token: str = option(
        "", "Token with which scripts make users at /api/register; empty: that address is closed.", section="auth",
        secret=True, kind=options.SECRET,
    )  # fmt: skip
    auth_read_expires: int = option(
        3600, "How long a good password or token is remembered for reading; 0: checked every time.",
        section="auth", kind=whole(0, 86400, "seconds"),
    )  # fmt: skip
    auth_write_expires: int = option(
        300, "How long a good password or token is remembered for changes; 0: checked every time.",
        section="auth", kind=whole(0, 86400, "seconds"),
    )  # fmt: skip
    auth_most_failures: int = option(
        10, "Wrong passwords of a name from an address in five minutes, before it waits; five times of all.",
        section="auth", kind=whole(1, 1_000_000),
    )  # fmt: skip
    auth_min_password_length: int = option(
        0, "Shortest new password that is taken; 0: any, with advice against weak ones.", section="auth",
        kind=whole(0, 128, "characters"),
    )  # fmt: skip
    auth_token_days: int = option(
        90, "Life of an API token for which none is chosen; 0: no end.", section="auth", kind=whole(0, 36500, "days")
    )
    auth_token_max_days: int = option(
        0, "Longest life of an API token; 0: no limit.", section="auth", kind=whole(0, 36500, "days")
    )
    auth_session_days: int = option(
        7, "How long a browser stays signed in at most.", section="auth", kind=whole(1, 365, "days")
    )
    auth_idle_minutes: int = option(
        720, "How long a browser that asks for nothing stays signed in.", section="auth",
        kind=whole(1, 525600, "minutes"),
    )  # fmt: skip
    auth_admin_idle_minutes: int = option(
        60, "The same for administrators.", section="auth", kind=whole(1, 525600, "minutes")
    )
    auth_recent_minutes: int = option(
        10, "How long after proving who one is tokens, roles and second factors may be changed in the browser.",
        section="auth", kind=whole(1, 1440, "minutes"),
    )  # fmt: skip
    auth_require_factor: str = option(
        "nobody", "Who must have a second factor: nobody, administrators, uploaders (or who may more), everybody.",
        section="auth", kind=choice("nobody", "administrators", "uploaders", "everybody"),
    )  # fmt: skip
    openid_issuer: str = option(
        "", "Address of the OpenID provider with which people may sign in; empty: none.", section="openid",
        kind=options.ISSUER,
    )  # fmt: skip
    openid_name: str = option("your organisation", "What its button is called.", section="openid")
    openid_client_id: str = option("", "This server's id at the provider.", section="openid")
    openid_client_secret: str = option(
        "", "This server's secret at the provider.", section="openid", secret=True, kind=options.SECRET
    )
    openid_scopes: str = option("openid profile email", "What the provider is asked for.", section="openid")
    openid_username_claim: str = option("preferred_username", "The claim that holds the user name.", section="openid")
    openid_groups_claim: str = option("groups", "The claim that holds the names of groups.", section="openid")
    openid_groups: tuple[str, ...] = option(
        (), "Which group is which team here, or administrators.", section="openid", kind=options.GROUPS
    )
    ldap_url: str = option(
        "", "Directory with which people may sign in, as ldaps://ldap.example.com; empty: none.", section="ldap"
    )
    ldap_start_tls: bool = option(False, "Turn an ldap:// connection into an encrypted one.", section="ldap")
    ldap_allow_plain: bool = option(False, "Send passwords to another machine unencrypted.", section="ldap")
    ldap_ca_file: str = option("", "Certificates that vouch for the directory; empty: the system's.", section="ldap")
    ldap_bind_dn: str = option(
        "", "Name with which the directory is searched, or with {username} in it the name under which people sign in.",
        section="ldap",
    )  # fmt: skip
    ldap_bind_password: str = option(
        "", "Password of the name with which the directory is searched.", section="ldap", secret=True,
        kind=options.SECRET,
    )  # fmt: skip
    ldap_user_base: str = option("", "Where people are looked up.", section="ldap")
    ldap_user_filter: str = option("(uid={username})", "How a person is found there.", section="ldap")
    ldap_username_attribute: str = option("uid", "The attribute that holds the user name.", section="ldap")
    ldap_subject_attribute: str = option(
        "", "The attribute that never changes, such as entryUUID; empty: the entry's name.", section="ldap"
    )
    ldap_email_attribute: str = option("mail", "The attribute that holds the e-mail address.", section="ldap")
    ldap_group_base: str = option(
        "", "Where groups are looked up; empty: the person's memberOf counts.", section="ldap"
    )
    ldap_group_filter: str = option(
        "", "How a person's groups are found there, as (member={dn}); empty: the person's memberOf counts.",
        section="ldap",
    )  # fmt: skip
    ldap_groups: tuple[str, ...] = option(
        (), "Which group is which team here, or administrators.", section="ldap", kind=options.GROUPS
    )
    publishing_audience: str = option(
        "pypi-clone", "What a CI provider's token must be made for.", section="publishing"
    )
    publishing_github: str = option(
        "https://token.actions.githubusercontent.com", "Who signs for GitHub Actions.", section="publishing",
        kind=options.ISSUER,
    )  # fmt: skip
    publishing_gitlab: str = option(
        "https://gitlab.com", "Who signs for GitLab CI.", section="publishing", kind=options.ISSUER
    )
    publishing_google: str = option(
        "https://accounts.google.com", "Who signs for Google Cloud.", section="publishing", kind=options.ISSUER
    )
    publishing_issuers: tuple[str, ...] = option(
        (), "Further providers whose tokens are taken: GitLab hosts, Gitea, Jenkins, Kubernetes.",
        section="publishing", kind=options.ISSUERS,
    )  # fmt: skip
    publishing_minutes: int = option(
        15, "Life of an upload token that a CI job gets.", section="publishing", kind=whole(1, 60, "minutes")
    )
