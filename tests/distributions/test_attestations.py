"""Tests of distributions.attestations: with real attestations, recorded in attestation_bundles/."""

from __future__ import annotations

import base64
import copy
import importlib.util
import json
import logging
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.asn1 import encode_der
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from pypi_attestations import Distribution, Provenance

from distributions import attestations
from distributions.attestations import Verified, available, provenance, verify
from distributions.signing_certificates import is_of_publisher
from errors import InvalidAttestation, InvalidFilename, InvalidSetting

ROOT = Path(__file__).resolve().parent.parent.parent
BUNDLES = Path(__file__).resolve().parent / "attestation_bundles"
SLSA = "https://slsa.dev/provenance/v1"

Path_ = tuple[str | int, ...]


@dataclass(frozen=True)
class Upload:
    """Recorded attestations, and the file and publisher that they are of."""

    bundles: tuple[str, ...]
    filename: str
    sha256: str
    publisher: Mapping[str, str | None]

    def documents(self) -> list[dict[str, Any]]:
        """The attestations, parsed."""
        return [json.loads((BUNDLES / f"{name}.json").read_text()) for name in self.bundles]

    def verify(self, documents: list[Any] | None = None, **other: Any) -> Verified:
        """Verify them, or others in their place, with what is given instead of the truth."""
        said = {"filename": self.filename, "sha256": self.sha256, "publisher": self.publisher, **other}
        return verify(json.dumps(self.documents() if documents is None else documents), **said)


GITHUB = Upload(
    ("github-publish", "github-slsa"),
    "pypi_attestations-0.0.19.tar.gz",
    "9bb1add04b1b4e182be6b0b80931593f7a291eb49d69b4fd728a5d4cbcdc4bd3",
    {
        "kind": "GitHub",
        "repository": "trailofbits/pypi-attestations",
        "workflow": "release.yml",
        "environment": "release",
    },
)
GITLAB = Upload(
    ("gitlab-publish",),
    "gitlab_oidc_project-0.0.3.tar.gz",
    "c1ca9b0d85df1606451098233018534497bf584362e10e4a8c21dfaea92c02a8",
    {"kind": "GitLab", "repository": "facutuesca/gitlab-oidc-project", "workflow_filepath": ".gitlab-ci.yml"},
)
GOOGLE = Upload(
    ("google-publish",),
    "gcb_attestation_test-0.0.0.tar.gz",
    "461317362419124b6012e855423a9078d6de8aed3e74fa78cc74d669b23dc6cf",
    {"kind": "Google", "email": "919436158236-compute@developer.gserviceaccount.com"},
)
STAGING = Upload(
    ("staging-publish",),
    "rfc8785-0.1.2-py3-none-any.whl",
    "c4e92e9ecc828bef2aa7dba1de8ac983511f7532a0df11c770d39099a25cf201",
    {"kind": "Google", "email": "william@yossarian.net"},
)
HELD = [GITHUB, GITLAB, GOOGLE]
MATERIAL = ("verification_material",)
ENTRY: Path_ = (*MATERIAL, "transparency_entries", 0)


def places(value: Any, here: Path_ = ()) -> Iterator[Path_]:
    """The way to every value inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield (*here, key)
        yield from places(one, (*here, key))


def value_at(document: Any, place: Path_) -> Any:
    """What stands at a place."""
    for key in place:
        document = document[key]
    return document


def changed(document: dict[str, Any], place: Path_, value: Any) -> dict[str, Any]:
    """A copy with another value at a place."""
    other = copy.deepcopy(document)
    value_at(other, place[:-1])[place[-1]] = value
    return other


def without(document: dict[str, Any], place: Path_) -> dict[str, Any]:
    """A copy in which a value is missing."""
    other = copy.deepcopy(document)
    del value_at(other, place[:-1])[place[-1]]
    return other


def flipped(document: dict[str, Any], place: Path_, index: int, bits: int = 1) -> dict[str, Any]:
    """A copy in which one bit of base64's contents differs, or more of one byte."""
    raw = bytearray(base64.b64decode(value_at(document, place)))
    raw[index] ^= bits
    return changed(document, place, base64.b64encode(raw).decode())


