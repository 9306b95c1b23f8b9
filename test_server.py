#!/usr/bin/env python3
"""Check a running server from outside: upload, pages, files, pip, search, API, tokens, yanking; then clean up.

    python3 test_server.py [--url URL] [--username NAME --password PASSWORD] [--json]

It needs nothing but Python 3.11 or newer with pip, publishes a small project under a name of its own and deletes it
again. Exit code: 0 if everything passed, 1 if something failed, 2 if it could not begin.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import hashlib
import http.client
import importlib.util
import io
import json
import os
import secrets
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


class Failure(Exception):
    """What is wrong, in one line."""


class CannotBegin(Exception):
    """Why nothing was checked, in one line."""


# -- speaking to the server


@dataclass(frozen=True)
class Answer:
    """What the server said. Header names are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text."""
        return self.body.decode("utf-8", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises Failure."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Failure(f"the answer is not JSON: {self.text[:80]!r}") from error

    def must_be(self, *statuses: int) -> Answer:
        """The answer itself, if its status is one of these. Raises Failure."""
        if self.status not in statuses:
            wanted = " or ".join(map(str, statuses))
            raise Failure(f"answered {self.status} instead of {wanted}: {' '.join(self.text.split())[:200]}")
        return self


class _Unredirected(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


@dataclass
class Server:
    """The server at an address, which ends with a slash."""

    url: str
    timeout: float

    def __post_init__(self) -> None:
        handlers: list[Any] = [_Unredirected()]
        if urlsplit(self.url).hostname in LOOPBACK:
            handlers.append(urllib.request.ProxyHandler({}))
        self._opener = urllib.request.build_opener(*handlers)

    def ask(
        self, path: str, method: str = "GET", body: bytes | None = None, *, login: str | None = None, **headers: str
    ) -> Answer:
        """Send a request; ``login`` is an Authorization header, and ``_`` in a header's name a hyphen."""
        request = urllib.request.Request(urljoin(self.url, path), body, method=method)
        for name, value in headers.items():
            request.add_header(name.replace("_", "-"), value)
        if login is not None:
            request.add_header("Authorization", login)
        try:
            with self._opener.open(request, timeout=self.timeout) as response:
                return _answer(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.headers, error.read())
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"no answer: {getattr(error, 'reason', error)}") from error

    def ask_json(self, path: str, method: str, body: dict[str, Any], login: str | None) -> Answer:
        """Send a JSON body."""
        return self.ask(path, method, json.dumps(body).encode(), login=login, content_type="application/json")

    def upload(self, filename: str, content: bytes, login: str | None) -> Answer:
        """Upload a file as ``curl -F content=@file`` would."""
        boundary = secrets.token_hex(16)
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{filename}"\r\n\r\n'
        body = head.encode() + content + f"\r\n--{boundary}--\r\n".encode()
        return self.ask("upload", "POST", body, login=login, content_type=f"multipart/form-data; boundary={boundary}")


def _answer(status: int, headers: Any, body: bytes) -> Answer:
    return Answer(status, {name.lower(): value for name, value in headers.items()}, body)


def basic(username: str, password: str) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


# -- what is uploaded


