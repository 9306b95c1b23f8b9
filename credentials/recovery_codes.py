"""Recovery codes: ten secrets on paper, each good once instead of the second factor.

A code has 80 random bits in the letters of Crockford's base32, which has no o, i, l or u: what is typed for them is
read as 0 and 1. It is shown once, in groups of four as ``4f7k-9m2x-c0rt-8wyz``.
"""

from __future__ import annotations

import hashlib
import re
import secrets

HOW_MANY = 10
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_GROUPS, _GROUP_LENGTH = 4, 4
_LONGEST = 64
_LEFT_OUT = re.compile(r"[\s-]")
_LOOK_ALIKES = str.maketrans("oil", "011")
_CODE = re.compile(f"[{_ALPHABET}]{{{_GROUPS * _GROUP_LENGTH}}}")


def new_codes() -> list[str]:
    """Ten new codes, as they are shown."""
    return [_new_code() for _ in range(HOW_MANY)]


def hash_code(code: str) -> str:
    """What is kept of a code, and found again however it was typed: with other case, spaces or dashes.

    SHA-256 is right here, a slow hash is not needed: nobody tries 2^80 random codes, however fast, while a person's
    password is guessed from a list.
    """
    return hashlib.sha256(_normalised(code).encode("utf-8", "surrogatepass")).hexdigest()


def looks_like_code(text: str) -> bool:
    """Whether a text has the form of a recovery code; a code of an authenticator app has not."""
    return len(text) <= _LONGEST and _CODE.fullmatch(_normalised(text)) is not None


def _new_code() -> str:
    letters = [secrets.choice(_ALPHABET) for _ in range(_GROUPS * _GROUP_LENGTH)]
    return "-".join("".join(letters[start : start + _GROUP_LENGTH]) for start in range(0, len(letters), _GROUP_LENGTH))


def _normalised(code: str) -> str:
    return _LEFT_OUT.sub("", code).lower().translate(_LOOK_ALIKES)
