"""What a browser is asked for, and in whose name."""

from __future__ import annotations

import json

import pytest
from webauthn.helpers import bytes_to_base64url

from credentials.passkeys import authentication_options, new_challenge, registration_options, relying_party
from errors import InvalidRequest
from tests.credentials.passkeys.device import CHALLENGE, ORIGIN, RP_ID


def test_challenges_differ() -> None:
    """Each has 256 random bits."""
    made = {new_challenge() for _ in range(50)}
    assert len(made) == 50
    assert {len(challenge) for challenge in made} == {32}


def test_registration_options_say_what_is_wanted() -> None:
    """Verification required, a discoverable passkey preferred, no attestation, and none that is there already."""
    options = json.loads(registration_options(RP_ID, "Packages", b"\x07" * 16, "alice", [b"one", b"two"], CHALLENGE))
    assert options["rp"] == {"id": RP_ID, "name": "Packages"}
    assert options["user"] == {"id": bytes_to_base64url(b"\x07" * 16), "name": "alice", "displayName": "alice"}
    assert options["challenge"] == bytes_to_base64url(CHALLENGE)
    assert options["authenticatorSelection"]["userVerification"] == "required"
    assert options["authenticatorSelection"]["residentKey"] == "preferred"
    assert options["attestation"] == "none"
    assert [one["id"] for one in options["excludeCredentials"]] == [bytes_to_base64url(one) for one in (b"one", b"two")]
    assert options["timeout"] == 300_000


def test_authentication_options_say_what_is_wanted() -> None:
    """Verification required; any passkey of this server, or those that are named."""
    options = json.loads(authentication_options(RP_ID, CHALLENGE))
    assert (options["rpId"], options["userVerification"], options["allowCredentials"]) == (RP_ID, "required", [])
    options = json.loads(authentication_options(RP_ID, CHALLENGE, [b"one"]))
    assert [one["id"] for one in options["allowCredentials"]] == [bytes_to_base64url(b"one")]


@pytest.mark.parametrize(
    ("url", "rp_id", "origin"),
    [
        ("https://index.example.com", RP_ID, ORIGIN),
        ("https://Index.Example.com:443/packages/", RP_ID, ORIGIN),
        ("https://index.example.com:8443", RP_ID, ORIGIN + ":8443"),
        ("https://bücher.example", "xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("http://localhost:8080/", "localhost", "http://localhost:8080"),
        ("http://index.localhost", "index.localhost", "http://index.localhost"),
        ("https://intranet", "intranet", "https://intranet"),
    ],
)
def test_the_relying_party_is_the_address_s(url: str, rp_id: str, origin: str) -> None:
    """The id is the host name, the origin as browsers write it: lower case, no usual port, no path."""
    assert relying_party(url) == (rp_id, origin)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://index.example.com", "over HTTPS only"),
        ("http://localhost.example.com", "over HTTPS only"),
        ("http://127.0.0.1:8080", "not to an IP address"),
        ("https://192.0.2.1", "not to an IP address"),
        ("https://[2001:db8::1]:8443", "not to an IP address"),
        ("", "not an address"),
        ("index.example.com", "not an address"),
        ("ftp://index.example.com", "not an address"),
        ("https://index.example.com:99999", "not an address"),
        ("https://" + "a" * 80 + ".example", "not an address"),
        ("https://[", "not an address"),
    ],
)
def test_where_browsers_have_no_passkeys_it_is_said(url: str, why: str) -> None:
    """An IP address, plain HTTP elsewhere than on this machine, and what is no address at all."""
    with pytest.raises(InvalidRequest, match=why):
        relying_party(url)
