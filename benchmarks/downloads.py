"""What counting downloads costs: ``python -m benchmarks.downloads [--projects N] [--days N]``.

The time of one count and of a flush, the rows and bytes that a year leaves, and the time in which its figures are read.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import func, select

from database import schema
from database.download_figures import DownloadFigures
from database.engine import Database
from database.models import DownloadCount
from database.statistics import Dimension, DownloadCounter, today

BUSY = "busy-project"
_AROUND = 20_000  # counts that are timed together
_LINUX = '"system":{"name":"Linux"},"distro":{"libc":{"lib":"%s","version":"%s"}}'
_SYSTEMS = (
    *(_LINUX % ("glibc", f"2.{minor}") for minor in (28, 31, 34, 36, 39)),
    _LINUX % ("musl", "1.2"), '"system":{"name":"Darwin"}', '"system":{"name":"Windows"}',
)  # fmt: skip
_PROGRAMS = [
    *(f"pip/{year}.{minor}" for year in (24, 25, 26) for minor in range(4)),
    *(f"uv/0.9.{n}" for n in range(12)),
]


def agent(chance: random.Random) -> str:
    """The header of some client, as long as real ones are; common ones come more often."""
    program = _PROGRAMS[min(int(chance.expovariate(0.4)), len(_PROGRAMS) - 1)]
    system = _SYSTEMS[min(int(chance.expovariate(0.8)), len(_SYSTEMS) - 1)]
    python = 14 - min(int(chance.expovariate(0.7)), 6)
    machine = chance.choices(("x86_64", "aarch64"), (5, 1))[0]
    rest = f'"openssl_version":"OpenSSL 3.0.19 27 Jan 2026","setuptools_version":"{"84.2.1" * 20}"'
    return f'{program} {{"ci":null,"cpu":"{machine}","python":"3.{python}.1",{system},{rest}}}'


def timed(work: Callable[[], object]) -> float:
    """The best of five runs, in seconds of the processor: other programs on the machine do not count."""

    def runs() -> Iterator[float]:
        for _ in range(5):
            begun = time.process_time()
            work()
            yield time.process_time() - begun

    return min(runs())


def counting(database: Database) -> None:
    """Print what one count costs, and a flush."""
    chance = random.Random(1)
    known = [agent(chance) for _ in range(200)]
    new = iter([f"{one} {number}" for number, one in enumerate(known * (6 * _AROUND // len(known)))])

    def count(counter: DownloadCounter, headers: Iterator[str]) -> None:
        for _ in range(_AROUND):
            counter.count("project", "1.0", "project-1.0-py3-none-any.whl", next(headers))

    def repeated() -> Iterator[str]:
        while True:
            yield from known

    counter = DownloadCounter(database)
    print(f"count, a header seen before   {timed(lambda: count(counter, repeated())) / _AROUND * 1e6:8.2f} µs")
    print(
        f"count, a header never seen    {timed(lambda: count(DownloadCounter(database), new)) / _AROUND * 1e6:8.2f} µs"
    )
    counter.flush()
    for number in range(350):  # half a minute of a million a day
        counter.count(
            f"project-{number % 200}", "1.0", f"project_{number % 200}-1.0-py3-none-any.whl", known[number % 200]
        )
    begun = time.process_time()
    counter.flush()
    print(f"flush of 350 downloads        {(time.process_time() - begun) * 1e3:8.1f} ms")


def fill(database: Database, projects: int, days: int) -> None:
    """A year of a server: each day each project has some kinds of downloads, and one project very many."""
    chance = random.Random(2)
    headers = [agent(chance) for _ in range(2_000)]
    counter = DownloadCounter(database)
    for back in range(days):
        for number in range(projects):
            for _ in range(min(3 + int(chance.expovariate(0.1)), 60)):
                version = f"1.{back // 30 + int(chance.expovariate(1.0))}"
                filename = f"project_{number}-{version}-py3-none-any.whl"
                counter.count(f"project-{number}", version, filename, chance.choice(headers), day=today() - back)
        for _ in range(2_000):
            version = f"{int(chance.expovariate(0.1))}.0"
            filename = f"busy_project-{version}-cp31{chance.randrange(6)}-manylinux_2_28_x86_64.whl"
            counter.count(BUSY, version, filename, chance.choice(headers), day=today() - back)
        counter.flush()


def reading(database: Database, projects: int, days: int) -> None:
    """Print how many rows there are, and how long the figures of the pages take."""
    with database.reading() as connection:
        rows = connection.execute(select(func.count()).select_from(DownloadCount)).scalar_one()
        busy = connection.execute(
            select(func.count()).select_from(DownloadCount).where(DownloadCount.project == BUSY)
        ).scalar_one()
        whole = connection.execute(
            select(func.count()).select_from(DownloadCount).where(DownloadCount.project == "")
        ).scalar_one()
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        size = pages * connection.exec_driver_sql("PRAGMA page_size").scalar_one()  # the other tables are empty
    figures, counter = DownloadFigures(database), DownloadCounter(database)
    print(f"rows                          {rows:8,} of {projects} projects and {days} days")
    ordinary = (rows - busy - whole) / projects / days
    print(f"rows of a project and day     {ordinary:8.1f}, of the busy one {busy / days:.0f}")
    print(f"bytes of a row                {size / rows:8.0f}")

    def page(project: str, period: int) -> None:
        counter.total(project or None)
        figures.lately(project)
        figures.by_day(period, project)
        first = Dimension.VERSION if project else Dimension.PROJECT
        for dimension in (first, Dimension.PYTHON, Dimension.INSTALLER, Dimension.PLATFORM):
            figures.shares(dimension, period, project)

    for name, project in (("a project", "project-7"), ("the busy project", BUSY), ("the whole index", "")):
        for period in (30, 365):
            milliseconds = timed(lambda project=project, period=period: page(project, period)) * 1e3  # type: ignore[misc]
            print(f"page of {name:17} {period:4} {milliseconds:8.1f} ms")


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--projects", type=int, default=300, help="Projects that are downloaded each day.")
    parser.add_argument("--days", type=int, default=365, help="Days that are filled.")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, closing(Database(Path(folder) / "index.sqlite3")) as database:
        schema.prepare(database)
        counting(database)
        fill(database, asked.projects, asked.days)
        reading(database, asked.projects, asked.days)


if __name__ == "__main__":
    main()