class BelievesAll:
    """In the verifier's place, for statements that nobody signed."""

    def verify_dsse(self, bundle: Any, policy: Any) -> tuple[str, bytes]:
        """Hand the statement over, unverified."""
        return "application/vnd.in-toto+json", bundle._dsse_envelope._inner.payload


def stated(monkeypatch: pytest.MonkeyPatch, statement: Any, filename: str = GITHUB.filename) -> Verified:
    """What comes of an attestation with this statement, if its signature held."""
    monkeypatch.setattr(attestations, "_verifier", BelievesAll)
    raw = statement if isinstance(statement, bytes) else json.dumps(statement).encode()
    document = changed(GITHUB.documents()[0], ("envelope", "statement"), base64.b64encode(raw).decode())
    return GITHUB.verify([document], filename=filename)


def statement_of(document: dict[str, Any]) -> dict[str, Any]:
    """The statement that was signed."""
    found: dict[str, Any] = json.loads(base64.b64decode(document["envelope"]["statement"]))
    return found


@pytest.mark.parametrize("upload", HELD, ids=lambda one: one.publisher["kind"])
def test_real_attestations_hold(upload: Upload, caplog: pytest.LogCaptureFixture) -> None:
    """What a publisher of each kind attested is verified, without a word in the log."""
    caplog.set_level(logging.WARNING)
    verified = upload.verify()
    assert [one.subject for one in verified.attestations] == [upload.filename] * len(upload.bundles)
    assert verified.predicate_types == tuple(statement_of(one)["predicateType"] for one in upload.documents())
    assert caplog.records == []


def test_each_attestation_holds_alone() -> None:
    """A publish attestation or an SLSA provenance is enough."""
    publish, slsa = GITHUB.documents()
    assert GITHUB.verify([slsa]).predicate_types == (SLSA,)
    assert GITHUB.verify([publish]).attestations[0].title == "PyPI publish attestation, version 1"


def test_what_was_verified_is_told() -> None:
    """A page can say who signed, when, from which commit, in which run, and where the log has it."""
    one = GITHUB.verify().attestations[1]
    assert one.signed_at == datetime(2024, 12, 4, 23, 13, 46, tzinfo=UTC)
    workflow = "https://github.com/trailofbits/pypi-attestations/.github/workflows/release.yml@refs/tags/v0.0.19"
    expected = {
        "Signed by": workflow,
        "Repository": "https://github.com/trailofbits/pypi-attestations",
        "Workflow": workflow,
        "Commit": "08802efe1f8e5fec4ad842d6b8ce97656092ee72",
        "Branch or tag": "refs/tags/v0.0.19",
        "Triggered by": "release",
        "Run": "https://github.com/trailofbits/pypi-attestations/actions/runs/12169989787/attempts/1",
        "Transparency log entry": "153454647",
        "Certificate valid": "2024-12-04 23:13:46 to 2024-12-04 23:23:46 UTC",
    }
    assert {word: one.facts[word] for word in expected} == expected


def test_an_account_is_told() -> None:
    """Of a service account there is less to say: the account and who vouches for it."""
    facts = GOOGLE.verify().attestations[0].facts
    assert facts["Signed by"] == GOOGLE.publisher["email"]
    assert facts["Identity provider"] == "https://accounts.google.com"


def test_the_facts_are_json() -> None:
    """What was verified can be stored as JSON and comes back the same."""
    verified = GITHUB.verify(sha256=GITHUB.sha256.upper())
    kept = json.loads(json.dumps(verified.as_dict()))
    assert kept == verified.as_dict()
    assert (kept["sha256"], kept["publisher"]) == (GITHUB.sha256, GITHUB.publisher)
    assert kept["attestations"][0]["signed_at"] == "2024-12-04T23:14:01Z"


OFFLINE = """
import sys, urllib3  # at its import, urllib3 makes a socket to learn whether there is IPv6
seen = []

def watch(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if event.startswith("socket.") or event in {"os.mkdir", "os.rename", "os.putenv", "subprocess.Popen"} or writes:
        seen.append((event, arguments))
        raise OSError("not here")

sys.addaudithook(watch)
sys.path.insert(0, sys.argv[1])
from distributions.attestations import verify
assert "sigstore" not in sys.modules
import json
said = json.load(sys.stdin)
text = said.pop("text")
print(verify(text, **said).as_dict()["attestations"][0]["subject"], seen)
"""


