"""How one setting is declared, how its text becomes a value, and how settings are written down for people."""

from __future__ import annotations

import difflib
import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

from errors import InvalidSetting, shown

T = TypeVar("T")
PLACEHOLDER = "your-secret-key-here"  # what the sample shows; it counts as no key
WORDS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}
UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "kib": 2**10, "mib": 2**20, "gib": 2**30}


class Kind(NamedTuple):
    """How the text of a setting becomes its value; ``parse`` raises ValueError, ``allowed`` says what it takes."""

    parse: Callable[[str], object]
    allowed: str
    unit: str = ""


def whole(least: int, most: int, unit: str = "") -> Kind:
    """A whole number within bounds, both taken."""

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,12}", text) or not least <= int(text) <= most:
            raise ValueError
        return int(text)

    return Kind(parse, f"a whole number from {least} to {most}", unit)


def choice(*words: str) -> Kind:
    """One of some words, in any case; the empty word is for "not chosen"."""

    def parse(text: str) -> str:
        if text.lower() not in words:
            raise ValueError
        return text.lower()

    named = f"one of {', '.join(filter(None, words))}"
    return Kind(parse, f"{named}, or empty" if "" in words else named)


def _switch(text: str) -> bool:
    if text.lower() not in WORDS:
        raise ValueError
    return WORDS[text.lower()]


def _size(text: str) -> int:
    match = re.fullmatch(r"([0-9]{1,15}) ?([a-z]{0,3})", text.lower())
    if match is None or match[2] not in UNITS:
        raise ValueError
    return int(match[1]) * UNITS[match[2]]


def _text(text: str) -> str:
    if not text.isprintable():
        raise ValueError
    return text


def _filled(text: str) -> str:
    if not text:
        raise ValueError
    return _text(text)


def _host(text: str) -> str:
    bare = text.removeprefix("[").removesuffix("]")
    if ":" in bare:
        return str(ipaddress.IPv6Address(bare))
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,253}", bare):
        raise ValueError
    return bare.lower()


def _list_of(one: Callable[[str], object]) -> Callable[[str], tuple[str, ...]]:
    return lambda text: tuple(str(one(item)) for item in re.split(r"[\s,]+", text) if item)


def _database(text: str) -> str:
    # A database in memory would be another one in each process.
    if text and (not re.fullmatch(r"sqlite:///[^?#]*[^?#/]", _text(text)) or text.endswith(":memory:")):
        raise ValueError
    return text


def _base_url(text: str) -> str:
    url = urlsplit(_text(text))
    if text and (url.scheme not in ("http", "https") or not url.hostname or re.search(r"[?#@\s\\]", text)):
        raise ValueError
    if text:
        _host(url.hostname or "")
        _ = url.port  # raises ValueError beyond 65535
    return text.rstrip("/")


def _issuer(text: str) -> str:
    """An issuer, to the letter: its tokens name it so, with or without a slash at the end."""
    url = urlsplit(_text(text))
    if text and (url.scheme not in ("http", "https") or not url.hostname or re.search(r"[?#@\s\\]", text)):
        raise ValueError
    return text


def _upstream(text: str) -> str:
    url = urlsplit(_text(text))
    if text and (url.scheme not in ("http", "https") or not url.hostname or re.search(r"[?#@\s\\]", text)):
        raise ValueError
    return f"{text.rstrip('/')}/" if text else ""


def _words(*known: str) -> Callable[[str], tuple[str, ...]]:
    def parse(text: str) -> tuple[str, ...]:
        said = tuple(dict.fromkeys(word.lower() for word in re.split(r"[\s,]+", text) if word))
        if said in {(".",), ("none",)}:
            return ()
        if not set(said) <= set(known):
            raise ValueError
        return said

    return parse


def words(*known: str) -> Kind:
    """Some of these words, with commas between them; "." or "none" for none of them."""
    return Kind(_words(*known), f"some of {', '.join(known)} with commas between them, or . for none")


def _pair(text: str) -> str:
    group, equals, stands_for = text.partition("=")
    if not equals or not group.strip() or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", stands_for.strip()):
        raise ValueError
    return f"{group.strip()}={stands_for.strip()}"


def _pairs(text: str) -> tuple[str, ...]:
    # Names of groups may have commas and spaces in them, as LDAP's do: hence the semicolon.
    return tuple(_pair(one) for one in _text(text).split(";") if one.strip())


