"""Hashes of htpasswd files: how they are checked, and how they are kept in the user table after an import.

bcrypt is kept as it is. Weaker kinds are kept as ``wrapped$<kind>$<salt>|<argon2id of the old digest>``: nobody who
reads the table can try passwords any faster than against argon2id.
"""

from __future__ import annotations

import functools
import re
import warnings
from typing import TYPE_CHECKING, Any, Final

import bcrypt

if TYPE_CHECKING:
    from credentials.passwords import Passwords

_BCRYPT: Final = re.compile(r"\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}")
_KINDS: Final = {
    "apr_md5_crypt": re.compile(r"(\$apr1\$[./A-Za-z0-9]{0,8})\$[./A-Za-z0-9]{22}"),
    "md5_crypt": re.compile(r"(\$1\$[./A-Za-z0-9]{0,8})\$[./A-Za-z0-9]{22}"),
    "sha256_crypt": re.compile(r"(\$5\$(?:rounds=\d{1,6}\$)?[./A-Za-z0-9]{0,16})\$[./A-Za-z0-9]{43}"),
    "sha512_crypt": re.compile(r"(\$6\$(?:rounds=\d{1,6}\$)?[./A-Za-z0-9]{0,16})\$[./A-Za-z0-9]{86}"),
    "ldap_sha1": re.compile(r"(\{SHA\})[A-Za-z0-9+/]{27}="),
}
_WRAPPED: Final = "wrapped$"


def is_taken(kept: str) -> bool:
    """Whether a hash of an htpasswd file is of a kind that lets somebody in."""
    return _BCRYPT.fullmatch(kept) is not None or _kind_of(kept) is not None


def _kind_of(kept: str) -> tuple[str, str] | None:
    """The kind of an old hash and its salt, with what stands before it."""
    for kind, pattern in _KINDS.items():
        found = pattern.fullmatch(kept)
        if found is not None:
            return kind, found[1]
    return None


def checks(kept: str, password: str) -> bool:
    """Whether a password belongs to a hash of an htpasswd file."""
    raw = password.encode("utf-8", "surrogatepass")
    if _BCRYPT.fullmatch(kept):
        return bcrypt.checkpw(raw[:72], kept.encode())
    found = _kind_of(kept)
    return found is not None and bool(_handler(found[0]).verify(raw, kept))


@functools.lru_cache
def _handler(kind: str) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it imports the standard library's crypt
        from passlib import hash as handlers

        return getattr(handlers, kind)


def wrap(kept: str, hashing: Passwords) -> str | None:
    """What the user table keeps of an htpasswd hash; None for kinds that are not taken: they need a new password."""
    if _BCRYPT.fullmatch(kept):
        return kept
    found = _kind_of(kept)
    if found is None:
        return None
    kind, salt = found
    return f"{_WRAPPED}{kind}{salt if salt.startswith('$') else f'${salt}'}|{hashing.hash(_digest(kept))}"


def is_legacy(kept: str) -> bool:
    """Whether the user table keeps a hash in one of these forms."""
    return kept.startswith(_WRAPPED) or _BCRYPT.fullmatch(kept) is not None


def inner(kept: str, password: str) -> tuple[str, str] | None:
    """For a wrapped hash: the old digest that this password would have, and the argon2id that it is held against."""
    said, bar, outer = kept.removeprefix(_WRAPPED).partition("|")
    kind, dollar, salt = said.partition("$")
    if not bar or not dollar or kind not in _KINDS:
        return None
    old = _handler(kind).using(**_settings(kind, f"${salt}")).hash(password.encode("utf-8", "surrogatepass"))
    return _digest(str(old)), outer


def _settings(kind: str, config: str) -> dict[str, Any]:
    """The salt and rounds of an old hash."""
    if kind == "ldap_sha1":
        return {}
    parts = config.split("$")[2:]
    rounds = int(parts[0].removeprefix("rounds=")) if parts[0].startswith("rounds=") else 5000
    return {"salt": parts[-1]} if "md5" in kind else {"salt": parts[-1], "rounds": rounds}


def _digest(old: str) -> str:
    """What is computed from the password, without what stands before it: 5000 rounds may be named there or not."""
    return old.rpartition("}" if old.startswith("{") else "$")[2]
