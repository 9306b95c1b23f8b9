"""Signing in through an LDAP directory, against a real slapd."""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from credentials import ldap_directory
from credentials.ldap_directory import LdapDirectory, LdapSettings, escape_dn, escape_filter, unescape_dn
from credentials.people import Person
from errors import Forbidden, InvalidSetting, Unavailable
from tests.credentials.slapd import (
    GROUPS,
    PEOPLE,
    READER_DN,
    READER_PASSWORD,
    SUFFIX,
    Slapd,
    password_of,
    slapd,
)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slapd]:
    """One directory for all that only read it."""
    with slapd(tmp_path_factory.mktemp("slapd") / "ldap") as directory:
        yield directory


def searching(directory: Slapd, **changes: Any) -> LdapSettings:
    """This server has an account of its own and searches for people."""
    settings = LdapSettings(directory.url, READER_DN, READER_PASSWORD, PEOPLE, group_base=GROUPS)
    return replace(settings, **changes)


def direct(directory: Slapd, **changes: Any) -> LdapSettings:
    """People bind with their own DN."""
    return replace(LdapSettings(directory.url, f"uid={{username}},{PEOPLE}", group_base=GROUPS), **changes)


@pytest.mark.parametrize("ways", [searching, direct])
def test_a_person_signs_in(running: Slapd, ways: Any) -> None:
    """Name and password of the directory are enough, whichever way it is asked; e-mail and groups come along."""
    person = LdapDirectory(ways(running)).authenticate("carol", password_of("carol"))
    groups = frozenset({"Index Admins", "Wheels, sdists"})
    assert person == Person("carol", f"uid=carol,{PEOPLE}", running.url, "carol@example.com", groups)


@pytest.mark.parametrize("ways", [searching, direct])
@pytest.mark.parametrize(
    ("username", "password"),
    [
        ("carol", "wrong"),
        ("carol", ""),
        ("carol", "\ud800"),
        ("carol", "carol's password" + "x" * 5000),
        ("nobody", "carol's password"),
        ("", "carol's password"),
        ("*", "carol's password"),
        ("c*", "carol's password"),
        ("carol)(uid=*", "carol's password"),
        ("carol)(|(uid=*", "carol's password"),
        (f"carol,{PEOPLE}", "carol's password"),
        (f"carol,{PEOPLE}+uid=x", "carol's password"),
        ("carol\x00", "carol's password"),
        ("carol\n", "carol's password"),
        ("c" * 300, "carol's password"),
        ("{username}", "carol's password"),
    ],
)
def test_nobody_else_does(running: Slapd, ways: Any, username: str, password: str) -> None:
    """A wrong or empty password, an unknown name and every attempt to write into a DN or a filter are a plain no."""
    assert LdapDirectory(ways(running)).authenticate(username, password) is None


def test_an_empty_password_is_not_even_sent(running: Slapd) -> None:
    """It would be an anonymous bind: the directory is not asked, so it does not matter that this one is elsewhere."""
    elsewhere = replace(direct(running), url="ldap://127.0.0.1:1")
    assert LdapDirectory(elsewhere).authenticate("carol", "") is None


def test_a_name_in_other_letters_is_the_same_account(running: Slapd) -> None:
    """Directories ignore case, so the username is the one that the directory has, whatever was typed."""
    directory = LdapDirectory(searching(running))
    assert directory.authenticate("CAROL", password_of("carol")) == directory.authenticate(
        "carol", password_of("carol")
    )


def test_odd_characters_in_the_dn(running: Slapd) -> None:
    """A DN full of what has a meaning in DNs and filters works for the bind and for both ways to find groups."""
    for way in ({}, {"group_filter": "(member={dn})"}):
        person = LdapDirectory(searching(running, **way)).authenticate("erin", password_of("erin"))
        assert person is not None
        assert (person.username, person.groups) == ("erin", frozenset({"Wheels, sdists"}))
        assert person.subject.endswith(PEOPLE)


def test_odd_characters_in_a_template(running: Slapd) -> None:
    """A name with commas, quotes and a plus stays one value of the DN."""
    odd = LdapDirectory(
        direct(running, bind_dn=f"cn={{username}},{PEOPLE}", user_filter="(cn={username})", username_attribute="uid")
    )
    person = odd.authenticate('Erin "E, +1" <#> \\ (O\'Neil) \u00e9=*', password_of("erin"))
    assert person is not None
    assert person.username == "erin"


def test_groups_by_search(running: Slapd) -> None:
    """A directory without memberOf is searched for the groups that name the person."""
    settings = searching(running, group_filter="(&(objectClass=groupOfNames)(member={dn}))", group_attribute="")
    directory = LdapDirectory(settings)
    person, other = (directory.authenticate(name, password_of(name)) for name in ("carol", "dave"))
    assert person is not None
    assert other is not None
    assert person.groups == {"Index Admins", "Wheels, sdists"}
    assert other.groups == frozenset()


