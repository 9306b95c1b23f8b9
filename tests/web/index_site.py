"""A server of several indexes: dev over main, prod with promoted releases, a closed one, and upstreams."""

from __future__ import annotations

from pathlib import Path

from packaging.utils import NormalizedName

from database.journal import Actor
from distributions.claims import Claim
from indexes.manager import NewUpstream
from people.rights import Holder
from permissions import MAIN
from services import Services
from tests.conftest import TESTER
from tests.factory import build_wheel

SHUTTLE, THREAD = NormalizedName("shuttle"), NormalizedName("thread")
LONG = "an-index-with-a-long-name-that-has-no-end-in-sight"


def put(services: Services, index: str, path: Path, by: str = "bob") -> None:
    """Publish a file on an index."""
    with services.manager.receive() as incoming:
        incoming.write(path.read_bytes())
        services.manager.publish(index, incoming, Claim(path.name), by=Actor(by))


def fill(services: Services, folder: Path) -> None:
    """Indexes with titles, bases, upstreams and kept names, and projects: private, shadowed, opened, deleted."""
    folder.mkdir(parents=True, exist_ok=True)
    make = services.indexes
    for name, title, closed in (
        ("dev", "What is being worked on <today>", False), ("prod", "What customers install", False),
        ("secret", "Of the security team", True), (LONG, "", False),
    ):  # fmt: skip
        make.create(name, title, closed=closed, by=TESTER)
    make.set_bases("dev", ["prod", MAIN], by=TESTER)
    make.set_bases("prod", ["secret"], by=TESTER)
    make.set_upstreams(
        "dev",
        [
            NewUpstream("https://packages.example.com/simple/", "redirect", "reader", "a password"),
            NewUpstream("https://mirror.example.com/root/pypi/+simple/", "redirect"),
        ],
        by=TESTER,
    )
    make.set_upstreams(LONG, [NewUpstream("https://cached.example.com/simple/")], by=TESTER)
    make.keep("dev", "acme-*", by=TESTER)
    make.keep("", "internal-*", by=TESTER)
    for version in ("1.0", "1.1"):
        put(services, "dev", build_wheel(folder, SHUTTLE, version, summary="Carries the thread."))
    services.manager.promote("dev", "prod", SHUTTLE, "1.0", by=TESTER)
    put(services, "dev", build_wheel(folder, THREAD, summary="To be woven."))
    put(services, MAIN, build_wheel(folder, THREAD, "0.9", summary="An older thread."))
    make.open_project("dev", THREAD, opened=True, by=TESTER)
    put(services, "secret", build_wheel(folder, "cipher", summary="Not for everybody."), by="alice")
    put(services, "dev", build_wheel(folder, "bygone-too", summary="Gone."))
    services.manager.delete("dev", NormalizedName("bygone-too"), by=TESTER)
    if services.settings.auth_enabled:
        services.rights.grant("dev", SHUTTLE, Holder("bob"), "owner", by=TESTER)
        services.rights.grant("prod", None, Holder("bob"), "maintainer", by=TESTER)
        services.rights.grant("secret", None, Holder("carol"), "reader", by=TESTER)
