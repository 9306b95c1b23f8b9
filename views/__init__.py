"""The only home of Flask beside ``server.py``: what each address answers."""

from __future__ import annotations

from typing import cast

from flask import current_app

from services import Services


def services() -> Services:
    """The services of the application that answers this request."""
    return cast("Services", current_app.extensions["services"])
