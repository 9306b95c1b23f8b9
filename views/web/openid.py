"""Signing in with an OpenID provider: there and back (authorization code with PKCE)."""

from __future__ import annotations

from flask import redirect, request
from flask import session as browser
from werkzeug.wrappers import Response as AnyResponse

from credentials.openid import OpenIdProvider, Started
from errors import Forbidden, NotFound
from people.directories import OPENID
from views import services
from views.guards import actor_named, requires
from views.web import blueprint, session
from views.web.login import go_on, must_have_accounts, unkept
from views.web.urls import absolute, safe_next

_CALLBACK = "web.end_openid"
_TICKET = "openid"  # in the browser's session: whoever comes back must be who went


@blueprint.get("/login/openid")
@requires(None)
def begin_openid() -> AnyResponse:
    """To the provider. With ``again`` it asks for the password anew, for who has to prove who they are."""
    again = "again" in request.args
    person = session.person() if again else None
    recently = services().settings.auth_recent_minutes * 60
    started = _provider().begin(absolute(_CALLBACK), again=again, max_age=recently if again else None)
    browser[_TICKET] = services().tickets.issue(
        "openid",
        {
            "state": started.state, "nonce": started.nonce, "verifier": started.code_verifier,
            "next": safe_next(request.args.get("next")), "user": person.id if person else None,
            "not_before": started.not_before,
        },
    )  # fmt: skip
    return unkept(redirect(started.url, 302))


@blueprint.get("/login/openid/callback")
@requires(None)
def end_openid() -> AnyResponse:
    """Back from the provider: whom it vouches for gets a session, after the second factor that they set up here."""
    provider, here = _provider(), services()
    said = here.tickets.use("openid", browser.pop(_TICKET, ""))
    started = Started("", said["state"], said["nonce"], said["verifier"], said["not_before"])
    person = provider.finish(absolute(_CALLBACK), started, request.args)
    by = actor_named(person.username)
    account = here.users.admit(person, OPENID, by=by)
    if not here.authenticator.identities.stands(account):
        raise Forbidden("Your account here is deactivated; ask an administrator.")
    if said["user"] not in {None, account.id}:
        raise Forbidden("You proved to be somebody else than who is signed in; sign out first.")
    return go_on(account, "openid", said["next"])


def _provider() -> OpenIdProvider:
    """The provider. Raises NotFound where none is set, Forbidden where authentication is off."""
    must_have_accounts()
    found = services().openid
    if found is None:
        raise NotFound("No OpenID provider is set up here; sign in with a password.")
    return found
