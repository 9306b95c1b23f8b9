"""Which representation and coding a client gets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from errors import NotAcceptable
from simple.negotiation import CODINGS, OFFERED, SIMPLE_HTML, SIMPLE_JSON, TEXT_HTML, negotiate, negotiate_coding

J, H, T = SIMPLE_JSON, SIMPLE_HTML, TEXT_HTML
LATEST_JSON = "application/vnd.pypi.simple.latest+json"
LATEST_HTML = "application/vnd.pypi.simple.latest+html"


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (None, T),
        ("", T),
        ("*/*", T),
        (J, J),
        (H, H),
        (T, T),
        (f"{J}, {H}; q=0.1, text/html; q=0.01", J),  # pip, pdm
        (f"{J}, {H};q=0.2, text/html;q=0.01", J),  # uv
        (f"{J}, */*;q=0.1", J),  # poetry
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", T),  # a browser
        (LATEST_JSON, J),
        (LATEST_HTML, H),
        (f"{J};q=0.5, text/html;q=0.9", T),
        (f"{J};q=0, */*", T),
        ("text/*", T),
        ("application/*", H),
    ],
)
def test_the_table_of_accept_headers(accept: str | None, chosen: str) -> None:
    """Each header gets the representation that its client can read best."""
    assert negotiate(accept) == chosen


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "application/vnd.pypi.simple.v2+json",
        f"{J};q=0",
        "image/*",
        "*/*;q=0",
        f"application/json, {J};q=0.000",
        ", ".join(["application/json"] * 700),
    ],
    ids=lambda accept: accept[:50],
)
def test_a_client_that_takes_nothing_of_ours_is_told_what_there_is(accept: str) -> None:
    """The refusal names all three representations."""
    with pytest.raises(NotAcceptable) as refusal:
        negotiate(accept)
    assert refusal.value.offered == (J, H, T)


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        (f"{T}, {H}, {J}", J),  # the order says nothing
        (f"{T}, {H}", H),
        (f"{J};q=0.3, {H};q=0.3, {T};q=0.4", T),
        (f"*/*, {H}", H),  # named beats let in
        ("application/*, text/*", T),
        (f"application/*, {H};q=0", J),
        (f"application/*;q=0.5, {J};q=0.1", H),
        (f"{LATEST_JSON};q=0.4, {H};q=0.5", H),
        (J.upper(), J),
        (f"{T};Q=0.5, {J} ; q=0.4", T),
        (f"{J};charset=utf-8", J),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", T),  # old Java
        (f",, {J} ,", J),
    ],
)
def test_weights_and_ties(accept: str, chosen: str) -> None:
    """The highest weight wins; between equals a named type, then the most expressive."""
    assert negotiate(accept) == chosen


@pytest.mark.parametrize(
    "accept",
    [
        f"{J};q=nan",
        f"{J};q=NaN",
        f"{J};q=inf",
        f"{J};q=1.5",
        f"{J};q=-1",
        f"{J};q=",
        f"{J};q=1e1",
        f"{J};q=0.5x",
        f"{J};q=\N{ARABIC-INDIC DIGIT ONE}",
        "junk",
        ";;;,,,",
        "a/b/c",
        "q" * 10_000,
        ",;q=" * 2_500,
        "\x00\xff",
    ],
    ids=lambda accept: ascii(accept[-20:]),
)
def test_junk_counts_as_no_header(accept: str) -> None:
    """A header without one element that can be read gets the default representation."""
    assert negotiate(accept) == T


def test_junk_beside_a_sound_element_is_passed_over() -> None:
    """One bad element does not spoil the others."""
    assert negotiate(f"junk, {J};q=0.2, {T};q=nan") == J


@pytest.mark.parametrize(
    ("format_parameter", "chosen"),
    [(J, J), (H, H), (T, T), (J.replace("+", " "), J), (LATEST_JSON, J), (LATEST_HTML.replace("+", " "), H)],
)
def test_the_format_parameter_overrides_the_header(format_parameter: str, chosen: str) -> None:
    """A query's plus may arrive as a space; the header is not looked at."""
    assert negotiate("image/png", format_parameter) == chosen


