#!/usr/bin/env python3
"""Compile the requirements files anew: ``python3 scripts/lock.py``, with ``uv`` on the path.

Where a package is wanted with an extra by one and without by another, both are pinned: the pip of Python 3.11 takes
neither for the other in hash mode. The lock of the clients installs without that.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FILES = {"requirements": False, "requirements-extras": True, "requirements-test": True, "requirements-clients": True}
_COMMAND = (
    "uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--generate-hashes",
    "--no-emit-index-url", "--no-emit-find-links",
)  # fmt: skip
_PIN = re.compile(r"^([A-Za-z0-9._-]+)\[[^\]]+\](==[^\n]*\\\n(?:    [^\n]*\n)+)", re.MULTILINE)


def with_plain_pins(text: str) -> str:
    """The lock with a pin without the extra below each pin that has one."""

    def twice(found: re.Match[str]) -> str:
        has_plain = re.search(rf"^{re.escape(found[1])}==", text, re.MULTILINE)
        return found[0] if has_plain else f"{found[0]}{found[1]}{found[2]}"

    return _PIN.sub(twice, text)


def main() -> None:
    """Compile each file."""
    for name, keeps_extras in FILES.items():
        extras = ["--no-strip-extras"] if keeps_extras else []
        subprocess.run([*_COMMAND, *extras, f"{name}.in", "-o", f"{name}.txt"], cwd=ROOT, check=True)
        if name in {"requirements-extras", "requirements-test"}:
            lock = ROOT / f"{name}.txt"
            lock.write_text(with_plain_pins(lock.read_text()))


if __name__ == "__main__":
    main()
