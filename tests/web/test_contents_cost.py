"""What looking into files costs: it is kept, bounded, and few threads wait for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from packaging.utils import NormalizedName

from distributions.sandbox import Inspector
from services import Services
from tests.web.conftest import Visitor
from tests.web.contents_site import stock
from views.contents import ContentsReader

WEFT = "/project/weft/1.0/files/weft-1.0-py3-none-any.whl"
SDIST = "/project/weft/2.0/files/weft-2.0.tar.gz"


def test_what_was_found_is_kept(stocked: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file is read once for its tree, and two files once for their comparison, however often they are looked at."""
    asked: list[str] = []
    ask = Inspector.ask

    def noted(inspector: Inspector, job: str, *rest: Any, **more: Any) -> tuple[dict[str, Any], bytes]:
        asked.append(job)
        return ask(inspector, job, *rest, **more)

    monkeypatch.setattr(Inspector, "ask", noted)
    for _ in range(2):
        stocked.get(WEFT)
        stocked.get(SDIST)
        stocked.get("/project/weft/compare?from=1.0&to=1.1")
        assert stocked.get(f"{WEFT}?path=weft/loom.py").status_code == 200
    assert sorted(asked) == ["compare", "excerpt", "excerpt", "look", "look"]


def test_what_is_kept_is_bounded(services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When there is no more room, what was asked for longest ago goes first."""
    stock(services, tmp_path / "dist")
    monkeypatch.setattr("views.contents._KEPT_BYTES", 4000)
    reader = ContentsReader(services.storage, services.contents_inspector, 8)
    records = [
        services.at().catalogue.file(NormalizedName("weft"), name)
        for name in ("weft-1.0-py3-none-any.whl", "weft-1.1-py3-none-any.whl", "weft-2.0.tar.gz")
    ]
    for record in (*records, records[0]):
        assert reader.contents(record).members
    assert sum(map(len, reader._kept.values())) < reader._bytes <= 4000
    assert [key[2] for key in reader._kept][-1] == records[0].filename


def test_answers_without_anything_in_them_take_room_too(
    services: Services, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many texts without colours somebody opens, what is kept stays bounded."""
    stock(services, tmp_path / "dist")
    monkeypatch.setattr("views.contents._KEPT_BYTES", 10_000)
    monkeypatch.setattr(Inspector, "colour", lambda *_: b"")
    reader = ContentsReader(services.storage, services.contents_inspector, 8)
    record = services.at().catalogue.file(NormalizedName("weft"), "weft-1.0-py3-none-any.whl")
    for number in range(100):
        assert not any(reader.colours(record, f"{number}.txt", ["a text"]))
    assert 1 < len(reader._kept) < 25
    assert reader._bytes <= 10_000


def test_few_threads_wait_for_it(stocked: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """When the places are taken, the next one is told to come back; pages that were found already go on."""
    assert stocked.get(WEFT).status_code == 200
    reader = stocked.client.application.extensions["contents"]
    taken = 0
    while reader._places.acquire(blocking=False):
        taken += 1
    assert taken == 8
    answer = stocked.get(SDIST)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert stocked.get(WEFT).status_code == 200
    for _ in range(taken):
        reader._places.release()
    assert stocked.get(SDIST).status_code == 200
