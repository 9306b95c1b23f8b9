"""What is measured. Every scenario runs over its servers in turn, A B A B, so that a slow minute meets them all."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.dataset import BIG_PROJECT, huge_wheel, import_folder, new_wheels
from benchmarks.figures import Figure
from benchmarks.load import Headers, Target, download, latency, prepared, upload, upload_file, wrk
from benchmarks.processes import cpu_seconds, forget_peaks, memory, peaks, resident
from benchmarks.servers import JSON, Ours, credentials, environ_for_servers
from benchmarks.world import Standing, World, standing

_PER_SECOND = "requests/s"


@dataclass(frozen=True)
class Page:
    """A scenario of wrk: the addresses asked for and the headers sent."""

    name: str
    title: str
    paths: Callable[[World], list[str]]
    accept: str = "text/html"
    coding: str | None = None
    revalidate: bool = False

    def headers(self) -> Headers:
        """What every request says."""
        return {"Accept": self.accept} | ({"Accept-Encoding": self.coding} if self.coding else {})


def _details(world: World) -> list[str]:
    return [f"/simple/{project}/" for project in world.projects]


PAGES = (
    Page("page-html", "Project page, HTML", _details),
    Page("page-json", "Project page, JSON", _details, accept=JSON),
    Page("page-gzip", "Project page, HTML, gzip", _details, coding="gzip"),
    Page("page-304", "Project page, not modified (304)", _details, revalidate=True),
    Page("list", "Project list", lambda _: ["/simple/"]),
    Page("big-gzip", "Project page of the project with many files, gzip", lambda _: [f"/simple/{BIG_PROJECT}/"],
         coding="gzip"),
    Page("file", "Small wheel", lambda world: world.files),
    Page("metadata", "Core metadata of a wheel", lambda world: [f"{path}.metadata" for path in world.files]),
)  # fmt: skip
AUTH, LATENCY, MEMORY = "page-auth", "latency", "memory"
PINNED = (*(page.name for page in PAGES), AUTH, LATENCY, MEMORY)
UNPINNED = ("download", "upload-1", "upload-8", "upload-password", "upload-huge", "import", "start")
ALL = (*PINNED, *UNPINNED)


def measure(world: World, chosen: tuple[str, ...]) -> Iterator[Figure]:
    """Run the chosen scenarios; a figure as soon as it is complete."""
    if set(chosen) & set(PINNED):
        with standing(world, cpu=world.server_cpu, with_auth=AUTH in chosen) as servers:
            yield from _pinned(world, servers, chosen)
    if "download" in chosen:
        with standing(world, cpu=None, with_auth=False) as servers:
            yield from _download(world, servers)
    yield from _uploads(world, chosen)
    if "upload-huge" in chosen:
        yield from _upload_huge(world)
    if "import" in chosen or "start" in chosen:
        yield from _import_and_start(world, chosen)


# -- pages and files, pinned: servers on one processor, load on another


def _pinned(world: World, servers: Standing, chosen: tuple[str, ...]) -> Iterator[Figure]:
    idle = {target.name: memory(pid) for target, pid in servers.targets()}
    for page in PAGES:
        if page.name in chosen:
            yield from _loaded(world, page, servers.targets())
    if AUTH in chosen:
        yield from _with_credentials(world, servers)
    if LATENCY in chosen:
        yield from _latency(world, servers)
    if MEMORY in chosen:
        for target, pid in servers.targets():
            note = f"{idle[target.name]:.0f} MB before the load"
            title = "Memory after the load (PSS of all processes)"
            yield Figure(MEMORY, title, target.name, "MB", True, True, [memory(pid)], note=note)


def _loaded(world: World, page: Page, targets: list[tuple[Target, int]]) -> list[Figure]:
    figures = [Figure(page.name, page.title, target.name, _PER_SECOND, True) for target, _ in targets]
    requests = []
    bodies: list[list[bytes]] = []
    for (target, _), figure in zip(targets, figures, strict=True):
        paths, seen = _checked(world, page, target)
        requests.append(paths)
        bodies.append(seen)
        figure.note = "no body" if page.revalidate else f"{sum(map(len, seen)) // len(seen):,} bytes"
        if seen != bodies[0]:
            figure.note += ", not the bytes of the first"
    for _ in range(world.rounds):
        for (target, pid), figure, paths in zip(targets, figures, requests, strict=True):
            before = cpu_seconds(pid)
            run = wrk(target, paths, seconds=world.seconds, cpu=world.load_cpu)
            figure.busy.append((cpu_seconds(pid) - before) / world.seconds)
            figure.values.append(run.per_second)
            figure.p99.append(run.p99)
            figure.void = figure.void or run.failed
    return figures


def _checked(world: World, page: Page, target: Target) -> tuple[list[tuple[str, Headers]], list[bytes]]:
    """The requests of a page scenario, each tried once, and the bodies that came."""
    requests, bodies = [], []
    for path in page.paths(world):
        headers = page.headers()
        status, got, body = target.get(path, headers)
        bodies.append(body)
        if page.revalidate and status == 200:
            headers["If-None-Match"] = got["ETag"]
            status = target.get(path, headers)[0]
        expected = 304 if page.revalidate else 200
        if status != expected or got.get("Content-Encoding") != page.coding:
            raise SystemExit(f"{target.name}: {path} answers {status} {got.get('Content-Encoding')} for {page.name}")
        requests.append((path, headers))
    return requests, bodies


def _with_credentials(world: World, servers: Standing) -> list[Figure]:
    page = Page(AUTH, "Project page with Basic authentication", _details)
    targets: list[tuple[Target, int]] = []
    for (server, known), opened in zip(servers.protected, servers.ours, strict=True):
        targets.append((opened.target(suffix=", open"), opened.pid))
        for kind, headers in known.items():
            targets.append((server.target(headers, suffix=f", {kind}"), server.pid))
    return _loaded(world, page, targets)


def _latency(world: World, servers: Standing) -> list[Figure]:
    title = "One request at a time, new connection"
    figures = [Figure(LATENCY, title, target.name, "ms", True, True) for target, _ in servers.targets()]
    requests = [(path, {"Accept": "text/html"}) for path in _details(world)]
    with _confined_to(world.load_cpu):
        for _ in range(world.rounds):
            for (target, _), figure in zip(servers.targets(), figures, strict=True):
                figure.values.append(latency(target, requests))
    return figures


@contextmanager
def _confined_to(cpu: str) -> Iterator[None]:
    """Let this process run on one processor."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {int(cpu)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


