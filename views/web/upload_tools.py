"""How the tools that build packages upload to this server. A test runs every line with the real tool."""

from __future__ import annotations

from dataclasses import dataclass

from views import services
from views.web.install import STAND_IN, is_closed
from views.web.snippets import Snippet, Tool
from views.web.urls import index_address, index_url


@dataclass(frozen=True, slots=True)
class Access:
    """Where to upload and as whom; ``is_closed``: who reads the index needs a login, too."""

    upload_url: str
    index_url: str
    username: str
    password: str
    is_closed: bool


def access_with(password: str = STAND_IN, index: str | None = None) -> Access:
    """How this index or another one is uploaded to, with a token as the password; without accounts it takes any."""
    has_accounts = services().settings.auth_enabled
    return Access(
        upload_url=f"{index_address(index)}/upload",
        index_url=index_url(index),
        username="__token__" if has_accounts else "anybody",
        password=password if has_accounts else "anything",
        is_closed=is_closed(index),
    )


def tools_for(access: Access) -> tuple[Tool, ...]:
    """Every tool that is known to work."""
    return (_twine(access), _uv(access), _flit(access), _hatch(access), _poetry(access), _pdm(access))


def _variables(prefix: str, access: Access, names: tuple[str, str] = ("USERNAME", "PASSWORD")) -> str:
    user, password = names
    return f"export {prefix}_{user}={access.username}\nexport {prefix}_{password}={access.password}\n"


def _twine(access: Access) -> Tool:
    pypirc = (
        "[distutils]\nindex-servers = ours\n\n[ours]\n"
        f"repository = {access.upload_url}\nusername = {access.username}\npassword = {access.password}"
    )
    once = f"{_variables('TWINE', access)}twine upload --repository-url {access.upload_url} dist/*"
    return Tool(
        "twine",
        (
            Snippet("Once, in ~/.pypirc:", pypirc, "the settings of .pypirc", ".pypirc"),
            Snippet("Then:", "twine upload --repository ours dist/*", "the twine command"),
            Snippet("Or without a file, as in CI:", once, "the twine commands without a file"),
        ),
    )


def _uv(access: Access) -> Tool:
    settings = f'[[tool.uv.index]]\nname = "ours"\nurl = "{access.index_url}"\npublish-url = "{access.upload_url}"'
    publishing = _variables("UV_PUBLISH", access)
    reading = _variables("UV_INDEX_OURS", access) if access.is_closed else ""
    return Tool(
        "uv",
        (
            Snippet("Once, in pyproject.toml:", settings, "the uv settings", "pyproject.toml"),
            Snippet("Then:", f"{publishing}{reading}uv publish --index ours", "the uv commands"),
            Snippet(
                "Or without settings:",
                f"{publishing}uv publish --publish-url {access.upload_url}",
                "the uv commands without settings",
            ),
        ),
    )


def _flit(access: Access) -> Tool:
    once = f"{_variables('FLIT', access)}export FLIT_INDEX_URL={access.upload_url}\nflit publish"
    return Tool(
        "flit",
        (
            Snippet(
                "With the same ~/.pypirc as twine; flit builds by itself:",
                "flit publish --repository ours",
                "the flit command",
            ),
            Snippet("Or without a file, as in CI:", once, "the flit commands without a file"),
        ),
    )


def _hatch(access: Access) -> Tool:
    lines = f"{_variables('HATCH_INDEX', access, ('USER', 'AUTH'))}hatch publish --repo {access.upload_url}"
    return Tool("hatch", (Snippet("What lies in dist:", lines, "the hatch commands"),))


def _poetry(access: Access) -> Tool:
    once = (
        f"poetry config repositories.ours {access.upload_url}\n"
        f"poetry config http-basic.ours {access.username} {access.password}"
    )
    return Tool(
        "poetry",
        (
            Snippet("Once:", once, "the poetry settings"),
            Snippet("Then, what lies in dist:", "poetry publish --repository ours", "the poetry command"),
        ),
    )


def _pdm(access: Access) -> Tool:
    lines = f"{_variables('PDM_PUBLISH', access)}pdm publish --no-build --repository {access.upload_url}"
    return Tool("pdm", (Snippet("What lies in dist:", lines, "the pdm commands"),))
