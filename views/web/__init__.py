"""The pages for people: browsing, signing in, one's account, the administration."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Blueprint, Response, redirect, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from distributions.texts import visible, visible_name
from errors import NotAuthenticated, ProofNeeded
from views import errors
from views.guards import own_hosts
from views.web import charts, words
from views.web.assets import static_url
from views.web.compression import compress
from views.web.forms import csrf_field, must_carry_csrf
from views.web.session import has_accounts, index_of_pair, viewer
from views.web.urls import simple_address

# One policy for every page: nothing inline, nothing from elsewhere, in nobody's frame.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "object-src 'none'",
        "require-trusted-types-for 'script'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": (
        "camera=(), microphone=(), geolocation=(), payment=(), usb=(), publickey-credentials-get=(self), "
        "publickey-credentials-create=(self)"
    ),
    # Not no-referrer: under it browsers send "Origin: null" with our own forms, and over plain HTTP that is all there
    # is to tell a cross-site request by.
    "Referrer-Policy": "same-origin",
}

# What pages' own scripts ask, and what other programs ask as well: a refusal is their answer, no way to the login page.
_FOR_SCRIPTS = {"web.upload_files", "web.check_upload"}
_FOR_PROGRAMS = {"web.search", *_FOR_SCRIPTS}

blueprint = Blueprint("web", __name__)
blueprint.before_request(must_carry_csrf)
blueprint.after_request(compress)
blueprint.add_app_template_global(csrf_field, "csrf_field")
blueprint.add_app_template_global(static_url, "static_url")
blueprint.add_app_template_global(viewer, "viewer")
blueprint.add_app_template_global(has_accounts, "has_accounts")
blueprint.add_app_template_global(index_of_pair, "index_of_pair")
blueprint.add_app_template_global(simple_address, "simple_address")
blueprint.add_app_template_filter(Markup, "drawn")  # of drawings made here: nothing of a stranger's is in them
blueprint.add_app_template_global(charts.bar_chart, "bar_chart")
blueprint.add_app_template_global(charts.share_bar, "share_bar")
blueprint.add_app_template_filter(charts.spans_of, "spans")
blueprint.add_app_template_filter(words.browser_words, "browser")
blueprint.add_app_template_filter(words.size_words, "size")
blueprint.add_app_template_filter(words.count_words, "count")
blueprint.add_app_template_filter(charts.share_words, "share")
blueprint.add_app_template_filter(words.stamp, "stamp")
blueprint.add_app_template_filter(words.moment_words, "moment")
blueprint.add_app_template_filter(words.duration_words, "duration")
blueprint.add_app_template_filter(visible, "visible")
blueprint.add_app_template_filter(visible_name, "visible_name")


@blueprint.after_request
def add_headers(response: Response) -> Response:
    """What every answer of these pages carries; a view's own choice stands."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if response.cache_control.public:
        return response  # the same for everybody
    if "Authorization" in request.headers or viewer() is not None or index_of_pair():
        response.headers["Cache-Control"] = "no-store"
    else:
        response.headers.setdefault("Cache-Control", "private, no-cache")
    response.vary.update(("Cookie", "Authorization"))
    return response


@blueprint.after_app_request
def add_headers_to_error_pages(response: Response) -> Response:
    """The page for an address that is none belongs to no blueprint and needs the headers all the same."""
    return add_headers(response) if request.blueprint is None and response.mimetype == "text/html" else response


@blueprint.errorhandler(NotAuthenticated)
def to_login(refusal: NotAuthenticated) -> ResponseReturnValue:
    """People who are not signed in are sent to do so, and come back afterwards; programs get their 401."""
    if not errors.wants_html() and ("Authorization" in request.headers or request.endpoint in _FOR_PROGRAMS):
        answer = errors.answer(refusal)
        if request.endpoint in _FOR_SCRIPTS and "Authorization" not in request.headers:
            answer.headers["WWW-Authenticate"] = "Session"  # at Basic, browsers ask with a dialog of their own
        return answer
    if request.method not in {"GET", "HEAD"}:
        return redirect(url_for("web.login"), 303)
    return redirect(url_for("web.login", next=request.script_root + request.full_path.rstrip("?")), 302)


@blueprint.errorhandler(ProofNeeded)
def to_proof(refusal: ProofNeeded) -> ResponseReturnValue:
    """People prove again who they are, and come back to the page that they were on."""
    if not errors.wants_html():
        return errors.answer(refusal)
    came_from = urlsplit(request.headers.get("Referer", ""))
    page = f"{came_from.path}?{came_from.query}".rstrip("?") if came_from.netloc.lower() in own_hosts() else ""
    return redirect(url_for("web.confirm", next=page or None), 303)


from views.web import (  # noqa: E402 - they add their views
    account,  # noqa: F401
    admin,  # noqa: F401
    browse,  # noqa: F401
    compare,  # noqa: F401
    confirm,  # noqa: F401
    contents,  # noqa: F401
    deleting,  # noqa: F401
    dependencies,  # noqa: F401
    index_switch,  # noqa: F401
    indexes,  # noqa: F401
    journal,  # noqa: F401
    login,  # noqa: F401
    looking_after,  # noqa: F401
    openid,  # noqa: F401
    own_projects,  # noqa: F401
    project,  # noqa: F401
    project_settings,  # noqa: F401
    promoting,  # noqa: F401
    publishing,  # noqa: F401
    releases,  # noqa: F401
    search,  # noqa: F401
    security,  # noqa: F401
    statistics,  # noqa: F401
    system,  # noqa: F401
    teams,  # noqa: F401
    upload,  # noqa: F401
    why,  # noqa: F401
)