# -- the rest, unpinned: clients and servers share all processors


def _download(world: World, servers: Standing) -> list[Figure]:
    title = f"Download of {world.sizes.huge_megabytes} MB, one client"
    figures = [Figure("download", title, target.name, "MB/s", False) for target, _ in servers.targets()]
    for _ in range(world.rounds):
        for (target, _), figure in zip(servers.targets(), figures, strict=True):
            figure.values.append(download(target, world.huge_path))
    return figures


_UPLOADS = (
    ("upload-1", "Upload of small wheels, 1 client", 1, False),
    ("upload-8", "Upload of small wheels, 8 clients", 8, False),
    ("upload-password", "Upload of small wheels, 8 clients, password", 8, True),
)


def _uploads(world: World, chosen: tuple[str, ...]) -> Iterator[Figure]:
    for name, title, clients, with_password in _UPLOADS:
        if name not in chosen:
            continue
        with _empty(world, name, auth=with_password) as servers:
            figures = [Figure(name, title, server.name, "files/s", False) for server, _ in servers]
            for server, headers in servers:  # the first upload also starts the processes that read archives
                upload(server.target(headers), [prepared(one) for one in new_wheels(clients * 2, "first")], clients)
            for number in range(world.rounds):
                bodies = [prepared(one) for one in new_wheels(world.sizes.uploads, f"{name}-{number}")]
                for (server, headers), figure in zip(servers, figures, strict=True):
                    before, started = cpu_seconds(server.pid), time.perf_counter()
                    figure.values.append(upload(server.target(headers), bodies, clients))
                    figure.busy.append((cpu_seconds(server.pid) - before) / (time.perf_counter() - started))
        yield from figures


@contextmanager
def _empty(world: World, label: str, *, auth: bool = False) -> Iterator[list[tuple[Ours, Headers]]]:
    """A server of each checkout that holds nothing, with the headers to upload by."""
    servers: list[tuple[Ours, Headers]] = []
    try:
        for name, checkout in world.checkouts.items():
            server = Ours(name, checkout, world.fresh(label), auth=auth)
            headers = credentials(server.data)["password"] if auth else {}
            server.start()
            servers.append((server, headers))
        yield servers
    finally:
        for server, _ in servers:
            server.stop()


def _upload_huge(world: World) -> Iterator[Figure]:
    megabytes = world.sizes.huge_megabytes
    folder = world.fresh("sent")
    folder.mkdir(parents=True)
    paths = [huge_wheel(folder, f"huge-{number}", megabytes) for number in range(world.rounds)]
    with _empty(world, "upload-huge") as servers:
        title = f"Upload of {megabytes} MB, one client"
        figures = [Figure("upload-huge", title, server.name, "MB/s", False) for server, _ in servers]
        grown: dict[str, float] = dict.fromkeys(world.checkouts, 0.0)
        for server, _ in servers:
            upload(server.target(), [prepared(one) for one in new_wheels(16, "first")], 4)
        for path in paths:
            for (server, _), figure in zip(servers, figures, strict=True):
                before = resident(server.pid)
                forget_peaks(server.pid)
                figure.values.append(upload_file(server.target(), path))
                peak = sum(peaks(server.pid).values())
                grown[server.name] = max(grown[server.name], peak - sum(before.values()))
                figure.note = f"memory at most {grown[server.name]:+.0f} MB over the {sum(before.values()):.0f} before"
    shutil.rmtree(folder)
    yield from figures


def _import_and_start(world: World, chosen: tuple[str, ...]) -> Iterator[Figure]:
    count = world.sizes.imported
    folder = import_folder(world.work, count)
    imports, starts = [], []
    for name, checkout in world.checkouts.items():
        data = world.fresh("import")
        seconds = _imported(checkout, data, folder)
        imports.append(Figure("import", f"Import of {count:,} files", name, "files/s", False, values=[count / seconds]))
        server = Ours(name, checkout, data)
        figure = Figure("start", f"Start to first page, {count:,} files known", name, "s", False, True)
        for _ in range(max(world.rounds, 3)):
            try:
                figure.values.append(server.start("/simple/imported-00000/"))
                figure.note = f"{memory(server.pid):.0f} MB (PSS) after it"
            finally:
                server.stop()
        starts.append(figure)
    yield from (one for one in [*imports, *starts] if one.scenario in chosen)


def _imported(checkout: Path, data: Path, folder: Path) -> float:
    """Seconds that ``cli.py packages import`` takes for a folder of files."""
    command = [sys.executable, "cli.py", "packages", "import", "--data-dir", str(data), str(folder)]
    environ = environ_for_servers(PYPI_CONFIG=os.devnull)
    started = time.perf_counter()
    done = subprocess.run(command, cwd=checkout, env=environ, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{command!r} ended with {done.returncode}:\n{done.stdout[-1000:]}{done.stderr[-2000:]}")
    return time.perf_counter() - started
