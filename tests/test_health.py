"""What a supervisor, a load balancer and Prometheus ask."""

from __future__ import annotations

import shutil
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import Client

from services import Services
from tests.conftest import basic


def test_health_and_ready(client: FlaskClient) -> None:
    """Both answer while all is well."""
    assert client.get("/health").json == {"status": "ok"}
    assert client.get("/ready").json == {"status": "ready"}


def test_not_ready_without_a_store(client: FlaskClient, services: Services) -> None:
    """A store that is gone makes it not ready; which part failed is said to this machine only."""
    shutil.rmtree(services.settings.data_path / ".state" / "incoming")
    answer = client.get("/ready")
    assert (answer.status_code, answer.json) == (503, {"status": "not ready", "failed": ["storage"]})
    elsewhere = client.get("/ready", environ_base={"REMOTE_ADDR": "203.0.113.9"})
    assert elsewhere.json == {"status": "not ready"}
    assert client.get("/health").status_code == 200


def test_metrics_count_both_ways(front: Any) -> None:
    """Requests of the fast path and of Flask are counted by status."""
    client = Client(front)
    for _ in range(3):
        client.get("/simple/")
        client.get("/simple/none/")
    lines = client.get("/metrics", environ_base={"REMOTE_ADDR": "127.0.0.1"}).text.splitlines()
    figures = dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    # The first request of a host goes through Flask.
    assert float(figures['pypi_clone_fast_requests_total{status="200"}']) == 2
    assert float(figures['pypi_clone_requests_total{status="404",way="flask"}']) == 3


def test_metrics_are_for_administrators(secured_client: FlaskClient) -> None:
    """From elsewhere figures need an administrator."""
    elsewhere: dict[str, Any] = {"environ_base": {"REMOTE_ADDR": "203.0.113.9"}}
    assert secured_client.get("/metrics", **elsewhere).status_code == 401
    assert secured_client.get("/metrics", headers=basic("bob"), **elsewhere).status_code == 403