def test_nothing_is_opened_and_nothing_written() -> None:
    """Without a socket, a home or a writable folder, with warnings as errors, in a new process: it holds."""
    text = json.dumps(GITHUB.documents())
    said = {"text": text, "filename": GITHUB.filename, "sha256": GITHUB.sha256, "publisher": GITHUB.publisher}
    homes = dict.fromkeys(("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME", "TMPDIR"), "/nonexistent")
    done = subprocess.run(
        [sys.executable, "-B", "-W", "error", "-c", OFFLINE, str(ROOT)], input=json.dumps(said), env=os.environ | homes,
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == (f"{GITHUB.filename} []\n", "")


@pytest.mark.parametrize("upload", HELD, ids=lambda one: one.publisher["kind"])
def test_the_reference_agrees_with_the_provenance(
    upload: Upload, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is served is a provenance object whose every attestation holds for the reference implementation too."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    found = Provenance.model_validate_json(provenance(upload.verify()))
    [bundle] = found.attestation_bundles
    assert len(bundle.attestations) == len(upload.bundles)
    for attestation in bundle.attestations:
        attestation.verify(bundle.publisher, Distribution(name=upload.filename, digest=upload.sha256), offline=True)


def test_provenance_is_of_pep_740() -> None:
    """One bundle with the publisher's fields, claims among them, and the attestations; equal text for equal values."""
    text = provenance(GITHUB.verify())
    found = json.loads(text)
    assert found.keys() == {"version", "attestation_bundles"}
    assert found["version"] == 1
    [bundle] = found["attestation_bundles"]
    assert bundle["publisher"] == {**GITHUB.publisher, "claims": None}
    assert [statement_of(one)["predicateType"] for one in bundle["attestations"]][1] == SLSA
    assert bundle["attestations"][0].keys() == {"version", "verification_material", "envelope"}
    turned = [dict(reversed(one.items())) for one in GITHUB.documents()]
    assert provenance(GITHUB.verify(turned)) == text


def test_provenance_has_only_what_was_read() -> None:
    """Keys that nobody knows, and characters that are not base64, are not handed on."""
    document = GITHUB.documents()[0]
    text = provenance(GITHUB.verify([document]))
    odd = {**document, "note": "<script>"}
    odd["envelope"] = {**document["envelope"], "note": 1, "signature": "<>" + document["envelope"]["signature"]}
    assert provenance(GITHUB.verify([odd])) == text
    assert "<" not in text


@pytest.mark.parametrize(
    ("place", "index"),
    [
        (("envelope", "signature"), -1),
        (("envelope", "statement"), -20),
        ((*MATERIAL, "certificate"), 100),
        ((*MATERIAL, "certificate"), -1),
        ((*ENTRY, "canonicalizedBody"), 50),
        ((*ENTRY, "logId", "keyId"), 0),
        ((*ENTRY, "inclusionPromise", "signedEntryTimestamp"), -1),
        ((*ENTRY, "inclusionProof", "rootHash"), 0),
        ((*ENTRY, "inclusionProof", "hashes", 3), 0),
    ],
    ids=str,
)
@pytest.mark.parametrize("upload", HELD, ids=lambda one: one.publisher["kind"])
def test_one_bit_is_enough(upload: Upload, place: Path_, index: int) -> None:
    """Signature, statement, certificate, log entry: whichever bit differs, the attestation does not hold."""
    with pytest.raises(InvalidAttestation, match=r"^Attestation 1 does not hold: .*; attest the file again, or upload"):
        upload.verify([flipped(upload.documents()[0], place, index)])


def test_the_digest_in_the_statement_is_signed() -> None:
    """A statement rewritten for another file does not carry its signature along."""
    document, other = GITHUB.documents()[0], "0" * 64
    statement = json.dumps(statement_of(document)).replace(GITHUB.sha256, other)
    rewritten = changed(document, ("envelope", "statement"), base64.b64encode(statement.encode()).decode())
    with pytest.raises(InvalidAttestation, match="does not hold"):
        GITHUB.verify([rewritten], sha256=other)


@pytest.mark.parametrize("place", [("envelope",), MATERIAL, (*MATERIAL, "certificate"), ENTRY], ids=str)
def test_parts_of_two_attestations_make_none(place: Path_) -> None:
    """Each part belongs to the others: two real attestations of one run cannot be mixed."""
    publish, slsa = GITHUB.documents()
    with pytest.raises(InvalidAttestation, match="Attestation 2 does not hold"):
        GITHUB.verify([publish, changed(slsa, place, value_at(publish, place))])


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"sha256": "0" * 64}, "is of a file with sha256 '9bb1add0"),
        ({"filename": "pypi_attestations-0.0.20.tar.gz"}, "is of the file 'pypi_attestations-0.0.19.tar.gz', not of"),
        ({"filename": "pypi_attestations-0.0.19.zip"}, "is of the file"),
        ({"filename": "pypi_attestations-0.0.19-py3-none-any.whl"}, "is of the file"),
        ({"filename": "other-0.0.19.tar.gz"}, "is of the file"),
    ],
)
def test_another_file_is_refused(other: dict[str, Any], said: str) -> None:
    """An attestation is of one file: name and digest must both be its own."""
    with pytest.raises(InvalidAttestation, match=said):
        GITHUB.verify(**other)


