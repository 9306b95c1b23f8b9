"""The services of one server, built from its settings: what views, jobs and the command line share."""

from __future__ import annotations

from dataclasses import dataclass

from account_manager import AccountManager
from auth import Authenticator
from config import Settings, prepare_directories
from credentials.passwords import Passwords
from database import schema
from database.accounts import Accounts
from database.catalogue import Catalogue
from database.engine import Database
from database.search import Search
from database.statistics import DownloadCounter
from distributions.sandbox import Inspector
from package_manager import PackageManager, Rules
from simple.pages import Pages
from storage import Storage
from storage.filesystem import FilesystemStorage

INDEX = "main"


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that answers requests. Nothing here is global: tests build their own."""

    settings: Settings
    database: Database
    storage: Storage
    inspector: Inspector
    manager: PackageManager
    catalogue: Catalogue
    search: Search
    pages: Pages
    downloads: DownloadCounter
    accounts: Accounts
    account_manager: AccountManager
    authenticator: Authenticator

    def close(self) -> None:
        """Write down what waits, end the readers, close the database."""
        self.downloads.flush()
        self.account_manager.flush_uses()
        self.inspector.close()
        self.database.close()


def open_services(settings: Settings) -> Services:
    """The services of these settings, with folders made and the schema current.

    Raises InvalidSetting, StorageFailed, DatabaseBusy.
    """
    prepare_directories(settings)
    database = Database(settings.database_path)
    schema.prepare(database)
    storage = FilesystemStorage(settings.data_path)
    inspector = Inspector()
    rules = Rules(
        overwrite=settings.overwrite,
        accept_legacy=settings.accept_legacy_sdists,
        refuse_similar=settings.refuse_similar_names,
        min_free_space=settings.min_free_space,
    )
    passwords = Passwords()
    accounts = Accounts(database)
    return Services(
        settings=settings,
        database=database,
        storage=storage,
        inspector=inspector,
        manager=PackageManager(database, storage, inspector, rules),
        catalogue=Catalogue(database, INDEX),
        search=Search(database, INDEX),
        pages=Pages(),
        downloads=DownloadCounter(database, INDEX),
        accounts=accounts,
        account_manager=AccountManager(
            database,
            passwords,
            token_max_days=settings.auth_token_max_days,
            session_days=settings.auth_session_days,
        ),
        authenticator=Authenticator(
            accounts,
            passwords,
            enabled=settings.auth_enabled,
            read_expires=settings.auth_read_expires,
            write_expires=settings.auth_write_expires,
            # A proxy is there, and one that says nothing of itself looks like this machine.
            default_password=not settings.base_url and not settings.trusted_proxies,
        ),
    )
