"""Pages as ready bytes."""

from __future__ import annotations

import gzip
import itertools
import threading
from collections.abc import Hashable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
import zstandard
from packaging.utils import NormalizedName

from errors import DatabaseBusy, UnknownProject
from simple import html, json
from simple.model import ProjectDetail
from simple.negotiation import OFFERED, SIMPLE_HTML, SIMPLE_JSON, TEXT_HTML
from simple.pages import Page, Pages, draw
from tests.simple.examples import Shelf, a_file, a_project, a_shelf, name

DEMO = name("demo-pkg")
VARIANTS = list(itertools.product(OFFERED, ("identity", "gzip", "zstd")))


def headers(page: Page) -> dict[str, str]:
    assert len(dict(page.headers)) == len(page.headers)
    return dict(page.headers)


def plain(page: Page) -> bytes:
    coding = headers(page).get("Content-Encoding", "identity")
    if coding == "gzip":
        return gzip.decompress(page.body)
    return zstandard.ZstdDecompressor().decompress(page.body) if coding == "zstd" else page.body


@pytest.mark.parametrize(("media_type", "coding"), VARIANTS)
def test_a_variant_is_what_the_pen_draws(media_type: str, coding: str) -> None:
    """Every coding decodes to the same bytes, which are those of the pure functions."""
    pen = json if media_type == SIMPLE_JSON else html
    shelf = a_shelf()
    detail = Pages().get("main", shelf, DEMO, media_type, coding)
    listing = Pages().get("main", shelf, None, media_type, coding)
    assert plain(detail) == pen.draw_project_detail(a_project())
    assert plain(listing) == pen.draw_project_list(shelf.project_list())


def test_the_headers_of_a_page_are_complete() -> None:
    """Nothing is left to add for a public index."""
    page = Pages().get("main", a_shelf(), DEMO, SIMPLE_JSON, "gzip")
    assert headers(page) == {
        "Content-Type": "application/vnd.pypi.simple.v1+json",
        "Content-Length": str(len(page.body)),
        "Content-Encoding": "gzip",
        "ETag": page.etag,
        "Cache-Control": "no-cache",
        "Vary": "Accept, Accept-Encoding",
        "X-PyPI-Last-Serial": "42",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Resource-Policy": "same-origin",
    }


def test_only_text_html_names_a_charset_and_only_a_coded_page_a_coding() -> None:
    """The other two types are exact, as some clients compare them."""
    pages = Pages()
    types = {media: headers(pages.get("main", a_shelf(), DEMO, media, "identity")) for media in OFFERED}
    assert [types[media]["Content-Type"] for media in OFFERED] == [SIMPLE_JSON, SIMPLE_HTML, "text/html; charset=utf-8"]
    assert not any("Content-Encoding" in given for given in types.values())


def test_a_304_repeats_the_validators() -> None:
    """ETag, Cache-Control, Vary and the serial, and nothing about a body (RFC 9110, 15.4.5)."""
    page = Pages().get("main", a_shelf(), DEMO, SIMPLE_JSON, "identity")
    assert dict(page.not_modified_headers) == {
        "ETag": page.etag,
        "Cache-Control": "no-cache",
        "Vary": "Accept, Accept-Encoding",
        "X-PyPI-Last-Serial": "42",
    }


def test_a_page_that_could_not_be_refreshed_says_so() -> None:
    """Clients learn how old it is (RFC 9111), with the 304 too; a fresh page has neither header."""
    since = datetime.now(UTC) - timedelta(seconds=90)
    page = draw(a_shelf(a_project(stale_since=since)), DEMO, SIMPLE_JSON, "identity")
    for headers in (dict(page.headers), dict(page.not_modified_headers)):
        assert headers["Warning"] == '110 - "Response is Stale"'
        assert 90 <= int(headers["Age"]) < 150
    fresh = dict(draw(a_shelf(), DEMO, SIMPLE_JSON, "identity").headers)
    assert not {"Warning", "Age"} & set(fresh)


def test_the_tags_of_all_variants_differ() -> None:
    """A strong tag names one sequence of bytes of one type, though the two HTML types have the same bytes."""
    pages = Pages()
    tags = {pages.get("main", a_shelf(), DEMO, media, coding).etag for media, coding in VARIANTS}
    assert len(tags) == len(VARIANTS)
    assert all(tag.startswith('"') and tag.endswith('"') and len(tag) == 34 for tag in tags)


@pytest.mark.parametrize(("media_type", "coding"), VARIANTS)
def test_drawn_again_it_is_the_same_page(media_type: str, coding: str) -> None:
    """Two workers, or one after a restart, give the same bytes and tag."""
    once, again = (Pages().get("main", a_shelf(), DEMO, media_type, coding) for _ in range(2))
    assert once == again
    assert sha256(once.body).digest() == sha256(again.body).digest()


def test_a_page_is_drawn_once_while_its_serial_stands() -> None:
    """A warm answer asks the source for nothing but the serial."""
    pages, shelf = Pages(), a_shelf()
    first = pages.get("main", shelf, DEMO, SIMPLE_JSON, "gzip")
    assert pages.get("main", shelf, DEMO, SIMPLE_JSON, "gzip") is first
    assert shelf.asked == 1