@pytest.mark.parametrize(
    "other",
    [
        {"repository": "trailofbits/other"},
        {"repository": "trailofbits/pypi-attestations/.github"},
        {"repository": "trailofbits"},
        {"workflow": "tests.yml"},
        {"workflow": "release.yml@refs/tags/v0.0.19"},
        {"workflow": "release.yaml"},
        {"kind": "GitLab", "workflow_filepath": "release.yml"},
        {"kind": "Google", "email": "release@example.com"},
    ],
    ids=str,
)
def test_another_publisher_is_refused(other: dict[str, str]) -> None:
    """Signed by somebody is not enough: it must be the publisher who uploads, and the refusal names both."""
    said = r"was signed by 'https://github\.com/trailofbits/.*release\.yml@refs/tags/v0\.0\.19', which is not the publ"
    with pytest.raises(InvalidAttestation, match=said) as refused:
        GITHUB.verify(publisher={**GITHUB.publisher, **other})
    assert all(repr(value) in refused.value.sentence for value in other.values())


@pytest.mark.parametrize(
    "other", [{"email": "a@example.com"}, {"kind": "GitHub", "repository": "a/b", "workflow": "c"}]
)
def test_another_account_is_refused(other: dict[str, str]) -> None:
    """The same for service accounts."""
    with pytest.raises(InvalidAttestation, match="was signed by '919436158236-compute@"):
        GOOGLE.verify(publisher={**GOOGLE.publisher, **other})


def certificate(claims: Mapping[int, str]) -> x509.Certificate:
    """A certificate that nobody trusts, with these of Fulcio's extensions (DER UTF8Strings)."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now)
        .not_valid_after(now + timedelta(minutes=10))
    )
    for number, value in claims.items():
        oid = x509.ObjectIdentifier(f"1.3.6.1.4.1.57264.1.{number}")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, encode_der(value)), critical=False)
    return builder.sign(key, hashes.SHA256())


CLAIMS = {
    8: "https://token.actions.githubusercontent.com",
    12: "https://github.com/owner/project",
    13: "c0ffee",
    14: "refs/heads/main",
    18: "https://github.com/owner/project/.github/workflows/release.yml@refs/heads/main",
}
AT_COMMIT = "https://github.com/owner/project/.github/workflows/release.yml@c0ffee"


@pytest.mark.parametrize(
    ("other", "held"),
    [
        ({}, True),
        ({18: AT_COMMIT}, True),
        ({8: "https://gitlab.com"}, False),
        ({8: None}, False),
        ({12: "https://github.com/owner/fork"}, False),
        ({12: None}, False),
        ({14: "refs/heads/other"}, False),
        ({14: None}, False),
        ({13: None, 14: None}, False),
        ({18: "https://github.com/owner/project/.github/workflows/release.yml"}, False),
        ({18: "https://github.com/owner/project/.github/workflows/tests.yml@refs/heads/main"}, False),
        ({18: None}, False),
    ],
    ids=str,
)
def test_every_word_of_a_certificate_counts(other: dict[int, str | None], held: bool) -> None:
    """Issuer, repository and workflow, the latter at the certificate's own commit or ref, must all be right."""
    claims = {number: value for number, value in (CLAIMS | other).items() if value is not None}
    publisher = {"kind": "GitHub", "repository": "owner/project", "workflow": "release.yml"}
    assert is_of_publisher(certificate(claims), publisher) is held


