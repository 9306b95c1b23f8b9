"""Who answers for a name: what an index holds, its bases, its upstreams; and whom nobody asks."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import BinaryIO

import pytest
from packaging.utils import NormalizedName

from errors import UpstreamFailed
from indexes.reading import IndexReader, Kept, Member, Names, Redirect, Ruling, key_of, source_of
from indexes.why import explain
from simple.sources import FileRecord
from tests.simple.examples import Shelf, a_file, a_project, name

DEMO, ACME, ABSENT = name("demo-pkg"), name("acme-tool"), name("absent")


@dataclass
class Hall(Shelf):
    """What an index holds, in memory; ``past`` has the names of projects that were there."""

    past: set[str] = field(default_factory=set)

    def has_had(self, name: NormalizedName) -> bool:
        """Whether there is, or was, a project of that name."""
        return name in self.projects or name in self.past


@dataclass
class Elsewhere(Shelf):
    """An upstream that writes down which names it was asked for, and may be down."""

    asked_for: list[str] = field(default_factory=list)
    is_down: bool = False

    def validity(self, name: NormalizedName | None) -> object:
        """As a shelf, once it was asked."""
        if name is not None:
            self.asked_for.append(name)
        if self.is_down:
            raise UpstreamFailed("It does not answer.")
        return super().validity(name)


def nothing(_record: FileRecord) -> BinaryIO:
    return io.BytesIO()


def member(index: str, source: Shelf, upstream: str = "") -> Member:
    """One who may answer."""
    return Member(index, upstream, source, nothing, lambda _name, _filename: b"")


def hall(*names: str, past: str = "") -> Hall:
    """What holds projects of these names, and held others."""
    made = {name(one): a_project(a_file(), name=name(one)) for one in names}
    return Hall(made, past=set(past.split()))


def elsewhere(*names: str) -> Elsewhere:
    """An upstream with projects of these names."""
    return Elsewhere({name(one): a_project(a_file("9.0"), name=name(one)) for one in names})


def index(
    called: str, holds: Hall, *, bases: tuple[IndexReader, ...] = (), upstream: Elsewhere | None = None,
    kept: tuple[str, ...] = (), opened: tuple[str, ...] = (), redirect: str = "",
) -> IndexReader:  # fmt: skip
    """An index put together."""
    outside: list[Member | Redirect] = [member(called, upstream, "up")] if upstream is not None else []
    outside += [Redirect(called, "to", redirect)] if redirect else []
    names = Names(tuple(Kept(called, pattern) for pattern in kept))
    return IndexReader(called, holds, member(called, holds), names, frozenset(opened), bases, tuple(outside))


def test_what_an_index_holds_is_its_own() -> None:
    """An upstream with the same name, and a higher version, adds nothing and is not asked."""
    pypi = elsewhere("demo-pkg")
    main = index("main", hall("demo-pkg"), upstream=pypi)
    ruling = main.ruling(DEMO)
    assert key_of(ruling.members) == "main"
    assert source_of(ruling.members).project_detail(DEMO).versions == ("1.0",)
    assert pypi.asked_for == []


def test_what_nobody_here_holds_is_the_upstreams() -> None:
    """It is asked, once all that lies inside said no."""
    pypi = elsewhere("demo-pkg")
    ruling = index("dev", hall(), bases=(index("main", hall()),), upstream=pypi).ruling(DEMO)
    assert key_of(ruling.members) == "dev>up"
    assert pypi.asked_for == ["demo-pkg"]


def test_a_base_answers_for_what_it_holds() -> None:
    """In the order of the bases; the others are shadowed."""
    dev = index("dev", hall(), bases=(index("team", hall("demo-pkg")), index("main", hall("demo-pkg"))))
    ruling = dev.ruling(DEMO)
    assert key_of(ruling.members) == "team"
    assert [one.key for one in ruling.shadowed] == ["main"]


def test_no_upstream_is_asked_for_a_name_that_any_base_holds() -> None:
    """Not that of a base that comes before, either."""
    pypi = elsewhere("demo-pkg")
    first = index("first", hall(), upstream=pypi)
    dev = index("dev", hall(), bases=(first, index("second", hall("demo-pkg"))))
    assert key_of(dev.ruling(DEMO).members) == "second"
    assert pypi.asked_for == []


@pytest.mark.parametrize(
    ("owner", "reason"),
    [
        (index("main", hall(past="acme-tool")), Kept("main")),
        (index("main", hall(), kept=("acme-*",)), Kept("main", "acme-*")),
        (index("main", hall(), kept=("acme-tool",)), Kept("main", "acme-tool")),
    ],
)
def test_a_kept_name_is_asked_of_nobody_else(owner: IndexReader, reason: Kept) -> None:
    """Neither a name whose last file was deleted, nor one under a pattern, of the index or of a base."""
    pypi = elsewhere("acme-tool")
    for reader in (
        IndexReader("main", owner.holdings, owner.own, owner.names, upstreams=(member("main", pypi, "up"),)),
        index("dev", hall(), bases=(owner,), upstream=pypi),
    ):
        ruling = reader.ruling(ACME)
        assert (ruling.members, ruling.kept) == ((), reason)
    assert pypi.asked_for == []


@pytest.mark.parametrize("spelled", ["Acme_Tool", "acme.tool", "ACME-TOOL", "acme--tool", "-acme-tool"])
def test_another_spelling_of_a_name_is_nobodys(spelled: str) -> None:
    """No upstream is asked for it, and so none learns the private name that is meant."""
    pypi = elsewhere("acme-tool")
    dev = index("dev", hall(), kept=("acme-*",), upstream=pypi)
    assert dev.ruling(NormalizedName(spelled)) == Ruling()
    assert pypi.asked_for == []


def test_an_opened_name_takes_the_files_of_others_too() -> None:
    """Where its owner says so: the own files first, then those of bases, then those of the upstream."""
    pypi = elsewhere("demo-pkg")
    base = index("main", hall("demo-pkg"))
    dev = index("dev", hall("demo-pkg"), bases=(base,), opened=("demo-pkg",))
    assert key_of(dev.ruling(DEMO).members) == "dev+main"
    assert key_of(base.ruling(DEMO).members) == "main"
    alone = index("dev", hall("demo-pkg"), bases=(index("main", hall()),), upstream=pypi, opened=("demo-pkg",))
    ruling = alone.ruling(DEMO)
    assert key_of(ruling.members) == "dev+dev>up"
    assert source_of(ruling.members).project_detail(DEMO).versions == ("1.0", "9.0")


@pytest.mark.parametrize(
    ("base", "reason"),
    [
        (index("main", hall("demo-pkg")), Kept("main")),
        (index("main", hall(past="demo-pkg")), Kept("main")),
        (index("main", hall(), kept=("demo-*",)), Kept("main", "demo-*")),
    ],
)
def test_a_name_is_opened_by_all_whose_it_is_or_stays_inside(base: IndexReader, reason: Kept) -> None:
    """Whoever starts a project of a base's private name on another index, and opens it there, tells no upstream."""
    pypi = elsewhere("demo-pkg")
    dev = index("dev", hall("demo-pkg"), bases=(base,), upstream=pypi, opened=("demo-pkg",))
    ruling = dev.ruling(DEMO)
    assert [one.upstream for one in ruling.members] == [""] * len(ruling.members)
    assert (ruling.kept, pypi.asked_for) == (reason, [])
    assert "not asked" in {voice.word for voice in explain(dev, DEMO, None, lambda _called: True).voices}
    opened = replace(base, opened=frozenset({"demo-pkg"}))
    assert key_of(replace(dev, bases=(opened,)).ruling(DEMO).members).endswith("dev>up")