SWITCH = Kind(_switch, "true, yes, on or 1, or false, no, off or 0")
SIZE = Kind(_size, "a whole number of bytes, or one with KB, MB, GB, KiB, MiB or GiB behind it", "bytes")
TEXT = Kind(_text, "one line of text")
SECRET = Kind(str, "any text")
FOLDER = Kind(_filled, "the path of a folder")
HOST = Kind(_host, "a host name or address alone, such as localhost or 0.0.0.0; the port is a setting of its own")
HOSTS = Kind(_list_of(_host), "host names without ports, with commas between them")
NETWORKS = Kind(_list_of(ipaddress.ip_network), "addresses or networks such as 10.0.0.0/8, with commas between them")
DATABASE = Kind(_database, "empty or sqlite:///path/to/file; only SQLite is supported so far")
PASSWORD_FILE = Kind(lambda text: "" if text == "." else _text(text), "the path of a file, or . for none")
ISSUER = Kind(_issuer, "empty or an address such as https://login.example.com, without user, query or fragment")
ISSUERS = Kind(_list_of(_issuer), "addresses such as https://gitlab.example.com, with commas between them")
GROUPS = Kind(_pairs, "pairs such as 'release managers=team-a', with semicolons between them")
DECLARATION = Kind(str, "the path of a TOML file, or with text the TOML itself")
UPSTREAM = Kind(_upstream, "empty or an address such as https://index.example.com/simple/, without user or query")
BASE_URL = Kind(_base_url, "empty or an address such as https://index.example.com, without user, query or fragment")


@dataclass(frozen=True, slots=True)
class Option:
    """One declaration: where the setting is said and what it means. ``env_file`` names a file that holds a secret.

    ``masked_with`` names a switch: while that is on, the value is a secret, which is shown to nobody.
    """

    default: object
    doc: str
    kind: Kind
    section: str
    secret: bool
    env: str
    flag: str
    masked_with: str = ""
    name: str = ""
    key: str = ""
    env_file: str = ""

    @property
    def sentence(self) -> str:
        """The doc with the unit."""
        return f"{self.doc} In {self.kind.unit}." if self.kind.unit else self.doc

    @property
    def line(self) -> str:
        """The setting with its default, as a line of a settings file."""
        return f"{self.key} = {written(self.default)}".rstrip()

    def named(self, name: str) -> Option:
        """The declaration with the names that follow from the field's name."""
        env = self.env or f"PYPI_{name.upper()}"
        flag = "" if self.secret else self.flag or f"--{name.replace('_', '-')}"
        env_file = f"{env}_FILE" if self.secret else ""
        return replace(
            self, name=name, key=name.removeprefix(f"{self.section}_"), env=env, flag=flag, env_file=env_file
        )

    def read(self, text: str, origin: str) -> object:
        """The value that a text stands for; raises InvalidSetting, which names ``origin``."""
        try:
            return self.kind.parse(text if self.secret else text.strip())
        except ValueError:
            value = "not usable" if self.secret else shown(re.sub(r"//[^/@]*@", "//***@", text))
            raise InvalidSetting(f"{origin} is {value}; it takes {self.kind.allowed}.") from None


def option(
    default: T, doc: str, *, section: str = "server", env: str = "", flag: str = "", secret: bool = False,
    kind: Kind | None = None, masked_with: str = "",
) -> T:  # fmt: skip
    """Declare a setting: its default, its one sentence, and what differs from the names made of the field's name."""
    kind = kind or (SWITCH if isinstance(default, bool) else TEXT)
    declared = Option(default, doc, kind, section, secret, env, flag, masked_with)
    return field(default=default, metadata={"option": declared})


def written(value: object) -> str:
    """A value as a settings file writes it."""
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, tuple):
        return str(value)
    return ("; " if any("=" in str(one) for one in value) else ", ").join(value)


def near(word: str, words: Iterable[str], likeness: float = 0.6) -> str:
    """The end of a sentence about an unknown word: the known one it resembles (1 is the same), or all of them."""
    known = sorted(words)
    alike = difflib.get_close_matches(word, known, n=1, cutoff=likeness)
    return f"did you mean {alike[0]}?" if alike else f"known are: {', '.join(known)}."


