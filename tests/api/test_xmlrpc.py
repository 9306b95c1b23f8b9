"""PyPI's XML-RPC API, asked by Python's own client, by ``pip search`` and by bandersnatch."""

from __future__ import annotations

import os
import subprocess
import time
import xmlrpc.client
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, request
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packaging.utils import NormalizedName

from config import load_settings
from errors import InvalidRequest
from people.rights import Holder
from permissions import MAIN
from services import Services, open_services
from simple.model import ProjectStatus
from tests.api.conftest import Publish
from tests.conftest import ROOT, TESTER, LiveServer
from tests.factory import core_metadata
from views.rpc_answers import draw_answer, draw_fault
from views.rpc_methods import METHODS
from views.xmlrpc import is_xmlrpc, parse_call

Stock = Callable[[Services], None]
DEMO = NormalizedName("demo-pkg")
BIN = ROOT / ".venv-clients" / ("Scripts" if os.name == "nt" else "bin")


@pytest.fixture
def proxy(services: Services, stock: Stock, address: str) -> Any:
    """Python's own client of a server that holds something."""
    stock(services)
    with xmlrpc.client.ServerProxy(f"{address}/pypi", allow_none=True) as proxy:
        yield proxy


def fault_of(call: Callable[..., object], *arguments: object) -> xmlrpc.client.Fault:
    """The fault that a call ends with."""
    with pytest.raises(xmlrpc.client.Fault) as caught:
        call(*arguments)
    return caught.value


# -- mirrors


def test_the_lists(proxy: Any, services: Services) -> None:
    """Every project with the serial of its last change; a quarantined one leaves."""
    serials = proxy.list_packages_with_serial()
    assert sorted(serials) == proxy.list_packages() == ["demo-pkg", "other"]
    assert serials["demo-pkg"] == services.at().catalogue.validity(DEMO)
    assert proxy.changelog_last_serial() == max(serials.values())
    services.manager.set_status(MAIN, DEMO, ProjectStatus.QUARANTINED, None, by=TESTER)
    assert proxy.list_packages() == ["other"]


def test_the_change_log_says_what_happened_in_the_words_of_pypi(proxy: Any, services: Services) -> None:
    """Each change once, oldest first, with rising serials; the last is the index's."""
    start = proxy.changelog_last_serial()
    services.manager.yank(MAIN, DEMO, "2.0", None, "broken", by=TESTER)
    services.manager.unyank(MAIN, DEMO, "2.0", None, by=TESTER)
    services.manager.set_status(MAIN, DEMO, ProjectStatus.ARCHIVED, None, by=TESTER)
    services.manager.delete(MAIN, DEMO, "1.0", "demo_pkg-1.0.tar.gz", by=TESTER)
    rows = proxy.changelog_since_serial(start)
    assert [row[3] for row in rows] == [
        "yank release", "unyank release", "update project status", "remove file demo_pkg-1.0.tar.gz",
    ]  # fmt: skip
    assert [row[0] for row in rows] == ["demo-pkg"] * 4
    assert [row[1] for row in rows] == ["2.0", "2.0", None, "1.0"]
    assert [row[4] for row in rows] == list(range(start + 1, start + 5))
    assert rows[-1][4] == proxy.changelog_last_serial()
    assert abs(rows[0][2] - time.time()) < 60


def test_uploads_are_in_the_change_log(proxy: Any) -> None:
    """A new release and each of its files."""
    rows = proxy.changelog_since_serial(0)
    actions = [row[3] for row in rows if row[:2] == ["demo-pkg", "1.0"]]
    assert actions == [
        "new release",
        "add py3 file demo_pkg-1.0-py3-none-any.whl",
        "add source file demo_pkg-1.0.tar.gz",
    ]


def test_the_change_log_since_a_time(proxy: Any, services: Services) -> None:
    """What came after that second and no more; with serials if asked."""
    everything = proxy.changelog_since_serial(0)
    before, now = everything[0][2] - 1, int(time.time())
    assert proxy.changelog(before) == [row[:4] for row in everything]
    assert proxy.changelog(before, True) == everything
    assert proxy.changelog(0) == proxy.changelog(before)
    assert proxy.changelog(now + 1) == []
    rows = [services.at().catalogue.changes_since(row[4] - 1, 1)[0].at.timestamp() for row in everything]
    assert len(proxy.changelog(before + 1)) == sum(at > before + 1 for at in rows)


# -- scripts


