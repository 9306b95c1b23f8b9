"""The services of one server, built from its settings: what views, jobs and the command line share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from auth import Authenticator, Readers
from config import Settings, ensure_secret_key, prepare_directories
from credentials.htpasswd import HtpasswdFile
from credentials.issuers import Issuers
from credentials.openid import OpenIdProvider, OpenIdSettings
from credentials.passwords import Passwords
from credentials.sealing import Sealer
from database import schema
from database.accounts import Accounts
from database.engine import Database
from database.publishers import Publishers
from database.rights import Rights
from database.sign_ins import RefusedSignIns
from database.tokens import Tokens
from database.upstream_files import UpstreamFiles
from database.upstream_pages import UpstreamPages
from distributions.sandbox import Inspector
from identities import Identities, Rules
from indexes.assembly import Assembly, IndexServices
from indexes.declared import Declaration, declaration_of
from indexes.declaring import bring_in_line
from indexes.manager import IndexManager
from indexes.pair_sessions import PairSessions
from indexes.pairs import PairAuthenticator
from indexes.registry import Registry
from indexes.upstreams import Upstreams, check_for_request
from package_manager import PackageManager
from package_manager import Rules as UploadRules
from people.directories import directories_of, groups_of
from people.factors import FactorManager
from people.publishers import PublisherManager, PublishingRules
from people.rights import RightsManager
from people.sessions import SessionManager
from people.tickets import Tickets
from people.tokens import TokenManager
from people.users import UserManager
from permissions import CHANGING, MAIN, OPERATIONS, READING, Permission, Role
from simple.pages import Pages
from storage import Storage
from storage.digests import DigestFolder
from storage.filesystem import FilesystemStorage
from upstream.hub import UpstreamHub


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that answers requests; ``at`` gives what does so about one index. Nothing here is global: tests build
    their own.
    """

    settings: Settings
    registry: Registry[IndexServices]
    indexes: IndexManager
    database: Database
    storage: Storage
    cache: DigestFolder  # what was taken in from upstreams
    hub: UpstreamHub
    inspector: Inspector
    contents_inspector: Inspector  # reads what people look into, so that uploads need not wait for them
    manager: PackageManager
    pages: Pages
    readers: Readers
    users: UserManager
    tokens: TokenManager
    sessions: SessionManager
    rights: RightsManager
    tickets: Tickets
    factors: FactorManager
    sign_ins: RefusedSignIns
    authenticator: Authenticator
    publishers: PublisherManager
    openid: OpenIdProvider | None
    pairs: PairAuthenticator | None  # where a file declares indexes
    pair_sessions: PairSessions

    def at(self, index: str = MAIN) -> IndexServices:
        """What answers about one index, as it is now. Raises UnknownIndex."""
        return self.registry.get(index)

    def is_private(self, index: IndexServices, permission: Permission) -> bool:
        """Whether not everybody may do this on an index."""
        return index.is_closed or permission not in public(self.settings)

    @property
    def accounts(self) -> Accounts:
        """The reader of accounts."""
        return self.readers.accounts

    def flush(self) -> None:
        """Write down what was counted and gathered beside the requests."""
        for index in self.registry.all().values():
            index.downloads.flush()
        self.tokens.flush_uses()
        self.sessions.flush_uses()
        self.pair_sessions.flush_uses()
        self.sign_ins.flush(self.database)
        self.cache.flush_uses()

    def close(self) -> None:
        """Write down what waits, end the readers, close the database."""
        try:
            self.flush()
        finally:
            self.inspector.close()
            self.contents_inspector.close()
            self.hub.close()
            self.database.close()