def test_groups_that_cannot_be_read_are_a_trouble(running: Slapd) -> None:
    """A base that is not there does not silently take all rights away."""
    settings = searching(running, group_filter="(member={dn})", group_base=f"ou=nowhere,{SUFFIX}")
    with pytest.raises(Unavailable):
        LdapDirectory(settings).authenticate("carol", password_of("carol"))


def test_an_entry_without_a_username(running: Slapd) -> None:
    """What was typed is no replacement for the directory's own word."""
    settings = direct(running, bind_dn=f"cn={{username}},{PEOPLE}", user_filter="(cn={username})")
    with pytest.raises(Unavailable):
        LdapDirectory(settings).authenticate("grace", password_of("grace"))


def test_a_group_elsewhere_is_not_that_group(running: Slapd) -> None:
    """Below another base, a group of the same name gives no rights; without a base groups have their whole DN."""
    person = LdapDirectory(searching(running)).authenticate("dave", password_of("dave"))
    unbound = LdapDirectory(searching(running, group_base="")).authenticate("dave", password_of("dave"))
    assert person is not None
    assert unbound is not None
    assert person.groups == frozenset()
    assert unbound.groups == {f"cn=Index Admins,{PEOPLE}"}


def test_a_filter_may_keep_people_out(running: Slapd) -> None:
    """Who does not match the user filter does not sign in, with a template too."""
    only = f"(&(uid={{username}})(memberOf=cn=Index Admins,{GROUPS}))"
    for ways in (searching, direct):
        directory = LdapDirectory(ways(running, user_filter=only))
        assert directory.authenticate("carol", password_of("carol")) is not None
        assert directory.authenticate("dave", password_of("dave")) is None


def test_two_entries_of_one_name_are_nobody(running: Slapd) -> None:
    """They may be different people, even with the same password."""
    assert LdapDirectory(searching(running)).authenticate("twin", password_of("twin")) is None


def test_the_subject_may_outlive_the_dn(running: Slapd) -> None:
    """entryUUID stays when the entry moves; an attribute that is not there is no identity."""
    person = LdapDirectory(searching(running, subject_attribute="entryUUID")).authenticate(
        "carol", password_of("carol")
    )
    assert person is not None
    assert len(person.subject) == 36
    with pytest.raises(Unavailable, match="tell an administrator"):
        LdapDirectory(searching(running, subject_attribute="employeeNumber")).authenticate(
            "carol", password_of("carol")
        )


def test_a_name_that_is_none_here_is_refused_with_a_reason(running: Slapd) -> None:
    """Who signed in rightly under a name with spaces or brackets learns why that is not enough."""
    with pytest.raises(Forbidden, match=r"'frank \(two\)', which cannot be a username here"):
        LdapDirectory(searching(running)).authenticate("frank (two)", password_of("frank (two)"))
    assert LdapDirectory(searching(running)).authenticate("frank (two)", "wrong") is None


@pytest.mark.parametrize("ways", [searching, direct])
def test_encrypted(running: Slapd, ways: Any) -> None:
    """ldaps and StartTLS work with the directory's own CA."""
    for change in ({"url": running.tls_url}, {"start_tls": True}):
        directory = LdapDirectory(ways(running, ca_file=str(running.ca_file), **change))
        assert directory.authenticate("carol", password_of("carol")) is not None
        assert directory.authenticate("carol", "wrong") is None


@pytest.mark.parametrize("way", ["unknown CA", "other host"])
def test_a_certificate_that_proves_nothing(running: Slapd, way: str) -> None:
    """A certificate of an unknown CA or for another host ends the connection before a password is sent."""
    for change in ({"url": running.tls_url}, {"url": running.url, "start_tls": True}):
        settings = searching(running, **change)
        if way == "other host":
            url = settings.url.replace("127.0.0.1", "localhost")
            settings = replace(settings, url=url, ca_file=str(running.ca_file))
        with pytest.raises(Unavailable) as caught:
            LdapDirectory(settings).authenticate("carol", password_of("carol"))
        assert "CERTIFICATE_VERIFY_FAILED" in str(caught.value.__cause__)


def test_the_directory_is_down(tmp_path: Path) -> None:
    """One sentence, and nobody signs in; a server whose own password is wrong says so to the log only."""
    with slapd(tmp_path / "ldap") as directory:
        wrong = LdapDirectory(searching(directory, bind_password="wrong"))
        with pytest.raises(Unavailable, match="tell an administrator"):
            wrong.authenticate("carol", password_of("carol"))
        right = LdapDirectory(searching(directory))
        assert right.authenticate("carol", password_of("carol")) is not None
        directory.stop()
        with pytest.raises(Unavailable, match="tell an administrator"):
            right.authenticate("carol", password_of("carol"))


