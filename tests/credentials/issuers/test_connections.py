"""How an issuer is connected to: with a certificate that holds, no password, and the deadline on every way."""

from __future__ import annotations

from pathlib import Path

import pytest

from credentials import issuer_keys
from credentials.issuers import Issuers
from errors import IssuerUnavailable
from tests.conftest import free_port
from tests.credentials.issuers.verifying import verify
from tests.credentials.mock_issuer import DISCOVERY, JWKS, Answer, MockIssuer, mock_issuer, self_signed


def test_https_with_a_trusted_certificate(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Over https nothing has to be allowed; the environment may name a company's own authority."""
    file = self_signed(tmp_path)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    with mock_issuer(file) as issuer:
        assert issuer.url.startswith("https:")
        assert verify(Issuers(), issuer, issuer.token())
        issuer.answers[JWKS] = Answer(drip=True)
        with pytest.raises(IssuerUnavailable, match="longer than"):
            verify(Issuers(seconds=0.5), issuer, issuer.token())
        issuer.discovery["jwks_uri"] = issuer.url.replace("https:", "http:") + JWKS
        with pytest.raises(IssuerUnavailable, match="jwks_uri"):
            verify(Issuers(), issuer, issuer.token())


@pytest.mark.parametrize("trusted", [False, True])
def test_https_with_a_wrong_certificate(trusted: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A certificate that nobody vouches for, or that is another host's, is not accepted."""
    file = self_signed(tmp_path, "127.0.0.2" if trusted else "127.0.0.1")
    if trusted:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(file))
    with mock_issuer(file) as issuer:
        with pytest.raises(IssuerUnavailable, match="does not answer"):
            verify(Issuers(), issuer, issuer.token())
        assert not issuer.counts


def test_this_machine_is_asked_without_a_proxy(
    issuers: Issuers, issuer: MockIssuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that the environment names is for others."""
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert verify(issuers, issuer, issuer.token())


def test_passwords_of_netrc_are_not_sent(
    issuers: Issuers, issuer: MockIssuer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What the account that runs the server keeps in ~/.netrc is nobody's business."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    with issuer_keys.Deadline(5) as deadline, issuer_keys._session(deadline) as session:
        answer = session.get(issuer.url + DISCOVERY, proxies={"http": ""})
    assert "Authorization" not in answer.request.headers


def test_proxies_do_not_lead_around_the_deadline(issuer: MockIssuer) -> None:
    """A connection through a proxy is cut off in time as well."""
    issuer.answers["http://ci.example.com/"] = Answer(drip=True)
    with issuer_keys.Deadline(0.3) as deadline, issuer_keys._session(deadline) as session:
        session.proxies = {"http": issuer.url}
        with pytest.raises(issuer_keys.CannotUse, match="longer than"):
            issuer_keys._get_json(session, deadline, "http://ci.example.com/")
