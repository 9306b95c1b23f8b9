"""The projects that the signed-in person looks after."""

from __future__ import annotations

from flask import render_template

from permissions import Permission
from views import services
from views.guards import requires
from views.paging import page_of
from views.web import blueprint, session
from views.web.search import page_number

_PER_PAGE = 50


@blueprint.get("/account/projects")
@requires(Permission.ACCOUNT)
def own_projects() -> str:
    """Every project of any index on which the person or a team of theirs has a role, by name, with the way to its
    settings.
    """
    rights, username = services().readers.rights, session.person().username
    roles = rights.grants(user=username)
    for team in rights.teams():
        if username in dict(team.members):
            roles += rights.grants(team=team.name)
    of_projects = sorted((row for row in roles if row.project), key=lambda row: (row.project, row.index, row.is_team))
    return render_template("own_projects.html", roles=page_of(of_projects, page_number(), _PER_PAGE))
