"""The settings about other indexes: a file that declares them, and where ``main`` takes what it does not hold.

``config.Settings`` is made of these, too.
"""

from __future__ import annotations

from dataclasses import dataclass

import options
from options import choice, option, whole


@dataclass(frozen=True)
class IndexSettings:
    """The settings of the sections [indexes] and [upstream]."""

    indexes_file: str = option(
        "", "TOML file that declares indexes, with a secret to read and one to upload for each; turns auth on, and "
        "/simple/ and /upload then ask for the name and a secret of an index.",
        section="indexes", env="PYPI_INDEXES", flag="--indexes", kind=options.DECLARATION, masked_with="indexes_text",
    )  # fmt: skip
    indexes_admin_secret: str = option(
        "", "TOML file with the secrets by which this server keeps those indexes in line with their stores; folders "
        "need none.",
        section="indexes", env="PYPI_ADMIN_SECRET", flag="--admin-secret", kind=options.DECLARATION,
        masked_with="indexes_text",
    )  # fmt: skip
    indexes_text: bool = option(
        False, "Take file and admin_secret for the TOML itself, not for the paths of files.",
        section="indexes", env="PYPI_INDEXES_TEXT", flag="--text",
    )  # fmt: skip
    indexes_sync_interval: int = option(
        0, "How often a declared index is brought in line with its folder; 0: at the start only.",
        section="indexes", kind=whole(0, 86400, "seconds"),
    )  # fmt: skip
    upstream_url: str = option(
        "", "Index from which main takes what it does not hold, its simple address; empty: PyPI, where mode is set.",
        section="upstream", env="PYPI_UPSTREAM", kind=options.UPSTREAM,
    )  # fmt: skip
    upstream_mode: str = option(
        "", "How: cache (pages and files are taken on demand and kept), redirect (clients are sent there for projects "
        "that are not here), or none; empty: cache where url is set, else none.",
        section="upstream", env="PYPI_UPSTREAM_MODE", kind=choice("", "none", "redirect", "cache"),
    )  # fmt: skip
    upstream_username: str = option("", "Name to sign in with at the upstream.", section="upstream")
    upstream_password: str = option(
        "", "Password or token for it.", section="upstream", secret=True, kind=options.SECRET
    )
    upstream_allow_private: bool = option(
        False, "Let main's upstream be at a private or loopback address.",
        section="upstream", env="PYPI_UPSTREAM_ALLOW_PRIVATE",
    )  # fmt: skip
    upstream_private_hosts: tuple[str, ...] = option(
        (), "Hosts of files, beside an upstream's own host, that may be at private addresses (over https).",
        section="upstream", kind=options.HOSTS,
    )  # fmt: skip
    upstream_cache_size: int = option(
        50_000_000_000, "Most that files taken from upstreams may need; those that were not used for longest go first.",
        section="upstream", kind=options.SIZE,
    )  # fmt: skip
    offline: bool = option(
        False, "Ask no upstream for anything: what was taken in before is served, whatever its age.",
        section="upstream", env="PYPI_OFFLINE", flag="--offline",
    )  # fmt: skip

    @property
    def upstream_way(self) -> str:
        """``upstream_mode`` with "" resolved: "cache", "redirect" or "none"."""
        return self.upstream_mode or ("cache" if self.upstream_url else "none")