def test_staging_is_not_trusted() -> None:
    """Sigstore's instance for experiments signs for everybody; only its public instance counts."""
    with pytest.raises(InvalidAttestation, match="does not hold"):
        STAGING.verify()


@pytest.mark.parametrize(
    ("publisher", "said"),
    [
        ({"kind": "ActiveState"}, "of kind 'ActiveState' are not taken"),
        ({}, "of kind '' are not taken"),
        ({"kind": "GitHub", "repository": "a/b"}, "has no workflow"),
        ({"kind": "GitLab", "repository": "", "workflow_filepath": "c"}, "has no repository"),
        ({"kind": "Google", "email": None}, "has no email"),
    ],
)
def test_publishers_without_attestations(publisher: dict[str, str | None], said: str) -> None:
    """Where nothing is known that a certificate could say, nothing is verified."""
    with pytest.raises(InvalidAttestation, match=said):
        GITHUB.verify(publisher=publisher)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "has 0 attestations; send one or 2"),
        ("[{}, {}, {}]", "has 3 attestations"),
        ("{}", "not a JSON array of objects"),
        ("[1]", "not a JSON array of objects"),
        ("not json", "not a JSON array of objects"),
        ("[" * 100_000, "not a JSON array of objects"),
        ("[" + "9" * 10_000 + "]", "not a JSON array of objects"),
        ('[{"a": "' + "x" * (1 << 20) + '"}]', "more than 1,048,576 bytes"),
        ('[{"a": [' + "1," * 1_000 + "1]}]", "more than 1,000 values"),
        ('[{"a": ' + "[" * 1_001 + "]" * 1_001 + "}]", "more than 1,000 values|not a JSON array"),
        ("[{}]", "Attestation 1 is not in the form of PEP 740"),
        ('[{"\ud800": "\ud800"}]', "Attestation 1 is not in the form of PEP 740"),
    ],
    ids=lambda text: text[:30],
)
def test_what_is_no_list_of_attestations(text: str, said: str) -> None:
    """An upload has one or two attestations, in bounded JSON."""
    with pytest.raises(InvalidAttestation, match=said):
        verify(text, filename=GITHUB.filename, sha256=GITHUB.sha256, publisher=GITHUB.publisher)


def test_one_of_a_type() -> None:
    """Two attestations of one type are one too many, sound as they are."""
    publish = GITHUB.documents()[0]
    with pytest.raises(InvalidAttestation, match="Both attestations are of type"):
        GITHUB.verify([publish, publish])


def test_one_log_entry() -> None:
    """A second log entry would be served without having been verified."""
    document = GITHUB.documents()[0]
    entry = value_at(document, ENTRY)
    for entries, said in (([entry, entry], "has 2 transparency log entries"), ([], "not in the form")):
        with pytest.raises(InvalidAttestation, match=said):
            GITHUB.verify([changed(document, ENTRY[:-1], entries)])


HOSTILE: list[Any] = [
    None, True, 0, -1, 2**70, 1.5, float("nan"), "", "0", "-1", str(2**63), "9" * 5_000, "\ud800", "=", "QUJD", [], {},
    [[]], "a\n\nb\n", "a\n1\n=\n\n\u2014 x AAAAAAAA\n", base64.b64encode(b"[" * 5_000).decode(),
]  # fmt: skip


def test_garbled_attestations_are_refused() -> None:
    """Whatever stands in the place of any value, or none, the answer is a refusal and never a fault."""
    document = GITHUB.documents()[0]
    held = []
    for place in places(document):
        for other in (without(document, place), *(changed(document, place, value) for value in HOSTILE)):
            try:
                GITHUB.verify([other])
            except InvalidAttestation:
                continue
            held.append(other)
    assert held == [document | {"version": True}]


