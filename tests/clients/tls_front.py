"""HTTPS on loopback before a server that speaks HTTP: uv asks for trusted publishing in no other way."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.certificates import make_certificates


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
    ca_file, own_file = make_certificates(folder, "127.0.0.1")
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
