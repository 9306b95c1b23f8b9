"""The two simple pages as JSON (PEP 691, 700, 740, 792).

A key whose value is not known is left out: uv refuses a whole page for one ``null`` size, time, yank or status.
"""

from __future__ import annotations

import orjson

from simple.model import API_VERSION, File, ProjectDetail, ProjectList, offered_files, offered_versions, utc_stamp


def draw_project_detail(detail: ProjectDetail) -> bytes:
    """The project detail page."""
    status: dict[str, str] = {"status": detail.status.value}
    if detail.status_reason:
        status["reason"] = detail.status_reason
    return orjson.dumps(
        {
            "meta": {"api-version": API_VERSION, "_last-serial": detail.serial},
            "name": detail.name,
            "project-status": status,
            "versions": offered_versions(detail),
            "files": [_file(file) for file in offered_files(detail)],
        }
    )


def draw_project_list(listing: ProjectList) -> bytes:
    """The project list page; mirrors need ``_last-serial`` with each project."""
    return orjson.dumps(
        {
            "meta": {"api-version": API_VERSION, "_last-serial": listing.serial},
            "projects": [
                {"name": project.display_name or project.name, "_last-serial": project.serial}
                for project in listing.projects
            ],
        }
    )


def _file(file: File) -> dict[str, object]:
    written: dict[str, object] = {
        "filename": file.filename,
        "url": file.url,
        "hashes": {"sha256": file.sha256} if file.sha256 else {},
        # "" would be a yanked file to uv and a sound one to pip: true says it to both.
        "yanked": False if file.yanked is None else file.yanked or True,
    }
    if file.size is not None:
        written["size"] = file.size
    if file.uploaded is not None:
        written["upload-time"] = utc_stamp(file.uploaded)
    if file.requires_python:
        written["requires-python"] = file.requires_python
    if file.core_metadata is not None:
        written["core-metadata"] = {"sha256": file.core_metadata} if file.core_metadata else True
    if file.provenance:
        written["provenance"] = file.provenance
    return written
