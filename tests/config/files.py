"""Settings read from a pypi.conf that a test writes."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import Settings, load_settings
from errors import InvalidSetting


def from_file(text: str, **environ: str) -> Settings:
    """The settings of a file with this text, and of these variables."""
    Path("pypi.conf").write_text(text, encoding="utf-8")
    return load_settings(environ=environ)


def refusal(text: str) -> str:
    """The sentence with which a file with this text is refused."""
    with pytest.raises(InvalidSetting) as caught:
        from_file(text)
    return caught.value.sentence