def test_the_releases_of_a_project(proxy: Any, services: Services) -> None:
    """Newest first; one that is yanked whole only if asked."""
    services.manager.yank(MAIN, DEMO, "2.0", None, "", by=TESTER)
    assert proxy.package_releases("Demo_Pkg") == ["3.0rc1", "1.0"]
    assert proxy.package_releases("demo-pkg", True) == ["3.0rc1", "2.0", "1.0"]
    assert proxy.package_releases("nothing") == proxy.package_releases("\u0436") == []


def test_files_and_metadata_of_a_release(proxy: Any, address: str) -> None:
    """As in the JSON API, with absences as nil; an unknown release is empty."""
    data = proxy.release_data("demo-pkg", "1.0.0")
    assert (data["name"], data["version"], data["summary"], data["author"]) == ("Demo_Pkg", "1.0", "Shows how.", None)
    files = proxy.release_urls("demo-pkg", "1.0")
    assert [file["packagetype"] for file in files] == ["bdist_wheel", "sdist"]
    assert files[0]["url"] == f"{address}/packages/demo-pkg/demo_pkg-1.0-py3-none-any.whl"
    uploaded = datetime.strptime(str(files[0]["upload_time"]), "%Y%m%dT%H:%M:%S")  # noqa: DTZ007 - as it is sent
    assert uploaded.isoformat() == files[0]["upload_time_iso_8601"][:19]
    for method, nothing in ((proxy.release_data, {}), (proxy.release_urls, [])):
        assert method("nothing", "1.0") == method("demo-pkg", "9") == method("demo-pkg", "x") == nothing


def test_search_as_pip_sends_it(proxy: Any) -> None:
    """One of the words is enough with "or", all are needed with "and"; what more words find comes first."""
    found = proxy.search({"name": ["demo", "else"], "summary": ["demo", "else"]}, "or")
    assert sorted(hit["name"] for hit in found) == ["Demo_Pkg", "other"]
    assert set(found[0]) == {"name", "version", "summary", "_pypi_ordering"}
    assert proxy.search({"name": ["demo", "else"], "summary": ["demo", "else"]}, "and") == []
    assert [hit["name"] for hit in proxy.search({"summary": "something"})] == ["other"]
    assert proxy.search({"name": "something"}) == []
    assert proxy.search({"name": [], "summary": []}, "or") == []
    assert proxy.search({"name": ['"; * -- NEAR( %']}, "or") == []


def test_browse(proxy: Any) -> None:
    """Every release that has all the classifiers."""
    found = proxy.browse(["Topic :: Software Development"])
    assert found == [["demo-pkg", "1.0"], ["demo-pkg", "2.0"], ["demo-pkg", "3.0rc1"]]
    assert proxy.browse(["Topic :: Software Development", "Topic :: Nothing"]) == []


def test_methods_are_listed(proxy: Any) -> None:
    """``system.listMethods`` names exactly what can be called."""
    assert set(proxy.system.listMethods()) == set(METHODS)


def test_roles_as_pypi_tells_them(proxy: Any, services: Services) -> None:
    """Owners first, in PyPI's words; teams, the index and projects that are not there are left out."""
    assert proxy.package_roles("demo-pkg") == proxy.package_roles("nothing") == proxy.user_packages("alice") == []
    for name in ("alice", "bob"):
        services.users.create_user(name, "x", by=TESTER)
    rights = services.rights
    rights.create_team("crew", by=TESTER)
    rights.grant(MAIN, DEMO, Holder("bob"), "maintainer", by=TESTER)
    rights.grant(MAIN, DEMO, Holder("alice"), "owner", by=TESTER)
    rights.grant(MAIN, DEMO, Holder("crew", is_team=True), "owner", by=TESTER)
    rights.grant(MAIN, None, Holder("alice"), "owner", by=TESTER)
    rights.grant(MAIN, NormalizedName("not-yet"), Holder("alice"), "owner", by=TESTER)
    rights.grant(MAIN, NormalizedName("other"), Holder("alice"), "maintainer", by=TESTER)
    assert proxy.package_roles("Demo_Pkg") == [["Owner", "alice"], ["Maintainer", "bob"]]
    assert proxy.user_packages("Alice") == [["Owner", "demo-pkg"], ["Maintainer", "other"]]
    assert proxy.package_roles("not-yet") == proxy.package_roles("\u0436") == proxy.user_packages("nobody") == []


# -- faults


