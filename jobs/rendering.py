"""Rendering anew what an earlier rendering made, and what older databases hold unrendered: at a start, and by
``packages render`` and ``packages sync``.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial

from database.descriptions import Descriptions, Unrendered
from distributions.descriptions import Rendered
from jobs.work import Progress, each, nothing, patiently
from services import Services


@dataclass(slots=True)
class RenderReport:
    """What became of the descriptions that waited. ``plain`` are, of the rendered ones, those shown as plain text;
    ``passed`` were changed or deleted meanwhile. ``stopped`` is True for a run that was ended early.
    """

    rendered: int = 0
    plain: int = 0
    passed: int = 0
    stopped: bool = False


def render_outdated(
    services: Services,
    *,
    progress: Progress = nothing,
    stop: threading.Event | None = None,
    threads: int = 1,
) -> RenderReport:
    """Render every description that is not of this program's rendering, newest release first.

    Runs beside a server. One that was cut off goes on where it was. Raises DatabaseBusy.
    """
    stop = stop or threading.Event()
    report = RenderReport()
    indexes = [index.descriptions for index in services.registry.all().values()]
    total = sum(descriptions.count_outdated() for descriptions in indexes)
    progress(0, total)
    work = partial(_render, services, stop)
    outdated = ((descriptions, release) for descriptions in indexes for release in descriptions.outdated())
    for done, (rendered, kept) in enumerate(each(outdated, work, threads=threads, stop=stop), 1):
        report.rendered += kept
        report.plain += kept and rendered.html is None
        report.passed += not kept
        progress(done, max(total, done))
    report.stopped = stop.is_set()
    return report


def _render(
    services: Services, stop: threading.Event, outdated: tuple[Descriptions, Unrendered]
) -> tuple[Rendered, bool]:
    descriptions, release = outdated
    rendered = services.inspector.render(release.text, release.content_type)
    return rendered, patiently(partial(descriptions.keep, release, rendered), stop)
