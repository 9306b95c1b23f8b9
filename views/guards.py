"""Who is asking, and may they: what stands before every view.

A view names the permission that it needs with ``requires``; a test walks the routes and finds none without.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar, cast
from urllib.parse import urlsplit

from flask import current_app, g, request
from flask_login import current_user
from packaging.utils import NormalizedName
from werkzeug.routing import RequestRedirect

from auth import Peer
from config import Settings
from credentials.throttle import plain_address
from database.journal import ANONYMOUS, Actor
from distributions.filenames import check_project_name
from errors import Forbidden, InvalidName, NotAuthenticated, ProofNeeded, UnknownIndex
from identities import place_of
from indexes.assembly import IndexServices
from permissions import READING, Identity, Permission, Where, allows, why_not
from views import pairs, services, this_index
from views.addressing import index_named

_SIGNED_OUT = "You were signed out meanwhile; sign in again, then repeat this."
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
View = TypeVar("View", bound=Callable[..., Any])


def requires(
    permission: Permission | None,
    *,
    project: str = "",
    proved: bool = False,
    asked_inside: bool = False,
    names_index: bool = False,
) -> Callable[[View], View]:
    """Declare what a view needs; None for one that anybody may ask, such as the login page.

    ``project`` is the argument of the view that names a project, where the right is one to that project. ``proved``
    asks of a signed-in browser that its person proved not long ago who they are. ``asked_inside`` is for a view that
    asks for the permission itself, by ``must``; ``names_index`` for one that learns of which index it speaks otherwise
    than from its address, so that it is at the server's own address only. It is asked before anything is looked up, so
    that a name that is there and one that is not are answered alike.
    """

    def declare(view: View) -> View:
        @functools.wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            if permission is not None and not asked_inside:
                must(permission, project_named(kwargs[project]) if project else None)
            if proved:
                must_have_proved()
            return view(*args, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined]
        guarded.project_argument = project  # type: ignore[attr-defined]
        guarded.proved = proved  # type: ignore[attr-defined]
        guarded.names_index = names_index  # type: ignore[attr-defined]
        return cast("View", guarded)

    return declare


def project_named(text: str) -> NormalizedName | None:
    """The project that a path speaks of; None for what is no name at all, which nobody has a right to."""
    try:
        return check_project_name(text)
    except InvalidName:
        return None


def must(permission: Permission, project: NormalizedName | None = None, *, index: str | None = None) -> Identity:
    """The asker, who may do this, on the index of this request or on another one.

    Raises NotAuthenticated for nobody, Forbidden for somebody without the right, UnknownIndex for administrators.
    """
    asker = identity()
    place = where(permission, project, index)
    if allows(asker, permission, place):
        if permission in READING and project is not None and index is None:
            ask_owner(project, permission)
        return asker
    if not services().settings.auth_enabled:
        raise Forbidden(
            "This server runs without authentication, so it has no accounts; start it with --auth (or PYPI_AUTH=true)."
        )
    if not asker.is_known:
        raise NotAuthenticated("This needs a login; send a username and password, or a token.")
    raise Forbidden(why_not(asker, permission, place))


def must_have_proved() -> None:
    """Raises ProofNeeded for a session whose person proved who they are too long ago to change what matters."""
    if not identity().by_session:
        return
    longest = timedelta(minutes=services().settings.auth_recent_minutes)
    if datetime.now(UTC) - current_user.row.proved > longest:
        raise ProofNeeded("It is a while since you proved who you are; do it again, then repeat this.")


def where(permission: Permission, project: NormalizedName | None, named: str | None = None) -> Where:
    """The place that is asked about, on the index of this request or on one that is named.

    Reading is judged by index, so nothing of the project need be known.
    An index that is not there is a closed one to all but administrators, so that nobody learns which there are.
    """
    try:
        index = this_index() if named is None else services().at(named)
    except UnknownIndex:
        name = index_named(request.environ) if named is None else named
        if not services().settings.auth_enabled or identity().is_admin:
            raise
        return Where(name, project, closed=True)
    if project is None or permission in READING:
        return Where(index.name, project, closed=index.is_closed)
    ground = services().readers.rights.ground(index.name, project)
    return place_of(index.name, project, ground, closed=index.is_closed)


def may_read(index: IndexServices, permission: Permission, project: str | None = None) -> bool:
    """Whether the asker may read another index: each one below an index is asked for itself."""
    return allows(identity(), permission, Where(index.name, project, closed=index.is_closed))


def is_for_everybody(permission: Permission) -> bool:
    """Whether anybody may do this on the index of this request and on the one that owns its project: only then may a
    cache on the way keep the answer.
    """
    concerned = services().at(index_named(request.environ)), this_index()
    return not any(services().is_private(index, permission) for index in concerned)


def ask_owner(project: NormalizedName, permission: Permission) -> None:
    """Let what answers this request speak of the index that owns the project, where that is one below this one.

    Pages for people are at the owner's own address. The simple pages and files ask for themselves, upstreams too.
    A project of an index that the asker may not read is answered in every way as one that nobody has.
    """
    if request.blueprint in {"simple", "files"}:
        return
    index = this_index()
    owner = index.reader.owner(project)
    if owner is None or owner.name == index.name:
        return
    found = services().at(owner.name)
    if not may_read(found, permission, project):
        return  # this index does not hold it: to this asker it is a name like any that nobody has
    if request.blueprint == "web":
        values: dict[str, Any] = dict(request.view_args or {})
        url = current_app.url_for(request.endpoint or "", _index=owner.name, **values)
        query = request.query_string.decode("ascii", "replace")
        moved = RequestRedirect(f"{url}?{query}" if query else url)
        moved.code = 302  # whose the project is may change
        raise moved
    g.owner = found


def may_list(project: NormalizedName) -> bool:
    """Whether the asker may know of a project."""
    return allows(identity(), Permission.LIST, where(Permission.LIST, project))


def lists_index() -> bool:
    """Whether the asker may list the whole index; a token for some projects may not, whose right ends at their names.

    To be asked before an answer about one project tells of others.
    """
    return allows(identity(), Permission.LIST, Where(this_index().name, closed=this_index().is_closed))


def identity() -> Identity:
    """Who is asking: by Authorization header, else by session where the page takes sessions. Checked once a request."""
    known: Identity | None = g.get("identity")
    if known is None:
        known = g.identity = _identify()
        request.environ["pypi.user"] = known.username or "-"  # for the log line
    return known


def _identify() -> Identity:
    authenticator = services().authenticator
    header = request.headers.get("Authorization")
    if header is None and takes_session() and authenticator.enabled:
        if current_user.is_authenticated:
            return authenticator.identities.by_session(current_user.row)
        return pairs.identity_of_browser() or by_header()
    return by_header()


def who_asks() -> str:
    """What tells this asker from the others where something is shared out: a person's name, else an address."""
    return identity().username or peer().address


