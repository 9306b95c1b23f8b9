"""Tests of distributions.core_metadata: what METADATA and PKG-INFO say, and all that can be wrong with it."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from distributions.core_metadata import LARGEST, must_be_reliable_sdist, read_core_metadata
from errors import InvalidMetadata
from tests.factory import core_metadata

FULL = """\
Metadata-Version: 2.4
Name: Sample
Version: 1.0
Platform: any
Summary: A sample.
Keywords: one, two
Home-page: https://example.com
Author: Ann
Author-email: ann@example.com
License-Expression: MIT OR Apache-2.0
License-File: LICENSE
Classifier: Private :: Do Not Upload
Classifier: Framework :: Flask
Requires-Dist: a>=1; python_version < '4'
Requires-Dist: b
Requires-Python: >=3.9
Project-URL: Source, https://example.com/source
Provides-Extra: test
Dynamic: Platform
Description-Content-Type: text/markdown

# Sample

Grüße.
"""


def refusal_of(text: str) -> str:
    """The sentence with which a text is refused."""
    with pytest.raises(InvalidMetadata) as caught:
        read_core_metadata(text.encode())
    return caught.value.sentence


def warnings_of(*headers: str, version: str = "2.1") -> str:
    """The warnings of metadata with these headers, as one text."""
    text = core_metadata(metadata_version=version, extra_headers=headers)
    return "\n".join(read_core_metadata(text.encode())[1])


def fault_of(*headers: str, version: str = "2.1") -> str:
    """The refusal of metadata with these headers."""
    return refusal_of(core_metadata(metadata_version=version, extra_headers=headers))


def test_every_field_is_read() -> None:
    """Fields come as sent: texts, tuples for those that may repeat, the body as description."""
    metadata, warnings = read_core_metadata(FULL.encode())
    assert warnings == ()
    assert (metadata.name, metadata.version, metadata.summary) == ("Sample", "1.0", "A sample.")
    assert metadata.keywords == "one, two"
    assert metadata.classifiers == ("Private :: Do Not Upload", "Framework :: Flask")
    assert metadata.requires_dist == ("a>=1; python_version < '4'", "b")
    assert metadata.project_urls == ("Source, https://example.com/source",)
    assert metadata.license_expression == "MIT OR Apache-2.0"
    assert metadata.license_files == ("LICENSE",)
    assert metadata.description == "# Sample\n\nGrüße.\n"


def test_metadata_survives_json() -> None:
    """What is written as JSON comes back equal; the description travels beside it."""
    metadata, _ = read_core_metadata(FULL.encode())
    written = metadata.to_json()
    assert "description" not in written
    assert None not in written.values()
    assert type(metadata).from_json(json.loads(json.dumps(written)), metadata.description) == metadata


@pytest.mark.parametrize("mapping", [{}, {"name": 1}, {"nonsense": "x"}, {"name": "a", "version": ["1"]}])
def test_foreign_json_is_refused(mapping: dict[str, object]) -> None:
    """JSON that is no core metadata is refused, not believed."""
    from distributions.core_metadata import CoreMetadata

    with pytest.raises(InvalidMetadata):
        CoreMetadata.from_json(mapping)


def test_large_metadata_is_refused() -> None:
    """S56: more than 1 MiB of metadata is refused."""
    sound = core_metadata().encode() + b"\n"
    read_core_metadata(sound + b"x" * (LARGEST - len(sound)))
    with pytest.raises(InvalidMetadata, match="limit"):
        read_core_metadata(sound + b"x" * (LARGEST - len(sound) + 1))


@pytest.mark.parametrize("header", ["Name: other", "Version: 2.0", "Metadata-Version: 2.1", "Summary: Another."])
def test_doubled_headers_are_refused(header: str) -> None:
    """S56: a field that may stand once and stands twice is refused, even where both are equal."""
    assert f"{header.partition(':')[0]} is given twice" in fault_of(header)


def test_two_descriptions_are_refused() -> None:
    """S56: a description both as header and as body is refused."""
    assert "Description" in refusal_of(core_metadata(description="body", extra_headers=["Description: header"]))


@pytest.mark.parametrize("version", ["3.0", "9.9", "1.7", "0.1", "2", "2.x", "banana", "1" * 5000 + ".0"])
def test_unknown_metadata_versions_are_refused(version: str) -> None:
    """S56: a metadata version that nobody can read is refused."""
    assert "Metadata-Version" in refusal_of(core_metadata(metadata_version=version))


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5", "2.6"])
def test_known_metadata_versions_are_taken(version: str) -> None:
    """Every version of the specification is taken without a warning."""
    assert read_core_metadata(core_metadata(metadata_version=version).encode())[1] == ()


@pytest.mark.parametrize("version", ["2.0", "2.7", "2.99"])
def test_odd_minor_versions_are_taken_with_a_warning(version: str) -> None:
    """2.0 exists in old files and newer minor versions are to be taken: both with a warning."""
    metadata, warnings = read_core_metadata(core_metadata(metadata_version=version).encode())
    assert metadata.metadata_version == version
    assert version in warnings[0]


@pytest.mark.parametrize("missing", ["Metadata-Version", "Name", "Version"])
def test_required_fields_are_required(missing: str) -> None:
    """Metadata version, name and version must be there; empty and UNKNOWN are as good as absent."""
    lines = core_metadata().splitlines()
    for value in (None, "", " UNKNOWN"):
        kept = [line if line.partition(":")[0] != missing else f"{missing}:{value}" for line in lines]
        text = "\n".join(line for line in kept if not line.endswith("None"))
        assert f"{missing} is missing" in refusal_of(text)


def test_unknown_and_empty_mean_not_given() -> None:
    """Tools used to write UNKNOWN for what they did not know."""
    text = core_metadata(summary="", extra_headers=["Summary: UNKNOWN", "Home-page:", "Platform: UNKNOWN"])
    metadata, warnings = read_core_metadata(text.encode())
    assert (metadata.summary, metadata.home_page, metadata.platforms, warnings) == (None, None, (), ())


def test_an_empty_import_name_is_kept() -> None:
    """Import-Name may be empty and says then that there is none (PEP 794)."""
    text = core_metadata(metadata_version="2.5", extra_headers=["Import-Name:"])
    assert read_core_metadata(text.encode())[0].import_names == ("",)


def test_all_faults_are_told_at_once() -> None:
    """One sentence names the first five faults and counts the others."""
    sentence = fault_of(*(f"Requires-Dist: ???{n}" for n in range(7)), "Requires-Python: banana")
    assert sentence.count("???") == 4
    assert "Requires-Python 'banana'" in sentence
    assert "and 3 more" in sentence


@pytest.mark.parametrize("value", ["banana", ">=3.x", "3", ">=" + "1" * 5000])
def test_bad_requires_python_is_refused(value: str) -> None:
    """Requires-Python must be a set of version specifiers, or installers would fail on the whole project."""
    assert "Requires-Python" in fault_of(f"Requires-Python: {value}")


@pytest.mark.parametrize("value", ["???", "a (>1", "a; " + "(" * 3000, "a>=1.0.*", "a==" + "1" * 5000])
def test_bad_requirements_are_refused(value: str) -> None:
    """A requirement that packaging cannot read is refused and shown."""
    assert "Requires-Dist" in fault_of(f"Requires-Dist: {value}")


def test_direct_references_give_a_warning() -> None:
    """S59: a requirement that points to an address is told, not refused."""
    assert "points to an address" in warnings_of("Requires-Dist: x @ https://example.com/x.whl")


@pytest.mark.parametrize(
    "value", ["text/html", "text/markdown; charset=latin-1", "text/markdown; variant=X", ";;", "x*"]
)
def test_bad_content_types_are_refused(value: str) -> None:
    """A description is plain text, reStructuredText or Markdown in UTF-8."""
    assert "Description-Content-Type" in fault_of(f"Description-Content-Type: {value}")


@pytest.mark.parametrize("value", ["Use-it-after-midnight", "(MIT", "MIT AND", "(" * 1000, "x" * 5000])
def test_bad_licence_expressions_are_refused(value: str) -> None:
    """A licence expression is one of SPDX."""
    assert "License-Expression" in fault_of(f"License-Expression: {value}", version="2.4")


def test_two_licences_are_refused_since_2_4() -> None:
    """License beside License-Expression is refused where both exist, and told where tools were early."""
    both = ("License: MIT", "License-Expression: MIT")
    assert "both given" in fault_of(*both, version="2.4")
    assert "both given" in warnings_of(*both, version="2.1")


@pytest.mark.parametrize("path", ["../LICENSE", "/LICENSE", "a\\b", "C:/x", "*.txt"])
def test_licence_files_that_lead_elsewhere_are_refused(path: str) -> None:
    """A licence file lies within the distribution."""
    assert "License-File" in fault_of(f"License-File: {path}", version="2.4")


def test_fields_newer_than_the_metadata_version_give_a_warning() -> None:
    """A field under an older version is taken with a warning; License-File, which setuptools wrote so, without one."""
    assert "Import-Name came with metadata version 2.5, this is 2.1" in warnings_of("Import-Name: sample")
    assert warnings_of("License-File: LICENSE") == ""


@pytest.mark.parametrize(
    "header",
    [
        "Home-page: javascript:alert(1)",
        "Download-URL: file:///etc/passwd",
        "Project-URL: no comma",
        "Project-URL: Bad, javascript:alert(1)",
        "Provides-Extra: not a name",
        "Nonsense: field",
        "Summary-Of-It: x",
    ],
)
def test_what_people_only_read_gives_a_warning(header: str) -> None:
    """Odd addresses, extras and unknown fields do not refuse a file."""
    assert warnings_of(header)


def test_latin_1_is_read_with_a_warning() -> None:
    """Very old files are not UTF-8; they are read as Latin-1 and that is said."""
    metadata, warnings = read_core_metadata(core_metadata(extra_headers=["Author: J\u00f6rg"]).encode("latin-1"))
    assert metadata.author == "J\u00f6rg"
    assert "Latin-1" in warnings[0]


def test_nul_is_refused() -> None:
    """S20: NUL characters reach no table."""
    assert "NUL" in fault_of("Summary: a\x00b")
    assert "NUL" in refusal_of(core_metadata(description="a\x00b"))


def test_lines_are_kept_where_they_mean_something() -> None:
    """A description header keeps its lines without their indent; a folded summary becomes one line."""
    text = core_metadata(
        summary="",
        extra_headers=["Description: one", "        two", "        ", "          three", "Summary: a", "  b"],
    )
    metadata, _ = read_core_metadata(text.encode())
    assert metadata.description == "one\ntwo\n\n  three"
    assert metadata.summary is not None
    assert metadata.summary.split() == ["a", "b"]


def test_a_multipart_header_leaves_the_description_alone() -> None:
    """Headers of mails have no power here: the body is the description whatever it is said to be."""
    text = core_metadata(
        description="--x\n\nhidden\n--x--", extra_headers=["Content-Type: multipart/mixed; boundary=x"]
    )
    assert "hidden" in (read_core_metadata(text.encode())[0].description or "")


@pytest.mark.parametrize(
    ("version", "dynamic", "reliable"),
    [
        ("2.2", [], True),
        ("2.4", ["Description"], True),
        ("2.10", [], True),
        ("2.1", [], False),
        ("2.2", ["requires-DIST"], False),
        ("2.2", ["Requires-Python"], False),
        ("2.2", ["Provides-Extra"], False),
        ("2.2", ["Version"], False),
    ],
)
def test_only_reliable_sdists_speak_for_their_wheels(version: str, dynamic: list[str], reliable: bool) -> None:
    """PEP 643: since 2.2, what is not dynamic holds for every wheel."""
    text = core_metadata(metadata_version=version, extra_headers=[f"Dynamic: {name}" for name in dynamic])
    assert must_be_reliable_sdist(read_core_metadata(text.encode())[0]) is reliable


@given(st.binary(max_size=300), st.lists(st.sampled_from(FULL.splitlines()), max_size=12))
def test_any_bytes_are_metadata_or_refused(tail: bytes, lines: list[str]) -> None:
    """Whatever bytes come are read or refused by our own class, in one line of ASCII."""
    sentence = ""
    try:
        metadata, _ = read_core_metadata("\n".join(lines).encode() + b"\n" + tail)
    except InvalidMetadata as refusal:
        sentence = refusal.sentence
    else:
        assert metadata.name
        assert type(metadata).from_json(metadata.to_json(), metadata.description) == metadata
    assert sentence.isascii()
    assert "\n" not in sentence


@given(
    st.sampled_from(["Requires-Dist", "Requires-Python", "Description-Content-Type", "License-Expression"]), st.text()
)
def test_any_value_is_taken_or_refused(header: str, value: str) -> None:
    """No value of a checked field makes anything but a refusal."""
    text = core_metadata(metadata_version="2.4", extra_headers=[f"{header}: {value}"])
    sentence = ""
    try:
        read_core_metadata(text.encode("utf-8", "replace"))
    except InvalidMetadata as refusal:
        sentence = refusal.sentence
    assert sentence.isascii()


@pytest.mark.parametrize(
    "line", ["Platform: a\n", "Requires-Dist: a\n", "Nonsense: a\n", "Name: sample\n", "a\n", " a\n", "\n"]
)
def test_a_megabyte_of_any_line_is_read_in_bounded_time(line: str) -> None:
    """S56, S60: the time grows with the size and no faster."""
    started = time.perf_counter()
    try:
        read_core_metadata((core_metadata() + line * ((LARGEST - 200) // len(line))).encode())
    except InvalidMetadata as refusal:
        assert "given" in refusal.sentence or "Summary has" in refusal.sentence  # noqa: PT017
    assert time.perf_counter() - started < 8


@pytest.mark.parametrize(
    ("headers", "summary", "words"),
    [
        ([], "s" * 2001, "Summary has 2,001 characters"),
        (["Keywords: " + "k" * 10_001], "s", "Keywords has 10,001 characters"),
        ([f"Requires-Dist: p{n}" for n in range(2001)], "s", "Requires-Dist is given 2,001 times"),
        ([f"Keyword-Like: {n}" for n in range(9)] + ["Classifier: A :: B"] * 2001, "s", "Classifier is given 2,001"),
    ],
)
def test_one_file_may_say_so_much_only(headers: list[str], summary: str, words: str) -> None:
    """What lists and pages would show to everybody is bounded."""
    with pytest.raises(InvalidMetadata) as caught:
        read_core_metadata(core_metadata(summary=summary, extra_headers=headers).encode())
    assert words in caught.value.sentence


def test_what_old_packages_say_is_taken() -> None:
    """A summary longer than today's tools let pass gives a warning; many keywords and requirements give none."""
    headers = ["Keywords: " + "k " * 4_999, *(f"Requires-Dist: p{n}" for n in range(2000))]
    metadata, warnings = read_core_metadata(core_metadata(summary="s" * 2000, extra_headers=headers).encode())
    assert (len(metadata.summary or ""), len(metadata.requires_dist)) == (2000, 2000)
    assert any("Summary has more than 512" in warning for warning in warnings)
    _, warnings = read_core_metadata(core_metadata(summary="s" * 512).encode())
    assert not any("Summary" in warning for warning in warnings)
