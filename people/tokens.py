"""Every change to API tokens."""

from __future__ import annotations

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from packaging.utils import canonicalize_name

from credentials.tokens import TokenText, make_token
from database import tokens as rows
from database.accounts import Accounts
from database.engine import Database
from database.indexes import must_be_there
from database.journal import Actor, Entry
from database.tokens import NewToken, TokenRow
from errors import InvalidRequest, UnknownUser, shown
from permissions import SCOPES

MOST_DAYS: Final = 36_500
NAME_CHARACTERS: Final = 200
NOTE_CHARACTERS: Final = 1000
MOST_PROJECTS: Final = 100
USUAL_SCOPES: Final = ("read", "upload", "yank")
_CONTROLS: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_PATTERN: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,126}[a-z0-9*])?\*?")


class _Usual:
    """The life that the settings give where none is chosen."""


USUAL: Final = _Usual()
Days = int | None | _Usual


@dataclass(frozen=True, slots=True)
class Limits:
    """What a token is to be limited to. ``days`` None is no end, USUAL the settings' default; no projects are all."""

    days: Days = USUAL
    scopes: Sequence[str] = USUAL_SCOPES
    index: str | None = None
    projects: Sequence[str] = ()
    note: str = ""


class TokenManager:
    """Makes and ends tokens. Lives are in days; ``max_days`` 0 means that a token may stand for ever, ``usual_days`` 0
    that it does unless an end is chosen.
    """

    def __init__(self, database: Database, *, usual_days: int = 0, max_days: int = 0) -> None:
        self.database = database
        self.accounts = Accounts(database)
        self.usual_days = min(usual_days or max_days, max_days or usual_days)
        self.max_days = max_days
        self._uses_lock = threading.Lock()
        self._uses: dict[str, tuple[str | None, datetime]] = {}

    def create_token(
        self,
        username: str,
        name: str,
        limits: Limits = Limits(),
        *,
        by: Actor,
    ) -> tuple[TokenText, TokenRow]:
        """A new token of a user. Raises UnknownUser, UnknownIndex, InvalidRequest."""
        account = self.accounts.user(username)
        if account is None:
            raise UnknownUser(username)
        name = name.strip()
        if not name or len(name) > NAME_CHARACTERS or not name.isprintable():
            raise InvalidRequest(f"A token needs a name of 1 to {NAME_CHARACTERS} printable characters.")
        limits = self._checked(limits)
        days = limits.days if not isinstance(limits.days, _Usual) else None
        token = make_token()
        with self.database.writing() as change:
            expires = change.at + timedelta(days=days) if days is not None else None
            new = NewToken(
                token.id, token.secret_sha256, name, expires, " ".join(limits.scopes), limits.index,
                tuple(limits.projects), limits.note,
            )  # fmt: skip
            rows.add_token(change.connection, account.username, new, change.at)
            detail = {
                "user": account.username, "token": token.id, "name": name, "scopes": new.scopes, "index": new.index,
                "projects": list(new.projects), "expires": expires.isoformat() if expires else None,
            }  # fmt: skip
            change.record(by, Entry("token.create", detail=detail))
        row = TokenRow(
            token.id, name, account.username, change.at, expires, None, None, None, new.scopes, new.index,
            tuple(new.projects), new.note,
        )  # fmt: skip
        return token, row

    def _checked(self, limits: Limits) -> Limits:
        """The limits with everything chosen. Raises InvalidRequest for what cannot be, UnknownIndex."""
        if limits.index is not None:
            must_be_there(self.database, limits.index)
        scopes = tuple(dict.fromkeys(limits.scopes))
        if not scopes or not set(scopes) <= set(SCOPES):
            raise InvalidRequest(f"A token needs one or more of the scopes {', '.join(SCOPES)}; choose from them.")
        if len(limits.note) > NOTE_CHARACTERS or _CONTROLS.search(limits.note):
            raise InvalidRequest(
                f"A token's note may have {NOTE_CHARACTERS} characters and no control characters; shorten it."
            )
        if len(limits.projects) > MOST_PROJECTS:
            raise InvalidRequest(f"A token can be limited to {MOST_PROJECTS} projects; use a pattern such as acme-*.")
        projects = tuple(dict.fromkeys(checked_pattern(one) for one in limits.projects))
        return replace(limits, days=self._days(limits.days), scopes=scopes, projects=projects)

    def _days(self, days: Days) -> int | None:
        longest = self.max_days or MOST_DAYS
        if isinstance(days, _Usual):
            days = self.usual_days or None
        if days is None and self.max_days:
            raise InvalidRequest(
                f"A token may stand for {longest:,} days at most here, so not for ever; choose 1 to {longest:,} days."
            )
        if days is None:
            return None
        if not 1 <= days <= longest:
            raise InvalidRequest(f"A token may stand for 1 to {longest:,} days; choose a number of days from these.")
        return days

    def revoke_token(self, username: str | None, public_id: str, *, by: Actor) -> str:
        """End a token of a user, or of anybody for None; whose it was. Raises UnknownToken."""
        with self.database.writing() as change:
            owner, name = rows.revoke_token(change.connection, username, public_id, change.at)
            change.moves_access()
            change.record(by, Entry("token.revoke", detail={"user": owner, "token": public_id, "name": name}))
        return owner

    def note_use(self, public_id: str, address: str | None) -> None:
        """Keep in mind that a token was used; ``flush_uses`` writes it down, beside the requests."""
        with self._uses_lock:
            self._uses[public_id] = (address, datetime.now(UTC))

    def flush_uses(self) -> None:
        """Write down when and from where tokens were last used."""
        with self._uses_lock:
            uses, self._uses = self._uses, {}
        if not uses:
            return
        try:
            with self.database.writing() as change:
                for public_id, (address, at) in uses.items():
                    rows.touch_token(change.connection, public_id, address, at)
        except BaseException:
            with self._uses_lock:
                self._uses = uses | self._uses
            raise


def checked_pattern(text: str) -> str:
    """A project's normalized name, or the beginning of names with ``*`` behind it. Raises InvalidRequest."""
    text = text.strip()
    stem, star = (text[:-1], "*") if text.endswith("*") else (text, "")
    # A separator at the end of the beginning stays: acme-* is not acme*.
    end = "-" if star and stem and stem[-1] in "-_." else ""
    name = canonicalize_name(stem.rstrip("-_.")) if stem else ""
    found = f"{name}{end}{star}"
    if not name or not _PATTERN.fullmatch(found):
        raise InvalidRequest(f"{shown(text)} is no project name, nor a beginning of names such as 'acme-*'.")
    return found
