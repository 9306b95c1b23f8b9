"""The feeds as a feed reader of many years reads them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import feedparser
from flask.testing import FlaskClient
from packaging.utils import NormalizedName

from permissions import MAIN
from services import Services
from tests.conftest import TESTER
from tests.web.conftest import publish_wheel


def test_a_reader_reads_them(client: FlaskClient, services: Services, tmp_path: Path) -> None:
    """feedparser finds nothing wrong, knows them as Atom 1.0, and has titles, links, moments, people and marks."""
    publish_wheel(services, tmp_path, "sample", "1.0", summary="Reads <well> & good")
    publish_wheel(services, tmp_path, "sample", "2.0b1")
    services.manager.yank(MAIN, NormalizedName("sample"), "1.0", None, "Old", by=TESTER)
    for path in ("/feeds/releases.atom", "/feeds/projects.atom", "/feeds/projects/sample/releases.atom"):
        answer = client.get(path)
        headers = {name.lower(): value for name, value in answer.headers.items()}
        read: Any = feedparser.parse(answer.data, response_headers=headers)
        assert not read.bozo, read.get("bozo_exception")
        assert read.version == "atom10"
        assert read.feed.updated_parsed
        assert read.feed.links[0].href.endswith(path)
    newest, first = read.entries
    assert (newest.title, newest.tags[0].term) == ("sample 2.0b1", "pre-release")
    assert (first.title, first.author) == ("sample 1.0 (yanked)", "bob")
    assert first.summary == "Yanked: Old. Reads <well> & good"
    assert first.summary_detail.type == "text/plain"
    assert first.link == "http://localhost/project/sample/1.0/"
    assert first.published_parsed <= first.updated_parsed
