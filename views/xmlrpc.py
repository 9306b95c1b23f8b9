"""PyPI's XML-RPC API at ``/pypi`` and ``/RPC2``, for mirrors and ``pip search``.

A request is small and goes through a hardened parser; what is wrong with it is a fault of one sentence.
"""

from __future__ import annotations

from typing import Any, Final
from xml.parsers.expat import ExpatError
from xmlrpc.client import Error as XmlRpcError
from xmlrpc.client import Unmarshaller

from defusedxml.xmlrpc import DefusedExpatParser
from flask import Blueprint, Request, Response, request

from errors import InvalidRequest, Refusal, TooLarge, UnsupportedMedia, shown
from permissions import Permission
from views import rpc_methods
from views.guards import requires
from views.rpc_answers import draw_answer, draw_fault
from views.simple import moved

blueprint = Blueprint("xmlrpc", __name__)

LARGEST: Final = 64 << 10  # bytes of a request
MEDIA_TYPES: Final = frozenset({"text/xml", "application/xml"})
PARSE_ERROR: Final = -32700
UNKNOWN_METHOD: Final = -32601
UNFIT_ARGUMENTS: Final = -32602
REFUSED: Final = -32500
_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
}
# All that the unmarshaller is known to raise over what is well-formed XML and no XML-RPC.
_UNFIT: Final = (
    ExpatError, XmlRpcError, ValueError, TypeError, LookupError, AttributeError, AssertionError, ArithmeticError,
)  # fmt: skip


def is_xmlrpc(asked: Request) -> bool:
    """Whether this request, at whatever address, is one of XML-RPC."""
    return asked.method == "POST" and asked.mimetype in MEDIA_TYPES


@blueprint.post("/pypi", strict_slashes=False)
@blueprint.post("/RPC2", strict_slashes=False)
@requires(Permission.LIST)
def answer() -> Response:
    """Call a method."""
    if request.mimetype not in MEDIA_TYPES:
        raise UnsupportedMedia("XML-RPC is sent with Content-Type: text/xml; send it so.")
    if request.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise UnsupportedMedia("The request is in a content coding; send the XML as it is.")
    response = Response(_answer(_body()), 200, _HEADERS)
    response.content_type = "text/xml; charset=utf-8"
    return response


@blueprint.get("/pypi", strict_slashes=False)
@requires(Permission.LIST)
def for_people() -> Response:
    """The address of the index as people know it, sent to its home page."""
    return moved("../" if request.path.endswith("/") else "./")


def _body() -> bytes:
    too_large = TooLarge(f"An XML-RPC request may have {LARGEST:,} bytes; send less.")
    if request.content_length is not None and request.content_length > LARGEST:
        raise too_large
    raw = request.stream.read(LARGEST + 1)
    if len(raw) > LARGEST:
        raise too_large
    return raw


def _answer(raw: bytes) -> bytes:
    try:
        name, arguments = parse_call(raw)
    except InvalidRequest as refusal:
        return draw_fault(PARSE_ERROR, refusal.sentence)
    if name not in rpc_methods.METHODS:
        return draw_fault(
            UNKNOWN_METHOD, f"There is no method {shown(name)}; system.listMethods names those there are."
        )
    try:
        return draw_answer(rpc_methods.call(name, arguments))
    except InvalidRequest as refusal:
        return draw_fault(UNFIT_ARGUMENTS, refusal.sentence)
    except Refusal as refusal:
        return draw_fault(REFUSED, refusal.sentence)


def parse_call(raw: bytes) -> tuple[str, tuple[Any, ...]]:
    """The method and arguments of a request. Raises InvalidRequest for what is no sound one; no DTD is taken."""
    target = Unmarshaller()
    try:
        parser = DefusedExpatParser(target, forbid_dtd=True)
        parser.feed(raw)
        parser.close()
        arguments = target.close()
    except _UNFIT as error:
        raise InvalidRequest("The body is not an XML-RPC request without DTD and entities; correct it.") from error
    name = target.getmethodname()
    if not name:
        raise InvalidRequest("The body names no method; send a methodCall.")
    return name, tuple(arguments)