@pytest.mark.parametrize(
    ("method", "arguments", "code"),
    [
        ("nothing", (), -32601),
        ("system.multicall", ([],), -32601),
        ("list_packages.__call__", (), -32601),
        ("package_releases", (), -32602),
        ("package_releases", (1,), -32602),
        ("package_releases", ("a", True, 1), -32602),
        ("changelog_since_serial", ("1",), -32602),
        ("changelog_since_serial", (-1,), -32602),
        ("changelog_since_serial", (True,), -32602),
        ("browse", ("x",), -32602),
        ("browse", ([1],), -32602),
        ("search", ([],), -32602),
        ("search", ({"name": 1},), -32602),
        ("search", ({"author": "x"},), -32602),
        ("search", ({"name": "x"}, "xor"), -32602),
        ("search", ({"name": "x" * 201},), -32602),
    ],
)
def test_unfit_calls_are_faults(proxy: Any, method: str, arguments: tuple[object, ...], code: int) -> None:
    """A fault with one sentence, and the server goes on."""
    fault = fault_of(getattr(proxy, method), *arguments)
    assert fault.faultCode == code
    assert fault.faultString.endswith(".")
    assert "\n" not in fault.faultString
    assert proxy.list_packages()


BOMB = b"""<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<methodCall><methodName>package_releases</methodName><params><param><value>&b;</value></param></params></methodCall>"""
OUTSIDE = b"""<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a SYSTEM "file:///etc/hostname">]>
<methodCall><methodName>&a;</methodName></methodCall>"""
BIG = (
    b"<methodCall><methodName>changelog_since_serial</methodName>"
    b"<params><param><value><i8>%s</i8></value></param></params></methodCall>"
)
UNSOUND = {
    "nothing": b"",
    "no XML": b"hello",
    "entities": BOMB,
    "an outer file": OUTSIDE,
    "an empty DTD": b"<!DOCTYPE a><methodCall><methodName>list_packages</methodName></methodCall>",
    "no method": b"<methodCall></methodCall>",
    "an answer": b"<methodResponse><params></params></methodResponse>",
    "a fault": b"<methodResponse><fault><value><struct></struct></value></fault></methodResponse>",
    "depth": b"<methodCall><methodName>browse</methodName><params>" + b"<value><array><data>" * 3_000,
    "a bad number": BIG % b"x",
    "many digits": BIG % (b"9" * 10_000),
    "beyond 64 bits": BIG % (b"9" * 30),
    "another encoding": b"<?xml version='1.0' encoding='rot13'?><methodCall/>",
}


@pytest.mark.parametrize("body", UNSOUND.values(), ids=UNSOUND.keys())
def test_unsound_requests_are_faults(client: FlaskClient, body: bytes) -> None:
    """No DTD, entity, depth or nonsense gets further than the parser (TOB23-23)."""
    answer = client.post("/RPC2", data=body, content_type="text/xml")
    assert answer.status_code == 200
    with pytest.raises(xmlrpc.client.Fault):
        xmlrpc.client.loads(answer.data)


@given(
    st.binary(max_size=300)
    | st.text(alphabet="<>/ax&;\u0436", max_size=100).map(lambda text: f"<methodCall>{text}".encode())
)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_parsing_gives_a_call_or_a_refusal(raw: bytes) -> None:
    """No bytes at all make the parser fail in another way."""
    try:
        name, _ = parse_call(raw)
    except InvalidRequest:
        return
    assert name


TAGS = "params param value int i4 boolean string double dateTime.iso8601 base64 struct member name array data nil"


@st.composite
def markup(draw: st.DrawFn) -> str:
    """Elements of XML-RPC in any order and nesting, with any text."""
    inner = st.deferred(
        lambda: st.lists(markup() | st.sampled_from(["", "1", "x", "-", "20260101"]), max_size=3).map("".join)
    )
    tag = draw(st.sampled_from([*TAGS.split(), "methodName", "fault", "bigdecimal", "float", "i8"]))
    return f"<{tag}>{draw(inner)}</{tag}>"


@given(st.lists(markup(), max_size=4))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_well_formed_nonsense_is_refused_too(parts: list[str]) -> None:
    """The library's unmarshaller fails in many ways; each is one refusal."""
    try:
        parse_call(f"<methodCall><methodName>browse</methodName>{''.join(parts)}</methodCall>".encode())
    except InvalidRequest as refusal:
        assert refusal.sentence  # noqa: PT017 - both outcomes are right


def test_other_content_types_and_sizes_are_refused(client: FlaskClient) -> None:
    """415 for what a web form could send, and for coded bodies; 413 beyond 64 KiB."""
    call = b"<methodCall><methodName>list_packages</methodName></methodCall>"
    for content_type in ("text/plain", "application/x-www-form-urlencoded", "application/json"):
        assert client.post("/pypi", data=call, content_type=content_type).status_code == 415
    assert (
        client.post("/pypi", data=call, content_type="text/xml", headers={"Content-Encoding": "gzip"}).status_code
        == 415
    )
    assert client.post("/pypi", data=b" " * 65_537, content_type="text/xml").status_code == 413
    for path in ("/pypi", "/pypi/", "/RPC2"):
        assert client.post(path, data=call, content_type="application/xml; charset=utf-8").status_code == 200


