"""Passwords of accounts: today's hash, those that came from htpasswd files, and advice."""

from __future__ import annotations

import subprocess
import threading

import pytest
from argon2 import PasswordHasher

from credentials import legacy_hashes
from credentials.passwords import Passwords, advice
from errors import Unavailable

OLD = {"apr1": "-m", "sha1": "-s", "sha256": "-2", "sha512": "-5"}
OPENSSL_MD5 = "$1$b71DtaqC$YA2Z2SfZqsvByGGE2X91E1"  # `openssl passwd -1 x`


@pytest.fixture(scope="module")
def hashing() -> Passwords:
    """One for all tests."""
    return Passwords()


def apache_hash(kind: str, password: str) -> str:
    """A hash of Apache's own tool."""
    made = subprocess.run(["htpasswd", "-nb", kind, "u", password], check=True, capture_output=True, text=True).stdout
    return made.strip().removeprefix("u:")


@pytest.mark.parametrize("kind", OLD.values(), ids=OLD)
def test_a_weak_hash_is_kept_inside_a_strong_one(kind: str, hashing: Passwords) -> None:
    """Its password is good, others are not; its old digest is not seen; it is to be made anew, and fits its column."""
    old = apache_hash(kind, "pässword of bob")
    kept = legacy_hashes.wrap(old, hashing)
    assert kept is not None
    assert old[-20:] not in kept
    assert "$argon2id$" in kept
    assert len(kept) <= 300
    assert hashing.verify(kept, "pässword of bob")
    assert not hashing.verify(kept, "password of bob")
    assert hashing.needs_rehash(kept)


def test_many_rounds_and_the_oldest_md5(hashing: Passwords) -> None:
    """Rounds that the hash names are kept; crypt's MD5 is Apache's with another name."""
    rounds = ["htpasswd", "-nb5", "-r", "12345", "u", "x"]
    old = subprocess.run(rounds, check=True, capture_output=True, text=True).stdout.strip().removeprefix("u:")
    assert "rounds=12345" in old
    for one in (old, OPENSSL_MD5):
        kept = legacy_hashes.wrap(one, hashing)
        assert hashing.verify(kept, "x")
        assert not hashing.verify(kept, "y")


def test_bcrypt_is_kept_as_it_is(hashing: Passwords) -> None:
    """It is strong enough; of a long password so much counts as counted for Apache, and it is to be made anew."""
    kept = apache_hash("-B", "x" * 80)
    assert legacy_hashes.wrap(kept, hashing) == kept
    assert hashing.verify(kept, "x" * 72 + "whatever")
    assert not hashing.verify(kept, "x" * 71 + "whatever")
    assert hashing.needs_rehash(kept)


@pytest.mark.parametrize("kind", ["-d", "-p"])
def test_des_and_plain_text_need_a_new_password(kind: str, hashing: Passwords) -> None:
    """They are not kept in any form."""
    assert legacy_hashes.wrap(apache_hash(kind, "secret"), hashing) is None


@pytest.mark.parametrize(
    "text",
    [
        "", "x", "!", "$2y$10$short", "$2y$03$" + "a" * 53, "$2y$18$" + "a" * 53, "$2x$10$" + "a" * 53, "{SHA}",
        "{SSHA}x",
        "$5$rounds=999$salt$" + "a" * 43, "$5$rounds=10000000$salt$" + "a" * 43, "$5$rounds=01000$salt$" + "a" * 43,
        "$5$salt$" + "a" * 42, "$6$" + "s" * 17 + "$" + "a" * 86, "$apr1$saltsalt2$" + "a" * 22, "$1$salt$" + "a" * 23,
        "$7$salt$x", "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaA", OPENSSL_MD5 + "\n", "$2y$٠٥$" + "a" * 53,
    ],
)  # fmt: skip
def test_what_is_no_hash_is_not_taken(text: str, hashing: Passwords) -> None:
    """What is damaged or would take for ever is neither kept nor an error."""
    assert legacy_hashes.wrap(text, hashing) is None


