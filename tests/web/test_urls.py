"""Which addresses may be followed."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from views.web.urls import safe_link, safe_path


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example", "/\\evil.example", "\\\\evil.example", "/\t/evil.example", "/%09/evil.example",
        "///evil.example", "/\r\n/evil.example", "http:evil.example", "https://evil.example", "javascript:alert(1)",
        " //evil.example", "/%5cevil.example", "evil", "", None, "/a b", "/x\x00y", "/login", "/logout", "/logout/?a=1",
        "/a/../b", "/%2e%2E/b", "/a/.",
    ],
)  # fmt: skip
def test_what_leads_away_leads_home(target: str | None) -> None:
    """An address of another site, or back to signing in or out, is replaced by the home page."""
    assert safe_path(target, "") == "/"


@pytest.mark.parametrize("target", ["/", "/admin/", "/project/looms/?all=1", "/search?q=%C3%A9", "/account"])
def test_own_pages_stay(target: str) -> None:
    """A page of this server is kept with its query."""
    assert safe_path(target, "") == target


@pytest.mark.parametrize(
    "target", ["/", "/pypi", "/pypix/", "//pypi/", "/pypi/../", "/pypi/%2e%2e/x", "/pypi/login", "/account", None]
)
def test_under_a_prefix_all_else_leads_home(target: str | None) -> None:
    """Where other things live on the same host, a page of theirs is no page of this server."""
    assert safe_path(target, "/pypi") == "/pypi/"


@pytest.mark.parametrize("target", ["/pypi/", "/pypi/account", "/pypi/search?q=../login", "/pypi/pypi/"])
def test_pages_under_a_prefix_stay(target: str) -> None:
    """A page below the prefix is kept."""
    assert safe_path(target, "/pypi") == target


@given(st.text(alphabet="/\\:@?#%09adehilmnoptv.\t\r\n \x00", max_size=30))
def test_no_target_leaves_this_server(target: str) -> None:
    """Whatever is asked for, a browser that follows the answer stays on this host."""
    landed = urlsplit(urljoin("https://index.example.com/login", safe_path(target, "")))
    assert (landed.scheme, landed.netloc) == ("https", "index.example.com")


@pytest.mark.parametrize("url", ["https://example.com/x", "http://example.com:8080", "HTTPS://EXAMPLE.com"])
def test_web_addresses_become_links(url: str) -> None:
    """http and https become links, as they are."""
    assert safe_link(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "data:text/html,x", "vbscript:x", "//evil.example", "java\tscript:alert(1)", "https://",
        "https://a\nb", "http://a b", "https:\\\\evil", "http://[", "http://a:99999", "mailto:a@b.c", "x",
    ],
)  # fmt: skip
def test_other_addresses_stay_text(url: str) -> None:
    """Anything else is shown as text and cannot be clicked."""
    assert safe_link(url) is None