def test_xmlrpc_is_known_at_any_address(app: Flask) -> None:
    """By method and content type, so that the root can tell it from an upload."""
    for method, content_type, expected in (
        ("POST", "text/xml", True),
        ("POST", "application/xml; charset=utf-8", True),
        ("POST", "multipart/form-data; boundary=x", False),
        ("GET", "text/xml", False),
    ):
        with app.test_request_context("/", method=method, content_type=content_type):
            assert is_xmlrpc(request) is expected


def test_people_are_sent_to_the_home_page(client: FlaskClient) -> None:
    """``/pypi`` in a browser leads to the index's own page."""
    assert client.get("/pypi").headers["Location"] == "./"
    assert client.get("/pypi/").headers["Location"] == "../"


# -- answers


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_every_answer_is_well_formed(value: object) -> None:
    """Whatever stands in a project's metadata, clients can read the answer."""
    xmlrpc.client.loads(draw_answer(value))


def test_what_xml_cannot_carry_is_replaced() -> None:
    """Control characters and half surrogate pairs become replacement characters; large integers stay exact."""
    (found,), _ = xmlrpc.client.loads(draw_answer({"a": "x\x08y\ud800", "b": 2**40, "c": [1, None]}))
    assert found == {"a": "x\ufffdy\ufffd", "b": 2**40, "c": [1, None]}
    with pytest.raises(xmlrpc.client.Fault, match="a\ufffd"):
        xmlrpc.client.loads(draw_fault(1, "a\x00"))


# -- programs


def stocked(data: Path, stock: Stock) -> None:
    """Fill a data folder before a server is started on it."""
    with closing(open_services(load_settings(None, {"data_dir": str(data)}, {}))) as services:
        stock(services)


def run(*command: object, home: Path) -> subprocess.CompletedProcess[str]:
    """Run a program of .venv-clients in a home of its own."""
    environ = {"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8", "PIP_CONFIG_FILE": os.devnull}
    words = [str(word) for word in command]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, env=environ, check=False)


@pytest.mark.clients
def test_pip_search(live: Callable[..., LiveServer], stock: Stock, tmp_path: Path) -> None:
    """``pip search -i URL`` lists what fits, and says so where nothing does."""
    stocked(tmp_path / "index", stock)
    server = live(data=tmp_path / "index")
    for path in ("/pypi", "/pypi/", "/RPC2"):
        outcome = run(BIN / "pip", "search", "-i", f"{server.url}{path}", "demo", home=tmp_path)
        assert outcome.returncode == 0, outcome.stderr
        assert "Demo_Pkg (2.0)" in outcome.stdout
        assert "Shows how." in outcome.stdout
    assert run(BIN / "pip", "search", "-i", f"{server.url}/pypi", "absent", home=tmp_path).returncode == 23


@pytest.mark.clients
@pytest.mark.parametrize("method", ["xmlrpc", "simple"])
def test_bandersnatch_mirrors_everything(
    live: Callable[..., LiveServer], stock: Stock, publish: Publish, tmp_path: Path, method: str
) -> None:
    """A first run takes all, a second one what changed since; files, pages and JSON (protocol case 57)."""
    data, mirror = tmp_path / "index", tmp_path / "mirror"
    stocked(data, stock)
    server = live(data=data)
    config = tmp_path / "bandersnatch.conf"
    config.write_text(
        f"[mirror]\ndirectory = {mirror}\nmaster = {server.url}\nallow-non-https = true\napi-method = {method}\n"
        "json = true\ntimeout = 10\nworkers = 2\nhash-index = false\nstop-on-error = true\nverifiers = 1\n"
    )
    outcome = run(BIN / "bandersnatch", "-c", config, "mirror", home=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    served = {path.name: path.read_bytes() for path in data.glob("[!.]*/*")}
    assert len(served) == 5
    assert held(mirror) == served
    assert (mirror / "web/json/demo-pkg").is_file()
    with closing(open_services(load_settings(None, {"data_dir": str(data)}, {}))) as services:
        metadata = core_metadata("other", "0.2")
        publish(services, "other", "0.2", metadata=metadata)
    outcome = run(BIN / "bandersnatch", "-c", config, "mirror", home=tmp_path)
    assert outcome.returncode == 0, outcome.stderr
    assert set(held(mirror)) == {*served, "other-0.2-py3-none-any.whl"}


def held(mirror: Path) -> dict[str, bytes]:
    """The distributions that a mirror holds, by name."""
    return {path.name: path.read_bytes() for path in (mirror / "web/packages").rglob("*") if path.is_file()}
