"""Tickets: what a browser carries from one page to the next and cannot read or change, such as a sign-in half done.

Sealed under the server's secret key for one purpose, good for some minutes, and where it matters good once.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from credentials.sealing import Sealer
from database import factors as rows
from database.engine import Database
from errors import Forbidden, Unavailable

_MINUTES: Final = 5
_LONGEST: Final = 8192
_PURPOSE: Final = "ticket"


class Tickets:
    """Issues and reads tickets. Issuing one writes nothing, so that nobody can fill the database by asking."""

    def __init__(self, database: Database, sealer: Sealer) -> None:
        self._database = database
        self._sealer = sealer

    def issue(self, purpose: str, data: Mapping[str, Any]) -> str:
        """A ticket that carries ``data``, which is JSON."""
        ends = (datetime.now(UTC) + timedelta(minutes=_MINUTES)).timestamp()
        return self._sealer.seal(
            json.dumps({"data": dict(data), "ends": ends, "one": secrets.token_hex(16)}), _PURPOSE, purpose
        )

    def read(self, purpose: str, text: str) -> Mapping[str, Any]:
        """What a ticket carries. Raises Forbidden for one that has ended, is for another purpose or none at all."""
        return self._opened(purpose, text)[0]

    def use(self, purpose: str, text: str) -> Mapping[str, Any]:
        """The same, once: a second use raises Forbidden."""
        data, ends = self._opened(purpose, text)
        hashed = hashlib.sha256(f"{purpose} {text}".encode()).hexdigest()
        with self._database.writing() as change:
            first = rows.use_once(change.connection, hashed, purpose, expires=ends, at=change.at)
        if not first:
            raise Forbidden("This page was sent before; load it again and try once more.")
        return data

    def _opened(self, purpose: str, text: str) -> tuple[Mapping[str, Any], datetime]:
        over = Forbidden("This took too long, or did not begin here; begin again.")
        if not text or len(text) > _LONGEST:
            raise over
        try:
            said = json.loads(self._sealer.open(text, _PURPOSE, purpose))
        except Unavailable as error:  # sealed by nobody, or with a key that was replaced: to the asker it is the same
            raise over from error
        ends = datetime.fromtimestamp(said["ends"], UTC)
        if ends <= datetime.now(UTC):
            raise over
        return said["data"], ends