@pytest.mark.parametrize(
    "kept",
    [
        "wrapped$", "wrapped$ldap_sha1${SHA}", "wrapped$none$x|y", "wrapped$md5_crypt$1$salt|$argon2id$v=19$x", "$2",
        "$2y$",
        "$2y$00$" + "a" * 53, "$argon2id$", "nonsense",
    ],
)  # fmt: skip
def test_a_damaged_hash_lets_nobody_in(kept: str, hashing: Passwords) -> None:
    """And is no error."""
    assert not hashing.verify(kept, "x")
    assert not hashing.verify(kept, "")


@pytest.mark.parametrize("password", ["", "\0", "x\0", "x\0y", "\udc80", "y" * 600, "y" * 4096, "y" * 4097])
def test_no_password_is_an_error(password: str, hashing: Passwords) -> None:
    """NUL, half a surrogate pair and any length are wrong passwords for every kind, not errors of ours."""
    olds = [OPENSSL_MD5, *(apache_hash(kind, "x") for kind in ("-B", *OLD.values()))]
    for kept in (None, "", hashing.hash("x"), *(legacy_hashes.wrap(one, hashing) for one in olds)):
        assert not hashing.verify(kept, password)


def test_no_password_is_not_a_password(hashing: Passwords) -> None:
    """An account without a password is like one that is not there, whatever is tried, and has nothing to make anew."""
    for kept in (None, ""):
        assert not hashing.verify(kept, "nobody has this password")
        assert not hashing.verify(kept, "")
    assert not hashing.needs_rehash("")


def test_all_accounts_are_asked_by_argon2(hashing: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    """S102: nobody, no password, a weak hash and a quick bcrypt cost one argon2id each, so that none stands out."""
    kept = [None, "", hashing.hash("x"), apache_hash("-B", "x"), legacy_hashes.wrap(apache_hash("-m", "x"), hashing)]
    assert not hashing.verify(None, "y")  # what stands for nobody is made at the first need
    asked: list[str] = []
    real = PasswordHasher.verify

    def counted(self: PasswordHasher, hash_: str, password: str) -> bool:
        asked.append(hash_)
        return real(self, hash_, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    for number, one in enumerate(kept, 1):
        assert not hashing.verify(one, "wrong")
        assert len(asked) == number


def test_only_other_settings_are_made_anew(hashing: Passwords) -> None:
    """Today's hash stands; one that was made with less memory does not."""
    assert not hashing.needs_rehash(hashing.hash("x"))
    assert hashing.needs_rehash(PasswordHasher(time_cost=1, memory_cost=8_192, parallelism=1).hash("x"))


def test_places_are_given_back() -> None:
    """Two places; eight may wait, the next is refused; a hash that fails gives its place back."""
    hashing = Passwords()
    for _ in range(5):
        with pytest.raises(RuntimeError), hashing.place():
            raise RuntimeError
        assert not hashing.verify("wrapped$nonsense", "x")
    waiting = [threading.Thread(target=hashing.verify, args=(None, "x")) for _ in range(8)]
    with hashing.place(), hashing.place():
        for thread in waiting:
            thread.start()
        while hashing._waiting._value:
            pass
        with pytest.raises(Unavailable):
            hashing.verify(None, "x")
    for thread in waiting:
        thread.join()


@pytest.mark.parametrize(
    ("password", "username", "word"),
    [
        ("password", "bob", "everybody"), ("Password1234!", "bob", "everybody"), ("123456789012", "bob", "everybody"),
        ("correct horse battery staple", "bob", "everybody"), ("qwertyuiop12", "bob", "everybody"),
        ("I am Bob, let me in", "bob", "name"), ("elevenchars", "bob", "12 characters"), ("", "bob", "12 characters"),
    ],
)  # fmt: skip
def test_a_weak_password_is_advised_against(password: str, username: str, word: str) -> None:
    """One sentence says why."""
    assert word in advice(password, username)
    assert advice(password, username).endswith(".")


@pytest.mark.parametrize(
    ("password", "username"),
    [("a walk in the snow", "bob"), ("a walk in the snow", "a"), ("83640274950274", "bob"), ("twelve chars", "")],
)
def test_a_fine_password_gets_no_advice(password: str, username: str) -> None:
    """Nor does one that holds a name of one letter."""
    assert advice(password, username) == ""
