"""An index of many projects to be searched: rows as uploads leave them, made by the program's own statements.

The words are made up, and as frequent as words are: the n-th of them about 1/n as often as the first. Behind the rows
are no files, so this serves searching and listing only.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

from database import holdings, schema
from database.engine import Database
from database.holdings import NewFile
from database.statistics import add_to_listings
from distributions.filenames import check_project_name, ultranormalize

_COMMON = (
    "python", "a", "the", "for", "and", "of", "to", "in", "with", "library", "tool", "simple", "package", "client",
    "api", "data", "http", "web", "async", "server", "test", "django", "flask", "command", "line", "file", "config",
    "database", "sql", "machine", "learning", "image", "text", "type", "plugin", "cloud", "model", "parser", "wrapper",
)  # fmt: skip
_ONSETS = (
    "b", "c", "d", "f", "g", "h", "j", "k", "l", "m", "n", "p", "r", "s", "t", "v", "w", "z", "br", "cr", "dr", "fl",
    "gr", "pl", "pr", "sk", "st", "tr",
)  # fmt: skip
_VOWELS = ["a", "e", "i", "o", "u", "ai", "ea", "io", "ou"]
_CODAS = ["", "n", "r", "s", "t", "x", "l"]
_LICENSES = ["MIT"] * 5 + ["Apache-2.0"] * 2 + ["BSD-3-Clause", "GPL-3.0-or-later", "LicenseRef-Proprietary"]
_PYTHONS = [">=3.8", ">=3.9", ">=3.10", ">=3.11", ">=2.7, !=3.0.*", ">=3.7,<4", ""]
_TOPICS = [f"Topic :: Field {number // 20} :: Matter {number}" for number in range(300)]
_DEVICES = {"con", "nul", "prn", "aux"}  # no project may be called so
_BATCH = 500
_FIRST_DAY = datetime(2020, 1, 1, tzinfo=UTC)


class Vocabulary:
    """Words that are as frequent as words are, always the same."""

    def __init__(self, size: int = 60_000, seed: int = 7) -> None:
        self.chance = random.Random(seed)
        words = dict.fromkeys([*_COMMON, *(self._made() for _ in range(size))])
        self.words = list(words)
        self._weights = list(accumulate(1 / (rank + 1) for rank in range(len(words))))
        self._name_weights = list(accumulate(1 / (rank + 60) ** 0.6 for rank in range(len(words))))

    def _made(self) -> str:
        syllables = range(self.chance.choice([1, 2, 2, 3, 3, 4]))
        made = "".join(self.chance.choice(_ONSETS) + self.chance.choice(_VOWELS) for _ in syllables)
        return made + self.chance.choice(_CODAS)

    def text(self, words: int) -> str:
        """A text of so many words."""
        return " ".join(self.chance.choices(self.words, cum_weights=self._weights, k=words))

    def names(self) -> Iterator[str]:
        """Names of one to three words, each once, without end."""
        seen: set[str] = set()
        while True:
            parts = self.chance.choices(
                self.words, cum_weights=self._name_weights, k=self.chance.choice([1, 1, 2, 2, 3])
            )
            name = "-".join(parts)
            if name not in seen and name not in _DEVICES:
                seen.add(name)
                yield name


def fill(path: Path, projects: int) -> None:
    """Make a database with so many projects of one release each, unless it is there already."""
    finished = path.with_suffix(".finished")
    if finished.exists():
        return
    path.unlink(missing_ok=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    words = Vocabulary()
    names = islice(words.names(), projects)
    with closing(Database(path)) as database:
        schema.prepare(database)
        while batch := list(islice(names, _BATCH)):
            with database.writing() as change:
                index_id = holdings.index_id_of(change.connection, "main")
                for name in batch:
                    new = _file(words, name)
                    holdings.add_file(change.connection, index_id, new, new.uploaded)
                add_to_listings(change.connection, "main", {name: _downloads(words.chance) for name in batch})
    finished.touch()


def _downloads(chance: random.Random) -> int:
    return min(10_000_000, int(chance.paretovariate(0.5)))


def _file(words: Vocabulary, name: str) -> NewFile:
    chance = words.chance
    is_wheel = chance.random() < 0.8
    filename = f"{name.replace('-', '_')}-1.0" + ("-py3-none-any.whl" if is_wheel else ".tar.gz")
    requires_python = chance.choice(_PYTHONS)
    metadata: dict[str, Any] = {
        "summary": words.text(chance.randint(4, 12)).capitalize(), "keywords": words.text(3),
        "license_expression": chance.choice(_LICENSES), "requires_python": requires_python,
        "classifiers": ["Programming Language :: Python :: 3", *chance.sample(_TOPICS, 3)],
    }  # fmt: skip
    digest = hashlib.sha256(name.encode()).hexdigest()
    return NewFile(
        project=check_project_name(name),
        display_name=name,
        lookalike=ultranormalize(name),
        version="1.0",
        key="1",
        filename=filename,
        location=f"{name}/{filename}",
        kind="bdist_wheel" if is_wheel else "sdist",
        python_tag="py3" if is_wheel else "source",
        size=1_000,
        sha256=digest,
        md5=digest[:32],
        blake2b=digest,
        requires_python=requires_python or None,
        uploaded=_FIRST_DAY + timedelta(seconds=chance.randrange(180_000_000)),
        uploader="benchmark",
        metadata=metadata,
        description=words.text(min(2_000, int(chance.expovariate(1 / 200)))),
    )