def open_services(settings: Settings) -> Services:
    """The services of these settings, with folders made and the schema current.

    Raises InvalidSetting, StorageFailed, DatabaseBusy.
    """
    declared = declaration_of(settings)
    prepare_directories(settings)
    database = Database(settings.database_path)
    schema.prepare(database)
    storage = FilesystemStorage(settings.data_path)
    inspector = Inspector()
    passwords = Passwords()
    htpasswd = _htpasswd(settings, passwords)
    sign_ins = RefusedSignIns()
    sealer = Sealer(ensure_secret_key(settings))
    tickets = Tickets(database, sealer)
    readers = Readers(Accounts(database), Tokens(database), Rights(database), Publishers(database))
    users = _users(settings, database, passwords, htpasswd)
    authenticator = Authenticator(
        readers, passwords, _rules(settings), users, sign_ins, directories_of(settings, htpasswd, readers.accounts)
    )
    manager = PackageManager(database, storage, inspector, _upload_rules(settings))
    indexes = IndexManager(database, sealer, check_for_request)
    if declared is not None:
        bring_in_line(indexes, declared)
    cache = DigestFolder(settings.state_path / "upstream", settings.upstream_cache_size)
    waiting = max(1, settings.threads - settings.threads // 4)
    hub = UpstreamHub(UpstreamPages(database), UpstreamFiles(database), cache, most_waiting=waiting)
    upstreams = Upstreams(settings, hub, indexes.password_of, manager.take_in)
    assembly = Assembly(database, storage, settings, upstreams.of)
    registry = Registry(readers.accounts.access_serial, assembly.make)
    return Services(
        settings=settings,
        registry=registry,
        indexes=indexes,
        database=database,
        storage=storage,
        inspector=inspector,
        contents_inspector=Inspector(),
        cache=cache,
        hub=hub,
        manager=manager,
        pages=Pages(),
        readers=readers,
        users=users,
        tokens=TokenManager(database, usual_days=settings.auth_token_days, max_days=settings.auth_token_max_days),
        sessions=_sessions(settings, database),
        rights=RightsManager(database),
        tickets=tickets,
        factors=FactorManager(database, sealer, tickets),
        sign_ins=sign_ins,
        authenticator=authenticator,
        # An issuer on this machine is one that the settings name so: no other is ever asked.
        publishers=PublisherManager(database, Issuers(), PublishingRules.of(settings), authenticator.identities),
        openid=_openid(settings),
        pairs=_pairs(settings, declared, authenticator, registry),
        pair_sessions=PairSessions(database, days=settings.auth_session_days, idle_minutes=settings.auth_idle_minutes),
    )


def _users(settings: Settings, database: Database, passwords: Passwords, htpasswd: HtpasswdFile | None) -> UserManager:
    return UserManager(
        database,
        passwords,
        htpasswd=htpasswd,
        groups=groups_of(settings),
        shortest_password=settings.auth_min_password_length,
    )


def _sessions(settings: Settings, database: Database) -> SessionManager:
    return SessionManager(
        database,
        days=settings.auth_session_days,
        idle_minutes=settings.auth_idle_minutes,
        admin_idle_minutes=settings.auth_admin_idle_minutes,
    )


def _pairs(
    settings: Settings, declared: Declaration | None, people: Authenticator, registry: Registry[IndexServices]
) -> PairAuthenticator | None:
    """Who knows the secrets of declared indexes. Wrong ones are counted with the wrong passwords of an address."""
    if declared is None:
        return None
    return PairAuthenticator(
        declared,
        people.rules,
        key=ensure_secret_key(settings),
        throttle=people.throttle,
        notebook=people.notebook,
        access=people.readers.accounts.access_serial,
        inside=lambda name: frozenset(index.name for index in registry.get(name).reader.inside()),
    )


def identities_of(settings: Settings, database: Database) -> Identities:
    """What people are by these settings, for whoever needs no other service. Raises InvalidSetting."""
    directories = directories_of(settings, _htpasswd(settings, Passwords()), Accounts(database))
    return Identities(Rights(database), _rules(settings), {one.source: one for one in directories})


def _htpasswd(settings: Settings, passwords: Passwords) -> HtpasswdFile | None:
    if not (settings.auth_enabled and settings.auth_htpasswd):
        return None
    return HtpasswdFile(Path(settings.auth_htpasswd).expanduser().absolute(), passwords)


def _openid(settings: Settings) -> OpenIdProvider | None:
    """The provider that people may sign in with, if one is set. Raises InvalidSetting."""
    if not (settings.auth_enabled and settings.openid_issuer):
        return None
    return OpenIdProvider(
        OpenIdSettings(
            issuer=settings.openid_issuer,
            client_id=settings.openid_client_id,
            client_secret=settings.openid_client_secret,
            name=settings.openid_name,
            scopes=settings.openid_scopes,
            username_claim=settings.openid_username_claim,
            groups_claim=settings.openid_groups_claim,
        )
    )


def _upload_rules(settings: Settings) -> UploadRules:
    return UploadRules(
        overwrite=settings.overwrite,
        accept_legacy=settings.accept_legacy_sdists,
        refuse_similar=settings.refuse_similar_names,
        min_free_space=settings.min_free_space,
        largest_file=settings.max_file_size,
        undo_days=settings.undo_days,
    )


def public(settings: Settings) -> frozenset[Permission]:
    """What anybody may. On a server without authentication that is all but managing people."""
    if not settings.auth_enabled:
        return READING | CHANGING
    required = frozenset().union(*(OPERATIONS[word] for word in settings.auth_require))
    return READING - required


def _rules(settings: Settings) -> Rules:
    return Rules(
        enabled=settings.auth_enabled,
        read_expires=settings.auth_read_expires,
        write_expires=settings.auth_write_expires,
        # A proxy is there, and one that says nothing of itself looks like this machine.
        default_password=not settings.base_url and not settings.trusted_proxies,
        public=public(settings),
        # Who need not sign in to upload is what an uploader is: others' projects are not theirs.
        public_role=Role.NONE if "update" in settings.auth_require else Role.UPLOADER,
        default_role=Role(settings.auth_default_role),
        directory_roles=(("htpasswd", Role(settings.auth_htpasswd_role)),),
        require_factor=settings.auth_require_factor,
        most_failures=settings.auth_most_failures,
    )
