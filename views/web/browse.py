"""The home page."""

from __future__ import annotations

from flask import render_template

from permissions import Permission
from views import services, this_index
from views.guards import requires
from views.web import blueprint
from views.web.index_switch import linked_indexes
from views.web.install import install_box
from views.web.urls import index_address

_RECENT = 10


@blueprint.get("/")
@requires(Permission.LIST)
def home() -> str:
    """Search, what is new, and how to set up a client."""
    here, indexes = services(), linked_indexes()
    return render_template(
        "home.html",
        stats=this_index().catalogue.stats(),
        downloads=this_index().downloads.total(),
        uploads=this_index().catalogue.recent_uploads(_RECENT),
        default_password=here.settings.auth_enabled and here.accounts.default_password_stands(),
        auth_enabled=here.settings.auth_enabled,
        base=index_address(),
        indexes=indexes,
        bases=[base for base in this_index().row.bases if base in {one.name for one in indexes}],
        box=install_box(),
    )