@dataclass(frozen=True)
class Sample:
    """A project under a name of its own, with one release."""

    name: str
    version: str = "1.0"

    @property
    def module(self) -> str:
        """The name as files and modules bear it."""
        return self.name.replace("-", "_")

    @property
    def metadata(self) -> bytes:
        """Its core metadata."""
        return (
            f"Metadata-Version: 2.2\nName: {self.name}\nVersion: {self.version}\n"
            f"Summary: A live check of this server; it may be deleted.\nRequires-Python: >=3.8\n"
        ).encode()

    @property
    def wheel_name(self) -> str:
        """The wheel's filename."""
        return f"{self.module}-{self.version}-py3-none-any.whl"

    @property
    def sdist_name(self) -> str:
        """The sdist's filename."""
        return f"{self.module}-{self.version}.tar.gz"

    def wheel(self, answer: int = 42) -> bytes:
        """The wheel; another answer makes other bytes."""
        folder = f"{self.module}-{self.version}.dist-info"
        members = {
            f"{self.module}.py": f"answer = {answer}\n".encode(),
            f"{folder}/METADATA": self.metadata,
            f"{folder}/WHEEL": b"Wheel-Version: 1.0\nGenerator: live check\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        lines = [f"{name},{_record_digest(content)},{len(content)}\n" for name, content in members.items()]
        members[f"{folder}/RECORD"] = "".join([*lines, f"{folder}/RECORD,,\n"]).encode()
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(zipfile.ZipInfo(name, (2020, 2, 2, 0, 0, 0)), content)
        return buffer.getvalue()

    def sdist(self) -> bytes:
        """The sdist."""
        members = {
            "PKG-INFO": self.metadata,
            "pyproject.toml": b"[build-system]\nrequires = []\n",
            f"{self.module}.py": b"answer = 42\n",
        }
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
            for name, content in members.items():
                info = tarfile.TarInfo(f"{self.module}-{self.version}/{name}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        return gzip.compress(buffer.getvalue(), mtime=0)


def _record_digest(content: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


# -- the checks


@dataclass
class Run:
    """One run against a server: who speaks, and what has to be cleaned up."""

    server: Server
    login: str | None
    is_guarded: bool
    sample: Sample = field(default_factory=lambda: Sample(f"live-check-{secrets.token_hex(5)}"))
    is_published: bool = False
    tokens: list[str] = field(default_factory=list)

    def page(self) -> dict[str, dict[str, Any]]:
        """The files of the project's page, by filename. Raises Failure."""
        document = self.server.ask(f"simple/{self.sample.name}/", accept=SIMPLE_JSON).must_be(200).json()
        return {file["filename"]: file for file in document["files"]}

    def file(self, filename: str) -> tuple[dict[str, Any], str]:
        """A file of the page, and its address. Raises Failure."""
        found = self.page().get(filename)
        expect(found is not None, f"{filename} is not on the project's page")
        assert found is not None
        return found, urljoin(f"{self.server.url}simple/{self.sample.name}/", found["url"])

    def has_token(self, text: str) -> bool:
        """Whether this token is among those of the account, which are known by their public parts."""
        listed = self.server.ask("api/tokens", login=self.login).must_be(200).json()["tokens"]
        return any(f"_{token['id']}_" in text for token in listed)


Check = Callable[[Run], None]
CHECKS: dict[str, tuple[Check, bool, bool]] = {}


def expect(condition: bool, otherwise: str) -> None:
    """Raise Failure unless it is so."""
    if not condition:
        raise Failure(otherwise)


def check(name: str, *, of_files: bool = False, of_accounts: bool = False) -> Callable[[Check], Check]:
    """Add a check; one of files is left out where nothing could be uploaded, one of accounts where there are none."""

    def add(function: Check) -> Check:
        CHECKS[name] = (function, of_files, of_accounts)
        return function

    return add


@check("health")
def check_health(run: Run) -> None:
    expect(run.server.ask("health").must_be(200).json().get("status") == "ok", "the status is not ok")


@check("home page")
def check_home_page(run: Run) -> None:
    answer = run.server.ask("", accept="text/html").must_be(200)
    expect(answer.headers.get("content-type", "").startswith("text/html"), "it is not HTML")


@check("project list, HTML")
def check_list_as_html(run: Run) -> None:
    answer = run.server.ask("simple/", accept="text/html").must_be(200)
    expect("pypi:repository-version" in answer.text, "it has no repository version")


@check("project list, JSON")
def check_list_as_json(run: Run) -> None:
    answer = run.server.ask("simple/", accept=SIMPLE_JSON).must_be(200)
    expect(answer.headers.get("content-type") == SIMPLE_JSON, "its Content-Type is not that of PEP 691")
    expect(isinstance(answer.json().get("projects"), list), "it has no projects")


@check("upload without a login is refused", of_accounts=True)
def check_anonymous_upload(run: Run) -> None:
    answer = run.server.upload(run.sample.wheel_name, run.sample.wheel(), None).must_be(401)
    expect("basic" in answer.headers.get("www-authenticate", "").lower(), "it asks for no Basic login")


@check("a wrong password is refused", of_accounts=True)
def check_wrong_password(run: Run) -> None:
    wrong = basic("live-check", secrets.token_hex(8))
    run.server.upload(run.sample.wheel_name, run.sample.wheel(), wrong).must_be(401)


@check("upload of a wheel")
def check_wheel_upload(run: Run) -> None:
    run.server.upload(run.sample.wheel_name, run.sample.wheel(), run.login).must_be(200)
    run.is_published = True


@check("upload of an sdist", of_files=True)
def check_sdist_upload(run: Run) -> None:
    run.server.upload(run.sample.sdist_name, run.sample.sdist(), run.login).must_be(200)


@check("the same file again", of_files=True)
def check_same_upload(run: Run) -> None:
    run.server.upload(run.sample.wheel_name, run.sample.wheel(), run.login).must_be(200)


@check("other bytes are refused", of_files=True)
def check_other_bytes(run: Run) -> None:
    answer = run.server.upload(run.sample.wheel_name, run.sample.wheel(answer=43), run.login).must_be(400, 409)
    expect("already exist" in answer.text, "the refusal does not say that the file already exists")


@check("project page", of_files=True)
def check_project_page(run: Run) -> None:
    both = {run.sample.wheel_name, run.sample.sdist_name}
    expect(set(run.page()) == both, "it does not list both files")
    html = run.server.ask(f"simple/{run.sample.name}/", accept="text/html").must_be(200)
    expect(all(f">{filename}</a>" in html.text for filename in both), "as HTML it does not list both files")
    again = run.server.ask(
        f"simple/{run.sample.name}/", accept="text/html", if_none_match=html.headers.get("etag", "*")
    )
    again.must_be(304)


@check("digests and sizes", of_files=True)
def check_digests(run: Run) -> None:
    contents = {run.sample.wheel_name: run.sample.wheel(), run.sample.sdist_name: run.sample.sdist()}
    for filename, content in contents.items():
        file, _ = run.file(filename)
        expect(file["hashes"].get("sha256") == hashlib.sha256(content).hexdigest(), f"{filename}: other sha256")
        expect(file.get("size") == len(content), f"{filename}: other size")


@check("metadata file", of_files=True)
def check_metadata(run: Run) -> None:
    file, url = run.file(run.sample.wheel_name)
    expect(run.server.ask(f"{url}.metadata").must_be(200).body == run.sample.metadata, "it is not the wheel's METADATA")
    expect(isinstance(file.get("core-metadata"), dict), "the page does not announce it")
    expect(
        file["core-metadata"].get("sha256") == hashlib.sha256(run.sample.metadata).hexdigest(),
        "the page has another sha256 of it",
    )


@check("download, whole and in part", of_files=True)
def check_download(run: Run) -> None:
    content = run.sample.wheel()
    _, url = run.file(run.sample.wheel_name)
    expect(run.server.ask(url).must_be(200).body == content, "other bytes came back")
    part = run.server.ask(url, range="bytes=10-19").must_be(206)
    expect(part.body == content[10:20], "other bytes came back for a Range")
    expect(part.headers.get("content-range") == f"bytes 10-19/{len(content)}", "the Content-Range is wrong")


@check("installation with pip", of_files=True)
def check_installation(run: Run) -> None:
    with tempfile.TemporaryDirectory() as folder:
        target, address = Path(folder) / "target", urlsplit(run.server.url)
        command = [*pip_in(Path(folder)), "install", "--no-deps", "--no-cache-dir", "--target", str(target)]
        command += ["--index-url", f"{run.server.url}simple/", "--disable-pip-version-check", "--no-input"]
        if address.scheme == "http" and address.hostname not in LOOPBACK:
            command += ["--trusted-host", address.netloc]
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PIP_") or name == "PIP_CERT"}
        if address.hostname in LOOPBACK:
            kept["NO_PROXY"] = kept["no_proxy"] = str(address.hostname)
        run_program([*command, f"{run.sample.name}=={run.sample.version}"], kept | {"PIP_CONFIG_FILE": os.devnull})
        script = f"import sys; sys.path.insert(0, sys.argv[1]); import {run.sample.module} as m; print(m.answer)"
        said = run_program([sys.executable, "-I", "-c", script, str(target)], dict(os.environ))
        expect(said.strip() == "42", "the installed module is not the one that was uploaded")


def pip_in(folder: Path) -> list[str]:
    """A command that runs pip: this Python's, or that of an environment made for it. Raises Failure."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    run_program([sys.executable, "-m", "venv", str(folder / "venv")], dict(os.environ))
    return [str(folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"), "-m", "pip"]


def run_program(command: list[str], environ: dict[str, str]) -> str:
    """Run a program; what it wrote to its output. Raises Failure with the last of what it said."""
    try:
        done = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=180, check=False)
    except subprocess.TimeoutExpired as error:
        raise Failure("it did not end within three minutes") from error
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise Failure(next((line for line in reversed(lines) if "ERROR" in line), (lines or ["it failed"])[-1])[:300])
    return done.stdout


@check("search", of_files=True)
def check_search(run: Run) -> None:
    found = run.server.ask(f"search?q={quote(run.sample.name)}", accept="application/json").must_be(200).json()
    expect(any(hit["name"] == run.sample.name for hit in found["results"]), "it does not find the project")


@check("API: project", of_files=True)
def check_api_project(run: Run) -> None:
    document = run.server.ask(f"api/packages/{run.sample.name}").must_be(200).json()
    expect(document.get("name") == run.sample.name, "it is another project")
    expect(document.get("version") == run.sample.version, "it has another version")
    expect(len(document.get("files", ())) == 2, "it does not have two files")


@check("API: project list", of_files=True)
def check_api_list(run: Run) -> None:
    document = run.server.ask(f"api/packages?prefix={run.sample.name}").must_be(200).json()
    expect([one["name"] for one in document["packages"]] == [run.sample.name], "the project is not on it")


@check("API: statistics", of_files=True)
def check_api_statistics(run: Run) -> None:
    document = run.server.ask("api/stats").must_be(200).json()
    expect(document.get("projects", 0) >= 1, "it counts no project")
    expect(document.get("files", 0) >= 2, "it counts no files")


@check("legacy JSON", of_files=True)
def check_legacy_json(run: Run) -> None:
    document = run.server.ask(f"pypi/{run.sample.name}/json").must_be(200).json()
    expect(document["info"]["version"] == run.sample.version, "it has another version")
    digests = {file["filename"]: file["digests"]["sha256"] for file in document["urls"]}
    expect(digests.get(run.sample.wheel_name) == hashlib.sha256(run.sample.wheel()).hexdigest(), "other sha256")


@check("token: made, listed, uploads", of_files=True, of_accounts=True)
def check_token(run: Run) -> None:
    body = {"name": run.sample.name, "expires_days": 1}
    token = run.server.ask_json("api/tokens", "POST", body, run.login).must_be(201).json()["token"]
    run.tokens.append(token)
    expect(run.has_token(token), "it is not listed")
    run.server.upload(run.sample.wheel_name, run.sample.wheel(), basic("__token__", token)).must_be(200)


@check("token: revoked, refused", of_files=True, of_accounts=True)
def check_revoked_token(run: Run) -> None:
    expect(bool(run.tokens), "none was made")
    token = run.tokens[-1]
    run.server.ask_json("api/tokens", "DELETE", {"token": token}, run.login).must_be(200)
    expect(not run.has_token(token), "it is still listed")
    run.server.upload(run.sample.wheel_name, run.sample.wheel(), basic("__token__", token)).must_be(401)
    run.tokens.remove(token)


@check("yank and back", of_files=True)
def check_yank(run: Run) -> None:
    path = f"api/packages/{run.sample.name}/{run.sample.version}/yank"
    run.server.ask_json(path, "POST", {"reason": "a live check"}, run.login).must_be(200)
    expect(run.file(run.sample.wheel_name)[0].get("yanked") == "a live check", "the page does not show the reason")
    run.server.ask(path, "DELETE", login=run.login).must_be(200)
    expect(run.file(run.sample.wheel_name)[0].get("yanked") in {None, False}, "the page still shows it as yanked")


def clean_up(run: Run) -> None:
    """Revoke and delete what this run made, also by an upload whose answer was lost. Raises Failure."""
    for token in run.tokens:
        run.server.ask_json("api/tokens", "DELETE", {"token": token}, run.login)
    path = f"api/packages/{run.sample.name}"
    if run.server.ask(path).status == 404:
        return
    answer = run.server.ask(path, "DELETE", login=run.login)
    if answer.status != 200:
        said = " ".join(answer.text.split())[:200]
        raise Failure(f"answered {answer.status} ({said}); let an administrator delete the project {run.sample.name}")
    expect(run.server.ask(path).status == 404, f"the project {run.sample.name} is still there")


# -- running and reporting


@dataclass(frozen=True)
class Result:
    """What became of a check; ``detail`` is what was wrong, or why it was left out."""

    name: str
    result: str
    milliseconds: float
    detail: str = ""


def outcome(name: str, function: Check, run: Run) -> Result:
    """Run one check."""
    began = time.perf_counter()
    detail = ""
    try:
        function(run)
    except Failure as failure:
        detail = str(failure)
    except (KeyError, TypeError, AttributeError, ValueError) as error:  # an answer of another shape than ours
        detail = f"the answer is not as it should be: {error!r}"
    return Result(name, "failed" if detail else "passed", round((time.perf_counter() - began) * 1000, 1), detail)


def results_of(run: Run) -> Generator[Result, None, None]:
    """Run all checks in turn, and clean up whatever happens."""
    try:
        for name, (function, of_files, of_accounts) in CHECKS.items():
            if of_accounts and not run.is_guarded:
                yield Result(name, "left out", 0, "authentication is off")
            elif of_files and not run.is_published:
                yield Result(name, "left out", 0, "nothing could be uploaded")
            else:
                yield outcome(name, function, run)
    finally:
        last = outcome("clean-up", clean_up, run)
        if last.detail:
            print(f"Clean-up failed: {last.detail}", file=sys.stderr)  # also where nobody reads the results any more
    yield last


def is_address(url: str) -> bool:
    """Whether this is the address of a server, without user, query or fragment."""
    try:
        parts = urlsplit(url)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        return False


def begin(options: argparse.Namespace) -> Run:
    """A run for what the command line says. Raises CannotBegin."""
    if not is_address(options.url):
        raise CannotBegin(f"{options.url!r} is not an address such as http://localhost:8080.")
    if options.timeout <= 0:
        raise CannotBegin("The timeout must be more than 0 seconds.")
    if (options.username is None) != (options.password is None):
        raise CannotBegin("Give both --username and --password, or neither.")
    server = Server(options.url.rstrip("/") + "/", options.timeout)
    try:
        server.ask("health")
        is_guarded = server.ask("api/tokens").status == 401
    except Failure as failure:
        raise CannotBegin(f"{options.url}: {failure}; start the server, or name another one with --url.") from failure
    if is_guarded and options.username is None:
        raise CannotBegin(f"Authentication is on at {options.url}: give --username and --password of an administrator.")
    login = None if options.username is None else basic(options.username, options.password)
    return Run(server, login, is_guarded)


@contextmanager
def terminable() -> Iterator[None]:
    """SIGTERM ends this program in order, so that it cleans up."""
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def report(results: Iterable[Result]) -> list[Result]:
    """Print each result as it comes."""
    seen = []
    print(f"{'Check':<36} {'Result':<9} {'ms':>8}  What was wrong")
    for one in results:
        print(f"{one.name:<36} {one.result:<9} {one.milliseconds:>8.1f}  {one.detail}".rstrip(), flush=True)
        seen.append(one)
    counts = {word: sum(one.result == word for one in seen) for word in ("passed", "failed", "left out")}
    print(", ".join(f"{count} {word}" for word, count in counts.items() if count))
    return seen


def main(arguments: list[str] | None = None) -> int:
    """Check a server; the exit code."""
    parser = argparse.ArgumentParser(description="Check a running server from outside, and clean up afterwards.")
    parser.add_argument("--url", default="http://localhost:8080", help="the server; default: %(default)s")
    parser.add_argument("--username", help="an account that may upload and delete, where authentication is on")
    parser.add_argument("--password", help="its password")
    parser.add_argument("--timeout", type=float, default=30, help="seconds to wait for an answer; default: %(default)s")
    parser.add_argument("--json", action="store_true", help="print the results as JSON")
    options = parser.parse_args(arguments)
    try:
        run = begin(options)
    except CannotBegin as reason:
        print(f"Error: {reason}", file=sys.stderr)
        return 2
    with terminable(), closing(results_of(run)) as each:
        results = list(each) if options.json else report(each)
    passed = not any(one.result == "failed" for one in results)
    if options.json:
        print(json.dumps({"url": options.url, "passed": passed, "checks": [vars(one) for one in results]}, indent=2))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
