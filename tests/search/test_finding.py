"""What a query finds, and in which order."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from database.statistics import add_to_listings
from errors import InvalidRequest
from tests.search.conftest import Shelf


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("flask", ["flask", "flask-login", "requests"]),
        ("fla", ["flask", "flask-login", "requests"]),
        ("acme_hello", ["acme-hello"]),
        ("acme hello", ["acme-hello"]),
        ("hello", ["acme-hello"]),
        ("array computing", ["numpy"]),
        ("cafe", ["acme-hello"]),
        ("CAFÉ", ["acme-hello"]),
        ("HUMANS", ["requests", "aiohttp"]),
        ("web flask", ["flask"]),
        ("zzzzzz", []),
        ("***", []),
    ],
)
def test_search_finds(library: Shelf, query: str, names: list[str]) -> None:
    """Names first, then summaries, then descriptions; beginnings, any spelling of a name, case and accents forgiven."""
    assert library.found(query) == names


@pytest.mark.parametrize(
    ("query", "name"),
    [("http", "aiohttp"), ("iohtt", "aiohttp"), ("learn", "scikit-learn"), ("scikitlearn", "scikit-learn"),
     ("kitlea", "scikit-learn"), ("SciKit_Learn", "scikit-learn"), ("http async", "aiohttp")],
)  # fmt: skip
def test_the_middle_of_a_name_is_found(library: Shelf, query: str, name: str) -> None:
    """From three letters on, whatever separates the name's words; other words may stand elsewhere."""
    assert library.found(query)[0] == name


def test_the_closest_name_comes_first(shelf: Shelf) -> None:
    """The name itself, names that begin so, that have it as a word, as a beginning of one, in the middle."""
    ordered = ["http", "http-client", "http2", "my-http", "my-httpd", "aiohttp"]
    for name in reversed(ordered):
        shelf.add(name)
    shelf.add("wire", "All of HTTP.")
    shelf.add("paper", "", "This is not about HTTP.")
    assert shelf.found("http") == [*ordered, "wire", "paper"]


def test_of_equals_the_most_downloaded_comes_first(shelf: Shelf) -> None:
    """Then the name decides."""
    for name in ("one", "two", "three"):
        shelf.add(name, "Weaves.")
    with shelf.database.writing() as change:
        add_to_listings(change.connection, "main", {"two": 7})
    assert shelf.found("weaves") == ["two", "one", "three"]


def test_a_word_in_the_name_beats_all_words_in_the_summary(shelf: Shelf) -> None:
    """Where words are found in different places, the name still counts most."""
    shelf.add("alpha", "A client for the weather.")
    shelf.add("weather", "A client.")
    assert shelf.found("client weather") == ["weather", "alpha"]


def test_one_letter_finds_names(library: Shelf) -> None:
    """Those that begin with it, or have it as a word; every text has it, so texts are not looked through."""
    library.add("c", "Not a language.")
    library.add("tools-for-c")
    assert library.found("f") == ["flask", "flask-login"]
    assert library.found("c") == ["c", "tools-for-c"]


def test_while_a_second_word_is_typed_names_are_found(library: Shelf) -> None:
    """``flask-l`` is the beginning of a name."""
    assert library.found("flask-l") == ["flask-login"]
    assert library.found("flask l") == ["flask-login"]


def test_keywords_are_looked_through(shelf: Shelf) -> None:
    """As summaries are."""
    shelf.add("loom", "Weaves.", keywords="textile,warp")
    assert shelf.found("warp") == ["loom"]


def test_everything_is_listed_without_words(library: Shelf) -> None:
    """The last changed first."""
    assert library.found("")[:2] == ["scikit-learn", "aiohttp"]
    assert library.search.find("").total == 7


def test_pages_of_results(shelf: Shelf) -> None:
    """Every hit is on exactly one page, in one order, also where a page has hits of several kinds."""
    for number in range(9):
        shelf.add(f"loom-{number}")
        shelf.add(f"name-{number}", "Speaks of looms.")
        shelf.add(f"text-{number}", "", "Speaks of looms.")
    pages = [shelf.search.find("loom", limit=4, offset=offset) for offset in range(0, 32, 4)]
    names = [hit.name for page in pages for hit in page.hits]
    assert names == [f"{kind}-{number}" for kind in ("loom", "name", "text") for number in range(9)]
    assert {page.total for page in pages} == {27}


@pytest.mark.parametrize("sort", ["name", "updated", "downloads"])
def test_results_are_sorted(shelf: Shelf, sort: str) -> None:
    """By name, the last changed first, or the most downloaded first; with a query and without."""
    for name in ("loom-b", "loom-c", "loom-a", "other"):
        shelf.add(name)
    with shelf.database.writing() as change:
        add_to_listings(change.connection, "main", {"loom-b": 3, "loom-a": 5})
    order = {
        "name": ["loom-a", "loom-b", "loom-c", "other"],
        "updated": ["other", "loom-a", "loom-c", "loom-b"],
        "downloads": ["loom-a", "loom-b", "loom-c", "other"],
    }[sort]
    assert shelf.found("", sort=sort) == order
    assert shelf.found("loom", sort=sort) == [name for name in order if name != "other"]


def test_a_passage_is_shown_where_only_the_description_has_it(library: Shelf) -> None:
    """Cut around the word; where name or summary have it, none is needed."""
    library.add("tome", "A long book.", f"{'before ' * 100}the Zürich needle, {'after ' * 100}")
    (hit,) = library.search.find("zurich").hits
    assert "the Zürich needle" in hit.passage
    assert hit.passage.startswith("… before")
    assert hit.passage.endswith("after …")
    assert len(hit.passage) < 210
    assert library.search.find("flask").hits[0].passage == ""


def test_descriptions_are_left_alone_where_names_and_summaries_have_plenty(
    shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a word that a thousand summaries have, those descriptions that have it too are of no use to anybody."""
    monkeypatch.setattr("database.search._ENOUGH", 2)
    shelf.add("one", "Weaves.")
    shelf.add("none", "", "Weaves.")
    assert shelf.found("weaves") == ["one", "none"]
    shelf.add("two", "Weaves.")
    assert shelf.found("weaves") == ["one", "two"]


def test_long_queries_are_refused(library: Shelf) -> None:
    """S96."""
    with pytest.raises(InvalidRequest):
        library.search.find("x" * 201)


@pytest.mark.parametrize(
    "query",
    ['"', "'", '"flask', "flask AND", "NOT", "OR OR", "name:flask", "*", "flask*", "(", "a - b", "\\", "%", "_", "^x",
     "NEAR(a b)", "{x}", "\0flask", "💥", "; DROP TABLE search", "facts : i1", "ß" * 200, "½", "ﬁ", "İ"],
)  # fmt: skip
def test_operators_are_harmless(library: Shelf, query: str) -> None:
    """S96: what people type is never search syntax."""
    assert library.search.find(query).total >= 0


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(query=st.text(max_size=12))
def test_any_text_may_be_looked_for(library: Shelf, query: str) -> None:
    """Whatever people paste, the search answers."""
    assert library.search.find(query).total <= 7


def test_words_of_every_script_are_found(shelf: Shelf) -> None:
    """Each letter that there is, in a word of its own."""
    letters = [one for one in map(chr, range(0x80, sys.maxunicode)) if unicodedata.category(one) in {"Lo", "Ll"}]
    some = letters[:: len(letters) // 200]
    shelf.add("loom", "", " ".join(f"x{letter}y" for letter in some))
    assert [letter for letter in some if shelf.found(f"x{letter}y") != ["loom"]] == []
