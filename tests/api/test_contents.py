"""``/api/packages``: what is inside files, and what changed between releases."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from packaging.utils import NormalizedName

from permissions import MAIN
from server import create_app
from services import Services
from simple.model import ProjectStatus
from tests.conftest import TESTER
from tests.web.contents_site import HIDING, HIDING_NAME, stock

WHEEL = "/api/packages/weft/1.0/files/weft-1.0-py3-none-any.whl"


@pytest.fixture
def client(services: Services, tmp_path: Path) -> FlaskClient:
    """A client of an open server that holds weft."""
    stock(services, tmp_path / "dist")
    return create_app(services).test_client()


def got(client: FlaskClient, address: str, **query: str) -> Any:
    """The document at an address."""
    answer = client.get(address, query_string=query)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_contents_are_listed(client: FlaskClient) -> None:
    """Every member with its sizes, in order; a tar's without packed sizes, its links with their targets."""
    document = got(client, f"{WHEEL}/contents")
    assert (document["filename"], document["version"], document["omitted"]) == ("weft-1.0-py3-none-any.whl", "1.0", 0)
    assert document["metadata_path"] == "weft-1.0.dist-info/METADATA"
    assert document["entry_points"] == [{"group": "console_scripts", "name": "weft", "reference": "weft.cli:main"}]
    first = document["members"][0]
    assert (first["path"], first["size"], first["target"]) == ("weft/__init__.py", 27, None)
    assert first["compressed_size"] > 0
    tar = got(client, "/api/packages/weft/2.0/files/weft-2.0.tar.gz/contents")
    link = {"path": "weft-2.0/README", "size": 0, "compressed_size": None, "target": "weft-2.0/docs/README.md"}
    assert link in tar["members"]


def test_texts_are_read(client: FlaskClient) -> None:
    """As they are, with nothing marked; binary data have none, large ones are cut."""
    document = got(client, f"{WHEEL}/text", path=HIDING_NAME)
    assert document == {
        "path": HIDING_NAME, "size": len(HIDING), "encoding": "UTF-8", "text": HIDING.decode(), "truncated": False,
    }  # fmt: skip
    binary = got(client, f"{WHEEL}/text", path="weft/_native.so")
    assert (binary["encoding"], binary["text"], binary["truncated"]) == (None, None, False)
    large = got(client, f"{WHEEL}/text", path="weft/big.csv")
    assert (large["truncated"], len(large["text"])) == (True, 512_000)
    assert large["size"] > 512_000


def test_releases_are_compared(client: FlaskClient) -> None:
    """The same facts as on the page, for programs."""
    document = got(client, "/api/packages/weft/compare", **{"from": "1.0", "to": "1.1"})
    assert (document["name"], document["old"], document["new"]) == ("weft", "1.0", "1.1")
    assert document["compared"] == ["weft-1.0-py3-none-any.whl", "weft-1.1-py3-none-any.whl"]
    assert document["kinds"] == ["py3-none-any"]
    assert {"field": "Summary", "removed": ["Weaves."], "added": ["Weaves faster."]} in document["fields"]
    assert {"name": "numbers", "old": "numbers>=1.2", "new": "numbers>=2"} in document["dependencies"]
    assert {"name": "looms", "old": None, "new": "looms[plots]>=1"} in document["dependencies"]
    assert [one["path"] for one in document["added"]] == ["weft/patterns/flowers.txt"]
    changed = {one["path"]: one for one in document["changed"]}
    assert "\n-    threads: int = 1842\n" in changed["weft/loom.py"]["diff"]
    assert (changed["weft/_native.so"]["diff"], changed["weft/_native.so"]["untold"]) == (None, "binary")
    assert (document["description_changed"], document["same"], document["omitted"]) == (True, 8, 0)


def test_without_a_common_kind_only_metadata_are_compared(client: FlaskClient) -> None:
    """No files are named then."""
    document = got(client, "/api/packages/weft/compare", **{"from": "1.0", "to": "2.0"})
    assert (document["compared"], document["kinds"], document["changed"]) == ([], [], [])
    assert document["fields"]


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("/api/packages/weft/1.0/files/weft-9.tar.gz/contents", 404), (f"{WHEEL}/text?path=none", 404),
        (f"{WHEEL}/text", 404), (f"{WHEEL}/text?path=a&other=b", 400), ("/api/packages/first/compare", 404),
        ("/api/packages/weft/compare?from=9", 404), ("/api/packages/weft/compare?to=1.0", 404),
        ("/api/packages/weft/compare?from=1.0&to=1.1&kind=sdist", 404), ("/api/packages/nothing/compare", 404),
    ],
)  # fmt: skip
def test_refusals_are_problems(client: FlaskClient, address: str, status: int) -> None:
    """Each says what is wrong."""
    answer = client.get(address)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_a_quarantined_project_offers_nothing(client: FlaskClient, services: Services) -> None:
    """Neither what is inside its files nor what changed."""
    services.manager.set_status(MAIN, NormalizedName("weft"), ProjectStatus.QUARANTINED, None, by=TESTER)
    for address in (f"{WHEEL}/contents", f"{WHEEL}/text?path=weft/loom.py", "/api/packages/weft/compare"):
        assert client.get(address).status_code == 404
