"""Licences, classifiers and Python versions as a search filters by them."""

from __future__ import annotations

from typing import Any

import pytest

from distributions.facts import PYTHONS, classifiers_of, licenses_of, pythons_of

OSI = "License :: OSI Approved :: "


@pytest.mark.parametrize(
    ("metadata", "licenses"),
    [
        ({}, ()),
        ({"license_expression": "mit"}, ("MIT",)),
        ({"license_expression": "MIT AND (Apache-2.0 OR BSD-2-Clause)"}, ("MIT", "Apache-2.0", "BSD-2-Clause")),
        ({"license_expression": "GPL-2.0-only WITH Classpath-exception-2.0 OR MIT"}, ("GPL-2.0-only", "MIT")),
        ({"license_expression": "LicenseRef-Acme"}, ("LicenseRef-Acme",)),
        ({"license_expression": "MIT", "license": "ISC"}, ("MIT",)),
        ({"classifiers": [OSI + "MIT License"]}, ("MIT",)),
        ({"classifiers": [OSI.rstrip(": "), OSI + "Apache Software License"]}, ("Apache-2.0",)),
        ({"classifiers": [OSI + "MIT License"], "license": "see LICENSE"}, ("MIT",)),
        ({"classifiers": ["License :: Other/Proprietary License"]}, ("Proprietary",)),
        ({"license": "Apache License 2.0"}, ("Apache-2.0",)),
        ({"license": "BSD-3-Clause"}, ("BSD-3-Clause",)),
        ({"license": "Acme  Internal"}, ("Acme Internal",)),
        ({"license": "Permission is hereby granted\nto whoever"}, ()),
        ({"license": "x" * 200}, ()),
        ({"license": None, "classifiers": None}, ()),
    ],
)
def test_licenses(metadata: dict[str, Any], licenses: tuple[str, ...]) -> None:
    """The expression (PEP 639) first, then classifiers, then the old field where it is a name and no text."""
    assert licenses_of(metadata) == licenses


def test_classifiers_have_those_above_them() -> None:
    """Down to two parts; licences have a filter of their own."""
    said = ["Framework :: Django :: 5.2", "Typing :: Typed", OSI + "MIT License", "Odd"]
    assert classifiers_of({"classifiers": said}) == (
        "Framework :: Django :: 5.2", "Framework :: Django", "Typing :: Typed", "Odd",
    )  # fmt: skip


def test_endless_classifiers_are_cut() -> None:
    """A stranger's list costs no more than a long one."""
    assert len(classifiers_of({"classifiers": [f"Topic :: {number}" for number in range(5_000)]})) == 100
    assert classifiers_of({"classifiers": ["Topic :: " + "x" * 500]}) == ()


@pytest.mark.parametrize(
    ("requires", "welcome", "unwelcome"),
    [
        (">=3.9", ["3.9", "3.29"], ["2.7", "3.8"]),
        (">=3.9.2", ["3.9"], ["3.8"]),
        ("<3.13,>=3.11.4", ["3.11", "3.12"], ["3.10", "3.13"]),
        (">=2.7, !=3.0.*, !=3.1.*", ["2.7", "3.2"], ["3.0", "3.1"]),
        ("==3.10.7", ["3.10"], ["3.9", "3.11"]),
        (">3.9.2,<3.9.4", ["3.9"], ["3.8", "3.10"]),
        ("~=3.8", ["3.8", "3.20"], ["2.7", "3.7"]),
        ("", list(PYTHONS), []),
        ("no version at all", list(PYTHONS), []),
        (",".join([">=3.1"] * 500), list(PYTHONS), []),
    ],
)
def test_pythons(requires: str, welcome: list[str], unwelcome: list[str]) -> None:
    """Those of which some patch release may install it; what cannot be read narrows nothing, as with installers."""
    found = pythons_of(requires)
    assert set(welcome) <= set(found)
    assert not set(unwelcome) & set(found)
