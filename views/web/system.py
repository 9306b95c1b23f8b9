"""What browsers and crawlers ask of every site."""

from __future__ import annotations

from flask import Response, request

from views.guards import requires
from views.web import blueprint
from views.web.assets import Asset, asset, in_coding
from views.web.compression import chosen_coding

_FOR_EVER = "public, max-age=31536000, immutable"


@blueprint.get("/static/<path:name>")
@requires(None)
def static(name: str) -> Response:
    """The style sheet, the script, the icons."""
    found = asset(name)
    return _answer(found, _FOR_EVER if request.args.get("v") == found.digest else "public, no-cache")


@blueprint.get("/favicon.ico")
@requires(None)
def favicon() -> Response:
    """The icon, where browsers look for it unasked."""
    return _answer(asset("favicon.ico"), "public, max-age=86400")


@blueprint.get("/robots.txt")
@requires(None)
def robots() -> Response:
    """A team's own index is nothing for search engines."""
    response = Response("User-agent: *\nDisallow: /\n", content_type="text/plain; charset=utf-8")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


def _answer(found: Asset, cache_control: str) -> Response:
    coding = chosen_coding(found.content_type, len(found.body))
    response = Response(in_coding(found, coding), content_type=found.content_type)
    if coding != "identity":
        response.headers["Content-Encoding"] = coding
    response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = cache_control
    response.set_etag(found.digest if coding == "identity" else f"{found.digest}-{coding}")
    response.make_conditional(request)
    return response
