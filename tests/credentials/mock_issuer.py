"""An OpenID Connect issuer on loopback, over real HTTP: it signs tokens, and misbehaves when it is told to.

``with mock_issuer() as issuer:`` gives one. Its address is plain http, which ``Issuers`` takes of this machine alone.
"""

from __future__ import annotations

import json
import ssl
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BufferedIOBase
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

AUDIENCE = "pypi-clone"
DISCOVERY = "/.well-known/openid-configuration"
JWKS = "/jwks"
PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@cache
def rsa_key(number: int, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The ``number``-th RSA key of this run; they take long to make, so they are made once."""
    return rsa.generate_private_key(65537, bits)


@cache
def ec_key(number: int) -> ec.EllipticCurvePrivateKey:
    """The ``number``-th P-256 key of this run."""
    return ec.generate_private_key(ec.SECP256R1())


def public_jwk(key: PrivateKey, key_id: str, algorithm: str) -> dict[str, Any]:
    """The public half of a key as a member of a JSON Web Key Set."""
    public = key.public_key()
    if isinstance(public, rsa.RSAPublicKey):
        member = RSAAlgorithm.to_jwk(public, as_dict=True)
    else:
        member = ECAlgorithm.to_jwk(public, as_dict=True)
    member.pop("key_ops", None)
    return {**member, "kid": key_id, "alg": algorithm, "use": "sig"}


def public_pem(key: PrivateKey) -> bytes:
    """The public half of a key as text."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def self_signed(folder: Path, address: str = "127.0.0.1") -> Path:
    """A file with a key and a certificate for an address, which nobody trusts yet."""
    key, now = ec_key(1000), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mock issuer")])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = folder / f"{address}.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + made.public_bytes(Encoding.PEM))
    return file


