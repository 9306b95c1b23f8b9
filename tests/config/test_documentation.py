"""The sample file and the page of settings say what is declared, and nothing else."""

from __future__ import annotations

import re

import pytest

import config
from config import OPTIONS, Settings
from tests.config.files import from_file
from tests.conftest import ROOT


def test_the_sample_and_the_page_are_those_of_the_declarations() -> None:
    """pypi.conf.sample and docs/settings.md are what config.py makes."""
    assert (ROOT / "pypi.conf.sample").read_text(encoding="utf-8") == config.sample_file()
    assert (ROOT / "docs/settings.md").read_text(encoding="utf-8") == config.settings_document()


@pytest.mark.parametrize("name", sorted(OPTIONS))
def test_every_setting_is_documented(name: str) -> None:
    """Each setting is in the sample, under its sentence, and on the page with its variable and its option."""
    one = OPTIONS[name]
    assert re.search(rf"^# {re.escape(one.doc)}.*\n#?{one.key} =", config.sample_file(), re.MULTILINE)
    row = next(line for line in config.settings_document().splitlines() if f"`{one.env}`" in line)
    assert f"| `{one.key}` |" in row
    assert one.doc in row
    assert one.flag in row
    assert one.secret is not bool(one.flag)


def test_the_sample_says_the_defaults() -> None:
    """As it is, and with every # before a setting taken away, the sample means the defaults; it holds the user's."""
    assert from_file(config.sample_file()) == Settings()
    every = from_file(re.sub(r"(?m)^#(?!backlog|channel)(?=\w+ =)", "", config.sample_file()))
    assert every == Settings()
    assert set(OPTIONS) - set(every.origins) == {"secret_key"}
    lines = [line for line in config.sample_file("").splitlines() if line and not line.startswith(("#", "["))]
    assert lines == [
        "host = localhost", "port = 8080", "data_dir = ./packages", "debug = true", "secret_key =",
        "max_file_size = 104857600", "enabled = false",
    ]  # fmt: skip


def test_names_of_settings_are_not_shared() -> None:
    """No two settings share a variable, a flag, or a section and key."""
    for names in (
        [one.env for one in OPTIONS.values()],
        [one.flag for one in OPTIONS.values() if one.flag],
        [(one.section, one.key) for one in OPTIONS.values()],
    ):
        assert len(names) == len(set(names))
