"""What a search is asked by, in the query of an address: read strictly, written in one form."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from database.search import RELEVANCE, Filters
from views.api.bodies import read_query
from views.api.elsewhere import SEARCH_QUERY


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What somebody looks for, and which page of it."""

    words: str
    filters: Filters
    sort: str
    page: int

    @classmethod
    def read(cls) -> Self:
        """That of this request. Raises InvalidRequest."""
        said = read_query(SEARCH_QUERY)
        filters = Filters(
            classifiers=tuple(dict.fromkeys(said["classifier"])),
            license=said["license"].strip(),
            python=said["python"] or "",
            status=said["status"] or "",
            has_wheel=_flag(said["has_wheel"]),
            is_yanked=_flag(said["yanked"]),
        )
        return cls(said["q"].strip(), filters, said["sort"], said["page"])

    def arguments(self) -> dict[str, Any]:
        """The query that asks for this, but for the page; what is as usual is left out."""
        filters = self.filters
        said: dict[str, Any] = {
            "q": self.words, "sort": "" if self.sort == RELEVANCE else self.sort,
            "classifier": list(filters.classifiers), "license": filters.license, "python": filters.python,
            "status": filters.status, "has_wheel": _word(filters.has_wheel), "yanked": _word(filters.is_yanked),
        }  # fmt: skip
        return {name: value for name, value in said.items() if value}

    def choices(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """What was chosen: name, value, and the query without it."""
        arguments = self.arguments()
        for name, value in arguments.items():
            if name == "classifier":
                for one in value:
                    yield name, one, {**arguments, name: [other for other in value if other != one]}
            elif name not in {"q", "sort"}:
                yield name, value, {other: arguments[other] for other in arguments if other != name}


def _flag(word: str | None) -> bool | None:
    return None if word is None else word == "true"


def _word(flag: bool | None) -> str:
    return "" if flag is None else str(flag).lower()
