"""Pages, style sheets and scripts in fewer bytes, where their size tells nobody a secret.

A page that is compressed gets shorter where a word that somebody else put into it, such as one to search for, stands in
it once more, such as in the token of a form (BREACH). So what is drawn for a browser that has a cookie or a credential,
or gets its cookie with it, is sent as it is. What everybody gets alike has no secret.
"""

from __future__ import annotations

from typing import Final

from flask import Response, request, session

from simple.negotiation import negotiate_coding
from simple.pages import coded

_SMALLEST: Final = 1_000  # bytes; less fits into the first packet anyhow
_WORTH_IT: Final = frozenset(
    {"text/html", "text/plain", "text/css", "text/javascript", "image/svg+xml", "application/json"}
)


def chosen_coding(content_type: str, size: int) -> str:
    """The content coding for so many bytes of this type that everybody gets alike, as the client wants it."""
    if size < _SMALLEST or content_type.partition(";")[0] not in _WORTH_IT:
        return "identity"
    return negotiate_coding(request.headers.get("Accept-Encoding"))


def compress(response: Response) -> Response:
    """Compress a whole answer in which there can be no secret; any other goes as it is."""
    if response.status_code != 200 or response.is_streamed or response.direct_passthrough:
        return response
    if "Content-Encoding" in response.headers or response.mimetype not in _WORTH_IT:
        return response
    response.vary.add("Accept-Encoding")
    if "Cookie" in request.headers or "Authorization" in request.headers or session.modified:
        return response
    body = response.get_data()
    coding = chosen_coding(response.mimetype, len(body))
    if coding != "identity":
        response.set_data(coded(body, coding))
        response.headers["Content-Encoding"] = coding
    return response
