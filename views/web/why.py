"""Who answers for a name on an index, and why nobody else does: also for a name that is not there."""

from __future__ import annotations

from flask import Response, make_response, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from distributions.filenames import check_version
from errors import InvalidVersion
from indexes.documents import upstreams_of
from indexes.why import Explanation, explain
from permissions import Permission
from views import services, this_index
from views.errors import status_of
from views.guards import may_read, requires
from views.simple import normalized
from views.web import blueprint
from views.web.origin import host_of
from views.web.project_frame import moved


# Of the index, not of the project: that one may be another index's, to whose address its own pages lead.
@blueprint.get("/project/<name>/why")
@requires(Permission.LIST)
def why(name: str) -> AnyResponse:
    """Each who might answer for a name, or for one ``version`` of it, and what came of it."""
    project = normalized(name)
    if name != project:
        return moved(url_for("web.why", name=project))
    version, refusal = request.args.get("version", "").strip(), None
    try:
        wanted = str(check_version(version)) if version else None
    except InvalidVersion as error:
        wanted, refusal = None, error
    told = explain(
        this_index().reader, project, wanted, lambda other: may_read(services().at(other), Permission.LIST, project)
    )
    hosts = _hosts()
    page: Response = make_response(
        render_template(
            "why.html",
            told=told,
            answer=_in_words(told, hosts),
            hosts=hosts,
            version=version,
            is_here=this_index().reader.holds(project),
            sentence=refusal.sentence if refusal else "",
        ),
        status_of(refusal) if refusal else 200,
    )
    return page


def _hosts() -> dict[str, str]:
    """The hosts of every upstream, by its id."""
    settings = services().settings
    return {
        upstream.id: host_of(upstream.url)
        for index in services().registry.all().values()
        for upstream in upstreams_of(index.row, settings)
    }


def _in_words(told: Explanation, hosts: dict[str, str]) -> str:
    """The answer, with the host of an upstream in place of its id, which tells people nothing."""
    sentence = told.sentence
    for voice in told.voices:
        if voice.upstream in hosts:
            host = hosts[voice.upstream]
            sentence = sentence.replace(f"the upstream {voice.upstream} of", f"the upstream {host} of")
    return sentence
