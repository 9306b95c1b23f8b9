"""A server that has everything: what ``site`` and its neighbours stock, and what is too much, too long or rare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyotp
from packaging.utils import NormalizedName
from packaging.version import Version

from database import holdings
from database.holdings import NewFile
from database.job_runs import JobRuns, Outcome
from database.journal import Entry
from distributions.filenames import release_key
from people.tokens import Limits
from permissions import MAIN
from services import Services
from tests.conftest import TESTER
from tests.factory import build_wheel, core_metadata
from tests.web import contents_site, readmes
from tests.web.conftest import publish

MANY_RELEASES, MANY_FILES = 2_000, 300
_TAGS = [
    f"cp3{minor}-cp3{minor}-{platform}"
    for minor in range(6, 36)
    for platform in (
        "manylinux_2_28_x86_64", "manylinux_2_28_aarch64", "musllinux_1_2_x86_64", "musllinux_1_2_aarch64",
        "macosx_11_0_arm64", "macosx_10_13_x86_64", "macosx_11_0_universal2", "win_amd64", "win_arm64", "win32",
    )
]  # fmt: skip
ARABIC_AND_CHINESE = """# نول

سلام — هذا نص عربي يقرأ من اليمين إلى اليسار، وفيه `code` و **كلمات قوية**.

# 织布机

这是一个中文段落，没有空格，应该正常换行，不应该超出屏幕的宽度，也不应该有任何问题。
"""


def fill(services: Services, folder: Path) -> None:
    """Beside ``site.stock``: contents, descriptions, crowds, other scripts, and what people and jobs left behind."""
    folder.mkdir(parents=True, exist_ok=True)
    contents_site.stock(services, folder)
    readmes.fill(services, folder)
    metadata = core_metadata(
        "nawl", summary="نول ينسج الأنماط — 编织图案的织布机，一个很长的摘要，没有空格，一直写到行尾也不停",
        description=ARABIC_AND_CHINESE, extra_headers=["Description-Content-Type: text/markdown", "Author: 王小明"],
    )  # fmt: skip
    publish(services, build_wheel(folder, "nawl", metadata=metadata))
    _crowd(services, folder, "heaps", [(f"{n // 100}.{n % 100}", "py3-none-any") for n in range(1, MANY_RELEASES + 1)])
    _crowd(services, folder, "wheelhouse", [("1.0", tag) for tag in _TAGS])
    _leave_traces(services, folder)


def _crowd(services: Services, folder: Path, name: str, files: Iterable[tuple[str, str]]) -> None:
    """Rows for many files, by version and tag, without bytes: the first is published, the others are made like it."""
    (version, tag), *others = files
    publish(services, build_wheel(folder, name, version, tag=tag, summary="Rather too much of it."))
    record = services.at().catalogue.project_detail(NormalizedName(name)).files[0]
    with services.database.writing() as change:
        index_id = holdings.index_id_of(change.connection, MAIN)
        first = NewFile(
            project=NormalizedName(name), display_name=name, lookalike=name, version=version, key="", filename="",
            location="", kind="bdist_wheel", python_tag="py3", size=record.size or 0, sha256=record.sha256,
            md5="0" * 32, blake2b="0" * 64, requires_python=None, uploaded=change.at, uploader="bob",
            metadata={"name": name, "summary": "Rather too much of it."}, description="",
        )  # fmt: skip
        for number, (other, its_tag) in enumerate(others):
            filename = f"{name}-{other}-{its_tag}.whl"
            new = replace(
                first, version=other, key=release_key(Version(other)), filename=filename, location=f"{name}/{filename}",
                uploaded=change.at - timedelta(days=len(others) - number),
            )  # fmt: skip
            holdings.add_file(change.connection, index_id, new, change.at)
        change.record(TESTER, Entry("release.create", MAIN, NormalizedName(name)))


def _leave_traces(services: Services, folder: Path) -> None:
    """A project that was deleted, tokens, publishers, runs of jobs, and a person with an authenticator app."""
    publish(services, build_wheel(folder, "bygone", summary="Gone, but not for good."))
    bygone, looms = NormalizedName("bygone"), NormalizedName("looms")
    services.manager.delete(MAIN, bygone, reason="Nobody <uses> it.", by=TESTER)
    for name, limits in (
        ("CI of looms", Limits(90, ("upload",), projects=("looms",), note="For the build on Tuesdays")),
        ("a-token-with-a-name-that-goes-on-and-on-without-any-place-to-break-in-sight-at-all", Limits(None)),
    ):  # fmt: skip
        services.tokens.create_token("bob", name, limits, by=TESTER)
    fields = {"owner": "acme", "repository": "looms", "workflow": "release.yml", "environment": "publishing"}
    bob = services.users.account("bob")
    services.publishers.add(MAIN, looms, "github", fields, by=TESTER, user_id=bob.id)
    services.publishers.add(MAIN, NormalizedName("not-yet-there"), "github", fields, by=TESTER, user_id=bob.id)
    runs = JobRuns(services.database)
    for outcome, summary in (
        (Outcome.DONE, "3 files were listed."),
        (Outcome.FAILED, "OSError: [Errno 5] Input/output error: " + "a-long-path/" * 20),
    ):
        runs.begin("sync")(outcome, summary)
    runs.begin("render")
    dave = services.users.account("dave")
    app = services.factors.begin_app(dave, "index.example.com")
    services.factors.add_app(dave, app.ticket, pyotp.TOTP(app.seed).now(), "Phone", by=TESTER)
