"""Servers that hold something, and how tests publish."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from werkzeug.serving import make_server

from distributions.claims import Claim
from package_manager import Published
from permissions import MAIN
from server import create_app
from services import Services
from tests.conftest import TESTER
from tests.factory import build_sdist, build_wheel, core_metadata

Publish = Callable[..., Published]
DEMO_HEADERS = ("Project-URL: Source, https://index.example.com/demo", "Classifier: Topic :: Software Development")


def publish_file(services: Services, path: Path) -> Published:
    """Publish a distribution as an upload would."""
    with services.manager.receive() as incoming:
        incoming.write(path.read_bytes())
        return services.manager.publish(MAIN, incoming, Claim(path.name), by=TESTER)


@pytest.fixture
def publish(tmp_path: Path) -> Publish:
    """Builds a wheel with the factory's arguments and publishes it."""
    folder = tmp_path / "dist"
    folder.mkdir()

    def make(services: Services, name: str = "demo-pkg", version: str = "1.0", **arguments: Any) -> Published:
        return publish_file(services, build_wheel(folder, name, version, **arguments))

    return make


@pytest.fixture
def stock(publish: Publish, tmp_path: Path) -> Callable[[Services], None]:
    """Fills an index: Demo_Pkg 1.0 (wheel, sdist), 2.0 and 3.0rc1, and other 0.1."""

    def fill(services: Services) -> None:
        for version in ("1.0", "2.0", "3.0rc1"):
            metadata = core_metadata(
                "Demo_Pkg", version, requires_python=">=3.9", summary="Shows how.", description="# Demo",
                extra_headers=DEMO_HEADERS,
            )  # fmt: skip
            publish(services, "demo_pkg", version, metadata=metadata)
        publish_file(services, build_sdist(tmp_path / "dist", "demo_pkg", "1.0"))
        publish(services, "other", "0.1", summary="Something else.")

    return fill


@pytest.fixture
def address(services: Services) -> Iterator[str]:
    """The open server's application over HTTP, in a thread of this process."""
    server = make_server("127.0.0.1", 0, create_app(services), threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
