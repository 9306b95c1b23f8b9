"""Why a name is answered as it is: who answers, what was shadowed, what keeps it."""

from __future__ import annotations

import pytest

from indexes.reading import IndexReader
from indexes.why import explain
from tests.indexes.test_reading import ABSENT, ACME, DEMO, elsewhere, hall, index


def verdicts(reader: IndexReader, name: str, *, hidden: str = "") -> dict[str, str]:
    """The verdict on each who was looked at."""
    explained = explain(reader, name, None, lambda called: called != hidden)  # type: ignore[arg-type]
    return {f"{voice.index} {voice.upstream}".strip(): voice.word for voice in explained.voices}


def test_each_who_might_have_answered_is_told() -> None:
    """The owner, what it shadows, and the upstream that was not asked."""
    pypi = elsewhere("demo-pkg")
    dev = index("dev", hall("demo-pkg"), bases=(index("main", hall("demo-pkg"), upstream=pypi),))
    assert verdicts(dev, DEMO) == {"dev": "answers", "main": "shadowed", "main up": "not asked"}
    assert pypi.asked_for == []
    explained = explain(dev, DEMO, None, lambda _called: True)
    assert explained.sentence == "demo-pkg is answered by the index dev."
    assert explained.voices[0].versions == ("1.0",)


def test_an_upstream_that_answers() -> None:
    """Since nobody here holds or keeps the name."""
    main = index("main", hall(), upstream=elsewhere("demo-pkg"))
    assert verdicts(main, DEMO) == {"main": "knows nothing", "main up": "answers"}
    assert verdicts(main, ABSENT) == {"main": "knows nothing", "main up": "knows nothing"}
    assert explain(main, DEMO, "9.0", lambda _called: True).sentence.endswith(
        "9.0 is answered by the upstream up of main."
    )
    assert "has no 1.0" in explain(main, DEMO, "1.0", lambda _called: True).sentence


def test_a_kept_name_says_what_keeps_it() -> None:
    """A pattern, or that the index held it once."""
    pypi = elsewhere("acme-tool")
    for main, said in (
        (index("main", hall(), kept=("acme-*",), upstream=pypi), "keeps names like acme-*"),
        (index("main", hall(past="acme-tool"), upstream=pypi), "or held it"),
    ):
        explained = explain(main, ACME, None, lambda _called: True)
        assert said in explained.sentence
        assert explained.voices[1].word == "not asked"
    assert pypi.asked_for == []


def test_an_opened_name_says_who_adds() -> None:
    """And that it is so because the owner wants it."""
    main = index("main", hall("demo-pkg"), opened=("demo-pkg",), upstream=elsewhere("demo-pkg"))
    assert verdicts(main, DEMO) == {"main": "answers", "main up": "adds"}


def test_an_upstream_that_sends_clients_on_adds_nothing() -> None:
    """Also not to an opened name, and that is the reason given."""
    main = index("main", hall("demo-pkg"), opened=("demo-pkg",), redirect="https://index.example.com/simple/")
    (_, voice) = explain(main, DEMO, None, lambda _called: True).voices
    assert (voice.word, "can add no files" in voice.reason) == ("not asked", True)


def test_an_upstream_that_fails_says_so() -> None:
    """It is not said that there is no such project."""
    pypi = elsewhere()
    pypi.is_down = True
    main = index("main", hall(), upstream=pypi)
    assert verdicts(main, DEMO) == {"main": "knows nothing", "main up": "failed"}
    assert "cannot be answered" in explain(main, DEMO, None, lambda _called: True).sentence


def test_a_shadowed_version_is_named() -> None:
    """Who asks for one version learns where it is."""
    base = index("main", hall("demo-pkg"))
    base.holdings.projects[DEMO] = elsewhere("demo-pkg").projects[DEMO]  # type: ignore[attr-defined]
    dev = index("dev", hall("demo-pkg"), bases=(base,))
    assert explain(dev, DEMO, "9.0", lambda _called: True).sentence.endswith("main has it, but is shadowed.")


def test_what_somebody_may_not_read_is_not_told() -> None:
    """Neither as a voice nor as the reason."""
    dev = index("dev", hall(), bases=(index("secret", hall("demo-pkg")),))
    assert verdicts(dev, DEMO, hidden="secret") == {"dev": "knows nothing"}
    assert explain(dev, DEMO, None, lambda called: called != "secret").sentence == "dev has no demo-pkg."


@pytest.mark.parametrize(
    "secret",
    [
        index("secret", hall(), kept=("demo-*",)),
        index("secret", hall(past="demo-pkg")),
        index("secret", hall(), redirect="https://secret.example.com/simple/"),
    ],
)
def test_what_an_index_that_somebody_may_not_read_keeps_is_not_told(secret: IndexReader) -> None:
    """Nor to where it sends its clients: neither its name, its patterns nor its upstreams."""
    dev = index("dev", hall(), bases=(secret,), upstream=elsewhere())
    told = str(explain(dev, DEMO, "1.0", lambda called: called == "dev").document())
    assert "secret" not in told
    assert "demo-*" not in told
    assert "secret" in str(explain(dev, DEMO, "1.0", lambda _called: True).document())


def test_the_upstream_of_an_index_that_somebody_may_not_read_fails_without_its_name() -> None:
    """It is still said that it failed, and not that there is no such project."""
    secret = elsewhere()
    secret.is_down = True
    dev = index("dev", hall(), bases=(index("secret", hall(), upstream=secret),))
    hidden = explain(dev, DEMO, None, lambda called: called != "secret")
    told = explain(dev, DEMO, None, lambda _called: True)
    assert "cannot be answered" in hidden.sentence
    assert hidden.sentence != told.sentence
