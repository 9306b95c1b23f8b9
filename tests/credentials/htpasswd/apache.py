"""Apache's own tool, and hashes as it writes them."""

from __future__ import annotations

import subprocess
from pathlib import Path

KINDS = {"bcrypt": ["-B"], "bcrypt9": ["-BC", "9"], "apr1": ["-m"], "sha1": ["-s"], "sha256": ["-2"], "sha512": ["-5"],
         "rounds": ["-5r", "12345"]}  # fmt: skip
SHA_X, SHA_Y = "{SHA}EfatjsUqKYSrqv18O1FlA3hcIHI=", "{SHA}lcsm8EMEWpJ3z0WqmKnowlM5hEs="


def htpasswd(path: Path, name: str, password: str, *kind: str) -> None:
    """Run Apache's tool."""
    create = [] if path.exists() else ["-c"]
    subprocess.run(["htpasswd", "-b", *create, *kind, str(path), name, password], check=True, capture_output=True)


def is_good_for_apache(path: Path, name: str, password: str) -> bool:
    """What Apache's tool says."""
    return (
        subprocess.run(["htpasswd", "-vb", str(path), name, password], capture_output=True, check=False).returncode == 0
    )