@pytest.mark.parametrize("place", [("envelope", "statement"), (*MATERIAL, "certificate"), ENTRY], ids=str)
def test_garbled_bytes_are_refused(place: Path_) -> None:
    """The same for bytes all over certificate, statement and log entry."""
    document = GITHUB.documents()[0]
    place = (*place, "canonicalizedBody") if place == ENTRY else place
    for index in range(0, len(base64.b64decode(value_at(document, place))), 7):
        with pytest.raises(InvalidAttestation):
            GITHUB.verify([flipped(document, place, index)])


def test_strange_certificates_are_refused() -> None:
    """An unknown version, a negative serial number, broken lengths: refused too, where warnings are errors as well."""
    document = GITHUB.documents()[0]
    for index in range(40):
        for bits in (2, 4, 8, 0x80, 0xFF):
            with pytest.raises(InvalidAttestation):
                GITHUB.verify([flipped(document, (*MATERIAL, "certificate"), index, bits)])


def test_statements_are_of_one_file(monkeypatch: pytest.MonkeyPatch) -> None:
    """A signed statement still has to be of this file, alone, and of a type that PyPI takes."""
    said = statement_of(GITHUB.documents()[0])
    [subject] = said["subject"]
    assert stated(monkeypatch, said).attestations[0].subject == GITHUB.filename
    for statement, refusal in (
        (said | {"subject": [subject, subject]}, "is of 2 files instead of one"),
        (said | {"subject": []}, "does not hold: 'malformed in-toto statement"),
        (said | {"subject": [{**subject, "name": None}]}, "names no distribution"),
        (said | {"subject": [{**subject, "name": "../etc/passwd"}]}, "names no distribution"),
        (said | {"subject": [{**subject, "digest": {"sha512": "0" * 128}}]}, "is of a file with sha256 'None'"),
        (said | {"predicateType": "https://example.com/predicate/v1"}, "'https://example.com/predicate/v1', which"),
        (said | {"_type": "https://in-toto.io/Statement/v0.1"}, "malformed in-toto statement"),
        ({"subjects" if key == "subject" else key: value for key, value in said.items()}, "has no in-toto statement"),
        (b"not json", "malformed in-toto statement"),
    ):
        with pytest.raises(InvalidAttestation, match=refusal):
            stated(monkeypatch, statement)


def test_filenames_are_compared_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The order of a wheel's tags, and how its name is spelled, do not matter."""
    said = statement_of(GITHUB.documents()[0])
    said["subject"][0]["name"] = "Sample-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"
    wheel = "sample-1.0-cp311-cp311-manylinux2014_x86_64.manylinux_2_17_x86_64.whl"
    assert stated(monkeypatch, said, wheel).filename == wheel
    with pytest.raises(InvalidAttestation, match="is of the file"):
        stated(monkeypatch, said, "sample-1.0-cp312-cp312-manylinux2014_x86_64.manylinux_2_17_x86_64.whl")


def test_the_file_must_have_a_filename() -> None:
    """What is no distribution's filename has no attestations."""
    with pytest.raises(InvalidFilename):
        GITHUB.verify(filename="sample")


def test_missing_libraries_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the optional libraries the refusal says what to install, and nothing is believed."""
    assert available()
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert not available()
    with pytest.raises(InvalidSetting, match=r"install requirements-extras\.txt"):
        GITHUB.verify()


def test_a_moved_trusted_root_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version of the library, with its root elsewhere, is a refusal that says what to install."""
    monkeypatch.setattr(attestations, "_TRUSTED_ROOT", ("elsewhere", "trusted_root.json"))
    monkeypatch.setattr(attestations, "_verifier", attestations._verifier.__wrapped__)
    with pytest.raises(InvalidSetting, match=r"install requirements-extras\.txt"):
        GITHUB.verify()


def test_the_recordings_name_no_registry() -> None:
    """PyPI's hosts stand in no recording in plain text."""
    hosts = ["pypi" + ".org", "python" + "hosted.org"]
    for path in BUNDLES.iterdir():
        assert not [host for host in hosts if host in path.read_text().lower()], path
