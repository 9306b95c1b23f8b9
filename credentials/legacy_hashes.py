"""Hashes of htpasswd files: which are taken, how they are checked, and how the user table keeps them after an import.

Taken are bcrypt, ``$apr1$``, ``{SHA}``, and of crypt(3) ``$1$``, ``$5$`` and ``$6$``. bcrypt is kept as it is, weaker
kinds as ``wrapped$<kind>$<salt>|<argon2id of the old digest>``: nobody who reads the table can try passwords any faster
than against argon2id.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import bcrypt
from argon2 import PasswordHasher

if TYPE_CHECKING:
    from credentials.passwords import Passwords

BCRYPT_BYTES: Final = 72  # of a longer password bcrypt takes so many bytes, and so does Apache
_CRYPT_BYTES: Final = 512  # crypt(3) takes no longer ones; the time of SHA-crypt grows with the length
_LOWEST_COST, _HIGHEST_COST = 4, 17  # as htpasswd has it; 17 takes some ten seconds
_QUICK_COST: Final = 8  # up to here bcrypt takes less time than argon2id does here
_WRAPPED: Final = "wrapped$"
_SHA: Final = "{SHA}"
_BCRYPT: Final = re.compile(r"(?P<setting>\$2[aby]\$(?P<cost>[0-9]{2})\$)(?P<digest>[./A-Za-z0-9]{53})")
_SHA1: Final = re.compile(r"(?P<setting>\{SHA\})(?P<digest>[A-Za-z0-9+/]{27}=)")
_SETTING: Final = re.compile(
    r"\$(?:(?P<md5>apr1|1)\$(?P<short>[./A-Za-z0-9]{0,8})"
    r"|(?P<sha2>[56])\$(?:rounds=(?P<rounds>[1-9][0-9]{3,6})\$)?(?P<long>[./A-Za-z0-9]{0,16}))"
)
_CRYPT: Final = re.compile(rf"(?P<setting>{_SETTING.pattern})\$(?P<digest>[./A-Za-z0-9]+)")
_KINDS: Final = {
    "apr1": ("apr_md5_crypt", 22),
    "1": ("md5_crypt", 22),
    "5": ("sha256_crypt", 43),
    "6": ("sha512_crypt", 86),
}
_SHA_KIND: Final = "ldap_sha1"


@dataclass(frozen=True, slots=True)
class OldHash:
    """A hash of a kind that lets somebody in. ``cost`` is the binary logarithm of bcrypt's rounds, else 0."""

    kind: str
    setting: str
    digest: str
    cost: int = 0

    def fits(self, secret: bytes) -> bool:
        """Whether this is the password. One with a NUL never is: programs in C would take it for a shorter one."""
        if not self.cost:
            return hmac.compare_digest(_digest(self.setting, secret), self.digest.encode())
        kept = f"{self.setting}{self.digest}".encode()
        return bcrypt.checkpw(secret[:BCRYPT_BYTES], kept) and b"\0" not in secret


def read(text: str) -> OldHash | None:
    """A hash of an htpasswd file; None for one that is not taken.

    Not taken are DES, plain text, what is damaged, and what would hold a place for many seconds: bcrypt above cost 17,
    SHA-crypt of ten million rounds or more.
    """
    if found := _BCRYPT.fullmatch(text):
        cost = int(found["cost"])
        if not _LOWEST_COST <= cost <= _HIGHEST_COST:
            return None
        return OldHash("bcrypt", found["setting"], found["digest"], cost)
    if found := _SHA1.fullmatch(text):
        return OldHash(_SHA_KIND, _SHA, found["digest"])
    found = _CRYPT.fullmatch(text)
    if found is None:
        return None
    kind, length = _KINDS[found["md5"] or found["sha2"]]
    return OldHash(kind, found["setting"], found["digest"]) if len(found["digest"]) == length else None


def spend(secret: bytes, cost: int) -> None:
    """Take as long as the check of a bcrypt hash of that cost takes."""
    bcrypt.hashpw(secret[:BCRYPT_BYTES], f"$2b${cost:02}${'.' * 22}".encode())


def wrap(text: str, hashing: Passwords) -> str | None:
    """What the user table keeps of an htpasswd hash; None for kinds that are not taken: they need a new password."""
    old = read(text)
    if old is None:
        return None
    if old.cost:
        return text
    return f"{_WRAPPED}{old.kind}${old.setting.removeprefix('$')}|{hashing.hash(old.digest)}"


def is_legacy(kept: str) -> bool:
    """Whether the user table keeps a hash in one of these forms."""
    return kept.startswith((_WRAPPED, "$2"))


def is_quick(kept: str) -> bool:
    """Whether its check takes less time than argon2id, which would tell that the account is there."""
    old = read(kept)
    return old is None or old.cost <= _QUICK_COST


def verify(kept: str, password: str, hasher: PasswordHasher) -> bool:
    """Whether the password belongs to a hash that the user table keeps. The caller has a place for it.

    Raises argon2's VerificationError for a wrapped hash of another password, InvalidHashError for a damaged one.
    """
    secret = password.encode("utf-8", "surrogatepass")
    if not kept.startswith(_WRAPPED):
        old = read(kept)
        return old is not None and old.fits(secret)
    said, _, outer = kept.removeprefix(_WRAPPED).partition("|")
    kind, _, setting = said.partition("$")
    return hasher.verify(outer, _digest(_SHA if kind == _SHA_KIND else f"${setting}", secret))


def _digest(setting: str, secret: bytes) -> bytes:
    """The old digest of a password; empty where the kind cannot have that password, or there is no such kind."""
    from passlib import hash as handlers  # slow to load, and rarely needed

    if setting == _SHA:
        return str(handlers.ldap_sha1.hash(secret)).removeprefix(_SHA).encode()
    found = _SETTING.fullmatch(setting)
    if found is None or b"\0" in secret or (found["md5"] != "apr1" and len(secret) > _CRYPT_BYTES):
        return b""
    handler = getattr(handlers, _KINDS[found["md5"] or found["sha2"]][0])
    if found["md5"]:
        chosen = handler.using(salt=found["short"])
    else:
        chosen = handler.using(salt=found["long"], rounds=int(found["rounds"] or 5000))
    return str(chosen.hash(secret)).rpartition("$")[2].encode()
