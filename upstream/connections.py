"""Connections to other indexes: to addresses that were checked, and cut off when the time is over."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import certifi
import urllib3
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

import outbound
from upstream.failures import CannotFetch

_POOLS = 64
_KEPT_CONNECTIONS = 64  # of each host: as many as there are fetches at once


class _Current(threading.local):
    deadline: Deadline | None = None


_current = _Current()


class Deadline:
    """Cuts off what one request reads when its time is over: a socket's timeout starts anew with each byte that comes.

    Connections that are opened or used by this thread while ``watching`` are in its charge, from their first byte on.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._is_over = False
        self._watched: list[socket.socket] = []
        self._lock = threading.Lock()
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True

    def __enter__(self) -> Deadline:
        self._timer.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Cut nothing off any more."""
        self._timer.cancel()
        with self._lock:
            for one in self._watched:
                one.close()
            self._watched.clear()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Take in charge what this thread connects to or asks meanwhile."""
        _current.deadline = self
        try:
            yield
        finally:
            _current.deadline = None

    def must_not_be_over(self) -> None:
        """Raises CannotFetch: what was read may have been cut off."""
        if self._is_over:
            raise CannotFetch(f"it took longer than {self._seconds:g} seconds")

    def watch(self, connected: socket.socket) -> None:
        """Take a connection in charge. Raises TimeoutError where the time is over already."""
        with self._lock:
            if self._is_over:
                raise TimeoutError("the time is over")
            # A handle of its own: TLS takes the socket itself over, and an answer that ends its connection closes it.
            self._watched.append(socket.fromfd(connected.fileno(), connected.family, connected.type))

    def _cut(self) -> None:
        with self._lock:
            self._is_over = True
            for one in self._watched:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:  # the other end was faster
                    continue


def _watch(connected: socket.socket | None) -> None:
    deadline = _current.deadline
    if deadline is not None and connected is not None:
        deadline.watch(connected)


@cache
def _tls() -> ssl.SSLContext:
    """Who is trusted: the system's authorities, to which a company adds its own, and the usual ones."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def connection_pools(
    resolver: outbound.Resolver, *, allow_private: bool, connect_seconds: float, proxy: str | None = None
) -> urllib3.PoolManager:
    """urllib3's pools, whose connections go where ``outbound`` lets them and are under a deadline.

    Through a ``proxy``, which the environment names, it is the proxy that looks names up.
    """

    def connected(host: str, port: int) -> socket.socket:
        private = allow_private or proxy is not None
        made = outbound.connect(host, port, allow_private=private, seconds=connect_seconds, resolver=resolver)
        try:
            _watch(made)
        except TimeoutError:
            made.close()
            raise
        return made

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            return connected(self.host.strip("[]"), self.port or 80)

        def request(self, *arguments: Any, **named: Any) -> None:
            _watch(self.sock)
            super().request(*arguments, **named)

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            return connected(self.host.strip("[]"), self.port or 443)

        def request(self, *arguments: Any, **named: Any) -> None:
            _watch(self.sock)
            super().request(*arguments, **named)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    options: dict[str, Any] = {"num_pools": _POOLS, "maxsize": _KEPT_CONNECTIONS, "ssl_context": _tls()}
    manager = urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)
    manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
    return manager
