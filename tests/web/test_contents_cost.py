"""What looking into files costs: it is kept, bounded, and few threads wait for it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
from packaging.utils import NormalizedName

from distributions.sandbox import Inspector
from errors import InvalidArchive
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
    with places_taken(stocked, *(f"198.51.100.{number}" for number in range(8))):
        answer = stocked.get(SDIST)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert stocked.get(WEFT).status_code == 200
    assert stocked.get(SDIST).status_code == 200


def test_nobody_takes_all_places(stocked: Visitor) -> None:
    """Who asks for many files at once waits for half of the places; the others' pages go on."""
    with places_taken(stocked, *["198.51.100.1"] * 3, *["127.0.0.1"] * 4):
        assert stocked.get(SDIST).status_code == 503
        other = stocked.client.get(SDIST, environ_base={"REMOTE_ADDR": "198.51.100.2"})
        assert other.status_code == 200


@contextmanager
def places_taken(visitor: Visitor, *askers: str) -> Iterator[None]:
    """A place for each of these is taken meanwhile."""
    reader = visitor.client.application.extensions["contents"]
    asker = reader._asker
    with ExitStack() as stack:
        for name in askers:
            reader._asker = lambda name=name: name
            stack.enter_context(reader._place())
        reader._asker = asker
        yield


def test_what_cannot_be_read_is_not_read_again_and_again(stocked: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file beyond the limits costs them once in ten minutes, however often it is looked at or compared."""
    asked: list[str] = []
    now = time.monotonic()

    def beyond(_: Inspector, job: str, *__: Any, **___: Any) -> tuple[dict[str, Any], bytes]:
        nonlocal now
        asked.append(job)
        now += 11
        raise InvalidArchive("It could not be read within the limits of time and memory.")

    monkeypatch.setattr("views.contents.time.monotonic", lambda: now)
    monkeypatch.setattr(Inspector, "ask", beyond)
    compare = "/project/weft/compare?from=1.0&to=1.1"
    for _ in range(2):
        for address in (WEFT, compare):
            assert "within the limits of time and memory" in stocked.get(address).text
    assert asked == ["look", "compare"]
    now += 601
    stocked.get(WEFT)
    assert asked == ["look", "compare", "look"]
