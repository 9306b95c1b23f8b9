"""A file that declares three indexes, and ways to ask a server that was started with it."""

from __future__ import annotations

import base64

THREE = """
[Team-A]
read_secret = "a reads"
write_secret = "a writes"

[team-b]
type = "file_system"
title = "The loom makers"
read_secret = "b reads"
write_secret = "b writes"
sync_index_interval = 60

[prod]
read_secret = "p reads"
bases = ["team-a"]
"""


def pair(name: str, secret: str) -> dict[str, str]:
    """The Authorization header of an index's name and a secret."""
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


A_READS, A_WRITES = pair("team-a", "a reads"), pair("team-a", "a writes")
B_READS, B_WRITES = pair("team-b", "b reads"), pair("team-b", "b writes")
