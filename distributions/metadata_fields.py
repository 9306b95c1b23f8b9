"""The fields of core metadata: their headers, our names for them, how often they may stand, and since when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Field:
    """One field. ``since`` is the metadata version that brought it; ``keeps_lines`` where line ends mean something."""

    header: str
    name: str
    since: tuple[int, int]
    multiple: bool = False
    keeps_lines: bool = False


FIELDS: Final = (
    Field("Metadata-Version", "metadata_version", (1, 0)),
    Field("Name", "name", (1, 0)),
    Field("Version", "version", (1, 0)),
    Field("Platform", "platforms", (1, 0), multiple=True),
    Field("Supported-Platform", "supported_platforms", (1, 1), multiple=True),
    Field("Summary", "summary", (1, 0)),
    Field("Description", "description", (1, 0), keeps_lines=True),
    Field("Description-Content-Type", "description_content_type", (2, 1)),
    Field("Keywords", "keywords", (1, 0)),
    Field("Home-page", "home_page", (1, 0)),
    Field("Download-URL", "download_url", (1, 1)),
    Field("Author", "author", (1, 0)),
    Field("Author-email", "author_email", (1, 0)),
    Field("Maintainer", "maintainer", (1, 2)),
    Field("Maintainer-email", "maintainer_email", (1, 2)),
    Field("License", "license", (1, 0), keeps_lines=True),
    Field("License-Expression", "license_expression", (2, 4)),
    Field("License-File", "license_files", (2, 4), multiple=True),
    Field("Classifier", "classifiers", (1, 1), multiple=True),
    Field("Requires-Dist", "requires_dist", (1, 2), multiple=True),
    Field("Requires-Python", "requires_python", (1, 2)),
    Field("Requires-External", "requires_external", (1, 2), multiple=True),
    Field("Project-URL", "project_urls", (1, 2), multiple=True),
    Field("Provides-Extra", "provides_extra", (2, 1), multiple=True),
    Field("Provides-Dist", "provides_dist", (1, 2), multiple=True),
    Field("Obsoletes-Dist", "obsoletes_dist", (1, 2), multiple=True),
    Field("Dynamic", "dynamic", (2, 2), multiple=True),
    Field("Import-Name", "import_names", (2, 5), multiple=True),
    Field("Import-Namespace", "import_namespaces", (2, 5), multiple=True),
    Field("Requires", "requires", (1, 1), multiple=True),
    Field("Provides", "provides", (1, 1), multiple=True),
    Field("Obsoletes", "obsoletes", (1, 1), multiple=True),
)
BY_HEADER: Final = {field.header.lower(): field for field in FIELDS}
BY_NAME: Final = {field.name: field for field in FIELDS}
