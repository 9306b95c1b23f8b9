"""Where upstreams may be, and which addresses are asked on their behalf."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

import outbound
from errors import InvalidSetting, UpstreamFailed
from tests.certificates import make_certificates
from tests.upstream.conftest import DEMO, Room, a_wheel
from tests.upstream.fake_upstream import FakeUpstream, fake_upstream
from upstream import connections
from upstream.addresses import Reach, check_url, default_url
from upstream.client import Client
from upstream.failures import CannotFetch

PUBLIC = "https://index.example.com/simple/"
WHEEL = "demo_pkg-1.0-py3-none-any.whl"


def leading_to(*answers: str) -> outbound.Resolver:
    """A resolver that gives each of these addresses in turn, the last one for ever."""
    left = list(answers)

    def resolve(host: str, port: int) -> Sequence[outbound.Address]:
        return [ipaddress.ip_address(left.pop(0) if len(left) > 1 else left[0])]

    return resolve


def checked(url: str, *, allow_private: bool = False, to: str = "151.101.0.223") -> str:
    """An address that is set, whose name leads somewhere."""
    return check_url(url, allow_private=allow_private, resolver=leading_to(to))


def test_an_address_of_an_index_gets_its_slash() -> None:
    """With a port or a path or neither."""
    assert checked("https://index.example.com/simple") == PUBLIC
    assert checked(PUBLIC) == PUBLIC
    assert checked("https://index.example.com:8443/a/b/") == "https://index.example.com:8443/a/b/"
    assert checked(default_url()) == default_url()


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/", "https://169.254.169.254/latest", "https://[::ffff:127.0.0.1]/", "https://0x7f.1/",
        "https://2130706433/", "https://127.0.0.1/", "https://10.0.0.5/simple/", "https://[::1]/", "https://[fd00::1]/",
        "https://localhost/", "https://pypi/simple/", "https://a.localhost/", "https://index.internal/",
        "http://index.example.com/simple/", "file:///etc/passwd", "gopher://index.example.com/", "ftp://index.example.com",
        "javascript:alert(1)", "//index.example.com/", "index.example.com", "", "https://", "https://:443/",
        "https://index.example.com:0/", "https://index.example.com:99999/", "https://index.example.com:x/",
        "https://index.example.com/a b", "https://index.example.com\\@127.0.0.1/", "https://índex.example.com/",
        "https://index.example.com/?x=1", "https://index.example.com/#x", "https://[::1", "https://index_.example.com-/",
        "https://" + "a" * 3000 + ".example.com/",
    ],
)  # fmt: skip
def test_s133_what_is_no_public_index_is_refused_when_it_is_set(url: str) -> None:
    """In one sentence; an administrator is never surprised by what a setting reaches."""
    with pytest.raises(InvalidSetting) as refused:
        checked(url)
    assert len(refused.value.sentence) < 260


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "::ffff:192.168.0.1"])
def test_s133_a_name_that_leads_inside_is_refused_when_it_is_set(address: str) -> None:
    """As the well-known names do that are for trying things on one's own machine."""
    with pytest.raises(InvalidSetting, match="leads to"):
        checked(PUBLIC, to=address)


def test_a_name_that_cannot_be_looked_up_now_can_be_set() -> None:
    """A server is set up before its network, and offline; the name is looked at when it is asked."""

    def fails(host: str, port: int) -> Sequence[outbound.Address]:
        raise OSError("no network")

    assert check_url(PUBLIC, allow_private=False, resolver=fails) == PUBLIC


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/simple/", "http://pypi/simple/", "https://10.0.0.5/"])
def test_private_addresses_can_be_allowed(url: str) -> None:
    """For an index of the company's own; plain http comes with that."""
    assert checked(url, allow_private=True, to="10.0.0.5") == url


@pytest.mark.parametrize("url", ["http://169.254.169.254/", "http://[fe80::1]/", "http://0.0.0.0/", "http://0x7f.1/"])
def test_s133_where_clouds_keep_their_secrets_is_never_allowed(url: str) -> None:
    """Nor an address in a spelling that programs read unalike."""
    with pytest.raises(InvalidSetting):
        checked(url, allow_private=True)


def test_a_password_in_the_address_is_not_repeated() -> None:
    """It has settings of its own."""
    with pytest.raises(InvalidSetting) as refused:
        checked("https://alice:the-secret@index.example.com/")
    assert "the-secret" not in refused.value.sentence


