"""What the tests of deleting share: a server that holds something, and all that its readers say of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import func, select, update

from database.deletions import Deleted
from database.journal import Actor
from database.models import Base, Deletion, File, Release, RenderedDescription
from distributions.claims import Claim
from services import Services
from tests.conftest import TESTER
from tests.factory import build_sdist, build_wheel
from tests.test_package_manager import SAMPLE, publish

WHEEL, SDIST = "sample-1.0-py3-none-any.whl", "sample-1.0.tar.gz"


def fill(services: Services, tmp_path: Path) -> Services:
    """Publish sample 1.0 (wheel with attestations, yanked; sdist) and 2.0, and other 1.0."""
    publish(services, build_sdist(tmp_path), Actor("carol"))
    with services.manager.receive() as incoming:
        incoming.write(build_wheel(tmp_path, requires_python=">=3.9").read_bytes())
        services.manager.publish("main", incoming, Claim(WHEEL, attestations="[]", comment="hand-made"), by=TESTER)
    services.manager.yank("main", SAMPLE, "1.0", WHEEL, "broken", by=TESTER)
    publish(services, build_wheel(tmp_path, version="2.0", summary="A warp and a weft.", description="Of looms."))
    publish(services, build_wheel(tmp_path, "other"))
    return services


def told(services: Services) -> dict[str, Any]:
    """All that the readers say of the project, but the serials, which rise with every change."""
    catalogue = services.at().catalogue
    detail = catalogue.project_detail(SAMPLE)
    return {
        "files": detail.files,
        "versions": detail.versions,
        "releases": catalogue.releases(SAMPLE),
        "uploaders": catalogue.uploaders(SAMPLE),
        "records": [catalogue.file(SAMPLE, file.filename) for file in detail.files],
        "metadata": [catalogue.core_metadata(SAMPLE, file.filename) for file in detail.files if file.core_metadata],
        "attestations": catalogue.attestations(SAMPLE, WHEEL),
        "line": [(one.latest_version, one.summary, one.file_count, one.created) for one in catalogue.projects()],
        "found": [hit.name for hit in services.at().search.find("weft").hits],
        "stats": {**catalogue.stats(), "serial": 0},
        "comments": sorted(_comments(services)),
        "rendered": sorted(_rendered(services)),
    }


def _comments(services: Services) -> list[str]:
    with services.database.reading() as connection:
        return list(connection.execute(select(File.comment)).scalars())


def _rendered(services: Services) -> list[tuple[str, str]]:
    columns = Release.version, RenderedDescription.html
    with services.database.reading() as connection:
        rows = connection.execute(select(*columns).join(Release, Release.id == RenderedDescription.release_id))
        return [(row[0], row[1] or "") for row in rows]


def count_of(services: Services, table: str) -> int:
    """How many rows a table has."""
    with services.database.reading() as connection:
        return connection.execute(select(func.count()).select_from(Base.metadata.tables[table])).scalar_one()


def the_one(services: Services) -> Deleted:
    """The only deletion that can be undone."""
    (deleted,) = services.at().deletions.standing()
    return deleted


def age(services: Services) -> None:
    """Let the time of every deletion be over."""
    with services.database.writing() as change:
        change.connection.execute(update(Deletion).values(expires=datetime.now(UTC) - timedelta(seconds=1)))
