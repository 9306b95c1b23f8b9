"""Which representation and which coding a client gets (RFC 9110, section 12; PEP 691).

Headers are strangers' text: an element that cannot be read is passed over, and a header without one that can be read
counts as absent. Only a header that asks for something else altogether is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from errors import NotAcceptable

SIMPLE_JSON: Final = "application/vnd.pypi.simple.v1+json"
SIMPLE_HTML: Final = "application/vnd.pypi.simple.v1+html"
TEXT_HTML: Final = "text/html"
OFFERED: Final = (SIMPLE_JSON, SIMPLE_HTML, TEXT_HTML)
CODINGS: Final = ("zstd", "gzip")

# The aliases are for asking only: the answer names the real version (PEP 691).
_NAMES: Final = {
    **{name: name for name in OFFERED},
    "application/vnd.pypi.simple.latest+json": SIMPLE_JSON,
    "application/vnd.pypi.simple.latest+html": SIMPLE_HTML,
}
# Between equal weights: what the client named stands before what a wildcard let in; named, the most expressive first;
# let in, the plainest first, since who sends a bare wildcard may know nothing but HTML.
_NAMED_RANK: Final = {SIMPLE_JSON: 6, SIMPLE_HTML: 5, TEXT_HTML: 4}
_WILDCARD_RANK: Final = {TEXT_HTML: 3, SIMPLE_HTML: 2, SIMPLE_JSON: 1}

_MEDIA_RANGE: Final = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+/[a-z0-9!#$%&'*+.^_`|~-]+")
# RFC 9110 allows three decimals and a leading digit; old Java clients send "q=.2".
_WEIGHT: Final = re.compile(r"[01](?:\.[0-9]{0,9})?|\.[0-9]{1,9}")
_LONGEST_KEPT: Final = 300  # characters; a browser's Accept has about 140


def negotiate(accept: str | None, format_parameter: str | None = None) -> str:
    """The media type to answer with: one of ``OFFERED``.

    ``format_parameter`` is the value of ``?format=``, one full media type, and overrides the header. A ``+`` that the
    query's decoding made a space is read as ``+``. Raises NotAcceptable when nothing here fits.
    """
    if format_parameter is not None:
        chosen = _NAMES.get(format_parameter.replace(" ", "+").lower())
    elif accept is None:
        chosen = TEXT_HTML
    else:
        chosen = _kept_media_type(accept) if len(accept) <= _LONGEST_KEPT else _media_type(accept)
    if chosen is None:
        raise NotAcceptable(OFFERED)
    return chosen


def negotiate_coding(accept_encoding: str | None, offered: tuple[str, ...] = CODINGS) -> str:
    """The content coding to answer with: one of ``offered``, of equal ones the first, or ``identity``."""
    if not accept_encoding:
        return "identity"
    if len(accept_encoding) <= _LONGEST_KEPT:
        return _kept_coding(accept_encoding, offered)
    return _coding(accept_encoding, offered)


def _media_type(accept: str) -> str | None:
    weights: dict[str, float] = {}
    for name, weight in _elements(accept):
        if _MEDIA_RANGE.fullmatch(name):
            name = _NAMES.get(name, name)  # noqa: PLW2901 - an alias is the same range
            weights[name] = max(weight, weights.get(name, 0.0))
    if not weights:
        return TEXT_HTML
    best = max(_judged(offer, weights) for offer in OFFERED)
    return best[2] if best[0] > 0 else None


def _judged(offer: str, weights: dict[str, float]) -> tuple[float, int, str]:
    """Weight and rank of one offer by the most specific range that matches it."""
    if offer in weights:
        return weights[offer], _NAMED_RANK[offer], offer
    whole_type = f"{offer.partition('/')[0]}/*"
    return weights.get(whole_type, weights.get("*/*", 0.0)), _WILDCARD_RANK[offer], offer


def _coding(accept_encoding: str, offered: tuple[str, ...]) -> str:
    weights = {("gzip" if name == "x-gzip" else name): weight for name, weight in _elements(accept_encoding)}
    others = weights.get("*", 0.0)
    chosen, highest = "identity", 0.0
    for coding in offered:
        weight = weights.get(coding, others)
        if weight > highest:
            chosen, highest = coding, weight
    # RFC 9110, 12.5.3: identity is always there; it wins only where the client wants it more.
    return "identity" if weights.get("identity", others) > highest else chosen


_kept_media_type = lru_cache(maxsize=512)(_media_type)
_kept_coding = lru_cache(maxsize=512)(_coding)


def _elements(header: str) -> Iterator[tuple[str, float]]:
    """Each element's name in lower case and its weight; elements with a weight that is none are left out."""
    for element in header.split(","):
        name, *parameters = element.split(";")
        weight: float | None = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                weight = _weight(value.strip())
                break
        if weight is not None:
            yield name.strip().lower(), weight


def _weight(text: str) -> float | None:
    weight = float(text) if _WEIGHT.fullmatch(text) else 2.0
    return weight if weight <= 1 else None
