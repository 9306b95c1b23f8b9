"""Every change to trusted publishers, and the short-lived tokens that their jobs get for their provider's word.

A publisher can do no more than whoever added it: it uploads for as long as they may upload to the project themselves.
One that was added at the shell stands until it is removed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Self

from packaging.utils import NormalizedName

from config import Settings
from credentials import publishers as told
from credentials.issuers import LEEWAY_SECONDS, Issuers, unverified_issuer
from credentials.tokens import TokenText, make_token, read_token
from database import publishers as rows
from database.accounts import Accounts
from database.engine import Database
from database.journal import Actor, Change, Entry
from database.publishers import NewMinted, NewPublisher, PublisherRow, Publishers
from database.rights import ground
from errors import Conflict, InvalidIdentityToken, InvalidRequest, NameTaken, shown
from identities import Identities
from permissions import MAIN

MOST_OF_A_PROJECT: Final = 50
MOST_OF_A_USER: Final = 1000
# Beyond the provider's own expiry and the leeway that is given to its clock.
_MARGIN: Final = timedelta(seconds=LEEWAY_SECONDS + 60)
_LATEST: Final = datetime(9000, 1, 1, tzinfo=UTC)
_REFUSED: Final = "invalid-publisher"
_LONGEST_FACT: Final = 255
_FACTS: Final = (
    "repository", "project_path", "ref", "ref_path", "sha", "run_id", "run_attempt", "pipeline_id", "job_id",
    "job_workflow_ref", "ci_config_ref_uri", "event_name", "environment", "actor", "user_login", "email", "sub", "jti",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class PublishingRules:
    """What the settings say: the audience, the issuers of each kind, its usual one first, and a token's life."""

    audience: str
    issuers: Mapping[str, tuple[str, ...]]
    minutes: int
    enabled: bool = True

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The rules of these settings. Without authentication nobody is told apart, so nobody is trusted either."""
        github, gitlab, google = (
            (one.rstrip("/"),) if one else ()
            for one in (settings.publishing_github, settings.publishing_gitlab, settings.publishing_google)
        )
        further = settings.publishing_issuers
        issuers = {
            "github": (*github, *further), "gitlab": (*gitlab, *further), "google": google,
            "oidc": (*further, *github, *gitlab, *google),
        }  # fmt: skip
        enabled = settings.auth_enabled and bool(settings.publishing_audience) and bool(issuers["oidc"])
        return cls(settings.publishing_audience, issuers, settings.publishing_minutes, enabled)

    @property
    def all_issuers(self) -> frozenset[str]:
        """Everybody whose tokens are looked at."""
        return frozenset(self.issuers["oidc"])


@dataclass(frozen=True, slots=True)
class MintedText:
    """A short-lived token: its text, which is shown this once, its end, and the projects that it is for."""

    text: str
    expires: datetime
    projects: tuple[str, ...]


class PublisherManager:
    """Adds and removes publishers, gives and ends their tokens."""

    def __init__(self, database: Database, issuers: Issuers, rules: PublishingRules, identities: Identities) -> None:
        self.database = database
        self.issuers = issuers
        self.rules = rules
        self.identities = identities
        self.publishers = Publishers(database)
        self.accounts = Accounts(database)

    # -- publishers

    def add(
        self,
        index: str,
        project: NormalizedName,
        kind: str,
        fields: Mapping[str, str],
        issuer: str = "",
        *,
        by: Actor,
        user_id: int | None,
    ) -> PublisherRow:
        """Let a job upload to a project; without a file it is one to be started. An issuer left out is the usual one.

        Whether ``user_id`` may do so is the caller's to ask. Raises InvalidRequest, NameTaken, Conflict, UnknownIndex.
        """
        if index != MAIN:
            raise InvalidRequest(
                f"Tokens of CI jobs are traded for those of main only, not of {index}; upload there with an API token."
            )
        made = told.make(kind, fields, issuer or self._usual_issuer(kind))
        self._must_be_trusted(made)
        new = NewPublisher(index, project, made.kind, made.issuer, made.to_fields())
        with self.database.writing() as change:
            standing = rows.publishers_of(change.connection, index, project)
            if all(row.pending for row in standing):  # nobody's yet: each who may start it has their own
                standing = [row for row in standing if row.user_id == user_id]
            if user_id is None and not ground(change.connection, index, project).exists:
                raise InvalidRequest(
                    f"{project} is not there yet, and what a job starts belongs to somebody; name the user."
                )
            if any(_same(row, new) for row in standing):
                raise NameTaken(f"{told.describe(made)} is a trusted publisher of {project} already.")
            mine = rows.count_added_by(change.connection, user_id) if user_id is not None else 0
            if len(standing) >= MOST_OF_A_PROJECT or mine >= MOST_OF_A_USER:
                raise Conflict(
                    f"A project may have {MOST_OF_A_PROJECT} trusted publishers, and a person {MOST_OF_A_USER:,}; "
                    "remove some that are not used."
                )
            public_id = rows.add_publisher(change.connection, new, user_id, change.at)
            detail = {"publisher": public_id, "kind": kind, "issuer": made.issuer, **new.fields}
            change.record(by, Entry("publisher.add", project=project, detail={**detail, "index": index}))
            found = rows.publishers_of(change.connection, index, project)
        return next(row for row in found if row.id == public_id)

    def remove(
        self, index: str, project: NormalizedName, public_id: str, *, added_by: int | None = None, by: Actor
    ) -> PublisherRow:
        """Trust a publisher no more, if ``added_by`` added it or is None; its tokens end at once.

        Raises UnknownPublisher.
        """
        with self.database.writing() as change:
            row = rows.remove_publisher(change.connection, index, project, public_id, added_by)
            change.moves_access()
            detail = {"publisher": row.id, "kind": row.kind, "issuer": row.issuer, **row.fields, "index": index}
            change.record(by, Entry("publisher.remove", project=project, detail=detail))
        return row

    def of_project(self, index: str, project: NormalizedName, *, added_by: int | None = None) -> list[PublisherRow]:
        """The publishers of a project, all or those that one user added, newest first."""
        found = self.publishers.of_project(index, project)
        return found if added_by is None else [row for row in found if row.user_id == added_by]

    def attested_as(self, row: PublisherRow) -> dict[str, str | None] | None:
        """Against whom this publisher's attestations are verified (PEP 740); None where that cannot be told.

        Only jobs of the public providers can be: Sigstore knows no others.
        """
        return told.attestation_identity(publisher_of(row))

    def _usual_issuer(self, kind: str) -> str:
        known = self.rules.issuers.get(kind, ())
        return known[0] if known and kind != "oidc" else ""

    def _must_be_trusted(self, publisher: told.Publisher) -> None:
        known = self.rules.issuers[publisher.kind]
        if publisher.issuer not in known:
            raise InvalidRequest(
                f"The issuer {shown(publisher.issuer, 200)} is not trusted here for {publisher.kind}; trusted are: "
                f"{', '.join(known) or 'none'}. An administrator can name more in the settings [publishing]."
            )

    # -- their tokens

    def mint(self, identity_token: str, *, index: str, project: str | None = None, by: Actor) -> MintedText:
        """A short-lived upload token for a job that shows its provider's token, which is taken once.

        It is for the projects of all publishers of the index that the job fits, or for the one that is named.
        Raises InvalidIdentityToken with PyPI's word for the reason, IssuerUnavailable.
        """
        if not self.rules.enabled:
            raise InvalidIdentityToken("Trusted publishing is switched off on this server.", "not-enabled")
        issuer = self._issuer_of(identity_token)
        claims = self.issuers.verify(identity_token, issuer=issuer, audience=self.rules.audience)
        fitting = self._fitting(index, issuer, claims, project)
        token = make_token()
        with self.database.writing() as change:
            rows.sweep(change.connection, change.at)
            self._take_once(change, issuer, identity_token, claims)
            used = tuple(row for row in fitting if self._use(change, row, claims))
            if not used:
                raise InvalidIdentityToken("The trusted publisher was removed meanwhile.", _REFUSED)
            name, facts = _name_of(used[0]), _facts_of(claims)
            expires = change.at + timedelta(minutes=self.rules.minutes)
            rows.add_minted(
                change.connection,
                NewMinted(token.id, token.secret_sha256, name, tuple(row.row for row in used), expires, facts),
                change.at,
            )
            for row in used:
                detail = {"publisher": row.id, "token": token.id, "kind": row.kind, "issuer": issuer, **facts}
                change.record(replace(by, name=name), Entry("publisher.mint", project=row.project, detail=detail))
        return MintedText(token.text, expires, tuple(row.project for row in used))

    def burn(self, text: str, *, by: Actor) -> bool:
        """End a short-lived token before its time; False for what is none, or had ended."""
        token = read_token(text)
        found = self.publishers.minted(token.id) if token is not None else None
        if token is None or found is None or not token.fits(found.secret_sha256) or found.burned:
            return False
        return self._burn(token, found.name, by)

    def _burn(self, token: TokenText, name: str, by: Actor) -> bool:
        with self.database.writing() as change:
            if not rows.burn_minted(change.connection, token.id, change.at):
                return False
            change.moves_access()
            change.record(replace(by, name=name), Entry("publisher.burn", detail={"token": token.id}))
        return True

    def _issuer_of(self, identity_token: str) -> str:
        try:
            issuer = unverified_issuer(identity_token)
        except InvalidIdentityToken as refusal:
            raise InvalidIdentityToken(refusal.sentence, "invalid-payload") from refusal
        if issuer not in self.rules.all_issuers:
            raise InvalidIdentityToken(
                f"Tokens of {shown(issuer, 200)} are not taken here; the settings [publishing] name the issuers.",
                "invalid-payload",
            )
        return issuer

    def _fitting(self, index: str, issuer: str, claims: Mapping[str, Any], project: str | None) -> list[PublisherRow]:
        """The publishers that these claims fit and that stand, newest first and one a project."""
        fitting = [
            row
            for row in self.publishers.of_issuer(index, issuer)
            if project in {None, row.project} and told.matches(publisher_of(row), claims)
        ]
        if not fitting:
            facts = ", ".join(f"{name} {shown(value, 100)}" for name, value in _facts_of(claims).items())
            never = " A job that pull_request_target started uploads nothing: it may run a stranger's code."
            raise InvalidIdentityToken(
                f"No trusted publisher of this server fits the job: {facts}."
                f"{never if claims.get('event_name') == 'pull_request_target' else ''}",
                _REFUSED,
            )
        standing: dict[str, PublisherRow] = {}
        for row in fitting:
            if row.project in standing:
                continue
            if self.identities.lets_publish(row.created_by, self.accounts, row.index, row.project):
                standing[row.project] = row
        if not standing:
            pending = all(row.pending for row in fitting)
            projects = ", ".join(dict.fromkeys(row.project for row in fitting))
            raise InvalidIdentityToken(
                f"Who added the trusted publisher may not upload to {projects} (any more); "
                "an owner of the project has to add it anew.",
                "invalid-pending-publisher" if pending else _REFUSED,
            )
        return list(standing.values())

    def _take_once(self, change: Change, issuer: str, identity_token: str, claims: Mapping[str, Any]) -> None:
        """Raises InvalidIdentityToken for a token that was taken before."""
        # Without an id it is told by what is signed: some signatures can be written in two ways.
        said = f"jti {claims['jti']}" if claims.get("jti") else identity_token.strip().rpartition(".")[0]
        try:
            expires = datetime.fromtimestamp(float(claims["exp"]), UTC) + _MARGIN
        except (ValueError, OverflowError, OSError):
            expires = _LATEST
        digest = hashlib.sha256(said.encode()).hexdigest()
        if not rows.take_identity_token(change.connection, issuer, digest, expires):
            raise InvalidIdentityToken("The token was used before; ask for a new one.", "invalid-reuse-token")

    def _use(self, change: Change, row: PublisherRow, claims: Mapping[str, Any]) -> bool:
        fields = told.pinned(publisher_of(row), claims).to_fields()
        return rows.use_publisher(change.connection, row.row, fields, change.at)


def publisher_of(row: PublisherRow) -> told.Publisher:
    """The job that a row tells of."""
    return told.make(row.kind, row.fields, row.issuer)


def _name_of(row: PublisherRow) -> str:
    """What the journal and the log call the job: one word, ``github:acme/tool``."""
    return told.describe(publisher_of(row)).partition(" ")[0]


def _facts_of(claims: Mapping[str, Any]) -> dict[str, str]:
    """The claims that tell one run from another, for the journal."""
    return {name: str(claims[name])[:_LONGEST_FACT] for name in _FACTS if claims.get(name)}


def _same(row: PublisherRow, new: NewPublisher) -> bool:
    """Whether a publisher is there already; its provider's numbers may have been learnt since."""

    def told_by(fields: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in fields.items() if row.kind == "oidc" or not name.endswith("_id")}

    return (row.kind, row.issuer) == (new.kind, new.issuer) and told_by(row.fields) == told_by(new.fields)
