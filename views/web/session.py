"""Signed-in browsers: Flask-Login over session rows, so that a copied cookie is worth nothing after signing out."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

from flask import Flask, Response, g, request, session
from flask_login import LoginManager, UserMixin, current_user, login_user, logout_user

from config import Settings
from database.accounts import Account
from database.journal import Actor
from database.sessions import SessionRow
from errors import Forbidden, NotAuthenticated, Unavailable
from permissions import Identity
from views import pairs, services
from views.guards import actor, actor_named


class Person(UserMixin):  # type: ignore[misc]
    """A signed-in person. Flask-Login keeps ``get_id()`` in the cookie: the secret of the session's row."""

    def __init__(self, row: SessionRow, secret: str) -> None:
        self.row = row
        self.account = row.account
        self._secret = secret

    def get_id(self) -> str:
        """The secret of the session."""
        return self._secret


class _Logins(LoginManager):  # type: ignore[misc]
    """Flask-Login without its remember cookie, whose look at the session would make every answer vary by cookie."""

    def _update_remember_cookie(self, response: Response) -> Response:
        return response


def login_manager(app: Flask) -> None:
    """Set Flask-Login up."""
    app.config["REMEMBER_COOKIE_NAME"] = None
    logins = _Logins()
    logins.session_protection = None  # people's addresses change; the row on the server is what binds
    logins.init_app(app, add_context_processor=False)

    @logins.user_loader  # type: ignore[untyped-decorator]
    def load(secret: str) -> Person | None:
        found = services().sessions.session(secret)
        if found is None or not services().authenticator.identities.stands(found.account):
            return None
        return Person(found, secret)


def configure_cookies(app: Flask, settings: Settings) -> None:
    """The one cookie. Over HTTPS its ``__Host-`` name keeps it from being set by a neighbour domain or plain HTTP."""
    secure = settings.base_url.startswith("https://")
    app.config.update(
        SESSION_COOKIE_NAME="__Host-sid" if secure else "sid",
        SESSION_COOKIE_SECURE=secure,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        SESSION_COOKIE_DOMAIN=None,
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(days=settings.auth_session_days),
    )


def has_accounts() -> bool:
    """Whether people can sign in: authentication is on."""
    return services().settings.auth_enabled


def viewer() -> Account | None:
    """The person for whom this page is drawn: whom ``guards.identity`` named, else who is signed in with this browser.

    It asks for no credential again: a wrong one would count twice. None as well while the database cannot be asked:
    the page that says so must not need it.
    """
    if not has_accounts():
        return None
    known: Identity | None = g.get("identity")
    try:
        if known is not None and "Authorization" in request.headers:
            return services().accounts.user(known.username) if known.username else None
        return cast("Account", current_user.account) if current_user.is_authenticated else None
    except Unavailable:
        return None


def index_of_pair() -> str:
    """The index whose name and secret this browser came with; "" for any other, and while that cannot be asked."""
    try:
        pair = pairs.signed_in()
    except Unavailable:
        return ""
    return pair.index if pair is not None else ""


def person() -> Account:
    """The signed-in person as they are now.

    Raises NotAuthenticated where nobody is signed in, and Forbidden for a request that names somebody in its header,
    too: the right was judged by that one, who need not be the one of the browser.
    """
    if "Authorization" in request.headers:
        raise Forbidden("Only a browser that is signed in does this; sign in, and send no Authorization header.")
    if not current_user.is_authenticated:
        raise NotAuthenticated("This needs a browser that is signed in; sign in first.")
    return services().users.account(current_user.account.username)


def start(account: Account, method: str) -> None:
    """Sign a person in, who proved it by ``method``, under a new session: what an earlier one held, and its cookie,
    are void.
    """
    manager = services().sessions
    by = actor_named(account.username)
    _end_row(by)
    pairs.end(by)
    session.clear()
    secret = manager.sign_in(account, method, by=by, agent=request.headers.get("User-Agent", ""))
    session.permanent = True
    row = manager.session(secret)
    if row is not None:
        login_user(Person(row, secret))


def end() -> None:
    """Sign the browser out, here and on the server."""
    by = actor()
    if current_user.is_authenticated:
        _end_row(by)
        logout_user()
    pairs.end(by)
    session.clear()


def _end_row(by: Actor) -> None:
    if current_user.is_authenticated:
        services().sessions.sign_out(current_user.get_id(), by=by)
