"""One-time codes: the standard's own examples, each code good once, clocks that differ, and the QR code."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs, unquote, urlsplit

import pyotp
import pytest
import segno

from credentials.totp import STEP_SECONDS, check, new_seed, provisioning_uri, qr_svg

SEED = base64.b32encode(b"12345678901234567890").decode()  # the one of RFC 6238, appendix B
NOW = datetime(2026, 11, 25, 12, 0, 10, tzinfo=UTC)
STEP = int(NOW.timestamp()) // STEP_SECONDS
SVG = "{http://www.w3.org/2000/svg}"


def code_at(step: int) -> str:
    """The code that an app shows during a step."""
    return pyotp.TOTP(SEED).at(step * STEP_SECONDS)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1111111111, "050471"), (1234567890, "005924"), (2000000000, "279037")],
)
def test_the_standard_s_examples(seconds: int, code: str) -> None:
    """The last six digits of RFC 6238's test values are taken at their times."""
    now = datetime.fromtimestamp(seconds, UTC)
    assert check(SEED, code, last_step=None, now=now) == seconds // 30


@pytest.mark.parametrize(("off", "is_good"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_clocks_may_differ_by_one_step(off: int, is_good: bool) -> None:
    """The codes of the step before and after are good, those further off are not."""
    assert check(SEED, code_at(STEP + off), last_step=None, now=NOW) == (STEP + off if is_good else None)


def test_a_code_is_good_once() -> None:
    """After a code was used, neither it nor an earlier one is taken; the next one is."""
    used = check(SEED, code_at(STEP), last_step=None, now=NOW)
    assert used == STEP
    assert check(SEED, code_at(STEP), last_step=used, now=NOW) is None
    assert check(SEED, code_at(STEP), last_step=used, now=NOW + timedelta(seconds=STEP_SECONDS)) is None
    assert check(SEED, code_at(STEP - 1), last_step=used, now=NOW) is None
    assert check(SEED, code_at(STEP + 1), last_step=used, now=NOW) == STEP + 1


def test_a_code_ahead_of_the_clock_is_good_once_too() -> None:
    """Used a step early, it is not good again when its own step comes."""
    assert check(SEED, code_at(STEP + 1), last_step=None, now=NOW) == STEP + 1
    for later in (0, 30, 60):
        assert check(SEED, code_at(STEP + 1), last_step=STEP + 1, now=NOW + timedelta(seconds=later)) is None


@pytest.mark.parametrize("form", ["{0} {1}", " {0}{1}\n", "{0}-{1}", "{0}\u00a0{1}", "{0}\u2009{1}", "{0}{1}"])
def test_spaces_and_dashes_do_not_matter(form: str) -> None:
    """Apps show a code in two groups; however it is copied, it is the same code and good once."""
    code = code_at(STEP)
    typed = form.format(code[:3], code[3:])
    assert check(SEED, typed, last_step=None, now=NOW) == STEP
    assert check(SEED, typed, last_step=STEP, now=NOW) is None


def test_only_six_ascii_digits_are_a_code() -> None:
    """Nothing shorter, longer, or in other digits, however much is sent."""
    code = code_at(STEP)
    arabic = code.translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    fullwidth = code.translate(str.maketrans("0123456789", "０１２３４５６７８９"))
    for typed in (
        "",
        " ",
        code[:5],
        "0" + code,
        code + "0",
        code + "\x00",
        arabic,
        fullwidth,
        "+" + code[1:],
        "\ud800",
    ):
        assert check(SEED, typed, last_step=None, now=NOW) is None
    assert check(SEED, code + " " * 1_000_000, last_step=None, now=NOW) is None


def test_another_seed_s_code_is_not_good() -> None:
    """A code belongs to its seed."""
    assert check(new_seed(), code_at(STEP), last_step=None, now=NOW) is None


def test_the_zone_does_not_matter() -> None:
    """The same moment in another zone takes the same code."""
    elsewhere = NOW.astimezone(timezone(timedelta(hours=-7)))
    assert check(SEED, code_at(STEP), last_step=None, now=elsewhere) == STEP


def test_a_clock_at_its_beginning_does_no_harm() -> None:
    """A machine without a battery for its clock wakes in 1970; codes still work there."""
    assert check(SEED, code_at(0), last_step=None, now=datetime.fromtimestamp(1, UTC)) == 0


def test_seeds_have_160_bits_and_differ() -> None:
    """As RFC 4226 recommends, in base32 without padding."""
    seeds = {new_seed() for _ in range(50)}
    assert len(seeds) == 50
    assert all(len(base64.b32decode(seed)) == 20 for seed in seeds)


@pytest.mark.parametrize(
    ("username", "issuer", "label"),
    [
        ("alice", "index.example.com", "index.example.com:alice"),
        ("a b&c=d", "Team: packages?", "Team  packages?:a b&c=d"),
        ("zoë", "localhost:8080", "localhost 8080:zoë"),
    ],
)
def test_an_app_reads_the_uri(username: str, issuer: str, label: str) -> None:
    """Seed, account and issuer come out as they went in; one colon divides the label."""
    uri = urlsplit(provisioning_uri(SEED, username, issuer))
    assert (uri.scheme, uri.netloc, unquote(uri.path)) == ("otpauth", "totp", "/" + label)
    assert uri.path.count(":") == 1
    assert "%3A" not in uri.path
    assert parse_qs(uri.query) == {"secret": [SEED], "issuer": [issuer.replace(":", " ")]}
    assert pyotp.parse_uri(uri.geturl()).secret == SEED


def test_the_qr_code_fits_the_pages_policy() -> None:
    """One ``svg`` element for the page: no XML declaration, no style, no script, nothing from elsewhere."""
    svg = qr_svg(provisioning_uri(SEED, "alice", "index.example.com"))
    assert svg.startswith("<svg ")
    assert svg.rstrip().endswith("</svg>")
    assert not re.search(r"style|<script|href|<\?|<!|\son\w+=|url\(", svg)
    root = ET.fromstring(svg)
    assert (root.get("role"), root.get("class")) == ("img", "qr")
    assert root.findtext("title") == "QR code for an authenticator app"


def test_the_qr_code_is_black_on_white_with_a_quiet_zone() -> None:
    """Its own background reaches four modules beyond the code, so that it can be scanned from a dark page."""
    uri = provisioning_uri(SEED, "alice", "index.example.com")
    root = ET.fromstring(qr_svg(uri))
    width = int(root.get("viewBox", "").split()[2])
    ground, lines = root.findall("path")
    assert (ground.get("fill"), ground.get("d")) == ("#fff", f"M0 0h{width}v{width}h-{width}z")
    assert lines.get("stroke") == "#000"
    code = segno.make(uri, error="m", micro=False)
    assert width == code.symbol_size(border=4)[0]
    assert painted(lines.get("d", ""), width) == [list(map(bool, row)) for row in code.matrix_iter(border=4)]


def painted(path: str, width: int) -> list[list[bool]]:
    """The modules that a path of horizontal strokes covers."""
    dark = [[False] * width for _ in range(width)]
    x, y = 0, 0.0
    for letter, numbers in re.findall(r"([Mmh])([-\d. ]+)", path):
        given = [float(number) for number in numbers.split()]
        if letter == "h":
            dark[int(y)][x : x + int(given[0])] = [True] * int(given[0])
            x += int(given[0])
        else:
            x, y = (int(given[0]), given[1]) if letter == "M" else (x + int(given[0]), y + given[1])
    return dark
