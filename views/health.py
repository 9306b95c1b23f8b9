"""``/health``, ``/ready`` and ``/metrics``: what a supervisor, a load balancer and Prometheus ask."""

from __future__ import annotations

import prometheus_client
from flask import Blueprint, Response, current_app

from errors import Refusal
from permissions import Permission
from views import services
from views.guards import must, peer, requires

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
@requires(None)
def health() -> Response:
    """The process answers."""
    return _json('{"status": "ok"}', 200)


@blueprint.get("/ready")
@requires(None)
def ready() -> Response:
    """The database and the store answer too; which of them does not is said in the log and to this machine."""
    failed = []
    for name, ping in (("database", _ping_database), ("storage", services().storage.ping)):
        try:
            ping()
        except Refusal:
            failed.append(name)
    if not failed:
        return _json('{"status": "ready"}', 200)
    details = f', "failed": {failed!r}'.replace("'", '"') if peer().is_local else ""
    response = _json(f'{{"status": "not ready"{details}}}', 503)
    response.headers["Retry-After"] = "10"
    return response


def _ping_database() -> None:
    services().database.quick("SELECT 1", ())


@blueprint.get("/metrics")
@requires(Permission.ADMIN, asked_inside=True)  # not of this machine itself
def metrics() -> Response:
    """Figures for Prometheus, of this process; for this machine and administrators."""
    if not peer().is_local:
        must(Permission.ADMIN)
    registry: prometheus_client.CollectorRegistry = current_app.extensions["metrics"]
    body = prometheus_client.generate_latest(registry)
    response = Response(body, 200, {"Cache-Control": "no-store"})
    response.headers["Content-Type"] = prometheus_client.CONTENT_TYPE_LATEST
    return response


def _json(body: str, status: int) -> Response:
    return Response(body + "\n", status, {"Cache-Control": "no-store"}, content_type="application/json")