# One letter for what is typed often.
SHORT = {"host": "-H", "port": "-p", "auth_require": "-a", "auth_htpasswd": "-P"}
SECTIONS = ("server", "auth", "openid", "ldap", "publishing", "indexes", "upstream")

# The settings that the sample shows in force, as people know them; the others stand behind a #.
UNCOMMENTED = ("host", "port", "data_dir", "debug", "secret_key", "max_file_size", "auth_enabled")

SAMPLE_HEAD = """\
# Settings of PyPI Clone. Copy this file to pypi.conf and change what you need; a line that begins with # says what
# is so without it. Environment variables and the command line win over this file: see docs/settings.md.
"""

SAMPLE_TAIL = """
# Options for the web server itself, passed on as they are; its own documentation lists them. For example:
[granian]
#backlog = 1024

[waitress]
#channel_timeout = 120
"""


def sample(options: Iterable[Option], secret_key: str) -> str:
    """A settings file with all settings at their defaults."""
    lines, section = [SAMPLE_HEAD.rstrip()], ""
    for one in sorted(options, key=lambda one: (SECTIONS.index(one.section), one.name not in UNCOMMENTED)):
        lines += ["", f"[{one.section}]"] if one.section != section else [""] * (one.name not in UNCOMMENTED)
        section = one.section
        line = f"{one.key} = {secret_key}".rstrip() if one.name == "secret_key" else one.line
        lines += [f"# {one.sentence}", line if one.name in UNCOMMENTED else f"#{line}"]
    return "\n".join(lines) + "\n" + SAMPLE_TAIL


DOCUMENT_HEAD = """\
# Settings

<!-- Made by `config.settings_document()` from the declarations in `config.py`; change it there. -->

Nothing needs to be set. What is set is looked for in four places; a later one wins:

1. the default;
2. the settings file: the one named with `--config`, else by `PYPI_CONFIG`, else `pypi.conf` in the working directory
   (`pypi.conf.sample` is one to copy);
3. the environment;
4. the command line.

`cli.py config` shows the settings in force and where each came from, with secrets masked.

- An empty environment variable counts as not set. A `PYPI_*` variable that is no setting is named in a warning; an
  unknown key or section of the file stops the start.
- Yes and no: `true`, `yes`, `on`, `1` and `false`, `no`, `off`, `0`, in any case.
- Sizes: bytes, or a number with `KB`, `MB`, `GB` (thousands) or `KiB`, `MiB`, `GiB` (1024s), such as `200 MiB`.
- Lists: with commas between the items.
- A `%` is a `%`: nothing is put in its place.
- Relative paths start at the working directory; `~` is the home directory.
- Secrets have no option of the command line, where other users of the machine could read them. Each may be kept in a
  file of its own instead, named by a variable with `_FILE` at its end.
"""

DOCUMENT_TAIL = """
## [granian] and [waitress]

What these sections of the file hold is passed on to that web server as it stands, for example `backlog = 1024` in
`[granian]`. The server's own documentation lists its options; a wrong one stops the start.

## The secret key

While `secret_key` is empty, a key of 32 random bytes is made at the first start and kept in `secret_key` in the state
folder, readable by its owner only. The sample's `your-secret-key-here` counts as empty, with a warning. A key of fewer
than 16 characters is refused unless `host` is this machine only. Whoever changes the key signs everybody out.
"""


def document(options: Iterable[Option]) -> str:
    """The page of all settings, in Markdown."""
    return DOCUMENT_HEAD + "\n".join(_tables(options)) + "\n" + DOCUMENT_TAIL


def _tables(options: Iterable[Option]) -> Iterator[str]:
    section = ""
    for one in sorted(options, key=lambda one: SECTIONS.index(one.section)):
        if one.section != section:
            section = one.section
            yield f"\n## [{section}]\n"
            yield "| Setting | Default | Environment | Option | Meaning |"
            yield "|---|---|---|---|---|"
        default = f"`{written(one.default)}`" if written(one.default) else "(empty)"
        variable = f"`{one.env}`, `{one.env_file}`" if one.env_file else f"`{one.env}`"
        flag = f"`{one.flag}`" if one.flag else "(none)"
        yield f"| `{one.key}` | {default} | {variable} | {flag} | {one.sentence} |"