def asked_anew() -> Identity:
    """Who is asking as of now, by their header or by their session as it stands. Raises NotAuthenticated."""
    asker = identity()
    if asker.by_pair and "Authorization" not in request.headers:
        return _pair_asked_anew()
    if not asker.by_session:
        return by_header()
    row = services().sessions.session(current_user.get_id())
    if row is None or not services().authenticator.identities.stands(row.account):
        raise NotAuthenticated(_SIGNED_OUT)
    return services().authenticator.identities.by_session(row)


def _pair_asked_anew() -> Identity:
    g.pop("pair", None)
    found = pairs.identity_of_browser()
    if found is None:
        raise NotAuthenticated(_SIGNED_OUT)
    return found


def by_header() -> Identity:
    """Who is asking by the Authorization header as of now. Raises NotAuthenticated."""
    header, writing = request.headers.get("Authorization"), request.method not in SAFE_METHODS
    of_pairs = services().pairs
    if of_pairs is not None and pairs.ASKED in request.environ:
        return of_pairs.authenticate(header, peer(), writing=writing)
    found = services().authenticator.authenticate(header, peer(), writing=writing)
    if found.token is not None and found.publisher is None:
        services().tokens.note_use(found.token, peer().address)
    return found


def takes_session() -> bool:
    """Whether a browser's cookie counts here: on pages for people and what they link to for reading, never for uploads,
    installers and API writes.
    """
    if request.blueprint == "web":
        return True
    return request.method in SAFE_METHODS and (request.path.startswith("/api/") or request.blueprint == "feeds")


def peer() -> Peer:
    """Where the request came from, with trusted proxies looked through."""
    return peer_of(request.environ, services().settings)


def peer_of(environ: Mapping[str, Any], settings: Settings) -> Peer:
    """The client's address: the last one in X-Forwarded-For that is no trusted proxy, if the sender is one."""
    address = plain_address(str(environ.get("REMOTE_ADDR") or ""))
    forwarded_for = environ.get("HTTP_X_FORWARDED_FOR")
    forwarded = forwarded_for is not None or "HTTP_FORWARDED" in environ or "HTTP_X_REAL_IP" in environ
    if forwarded_for and is_trusted(address, settings):
        for hop in reversed([plain_address(part) for part in forwarded_for.split(",")]):
            address = hop
            if not is_trusted(hop, settings):
                break
    return Peer(address, forwarded, named_locally=is_local_name(str(environ.get("HTTP_HOST", ""))))


def is_local_name(host: str) -> bool:
    """Whether a Host header names this machine itself: localhost, 127.0.0.1 and the like, with or without a port."""
    name = host.lower().rpartition("]")[0].lstrip("[") if host.startswith("[") else host.lower().partition(":")[0]
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def is_trusted(address: str, settings: Settings) -> bool:
    """Whether this is the address of a trusted proxy."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(found in network for network in settings.proxy_networks)


def actor() -> Actor:
    """The asker as the journal names them."""
    asker = identity()
    return actor_named(asker.username or ANONYMOUS, asker.token)


def actor_named(name: str, token: str | None = None) -> Actor:
    """Somebody who is not, or not yet, the asker, as the journal names them: this is their request."""
    return Actor(name, token, peer().address, request.environ.get("pypi.request_id"))


def refuse_cross_site() -> None:
    """Refuse an unsafe request that a page of another site makes in somebody's browser, whatever credential it carries.

    Browsers say where a request comes from in Sec-Fetch-Site, or at least in Origin; other clients send neither.
    Raises Forbidden.
    """
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        foreign = site not in {"same-origin", "none"}
    else:
        origin = request.headers.get("Origin")
        foreign = origin is not None and urlsplit(origin).netloc.lower() not in own_hosts()
    if foreign:
        raise Forbidden("A page of another site sent this request; open this server's own page and try there.")


def own_hosts() -> set[str]:
    """The host names, with ports, under which this request may speak of this server."""
    hosts = {request.environ.get("HTTP_HOST", "").lower()}
    base = services().settings.base_url
    return hosts | {urlsplit(base).netloc.lower()} if base else hosts
