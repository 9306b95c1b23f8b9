"""The page that compares two releases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from server import create_app
from services import Services
from tests.factory import build_wheel
from tests.web.conftest import BROWSER, Visitor, publish
from tests.web.contents_site import stock


@pytest.fixture
def stocked(services: Services, anybody: Visitor, tmp_path: Path) -> Visitor:
    """Somebody on an open server that holds weft."""
    stock(services, tmp_path / "dist")
    return anybody


def test_everything_that_changed_is_told(stocked: Visitor) -> None:
    """Fields, dependencies, entry points, files and texts, in words and signs; and which files were compared."""
    page = stocked.get("/project/weft/compare?from=1.0&to=1.1").text
    assert "Weaves." in page
    assert "Weaves faster." in page
    assert '<span class="badge good">added</span> <span class="name">looms[plots]&gt;=1</span>' in page
    assert (
        '<span class="badge warn">changed</span> <span class="name">numbers&gt;=1.2</span> '
        '<span class="muted">became</span> <span class="name">numbers&gt;=2</span>'
    ) in page
    assert 'removed</span> <span class="name">spindle; extra == &#34;spin&#34;</span>' in page
    assert "warp = weft.cli:warp" in page
    assert "1 file added, 1 removed, 4 changed, 8 the same." in page
    assert "<del>-    threads: int = 1842\n</del>" in page
    assert "<ins>+    threads: int = 1843\n</ins>" in page
    assert "It is not text." in page
    assert 'href="/project/weft/1.0/files/weft-1.0-py3-none-any.whl?path=weft/old.py"' in page
    assert "Compared: " in page


def test_the_latest_is_compared_with_the_one_before(stocked: Visitor) -> None:
    """Without a choice; and by the sdist, which both have."""
    page = stocked.get("/project/weft/compare").text
    assert 'from <span class="name">1.1</span> to <span class="name">2.0</span>' in page
    assert "weft-1.1.tar.gz" in page
    assert "<option selected>1.1</option>" in page
    assert "RECORD" not in page
    assert stocked.get("/project/weft/compare?to=1.1").text.count("<option selected>1.0</option>") == 1


def test_there_is_not_always_something_to_compare(stocked: Visitor) -> None:
    """One release, the first release, the same release twice, and no common kind of file: each says so."""
    for address, words in (
        ("/project/first/compare", "this project has one release only"),
        ("/project/weft/compare?to=1.0", "there is no release before this one"),
        ("/project/weft/compare?from=1.0&to=1.0.0", "the same release twice"),
        ("/project/weft/compare?from=1.0&to=2.0", "no file of one kind in common"),
    ):
        answer = stocked.get(address)
        assert answer.status_code == 200
        assert words in answer.text, address


def test_the_kind_of_file_can_be_chosen(stocked: Visitor, services: Services, tmp_path: Path) -> None:
    """Where several kinds are on both sides; one that is none falls to the first."""
    for version in ("1.0", "1.1"):
        publish(services, build_wheel(tmp_path, "weft", version, tag="cp312-cp312-win_amd64"))
    address = "/project/weft/compare?from=1.0&to=1.1"
    assert "<option selected>py3-none-any</option>" in stocked.get(address).text
    chosen = stocked.get(f"{address}&kind=cp312-cp312-win_amd64").text
    assert "weft-1.1-cp312-cp312-win_amd64.whl</a>." in chosen
    assert "<option selected>py3-none-any</option>" in stocked.get(f"{address}&kind=x").text


@pytest.mark.parametrize("query", ["?from=9", "?to=x", "?from=1.0&to=<b>"])
def test_a_release_that_is_none_is_404(stocked: Visitor, query: str) -> None:
    """It says which."""
    assert stocked.get(f"/project/weft/compare{query}").status_code == 404
    assert stocked.get("/project/nothing/compare").status_code == 404


def test_spellings_are_redirected(stocked: Visitor) -> None:
    """With the query."""
    answer = stocked.get("/project/Weft/compare?from=1.0")
    assert (answer.status_code, answer.headers["Location"]) == (301, "/project/weft/compare?from=1.0")


def test_files_need_the_right_to_download(open_server: Callable[..., Services], tmp_path: Path) -> None:
    """Whoever may only list sees what changed in the metadata."""
    made = open_server(auth_enabled="true", auth_require="download")
    stock(made, tmp_path / "dist")
    page = create_app(made).test_client().get("/project/weft/compare?from=1.0&to=1.1", headers=BROWSER).text
    assert "Weaves faster." in page
    assert "What is inside is shown to those who may download files." in page
    assert "threads: int" not in page
