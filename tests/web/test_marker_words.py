"""Markers in words."""

from __future__ import annotations

import pytest

from distributions.requirements import Required
from views.web.marker_words import marker_words


@pytest.mark.parametrize(
    ("marker", "words"),
    [
        ("python_version < '3.12'", "Python before 3.12"),
        ("'3.12' > python_version", "Python before 3.12"),
        ("python_full_version >= '3.11.4'", "Python 3.11.4 and later"),
        ("python_version != '3.9'", "not Python 3.9"),
        ("sys_platform == 'win32'", "on Windows"),
        ("platform_system != 'Darwin'", "not on macOS"),
        ("platform_python_implementation == 'PyPy'", "on PyPy"),
        ("platform_machine == 'aarch64'", "on aarch64 machines"),
        ("os_name == 'nt' and python_version >= '3.8'", "on Windows, Python 3.8 and later"),
        ("sys_platform == 'linux' or sys_platform == 'darwin'", "on Linux or on macOS"),
        ("sys_platform == 'linux' and (python_version < '3.8' or os_name == 'nt')", None),
        ("python_version in '3.8 3.9'", None),
        ("'linux' in sys_platform", None),
        ("platform_release >= '5'", None),
        ("sys_platform == 'amiga'", None),
    ],
)
def test_markers_are_said_in_words(marker: str, words: str | None) -> None:
    """Where words are clearer than the marker itself; else the marker is shown."""
    (case,) = Required.of(f"sample; {marker}").cases
    assert marker_words(case.tree) == words


def test_a_requirement_without_a_marker_has_no_words() -> None:
    """It is always needed."""
    assert marker_words(Required.of("sample").cases[0].tree) == ""
