"""Signing in and out: a password, then a second factor where there is one; or a passkey alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any, TypeVar

from flask import Response, flash, make_response, redirect, render_template, request, url_for
from flask import session as browser
from flask_login import current_user
from werkzeug.wrappers import Response as AnyResponse

from credentials.passkeys import RelyingParty, relying_party
from database.accounts import Account
from database.factors import PASSKEY, TOTP
from errors import Forbidden, Invalid, InvalidRequest, NotAuthenticated, Refusal
from indexes.pairs import PREFIX, Pair
from people.factors import Question
from permissions import Permission
from views import pairs, services
from views.errors import status_of
from views.guards import actor_named, must, peer, requires
from views.web import blueprint, session
from views.web.urls import own_url, safe_next

Answer = TypeVar("Answer", bound=AnyResponse)

_HALF = "sign-in"  # the ticket of one whose second factor is still asked for


@dataclass(frozen=True, slots=True)
class _Half:
    """A sign-in whose second factor is still asked for: whose, how it began, where they want to go."""

    account: Account
    method: str
    target: str


@blueprint.get("/login")
@requires(None)
def login() -> AnyResponse:
    """The form."""
    must_have_accounts()
    if session.viewer() is not None:
        return unkept(redirect(safe_next(request.args.get("next")), 302))
    return _form(request.args.get("next"))


@blueprint.post("/login")
@requires(None)
def sign_in() -> AnyResponse:
    """Check the password, or the secret of an index; begin a session, or ask for the second factor."""
    must_have_accounts()
    username, target = request.form.get("username", "").strip(), request.form.get("next")
    pair = pairs.typed(username, request.form.get("password", ""), peer())
    if pair is not None:
        return _enter_index(pair, target)
    try:
        account = typed_password(username)
    except (NotAuthenticated, Forbidden) as refusal:
        return _form(target, username, refusal.sentence, status_of(refusal))
    return go_on(account, "password", target)


def _enter_index(pair: Pair, target: str | None) -> AnyResponse:
    """Let a browser that came with the secret of an index read there, or read and upload, and go there."""
    session.end()
    pairs.start(pair, actor_named(f"{PREFIX}{pair.index}"))
    wanted, home = safe_next(target), safe_next(None)
    return unkept(redirect(wanted if wanted != home else url_for("web.home", _index=pair.index), 303))


@blueprint.route("/login/", methods=["GET", "POST"])
@requires(None)
def login_with_slash() -> AnyResponse:
    """To the same without the slash, with what was sent."""
    return unkept(redirect(url_for("web.login"), 308))


@blueprint.route("/logout/", methods=["GET", "POST"])
@requires(None)
def logout_with_slash() -> AnyResponse:
    """To the same without the slash, with what was sent."""
    return unkept(redirect(url_for("web.logout"), 308))


def typed_password(username: str) -> Account:
    """Whose password a form carries. Raises NotAuthenticated without a word of tokens, which no form takes; else what
    ``check_password`` does.
    """
    try:
        return services().authenticator.check_password(username, request.form.get("password", ""), peer())
    except NotAuthenticated:
        raise NotAuthenticated("The username or password is wrong; check both.") from None


@blueprint.get("/login/factor")
@requires(None)
def second_factor() -> AnyResponse:
    """The form for a code or a passkey."""
    return _factor_form(_half().account)


@blueprint.post("/login/factor")
@requires(None)
def check_factor() -> AnyResponse:
    """Check the code or the passkey, and begin the session."""
    half = _half()
    try:
        method = prove_factor(half.account)
    except (NotAuthenticated, Invalid, Forbidden) as refusal:
        return _factor_form(half.account, refusal)
    services().tickets.use(_HALF, browser.pop(_HALF, ""))
    return enter(half.account, f"{half.method} and {method}", half.target)


@blueprint.get("/login/passkey")
@requires(None)
def passkey() -> AnyResponse:
    """Ask a passkey of the device for a whole sign-in."""
    must_have_accounts()
    return _passkey_form(request.args.get("next"))


@blueprint.post("/login/passkey")
@requires(None)
def sign_in_by_passkey() -> AnyResponse:
    """Check the passkey, and begin a session: the device has verified who holds it."""
    must_have_accounts()
    target = request.form.get("next")
    try:
        account = answered_passkey()
    except (NotAuthenticated, Invalid, Forbidden) as refusal:
        return _passkey_form(target, refusal)
    return enter(account, "passkey", target)


@blueprint.get("/logout")
@requires(None)
def logout() -> AnyResponse:
    """Sign out at once, unless a page of another site, or a guess of the browser, sent this: then ask."""
    guess = request.headers.get("Sec-Purpose", "").startswith("prefetch")
    foreign = request.headers.get("Sec-Fetch-Site", "none") not in {"none", "same-origin"}
    is_known = current_user.is_authenticated or session.index_of_pair()
    if (guess or foreign or request.method == "HEAD") and is_known:
        return unkept(make_response(render_template("logout.html")))
    return _sign_out()


@blueprint.post("/logout")
@requires(None)
def sign_out() -> AnyResponse:
    """Sign out."""
    return _sign_out()


def _sign_out() -> AnyResponse:
    session.end()
    response = unkept(redirect(url_for("web.home"), 303))
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


def go_on(account: Account, method: str, target: str | None) -> AnyResponse:
    """Begin a session of somebody who proved by ``method`` who they are, or ask for their second factor first."""
    if not account.has_factor:
        return enter(account, method, target)
    current = services().users.account(account.username)  # signing in may have renewed the hash
    said = {"user": account.id, "stamp": _stamp(current), "method": method, "next": safe_next(target)}
    browser[_HALF] = services().tickets.issue(_HALF, said)
    return unkept(redirect(url_for("web.second_factor"), 303))


def enter(account: Account, method: str, target: str | None) -> AnyResponse:
    """Begin a session and go on; whoever has to have a second factor and has none is led to setting one up."""
    session.start(account, method)
    if not account.has_factor and services().authenticator.identities.must_have_factor(account):
        flash("Your account has to have a second factor here; set one up to go on.")
        return unkept(redirect(url_for("web.security"), 303))
    return unkept(redirect(safe_next(target), 303))


def prove_factor(account: Account) -> str:
    """Check the code or the passkey that a form carries; in words which it was.

    Raises NotAuthenticated, InvalidRequest, Forbidden, TooManyAttempts.
    """
    if request.form.get("credential"):
        if answered_passkey().id != account.id:
            raise NotAuthenticated("This passkey belongs to another account; use one of yours, or a code.")
        return "passkey"
    here, by = services(), actor_named(account.username)
    try:
        here.factors.prove_code(account, request.form.get("code", ""), by=by)
    except NotAuthenticated:
        here.sign_ins.note("session.refused", account.username, peer().address, "second factor")
        raise
    return "code"


def answered_passkey() -> Account:
    """Whose passkey answered in the form. Raises NotAuthenticated, also for an account that does not stand."""
    here = services()
    try:
        account = here.factors.check_passkey(
            request.form.get("question", ""), request.form.get("credential", ""), party()
        )
    except NotAuthenticated:
        here.sign_ins.note("session.refused", "passkey", peer().address, "passkey")
        raise
    if not here.authenticator.identities.stands(account):
        raise NotAuthenticated("This account is deactivated; ask an administrator.")
    return account


def party() -> RelyingParty:
    """This server as passkeys know it. Raises InvalidRequest where browsers have none."""
    return relying_party(own_url())


def factors_of(account: Account) -> dict[str, Any]:
    """What a form needs to ask for a second factor: is there an app, and what a passkey is asked."""
    kinds = {one.kind for one in services().factors.factors.of_user(account.id)}
    return {"has_app": TOTP in kinds, "question": _question(account)[0] if PASSKEY in kinds else None}


def _question(account: Account | None = None) -> tuple[Question | None, str]:
    """What a passkey is asked; None, and why, where browsers have no passkeys: at an IP address, say."""
    try:
        return services().factors.ask_passkey(party(), account), ""
    except InvalidRequest as lacking:
        return None, lacking.sentence


def _half() -> _Half:
    """The sign-in that is half done. Raises Forbidden where that took too long, or the password is another by now."""
    said = services().tickets.read(_HALF, browser.get(_HALF, ""))
    account = services().accounts.by_id(said["user"])
    if account is None or not services().authenticator.identities.stands(account):
        raise Forbidden("This account is deactivated; ask an administrator.")
    if _stamp(account) != said["stamp"]:
        raise Forbidden("The password of this account was changed meanwhile; sign in with the new one.")
    return _Half(account, said["method"], said["next"])


def _stamp(account: Account) -> str:
    """What changes with the password; it travels sealed."""
    return hashlib.sha256(f"{account.source} {account.password_hash}".encode()).hexdigest()


def must_have_accounts() -> None:
    """Raises Forbidden where authentication is off."""
    if not session.has_accounts():
        must(Permission.ACCOUNT)  # says how to turn authentication on


def _form(target: str | None, username: str = "", sentence: str = "", status: int = 200) -> Response:
    page = render_template(
        "login.html", next=safe_next(target), username=username, sentence=sentence,
        openid=services().settings.openid_name if services().settings.openid_issuer else "",
        takes_pairs=services().pairs is not None,
    )  # fmt: skip
    return unkept(make_response(page, status))


def _factor_form(account: Account, refusal: Refusal | None = None) -> Response:
    page = render_template("second_factor.html", sentence=refusal.sentence if refusal else "", **factors_of(account))
    return unkept(make_response(page, status_of(refusal) if refusal else 200))


def _passkey_form(target: str | None, refusal: Refusal | None = None) -> Response:
    question, lacking = _question()
    sentence = refusal.sentence if refusal else lacking
    page = render_template("passkey.html", next=safe_next(target), question=question, sentence=sentence)
    return unkept(make_response(page, status_of(refusal) if refusal else 200))


def unkept(response: Answer) -> Answer:
    """The answer, to be kept by nobody: what it holds is for one person, once."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["Pragma"] = "no-cache"
    return response
