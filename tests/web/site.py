"""A stocked server on a real port, for the tests with a browser."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from flask import Flask
from packaging.utils import NormalizedName
from werkzeug.serving import make_server

from config import load_settings
from database.statistics import today
from people.rights import Holder
from permissions import MAIN
from server import create_app
from services import Services, open_services
from simple.model import ProjectStatus
from tests.conftest import PASSWORDS, TESTER
from tests.factory import build_sdist, build_wheel, core_metadata
from tests.web.conftest import publish
from views import addressing

RICH = [
    "License-Expression: MIT", "Author-email: Ada Lovelace <ada@index.example.com>", "Keywords: engine,numbers,looms",
    "Project-URL: Documentation, https://docs.example.com/looms", "Project-URL: Odd, javascript:alert(1)",
    "Classifier: Programming Language :: Python :: 3", "Classifier: Topic :: Scientific/Engineering",
    "Provides-Extra: plots",
]  # fmt: skip
README = """Looms
=====

Weaves *algebraic* patterns just as the loom weaves flowers and leaves.

<script>alert("never")</script>

    from looms import Loom
    Loom(threads=1842, pattern="a-pattern-with-a-name-that-is-rather-long-and-has-no-place-to-break").weave()

سلام — 织布机 — Webstuhl
"""


def stock(services: Services, folder: Path) -> None:
    """Projects of every kind: rich, yanked, pre-release, archived, quarantined, long names."""
    for version in ("0.9", "1.0", "1.1", "2.0rc1"):
        text = core_metadata(
            "looms", version, metadata_version="2.4", requires_python=">=3.11", summary="Weaves algebraic patterns.",
            requires_dist=["numbers-of-bernoulli>=1.2", "matplotlib>=3; extra == 'plots'"],
            extra_headers=RICH, description=README,
        )  # fmt: skip
        publish(services, build_wheel(folder, "looms", version, metadata=text), by="bob")
    _stock_around_looms(services, folder)
    text = text.replace("2.0rc1", "1.1")
    for tag in ("cp312-cp312-manylinux_2_28_x86_64", "cp312-cp312-macosx_11_0_arm64"):
        publish(services, build_wheel(folder, "looms", "1.1", metadata=text, tag=tag), by="bob")
    publish(services, build_sdist(folder, "looms", "1.1", metadata=text), by="alice")
    looms = NormalizedName("looms")
    services.manager.yank(MAIN, looms, "0.9", None, "Breaks on <Tuesdays>", by=TESTER)
    for name, summary in (
        ("attic", "Kept for old times' sake."),
        ("suspect", "Looks harmless."),
        ("a-project-with-a-very-long-name-that-goes-on-and-on-without-any-end-in-sight", '<b>Bold</b> & "quoted"'),
        ("plain", ""),
    ):  # fmt: skip
        publish(services, build_wheel(folder, name, "3.4.5", summary=summary), by="alice")
    services.manager.set_status(MAIN, NormalizedName("attic"), ProjectStatus.ARCHIVED, "Use looms.", by=TESTER)
    services.manager.set_status(MAIN, NormalizedName("suspect"), ProjectStatus.QUARANTINED, None, by=TESTER)
    _count_downloads(services)


def _stock_around_looms(services: Services, folder: Path) -> None:
    """What looms require, and what requires them."""
    needs = [
        "looms[plots]>=1.0", "numbers-of-bernoulli; python_version < '3.12'", "shuttle>=2; sys_platform == 'win32'",
        "thread>=4,<5; extra == 'fast' and platform_machine == 'x86_64'", "needle @ https://index.example.com/needle.whl",
        "yarn!=3.1,>=3; (extra == 'fast' or extra == 'all') and python_full_version >= '3.11.4' and os_name != 'nt'",
    ]  # fmt: skip
    for name, version, requires in (
        ("numbers-of-bernoulli", "1.3", []), ("weaving-mill", "0.2", needs), ("suspect", "3.4.4", ["looms"]),
    ):  # fmt: skip
        publish(services, build_wheel(folder, name, version, requires_dist=requires, summary="Of a mill."), by="alice")


def give_roles(services: Services) -> None:
    """A team with members, a role and names; bob owns looms, where the team maintains."""
    rights, looms = services.rights, NormalizedName("looms")
    rights.create_team("weavers", "Who weave <by hand>", by=TESTER)
    rights.add_member("weavers", "carol", by=TESTER)
    rights.add_member("weavers", "bob", by=TESTER)
    rights.grant(MAIN, looms, Holder("bob"), "owner", by=TESTER)
    rights.grant(MAIN, looms, Holder("weavers", is_team=True), "maintainer", by=TESTER)
    rights.grant(MAIN, None, Holder("weavers", is_team=True), "reader", by=TESTER)
    rights.grant(MAIN, None, Holder("dave"), "maintainer", by=TESTER)
    rights.set_pattern(MAIN, "loom*", "weavers", by=TESTER)


_GLIBC = '"system":{"name":"Linux"},"distro":{"libc":{"lib":"glibc","version":"2.39"}}'
_MUSL = '"system":{"name":"Linux"},"distro":{"libc":{"lib":"musl","version":"1.2"}}'
AGENTS = [
    f'pip/26.0 {{"python":"3.12.4","cpu":"x86_64",{_GLIBC}}}',
    'uv/0.9.7 {"python":"3.13.1","cpu":"arm64","system":{"name":"Darwin"}}',
    'pip/25.3 {"python":"3.11.2","cpu":"AMD64","system":{"name":"Windows"}}',
    f'uv/0.9.2 {{"python":"3.12.4","cpu":"aarch64",{_MUSL}}}',
    "poetry/2.5.1 CPython/3.11.7 Linux/6.1",
    "Mozilla/5.0 (X11; Linux x86_64)",
    "",
]


def _count_downloads(services: Services) -> None:
    """Four weeks of downloads of two projects, by all kinds of clients."""
    counter = services.at().downloads
    for back in range(0, 28, 2):
        for project, count in (("looms", 3 + back * 7 % 40), ("attic", 1 + back % 5)):
            for number in range(count):
                version = "1.0" if number % 3 else "1.1"
                filename = f"{project}-{version}-py3-none-any.whl"
                counter.count(project, version, filename, AGENTS[number % len(AGENTS)], day=today() - back)
    counter.flush()


def _numbered(app: Flask) -> Callable[[dict[str, Any], Any], Iterable[bytes]]:
    """Requests have numbers and name an index, as the outermost layer of a server process gives them."""
    numbers = itertools.count(1)

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        environ["pypi.request_id"] = f"5a17c0de-{next(numbers):06x}"
        addressing.split(environ)
        return app(environ, start_response)

    return answer


@contextmanager
def serving(
    folder: Path, *, stocked: bool = True, fill: Callable[[Services, Path], None] | None = None, **settings: str
) -> Iterator[str]:
    """A server in a thread of this process; its address. With authentication on, the cast and ``admin`` are there.

    ``fill`` is given its services and a folder for files, before it serves.
    """
    chosen = {"data_dir": str(folder / "data"), "secret_key": "k" * 40, **settings}
    with closing(open_services(load_settings(None, chosen, {}))) as services:
        if services.settings.auth_enabled:
            services.users.ensure_admin(None)
            for username, password in PASSWORDS.items():
                services.users.create_user(username, password, is_admin=username == "alice", by=TESTER)
        if stocked:
            (folder / "dist").mkdir(parents=True, exist_ok=True)
            stock(services, folder / "dist")
            if services.settings.auth_enabled:
                give_roles(services)
        if fill is not None:
            fill(services, folder / "filled")
        server = make_server("127.0.0.1", 0, _numbered(create_app(services)), threaded=True)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()
            thread.join()