def test_a_new_serial_draws_the_page_again() -> None:
    """A release is on the page that is asked for next, under another tag."""
    pages, shelf = Pages(), a_shelf()
    before = pages.get("main", shelf, DEMO, SIMPLE_JSON, "identity")
    shelf.projects[DEMO] = a_project(a_file("1.0"), a_file("2.0"), serial=43)
    after = pages.get("main", shelf, DEMO, SIMPLE_JSON, "identity")
    assert b"demo_pkg-2.0" in after.body
    assert after.etag != before.etag
    assert headers(after)["X-PyPI-Last-Serial"] == "43"


def test_each_step_of_a_yank_has_its_own_tag() -> None:
    """Yanked with a reason, without one and not at all are three pages."""
    pages, shelf, tags = Pages(), a_shelf(), []
    for serial, yanked in enumerate([None, "bad build", ""]):
        shelf.projects[DEMO] = a_project(a_file(yanked=yanked), serial=serial)
        tags.append(pages.get("main", shelf, DEMO, TEXT_HTML, "identity").etag)
    assert len(set(tags)) == 3


def test_indexes_do_not_share_pages() -> None:
    """The same name and serial in another index is another page."""
    pages = Pages()
    main = pages.get("main", a_shelf(), DEMO, SIMPLE_JSON, "identity")
    other = pages.get("other", a_shelf(a_project(a_file("7.0"))), DEMO, SIMPLE_JSON, "identity")
    assert b"7.0" in other.body
    assert b"7.0" not in main.body


def test_an_unknown_project_is_refused_and_not_kept() -> None:
    """It has its page as soon as it is there."""
    pages, shelf = Pages(), a_shelf()
    other = name("other")
    with pytest.raises(UnknownProject):
        pages.get("main", shelf, other, SIMPLE_JSON, "identity")
    shelf.projects[other] = a_project(name=other)
    assert pages.get("main", shelf, other, SIMPLE_JSON, "identity").body


def test_an_unknown_coding_is_a_mistake_of_ours() -> None:
    """Only what negotiation gives is drawn."""
    with pytest.raises(ValueError, match="br"):
        Pages().get("main", a_shelf(), DEMO, SIMPLE_JSON, "br")


def test_the_fast_path_sees_what_is_kept_and_valid() -> None:
    """cached() never draws: it gives the kept page under the same validity, else nothing."""
    pages, shelf = Pages(), a_shelf()
    assert pages.cached(("main", DEMO, SIMPLE_JSON, "gzip"), 42) is None
    page = pages.get("main", shelf, DEMO, SIMPLE_JSON, "gzip")
    assert pages.cached(("main", DEMO, SIMPLE_JSON, "gzip"), 42) is page
    assert pages.cached(("main", DEMO, SIMPLE_JSON, "gzip"), 43) is None
    assert pages.cached(("main", DEMO, SIMPLE_JSON, "identity"), 42) is None


@dataclass
class PublishedMeanwhile(Shelf):
    """A shelf on which a release is published between the look at the serial and the drawing."""

    def validity(self, name: NormalizedName | None) -> Hashable:
        """The serial as it was, just before it moved."""
        before = super().validity(name)
        self.projects[DEMO] = a_project(a_file("2.0"), serial=43)
        return before


def test_a_page_may_be_newer_than_its_serial_and_never_older() -> None:
    """What is published during a drawing is not hidden by it: the next request draws again or sees it."""
    pages, shelf = Pages(), PublishedMeanwhile({DEMO: a_project()})
    assert b"2.0" in pages.get("main", shelf, DEMO, SIMPLE_JSON, "identity").body
    assert pages.cached(("main", DEMO, SIMPLE_JSON, "identity"), 43) is None
    assert pages.cached(("main", DEMO, SIMPLE_JSON, "identity"), 42) is not None


def many(count: int) -> Shelf:
    return a_shelf(*(a_project(name=name(f"p{number}")) for number in range(count)))


def test_the_bound_on_bytes_holds() -> None:
    """However many pages are asked for, what is kept stays below the bound, and the newest is kept."""
    pages, shelf = Pages(max_bytes=20_000), many(100)
    for project in shelf.projects:
        pages.get("main", shelf, project, SIMPLE_JSON, "identity")
        assert 0 < pages.kept_bytes <= 20_000
    assert pages.cached(("main", name("p99"), SIMPLE_JSON, "identity"), 42) is not None
    assert pages.cached(("main", name("p0"), SIMPLE_JSON, "identity"), 42) is None


def test_what_is_asked_for_stays_and_what_is_not_goes() -> None:
    """The least recently used page is dropped first; a look by the fast path counts as use."""
    pages, shelf = Pages(max_bytes=20_000), many(100)
    for project in shelf.projects:
        pages.get("main", shelf, project, SIMPLE_JSON, "identity")
        assert pages.cached(("main", name("p0"), SIMPLE_JSON, "identity"), 42) is not None
    assert pages.cached(("main", name("p1"), SIMPLE_JSON, "identity"), 42) is None


