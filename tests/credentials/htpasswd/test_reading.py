"""Who is let in: whoever Apache lets in with a hash that is worth it, and a refusal does not tell who is there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import bcrypt
import pytest

from credentials.htpasswd import HtpasswdFile
from credentials.passwords import Passwords
from tests.credentials.htpasswd.apache import KINDS, SHA_X, SHA_Y, htpasswd

OPENSSL_MD5 = "$1$b71DtaqC$YA2Z2SfZqsvByGGE2X91E1"  # `openssl passwd -1 x`


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_what_apache_writes_is_read(path: Path, kind: list[str]) -> None:
    """Each kind lets its owner in, and nobody else."""
    htpasswd(path, "bob", "pässword of bob", *kind)
    file = HtpasswdFile(path, Passwords())
    assert file.knows("bob")
    assert file.verify("bob", "pässword of bob")
    assert not file.verify("bob", "password of bob")
    assert not file.verify("Bob", "pässword of bob")
    assert file.weak_names() == []


@pytest.mark.parametrize("kind", ["-d", "-p"])
def test_des_and_plain_text_let_nobody_in(path: Path, kind: str) -> None:
    """They are named instead."""
    htpasswd(path, "bob", "secret", kind)
    file = HtpasswdFile(path, Passwords())
    assert not file.knows("bob")
    assert not file.verify("bob", "secret")
    assert file.weak_names() == ["bob"]


def test_the_md5_of_crypt(of: Callable[..., HtpasswdFile]) -> None:
    """As other tools write it."""
    file = of(f"bob:{OPENSSL_MD5}\n")
    assert file.verify("bob", "x")
    assert not file.verify("bob", "y")


def test_lines(of: Callable[..., HtpasswdFile]) -> None:
    """Comments, blank lines, CRLF, a third field, spaces around; the first of a doubled name counts, and what is not
    UTF-8 or no entry is passed over.
    """
    content = (
        f"# bob:{SHA_Y}\n\n   \n  #carol:{SHA_Y}\r\nbob:{SHA_X}\r\n bob:{SHA_Y}\n\tdora:{SHA_X}:Dora D.\n"
        f"no entry\n:{SHA_X}\nзоя:{SHA_X}"
    ).encode() + b"\nb\xe9a:" + SHA_X.encode() + b"\n"  # fmt: skip
    file = of(content)
    assert file.entries() == [("bob", SHA_X), ("dora", SHA_X), ("зоя", SHA_X)]
    assert file.verify("зоя", "x")
    assert not file.verify("bob", "y")
    assert not file.knows("")


def test_bcrypt_takes_72_bytes(path: Path) -> None:
    """As Apache does, of a password and of a hash that it made."""
    htpasswd(path, "bob", "x" * 80, "-B")
    file = HtpasswdFile(path, Passwords())
    assert file.verify("bob", "x" * 80)
    assert file.verify("bob", "x" * 72 + "y" * 4000)
    assert not file.verify("bob", "x" * 71 + "y" * 9)


@pytest.mark.parametrize("password", ["", "\0", "x\0", "x\0y", "\udc80", "y" * 600, "y" * 4096, "y" * 1_000_000])
def test_no_password_is_an_error(of: Callable[..., HtpasswdFile], path: Path, password: str) -> None:
    """NUL, half a surrogate pair and any length are wrong passwords for every kind, known or not."""
    file = of(f"md5:{OPENSSL_MD5}\nplain:x\n")
    for name, kind in KINDS.items():
        htpasswd(path, name, "x", *kind)
    for name in ("nobody", "\udc80", "", "md5", "plain", *KINDS):
        assert not file.verify(name, password)


def test_a_damaged_hash_troubles_nobody_else(of: Callable[..., HtpasswdFile]) -> None:
    """Costs and rounds that cannot be, or would take for ever, let nobody in and are named."""
    bad = {"a": "$2y$00$" + "a" * 53, "b": "$2y$31$" + "a" * 53, "c": "$5$rounds=1$salt$" + "a" * 43, "d": "",
           "e": "{SHA}", "f": "$6$rounds=999999999$salt$" + "a" * 86}  # fmt: skip
    file = of("".join(f"{name}:{kept}\n" for name, kept in bad.items()) + f"bob:{SHA_X}\n")
    assert file.weak_names() == list(bad)
    assert not any(file.verify(name, "x") for name in [*bad, "nobody"])
    assert file.verify("bob", "x")


@pytest.mark.parametrize("dearest", [5, 11])
def test_a_refusal_does_not_tell_who_is_there(path: Path, monkeypatch: pytest.MonkeyPatch, dearest: int) -> None:
    """S102: unknown, weak, quick and cheaper hashes take as many rounds of bcrypt as the dearest, at least those of
    cost 10.
    """
    for name, kind in KINDS.items():
        htpasswd(path, name, "x", *kind)
    htpasswd(path, "des", "x", "-d")
    htpasswd(path, "dear", "x", "-BC", str(dearest))
    rounds: list[int] = []
    real_hash, real_check = bcrypt.hashpw, bcrypt.checkpw

    def counted_hash(password: bytes, salt: bytes) -> bytes:
        rounds.append(2 ** int(salt[4:6]))
        return real_hash(password, salt)

    def counted_check(password: bytes, kept: bytes) -> bool:
        rounds.append(2 ** int(kept[4:6]))
        return real_check(password, kept)

    monkeypatch.setattr(bcrypt, "hashpw", counted_hash)
    monkeypatch.setattr(bcrypt, "checkpw", counted_check)
    file = HtpasswdFile(path, Passwords())
    for name in ("nobody", "des", "dear", *KINDS):
        rounds.clear()
        assert not file.verify(name, "wrong")
        assert sum(rounds) == 2 ** max(10, dearest), name


def test_two_hashes_at_once(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever many ask; those of the table count with them."""
    htpasswd(path, "bob", "x", "-BC", "10")
    hashing = Passwords()
    file = HtpasswdFile(path, hashing)
    lock, busy, most = threading.Lock(), 0, 0
    real = bcrypt.checkpw

    def counted(password: bytes, kept: bytes) -> bool:
        nonlocal busy, most
        with lock:
            busy += 1
            most = max(most, busy)
        try:
            return real(password, kept)
        finally:
            with lock:
                busy -= 1

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    threads = [threading.Thread(target=file.verify, args=("bob", "x")) for _ in range(9)]
    with hashing.place():
        for thread in threads[:4]:
            thread.start()
        for thread in threads[:4]:
            thread.join()
        assert most == 1
    for thread in threads[4:]:
        thread.start()
    for thread in threads[4:]:
        thread.join()
    assert most <= 2
