"""Typing mistakes that people make, and what they meant."""

from __future__ import annotations

import pytest

from database.spelling import within_one_edit
from tests.search.conftest import Shelf

NAMES = {
    "requests": "HTTP for humans.", "numpy": "Arrays.", "pandas": "Data frames.", "django": "A web framework.",
    "flask": "A small web framework.", "sqlalchemy": "Databases as objects.", "matplotlib": "Plots.",
    "scikit-learn": "Machine learning.", "tensorflow": "Machine learning, too.", "pytest": "Tests.",
    "beautifulsoup4": "Parses what browsers forgive.", "cryptography": "Primitives and recipes.",
    "setuptools": "Builds packages.", "pillow": "Images.", "python-dateutil": "Dates.", "pyyaml": "Reads YAML.",
    "virtualenv": "An environment of its own.", "fastapi": "An asynchronous framework.", "boto3": "A cloud's library.",
    "click": "Command lines.", "jinja2": "Templates.", "celery": "A queue of tasks.", "wheel": "Archives.",
}  # fmt: skip
MISTAKES = [
    ("reqeusts", "requests"), ("requets", "requests"), ("reqests", "requests"), ("reuqests", "requests"),
    ("requestss", "requests"), ("nunpy", "numpy"), ("nmupy", "numpy"), ("numpu", "numpy"), ("pandsa", "pandas"),
    ("padnas", "pandas"), ("pandaas", "pandas"), ("djnago", "django"), ("dajngo", "django"), ("djanog", "django"),
    ("djngo", "django"), ("flaks", "flask"), ("falsk", "flask"), ("flsk", "flask"), ("flasl", "flask"),
    ("sqlalchmey", "sqlalchemy"), ("sqlachemy", "sqlalchemy"), ("sqlalchemey", "sqlalchemy"),
    ("matplotlb", "matplotlib"), ("matplotlip", "matplotlib"), ("mathplotlib", "matplotlib"),
    ("scikit-lern", "scikit-learn"), ("scikit learm", "scikit-learn"), ("sckit-learn", "scikit-learn"),
    ("tensorfow", "tensorflow"), ("tensroflow", "tensorflow"), ("pytets", "pytest"), ("pytset", "pytest"),
    ("beatifulsoup4", "beautifulsoup4"), ("beautifulsop4", "beautifulsoup4"), ("crytography", "cryptography"),
    ("cryptograhpy", "cryptography"), ("setuptolos", "setuptools"), ("pilow", "pillow"), ("pillwo", "pillow"),
    ("python-datetuil", "python-dateutil"), ("pyaml", "pyyaml"), ("pyymal", "pyyaml"), ("virtualnev", "virtualenv"),
    ("vitualenv", "virtualenv"), ("fastpai", "fastapi"), ("fsatapi", "fastapi"), ("clcik", "click"),
    ("jinja3", "jinja2"), ("jnija2", "jinja2"), ("celrey", "celery"), ("whele", "wheel"),
    # words of summaries
    ("enviroment", "virtualenv"), ("asynchronus", "fastapi"), ("databse", "sqlalchemy"), ("primitves", "cryptography"),
    ("archievs", "wheel"), ("rqeuetss", ""), ("templtaes", "jinja2"), ("imgaes", "pillow"),
    ("brwosers", "beautifulsoup4"),
]  # fmt: skip


@pytest.fixture
def known(shelf: Shelf) -> Shelf:
    """An index with names that everybody mistypes now and then."""
    for name, summary in NAMES.items():
        shelf.add(name, summary)
    return shelf


def test_real_mistakes_are_forgiven(known: Shelf) -> None:
    """A letter left out, swapped, added or changed still finds, first of all what was meant; two edits do not."""
    found = {typed: (known.found(typed) or [""])[0] for typed, _ in MISTAKES}
    assert found == dict(MISTAKES)


def test_what_was_looked_for_instead_is_told(known: Shelf) -> None:
    """Word by word; those that were right stay."""
    assert known.search.find("flsk").instead == "flask"
    assert known.search.find("machine laerning").instead == "machine learning"
    assert known.search.find("flask").instead is None


@pytest.mark.parametrize("typed", ["clik", "djagn", "matplt", "cryptogarph"])
def test_a_mistake_in_a_word_that_is_not_typed_to_its_end(known: Shelf, typed: str) -> None:
    """While somebody types, the beginnings of words are forgiven a mistake, too."""
    assert known.found(typed) != []


@pytest.mark.parametrize("typed", ["flx", "pzz", "ab"])
def test_short_words_are_taken_as_they_are(known: Shelf, typed: str) -> None:
    """Of three letters, one other would be another word."""
    assert known.found(typed) == []


def test_the_likeliest_word_is_taken(shelf: Shelf) -> None:
    """Of several near words the most frequent is named, and what the others find is there as well."""
    for number in range(3):
        shelf.add(f"a{number}", "Looms.")
    shelf.add("b", "Loams.")
    result = shelf.search.find("lo0ms")
    assert result.instead == "looms"
    assert {hit.name for hit in result.hits} == {"a0", "a1", "a2", "b"}


def test_a_mistake_that_a_description_makes_too(known: Shelf) -> None:
    """It finds that description, and what may have been meant is suggested; not where a summary has the word."""
    known.add("tome", "", "How I learned to write reqeusts.")
    result = known.search.find("reqeusts")
    assert ([hit.name for hit in result.hits], result.suggestion) == (["tome"], "requests")
    assert known.search.find("parses").suggestion is None


def test_filters_are_no_mistake(known: Shelf) -> None:
    """What is there but filtered out is not looked for under another name."""
    from database.search import Filters

    known.add("flash", "Light.", status="")
    result = known.search.find("flash", filters=Filters(license="MIT"))
    assert (result.total, result.instead) == (0, None)
    known.add("zlib", license_expression="MIT")
    result = known.search.find("flash", filters=Filters(license="MIT"))
    assert (result.total, result.instead) == (0, None)


@pytest.mark.parametrize("name", ["flaks", "reqeusts", "scikitlearn", "date-util", "flask-restful"])
def test_near_names(known: Shelf, name: str) -> None:
    """For an address that leads nowhere: names near to the one that was asked for, and never a wild guess."""
    near = {
        "flaks": ["flask"], "reqeusts": ["requests"], "scikitlearn": ["scikit-learn"], "date-util": ["python-dateutil"],
        "flask-restful": [],
    }  # fmt: skip
    assert [hit.name for hit in known.search.near(name)] == near[name]


@pytest.mark.parametrize(
    ("one", "other", "near"),
    [("abcd", "abcd", True), ("abcd", "abdc", True), ("abcd", "abc", True), ("abcd", "abcde", True),
     ("abcd", "axcd", True), ("abcd", "acbx", False), ("abcd", "ab", False), ("abcd", "dcba", False)],
)  # fmt: skip
def test_one_edit(one: str, other: str, near: bool) -> None:
    """One letter added, left out or changed, or two neighbours swapped."""
    assert within_one_edit(one, other) is near
    assert within_one_edit(other, one) is near
