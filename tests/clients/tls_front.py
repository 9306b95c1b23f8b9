"""HTTPS on loopback before a server that speaks HTTP: uv asks for trusted publishing in no other way."""

from __future__ import annotations

import datetime
import ipaddress
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_ADDRESS = ipaddress.ip_address("127.0.0.1")


@dataclass(frozen=True, slots=True)
class Front:
    """Where it listens, and the file with the certificate that vouches for it."""

    port: int
    ca_file: Path

    @property
    def url(self) -> str:
        """Its address, without a slash at the end."""
        return f"https://127.0.0.1:{self.port}"


@contextmanager
def tls_front(folder: Path, port: int) -> Iterator[Front]:
    """A front before the server on this port."""
    ca_file, own_file = _certificates(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own_file)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0.1)
        over = threading.Event()
        thread = threading.Thread(target=_accept, args=(listening, context, port, over), daemon=True)
        thread.start()
        try:
            yield Front(listening.getsockname()[1], ca_file)
        finally:
            over.set()
            thread.join()


def _accept(listening: socket.socket, context: ssl.SSLContext, port: int, over: threading.Event) -> None:
    while not over.is_set():
        try:
            plain, _ = listening.accept()
        except TimeoutError:
            continue
        threading.Thread(target=_serve, args=(plain, context, port, over), daemon=True).start()


def _serve(plain: socket.socket, context: ssl.SSLContext, port: int, over: threading.Event) -> None:
    """Carry bytes both ways until either side has done."""
    try:
        plain.settimeout(10)
        with (
            context.wrap_socket(plain, server_side=True) as client,
            socket.create_connection(("127.0.0.1", port)) as server,
        ):
            while not over.is_set():
                waiting = client.pending() > 0
                readable = [client] if waiting else select.select([client, server], [], [], 0.1)[0]
                for one in readable:
                    piece = one.recv(1 << 16)
                    if not piece:
                        return
                    (server if one is client else client).sendall(piece)
    except OSError:
        return  # one of them went away


def _certificates(folder: Path) -> tuple[Path, Path]:
    """A certificate authority, and a certificate of 127.0.0.1 with its key."""
    ca_key, own_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Tests")])
    ca = (
        _builder(ca_name, ca_name, ca_key.public_key())
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(ca_key, hashes.SHA256())
    )
    own = (
        _builder(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")]), ca_name, own_key.public_key())
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(_ADDRESS)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = own_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    ca_file, own_file = folder / "ca.pem", folder / "own.pem"
    ca_file.write_bytes(ca.public_bytes(pem))
    own_file.write_bytes(own.public_bytes(pem) + private)
    return ca_file, own_file


def _builder(subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey) -> x509.CertificateBuilder:
    now = datetime.datetime.now(datetime.UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
    )
