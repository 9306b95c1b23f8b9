"""Every change to second factors, and whether one that is shown is good."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from credentials import passkeys, recovery_codes, totp
from credentials.passkeys import RelyingParty
from credentials.sealing import Sealer
from credentials.throttle import Throttle
from database import factors as rows
from database import sessions as session_rows
from database.accounts import Account
from database.engine import Database
from database.factors import PASSKEY, TOTP, FactorRow, Factors
from database.journal import Actor, Change, Entry
from errors import Conflict, InvalidRequest, NotAuthenticated
from people.tickets import Tickets

PROGRAM: Final = "PyPI Clone"
MOST_FACTORS: Final = 20
_NAME_CHARACTERS: Final = 100
_SEALED: Final = "second factor"
_NEW_APP: Final = "app"


@dataclass(frozen=True, slots=True)
class NewApp:
    """An authenticator app about to be set up: what to scan or type, and the ticket for the page that confirms it."""

    seed: str
    qr_svg: str
    ticket: str


@dataclass(frozen=True, slots=True)
class Question:
    """What a passkey is asked: options for the browser, and the ticket for its answer."""

    options: str
    ticket: str


class FactorManager:
    """Sets factors up, checks and removes them."""

    def __init__(self, database: Database, sealer: Sealer, tickets: Tickets) -> None:
        self.database = database
        self.factors = Factors(database)
        self._sealer = sealer
        self._tickets = tickets
        # Six digits are guessed sooner than a password.
        self.throttle = Throttle(by_pair=5, by_address=50, what="wrong codes", instead="")

    # -- authenticator apps

    def begin_app(self, account: Account, host: str) -> NewApp:
        """A new seed, kept only in the ticket until a code proves that the app has it."""
        seed = totp.new_seed()
        uri = totp.provisioning_uri(seed, account.username, f"{PROGRAM} at {host}")
        ticket = self._tickets.issue(_NEW_APP, {"user": account.id, "seed": seed})
        return NewApp(seed, totp.qr_svg(uri), ticket)

    def resume_app(self, account: Account, ticket: str, host: str) -> NewApp:
        """The same seed again, after a code that was not right. Raises Forbidden."""
        seed = self._seed(account, ticket)
        uri = totp.provisioning_uri(seed, account.username, f"{PROGRAM} at {host}")
        return NewApp(seed, totp.qr_svg(uri), ticket)

    def add_app(self, account: Account, ticket: str, code: str, name: str, *, by: Actor) -> list[str]:
        """Set an app up whose code is right; new recovery codes, if the account had none left.

        Raises InvalidRequest for a wrong code, Forbidden for a ticket that has ended or was used, Conflict.
        """
        seed = self._seed(account, ticket)
        step = totp.check(seed, code, last_step=None, now=datetime.now(UTC))
        if step is None:
            raise InvalidRequest("This code is not right; type the one that the app shows now, and check its clock.")
        self._tickets.use(_NEW_APP, ticket)
        public_id = _public_id()
        with self.database.writing() as change:
            self._may_add(change, account)
            rows.add_factor(
                change.connection, public_id=public_id, user_id=account.id, kind=TOTP, name=_name(name, "App"),
                created=change.at, sealed_seed=self._sealer.seal(seed, _SEALED, public_id), last_step=step,
            )  # fmt: skip
            return self._added(change, account, TOTP, public_id, by)

    def _seed(self, account: Account, ticket: str) -> str:
        said = self._tickets.read(_NEW_APP, ticket)
        if said["user"] != account.id:
            raise InvalidRequest("This page was begun by somebody else; begin again.")
        return str(said["seed"])

    # -- passkeys

    def ask_new_passkey(self, account: Account, party: RelyingParty) -> Question:
        """What the browser asks a device to register."""
        challenge = passkeys.new_challenge()
        known = [one.credential_id for one in self.factors.of_user(account.id) if one.credential_id]
        handle = f"user-{account.id}".encode()
        options = passkeys.registration_options(party.rp_id, PROGRAM, handle, account.username, known, challenge)
        return Question(
            options, self._tickets.issue("new-passkey", {"user": account.id, "challenge": _text(challenge)})
        )

    def add_passkey(
        self, account: Account, question: str, answer: str, name: str, party: RelyingParty, *, by: Actor
    ) -> list[str]:
        """Keep a passkey that a device registered; new recovery codes, if the account had none left.

        Raises InvalidRequest, Forbidden, Conflict.
        """
        said = self._tickets.use("new-passkey", question)
        if said["user"] != account.id:
            raise InvalidRequest("This page was begun by somebody else; begin again.")
        made = passkeys.verify_registration(answer, _bytes(said["challenge"]), party.rp_id, party.origin)
        if self.factors.passkey(made.credential_id) is not None:
            raise Conflict("This passkey is registered already; use it, or choose another device.")
        public_id = _public_id()
        with self.database.writing() as change:
            self._may_add(change, account)
            rows.add_factor(
                change.connection, public_id=public_id, user_id=account.id, kind=PASSKEY, name=_name(name, "Passkey"),
                created=change.at, credential_id=made.credential_id, public_key=made.public_key,
                sign_count=made.sign_count,
            )  # fmt: skip
            return self._added(change, account, PASSKEY, public_id, by)

    def ask_passkey(self, party: RelyingParty, account: Account | None = None) -> Question:
        """What the browser asks a passkey: one of an account, or whichever the device has for this server."""
        challenge = passkeys.new_challenge()
        known = [one.credential_id for one in self.factors.of_user(account.id) if one.credential_id] if account else []
        options = passkeys.authentication_options(party.rp_id, challenge, known)
        return Question(options, self._tickets.issue("passkey", {"challenge": _text(challenge)}))

    def check_passkey(self, question: str, answer: str, party: RelyingParty) -> Account:
        """Whose passkey answered. Raises NotAuthenticated, InvalidRequest, Forbidden."""
        said = self._tickets.use("passkey", question)
        found = self.factors.passkey(passkeys.credential_id_of(answer))
        if found is None:
            raise NotAuthenticated("This passkey is not registered here; sign in another way.")
        account, row = found
        used = passkeys.verify_authentication(
            answer, _bytes(said["challenge"]), party.rp_id, party.origin, row.public_key or b"", row.sign_count
        )
        with self.database.writing() as change:
            rows.use_factor(change.connection, row.id, change.at, sign_count=used.new_sign_count)
        return account

    # -- codes

    def prove_code(self, account: Account, code: str, *, by: Actor) -> None:
        """Check a code of an app, or a recovery code, that came from where ``by`` says; it is used up by this.

        Raises NotAuthenticated for one that is not good, TooManyAttempts.
        """
        # The account counts alone too, as a place of its own, since whoever guesses knows the password. That bars
        # neither its owner where they were before, nor a recovery code, which nobody guesses.
        places = [by.address or ""]
        if not self.throttle.knows(account.username, places[0]) and not recovery_codes.looks_like_code(code):
            places.append(f"everywhere {account.username}")
        for place in places:
            self.throttle.must_allow(account.username, place)
        if not self.check_code(account, code, by=by):
            for place in places:
                self.throttle.failed(account.username, place)
            raise NotAuthenticated("This code is not right, or was used before; wait for the next one and type that.")
        for place in places:
            self.throttle.must_allow(account.username, place)
            self.throttle.succeeded(account.username, place)

    def check_code(self, account: Account, code: str, *, by: Actor) -> bool:
        """Whether a code of an app, or a recovery code, is good; it is used up by this."""
        with self.database.writing() as change:
            if recovery_codes.looks_like_code(code):
                hashed = recovery_codes.hash_code(code)
                good = rows.use_code(change.connection, account.id, hashed, change.at)
                if good:
                    change.record(by, Entry("factor.recovery", detail={"user": account.username}))
                return good
            for row in rows.of_user(change.connection, account.id):
                if row.kind == TOTP and self._fits(change, row, code):
                    return True
        return False

    def _fits(self, change: Change, row: FactorRow, code: str) -> bool:
        seed = self._sealer.open(row.sealed_seed, _SEALED, row.public_id)
        step = totp.check(seed, code, last_step=row.last_step, now=change.at)
        if step is not None:
            rows.use_factor(change.connection, row.id, change.at, last_step=step)
        return step is not None

    def new_codes(self, account: Account, *, by: Actor) -> list[str]:
        """Ten new recovery codes; the earlier ones are worth nothing. Raises Conflict without a second factor."""
        codes = recovery_codes.new_codes()
        with self.database.writing() as change:
            if not rows.of_user(change.connection, account.id):
                raise Conflict("You have no second factor, so there is nothing to recover; set one up first.")
            rows.set_codes(change.connection, account.id, [recovery_codes.hash_code(one) for one in codes])
            change.record(by, Entry("factor.codes", detail={"user": account.username}))
        return codes

    # -- all of them

    def remove(self, account: Account, public_id: str, *, by: Actor) -> str:
        """Remove a factor; its name. With the last one the recovery codes end. Raises UnknownFactor."""
        with self.database.writing() as change:
            name = rows.remove_factor(change.connection, account.id, public_id)
            if not rows.of_user(change.connection, account.id):
                rows.set_codes(change.connection, account.id, [])
            change.moves_access()
            change.record(by, Entry("factor.remove", detail={"user": account.username, "factor": public_id}))
        return name

    def reset(self, account: Account, *, by: Actor) -> int:
        """Remove every factor of somebody who lost theirs, and end their sessions; how many there were."""
        with self.database.writing() as change:
            removed = rows.remove_all(change.connection, account.id)
            session_rows.end_sessions(change.connection, account.username)
            change.moves_access()
            change.record(by, Entry("factor.reset", detail={"user": account.username, "factors": removed}))
        return removed

    @staticmethod
    def _may_add(change: Change, account: Account) -> None:
        if len(rows.of_user(change.connection, account.id)) >= MOST_FACTORS:
            raise Conflict(f"An account may have {MOST_FACTORS} second factors; remove one first.")

    def _added(self, change: Change, account: Account, kind: str, public_id: str, by: Actor) -> list[str]:
        """What every new factor brings: an end to verdicts by password alone, codes where it is the first, a row."""
        codes: Sequence[str] = ()
        if len(rows.of_user(change.connection, account.id)) == 1:
            codes = recovery_codes.new_codes()
            rows.set_codes(change.connection, account.id, [recovery_codes.hash_code(one) for one in codes])
        change.moves_access()
        detail = {"user": account.username, "kind": kind, "factor": public_id}
        change.record(by, Entry("factor.add", detail=detail))
        return list(codes)


def _name(text: str, otherwise: str) -> str:
    name = text.strip() or otherwise
    if len(name) > _NAME_CHARACTERS or not name.isprintable():
        raise InvalidRequest(f"A name here may have {_NAME_CHARACTERS} printable characters; shorten it.")
    return name


def _public_id() -> str:
    return secrets.token_hex(8)


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text)
