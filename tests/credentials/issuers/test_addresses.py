"""Which addresses are asked: those of issuers that were named, encrypted, and never one of metadata (S133)."""

from __future__ import annotations

import json
import socket

import pytest

from credentials import issuer_keys
from credentials.issuers import Issuers
from errors import InvalidRequest, IssuerUnavailable
from tests.credentials.issuers.verifying import verify
from tests.credentials.mock_issuer import AUDIENCE, DISCOVERY, JWKS, Answer, MockIssuer, mock_issuer


def test_keys_are_not_fetched_from_anywhere(issuers: Issuers, issuer: MockIssuer) -> None:
    """The jwks_uri has the issuer's scheme, over plain http its host too, and is never an address of metadata."""
    with mock_issuer() as other:
        addresses = [
            "file:///etc/passwd",
            "ftp://127.0.0.1/keys",
            issuer.url.replace("http:", "https:") + JWKS,
            other.url + JWKS,
            "http://169.254.169.254/keys",
            "http://[::ffff:169.254.169.254]/keys",
            f"http://user:password@{issuer.url.partition('//')[2]}{JWKS}",
            JWKS,
            None,
            ["x"],
        ]
        for address in addresses:
            issuer.discovery["jwks_uri"] = address
            with pytest.raises(IssuerUnavailable, match="jwks_uri"):
                verify(Issuers(), issuer, issuer.token())
        assert not other.counts
        assert set(issuer.counts) == {DISCOVERY}


def test_issuer_with_a_folder_and_a_slash(issuers: Issuers, issuer: MockIssuer) -> None:
    """An issuer's name may have a path, and end in a slash that discovery leaves out."""
    named = f"{issuer.url}/realms/acme/"
    document = {**issuer.discovery, "issuer": named}
    issuer.answers["/realms/acme" + DISCOVERY] = Answer(body=json.dumps(document).encode())
    token = issuer.token(iss=named)
    assert issuers.verify(token, issuer=named, audience=AUDIENCE)["iss"] == named


def test_plain_http_is_taken_of_this_machine_alone(issuer: MockIssuer) -> None:
    """Elsewhere anybody on the way could give us keys."""
    issuers = Issuers()
    with pytest.raises(InvalidRequest, match="use https"):
        issuers.check("http://ci.example.com")
    issuers.check("https://ci.example.com")
    assert not issuers._known
    assert verify(issuers, issuer, issuer.token())


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ci.example.com",
        "file:///etc/passwd",
        "gopher://ci.example.com",
        "https://",
        "https:///path",
        "https://user:password@ci.example.com",
        "https://ci.example.com?x=1",
        "https://ci.example.com/#x",
        "https://ci.example.com:0",
        "https://ci.example.com:99999",
        "https://ci example.com",
        "https://ci.example.com/\r\nHost: x",
        "https://é.example.com",
        "https://[::1",
        "https://[::g]",
        "https://169.254.169.254",
        "https://[::ffff:169.254.169.254]/",
        "https://[fe80::1]",
        "https://0.0.0.0",
        "https://224.0.0.1",
        "https://ci.example.com/" + "x" * 300,
    ],
)
def test_addresses_that_are_no_issuers(address: str) -> None:
    """S133: what is not a host's https address, or is one of metadata, is refused when it is given."""
    with pytest.raises(InvalidRequest):
        Issuers().check(address)


@pytest.mark.parametrize("address", ["169.254.169.254", "fe80::1", "0.0.0.0", "::ffff:169.254.169.254"])
def test_names_that_lead_to_metadata(address: str) -> None:
    """S133: also a name that leads there, or begins to after it was saved, is noticed when the connection stands."""

    class Connected(socket.socket):
        def getpeername(self) -> tuple[str, int]:
            return (address, 443)

    with issuer_keys.Deadline(5) as deadline, Connected() as connection:
        with pytest.raises(OSError, match="is not used"):
            deadline.watch(connection)
        assert connection.fileno() == -1