def test_a_page_drawn_again_replaces_the_old_one() -> None:
    """A thousand releases of one project keep the room of one page."""
    pages, shelf = Pages(), a_shelf()
    pages.get("main", shelf, DEMO, SIMPLE_JSON, "identity")
    before = pages.kept_bytes
    for serial in range(50, 100):
        shelf.projects[DEMO] = a_project(serial=serial)
        pages.get("main", shelf, DEMO, SIMPLE_JSON, "identity")
    assert pages.kept_bytes == before


def test_a_page_larger_than_the_bound_is_given_and_not_kept() -> None:
    """It does not push out the others."""
    pages, shelf = Pages(max_bytes=10_000), many(2)
    pages.get("main", shelf, name("p0"), SIMPLE_JSON, "identity")
    shelf.projects[DEMO] = a_project(*(a_file(f"{number}.0") for number in range(100)))
    assert pages.get("main", shelf, DEMO, SIMPLE_JSON, "identity").body
    assert pages.cached(("main", DEMO, SIMPLE_JSON, "identity"), 42) is None
    assert pages.cached(("main", name("p0"), SIMPLE_JSON, "identity"), 42) is not None


@dataclass
class Gated(Shelf):
    """A shelf whose answers wait until the test opens the gate; the first ``failures`` of them fail."""

    gate: threading.Event = field(default_factory=threading.Event)
    drawing: threading.Event = field(default_factory=threading.Event)
    failures: int = 0

    def project_detail(self, name: NormalizedName) -> ProjectDetail:
        """One project, when the gate is open."""
        detail = super().project_detail(name)
        self.drawing.set()
        assert self.gate.wait(10)
        if self.asked <= self.failures:
            raise DatabaseBusy
        return detail


def test_threads_that_want_one_cold_page_draw_it_once() -> None:
    """Eight requests after a release cost one drawing, and all get the same page."""
    pages, shelf = Pages(), Gated({DEMO: a_project()})
    with ThreadPoolExecutor(8) as threads:
        answers = [threads.submit(pages.get, "main", shelf, DEMO, SIMPLE_JSON, "gzip") for _ in range(8)]
        assert shelf.drawing.wait(10)
        assert not any(answer.done() for answer in answers)
        shelf.gate.set()
        given = [answer.result(10) for answer in answers]
    assert shelf.asked == 1
    assert all(page is given[0] for page in given)


def test_a_waiting_thread_gets_no_page_older_than_its_own_serial() -> None:
    """Who saw the new serial does not take the drawing that began under the old one."""
    pages, shelf = Pages(), Gated({DEMO: a_project()})
    with ThreadPoolExecutor(2) as threads:
        old = threads.submit(pages.get, "main", shelf, DEMO, SIMPLE_JSON, "identity")
        assert shelf.drawing.wait(10)
        shelf.projects[DEMO] = replace(a_project(a_file("2.0")), serial=43)
        new = threads.submit(pages.get, "main", shelf, DEMO, SIMPLE_JSON, "identity")
        shelf.gate.set()
        assert b"2.0" not in old.result(10).body
        assert b"2.0" in new.result(10).body
    assert b"2.0" in pages.get("main", shelf, DEMO, SIMPLE_JSON, "identity").body


def test_a_failed_drawing_fails_one_request_and_the_next_tries_again() -> None:
    """A thread that waited for a drawing that failed draws for itself; failures are not kept."""
    pages, shelf = Pages(), Gated({DEMO: a_project()}, failures=1)
    with ThreadPoolExecutor(2) as threads:
        answers = [threads.submit(pages.get, "main", shelf, DEMO, SIMPLE_JSON, "identity") for _ in range(2)]
        assert shelf.drawing.wait(10)
        shelf.gate.set()
        failed = [answer for answer in answers if isinstance(answer.exception(10), DatabaseBusy)]
    assert len(failed) == 1
    assert pages.get("main", shelf, DEMO, SIMPLE_JSON, "identity").body


def test_many_threads_keep_the_count_of_bytes_right() -> None:
    """Readers, drawers and evictions at the same time: no error, and the sum is that of the kept pages."""
    pages, shelf = Pages(max_bytes=30_000), many(40)

    def read(seed: int) -> None:
        for step in range(300):
            project = name(f"p{(step * (seed + 3)) % 40}")
            page = pages.get("main", shelf, project, SIMPLE_JSON, "identity")
            assert f'"name":"{project}"'.encode() in page.body

    with ThreadPoolExecutor(6) as threads:
        for done in [threads.submit(read, seed) for seed in range(6)]:
            done.result(30)
    assert pages.kept_bytes == sum(len(page.body) + 2048 for _, page in pages._kept.values()) <= 30_000
    assert pages._flights == {}


def test_a_gzipped_page_holds_no_time_of_day() -> None:
    """Bytes 4 to 7 of gzip (RFC 1952) are the time: zero, or the tag would change with the clock."""
    assert Pages().get("main", a_shelf(), DEMO, SIMPLE_JSON, "gzip").body[4:8] == bytes(4)