def test_a_directory_that_never_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    """The wait ends."""
    monkeypatch.setattr(ldap_directory, "STEP_SECONDS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        directory = LdapDirectory(
            LdapSettings(f"ldap://127.0.0.1:{silent.getsockname()[1]}", f"uid={{username}},{SUFFIX}")
        )
        with pytest.raises(Unavailable):
            directory.authenticate("carol", "x")


def test_no_step_begins_after_the_whole_time(running: Slapd, monkeypatch: pytest.MonkeyPatch) -> None:
    """All steps together have ten seconds."""
    monkeypatch.setattr(ldap_directory, "WHOLE_SECONDS", time.monotonic() * -1)
    with pytest.raises(Unavailable):
        LdapDirectory(searching(running)).authenticate("carol", password_of("carol"))


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n" * 3, b"0\x03\x02\x01\x01", bytes(range(200)), b""]
)
def test_something_else_at_that_port(answer: bytes) -> None:
    """What does not speak LDAP is a directory that does not answer, never an exception."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with listener.accept()[0] as connection:
                connection.recv(1000)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        directory = LdapDirectory(
            LdapSettings(f"ldap://127.0.0.1:{listener.getsockname()[1]}", f"uid={{username}},{SUFFIX}")
        )
        with pytest.raises(Unavailable):
            directory.authenticate("carol", "x")
        thread.join()


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"url": "ldap://ldap.example.com"}, "unencrypted"),
        ({"url": "ldap://localhost.example.com"}, "unencrypted"),
        ({"url": "http://ldap.example.com"}, "it takes ldaps://host"),
        ({"url": "ldaps://"}, "it takes ldaps://host"),
        ({"url": "ldaps://ldap.example.com:99999"}, "it takes ldaps://host"),
        ({"url": "ldaps://me:secret@ldap.example.com"}, r"//\*\*\*@ldap"),
        ({"url": "ldaps://ldap.example.com", "start_tls": True}, "StartTLS belongs to ldap"),
        ({"bind_dn": "", "user_base": ""}, "user base is empty"),
        ({"bind_dn": "{username}@example.com"}, "user base is empty"),
        ({"bind_dn": READER_DN, "user_base": PEOPLE}, "belong together"),
        ({"user_base": PEOPLE, "user_filter": "(uid=carol)"}, r"no \{username\}"),
        ({"user_base": PEOPLE, "user_filter": "uid={username}"}, r"\(RFC 4515\); write one such as \(uid={username}\)"),
        ({"group_filter": "(member={dn})"}, "group base"),
        ({"group_base": "groups"}, "no DN; write one such as"),
        ({"ca_file": "/no/such/file"}, "CA file"),
    ],
)
def test_settings_that_cannot_work(settings: dict[str, Any], sentence: str) -> None:
    """They are refused at the start, with what is wrong."""
    usable: dict[str, Any] = {"url": "ldaps://ldap.example.com", "bind_dn": f"uid={{username}},{PEOPLE}"}
    LdapDirectory(LdapSettings(**usable))
    with pytest.raises(InvalidSetting, match=sentence):
        LdapDirectory(LdapSettings(**usable | settings))


def test_plain_passwords_only_where_allowed() -> None:
    """Loopback needs no encryption; elsewhere somebody has to allow it expressly."""
    template = f"uid={{username}},{PEOPLE}"
    for url in ("ldap://localhost", "ldap://127.0.0.1:3890", "ldap://[::1]"):
        LdapDirectory(LdapSettings(url, template))
    LdapDirectory(LdapSettings("ldap://ldap.example.com", template, allow_plain=True))
    LdapDirectory(LdapSettings("ldap://ldap.example.com", template, start_tls=True))


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server without ldap3 is told what to install."""
    monkeypatch.setitem(sys.modules, "ldap3", None)
    with pytest.raises(InvalidSetting, match=r"requirements-extras\.txt"):
        LdapDirectory(LdapSettings("ldaps://ldap.example.com", f"uid={{username}},{PEOPLE}"))


def test_the_password_is_not_shown() -> None:
    """Not even in a traceback."""
    assert READER_PASSWORD not in repr(LdapSettings("ldaps://x", READER_DN, READER_PASSWORD, PEOPLE))


def test_escaping() -> None:
    """The characters of RFC 4514 and RFC 4515."""
    assert escape_dn(' #a,b+c"d\\e<f>g;h=i\x00 ') == r"\20\23a\2Cb\2Bc\22d\5Ce\3Cf\3Eg\3Bh\3Di\00\20"
    assert unescape_dn(escape_dn(' #a,b+c"d\\e<f>g;h=i\x00 \u00e9')) == ' #a,b+c"d\\e<f>g;h=i\x00 \u00e9'
    assert unescape_dn(r"a\, b\C3\A9") == "a, b\u00e9"
    assert escape_filter("a*(b)\\c\x00") == r"a\2a\28b\29\5cc\00"
