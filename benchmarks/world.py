"""What is there while scenarios run: the data set, a filled server of each checkout, and nginx with the same bytes."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.dataset import BIG_PROJECT, HUGE_PROJECT, Sizes, huge_wheel, project_names, small_wheels, wheel
from benchmarks.load import Target, file_path, prepared, upload, upload_file
from benchmarks.servers import Nginx, Ours, copied, credentials

_SAMPLE = 30


@dataclass
class World:
    """Where the measuring happens: ``work`` is kept between runs, ``place`` only while this one lasts.

    ``checkouts`` maps a name to a checkout of this program.
    """

    work: Path
    sizes: Sizes
    place: Path
    checkouts: dict[str, Path]
    rounds: int
    seconds: int
    server_cpu: str
    load_cpu: str
    projects: list[str] = field(init=False)
    files: list[str] = field(init=False)
    _huge: Path | None = field(default=None, init=False)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1), init=False)

    def __post_init__(self) -> None:
        """Choose a sample of projects, always the same."""
        names = project_names(self.sizes)
        self.projects = sorted(random.Random(7).sample(names, min(_SAMPLE, len(names))))
        self.files = [file_path(name, wheel(name, "1.1").filename) for name in self.projects]

    @property
    def huge_path(self) -> str:
        """The address of the huge file."""
        return file_path(HUGE_PROJECT, self.huge_file().name)

    def huge_file(self) -> Path:
        """The huge file on disk, made once."""
        if self._huge is None:
            folder = self.work / "huge"
            folder.mkdir(parents=True, exist_ok=True)
            self._huge = huge_wheel(folder, HUGE_PROJECT, self.sizes.huge_megabytes)
        return self._huge

    def fresh(self, label: str) -> Path:
        """A folder that nobody has used."""
        return self.place / f"{label}-{next(self._numbers)}"

    def filled(self) -> Path:
        """A data folder with the whole set, filled by uploads through the first checkout; kept between runs."""
        small = self.sizes.projects * self.sizes.versions + self.sizes.big
        place = self.work / f"filled-{small}-{self.sizes.huge_megabytes}"
        finished = place.with_suffix(".finished")
        if not finished.exists():
            server = Ours("fill", next(iter(self.checkouts.values())), place)
            server.start()
            try:
                upload(server.target(), [prepared(one) for one in small_wheels(self.sizes)], clients=8)
                upload_file(server.target(), self.huge_file())
            finally:
                server.stop()
            finished.touch()
        return place


@dataclass
class Standing:
    """Servers that answer at the same time: each checkout open, each checkout with authentication, and nginx."""

    ours: list[Ours]
    protected: list[tuple[Ours, dict[str, dict[str, str]]]]
    nginx: Nginx

    def targets(self) -> list[tuple[Target, int]]:
        """nginx first, since it is the yardstick, then the open servers; each with its process."""
        return [(self.nginx.target(), self.nginx.pid), *((one.target(), one.pid) for one in self.ours)]


@contextmanager
def standing(world: World, *, cpu: str | None, with_auth: bool) -> Iterator[Standing]:
    """Start every server over a copy of the set, and end them afterwards."""
    filled = world.filled()
    with ExitStack() as stack:
        ours, protected = [], []
        for name, checkout in world.checkouts.items():
            one = Ours(name, checkout, copied(filled, world.fresh(name)), cpu)
            ours.append(one)
            one.start()
            stack.callback(one.stop)
            if with_auth:
                two = Ours(name, checkout, copied(filled, world.fresh(f"{name}-auth")), cpu, auth=True)
                known = credentials(two.data)
                two.start()
                stack.callback(two.stop)
                protected.append((two, known))
        state = world.fresh("nginx")
        state.mkdir(parents=True)
        nginx = Nginx(state, cpu)
        files = [*world.files, *(f"{path}.metadata" for path in world.files), world.huge_path]
        nginx.take(ours[0].target(), [*world.projects, BIG_PROJECT], files)
        nginx.start()
        stack.callback(nginx.stop)
        yield Standing(ours, protected, nginx)