@pytest.mark.parametrize(
    "url",
    [
        "http://index.example.com/x", "https://index.example.com:444/x", "https://files.example.com:8443/x",
        "http://files.example.com/x", "https://127.0.0.1/x", "https://localhost/x", "https://[::ffff:10.0.0.1]/x",
        "https://0x7f.1/x", "https://user@files.example.com/x", "javascript:alert(1)", "data:text/html,x", "ftp://a.b/x",
        "https://index.example.com\\@evil.example.com/", "https://files.example.com/a\r\nHost: evil",
    ],
)  # fmt: skip
def test_s132_links_and_redirects_lead_to_public_hosts_over_https_only(url: str) -> None:
    """No other scheme or port, no inside, and no address that programs read unalike."""
    assert not Reach.of(PUBLIC, allow_private=False).has(url)


def test_files_may_lie_at_another_public_host() -> None:
    """As those of PyPI do; and at the index's own origin, however that is."""
    assert Reach.of(PUBLIC, allow_private=False).has("https://files.example.com/ab/x.whl")
    assert Reach.of(PUBLIC, allow_private=False).has("https://INDEX.example.com:443/x.whl")
    assert Reach.of("http://10.0.0.5:8080/", allow_private=True).has("http://10.0.0.5:8080/x.whl")
    assert not Reach.of("http://10.0.0.5:8080/", allow_private=True).has("http://10.0.0.5:8081/x.whl")
    assert not Reach.of("http://10.0.0.5:8080/", allow_private=True).has("https://10.0.0.6/x.whl")


def test_a_private_host_of_files_can_be_named() -> None:
    """By the operator, by its name; over https at the usual port, as any other host of files."""
    reach = Reach.of(PUBLIC, allow_private=False, private_hosts=["Files.internal"])
    for url in ("https://files.internal/x.whl", "https://FILES.internal/x.whl"):
        assert reach.has(url)
        assert reach.may_be_private(url)
    assert not reach.has("http://files.internal/x.whl")
    assert not reach.has("https://other.internal/x.whl")
    assert not reach.may_be_private(PUBLIC)
    assert not reach.may_be_private("https://files.example.com/x.whl")


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data/", "http://localhost:{port}/simple/demo-pkg/", "http://[::1]:{port}/",
        "https://127.0.0.1:{port}/simple/demo-pkg/", "http://127.0.0.1:1/", "file:///etc/passwd", "https://10.0.0.5/",
    ],
)  # fmt: skip
@pytest.mark.parametrize("at", ["/simple/demo-pkg/", f"/files/{WHEEL}"])
def test_s132_redirects_out_of_reach_are_refused(room: Room, upstream: FakeUpstream, target: str, at: str) -> None:
    """For pages and files, with 503; what is there is not asked."""
    port = upstream.url.rpartition(":")[2].partition("/")[0]
    upstream.misbehave(at, status=302, headers={"Location": target.format(port=port)})
    source = room.source()
    with pytest.raises(UpstreamFailed, match="not asked on its behalf"):
        source.open(source.file(DEMO, WHEEL))
    assert len(upstream.paths(at)) == 1
    assert upstream.paths("/latest.*") == []


def test_redirects_within_reach_are_followed(room: Room, upstream: FakeUpstream) -> None:
    """Addresses on the page are relative to where it was in the end."""
    upstream.misbehave("/simple/demo-pkg/", status=301, headers={"Location": "/mirror/deep/simple/demo-pkg/"})
    upstream.misbehave(
        "/mirror/deep/simple/demo-pkg/",
        body=b'<a href="../../files/demo_pkg-1.0-py3-none-any.whl">demo_pkg-1.0-py3-none-any.whl</a>',
        headers={"Content-Type": "text/html"},
    )
    source = room.source()
    with pytest.raises(UpstreamFailed, match="answers 404"):
        source.file(DEMO, WHEEL)
    assert upstream.paths(".*whl") == [f"/mirror/deep/files/{WHEEL}"]


def test_redirects_that_go_in_a_circle_end(room: Room, upstream: FakeUpstream) -> None:
    """After five."""
    upstream.misbehave("/simple/demo-pkg/", status=302, headers={"Location": "?again"})
    upstream.misbehave(r"/simple/demo-pkg/\?again", status=302, headers={"Location": "/simple/demo-pkg/"})
    with pytest.raises(UpstreamFailed, match="more than 5 times"):
        room.source().validity(DEMO)
    assert len(upstream.asked) == 6


