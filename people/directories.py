"""People who are kept elsewhere, as the sign-in asks for them: an htpasswd file, an LDAP directory, a provider."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Final

from config import Settings
from credentials.htpasswd import HtpasswdFile
from credentials.ldap_directory import LdapDirectory, LdapSettings
from credentials.people import Person
from database.accounts import Accounts

HTPASSWD: Final = "htpasswd"
LDAP: Final = "ldap"
OPENID: Final = "openid"


class HtpasswdPeople:
    """The people of an Apache htpasswd file. Who leaves it ends: with tokens, sessions and verdicts."""

    source = HTPASSWD
    local = True

    def __init__(self, file: HtpasswdFile) -> None:
        self._file = file

    def stamp(self) -> Hashable:
        """That of the file."""
        return self._file.stamp()

    def has(self, username: str) -> bool:
        """Whether the file names them now."""
        return self._file.knows(username)

    def check(self, username: str, password: str) -> Person | None:
        """Who this is; None for a wrong password or an unknown name."""
        if not self._file.verify(username, password):
            return None
        return Person(username, subject=username, issuer=HTPASSWD, email="", groups=frozenset())


class LdapPeople:
    """The people of an LDAP directory. It is asked at each sign-in, so verdicts end with their life, not at once."""

    source = LDAP
    local = False

    def __init__(self, directory: LdapDirectory) -> None:
        self._directory = directory

    def stamp(self) -> Hashable:
        """Always the same."""
        return LDAP

    def has(self, username: str) -> bool:  # noqa: ARG002 - asked again at the next sign-in
        """Who was let in stays so until their account here is deactivated, or their token expires."""
        return True

    def check(self, username: str, password: str) -> Person | None:
        """Who this is; None for a wrong password or an unknown name. Raises Unavailable."""
        person = self._directory.authenticate(username, password)
        # There is one directory; its address may change without its people becoming others.
        return person and replace(person, issuer=LDAP)


class OpenIdPeople:
    """Whom the OpenID provider of the settings vouched for. Who came from another one, or from one that the settings
    name no more, ends: with tokens and sessions.
    """

    source = OPENID
    local = False

    def __init__(self, accounts: Accounts, issuer: str) -> None:
        self._accounts = accounts
        self._issuer = issuer

    def stamp(self) -> Hashable:
        """Always the same: the provider is that of the settings."""
        return OPENID

    def has(self, username: str) -> bool:
        """Whether the provider is known to know them. It is not asked: sessions and tokens have ends of their own."""
        return self._accounts.is_linked_by(username, self._issuer)

    def check(self, username: str, password: str) -> Person | None:  # noqa: ARG002 - a protocol's
        """Nobody: a provider takes passwords on its own page only."""
        return None


AnyPeople = HtpasswdPeople | LdapPeople | OpenIdPeople


def directories_of(settings: Settings, htpasswd: HtpasswdFile | None, accounts: Accounts) -> list[AnyPeople]:
    """The directories that the settings name, the file before LDAP. Raises InvalidSetting."""
    found: list[AnyPeople] = []
    if htpasswd is not None:
        htpasswd.check()
        found.append(HtpasswdPeople(htpasswd))
    if settings.auth_enabled and settings.ldap_url:
        found.append(LdapPeople(LdapDirectory(_ldap_settings(settings))))
    if settings.auth_enabled and settings.openid_issuer:
        found.append(OpenIdPeople(accounts, settings.openid_issuer))
    return found


def groups_of(settings: Settings) -> dict[str, Mapping[str, str]]:
    """Which group is which team, by source."""
    return {LDAP: _mapped(settings.ldap_groups), OPENID: _mapped(settings.openid_groups)}


def _mapped(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        group, _, team = pair.rpartition("=")
        found[group] = team
    return found


def _ldap_settings(settings: Settings) -> LdapSettings:
    return LdapSettings(
        url=settings.ldap_url,
        bind_dn=settings.ldap_bind_dn,
        bind_password=settings.ldap_bind_password,
        user_base=settings.ldap_user_base,
        user_filter=settings.ldap_user_filter,
        username_attribute=settings.ldap_username_attribute,
        subject_attribute=settings.ldap_subject_attribute,
        email_attribute=settings.ldap_email_attribute,
        group_base=settings.ldap_group_base,
        group_filter=settings.ldap_group_filter,
        start_tls=settings.ldap_start_tls,
        ca_file=settings.ldap_ca_file,
        allow_plain=settings.ldap_allow_plain,
    )
