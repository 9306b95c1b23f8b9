"""How installers are given this server: for each, the lines that a person copies. Tests run every one with the tool."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from packaging.version import Version

from permissions import READING
from simple.model import File
from views import services, this_index
from views.web.snippets import Snippet, Tool
from views.web.urls import index_url, trusted_host

_MOST_HASHES: Final = 40
NAME: Final = "NAME"  # in place of a project's name
STAND_IN: Final = "TOKEN"  # in place of a token


@dataclass(frozen=True, slots=True)
class InstallBox:
    """All choices. ``login`` has the lines that keep a token; None where anybody reads and no token was given."""

    tools: tuple[Tool, ...]
    login: Snippet | None


@dataclass(frozen=True, slots=True)
class Source:
    """What the lines speak of: the requirement and the index.

    ``trusted`` is the host that pip has to be told to trust, "" for none; ``is_closed`` where reading needs a login,
    for which ``password`` stands.
    """

    name: str
    version: str
    url: str
    trusted: str
    is_closed: bool
    password: str

    @property
    def requirement(self) -> str:
        """What an installer is asked for, quoted where a version has a character that means something to a shell."""
        return shlex.quote(f"{self.name}=={self.version}" if self.version else self.name)

    @property
    def trust(self) -> str:
        """The option for pip's line, with a space first; "" for none."""
        return f" --trusted-host {self.trusted}" if self.trusted else ""

    def url_with(self, password: str) -> str:
        """The address with a token's login in it, or with that of the variable which holds it."""
        parts = urlsplit(self.url)
        return urlunsplit(parts._replace(netloc=f"__token__:{password}@{parts.netloc}"))


def install_box(
    name: str = NAME,
    version: str = "",
    files: Sequence[File] = (),
    *,
    needs_others: bool = False,
    password: str = "",
    index: str | None = None,
) -> InstallBox:
    """The lines that install a project from this index or another one, of one version where it is named.

    ``files`` are those of the release, whose digests are pinned; ``needs_others`` says that it has dependencies, whose
    digests would have to be pinned, too. ``password`` is the token that the lines have; without one they have a word
    in its place.
    """
    source = _source(name, version, password or STAND_IN, index)
    hashes = _hashes(source, files, needs_others=needs_others)
    tools = (_pip(source), _uv(source), _poetry(source), _pdm(source), hashes, _ci(source))
    return InstallBox(tools, _netrc(source) if source.is_closed or password else None)


def pin_of(version: str, latest: str, yanked: str | None) -> str:
    """The version, where an installer would not choose this release of a project by itself, else "".

    ``latest`` is the release that stands for the project; ``yanked`` is the reason of a yanked one, else None.
    """
    is_chosen = version == latest and yanked is None and not Version(version).is_prerelease
    return "" if is_chosen else version


def pip_command(name: str, version: str = "") -> str:
    """The line that installs a project from this server with pip, of one version where it is named."""
    return _pip_command(_source(name, version, STAND_IN))


def is_closed(index: str | None = None) -> bool:
    """Whether reading this index, or another one, needs a login."""
    there = this_index() if index is None else services().at(index)
    return any(services().is_private(there, permission) for permission in READING)


def _source(name: str, version: str, password: str, index: str | None = None) -> Source:
    return Source(name, version, index_url(index), trusted_host(), is_closed(index), password)


def _pip_command(source: Source, url: str = "") -> str:
    return f"pip install --index-url {url or source.url}{source.trust} {source.requirement}"


def _netrc(source: Source) -> Snippet:
    host = urlsplit(source.url).hostname
    return Snippet("", f"machine {host} login __token__ password {source.password}", "the line for .netrc", "~/.netrc")


def _pip(source: Source) -> Tool:
    settings = f"[global]\nindex-url = {source.url}" + (f"\ntrusted-host = {source.trusted}" if source.trusted else "")
    snippets = [
        Snippet("", _pip_command(source), "the pip command"),
        Snippet("Or for good, in pip.conf", settings, "the pip settings", "pip.conf"),
    ]
    if source.is_closed:
        line = _pip_command(source, source.url_with(source.password))
        snippets.insert(1, Snippet("Or with the token in the address:", line, "the pip command with a token"))
    return Tool("pip", tuple(snippets))


def _uv(source: Source) -> Tool:
    settings = f'[[tool.uv.index]]\nname = "ours"\nurl = "{source.url}"\ndefault = true'
    return Tool(
        "uv",
        (
            Snippet("", f"uv pip install --default-index {source.url} {source.requirement}", "the uv command"),
            Snippet("For a project: once, in pyproject.toml", settings, "the uv settings", "pyproject.toml"),
            Snippet("and then:", f"uv add {source.requirement}", "the uv command for a project"),
        ),
    )


def _poetry(source: Source) -> Tool:
    settings = f"poetry source add --priority=primary ours {source.url}"
    return Tool(
        "poetry",
        (
            Snippet("Once in a project:", settings, "the poetry source"),
            Snippet("and then:", f"poetry add {source.requirement}", "the poetry command"),
        ),
    )


def _pdm(source: Source) -> Tool:
    settings = f"pdm config --local pypi.url {source.url}"
    if source.trusted:
        settings += "\npdm config --local pypi.verify_ssl false"
    return Tool(
        "pdm",
        (
            Snippet("Once in a project:", settings, "the pdm settings"),
            Snippet("and then:", f"pdm add {source.requirement}", "the pdm command"),
        ),
    )


def _hashes(source: Source, files: Sequence[File], *, needs_others: bool) -> Tool:
    install = f"pip install{source.trust} -r requirements.txt"
    if 0 < len(files) <= _MOST_HASHES and not needs_others:
        pins = [f"{source.name}=={files[0].version}", *(f"--hash=sha256:{file.sha256}" for file in files)]
        text = f"--index-url {source.url}\n" + " \\\n    ".join(pins)
        snippets = (
            Snippet("In requirements.txt", text, "the lines for requirements.txt", "requirements.txt"),
            Snippet("and then:", install, "the command for requirements.txt"),
        )
    else:
        compile_all = (
            f"echo {source.requirement} | uv pip compile --default-index {source.url} --emit-index-url "
            "--generate-hashes -o requirements.txt -"
        )
        snippets = (
            Snippet("Write it, with all that is needed:", compile_all, "the command that writes requirements.txt"),
            Snippet("and then:", install, "the command for requirements.txt"),
        )
    return Tool("requirements.txt", snippets)


def _ci(source: Source) -> Tool:
    url = source.url_with("$INDEX_TOKEN") if source.is_closed else source.url
    variables = {"PIP_INDEX_URL": url, "PIP_TRUSTED_HOST": source.trusted, "UV_DEFAULT_INDEX": url}
    exports = "\n".join(f"export {name}={value}" for name, value in variables.items() if value)
    secret = ", with a token in its secret variable INDEX_TOKEN" if source.is_closed else ""
    return Tool(
        "CI",
        (
            Snippet(f"In a step of the job{secret}:", exports, "the variables for CI"),
            Snippet("and then, with pip or uv:", f"pip install {source.requirement}", "the pip command for CI"),
            Snippet("", f"uv pip install {source.requirement}", "the uv command for CI"),
        ),
    )
