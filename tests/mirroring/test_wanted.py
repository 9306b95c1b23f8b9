"""What lists want: requirements files, uv.lock, pylock.toml."""

from __future__ import annotations

from pathlib import Path

import pytest

from errors import InvalidRequest
from mirroring.wanted import read_wanted

REQUIREMENTS = """
# what we use
requests[socks] >=2.31,<3 ; python_version >= "3.8"  # a comment
flask==3.1.3 \\
    --hash=sha256:{a} \\
    --hash=sha256:{b}
--index-url https://index.example.com/simple/
-c limits.txt
-r more.txt
-e ./here
./there.whl
thing @ https://index.example.com/thing.zip
"""
UV = """
version = 1
requires-python = ">=3.11"

[[package]]
name = "Own"
version = "0.1"
source = { virtual = "." }

[[package]]
name = "click"
version = "8.1.7"
source = { registry = "https://index.example.com/simple" }
sdist = { url = "https://files.example.com/a/click-8.1.7.tar.gz", hash = "sha256:SS", size = 1 }
wheels = [
    { url = "https://files.example.com/b/click-8.1.7-py3-none-any.whl", hash = "sha256:WW", size = 1 },
]
"""
PYLOCK = """
lock-version = "1.0"
created-by = "a test"

[[packages]]
name = "click"
version = "8.1.7"
wheels = [
    { url = "https://files.example.com/b/click-8.1.7-py3-none-any.whl", hashes = { sha256 = "WW" } },
]

[[packages]]
name = "own"
directory = { path = "." }
"""


def test_a_requirements_file(tmp_path: Path) -> None:
    """With its digests, constraints, and what it includes; what no index gives is said."""
    digests = {"a": "a" * 64, "b": "b" * 64}
    (tmp_path / "all.txt").write_text(REQUIREMENTS.format(**digests))
    (tmp_path / "limits.txt").write_text("urllib3<3\n")
    (tmp_path / "more.txt").write_text("attrs\n")
    wanted = read_wanted(tmp_path / "all.txt")
    assert sorted(one.name for one in wanted.requirements) == ["attrs", "flask", "requests"]
    assert [str(one) for one in wanted.constraints] == ["urllib3<3"]
    assert wanted.hashes == {"flask": set(digests.values())}
    assert len(wanted.passed_over) == 3
    assert wanted.pins == []


def test_a_uv_lock(tmp_path: Path) -> None:
    """Every package of an index is a pin with its files; the project itself is not."""
    (tmp_path / "uv.lock").write_text(UV)
    wanted = read_wanted(tmp_path / "uv.lock")
    (pin,) = wanted.pins
    assert (pin.name, str(pin.version)) == ("click", "8.1.7")
    assert pin.files == {"click-8.1.7.tar.gz": "SS", "click-8.1.7-py3-none-any.whl": "WW"}
    assert wanted.passed_over == ["Own comes from virtual, not from an index."]


def test_a_pylock(tmp_path: Path) -> None:
    """As PEP 751 has it."""
    (tmp_path / "pylock.toml").write_text(PYLOCK)
    wanted = read_wanted(tmp_path / "pylock.toml")
    (pin,) = wanted.pins
    assert pin.files == {"click-8.1.7-py3-none-any.whl": "WW"}
    assert len(wanted.passed_over) == 1


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("all.txt", "requests >=\n", "line 1"),
        ("all.txt", "-r all.txt\n", "includes itself"),
        ("uv.lock", "= no toml", "not TOML"),
        ("pylock.toml", "lock-version = '1.0'\n", "no pylock.toml"),
        ("uv.lock", '[[package]]\nname = "a b"\nversion = "1"\nsource = { registry = "x" }', "no index has"),
    ],
)
def test_what_is_no_list_is_refused(tmp_path: Path, name: str, text: str, said: str) -> None:
    """With the place where it is not."""
    (tmp_path / name).write_text(text)
    with pytest.raises(InvalidRequest, match=said):
        read_wanted(tmp_path / name)
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_wanted(tmp_path / "absent.txt")
