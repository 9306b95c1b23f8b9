"""Drawing a feed: the Atom Syndication Format (RFC 4287), for whatever text there is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

NAMESPACE: Final = "http://www.w3.org/2005/Atom"
MEDIA_TYPE: Final = "application/atom+xml"
# What may stand in a document of XML 1.0 (production 2, Char); no escape makes anything else stand in one.
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """One entry. ``id`` is an IRI that stays when all else changes; ``author`` a person's name, or empty."""

    id: str
    title: str
    url: str
    published: datetime
    updated: datetime
    summary: str = ""
    author: str = ""
    categories: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """A feed and its entries, newest first. ``url`` is its own address, ``page`` that of the page it stands for."""

    id: str
    title: str
    url: str
    page: str
    updated: datetime
    entries: Sequence[FeedEntry]


def draw(feed: Feed) -> bytes:
    """The feed as a document in UTF-8."""
    root = Element("feed", {"xmlns": NAMESPACE})
    _add(root, "id", feed.id)
    _add(root, "title", feed.title)
    _add(root, "updated", _date(feed.updated))
    SubElement(root, "link", {"rel": "self", "type": MEDIA_TYPE, "href": feed.url})
    SubElement(root, "link", {"rel": "alternate", "type": "text/html", "href": feed.page})
    _add(root, "generator", "PyPI Clone")
    _add(SubElement(root, "author"), "name", "PyPI Clone")  # of the entries that name nobody (4.1.1)
    for entry in feed.entries:
        _draw_entry(SubElement(root, "entry"), entry)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _draw_entry(place: Element, entry: FeedEntry) -> None:
    _add(place, "id", entry.id)
    _add(place, "title", entry.title)
    SubElement(place, "link", {"rel": "alternate", "type": "text/html", "href": entry.url})
    _add(place, "published", _date(entry.published))
    _add(place, "updated", _date(entry.updated))
    if entry.author:
        _add(SubElement(place, "author"), "name", entry.author)
    for category in entry.categories:
        SubElement(place, "category", {"term": category})
    if entry.summary:
        _add(place, "summary", entry.summary)


def _add(place: Element, name: str, text: str) -> None:
    SubElement(place, name).text = _NO_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", text)


def _date(moment: datetime) -> str:
    """A date construct (RFC 4287, 3.3)."""
    return f"{moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
