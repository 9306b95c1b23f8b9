"""Any other issuer: every claim that is demanded must be there, as its pattern says."""

from __future__ import annotations

import pytest

from credentials.publishers import GITHUB_ISSUER, make, matches
from tests.credentials.publishers.jobs import CI, github_job, oidc


def test_claims_of_any_issuer() -> None:
    """Every claim that is demanded must be there, exactly so."""
    publisher = oidc(sub="pipeline:7", branch="main")
    assert matches(publisher, {"iss": CI, "sub": "pipeline:7", "branch": "main", "more": 1})
    for claims in ({"branch": "Main"}, {"branch": None}, {"sub": "pipeline:77"}, {"sub": "xpipeline:7"}, {"iss": "x"}):
        assert not matches(publisher, {"iss": CI, "sub": "pipeline:7", "branch": "main"} | claims)
    assert not matches(publisher, {})


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("repo:acme/*", ["repo:acme/tool", "repo:acme/tool:ref:main"], ["repo:acme/", "repo:acme", "repo:acme2/tool"]),
        ("*:ref:main", ["repo:acme/tool:ref:main"], [":ref:main", "repo:acme/tool:ref:main2"]),
        ("a*b*c", ["axbxc", "abbbc", "axxbyyc"], ["abc", "axbc", "axbxcd", "acb"]),
        ("a*a", ["aaa", "aba"], ["a", "aa"]),
        ("a**", ["abc"], ["a", "ab"]),
        ("r[ae]po.x", ["r[ae]po.x"], ["rapo.x", "r[ae]poxx"]),
        ("line*", ["line\nbreak"], ["line"]),
    ],
)
def test_stars_stand_for_something(pattern: str, fitting: list[str], others: list[str]) -> None:
    """A star stands for one or more characters of any kind; nothing else in a pattern is special."""
    publisher = oidc(sub=pattern)
    assert [text for text in fitting if not matches(publisher, {"iss": CI, "sub": text})] == []
    assert [text for text in others if matches(publisher, {"iss": CI, "sub": text})] == []


def test_many_stars_are_read_once() -> None:
    """A pattern cannot be made so that reading a long claim takes for ever."""
    publisher = oidc(sub="*a" * 100 + "b")
    assert not matches(publisher, {"iss": CI, "sub": "a" * 16_000})


def test_simple_values_are_compared_as_written() -> None:
    """Numbers, true and false are compared as JSON writes them; lists and objects match nothing."""
    publisher = oidc(sub="x", protected="true", number="7")
    assert matches(publisher, {"iss": CI, "sub": "x", "protected": True, "number": 7})
    for other in (False, "True", 1, ["true"], {"true": True}, None):
        assert not matches(publisher, {"iss": CI, "sub": "x", "number": 7, "protected": other})


def test_nested_claims() -> None:
    """A dotted name reaches into claims, whose own names may have dots, as those of Kubernetes do."""
    account = {"namespace": "builds", "serviceaccount": {"name": "publisher", "uid": "u"}}
    token = {"iss": CI, "sub": "system:serviceaccount:builds:publisher", "kubernetes.io": account}
    publisher = make(
        "oidc",
        {"kubernetes.io.serviceaccount.name": "publisher", "kubernetes.io.namespace": "builds"},
        CI,
    )
    assert matches(publisher, token)
    assert not matches(publisher, {**token, "kubernetes.io": {**account, "namespace": "other"}})
    assert not matches(publisher, {**token, "kubernetes.io": "publisher"})
    assert not matches(publisher, {**token, "kubernetes.io": {"serviceaccount": ["publisher"], "namespace": "builds"}})


def test_longest_name_goes_first() -> None:
    """A claim whose name is the whole dotted name is meant before any nested one."""
    publisher = make("oidc", {"a.b": "right", "sub": "x"}, CI)
    assert matches(publisher, {"iss": CI, "sub": "x", "a.b": "right", "a": {"b": "wrong"}})
    assert not matches(publisher, {"iss": CI, "sub": "x", "a.b": "wrong", "a": {"b": "right"}})
    assert matches(publisher, {"iss": CI, "sub": "x", "a": {"b": "right"}})


def test_strangers_code_is_not_published() -> None:
    """Also where a GitHub token is matched claim by claim, a stranger's pull request does not publish."""
    publisher = make("oidc", {"sub": "repo:acme/*"}, GITHUB_ISSUER)
    assert matches(publisher, github_job())
    assert not matches(publisher, github_job(event_name="pull_request_target"))
