#!/usr/bin/env python3
"""Check a running server from outside: upload, pages, files, pip, search, API, tokens, yanking; then clean up.

    python3 test_server.py [--url URL] [--username NAME --password PASSWORD] [--json]

It needs nothing but Python 3.11 or newer with pip, publishes a small project under a name of its own and deletes it
again. Exit code: 0 if everything passed, 1 if something failed, 2 if it could not begin.
"""

from __future__ import annotations

import argparse
import base64
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
import urllib.request
import zipfile
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urljoin, urlsplit

LOOPBACK = {"localhost", "127.0.0.1", "::1"}
SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"


class Failure(Exception):
    """What is wrong, or why nothing can be checked, in one line."""


# -- speaking to the server


@dataclass(frozen=True)
class Answer:
    """What the server said. Header names are in small letters."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        """The body as text, in one line."""
        return " ".join(self.body.decode("utf-8", "replace").split())

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
            raise Failure(f"answered {self.status} instead of {wanted}: {self.text[:200]}")
        return self


class _AsItCame(urllib.request.HTTPErrorProcessor):
    """Follows no redirect, and raises for no status."""

    def http_response(self, request: Any, response: Any) -> Any:  # noqa: ARG002 - the base class's name
        return response

    https_response = http_response


@dataclass
class Server:
    """The server at an address, which ends with a slash."""

    url: str
    timeout: float

    def __post_init__(self) -> None:
        handlers: list[urllib.request.BaseHandler] = [_AsItCame()]
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
                known = {name.lower(): value for name, value in response.headers.items()}
                return Answer(response.status, known, response.read())
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"no answer: {getattr(error, 'reason', error)}") from error

    def ask_json(self, path: str, method: str, body: dict[str, Any], login: str | None) -> Answer:
        """Send a JSON body."""
        return self.ask(path, method, json.dumps(body).encode(), login=login, content_type="application/json")

    def upload(self, file: File, login: str | None) -> Answer:
        """Upload a file as ``curl -F content=@file`` would."""
        boundary = secrets.token_hex(16)
        head = f'--{boundary}\r\nContent-Disposition: form-data; name="content"; filename="{file.name}"\r\n\r\n'
        body = head.encode() + file.content + f"\r\n--{boundary}--\r\n".encode()
        return self.ask("upload", "POST", body, login=login, content_type=f"multipart/form-data; boundary={boundary}")


def basic(username: str, password: str) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


# -- what is uploaded


class File(NamedTuple):
    """A file that is uploaded."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The digest that the server has to give, in hexadecimal."""
        return hashlib.sha256(self.content).hexdigest()


class Sample:
    """A project under a name of its own, with one release: a wheel and an sdist."""

    def __init__(self) -> None:
        self.name, self.version = f"live-check-{secrets.token_hex(5)}", "1.0"
        self.module = self.name.replace("-", "_")
        self.metadata = (
            f"Metadata-Version: 2.2\nName: {self.name}\nVersion: {self.version}\n"
            f"Summary: A live check of this server; it may be deleted.\nRequires-Python: >=3.8\n"
        ).encode()
        self.wheel, self.sdist = self.make_wheel(answer=42), self.make_sdist()

    def make_wheel(self, answer: int) -> File:
        """The wheel; another answer makes other bytes."""
        folder = f"{self.module}-{self.version}.dist-info"
        members = {
            f"{self.module}.py": f"answer = {answer}\n".encode(),
            f"{folder}/METADATA": self.metadata,
            f"{folder}/WHEEL": b"Wheel-Version: 1.0\nGenerator: live check\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = ""
        for name, content in members.items():
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(content)}\n"
        members[f"{folder}/RECORD"] = f"{record}{folder}/RECORD,,\n".encode()
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        return File(f"{self.module}-{self.version}-py3-none-any.whl", buffer.getvalue())

    def make_sdist(self) -> File:
        """The sdist."""
        members = {
            "PKG-INFO": self.metadata,
            "pyproject.toml": b"[build-system]\nrequires = []\n",
            f"{self.module}.py": b"answer = 42\n",
        }
        buffer, top = io.BytesIO(), f"{self.module}-{self.version}"
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for name, content in members.items():
                info = tarfile.TarInfo(f"{top}/{name}")
                info.size = len(content)
                archive.addfile(info, io.BytesIO(content))
        return File(f"{top}.tar.gz", buffer.getvalue())


