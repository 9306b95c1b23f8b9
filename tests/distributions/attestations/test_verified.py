"""Real attestations hold, without anything else than this server, and what was verified is told."""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from distributions import attestations
from distributions.attestations import available
from errors import InvalidSetting
from tests.conftest import ROOT
from tests.distributions.attestations.recorded import (
    BUNDLES,
    GITHUB,
    GOOGLE,
    HELD,
    SLSA,
    Upload,
    statement_of,
)


@pytest.mark.parametrize("upload", HELD, ids=lambda one: one.publisher["kind"])
def test_real_attestations_hold(upload: Upload, caplog: pytest.LogCaptureFixture) -> None:
    """What a publisher of each kind attested is verified, without a word in the log."""
    caplog.set_level(logging.WARNING)
    verified = upload.verify()
    assert [one.subject for one in verified.attestations] == [upload.filename] * len(upload.bundles)
    stated = [statement_of(one)["predicateType"] for one in upload.documents()]
    assert [one.predicate_type for one in verified.attestations] == stated
    assert caplog.records == []


def test_each_attestation_holds_alone() -> None:
    """A publish attestation or an SLSA provenance is enough."""
    publish, slsa = GITHUB.documents()
    assert GITHUB.verify([slsa]).attestations[0].predicate_type == SLSA
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