@pytest.mark.parametrize(
    "format_parameter", ["", "foo/bar", "*/*", "application/*", f"{J},{T}", f"{J};q=1", "x" * 9999]
)
def test_another_format_parameter_is_refused(format_parameter: str) -> None:
    """It is exactly one full media type: no wildcard, list or weight."""
    with pytest.raises(NotAcceptable):
        negotiate(J, format_parameter)


PIECES = st.sampled_from([*OFFERED, LATEST_JSON, "*/*", "text/*", "application/*", "a/b", "*", "junk", ""])
WEIGHTS = st.sampled_from(["", ";q=0", ";q=1", ";q=0.5", "; q=.3", ";q=nan", ";q=9", ";a=b;q=0.1", ";"])
HEADERS = st.lists(st.tuples(PIECES, WEIGHTS).map("".join)).map(",".join)


@given(st.one_of(st.text(), HEADERS), st.one_of(st.none(), st.text(), PIECES))
def test_any_header_gets_an_answer_or_the_refusal(accept: str, format_parameter: str | None) -> None:
    """Nothing but NotAcceptable is ever raised, and nothing but an offer returned."""
    try:
        assert negotiate(accept, format_parameter) in OFFERED
    except NotAcceptable as refusal:
        assert refusal.offered == OFFERED  # noqa: PT017 - either outcome is allowed


@given(
    st.lists(st.tuples(PIECES, WEIGHTS).map("".join), max_size=5).flatmap(
        lambda p: st.tuples(st.just(p), st.permutations(p))
    )
)
def test_the_order_of_elements_says_nothing(orders: tuple[list[str], list[str]]) -> None:
    """RFC 9110: only weights count."""
    outcomes = []
    for order in orders:
        try:
            outcomes.append(negotiate(",".join(order)))
        except NotAcceptable:
            outcomes.append("none")
    assert outcomes[0] == outcomes[1]


@pytest.mark.parametrize(
    ("accept_encoding", "coding"),
    [
        (None, "identity"),
        ("", "identity"),
        ("identity", "identity"),
        ("br", "identity"),
        ("gzip, deflate", "gzip"),  # pip, pdm
        ("gzip, deflate, zstd", "zstd"),  # uv, poetry
        ("zstd,gzip,deflate", "zstd"),
        ("gzip;q=1.0, zstd;q=0.5", "gzip"),
        ("GZIP", "gzip"),
        ("x-gzip", "gzip"),
        ("gzip;q=0", "identity"),
        ("zstd;q=0, gzip;q=0.001", "gzip"),
        ("*", "zstd"),
        ("*, zstd;q=0", "gzip"),
        ("*;q=0", "identity"),
        ("identity;q=0", "identity"),
        ("identity, gzip", "gzip"),
        ("identity, gzip;q=0.5", "identity"),
        ("gzip;q=nan", "identity"),
        ("junk" * 3000, "identity"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_the_coding_follows_the_weights(accept_encoding: str | None, coding: str) -> None:
    """The client's favourite; zstd before gzip where it likes both alike."""
    assert negotiate_coding(accept_encoding) == coding


def test_only_what_is_offered_is_chosen() -> None:
    """Files are never coded, and a server may leave zstd out."""
    assert negotiate_coding("gzip, zstd", ("gzip",)) == "gzip"
    assert negotiate_coding("gzip, zstd", ()) == "identity"


@given(
    st.one_of(
        st.text(), st.lists(st.sampled_from(["gzip", "zstd;q=0", "*", "identity;q=.5", ";q=1", "x"])).map(",".join)
    )
)
def test_any_accept_encoding_gets_a_coding(accept_encoding: str) -> None:
    """Nothing is ever raised."""
    assert negotiate_coding(accept_encoding) in {*CODINGS, "identity"}
