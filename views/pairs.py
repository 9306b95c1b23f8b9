"""The addresses that all declared indexes share, where the pair of an index's name and secret says which is meant.

And browsers that came with such a pair: a cookie of theirs names a session, by which they read and upload at the
index's own address.
"""

from __future__ import annotations

import re
from typing import Any, Final

from flask import g, request, session

from auth import Peer
from database.journal import Actor
from errors import NotAuthenticated
from indexes.pairs import Pair, PairAuthenticator
from permissions import Identity
from views import services
from views.addressing import INDEX

ASKED: Final = "pypi.pair"  # in the environment of a request that a pair has to be sent with
_COOKIE: Final = "pair"
_READ: Final = re.compile(r"/(?:simple|packages|index_mtime)(?:/.*)?", re.DOTALL)
_UPLOADED_TO: Final = frozenset({"/", "/upload", "/upload/", "/legacy", "/legacy/"})


def pick_index(environ: dict[str, Any], pairs: PairAuthenticator) -> None:
    """Let a request to a shared address speak of the index that its pair names, and take its pair at an index's own
    address as well; whether the secret is right is asked later, by whoever asks for a right.
    """
    path, is_post = environ["PATH_INFO"], environ["REQUEST_METHOD"] == "POST"
    if not (_READ.fullmatch(path) or (is_post and path in _UPLOADED_TO)):
        return
    index = pairs.index_of(environ.get("HTTP_AUTHORIZATION"))
    if INDEX in environ:
        # At an index's own address people sign in, too: a pair is one that has that index's name.
        if index == environ[INDEX]:
            environ[ASKED] = True
        return
    environ[ASKED] = True
    if index is not None:
        environ[INDEX] = index


# -- browsers


def typed(name: str, secret: str, peer: Peer) -> Pair | None:
    """The pair that a form carries; None for one that is none, since a person may be called like an index.

    Raises TooManyAttempts.
    """
    pairs = services().pairs
    if pairs is None or not pairs.declares(name):
        return None
    try:
        return pairs.check(name, secret, peer)
    except NotAuthenticated:
        return None


def signed_in() -> Pair | None:
    """The pair with which this browser came, if it still stands. Looked up once a request."""
    if "pair" not in g:
        g.pair = _signed_in()
    found: Pair | None = g.pair
    return found


def _signed_in() -> Pair | None:
    pairs, secret = services().pairs, session.get(_COOKIE)
    pair = services().pair_sessions.pair(secret) if pairs is not None and secret else None
    return pair if pair is not None and pairs is not None and pairs.stands(pair) else None


def identity_of_browser() -> Identity | None:
    """What this browser may by the pair that it came with; None for one that came with none."""
    pairs, pair = services().pairs, signed_in()
    return pairs.identity(pair) if pairs is not None and pair is not None else None


def start(pair: Pair, by: Actor) -> None:
    """Sign a browser in that is signed in no more."""
    agent = request.headers.get("User-Agent", "")
    session[_COOKIE] = services().pair_sessions.sign_in(pair, by=by, agent=agent)
    session.permanent = True
    g.pair = pair


def end(by: Actor) -> None:
    """Forget the pair, here and on the server."""
    secret = session.pop(_COOKIE, None)
    g.pair = None
    if secret:
        services().pair_sessions.sign_out(secret, by=by)