@dataclass
class Answer:
    """What to answer at an address instead of the truth. ``drip``: a byte at a time, headers too, and never the end."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)
    drip: bool = False


@dataclass
class MockIssuer:
    """The issuer. What it is to say may be changed at any time; ``counts`` are the requests by path."""

    url: str = ""
    discovery: dict[str, Any] = field(default_factory=dict)
    keys: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[str, Answer] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    is_down: bool = False
    # Cleared, it lets every answer wait; ``asked`` is set when a request has come.
    gate: threading.Event = field(default_factory=threading.Event)
    asked: threading.Event = field(default_factory=threading.Event)
    generation: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def rotate(self, *, keep_old: bool = False) -> None:
        """New keys under new names; the old ones are withdrawn, or published for a while yet."""
        self.generation += 1
        fresh = [public_jwk(self.key(name), self.key_id(name), name) for name in ("RS256", "ES256")]
        self.keys = [*fresh, *(self.keys if keep_old else [])]

    def key(self, algorithm: str = "RS256") -> PrivateKey:
        """The private key that signs now."""
        return rsa_key(self.generation) if algorithm.startswith(("RS", "PS")) else ec_key(self.generation)

    def key_id(self, algorithm: str = "RS256") -> str:
        """The name of the key that signs now."""
        return f"{'rsa' if algorithm.startswith(('RS', 'PS')) else 'ec'}-{self.generation}"

    def claims(self, **claims: Any) -> dict[str, Any]:
        """What every token says, and ``claims``; None takes a claim away."""
        now = int(time.time())
        usual = {"iss": self.url, "aud": AUDIENCE, "sub": "somebody", "jti": uuid.uuid4().hex}
        times = {"iat": now, "nbf": now - 5, "exp": now + 300}
        return {name: value for name, value in {**usual, **times, **claims}.items() if value is not None}

    def token(
        self,
        *,
        algorithm: str = "RS256",
        kid: str | None = None,
        key: Any = None,
        headers: dict[str, Any] | None = None,
        **claims: Any,
    ) -> str:
        """A signed token with the usual claims and ``claims``; None takes a claim away. ``kid=""``: without a name."""
        named = {"kid": self.key_id(algorithm) if kid is None else kid, **(headers or {})}
        if named["kid"] == "":
            del named["kid"]
        signer: Any = (self.key(algorithm) if key is None else key) or None
        return jwt.encode(self.claims(**claims), signer, algorithm, headers=named)

    def github_claims(
        self, repository: str = "acme/tool", workflow: str = "release.yml", ref: str = "refs/tags/v1.0", **claims: Any
    ) -> dict[str, Any]:
        """What GitHub says of a job, for ``token(**issuer.github_claims())``; None takes a claim away."""
        said = {
            "sub": f"repo:{repository}:ref:{ref}",
            "repository": repository,
            "repository_id": "4711",
            "repository_owner": repository.split("/", maxsplit=1)[0],
            "repository_owner_id": "65",
            "job_workflow_ref": f"{repository}/.github/workflows/{workflow}@{ref}",
            "workflow_ref": f"{repository}/.github/workflows/{workflow}@{ref}",
            "ref": ref,
            "ref_type": "tag",
            "sha": "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d",
            "event_name": "push",
            "actor": "octavia",
            "run_id": "17",
        }
        return {**said, **claims}

    def gitlab_claims(
        self,
        project_path: str = "acme/tool",
        workflow_filepath: str = ".gitlab-ci.yml",
        ref_path: str = "refs/tags/v1.0",
        **claims: Any,
    ) -> dict[str, Any]:
        """What GitLab says of a job, for ``token(**issuer.gitlab_claims())``; None takes a claim away."""
        said = {
            "sub": f"project_path:{project_path}:ref_type:tag:ref:{ref_path.rpartition('/')[2]}",
            "project_path": project_path,
            "project_id": "20",
            "namespace_path": project_path.rpartition("/")[0],
            "ci_config_ref_uri": f"{self.url.partition('://')[2]}/{project_path}//{workflow_filepath}@{ref_path}",
            "ref_path": ref_path,
            "sha": "7fd1a60b01f91b314f59955a4e4d4e80d8edf11d",
            "pipeline_source": "push",
        }
        return {**said, **claims}

    def answer_to(self, path: str) -> Answer:
        """What is said at an address."""
        if path in self.answers:
            return self.answers[path]
        if path == DISCOVERY:
            return Answer(body=json.dumps(self.discovery).encode())
        if path == JWKS:
            return Answer(body=json.dumps({"keys": self.keys}).encode())
        return Answer(status=404)


def drip(wfile: BufferedIOBase, over: threading.Event) -> None:
    """Answer a byte at a time, with a header that never ends."""
    try:
        wfile.write(b"HTTP/1.0 200 OK\r\nX-Long: ")
        while not over.wait(0.02):
            wfile.write(b"x")
    except OSError:  # the reader has had enough
        return


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, issuer: MockIssuer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.issuer = issuer


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        issuer = self.server.issuer
        issuer.counts[self.path] += 1
        issuer.asked.set()
        issuer.gate.wait()
        if issuer.is_down:
            return  # closed without a word
        answer = issuer.answer_to(self.path)
        if answer.drip:
            drip(self.wfile, issuer.over)
            return
        self.send_response(answer.status)
        for name, value in {"Content-Length": str(len(answer.body)), **answer.headers}.items():
            self.send_header(name, value)
        try:
            self.end_headers()
            self.wfile.write(answer.body)
        except OSError:  # the reader has had enough
            return

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
        """Say nothing."""


@contextmanager
def mock_issuer(certificate: Path | None = None) -> Iterator[MockIssuer]:
    """An issuer that answers truly; it is gone at the end. With a ``certificate``, it speaks https."""
    issuer = MockIssuer()
    with _Server(issuer) as server:
        issuer.url = f"{'https' if certificate else 'http'}://127.0.0.1:{server.server_port}"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(server.socket, server_side=True)
        issuer.discovery = {
            "issuer": issuer.url,
            "jwks_uri": issuer.url + JWKS,
            "authorization_endpoint": issuer.url + "/authorize",
            "token_endpoint": issuer.url + "/token",
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
        }
        issuer.gate.set()
        issuer.rotate()
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield issuer
        finally:
            issuer.over.set()
            issuer.gate.set()
            server.shutdown()
            thread.join()