def test_an_opened_name_without_own_files_is_the_others() -> None:
    """So somebody can give a name back to the upstream."""
    dev = index("dev", hall(past="demo-pkg"), upstream=elsewhere("demo-pkg"), opened=("demo-pkg",))
    assert key_of(dev.ruling(DEMO).members) == "dev>up"


def test_an_index_is_asked_once_however_it_is_reached() -> None:
    """Two bases may have a base in common."""
    main = index("main", hall("demo-pkg"))
    dev = index("dev", hall(), bases=(index("a", hall(), bases=(main,)), index("b", hall(), bases=(main,))))
    assert [one.name for one in dev.inside()] == ["dev", "a", "main", "b"]
    assert dev.ruling(DEMO).shadowed == ()


def test_whom_clients_are_sent_to_is_the_last_word() -> None:
    """Only for a name that nobody here has, and that is kept by nobody."""
    main = index("main", hall("demo-pkg"), kept=("acme-*",), redirect="https://index.example.com/simple/")
    sent = main.ruling(ABSENT).redirect
    assert sent is not None
    assert sent.address(ABSENT) == "https://index.example.com/simple/absent/"
    assert main.ruling(DEMO).redirect is None
    assert main.ruling(ACME).redirect is None


def test_an_upstream_that_is_down_is_no_unknown_project() -> None:
    """Else an installer would believe that there is none; a private project does not need it."""
    pypi = elsewhere("demo-pkg")
    pypi.is_down = True
    main = index("main", hall("acme-tool"), upstream=pypi)
    with pytest.raises(UpstreamFailed):
        main.ruling(DEMO)
    assert key_of(main.ruling(ACME).members) == "main"


def test_the_list_has_those_bases_that_may_be_read() -> None:
    """The index itself was asked about before."""
    secret = index("secret", hall("demo-pkg"), upstream=elsewhere())
    dev = index("dev", hall("acme-tool"), bases=(secret, index("main", hall())))
    assert [one.key for one in dev.members(lambda called: called != "secret")] == ["dev", "main"]
    assert [one.key for one in dev.members(lambda _called: True)] == ["dev", "secret", "secret>up", "main"]