# -- the checks


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


def expect(condition: bool, otherwise: str) -> None:
    """Raise Failure unless it is so."""
    if not condition:
        raise Failure(otherwise)


Check = Callable[["Run"], None]
CHECKS: dict[str, tuple[Check, bool, bool]] = {}


def check(name: str, *, of_files: bool = False, of_accounts: bool = False) -> Callable[[Check], Check]:
    """Add a check; one of files is left out where nothing could be uploaded, one of accounts where there are none."""

    def add(function: Check) -> Check:
        CHECKS[name] = (function, of_files, of_accounts)
        return function

    return add


@dataclass
class Run:
    """One run against a server: who speaks, and what has to be cleaned up."""

    server: Server
    login: str | None
    is_guarded: bool
    sample: Sample = field(default_factory=Sample)
    is_published: bool = False
    token: str = ""

    def page(self) -> dict[str, dict[str, Any]]:
        """The files of the project's page, by filename. Raises Failure."""
        document = self.server.ask(f"simple/{self.sample.name}/", accept=SIMPLE_JSON).must_be(200).json()
        return {file["filename"]: file for file in document["files"]}

    def file(self, file: File) -> tuple[dict[str, Any], str]:
        """What the page says of a file, and its address. Raises Failure."""
        found = self.page().get(file.name)
        if found is None:
            raise Failure(f"{file.name} is not on the project's page")
        return found, urljoin(f"{self.server.url}simple/{self.sample.name}/", found["url"])

    def is_token_listed(self) -> bool:
        """Whether the token is among those of the account, which are known by their public parts."""
        listed = self.server.ask("api/tokens", login=self.login).must_be(200).json()["tokens"]
        return any(f"_{one['id']}_" in self.token for one in listed)

    @check("health")
    def check_health(self) -> None:
        expect(self.server.ask("health").must_be(200).json().get("status") == "ok", "the status is not ok")

    @check("home page")
    def check_home_page(self) -> None:
        answer = self.server.ask("", accept="text/html").must_be(200)
        expect(answer.headers.get("content-type", "").startswith("text/html"), "it is not HTML")

    @check("project list, HTML")
    def check_list_as_html(self) -> None:
        answer = self.server.ask("simple/", accept="text/html").must_be(200)
        expect("pypi:repository-version" in answer.text, "it has no repository version")

    @check("project list, JSON")
    def check_list_as_json(self) -> None:
        answer = self.server.ask("simple/", accept=SIMPLE_JSON).must_be(200)
        expect(answer.headers.get("content-type") == SIMPLE_JSON, "its Content-Type is not that of PEP 691")
        expect(isinstance(answer.json().get("projects"), list), "it has no projects")

    @check("upload without a login is refused", of_accounts=True)
    def check_anonymous_upload(self) -> None:
        answer = self.server.upload(self.sample.wheel, None).must_be(401)
        expect("basic" in answer.headers.get("www-authenticate", "").lower(), "it asks for no Basic login")

    @check("a wrong password is refused", of_accounts=True)
    def check_wrong_password(self) -> None:
        self.server.upload(self.sample.wheel, basic("live-check", secrets.token_hex(8))).must_be(401)

    @check("upload of a wheel")
    def check_wheel_upload(self) -> None:
        self.server.upload(self.sample.wheel, self.login).must_be(200)
        self.is_published = True

    @check("upload of an sdist", of_files=True)
    def check_sdist_upload(self) -> None:
        self.server.upload(self.sample.sdist, self.login).must_be(200)

    @check("the same file again", of_files=True)
    def check_same_upload(self) -> None:
        self.server.upload(self.sample.wheel, self.login).must_be(200)

    @check("other bytes are refused", of_files=True)
    def check_other_bytes(self) -> None:
        answer = self.server.upload(self.sample.make_wheel(answer=43), self.login).must_be(400, 409)
        expect("already exist" in answer.text, "the refusal does not say that the file already exists")

    @check("project page", of_files=True)
    def check_project_page(self) -> None:
        both = {self.sample.wheel.name, self.sample.sdist.name}
        expect(set(self.page()) == both, "it does not list both files")
        html = self.server.ask(f"simple/{self.sample.name}/", accept="text/html").must_be(200)
        expect(all(f">{filename}</a>" in html.text for filename in both), "as HTML it does not list both files")
        etag = html.headers.get("etag", "*")
        self.server.ask(f"simple/{self.sample.name}/", accept="text/html", if_none_match=etag).must_be(304)

    @check("digests and sizes", of_files=True)
    def check_digests(self) -> None:
        for file in (self.sample.wheel, self.sample.sdist):
            listed, _ = self.file(file)
            expect(listed["hashes"].get("sha256") == file.sha256, f"{file.name}: other sha256")
            expect(listed.get("size") == len(file.content), f"{file.name}: other size")

    @check("metadata file", of_files=True)
    def check_metadata(self) -> None:
        file, url = self.file(self.sample.wheel)
        answer = self.server.ask(f"{url}.metadata").must_be(200)
        expect(answer.body == self.sample.metadata, "it is not the wheel's METADATA")
        expect(isinstance(file.get("core-metadata"), dict), "the page does not announce it")
        digest = hashlib.sha256(self.sample.metadata).hexdigest()
        expect(file["core-metadata"].get("sha256") == digest, "the page has another sha256 of it")

    @check("download, whole and in part", of_files=True)
    def check_download(self) -> None:
        content = self.sample.wheel.content
        _, url = self.file(self.sample.wheel)
        expect(self.server.ask(url).must_be(200).body == content, "other bytes came back")
        part = self.server.ask(url, range="bytes=10-19").must_be(206)
        expect(part.body == content[10:20], "other bytes came back for a Range")
        expect(part.headers.get("content-range") == f"bytes 10-19/{len(content)}", "the Content-Range is wrong")

    @check("installation with pip", of_files=True)
    def check_installation(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            target, address = Path(folder) / "target", urlsplit(self.server.url)
            command = [*pip_in(Path(folder)), "install", "--no-deps", "--no-cache-dir", "--target", str(target)]
            command += ["--index-url", f"{self.server.url}simple/", "--disable-pip-version-check", "--no-input"]
            if address.scheme == "http" and address.hostname not in LOOPBACK:
                command += ["--trusted-host", address.netloc]
            command.append(f"{self.sample.name}=={self.sample.version}")
            kept = {name: os.environ[name] for name in os.environ if not name.startswith("PIP_") or name == "PIP_CERT"}
            if address.hostname in LOOPBACK:
                kept["NO_PROXY"] = kept["no_proxy"] = str(address.hostname)
            run_program(command, kept | {"PIP_CONFIG_FILE": os.devnull})
            script = f"import sys; sys.path.insert(0, sys.argv[1]); import {self.sample.module} as m; print(m.answer)"
            said = run_program([sys.executable, "-I", "-c", script, str(target)], dict(os.environ))
            expect(said.strip() == "42", "the installed module is not the one that was uploaded")

    @check("search", of_files=True)
    def check_search(self) -> None:
        found = self.server.ask(f"search?q={quote(self.sample.name)}", accept="application/json").must_be(200).json()
        expect(any(hit["name"] == self.sample.name for hit in found["results"]), "it does not find the project")

    @check("API: project", of_files=True)
    def check_api_project(self) -> None:
        document = self.server.ask(f"api/packages/{self.sample.name}").must_be(200).json()
        expect(document.get("name") == self.sample.name, "it is another project")
        expect(document.get("version") == self.sample.version, "it has another version")
        expect(len(document.get("files", ())) == 2, "it does not have two files")

    @check("API: project list", of_files=True)
    def check_api_list(self) -> None:
        document = self.server.ask(f"api/packages?prefix={self.sample.name}").must_be(200).json()
        expect([one["name"] for one in document["packages"]] == [self.sample.name], "the project is not on it")

    @check("API: statistics", of_files=True)
    def check_api_statistics(self) -> None:
        document = self.server.ask("api/stats").must_be(200).json()
        expect(document.get("projects", 0) >= 1, "it counts no project")
        expect(document.get("files", 0) >= 2, "it counts no files")

    @check("legacy JSON", of_files=True)
    def check_legacy_json(self) -> None:
        document = self.server.ask(f"pypi/{self.sample.name}/json").must_be(200).json()
        expect(document["info"]["version"] == self.sample.version, "it has another version")
        digests = {file["filename"]: file["digests"]["sha256"] for file in document["urls"]}
        expect(digests.get(self.sample.wheel.name) == self.sample.wheel.sha256, "other sha256")

    @check("token: made, listed, uploads", of_files=True, of_accounts=True)
    def check_token(self) -> None:
        body = {"name": self.sample.name, "expires_days": 1}
        self.token = self.server.ask_json("api/tokens", "POST", body, self.login).must_be(201).json()["token"]
        expect(self.is_token_listed(), "it is not listed")
        self.server.upload(self.sample.wheel, basic("__token__", self.token)).must_be(200)

    @check("token: revoked, refused", of_files=True, of_accounts=True)
    def check_revoked_token(self) -> None:
        expect(bool(self.token), "none was made")
        self.server.ask_json("api/tokens", "DELETE", {"token": self.token}, self.login).must_be(200)
        expect(not self.is_token_listed(), "it is still listed")
        self.server.upload(self.sample.wheel, basic("__token__", self.token)).must_be(401)
        self.token = ""

    @check("yank and back", of_files=True)
    def check_yank(self) -> None:
        path = f"api/packages/{self.sample.name}/{self.sample.version}/yank"
        self.server.ask_json(path, "POST", {"reason": "a live check"}, self.login).must_be(200)
        expect(self.file(self.sample.wheel)[0].get("yanked") == "a live check", "the page does not show the reason")
        self.server.ask(path, "DELETE", login=self.login).must_be(200)
        expect(self.file(self.sample.wheel)[0].get("yanked") in {None, False}, "the page still shows it as yanked")

    def clean_up(self) -> None:
        """Revoke and delete what this run made, also by an upload whose answer was lost. Raises Failure."""
        if self.token:
            self.server.ask_json("api/tokens", "DELETE", {"token": self.token}, self.login)
        path = f"api/packages/{self.sample.name}"
        if self.server.ask(path).status == 404:
            return
        answer = self.server.ask(path, "DELETE", login=self.login)
        if answer.status != 200:
            said = f"answered {answer.status} ({answer.text[:200]})"
            raise Failure(f"{said}; let an administrator delete the project {self.sample.name}")
        expect(self.server.ask(path).status == 404, f"the project {self.sample.name} is still there")


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
        last = outcome("clean-up", Run.clean_up, run)
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
    """A run for what the command line says. Raises Failure."""
    if not is_address(options.url):
        raise Failure(f"{options.url!r} is not an address such as http://localhost:8080.")
    if options.timeout <= 0:
        raise Failure("The timeout must be more than 0 seconds.")
    if (options.username is None) != (options.password is None):
        raise Failure("Give both --username and --password, or neither.")
    server = Server(options.url.rstrip("/") + "/", options.timeout)
    try:
        is_guarded = server.ask("api/tokens").status == 401
    except Failure as failure:
        raise Failure(f"{options.url}: {failure}; start the server, or name another one with --url.") from failure
    if is_guarded and options.username is None:
        raise Failure(f"Authentication is on at {options.url}: give --username and --password of an administrator.")
    login = None if options.username is None else basic(options.username, options.password)
    return Run(server, login, is_guarded)


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
    except Failure as reason:
        print(f"Error: {reason}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # ended in order, so that it cleans up
    with closing(results_of(run)) as each:
        results = list(each) if options.json else report(each)
    passed = not any(one.result == "failed" for one in results)
    if options.json:
        print(json.dumps({"url": options.url, "passed": passed, "checks": [vars(one) for one in results]}, indent=2))
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
