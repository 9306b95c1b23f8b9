"""The two simple pages as HTML (PEP 503, frozen at version 1.4 by PEP 833).

This is the only place where their text is escaped: values come in as they are, and every one of them is a stranger's.
"""

from __future__ import annotations

from html import escape

from packaging.utils import NormalizedName

from simple.model import API_VERSION, File, ProjectDetail, ProjectList, offered_files

_TOP = (
    "<!DOCTYPE html>\n"
    '<html lang="en">\n'
    "<head>\n"
    '<meta charset="utf-8">\n'
    f'<meta name="pypi:repository-version" content="{API_VERSION}">\n'
)
_END = "</body>\n</html>\n"


def draw_project_detail(detail: ProjectDetail) -> bytes:
    """The project detail page: one anchor a file, which holds nothing but the filename."""
    title = f"Links for {escape(detail.display_name or detail.name)}"
    anchors = "".join([_anchor(file) for file in offered_files(detail)])
    return (
        f"{_TOP}{_status(detail)}<title>{title}</title>\n</head>\n<body>\n<h1>{title}</h1>\n{anchors}{_END}"
    ).encode()


def draw_project_list(listing: ProjectList) -> bytes:
    """The project list page: one relative link ``name/`` a project, so it holds under any path."""
    names = [(project.name, project.display_name or project.name) for project in listing.projects]
    everything = "".join(["".join(pair) for pair in names])
    if escape(everything) != everything:  # looked through at once: half a million calls cost 0.1 s
        names = [(NormalizedName(escape(name)), escape(display_name)) for name, display_name in names]
    anchors = "".join([f'<a href="{name}/">{display_name}</a><br>\n' for name, display_name in names])
    return f"{_TOP}<title>Simple index</title>\n</head>\n<body>\n{anchors}{_END}".encode()


def _status(detail: ProjectDetail) -> str:
    """The two metas of PEP 792."""
    status = f'<meta name="pypi:project-status" content="{detail.status.value}">\n'
    if detail.status_reason:
        status += f'<meta name="pypi:project-status-reason" content="{escape(detail.status_reason)}">\n'
    return status


def _anchor(file: File) -> str:
    digest = f"#sha256={escape(file.sha256)}" if file.sha256 else ""
    attributes = f'href="{escape(file.url)}{digest}"'
    if file.requires_python:
        attributes += f' data-requires-python="{escape(file.requires_python)}"'
    if file.core_metadata is not None:
        # PEP 714: pip before 23.2 knows only the second name, and both must say the same.
        said = f'"sha256={escape(file.core_metadata)}"' if file.core_metadata else '"true"'
        attributes += f" data-core-metadata={said} data-dist-info-metadata={said}"
    if file.yanked is not None:
        # PEP 592: the value may be empty; the presence of the attribute is what yanks.
        attributes += f' data-yanked="{escape(file.yanked)}"'
    if file.provenance:
        attributes += f' data-provenance="{escape(file.provenance)}"'
    return f"<a {attributes}>{escape(file.filename)}</a><br>\n"