class Everywhere(Reach):
    """A reach that has everything, to see what is sent there."""

    def has(self, url: str) -> bool:
        """Yes."""
        return True


def test_credentials_go_to_the_upstreams_own_origin_only(upstream: FakeUpstream) -> None:
    """Neither by a redirect nor by a link to anybody else."""
    with fake_upstream() as other:
        other.add(DEMO, a_wheel())
        upstream.misbehave("/simple/demo-pkg/", status=302, headers={"Location": f"{other.url}demo-pkg/"})
        own = Reach.of(upstream.url, allow_private=True)
        client = Client()
        with pytest.raises(CannotFetch):
            client.page(own, f"{upstream.url}demo-pkg/", {}, "Basic c2VjcmV0")
        assert other.asked == []
        # Where it may be asked, it is asked without them; another port is another origin.
        everywhere = Everywhere(Reach.of(other.url, allow_private=True).origin, allow_private=True)
        upstream.behave()
        client._managers[False, None] = client._manager("http://127.0.0.1/", allow_private=True)
        client.page(everywhere, f"{upstream.url}demo-pkg/", {}, "Basic c2VjcmV0")
        client.page(everywhere, f"{other.url}demo-pkg/", {}, "Basic c2VjcmV0")
        assert "Authorization" not in upstream.asked[-1].headers
        assert other.asked[-1].headers["Authorization"] == "Basic c2VjcmV0"
        client.close()


def test_credentials_are_sent_with_pages_and_files(room: Room, upstream: FakeUpstream) -> None:
    """From the first request on."""
    source = room.source(username="alice", password="pässword")
    with source.open(source.file(DEMO, WHEEL)) as file:
        file.read()
    assert {one.headers.get("Authorization") for one in upstream.asked} == {"Basic YWxpY2U6cMOkc3N3b3Jk"}


@pytest.mark.parametrize("status", [401, 403])
def test_credentials_that_are_refused_are_told_as_such(room: Room, upstream: FakeUpstream, status: int) -> None:
    """They are not taken for a project that is not there."""
    upstream.misbehave(".*", status=status)
    with pytest.raises(UpstreamFailed, match=f"refuses us with {status}; its credentials may be wrong"):
        room.source(username="alice", password="wrong").validity(DEMO)


def test_s133_a_name_that_rebinds_is_not_connected_to(make_room: Callable[..., Room], upstream: FakeUpstream) -> None:
    """It led to a public address when it was set, and leads inside when it is asked."""
    resolver = leading_to("151.101.0.223", "127.0.0.1")
    port = upstream.url.rpartition(":")[2].partition("/")[0]
    url = check_url(f"https://index.example.com:{port}/simple/", allow_private=False, resolver=resolver)
    room = make_room(hub={"resolver": resolver})
    with pytest.raises(UpstreamFailed, match=r"index\.example\.com leads to an address that is not asked"):
        room.source(url=url, allow_private=False).validity(DEMO)
    assert upstream.asked == []


@pytest.fixture
def tls(tmp_path: Path, upstream: FakeUpstream, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeUpstream]:
    """The fake upstream over TLS as index.example.com, whose authority is trusted."""
    authority, own = make_certificates(tmp_path, "index.example.com")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority))
    connections._tls.cache_clear()
    with fake_upstream(context) as running:
        running.add(DEMO, a_wheel())
        yield running
    connections._tls.cache_clear()


def test_the_certificate_is_that_of_the_name_though_the_address_is_pinned(
    make_room: Callable[..., Room], tls: FakeUpstream
) -> None:
    """The name is looked up once; it is what TLS and the Host header go by."""
    port = tls.url.rpartition(":")[2].partition("/")[0]
    room = make_room(hub={"resolver": leading_to("127.0.0.1")})
    assert room.source(url=f"https://index.example.com:{port}/simple/").validity(DEMO)
    assert tls.asked[0].headers["Host"] == f"index.example.com:{port}"
    with pytest.raises(UpstreamFailed, match="its certificate does not hold"):
        room.source(key="other", url=f"https://evil.example.com:{port}/simple/").validity(DEMO)
    assert len(tls.asked) == 1


def test_connections_are_kept_and_one_that_was_closed_is_made_anew(room: Room, upstream: FakeUpstream) -> None:
    """An upstream may close a kept connection whenever it likes."""
    source = room.source()
    source.validity(DEMO)
    upstream.hang_up_kept()
    room.expire()
    source.validity(DEMO)
    assert len(upstream.asked) == 2
